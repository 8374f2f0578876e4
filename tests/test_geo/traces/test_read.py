"""Reading traces: every row is accounted for, and neither order, repetition nor cutting of files matters."""

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.datum import from_wgs84
from geo.errors import InputError
from geo.traces.formats import REASONS
from geo.traces.read import Account, TraceFormat, Traces, concat_traces, map_traces, read_traces
from geo.traces.rows.riders import Pseudonyms

KEY = bytes(range(16))
WGS84 = TraceFormat(datum="wgs84", timezone="Asia/Shanghai")
COLUMNS = ("rider", "t_s", "lonlat", "rider_ptr", "pseudonyms", "platform", "platforms", "event", "events")
Row = tuple[str, int, float, float]


def same(a: Traces, b: Traces) -> bool:
    return all(np.array_equal(getattr(a, c), getattr(b, c)) for c in COLUMNS)


def adds_up(accounts: Sequence[Account]) -> bool:
    return all(a.accepted + sum(a.rejected.values()) == a.read for a in accounts)


def walk(riders: int = 4, points: int = 60, seed: int = 1) -> list[Row]:
    """Riders that move some metres every ten seconds."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for r in range(riders):
        at = np.array([116.30, 39.98]) + np.cumsum(rng.normal(0, 3e-4, (points, 2)), axis=0)
        rows += [
            (f"rider-{r}", 1_772_400_000 + 10 * k, round(x, 6), round(y, 6))
            for k, (x, y) in enumerate(at.tolist())
        ]
    return rows


def write_csv(path: Path, rows: Sequence[Row], header: str = "rider_id,time,lon,lat") -> Path:
    path.write_text("\n".join([header, *(",".join(map(str, r)) for r in rows)]) + "\n", encoding="utf-8")
    return path


def read(paths: Path | Sequence[Path], trace_format: TraceFormat = WGS84) -> Traces:
    return read_traces(paths, trace_format, key=KEY).traces


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_order_repetition_and_cutting_change_nothing(tmp_path: Path, data: st.DataObject) -> None:
    rows = walk(3, 40)
    # Strays, rows of the same second and a second history make the order of judgement matter.
    rows[20] = (*rows[20][:2], rows[20][2] + 0.4, rows[20][3])
    rows += [(*rows[k][:2], rows[k][2] + 0.01 * k, rows[k][3]) for k in (5, 50)]
    rows += [("rider-2", t + 5, x - 0.2, y) for _, t, x, y in rows[85:100]]
    plain = read(write_csv(tmp_path / "plain.csv", rows))
    mixed = data.draw(st.permutations(rows))
    assert same(read(write_csv(tmp_path / "mixed.csv", mixed)), plain)
    twice = mixed + data.draw(st.lists(st.sampled_from(rows), max_size=30))
    assert same(read(write_csv(tmp_path / "twice.csv", twice)), plain)
    cut = data.draw(st.integers(0, len(mixed)))
    files = [write_csv(tmp_path / "one.csv", mixed[:cut]), write_csv(tmp_path / "two.csv", mixed[cut:])]
    assert same(read(files), plain)


@pytest.mark.parametrize("mixed", [False, True])
def test_parts_of_riders_are_the_whole(tmp_path: Path, mixed: bool) -> None:
    """Small memory, one pass for rows by rider, scratch files for rows in any order: one result."""
    rows = walk(30, 50)
    if mixed:
        rows = [rows[k] for k in np.random.default_rng(5).permutation(len(rows))]
    path = write_csv(tmp_path / "a.csv", [*rows, ("rider-1", 5, 0.0, 0.0)])
    refused = tmp_path / "rejects.csv"
    table = pa.Table.from_pylist(
        [dict(zip(("rider_id", "time", "lon", "lat"), r, strict=True)) for r in rows]
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=170)
    for source in (path, tmp_path / "a.parquet"):
        mapped = map_traces(
            source, WGS84, lambda t: t, pseudonyms=Pseudonyms(KEY), hold_points=400, rejects=refused
        )
        assert adds_up(mapped.accounts)
        assert same(concat_traces(mapped.values), read(source))


def test_every_reason_has_its_rows(tmp_path: Path) -> None:
    rows = [list(map(str, r)) for r in walk(1, 40)]
    rows[10][2] = "116.9"  # inside the map, but nobody rides there in ten seconds
    rows += [rows[5], [rows[6][0], rows[6][1], "116.40", rows[6][3]]]
    rows += [[r[0], str(int(r[1]) + 5), "116.50", r[3]] for r in rows[12:20]]
    bad = {
        "unparsable_time": ["rider-0", "noon", "116.3", "39.98"],
        "unparsable_position": ["rider-0", "1772400005", "east", "39.98"],
        "missing_rider": ["", "1772400005", "116.3", "39.98"],
        "out_of_range": ["rider-0", "1772400005", "0", "0"],
        "time_out_of_range": ["rider-0", "0", "116.3", "39.98"],
        "outside_map": ["rider-0", "1772400005", "121.47", "31.23"],
        "unparsable_row": ["rider-0", "1772400005"],
    }
    path = tmp_path / "a.csv"
    path.write_text(
        "\n".join(["rider_id,time,lon,lat", *(",".join(r) for r in [*rows, *bad.values()])]), "utf-8"
    )
    refused = tmp_path / "out" / "rejects.csv"
    result = read_traces(path, WGS84, key=KEY, bounds=(116.0, 39.5, 117.0, 40.5), rejects=refused)
    expected = dict.fromkeys(bad, 1) | {
        "duplicate": 1,
        "same_time": 1,
        "impossible_speed": 1,
        "clock_jump": 8,
    }
    assert dict(result.accounts[0].rejected) == expected
    assert adds_up(result.accounts)
    assert len(result.traces) == result.accounts[0].accepted == 39
    lines = list(csv.DictReader(refused.read_text("utf-8-sig").splitlines()))
    assert sorted(line["reason"] for line in lines) == sorted(
        why for why, n in expected.items() for _ in range(n)
    )
    by_reason = {line["reason"]: line for line in lines}
    assert by_reason["impossible_speed"]["row"] == "11"
    assert by_reason["outside_map"]["value"] == "121.4* 31.2*"
    assert by_reason["unparsable_row"]["row"] == str(len(rows) + 7)
    assert {line["file"] for line in lines} == {"a.csv"}


def test_one_stray_point_falls_and_not_the_good_ones(tmp_path: Path) -> None:
    for stray in (0, 1, 20, 58, 59):
        rows = walk(1, 60)
        rows[stray] = (*rows[stray][:2], rows[stray][2] + 0.5, rows[stray][3])
        result = read_traces(write_csv(tmp_path / "a.csv", rows), WGS84, key=KEY)
        assert dict(result.accounts[0].rejected) == {"impossible_speed": 1}
        assert rows[stray][1] not in result.traces.t_s


def test_a_phone_that_was_carried_off_is_believed(tmp_path: Path) -> None:
    rows = walk(1, 60)
    moved = rows[:30] + [(r, t, x + 0.5, y) for r, t, x, y in rows[30:]]
    assert len(read(write_csv(tmp_path / "a.csv", moved))) == 60


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), strays=st.integers(0, 8))
def test_no_accepted_neighbours_are_impossibly_far_apart(seed: int, strays: int) -> None:
    """Reference: with single strays only, the accepted points are those that were not thrown."""
    from geo.traces.rows.plausibility import judge_points

    rng = np.random.default_rng(seed)
    n = 80
    lonlat = np.array([116.3, 39.98]) + np.cumsum(rng.normal(0, 2e-4, (n, 2)), axis=0)
    thrown = np.sort(rng.choice(np.arange(0, n, 4), strays, replace=False))
    lonlat[thrown, 0] += rng.uniform(0.3, 3.0, strays) * rng.choice([-1, 1], strays)
    verdict = np.zeros(n, np.uint8)
    judge_points(np.array([0, n]), np.arange(n) * 10, lonlat, 40.0, 60.0, verdict)
    assert np.flatnonzero(verdict).tolist() == thrown.tolist()


@pytest.mark.parametrize(
    ("text", "encoding", "trace_format"),
    [
        ("骑手编号,时间,经度,纬度\n甲,1772400000,116.3,39.98\n", "gbk", WGS84),
        ("骑手编号\t时间\t经度\t纬度\n甲\t2026-03-02 05:20:00\t116.3\t39.98\n", "utf-8-sig", WGS84),
        ("rider_id;time;lng;lat\n甲;2026-03-01T21:20:00Z;116.3;39.98\n", "utf-16", WGS84),
        ('id|when|e|n\n"甲"|2026/3/2 5:20:00|116.3|39.98\n', "utf-8", TraceFormat(
            datum="wgs84", timezone="Asia/Shanghai",
            columns={"rider_id": "id", "time": "when", "lon": "e", "lat": "n"})),
        ("rider_id,time,lon,lat\r\n甲,1772400000123,1.163e2,+39.98\r\n", "utf-8", WGS84),
        ("rider_id,time,lon,lat\n\n甲,20260302052000, 116.3 ,39.98\n\n", "gb18030", WGS84),
        ("postman_id,gps_time,lat,lng,ds\n甲,03-02 05:20:00,39.98,116.3,302\n", "utf-8", TraceFormat(
            datum="wgs84", timezone="Asia/Shanghai", year=2026)),
    ],
)  # fmt: skip
def test_text_of_every_make(tmp_path: Path, text: str, encoding: str, trace_format: TraceFormat) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    traces = read(path, trace_format)
    assert traces.t_s.tolist() == [1_772_400_000]
    np.testing.assert_allclose(traces.lonlat, [(116.3, 39.98)])
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(text.encode(encoding)))
    assert same(read(packed, trace_format), traces)


@pytest.mark.parametrize(
    "times",
    [
        pa.array([1_772_400_000, 1_772_400_010]),
        pa.array([1_772_400_000_500, 1_772_400_010_999]),
        pa.array([1_772_400_000.25, 1_772_400_010.75]),
        pa.array([1_772_400_000, 1_772_400_010], pa.timestamp("s", tz="UTC")),
        pa.array([1_772_428_800_000, 1_772_428_810_000], pa.timestamp("ms")),
        pa.array(["2026-03-01T21:20:00+00:00", "2026-03-02T05:20:10.5+0800"]),
        pa.array(["1772400000", "1772400010000"]).dictionary_encode(),
    ],
)
def test_parquet_of_every_make(tmp_path: Path, times: pa.Array) -> None:
    for ids in (
        pa.array([7, 7]),
        pa.array(["7", " 7"]),
        pa.array([7.0, 7.0]),
        pa.array(["7", "7"]).dictionary_encode(),
    ):
        table = pa.table({"courier_id": ids, "time": times, "lng": [116.3, 116.3001], "lat": [39.98, 39.98]})
        pq.write_table(table, tmp_path / "a.parquet")
        traces = read(tmp_path / "a.parquet")
        assert traces.t_s.tolist() == [1_772_400_000, 1_772_400_010]
        assert traces.pseudonyms == read(tmp_path / "a.parquet").pseudonyms


def test_a_partitioned_folder_is_read_with_the_words_of_its_folders(tmp_path: Path) -> None:
    for platform in ("blue", "yellow"):
        folder = tmp_path / f"platform={platform}" / "day=2026-03-02"
        folder.mkdir(parents=True)
        table = pa.table({"rider_id": ["7"] * 3, "time": [1_772_400_000, 1_772_400_010, 1_772_400_020],
                          "lon": [116.3] * 3, "lat": [39.98, 39.9801, 39.9802]})  # fmt: skip
        pq.write_table(table, folder / "part-0.parquet")
    traces = read(tmp_path)
    assert traces.platforms == ("blue", "yellow")
    assert len(traces.pseudonyms) == 2, "number 7 of one platform is not number 7 of another"


def test_gpx_and_geolife(tmp_path: Path) -> None:
    fixes = "".join(
        f'<trkpt lat="39.98" lon="{116.3 + k * 1e-4}"><time>2026-03-01T21:20:0{k}Z</time></trkpt>'
        for k in range(5)
    )
    gpx = tmp_path / "13800001111.gpx"
    head = '<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
    gpx.write_text(f"{head}{fixes}</trkseg></trk></gpx>", "utf-8")
    result = read_traces(gpx, WGS84, key=KEY)
    assert result.traces.t_s.tolist() == list(range(1_772_400_000, 1_772_400_005))
    assert "1380" not in repr(result.accounts), "the name of the file is the rider"
    gpx.write_text(f"{head}{fixes}<trkpt lat=", "utf-8")
    broken = read_traces(gpx, WGS84, key=KEY)
    assert (broken.accounts[0].read, broken.accounts[0].accepted) == (6, 5)
    gpx.write_text('<!DOCTYPE a [<!ENTITY b "c">]><gpx/>', "utf-8")
    with pytest.raises(InputError, match="unparsable_row 1"):
        read(gpx)
    plt = tmp_path / "Data" / "001" / "Trajectory" / "20260301212000.plt"
    plt.parent.mkdir(parents=True)
    lines = [f"39.98,{116.3 + k * 1e-4},0,492,46082.9,2026-03-01,21:20:0{k}" for k in range(5)]
    plt.write_text(
        "\r\n".join(
            ["Geolife trajectory", "WGS 84", "Altitude is in Feet", "Reserved 3", "0,2", "0", *lines]
        ),
        "ascii",
    )
    assert read(plt).t_s.tolist() == result.traces.t_s.tolist()


def test_lade_orders_hold_two_fixes_a_row(tmp_path: Path) -> None:
    names = "order_id,courier_id," + ",".join(
        f"{stem}_gps_{what}" for stem in ("accept", "delivery") for what in ("time", "lng", "lat")
    )
    path = tmp_path / "delivery.csv"
    path.write_text(f"{names}\n1,77,03-02 05:20:00,116.3,39.98,03-02 05:50:00,116.31,39.98\n", "utf-8")
    result = read_traces(
        path, TraceFormat(datum="wgs84", kind="lade_orders", timezone="Asia/Shanghai", year=2026), key=KEY
    )
    traces = result.traces
    assert [traces.events[e] for e in traces.event] == ["accept", "dropoff"]
    assert traces.t_s.tolist() == [1_772_400_000, 1_772_401_800]
    assert result.accounts[0].read == 2


def test_goal_trajectories(shared_data: Path) -> None:
    trace_format = TraceFormat(
        datum="wgs84", kind="goal", timezone="UTC", origin_lonlat=(10.0, 50.0), period_s=(-(10**10), 10**10)
    )
    result = read_traces(shared_data / "traces" / "goal-trajectories.zip", trace_format, key=KEY)
    assert result.accounts[0].read == 57_960
    assert result.accounts[0].accepted > 57_950
    assert len(result.traces.pseudonyms) == 805
    assert result.traces.events == ("", "Driving", "OnFoot")
    assert adds_up(result.accounts)


def test_local_times_that_do_not_exist_or_exist_twice(tmp_path: Path) -> None:
    local = ["2026-03-29 02:30:00", "2026-03-29 03:30:00", "2026-10-25 02:30:00", "2026-10-25 04:00:00"]
    path = tmp_path / "a.csv"
    path.write_text("rider_id,time,lon,lat\n" + "".join(f"a,{t},13.4,52.5\n" for t in local), "utf-8")
    result = read_traces(path, TraceFormat(datum="wgs84", timezone="Europe/Berlin"), key=KEY)
    assert dict(result.accounts[0].rejected) == {"nonexistent_time": 1, "ambiguous_time": 1}
    assert result.traces.t_s.tolist() == [1_774_747_800, 1_792_897_200]
    with pytest.raises(InputError, match="no zone"):
        read(path, TraceFormat(datum="wgs84"))


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_positions_come_out_in_wgs84(tmp_path: Path, datum: str) -> None:
    rows = walk(2, 30)
    at = np.array([r[2:] for r in rows])
    shifted = [(r, t, *p) for (r, t, _, _), p in zip(rows, from_wgs84(at, datum).tolist(), strict=True)]
    traces = read(write_csv(tmp_path / "a.csv", shifted), TraceFormat(datum=datum))
    plain = read(write_csv(tmp_path / "b.csv", rows))
    np.testing.assert_allclose(traces.lonlat, plain.lonlat, atol=1e-9)


def test_a_city_outside_the_mainland_has_no_shift(tmp_path: Path) -> None:
    """Macau's harbour lies within reach of a shifted mainland position; its map is WGS-84 all the same."""
    rows = [(r, t, x - 116.30 + 113.538, y - 39.98 + 22.195) for r, t, x, y in walk(2, 30)]
    path = write_csv(tmp_path / "a.csv", rows)
    result = read_traces(path, TraceFormat(datum="gcj02"), key=KEY, bounds=(113.52, 22.10, 113.60, 22.22))
    assert same(result.traces, read(path))
    assert "no shift" in result.accounts[0].datum_evidence


def test_pseudonyms_rotate_by_day_and_no_raw_id_is_left(tmp_path: Path) -> None:
    start = 1_772_400_000 + 80_000  # crosses 4 a.m. in Shanghai
    rows = [(r, start + 40 * (t - 1_772_400_000), x, y) for r, t, x, y in walk(3, 60)]
    path = write_csv(tmp_path / "rider-1.csv", rows)
    result = read_traces(path, WGS84, key=KEY, rotate="day", rejects=tmp_path / "rejects.csv")
    assert len(result.traces.pseudonyms) == 6
    turn = (result.traces.t_s + 4 * 3600) // 86_400
    assert all(
        len(set(turn[a:b].tolist())) == 1
        for a, b in zip(result.traces.rider_ptr, result.traces.rider_ptr[1:], strict=False)
    )
    assert "rider-" not in repr(result) + (tmp_path / "rejects.csv").read_text("utf-8-sig")
    assert read_traces(path, WGS84, key=KEY, study="b").traces.pseudonyms != read(path).pseudonyms
    with pytest.raises(InputError, match="time zone"):
        read_traces(path, TraceFormat(datum="wgs84"), key=KEY, rotate="day")


def test_an_id_in_the_wrong_column_is_not_copied_to_the_rejects(tmp_path: Path) -> None:
    phone = "13800001111"
    rows = [
        f"a,{phone},116.3,39.98",
        f"a,1772400000,{phone},39.98",
        f"a,{phone}x,1,1",
        f"a,1772400000,116.3,39.98,{phone}",
    ]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["rider_id,time,lon,lat", *rows, "a,1772400000,116.3,39.98"]), "utf-8")
    read_traces(path, WGS84, key=KEY, rejects=tmp_path / "rejects.csv")
    text = (tmp_path / "rejects.csv").read_text("utf-8-sig")
    assert text.count("\n") == 5
    assert phone not in text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "a.csv: the file is empty"),
        (b"rider_id,time,lon\n1,2,3\n", "a.csv: no column for lat; the file has 'rider_id', 'time', 'lon'"),
        (b"rider_id,time,lon,lat\n", "none of the 0 rows"),
        (b"rider_id,time,lon,lat\na,b,c,d\n", r"none of the 1 rows can be used \(unparsable_time 1\)"),
        (b"\x1f\x8bnot gzip", "broken or cannot be read"),
        (b"PAR1 nonsense", "no column for rider_id"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        read(path)


def test_bad_orders_get_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the datum of the traces is missing: it must be one of wgs84"):
        TraceFormat(datum="")
    with pytest.raises(InputError, match="unknown datum 'wgs-84'"):
        TraceFormat(datum={"blue": "wgs-84"})
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="holds no trace file"):
        read(tmp_path)
    path = write_csv(tmp_path / "a.csv", walk(1, 5))
    with pytest.raises(
        InputError, match=r"all 5 points .* around lon 116.3\*, lat 39.9\*, and the map covers lon 120.98"
    ):
        read_traces(path, WGS84, key=KEY, bounds=(121.0, 31.0, 122.0, 32.0))
    with pytest.raises(InputError, match="needs the map"):
        read(path, TraceFormat(datum="auto"))
    with pytest.raises(InputError, match="at least 16"):
        read_traces(path, WGS84, key=b"short")
    (tmp_path / "b.parquet").write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(InputError, match=r"b.parquet: the Parquet file is broken"):
        read(tmp_path / "b.parquet")


def mutilate(content: bytes, rng: np.random.Generator) -> bytes:
    """Do to a file what disks, editors and exports do to files."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 6))):
        at = int(rng.integers(0, len(data) + 1))
        what = int(rng.integers(0, 7))
        if what == 0:
            data = data[:at]
        elif what == 1 and data:
            data[min(at, len(data) - 1)] = int(rng.integers(0, 256))
        elif what == 2:
            data[at:at] = rng.bytes(int(rng.integers(1, 40)))
        elif what == 3:
            del data[at : at + int(rng.integers(1, 60))]
        elif what == 4:
            data[at:at] = rng.choice(
                [b'"', b"\n", b"\r", b",", b"\x00", b",,,", b"9" * 400, "骑".encode("gbk")]
            )
        elif what == 5:
            data[at:at] = data[at // 2 : at]
        else:
            data = data.replace(b"116.", rng.choice([b"", b"-116.", b"1e999", b"nan", b"0x"]), 3)
    return bytes(data)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_thousand_mutilated_files(tmp_path: Path, ending: str) -> None:
    """Never a crash: either one sentence about the file, or counts that add up."""
    rng = np.random.default_rng(7)
    rows = walk(2, 12)
    path = tmp_path / f"a.{ending}"
    table = pa.table(
        dict(zip(("rider_id", "time", "lon", "lat"), map(list, zip(*rows, strict=True)), strict=True))
    )
    if ending == "csv":
        write_csv(path, rows)
    else:
        pq.write_table(table, path, row_group_size=10)
    content = path.read_bytes()
    usable = 0
    for _ in range(500):
        path.write_bytes(mutilate(content, rng))
        try:
            mapped = map_traces(path, WGS84, lambda t: t, pseudonyms=Pseudonyms(KEY))
        except InputError:
            continue
        usable += 1
        assert adds_up(mapped.accounts)
        assert sum(len(t) for t in mapped.values) == mapped.accounts[0].accepted
        assert set(mapped.accounts[0].rejected) <= set(REASONS[1:])
    assert usable > (300 if ending == "csv" else 5)


def test_each_path_may_have_its_own_format(tmp_path: Path) -> None:
    """A rider whose points stand in two files of different make is one rider."""
    rows = walk(2, 60)
    plain = read(write_csv(tmp_path / "all.csv", rows))
    one = write_csv(tmp_path / "one.csv", rows[:40])
    shifted = [(r, t * 1000, *from_wgs84([p], "gcj02")[0].tolist()) for r, t, *p in rows[40:]]
    two = write_csv(tmp_path / "two.csv", shifted, header="骑手,时间,经度,纬度")
    formats = [WGS84, TraceFormat(datum="gcj02", timezone="Asia/Shanghai", time_unit="ms")]
    result = read_traces([one, two], formats, key=KEY)
    assert result.traces.pseudonyms == plain.pseudonyms
    np.testing.assert_array_equal(result.traces.t_s, plain.t_s)
    np.testing.assert_allclose(result.traces.lonlat, plain.lonlat, atol=1e-9)
    assert [a.datum for a in result.accounts] == ["wgs84", "gcj02"]
    with pytest.raises(InputError, match="2 paths of traces need as many formats, not 1"):
        read_traces([one, two], [WGS84], key=KEY)
