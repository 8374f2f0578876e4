"""The names that files give to their columns, and the published layouts that are known by sight."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["COLUMN_NAMES", "KNOWN_LAYOUTS", "KnownLayout", "declared_datum", "declared_unit", "folded"]

#: Canonical columns and the folded names (see `folded`) under which they are found without being told. A
#: name of a later group counts only where none of an earlier group is there; two of one group are ambiguous.
COLUMN_NAMES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "rider_id": (
        ("rider_id", "rider", "riderid", "courier_id", "courierid", "courier", "postman_id", "driver_id",
         "driverid", "driver", "taxi_id", "taxiid", "骑手编号", "骑手id", "骑手", "骑手工号", "司机",
         "司机id",
         "司机编号", "快递员", "快递员id", "快递员编号", "配送员", "配送员id", "配送员编号"),
        ("user_id", "userid", "user", "uid", "用户id", "用户编号", "工号", "员工编号", "phone", "mobile",
         "手机", "手机号", "手机号码"),
        ("vehicle_id", "vehicleid", "car_id", "carid", "plate", "license_plate", "device_id", "deviceid",
         "imei", "mmsi", "individual_local_identifier", "车牌", "车牌号", "车辆编号", "设备编号", "设备id"),
    ),
    "time": (
        ("time", "t_s", "timestamp", "gps_time", "gpstime", "locatetime", "locate_time", "location_time",
         "loc_time", "gps_timestamp", "time_stamp", "report_time", "device_time", "datetime", "date_time",
         "fixtime", "fix_time", "tst", "时间", "定位时间", "时间戳", "采集时间", "gps时间", "上报时间",
         "upload_time", "create_time", "上传时间", "记录时间", "tracked_at", "localtime", "local_time",
         "basedatetime",
         "timestampms", "timestamp_ms", "time_ms", "gps_time_ms"),
        ("t", "ts", "ts_ms", "epoch", "epoch_s", "epoch_ms", "unixtime", "unix_time", "unix_timestamp"),
        ("date", "日期"),
    ),
    "date": (("date", "日期", "gps_date", "定位日期", "day"),),
    "lon": (("lon", "lng", "long", "longitude", "经度"), ("x",)),
    "lat": (("lat", "latitude", "纬度"), ("y",)),
    "lonlat": (
        ("lonlat", "lnglat", "latlon", "latlng", "location", "position", "coordinates", "coordinate",
         "坐标", "经纬度", "位置", "定位"),
        ("geometry", "geom", "the_geom", "wkt", "wkb_geometry", "geometry_coordinates"),
    ),
    "polyline": (("polyline",),),
    "event": (("event", "事件"), ("groundtruth", "状态")),
    "accuracy": (
        ("accuracy", "accuracy_m", "accuracy_meters", "horizontal_accuracy", "horizontalaccuracy",
         "h_accuracy", "haccuracy", "hacc", "gpsaccuracy",
         "定位精度", "水平精度", "gps精度", "定位误差"),
        ("精度", "radius"),
    ),
    "hdop": (("hdop", "gps_hdop", "hdop_value", "水平精度因子", "水平精度衰减因子"),),
    "valid": (("valid", "gps_valid", "fix_valid", "is_valid_gps", "定位有效", "是否有效定位"),),
    "platform": (("platform", "平台"),),
}  # fmt: skip
_DATUMS: Final = {
    "gcj02": "gcj02", "gcj_02": "gcj02", "火星": "gcj02", "bd09": "bd09", "bd_09": "bd09", "百度": "bd09",
    "wgs84": "wgs84", "wgs_84": "wgs84",
}  # fmt: skip
#: What fixes of phones and objects in JSON put before the parts of a position, as in location.lat.
_OF_POSITION: Final = re.compile(
    r"^(?:location|loc|position|pos|coords?|coordinates?|gps|geo|geopoint|point)_"
    r"(?=(?:lon|lng|long|longitude|lat|latitude|accuracy)$)"
)
_BRACKETS: Final = re.compile(r"[(\[{<].*?[)\]}>]")


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).strip().strip("\"'\ufeff").casefold()
    return re.sub(r"[\s\-./]+", "_", text)


def folded(name: str) -> str:
    """Return a column's name without case, brackets, datum and unit: 纬度(GCJ02) is 纬度."""
    text = _BRACKETS.sub("", _plain(name)).strip("_")
    for word in _DATUMS:
        if word in text:
            text = re.sub(rf"_?{word}_?", "", text)
    return _OF_POSITION.sub("", re.sub(r"_?e[5-7]$", "", text).removeprefix("properties_"))


def declared_datum(name: str) -> str | None:
    """Return the datum that a column's name says, or None."""
    text = _plain(name)
    return next((datum for word, datum in _DATUMS.items() if word in text), None)


def declared_unit(name: str) -> str:
    """Return the unit of a position that a column's name says, such as ``e7`` for latitudeE7, or ``auto``."""
    found = re.search(r"(?:lon|lng|long|lat|latitude|longitude|经度|纬度|x|y)_?\(?(e[5-7])\)?$", _plain(name))
    return found.group(1) if found else "auto"


@dataclass(frozen=True, slots=True)
class KnownLayout:
    """A published set of traces: what its files look like."""

    name: str
    header: tuple[str, ...]
    """Columns of its header; empty where its files have none."""
    fields: tuple[str, ...]
    """Without a header: what each field is, as `geo.traces.files.tables.shapes.kind_of` names it."""
    columns: Mapping[str, int]
    """Without a header: position of each column, from 1."""
    source: str


KNOWN_LAYOUTS: Final[Sequence[KnownLayout]] = (
    KnownLayout(
        "T-Drive", (), ("whole", "datetime", "degrees", "degrees"),
        {"rider_id": 1, "time": 2, "lon": 3, "lat": 4},
        "Yuan et al., T-Drive: driving directions based on taxi trajectories, ACM SIGSPATIAL 2010",
    ),
    KnownLayout(
        "Didi GAIA", (), ("text", "text", "epoch", "degrees", "degrees"),
        {"rider_id": 1, "time": 3, "lon": 4, "lat": 5},
        "Didi Chuxing GAIA open data initiative, tracks of Chengdu and Xi'an, 2016",
    ),
    KnownLayout(
        "Porto taxi", ("trip_id", "taxi_id", "timestamp", "polyline"), (), {},
        "Moreira-Matias et al., Predicting taxi-passenger demand using streaming data, 2013; a point in 15 s",
    ),
    KnownLayout(
        "LaDe-D", ("courier_id", "accept_gps_time", "delivery_gps_time"), (), {},
        "Wu et al., LaDe: the first comprehensive last-mile delivery dataset from industry, KDD 2024",
    ),
    KnownLayout(
        "LaDe-P", ("courier_id", "accept_gps_time", "pickup_gps_time"), (), {},
        "Wu et al., LaDe: the first comprehensive last-mile delivery dataset from industry, KDD 2024",
    ),
)  # fmt: skip
