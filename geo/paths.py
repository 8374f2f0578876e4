"""The fastest way between two places, with geometry and street names."""

import dataclasses

import numpy as np

from geo.arrays import FloatArray, Int32Array
from geo.errors import InputError
from geo.modegraph import NO, ModeGraph
from geo.search import Workspace, reset, search_tree
from geo.snapping import Snapped
from geo.streets import StreetNetwork
from geo.trips import Seeds, run_ms, seeds

__all__ = ["Path", "find_path"]

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


def find_path(network: StreetNetwork, mode: str, source: Snapped, target: Snapped) -> Path | None:
    """Return the fastest legal way from one place to another, or None where there is none.

    Raises
    ------
    InputError
        If `source` or `target` is not exactly one place.
    """
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
    space = network.borrow_workspace(mode)
    parent = np.empty(graph.n_states, np.int32)
    arcs = (graph.indptr, graph.head, graph.cost_ms)
    memory = (space.dist, space.link, space.ring, space.touched)
    ends = (start.state, start.ms, stop.state, stop.ms, limit_ms)
    task = (*arcs, *ends, *memory, parent)
    n, best = search_tree(*task)
    found = direct
    if best >= 0:
        total_ms = int(space.dist[stop.state[best]]) + int(stop.ms[best])
        found = total_ms, _trace(graph, space, parent, start, int(stop.state[best]), int(stop.directed[best]))
    reset(space.dist, space.touched, n)
    network.return_workspace(mode, space)
    return None if found is None else _describe(network, source, target, *found)


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


def _trace(
    graph: ModeGraph, space: Workspace, parent: Int32Array, start: Seeds, state: int, last: int
) -> list[int]:
    """Follow the parents from the target's state back to a seed."""
    edges = [last]
    while parent[state] >= 0:
        arc = int(parent[state])
        if graph.arc_edge[arc] >= 0:
            edges.append(int(graph.arc_edge[arc]))
        state = int(np.searchsorted(graph.indptr, arc, "right")) - 1
    seed = np.flatnonzero((start.state == state) & (start.ms == space.dist[state]))[0]
    edges.append(int(start.directed[seed]))
    return edges[::-1]


def _describe(
    network: StreetNetwork, source: Snapped, target: Snapped, total_ms: int, directed_edges: list[int]
) -> Path:
    points: list[FloatArray] = []
    steps: list[tuple[str, float]] = []
    length_m = 0.0
    for position, directed in enumerate(directed_edges):
        edge, against = divmod(directed, 2)
        whole = float(network.edge_length_m[edge])
        begin, end = (whole, 0.0) if against else (0.0, whole)
        if position == 0:
            begin = float(source.offset_m[0])
        if position == len(directed_edges) - 1:
            end = float(target.offset_m[0])
        piece = network.edge_part(edge, min(begin, end), max(begin, end))
        points.append(piece if begin <= end else piece[::-1])
        metres = abs(end - begin)
        length_m += metres
        if metres >= SHORTEST_STEP_M:
            number = int(network.edge_name[edge])
            name = network.names[number] if number >= 0 else ""
            if steps and steps[-1][0] == name:
                steps[-1] = (name, steps[-1][1] + metres)
            else:
                steps.append((name, metres))
    lonlat = np.concatenate(points)
    lonlat = lonlat[np.r_[True, np.any(np.diff(lonlat, axis=0) != 0, axis=1)]]
    return Path(
        time_s=total_ms / 1000,
        length_m=length_m,
        walk_m=float(source.walk_m[0] + target.walk_m[0]),
        directed_edges=np.array(directed_edges, np.int32),
        lonlat=lonlat,
        steps=tuple(steps),
    )
