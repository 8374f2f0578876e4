"""Travel times and paths on a street network.

Durations are float seconds, ``inf`` where a place cannot be reached; inside, integer milliseconds.
Every trip pays the walk between a place and the street at both ends.
"""

import math
from typing import NamedTuple

import numpy as np

from geo.arrays import FloatArray, Int32Array, Int64Array, UInt32Array
from geo.errors import InputError
from geo.jit import kernel
from geo.streets.mode_graph import NO
from geo.streets.network import StreetNetwork
from geo.streets.snapping import Snapped
from geo.travel.ends import Seeds, run_ms, seeds
from geo.travel.paths import Path, find_path
from geo.travel.search import Adjacency, Workspace, adjacency, reset, shortest_times
from geo.travel.sweeps import sweep_rows, sweeps_pay
from geo.travel.workspace import borrow_workspace, over_rows, return_workspace

__all__ = ["Path", "find_path", "limit_as_ms", "reach_from", "reach_to", "travel_times_s"]

TRIED = 4
"""Rows by which it is judged how far searches go."""


def limit_as_ms(limit_s: float) -> int:
    """Return a limit as the milliseconds that the kernels take; raise `InputError` below 0."""
    if math.isnan(limit_s) or limit_s < 0:
        raise InputError(f"the time limit must be 0 s or more, not {limit_s}")
    return int(min(limit_s * 1000, float(NO) - 1))


class _SameEdge(NamedTuple):
    """Places by edge, for trips that begin and end on one; ``to_by_edge[same_edge[i]]``: columns of row i."""

    from_edge: Int32Array
    from_offset_m: FloatArray
    from_walk_ms: Int64Array
    to_offset_m: FloatArray
    to_walk_ms: Int64Array
    to_by_edge: Int64Array
    same_edge: Int64Array
    edge_length_m: FloatArray
    directed_cost_ms: UInt32Array


@kernel
def _on_one_edge(
    span: tuple[int, int], backward: bool, shared: _SameEdge, limit_ms: int, out_ms: UInt32Array
) -> None:
    """Let trips that begin and end on one edge run directly, in the rows of a span."""
    from_edge, from_offset_m, from_walk_ms, to_offset_m, to_walk_ms = shared[:5]
    to_by_edge, same_edge, edge_length_m, directed_cost_ms = shared[5:]
    for i in range(span[0], span[1]):
        for row in range(same_edge[i, 0], same_edge[i, 1]):
            j = to_by_edge[row]
            for directed in range(2 * from_edge[i], 2 * from_edge[i] + 2):
                if directed_cost_ms[directed] == NO:
                    continue
                length = edge_length_m[from_edge[i]]
                run = run_ms(directed_cost_ms, directed, to_offset_m[j], length)
                run -= run_ms(directed_cost_ms, directed, from_offset_m[i], length)
                ahead = (to_offset_m[j] - from_offset_m[i]) * (1 - 2 * (directed & 1))
                if backward:
                    run, ahead = -run, -ahead
                if ahead < 0:
                    continue
                total = run + from_walk_ms[i] + to_walk_ms[j]
                if total <= limit_ms and total < out_ms[i, j]:
                    out_ms[i, j] = np.uint32(total)


@kernel
def _rows(
    span: tuple[int, int],
    backward: bool,
    arcs: Adjacency,
    ends: tuple[Seeds, Seeds],
    shared: _SameEdge,
    limit_ms: int,
    space: Workspace,
    out_ms: UInt32Array,
) -> int:
    """Fill the rows of a span of the matrix, one search a row; returns how many states were reached."""
    (from_ptr, from_state, from_ms, _), (to_ptr, to_state, to_ms, _) = ends
    dist = space.dist
    reached = 0
    for i in range(span[0], span[1]):
        seeds = slice(from_ptr[i], from_ptr[i + 1])
        n = shortest_times(arcs, from_state[seeds], from_ms[seeds], limit_ms, space)
        for j in range(len(to_ptr) - 1):
            best = np.int64(NO)
            for k in range(to_ptr[j], to_ptr[j + 1]):
                at = dist[to_state[k]]
                if at != NO:
                    best = min(best, np.int64(at) + np.int64(to_ms[k]))
            out_ms[i, j] = np.uint32(best) if best <= limit_ms else NO
        reset(dist, space.touched, n)
        _on_one_edge((i, i + 1), backward, shared, limit_ms, out_ms)
        reached += n
    return reached


def travel_times_s(
    network: StreetNetwork,
    mode: str,
    sources: Snapped,
    targets: Snapped,
    limit_s: float = math.inf,
    threads: int | None = None,
) -> FloatArray:
    """Return the time from every source to every target.

    Parameters
    ----------
    network : StreetNetwork
    mode : str
        One of `MODES`.
    sources, targets : Snapped
        From ``network.snap(..., mode)`` with the same mode.
    limit_s : float
        Longer trips count as not reachable; a low limit makes the answer much faster.
    threads : int, optional
        Threads that share the rows; 2 by default, 1 for small tasks.

    Returns
    -------
    float64 (sources, targets)
        Seconds, both walks included; ``inf`` where refused, not reachable or beyond the limit.

    Raises
    ------
    InputError
        If the limit is negative.

    Notes
    -----
    Large matrices are made by sweeps over an order of the states, which is made when it first pays and kept
    as long as these times hold, all others by one search a row (`sweeps_pay`). The answers are the same.
    """
    limit_ms = limit_as_ms(limit_s)
    shape = (len(sources), len(targets))
    if not shape[0] or not shape[1]:
        return np.empty(shape)
    backward = shape[1] < shape[0]
    rows, columns = (targets, sources) if backward else (sources, targets)
    out_ms = _matrix_ms(network, mode, rows, columns, backward, limit_ms, threads)
    out = np.where(out_ms == NO, np.inf, out_ms / 1000.0)
    return np.ascontiguousarray(out.T) if backward else out


def _matrix_ms(
    network: StreetNetwork,
    mode: str,
    rows: Snapped,
    columns: Snapped,
    backward: bool,
    limit_ms: int,
    threads: int | None,
) -> UInt32Array:
    graph = network.graph(mode)
    start = seeds(graph, network.edge_length_m, rows, towards=backward)
    stop = seeds(graph, network.edge_length_m, columns, towards=not backward)
    # Only columns on an edge of some row: sorting all of them takes longer than a search.
    on_rows = np.zeros(len(network) + 1, np.bool_)
    on_rows[rows.edge] = True
    on_rows[-1] = False
    shared_edge = np.flatnonzero(on_rows[columns.edge])
    by_edge = shared_edge[np.argsort(columns.edge[shared_edge], kind="stable")]
    ordered = columns.edge[by_edge]
    same = np.stack([np.searchsorted(ordered, rows.edge, side) for side in ("left", "right")], axis=1)
    same[rows.edge < 0] = 0
    arcs = adjacency(graph, towards=backward)
    out_ms = np.empty((len(rows), len(columns)), np.uint32)
    ends = (rows.edge, rows.offset_m, rows.walk_ms, columns.offset_m, columns.walk_ms)
    shared = _SameEdge(*ends, by_edge, same, network.edge_length_m, graph.directed_cost_ms)

    def fill(first: int, last: int, space: Workspace) -> int:
        return _rows((first, last), backward, arcs, (start, stop), shared, limit_ms, space, out_ms)

    def reach() -> float:
        """States within the limit of a row, in the mean of a few."""
        if limit_ms >= NO - 1:
            return graph.n_states
        space = borrow_workspace(network, mode)
        few = np.linspace(0, len(rows), TRIED + 1).astype(int)[:-1].tolist()
        found = [fill(row, row + 1, space) for row in few]
        return_workspace(network, mode, space)
        return sum(found) / TRIED

    workers = (2 if len(rows) >= 16 else 1) if threads is None else max(1, threads)
    if sweeps_pay(graph, len(rows), reach):
        sweep_rows(graph, (start, stop), limit_ms, out_ms, backward=backward, threads=workers)
        _on_one_edge((0, len(rows)), backward, shared, limit_ms, out_ms)
    else:
        over_rows(network, mode, len(rows), workers, fill)
    return out_ms


def reach_from(
    network: StreetNetwork, mode: str, source: Snapped, targets: Snapped, limit_s: float = math.inf
) -> FloatArray:
    """Return seconds (targets,) from one place to many; see `travel_times_s`."""
    _single("source", source)
    return np.asarray(travel_times_s(network, mode, source, targets, limit_s)[0])


def reach_to(
    network: StreetNetwork, mode: str, sources: Snapped, target: Snapped, limit_s: float = math.inf
) -> FloatArray:
    """Return seconds (sources,) from many places to one, by one search backward; see `travel_times_s`."""
    _single("target", target)
    return np.asarray(travel_times_s(network, mode, sources, target, limit_s)[:, 0])


def _single(name: str, place: Snapped) -> None:
    if len(place) != 1:
        raise InputError(f"the {name} must be one place, not {len(place)}")
