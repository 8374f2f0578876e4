"""The search kernels alone, on graphs that streets do not have: huge arcs, far seeds, many of them."""

import numpy as np
import pytest
from ascii_map import ascii_map
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import random_graph, slow_times

from geo.streets.build import build_network
from geo.streets.mode_graph import NO
from geo.travel.search import (
    FREE,
    Goal,
    Targets,
    adjacency,
    new_workspace,
    reset,
    search_tree,
    shortest_times,
    time_towards,
)


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    seeds=st.integers(1, 12),
    limit_ms=st.sampled_from([0, 1_000, 10_000, 4_000_000, 2**32 - 2]),
)
def test_search_equals_networkx_and_leaves_the_workspace_clean(seed: int, seeds: int, limit_ms: int) -> None:
    graph = random_graph(seed)
    rng = np.random.default_rng(seed + 1)
    space = new_workspace(graph)
    for turn in range(2):
        state = rng.integers(0, graph.n_states, seeds).astype(np.int32)
        ms = rng.choice([0, 0, 500, 90_000, 50_000_000], seeds).astype(np.uint32)
        arcs = adjacency(graph, towards=not turn)
        n = shortest_times(arcs, state, ms, limit_ms, space)
        expected = slow_times(graph, state, ms, backward=not turn)
        reached = {int(s): int(space.dist[s]) for s in space.touched[:n]}
        assert len(reached) == n
        assert reached == {s: t for s, t in expected.items() if t <= limit_ms}
        reset(space.dist, space.touched, n)
        assert np.all(space.dist == NO)
        assert np.all(space.link[:, 0] == FREE)
        assert np.all(space.ring == -1)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**31), seeds=st.integers(1, 4), targets=st.integers(1, 4))
def test_the_tree_leads_back_to_a_seed_in_the_reported_time(seed: int, seeds: int, targets: int) -> None:
    graph = random_graph(seed)
    rng = np.random.default_rng(seed + 1)
    state, goal = (rng.integers(0, graph.n_states, k).astype(np.int32) for k in (seeds, targets))
    ms, rest = (rng.integers(0, 5_000, k).astype(np.uint32) for k in (seeds, targets))
    space = new_workspace(graph)
    parent = np.empty(graph.n_states, np.int32)
    arcs = adjacency(graph, towards=False)
    n, best = search_tree(arcs, state, ms, goal, rest, 2**32 - 2, space, parent)
    times = slow_times(graph, state, ms)
    totals = [times[int(g)] + int(r) for g, r in zip(goal, rest, strict=True) if int(g) in times]
    assert (best < 0) == (not totals)
    if totals:
        at = int(goal[best])
        assert int(space.dist[at]) + int(rest[best]) == min(totals)
        spent = 0
        while parent[at] >= 0:
            arc = int(parent[at])
            assert graph.head[arc] == at
            spent += int(graph.cost_ms[arc])
            at = int(np.searchsorted(graph.indptr, arc, "right")) - 1
        assert (
            min(int(m) for s, m in zip(state, ms, strict=True) if s == at) + spent == space.dist[goal[best]]
        )
    reset(space.dist, space.touched, n)
    assert np.all(space.dist == NO)
    assert np.all(space.link[:, 0] == FREE)
    assert np.all(space.ring == -1)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    seeds=st.integers(1, 4),
    targets=st.integers(1, 4),
    limit_ms=st.sampled_from([0, 900, 20_000, 3_100_000, 2**32 - 2]),
)
def test_the_way_towards_a_goal_is_no_longer_than_the_best_one(
    seed: int, seeds: int, targets: int, limit_ms: int
) -> None:
    graph = random_graph(seed)
    rng = np.random.default_rng(seed + 1)
    state, ends = (rng.integers(0, graph.n_states, k).astype(np.int32) for k in (seeds, targets))
    ms = rng.integers(0, 5_000, seeds).astype(np.uint32)
    x, y = rng.uniform(0, 3_000, (2, graph.n_states))
    # No arc is quicker than a straight line, nor is what is left from a target to the goal.
    tail = np.repeat(np.arange(graph.n_states), np.diff(graph.indptr))
    away_m = np.hypot(x[tail] - x[graph.head], y[tail] - y[graph.head])
    fastest = float((away_m / np.maximum(graph.cost_ms, 1)).max(initial=0.01))
    rest = (np.hypot(x[ends] - x[ends[0]], y[ends] - y[ends[0]]) / fastest).astype(np.uint32) + 1
    space = new_workspace(graph)
    arcs = adjacency(graph, towards=False)
    goal = Goal(float(x[ends[0]]), float(y[ends[0]]), x, y, fastest)
    n, best = time_towards(arcs, state, ms, Targets(ends, rest), limit_ms, space, goal)
    times = slow_times(graph, state, ms)
    totals = [times[int(end)] + int(left) for end, left in zip(ends, rest, strict=True) if int(end) in times]
    expected = min((total for total in totals if total <= limit_ms), default=None)
    assert (int(space.dist[ends[best]]) + int(rest[best]) if best >= 0 else None) == expected
    reset(space.dist, space.touched, n)
    assert np.all(space.dist == NO)
    assert np.all(space.link[:, 0] == FREE)
    assert np.all(space.ring == -1)


def test_neighbours_on_the_map_are_neighbours_in_memory() -> None:
    rows = ["A-B-C-D", "| | | |", "E-F-G-H", "| | | |", "I-J-K-L", "| | | |", "M-N-O-P"]
    ways: dict[str, dict[str, str]] = {
        way: {} for way in ("ABCD", "EFGH", "IJKL", "MNOP", "AEIM", "BFJN", "CGKO", "DHLP")
    }
    network = build_network(ascii_map("\n".join(rows), ways).raw)
    step = np.abs(network.edge_u - network.edge_v)
    assert np.median(step) <= 4
    assert network.graph("ebike").state_node.tolist() == sorted(network.graph("ebike").state_node.tolist())


def test_the_ring_of_buckets_holds_the_longest_arc() -> None:
    graph = random_graph(11)
    assert len(new_workspace(graph).ring) > graph.max_cost_ms / 1024
    assert new_workspace(graph).ring.size == pytest.approx(
        2 ** round(np.log2(new_workspace(graph).ring.size))
    )
