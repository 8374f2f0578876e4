"""Columns on disk: one ``.npy`` file each, mapped into memory when read, and a small JSON beside them."""

import json
import pathlib
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.errors import InputError

__all__ = ["read_folder", "write_folder"]

META = "meta.json"


def write_folder(
    folder: pathlib.Path, columns: Mapping[str, npt.NDArray[Any]], meta: Mapping[str, Any]
) -> None:
    """Write columns and meta data; the folder appears whole or not at all, an old one is replaced."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = pathlib.Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        for name, column in columns.items():
            np.save(draft / f"{name}.npy", np.ascontiguousarray(column), allow_pickle=False)
        (draft / META).write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")
        draft.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def read_folder(folder: pathlib.Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the columns, mapped copy-on-write (the files never change), and the meta data.

    Raises
    ------
    InputError
        If the folder holds no such columns or a damaged one.
    """
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        columns = {path.stem: _mapped(path) for path in sorted(folder.glob("*.npy"))}
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no saved street network that can be read: {error}") from error
    return columns, meta


def _mapped(path: pathlib.Path) -> npt.NDArray[Any]:
    mapped: npt.NDArray[Any] = np.load(path, mmap_mode="c", allow_pickle=False).view(np.ndarray)
    return mapped
