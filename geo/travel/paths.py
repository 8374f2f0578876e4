"""The fastest way between two places, with geometry and street names."""

import dataclasses

import numpy as np

from geo.arrays import BoolArray, FloatArray, Int32Array
from geo.errors import InputError
from geo.jit import kernel
from geo.streets.mode_graph import NO, ModeGraph
from geo.streets.network import StreetNetwork
from geo.streets.snapping import Snapped
from geo.travel.ends import Seeds, run_ms, seeds
from geo.travel.search import Workspace, adjacency, reset, search_tree
from geo.travel.workspace import borrow_workspace, return_workspace

__all__ = ["Path", "find_path", "way_metres"]

SHORTEST_STEP_M = 0.5
"""Shorter pieces (a start just beside a crossing) are no step of their own."""


@dataclasses.dataclass(frozen=True, eq=False)
class Path:
    """The fastest way between two places.

    Attributes
    ----------
    time_s : float
        With both walks and gate delays, as `travel_times_s` says.
    length_m : float
        Metres on streets.
    walk_m : float
        Metres on foot between places and streets, both ends.
    directed_edges : int32 (k,)
        ``2 * edge + against`` in the order of travel; the first and the last one in part.
    lonlat : float64 (p, 2)
        From foot point to foot point.
    steps : tuple of (street name, metres)
        Neighbouring edges of one name joined; an empty name where the street has none.
    """

    time_s: float
    length_m: float
    walk_m: float
    directed_edges: Int32Array
    lonlat: FloatArray
    steps: tuple[tuple[str, float], ...]

    @property
    def metres(self) -> float:
        """Metres in all, walks included; what `way_metres` returns."""
        return self.length_m + self.walk_m


def find_path(network: StreetNetwork, mode: str, source: Snapped, target: Snapped) -> Path | None:
    """Return the fastest legal way from one place to another, or None where there is none.

    Raises
    ------
    InputError
        If `source` or `target` is not exactly one place.
    """
    found = _find(network, mode, source, target)
    return None if found is None else _describe(network, source, target, *found)


def way_metres(network: StreetNetwork, mode: str, source: Snapped, target: Snapped) -> float | None:
    """Return the metres of what `find_path` returns, walks included; its geometry is not made.

    Raises
    ------
    InputError
        If `source` or `target` is not exactly one place.
    """
    found = _find(network, mode, source, target)
    if found is None:
        return None
    metres = _metres(network, source, target, np.array(found[1], np.int32))[0]
    return float(metres.sum()) + float(source.walk_m[0] + target.walk_m[0])


def _find(
    network: StreetNetwork, mode: str, source: Snapped, target: Snapped
) -> tuple[int, list[int]] | None:
    """Return (milliseconds, directed edges) of the fastest way."""
    for name, place in (("source", source), ("target", target)):
        if len(place) != 1:
            raise InputError(f"the {name} must be one place, not {len(place)}")
    if source.edge[0] < 0 or target.edge[0] < 0:
        return None
    graph = network.graph(mode)
    start = seeds(graph, network.edge_length_m, source, towards=False)
    stop = seeds(graph, network.edge_length_m, target, towards=True)
    direct = _direct(network, graph, source, target)
    limit_ms = int(NO) - 1 if direct is None else direct[0] - 1
    space = borrow_workspace(network, mode)
    parent = np.empty(graph.n_states, np.int32)
    arcs = adjacency(graph, towards=False)
    n, best = search_tree(arcs, start.state, start.ms, stop.state, stop.ms, limit_ms, space, parent)
    found = direct
    if best >= 0:
        total_ms = int(space.dist[stop.state[best]]) + int(stop.ms[best])
        found = total_ms, _edges(graph, space, parent, start, int(stop.state[best]), int(stop.directed[best]))
    reset(space.dist, space.touched, n)
    return_workspace(network, mode, space)
    return found


def _direct(
    network: StreetNetwork, graph: ModeGraph, source: Snapped, target: Snapped
) -> tuple[int, list[int]] | None:
    """Return (milliseconds, edges) of driving on along one street, where the target lies ahead on it."""
    edge = int(source.edge[0])
    if edge != target.edge[0]:
        return None
    here, there, length = (
        float(source.offset_m[0]),
        float(target.offset_m[0]),
        float(network.edge_length_m[edge]),
    )
    found: list[tuple[int, list[int]]] = []
    for directed, ahead in ((2 * edge, there >= here), (2 * edge + 1, there <= here)):
        if ahead and graph.directed_cost_ms[directed] != NO:
            run = run_ms(graph.directed_cost_ms, directed, there, length)
            run -= run_ms(graph.directed_cost_ms, directed, here, length)
            found.append((int(run + source.walk_ms[0] + target.walk_ms[0]), [directed]))
    return min(found, default=None)


@kernel
def _trace(
    indptr: Int32Array, arc_edge: Int32Array, parent: Int32Array, state: int, out: Int32Array
) -> tuple[int, int]:
    """Follow the parents back; writes the directed edges last first, returns (how many, first state).

    Where `out` is too short it is filled, and counted on.
    """
    count = 0
    while parent[state] >= 0:
        arc = parent[state]
        if arc_edge[arc] >= 0:
            if count < len(out):
                out[count] = arc_edge[arc]
            count += 1
        state = np.searchsorted(indptr, arc, "right") - 1
    return count, state


def _edges(
    graph: ModeGraph, space: Workspace, parent: Int32Array, start: Seeds, state: int, last: int
) -> list[int]:
    """Return the directed edges from the seed to the target's edge `last`."""
    none = np.empty(0, np.int32)
    count, root = _trace(graph.indptr, graph.arc_edge, parent, state, none)
    edges = np.empty(count, np.int32)
    _trace(graph.indptr, graph.arc_edge, parent, state, edges)
    seed = np.flatnonzero((start.state == root) & (start.ms == space.dist[root]))[0]
    return [int(start.directed[seed]), *edges[::-1].tolist(), last]


def _metres(
    network: StreetNetwork, source: Snapped, target: Snapped, directed: Int32Array
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return of each edge the metres that are travelled, and the offsets between which they lie."""
    whole, against = network.edge_length_m[directed >> 1], directed & 1 == 1
    begin, end = np.where(against, whole, 0.0), np.where(against, 0.0, whole)
    begin[0], end[-1] = source.offset_m[0], target.offset_m[0]
    return np.abs(end - begin), begin, end


def _describe(
    network: StreetNetwork, source: Snapped, target: Snapped, total_ms: int, directed_edges: list[int]
) -> Path:
    directed = np.array(directed_edges, np.int32)
    edge, against = directed >> 1, directed & 1 == 1
    metres, begin, end = _metres(network, source, target, directed)
    pieces = [_piece(network, int(edge[0]), float(begin[0]), float(end[0]))]
    if len(directed) > 1:
        pieces.append(_whole_edges(network, edge[1:-1], against[1:-1]))
        pieces.append(_piece(network, int(edge[-1]), float(begin[-1]), float(end[-1])))
    lonlat = np.concatenate(pieces)
    lonlat = lonlat[np.r_[True, np.any(np.diff(lonlat, axis=0) != 0, axis=1)]]
    return Path(
        time_s=total_ms / 1000,
        length_m=float(metres.sum()),
        walk_m=float(source.walk_m[0] + target.walk_m[0]),
        directed_edges=directed,
        lonlat=lonlat,
        steps=_steps(network, network.edge_name[edge].tolist(), metres.tolist()),
    )


def _piece(network: StreetNetwork, edge: int, begin_m: float, end_m: float) -> FloatArray:
    part = network.edge_part(edge, min(begin_m, end_m), max(begin_m, end_m))
    return part if begin_m <= end_m else part[::-1]


def _whole_edges(network: StreetNetwork, edge: Int32Array, against: BoolArray) -> FloatArray:
    """Return the points of edges one behind the other, each in the order of travel."""
    count = network.geom_ptr[edge + 1] - network.geom_ptr[edge]
    first = np.where(against, network.geom_ptr[edge + 1] - 1, network.geom_ptr[edge])
    step = np.where(against, -1, 1)
    at = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.asarray(network.geom_lonlat[np.repeat(first, count) + np.repeat(step, count) * at])


def _steps(network: StreetNetwork, names: list[int], metres: list[float]) -> tuple[tuple[str, float], ...]:
    steps: list[tuple[str, float]] = []
    for number, run_m in zip(names, metres, strict=True):
        if run_m < SHORTEST_STEP_M:
            continue
        name = network.names[number] if number >= 0 else ""
        if steps and steps[-1][0] == name:
            steps[-1] = (name, steps[-1][1] + run_m)
        else:
            steps.append((name, run_m))
    return tuple(steps)
