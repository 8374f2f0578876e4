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

from api.study.studyfile.place_tables import PlaceTable, Row, cell_text, read_rows
from geo.datum import Datum, to_wgs84
from geo.errors import InputError, read_each
from geo.layers import LAYER_ENDINGS, to_degrees
from geo.privacy import masked
from maps.texts import LANGUAGES, catalogue
from siting.stations import KINDS as STATION_KINDS
from siting.stations import parse_hours

__all__ = ["COLUMNS", "FACILITY_WORDS", "StationRow", "read_places", "read_stations"]

T = TypeVar("T")
METRES = 1_000.0
"""No degree is so large, and no metre of a national grid so small."""
STATUS = ("类别", "Status")
SUGGESTED = ("建议新增", "suggested")
"""Column and words by which reports tell suggested stations from existing ones."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "station", "名称", "站点名称", "驿站名称", "站点"),
    "lon": ("lon", "lng", "longitude", "x", "经度"),
    "lat": ("lat", "latitude", "y", "纬度"),
    "opening_hours": ("opening_hours", "hours", "open", "opening hours", "开放时间", "营业时间", "服务时间"),
    "kind": ("kind", "type", "类型", "类别"),
    "facilities": ("facilities", "设施", "服务设施"),
}
"""Our names, and the names under which a column is found without being told."""
NEEDED = ("name", "lon", "lat", "opening_hours")
KINDS: Mapping[str, str] = {
    "": "standard", "micro": "micro", "standard": "standard", "hub24": "hub24",
    "微驿站": "micro", "微型": "micro", "标准站": "standard", "标准": "standard",
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

    name: str
    lonlat: tuple[float, float]
    opening_hours: str
    kind: str
    facilities: tuple[str, ...] | None
    """None where the list has no such column."""


def read_stations(
    path: Path,
    datum: Datum,
    columns: Mapping[str, str] | None = None,
    layer: str | None = None,
    crs: str | None = None,
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

    Returns
    -------
    tuple of StationRow
        In the order of the file; stations that a report of Yilu suggests are left out, as they do not stand.

    Raises
    ------
    InputError
        For a file that cannot be read, and for values that are not allowed, all at once: row, column and
        what is allowed.
    """
    table = read_rows(path, lambda heads: _columns(heads, columns or {}, NEEDED), layer, crs)
    rows = _positions(path, _standing(table), table.columns, crs)
    read = _read(path, rows, lambda row: _station(row, table.columns), "station that stands today")
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
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Read names and positions only, such as a planner's own list of rooms.

    Parameters
    ----------
    path, datum, columns, layer, crs
        As in `read_stations`.

    Returns
    -------
    tuple of str, float64 (n, 2)
        Names, and positions in WGS-84 degrees.

    Raises
    ------
    InputError
        As `read_stations`.
    """
    table = read_rows(path, lambda heads: _columns(heads, columns or {}, ("name", "lon", "lat")), layer, crs)
    rows = _positions(path, table.rows, table.columns, crs)
    placed = _read(path, rows, lambda row: _place(row, table.columns), "place")
    return tuple(name for name, _ in placed), to_wgs84(np.array([lonlat for _, lonlat in placed]), datum)


def _columns(headings: Sequence[str], told: Mapping[str, str], needed: tuple[str, ...]) -> dict[str, str]:
    """Return from our names to those headings that mean them."""
    present = {heading.strip().casefold(): heading for heading in headings}
    found: dict[str, str] = {}
    for ours, known in COLUMNS.items():
        if ours in told:
            if told[ours].casefold() not in present:
                raise InputError(f"has no column {told[ours]!r} (told for {ours})")
            found[ours] = present[told[ours].casefold()]
            continue
        match = next((present[word] for word in known if word in present), None)
        if match is not None:
            found[ours] = match
        elif ours in needed:
            raise InputError(f"has no column for {ours} (known names: {', '.join(known)})")
    return found


def _read(path: Path, rows: Sequence[Row], read: Callable[[Mapping[str, object]], T], what: str) -> list[T]:
    """Read all rows; what is wrong with any of them is told at once."""
    if not rows:
        raise InputError(f"{path.name}: holds no {what}")
    return read_each(path.name, rows, read, "row")


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
            raise InputError(
                f"{path.name}: {names['lon']} and {names['lat']} are metres, but no coordinate reference"
                ' system is named: add the key crs to the study file, such as crs = "EPSG:4547"'
            )
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
        return math.nan


def _station(row: Mapping[str, object], names: Mapping[str, str]) -> StationRow:
    name, lonlat = _place(row, names)
    value = {ours: cell_text(row.get(theirs)) for ours, theirs in names.items()}
    try:
        hours = parse_hours(value["opening_hours"]).text
    except InputError as error:
        raise InputError(f"{names['opening_hours']}: {error}") from None
    kind = value.get("kind", "")
    if kind.casefold() not in kind_words():
        allowed = ", ".join(word for word in kind_words() if word)
        raise InputError(f"{names['kind']} is {masked(kind)!r} (allowed: {allowed})")
    facilities = _words(value["facilities"]) if "facilities" in value else None
    return StationRow(name, lonlat, hours, kind_words()[kind.casefold()], facilities)


def _place(row: Mapping[str, object], names: Mapping[str, str]) -> tuple[str, tuple[float, float]]:
    name, lon, lat = (cell_text(row.get(names[ours])) for ours in ("name", "lon", "lat"))
    if not name:
        raise InputError(f"{names['name']} is empty")
    return name, (_degrees(names["lon"], lon, 180.0), _degrees(names["lat"], lat, 90.0))


def _degrees(column: str, text: str, limit: float) -> float:
    number = _number(text)
    if not -limit <= number <= limit:
        raise InputError(f"{column} is {masked(text)!r} (allowed: -{limit:g} to {limit:g} degrees)")
    return number


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
