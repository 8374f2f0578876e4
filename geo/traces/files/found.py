"""Which files are meant: names, folders and patterns; what in them is no trace file is listed, not read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from geo.errors import InputError
from geo.sentences import Sentence
from geo.traces.formats import TraceFormat

__all__ = ["TRACK_KINDS", "FoundFiles", "file_kind", "find_files"]

TRACK_KINDS: Final = ("gpx", "kml", "nmea")
"""Kinds of files that are rides and say nothing of their rider."""

_ENDINGS: Final = (
    (".csv", "csv"), (".tsv", "csv"), (".txt", "csv"), (".parquet", "parquet"), (".pq", "parquet"),
    (".geoparquet", "parquet"), (".gpx", "gpx"), (".plt", "plt"), (".zip", "zip"), (".xlsx", "xlsx"),
    (".xlsm", "xlsx"), (".jsonl", "json"), (".ndjson", "json"), (".json", "json"), (".geojson", "geojson"),
    (".geojsonl", "geojson"), (".geojsons", "geojson"), (".gpkg", "gpkg"), (".kml", "kml"), (".kmz", "kml"),
    (".nmea", "nmea"), (".nma", "nmea"), (".feather", "feather"), (".arrow", "feather"), (".ipc", "feather"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """The files of a reading."""

    files: tuple[Path, ...]
    by_search: tuple[bool, ...]
    """Whether each was found in a folder or by a pattern, not named."""
    skipped: tuple[Path, ...] = ()
    """Files of folders that by their endings are no trace files."""


def _from_pattern(path: Path) -> list[Path]:
    """Return what a pattern such as ``*/Trajectory/*.plt`` means; folders that are there are as named."""
    base = Path(path.parts[0]) if path.parts else path
    parts = list(path.parts[1:])
    if not base.exists():
        base, parts = Path(), list(path.parts)
    while parts and (base / parts[0]).exists():
        base /= parts.pop(0)
    return sorted(base.glob("/".join(parts)))


def find_files(
    paths: str | Path | Sequence[str | Path], trace_format: TraceFormat | None = None
) -> FoundFiles:
    """Return the files meant by `paths`, folders opened, in a stable order.

    Parameters
    ----------
    paths
        Files, folders, and patterns with ``*``, ``?`` or ``[...]``.
    trace_format
        Where it names a kind of file, those in folders whose ending means another one are skipped.

    Raises
    ------
    InputError
        If one does not exist or a folder holds no trace file.
    """
    kind = "auto" if trace_format is None else trace_format.kind
    found: list[Path] = []
    searched: list[bool] = []
    skipped: list[Path] = []

    def gather(inside: Sequence[Path]) -> int:
        before = len(found)
        for path in inside:
            if path.name.startswith((".", "_")) or not path.is_file():
                continue
            if _fits(path, kind):
                found.append(path)
                searched.append(True)
            else:
                skipped.append(path)
        return len(found) - before

    for entry in [paths] if isinstance(paths, str | Path) else paths:
        path = Path(entry)
        if path.is_dir():
            if not gather(sorted(path.rglob("*"))):
                raise InputError(Sentence.of("trace_folder", path=str(path)))
        elif path.is_file():
            found.append(path)
            searched.append(False)
        elif any(mark in str(path) for mark in "*?["):
            files: list[Path] = []
            for match in _from_pattern(path):
                files += sorted(match.rglob("*")) if match.is_dir() else [match]
            if not gather(files):
                raise InputError(Sentence.of("trace_pattern", path=str(path)))
        else:
            raise InputError(Sentence.of("trace_no_file", path=str(path)))
    if not found:
        raise InputError(Sentence.of("trace_none_named"))
    return FoundFiles(tuple(found), tuple(searched), tuple(skipped))


def _fits(path: Path, kind: str) -> bool:
    ending = file_kind(path)
    if kind in ("auto",) or ending in (None, "zip"):
        return ending is not None
    text = ("csv", "goal", "lade_orders")
    return ending == kind or (kind in text and ending in text) or {kind, ending} == {"json", "geojson"}


def file_kind(path: Path) -> str | None:
    """Return the kind of file that a name ends like (``zip`` for archives), or None."""
    name = path.name.lower().removesuffix(".gz")
    if name.startswith((".", "_")):
        return None
    return next((kind for ending, kind in _ENDINGS if name.endswith(ending)), None)
