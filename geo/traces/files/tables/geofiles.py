"""Parquet and GeoParquet by pyarrow, GeoPackage by pyogrio: columns with types, and points as WKB."""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from geo.errors import InputError
from geo.sentences import Sentence
from geo.traces.ahead import read_ahead
from geo.traces.files.tables.column_plans import Chunk, TablePlan, plans_for
from geo.traces.files.tables.columns import chosen_columns
from geo.traces.files.tables.shapes import shape_of_name
from geo.traces.formats import RawBatch, TraceFormat
from geo.traces.instants import ArrowArray, ArrowType

__all__ = ["read_feather", "read_geopackage", "read_parquet"]

_BATCH_ROWS: Final = 262_144
_SAMPLE_ROWS: Final = 1_000
_ARROW_FILE: Final = b"ARROW1"
_DEGREE_CRS: Final = ("EPSG:4326", "OGC:CRS84", "EPSG:4490", "EPSG:4979")


class _Columns:
    """The header and first rows of a file with types, for `plans_for`."""

    header = True

    def __init__(self, names: Sequence[str], sample: Mapping[int, ArrowArray]) -> None:
        self.names = names
        self.sample = sample

    def chunks(self, needed: Sequence[int], numbers: Mapping[int, ArrowType]) -> Iterator[Chunk]:
        """Nothing: the rows are read elsewhere."""
        del needed, numbers
        return iter(())


def _hive_keys(path: Path) -> dict[str, str]:
    """Columns that stand in the names of the folders, as ``platform=a/day=2026-03-02``."""
    keys = (part.partition("=") for part in path.parts[:-1] if "=" in part)
    return {key: value for key, _, value in keys}


def read_parquet(
    path: Path, name: str, trace_format: TraceFormat, row_groups: Sequence[int] | None
) -> Iterator[RawBatch]:
    """Read a Parquet file; of GeoParquet the points of its main geometry, brought to degrees."""
    try:
        with pq.ParquetFile(path, memory_map=False, pre_buffer=False) as file:
            yield from _read_open_parquet(file, path, name, trace_format, row_groups)
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, UnicodeDecodeError, OverflowError) as error:
        raise InputError(Sentence.of("trace_parquet", name=name, why=type(error).__name__)) from error


def _read_open_parquet(
    file: pq.ParquetFile, path: Path, name: str, trace_format: TraceFormat, row_groups: Sequence[int] | None
) -> Iterator[RawBatch]:
    schema = file.schema_arrow
    hive = _hive_keys(path)
    names = [*schema.names, *hive]
    shift = _Shift(name, _geo_crs(schema.metadata))
    plan = _plan_of_parquet(file, path, name, trace_format, names)
    inside = {c: at for c, at in plan.chosen.items() if at < len(schema.names)}
    constants = {c: hive[names[at]] for c, at in plan.chosen.items() if at >= len(schema.names)}
    for needed in ("time", "lon", "lat"):
        if needed in constants:
            raise InputError(Sentence.of("trace_in_file", name=name, needed=needed))
    plan = TablePlan(inside, {**plan.constants, **constants}, plan.form, name)
    first = 1
    if row_groups:
        first += sum(file.metadata.row_group(g).num_rows for g in range(row_groups[0]))
    wanted = sorted({schema.names[at] for at in inside.values()})
    # The next rows are decoded while these are checked.
    for batch in read_ahead(file.iter_batches(batch_size=_BATCH_ROWS, row_groups=row_groups, columns=wanted)):
        columns = {at: _text_as_usual(batch.column(schema.names[at])) for at in inside.values()}
        n = batch.num_rows
        made = plan.batch(Chunk(columns, np.arange(first, first + n)), ())
        yield shift.degrees(made) if "lonlat" in inside else made
        first += n


def read_feather(path: Path, name: str, trace_format: TraceFormat) -> Iterator[RawBatch]:
    """Read a file of Arrow: Feather, its file or its stream format; geometries as in GeoParquet."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(_ARROW_FILE))
            file.seek(0)
            if magic == _ARROW_FILE:
                reader = pa.ipc.open_file(file)
                batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
            else:
                reader = pa.ipc.open_stream(file)
                batches = iter(reader)
            yield from _of_batches(reader.schema, batches, path, name, trace_format)
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, UnicodeDecodeError, OverflowError) as error:
        raise InputError(Sentence.of("trace_feather", name=name, why=type(error).__name__)) from error


def _of_batches(
    schema: ArrowType, batches: Iterator[Any], path: Path, name: str, trace_format: TraceFormat
) -> Iterator[RawBatch]:
    shift = _Shift(name, _geo_crs(schema.metadata))
    plan: TablePlan | None = None
    first = 1
    for batch in batches:
        batch.validate(full=True)  # a broken file may point beyond its texts
        columns = {at: _text_as_usual(batch.column(at)) for at in range(len(schema.names))}
        if plan is None:
            sample = {at: column.slice(0, _SAMPLE_ROWS) for at, column in columns.items()}
            plan = plans_for(_Columns(schema.names, sample), path, name, "feather", trace_format)[0]
        n = batch.num_rows
        made = plan.batch(Chunk(columns, np.arange(first, first + n)), ())
        yield shift.degrees(made) if "lonlat" in plan.chosen else made
        first += n


def _plan_of_parquet(
    file: pq.ParquetFile, path: Path, name: str, trace_format: TraceFormat, names: Sequence[str]
) -> TablePlan:
    schema = file.schema_arrow
    given = ("rider_id",) if trace_format.rider not in ("auto", "column") else ()
    chosen = chosen_columns(names, trace_format, name, given)
    # Whole and typed columns need no look at their values, and most files have only such.
    looked = {
        c: at
        for c, at in chosen.items()
        if c in ("time", "date", "lonlat") and at < len(schema.names) and _is_open(schema.types[at])
    }
    sample: dict[int, ArrowArray] = {}
    if looked and file.metadata.num_rows:
        needed = {
            at for c, at in chosen.items() if c in ("time", "date", "lonlat") and at < len(schema.names)
        }
        columns = sorted({schema.names[at] for at in needed})
        batch = next(file.iter_batches(batch_size=_SAMPLE_ROWS, columns=columns), None)
        sample = (
            {} if batch is None else {at: _text_as_usual(batch.column(schema.names[at])) for at in needed}
        )
    elif "date" in chosen and chosen["date"] < len(schema.names) and "date" in trace_format.columns:
        empty = pa.array([], pa.string())
        sample = {chosen["date"]: empty, chosen["time"]: empty}
    return plans_for(_Columns(names, sample), path, name, "parquet", trace_format)[0]


def _text_as_usual(column: ArrowArray) -> ArrowArray:
    """Return texts that stand as views, as polars and DuckDB write them, in the usual form."""
    return column.cast(pa.large_string()) if pa.types.is_string_view(column.type) else column


def _is_open(kind: pa.DataType) -> bool:
    return not (pa.types.is_integer(kind) or pa.types.is_timestamp(kind))


def _geo_crs(metadata: Mapping[bytes, bytes] | None) -> Any:  # noqa: ANN401 - PROJJSON
    """Return the CRS of the main geometry, ``OGC:CRS84`` where it names none, as the standard says."""
    try:
        geo = json.loads((metadata or {}).get(b"geo", b"{}"))
        return geo["columns"][geo["primary_column"]].get("crs", "OGC:CRS84") if geo else "OGC:CRS84"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "OGC:CRS84"


class _Shift:
    """Brings positions of any coordinate reference system to degrees."""

    def __init__(self, name: str, crs: Any) -> None:  # noqa: ANN401 - whatever pyproj takes
        import pyproj

        self._transformer: Any = None
        if isinstance(crs, str) and crs in _DEGREE_CRS:
            return
        if crs is None:
            raise InputError(Sentence.of("trace_no_crs", name=name))
        try:
            found = pyproj.CRS.from_user_input(crs)
            authority = found.to_authority() or ("", "")
            if ":".join(authority) not in _DEGREE_CRS:
                self._transformer = pyproj.Transformer.from_crs(found, "EPSG:4326", always_xy=True)
        except pyproj.exceptions.ProjError as error:
            raise InputError(Sentence.of("trace_crs", name=name)) from error

    def degrees(self, batch: RawBatch) -> RawBatch:
        if self._transformer is not None:
            lon, lat = self._transformer.transform(batch.lonlat[:, 0], batch.lonlat[:, 1])
            batch.lonlat[:, 0], batch.lonlat[:, 1] = lon, lat
        return batch


def read_geopackage(path: Path, name: str, trace_format: TraceFormat) -> Iterator[RawBatch]:
    """Read the points of one layer of a GeoPackage."""
    import pyogrio
    from pyogrio.raw import open_arrow

    def careful(call: Callable[[], Any]) -> Any:  # noqa: ANN401 - what pyogrio returns
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # GDAL warns about files that it reads all the same
                return call()
        except Exception as error:
            raise InputError(Sentence.of("trace_geopackage", name=name, why=type(error).__name__)) from error

    layers = [(str(title), str(kind)) for title, kind in careful(lambda: pyogrio.list_layers(path)).tolist()]
    points = [title for title, kind in layers if "Point" in kind or kind == "None"]
    layer = trace_format.layer
    if layer is None and len(points) != 1:
        shown = ", ".join(repr(shape_of_name(title)) for title, _ in layers) or "none"
        raise InputError(Sentence.of("trace_layers", name=name, shown=shown))
    if layer is not None and layer not in [title for title, _ in layers]:
        shown = ", ".join(repr(shape_of_name(title)) for title, _ in layers)
        raise InputError(Sentence.of("trace_no_layer", name=name, layer=layer, shown=shown))
    opened = open_arrow(
        path, layer=layer or points[0], use_pyarrow=True, batch_size=_BATCH_ROWS // 4, datetime_as_string=True
    )
    meta, reader = careful(opened.__enter__)
    try:
        names = list(reader.schema.names)
        shift = _Shift(
            name, meta["crs"] if "geom" in str(meta["geometry_name"]) or meta["crs"] else "OGC:CRS84"
        )
        plan: TablePlan | None = None
        first = 1
        while True:
            batch = careful(lambda: next(reader, None))
            if batch is None and plan is not None:
                return
            columns = {i: reader.schema.empty_table().column(i) if batch is None else batch.column(i)
                       for i in range(len(names))}  # fmt: skip
            columns = {
                i: c.combine_chunks() if isinstance(c, pa.ChunkedArray) else c for i, c in columns.items()
            }
            if plan is None:
                sample = {i: column.slice(0, _SAMPLE_ROWS) for i, column in columns.items()}
                plan = plans_for(_Columns(names, sample), path, name, "gpkg", trace_format)[0]
            if batch is None:
                return
            n = batch.num_rows
            made = plan.batch(Chunk(columns, np.arange(first, first + n)), ())
            yield shift.degrees(made) if "lonlat" in plan.chosen else made
            first += n
    finally:
        careful(lambda: opened.__exit__(None, None, None))
