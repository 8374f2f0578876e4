"""Turn restrictions that need memory: sequences of directed edges which a mode may not drive.

A state of the car graph remembers only the street it stands on. Where a restriction runs over a way
(``no_u_turn`` over the link of a dual carriageway), the streets on the way get copies which remember what was
driven before, one for each beginning of a forbidden sequence: the automaton of Aho and Corasick (1975) over
turns. The searches need not know.

Modes that may turn round anywhere have states at nodes. There the memory begins one step earlier: every
forbidden turn gives a copy of its node, entered by the street before it.
"""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from geo.arrays import BoolArray, Int32Array, Int64Array

__all__ = ["Drive", "Moves", "Remembered", "flat", "moves_at_nodes", "remember", "unflat"]

Drive = tuple[int, ...]


class Remembered(NamedTuple):
    """Turns between directed edges and their copies.

    Attributes
    ----------
    before, after : int32 (t,)
        Legal turns.
    base : int32 (d,)
        Directed edge of each; the first ones are themselves, the copies follow.
    """

    before: Int32Array
    after: Int32Array
    base: Int32Array


def remember(before: Int32Array, after: Int32Array, directed: int, banned: Sequence[Drive]) -> Remembered:
    """Give a copy of its last edge to each beginning of a forbidden drive, and lead the turns there.

    Parameters
    ----------
    before, after : int32 (t,)
        Turns that are legal without the forbidden drives.
    directed : int
        How many directed edges there are.
    banned : sequence of tuples
        Forbidden drives of three directed edges or more.
    """
    forbidden = set(banned)
    begun = dict.fromkeys(drive[:k] for drive in banned for k in range(2, len(drive)))
    copies = {start: directed + row for row, start in enumerate(begun)}
    base = np.concatenate([np.arange(directed), [start[-1] for start in copies]]).astype(np.int32)
    if not copies:
        return Remembered(before, after, base)
    turns: list[tuple[int, int]] = []
    after = after.copy()
    for start, copy in copies.items():
        if len(start) == 2:
            after[(before == start[0]) & (base[after] == start[1])] = copy
        for edge in base[after[before == start[-1]]].tolist():
            into = _into((*start, edge), copies, forbidden)
            if into >= 0:
                turns.append((copy, into))
    more = np.array(turns, np.int32).reshape(-1, 2)
    return Remembered(np.concatenate([before, more[:, 0]]), np.concatenate([after, more[:, 1]]), base)


def _into(drive: Drive, copies: dict[Drive, int], forbidden: set[Drive]) -> int:
    """Edge or copy in which a drive ends, -1 where it is forbidden."""
    ends = [drive[k:] for k in range(len(drive) - 1)]
    if any(end in forbidden for end in ends):
        return -1
    return next((copies[end] for end in ends if end in copies), drive[-1])


class Moves(NamedTuple):
    """Ways over directed edges between nodes and their copies.

    Attributes
    ----------
    directed : int32 (m,)
    tail, head : int32 (m,)
        Where each begins and ends: a node, or a copy of it.
    base : int32 (c,)
        Node of each; the first ones are themselves, the copies follow.
    """

    directed: Int32Array
    tail: Int32Array
    head: Int32Array
    base: Int32Array


def moves_at_nodes(ends: Int32Array, usable: BoolArray, banned: Sequence[Drive]) -> Moves:
    """Give a copy of the node at its end to each beginning of a forbidden drive of two edges or more.

    Parameters
    ----------
    ends : int32 (E, 2)
    usable : bool (2E,)
        Directed edges that the mode may take.
    banned : sequence of tuples
    """
    tail, head = ends.ravel(), ends[:, ::-1].ravel()
    nodes = int(ends.max(initial=-1)) + 1
    directed = np.flatnonzero(usable).astype(np.int32)
    forbidden = {drive for drive in banned if all(usable[d] for d in drive)}
    begun = dict.fromkeys(drive[:k] for drive in sorted(forbidden) for k in range(1, len(drive)))
    copies = {start: nodes + row for row, start in enumerate(begun)}
    base = np.concatenate([np.arange(nodes), [head[start[-1]] for start in copies]]).astype(np.int32)
    where = head.copy()
    for start, copy in copies.items():
        if len(start) == 1:
            where[start[0]] = copy
    leaving: dict[int, list[int]] = defaultdict(list)
    at_copies = np.flatnonzero(usable & np.isin(tail, base[nodes:]))
    for d in at_copies.tolist():
        leaving[int(tail[d])].append(d)
    more = [
        (d, copy, int(where[d]) if into is None else copies[into])
        for start, copy in copies.items()
        for d in leaving[int(base[copy])]
        for ends_of in [[(*start, d)[k:] for k in range(len(start))]]
        if not forbidden.intersection(ends_of)
        for into in [next((end for end in ends_of if end in copies), None)]
    ]
    extra = np.array(more, np.int32).reshape(-1, 3).T
    return Moves(
        np.concatenate([directed, extra[0]]),
        np.concatenate([tail[directed], extra[1]]),
        np.concatenate([where[directed], extra[2]]),
        base,
    )


def flat(drives: Sequence[Drive]) -> tuple[Int64Array, Int32Array]:
    """Drives as pointers (n + 1,) and edges (or nodes), one after the other."""
    ptr = np.cumsum([0, *map(len, drives)], dtype=np.int64)
    return ptr, np.array([edge for drive in drives for edge in drive], dtype=np.int32)


def unflat(ptr: Int64Array, edges: Int32Array) -> tuple[Drive, ...]:
    """Undo `flat`."""
    flat_edges, ends = edges.tolist(), ptr.tolist()
    return tuple(tuple(flat_edges[low:high]) for low, high in itertools.pairwise(ends))
