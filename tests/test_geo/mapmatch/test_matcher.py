"""Map matching: a trace that lies on the streets gives its path back; any trace gives connected pieces."""

import dataclasses

import numpy as np
import pytest
from ascii_map import ascii_map
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.errors import InputError
from geo.mapmatch.graph import match_graph
from geo.mapmatch.matcher import Matched, Matcher, MatchOptions
from geo.mapmatch.transitions import FAR, cheapest_ways, clean
from geo.streets.network import StreetNetwork

TOWN = lattice(14, compound=False)


def ends(network: StreetNetwork, directed: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    pair = np.stack([network.edge_u, network.edge_v], axis=1)
    return pair[directed >> 1, directed & 1], pair[directed >> 1, 1 - (directed & 1)]


def random_path(network: StreetNetwork, rng: np.random.Generator, edges: int) -> list[int]:
    """Ride legally, never back, never over a street twice."""
    begin, end = ends(network, np.arange(2 * len(network), dtype=np.int32))
    legal = (network.edge_access & 1).T.ravel() == 1
    path = [int(rng.choice(np.flatnonzero(legal)))]
    while len(path) < edges:
        onward = np.flatnonzero((begin == end[path[-1]]) & legal)
        onward = onward[~np.isin(onward >> 1, np.array(path) >> 1)]
        if len(onward) == 0:
            break
        path.append(int(rng.choice(onward)))
    return path


def ride(network: StreetNetwork, path: list[int], step_m: float) -> NDArray[np.float64]:
    """Positions every `step_m` metres from 3 m after the start to 3 m before the end of a path."""
    line = [network.edge_lonlat(d >> 1)[:: -1 if d & 1 else 1] for d in path]
    points = np.concatenate([line[0], *[piece[1:] for piece in line[1:]]])
    along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(network.project(points), axis=0), axis=1))]
    at = np.r_[np.arange(3.0, along[-1] - 3.0, step_m), along[-1] - 3.0]
    return np.column_stack([np.interp(at, along, points[:, k]) for k in range(2)])


def match(
    network: StreetNetwork, lonlat: NDArray[np.float64], interval_s: int = 10, **change: object
) -> Matched:
    options = dataclasses.replace(MatchOptions(threads=1), **change)  # type: ignore[arg-type]
    t_s = 1_700_000_000 + interval_s * np.arange(len(lonlat), dtype=np.int64)
    return Matcher(network, options).match(np.array([0, len(lonlat)], np.int64), t_s, lonlat)


def assert_sound(network: StreetNetwork, matched: Matched) -> None:
    begin, end = ends(network, matched.path)
    assert matched.piece_ptr[0] == 0
    assert matched.piece_ptr[-1] == len(matched.path)
    inner = np.ones(len(matched.path), np.bool_)
    inner[matched.piece_ptr[:-1]] = False
    at = np.flatnonzero(inner)
    np.testing.assert_array_equal(begin[at], end[at - 1])
    assert (np.diff(matched.enter_s)[inner[1:]] >= -1e-6).all()
    on = matched.directed >= 0
    assert (matched.offset_m[on] <= network.edge_length_m[matched.edge[on]] + 1e-6).all()
    assert np.isin(matched.directed[on], matched.path).all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), edges=st.integers(1, 25), step_m=st.sampled_from([5.0, 20.0, 45.0, 80.0]))
def test_a_trace_on_the_streets_gives_its_path(seed: int, edges: int, step_m: float) -> None:
    path = random_path(TOWN, np.random.default_rng(seed), edges)
    matched = match(TOWN, ride(TOWN, path, step_m), sigma_m=4.0)
    assert matched.path.tolist() == path
    assert matched.away_m.max() < 0.5
    assert not matched.wrong_way.any()
    assert_sound(TOWN, matched)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    noise_m=st.sampled_from([3.0, 15.0, 60.0, 400.0]),
    interval_s=st.sampled_from([1, 30]),
)
def test_any_trace_gives_connected_pieces(seed: int, noise_m: float, interval_s: int) -> None:
    rng = np.random.default_rng(seed)
    lonlat = ride(TOWN, random_path(TOWN, rng, 15), 30.0)
    lonlat = TOWN.unproject(TOWN.project(lonlat) + rng.normal(0.0, noise_m, lonlat.shape))
    assert_sound(TOWN, match(TOWN, lonlat, interval_s))


def test_noise_of_ten_metres_rarely_leaves_the_path() -> None:
    wrong = total = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        path = random_path(TOWN, rng, 20)
        lonlat = ride(TOWN, path, 40.0)
        lonlat = TOWN.unproject(TOWN.project(lonlat) + rng.normal(0.0, 10.0, lonlat.shape))
        got = match(TOWN, lonlat).path
        wrong += len(set(path) ^ set(got.tolist()))
        total += len(path)
    assert wrong / total < 0.06


def test_riders_do_not_influence_each_other() -> None:
    rng = np.random.default_rng(5)
    traces = [ride(TOWN, random_path(TOWN, rng, 12), 25.0) for _ in range(6)]
    traces = [TOWN.unproject(TOWN.project(one) + rng.normal(0, 8.0, one.shape)) for one in traces]

    def together(order: list[int], threads: int) -> list[tuple[list[int], list[float]]]:
        ptr = np.r_[0, np.cumsum([len(traces[k]) for k in order])].astype(np.int64)
        t_s = np.concatenate([1000 + 10 * np.arange(len(traces[k])) for k in order])
        found = Matcher(TOWN, MatchOptions(threads=threads)).match(
            ptr, t_s, np.concatenate([traces[k] for k in order])
        )
        out: list[tuple[list[int], list[float]]] = [([], [])] * len(order)
        for place, k in enumerate(order):
            rows = np.concatenate(
                [
                    np.arange(found.piece_ptr[p], found.piece_ptr[p + 1])
                    for p in np.flatnonzero(found.piece_rider == place)
                ]
            )
            out[k] = (found.path[rows].tolist(), found.enter_s[rows].tolist())
        return out

    assert together([0, 1, 2, 3, 4, 5], 1) == together([4, 2, 5, 0, 1, 3], 3)


def test_a_rider_against_a_one_way_street_is_reported() -> None:
    town = ascii_map("A---B---C---D", {"AB": {}, "BC": {"oneway": True}, "CD": {}}).network()
    line = town.edge_lonlat(0)
    there = np.column_stack([np.linspace(town.bounds[0], town.bounds[2], 30), np.full(30, line[0, 1])])
    forth = match(town, there, sigma_m=4.0)
    assert not forth.wrong_way.any()
    back = match(town, there[::-1], sigma_m=4.0)
    assert back.wrong_way.tolist() == [False, True, False]
    closed = match(town, there[::-1], sigma_m=4.0, wrong_way_price=np.inf)
    assert not closed.wrong_way.any()


def test_a_silence_breaks_the_path_and_a_jump_does_not() -> None:
    town = ascii_map("A---B---C---D---E", {"AB": {}, "BC": {}, "CD": {}, "DE": {}}, cell_m=60.0).network()
    lonlat = np.column_stack([np.linspace(town.bounds[0], town.bounds[2], 40), np.full(40, town.bounds[1])])
    t_s = 10 * np.arange(40, dtype=np.int64)
    t_s[20:] += 3600
    matched = Matcher(town, MatchOptions(sigma_m=5.0)).match(np.array([0, 40]), t_s, lonlat)
    assert len(matched.piece_end_s) == 2
    assert matched.piece_end_s[0] <= 200
    jumped = lonlat.copy()
    jumped[10] += 0.02
    matched = Matcher(town, MatchOptions(sigma_m=5.0)).match(np.array([0, 40]), 10 * np.arange(40), jumped)
    assert len(matched.piece_end_s) == 1
    assert matched.directed[10] == -1
    assert (matched.directed[np.arange(40) != 10] >= 0).all()


def test_a_rider_who_waits_does_not_wander() -> None:
    rng = np.random.default_rng(2)
    path = random_path(TOWN, rng, 10)
    lonlat = ride(TOWN, path, 40.0)
    half = len(lonlat) // 2
    drift = TOWN.project(lonlat[half]) + rng.normal(0.0, 12.0, (180, 2))
    lonlat = np.concatenate([lonlat[:half], TOWN.unproject(drift), lonlat[half:]])
    matched = match(TOWN, lonlat, interval_s=10, sigma_m=8.0)
    # Thirty minutes of drift may add a street there and back at most, not a walk through the quarter.
    assert len(matched.path) <= len(path) + 4
    assert set(path) - set(matched.path.tolist()) <= set(path[4:6])
    assert_sound(TOWN, matched)


def test_time_off_the_streets_breaks_the_path() -> None:
    town = ascii_map("A---B---C---D---E", {"AB": {}, "BC": {}, "CD": {}, "DE": {}}, cell_m=60.0).network()
    lonlat = np.column_stack([np.linspace(town.bounds[0], town.bounds[2], 40), np.full(40, town.bounds[1])])
    lonlat[15:27, 1] += 0.002
    matched = match(town, lonlat, interval_s=10, sigma_m=5.0)
    assert len(matched.piece_end_s) == 2
    assert (matched.directed[15:27] == -1).all()


def test_turning_round_is_a_path_there_and_back() -> None:
    town = ascii_map(
        "A-----B-----C", {"AB": {}, "BC": {}}, cell_m=60.0, nodes={"B": {"gate": True}}
    ).network()
    east = np.linspace(town.bounds[0], town.bounds[2] - 0.001, 30)
    lonlat = np.column_stack([np.r_[east, east[::-1]], np.full(60, town.bounds[1])])
    matched = match(town, lonlat, sigma_m=4.0)
    assert [d >> 1 for d in matched.path] == [d >> 1 for d in matched.path[::-1]]
    assert_sound(town, matched)


def test_times_of_entering_streets_follow_the_rider() -> None:
    path = random_path(TOWN, np.random.default_rng(3), 10)
    lonlat = ride(TOWN, path, 4.0)
    matched = match(TOWN, lonlat, interval_s=1, sigma_m=4.0)
    length = np.array([TOWN.edge_length_m[d >> 1] for d in path])
    expected = 1_700_000_000 + (np.cumsum(length)[:-1] - 3.0) / 4.0
    np.testing.assert_allclose(matched.enter_s[1:], expected, atol=3.0)


def test_points_far_from_any_street_lie_on_none() -> None:
    far = TOWN.unproject(np.array([[50_000.0, 0.0], [50_010.0, 0.0]]))
    matched = match(TOWN, far)
    assert matched.directed.tolist() == [-1, -1]
    assert len(matched.path) == 0
    assert matched.piece_ptr.tolist() == [0]


def test_no_points_at_all() -> None:
    matched = Matcher(TOWN).match(np.array([0]), np.empty(0, np.int64), np.empty((0, 2)))
    assert len(matched.path) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sigma_m": 0.1}, "sigma_m must be 1 to 100"),
        ({"candidates": 1}, "candidates must be 2 to 64"),
        ({"mode": "x"}, "mode"),
    ],
)
def test_options_name_the_allowed_range(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        MatchOptions(**change)  # type: ignore[arg-type]


def test_unsorted_times_are_refused() -> None:
    with pytest.raises(InputError, match="sort the points"):
        Matcher(TOWN).match(np.array([0, 2]), np.array([5, 3]), np.tile(TOWN.node_lonlat[:1], (2, 1)))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 12))
def test_the_search_finds_all_that_matter_within_their_limits(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    made = match_graph(TOWN, "ebike", 4.0)
    ptr, head, _, cost, _, _, _ = made.graph
    source, *nodes = rng.choice(made.nodes, 1 + count, replace=False).tolist()
    limits = np.sort(rng.integers(0, 120_000, count))[::-1].astype(np.int64)
    space = made.space()
    want = (np.array(nodes, np.int32), limits)
    touched = cheapest_ways(source, np.inf, want, count, made.graph, space, 7)
    # of two arcs between the same nodes the cheaper one counts
    dense = np.full((made.nodes, made.nodes), np.inf)
    np.minimum.at(dense, (np.repeat(np.arange(made.nodes), np.diff(ptr)), head), cost)
    away = dijkstra(csr_array(np.where(np.isfinite(dense), dense, 0.0)), indices=source)
    near = away[nodes] <= limits
    assert space[0][nodes][near].tolist() == away[nodes][near].tolist()
    assert (space[0][nodes] >= away[nodes]).all()
    clean(space, touched)
    assert (space[0] == FAR).all()
