# ruff: noqa: E501 - a line a row
"""Every common layout of trace files is read into the same points, with the same account."""

import datetime
import gzip
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from trace_layouts import (
    BAD,
    ENDING,
    ISO,
    KEY,
    LAT,
    POINTS,
    SERIAL,
    START_S,
    STEP_S,
    TEXTS,
    clock,
    features,
    form,
    gpx,
    lon,
    rows,
    table,
    timed,
    write_workbook,
)

from geo.errors import InputError
from geo.traces.formats import TraceFormat
from geo.traces.inspect import inspect_file
from geo.traces.read import map_traces, read_traces
from geo.traces.rows.riders import Pseudonyms


def check(path: Path, trace_format: TraceFormat, bad: int = BAD) -> None:
    refused = path.parent / "rejects.csv"
    result = read_traces(path, trace_format, key=KEY, rejects=refused)
    assert result.traces.t_s.tolist() == [START_S + STEP_S * k for k in range(POINTS)]
    side = -1 if "sign" in str(path.parent) else 1
    expected = [(lon(k), side * LAT) for k in range(POINTS)]
    # NMEA has four decimals of a minute, 0.2 m
    np.testing.assert_allclose(
        result.traces.lonlat, expected, atol=2e-6 if "NMEA" in str(path.parent) else 2e-7
    )
    assert len(result.traces.pseudonyms) == 1
    assert [(a.read, a.accepted, sum(a.rejected.values())) for a in result.accounts] == [
        (POINTS + bad, POINTS, bad)
    ]
    assert refused.read_text("utf-8-sig").count("\n") == 1 + bad


@pytest.mark.parametrize("name", TEXTS)
def test_golden_account_of_each_text_layout(tmp_path: Path, name: str) -> None:
    content, keys = TEXTS[name]
    tmp_path /= name
    tmp_path.mkdir()
    path = tmp_path / f"a.{ENDING.get(name, 'csv')}"
    path.write_bytes(content)
    check(path, form(**keys))
    packed = tmp_path / f"{path.name}.gz"
    packed.write_bytes(gzip.compress(content))
    check(packed, form(**keys))
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as inside:
        inside.writestr(f"x/{packed.name}", packed.read_bytes())
    check(archive, form(**keys))


@pytest.mark.parametrize("serial", [False, True])
def test_golden_account_of_a_workbook(tmp_path: Path, serial: bool) -> None:
    path = tmp_path / "a.xlsx"
    write_workbook(path, serial=serial)
    check(path, form())
    write_workbook(path, serial=serial, sheets=2)
    with pytest.raises(InputError, match=r"several sheets hold traces \('Sheet', 'T1'\); name one: sheet = "):
        read_traces(path, form(), key=KEY)
    check(path, form(sheet="T1"))
    with pytest.raises(InputError, match="no sheet 'T9'"):
        read_traces(path, form(sheet="T9"), key=KEY)


@pytest.mark.parametrize("ending", ["geojson", "json", "geojsonl"])
def test_golden_account_of_features(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_text(features(ending), "utf-8")
    check(path, form())


@pytest.mark.parametrize("ending", ["feather", "arrow", "zip"])
def test_golden_account_of_arrow_files(tmp_path: Path, ending: str) -> None:
    columns = {"rider_id": ["7"] * 5, "time": [*(r["time"] for r in rows()), "never"],
               "lon": [*(r["lon"] for r in rows()), 116.3], "lat": [LAT] * 5}  # fmt: skip
    held = pa.table(columns)
    path = tmp_path / f"a.{ending}"
    if ending == "arrow":
        with pa.ipc.new_stream(path, held.schema) as stream:
            stream.write_table(held, max_chunksize=2)
    else:
        feather.write_feather(held, tmp_path / "b.feather" if ending == "zip" else path, chunksize=2)
    if ending == "zip":
        with zipfile.ZipFile(path, "w") as inside:
            inside.write(tmp_path / "b.feather", "b.feather")
    check(path, form())


def test_golden_account_of_kmz(tmp_path: Path) -> None:
    path = tmp_path / "a.kmz"
    with zipfile.ZipFile(path, "w") as inside:
        inside.writestr("files/pin.png", b"x")
        inside.writestr("doc.kml", TEXTS["KML track"][0])
    check(path, form())
    (tmp_path / "b.kml").write_bytes(TEXTS["KML track"][0])
    with pytest.raises(InputError, match="KML"):
        read_traces([path, tmp_path / "b.kml"], form(), key=KEY)


def test_seconds_that_a_spreadsheet_lost_are_not_made_up(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(table("rider_id,time,lon,lat", lambda k: f"7,1.7724E+12,{lon(k)},{LAT}"))
    with pytest.raises(InputError, match="scientific notation"):
        read_traces(path, form(), key=KEY)
    path.write_bytes(timed("%a %b %d %H:%M:%S CST %Y"))
    assert "cst" in inspect_file(path, form()).hints  # and that is said
    # in Chicago it is another time, and in Berlin none
    with pytest.raises(InputError, match="unparsable_time"):
        read_traces(path, form(timezone="Europe/Berlin"), key=KEY)


def test_a_list_of_objects(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([*rows(), {"rider_id": "7"}]), "utf-8")
    check(path, form())


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32650"])
def test_golden_account_of_geopackage_and_geoparquet(tmp_path: Path, crs: str) -> None:
    import geopandas

    points = shapely.points([(r["lon"], r["lat"]) for r in [*rows(), rows()[0]]])
    columns = {"rider_id": ["7"] * 5, "time": [*(r["time"] for r in rows()), "never"]}
    frame = geopandas.GeoDataFrame(columns, geometry=points, crs="EPSG:4326").to_crs(crs)
    frame.to_file(tmp_path / "a.gpkg", layer="points")
    check(tmp_path / "a.gpkg", form())
    frame.to_parquet(tmp_path / "a.parquet")
    check(tmp_path / "a.parquet", form())
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as inside:
        inside.write(tmp_path / "a.gpkg", "b.gpkg")
    check(tmp_path / "a.zip", form())
    pyogrio.write_dataframe(frame, tmp_path / "a.gpkg", layer="more", append=True)
    with pytest.raises(InputError, match=r"name the layer of the points: layer = .*'points', 'more'"):
        read_traces(tmp_path / "a.gpkg", form(), key=KEY)
    check(tmp_path / "a.gpkg", form(layer="more"))


def test_compact_times_and_serial_days_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    for times in (
        [int(clock(k, "%Y%m%d%H%M%S")) for k in range(POINTS)],
        [SERIAL + STEP_S * k / 86_400 for k in range(POINTS)],
    ):
        columns = {"rider_id": ["7"] * 4, "time": times, "lon": [r["lon"] for r in rows()], "lat": [LAT] * 4}
        pq.write_table(pa.table(columns), path)
        check(path, form(), bad=0)


@pytest.mark.parametrize(
    ("content", "keys", "said"),
    [
        (table("", lambda k: f"13800001111,{clock(k, ISO)},{lon(k)},{LAT}"), {},
         r"no header line.*1380\*\*\*\*111 \| 2026-03-02 \*\*:\*\*:\*\* \| 116\.3\* \| 39\.9\*, as in T-Drive:"
         r" columns = \{ rider_id = 1, time = 2, lon = 3, lat = 4 \}"),
        (table("rider_id,time,gps_time,lon,lat", lambda k: f"7,1,2,{lon(k)},{LAT}"), {},
         r'2 columns could be time; say which: columns = \{ time = "time" or "gps_time" \}'),
        (timed("%m/%d/%Y %H:%M:%S"), {}, 'time_format = "mdy" or "dmy"'),
        (table("rider_id,time,lon,lat", lambda k: f"7,{clock(k, '%H:%M:%S')},{lon(k)},{LAT}"), {},
         "the times have no date"),
        (table("rider_id,time,坐标x", lambda k: f'7,{clock(k, ISO)},"39.9,49.9"'), {"columns": {"lonlat": "坐标x"}},
         'lonlat_format = "lon,lat" or "lat,lon"'),
        (table("order_no,time,lon,lat", lambda k: f"7,{clock(k, ISO)},{lon(k)},{LAT}"), {},
         r"no column for rider_id.*'order_no' is an order, not a rider"),
        (table("rider_id,time,lon_gcj02,lat_gcj02", lambda k: f"7,{clock(k, ISO)},{lon(k)},{LAT}"), {},
         "says gcj02, but the datum was declared as wgs84"),
        (table("rider_id,time,lon,lon", lambda k: "7,1,2,3"), {"columns": {"lon": "lon"}}, "2 columns could be lon"),
        (table("courier,seen,px,py", lambda k: f"7,{clock(k, ISO)},{lon(k)},{LAT}"), {},
         'by their values: columns = { time = "seen", lon = "px", lat = "py" }'),
        # two columns of times, and both numbers below 90: nothing is proposed that has two readings
        (table("courier,seen,sent,px,py", lambda k: f"7,{clock(k, ISO)},{clock(k, ISO)},{lon(k)},{LAT}"), {},
         'by their values: columns = { lon = "px", lat = "py" }'),
        (table("courier,time,px,py", lambda k: f"7,{clock(k, ISO)},24.94,60.17"), {},
         'no column for lon; .*name it: columns = { lon = "..." }'),
        (timed(ISO), {"columns": {"lon": 9}}, "no row has values at the declared positions"),
    ],
)  # fmt: skip
def test_what_has_two_readings_is_asked_for(
    tmp_path: Path, content: bytes, keys: Mapping[str, Any], said: str
) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read_traces(tmp_path / "a.csv", form(**keys), key=KEY)
    assert "13800001111" not in str(caught.value)
    assert re.search(r"116\.3\d", str(caught.value)) is None


def test_columns_that_are_named_in_words_of_others_are_found(tmp_path: Path) -> None:
    for rider, moment in (("device_id", "ts"), ("车牌号", "report_time"), ("imei", "unix_timestamp")):
        (tmp_path / "a.csv").write_bytes(
            table(f"{rider},{moment},lng,lat", lambda k: f"7,{1772437200 + 15 * k},{lon(k)},{LAT}")
        )
        assert read_traces(tmp_path / "a.csv", form(), key=KEY).accounts[0].accepted == 4


def test_positions_within_objects_and_milliseconds_by_name_are_found(tmp_path: Path) -> None:
    phone = tmp_path / "phone.jsonl"
    record = {
        "userId": "a",
        "timestampMs": "1772400000123",
        "coords": {"latitude": 39.99, "longitude": 116.3},
    }
    phone.write_text(json.dumps(record) + "\n")
    takeout = tmp_path / "takeout.csv"
    takeout.write_text("rider,timestampMs,longitudeE7,latitudeE7\na,1772400000123,1163000000,399900000\n")
    for path in (phone, takeout):
        traces = read_traces(path, form(), key=KEY).traces
        assert traces.t_s.tolist() == [1_772_400_000]
        assert traces.lonlat.tolist() == [[116.3, 39.99]]
    both = tmp_path / "both.csv"
    both.write_text("rider,time,lon,lat,loc_lon,loc_lat\na,1772400000,116.3,39.9,116.4,39.8\n")
    with pytest.raises(InputError, match="2 columns could be lon"):
        read_traces(both, form(), key=KEY)


@pytest.mark.parametrize(("pattern", "order"), [("%m/%d/%Y", "mdy"), ("%d/%m/%Y", "dmy")])
def test_dates_that_begin_with_month_or_day_are_told_apart_by_their_values(
    tmp_path: Path, pattern: str, order: str
) -> None:
    days = [datetime.date(2026, 3, 2), datetime.date(2026, 3, 13)]
    lines = [f"7,{day.strftime(pattern)} 5:25:00,116.3,39.98" for day in days]
    (tmp_path / "a.csv").write_text("\n".join(["rider_id,time,lon,lat", *lines]), "utf-8")
    traces = read_traces(tmp_path / "a.csv", form(), key=KEY).traces
    assert traces.t_s.tolist() == [START_S, START_S + 11 * 86_400], order


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"time_format": "us"}, "unknown time_format"),
        ({"lonlat_format": "xy"}, "unknown lonlat_format"),
        ({"position_unit": "e9"}, "unknown position_unit"),
        ({"rider": "driver"}, "unknown rider"),
        ({"columns": {"lon": 0}}, "must be 1 or more"),
        ({"interval_s": 0.0}, "interval_s"),
    ],
)
def test_bad_keys_get_one_sentence(keys: Mapping[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        form(**keys)


def test_gbk_that_begins_late_and_a_cut_byte(tmp_path: Path) -> None:
    def line(k: int, name: str) -> str:
        return f"{name},{START_S + STEP_S * k},{lon(k % 50)},{LAT}"

    path = tmp_path / "a.csv"
    plain = "\n".join(["rider_id,time,lon,lat", *(line(k, "7") for k in range(300_000))])
    path.write_bytes(f"{plain}\n{line(0, '骑手甲')}\n{line(0, '骑手乙')}\n".encode("gbk"))
    assert path.stat().st_size > 8_100_000, "beyond the first block"
    assert len(read_traces(path, form(), key=KEY).traces.pseudonyms) == 3
    whole = "\n".join(
        ["rider_id,time,lon,lat", *(line(k, "骑手甲") for k in range(100)), line(0, "乙丙"), ""]
    )
    broken = whole.encode().replace("乙丙".encode(), "乙丙".encode()[:-1])
    path.write_bytes(broken)
    result = read_traces(path, form(), key=KEY)
    assert (result.accounts[0].read, result.accounts[0].accepted) == (101, 100)
    assert len(result.traces.pseudonyms) == 1
    path.write_bytes(whole.encode())
    whole_name = read_traces(path, form(), key=KEY).traces.pseudonyms
    assert set(result.traces.pseudonyms) < set(whole_name), "one cut byte must not garble the file"


@pytest.mark.parametrize("encoding", ["utf-8", "gb2312", "gbk", "utf-16"])
@pytest.mark.parametrize("zone", ["Z", ""])
def test_gpx_in_chinese_encodings_without_z_and_with_other_times(
    tmp_path: Path, encoding: str, zone: str
) -> None:
    path = tmp_path / "张三.gpx"
    path.write_bytes(gpx("骑手甲", encoding, zone))
    check(path, form(), bad=0)


def test_a_zip_of_daily_plt_files_without_folders_needs_a_word_on_their_riders(tmp_path: Path) -> None:
    head = "Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2,255,My Track,0,0,2,8421376\n0\n"
    for archive, folder in (("flat.zip", ""), ("people.zip", "000/Trajectory/")):
        with zipfile.ZipFile(tmp_path / archive, "w") as inside:
            for day in range(1, 13):
                rows = [
                    f"39.98,116.30{m:02d},0,100,39744.1,2026-03-{day:02d},08:{m:02d}:00" for m in range(30)
                ]
                inside.writestr(f"{folder}{day}.plt", head + "\n".join(rows) + "\n")
    with pytest.raises(InputError, match=r"12 PLT files, and nothing says whose"):
        read_traces(tmp_path / "flat.zip", TraceFormat("wgs84", "Asia/Shanghai"), key=KEY)
    result = read_traces(tmp_path / "people.zip", TraceFormat("wgs84", "Asia/Shanghai"), key=KEY)
    assert len(result.traces.pseudonyms) == 1


def test_several_gpx_files_need_a_word_on_their_riders(tmp_path: Path) -> None:
    """Twelve daily files of one person are not twelve riders unless somebody says so."""
    for day in range(12):
        folder = tmp_path / "tracks" / f"person-{day % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        content = gpx("x", "utf-8").replace(b"2026-03-01", f"2026-03-{day + 1:02d}".encode())
        (folder / f"{'ab'[day % 2]}_2026-03-{day + 1:02d}.gpx").write_bytes(content)
    tracks = tmp_path / "tracks"
    with pytest.raises(
        InputError, match=r'12 GPX files, and nothing says whose.*rider = "folder".*rider = "file"'
    ):
        read_traces(tracks, form(), key=KEY)
    for rider, riders in (("folder", 2), ("{rider}_*.gpx", 2), ("person-{rider}/*.gpx", 2), ("file", 12)):
        result = read_traces(tracks, form(rider=rider), key=KEY)
        assert len(result.traces.pseudonyms) == riders
        assert sum(a.accepted for a in result.accounts) == 12 * POINTS
    with pytest.raises(InputError, match="does not fit the pattern"):
        read_traces(tracks, form(rider="x{rider}y"), key=KEY)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as inside:
        for path in sorted(tracks.rglob("*.gpx")):
            inside.write(path, str(path.relative_to(tracks)))
    with pytest.raises(InputError, match="12 GPX files"):
        read_traces(tmp_path / "a.zip", form(), key=KEY)
    assert len(read_traces(tmp_path / "a.zip", form(rider="folder"), key=KEY).traces.pseudonyms) == 2


def test_a_table_without_a_rider_column_may_be_one_of_a_file(tmp_path: Path) -> None:
    for name in ("a_1", "a_2", "b_1"):
        first_s = START_S + 86_400 * int(name[-1])
        lines = [f"{first_s + STEP_S * k},{lon(k)},{LAT}" for k in range(POINTS)]
        content = "\n".join(["time,lon,lat", *lines]).encode()
        (tmp_path / f"{name}.csv").write_bytes(content)
    with pytest.raises(InputError, match='rider = "folder", "file" or a pattern'):
        read_traces(tmp_path, form(), key=KEY)
    result = read_traces(tmp_path, form(rider="{rider}_*.csv"), key=KEY)
    assert len(result.traces.pseudonyms) == 2
    assert [a.file for a in result.accounts] == ["file 1.csv", "file 2.csv", "file 3.csv"]


def test_foreign_files_are_passed_by_and_listed(tmp_path: Path) -> None:
    folder = tmp_path / "Data" / "001" / "Trajectory"
    folder.mkdir(parents=True)
    plt = ["Geolife trajectory", "WGS 84", "Altitude is in Feet", "Reserved 3", "0,2", "0"]
    plt += [
        f"{LAT},{lon(k)},0,492,46082.9,2026-03-01,21:{25 + k * 15 // 60}:{k * 15 % 60:02d}" for k in range(4)
    ]
    (folder / "20260301212500.plt").write_text("\r\n".join(plt), "ascii")
    (tmp_path / "Data" / "001" / "labels.txt").write_text(
        "Start Time\tEnd Time\tMode\n2026/3/1 0:00:00\t\tbus\n"
    )
    (tmp_path / "readme.txt").write_text("These are traces.\nThey were handed over in March.\n")
    (tmp_path / "guide.pdf").write_bytes(b"%PDF")
    result = read_traces(tmp_path, form(), key=KEY)
    assert [a.file for a in result.accounts] == ["20260301212500.plt"]
    assert dict(result.skipped) == {
        "guide.pdf": "skipped_name",
        "labels.txt": "skipped_columns",
        "readme.txt": "skipped_columns",
    }
    found = read_traces(tmp_path / "Data" / "*" / "Trajectory" / "*.plt", form(), key=KEY)
    assert len(found.traces) == 4
    with pytest.raises(InputError, match="no trace file fits this pattern"):
        read_traces(tmp_path / "Data" / "*" / "Track" / "*.plt", form(), key=KEY)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as inside:
        inside.writestr("a.csv", timed(ISO))
        inside.writestr("readme.txt", "These are traces.\n")
        inside.writestr("13800001111.pdf", "%PDF")
    packed = map_traces(tmp_path / "all.zip", form(), len, pseudonyms=Pseudonyms(KEY))
    assert packed.accounts[0].accepted == 4
    assert dict(packed.skipped) == {
        "all.zip: 1380****111.pdf": "skipped_name",
        "all.zip: readme.txt": "skipped_columns",
    }
