"""Areas within reach: the streets reached in a time, widened to what stands beside them."""

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.arrays import FloatArray, UInt32Array
from geo.errors import InputError
from geo.jit import kernel
from geo.streets.mode_graph import NO
from geo.streets.network import StreetNetwork
from geo.streets.snapping import Snapped
from geo.travel.ends import Touch, seeds, touch_of
from geo.travel.search import adjacency, reset, shortest_times
from geo.travel.times import limit_as_ms
from geo.travel.workspace import borrow_workspace, return_workspace

__all__ = ["isochrone", "reached_streets"]

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


def reached_streets(
    network: StreetNetwork, mode: str, origins: Snapped, limit_s: float, *, towards: bool = True
) -> list[FloatArray]:
    """Return the lines (k, 2) of all streets from where an origin is reached (or, not `towards`, that are).

    Parameters
    ----------
    network : StreetNetwork
    mode : str
    origins : Snapped
        One or more places; what is reached from any of them counts.
    limit_s : float
        Seconds, the walk at the origin included.
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
    lines = [
        network.edge_part(int(d) >> 1, float(low_m[d]), float(high_m[d]))
        for d in np.flatnonzero(high_m > low_m)
    ]
    return lines + _own_parts(network, mode, origins, limit_ms, towards)


def _own_parts(
    network: StreetNetwork, mode: str, origins: Snapped, limit_ms: int, towards: bool
) -> list[FloatArray]:
    """Return the streets of the origins themselves, on both sides of each origin as far as is legal."""
    cost = network.graph(mode).directed_cost_ms
    lines = []
    for row in np.flatnonzero(origins.ok & (origins.walk_ms < limit_ms)).tolist():
        edge, offset = int(origins.edge[row]), float(origins.offset_m[row])
        length = float(network.edge_length_m[edge])
        for directed in (2 * edge, 2 * edge + 1):
            if cost[directed] == NO:
                continue
            reach = length * (limit_ms - int(origins.walk_ms[row])) / float(cost[directed])
            if (directed & 1 == 1) != towards:
                part = (max(0.0, offset - reach), offset)
            else:
                part = (offset, min(length, offset + reach))
            if part[1] > part[0]:
                lines.append(network.edge_part(edge, *part))
    return lines


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
        lines = reached_streets(network, mode, origins, limit_s, towards=towards)
        plane = [shapely.LineString(network.project(line)) for line in lines]
        area = shapely.buffer(shapely.MultiLineString(plane), BESIDE_M, quad_segs=3).simplify(4.0)
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
