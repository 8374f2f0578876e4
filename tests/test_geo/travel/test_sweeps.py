"""Matrices by sweeps over an order of the states against networkx, and when they are made so."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import random_graph, slow_times
from random_streets import random_places, random_ways
from slow_streets import SlowStreets

from geo.streets.build import build_network
from geo.streets.mode_graph import NO
from geo.streets.network import MODES
from geo.travel import sweeps, times
from geo.travel.ends import Seeds
from geo.travel.state_order import has_order, state_order
from geo.travel.sweeps import FAR, LANES, LEAST_REACHED, sweep_rows, sweeps_pay
from geo.travel.times import travel_times_s


@contextmanager
def always_swept() -> Iterator[None]:
    with mock.patch.object(times, "sweeps_pay", return_value=True):
        yield


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    mode=st.sampled_from(MODES),
    limit_s=st.sampled_from([math.inf, 0.0, 90.0, 400.0]),
)
def test_swept_times_equal_networkx(seed: int, mode: str, limit_s: float) -> None:
    network = build_network(random_ways(seed), gate_delay_s=100.0)
    if not len(network):
        return
    sources, targets = random_places(network, seed, 5), random_places(network, seed + 1, 4)
    slow = SlowStreets(network, mode).times_s(sources, targets, limit_s)
    many = np.arange(LANES + 8) % len(sources)
    with always_swept():
        found = travel_times_s(network, mode, sources, targets.take([0, 1]), limit_s)
        np.testing.assert_array_equal(found, slow[:, :2])
        # More rows than lanes, and columns that are all of them: the matrix is filled by trips backward.
        found = travel_times_s(network, mode, sources.take(many), targets, limit_s)
        np.testing.assert_array_equal(found, slow[many])
        found = travel_times_s(network, mode, sources.take(many), sources.take(many), limit_s)
    searched = travel_times_s(network, mode, sources.take(many), sources.take(many), limit_s, threads=1)
    np.testing.assert_array_equal(found, searched)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    rows=st.integers(0, 2 * LANES + 3),
    backward=st.booleans(),
    limit_ms=st.sampled_from([0, 1_000, 4_000_000, 2**32 - 2]),
)
def test_sweeps_on_any_graph_equal_networkx_up_to_the_last_millisecond(
    seed: int, rows: int, backward: bool, limit_ms: int
) -> None:
    graph = random_graph(seed)
    rng = np.random.default_rng(seed + 1)

    def some(count: int) -> Seeds:
        ptr = np.r_[0, np.cumsum(rng.integers(0, 4, count))].astype(np.int32)
        state = rng.integers(0, graph.n_states, ptr[-1]).astype(np.int32)
        # Sums that do not fit into 32 bits are not reached.
        ms = rng.choice([0, 1, 500, 90_000, 2**31, 2**32 - 2], ptr[-1]).astype(np.uint32)
        return Seeds(ptr, state, ms, state)

    start, stop = some(rows), some(5)
    out_ms = np.empty((rows, 5), np.uint32)
    sweep_rows(graph, (start, stop), limit_ms, out_ms, backward=backward, threads=2)
    for row in range(rows):
        mine = slice(start.ptr[row], start.ptr[row + 1])
        reached = slow_times(graph, start.state[mine], start.ms[mine], backward=backward)
        for column in range(5):
            theirs = range(stop.ptr[column], stop.ptr[column + 1])
            ways = [
                reached[int(stop.state[k])] + int(stop.ms[k]) for k in theirs if int(stop.state[k]) in reached
            ]
            best = min(ways, default=int(NO))
            assert out_ms[row, column] == (best if best <= limit_ms else NO)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_all_arcs_of_an_order_lead_to_states_above(seed: int) -> None:
    graph = random_graph(seed)
    order = state_order(graph)
    assert sorted(order.rank.tolist()) == list(range(graph.n_states))
    for indptr, head, _ in (order.up, order.down):
        tail = np.repeat(np.arange(graph.n_states), np.diff(indptr))
        assert np.all(head > tail)
        for low, high in zip(tail.tolist(), head.tolist(), strict=True):
            above = []
            at = low
            while at >= 0:
                above.append(at)
                at = int(order.parent[at])
            assert high in above


def test_an_order_belongs_to_the_costs_it_was_made_for() -> None:
    network = build_network(random_ways(7))
    places = random_places(network, 7, 5)
    with always_swept():
        before = travel_times_s(network, "ebike", places, places)
        slower = network.with_times("ebike", np.full(2 * len(network), 3.0))
        assert has_order(network.graph("ebike"))
        assert not has_order(slower.graph("ebike"))
        after = travel_times_s(slower, "ebike", places, places)
    assert np.any(after[np.isfinite(after)] > before[np.isfinite(after)])
    np.testing.assert_array_equal(after, travel_times_s(slower, "ebike", places, places))


def test_sweeps_are_made_where_searches_would_reach_more_than_an_order_costs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = build_network(random_ways(7)).graph("foot")
    states = graph.n_states
    rows = LEAST_REACHED // states
    assert sweeps_pay(graph, rows + 1, lambda: states)
    assert not sweeps_pay(graph, rows - 1, lambda: states)
    # Near limits: a search reaches little of what a sweep runs over.
    assert not sweeps_pay(graph, 100 * rows, lambda: states / FAR / 2)
    monkeypatch.setattr(sweeps, "LEAST_REACHED", 0)
    assert not sweeps_pay(graph, 99, lambda: states)
    assert sweeps_pay(graph, 100, lambda: states)
    # An order that is there already costs nothing.
    state_order(graph)
    assert sweeps_pay(graph, LANES, lambda: states)
    assert not sweeps_pay(graph, LANES - 1, lambda: states)


def test_how_far_a_search_goes_is_tried_only_with_a_limit() -> None:
    network = build_network(random_ways(7))
    places = random_places(network, 7, 40)
    asked: list[float] = []

    def remember(*given: object) -> bool:
        reach = given[-1]
        assert callable(reach)
        asked.append(reach())
        return False

    with mock.patch.object(times, "sweeps_pay", remember):
        for limit_s in (math.inf, 3600.0, 0.0):
            travel_times_s(network, "ebike", places, places, limit_s)
    whole, hour, none = asked
    assert whole == network.graph("ebike").n_states
    assert whole >= hour > none >= 0
