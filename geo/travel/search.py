"""Shortest-time search: exact, bounded, several seeds. Arrays in, arrays out, for use inside kernels.

Dial's buckets of 2^10 ms in a ring, label-correcting inside a bucket (delta-stepping of Meyer and
Sanders 2003, on one thread). Each state stands in at most one bucket (doubly linked lists over the
states), so the workspace has a fixed size and can never overflow.

All durations are milliseconds, below `NO` (49 days).
"""

import dataclasses

import numpy as np

from geo.arrays import Int32Array, Integer, UInt32Array
from geo.jit import kernel
from geo.streets.mode_graph import NO, ModeGraph

__all__ = [
    "FREE",
    "SHIFT",
    "Workspace",
    "new_workspace",
    "relax_seed",
    "reset",
    "search_tree",
    "shortest_times",
]

SHIFT = 10
"""A bucket is 2^10 ms wide."""
FREE = -2
"""In `Workspace.link`: stands in no bucket."""


@dataclasses.dataclass(frozen=True, eq=False)
class Workspace:
    """Memory of one search at a time; between searches it is as `workspace` made it.

    Attributes
    ----------
    dist : uint32 (n_states,)
        `NO` on entry; the times found, after a search. `reset` cleans it.
    link : int32 (n_states, 2)
        Next and previous state of the same bucket.
    ring : int32 (power of two,)
        First state of each bucket.
    touched : int32 (n_states,)
        The states reached by a search, in its first rows.
    """

    dist: UInt32Array
    link: Int32Array
    ring: Int32Array
    touched: Int32Array


def new_workspace(graph: ModeGraph) -> Workspace:
    """Return a clean workspace for searches in both directions of `graph`."""
    size = 1 << ((graph.max_cost_ms >> SHIFT) + 2).bit_length()
    return Workspace(
        dist=np.full(graph.n_states, NO, np.uint32),
        link=np.full((graph.n_states, 2), FREE, np.int32),
        ring=np.full(size, -1, np.int32),
        touched=np.empty(graph.n_states, np.int32),
    )


@kernel
def reset(dist: UInt32Array, touched: Int32Array, n_touched: int) -> None:
    """Clean `dist` after a search."""
    for i in range(n_touched):
        dist[touched[i]] = NO


@kernel
def relax_seed(
    state: Integer,
    ms: Integer,
    limit: Integer,
    dist: UInt32Array,
    link: Int32Array,
    ring: Int32Array,
    touched: Int32Array,
    n_touched: int,
) -> tuple[int, int]:
    """Offer `ms` to a state; returns (states touched, states newly waiting in a bucket)."""
    if ms > limit or ms >= dist[state]:
        return n_touched, 0
    mask = len(ring) - 1
    added = 1
    if dist[state] == NO:
        touched[n_touched] = state
        n_touched += 1
    elif link[state, 0] != FREE:
        added = 0
        before, after = link[state, 1], link[state, 0]
        if after >= 0:
            link[after, 1] = before
        if before >= 0:
            link[before, 0] = after
        else:
            ring[(np.int64(dist[state]) >> SHIFT) & mask] = after
    dist[state] = np.uint32(ms)
    bucket = (ms >> SHIFT) & mask
    first = ring[bucket]
    link[state, 0] = first
    link[state, 1] = -1
    if first >= 0:
        link[first, 1] = state
    ring[bucket] = state
    return n_touched, added


@kernel
def shortest_times(
    indptr: Int32Array,
    head: Int32Array,
    cost_ms: UInt32Array,
    seed_state: Int32Array,
    seed_ms: UInt32Array,
    limit_ms: int,
    dist: UInt32Array,
    link: Int32Array,
    ring: Int32Array,
    touched: Int32Array,
) -> int:
    """Fill `dist` with the least time to every state within `limit_ms` of the seeds.

    Parameters
    ----------
    indptr, head, cost_ms
        Arcs forward or backward, from a `ModeGraph`.
    seed_state, seed_ms : int32 (k,), uint32 (k,)
        Where the search begins, and the time already spent there.
    limit_ms : int
        Times above are not reached; ``NO - 1`` for no limit.
    dist, link, ring, touched
        A clean `Workspace`; call `reset` afterwards.

    Returns
    -------
    int
        How many states were reached; they stand in ``touched[:n]``.
    """
    mask = len(ring) - 1
    limit = np.int64(limit_ms)
    n_touched = 0
    waiting = 0
    seeds = len(seed_state)
    order = np.arange(seeds)
    for i in range(1, seeds):
        if seed_ms[i] < seed_ms[i - 1]:
            order = np.argsort(seed_ms)
            break
    taken = 0
    cursor = np.int64(0)
    while True:
        if waiting == 0:
            if taken == seeds or seed_ms[order[taken]] > limit:
                break
            cursor = np.int64(seed_ms[order[taken]]) >> SHIFT
        while taken < seeds and (np.int64(seed_ms[order[taken]]) >> SHIFT) <= cursor:
            n_touched, added = relax_seed(
                seed_state[order[taken]],
                np.int64(seed_ms[order[taken]]),
                limit,
                dist,
                link,
                ring,
                touched,
                n_touched,
            )
            waiting += added
            taken += 1
        bucket = cursor & mask
        state = ring[bucket]
        while state >= 0:
            after = link[state, 0]
            ring[bucket] = after
            if after >= 0:
                link[after, 1] = -1
            link[state, 0] = FREE
            waiting -= 1
            base = np.int64(dist[state])
            for arc in range(indptr[state], indptr[state + 1]):
                ms = base + np.int64(cost_ms[arc])
                to = head[arc]
                old = np.int64(dist[to])
                if ms >= old or ms > limit:
                    continue
                new_bucket = (ms >> SHIFT) & mask
                if old == NO:
                    touched[n_touched] = to
                    n_touched += 1
                    waiting += 1
                elif link[to, 0] == FREE:
                    waiting += 1
                else:
                    old_bucket = (old >> SHIFT) & mask
                    if old_bucket == new_bucket:
                        dist[to] = np.uint32(ms)
                        continue
                    next_one, previous = link[to, 0], link[to, 1]
                    if next_one >= 0:
                        link[next_one, 1] = previous
                    if previous >= 0:
                        link[previous, 0] = next_one
                    else:
                        ring[old_bucket] = next_one
                dist[to] = np.uint32(ms)
                first = ring[new_bucket]
                link[to, 0] = first
                link[to, 1] = -1
                if first >= 0:
                    link[first, 1] = to
                ring[new_bucket] = to
            state = ring[bucket]
        cursor += 1
    return n_touched


@kernel
def search_tree(
    indptr: Int32Array,
    head: Int32Array,
    cost_ms: UInt32Array,
    seed_state: Int32Array,
    seed_ms: UInt32Array,
    target_state: Int32Array,
    target_ms: UInt32Array,
    limit_ms: int,
    dist: UInt32Array,
    link: Int32Array,
    ring: Int32Array,
    touched: Int32Array,
    parent_arc: Int32Array,
) -> tuple[int, int]:
    """Search towards a few targets and remember the way.

    Stops as soon as nothing better can come. ``parent_arc[state]`` is the arc by which the state was
    reached, -1 at a seed; it is valid for touched states only.

    Returns
    -------
    tuple of int
        (states touched, row of the best target or -1); the time is
        ``dist[target_state[row]] + target_ms[row]``.
    """
    limit = np.int64(limit_ms)
    n_touched = 0
    waiting = 0
    order = np.argsort(seed_ms)
    taken = 0
    best = -1
    cursor = np.int64(0)
    while True:
        if waiting == 0:
            if taken == len(order) or seed_ms[order[taken]] > limit:
                break
            cursor = np.int64(seed_ms[order[taken]]) >> SHIFT
        while taken < len(order) and (np.int64(seed_ms[order[taken]]) >> SHIFT) <= cursor:
            state = seed_state[order[taken]]
            ms = np.int64(seed_ms[order[taken]])
            if ms < dist[state] and ms <= limit:
                parent_arc[state] = -1
            n_touched, added = relax_seed(state, ms, limit, dist, link, ring, touched, n_touched)
            waiting += added
            taken += 1
        bucket = cursor & (len(ring) - 1)
        state = ring[bucket]
        while state >= 0:
            after = link[state, 0]
            ring[bucket] = after
            if after >= 0:
                link[after, 1] = -1
            link[state, 0] = FREE
            waiting -= 1
            for arc in range(indptr[state], indptr[state + 1]):
                ms = np.int64(dist[state]) + np.int64(cost_ms[arc])
                to = head[arc]
                if ms < dist[to] and ms <= limit:
                    parent_arc[to] = arc
                    n_touched, added = relax_seed(to, ms, limit, dist, link, ring, touched, n_touched)
                    waiting += added
            state = ring[bucket]
        # What is still in the ring is no shorter than the next bucket, so a better target is final.
        for row in range(len(target_state)):
            at = dist[target_state[row]]
            if at != NO and np.int64(at) + np.int64(target_ms[row]) <= limit:
                limit = np.int64(at) + np.int64(target_ms[row]) - 1
                best = row
        cursor += 1
    return n_touched, best
