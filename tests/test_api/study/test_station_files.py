"""Lists of stations as offices keep them are read, or refused with row and column."""

import json
from pathlib import Path

import openpyxl
import pytest

from api.study.studyfile.station_files import read_places, read_stations
from geo.datum import from_wgs84
from geo.errors import InputError

HEAD = ("名称", "经度", "纬度", "开放时间", "类型", "设施")
ROW = ("暖蜂驿站", 116.35, 39.99, "8:00-18:00", "微驿站", "热水、微波炉")


def _csv(path: Path, *rows: tuple[object, ...], encoding: str = "utf-8") -> Path:
    text = "\n".join(",".join(str(cell) for cell in row) for row in (HEAD, *rows))
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("form", ["utf-8", "utf-8-sig", "gbk", "xlsx", "geojson"])
def test_every_form_of_the_list_says_the_same(tmp_path: Path, form: str) -> None:
    if form == "xlsx":
        path = tmp_path / "stations.xlsx"
        book = openpyxl.Workbook()
        for row in (HEAD, ROW):
            book.worksheets[0].append(row)
        book.save(path)
    elif form == "geojson":
        path = tmp_path / "stations.geojson"
        point = {"type": "Point", "coordinates": [ROW[1], ROW[2]]}
        names = {
            "name": ROW[0],
            "opening_hours": ROW[3],
            "kind": "micro",
            "facilities": ["water", "microwave"],
        }
        features = [{"type": "Feature", "geometry": point, "properties": names}]
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    else:
        path = _csv(tmp_path / "stations.csv", ROW, encoding=form)
    (station,) = read_stations(path, "wgs84")
    assert (station.name, station.lonlat, station.kind) == ("暖蜂驿站", (116.35, 39.99), "micro")
    assert station.facilities == ("water", "microwave")
    assert station.opening_hours == "8:00-18:00"


def test_positions_are_brought_to_wgs84(tmp_path: Path) -> None:
    shown = from_wgs84([(116.35, 39.99)], "gcj02")[0]
    path = _csv(tmp_path / "s.csv", ("A", shown[0], shown[1], "24/7", "", ""))
    (station,) = read_stations(path, "gcj02")
    assert station.lonlat == pytest.approx((116.35, 39.99), abs=1e-7)
    assert station.kind == "standard"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("A", 216.0, 39.9, "24/7", "", ""), "s.csv: row 2: 经度 is '216.0' (allowed: -180 to 180 degrees)"),
        (("A", "", 39.9, "24/7", "", ""), "s.csv: row 2: 经度 is ''"),
        (("A", 116.0, "nan", "24/7", "", ""), "s.csv: row 2: 纬度 is 'nan'"),
        (("A", 116.0, 39.9, "always", "", ""), "s.csv: row 2: 开放时间: "),
        (("A", 116.0, 39.9, "24/7", "palace", ""), "s.csv: row 2: 类型 is 'palace' (allowed: micro"),
        (("", 116.0, 39.9, "24/7", "", ""), "s.csv: row 2: 名称 is empty"),
    ],
)
def test_a_bad_cell_is_named(tmp_path: Path, row: tuple[object, ...], words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_stations(_csv(tmp_path / "s.csv", row), "wgs84")
    assert words in str(caught.value)


def test_files_that_are_no_list_are_named(tmp_path: Path) -> None:
    (tmp_path / "no.xlsx").write_bytes(b"PK not a book")
    (tmp_path / "no.geojson").write_text("[1]", encoding="utf-8")
    (tmp_path / "no.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    for name, words in (
        ("no.xlsx", "is not an Excel workbook"),
        ("no.geojson", "is not a GeoJSON collection"),
        ("no.csv", "has no column for name"),
        ("empty.csv", "holds no station"),
        ("none.csv", "there is no such file"),
        ("list.docx", r"must be a \.csv, \.xlsx or \.geojson"),
    ):
        with pytest.raises(InputError, match=words):
            read_stations(tmp_path / name, "wgs84")


def test_a_column_may_be_told(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("place,lon,lat,hours\nA,116,39,24/7\n", encoding="utf-8")
    (station,) = read_stations(path, "wgs84", {"name": "place"})
    assert (station.name, station.facilities) == ("A", None)
    names, lonlat = read_places(path, "wgs84", {"name": "place"})
    assert (names, lonlat.tolist()) == (("A",), [[116.0, 39.0]])
    with pytest.raises(InputError, match="has no column 'site'"):
        read_stations(path, "wgs84", {"name": "site"})
