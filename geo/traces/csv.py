"""Reader of delimited text tables: CSV, GOAL trajectories (metres about an origin), LaDe order tables."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from geo.earth import DEGREE_M
from geo.errors import InputError
from geo.traces.batches import as_numbers, chosen_columns, make_batch
from geo.traces.formats import RawBatch, TraceFormat
from geo.traces.text import text_blocks

__all__ = ["read_csv"]

_HEAD_BYTES: Final = 1 << 20


def _encoding(head: bytes, declared: str) -> str:
    if declared != "auto":
        return "utf-8-sig" if declared.lower().replace("_", "-") in ("utf-8", "utf8") else declared
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The sample may end inside a character.
        if error.start < len(head) - 4:
            return "gb18030"
    return "utf-8-sig"


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


def read_csv(
    stream: IO[bytes], path: Path, name: str, kind: str, trace_format: TraceFormat
) -> Iterator[RawBatch]:
    """Read a text table in batches; `kind` tells GOAL and LaDe order tables from plain CSV.

    Raises
    ------
    InputError
        If there is no header or columns are missing.
    """
    head = stream.read(_HEAD_BYTES)
    blocks = text_blocks(stream, _encoding(head, trace_format.encoding), head)
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
            yield make_batch(picked, constants, rows, lost if number == 0 else [], trace_format, name)
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
                    rider = chosen_columns(names, trace_format, name, ("time", "lon", "lat", "event"))
                    plans.append((rider | fixes, {"event": event}))
        if not plans:
            raise InputError(
                f"{name}: a LaDe order table has columns such as accept_gps_time, and this one has none"
            )
        return plans
    if kind == "goal":
        # The rider is the file: one anonymous trajectory each.
        return [(chosen_columns(names, trace_format, name, ("rider_id",)), {"rider_id": path.stem})]
    return [(chosen_columns(names, trace_format, name, ()), {})]


def _laid_out(columns: Mapping[str, Any], trace_format: TraceFormat, name: str) -> dict[str, Any]:
    """Lay metres about an arbitrary origin onto the globe (equirectangular)."""
    if trace_format.origin_lonlat is None:
        raise InputError(f"{name}: the positions are metres about a point; name that point as origin_lonlat")
    lon, lat = trace_format.origin_lonlat
    x, y = as_numbers(columns["lon"]), as_numbers(columns["lat"])
    metres_a_lon_degree = DEGREE_M * np.cos(np.radians(lat))
    return {"lon": pa.array(lon + x / metres_a_lon_degree), "lat": pa.array(lat + y / DEGREE_M)}
