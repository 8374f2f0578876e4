"""Shortest-time search: exact, bounded, several seeds. Arrays in, arrays out, for use inside kernels.

Dial's buckets of 2^10 ms in a ring, label-correcting inside a bucket (delta-stepping of Meyer and
Sanders 2003, on one thread). Each state stands in at most one bucket (doubly linked lists over the
states), so the workspace has a fixed size and can never overflow.

All durations are milliseconds, below `NO` (49 days).
"""

from typing import NamedTuple

import numpy as np

from geo.arrays import FloatArray, Int32Array, Int64Array, Integer, UInt32Array
from geo.jit import kernel
from geo.streets.mode_graph import NO, ModeGraph

__all__ = [
    "FREE",
    "HOUR_MS",
    "MOST_FALL_MS",
    "Adjacency",
    "Goal",
    "Hours",
    "Targets",
    "Workspace",
    "adjacency",
    "between_hours",
    "new_workspace",
    "reset",
    "search_tree",
    "share_of_hour",
    "shortest_times",
    "time_towards",
    "times_by_hour",
]

SHIFT = 10
"""A bucket is 2^10 ms wide."""
FREE = -2
"""In `Workspace.link`: stands in no bucket."""
HOUR_MS = 3_600_000
PARTS = (1 << 48) // HOUR_MS
MOST_FALL_MS = 3_590_000
"""No arc may get quicker by more from one hour to the next, or whoever waits would overtake."""
PLANE_M = 2.0
"""Metres by which a straight line may be misjudged: offsets are rounded to milliseconds."""


class Adjacency(NamedTuple):
    """Arcs forward or backward, from a `ModeGraph`: state ``s`` has ``indptr[s]`` to ``indptr[s + 1]``."""

    indptr: Int32Array
    head: Int32Array
    cost_ms: UInt32Array


def adjacency(graph: ModeGraph, *, towards: bool) -> Adjacency:
    """Return the arcs of a mode's graph for a search forward, or (`towards`) back from where trips end."""
    if towards:
        return Adjacency(graph.rev_indptr, graph.rev_head, graph.rev_cost_ms)
    return Adjacency(graph.indptr, graph.head, graph.cost_ms)


class Workspace(NamedTuple):
    """Memory of one search at a time; between searches it is as `new_workspace` made it."""

    dist: UInt32Array
    """(n_states,) `NO` on entry; the times found, after a search. `reset` cleans it."""
    link: Int32Array
    """(n_states, 2) Next and previous state of the same bucket."""
    ring: Int32Array
    """(power of two,) First state of each bucket."""
    touched: Int32Array
    """(n_states,) The states reached by a search, in its first rows."""


class Goal(NamedTuple):
    """A place in the plane, for a search that goes towards it first."""

    x: float
    y: float
    state_x: FloatArray
    state_y: FloatArray
    fastest: float
    """Metres a millisecond that no way beats."""


class Hours(NamedTuple):
    """What arcs take by the hour: at the middle of hour ``h`` row ``row[h]``, and in between along a line.

    Nobody who sets out later arrives sooner (FIFO) where no arc gets quicker by an hour within an hour.
    """

    cost_ms: UInt32Array
    """(rows, m)"""
    row: Int64Array
    """(hours,) The last hour is followed by the first."""
    depart_ms: int
    """When the search sets out, after the middle of hour 0."""


class Targets(NamedTuple):
    """The states that end a way, with the time from there on."""

    state: Int32Array
    ms: UInt32Array


def new_workspace(graph: ModeGraph) -> Workspace:
    """Return a clean workspace for searches in both directions of `graph`."""
    # Towards a goal an arc counts twice at most: it takes its time, and leads away by that.
    size = 1 << ((2 * graph.max_cost_ms >> SHIFT) + 3).bit_length()
    return Workspace(
        dist=np.full(graph.n_states, NO, np.uint32),
        link=np.full((graph.n_states, 2), FREE, np.int32),
        ring=np.full(size, -1, np.int32),
        touched=np.empty(graph.n_states, np.int32),
    )


@kernel
def share_of_hour(into_ms: Integer) -> Integer:
    """Return how far an instant is from the middle of an hour to the next, in parts of 2^30 of the hour."""
    return (into_ms * PARTS) >> 18


@kernel
def between_hours(first: Integer, second: Integer, share: Integer) -> Integer:
    """Return what an arc takes at a share of an hour (`share_of_hour`): whole milliseconds, rounded down.

    A millisecond is at most 299 parts. So where `second` is less by no more than `MOST_FALL_MS`, what an arc
    takes falls by no more than the millisecond that passes: rounding keeps FIFO.
    """
    return np.int64(first) + (((np.int64(second) - np.int64(first)) * share) >> 30)


@kernel
def reset(dist: UInt32Array, touched: Int32Array, n_touched: int) -> None:
    """Clean `dist` after a search."""
    for i in range(n_touched):
        dist[touched[i]] = NO


@kernel
def _put(
    state: Integer,
    ms: Integer,
    ahead: Integer,
    dist: UInt32Array,
    link: Int32Array,
    ring: Int32Array,
    touched: Int32Array,
    n_touched: int,
) -> tuple[int, int]:
    """Set a shorter time and the bucket that belongs to it and to what lies `ahead` at least.

    Returns how many states are touched, and how many newly stand in a bucket.
    """
    mask = len(ring) - 1
    bucket = ((ms + ahead) >> SHIFT) & mask
    old = np.int64(dist[state])
    added = 1
    if old == NO:
        touched[n_touched] = state
        n_touched += 1
    elif link[state, 0] != FREE:
        added = 0
        old_bucket = ((old + ahead) >> SHIFT) & mask
        if old_bucket == bucket:
            dist[state] = np.uint32(ms)
            return n_touched, added
        after, before = link[state, 0], link[state, 1]
        if after >= 0:
            link[after, 1] = before
        if before >= 0:
            link[before, 0] = after
        else:
            ring[old_bucket] = after
    dist[state] = np.uint32(ms)
    first = ring[bucket]
    link[state, 0] = first
    link[state, 1] = -1
    if first >= 0:
        link[first, 1] = state
    ring[bucket] = state
    return n_touched, added


@kernel
def _search(
    arcs: Adjacency,
    seeds: tuple[Int32Array, UInt32Array],
    limit_ms: Integer,
    space: Workspace,
    targets: Targets | None,
    parent_arc: Int32Array | None,
    goal: Goal | None,
    hours: Hours | None,
) -> tuple[int, int]:
    """Fill `space.dist` bucket by bucket; (states touched, row of the best target or -1).

    With a goal, a bucket is that of the time so far and the least time from there on (A*).

    What is None costs nothing: the compiler makes a kernel of its own without it. One loop, the only one over
    buckets in this house: a call for each arc would double its time.
    """
    indptr, head, cost_ms = arcs
    dist, link, ring, touched = space
    seed_state, seed_ms = seeds
    if hours is not None:
        of_hour, row_of, depart_ms = hours
        begin_ms = np.int64(-HOUR_MS)
        now, then = row_of[0], row_of[0]
    mask = len(ring) - 1
    limit = np.int64(limit_ms)
    n_touched, waiting, taken, best = 0, 0, 0, -1
    count = len(seed_state)
    order = np.arange(count)
    key = seed_ms.astype(np.int64)
    if goal is not None:
        goal_x, goal_y, state_x, state_y, fastest = goal
        pace = 1.0 / fastest
        for i in range(count):
            dx, dy = state_x[seed_state[i]] - goal_x, state_y[seed_state[i]] - goal_y
            key[i] += np.int64(max(np.sqrt(dx * dx + dy * dy) - PLANE_M, 0.0) * pace)
    for i in range(1, count):
        if key[i] < key[i - 1]:
            # as floats, whose sorting other kernels need too: numba compiles seconds for each type
            order = np.argsort(key.astype(np.float64))
            break
    cursor = np.int64(0)
    while True:
        if waiting == 0:
            if taken == count or key[order[taken]] > limit:
                break
            cursor = key[order[taken]] >> SHIFT
        while taken < count and (key[order[taken]] >> SHIFT) <= cursor:
            row = order[taken]
            to, ms = seed_state[row], np.int64(seed_ms[row])
            if key[row] <= limit and ms < dist[to]:
                if parent_arc is not None:
                    parent_arc[to] = -1
                n_touched, added = _put(to, ms, key[row] - ms, dist, link, ring, touched, n_touched)
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
            if (cursor << SHIFT) > limit:
                # A target was found: the buckets are only emptied.
                state = after
                continue
            base = np.int64(dist[state])
            if hours is not None:
                into_ms = base - begin_ms
                if into_ms < 0 or into_ms >= HOUR_MS:
                    hour = (base + depart_ms) // HOUR_MS
                    begin_ms = hour * HOUR_MS - depart_ms
                    into_ms = base - begin_ms
                    now, then = row_of[hour % len(row_of)], row_of[(hour + 1) % len(row_of)]
                share = share_of_hour(into_ms)
            for arc in range(indptr[state], indptr[state + 1]):
                to = head[arc]
                if hours is not None:
                    ms = base + between_hours(of_hour[now, arc], of_hour[then, arc], share)
                else:
                    ms = base + np.int64(cost_ms[arc])
                old = np.int64(dist[to])
                if ms >= old or ms > limit:
                    continue
                ahead = np.int64(0)
                new_bucket = ms >> SHIFT
                if goal is not None:
                    dx, dy = state_x[to] - goal_x, state_y[to] - goal_y
                    ahead = np.int64(max(np.sqrt(dx * dx + dy * dy) - PLANE_M, 0.0) * pace)
                    if ms + ahead > limit:
                        continue
                    # What lies ahead is rounded: it may fall a millisecond short of the bucket at hand.
                    new_bucket = max((ms + ahead) >> SHIFT, cursor)
                new_bucket &= mask
                if parent_arc is not None:
                    parent_arc[to] = arc
                # As `_put`, written out: a call for each arc would double the time.
                if old == NO:
                    touched[n_touched] = to
                    n_touched += 1
                    waiting += 1
                elif link[to, 0] == FREE:
                    waiting += 1
                else:
                    old_bucket = old >> SHIFT
                    if goal is not None:
                        old_bucket = max((old + ahead) >> SHIFT, cursor)
                    old_bucket &= mask
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
        if targets is not None:
            # What is still in the ring is no shorter than the next bucket, so a better target is final.
            for row in range(len(targets.state)):
                at = dist[targets.state[row]]
                if at != NO and np.int64(at) + np.int64(targets.ms[row]) <= limit:
                    limit = np.int64(at) + np.int64(targets.ms[row]) - 1
                    best = row
        cursor += 1
    return n_touched, best


@kernel
def shortest_times(
    arcs: Adjacency, seed_state: Int32Array, seed_ms: UInt32Array, limit_ms: int, space: Workspace
) -> int:
    """Fill `space.dist` with the least time to every state within `limit_ms` of the seeds.

    Parameters
    ----------
    arcs : Adjacency
    seed_state, seed_ms : int32 (k,), uint32 (k,)
        Where the search begins, and the time already spent there.
    limit_ms : int
        Times above are not reached; ``NO - 1`` for no limit.
    space : Workspace
        Clean; call `reset` afterwards.

    Returns
    -------
    int
        How many states were reached; they stand in ``space.touched[:n]``.
    """
    return _search(arcs, (seed_state, seed_ms), limit_ms, space, None, None, None, None)[0]


@kernel
def times_by_hour(
    arcs: Adjacency,
    seed_state: Int32Array,
    seed_ms: UInt32Array,
    limit_ms: int,
    space: Workspace,
    hours: Hours,
) -> int:
    """As `shortest_times` forward, with what arcs take when they are entered; `space` for their longest."""
    return _search(arcs, (seed_state, seed_ms), limit_ms, space, None, None, None, hours)[0]


@kernel
def time_towards(
    arcs: Adjacency,
    seed_state: Int32Array,
    seed_ms: UInt32Array,
    targets: Targets,
    limit_ms: Integer,
    space: Workspace,
    goal: Goal,
) -> tuple[int, int]:
    """Search for the best of a few targets, each no nearer to the goal than a straight line.

    Returns
    -------
    tuple of int
        As `search_tree`. Other states may have been reached on longer ways than need be, or not at all.
    """
    return _search(arcs, (seed_state, seed_ms), limit_ms, space, targets, None, goal, None)


@kernel
def search_tree(
    arcs: Adjacency,
    seed_state: Int32Array,
    seed_ms: UInt32Array,
    target_state: Int32Array,
    target_ms: UInt32Array,
    limit_ms: Integer,
    space: Workspace,
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
    targets = Targets(target_state, target_ms)
    return _search(arcs, (seed_state, seed_ms), limit_ms, space, targets, parent_arc, None, None)
