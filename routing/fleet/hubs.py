"""Hubs of a mode's streets, one in each cell of the map; their use: `routing.fleet.kernels.apart`."""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geo.arrays import FloatArray, Int32Array, Int64Array, UInt32Array
from geo.streets import ModeGraph, StreetNetwork
from geo.travel import Adjacency, new_workspace, reset, shortest_times
from routing.fleet.kernels.apart import Hubs
from routing.fleet.kernels.legs import graph_of
from routing.fleet.kernels.tables import NO

__all__ = ["hubs_of"]

CELL_S = 200.0
"""Side of a cell: what the fastest takes to cross it."""
MOST_HUBS = 500
AROUND_MS = 1_200_000
"""From a hub no farther: of places farther apart the ways themselves are found."""


def hubs_of(network: StreetNetwork, mode: str) -> Hubs:
    """Return the hubs of a mode, chosen at the first call."""
    key = f"hubs:{mode}"
    if key not in network._cache:
        network._cache[key] = _chosen(network, mode)
    made: Hubs = network._cache[key]
    return made


def _chosen(network: StreetNetwork, mode: str) -> Hubs:
    graph, places = network.graph(mode), graph_of(network, mode)
    mainland = _mainland(graph)
    x, y = places.state_x[mainland], places.state_y[mainland]
    hubs = mainland[_middles(x, y, CELL_S * 1000.0 * places.fastest)]
    forward = Adjacency(graph.indptr, graph.head, graph.cost_ms)
    back = Adjacency(graph.rev_indptr, graph.rev_head, graph.rev_cost_ms)
    from_hub, from_ms, between_ms = _nearest(graph, forward, hubs)
    to_hub, to_ms, _ = _nearest(graph, back, hubs)
    return Hubs(to_hub, to_ms, from_hub, from_ms, between_ms)


def _mainland(graph: ModeGraph) -> Int64Array:
    """Return the states of the largest part in which all reach all: a hub elsewhere helps few."""
    if not graph.n_states:
        return np.zeros(0, np.int64)
    shape = graph.n_states, graph.n_states
    arcs = csr_array((np.ones(len(graph.head), np.int8), graph.head, graph.indptr), shape=shape)
    label = connected_components(arcs, connection="strong")[1]
    return np.flatnonzero(label == np.argmax(np.bincount(label)))


def _middles(x: FloatArray, y: FloatArray, side: float) -> Int64Array:
    """Return of each cell of a grid the point that lies nearest to its middle."""
    if not len(x):
        return np.zeros(0, np.int64)
    left, bottom = x.min(), y.min()
    while True:
        column, row = (x - left) // side, (y - bottom) // side
        cells, cell = np.unique(column * (row.max() + 1) + row, return_inverse=True)
        if len(cells) <= MOST_HUBS:
            break
        side *= 1.5
    off = np.hypot(x - left - (column + 0.5) * side, y - bottom - (row + 0.5) * side)
    order = np.lexsort((off, cell))
    return order[np.searchsorted(cell[order], np.arange(len(cells)))]


def _nearest(
    graph: ModeGraph, arcs: Adjacency, hubs: Int64Array
) -> tuple[Int32Array, UInt32Array, UInt32Array]:
    """Return the nearest hub of each state with its time, and the times between all hubs."""
    space = new_workspace(graph)
    which, least = np.zeros(graph.n_states, np.int32), np.full(graph.n_states, NO, np.uint32)
    between = np.full((len(hubs), len(hubs)), NO, np.uint32)
    at_once = np.zeros(1, np.uint32)
    for number, hub in enumerate(hubs.tolist()):
        n = shortest_times(arcs, np.array([hub], np.int32), at_once, AROUND_MS, space)
        states = space.touched[:n]
        ms = space.dist[states]
        nearer = ms < least[states]
        which[states[nearer]], least[states[nearer]] = number, ms[nearer]
        between[number] = space.dist[hubs]
        reset(space.dist, space.touched, n)
    return which, least, between
