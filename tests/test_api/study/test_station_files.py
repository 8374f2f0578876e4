"""Lists of stations as offices keep them are read, or refused with row and column."""

import datetime
import json
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import openpyxl
import pytest
import shapely
from study_sample import sample_study

from api.study.studyfile.station_files import read_places, read_stations
from geo.datum import from_wgs84
from geo.errors import InputError
from maps.documents import write_xlsx
from maps.page.basemap import Backdrop, BackdropLayer
from siting.stations import parse_hours

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
        (
            ("A", 116.3, 95.0000000000001, "24/7", "", ""),
            "s.csv: row 2: 纬度 is '95.0000000000001' (allowed: -90 to 90 degrees)",
        ),
        (
            ("A", "13812345678", 39.9, "24/7", "", ""),
            "s.csv: row 2: 经度 is '1381****678' (allowed: -180 to 180 degrees)",
        ),
        (
            ("A", "13812345678.0", 39.9, "24/7", "", ""),
            "s.csv: row 2: 经度 is '1381****678.0' (allowed: -180 to 180 degrees)",
        ),
        (("A", 216.0, 39.9, "24/7", "", ""), "s.csv: row 2: 经度 is '216.0' (allowed: -180 to 180 degrees)"),
        (("A", "", 39.9, "24/7", "", ""), "s.csv: row 2: 经度 is empty"),
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


@pytest.mark.parametrize(
    ("heads", "cells", "hours"),
    [
        (
            ("开放时间（夏季）", "开放时间（冬季）"),
            ("8:00-20:00", "9:00-18:00"),
            "夏季8:00-20:00，冬季9:00-18:00",
        ),
        (
            ("营业时间(工作日)", "营业时间(周末)"),
            ("8:00-18:00", "9:00-12:00"),
            "工作日8:00-18:00，周末9:00-12:00",
        ),
        (("营业时间(工作日)", "营业时间(周末)"), ("8:00-18:00", ""), "工作日8:00-18:00"),
        (("开门时间", "关门时间"), (datetime.time(8), datetime.time(18, 30)), "8:00-18:30"),
        (("open_time", "close_time"), ("08:00", "20:00"), "8:00-20:00"),
    ],
)
def test_hours_may_stand_in_several_columns(
    tmp_path: Path, heads: tuple[str, ...], cells: tuple[object, ...], hours: str
) -> None:
    """Before, the first season was taken for the whole year without a word."""
    book = openpyxl.Workbook()
    book.worksheets[0].append(["名称", "经度", "纬度", *heads])
    book.worksheets[0].append(["A", 116.35, 39.99, *cells])
    book.save(tmp_path / "s.xlsx")
    (station,) = read_stations(tmp_path / "s.xlsx", "wgs84")
    assert (
        parse_hours(station.opening_hours).week_share().tolist() == parse_hours(hours).week_share().tolist()
    )


@pytest.mark.parametrize("ending", ["txt", "tsv", "csv"])
def test_unicode_text_of_a_spreadsheet(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"s.{ending}"
    path.write_bytes("\t".join(HEAD).encode("utf-16") + "\n".encode("utf-16-le")
                     + "\t".join(map(str, ROW)).encode("utf-16-le"))  # fmt: skip
    assert read_stations(path, "wgs84")[0].name == "暖蜂驿站"


def test_a_point_that_is_called_many_is_one(tmp_path: Path) -> None:
    columns = {"名称": ["A"], "开放时间": ["24小时（无人值守）"]}
    for points, fits in (([(116.35, 39.99)], True), ([(116.35, 39.99), (116.4, 40.0)], False)):
        frame = geopandas.GeoDataFrame(columns, geometry=[shapely.MultiPoint(points)], crs=4326)
        frame.to_file(tmp_path / "s.gpkg")
        if fits:
            (station,) = read_stations(tmp_path / "s.gpkg", "wgs84")
            assert (station.lonlat, station.opening_hours) == ((116.35, 39.99), "24/7")
        else:
            with pytest.raises(InputError, match="MultiPoint, not a Point"):
                read_stations(tmp_path / "s.gpkg", "wgs84")


def test_a_column_may_be_told(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("place,lon,lat,hours\nA,116,39,24/7\n", encoding="utf-8")
    (station,) = read_stations(path, "wgs84", {"name": "place"})
    assert (station.name, station.facilities) == ("A", None)
    _, names, lonlat = read_places(path, "wgs84", {"name": "place"})
    assert (names, lonlat.tolist()) == (("A",), [[116.0, 39.0]])
    with pytest.raises(InputError, match="has no column 'site'"):
        read_stations(path, "wgs84", {"name": "site"})


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_report_of_ours_is_read_as_existing_stations(tmp_path: Path, lang: str) -> None:
    study = sample_study()
    west, south, east, north = study.bounds
    line = np.array([[west, south], [east, north]])
    layers = (BackdropLayer("major", False, 3, 19, np.array([0, 2]), line, np.zeros(1, np.int32)),)
    write_xlsx(study, Backdrop(study.bounds, layers), lang, tmp_path / "report.xlsx")
    standing = [site for site in study.sites if site.existing]
    read = read_stations(tmp_path / "report.xlsx", "wgs84")
    assert len(read) == len(standing) > 0
    for row, site in zip(read, standing, strict=True):
        assert (row.name, row.kind) == (site.name, site.kind)
        assert row.lonlat == pytest.approx(site.lonlat, abs=1e-6)
        week = parse_hours(site.opening_hours).week_share()
        assert np.array_equal(parse_hours(row.opening_hours).week_share(), week)
        assert row.facilities == tuple(dict.fromkeys(PRINTED_ALIKE.get(f, f) for f in site.facilities))


PRINTED_ALIKE = {"table": "seats", "tables": "seats", "hot_water": "water"}


def _titled(path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(("某区骑手驿站一览表",))
    sheet.append(("截至2026年3月",))
    sheet.append(("序号", "名称", "街道", "位置", None, "开放时间", "类型"))
    sheet.append((None, None, None, "经度（°）", "纬度（°）", None, None))
    sheet.append((1, "甲", "知春路", 116.3, 39.9, "每天08:00–20:00", "微型驿站"))
    sheet.append((2, "乙", None, 116.4, 39.8, "全天24小时", "24小时枢纽站"))
    sheet.append(("注：以上信息由各街道报送",))
    for area in ("A1:G1", "A2:G2", "A3:A4", "B3:B4", "C3:C4", "D3:E3", "F3:F4", "G3:G4", "C5:C6"):
        sheet.merge_cells(area)
    book.save(path)
    return path


def test_titles_merged_cells_and_notes(tmp_path: Path) -> None:
    rows = read_stations(_titled(tmp_path / "s.xlsx"), "wgs84")
    assert [(row.name, row.lonlat, row.opening_hours, row.kind) for row in rows] == [
        ("甲", (116.3, 39.9), "Mo-Su 08:00-20:00", "micro"),
        ("乙", (116.4, 39.8), "24/7", "hub24"),
    ]
    text = "某区驿站,,,\n名称;经度;纬度;开放时间\n甲;116.3;39.9;8点-20点\n"
    (tmp_path / "s.csv").write_bytes(text.encode("gbk"))
    assert read_stations(tmp_path / "s.csv", "wgs84")[0].opening_hours == "08:00-20:00"


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        ("116,32", "40,01"),
        ("116°19'12\"", "40°0'36\""),
        ("116°19′12″E", "40°0′36″N"),
        ("东经116度19分12秒", "北纬40度0分36秒"),
        ("116°19.2'", "N40°0.6'"),
        ("116.32°", "40.01°"),
    ],
)
def test_degrees_as_offices_write_them(tmp_path: Path, lon: str, lat: str) -> None:
    path = tmp_path / "s.csv"
    path.write_text(f"名称;经度;纬度;开放时间\n甲;{lon};{lat};24/7\n".replace('"', "″"), "utf-8")
    (station,) = read_stations(path, "wgs84")
    assert station.lonlat == pytest.approx((116.32, 40.01), abs=1e-9)


def test_lon_and_lat_in_one_column(tmp_path: Path) -> None:
    for pair in ("116.32,40.01", "40.01，116.32", "(116.32 40.01)"):
        path = tmp_path / "s.csv"
        path.write_text(f'名称,坐标,开放时间\n甲,"{pair}",24/7\n', "utf-8")
        assert read_stations(path, "wgs84")[0].lonlat == (116.32, 40.01)
        assert read_places(path, "wgs84")[2].tolist() == [[116.32, 40.01]]
    path.write_text('名称,坐标,开放时间\n甲,"80.1,40.01",24/7\n', "utf-8")
    with pytest.raises(InputError, match="may be lon and lat or lat and lon"):
        read_stations(path, "wgs84")
    path.write_text('名称,坐标,开放时间\n甲,"116.32,40.01",24/7\n乙,五道口,24/7\n', "utf-8")
    with pytest.raises(InputError, match="row 3: 坐标: lo"):
        read_stations(path, "wgs84")


def test_rows_of_sums_are_no_stations(tmp_path: Path) -> None:
    rows = [("序号", *HEAD), (1, *ROW), ("合计", 1, "", "", "", "", "")]
    path = tmp_path / "s.csv"
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows), "utf-8")
    assert len(read_stations(path, "wgs84")) == 1


def test_all_bad_rows_are_told_at_once(tmp_path: Path) -> None:
    bad = [("A", 116, 39, "8-26-9", "", ""), ROW, ("B", 216, 39, "24/7", "", ""), ("C", 116, 39, "", "", "")]
    with pytest.raises(InputError) as caught:
        read_stations(_csv(tmp_path / "s.csv", *bad), "wgs84")
    said = str(caught.value)
    assert said.startswith("s.csv: 3 things are wrong: row 2: 开放时间: ")
    assert "; row 4: 经度 is '216'" in said
    assert "; row 5: 开放时间: " in said


def test_two_sheets_that_fit_are_asked_for(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for title, name in (("东", "A"), ("西", "B")):
        sheet = book.create_sheet(title)
        sheet.append(HEAD)
        sheet.append((name, *ROW[1:]))
    book.save(tmp_path / "s.xlsx")
    with pytest.raises(InputError, match=r"several sheets hold places; .* layer = .*东, 西"):
        read_stations(tmp_path / "s.xlsx", "wgs84")
    assert read_stations(tmp_path / "s.xlsx", "wgs84", layer="西")[0].name == "B"


def _frame(crs: str | None) -> geopandas.GeoDataFrame:
    values = {"名称": ["甲", "乙"], "开放时间": ["8点-20点", "24/7"], "设施": ["热水", "空调"]}
    points = [shapely.Point(116.3, 39.9), shapely.Point(116.4, 39.8)]
    frame = geopandas.GeoDataFrame(values, geometry=points, crs="EPSG:4490")
    return frame if crs is None else frame.to_crs(crs)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4547", "EPSG:32650"])
def test_vector_files_in_any_crs(tmp_path: Path, crs: str) -> None:
    frame = _frame(crs)
    frame.to_file(tmp_path / "s.gpkg", driver="GPKG")
    frame.to_file(tmp_path / "驿站.shp", driver="ESRI Shapefile", encoding="GBK")
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as packed:
        for ending in (".shp", ".shx", ".dbf", ".prj"):  # without .cpg, as old tools leave it
            packed.write(tmp_path / f"驿站{ending}", f"数据/驿站{ending}")
    for name in ("s.gpkg", "s.zip"):
        first, second = read_stations(tmp_path / name, "wgs84")
        assert (first.name, first.opening_hours, first.facilities) == ("甲", "08:00-20:00", ("water",))
        assert first.lonlat == pytest.approx((116.3, 39.9), abs=1e-6)
        assert second.lonlat == pytest.approx((116.4, 39.8), abs=1e-6)


def test_metres_without_a_crs_are_refused(tmp_path: Path) -> None:
    frame = _frame("EPSG:4547")
    frame.to_file(tmp_path / "s.shp", driver="ESRI Shapefile", encoding="GBK")
    (tmp_path / "s.prj").unlink()
    xy = frame.geometry.iloc[0]
    _csv(tmp_path / "s.csv", ("甲", xy.x, xy.y, "24/7", "", ""))
    for name in ("s.shp", "s.csv"):
        with pytest.raises(InputError, match=rf"{name}: .*metres.*crs = \"EPSG:4547\""):
            read_stations(tmp_path / name, "wgs84")
        found = read_stations(tmp_path / name, "wgs84", crs="EPSG:4547")
        assert found[0].lonlat == pytest.approx((116.3, 39.9), abs=1e-6)
    with pytest.raises(InputError, match="'EPSG:1' is no coordinate reference system"):
        read_stations(tmp_path / "s.csv", "wgs84", crs="EPSG:1")


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (("甲", 116.35, 39.99, "8:00-18:00 电话13812345678", "微驿站", "热水"), "1381\\*\\*\\*\\*678"),
        (("甲", 116.35, 39.99, "8:00-18:00", "13812345678", "热水"), "1381\\*\\*\\*\\*678"),
        (("甲", 13812345678, 39.99, "8:00-18:00", "微驿站", "热水"), "1381\\*\\*\\*\\*678"),
    ],
)
def test_no_sentence_repeats_a_telephone_number(tmp_path: Path, row: tuple[object, ...], shown: str) -> None:
    with pytest.raises(InputError, match=shown) as told:
        read_stations(_csv(tmp_path / "s.csv", row), "wgs84")
    assert "13812345678" not in str(told.value)
