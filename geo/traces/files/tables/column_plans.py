"""What is to be done with the columns of one table: chosen once from its header and first rows."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.earth import DEGREE_M
from geo.errors import InputError
from geo.rings import spans
from geo.sentences import Sentence
from geo.traces.column_names import declared_unit, folded
from geo.traces.files.batches import as_numbers, make_batch
from geo.traces.files.tables.columns import chosen_columns, rider_of_file
from geo.traces.files.tables.shapes import shape_kind
from geo.traces.formats import RawBatch, TraceFormat
from geo.traces.instants import ArrowArray, ArrowType, field_order

__all__ = ["Chunk", "OpenTable", "TablePlan", "first_rows", "plans_for", "table_batches"]

_NUMBER: Final = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?"
#: Two numbers, as 116.3,39.9 or POINT (116.3 39.9) or [116.3, 39.9, 50.0].
_PAIR: Final = (
    r"^\s*(?:(?i:SRID=\d+;)?\s*(?i:POINT)\s*(?i:Z|M|ZM)?\s*)?[\[({]*\s*"
    rf"(?P<a>{_NUMBER})\s*[,;|/\s]\s*(?P<b>{_NUMBER})(?:\s*[,;\s]\s*{_NUMBER})*\s*[\])}}]*\s*$"
)
_BARE_CLOCK: Final = re.compile(r"^([01]?\d|2[0-3])[0-5]\d[0-5]\d$")
_EPOCH: Final = re.compile(r"^[1-9]\d{8,18}$", re.ASCII)
_NOTHING: Final = re.compile(r"(?!)")
_PORTO_S: Final = 15.0
_FIRST_SERIAL, _LAST_SERIAL = 36_526.0, 73_050.0  # 2000 to 2099
_LATEST_S: Final = 86_400 * 366
_NUMBERS: Final = ("lon", "lat", "accuracy", "hdop")
_SIGNED: Final = ("lon", "lat")
_PLAIN: Final = re.compile(r"^[+-]?\d*\.?\d*(?:[eE][+-]?\d+)?$", re.ASCII)
_HEMISPHERE: Final = "[NSEWnsew]|[东西]经|[南北]纬"
#: A number of degrees with its hemisphere, as 39.98°N or 东经116.3.
_DEGREES: Final = rf"^\s*(?P<a>{_HEMISPHERE})?\s*(?P<v>[+-]?[\d.,]+)\s*[°度]?\s*(?P<b>{_HEMISPHERE})?\s*$"
_SOUTH_WEST: Final = "^(?:[SWsw]|西经|南纬)$"
_SIGNS: Final = {"ns": ("N", "S"), "ew": ("E", "W")}
"""Columns of their own that say the hemisphere, as in sentences of NMEA."""
_STANDARD_POINTS: Final = ("geometry_coordinates",)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a table."""

    columns: Mapping[int, ArrowArray]
    """The columns asked for, by position from 0."""
    row: NDArray[np.int64]
    lost: tuple[int, ...] = ()


class OpenTable(Protocol):
    """A file as columns."""

    @property
    def names(self) -> Sequence[str]:
        """One a column; without a header, empty texts."""
        ...

    @property
    def header(self) -> bool:
        """Whether the file has one."""
        ...

    @property
    def sample(self) -> Mapping[int, ArrowArray]:
        """Its first rows, by position; columns whose values need no look may be left out."""
        ...

    def chunks(self, needed: Sequence[int], numbers: Mapping[int, ArrowType]) -> Iterator[Chunk]:
        """Read the rows; once only. Columns of `numbers` may come as these types, not as their text."""
        ...


@dataclass(frozen=True, slots=True)
class TablePlan:
    """One way through the columns of a table; tables with two fixes a row have two."""

    chosen: Mapping[str, int]
    constants: Mapping[str, str]
    form: TraceFormat
    """As declared, with everything settled that was left to be found."""
    name: str
    local_metres: bool = False
    notes: tuple[str, ...] = field(default=())

    def kind_of(self, column: str, sample: ArrowArray | None) -> ArrowType:
        """Return what the values of a column are read as, text where that may be of many forms."""
        if column in _NUMBERS:
            texts = _texts(sample) if column in _SIGNED else []
            return pa.float64() if not texts or any(_PLAIN.match(text) for text in texts) else pa.string()
        plain = column == "time" and self.form.time_format == "auto" and "date" not in self.chosen
        times = _texts(sample) if plain else []
        return pa.int64() if times and all(_EPOCH.match(text) for text in times) else pa.string()

    def batch(self, chunk: Chunk, lost: Sequence[int]) -> RawBatch:
        """Make a batch of one chunk."""
        columns = {column: chunk.columns[at] for column, at in self.chosen.items()}
        row = chunk.row
        if "date" in columns:
            columns["time"] = _joined_times(columns.pop("date"), columns["time"])
        if "lonlat" in columns:
            columns["lon"], columns["lat"] = _parted(columns.pop("lonlat"), self.form.lonlat_format)
        for column, side in (("lon", "ew"), ("lat", "ns")):
            if column in columns:
                columns[column] = _signed(columns[column], columns.pop(side, None))
        if "polyline" in columns:
            columns, row, unread = _unrolled(columns, row, self.form)
            lost = [*lost, *unread]
        if self.local_metres:
            columns |= _laid_out(columns, self.form, self.name)
        return make_batch(columns, self.constants, row, lost, self.form, self.name)


def plans_for(
    table: OpenTable, path: Path, name: str, kind: str, trace_format: TraceFormat
) -> list[TablePlan]:
    """Settle which columns are read as what.

    Raises
    ------
    InputError
        If columns are missing, or something has two readings and was not declared.
    """
    constants: dict[str, str] = {}
    if kind == "goal" and trace_format.rider == "auto":
        # The rider is the file: one anonymous trajectory each.
        constants["rider_id"] = path.stem
    elif trace_format.rider not in ("auto", "column"):
        constants["rider_id"] = rider_of_file(path, trace_format.rider, name)
    given = tuple(constants)
    if kind == "lade_orders" or (kind == "csv" and trace_format.kind == "auto" and _is_lade(table.names)):
        plans = _lade_plans(table, name, trace_format, constants)
    else:
        chosen = chosen_columns(table.names, trace_format, name, given, table.header, first_rows(table))
        plans = [TablePlan(chosen, constants, trace_format, name, kind == "goal")]
    return [_settled(plan, table) for plan in plans]


def first_rows(table: OpenTable, count: int = 3) -> list[list[str]]:
    """Return the first rows of a table as text."""
    columns = [table.sample[at].slice(0, count).to_pylist() for at in sorted(table.sample)]
    rows = zip(*columns, strict=True) if columns else []
    return [["" if value is None else str(value) for value in row] for row in rows]


def table_batches(
    table: OpenTable, path: Path, name: str, kind: str, trace_format: TraceFormat
) -> Iterator[RawBatch]:
    """Read a table in batches."""
    plans = plans_for(table, path, name, kind, trace_format)
    needed = sorted({at for plan in plans for at in plan.chosen.values()})
    types: dict[int, ArrowType] = {}
    for plan in plans:
        for column, at in plan.chosen.items():
            kind = plan.kind_of(column, table.sample.get(at))
            # What is read as one thing here and as another there is read as text.
            types[at] = kind if types.get(at, kind) == kind else pa.string()
    for chunk in table.chunks(needed, {at: kind for at, kind in types.items() if kind != pa.string()}):
        for number, plan in enumerate(plans):
            yield plan.batch(chunk, chunk.lost if number == 0 else ())


_LADE: Final = (("accept", ("accept", "pickup")), ("dropoff", ("delivery",)))


def _is_lade(names: Sequence[str]) -> bool:
    have = {n.strip() for n in names}
    return "accept_gps_time" in have and bool(have & {"delivery_gps_time", "pickup_gps_time"})


def _lade_plans(
    table: OpenTable, name: str, trace_format: TraceFormat, constants: Mapping[str, str]
) -> list[TablePlan]:
    """Read a LaDe order table: two fixes a row, at accepting and at handing over (or picking up)."""
    names = [n.strip() for n in table.names]
    plans = []
    for event, stems in _LADE:
        for stem in stems:
            fixes = {"time": f"{stem}_gps_time", "lon": f"{stem}_gps_lng", "lat": f"{stem}_gps_lat"}
            if set(fixes.values()) <= set(names):
                given = (*constants, "time", "date", "lon", "lat", "lonlat", "polyline", "event")
                rider = chosen_columns(table.names, trace_format, name, given, table.header)
                at = {column: names.index(theirs) for column, theirs in fixes.items()}
                plans.append(TablePlan(rider | at, {**constants, "event": event}, trace_format, name))
    if not plans:
        raise InputError(Sentence.of("trace_lade", name=name))
    return plans


def _texts(sample: ArrowArray | None) -> list[str]:
    """Return the values of a sample that are text, blank ones left out."""
    if sample is None:
        return []
    kind = sample.type
    if pa.types.is_dictionary(kind):
        sample, kind = sample.cast(kind.value_type), kind.value_type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return []
    return [text for value in sample.to_pylist() if value and (text := value.strip())]


def _settled(plan: TablePlan, table: OpenTable) -> TablePlan:
    """Settle by the first rows what was left open, or ask."""
    form, notes = plan.form, []
    chosen = dict(plan.chosen)
    times = _texts(table.sample.get(chosen.get("time", -1)))
    # Beside a column of dates, 82530 is half past eight.
    bare = _BARE_CLOCK if "date" in chosen else _NOTHING
    clocks = sum(shape_kind(text) == "clock" or bare.match(text) is not None for text in times)
    typed = pa.types.is_time(getattr(table.sample.get(chosen.get("time", -1)), "type", pa.null()))
    if "date" in chosen and "date" not in form.columns and not typed and clocks * 2 <= len(times):
        del chosen["date"]
    elif "date" in chosen and "time" in chosen:
        joined = _joined_times(table.sample[chosen["date"]], table.sample[chosen["time"]])
        times = _texts(joined)
    elif typed or (times and clocks * 2 > len(times)):
        raise InputError(Sentence.of("trace_no_date", name=plan.name))
    if form.time_format == "auto":
        form = replace(form, time_format=_time_form(times, table.sample.get(chosen.get("time", -1)), plan))
        if form.time_format != "auto":
            notes.append(f"time_format {form.time_format}")
    if "lonlat" in chosen and form.lonlat_format == "auto":
        at = chosen["lonlat"]
        form = replace(form, lonlat_format=_order(table.names[at], table.sample.get(at), plan.name))
    if form.position_unit == "auto" and table.header and "lon" in chosen:
        units = {declared_unit(table.names[chosen[c]]) for c in ("lon", "lat")}
        form = replace(form, position_unit=units.pop() if len(units) == 1 else "auto")
    if "lon" in chosen and "lat" in chosen:
        chosen |= _hemispheres(table, chosen)
    if "polyline" in chosen and form.interval_s is None:
        if not {"trip_id", "taxi_id", "timestamp"} <= {folded(n) for n in table.names}:
            raise InputError(Sentence.of("trace_interval", name=plan.name))
        form = replace(form, interval_s=_PORTO_S)
    return replace(plan, chosen=chosen, form=form, notes=tuple(notes))


def _time_form(times: Sequence[str], sample: ArrowArray | None, plan: TablePlan) -> str:
    order = field_order(pa.array(times, pa.string())) if times else None
    if order == "unclear":
        raise InputError(Sentence.of("trace_dates", name=plan.name))
    if order is not None:
        return order
    if plan.form.time_unit != "auto" or plan.form.period_s[0] <= _LATEST_S:
        return "auto"
    # As epoch seconds these would lie in 1970, which the period of the traces rules out.
    values = as_numbers(pa.array(times, pa.string())) if times else np.zeros(0)
    if not times and sample is not None and (pa.types.is_floating(sample.type)):
        values = as_numbers(sample)
    values = values[np.isfinite(values)]
    if len(values) and ((values >= _FIRST_SERIAL) & (values <= _LAST_SERIAL)).mean() > 0.5:
        return "excel" if (values % 1 != 0).any() else "auto"
    return "auto"


def _hemispheres(table: OpenTable, chosen: Mapping[str, int]) -> dict[str, int]:
    """Return the columns beside lat and lon whose values are all N or S, and all E or W; both or none."""
    found = {}
    for column, side in (("lat", "ns"), ("lon", "ew")):
        for at in {chosen[column] + 1, chosen[column] - 1} - set(chosen.values()):
            texts = {text.upper() for text in _texts(table.sample.get(at))}
            if texts and texts <= set(_SIGNS[side]):
                found[side] = at
    return found if len(found) == len(_SIGNS) else {}


def _signed(column: ArrowArray, side: ArrowArray | None) -> ArrowArray:
    """Give degrees the sign of their hemisphere, which stands beside the number or in a column of its own."""
    if _is_text(column.type) and pc.any(pc.match_substring_regex(column, f"[°度]|{_HEMISPHERE}")).as_py():
        parts = pc.extract_regex(pc.utf8_normalize(column, form="NFKC"), _DEGREES)
        ends = [pc.fill_null(pc.struct_field(parts, end), "") for end in "ab"]
        column = pc.coalesce(pc.struct_field(parts, "v"), column)
        side = pc.binary_join_element_wise(*ends, "")
    if side is None or not _is_text(side.type):
        return column
    values = as_numbers(column)
    negative = np.asarray(
        pc.fill_null(pc.match_substring_regex(pc.utf8_trim_whitespace(side), _SOUTH_WEST), False)
    )
    return pa.array(np.where(negative, -np.abs(values), values))


def _is_text(kind: ArrowType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _order(name: str, sample: ArrowArray | None, file: str) -> str:
    """Return the order in a column with lon and lat: by values beyond 90, by the standard, or by its name."""
    if sample is not None and (pa.types.is_binary(sample.type) or pa.types.is_large_binary(sample.type)):
        return "lon,lat"
    texts = _texts(sample)
    simple = folded(name)
    if simple in _STANDARD_POINTS or any(
        re.match(r"\s*(SRID=\d+;)?\s*POINT", t, re.IGNORECASE) for t in texts
    ):
        return "lon,lat"
    pairs = pc.extract_regex(pa.array(texts, pa.string()), _PAIR)
    a = np.array([float(p["a"]) if p else np.nan for p in pairs.to_pylist()])
    b = np.array([float(p["b"]) if p else np.nan for p in pairs.to_pylist()])
    first, second = int((np.abs(a) > 90).sum()), int((np.abs(b) > 90).sum())
    if (first > 0) != (second > 0):
        return "lon,lat" if first else "lat,lon"
    if simple in ("lonlat", "lnglat", "经纬度"):
        return "lon,lat"
    if simple in ("latlon", "latlng"):
        return "lat,lon"
    raise InputError(Sentence.of("trace_order", file=file))


def _as_text(column: ArrowArray) -> ArrowArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return pc.fill_null(column.cast(pa.string()), "")


def _joined_times(dates: ArrowArray, clocks: ArrowArray) -> ArrowArray:
    """Put the date of one column before the time of day of another."""
    day = pc.utf8_trim_whitespace(_as_text(dates))
    # A date that a spreadsheet or a database keeps as an instant ends in midnight.
    day = pc.replace_substring_regex(day, pattern=r"[T ]0{1,2}:00(:00(\.0+)?)?$", replacement="")
    clock = pc.utf8_trim_whitespace(_as_text(clocks))
    bare = pc.match_substring_regex(clock, r"^\d{5,6}$")
    clock = pc.if_else(bare, pc.utf8_lpad(clock, 6, "0"), clock)
    return pc.binary_join_element_wise(day, clock, " ")


def _parted(column: ArrowArray, order: str) -> tuple[ArrowArray, ArrowArray]:
    """Part a column of positions, text or WKB, into lon and lat."""
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        import shapely

        raw = np.asarray(column.to_pylist(), dtype=object)
        points = shapely.from_wkb(raw, on_invalid="ignore")
        is_point = shapely.get_type_id(points) == 0
        lon = np.where(is_point, shapely.get_x(points), np.nan)
        lat = np.where(is_point, shapely.get_y(points), np.nan)
        return pa.array(lon), pa.array(lat)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        nothing = pa.nulls(len(column), pa.float64())
        return nothing, nothing
    pairs = pc.extract_regex(column, _PAIR)
    a, b = pc.struct_field(pairs, "a"), pc.struct_field(pairs, "b")
    return (a, b) if order == "lon,lat" else (b, a)


def _unrolled(
    columns: Mapping[str, ArrowArray], row: NDArray[np.int64], form: TraceFormat
) -> tuple[dict[str, Any], NDArray[np.int64], list[int]]:
    """Make a point of each place of a polyline; each keeps the number of its row."""
    counts: list[int] = []
    lon: list[float] = []
    lat: list[float] = []
    unread: list[int] = []
    for number, text in zip(row.tolist(), _as_text(columns["polyline"]).to_pylist(), strict=True):
        places = _places(text)
        if not places:
            unread.append(number)
        counts.append(len(places))
        lon.extend(x for x, _ in places)
        lat.extend(y for _, y in places)
    sizes = np.array(counts, np.int64)
    index = np.repeat(np.arange(len(row)), sizes)
    step = spans(np.zeros_like(sizes), sizes)
    rest = {c: values.take(pa.array(index)) for c, values in columns.items() if c not in ("polyline", "time")}
    start = as_numbers(columns["time"])[index]
    time = start + step * (form.interval_s or 0.0)
    places_columns = {"lon": pa.array(lon, pa.float64()), "lat": pa.array(lat, pa.float64())}
    return {**rest, **places_columns, "time": pa.array(time)}, row[index], unread


def _places(text: str) -> list[tuple[float, float]]:
    try:
        found = json.loads(text)
        return [(float(x), float(y)) for x, y in found]
    except (ValueError, TypeError, OverflowError, RecursionError):
        return []


def _laid_out(columns: Mapping[str, Any], trace_format: TraceFormat, name: str) -> dict[str, Any]:
    """Lay metres about an arbitrary origin onto the globe (equirectangular)."""
    if trace_format.origin_lonlat is None:
        raise InputError(Sentence.of("trace_origin", name=name))
    lon, lat = trace_format.origin_lonlat
    x, y = as_numbers(columns["lon"]), as_numbers(columns["lat"])
    metres_a_lon_degree = DEGREE_M * np.cos(np.radians(lat))
    return {"lon": pa.array(lon + x / metres_a_lon_degree), "lat": pa.array(lat + y / DEGREE_M)}
