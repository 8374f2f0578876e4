"""The datum of a file is asked of the streets, and taken only where they answer clearly."""

from pathlib import Path

import numpy as np
import pytest
from ascii_map import ascii_map
from trace_parts import riders_of

from geo.datum import from_wgs84
from geo.errors import InputError
from geo.streets.network import StreetNetwork
from geo.traces.datum_evidence import detect_datum, moving_share_on_streets, moving_steps
from geo.traces.read import TraceFormat, read_traces

KEY = bytes(16)


@pytest.fixture(scope="module")
def town() -> StreetNetwork:
    """Build four streets about a kilometre apart: a datum that is off by 500 m lands between them."""
    return ascii_map(
        """
        A-------B
        |       |
        |   E---F
        |   |   |
        C---D---G
        """,
        {"AB": {}, "CDG": {}, "AC": {}, "BFG": {}, "DEF": {}},
        cell_m=300.0,
    ).network()


def riding(network: StreetNetwork, seed: int = 1, noise_m: float = 8.0) -> np.ndarray:
    """Points every 10 s (5 m/s) along every street, with noise: (n, 2) WGS-84."""
    rng = np.random.default_rng(seed)
    parts = []
    for edge in range(len(network.edge_u)):
        corners = network.project(network.edge_lonlat(edge))
        along = np.r_[0.0, np.cumsum(np.hypot(*np.diff(corners, axis=0).T))]
        at = np.arange(0.0, along[-1], 50.0)
        parts.append(
            np.column_stack([np.interp(at, along, corners[:, 0]), np.interp(at, along, corners[:, 1])])
        )
    xy = np.concatenate(parts)
    return network.unproject(xy + rng.normal(0, noise_m, xy.shape))


def write(path: Path, groups: list[tuple[str, np.ndarray]]) -> Path:
    lines = ["rider_id,platform,time,lon,lat"]
    for name, lonlat in groups:
        lines += [
            f"1,{name},{1_772_400_000 + 10 * k},{x:.6f},{y:.6f}" for k, (x, y) in enumerate(lonlat.tolist())
        ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
def test_the_right_datum_is_found(town: StreetNetwork, datum: str) -> None:
    evidence = detect_datum(from_wgs84(riding(town), datum), town)
    assert evidence.datum == datum
    assert evidence.median_m[datum] < 15
    assert "moving points to the nearest street: wgs84" in evidence.text


def test_order_of_points_does_not_matter(town: StreetNetwork) -> None:
    lonlat = riding(town)
    shuffled = lonlat[np.random.default_rng(2).permutation(len(lonlat))]
    assert detect_datum(shuffled, town) == detect_datum(lonlat, town)


def test_mixed_files_are_settled_by_platform(town: StreetNetwork, tmp_path: Path) -> None:
    true = riding(town)
    path = write(
        tmp_path / "a.csv", [("blue", from_wgs84(true, "gcj02")), ("yellow", from_wgs84(true, "bd09"))]
    )
    result = read_traces(path, TraceFormat(datum="auto"), key=KEY, network=town)
    account = result.accounts[0]
    assert account.datum == "blue: gcj02, yellow: bd09"
    assert "wgs84" in account.datum_evidence
    away = town.snap(result.traces.lonlat, "ebike").walk_m
    assert np.median(away) < 15
    one = read_traces(path, TraceFormat(datum={"blue": "gcj02", "yellow": "bd09"}), key=KEY, network=town)
    np.testing.assert_array_equal(one.traces.lonlat, result.traces.lonlat)
    with pytest.raises(InputError, match="no datum was declared for the platform 'yellow'"):
        read_traces(path, TraceFormat(datum={"blue": "gcj02"}), key=KEY, network=town)


def test_unclear_evidence_is_refused(town: StreetNetwork, tmp_path: Path) -> None:
    anywhere = np.random.default_rng(3).uniform(town.bounds[:2], town.bounds[2:], (300, 2))
    assert detect_datum(anywhere, town).datum is None
    assert detect_datum(riding(town)[:20], town).datum is None, "twenty points are not enough"
    still = write(tmp_path / "a.csv", [("blue", np.repeat(riding(town)[:1], 100, axis=0))])
    with pytest.raises(
        InputError, match=r"datum of platform 'blue' is not clear \(median .* of 0 moving points"
    ):
        read_traces(still, TraceFormat(datum="auto"), key=KEY, network=town)


def test_moving_steps_ignore_the_order_of_rows() -> None:
    t = np.array([0, 10, 20, 30, 1000], np.int64)
    lonlat = np.column_stack([np.array([0.0, 0.0005, 0.0005, 0.5, 0.5005]), np.zeros(5)])
    rider = np.zeros(5, np.int64)
    assert moving_steps(rider, t, lonlat)[0].tolist() == [1], "standing, jumping and long gaps are no riding"
    turn = np.array([3, 1, 4, 0, 2])
    assert turn[moving_steps(rider, t[turn], lonlat[turn])[0]].tolist() == [1]


def test_a_wrong_declaration_is_refused(town: StreetNetwork, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [("blue", from_wgs84(riding(town), "gcj02"))])
    result = read_traces(path, TraceFormat(datum="gcj02"), key=KEY, network=town)
    assert result.accounts[0].datum_evidence.startswith("declared; median distance of")
    points = np.concatenate([riding(town, seed) for seed in range(3)])
    path = write(tmp_path / "b.csv", [("blue", from_wgs84(points, "gcj02"))])
    with pytest.raises(InputError, match="'blue' is said to be wgs84, but the streets say gcj02"):
        read_traces(path, TraceFormat(datum="wgs84"), key=KEY, network=town)
    assert len(read_traces(path, TraceFormat(datum="wgs84"), key=KEY).traces), "without a map it is believed"


def test_one_platform_declared_and_one_asked(town: StreetNetwork, tmp_path: Path) -> None:
    true = riding(town)
    groups = [("blue", from_wgs84(true, "gcj02")), ("yellow", from_wgs84(true, "bd09"))]
    path = write(tmp_path / "a.csv", groups)
    trace_format = TraceFormat(datum={"blue": "gcj02", "yellow": "auto"})
    result = read_traces(path, trace_format, key=KEY, network=town)
    assert result.accounts[0].datum == "blue: gcj02, yellow: bd09"


def test_outside_the_mainland_auto_is_wgs84(tmp_path: Path) -> None:
    porto = ascii_map("A---B", {"AB": {}}, cell_m=300.0, origin=(-8.61, 41.15)).network()
    path = write(tmp_path / "a.csv", [("blue", riding(porto))])
    result = read_traces(path, TraceFormat(datum="auto"), key=KEY, network=porto)
    assert (result.accounts[0].datum, result.accounts[0].datum_evidence) == (
        "wgs84",
        "no shift outside mainland China",
    )


def parallel_town(apart_m: float) -> StreetNetwork:
    """Build 26 parallel streets: every place is near one, whatever the datum."""
    names = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    pairs = [names[2 * k : 2 * k + 2] for k in range(26)]
    drawing = "\n\n".join(("-" * 60).join(pair) for pair in pairs)
    return ascii_map(drawing, {pair: {} for pair in pairs}, cell_m=apart_m / 2).network()


def test_a_wrong_declaration_is_refused_where_streets_are_dense(tmp_path: Path) -> None:
    dense = parallel_town(90.0)
    lonlat = from_wgs84(riding(dense, noise_m=6.0), "gcj02")
    evidence = detect_datum(lonlat, dense)
    path = write(tmp_path / "a.csv", [("blue", lonlat)])
    assert evidence.median_m["wgs84"] < 60, "the old limit, which a wrong datum does not reach here"
    with pytest.raises(InputError, match=r"said to be wgs84, but the streets say gcj02 .* kilometres on str"):
        read_traces(path, TraceFormat(datum="wgs84"), key=KEY, network=dense)
    account = read_traces(path, TraceFormat(datum="gcj02"), key=KEY, network=dense).accounts[0]
    assert account.hints == ()
    assert "moving kilometres on streets: wgs84" in account.datum_evidence


def short_rides(network: StreetNetwork, folder: Path, datums: list[str]) -> list[Path]:
    """Write files of 30 points each, one ride a file."""
    whole = riding(network)
    paths = []
    for number, datum in enumerate(datums):
        start = 30 * number % (len(whole) - 30)
        part = from_wgs84(whole[start : start + 30], datum)
        paths.append(write(folder / f"{number}.csv", [("blue", part)]))
    return paths


def test_short_files_of_one_table_are_asked_together(town: StreetNetwork, tmp_path: Path) -> None:
    paths = short_rides(town, tmp_path, ["gcj02"] * 25)
    auto = TraceFormat(datum="auto")
    with pytest.raises(InputError, match="not clear"):
        read_traces(paths[0], auto, key=KEY, network=town)
    accounts = read_traces(paths, auto, key=KEY, network=town).accounts
    assert {account.datum for account in accounts} == {"gcj02"}
    assert all("25 files together" in account.datum_evidence for account in accounts)
    with pytest.raises(
        InputError, match=r"0\.csv and 24 more files: .* said to be wgs84, but the streets say gcj"
    ):
        read_traces(paths, TraceFormat(datum="wgs84"), key=KEY, network=town)
    each = [TraceFormat(datum="auto") for _ in paths]
    with pytest.raises(InputError, match="not clear"):
        read_traces(paths, each, key=KEY, network=town)


def test_a_file_that_speaks_clearly_is_not_outvoted(town: StreetNetwork, tmp_path: Path) -> None:
    points = np.concatenate([riding(town, seed) for seed in range(3)])
    paths = [
        write(tmp_path / f"{k}.csv", [("blue", from_wgs84(points, datum))])
        for k, datum in enumerate(["gcj02"] * 21 + ["bd09"])
    ]
    with pytest.raises(InputError, match=r"^21\.csv: .* said to be gcj02, but the streets say bd09"):
        read_traces(paths, TraceFormat(datum="gcj02"), key=KEY, network=town)
    accounts = read_traces(paths, TraceFormat(datum="auto"), key=KEY, network=town).accounts
    assert [account.datum for account in accounts] == ["gcj02"] * 21 + ["bd09"]
    short = short_rides(town, tmp_path, ["gcj02"])
    with pytest.raises(InputError, match=r"not clear .*other files of its table are in different datums"):
        read_traces([*paths[1:], *short], TraceFormat(datum="auto"), key=KEY, network=town)


def test_a_doubtful_declaration_is_taken_with_a_note(town: StreetNetwork, tmp_path: Path) -> None:
    few = from_wgs84(riding(town)[:150], "gcj02")
    path = write(tmp_path / "a.csv", [("blue", few)])
    account = read_traces(path, TraceFormat(datum="wgs84"), key=KEY, network=town).accounts[0]
    assert account.datum == "wgs84"
    assert account.hints == ("datum_doubtful", "off_streets")


@pytest.mark.parametrize("declared", ["wgs84", "auto"])
def test_riders_of_two_datums_in_one_file_are_told(
    town: StreetNetwork, tmp_path: Path, declared: str
) -> None:
    """A quarter of the riders lies 500 m off; the medians say nothing of it."""
    true = np.concatenate([riding(town, seed) for seed in range(4)])
    shifted = np.concatenate([true[: len(true) * 3 // 4], from_wgs84(true[len(true) * 3 // 4 :], "gcj02")])
    for lonlat, expected in ((true, False), (shifted, True)):
        path = write(tmp_path / "a.csv", [("blue", lonlat)])
        account = read_traces(path, TraceFormat(datum=declared), key=KEY, network=town).accounts[0]
        assert account.datum == "wgs84"
        assert ("datum_mixed" in account.hints) is expected


def test_the_share_of_moving_kilometres_on_streets(town: StreetNetwork, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [("blue", riding(town))])
    form = TraceFormat(datum="wgs84")
    right = read_traces(path, form, key=KEY, network=town).traces
    share = moving_share_on_streets(right, town)
    assert share is not None
    assert share > 0.95
    assert moving_share_on_streets(right, town, k=2) is None, "one rider alone"
    wrong = read_traces(
        write(tmp_path / "b.csv", [("blue", riding(town) + 0.0008)]), form, key=KEY, bounds=town.bounds
    ).traces
    moved = moving_share_on_streets(wrong, town)
    assert moved is not None
    assert moved < 0.5
    assert moving_share_on_streets(riders_of(right, []), town) is None


def test_points_beside_the_map_say_nothing(town: StreetNetwork) -> None:
    lonlat = from_wgs84(riding(town), "gcj02")
    away = np.concatenate([lonlat, lonlat + 0.5, lonlat - 0.5])
    assert detect_datum(away, town) == detect_datum(lonlat, town)
