"""Where the results of a study go: written beside each other first, put in place when all are there."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from geo.errors import InputError

__all__ = ["prepared_folder", "write_json"]


@contextlib.contextmanager
def prepared_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder; when the block ends without an error, its content replaces that of `out`.

    A study that fails leaves the results of the one before untouched. Other files in `out` stay.

    Raises
    ------
    InputError
        When `out` cannot be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=out))
    except OSError as error:
        raise InputError(
            f"{out}: cannot be written to ({(error.strerror or 'output error').lower()})"
        ) from None
    try:
        yield unfinished
        for source in sorted(unfinished.iterdir()):
            target = out / source.name
            if target.is_dir():
                shutil.rmtree(target)
            source.replace(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def write_json(path: Path, content: object) -> None:
    """Write JSON for people and programs: UTF-8, indented, no infinities."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")
