"""Streets that nobody passes, on a small town where everything can be counted by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import shapely
from ascii_map import ascii_map

from siting.columns import PassingFlows
from siting.observed import BlindSpots
from siting.presence import Watched, blind_spots

TOWN = ascii_map(
    """
    A---B---C
    |   |   |
    D---E---F
    """,
    {"ABC": {}, "DEF": {}, "AD": {}, "BE": {}, "CF": {}},
)
NETWORK = TOWN.network()
MONDAY = 1_772_380_800  # Monday 2 March 2026, 0:00 in Shanghai
ZONE = "Asia/Shanghai"


def _edge(ends: str) -> int:
    middle = TOWN.lonlat(list(ends)).mean(axis=0)
    return int(NETWORK.snap(middle[None], "ebike").edge[0])


def _watched(*, grids: bool = True) -> Watched:
    west, south, east, north = NETWORK.bounds
    middle = (west + east) / 2
    halves = (shapely.box(west, south, middle, north), shapely.box(middle, south, east, north))
    columns = SimpleNamespace(codes=("W", "E"), names=("W", "E"), polygons=halves)
    return Watched(NETWORK, "ebike", ZONE, columns if grids else None)


def _flows(riders: int, streets: list[str], hours: list[int], days: int = 7) -> PassingFlows:
    rows = [
        (_edge(street), rider, MONDAY + 86_400 * day + 3600 * hour + 1500 + rider)
        for rider in range(riders)
        for street in streets
        for hour in hours
        for day in range(days)
    ]
    return PassingFlows(*np.array(rows, np.int64).T)


def _told(flows: PassingFlows, k: int = 10, *, grids: bool = True) -> BlindSpots:
    return blind_spots(_watched(grids=grids), flows, k=k)


def test_the_share_is_that_of_the_metres_nobody_passed_in_that_hour() -> None:
    told = _told(_flows(12, ["AB", "AD"], [8, 9]))
    length = NETWORK.edge_length_m
    share = 1.0 - (length[_edge("AB")] + length[_edge("AD")]) / length.sum()
    assert told.hours[0][8] == pytest.approx(share)
    assert told.hours[6][9] == pytest.approx(share)
    assert told.hours[3][12] == 1.0
    assert told.streets_share == pytest.approx(share)
    assert len(told.streets) == len(NETWORK) - 2


def test_fewer_than_k_riders_tell_nothing_and_nobody_tells_all() -> None:
    told = _told(_flows(9, ["AB"], [8]))
    assert told.hours[0][8] is None
    assert told.hours[0][9] == 1.0
    # The street itself looks like one that nobody passed.
    assert len(told.streets) == len(NETWORK)
    west = next(grid for grid in told.grids if grid.code == "W")
    assert west.unseen_share is None
    assert west.wait_median_min is None


def test_the_grid_that_is_seen_least_comes_first_and_waits_longer() -> None:
    told = _told(_flows(12, ["AD"], list(range(6, 22))))
    assert [grid.code for grid in told.grids] == ["E", "W"]
    east, west = told.grids
    assert east.unseen_share == 1.0
    assert west.unseen_share is not None
    assert west.unseen_share < 1.0
    assert west.wait_median_min is not None
    assert east.wait_median_min is not None
    assert west.wait_median_min < east.wait_median_min


def test_a_patrol_sees_what_nobody_saw() -> None:
    told = _told(_flows(12, ["AB"], [8]))
    assert told.patrols
    for patrol in told.patrols:
        assert patrol.unseen_after < patrol.unseen_before <= 1.0
        assert 0.0 <= patrol.minutes <= 30.0
        assert patrol.lonlat == patrol.line[0]


def test_patrols_tell_nothing_of_fewer_than_k_riders() -> None:
    """A round is through streets that fewer than k riders pass in the hour, however often these do."""
    many = _flows(12, ["AB"], list(range(6, 22)))
    regular = _flows(1, ["AD"], [6])
    both = PassingFlows(
        *(
            np.concatenate([getattr(flows, name) for flows in (many, regular)])
            for name in ("edge", "rider", "t_s")
        )
    )
    assert _told(both).patrols == _told(many).patrols
    worst = [
        [(grid.code, grid.worst_hour, grid.worst_weekday) for grid in _told(f).grids] for f in (both, many)
    ]
    assert worst[0] == worst[1]


def test_the_order_of_the_passages_and_missing_grids_do_not_matter() -> None:
    flows = _flows(12, ["AB", "BE"], [8, 18])
    order = np.random.default_rng(2).permutation(len(flows.edge))
    mixed = PassingFlows(flows.edge[order], flows.rider[order], flows.t_s[order])
    assert _told(flows) == _told(mixed)
    plain = _told(flows, grids=False)
    assert plain.grids == ()
    assert plain.patrols == ()
    assert plain.hours == _told(flows).hours
