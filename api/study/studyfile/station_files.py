"""Stations that stand today and rooms a planner offers, from the lists of `place_tables`."""

import dataclasses
import functools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from api.study.studyfile.hour_columns import joined_hours, opens_among
from api.study.studyfile.place_tables import read_rows
from geo.datasets import LAYER_ENDINGS, PlaceTable, Row, angle_of, cell_text, to_degrees
from geo.datum import Datum, to_wgs84
from geo.earth import near_metres
from geo.errors import InputError, all_at_once
from geo.privacy import masked
from geo.sentences import Sentence
from geo.travel import Extent
from maps.texts import LANGUAGES, catalogue
from siting.stations import KINDS as STATION_KINDS
from siting.stations import parse_hours

__all__ = ["COLUMNS", "FACILITY_WORDS", "StationRow", "read_places", "read_stations"]

T = TypeVar("T")
_DEGREES = re.compile(r"[+-]?\d{1,3}(?:[.,]\d*)?")
"""No telephone number looks so; where a station stands is nobody's secret."""
METRES = 1_000.0
"""No degree is so large, and no metre of a national grid so small."""
SAME_M = 30.0
"""Stations of one name so near to each other are one station."""
ID = ("编号", "No.")
FACILITY = ("设施", "Facility")
STATE = {"有无": "已有", "There or not": "there"}
"""Columns of the sheet of facilities of our workbooks, and the word for one that is there."""
STATUS = ("类别", "Status")
SUGGESTED = ("建议新增", "suggested")
"""Column and words by which reports tell suggested stations from existing ones."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "station", "名称", "站点名称", "驿站名称", "站点", "站名", "驿站名", "驿站"),
    "lon": ("lon", "lng", "longitude", "x", "经度"),
    "lat": ("lat", "latitude", "y", "纬度"),
    "opening_hours": (
        "opening_hours",
        "hours",
        "open",
        "opening hours",
        "开放时间",
        "营业时间",
        "服务时间",
        "开放时段",
    ),
    "kind": ("kind", "type", "类型", "类别", "站点类型", "驿站类型"),
    "facilities": ("facilities", "设施", "服务设施"),
}
"""Our names, and the names under which a column is found without being told."""
PAIRS = (
    "坐标",
    "经纬度",
    "位置",
    "地理坐标",
    "坐标位置",
    "location",
    "coordinates",
    "lonlat",
    "lnglat",
    "latlon",
)
"""Names of a column with both; above columns of lon and lat they are a title."""
NEEDED = ("name", "lon", "lat", "opening_hours")
KINDS: Mapping[str, str] = {
    "": "standard", "micro": "micro", "standard": "standard", "hub24": "hub24",
    "微驿站": "micro", "微型": "micro", "微型驿站": "micro", "标准站": "standard", "标准": "standard",
    "微型站": "micro", "小微站": "micro", "标准驿站": "standard", "普通站": "standard",
    "24小时站": "hub24", "24小时驿站": "hub24", "枢纽站": "hub24", "枢纽": "hub24",
}  # fmt: skip


FACILITY_WORDS: Mapping[str, str] = {
    "房间": "room", "室内": "room", "桌椅": "seats", "座椅": "seats", "休息座椅": "seats",
    "微波炉": "microwave",
    "饮水": "water", "饮水机": "water", "热水": "water", "冷热水": "water", "hot_water": "water",
    "空调": "air_conditioning", "厕所": "toilet", "卫生间": "toilet",
    "急救箱": "first_aid", "药箱": "first_aid",
    "充电": "charging", "手机充电": "charging", "换电": "battery_swap", "换电柜": "battery_swap",
    "吸烟区": "smoking", "停车": "parking", "停车位": "parking", "工具": "tools", "工具箱": "tools",
    "雨具": "rain_gear", "储物柜": "lockers", "密码门": "door_code",
}  # fmt: skip
"""Words of office lists, and the names that the audit and the service know."""


@dataclasses.dataclass(frozen=True, slots=True)
class StationRow:
    """One station of the list; position in WGS-84 degrees."""

    number: int
    """Of the row."""
    name: str
    lonlat: tuple[float, float]
    opening_hours: str
    kind: str
    facilities: tuple[str, ...] | None
    """None where the list has no such column."""

    @property
    def details(self) -> tuple[object, ...]:
        """What rows about one station must agree in."""
        return self.opening_hours, self.kind, self.facilities


def read_stations(
    path: Path,
    datum: Datum,
    columns: Mapping[str, str] | None = None,
    layer: str | None = None,
    crs: str | None = None,
    extent: Extent | None = None,
) -> tuple[StationRow, ...]:
    """Read a list of stations.

    Parameters
    ----------
    path : Path
        ``.csv`` (UTF-8 or GBK), ``.xlsx`` (also below titles; a report of Yilu too) or a layer of points:
        ``.geojson``, ``.json``, ``.gpkg``, ``.shp``, or a ``.zip`` of one.
    datum : str
        ``wgs84``, ``gcj02`` or ``bd09``: that of the positions in the file.
    columns : mapping, optional
        From our names (`COLUMNS`) to those of the file, for names that are not well known.
    layer : str, optional
        Layer or sheet, of files in which several fit.
    crs : str, optional
        Of files in metres that do not name theirs, such as ``EPSG:4547``.
    extent : Extent, optional
        Of the map: a position that lies on it once lon and lat are swapped is refused.

    Returns
    -------
    tuple of StationRow
        In the order of the file; stations that a report of Yilu suggests are left out, as they do not stand.

    Raises
    ------
    InputError
        For a file that cannot be read, and for values that are not allowed and rows that contradict one
        another, all at once: row, column and what is allowed.
    """
    table = joined_hours(_table(path, columns or {}, NEEDED, layer, crs))
    rows = _positions(path, _standing(table), table.columns, crs)
    read, wrong = _read(
        path, rows, lambda number, row: _station(number, row, table.columns, extent), "no_station"
    )
    wrong += _contradictions(read)
    if wrong:
        raise all_at_once(path.name, [what for _, what in sorted(wrong, key=lambda found: found[0])])
    if "facilities" not in table.columns:
        read = _with_facilities(path, rows, read)
    lonlat = to_wgs84(np.array([station.lonlat for station in read]), datum)
    return tuple(
        dataclasses.replace(station, lonlat=(float(lon), float(lat)))
        for station, (lon, lat) in zip(read, lonlat, strict=True)
    )


def read_places(
    path: Path,
    datum: Datum,
    columns: Mapping[str, str] | None = None,
    layer: str | None = None,
    crs: str | None = None,
    extent: Extent | None = None,
) -> tuple[tuple[int, ...], tuple[str, ...], NDArray[np.float64]]:
    """Read names and positions only, such as a planner's own list of rooms.

    Parameters
    ----------
    path, datum, columns, layer, crs, extent
        As in `read_stations`.

    Returns
    -------
    tuple of int, tuple of str, float64 (n, 2)
        Numbers of the rows, names, and positions in WGS-84 degrees.

    Raises
    ------
    InputError
        As `read_stations`.
    """
    table = _table(path, columns or {}, ("name", "lon", "lat"), layer, crs)
    rows = _positions(path, table.rows, table.columns, crs)
    placed, wrong = _read(
        path, rows, lambda number, row: (number, *_place(row, table.columns, extent)), "no_place"
    )
    if wrong:
        raise all_at_once(path.name, [what for _, what in wrong])
    lonlat = to_wgs84(np.array([lonlat for *_, lonlat in placed]), datum)
    return tuple(number for number, *_ in placed), tuple(name for _, name, _ in placed), lonlat


def _table(
    path: Path, told: Mapping[str, str], needed: tuple[str, ...], layer: str | None, crs: str | None
) -> PlaceTable:
    """Read the rows of a list; one without columns for lon and lat may have both in one."""
    try:
        return read_rows(path, lambda heads: _columns(heads, told, needed), layer, crs)
    except InputError as error:
        others = tuple(ours for ours in needed if ours not in ("lon", "lat"))
        if path.suffix.lower() in LAYER_ENDINGS or {"lon", "lat"} & set(told):
            raise
        try:
            table = read_rows(path, lambda heads: _paired(heads, told, others), layer, crs)
        except InputError:
            raise error from None
    return _parted(path, table)


def _paired(headings: Sequence[str], told: Mapping[str, str], needed: tuple[str, ...]) -> dict[str, str]:
    """Return the columns of a list that has lon and lat in one column, named as ours for lon."""
    pairs = [heading for heading in headings if heading.strip().casefold() in PAIRS]
    if len(pairs) != 1:
        raise InputError(Sentence.of("lacking_column", ours="lon", known=", ".join(COLUMNS["lon"])))
    return {**_columns(headings, told, needed), "lon": pairs[0]}


def _parted(path: Path, table: PlaceTable) -> PlaceTable:
    """Part the column that holds both, in the order that the values tell."""
    column = table.columns["lon"]
    texts = [cell_text(row.get(column)).strip("()[]（） ") for _, row in table.rows]
    both = [[*re.split(r"\s*[,;，；、]\s*|\s+", text, maxsplit=1), ""][:2] for text in texts]
    beyond = [any(abs(_number(pair[k])) > 90 for pair in both) for k in (0, 1)]
    if table.rows and beyond[0] == beyond[1]:
        raise InputError(Sentence.of("pair_order", file=path.name, column=column))
    rows: list[Row] = []
    for (number, row), pair in zip(table.rows, both, strict=True):
        lon, lat = pair if beyond[0] else pair[::-1]
        rows.append((number, {**row, f"{column}: lon": lon, f"{column}: lat": lat}))
    return PlaceTable(rows, {**table.columns, "lon": f"{column}: lon", "lat": f"{column}: lat"})


def _columns(headings: Sequence[str], told: Mapping[str, str], needed: tuple[str, ...]) -> dict[str, str]:
    """Return from our names to those headings that mean them."""
    present = {heading.strip().casefold(): heading for heading in headings}
    found: dict[str, str] = {}
    for ours, known in COLUMNS.items():
        if ours in told:
            if told[ours].casefold() not in present:
                raise InputError(Sentence.of("told_column", told=told[ours], ours=ours))
            found[ours] = present[told[ours].casefold()]
            continue
        match = next((present[word] for word in known if word in present), None)
        if match is None and ours == "opening_hours":
            match = opens_among(headings)
        if match is not None:
            found[ours] = match
        elif ours in needed:
            raise InputError(Sentence.of("lacking_column", ours=ours, known=", ".join(known)))
    return found


def _read(
    path: Path, rows: Sequence[Row], read: Callable[[int, Mapping[str, object]], T], none: str
) -> tuple[list[T], list[tuple[int, Sentence]]]:
    """Read all rows, and return what is wrong with the others, by their numbers."""
    if not rows:
        raise InputError(Sentence.of(none, file=path.name))
    out: list[T] = []
    wrong: list[tuple[int, Sentence]] = []
    for number, row in rows:
        try:
            out.append(read(number, row))
        except InputError as error:
            wrong.append((number, Sentence.of("row", number=number, what=error.said)))
    return out, wrong


def _contradictions(stations: Sequence[StationRow]) -> list[tuple[int, Sentence]]:
    """Return the rows that name a station of an earlier row at the same place, but run it otherwise."""
    first: dict[str, list[StationRow]] = {}
    wrong = []
    for station in stations:
        same = [s for s in first.get(station.name, ()) if near_metres(s.lonlat, station.lonlat) <= SAME_M]
        if not same:
            first.setdefault(station.name, []).append(station)
        elif same[0].details != station.details:
            what = Sentence.of("contradiction", name=station.name, first=same[0].number)
            wrong.append((station.number, Sentence.of("row", number=station.number, what=what)))
    return wrong


def _with_facilities(path: Path, rows: Sequence[Row], stations: list[StationRow]) -> list[StationRow]:
    """Add the facilities that a workbook of ours tells on a sheet of its own, one a row."""
    if path.suffix.lower() != ".xlsx":
        return stations
    try:
        sheet = read_rows(path, _facility_columns)
    except InputError:  # no such sheet, or not ours
        return stations
    names = sheet.columns
    told: dict[str, list[str]] = {}
    for _, row in sheet.rows:
        there = cell_text(row.get(names["state"])) in STATE.values()
        words = _words(cell_text(row.get(names["facility"]))) if there else ()
        told.setdefault(cell_text(row.get(names["id"])), []).extend(words)
    ids = {number: next((cell_text(row[name]) for name in ID if name in row), "") for number, row in rows}
    return [
        dataclasses.replace(station, facilities=tuple(dict.fromkeys(told[ids[station.number]])))
        if ids[station.number] in told
        else station
        for station in stations
    ]


def _facility_columns(headings: Sequence[str]) -> dict[str, str]:
    found = {
        ours: next((heading for heading in headings if heading in known), "")
        for ours, known in (("id", ID), ("facility", FACILITY), ("state", tuple(STATE)))
    }
    if not all(found.values()):
        raise InputError(Sentence.of("lacking_column", ours="facility", known=", ".join(FACILITY)))
    return found


def _standing(table: PlaceTable) -> list[Row]:
    """Leave out what a list of Yilu only suggests: it does not stand."""
    status = next((name for name in STATUS if any(name in row for _, row in table.rows)), None)
    if status is None or status in table.columns.values():
        return table.rows
    return [row for row in table.rows if cell_text(row[1].get(status)) not in SUGGESTED]


def _positions(path: Path, rows: Sequence[Row], names: Mapping[str, str], crs: str | None) -> Sequence[Row]:
    """Bring rows in metres to degrees; refuse them where nobody said in which system they are."""
    if path.suffix.lower() in LAYER_ENDINGS:
        return rows  # settled by the file
    xy = np.array([[_number(row.get(names[ours])) for ours in ("lon", "lat")] for _, row in rows])
    if crs is None:
        if len(xy) and (np.nan_to_num(np.abs(xy)).min(axis=1) > METRES).mean() > 0.5:
            lon, lat = names["lon"], names["lat"]
            raise InputError(Sentence.of("columns_metres", file=path.name, lon=lon, lat=lat))
        return rows
    known = np.isfinite(xy).all(axis=1)
    if not known.any():
        return rows
    lonlat = xy.copy()
    lonlat[known] = to_degrees(xy[known], crs, path.name)
    return [
        (number, {**row, names["lon"]: lon, names["lat"]: lat} if here else row)
        for (number, row), (lon, lat), here in zip(rows, lonlat.tolist(), known, strict=True)
    ]


def _number(cell: object) -> float:
    try:
        return float(cell_text(cell))
    except ValueError:
        value = angle_of(cell_text(cell))
        return math.nan if value is None else value


def _degrees_text(text: str) -> str:
    """Return a position of a station as it stands in the file; what may be a telephone number by shape."""
    return text if _DEGREES.fullmatch(text.strip()) else masked(text)


def _station(
    number: int, row: Mapping[str, object], names: Mapping[str, str], extent: Extent | None
) -> StationRow:
    name, lonlat = _place(row, names, extent)
    value = {ours: cell_text(row.get(theirs)) for ours, theirs in names.items()}
    try:
        hours = parse_hours(value["opening_hours"]).text
    except InputError as error:
        raise InputError(Sentence.of("column", column=names["opening_hours"], what=error.said)) from None
    kind = value.get("kind", "")
    if kind.casefold() not in kind_words():
        allowed = ", ".join(word for word in kind_words() if word)
        raise InputError(Sentence.of("kind", column=names["kind"], value=masked(kind), allowed=allowed))
    facilities = _words(value["facilities"]) if "facilities" in value else None
    return StationRow(number, name, lonlat, hours, kind_words()[kind.casefold()], facilities)


def _place(
    row: Mapping[str, object], names: Mapping[str, str], extent: Extent | None
) -> tuple[str, tuple[float, float]]:
    name, *texts = (cell_text(row.get(names[ours])) for ours in ("name", "lon", "lat"))
    if not name:
        raise InputError(Sentence.of("empty", column=names["name"]))
    lon, lat = map(_number, texts)
    columns = {"lon": names["lon"], "lat": names["lat"]}
    turned = -90 <= lon <= 90 and -180 <= lat <= 180
    for ours, text, value, limit in (("lon", texts[0], lon, 180.0), ("lat", texts[1], lat, 90.0)):
        if not text:
            raise InputError(Sentence.of("empty", column=names[ours]))
        if not -limit <= value <= limit:
            allowed = Sentence.of("degrees", column=names[ours], value=_degrees_text(text), limit=limit)
            raise InputError(Sentence.of("swapped", what=allowed, **columns) if turned else allowed)
    if extent is not None and extent.swapped((lon, lat)):
        raise InputError(Sentence.of("swapped_map", name=name, km=extent.away_km((lon, lat)), **columns))
    return name, (lon, lat)


@functools.cache
def kind_words() -> Mapping[str, str]:
    """Return from words for a kind to its name: ours, those of offices, and those that reports print."""
    printed = {
        catalogue(lang).text(f"kind.{kind.name}").casefold(): kind.name
        for lang in LANGUAGES
        for kind in STATION_KINDS
    }
    return {**KINDS, **printed}


@functools.cache
def facility_words() -> Mapping[str, str]:
    """Return from words for a facility to its name: those of offices, and those that reports print."""
    names = dict.fromkeys(name for kind in STATION_KINDS for name in kind.facilities)
    printed = {catalogue(lang).text(f"facility.{name}"): name for lang in LANGUAGES for name in names}
    return {**FACILITY_WORDS, **{word.casefold(): name for word, name in printed.items()}}


def _words(text: str) -> tuple[str, ...]:
    parts: Iterable[str] = (part.strip() for part in re.split(r"[;,|、；，]", text))
    return tuple(dict.fromkeys(facility_words().get(part.casefold(), part) for part in parts if part))
