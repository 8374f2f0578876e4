"""Where private places begin, and what it costs to enter one."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.arrays import BoolArray, FloatArray, Int32Array, Int64Array, UInt8Array
from geo.streets.components import joined
from geo.streets.mode_graph import ModeStreets
from geo.streets.raw import MODES

__all__ = ["Barriers", "behind_gates", "compound_delay_at", "lone_gates"]


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


class Barriers(NamedTuple):
    """Of each node (n,): modes that pass it only to a place behind, and modes that do not pass at all."""

    private: UInt8Array
    blocked: UInt8Array


def behind_gates(
    ends: Int32Array, usable: UInt8Array, private: UInt8Array, length_m: FloatArray, barriers: Barriers
) -> UInt8Array:
    """Return for each edge (E,) the modes for which a private gate makes it private.

    A gate that is private for a mode shuts what lies behind it: of the parts into which such gates divide the
    streets, all but the longest. Where both sides hang together otherwise, nobody drives through: the streets
    from the gate to the next junctions are private. A gate at a junction does not say which street it
    shuts, and shuts none.

    Parameters
    ----------
    ends : int32 (E, 2)
        Nodes at both ends of each edge.
    usable, private : uint8 (E,)
        Modes that may use an edge, and those that may only for its own sake.
    length_m : float64 (E,)
    barriers : Barriers
    """
    found = np.zeros(len(ends), np.uint8)
    for bit in (1 << index for index in range(len(MODES))):
        open_to = usable & bit != 0
        marked = barriers.private & ~barriers.blocked & bit != 0
        degree = np.bincount(ends[open_to].ravel(), minlength=len(marked))
        public = np.bincount(ends[open_to & (private & bit == 0)].ravel(), minlength=len(marked))
        gate = marked & (degree == 2) & (public == 2)
        if not gate.any():
            continue
        passable = barriers.blocked & bit == 0
        whole = joined(ends, open_to, passable, length_m)
        parts = joined(ends, open_to, passable & ~gate, length_m)
        # Labels fall with the length, so the least is the longest part.
        outside = np.full(int(whole.max(initial=-1)) + 1, np.iinfo(np.int32).max)
        np.minimum.at(outside, whole[open_to], parts[open_to])
        behind = open_to.copy()
        behind[open_to] = parts[open_to] != outside[whole[open_to]]
        between = gate.copy()
        between[ends[behind].ravel()] = False
        behind |= open_to & between[ends].any(axis=1)
        found[behind] |= bit
    return found
