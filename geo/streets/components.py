"""Which streets hang together: parts of the network, reported instead of dropped in silence."""

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from geo.arrays import BoolArray, FloatArray, Int32Array, Int64Array
from geo.streets.mode_graph import ModeGraph

__all__ = ["joined", "mutually_reachable"]


def joined(ends: Int32Array, usable: BoolArray, passable: BoolArray, length_m: FloatArray) -> Int32Array:
    """Label edges (E,) that are joined at passable nodes, whatever their direction; -1 where not usable.

    Labels fall with the length of the streets that bear them.
    """
    edges, nodes = np.flatnonzero(usable), len(passable)
    rows = np.tile(np.arange(len(edges)), 2)
    columns = ends[edges].T.ravel()
    passed = passable[columns]
    size = len(edges) + nodes
    links = (np.ones(passed.sum(), np.int8), (rows[passed], len(edges) + columns[passed]))
    _, label = connected_components(coo_array(links, shape=(size, size)), directed=False)
    out = np.full(len(ends), -1, np.int32)
    out[edges] = label[: len(edges)]
    return _by_length(out, length_m)


def mutually_reachable(graph: ModeGraph, length_m: FloatArray) -> Int32Array:
    """Label edges (E,) from each of which every other one of the label can be reached and left again.

    `graph` must be free of private layers. -1 stands for edges that are not usable, and for those
    which one can only enter or only leave.
    """
    ones = np.ones(len(graph.head), np.int8)
    arcs = csr_array((ones, graph.head, graph.indptr), shape=(graph.n_states, graph.n_states))
    parts, label = connected_components(arcs, directed=True, connection="strong")
    # A street belongs to a part when one can come to a place on it from there and go back to there.
    entered, left = (_keys(label, parts, ptr, state) for ptr, state in _touch(graph))
    both = np.intersect1d(entered, left)
    out = np.full(len(length_m), -1, np.int32)
    out[both // parts] = both % parts
    return _by_length(out, length_m)


def _touch(graph: ModeGraph) -> tuple[tuple[Int32Array, Int32Array], tuple[Int32Array, Int32Array]]:
    return (graph.arrive_ptr, graph.arrive_state), (graph.depart_ptr, graph.depart_state)


def _keys(label: Int32Array, parts: int, ptr: Int32Array, state: Int32Array) -> Int64Array:
    """Return edge times number of parts plus part, for each state at either end of each edge."""
    return np.repeat(np.arange(len(ptr) - 1) // 2, np.diff(ptr)) * parts + label[state]


def _by_length(label: Int32Array, length_m: FloatArray) -> Int32Array:
    used = label >= 0
    _, number = np.unique(label[used], return_inverse=True)
    total = np.bincount(number, length_m[used])
    rank = np.empty(len(total), np.int32)
    rank[np.argsort(-total, kind="stable")] = np.arange(len(total), dtype=np.int32)
    out = np.full(len(label), -1, np.int32)
    out[used] = rank[number]
    return out
