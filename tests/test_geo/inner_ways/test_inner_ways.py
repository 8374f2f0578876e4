"""Gates and inner ways of drawn towns: what is wrong with the map is found, and nothing else is."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ascii_map import ascii_map
from hypothesis import given, settings
from hypothesis import strategies as st
from trodden_town import MONDAY_8, Ride, trodden_town

from geo.inner_ways import (
    Trodden,
    compound_waits,
    find_cut_throughs,
    find_shut_gates,
    gate_passes,
    gate_waits,
    with_waits,
)
from geo.inner_ways.gate_waits import GatePasses, shrunk_medians
from geo.streets import StreetNetwork
from geo.travel import travel_times_s

# One column is 25 m. The compound has two gates, G in the north and H in the south.
FENCED = ascii_map(
    """
    A-------B-------C
    |       |       |
    |       G       |
    |       |       |
    |       |       |
    |       I       |
    |       |       |
    |       |       |
    |       H       |
    |       |       |
    D-------E-------F
    """,
    {
        "ABC": {"name": "North"}, "DEF": {"name": "South"}, "AD": {}, "CF": {}, "BG": {}, "HE": {},
        "GIH": {"private": True, "compound": "yard"},
    },
    nodes={"G": {"gate": True}, "H": {"gate": True}, "I": {}},
    compounds={"yard": {"fence": "GIH"}},
)  # fmt: skip
DAY = 86_400


def _town(rides: list[Ride]) -> Trodden:
    return trodden_town(FENCED, FENCED.network(), rides)


def test_waits_are_what_riders_waited_there_and_by_hour() -> None:
    rides = [
        Ride(rider, MONDAY_8 + day * DAY + hour * 3600, "ABGI", {"G": 240.0 if hour else 90.0})
        for rider in range(14) for day in range(2) for hour in (0, 4)
    ]  # fmt: skip
    trodden = _town(rides)
    passes = gate_passes(trodden)
    assert len(passes.node) == len(rides)
    found = gate_waits(trodden, passes, 10)
    (row,) = np.flatnonzero(found.riders >= 10)
    assert FENCED.network().node_id[found.node[row]] == sorted(FENCED.letters).index("G") + 1
    assert found.hour_s[row, 8] == pytest.approx(90.0, abs=12.0)
    assert found.hour_s[row, 12] == pytest.approx(240.0, abs=12.0)
    assert found.hour_riders[row, [8, 12, 9]].tolist() == [14, 14, 0]


def test_a_network_takes_the_waits_of_its_compounds_and_promises_the_slowest_hour() -> None:
    waits = (60.0, 90.0, 120.0, 240.0)
    rides = [
        Ride(rider, MONDAY_8 + day * DAY + hour * 3600, "ABGI", {"G": waits[hour + day]})
        for rider in range(14) for day in range(2) for hour in (0, 2)
    ]  # fmt: skip
    trodden = _town(rides)
    passes = gate_passes(trodden)
    found = compound_waits(trodden, passes, k=10, share=0.8)
    assert found.known == 1
    assert found.usual_s[0] == pytest.approx(105.0, abs=30.0)
    # At ten somebody waits 120 s or 240 s.
    assert found.promised_s[0] > found.usual_s[0] * 1.3
    assert np.mean(passes.wait_s <= found.promised_s[0]) >= 0.8
    network = trodden.network
    slower = with_waits(network, found.promised_s)
    more_s = _into(slower) - _into(network)
    assert more_s == pytest.approx(found.promised_s[0] - network.gate_delay_s, abs=0.01)


def test_fewer_than_k_riders_say_nothing_of_a_compound() -> None:
    rides = [Ride(rider, MONDAY_8 + day * DAY, "ABGI", {"G": 90.0}) for rider in range(9) for day in range(8)]
    trodden = _town(rides)
    found = compound_waits(trodden, gate_passes(trodden), k=10, share=0.8)
    assert found.known == 0
    assert with_waits(trodden.network, found.usual_s) is trodden.network


@pytest.mark.parametrize("few_s", [5.0, 60.0, 900.0])
def test_waits_of_few_riders_move_no_wait_that_is_told(few_s: float) -> None:
    """The attack: whoever knows the waits of all others reads nothing of nine riders at another compound."""
    rng = np.random.default_rng(4)
    compound = np.repeat([0, 1], [120, 90])
    wait_s = np.where(compound == 0, rng.gamma(4.0, 30.0, 210), few_s * rng.uniform(0.5, 1.5, 210))
    passes = GatePasses(
        node=10 + compound, compound=compound,
        rider=np.where(compound == 0, np.arange(210) % 12, 100 + np.arange(210) % 9),
        t_s=(MONDAY_8 + 3600.0 * (np.arange(210) % 5)).astype(np.float64), wait_s=wait_s,
    )  # fmt: skip
    network: Any = SimpleNamespace(compounds=_Two(), gate_delay_s=30.0)
    trodden: Any = SimpleNamespace(network=network, timezone="Asia/Shanghai")
    found = compound_waits(trodden, passes, k=10, share=0.8)
    alone = compound_waits(trodden, GatePasses._make(c[compound == 0] for c in passes), k=10, share=0.8)
    assert found.known == 1
    assert found.usual_s.tolist()[0] == alone.usual_s.tolist()[0]
    assert found.promised_s.tolist()[0] == alone.promised_s.tolist()[0]


class _Two:
    gate_delay_s = np.full(2, np.nan)

    def __len__(self) -> int:
        return 2


def _into(network: StreetNetwork) -> float:
    """Seconds from A into the yard."""
    ends = network.snap(FENCED.lonlat(["A", "I"]), "ebike")
    return float(travel_times_s(network, "ebike", ends.take([0]), ends.take([1]))[0, 0])


def test_a_door_beside_the_gate_is_no_wait() -> None:
    rides = [Ride(rider, MONDAY_8 + 60 * rider, "ABG") for rider in range(12)]
    rides += [Ride(rider, MONDAY_8 + 7200 + 60 * rider, "ABGI", {"I": 300.0}) for rider in range(12)]
    passes = gate_passes(_town(rides))
    assert len(passes.node)
    assert np.median(passes.wait_s) < 20.0


groups = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 7), st.floats(0, 600)), min_size=1, max_size=40)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(groups, st.lists(st.floats(0, 600), min_size=5, max_size=5))
def test_shrunk_medians_lie_between_the_own_one_and_the_expected(
    rows: list[tuple[int, int, float]], expected: list[float]
) -> None:
    key, rider, value = (np.array(column) for column in zip(*rows, strict=True))
    found = shrunk_medians(key, rider, value, np.array(expected)[key])
    for number, group in enumerate(found.key.tolist()):
        mine = key == group
        voices = [np.median(value[mine & (rider == one)]) for one in np.unique(rider[mine])]
        own = float(np.median(voices))
        assert found.own[number] == pytest.approx(own)
        assert found.riders[number] == len(voices)
        low, high = sorted((own, expected[group]))
        assert low - 1e-6 <= found.shrunk[number] <= high + 1e-6


def _round_trips(way: str, back: str, riders: int, days: int) -> list[Ride]:
    """Each rider delivers in the yard and comes back, in the same hour."""
    out = []
    for rider in range(riders):
        for day in range(days):
            start = MONDAY_8 + day * DAY + 30 * rider
            out += [Ride(rider, start, way), Ride(rider, start + 1800, back)]
    return out


def test_a_gate_that_riders_go_round_is_proposed_and_one_that_is_used_is_not() -> None:
    # From A to I the way by G is the shortest; all go round by H.
    trodden = _town(_round_trips("ADEHI", "IHEDA", 12, 2))
    found = find_shut_gates(trodden, 10)
    names = sorted(FENCED.letters)
    assert [names[trodden.network.node_id[node] - 1] for node in found.node] == ["G"]
    assert found.riders.tolist() == [12]
    assert found.days.tolist() == [2]
    assert found.passed.tolist() == [0]
    assert found.longer_s[0] > 60.0
    used = _town(_round_trips("ABGI", "IGBA", 12, 2))
    assert not len(find_shut_gates(used, 10).node)


def test_fewer_than_k_riders_or_one_day_propose_nothing() -> None:
    assert not len(find_shut_gates(_town(_round_trips("ADEHI", "IHEDA", 9, 3)), 10).node)
    assert not len(find_shut_gates(_town(_round_trips("ADEHI", "IHEDA", 12, 1)), 10).node)


# The way from B to H is 150 m as the crow flies and 950 m on the streets.
BLOCK = ascii_map(
    """
    A-----------B-----------C-----------------------D
    |                                               |
    |                                               |
    |                                               |
    |                                               |
    |                                               |
    E-----------H-----------I-----------------------F
    """,
    {"ABCD": {"name": "North"}, "EHIF": {"name": "South"}, "DF": {}, "AE": {"modes": "car"}},
)


def _cuts(riders: int, days: int, way: str = "ABHE") -> list[Ride]:
    """Riders who cut through, to and fro by turns; in the evening all ride round the block."""
    out = []
    for rider in range(riders):
        for day in range(days):
            start = MONDAY_8 + day * DAY + 40 * rider
            out.append(Ride(rider, start, way if day % 2 else way[::-1]))
            out.append(Ride(rider, start + 10 * 3600, "ABCDFIH"))
    return out


def test_a_way_that_the_map_lacks_is_proposed_where_it_is() -> None:
    network = BLOCK.network()
    found = find_cut_throughs(trodden_town(BLOCK, network, _cuts(12, 4)), 10)
    assert len(found.riders) == 1
    assert found.riders[0] == 12
    assert found.days[0] == 4
    assert found.saved_s[0] > 100.0
    ends, true = network.project(found.lonlat[0]), network.project(BLOCK.lonlat("BH"))
    away = min(np.hypot(*(ends - way).T).max() for way in (true, true[::-1]))
    assert away < 30.0


def test_nobody_proposes_what_is_on_the_map_or_too_few_ride() -> None:
    network = BLOCK.network()
    legal = [Ride(rider, MONDAY_8 + day * DAY, "BCDFIH") for rider in range(12) for day in range(3)]
    assert not len(find_cut_throughs(trodden_town(BLOCK, network, legal), 10).riders)
    assert not len(find_cut_throughs(trodden_town(BLOCK, network, _cuts(9, 4)), 10).riders)
    assert not len(find_cut_throughs(trodden_town(BLOCK, network, _cuts(25, 1)), 10).riders)


def test_a_footway_along_it_is_on_the_map() -> None:
    town = ascii_map(
        """
        A-----------B-----------C-----------------------D
        |           |                                   |
        |           |                                   |
        |           |                                   |
        |           |                                   |
        |           |                                   |
        E-----------H-----------I-----------------------F
        """,
        {"ABCD": {}, "EHIF": {}, "DF": {}, "AE": {"modes": "car"}, "BH": {"modes": "foot"}},
    )
    assert not len(find_cut_throughs(trodden_town(town, town.network(), _cuts(12, 4)), 10).riders)
