"""Trace files of every make, read in batches of columns: CSV, Parquet, GPX, GeoLife .plt, GOAL, LaDe.

A reader knows formats only. It yields `RawBatch` columns with a fault code for each row that cannot be
parsed; what a good point is, `geo.traces.checks` decides. No reader holds more than one block of a file.
"""

import gzip
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from geo.errors import InputError
from geo.traces.batches import chosen_columns, make_batch
from geo.traces.csv import read_csv
from geo.traces.formats import KINDS, RawBatch, TraceFormat, file_kind
from geo.traces.gpx_plt import read_gpx, read_plt

__all__ = ["read_batches"]

_BATCH_ROWS: Final = 262_144


def read_batches(
    path: Path, trace_format: TraceFormat, row_groups: Sequence[int] | None = None
) -> Iterator[RawBatch]:
    """Read one file in batches; of a Parquet file only the given row groups, None being all.

    Raises
    ------
    InputError
        If the file cannot be read as what it is said to be: no header, columns missing, not Parquet.
    """
    kind = file_kind(path) if trace_format.kind == "auto" else trace_format.kind
    if path.suffix.lower() == ".zip":
        return _read_zip(path, trace_format)
    if kind == "parquet":
        return _read_parquet(path, trace_format, row_groups)
    if kind not in ("csv", "gpx", "plt", "goal", "lade_orders"):
        raise InputError(
            f"{path.name}: cannot tell what kind of file this is; name the kind ({', '.join(KINDS[1:])})"
        )
    return _read_stream(path, path.name, kind, trace_format)


def _read_stream(path: Path, name: str, kind: str, trace_format: TraceFormat) -> Iterator[RawBatch]:
    try:
        with path.open("rb") as head:
            packed = head.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as stream:
            # gzip promises less than it does.
            yield from _read_open(cast("IO[bytes]", stream), path, name, kind, trace_format)
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
        return read_gpx(stream, path, name, trace_format)
    if kind == "plt":
        return read_plt(stream, path, name, trace_format)
    return read_csv(stream, path, name, kind, trace_format)


def _hive_keys(path: Path) -> dict[str, str]:
    """Columns that stand in the names of the folders, as ``platform=a/day=2026-03-02``."""
    keys = (part.partition("=") for part in path.parts[:-1] if "=" in part)
    return {key: value for key, _, value in keys}


def _read_parquet(
    path: Path, trace_format: TraceFormat, row_groups: Sequence[int] | None
) -> Iterator[RawBatch]:
    name = path.name
    try:
        with pq.ParquetFile(path, memory_map=False) as file:
            schema = file.schema_arrow
            hive = _hive_keys(path)
            chosen = chosen_columns([*schema.names, *hive], trace_format, name, ())
            inside = {c: n for c, n in chosen.items() if n in schema.names}
            constants = {c: hive[n] for c, n in chosen.items() if n not in schema.names}
            for needed in ("time", "lon", "lat"):
                if needed in constants:
                    raise InputError(
                        f"{name}: the column {needed} must stand in the file, not in the folder's name"
                    )
            first = 1
            if row_groups:
                first += sum(file.metadata.row_group(g).num_rows for g in range(row_groups[0]))
            for batch in file.iter_batches(
                batch_size=_BATCH_ROWS, row_groups=row_groups, columns=sorted(set(inside.values()))
            ):
                columns = {c: batch.column(n) for c, n in inside.items()}
                n = batch.num_rows
                yield make_batch(columns, constants, np.arange(first, first + n), [], trace_format, name)
                first += n
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, UnicodeDecodeError, OverflowError) as error:
        raise InputError(
            f"{name}: the Parquet file is broken or cannot be read ({type(error).__name__})"
        ) from error
