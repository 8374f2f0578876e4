"""Areas within reach: the streets reached in a time, widened to what stands beside them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from geo.arrays import FloatArray, Int64Array, UInt32Array
from geo.errors import InputError
from geo.jit import kernel
from geo.streets.mode_graph import NO
from geo.streets.network import StreetNetwork
from geo.streets.snapping import Snapped
from geo.travel.ends import Touch, seeds, touch_of
from geo.travel.search import adjacency, reset, shortest_times
from geo.travel.times import limit_as_ms
from geo.travel.workspace import borrow_workspace, return_workspace

__all__ = ["isochrone", "part_lines", "reached_parts"]

Parts = tuple[Int64Array, FloatArray, FloatArray]

BESIDE_M = 40.0
"""What stands this far beside a reached street counts as reached."""
HOLE_M2 = 40_000.0
"""Smaller holes (the middle of a block) are filled."""


@kernel
def _reached_parts(
    towards: bool,
    directed_cost_ms: UInt32Array,
    edge_length_m: FloatArray,
    touch: Touch,
    dist: UInt32Array,
    limit_ms: int,
    low_m: FloatArray,
    high_m: FloatArray,
) -> None:
    """Write the reached part of each directed edge as offsets from ``u``; empty where low > high.

    From places outwards (`towards` False) an edge is entered from its arrive states; towards places it
    is left into its depart states.
    """
    touch_ptr, touch_state, touch_ms = touch
    for d in range(len(directed_cost_ms)):
        low_m[d], high_m[d] = 1.0, 0.0
        if directed_cost_ms[d] == NO:
            continue
        best = np.int64(NO)
        for k in range(touch_ptr[d], touch_ptr[d + 1]):
            at = dist[touch_state[k]]
            if at != NO:
                best = min(best, np.int64(at) + np.int64(touch_ms[k]))
        if best > limit_ms:
            continue
        length = edge_length_m[d >> 1]
        reach = length * min(1.0, (limit_ms - best) / directed_cost_ms[d])
        # The part lies at the first node of the directed edge, or (towards) at its last one.
        if (d & 1 == 1) != towards:
            low_m[d], high_m[d] = length - reach, length
        else:
            low_m[d], high_m[d] = 0.0, reach


def reached_parts(
    network: StreetNetwork, mode: str, origins: Snapped, limit_s: float, *, towards: bool = True
) -> Parts:
    """Return the parts of streets from where an origin is reached (or, not `towards`, that are).

    Parameters
    ----------
    network : StreetNetwork
    mode : str
    origins : Snapped
        One or more places; what is reached from any of them counts.
    limit_s : float
        Seconds, the walk at the origin included.

    Returns
    -------
    tuple of arrays (k,)
        Edges, rising, and where each part begins and ends, metres from ``u``; parts of an edge lie apart.
    """
    limit_ms = limit_as_ms(limit_s)
    graph = network.graph(mode)
    start = seeds(graph, network.edge_length_m, origins, towards=towards)
    arcs, touch = adjacency(graph, towards=towards), touch_of(graph, entering=not towards)
    space = borrow_workspace(network, mode)
    n = shortest_times(arcs, start.state, start.ms, limit_ms, space)
    low_m, high_m = np.empty(2 * len(network)), np.empty(2 * len(network))
    cost = graph.directed_cost_ms
    _reached_parts(towards, cost, network.edge_length_m, touch, space.dist, limit_ms, low_m, high_m)
    reset(space.dist, space.touched, n)
    return_workspace(network, mode, space)
    directed = np.flatnonzero(high_m > low_m)
    own = _own_parts(network, mode, origins, limit_ms, towards)
    return _joined(
        np.concatenate([directed >> 1, own[0]]),
        np.concatenate([low_m[directed], own[1]]),
        np.concatenate([high_m[directed], own[2]]),
    )


def part_lines(network: StreetNetwork, parts: Parts) -> npt.NDArray[np.object_]:
    """Return the lines (k,) of parts of streets, plane metres."""
    whole = (parts[1] <= 0.0) & (parts[2] >= network.edge_length_m[parts[0]])
    lines = [
        network.edge_lonlat(edge) if all_of_it else network.edge_part(edge, low_m, high_m)
        for edge, low_m, high_m, all_of_it in zip(*(x.tolist() for x in (*parts, whole)), strict=True)
    ]
    if not lines:
        return np.empty(0, dtype=np.object_)
    rows = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    return np.asarray(shapely.linestrings(network.project(np.concatenate(lines)), indices=rows))


def _joined(edge: Int64Array, low_m: FloatArray, high_m: FloatArray) -> Parts:
    """Return parts in order, those that touch made one: most streets are reached from both ends."""
    order = np.lexsort((low_m, edge))
    edge, low_m, high_m = edge[order], low_m[order], high_m[order]
    # The farthest end so far on the same edge, to the millimetre; no length comes near the step.
    step = float(high_m.max(initial=0.0)) + 1.0
    farthest = np.maximum.accumulate(high_m + edge * step) - edge * step
    first = np.ones(len(edge), dtype=np.bool_)
    first[1:] = (edge[1:] != edge[:-1]) | (low_m[1:] > farthest[:-1] + 0.001)
    begin = np.flatnonzero(first)
    return edge[begin], low_m[begin], np.maximum.reduceat(high_m, begin) if len(begin) else high_m[begin]


def _own_parts(network: StreetNetwork, mode: str, origins: Snapped, limit_ms: int, towards: bool) -> Parts:
    """Return the parts of the origins' own streets, on both sides of each origin as far as is legal."""
    cost = network.graph(mode).directed_cost_ms
    rows = np.flatnonzero(origins.ok & (origins.walk_ms < limit_ms))
    directed = (2 * origins.edge[rows, None].astype(np.int64) + [0, 1]).ravel()
    rows = np.repeat(rows, 2)
    legal = cost[directed] != NO
    directed, rows = directed[legal], rows[legal]
    length, offset = network.edge_length_m[directed >> 1], origins.offset_m[rows]
    reach = length * (limit_ms - origins.walk_ms[rows]) / cost[directed]
    before = ((directed & 1) == 1) != towards
    low_m = np.where(before, np.maximum(0.0, offset - reach), offset)
    high_m = np.where(before, offset, np.minimum(length, offset + reach))
    some = high_m > low_m
    return directed[some] >> 1, low_m[some], high_m[some]


def isochrone(
    network: StreetNetwork,
    mode: str,
    origins: Snapped,
    limits_s: Sequence[float],
    towards: bool = True,
) -> tuple[BaseGeometry, ...]:
    """Return one area, (lon, lat), for each limit: from where any origin is reached in that time.

    Parameters
    ----------
    network : StreetNetwork
    mode : str
        One of `MODES`.
    origins : Snapped
    limits_s : sequence of float
        Seconds, in any order.
    towards : bool
        True: trips that end at an origin; False: trips that begin there.

    Returns
    -------
    tuple of shapely Polygon or MultiPolygon
        The reached streets with 40 m beside them, small holes filled; empty where nothing is reached.
    """
    if not limits_s:
        raise InputError("an isochrone needs one time limit or more")
    areas = []
    for limit_s in limits_s:
        parts = reached_parts(network, mode, origins, limit_s, towards=towards)
        lines = shapely.MultiLineString(list(part_lines(network, parts)))
        area = shapely.buffer(lines, BESIDE_M, quad_segs=3).simplify(4.0)
        areas.append(shapely.transform(_without_small_holes(area), network.unproject))
    return tuple(areas)


def _without_small_holes(area: BaseGeometry) -> BaseGeometry:
    parts = []
    for polygon in getattr(area, "geoms", [area]):
        if polygon.is_empty:
            continue
        holes = [ring for ring in polygon.interiors if shapely.Polygon(ring).area >= HOLE_M2]
        parts.append(shapely.Polygon(polygon.exterior, holes))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
