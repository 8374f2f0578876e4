"""Graph of a mode that may turn round anywhere: e-bike, bike, foot."""

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
from geo.streets.turn_bans import moves_at_nodes

__all__ = ["node_graph"]

_Parts = list[tuple[Int32Array, Int32Array, Int32Array, UInt32Array]]


def node_graph(mode: str, streets: ModeStreets) -> ModeGraph:
    """Build the graph whose states are nodes, once for each layer that touches them.

    Where a turn is forbidden, the node has copies which remember the street before (`moves_at_nodes`).
    """
    pairs: list[tuple[int, ...]] = [(before, after) for before, after in streets.turns_banned.tolist()]
    moves = moves_at_nodes(streets.ends, streets.usable, [*pairs, *streets.drives_banned])
    base = moves.base
    state, state_node, state_layer = _states(streets, base)
    d, tail, head = moves.directed, moves.tail, moves.head
    private = streets.private[d // 2]
    inside = np.where(streets.compound[d // 2] >= 0, IN_COMPOUND, IN_PRIVATE)
    into, outof = ~streets.blocked[base[head]], ~streets.blocked[base[tail]]
    lone = lone_gates(streets)

    parts: _Parts = []
    runs = into & outof
    for layer, chosen in (
        (PUBLIC, runs & ~private),
        (OUT, runs & private),
        (IN_PRIVATE, runs & private & (inside == IN_PRIVATE)),
        (IN_COMPOUND, runs & private & (inside == IN_COMPOUND)),
    ):
        extra = np.zeros(chosen.sum(), np.uint32)
        if layer == IN_PRIVATE:
            extra[lone[base[head[chosen]]]] = streets.gate_delay_ms
        parts.append((state[layer, tail[chosen]], state[layer, head[chosen]], d[chosen], extra))
    parts += _layer_changes(streets, state, base)
    tails, heads, runs_over, extras = (np.concatenate(column) for column in zip(*parts, strict=True))
    arcs = Arcs(tails, heads, runs_over, extras, state_node, state_layer)

    # A trip that begins on a street has driven nothing before.
    begins = into & (np.arange(len(d)) < streets.usable.sum())
    first = state[np.where(private[begins], OUT, PUBLIC), head[begins]]
    leaving = (d[begins], first, np.zeros(begins.sum(), np.uint32))
    first = state[np.where(private, inside, PUBLIC)[outof], tail[outof]]
    out = outof & private
    entering = (
        np.concatenate([d[outof], d[out]]),
        np.concatenate([first, state[OUT, tail[out]]]),
        np.zeros(outof.sum() + out.sum(), np.uint32),
    )
    return assemble(mode, arcs, streets.directed_cost_ms, leaving, entering)


def _states(
    streets: ModeStreets, base: Int32Array
) -> tuple[Int32Array, Int32Array, np.ndarray[tuple[int], np.dtype[np.uint8]]]:
    """Give a number to the states of each node and copy, in the order of nodes; -1 where there is none."""
    present = np.zeros((streets.nodes, 4), np.bool_)
    used = streets.usable.reshape(-1, 2).any(axis=1)
    for layer, edges in (
        (PUBLIC, used & ~streets.private),
        (OUT, used & streets.private),
        (IN_PRIVATE, used & streets.private & (streets.compound < 0)),
        (IN_COMPOUND, used & streets.private & (streets.compound >= 0)),
    ):
        present[streets.ends[edges].ravel(), layer] = True
    place, layer_of = np.nonzero(present[base])
    # Copies stand beside their node, since what is near on the map shall be near in memory.
    order = np.argsort(base[place], kind="stable")
    place, layer_of = place[order], layer_of[order]
    state = np.full((4, len(base)), -1, np.int32)
    state[layer_of, place] = np.arange(len(place), dtype=np.int32)
    return state, base[place], layer_of.astype(np.uint8)


def _layer_changes(streets: ModeStreets, state: Int32Array, base: Int32Array) -> _Parts:
    places = np.arange(len(base))
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
        at = places[(state[old] >= 0) & (state[new] >= 0) & ~streets.blocked[base]]
        none = np.full(len(at), -1, np.int32)
        parts.append((state[old, at], state[new, at], none, delay[base[at]].astype(np.uint32)))
    return parts
