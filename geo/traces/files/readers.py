"""Trace files of every make, read in batches of columns.

A reader knows formats only. It yields `RawBatch` columns with a fault code for each row that cannot be
parsed; what a good point is, `geo.traces.rows.plausibility` decides. No reader holds more than one block of
a file.
"""

import gzip
import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final, cast

from geo.errors import InputError
from geo.sentences import Sentence
from geo.traces.files.found import TRACK_KINDS, file_kind
from geo.traces.files.gpx_plt import read_gpx, read_plt
from geo.traces.files.kml_nmea import read_kml, read_nmea
from geo.traces.files.tables.cells import JsonTable, SheetTable
from geo.traces.files.tables.column_plans import OpenTable, table_batches
from geo.traces.files.tables.columns import ForeignFileError
from geo.traces.files.tables.delimited import CsvTable
from geo.traces.files.tables.geofiles import read_feather, read_geopackage, read_parquet
from geo.traces.files.tables.shapes import shape_of_name
from geo.traces.formats import KINDS, RawBatch, TraceFormat

__all__ = [
    "is_foreign",
    "open_file",
    "open_table",
    "read_batches",
    "refuse_unnamed_riders",
    "rider_is_in_name",
    "shown_name",
]

_TABLES: Final = ("csv", "goal", "lade_orders", "xlsx", "json", "geojson")
_ON_DISK: Final = ("parquet", "gpkg", "feather")
_CONVERTED: Final = {
    **dict.fromkeys((".fit", ".tcx"), "trace_to_gpx"),
    **dict.fromkeys((".orc", ".avro"), "trace_to_parquet"),
    **dict.fromkeys((".xls", ".ods"), "trace_to_xlsx"),
    **dict.fromkeys((".shp", ".dbf"), "trace_to_geopackage"),
    **dict.fromkeys((".sqlite", ".db", ".mdb"), "trace_to_csv"),
    **dict.fromkeys((".rar", ".7z", ".tar", ".tgz"), "trace_to_zip"),
}
"""Files of traces by ending that are not read, and the sentence that says what to make of them."""
_HEAD_BYTES: Final = 65_536
_GZIP: Final = b"\x1f\x8b"
_BROKEN: Final = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,
)

Skip = Callable[[str, str], None]
"""Called with the name and the reason of each member of an archive that is passed by."""


def rider_is_in_name(path: Path, trace_format: TraceFormat) -> bool:
    """Return whether a file's name says who its rider is, and so must not be shown."""
    kind = file_kind(path) if trace_format.kind == "auto" else trace_format.kind
    if trace_format.rider in ("folder", "column"):
        return False
    return trace_format.rider != "auto" or kind in (*TRACK_KINDS, "goal")


def shown_name(path: Path, number: int, trace_format: TraceFormat) -> str:
    """Return the name of a file as it may be shown: its number where the name is a rider's id."""
    if rider_is_in_name(path, trace_format) and path.suffix.lower() != ".zip":
        return f"file {number + 1}{path.suffix.lower()}"
    return shape_of_name(path.name)


def _kind(path: Path, trace_format: TraceFormat) -> str | None:
    ending = file_kind(path)
    # GOAL and LaDe name what a table is; its container is told by the ending.
    if trace_format.kind == "auto" or (trace_format.kind == "csv" and ending in ("xlsx", "json")):
        return ending
    return trace_format.kind


def read_batches(
    path: Path,
    trace_format: TraceFormat,
    row_groups: Sequence[int] | None = None,
    name: str | None = None,
    skip: Skip | None = None,
) -> Iterator[RawBatch]:
    """Read one file in batches; of a Parquet file only the given row groups, None being all.

    Parameters
    ----------
    path
        The file.
    trace_format
        What was declared about it.
    row_groups
        Of a Parquet file.
    name
        How errors call the file.
    skip
        Told of the members of an archive that are no trace files.

    Raises
    ------
    InputError
        If the file cannot be read as what it is said to be: no header, columns missing, not Parquet.
    """
    shown = name or shown_name(path, 0, trace_format)
    if path.suffix.lower() == ".zip":
        return _read_zip(path, shown, trace_format, skip)
    kind = _kind(path, trace_format)
    if kind == "parquet":
        return read_parquet(path, shown, trace_format, row_groups)
    if kind == "gpkg":
        return read_geopackage(path, shown, trace_format)
    if kind == "feather":
        return read_feather(path, shown, trace_format)
    told = _CONVERTED.get(path.suffix.lower())
    if kind is None and told is not None:
        raise InputError(Sentence.of(told, shown=shown))
    if kind not in (*_TABLES, *TRACK_KINDS, "plt"):
        raise InputError(Sentence.of("trace_kind_unknown", shown=shown, allowed=", ".join(KINDS[1:])))
    return _read_stream(path, shown, kind, trace_format)


def open_file(path: Path) -> IO[bytes]:
    """Open a file that may be packed by gzip, whatever its name."""
    with path.open("rb") as head:
        packed = head.read(2) == _GZIP
    # gzip promises less than it does.
    return cast("IO[bytes]", gzip.open(path)) if packed else path.open("rb")


def _read_stream(path: Path, name: str, kind: str, trace_format: TraceFormat) -> Iterator[RawBatch]:
    try:
        with open_file(path) as stream:
            yield from _read_open(stream, path, name, kind, trace_format)
    except _BROKEN as error:
        if isinstance(error, InputError):
            raise
        raise InputError(Sentence.of("trace_broken", name=name, why=type(error).__name__)) from error


def _read_zip(path: Path, name: str, trace_format: TraceFormat, skip: Skip | None) -> Iterator[RawBatch]:
    note_skipped = skip or (lambda member, why: None)
    try:
        with zipfile.ZipFile(path) as packed:
            members = sorted(n for n in packed.namelist() if not n.endswith("/") and "__MACOSX" not in n)
            for track in TRACK_KINDS:
                files = [m for m in members if _kind(Path(m), trace_format) == track == file_kind(Path(m))]
                refuse_unnamed_riders(len(files), name, trace_format, track.upper())
            # the folder of such a file names its rider, and these have none
            loose = [m for m in members if file_kind(Path(m)) == "plt" and len(Path(m).parts) == 1]
            refuse_unnamed_riders(len(loose), name, trace_format, "PLT")
            last = read = 0
            for number, member in enumerate(members):
                inner = Path(member)
                if inner.name.startswith((".", "_")):
                    continue
                shown = f"{name}: {shown_name(inner, number, trace_format)}"
                kind = _kind(inner, trace_format)
                if kind in (None, "zip") or file_kind(inner) is None:
                    note_skipped(shown, "skipped_name")
                    continue
                # Rows are numbered through the archive, as if its files were one.
                top = last
                try:
                    for batch in _read_member(packed, member, shown, str(kind), trace_format):
                        numbers = [*batch.row[-1:].tolist(), *batch.lost]
                        top = max([top, *(last + n for n in numbers)])
                        yield _renumbered(batch, last)
                except ForeignFileError:
                    note_skipped(shown, "skipped_columns")
                    continue
                last = top
                read += 1
            if not read:
                raise InputError(Sentence.of("trace_archive_empty", name=name))
    except (*_BROKEN, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(Sentence.of("trace_archive", name=name)) from error


def refuse_unnamed_riders(count: int, name: str, trace_format: TraceFormat, kind: str = "GPX") -> None:
    """Refuse several rides as files of which nobody said whose they are."""
    if count > 1 and trace_format.rider in ("auto", "column"):
        raise InputError(Sentence.of("trace_whose", name=name, count=count, kind=kind, what=kind.lower()))


def _read_member(
    packed: zipfile.ZipFile, member: str, shown: str, kind: str, trace_format: TraceFormat
) -> Iterator[RawBatch]:
    inner = Path(member)
    with packed.open(member) as raw:
        if kind in _ON_DISK:
            with tempfile.TemporaryDirectory(prefix="yilu-") as folder:
                copy = Path(folder) / f"member.{kind}"
                with copy.open("wb") as out:
                    shutil.copyfileobj(raw, out)
                yield from read_batches(copy, trace_format, name=shown)
            return
        head = raw.read(2)
        raw.seek(0)
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if head == _GZIP else raw
        yield from _read_open(stream, inner, shown, kind, trace_format)


def _renumbered(batch: RawBatch, shift: int) -> RawBatch:
    return RawBatch(
        batch.row + shift, batch.rider, batch.rider_ids, batch.t_s, batch.lonlat, batch.event, batch.events,
        batch.platform, batch.platforms, batch.fault, tuple(n + shift for n in batch.lost),
    )  # fmt: skip


def open_table(stream: IO[bytes], name: str, kind: str, trace_format: TraceFormat) -> OpenTable:
    """Open a table of text or cells: its header is read, its rows are not."""
    if kind == "xlsx":
        return SheetTable(io.BytesIO(stream.read()), name, trace_format)
    if kind in ("json", "geojson"):
        return JsonTable(stream, name, trace_format)
    return CsvTable(stream, name, trace_format)


def _read_open(
    stream: IO[bytes], path: Path, name: str, kind: str, trace_format: TraceFormat
) -> Iterator[RawBatch]:
    if kind == "gpx":
        return read_gpx(stream, path, name, trace_format)
    if kind == "kml":
        return read_kml(stream, path, name, trace_format)
    if kind == "nmea":
        return read_nmea(stream, path, name, trace_format)
    if kind == "plt":
        return read_plt(stream, path, name, trace_format)
    return table_batches(open_table(stream, name, kind, trace_format), path, name, kind, trace_format)


def is_foreign(path: Path, trace_format: TraceFormat) -> bool:
    """Return whether a text file that was found in a folder holds no traces: a read-me, labels."""
    if _kind(path, trace_format) != "csv":
        return False
    try:
        with open_file(path) as stream:
            head = stream.read(_HEAD_BYTES)
        if len(head) == _HEAD_BYTES:
            head = head[: head.rfind(b"\n") + 1] or head
        CsvTable(io.BytesIO(head), path.name, trace_format)
    except ForeignFileError:
        return True
    except (InputError, *_BROKEN):
        return False
    return False
