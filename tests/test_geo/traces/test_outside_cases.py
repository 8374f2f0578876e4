"""Files and traces that other readers and stop detectors got wrong, as their trackers tell: in our words."""

import datetime
import functools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from plain_traces import T0, stand, traces_of
from trace_layouts import KEY, form

from geo.errors import InputError
from geo.stays import find_stay_points
from geo.traces.files.text import utf8_blocks
from geo.traces.points import Account
from geo.traces.read import ReadResult, read_traces

UTC_S = 1_772_400_300  # 2026-03-01 21:25:00 UTC


def read(path: Path, content: str | bytes, **keys: object) -> ReadResult:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_traces(path, form(**keys), key=KEY)


def counted(account: Account) -> tuple[int, int, dict[str, int]]:
    assert account.accepted + sum(account.rejected.values()) == account.read
    return account.read, account.accepted, dict(account.rejected)


def gpx(*times: str, at: str = 'lat="39.98" lon="116.3"') -> str:
    points = "".join(f"<trkpt {at}>{f'<time>{t}</time>' if t else ''}</trkpt>" for t in times)
    return f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>"


@pytest.mark.parametrize(
    ("time", "expected_s"),
    [
        ("2026-03-01T14:25:00-07:00", UTC_S),  # gpxpy 114: the offset was dropped
        ("2026-03-02T05:25:00.137+08:00", UTC_S),  # FitTrackee 156
        ("2026-03-01T21:25:00.609273374Z", UTC_S),  # gpxpy 174: nine decimals
        ("2026-03-01T21:25Z", UTC_S),  # gpxpy 23: to the minute
        ("2026-03-01T23:25+02:00", UTC_S),
        ("2026-03-01T21:25", UTC_S),  # without a zone: UTC, as the standard says
    ],
)
def test_times_of_gpx_in_the_forms_that_apps_write(tmp_path: Path, time: str, expected_s: int) -> None:
    assert read(tmp_path / "a.gpx", gpx(time)).traces.t_s.tolist() == [expected_s]


def test_points_of_gpx_without_a_time_cost_only_themselves(tmp_path: Path) -> None:
    """As in gpx-animator 202: a device that writes no time for its first and its last point."""
    result = read(tmp_path / "a.gpx", gpx("", "2026-03-01T21:25:00Z", "2026-03-01T21:26:00Z", ""))
    assert counted(result.accounts[0]) == (4, 2, {"unparsable_time": 2})


def test_points_of_gpx_without_a_place_are_counted(tmp_path: Path) -> None:
    """OpenTracks 587: a pause is a point that has a time only."""
    paused = gpx("2026-03-01T21:25:00Z").replace(
        "</trkseg>", "<trkpt><time>2026-03-01T21:26:00Z</time></trkpt></trkseg>"
    )
    assert counted(read(tmp_path / "a.gpx", paused).accounts[0]) == (2, 1, {"unparsable_position": 1})


def test_every_segment_of_a_track_is_read_and_empty_ones_are_nothing(tmp_path: Path) -> None:
    """Only the first segment was kept (gpxjs 34), and an empty one failed (Geo 23)."""
    whole = gpx("2026-03-01T21:25:00Z").replace(
        "</trkseg></trk>",
        '</trkseg><trkseg/><trkseg></trkseg></trk><trk/><trk><trkseg><trkpt lat="39.98" lon="116.3">'
        "<time>2026-03-01T21:26:00Z</time></trkpt></trkseg></trk>",
    )
    assert counted(read(tmp_path / "a.gpx", whole).accounts[0]) == (2, 2, {})


def test_a_name_of_a_column_may_go_over_a_line_end(tmp_path: Path) -> None:
    """As in polars 8402: spreadsheets break long headings."""
    content = f'rider_id,time,"lon\n(WGS84)",lat\n7,{UTC_S},116.3,39.98\n7,{UTC_S + 15},116.3,39.98\n'
    assert counted(read(tmp_path / "a.csv", content).accounts[0]) == (2, 2, {})


def test_a_title_above_the_header_may_go_over_a_line_end(tmp_path: Path) -> None:
    """As in polars 19535: lines were skipped without a look at quotes."""
    content = f'"Tracks of March,\nall riders"\nrider_id,time,lon,lat\n7,{UTC_S},116.3,39.98\n'
    assert counted(read(tmp_path / "a.csv", content).accounts[0]) == (1, 1, {})


def test_comments_and_metadata_above_a_header_are_passed_by(tmp_path: Path) -> None:
    """As in polars 21441: a head of key,value lines before the table."""
    content = f"# metadata\nVERSION,1.0.0\nrider_id,time,lon,lat,note\n7,{UTC_S},116.3,39.98,a\n"
    assert counted(read(tmp_path / "a.csv", content).accounts[0]) == (1, 1, {})


@pytest.mark.parametrize("shift", range(8))
def test_line_ends_in_quotes_at_the_edge_of_a_block_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shift: int
) -> None:
    """As in arrow 51368: a CR LF inside quotes across two blocks lost a byte.

    Here it stands in the rider's id, the last column, where a line by itself looks whole.
    """
    blocks = functools.partial(utf8_blocks, block_bytes=300)
    monkeypatch.setattr("geo.traces.files.tables.delimited.utf8_blocks", blocks)
    rows = "".join(f'{UTC_S + 15 * k},116.3,39.98,"a\r\nb"\r\n' for k in range(40))
    content = f"time,lon,lat,{'x' * shift}rider_id\r\n{rows}"
    result = read(tmp_path / "a.csv", content, columns={"rider_id": f"{'x' * shift}rider_id"})
    assert counted(result.accounts[0]) == (40, 40, {})
    assert len(result.traces.pseudonyms) == 1


def test_quotes_that_nobody_closes_cost_no_other_row(tmp_path: Path) -> None:
    """Two lines whose last field opens with a quote: each is whole by itself, and they are not one."""
    rows = "".join(f"7,{UTC_S + 15 * k},116.3,39.98,{'ab' if k % 3 else chr(34) + 'ab'}\n" for k in range(9))
    assert counted(read(tmp_path / "a.csv", f"rider_id,time,lon,lat,note\n{rows}").accounts[0]) == (9, 9, {})


def test_a_bare_line_feed_in_a_file_of_crlf_costs_its_row_only(tmp_path: Path) -> None:
    """As in polars 17709: a line feed in a field without quotes; nobody can tell it from the end of a row."""
    rows = [f"7,{UTC_S + 15 * k},116.3,39.98,note" for k in range(5)]
    rows[2] = rows[2].replace("note", "no\nte")
    account = read(
        tmp_path / "a.csv", "rider_id,time,lon,lat,note\r\n" + "\r\n".join(rows) + "\r\n"
    ).accounts[0]
    read_rows, accepted, rejected = counted(account)
    assert accepted >= 4
    assert read_rows == accepted + rejected.get("unparsable_row", 0)


def test_a_stray_carriage_return_in_a_field_is_part_of_it(tmp_path: Path) -> None:
    """As in polars 15349: crawled texts with a lone CR."""
    rows = "".join(f'7,{UTC_S + 15 * k},116.3,39.98,"no\rte"\n' for k in range(3))
    account = read(tmp_path / "a.csv", f"rider_id,time,lon,lat,note\n{rows}").accounts[0]
    assert counted(account) == (3, 3, {})


def test_a_stay_ends_with_the_last_point_inside_not_with_the_first_one_outside() -> None:
    """As in scikit-mobility 263: the rider was seen again 17 minutes later, elsewhere."""
    stays = find_stay_points(traces_of([*stand(0, 360, step=60), (1380, 900.0, 0.0), (1440, 1800.0, 0.0)]))
    assert (stays.end_s - T0).tolist() == [360]


def test_a_trace_that_begins_with_two_points_far_apart_in_time_but_not_in_place_is_a_stay() -> None:
    """As in trackintel 616: a difference to the row before is not defined for the first row."""
    stays = find_stay_points(traces_of([(0, 0.0, 0.0), (840, 1.0, 0.0), (3600, 90_000.0, 0.0)]))
    assert [(stays.start_s - T0).tolist(), (stays.end_s - T0).tolist()] == [[0], [840]]


def test_a_gap_of_years_right_after_the_first_point_is_no_stay() -> None:
    """As in trackintel 308: the gap was looked for from the second point on."""
    years = 4 * 365 * 86_400
    rows = [(0, 0.0, 0.0), *((years + t, x, y) for t, x, y in stand(0, 300, 5.0))]
    stays = find_stay_points(traces_of(rows))
    assert (stays.start_s - T0).tolist() == [years]


def test_two_points_that_lie_apart_are_no_stay_however_long_it_took() -> None:
    """As in trackintel 615."""
    assert len(find_stay_points(traces_of([(0, 0.0, 0.0), (800, 300.0, 0.0), (1600, 600.0, 0.0)]))) == 0


def test_of_two_stays_without_a_point_between_them_none_loses_its_first_one() -> None:
    """As in movingpandas 296: the first point after a stay was kept for neither."""
    rows = [*((t, 0.0, 0.0) for t in range(0, 361, 60)), *((t, 300.0, 0.0) for t in range(420, 781, 60))]
    stays = find_stay_points(traces_of(rows))
    assert [(stays.start_s - T0).tolist(), (stays.end_s - T0).tolist()] == [[0, 420], [360, 780]]
    assert stays.n_points.tolist() == [7, 7]


def test_no_stay_is_shorter_than_asked_for() -> None:
    """As in trackintel 132: the last point was taken off after the length was looked at."""
    rng = np.random.default_rng(3)
    rows = [
        (30 * k, float(x), float(y))
        for k, (x, y) in enumerate(rng.normal(0, 60, (400, 2)).cumsum(axis=0) / 3)
    ]
    assert (find_stay_points(traces_of(rows), min_stay_s=120).duration_s >= 120).all()


def test_hours_that_a_clock_change_leaves_out_or_repeats_are_told(tmp_path: Path) -> None:
    """As in mobiml 47: times ran backwards on the day on which summer time begins."""
    clocks = ["01:59:30", "02:30:00", "03:00:00", "03:00:30"]
    rows = "".join(f"7,2026-03-29 {clock},24.94,60.17\n" for clock in clocks)
    result = read(tmp_path / "a.csv", f"rider_id,time,lon,lat\n{rows}", timezone="Europe/Helsinki")
    read_rows, accepted, rejected = counted(result.accounts[0])
    assert (read_rows, accepted) == (4, 4) or "nonexistent_time" in rejected
    assert (np.diff(result.traces.t_s) > 0).all()


def test_a_gpx_file_without_any_time_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """As in gps-util 7: routes that were planned and never ridden."""
    with pytest.raises(InputError, match="none of the 2 rows can be used"):
        read(tmp_path / "a.gpx", gpx("", ""))


def fixes(header: str, *rows: str) -> str:
    return "\n".join([header, *(f"7,2026-03-02 08:00:{15 * k:02d},{row}" for k, row in enumerate(rows)), ""])


@pytest.mark.parametrize(
    ("header", "row", "lonlat"),
    [
        ("lat,ns,lon,ew", "33.98,S,70.3,W", (-70.3, -33.98)),
        ("lat,ns,lon,ew", "39.98,N,116.3,E", (116.3, 39.98)),
        ("lat,lon", "39.98°N,116.3°E", (116.3, 39.98)),
        ("lat,lon", "33.98S,W70.3", (-70.3, -33.98)),
        ("lat,lon", "北纬39.98,东经116.3", (116.3, 39.98)),
        ("lat,lon", "３９．９８,１１６．３", (116.3, 39.98)),
    ],
)
def test_hemispheres_count(tmp_path: Path, header: str, row: str, lonlat: tuple[float, float]) -> None:
    """As in traccar 1974 and QGIS 57480: letters beside numbers; without them half the world is mirrored."""
    result = read(tmp_path / "a.csv", fixes(f"rider_id,time,{header}", row, row, row))
    assert counted(result.accounts[0]) == (3, 3, {})
    assert result.traces.lonlat[0] == pytest.approx(lonlat)


def test_hemispheres_count_with_minutes_too(tmp_path: Path) -> None:
    row = "3358.8000,S,07018.0000,W"
    content = fixes("rider_id,time,lat,ns,lon,ew", row, row)
    result = read(tmp_path / "a.csv", content, position_unit="ddmm")
    assert result.traces.lonlat[0] == pytest.approx((-70.3, -33.98))


@pytest.mark.parametrize(("good", "bad"), [("true", "false"), ("1", "0"), ("A", "V"), ("Yes", "No")])
def test_fixes_that_the_receiver_calls_invalid_are_refused(tmp_path: Path, good: str, bad: str) -> None:
    """As in traccar-web 461: such a fix is outdated, inaccurate or none."""
    rows = [f"39.98,116.3,{word}" for word in (good, bad, good)]
    account = read(tmp_path / "a.csv", fixes("deviceId,fixTime,latitude,longitude,valid", *rows)).accounts[0]
    assert counted(account) == (3, 2, {"poor_accuracy": 1})


def test_texts_as_polars_writes_them_are_texts(tmp_path: Path) -> None:
    """Views of strings, which Arrow readers get back from Parquet as such."""
    content = {
        "rider_id": ["7", "7"], "time": ["2026-03-02 08:00:00", "2026-03-02 08:00:15"],
        "lon": ["116.3", "116.3"], "lat": ["39.98", "39.98"],
    }  # fmt: skip
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({k: pa.array(v, pa.string_view()) for k, v in content.items()}), path)
    assert counted(read_traces(path, form(), key=KEY).accounts[0]) == (2, 2, {})


def test_a_date_and_a_clock_with_types_are_a_time(tmp_path: Path) -> None:
    clocks = [datetime.time(8, 0, 0), datetime.time(8, 0, 15)]
    columns = {"rider_id": ["7"] * 2, "date": [datetime.date(2026, 3, 2)] * 2, "time": clocks}
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns | {"lon": [116.3] * 2, "lat": [39.98] * 2}), path)
    result = read_traces(path, form(), key=KEY)
    assert counted(result.accounts[0]) == (2, 2, {})
    assert result.traces.t_s.tolist() == [1_772_409_600, 1_772_409_615]
    pq.write_table(
        pa.table({"rider_id": ["7"] * 2, "time": clocks, "lon": [116.3] * 2, "lat": [39.98] * 2}), path
    )
    with pytest.raises(InputError, match="date"):
        read_traces(path, form(), key=KEY)


def test_the_records_of_a_phone_are_a_list_within_an_object(tmp_path: Path) -> None:
    """As in traccar 5002: Records.json, which people cut down by hand."""
    one = (
        '{"latitudeE7":399800000,"longitudeE7":1163000000,"timestamp":"2026-03-02T08:00:0%dZ","deviceTag":7}'
    )
    content = f'{{"locations": [{one % 0},\n{one % 9}]}}'
    result = read(tmp_path / "Records.json", content, columns={"rider_id": "deviceTag"})
    assert counted(result.accounts[0]) == (2, 2, {})
    assert result.traces.lonlat[0] == pytest.approx((116.3, 39.98))


@pytest.mark.parametrize(
    "apart",
    ["，", " ", "   ", " \t "],
)
def test_columns_may_be_parted_by_full_width_commas_or_blanks(tmp_path: Path, apart: str) -> None:
    rows = [("rider_id", "time", "lon", "lat")]
    rows += [
        (f"r{n % 2}", f"2026-03-02T08:{n // 2:02}:00", f"{116.3 + n / 1e4:.4f}", "39.98") for n in range(40)
    ]
    lines = [apart.join(row) for row in rows]
    lines[7] = apart.join((*rows[7], "more"))
    if apart.strip() == "":
        lines = [f"  {line} " if number % 3 else line for number, line in enumerate(lines)]
    account = read(tmp_path / "a.txt", "\n".join(lines)).accounts[0]
    # The line with a field too many is refused, and counted.
    assert counted(account)[:2] == (40, 39)


def test_a_clock_in_a_column_of_its_own_is_parted_by_blanks_too(tmp_path: Path) -> None:
    text = "".join(f"r1 2026-03-02 08:{n:02}:00 {116.3 + n / 1e4:.4f} 39.98\n" for n in range(9))
    found = read(tmp_path / "a.txt", "rider_id date time lon lat\n" + text)
    assert counted(found.accounts[0]) == (9, 9, {})


def test_lines_of_words_are_no_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read(tmp_path / "a.txt", "These are the traces\nof all our riders\nin the last week\n")


@pytest.mark.parametrize(
    "time",
    [
        "02-Mar-2026 05:25:00", "2 March 2026 05:25:00", "Mar 2, 2026 5:25:00 AM", "March 2nd, 2026 05:25:00",
        "Mon, 02 Mar 2026 05:25:00 +0800", "02/MAR/2026 05:25:00", "2026-03-02 05:25:00 a.m.",
    ],
)  # fmt: skip
def test_months_may_be_named_in_english(tmp_path: Path, time: str) -> None:
    found = read(tmp_path / "a.csv", f'rider_id,time,lon,lat\nr1,"{time}",116.3,39.98\n')
    assert found.traces.t_s.tolist() == [UTC_S]


@pytest.mark.parametrize("time", ["02-Mar-26 05:25:00", "Smart 2 2026", "99-Mar-2026 05:25:00", "March 2026"])
def test_a_name_of_a_month_alone_makes_no_time(tmp_path: Path, time: str) -> None:
    text = f'rider_id,time,lon,lat\nr1,"{time}",116.3,39.98\nr1,2026-03-02 05:25:00,116.3,39.98\n'
    assert counted(read(tmp_path / "a.csv", text).accounts[0]) == (2, 1, {"unparsable_time": 1})


@pytest.mark.parametrize(
    ("name", "content", "keys", "accepted", "refused"),
    [
        # Traccar 2809: positions as its database writes them
        (
            "a.csv",
            "# id, protocol, deviceId, serverTime, fixTime, valid, latitude, longitude, address, attributes\n"
            + "".join(
                f"'{k}', 'mxt', '7', '2026-03-02 09:00:00', '2026-03-02 05:25:{15 * k:02}', '1',"
                " '39.98', '116.3', NULL, '{\\\"index\\\":5174,\\\"ignition\\\":true}'\n"
                for k in range(4)
            ),
            {},
            4,
            {},
        ),
        # mie-lab location-prediction 4: numbers without zeros before them, and months from 0
        (
            "a.csv",
            "rider_id,time,lon,lat\n7,2026-3-2 5:25:0,116.3,39.98\n7,2026-3-2 5:25:9,116.3,39.98\n"
            "7,2026-0-2 7:0:57,116.3,39.98\n7,2026-3-2 5:2,116.3,39.98\n",
            {},
            2,
            {"unparsable_time": 2},
        ),
        # R: rows begin with their numbers, above which nothing stands
        (
            "a.csv",
            '"rider_id","time","lon","lat"\n'
            + "".join(f'"{k}","7","2026-03-02 05:25:{15 * k:02}",116.3,39.98\n' for k in range(1, 4)),
            {},
            3,
            {},
        ),
        # trackintel 343: its own names, an index without one, places as WKT
        (
            "a.csv",
            ";user_id;tracked_at;geom\n"
            + "".join(f"{k};7;2026-03-01 21:25:{15 * k:02}+00:00;POINT (116.3 39.98)\n" for k in range(3)),
            {},
            3,
            {},
        ),
        # movingpandas 185: a local clock in a column of its own
        (
            "a.csv",
            "rider,Date,LocalTime,Latitude,Longitude\n"
            + "".join(f"7,2026-03-02,05:25:{15 * k:02},39.98,116.3\n" for k in range(3)),
            {},
            3,
            {},
        ),
        # Organic Maps 9365: a track of KML with a time too few: which belongs to which is not known
        (
            "a.kml",
            "<kml><Placemark><Track><when>2026-03-01T21:25:00Z</when><coord>116.3 39.98 0</coord>"
            "<coord>116.3 39.98 0</coord></Track></Placemark></kml>",
            {},
            None,
            {},
        ),
        # OsmAnd 13945: a year 0 among good times
        ("a.gpx", gpx("2026-03-01T21:25:00Z", "0000-03-13T09:11:26Z"), {}, 1, {"unparsable_time": 1}),
        # Trajectools 15: fractions, and a zone of hours alone
        (
            "a.csv",
            "rider_id,timestamp,lon,lat\n7,2026-03-01 21:25:00.25+00,116.3,39.98\n",
            {},
            1,
            {},
        ),
        # TimeManager 329: the day first, to the minute
        (
            "a.tsv",
            "DateTime\tLatitude\tLongitude\n27/09/2019 00:26\t39.98\t116.3\n27/09/2019 00:56\t39.98\t116.3\n",
            {"rider": "file"},
            2,
            {},
        ),
        # trackintel 253: a file written by one tool and again by another has two columns for each
        ("a.csv", "rider,time,longitude,latitude,lon,lat\n7,2026-03-02 05:25:00,1,2,1,2\n", {}, None, {}),
    ],
)  # fmt: skip
def test_what_the_tools_of_others_write(
    tmp_path: Path,
    name: str,
    content: str,
    keys: dict[str, str],
    accepted: int | None,
    refused: dict[str, int],
) -> None:
    """None: nothing is guessed, and the sentence says what is missing."""
    if accepted is None:
        with pytest.raises(InputError, match=r"none of the 2 rows can be used|2 columns could be lon"):
            read(tmp_path / name, content, **keys)
        return
    account = read(tmp_path / name, content, **keys).accounts[0]
    assert counted(account) == (accepted + sum(refused.values()), accepted, refused)
