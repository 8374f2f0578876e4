"""Turn restrictions that run over ways: sequences of directed edges which no car may drive.

A state of the car graph remembers only the street it stands on. Where a restriction runs over a way
(``no_u_turn`` over the link of a dual carriageway), the streets on the way get copies which remember what was
driven before, one for each beginning of a forbidden sequence: the automaton of Aho and Corasick (1975) over
turns. The searches need not know.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from geo.arrays import Int32Array, Int64Array

__all__ = ["Drive", "Remembered", "flat", "remember", "unflat"]

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


def flat(drives: Sequence[Drive]) -> tuple[Int64Array, Int32Array]:
    """Drives as pointers (n + 1,) and edges (or nodes), one after the other."""
    ptr = np.cumsum([0, *map(len, drives)], dtype=np.int64)
    return ptr, np.array([edge for drive in drives for edge in drive], dtype=np.int32)


def unflat(ptr: Int64Array, edges: Int32Array) -> tuple[Drive, ...]:
    """Undo `flat`."""
    flat_edges, ends = edges.tolist(), ptr.tolist()
    return tuple(tuple(flat_edges[low:high]) for low, high in itertools.pairwise(ends))
