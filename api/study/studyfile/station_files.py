"""Lists of stations that stand today, as offices keep them: CSV, Excel or GeoJSON."""

import csv
import dataclasses
import io
import json
import math
import re
import warnings
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import openpyxl
from numpy.typing import NDArray
from openpyxl.utils.exceptions import InvalidFileException

from geo.datum import Datum, to_wgs84
from geo.errors import InputError
from siting.stations import parse_hours

__all__ = ["COLUMNS", "FACILITY_WORDS", "StationRow", "read_places", "read_stations"]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "station", "名称", "站点名称", "驿站名称", "站点"),
    "lon": ("lon", "lng", "longitude", "x", "经度"),
    "lat": ("lat", "latitude", "y", "纬度"),
    "opening_hours": ("opening_hours", "hours", "open", "开放时间", "营业时间", "服务时间"),
    "kind": ("kind", "type", "类型", "类别"),
    "facilities": ("facilities", "设施", "服务设施"),
}
"""Our names, and the names under which a column is found without being told."""
NEEDED = ("name", "lon", "lat", "opening_hours")
KINDS: Mapping[str, str] = {
    "": "standard", "micro": "micro", "standard": "standard", "hub24": "hub24",
    "微驿站": "micro", "微型": "micro", "标准站": "standard", "标准": "standard",
    "24小时站": "hub24", "枢纽站": "hub24",
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
    path: Path, datum: Datum, columns: Mapping[str, str] | None = None
) -> tuple[StationRow, ...]:
    """Read a list of stations.

    Parameters
    ----------
    path : Path
        ``.csv`` (UTF-8 or GBK), ``.xlsx`` (first sheet) or ``.geojson`` / ``.json`` (points).
    datum : str
        ``wgs84``, ``gcj02`` or ``bd09``: that of the positions in the file.
    columns : mapping, optional
        From our names (`COLUMNS`) to those of the file, for names that are not well known.

    Returns
    -------
    tuple of StationRow
        In the order of the file.

    Raises
    ------
    InputError
        For a file that cannot be read or a value that is not allowed: file, row, column and what is allowed.
    """
    rows = _rows(path)
    if not rows:
        raise InputError(f"{path.name}: holds no station")
    names = _find_columns(path, rows[0][1], columns or {}, NEEDED)
    read = [_station(path, number, row, names) for number, row in rows]
    lonlat = to_wgs84(np.array([station.lonlat for station in read]), datum)
    return tuple(
        dataclasses.replace(station, lonlat=(float(lon), float(lat)))
        for station, (lon, lat) in zip(read, lonlat, strict=True)
    )


def read_places(
    path: Path, datum: Datum, columns: Mapping[str, str] | None = None
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Read names and positions only, such as a planner's own list of rooms.

    Parameters
    ----------
    path, datum, columns
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
    rows = _rows(path)
    if not rows:
        raise InputError(f"{path.name}: holds no place")
    names = _find_columns(path, rows[0][1], columns or {}, ("name", "lon", "lat"))
    placed = [_place(path, number, row, names) for number, row in rows]
    return tuple(name for name, _ in placed), to_wgs84(np.array([lonlat for _, lonlat in placed]), datum)


Row = tuple[int, Mapping[str, object]]


def _rows(path: Path) -> list[Row]:
    ending = path.suffix.lower()
    readers = {".csv": _csv, ".xlsx": _xlsx, ".geojson": _geojson, ".json": _geojson}
    if ending not in readers:
        raise InputError(f"{path.name}: stations must be a .csv, .xlsx or .geojson file")
    try:
        return readers[ending](path.read_bytes(), path.name)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({(error.strerror or 'input error').lower()})") from None


def _csv(content: bytes, name: str) -> list[Row]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            raise InputError(f"{name}: is neither UTF-8 nor GBK text") from None
    first = text.partition("\n")[0]
    separator = max(",\t;", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, restkey="", restval="")
    try:
        return [(number, row) for number, row in enumerate(reader, start=2) if any(map(_text, row.values()))]
    except csv.Error as error:
        raise InputError(f"{name}: row {reader.line_num}: {error}") from None


def _xlsx(content: bytes, name: str) -> list[Row]:
    try:
        with warnings.catch_warnings():
            # Styles that the library does not know are of no interest here.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            table = [tuple(row) for row in book.worksheets[0].iter_rows(values_only=True)]
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, IndexError):
        raise InputError(f"{name}: is not an Excel workbook (.xlsx)") from None
    if not table:
        return []
    head = [_text(cell) for cell in table[0]]
    return [
        (number, dict(zip(head, row, strict=False)))
        for number, row in enumerate(table[1:], start=2)
        if any(map(_text, row))
    ]


def _geojson(content: bytes, name: str) -> list[Row]:
    try:
        features = json.loads(content.decode("utf-8-sig"))["features"]
        rows: list[Row] = []
        for number, feature in enumerate(features, start=1):
            if feature["geometry"]["type"] != "Point":
                raise InputError(f"{name}: feature {number} is a {feature['geometry']['type']}, not a Point")
            lon, lat = feature["geometry"]["coordinates"][:2]
            rows.append((number, {**(feature.get("properties") or {}), "lon": lon, "lat": lat}))
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name}: is not a GeoJSON collection of points") from None
    return rows


def _find_columns(
    path: Path, row: Mapping[str, object], told: Mapping[str, str], needed: tuple[str, ...]
) -> dict[str, str]:
    present = {_text(key).lower(): key for key in row}
    found: dict[str, str] = {}
    for ours, known in COLUMNS.items():
        if ours in told:
            if told[ours].lower() not in present:
                raise InputError(f"{path.name}: has no column {told[ours]!r} (told for {ours})")
            found[ours] = present[told[ours].lower()]
            continue
        match = next((present[word] for word in known if word in present), None)
        if match is not None:
            found[ours] = match
        elif ours in needed:
            raise InputError(f"{path.name}: has no column for {ours} (known names: {', '.join(known)})")
    return found


def _station(path: Path, number: int, row: Mapping[str, object], names: Mapping[str, str]) -> StationRow:
    where = f"{path.name}: row {number}"
    name, lonlat = _place(path, number, row, names)
    value = {ours: _text(row.get(theirs)) for ours, theirs in names.items()}
    try:
        hours = parse_hours(value["opening_hours"]).text
    except InputError as error:
        raise InputError(f"{where}: {names['opening_hours']}: {error}") from None
    kind = value.get("kind", "")
    if kind not in KINDS:
        raise InputError(
            f"{where}: {names['kind']} is {kind!r} (allowed: {', '.join(k for k in KINDS if k)})"
        )
    facilities = _words(value["facilities"]) if "facilities" in value else None
    return StationRow(name, lonlat, hours, KINDS[kind], facilities)


def _place(
    path: Path, number: int, row: Mapping[str, object], names: Mapping[str, str]
) -> tuple[str, tuple[float, float]]:
    where = f"{path.name}: row {number}"
    name, lon, lat = (_text(row.get(names[ours])) for ours in ("name", "lon", "lat"))
    if not name:
        raise InputError(f"{where}: {names['name']} is empty")
    return name, (_degrees(where, names["lon"], lon, 180.0), _degrees(where, names["lat"], lat, 90.0))


def _degrees(where: str, column: str, text: str, limit: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not -limit <= number <= limit:
        raise InputError(f"{where}: {column} is {text!r} (allowed: -{limit:g} to {limit:g} degrees)")
    return number


def _words(text: str) -> tuple[str, ...]:
    parts: Iterable[str] = (part.strip() for part in re.split(r"[;,|、；，]", text))
    return tuple(dict.fromkeys(FACILITY_WORDS.get(part, part) for part in parts if part))


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Sequence) and not isinstance(cell, str):
        return ";".join(_text(part) for part in cell)
    return str(cell).strip()
