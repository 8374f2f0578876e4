"""Reasons that lead to the fix, and times that are coarser or finer than seconds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from geo.errors import InputError
from geo.traces.files.tables.shapes import shape, shape_of_name
from geo.traces.formats import TraceFormat
from geo.traces.inspect import check_headers
from geo.traces.read import map_traces, read_traces
from geo.traces.rows.riders import Pseudonyms

KEY = bytes(range(16))
FORM = TraceFormat(datum="wgs84", timezone="Asia/Shanghai")


def write(path: Path, rows: Sequence[str]) -> Path:
    path.write_text("\n".join(["rider_id,time,lon,lat", *rows]) + "\n", "utf-8")
    return path


@pytest.mark.parametrize(
    ("time", "lon", "lat", "said"),
    [
        ("2026-03-02 05:25:00", "39.98", "116.3", "lon and lat look swapped"),
        ("2026-03-02 05:25:00", "116300000", "39980000", "degrees x 1e6"),
        ("2026-03-02 05:25:00", "1163000000", "399800000", "degrees x 1e7"),
        ("2026-03-02 05:25:00", "11618.2707", "3958.8012", "ddmm.mmmm"),
        ("2026-03-02 05:25:00", "440123.5", "4425678.25", "metres of a projection"),
        ("46083", "116.3", "39.98", "Excel serial dates"),
        ("03-02 05:25:00", "116.3", "39.98", "times have no year"),
        ("2026-03-02", "116.3", "39.98", "dates without a time of day"),
        ("02|03|26 05:25", "116.3", "39.98", "the form of the times is not known"),
    ],
)
def test_a_refusal_says_what_the_values_look_like(
    tmp_path: Path, time: str, lon: str, lat: str, said: str
) -> None:
    path = write(tmp_path / "a.csv", [f"13812345678,{time},{lon},{lat}"] * 5)
    with pytest.raises(InputError, match=said) as caught:
        read_traces(path, FORM, key=KEY)
    assert "13812345678" not in str(caught.value)
    assert lon not in str(caught.value)


def test_a_good_file_has_no_hint(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["7,2026-03-02 05:25:00,116.3,39.98"])
    assert map_traces(path, FORM, len, pseudonyms=Pseudonyms(KEY)).accounts[0].hints == ()


def test_many_points_a_second_are_thinned_and_called_what_they_are(tmp_path: Path) -> None:
    """Phones that write 10 points a second are no wrong clocks."""
    rng = np.random.default_rng(3)
    rows = [
        f"7,{1_772_400_000 + k // 10},{116.3 + 5e-6 * k + x:.6f},{39.98 + y:.6f}"
        for k, (x, y) in enumerate(rng.normal(0, 2e-5, (600, 2)).tolist())
    ]
    account = map_traces(write(tmp_path / "a.csv", rows), FORM, len, pseudonyms=Pseudonyms(KEY)).accounts[0]
    assert (account.accepted, dict(account.rejected)) == (60, {"same_time": 540})


def test_times_to_the_minute_keep_a_point_a_minute(tmp_path: Path) -> None:
    rows = [f"7,2026-03-02 05:{25 + k // 4}:00,{116.3 + 1e-3 * k:.6f},39.98" for k in range(80)]
    account = map_traces(write(tmp_path / "a.csv", rows), FORM, len, pseudonyms=Pseudonyms(KEY)).accounts[0]
    assert (account.accepted, dict(account.rejected)) == (20, {"same_time": 60})
    assert account.hints == ("minutes",)


def test_a_wrong_clock_is_still_a_wrong_clock(tmp_path: Path) -> None:
    rows = [f"7,{1_772_400_000 + 10 * k},{116.3 + 1e-4 * k:.6f},39.98" for k in range(40)]
    rows += [f"7,{1_772_400_000 + 10 * k},116.9,39.98" for k in range(10, 20)]
    account = map_traces(write(tmp_path / "a.csv", rows), FORM, len, pseudonyms=Pseudonyms(KEY)).accounts[0]
    assert (account.accepted, dict(account.rejected)) == (40, {"clock_jump": 10})


def test_headers_are_read_before_anything_else(tmp_path: Path) -> None:
    good = write(tmp_path / "a.csv", ["7,2026-03-02 05:25:00,116.3,39.98"])
    check_headers([good], FORM)
    bad = tmp_path / "b.csv"
    bad.write_text("rider_id,time,gps_time,lon,lat\n7,1,2,3,4\n", "utf-8")
    with pytest.raises(InputError, match=r"b\.csv: 2 columns could be time"):
        check_headers([good, bad], FORM)


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("13812345678", "1381****678"),
        ("118.7654321", "118.7*"),
        ("-8.61", "-8.6*"),
        ("2026-03-02 08:05:30", "2026-03-02 **:**:**"),
        ("张三丰", "张**"),
        ("", ""),
        ("7", "7"),
    ],
)
def test_values_are_shown_by_shape(value: str, seen: str) -> None:
    assert shape(value) == seen
    assert shape_of_name("13812345678_20260302.csv") == "1381****678_20260302.csv"
