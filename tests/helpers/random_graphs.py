"""Random graphs that streets do not have: huge arcs, arcs that take no time, loops, parts apart."""

import networkx as nx
import numpy as np

from geo.streets.mode_graph import Arcs, ModeGraph, assemble


def random_graph(seed: int) -> ModeGraph:
    rng = np.random.default_rng(seed)
    states, arcs = int(rng.integers(2, 60)), int(rng.integers(1, 240))
    tail, head = (rng.integers(0, states, arcs).astype(np.int32) for _ in range(2))
    # Most arcs fall into one bucket together, some are as long as a ferry.
    cost = rng.choice([0, 1, 7, 300, 1023, 1024, 5_000, 3_000_000], arcs).astype(np.uint32)
    parts = Arcs(
        tail,
        head,
        np.arange(arcs, dtype=np.int32),
        np.zeros(arcs, np.uint32),
        np.arange(states, dtype=np.int32),
        np.zeros(states, np.uint8),
    )
    none = np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.uint32)
    return assemble("ebike", parts, cost, none, none)


def slow_times(
    graph: ModeGraph, seed_state: np.ndarray, seed_ms: np.ndarray, *, backward: bool = False
) -> dict[int, int]:
    """Least times from seeds (`backward`: to them)."""
    peer = nx.DiGraph()
    peer.add_node("start")
    tail = np.repeat(np.arange(graph.n_states), np.diff(graph.indptr))
    arcs: list[tuple[str | int, int, int]]
    arcs = [("start", int(s), int(ms)) for s, ms in zip(seed_state, seed_ms, strict=True)]
    one, other = (graph.head, tail) if backward else (tail, graph.head)
    arcs += zip(one.tolist(), other.tolist(), graph.cost_ms.tolist(), strict=True)
    for a, b, ms in sorted(arcs, key=lambda arc: -arc[2]):
        peer.add_edge(a, b, weight=ms)
    found = nx.single_source_dijkstra_path_length(peer, "start")
    del found["start"]
    return {int(state): int(ms) for state, ms in found.items()}
