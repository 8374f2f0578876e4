"""The checker's own Dijkstra and `geo.travel.times` agree on every legal way, though they share no search."""

import ast
import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_streets import random_places, random_ways

from geo.streets.build import build_network
from geo.streets.network import MODES
from geo.travel.times import find_path, travel_times_s
from routing.model.policy import Policy
from routing.proof import reference_paths as reference
from routing.proof import verify
from routing.proof.reference_paths import ReferencePaths

POLICY = Policy()


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), fences=st.booleans(), ends=st.booleans())
def test_same_times_and_every_path_is_legal(mode: str, seed: int, fences: bool, ends: bool) -> None:
    """Mid-edge starts, one-ways, barriers, gate delays, private compounds; for cars banned turns too."""
    network = build_network(random_ways(seed, fences=fences))
    places = random_places(network, seed, 5, ends=ends)
    ways = ReferencePaths(network, mode, POLICY)
    times_s = travel_times_s(network, mode, places, places)
    for i in range(5):
        for j in range(5):
            ms = ways.fastest_ms(places.take([i]), places.take([j]))
            whole_ms = ms + float(places.walk_ms[i] + places.walk_ms[j])
            assert whole_ms == np.rint(times_s[i, j] * 1000)
            path = find_path(network, mode, places.take([i]), places.take([j]))
            assert (path is None) == np.isinf(ms)
            if path is not None:
                assert tuple(ways.illegal(path.directed_edges.tolist())) == ()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), mode=st.sampled_from(MODES))
def test_a_way_with_one_edge_turned_round_or_left_out_is_illegal(seed: int, mode: str) -> None:
    network = build_network(random_ways(seed))
    places = random_places(network, seed, 4)
    ways = ReferencePaths(network, mode, POLICY)
    for i, j in ((0, 1), (1, 2), (2, 3)):
        path = find_path(network, mode, places.take([i]), places.take([j]))
        if path is None or len(path.directed_edges) < 3:
            continue
        edges = path.directed_edges.tolist()
        assert (
            list(ways.illegal([edges[0], *edges[2:]]))
            or network.edge_u[edges[1] // 2] == (network.edge_v[edges[1] // 2])
        )
        assert list(ways.illegal([edges[0], edges[1] ^ 1, *edges[2:]]))


def test_the_checker_imports_no_search_and_no_kernel() -> None:
    forbidden = {
        "geo.travel.search",
        "geo.travel.times",
        "geo.travel.paths",
        "geo.travel.ends",
        "geo.jit",
        "numba",
    }
    for module in (verify, reference):
        tree = ast.parse(inspect.getsource(module))
        imported = {
            name
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        ours = {name for name in imported if name.startswith("routing.")}
        assert not imported & forbidden
        assert ours <= {
            "routing.proof.reference_paths",
            "routing.model.policy",
            "routing.model.results",
            "routing.model.riders",
            "routing.model.tasks",
        }
