"""Columns on disk: one ``.npy`` file each, mapped into memory when read, and a small JSON beside them."""

import json
import pathlib
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geo.errors import InputError
from geo.streets.raw import Compounds

__all__ = ["columns_of_compounds", "compounds_of_columns", "read_folder", "write_folder"]

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


def columns_of_compounds(compounds: Compounds) -> dict[str, npt.NDArray[Any]]:
    """Return outlines and delays as columns."""
    outlines = shapely.to_wkb(np.array(compounds.polygons, dtype=object))
    return {
        "compounds.wkb": np.frombuffer(b"".join(outlines), np.uint8),
        "compounds.size": np.array([len(outline) for outline in outlines], np.int64),
        "compounds.gate_delay_s": compounds.gate_delay_s,
    }


def compounds_of_columns(columns: Mapping[str, npt.NDArray[Any]], meta: Mapping[str, Any]) -> Compounds:
    """Return the compounds that were written, with names and kinds from the meta data."""
    size = columns["compounds.size"].tolist()
    blob = columns["compounds.wkb"].tobytes()
    ends = np.cumsum(size).tolist()
    outlines = [blob[end - one : end] for end, one in zip(ends, size, strict=True)]
    return Compounds(
        names=tuple(meta["names"]),
        polygons=tuple(shapely.from_wkb(outlines)),
        gate_delay_s=columns["compounds.gate_delay_s"],
        kind=tuple(meta["kind"]),
    )


def _mapped(path: pathlib.Path) -> npt.NDArray[Any]:
    mapped: npt.NDArray[Any] = np.load(path, mmap_mode="c", allow_pickle=False).view(np.ndarray)
    return mapped
