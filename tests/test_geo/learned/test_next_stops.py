"""Next stops and streets: who rides to a place is likelier to stop there; streets as a slow reference has."""

import numpy as np
import pytest
from ascii_map import ascii_map

from geo.learned import Habits, PastStops, Seen, learn_habits, next_stops, passed_streets
from geo.learned.destinations import OVER, ride_start
from geo.learned.ways_ahead import STOP_S, SURE, THEN
from geo.travel.many_paths import route_trips

TOWN = ascii_map(
    """
    A-------B-------C-------D-------E
            |               |
            F               G
    """,
    {"ABCDE": {}, "BF": {}, "DG": {}},
    cell_m=50.0,
)
NETWORK = TOWN.network()


def stops_of(letters: str) -> PastStops:
    places = TOWN.lonlat(letters)
    at_s = np.arange(len(letters), dtype=np.float64) * 600.0
    return PastStops(np.zeros(len(letters), np.int64), at_s, places)


HABITS = learn_habits(stops_of("CACECFCG" * 3))


def seen(way: list[str], every_s: float = 60.0, last: str = "C") -> Seen:
    """Positions along a way, a minute apart."""
    lonlat = TOWN.lonlat(way)
    place = int(HABITS.place_at(TOWN.lonlat([last]))[0])
    return Seen(0, -1, place, np.arange(len(way), dtype=np.float64) * every_s, lonlat)


def chance(habits: Habits, one: Seen, letter: str) -> float:
    told = next_stops(NETWORK, "ebike", habits, one)
    place = int(habits.place_at(TOWN.lonlat([letter]))[0])
    return float(told.probability[told.place == place].sum())


def test_who_rides_east_goes_east() -> None:
    standing = seen(["C", "C", "C"])
    assert chance(HABITS, standing, "E") == pytest.approx(chance(HABITS, standing, "A"), abs=0.05)
    east = seen(["C", "CD", "D"])
    assert chance(HABITS, east, "E") > 0.3
    assert chance(HABITS, east, "A") < 0.01
    assert chance(HABITS, east, "G") > 0.3


def test_all_probability_is_told_and_the_prediction_ends_when_a_tenth_has_arrived() -> None:
    told = next_stops(NETWORK, "ebike", HABITS, seen(["C", "CD"]))
    assert told.probability.sum() + told.elsewhere == pytest.approx(1.0)
    assert (np.diff(told.probability) <= 0).all()
    assert told.probability[told.away_s <= told.holds_s].sum() >= OVER
    assert told.probability[told.away_s < told.holds_s].sum() < OVER


def test_without_habits_or_off_the_streets_nothing_is_told() -> None:
    nobody = learn_habits(PastStops(np.empty(0, np.int64), np.empty(0), np.empty((0, 2))))
    for habits, lonlat in ((nobody, TOWN.lonlat(["C"])), (HABITS, TOWN.lonlat(["C"]) + 0.5)):
        told = next_stops(NETWORK, "ebike", habits, Seen(-1, -1, -1, np.zeros(1), lonlat))
        assert (len(told.place), told.elsewhere, told.holds_s) == (0, 1.0, 0.0)
        assert (
            len(
                passed_streets(
                    NETWORK, "ebike", habits, Seen(-1, -1, -1, np.zeros(1), lonlat), told, 600.0
                ).directed
            )
            == 0
        )


@pytest.mark.parametrize(
    ("way", "start"),
    [
        (["A", "B", "C"], 0),
        (["A", "A", "A", "B", "C"], 2),
        (["A", "B", "B", "C"], 2),
        (["A", "B", "C", "C"], 3),
        (["A"], 0),
    ],
)
def test_a_ride_begins_after_the_last_stand(way: list[str], start: int) -> None:
    one = seen(way)
    assert ride_start(one.t_s, one.lonlat, NETWORK) == start


@pytest.mark.parametrize("within_s", [30.0, 90.0, 400.0])
def test_streets_are_those_of_all_ways_each_with_its_probability(within_s: float) -> None:
    one = seen(["C", "CD"])
    told = next_stops(NETWORK, "ebike", HABITS, one)
    found: dict[int, float] = {}

    def ride(start: np.ndarray, end: np.ndarray, left_s: float, share: float) -> None:
        ends = NETWORK.snap(np.stack([start, end]), "ebike")
        # Of ways that take the same time, the one that trips with a search in common take.
        path = route_trips(NETWORK, "ebike", ends, np.array([0]), np.array([1]), np.array([True]))
        assert path.found[0]
        cost_s, at_s, passed = NETWORK.graph("ebike").directed_cost_ms / 1000.0, 0.0, set()
        for number, directed in enumerate(path.edges.tolist()):
            if at_s < left_s:
                passed.add(directed)
            part = 1.0
            if number == 0:
                part = float(ends.offset_m[0] / NETWORK.edge_length_m[directed >> 1])
                part = part if directed % 2 else 1.0 - part
            at_s += part * float(cost_s[directed])
        for directed in passed:
            found[directed] = found.get(directed, 0.0) + share

    for at in range(len(told.place)):
        ride(one.lonlat[-1], told.lonlat[at], within_s, float(told.probability[at]))
        left_s = within_s - float(told.away_s[at]) - STOP_S
        if at >= THEN[0] or left_s <= 0:
            continue
        lon, lat = told.lonlat[at].tolist()
        prior, _ = HABITS.prior(0, one.last, int(told.place[at]), (lon, lat))
        for number in np.argsort(-prior, kind="stable")[: THEN[1]].tolist():
            share = float(told.probability[at] * prior[number])
            if share > 0:
                ride(told.lonlat[at], HABITS.lonlat[number], left_s, share)
    streets = passed_streets(NETWORK, "ebike", HABITS, one, told, within_s)
    passed = dict(zip(streets.directed.tolist(), streets.probability.tolist(), strict=True))
    likely = {directed: min(share, SURE) for directed, share in found.items()}
    assert {one: share for one, share in passed.items() if share > 0} == pytest.approx(likely)
