"""Snapping to streets: nearest, legal, and on the right side of the fence."""

import dataclasses
import itertools
import math
import pathlib

import numpy as np
import pytest
import shapely
from ascii_map import ascii_map
from hypothesis import given, settings
from hypothesis import strategies as st
from random_streets import random_ways

from geo.arrays import FloatArray
from geo.errors import InputError
from geo.streets.build import build_network
from geo.streets.network import MODES, StreetNetwork, mode_bit
from geo.streets.snapping import Fences, Snapped
from geo.travel.times import travel_times_s


def slow_nearest_m(network: StreetNetwork, point: FloatArray, edges: list[int]) -> float:
    """Least distance to a list of edges, one segment after the other."""
    best = math.inf
    for edge in edges:
        line = network.project(network.edge_lonlat(edge))
        for a, b in itertools.pairwise(line):
            along = b - a
            part = min(1.0, max(0.0, float((point - a) @ along) / float(along @ along)))
            best = min(best, float(np.hypot(*(point - a - part * along))))
    return best


def middle_of(network: StreetNetwork, edge: int) -> Snapped:
    """Return the place half way along an edge, as if somebody stood there."""
    half_m = float(network.edge_length_m[edge]) / 2
    at = network.edge_part(edge, half_m, half_m)[:1]
    return Snapped(np.array([edge], np.int32), np.array([half_m]), at, np.zeros(1), np.zeros(1, np.int64))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), mode=st.sampled_from(MODES), max_m=st.sampled_from([30.0, 200.0, 5000.0]))
def test_snapping_finds_the_nearest_street_of_the_zone(seed: int, mode: str, max_m: float) -> None:
    network = build_network(random_ways(seed))
    if not len(network):
        return
    rng = np.random.default_rng(seed)
    points = np.stack([rng.uniform(116.28, 116.34, 12), rng.uniform(39.965, 40.005, 12)], axis=1)
    snapped = network.snap(points, mode, max_m)
    zone, xy_m = network.compound_of(points), network.project(points)
    usable = (network.edge_access[0] | network.edge_access[1]) & mode_bit(mode) != 0
    for row in range(len(points)):
        own = network.edge_compound == zone[row]
        good = network.connected(mode)
        ground = good & ~network.edge_off_ground
        for choice in (ground & own, ground, good & own, good, usable & own, usable):
            nearest = slow_nearest_m(network, xy_m[row], np.flatnonzero(choice).tolist())
            if nearest <= max_m:
                break
        if nearest <= max_m:
            assert snapped.walk_m[row] == pytest.approx(nearest, abs=1e-6)
            foot = network.project(snapped.lonlat[row])
            assert np.hypot(*(foot - xy_m[row])) == pytest.approx(nearest, abs=1e-6)
            edge, offset = int(snapped.edge[row]), float(snapped.offset_m[row])
            assert usable[edge]
            on_edge = network.edge_part(edge, offset, float(network.edge_length_m[edge]))[0]
            assert np.abs(network.project(on_edge) - foot).max() < 0.01
            assert snapped.walk_ms[row] == round(nearest / 1.2 * 1000)
        else:
            assert snapped.edge[row] == -1
            assert not snapped.ok[row]
            if nearest < 2000:
                assert snapped.walk_m[row] == pytest.approx(nearest, abs=1e-6)


FENCED = """
A-------B

C-------D
P-------Q
"""


def test_a_fence_is_not_crossed_to_save_three_metres() -> None:
    town = ascii_map(
        FENCED,
        {"AB": {"private": True, "compound": "Garden"}, "CD": {}},
        compounds={"Garden": {"fence": "ABDC"}},
        cell_m=10.0,
    )
    network = town.network()
    inside, outside = 0, 1
    by_compound = {int(c) >= 0: e for e, c in enumerate(network.edge_compound)}
    # Two metres within the fence the street outside is nearer; two metres without, the one inside is far.
    (west, south), north = town.letters["C"], town.letters["A"][1]
    metre = (north - south) / 20
    points = np.array([[west + 1e-4, south + 2 * metre], [west + 1e-4, south - 2 * metre]])
    snapped = network.snap(points, "ebike")
    assert snapped.edge[inside] == by_compound[True]
    assert snapped.walk_m[inside] == pytest.approx(18.0, abs=0.01)
    assert snapped.edge[outside] == by_compound[False]
    # Where the compound has no street within reach, the fence is crossed after all.
    assert network.snap(points[:1], "ebike", 10.0).edge[0] == by_compound[False]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), count=st.integers(0, 6))
def test_points_are_in_the_smallest_outline_around_them(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    middle, half = rng.uniform(-1.0, 1.0, (count, 2)), rng.choice([0.0, 1e-9, 0.3, 0.9], (count, 2))
    boxes = shapely.box(*(middle - half).T, *(middle + half).T)
    # Anywhere, far off, and on the corners and edges of the outlines.
    corners = np.concatenate([shapely.get_coordinates(boxes), middle]).reshape(-1, 2)
    points = np.concatenate([rng.uniform(-3.0, 3.0, (20, 2)), [[1e300, 0.0]], corners])
    for point, found in zip(points, Fences(boxes).around(points).tolist(), strict=True):
        around = np.flatnonzero(shapely.intersects(boxes, shapely.points(point)))
        areas = shapely.area(boxes)[around]
        assert (found < 0) == (not len(around))
        assert found < 0 or (found in around and shapely.area(boxes)[found] == areas.min())


def test_a_compound_in_a_compound_is_the_one_that_counts() -> None:
    town = ascii_map(
        """
        A-------B
          E---F
          G---H
        C-------D
        """,
        {"AB": {}},
        compounds={"In": {"fence": "EFHG"}, "Out": {"fence": "ABDC"}},
    )
    places = town.lonlat(["EFGH", "ABEF"])
    assert town.network().compound_of(places).tolist() == [0, 1]


FRAGMENT = """
P-Q

A-B-C-D-E-F-G-H-I-J-K-L
|                     |
a-b-c-d-e-f-g-h-i-j-k-l
"""
ROADS = ("ABCDEFGHIJKL", "abcdefghijkl", "Aa", "Ll")


def test_beside_a_scrap_of_street_one_walks_to_the_next_real_one() -> None:
    town = ascii_map(FRAGMENT, {**{road: {} for road in ROADS}, "PQ": {}})
    network = town.network()
    part = network.components("ebike")
    beside = town.lonlat("P")
    assert network.connected("ebike").tolist() == (part == 0).tolist()
    assert part[network.snap(beside, "ebike").edge].tolist() == [0]
    assert network.snap(beside, "ebike").walk_m[0] == pytest.approx(50.0, abs=0.01)
    # Where nothing else is within the walk, and where it is only measured, the fragment counts.
    assert part[network.snap(beside, "ebike", 40.0).edge].tolist() == [1]
    assert network.snap(beside, "ebike", fragments=True).walk_m[0] == pytest.approx(0.0, abs=0.01)


def test_a_street_that_one_can_only_leave_or_only_enter_is_a_scrap() -> None:
    lane = {"oneway": True, "contraflow": "foot"}
    town = ascii_map(
        """
        P->A---B->Q
           |   |
           C---D
        """,
        {"PA": lane, "AB": {}, "BQ": lane, "AC": {}, "CD": {}, "BD": {}},
    )
    network = town.network()
    for letter, mode in itertools.product("PQ", ("ebike", "car")):
        edge = int(network.snap(town.lonlat(letter), mode).edge[0])
        assert network.connected(mode)[edge]
    assert network.snap(town.lonlat("P"), "foot").walk_m[0] == pytest.approx(0.0, abs=0.01)


def test_a_street_with_a_turn_into_a_dead_end_is_no_scrap() -> None:
    """Whatever turn of the junction comes first: B-P and C-Q lead off the map for good."""
    lane = {"oneway": True}
    ways = {"AB": {}, "BC": {}, "CD": {}, "AE": {}, "EF": {}, "DF": {}, "BP": lane, "CQ": lane}
    network = ascii_map("E-------F\n\nA-B---C-D\n  |   |  \n  P   Q  ", ways).network()
    away = [int(network.snap(places, "car", fragments=True).edge[0]) for places in off_the_map(network)]
    assert np.flatnonzero(~network.connected("car")).tolist() == sorted(away)


def off_the_map(network: StreetNetwork) -> list[FloatArray]:
    """Return the middle of each street that leads to a node of one street only."""
    degree = np.bincount(np.r_[network.edge_u, network.edge_v])
    ends = np.minimum(degree[network.edge_u], degree[network.edge_v])
    return [network.edge_lonlat(int(e)).mean(axis=0, keepdims=True) for e in np.flatnonzero(ends == 1)]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), mode=st.sampled_from(MODES))
def test_streets_that_reach_each_other_share_a_part(seed: int, mode: str) -> None:
    """Every pair by travel times, private streets taken as public.

    Cars on one-way streets only, and bicycles without forbidden turns: who turns round at their stop may
    reach more than who drives on.
    """
    network = build_network(random_ways(seed))
    access = network.edge_access.copy()
    if mode == "car":
        access[1] = np.where(access[0] & mode_bit("car"), 0, access[1])
    network = dataclasses.replace(
        network,
        edge_access=access,
        edge_private=network.edge_private * np.uint8(0),
        turn_modes=network.turn_modes & np.uint8(mode_bit("car")),
    )
    part = network.components(mode, strong=True)
    edges = np.flatnonzero(network.usable(mode)).tolist()
    for edge, other in itertools.combinations(edges, 2):
        one, two = middle_of(network, edge), middle_of(network, other)
        there, back = travel_times_s(network, mode, one, two), travel_times_s(network, mode, two, one)
        mutual = bool(np.isfinite(there[0, 0]) and np.isfinite(back[0, 0]))
        assert mutual == (part[edge] >= 0 and part[edge] == part[other])


def test_two_islands_of_some_size_are_both_served() -> None:
    network = ascii_map(FENCED, {"AB": {}, "PQ": {}}).network()
    assert network.connected("ebike").tolist() == [True, True]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), mode=st.sampled_from(MODES))
def test_connected_streets_reach_each_other(seed: int, mode: str) -> None:
    """Of one part every street is reached from every other by a plain search over directed edges."""
    network = build_network(random_ways(seed))
    public = dataclasses.replace(network, edge_private=network.edge_private * np.uint8(0))
    part = network.components(mode, strong=True)
    edges = np.flatnonzero(network.connected(mode))
    rng = np.random.default_rng(seed)
    for edge in rng.permutation(edges)[:4]:
        for other in rng.permutation(edges)[:4]:
            if part[edge] == part[other]:
                one, two = (middle_of(public, int(number)) for number in (edge, other))
                assert np.isfinite(travel_times_s(public, mode, one, two)[0, 0])


def test_a_point_beyond_the_limit_is_refused_and_measured() -> None:
    town = ascii_map(FENCED, {"AB": {}})
    network = town.network()
    snapped = network.snap(town.lonlat("CP"), "foot", 60.0)
    assert snapped.ok.tolist() == [True, False]
    assert snapped.walk_m == pytest.approx([50.0, 75.0], abs=0.01)
    assert snapped.walk_ms.tolist() == [41667, 0]
    assert snapped.take([1]).edge.tolist() == [-1]


def test_a_street_of_another_mode_does_not_count() -> None:
    town = ascii_map(FENCED, {"AB": {"modes": "ebike"}, "CD": {"modes": "foot"}})
    network = town.network()
    assert network.snap(town.lonlat("C"), "ebike").walk_m[0] == pytest.approx(50.0, abs=0.01)
    assert not network.snap(town.lonlat("C"), "car").ok[0]
    assert network.snap(town.lonlat("C"), "car").walk_m[0] == math.inf


def test_order_of_the_points_does_not_matter() -> None:
    network = build_network(random_ways(7))
    points = np.random.default_rng(1).uniform((116.3, 39.98), (116.32, 39.99), (50, 2))
    order = np.random.default_rng(2).permutation(50)
    one, two = network.snap(points, "ebike", 900.0), network.snap(points[order], "ebike", 900.0)
    np.testing.assert_array_equal(one.edge[order], two.edge)
    np.testing.assert_array_equal(one.offset_m[order], two.offset_m)


@pytest.mark.parametrize("max_m", [0.0, -1.0, math.inf, math.nan])
def test_a_bad_limit_is_refused(max_m: float) -> None:
    town = ascii_map(FENCED, {"AB": {}})
    with pytest.raises(InputError, match="above 0 m"):
        town.network().snap(town.lonlat("A"), "ebike", max_m)


def test_a_bad_position_and_a_bad_mode_are_refused() -> None:
    network = ascii_map(FENCED, {"AB": {}}).network()
    with pytest.raises(InputError, match="finite"):
        network.snap(np.array([[np.nan, 1.0]]), "ebike")
    with pytest.raises(InputError, match="ebike, bike, car, foot"):
        network.snap(np.array([[116.3, 39.9]]), "truck")


def test_snapping_among_some_edges_passes_a_nearer_street_by() -> None:
    network = ascii_map(FENCED, {"AB": {}, "CD": {}}).network()
    on_street = network.edge_lonlat(0)[:1]
    assert network.snap(on_street, "ebike", 500.0).edge.tolist() == [0]
    others = np.arange(len(network)) != 0
    passed = network.snap(on_street, "ebike", 500.0, among=others)
    assert passed.edge[0] > 0
    assert passed.walk_m[0] > 0
    assert network.snap(on_street, "ebike", 500.0, among=others & False).edge.tolist() == [-1]


def test_the_street_comes_before_the_tunnel_below_it() -> None:
    """A service tunnel, off by itself, runs nearer to the door than the street."""
    town = ascii_map(
        """
        A-------B
        T-------U
        |       |
        C-------D
        """,
        {"AB": {}, "TU": {"off_ground": True}, "TC": {}, "UD": {}, "CD": {}, "AT": {}},
        cell_m=10.0,
    )
    network = town.network()
    tunnel = np.flatnonzero(network.edge_off_ground)
    place = town.lonlat(["TTTU"])
    near = network.snap(place, "ebike", 100.0)
    assert near.edge[0] not in tunnel
    assert near.walk_m[0] == pytest.approx(10.0, abs=0.1)
    # Nothing else within the walk.
    assert network.snap(place, "ebike", 5.0).edge[0] in tunnel
    assert network.snap(place, "ebike", 5.0, fragments=True).edge[0] in tunnel


def test_a_saved_network_snaps_alike(tmp_path: pathlib.Path) -> None:
    network = build_network(random_ways(11))
    network.save(tmp_path / "net")
    again = StreetNetwork.load(tmp_path / "net")
    np.testing.assert_array_equal(again.edge_off_ground, network.edge_off_ground)
