# ruff: noqa: E501 - a line a case
"""What is wrong with trace files is said in the language of who asked."""

import re
from pathlib import Path
from typing import Any

import pytest
from trace_layouts import KEY, form, gpx

from geo.errors import InputError
from geo.traces.inspect import check_headers, inspect_file
from geo.traces.read import read_traces

ROWS = "7,2026-03-02 08:00:00,116.3,39.98\n"
WORDS = re.compile(r"\b(the|and|cannot|no|name|which|must|column|rows?)\b(?! ?[=_])")


@pytest.mark.parametrize(
    ("name", "text", "keys", "english", "chinese"),
    [
        ("a.csv", "", {}, "the file is empty; it needs a header", "文件为空；需要一行表头"),
        ("a.csv", ROWS * 3, {}, "the file has no header line; name the position", "文件没有表头行；请写明每一列的位置"),
        ("a.csv", f"time,lon,lat,order_no\n{ROWS}", {}, "no column for rider_id; the file has 'time'",
         "没有 rider_id 列；文件中有 'time'"),
        ("a.csv", f"rider_id,time,lon,lng,lat\n{ROWS}", {}, '2 columns could be lon; say which: columns = { lon = "lon" or "lng" }',
         '有 2 列都可能是 lon；请指明：columns = { lon = "lon" 或 "lng" }'),
        ("a.csv", "rider_id,time,lon,lat\n7,03/02/2026 08:00,116.3,39.9\n", {}, "may begin with the month",
         "可能月在前，也可能日在前"),
        ("a.csv", "rider_id,time,lon,lat\nx,y,z,w\n", {}, "none of the 1 rows can be used (unparsable_time 1); the form",
         "1 行都不能使用（unparsable_time 1）；时间格式未知"),
        ("a.json", "[1, 2]", {}, "holds no objects", "没有带位置的对象"),
        ("a.xyz", "", {}, "cannot tell what kind", "无法判断文件类型"),
        ("a.tcx", "<tcx/>", {}, "save the track as GPX", "请把轨迹另存为 GPX"),
        ("a.fit", "x", {}, "save the track as GPX", "请把轨迹另存为 GPX"),
        ("a.orc", "x", {}, "write the same table as Parquet", "请把同一张表写成 Parquet"),
        ("a.feather", "x", {}, "the Arrow file is broken", "Arrow 文件损坏"),
        ("a.xls", "x", {}, "save it as .xlsx", "请另存为 .xlsx"),
        ("a.shp", "x", {}, "export the points as GeoPackage", "请把点导出为 GeoPackage"),
        ("a.db", "x", {}, "export the table", "请把表导出"),
        ("a.7z", "x", {}, "pack it as .zip", "改用 .zip 打包"),
        ("a.parquet", "PAR1", {}, "the Parquet file is broken", "Parquet 文件损坏"),
        ("a.gpkg", "x", {}, "the GeoPackage is broken", "GeoPackage 损坏"),
        ("a.csv", f"rider_id,time,lon,lat\n{ROWS}", {"timezone": None}, "the times carry no zone", "时间没有时区"),
    ],
)  # fmt: skip
def test_a_refusal_is_said_in_both_languages(
    tmp_path: Path, name: str, text: str, keys: dict[str, Any], english: str, chinese: str
) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        read_traces(path, form(**keys), key=KEY)
    assert english in caught.value.text("en") == str(caught.value)
    told = caught.value.text("zh")
    assert chinese in told
    assert not WORDS.search(told), told


def test_files_of_nobody_and_the_datum_are_told_in_both_languages(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.gpx").write_bytes(gpx("a", "utf-8"))
    with pytest.raises(InputError) as caught:
        read_traces(tmp_path, form(), key=KEY)
    assert "但没有说明属于谁" in caught.value.text("zh")
    (tmp_path / "a.csv").write_text(f"rider_id,time,lon,lat\n{ROWS}", "utf-8")
    with pytest.raises(InputError) as caught:
        read_traces(tmp_path / "a.csv", form(datum="auto"), key=KEY)
    assert caught.value.text("zh") == "a.csv：坐标系 auto 需要城市地图"


def test_headers_and_the_inspector_speak_both_languages(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"time,lon,lat,x\n{ROWS}", "utf-8")
    with pytest.raises(InputError) as caught:
        check_headers([path], form())
    assert "没有 rider_id 列" in caught.value.text("zh")
    look = inspect_file(path, form(datum="auto")).look
    assert not isinstance(look.said, str)
    assert look.problem == look.said.text("en") != look.said.text("zh")
