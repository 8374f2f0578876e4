"""What it costs to enter a private place."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.arrays import BoolArray, Int64Array
from geo.streets.mode_graph import ModeStreets

__all__ = ["compound_delay_at", "lone_gates"]


def compound_delay_at(streets: ModeStreets) -> Int64Array:
    """Return for each node the delay (ms) of entering a compound there, 0 where none touches it."""
    delay = np.zeros(streets.nodes, np.int64)
    inside = np.flatnonzero(streets.edge_private & (streets.compound >= 0))
    cost = streets.compound_delay_ms[streets.compound[inside]]
    for side in (0, 1):
        np.maximum.at(delay, streets.ends[inside, side], cost)
    return delay


def lone_gates(streets: ModeStreets) -> BoolArray:
    """Return the gates that close off private streets outside of any compound.

    A gate on the drive to a compound is not one of them: the delay is paid where the compound begins.
    """
    private = np.flatnonzero(streets.edge_private)
    edges, nodes = len(private), streets.nodes
    rows = np.tile(np.arange(edges), 2)
    columns = streets.ends[private].T.ravel()
    passed = ~streets.gate[columns]
    links = (np.ones(passed.sum(), np.int8), (rows[passed], edges + columns[passed]))
    _, label = connected_components(coo_array(links, shape=(edges + nodes, edges + nodes)), directed=False)
    of_edge = label[:edges]
    has_compound = np.zeros(edges + nodes, np.bool_)
    has_compound[of_edge[streets.compound[private] >= 0]] = True
    touches, leads = np.zeros(nodes, np.bool_), np.zeros(nodes, np.bool_)
    for side in (0, 1):
        end = streets.ends[private, side]
        touches[end] = True
        leads[end[has_compound[of_edge]]] = True
    return np.asarray(streets.gate & touches & ~leads)
