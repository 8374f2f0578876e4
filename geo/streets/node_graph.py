"""Graph of a mode that may turn as it likes at every junction: e-bike, bike, foot."""

import numpy as np

from geo.arrays import Int32Array, UInt32Array
from geo.streets.gates import compound_delay_at, lone_gates
from geo.streets.mode_graph import (
    IN_COMPOUND,
    IN_PRIVATE,
    OUT,
    PUBLIC,
    Arcs,
    ModeGraph,
    ModeStreets,
    assemble,
)

__all__ = ["node_graph"]

_Parts = list[tuple[Int32Array, Int32Array, Int32Array, UInt32Array]]


def node_graph(mode: str, streets: ModeStreets) -> ModeGraph:
    """Build the graph whose states are nodes, once for each layer that touches them."""
    state, state_node, state_layer = _states(streets)
    edges = len(streets.private)
    directed = np.arange(2 * edges, dtype=np.int32)
    tail = streets.ends.ravel()
    head = streets.ends[:, ::-1].ravel()
    private = np.repeat(streets.private, 2)
    inside = np.repeat(np.where(streets.compound >= 0, IN_COMPOUND, IN_PRIVATE), 2)
    into, outof = ~streets.blocked[head], ~streets.blocked[tail]
    usable = streets.usable
    lone = lone_gates(streets)

    parts: _Parts = []
    runs = usable & into & outof
    for layer, chosen in (
        (PUBLIC, runs & ~private),
        (OUT, runs & private),
        (IN_PRIVATE, runs & private & (inside == IN_PRIVATE)),
        (IN_COMPOUND, runs & private & (inside == IN_COMPOUND)),
    ):
        d = directed[chosen]
        extra = np.zeros(len(d), np.uint32)
        if layer == IN_PRIVATE:
            extra[lone[head[d]]] = streets.gate_delay_ms
        parts.append((state[layer, tail[d]], state[layer, head[d]], d, extra))
    parts += _layer_changes(streets, state)
    tails, heads, runs_over, extras = (np.concatenate(column) for column in zip(*parts, strict=True))
    arcs = Arcs(tails, heads, runs_over, extras, state_node, state_layer)

    d = directed[usable & into]
    leaving = (d, state[np.where(private[d], OUT, PUBLIC), head[d]], np.zeros(len(d), np.uint32))
    d = directed[usable & outof]
    out = d[private[d]]
    first = state[np.where(private[d], inside[d], PUBLIC), tail[d]]
    entering = (
        np.concatenate([d, out]),
        np.concatenate([first, state[OUT, tail[out]]]),
        np.zeros(len(d) + len(out), np.uint32),
    )
    return assemble(mode, arcs, streets.directed_cost_ms, leaving, entering)


def _states(
    streets: ModeStreets,
) -> tuple[Int32Array, Int32Array, np.ndarray[tuple[int], np.dtype[np.uint8]]]:
    """Give a number to the copies of each node, in the order of nodes; -1 where a layer does not touch it."""
    present = np.zeros((streets.nodes, 4), np.bool_)
    used = streets.usable.reshape(-1, 2).any(axis=1)
    for layer, edges in (
        (PUBLIC, used & ~streets.private),
        (OUT, used & streets.private),
        (IN_PRIVATE, used & streets.private & (streets.compound < 0)),
        (IN_COMPOUND, used & streets.private & (streets.compound >= 0)),
    ):
        present[streets.ends[edges].ravel(), layer] = True
    node, layer_of = np.nonzero(present)
    state = np.full((4, streets.nodes), -1, np.int32)
    state[layer_of, node] = np.arange(len(node), dtype=np.int32)
    return state, node.astype(np.int32), layer_of.astype(np.uint8)


def _layer_changes(streets: ModeStreets, state: Int32Array) -> _Parts:
    nodes = np.arange(streets.nodes)
    free = np.zeros(streets.nodes, np.int64)
    enter = compound_delay_at(streets)
    gate = np.where(lone_gates(streets), streets.gate_delay_ms, 0)
    parts: _Parts = []
    for old, new, delay in (
        (OUT, PUBLIC, free),
        (PUBLIC, IN_PRIVATE, gate),
        (PUBLIC, IN_COMPOUND, enter),
        (IN_PRIVATE, IN_COMPOUND, enter),
        (IN_COMPOUND, IN_PRIVATE, free),
    ):
        at = nodes[(state[old] >= 0) & (state[new] >= 0) & ~streets.blocked]
        parts.append(
            (state[old, at], state[new, at], np.full(len(at), -1, np.int32), delay[at].astype(np.uint32))
        )
    return parts
