"""Where trips begin and end: from places on edges to states of the graph."""

from typing import NamedTuple

import numpy as np

from geo.arrays import FloatArray, Int32Array, Int64Array, Integer, UInt32Array
from geo.jit import kernel
from geo.streets.mode_graph import NO, ModeGraph
from geo.streets.snapping import Snapped

__all__ = ["PlacesOnEdges", "Seeds", "Touch", "part_ms", "run_ms", "seeds", "touch_of"]


class Touch(NamedTuple):
    """States at which each directed edge is left, or entered: edge ``d`` has ``ptr[d]`` to ``ptr[d + 1]``."""

    ptr: Int32Array
    state: Int32Array
    ms: UInt32Array
    """What the turn takes: gate delay, layer of private streets."""


def touch_of(graph: ModeGraph, *, entering: bool) -> Touch:
    """Return where the directed edges of a graph are entered, or left."""
    if entering:
        return Touch(graph.arrive_ptr, graph.arrive_state, graph.arrive_extra_ms)
    return Touch(graph.depart_ptr, graph.depart_state, graph.depart_extra_ms)


class Seeds(NamedTuple):
    """States where trips from (or to) places touch the graph.

    Attributes
    ----------
    ptr : int32 (n + 1,)
        Rows of each place.
    state : int32
    ms : uint32
        Time between the place and the state: walk, part of the street, gate delay.
    directed : int32
        The directed edge on which that part is driven.
    """

    ptr: Int32Array
    state: Int32Array
    ms: UInt32Array
    directed: Int32Array


@kernel
def part_ms(cost: Integer, directed: int, offset_m: float, length_m: float) -> Integer:
    """Time from the start of a directed edge that takes `cost` to a place `offset_m` from its ``u`` end."""
    along = 0.0 if length_m <= 0 else min(1.0, max(0.0, offset_m / length_m))
    part = np.int64(np.floor(cost * along + 0.5))
    return cost - part if directed & 1 else part


@kernel
def run_ms(directed_cost_ms: UInt32Array, directed: int, offset_m: float, length_m: float) -> Integer:
    """Time from the start of a directed edge to a place `offset_m` from the edge's ``u`` end."""
    return part_ms(np.int64(directed_cost_ms[directed]), directed, offset_m, length_m)


class PlacesOnEdges(NamedTuple):
    """Places on edges, in columns."""

    edge: Int32Array
    offset_m: FloatArray
    walk_ms: Int64Array


@kernel
def _fill(
    towards: bool,
    places: PlacesOnEdges,
    edge_length_m: FloatArray,
    directed_cost_ms: UInt32Array,
    touch: Touch,
    out: Seeds,
) -> int:
    """Fill `out`, or only count where it has no rows of states."""
    edge, offset_m, walk_ms = places
    touch_ptr, touch_state, touch_ms = touch
    ptr, state, ms, directed_of = out
    counting = len(state) == 0
    filled = 0
    for i in range(len(edge)):
        ptr[i] = filled
        if edge[i] < 0:
            continue
        for directed in range(2 * edge[i], 2 * edge[i] + 2):
            if directed_cost_ms[directed] == NO:
                continue
            begin, stop = touch_ptr[directed], touch_ptr[directed + 1]
            if counting:
                filled += stop - begin
                continue
            part = run_ms(directed_cost_ms, directed, offset_m[i], edge_length_m[edge[i]])
            if not towards:
                part = np.int64(directed_cost_ms[directed]) - part
            for k in range(begin, stop):
                state[filled] = touch_state[k]
                ms[filled] = np.uint32(walk_ms[i] + part + np.int64(touch_ms[k]))
                directed_of[filled] = directed
                filled += 1
    ptr[len(edge)] = filled
    return filled


def seeds(graph: ModeGraph, edge_length_m: FloatArray, places: Snapped, *, towards: bool) -> Seeds:
    """Return the states that trips from `places` (`towards`: to them) touch first (last).

    For a search forward from places take ``towards=False`` and the forward arcs; for a search backward
    from places where trips end take ``towards=True`` and the backward arcs. The walk between the place
    and the street is counted. Trips that begin and end on one edge may also run directly, see `run_ms`.
    """
    ptr = np.zeros(len(places) + 1, np.int32)
    touch = touch_of(graph, entering=towards)
    at = PlacesOnEdges(places.edge, places.offset_m, places.walk_ms)
    none = Seeds(ptr, np.empty(0, np.int32), np.empty(0, np.uint32), np.empty(0, np.int32))
    count = _fill(towards, at, edge_length_m, graph.directed_cost_ms, touch, none)
    out = Seeds(ptr, np.empty(count, np.int32), np.empty(count, np.uint32), np.empty(count, np.int32))
    if count:
        _fill(towards, at, edge_length_m, graph.directed_cost_ms, touch, out)
    return out
