"""Many rows of a matrix of travel times at once, over an order of the states (`geo.travel.state_order`).

`LANES` rows climb from their seeds together, then one sweep comes down over the states from which the columns
can be reached in the order, and over no others (PHAST and RPHAST: Delling, Goldberg, Nowatzyk, Werneck 2011).
A state's times of all lanes lie beside each other, so that an arc is a few instructions on wide registers.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from geo.arrays import Int32Array, Int64Array, UInt32Array
from geo.jit import kernel
from geo.streets.mode_graph import NO, ModeGraph
from geo.travel.ends import Seeds
from geo.travel.search import Adjacency
from geo.travel.state_order import has_order, state_order

__all__ = ["sweep_rows", "sweeps_pay"]

LANES = 32
"""Rows in one sweep: 32 times of 4 bytes are two or four registers."""
FAR = 16
"""A search that reaches one state in so many costs no less than its part of a sweep."""
ORDER_REACHES = 100
"""Making an order costs no more than so many searches that reach all states (measured: 20 to 95)."""
LEAST_REACHED = 16_000_000
"""With fewer states reached there is less to win than the compiling of four kernels may cost."""


def sweeps_pay(graph: ModeGraph, rows: int, reach: Callable[[], float]) -> bool:
    """Return whether `sweep_rows` is quicker than one search a row.

    Parameters
    ----------
    graph : ModeGraph
    rows : int
    reach : callable
        How many states one search reaches; called only where it matters.
    """
    least = 0 if has_order(graph) else max(LEAST_REACHED, ORDER_REACHES * graph.n_states)
    if rows < LANES or rows * graph.n_states < least:
        return False
    each = reach()
    return FAR * each >= graph.n_states and rows * each >= least


class _Lanes(NamedTuple):
    """Memory of one sweep at a time.

    Attributes
    ----------
    dist : uint32 (n_states, LANES)
        By rank; only what a sweep touches is ever written, so only that takes memory.
    seen : int32 (n_states,)
        The last batch that climbed over a state.
    climbed : int32 (n_states,)
    best : uint32 (LANES,)
    """

    dist: UInt32Array
    seen: Int32Array
    climbed: Int32Array
    best: UInt32Array


@kernel
def _climb(
    state: Int32Array, turn: int, parent: Int32Array, seen: Int32Array, climbed: Int32Array, begin: int
) -> int:
    """List before `begin` what lies above states and is not `seen` in this turn, none after its parent.

    A path that ends at one listed earlier stands before it. Returns where the list begins.
    """
    for k in range(len(state)):
        length = 0
        at = state[k]
        while at >= 0 and seen[at] != turn:
            seen[at] = turn
            at = parent[at]
            length += 1
        begin -= length
        at = state[k]
        for place in range(begin, begin + length):
            climbed[place] = at
            at = parent[at]
    return begin


@kernel
def _sweep(
    batch: Int64Array,
    turn: int,
    ends: tuple[Seeds, Seeds],
    ways: tuple[Int32Array, Adjacency, Adjacency],
    below: Int32Array,
    lanes: _Lanes,
    limit_ms: int,
    out_ms: UInt32Array,
) -> None:
    """Fill the rows of a batch, one a lane. Long, because a call for each arc would double its time.

    ``min(a, ~b) + b`` is the sum that stops at `NO`: what is not reached stays so.
    """
    (from_ptr, from_state, from_ms, _), (to_ptr, to_state, to_ms, _) = ends
    parent, (up_ptr, up_head, up_ms), (down_ptr, down_head, down_ms) = ways
    dist, seen, climbed, best = lanes
    begin = len(climbed)
    for row in batch:
        begin = _climb(from_state[from_ptr[row] : from_ptr[row + 1]], turn, parent, seen, climbed, begin)
    for at in climbed[begin:]:
        dist[at] = NO
    for at in below:
        dist[at] = NO
    for lane in range(len(batch)):
        for k in range(from_ptr[batch[lane]], from_ptr[batch[lane] + 1]):
            dist[from_state[k], lane] = min(dist[from_state[k], lane], from_ms[k])
    for at in climbed[begin:]:
        for arc in range(up_ptr[at], up_ptr[at + 1]):
            to, ms = up_head[arc], up_ms[arc]
            room = np.uint32(~ms)
            for lane in range(LANES):
                time = dist[at, lane]
                time = np.uint32((time if time < room else room) + ms)
                old = dist[to, lane]
                dist[to, lane] = time if time < old else old
    for k in range(len(below) - 1, -1, -1):
        at = below[k]
        for arc in range(down_ptr[at], down_ptr[at + 1]):
            to, ms = down_head[arc], down_ms[arc]
            room = np.uint32(~ms)
            for lane in range(LANES):
                time = dist[to, lane]
                time = np.uint32((time if time < room else room) + ms)
                old = dist[at, lane]
                dist[at, lane] = time if time < old else old
    for column in range(len(to_ptr) - 1):
        for lane in range(LANES):
            best[lane] = NO
        for k in range(to_ptr[column], to_ptr[column + 1]):
            at, ms = to_state[k], to_ms[k]
            room = np.uint32(~ms)
            for lane in range(LANES):
                time = dist[at, lane]
                time = np.uint32((time if time < room else room) + ms)
                best[lane] = time if time < best[lane] else best[lane]
        for lane in range(len(batch)):
            out_ms[batch[lane], column] = best[lane] if best[lane] <= limit_ms else NO


def sweep_rows(
    graph: ModeGraph,
    ends: tuple[Seeds, Seeds],
    limit_ms: int,
    out_ms: UInt32Array,
    *,
    backward: bool,
    threads: int,
) -> None:
    """Fill a matrix with the times between the seeds of its rows and those of its columns.

    Parameters
    ----------
    graph : ModeGraph
    ends : tuple of Seeds
        Of the rows and of the columns.
    limit_ms : int
        Longer times are `NO`.
    out_ms : uint32 (rows, columns)
        Filled.
    backward : bool
        Trips run from columns to rows.
    threads : int
    """
    order = state_order(graph)
    up, down = (order.down, order.up) if backward else (order.up, order.down)
    start, stop = (each._replace(state=order.rank[each.state]) for each in ends)
    states = graph.n_states
    none = np.full(states, -1, np.int32)
    below = np.empty(states, np.int32)
    below = below[_climb(stop.state, 0, order.parent, none, below, states) :]
    # Rows that are near each other climb over the same states; states are numbered from place to place.
    first = np.full(len(out_ms), -1, np.int64)
    placed = np.diff(start.ptr) > 0
    first[placed] = ends[0].state[start.ptr[:-1][placed]]
    rows = np.argsort(first, kind="stable")

    def work(part: Int64Array) -> None:
        lanes = _Lanes(
            np.empty((states, LANES), np.uint32),
            np.full(states, -1, np.int32),
            np.empty(states, np.int32),
            np.empty(LANES, np.uint32),
        )
        ways = (order.parent, up, down)
        for turn, k in enumerate(range(0, len(part), LANES)):
            _sweep(part[k : k + LANES], turn, (start, stop), ways, below, lanes, limit_ms, out_ms)

    batches = -(-len(rows) // LANES)
    cuts = LANES * np.linspace(0, batches, min(batches, threads * 4) + 1).astype(int)[1:-1]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, np.split(rows, cuts)))
