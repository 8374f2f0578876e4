"""Many trips at once take as long as one trip at a time."""

import numpy as np
from ascii_map import ascii_map
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice

from geo.streets.network import StreetNetwork
from geo.travel.many_paths import route_trips
from geo.travel.times import find_path, travel_times_s

TOWN = lattice(10)


def ridden_s(network: StreetNetwork, mode: str, edges: list[int], first_m: float, last_m: float) -> float:
    """Riding time of a path between two places on its first and its last edge, without walks and gates."""
    cost, length = network.graph(mode).directed_cost_ms, network.edge_length_m
    total = 0.0
    for i, d in enumerate(edges):
        begin, end = (0.0, length[d >> 1]) if d & 1 == 0 else (length[d >> 1], 0.0)
        begin = first_m if i == 0 else begin
        end = last_m if i == len(edges) - 1 else end
        total += abs(end - begin) / length[d >> 1] * cost[d] / 1000.0
    return float(total)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), mode=st.sampled_from(["ebike", "car", "foot"]), threads=st.integers(1, 3))
def test_trips_are_as_fast_as_single_paths(seed: int, mode: str, threads: int) -> None:
    rng = np.random.default_rng(seed)
    west, south, east, north = TOWN.bounds
    places = TOWN.snap(np.column_stack([rng.uniform(west, east, 8), rng.uniform(south, north, 8)]), mode)
    ok = np.flatnonzero(places.ok).astype(np.int32)
    source, target = rng.choice(ok, 20), rng.choice(ok, 20)
    trips = route_trips(TOWN, mode, places, source, target, np.ones(20, np.bool_), threads)
    times = travel_times_s(TOWN, mode, places, places)
    for i in range(20):
        edges = trips.edges[trips.ptr[i] : trips.ptr[i + 1]].tolist()
        a, b = int(source[i]), int(target[i])
        assert trips.found[i] == np.isfinite(times[a, b])
        assert edges[0] >> 1 == places.edge[a]
        assert edges[-1] >> 1 == places.edge[b]
        walks = (places.walk_ms[a] + places.walk_ms[b]) / 1000.0
        ridden = ridden_s(TOWN, mode, edges, places.offset_m[a], places.offset_m[b])
        gate = times[a, b] - walks - ridden
        path = find_path(TOWN, mode, places.take([a]), places.take([b]))
        assert path is not None
        assert abs(path.time_s - times[a, b]) < 0.05
        # Only the gate of the compound may stand between riding and arriving.
        assert min(abs(gate), abs(gate - 360.0)) < 0.1


def test_trips_that_no_street_allows_are_told() -> None:
    town = ascii_map("A---B   C---D", {"AB": {}, "CD": {}}).network()
    places = town.snap(np.array([town.node_lonlat[0], town.node_lonlat[-1]]), "ebike")
    trips = route_trips(town, "ebike", places, np.array([0, 0]), np.array([1, 0]), np.array([True, False]))
    assert trips.found.tolist() == [False, False]
    assert trips.ptr.tolist() == [0, 0, 0]


def test_trips_of_more_than_twenty_minutes_keep_their_place_among_shorter_ones() -> None:
    """All leave A: the first reach for 20 min finds B and C, and D only the second."""
    town = ascii_map("A-B-----------------------------D-C", {"AB": {}, "BD": {}, "DC": {}}, cell_m=400)
    places = town.network().snap(town.lonlat("ADBC"), "ebike")
    target = np.array([1, 2, 3, 2], np.int32)
    trips = route_trips(town.network(), "ebike", places, np.zeros(4, np.int32), target, np.ones(4, np.bool_))
    assert trips.found.all()
    for trip in range(4):
        path = find_path(town.network(), "ebike", places.take([0]), places.take([int(target[trip])]))
        assert path is not None
        edges = trips.edges[trips.ptr[trip] : trips.ptr[trip + 1]]
        assert edges.tolist() == path.directed_edges.tolist()
