"""Trace files of every make, read in batches of columns: CSV, Parquet, GPX, GeoLife .plt, GOAL, LaDe.

A reader knows formats only. It yields `RawBatch` columns with a fault code for each row that cannot be
parsed; what a good point is, `geo.tracechecks` decides. No reader holds more than one block of a file.
"""

import csv
import gzip
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, cast
from xml.parsers import expat

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geo.errors import InputError
from geo.traceformats import COLUMN_NAMES, KINDS, REASONS, RawBatch, TraceFormat, file_kind
from geo.tracetimes import epoch_seconds, zone

__all__ = ["read_batches"]

_MISSING_RIDER = REASONS.index("missing_rider")
_UNPARSABLE_POSITION = REASONS.index("unparsable_position")
_REQUIRED: Final = ("rider_id", "time", "lon", "lat")
_ABSENT: Final = ("", "null", "none", "nan", "na", "n/a", "\\n")
_NUMBER: Final = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*$"
_BLOCK_CHARS: Final = 8_000_000
_BATCH_ROWS: Final = 1_000_000
_M_A_DEGREE: Final = 111_194.93  # on the mean sphere of 6371008.8 m


def read_batches(path: Path, trace_format: TraceFormat) -> Iterator[RawBatch]:
    """Read one file in batches.

    Raises
    ------
    InputError
        If the file cannot be read as what it is said to be: no header, columns missing, not Parquet.
    """
    kind = file_kind(path) if trace_format.kind == "auto" else trace_format.kind
    if path.suffix.lower() == ".zip":
        return _read_zip(path, trace_format)
    if kind == "parquet":
        return _read_parquet(path, trace_format)
    if kind not in ("csv", "gpx", "plt", "goal", "lade_orders"):
        raise InputError(
            f"{path.name}: cannot tell what kind of file this is; name the kind ({', '.join(KINDS[1:])})"
        )
    return _read_stream(path, path.name, cast("str", kind), trace_format)


def _read_stream(path: Path, name: str, kind: str, trace_format: TraceFormat) -> Iterator[RawBatch]:
    try:
        with path.open("rb") as head:
            packed = head.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as stream:
            yield from _read_open(stream, path, name, kind, trace_format)  # type: ignore[arg-type]
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name}: the file is broken or cannot be read ({type(error).__name__})") from error


def _read_zip(path: Path, trace_format: TraceFormat) -> Iterator[RawBatch]:
    try:
        with zipfile.ZipFile(path) as packed:
            names = sorted(n for n in packed.namelist() if not n.endswith("/") and "__MACOSX" not in n)
            last = 0
            for name in names:
                inner = Path(name)
                kind = file_kind(inner) if trace_format.kind == "auto" else trace_format.kind
                if kind is None or file_kind(inner) is None or kind in ("parquet", "zip"):
                    continue
                with packed.open(name) as stream:
                    # Rows are numbered through the archive, as if its files were one.
                    top = last
                    for batch in _read_open(stream, inner, inner.name, kind, trace_format):
                        numbers = [*batch.row[-1:].tolist(), *batch.lost]
                        top = max([top, *(last + n for n in numbers)])
                        yield _renumbered(batch, last)
                    last = top
    except (zipfile.BadZipFile, zipfile.LargeZipFile, RuntimeError, OSError, EOFError) as error:
        raise InputError(f"{path.name}: the archive is broken or cannot be read") from error


def _renumbered(batch: RawBatch, shift: int) -> RawBatch:
    return RawBatch(
        batch.row + shift, batch.rider, batch.rider_ids, batch.t_s, batch.lonlat, batch.event, batch.events,
        batch.platform, batch.platforms, batch.fault, tuple(n + shift for n in batch.lost),
    )  # fmt: skip


def _read_open(
    stream: IO[bytes], path: Path, name: str, kind: str, trace_format: TraceFormat
) -> Iterator[RawBatch]:
    if kind == "gpx":
        return _read_gpx(stream, path, name, trace_format)
    if kind == "plt":
        return _read_plt(stream, path, name, trace_format)
    return _read_csv(stream, path, name, kind, trace_format)


# --- columns of a file to a RawBatch ---


def _chosen_columns(
    have: Sequence[str], trace_format: TraceFormat, name: str, given: Sequence[str]
) -> dict[str, str]:
    """Find the file's name of each canonical column; `given` are canonical ones that come from elsewhere."""
    folded = {h.strip().casefold(): h for h in reversed(have)}
    chosen = {}
    for column, aliases in COLUMN_NAMES.items():
        if column in given:
            continue
        wanted = trace_format.columns.get(column)
        names = (wanted,) if wanted is not None else aliases
        match = next((folded[n.strip().casefold()] for n in names if n.strip().casefold() in folded), None)
        if match is not None:
            chosen[column] = match
        elif wanted is not None or column in _REQUIRED:
            said = f"no column {wanted!r} for {column}" if wanted is not None else f"no column for {column}"
            shown = ", ".join(repr(h) for h in list(have)[:12])
            raise InputError(f"{name}: {said}; the file has {shown or 'no header'}")
    return chosen


def _as_numbers(column: Any) -> NDArray[np.float64]:
    """Numbers of a column, NaN where there is none."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        column = column.cast(pa.float64(), safe=False)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        try:
            column = column.cast(pa.float64())
        except pa.ArrowInvalid:
            good = pc.fill_null(pc.match_substring_regex(column, _NUMBER), False)
            text = pc.if_else(good, column, pa.scalar(None, column.type))
            column = pc.utf8_trim_whitespace(text).cast(pa.float64())
    else:
        return np.full(len(column), np.nan)
    if column.null_count:
        column = pc.fill_null(column, np.nan)
    return np.asarray(column, dtype=np.float64)


def _as_codes(column: Any) -> tuple[NDArray[np.int32], list[str]]:
    """Text of a column as codes into distinct, trimmed values; -1 where there is none."""
    kind = column.type
    if not pa.types.is_dictionary(kind):
        if pa.types.is_floating(kind):
            # Ids that a spreadsheet turned into numbers: 1001.0 is 1001.
            whole = column.cast(pa.int64(), safe=False)
            same = pc.fill_null(pc.equal(whole.cast(pa.float64(), safe=False), column), False)
            column = pc.if_else(same, whole.cast(pa.string()), column.cast(pa.string()))
        column = column.dictionary_encode()
    values = column.dictionary
    if pa.types.is_nested(values.type):
        return np.full(len(column), -1, np.int32), []
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        texts = [(v or b"").decode("utf-8", "replace") for v in values.to_pylist()]
    else:
        texts = ["" if v is None else str(v) for v in values.to_pylist()]
    distinct: dict[str, int] = {}
    table = np.full(len(texts) + 1, -1, np.int32)
    for i, text in enumerate(texts):
        clean = text.strip()
        if clean.casefold() not in _ABSENT:
            table[i] = distinct.setdefault(clean, len(distinct))
    codes = np.asarray(pc.fill_null(column.indices, len(texts)), dtype=np.int64)
    return table[codes], list(distinct)


def _constant_codes(n: int, text: str) -> tuple[NDArray[np.int32], list[str]]:
    return np.zeros(n, np.int32), [text]


def _make_batch(
    columns: Mapping[str, Any],
    constants: Mapping[str, str],
    row: NDArray[np.int64],
    lost: Sequence[int],
    trace_format: TraceFormat,
    name: str,
) -> RawBatch:
    where = zone(trace_format.timezone) if trace_format.timezone else None
    t_s, fault = epoch_seconds(
        columns["time"], unit=trace_format.time_unit, where=where, year=trace_format.year, file=name
    )
    n = len(t_s)
    lonlat = np.empty((n, 2))
    lonlat[:, 0], lonlat[:, 1] = _as_numbers(columns["lon"]), _as_numbers(columns["lat"])
    fault[(fault == 0) & ~np.isfinite(lonlat).all(axis=1)] = _UNPARSABLE_POSITION

    def text(column: str, default: str) -> tuple[NDArray[np.int32], list[str]]:
        if column in columns:
            return _as_codes(columns[column])
        return _constant_codes(n, constants.get(column, default))

    rider, rider_ids = text("rider_id", "")
    event, events = text("event", "")
    if "event" not in columns and "event" not in constants:
        event, events = np.full(n, -1, np.int32), []
    platform, platforms = text("platform", trace_format.platform)
    fault[(fault == 0) & (rider < 0)] = _MISSING_RIDER
    return RawBatch(
        row=row,
        rider=rider,
        rider_ids=tuple(rider_ids),
        t_s=t_s,
        lonlat=lonlat,
        event=(event + 1).astype(np.int16),
        events=("", *events),
        platform=(platform + 1).astype(np.int16),
        platforms=("", *platforms),
        fault=fault,
        lost=tuple(lost),
    )


# --- text ---


def _encoding(stream: IO[bytes], declared: str) -> tuple[str, IO[bytes]]:
    buffered = cast(
        "IO[bytes]", stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)
    )  # type: ignore[type-var]
    if declared != "auto":
        return (
            "utf-8-sig" if declared.lower().replace("_", "-") in ("utf-8", "utf8") else declared
        ), buffered
    head = cast("io.BufferedReader", buffered).peek(1 << 16)[: 1 << 16]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16", buffered
    try:
        # The sample may end inside a character.
        head[: max(0, len(head) - 4)].decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 8:
            return "gb18030", buffered
    return "utf-8-sig", buffered


def _text_blocks(stream: IO[bytes], encoding: str) -> Iterator[str]:
    """Cut a text into blocks of whole lines; bytes that fit no character become U+FFFD."""
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline=None)
    rest = ""
    while True:
        piece = text.read(_BLOCK_CHARS)
        if not piece:
            break
        cut = piece.rfind("\n") + 1
        if cut == 0 and len(rest) < 2 * _BLOCK_CHARS:
            rest += piece
            continue
        yield rest + piece[:cut]
        rest = piece[cut:]
    if rest:
        yield rest


def _separator(header: str, declared: str) -> str:
    if declared != "auto":
        return declared
    return max(",\t;|", key=header.count)


def _fields(line: str, separator: str) -> list[str] | None:
    if '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator), None)
    except csv.Error:
        return None


def _cut_lines(
    block: str, width: int, separator: str, needed: Sequence[int], first_row: int
) -> tuple[list[Any], NDArray[np.int64], list[int], int]:
    """Cut a block into columns: with pyarrow where every line is sound, else line by line."""
    lines = block.count("\n") + (0 if block.endswith("\n") else 1)
    bad: list[object] = []

    def skip(row: object) -> str:
        bad.append(row)
        return "skip"

    names = [f"c{i}" for i in range(width)]
    wanted = [names[i] for i in needed]
    data = block.encode("utf-8", "replace")
    try:
        table = pacsv.read_csv(
            pa.BufferReader(data),
            read_options=pacsv.ReadOptions(
                column_names=names, use_threads=False, block_size=max(len(data), 1) + 1
            ),
            parse_options=pacsv.ParseOptions(delimiter=separator, invalid_row_handler=skip),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()),
                include_columns=wanted,
                strings_can_be_null=False,
            ),
        )
        if not bad and table.num_rows == lines:
            columns = [table.column(c).combine_chunks() for c in wanted]
            return columns, np.arange(first_row, first_row + lines), [], lines
    except pa.ArrowException:
        pass
    kept: list[list[str]] = [[] for _ in needed]
    rows, lost = [], []
    for number, line in enumerate(block.removesuffix("\n").split("\n"), first_row):
        if not line.strip():
            continue
        fields = _fields(line, separator)
        if fields is None or len(fields) != width:
            lost.append(number)
            continue
        rows.append(number)
        for column, i in zip(kept, needed, strict=True):
            column.append(fields[i])
    return [pa.array(c, pa.string()) for c in kept], np.asarray(rows, np.int64), lost, lines


def _read_csv(
    stream: IO[bytes], path: Path, name: str, kind: str, trace_format: TraceFormat
) -> Iterator[RawBatch]:
    encoding, stream = _encoding(stream, trace_format.encoding)
    blocks = _text_blocks(stream, encoding)
    block = next(blocks, "")
    while block and not block.lstrip("\n"):
        block = next(blocks, "")
    header, _, block = block.lstrip("\n").partition("\n")
    if not header.strip():
        raise InputError(f"{name}: the file is empty; it needs a header line with the names of the columns")
    separator = _separator(header, trace_format.separator)
    names = [h.strip() for h in (_fields(header, separator) or [])]
    plans = _csv_plans(names, path, name, kind, trace_format)
    row = 1
    while block:
        for number, (chosen, constants) in enumerate(plans):
            needed = sorted({names.index(c) for c in chosen.values()})
            columns, rows, lost, lines = _cut_lines(block, len(names), separator, needed, row)
            by_name = {names[i]: c for i, c in zip(needed, columns, strict=True)}
            picked = {c: by_name[n] for c, n in chosen.items()}
            if kind == "goal":
                picked |= _laid_out(picked, trace_format, name)
            yield _make_batch(picked, constants, rows, lost if number == 0 else [], trace_format, name)
        row += lines
        block = next(blocks, "")


def _csv_plans(
    names: list[str], path: Path, name: str, kind: str, trace_format: TraceFormat
) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Which columns to read as what; LaDe order tables hold two fixes a row, and so are read twice."""
    if kind == "lade_orders":
        plans = []
        for event, aliases in (("accept", ("accept", "pickup")), ("dropoff", ("delivery",))):
            for stem in aliases:
                fixes = {"time": f"{stem}_gps_time", "lon": f"{stem}_gps_lng", "lat": f"{stem}_gps_lat"}
                if set(fixes.values()) <= set(names):
                    rider = _chosen_columns(names, trace_format, name, ("time", "lon", "lat", "event"))
                    plans.append((rider | fixes, {"event": event}))
        if not plans:
            raise InputError(
                f"{name}: a LaDe order table has columns such as accept_gps_time, and this one has none"
            )
        return plans
    if kind == "goal":
        # The rider is the file: one anonymous trajectory each.
        return [(_chosen_columns(names, trace_format, name, ("rider_id",)), {"rider_id": path.stem})]
    return [(_chosen_columns(names, trace_format, name, ()), {})]


def _laid_out(columns: Mapping[str, Any], trace_format: TraceFormat, name: str) -> dict[str, Any]:
    """Lay metres about an arbitrary origin onto the globe (equirectangular)."""
    if trace_format.origin_lonlat is None:
        raise InputError(f"{name}: the positions are metres about a point; name that point as origin_lonlat")
    lon, lat = trace_format.origin_lonlat
    x, y = _as_numbers(columns["lon"]), _as_numbers(columns["lat"])
    metres_a_lon_degree = _M_A_DEGREE * np.cos(np.radians(lat))
    return {"lon": pa.array(lon + x / metres_a_lon_degree), "lat": pa.array(lat + y / _M_A_DEGREE)}


# --- Parquet ---


def _hive_keys(path: Path) -> dict[str, str]:
    """Columns that stand in the names of the folders, as ``platform=a/day=2026-03-02``."""
    keys = (part.partition("=") for part in path.parts[:-1] if "=" in part)
    return {key: value for key, _, value in keys}


def _read_parquet(path: Path, trace_format: TraceFormat) -> Iterator[RawBatch]:
    name = path.name
    try:
        with pq.ParquetFile(path, memory_map=False) as file:
            schema = file.schema_arrow
            hive = _hive_keys(path)
            chosen = _chosen_columns([*schema.names, *hive], trace_format, name, ())
            inside = {c: n for c, n in chosen.items() if n in schema.names}
            constants = {c: hive[n] for c, n in chosen.items() if n not in schema.names}
            for needed in ("time", "lon", "lat"):
                if needed in constants:
                    raise InputError(
                        f"{name}: the column {needed} must stand in the file, not in the folder's name"
                    )
            first = 1
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=sorted(set(inside.values()))):
                columns = {c: batch.column(n) for c, n in inside.items()}
                n = batch.num_rows
                yield _make_batch(columns, constants, np.arange(first, first + n), [], trace_format, name)
                first += n
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, UnicodeDecodeError, OverflowError) as error:
        raise InputError(
            f"{name}: the Parquet file is broken or cannot be read ({type(error).__name__})"
        ) from error


# --- GPX and GeoLife ---


class _TrackPoints:
    """Gathers the track points of a GPX file while expat walks through it."""

    def __init__(self) -> None:
        self.fixes: list[tuple[str, str, str]] = []
        self._at: tuple[str, str] | None = None
        self._time: list[str] | None = None
        self._text = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "trkpt":
            self._at, self._text = (attributes.get("lon", ""), attributes.get("lat", "")), ""
        elif tag == "time" and self._at is not None:
            self._time = []

    def text(self, piece: str) -> None:
        if self._time is not None:
            self._time.append(piece)

    def end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "time" and self._time is not None:
            self._text, self._time = "".join(self._time), None
        elif tag == "trkpt" and self._at is not None:
            self.fixes.append((*self._at, self._text))
            self._at = None

    def take(self) -> list[tuple[str, str, str]]:
        fixes, self.fixes = self.fixes, []
        return fixes


def _refuse_entity(*_: object) -> None:
    raise expat.ExpatError("entities are not allowed")


def _from_fixes(
    fixes: list[tuple[str, str, str]],
    first: int,
    rider: str,
    lost: Sequence[int],
    fmt: TraceFormat,
    name: str,
) -> RawBatch:
    lon, lat, time = zip(*fixes, strict=True) if fixes else ((), (), ())
    columns = {
        "lon": pa.array(lon, pa.string()), "lat": pa.array(lat, pa.string()), "time": pa.array(time, pa.string()),
    }  # fmt: skip
    return _make_batch(columns, {"rider_id": rider}, np.arange(first, first + len(fixes)), lost, fmt, name)


def _read_gpx(stream: IO[bytes], path: Path, name: str, trace_format: TraceFormat) -> Iterator[RawBatch]:
    points = _TrackPoints()
    parser = expat.ParserCreate()
    parser.StartElementHandler = points.start
    parser.EndElementHandler = points.end
    parser.CharacterDataHandler = points.text
    parser.EntityDeclHandler = _refuse_entity
    first = 1
    broken = False
    while not broken:
        piece = stream.read(1 << 20)
        try:
            parser.Parse(piece, not piece)
        except expat.ExpatError:
            broken = True
        fixes = points.take()
        # The rest of a broken file counts as one row that could not be read.
        lost = [first + len(fixes)] if broken else []
        if fixes or lost:
            yield _from_fixes(fixes, first, path.stem, lost, trace_format, name)
        first += len(fixes)
        if not piece:
            break


def _read_plt(stream: IO[bytes], path: Path, name: str, trace_format: TraceFormat) -> Iterator[RawBatch]:
    """Read GeoLife: six lines of header, then lat, lon, 0, feet, days, date, time in GMT.

    The rider is the folder above ``Trajectory``, as in the published set, else the folder of the file.
    """
    folders = [part for part in path.parts[:-1] if part.casefold() != "trajectory"]
    rider = folders[-1] if folders else path.stem
    header, first = 6, 1
    for block in _text_blocks(stream, "utf-8-sig"):
        lines = block.removesuffix("\n").split("\n")
        lines, header = lines[header:], max(0, header - len(lines))
        fixes, rows, lost = [], [], []
        for number, line in enumerate(lines, first):
            fields = line.split(",")
            if not line.strip():
                continue
            if len(fields) != 7:
                lost.append(number)
                continue
            rows.append(number)
            fixes.append((fields[1], fields[0], f"{fields[5].strip()} {fields[6].strip()}Z"))
        first += len(lines)
        batch = _from_fixes(fixes, 1, rider, lost, trace_format, name)
        batch.row[:] = rows
        yield batch
