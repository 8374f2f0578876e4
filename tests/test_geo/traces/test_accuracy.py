"""A column that says how exact each position is: what is beyond the limit is refused and counted."""

from pathlib import Path

import pytest
from trace_layouts import KEY, form

from geo.errors import InputError
from geo.traces.inspect import inspect_file
from geo.traces.read import read_traces

T0 = 1_772_400_300


def _csv(path: Path, name: str, accuracies: list[str]) -> Path:
    rows = [f"7,{T0 + 15 * k},{116.3 + 1e-4 * k:.4f},39.98,{said}" for k, said in enumerate(accuracies)]
    path.write_text("\n".join([f"rider_id,time,lon,lat,{name}", *rows]) + "\n", "utf-8")
    return path


@pytest.mark.parametrize(
    "name", ["accuracy", "Accuracy (m)", "horizontalAccuracy", "定位精度", "水平精度(米)", "radius"]
)
def test_positions_beyond_the_limit_are_refused(tmp_path: Path, name: str) -> None:
    path = _csv(tmp_path / "a.csv", name, ["5", "99.9", "100", "100.1", "1500", "12"])
    refused = tmp_path / "rejects.csv"
    result = read_traces(path, form(), key=KEY, rejects=refused)
    account = result.accounts[0]
    assert (account.read, account.accepted, dict(account.rejected)) == (6, 4, {"poor_accuracy": 2})
    assert refused.read_text("utf-8-sig").splitlines()[1:] == [
        '"a.csv",4,poor_accuracy,',
        '"a.csv",5,poor_accuracy,',
    ]


def test_no_word_and_nought_are_unknown_and_less_is_no_position(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", "accuracy", ["", "0", "null", "-1", "8"])
    account = read_traces(path, form(), key=KEY).accounts[0]
    assert (account.accepted, dict(account.rejected)) == (4, {"poor_accuracy": 1})


def test_the_limit_is_a_key_and_the_column_can_be_named(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", "err", ["5", "250", "900"])
    assert read_traces(path, form(), key=KEY).accounts[0].accepted == 3, "a column nobody knows is not read"
    named = form(columns={"accuracy": "err"}, max_accuracy_m=300.0)
    assert read_traces(path, named, key=KEY).accounts[0].accepted == 2
    with pytest.raises(InputError, match=r"max_accuracy_m is 0\.5; it must lie within 1 to 100000"):
        form(max_accuracy_m=0.5)


def test_points_of_gpx_may_say_it_in_their_extensions(tmp_path: Path) -> None:
    points = "".join(
        f'<trkpt lat="39.98" lon="{116.3 + 1e-4 * k:.4f}"><time>2026-03-02T00:00:{15 * k:02d}Z</time>'
        f"<extensions><accuracy>{said}</accuracy></extensions></trkpt>"
        for k, said in enumerate((4, 900, 6))
    )
    path = tmp_path / "a.gpx"
    path.write_text(f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>", "utf-8")
    account = read_traces(path, form(), key=KEY).accounts[0]
    assert (account.accepted, dict(account.rejected)) == (2, {"poor_accuracy": 1})


def test_the_inspector_knows_the_column_and_says_why_hardly_anything_is_left(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", "accuracy", ["5000"] * 5 + ["3", "3"])
    found = inspect_file(path, form(datum="auto"))
    assert ("accuracy", "accuracy") in found.look.columns
    assert found.hints == ("coarse",)
    assert found.look.accuracy_m == 5000
    unknown = inspect_file(_csv(tmp_path / "b.csv", "accuracy", ["0", "", "-1"]), form(datum="auto"))
    assert unknown.look.accuracy_m is None


@pytest.mark.parametrize("name", ["hdop", "HDOP", "水平精度因子"])
def test_hdop_counts_fifteen_metres_a_unit(tmp_path: Path, name: str) -> None:
    """99.99 is what receivers write without a fix; 0 and nothing are not known."""
    path = _csv(tmp_path / "a.csv", name, ["0.9", "6.6", "6.7", "99.99", "0", ""])
    account = read_traces(path, form(), key=KEY).accounts[0]
    assert (account.accepted, dict(account.rejected)) == (4, {"poor_accuracy": 2})
    assert read_traces(path, form(max_accuracy_m=101.0), key=KEY).accounts[0].accepted == 5
    look = inspect_file(path, form()).look
    assert (look.accuracy_m, look.from_hdop) == (round(15 * 6.65, 1), True)


def test_metres_count_before_hdop_and_gpx_has_it_too(tmp_path: Path) -> None:
    rows = [
        f"7,{T0 + 15 * k},{116.3 + 1e-4 * k:.4f},39.98,{said}" for k, said in enumerate(("5,40", "500,1"))
    ]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["rider_id,time,lon,lat,accuracy,hdop", *rows]) + "\n", "utf-8")
    assert read_traces(path, form(), key=KEY).accounts[0].accepted == 1
    points = "".join(
        f'<trkpt lat="39.98" lon="116.3"><time>2026-03-02T00:00:{15 * k:02d}Z</time>{said}</trkpt>'
        for k, said in enumerate(("<hdop>1.2</hdop>", "<hdop>40</hdop>", "<hdop>?</hdop>"))
    )
    track = tmp_path / "a.gpx"
    track.write_text(f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>", "utf-8")
    assert read_traces(track, form(), key=KEY).accounts[0].accepted == 2
