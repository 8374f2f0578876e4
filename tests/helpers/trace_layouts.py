# ruff: noqa: E501 - a line a row
"""Small trace files in the common layouts: four points of one rider, and one row that is refused."""

import datetime
import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import openpyxl

from geo.traces.formats import TraceFormat

__all__ = [
    "BAD",
    "ENDING",
    "GPX",
    "ISO",
    "KEY",
    "LAT",
    "POINTS",
    "SERIAL",
    "START_S",
    "STEP_S",
    "TEXTS",
    "clock",
    "features",
    "form",
    "gpx",
    "lon",
    "rows",
    "table",
    "timed",
    "write_workbook",
]

KEY = bytes(range(16))
START_S = 1_772_400_300  # 2026-03-02 05:25:00 in Shanghai, 2026-03-01 21:25 UTC
STEP_S = 15
POINTS = 4
BAD = 1
"""Rows of each golden file that are refused, one of them unreadable."""


def form(**keys: Any) -> TraceFormat:  # noqa: ANN401
    return TraceFormat(**{"datum": "wgs84", "timezone": "Asia/Shanghai", **keys})


def clock(k: int, pattern: str) -> str:
    at = datetime.datetime.fromtimestamp(START_S + STEP_S * k, datetime.timezone(datetime.timedelta(hours=8)))
    text = pattern.replace("%-m", str(at.month)).replace("%-d", str(at.day)).replace("%-H", str(at.hour))
    return at.strftime(text)


def lon(k: int) -> float:
    return round(116.3 + 1e-4 * k, 6)


LAT = 39.98
SERIAL = (START_S + 8 * 3600) / 86_400 + 25_569


def table(
    header: str, row: Callable[[int], str], bad: str = "broken", foot: str = "\n", encoding: str = "utf-8"
) -> bytes:
    """A header, four good rows and one bad one."""
    lines = [*([header] if header else []), *(row(k) for k in range(POINTS)), bad]
    return ("\n".join(lines) + foot).encode(encoding)


def timed(pattern: str, **keys: str) -> bytes:
    return table("rider_id,time,lon,lat", lambda k: f'7,"{clock(k, pattern)}",{lon(k)},{LAT}', **keys)


def _line(points: list[list[Any]], more: Mapping[str, Any]) -> bytes:
    feature = {"type": "Feature", "properties": {"rider_id": "7", **more},
               "geometry": {"type": "LineString", "coordinates": points}}  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def _kml(inside: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2" '
        f'xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>{inside}</Document></kml>'
    ).encode()


def _nmea(body: str) -> str:
    return f"${body}*{functools.reduce(lambda a, b: a ^ b, body.encode()):02X}"


ISO = "%Y-%m-%d %H:%M:%S"
TEXTS: dict[str, tuple[bytes, Mapping[str, Any]]] = {
    "T-Drive": (
        table("", lambda k: f"7,{clock(k, ISO)},{lon(k)},{LAT}"),
        {"columns": {"rider_id": 1, "time": 2, "lon": 3, "lat": 4}},
    ),
    "Didi GAIA": (
        table("", lambda k: f"a7,o1,{START_S + STEP_S * k},{lon(k)},{LAT}"),
        {"columns": {"rider_id": 1, "time": 3, "lon": 4, "lat": 5}},
    ),
    "positions below a header": (
        table("w,x1,x2,x3", lambda k: f"7,{clock(k, ISO)},{lon(k)},{LAT}"),
        {"columns": {"rider_id": 1, "time": 2, "lon": 3, "lat": 4}},
    ),
    "Chinese date": (timed("%Y年%m月%d日 %H:%M:%S"), {}),
    "Chinese clock": (timed("%Y年%-m月%-d日 %-H时%M分%S秒"), {}),
    "morning": (timed("%Y/%-m/%-d 上午%-H:%M:%S"), {}),
    "weekday": (timed("%Y年%m月%d日 星期一 %H：%M：%S"), {}),
    "AM": (timed("%Y-%m-%d %I:%M:%S AM"), {}),
    "UTC": (
        table("rider_id,time,lon,lat", lambda k: f"7,2026-03-01 21:25:{STEP_S * k:02d} UTC,{lon(k)},{LAT}"),
        {},
    ),
    "points in the date": (timed("%Y.%m.%d %H:%M:%S"), {}),
    "compact": (timed("%Y%m%d%H%M%S"), {}),
    "compact with T": (timed("%Y%m%dT%H%M%S"), {}),
    "US, asked": (timed("%m/%d/%Y %H:%M:%S"), {"time_format": "mdy"}),
    "day first, asked": (timed("%d.%m.%Y %H:%M:%S"), {"time_format": "dmy"}),
    "pattern": (timed("%d|%m|%y %H-%M-%S"), {"time_format": "%d|%m|%y %H-%M-%S"}),
    "two columns": (
        table("rider_id,date,time,lon,lat", lambda k: f"7,{clock(k, '%Y-%m-%d')},{clock(k, '%H:%M:%S')},{lon(k)},{LAT}"),
        {},
    ),
    "two compact columns": (
        table("骑手,日期,t,lon,lat", lambda k: f"7,{clock(k, '%Y%m%d')},{clock(k, '%-H%M%S')},{lon(k)},{LAT}"),
        {"columns": {"date": "日期", "time": "t"}},
    ),
    "serial days": (
        table("rider_id,time,lon,lat", lambda k: f"7,{SERIAL + STEP_S * k / 86_400:.8f},{lon(k)},{LAT}"),
        {},
    ),
    "decimal comma": (
        table("rider_id;time;lon;lat", lambda k: f"7;{clock(k, ISO)};{lon(k)};{LAT}".replace(".", ",")),
        {},
    ),
    "sep line and title": (
        table("sep=;\n骑手轨迹导出\n\nrider_id;time;lon;lat", lambda k: f"7;{clock(k, ISO)};{lon(k)};{LAT}"),
        {},
    ),
    "trailing commas": (table("rider_id,time,lon,lat", lambda k: f"7,{clock(k, ISO)},{lon(k)},{LAT},"), {}),
    "trailing comma above": (
        table("rider_id,time,lon,lat,", lambda k: f"7,{clock(k, ISO)},{lon(k)},{LAT}"),
        {},
    ),
    "texts of a spreadsheet": (
        table("rider_id,time,lon,lat", lambda k: f'="7",="{clock(k, ISO)}",="{lon(k)}",="{LAT}"'),
        {},
    ),
    "E6": (
        table("rider_id,time,lon,lat", lambda k: f"7,{clock(k, ISO)},{lon(k) * 1e6:.0f},{LAT * 1e6:.0f}"),
        {"position_unit": "e6"},
    ),
    "E7 by name": (
        table("rider_id,time,longitudeE7,latitudeE7", lambda k: f"7,{clock(k, ISO)},{lon(k) * 1e7:.0f},{LAT * 1e7:.0f}"),
        {},
    ),
    "ddmm": (
        table("rider_id,time,lon,lat", lambda k: f"7,{clock(k, ISO)},116{(lon(k) - 116) * 60:.6f},3958.8"),
        {"position_unit": "ddmm"},
    ),
    "names of exports": (
        table("司机,订单号,GPS-Time,经度(WGS84),纬度（WGS84）", lambda k: f"7,9,{clock(k, ISO)},{lon(k)},{LAT}"),
        {},
    ),
    "userid and locatetime": (
        table("userid,locatetime,lng,lat", lambda k: f"7,{START_S + STEP_S * k}000,{lon(k)},{LAT}"),
        {},
    ),
    "lonlat": (
        table("rider_id,time,坐标", lambda k: f'7,{clock(k, ISO)},"{lon(k)},{LAT}"'),
        {},
    ),
    "latlon": (
        table("rider_id\ttime\tlocation", lambda k: f"7\t{clock(k, ISO)}\t{LAT}, {lon(k)}"),
        {},
    ),
    "WKT": (
        table("rider_id;time;geom", lambda k: f"7;{clock(k, ISO)};POINT ({lon(k)} {LAT})"),
        {},
    ),
    "line break in quotes": (
        table("rider_id,note,time,lon,lat", lambda k: f'7,"left at\nthe ""door""",{clock(k, ISO)},{lon(k)},{LAT}'),
        {},
    ),
    "carriage returns": (timed(ISO).replace(b"\n", b"\r"), {}),
    "UTF-16 without mark": (timed(ISO).decode().encode("utf-16-le"), {}),
    "Porto": (
        table(
            '"TRIP_ID","CALL_TYPE","TAXI_ID","TIMESTAMP","MISSING_DATA","POLYLINE"',
            lambda k: (
                f'"{k}","A","7","{START_S + 2 * STEP_S * k}","False","[[{lon(2 * k)},{LAT}],[{lon(2 * k + 1)},{LAT}]]"'
                if k < 2
                else ""
            ),
            bad='"9","A","7","1","False","[]"',
        ),
        {},
    ),
    "LaDe-D": (
        table(
            "order_id,city,courier_id,lng,lat,accept_time,accept_gps_time,accept_gps_lng,accept_gps_lat,"
            "delivery_time,delivery_gps_time,delivery_gps_lng,delivery_gps_lat,ds",
            lambda k: (
                f"{k},S,7,116,39,x,{clock(2 * k, '%m-%d %H:%M:%S')},{lon(2 * k)},{LAT},"
                f"x,{clock(2 * k + 1, '%m-%d %H:%M:%S')},{lon(2 * k + 1)},{LAT},302"
                if k < 2
                else ""
            ),
        ),
        {"year": 2026},
    ),
    "JSON Lines": (
        table(
            '{"rider_id": 7, "time": 1772400300, "pos": {"lon": 116.3, "lat": 39.98}}',
            lambda k: json.dumps({"rider_id": 7, "time": START_S + STEP_S * k, "pos": {"lon": lon(k), "lat": LAT}})
            if k
            else "",
        ),
        {"columns": {"lon": "pos.lon", "lat": "pos.lat"}},
    ),
    "ctime": (timed("%a %b %d %H:%M:%S CST %Y"), {}),
    "Date of JavaScript": (timed("%a %b %d %Y %H:%M:%S GMT+0800 (China Standard Time)"), {}),
    "scientific epochs": (
        table("rider_id,time,lon,lat", lambda k: f"7,{(START_S + STEP_S * k) / 1e9:.9f}E+12,{lon(k)},{LAT}"),
        {},
    ),
    "sign of a word processor": (
        table("rider_id,time,lon,lat", lambda k: f"7,{clock(k, ISO)},{lon(k)},\u2212{LAT}"),
        {},
    ),
    "single quotes": (
        table("'rider_id','time','remark','lon','lat'",
              lambda k: f"'7','{clock(k, ISO)}','it''s a, \"b\"','{lon(k)}','{LAT}'", bad="'broken'"),
        {},
    ),
    "list in an answer": (
        json.dumps({"code": 0, "data": {"total": 5, "list": [
            *({"rider_id": 7, "time": START_S + STEP_S * k, "lon": lon(k), "lat": LAT} for k in range(POINTS)),
            {"rider_id": 7},
        ]}}).encode(),
        {},
    ),
    "list of any name": (
        json.dumps({"msg": "", "gpsInfo": [
            *({"rider_id": 7, "time": START_S + STEP_S * k, "lon": lon(k), "lat": LAT} for k in range(POINTS)),
            {"rider_id": 7},
        ]}).encode(),
        {},
    ),
    "Kepler.gl trips": (
        _line([[lon(k), LAT, 0, START_S + STEP_S * k] for k in range(POINTS)] + [[116.3, LAT, 0, "never"]], {}),
        {},
    ),
    "line with times beside": (
        _line([[lon(k), LAT, 0] for k in range(POINTS)] + [[116.3, LAT]],
              {"coordTimes": [*(f"2026-03-01T21:25:{STEP_S * k:02d}Z" for k in range(POINTS)), "never"]}),
        {},
    ),
    "KML track": (
        _kml("<gx:Track>" + "".join(f"<when>2026-03-01T21:25:{STEP_S * k:02d}Z</when>" for k in range(POINTS))
             + "<when>never</when>" + "".join(f"<gx:coord>{lon(k)} {LAT} 4</gx:coord>" for k in range(POINTS))
             + f"<gx:coord>116.3 {LAT}</gx:coord></gx:Track>"),
        {},
    ),
    "KML points": (
        _kml("".join(
            f"<Placemark><TimeStamp><when>{when}</when></TimeStamp>"
            f"<Point><coordinates>{lon(k)},{LAT},0</coordinates></Point></Placemark>"
            for k, when in enumerate([*(f"2026-03-01T21:25:{STEP_S * k:02d}" for k in range(POINTS)), "never"])
        )),
        {},
    ),
    "NMEA": (
        "\r\n".join(
            line
            for k in range(POINTS)
            for line in (
                _nmea(f"GPGGA,2125{STEP_S * k:02d}.00,3958.8000,N,11600.0000,E,1,08,1.2,40,M,,M,,"),
                _nmea(f"GPRMC,2125{STEP_S * k:02d}.00,A,3958.8000,N,116{(lon(k) - 116) * 60:07.4f},E,3.1,84.4,010326,,"),
                _nmea("GPGSV,1,1,01,05,40,083,46"),
            )
        ).encode()
        + b"\r\n$GPRMC,212600.00,A,3958.8*00\r\n",
        {},
    ),
}  # fmt: skip
ENDING = {
    "JSON Lines": "jsonl",
    "list in an answer": "json",
    "list of any name": "json",
    "Kepler.gl trips": "geojson",
    "line with times beside": "geojson",
    "KML track": "kml",
    "KML points": "kml",
    "NMEA": "nmea",
}


def rows() -> list[dict[str, Any]]:
    return [{"rider_id": "7", "time": clock(k, ISO), "lon": lon(k), "lat": LAT} for k in range(POINTS)]


def write_workbook(path: Path, *, serial: bool = False, sheets: int = 1) -> None:
    book = openpyxl.Workbook()
    for number in range(sheets):
        sheet = book.active if number == 0 else book.create_sheet(f"T{number}")
        assert sheet is not None
        sheet.append(["轨迹", None])
        sheet.append([])
        sheet.append(["骑手编号", "定位时间", "经度", "纬度"])
        for k in range(POINTS):
            at = datetime.datetime(2026, 3, 2, 5, 25) + datetime.timedelta(seconds=STEP_S * k)  # noqa: DTZ001
            sheet.append([7, SERIAL + STEP_S * k / 86_400 if serial else at, lon(k), LAT])
        sheet.append(["7", "never", 116.3, LAT])
    book.save(path)


def features(ending: str) -> str:
    made = [
        {"type": "Feature", "properties": {"rider_id": "7", "time": r["time"]},
         "geometry": {"type": "Point", "coordinates": [r["lon"], r["lat"], 50.0]}}
        for r in rows()
    ]  # fmt: skip
    bad = {"type": "Feature", "properties": {"rider_id": "7", "time": "never"}, "geometry": None}
    if ending == "geojsonl":
        return "\n".join(json.dumps(f) for f in [*made, bad])
    return json.dumps({"type": "FeatureCollection", "features": [*made, bad]}, indent=1)


GPX = (
    '<?xml version="1.0" encoding="{}"?><gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{}'
    "</trkseg></trk></gpx>"
)


def gpx(name: str, encoding: str, zone: str = "Z") -> bytes:
    fixes = "".join(
        f'<trkpt lat="{LAT}" lon="{lon(k)}"><time>2026-03-01T21:25:{STEP_S * k:02d}{zone}</time>'
        f"<extensions><desc>{name}</desc><time>2020-01-01T00:00:00Z</time></extensions></trkpt>"
        for k in range(POINTS)
    )
    return GPX.format(encoding, fixes).encode(encoding)
