"""One drawn map for each rule of the road."""

import math

import numpy as np
import pytest
from ascii_map import AsciiMap, ascii_map

from geo.streets.network import StreetNetwork
from geo.travel.reasons import REASONS, why_unreachable
from geo.travel.times import Path, find_path, travel_times_s


def time_s(town: AsciiMap, mode: str, start: str, end: str, gate_delay_s: float = 100.0) -> float:
    network = town.network(gate_delay_s)
    places = network.snap(town.lonlat([start, end]), mode, 5.0)
    assert places.ok.all()
    return float(travel_times_s(network, mode, places.take([0]), places.take([1]))[0, 0])


def path(town: AsciiMap, mode: str, start: str, end: str) -> Path | None:
    network = town.network(100.0)
    places = network.snap(town.lonlat([start, end]), mode, 5.0)
    return find_path(network, mode, places.take([0]), places.take([1]))


def reason(network: StreetNetwork, town: AsciiMap, mode: str, start: str, end: str) -> str:
    places = network.snap(town.lonlat([start, end]), mode, 5.0)
    return REASONS[why_unreachable(network, mode, places.take([0]), places.take([1]))[0, 0]]


BLOCK = """
A---B---C
|       |
D-------E
"""


def test_a_street_takes_its_length_over_its_speed() -> None:
    town = ascii_map("A---B", {"AB": {"name": "Main", "speed": 4.0}})
    assert time_s(town, "ebike", "A", "B") == pytest.approx(25.0, abs=0.01)
    assert time_s(town, "ebike", "AAAB", "AB") == pytest.approx(6.25, abs=0.01)
    found = path(town, "ebike", "B", "A")
    assert found is not None
    assert [name for name, _ in found.steps] == ["Main"]
    assert found.length_m == pytest.approx(100.0, abs=0.01)


def test_one_way_streets_bind() -> None:
    town = ascii_map(BLOCK, {"ABC": {"oneway": True}, "AD": {}, "DE": {}, "EC": {}})
    assert time_s(town, "ebike", "AB", "BC") == pytest.approx(25.0, abs=0.01)
    # Back again only around the block.
    assert time_s(town, "ebike", "BC", "AB") == pytest.approx(12.5 + 12.5 + 50 + 12.5 + 12.5, abs=0.01)


def test_a_contraflow_lane_frees_bicycles_from_a_one_way_street() -> None:
    town = ascii_map(
        BLOCK, {"ABC": {"oneway": True, "contraflow": "ebike bike"}, "AD": {}, "DE": {}, "EC": {}}
    )
    assert time_s(town, "ebike", "BC", "AB") == pytest.approx(25.0, abs=0.01)
    assert time_s(town, "car", "BC", "AB") > 80


def test_an_ebike_promises_at_most_15_km_an_hour() -> None:
    town = ascii_map("A---B", {"AB": {"speed": 10.0}})
    assert time_s(town, "ebike", "A", "B") == pytest.approx(24.0, abs=0.01)
    assert time_s(town, "bike", "A", "B") == pytest.approx(10.0, abs=0.01)


COMPOUND = """
  A---B---C---D
      |   |
      X---Y
      |   |
      Z   W
"""
INNER = {"private": True, "compound": "Garden"}


def garden(**compound: float) -> AsciiMap:
    """A compound between two gates B-X and C-Y, shorter than the curved street between B and C."""
    return ascii_map(
        COMPOUND,
        {
            "AB": {},
            "BC": {"speed": 0.5},
            "CD": {},
            "BX": INNER,
            "XY": INNER,
            "YC": INNER,
            "XZ": INNER,
            "YW": INNER,
        },
        nodes={"B": {"gate": True}, "C": {"gate": True}},
        compounds={"Garden": {"fence": "BCWZ", **compound}},
    )


@pytest.mark.parametrize("mode", ["ebike", "car", "foot"])
def test_the_way_into_a_compound_pays_the_gate_once(mode: str) -> None:
    assert time_s(garden(), mode, "A", "XZ") == pytest.approx(25 + 100 + 12.5 + 6.25, abs=0.01)
    assert time_s(garden(delay_s=7.0), mode, "A", "XZ") == pytest.approx(25 + 7 + 12.5 + 6.25, abs=0.01)


@pytest.mark.parametrize("mode", ["ebike", "car"])
def test_the_way_out_of_a_compound_is_free(mode: str) -> None:
    assert time_s(garden(), mode, "XZ", "A") == pytest.approx(6.25 + 12.5 + 25, abs=0.01)


@pytest.mark.parametrize("mode", ["ebike", "car"])
def test_ways_inside_a_compound_stay_inside(mode: str) -> None:
    assert time_s(garden(), mode, "XZ", "YW") == pytest.approx(6.25 + 25 + 6.25, abs=0.01)


@pytest.mark.parametrize("mode", ["ebike", "car", "foot"])
def test_no_route_cuts_through_a_compound(mode: str) -> None:
    assert time_s(garden(), mode, "AB", "CD") == pytest.approx(12.5 + 200 + 12.5, abs=0.01)


def test_a_gate_on_a_public_street_costs_nothing() -> None:
    town = ascii_map("A---B---C", {"ABC": {}}, nodes={"B": {"gate": True}})
    assert time_s(town, "ebike", "A", "C") == pytest.approx(50.0, abs=0.01)


def test_a_gate_on_a_private_way_outside_of_compounds_costs_the_default() -> None:
    town = ascii_map("A---B---C---D", {"AB": {}, "BCD": {"private": "ebike"}}, nodes={"C": {"gate": True}})
    assert time_s(town, "ebike", "AB", "BC") == pytest.approx(25.0, abs=0.01)
    assert time_s(town, "ebike", "AB", "CD") == pytest.approx(150.0, abs=0.01)
    assert time_s(town, "bike", "AB", "CD") == pytest.approx(50.0, abs=0.01)


def test_a_gate_before_the_fence_is_not_paid_twice() -> None:
    town = ascii_map(
        "A---B---C---D",
        {"AB": {}, "BC": {"private": True}, "CD": INNER},
        nodes={"B": {"gate": True}},
        compounds={"Garden": {"fence": "CDD"}},
    )
    assert time_s(town, "ebike", "AB", "CD") == pytest.approx(12.5 + 25 + 12.5 + 100, abs=0.01)


def test_a_barrier_stops_cars_and_lets_bicycles_pass() -> None:
    town = ascii_map(BLOCK, {"ABC": {}, "AD": {}, "DE": {}, "EC": {}}, nodes={"B": {"blocked": "car"}})
    assert time_s(town, "ebike", "AB", "BC") == pytest.approx(25.0, abs=0.01)
    assert time_s(town, "car", "AB", "BC") == pytest.approx(100.0, abs=0.01)


def test_a_roundabout_is_driven_one_way_round() -> None:
    town = ascii_map(
        """
              N
              |
              B
        W---C   A---E
              D
        """,
        {"ABCDA": {"oneway": True}, "EA": {}, "NB": {}, "WC": {}},
    )
    quarter = math.hypot(50, 25) / 4
    for mode in ("car", "ebike"):
        assert time_s(town, mode, "E", "N") == pytest.approx(25 + quarter + 12.5, abs=0.05)
        assert time_s(town, mode, "N", "E") == pytest.approx(25 + 3 * quarter + 12.5, abs=0.05)


def test_islands_are_counted_and_said_to_be_unreachable() -> None:
    town = ascii_map(
        """
        A---B---C

        D---E
        """,
        {"ABC": {}, "DE": {}},
    )
    network = town.network()
    assert time_s(town, "ebike", "A", "D") == math.inf
    assert path(town, "ebike", "A", "D") is None
    assert reason(network, town, "ebike", "A", "D") == "other_component"
    labels = network.components("ebike")
    lengths = [network.edge_length_m[labels == part].sum() for part in range(labels.max() + 1)]
    assert lengths == pytest.approx([200.0, 100.0], abs=0.01)


def test_a_street_against_all_one_ways_is_no_legal_way() -> None:
    town = ascii_map("A---B---C", {"AB": {"oneway": True}, "BC": {}})
    assert reason(town.network(), town, "ebike", "C", "AB") == "no_legal_way"
    assert reason(town.network(), town, "ebike", "AB", "C") == "reached"


def test_a_foot_bridge_is_for_those_on_foot() -> None:
    town = ascii_map(BLOCK, {"ABC": {}, "AD": {}, "DE": {"modes": "foot"}, "EC": {}})
    assert time_s(town, "foot", "D", "E") == pytest.approx(50.0, abs=0.01)
    assert time_s(town, "ebike", "AD", "EC") == pytest.approx(12.5 / 2 + 50 + 12.5 / 2, abs=0.01)
    labels = town.network().components("ebike")
    assert (labels == -1).sum() == 1


TURNS = """
    N
    |
W---X---E
    |
    S
"""


def test_a_forbidden_turn_binds_cars_only() -> None:
    ways: dict[str, dict[str, str]] = {"NX": {}, "WX": {}, "EX": {}, "SX": {}}
    town = ascii_map(TURNS, ways, restrictions=[("WX", "X", "NX", "no")])
    assert time_s(town, "ebike", "W", "N") == pytest.approx(37.5, abs=0.01)
    # Cars go on to an end of the road and turn there.
    assert time_s(town, "car", "W", "N") == pytest.approx(37.5 + 25, abs=0.01)
    assert time_s(town, "car", "E", "N") == pytest.approx(37.5, abs=0.01)


def test_a_forbidden_turn_binds_bicycles_where_it_says_so() -> None:
    ways: dict[str, dict[str, str]] = {"NX": {}, "WX": {}, "EX": {}, "SX": {}}
    town = ascii_map(TURNS, ways, restrictions=[("WX", "X", "NX", "no")], bound="ebike bike")
    assert time_s(town, "car", "W", "N") == pytest.approx(37.5, abs=0.01)
    assert time_s(town, "foot", "W", "N") == pytest.approx(37.5, abs=0.01)
    for mode in ("ebike", "bike"):
        # A little way into another street, and round: bicycles turn anywhere, and here at its end.
        assert time_s(town, mode, "W", "N") == pytest.approx(37.5 + 25, abs=0.01)
        assert time_s(town, mode, "WX", "NX") == pytest.approx(37.5 - 12.5 - 6.25 + 25, abs=0.01)
        assert time_s(town, mode, "E", "N") == pytest.approx(37.5, abs=0.01)


def test_straight_on_only_leaves_bicycles_the_cycle_track() -> None:
    ways: dict[str, dict[str, str]] = {"NX": {"modes": "ebike bike foot"}, "WX": {}, "EX": {}, "SX": {}}
    town = ascii_map(TURNS, ways, restrictions=[("WX", "X", "EX", "only")], bound="ebike car")
    assert time_s(town, "ebike", "W", "N") == pytest.approx(37.5, abs=0.01)
    assert time_s(town, "ebike", "W", "S") > 40


def test_an_only_restriction_forbids_the_other_turns() -> None:
    ways: dict[str, dict[str, str]] = {"NX": {}, "WX": {}, "EX": {}, "SX": {}}
    town = ascii_map(TURNS, ways, restrictions=[("WX", "X", "EX", "only")])
    assert time_s(town, "car", "W", "E") == pytest.approx(50.0, abs=0.01)
    assert time_s(town, "car", "W", "N") == pytest.approx(25 + 25 + 25 + 12.5, abs=0.01)


def test_cars_turn_round_at_dead_ends_only() -> None:
    town = ascii_map(
        """
            N
            |
        W---X-Y-----E
              |
              Z
        """,
        {"WX": {}, "NX": {}, "XY": {}, "YE": {}, "YZ": {}},
        restrictions=[("WX", "X", "NX", "no")],
    )
    # Not at the junction Y, but where the street ends in Z.
    assert time_s(town, "car", "W", "N") == pytest.approx(25 + 12.5 + 12.5 + 12.5 + 12.5 + 12.5, abs=0.01)


def test_a_barrier_ends_the_street_for_cars_so_they_may_turn() -> None:
    town = ascii_map("A---B---C---D", {"AB": {"oneway": True}, "BCD": {}}, nodes={"C": {"blocked": "car"}})
    # Westwards from the barrier a car must have turned round there.
    assert time_s(town, "car", "AB", "BC") == pytest.approx(25.0, abs=0.01)
    assert np.isinf(time_s(town, "car", "AB", "CD"))


LADDER = """
1---2-7-3---4
    |   |
    |   |
    5---6
"""
RUNGS: dict[str, dict[str, str]] = {"12": {}, "273": {}, "34": {}, "25": {}, "56": {}, "63": {}}


def test_a_private_gate_on_a_public_street_is_not_driven_through() -> None:
    free = ascii_map(LADDER, RUNGS)
    town = ascii_map(LADDER, RUNGS, nodes={"7": {"private": "car ebike"}})
    assert time_s(free, "car", "1", "4") == pytest.approx(75.0, abs=0.01)
    for mode in ("car", "ebike"):
        assert time_s(town, mode, "1", "4") == pytest.approx(75.0 + 37.5, abs=0.01)
        # A house before the gate, and one behind it after the gate or round the block.
        assert time_s(town, mode, "1", "27") == pytest.approx(25 + 6.25, abs=0.01)
        assert time_s(town, mode, "27", "1") == pytest.approx(25 + 6.25, abs=0.01)
        assert time_s(town, mode, "1", "73", gate_delay_s=10) == pytest.approx(25 + 18.75 + 10, abs=0.01)
        assert time_s(town, mode, "1", "73") == pytest.approx(25 + 62.5 + 6.25, abs=0.01)
    for mode in ("bike", "foot"):
        assert time_s(town, mode, "1", "4") == pytest.approx(75.0, abs=0.01)


def test_behind_a_private_gate_all_is_private() -> None:
    town = ascii_map(
        """
        1---2---3---4
            |   |
            G   H
            |   |
            5---6
            |
            8
        """,
        {"123": {}, "34": {}, "2G5": {}, "3H6": {}, "56": {}, "58": {}},
        nodes={"G": {"private": "ebike"}, "H": {"private": "ebike"}},
    )
    # Into the yard with the delay of the gate, out of it without, and never across.
    assert time_s(town, "ebike", "1", "8") == pytest.approx(25 + 25 + 12.5 + 100, abs=0.01)
    assert time_s(town, "ebike", "8", "1") == pytest.approx(25 + 25 + 12.5, abs=0.01)
    assert time_s(town, "foot", "1", "8") == pytest.approx(25 + 25 + 12.5, abs=0.01)
    network = town.network()
    private = network.edge_private & 1 != 0
    assert network.edge_length_m[private].sum() == pytest.approx(50 + 50 + 100 + 50, abs=0.1)


def test_a_private_gate_at_a_junction_shuts_no_street() -> None:
    ways: dict[str, dict[str, str]] = {"NX": {}, "WX": {}, "EX": {}, "SX": {}}
    town = ascii_map(TURNS, ways, nodes={"X": {"private": "ebike"}})
    assert time_s(town, "ebike", "W", "E") == pytest.approx(50.0, abs=0.01)
