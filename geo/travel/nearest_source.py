"""How soon somebody can be at a place: the nearest of many sources, by one search for all of them."""

import math

import numpy as np

from geo.arrays import FloatArray
from geo.streets.network import StreetNetwork
from geo.streets.snapping import Snapped
from geo.travel.ends import seeds
from geo.travel.search import adjacency, reset, shortest_times
from geo.travel.times import limit_as_ms
from geo.travel.workspace import borrow_workspace, return_workspace

__all__ = ["nearest_source_s"]


def nearest_source_s(
    network: StreetNetwork, mode: str, sources: Snapped, targets: Snapped, limit_s: float = math.inf
) -> FloatArray:
    """Return seconds (targets,) from the nearest source to each target; ``inf`` beyond the limit.

    Both walks count. A trip leaves the street it begins on at one of its ends, so that of a source and a
    target on one street it may be some seconds too long.
    """
    graph = network.graph(mode)
    start = seeds(graph, network.edge_length_m, sources, towards=False)
    stop = seeds(graph, network.edge_length_m, targets, towards=True)
    out = np.full(len(targets), np.inf)
    if not len(start.state) or not len(stop.state):
        return out
    space = borrow_workspace(network, mode)
    count = shortest_times(
        adjacency(graph, towards=False), start.state, start.ms, limit_as_ms(limit_s), space
    )
    reached = np.zeros(len(space.dist), np.bool_)
    reached[space.touched[:count]] = True
    at_s = np.where(
        reached[stop.state], (space.dist[stop.state].astype(np.float64) + stop.ms) / 1000.0, np.inf
    )
    reset(space.dist, space.touched, count)
    return_workspace(network, mode, space)
    np.minimum.at(out, np.repeat(np.arange(len(targets)), np.diff(stop.ptr)), at_s)
    return np.where(out <= limit_s, out, np.inf)
