"""An order of the states of a graph that makes many searches into one sweep over short lists.

States are taken out one by one, those with the fewest neighbours first; the neighbours of each are joined, so
that what is left has the same times (minimum degree: Tinney and Walker 1967; customizable contraction
hierarchies: Dibbelt, Strasser and Wagner 2014). A shortest way then climbs in the order and comes down again.
No search for witnesses is made: streets need few arcs more than they have, and the order is made in the time
of 20 to 95 unbounded searches (measured, `docs/decisions/streets.md`), so it pays within one matrix.
"""

import threading
import weakref
from typing import NamedTuple

import numpy as np

from geo.arrays import Int32Array, Int64Array, UInt32Array
from geo.jit import kernel
from geo.streets.mode_graph import NO, ModeGraph
from geo.travel.search import Adjacency, adjacency

__all__ = ["StateOrder", "has_order", "state_order"]


class StateOrder(NamedTuple):
    """A graph in the order in which its states were taken out; states are named by their ranks.

    Attributes
    ----------
    rank : int32 (n_states,)
        When each state was taken out.
    parent : int32 (n_states,)
        By rank: the first of those above that the state is joined with, -1 where there is none. All that a
        climb from a state may touch are its parent, the parent's parent and so on.
    up : Adjacency
        By rank: arcs to states of higher rank, with the time by way of lower ones.
    down : Adjacency
        By rank: arcs that come from states of higher rank; ``head`` is where they come from.
    """

    rank: Int32Array
    parent: Int32Array
    up: Adjacency
    down: Adjacency


class _Queue(NamedTuple):
    """States by their number of neighbours: a list, first come first served, for each number."""

    first: Int32Array
    last: Int32Array
    after: Int32Array
    before: Int32Array


@kernel
def _leave(state: int, degree: int, queue: _Queue) -> None:
    first, last, after, before = queue
    one, other = before[state], after[state]
    if one >= 0:
        after[one] = other
    else:
        first[degree] = other
    if other >= 0:
        before[other] = one
    else:
        last[degree] = one


@kernel
def _join(state: int, degree: int, queue: _Queue) -> None:
    first, last, after, before = queue
    tail = last[degree]
    before[state], after[state] = tail, -1
    if tail >= 0:
        after[tail] = state
    else:
        first[degree] = state
    last[degree] = state


@kernel
def _neighbours(
    forward: Adjacency, backward: Adjacency, seen: Int64Array, begin: Int64Array, size: Int32Array
) -> Int32Array:
    """Return the states beside each state, whichever way the arcs run: from `begin` on, `size` of them."""
    room = np.empty(4 * (len(forward.head) + len(size)), np.int32)
    end = 0
    for state in range(len(size)):
        begin[state] = end
        seen[state] = state
        for indptr, head, _ in (forward, backward):
            for k in range(indptr[state], indptr[state + 1]):
                if seen[head[k]] != state:
                    seen[head[k]] = state
                    room[end] = head[k]
                    end += 1
        size[state] = end - begin[state]
    return room


@kernel
def _take_out(
    room: Int32Array, begin: Int64Array, size: Int32Array, seen: Int64Array, queue: _Queue, order: Int32Array
) -> Int32Array:
    """Fill `order`; each state's neighbours at its turn stand in the array returned, as before in `room`."""
    states = len(size)
    space = np.empty(states, np.int32)
    end = np.int64(0)
    for state in range(states):
        space[state] = size[state]
        end += size[state]
        _join(state, size[state], queue)
    turn = np.int64(states)
    least = 0
    for place in range(states):
        while queue.first[least] < 0:
            least += 1
        state = queue.first[least]
        _leave(state, least, queue)
        order[place] = state
        degree, mine = size[state], begin[state]
        for i in range(degree):
            beside = room[mine + i]
            turn += 1
            theirs, old = begin[beside], size[beside]
            at = theirs
            for k in range(theirs, theirs + old):
                seen[room[k]] = turn
                if room[k] == state:
                    at = k
            seen[beside] = turn
            room[at] = room[theirs + old - 1]
            count = old - 1
            if count + degree > space[beside]:
                # The list moves to the end, with room to grow.
                space[beside] = 2 * (count + degree)
                if end + space[beside] > len(room):
                    larger = np.empty(2 * len(room) + space[beside], np.int32)
                    larger[:end] = room[:end]
                    room = larger
                room[end : end + count] = room[theirs : theirs + count]
                begin[beside] = theirs = end
                end += space[beside]
            for j in range(mine, mine + degree):
                if seen[room[j]] != turn:
                    room[theirs + count] = room[j]
                    count += 1
            size[beside] = count
            if count != old:
                _leave(beside, old, queue)
                _join(beside, count, queue)
                least = min(least, count)
    return room


@kernel
def _wait(lower: int, pair: int, upper: int, waiting: Int32Array, after: Int32Array, at: Int32Array) -> None:
    after[lower] = waiting[upper]
    waiting[upper] = lower
    at[lower] = pair


@kernel
def _weigh(
    order: Int32Array,
    rank: Int32Array,
    arcs: tuple[Adjacency, Adjacency],
    lists: tuple[Int32Array, Int32Array],
    up_ms: UInt32Array,
    down_ms: UInt32Array,
) -> None:
    """Give each pair of joined states its time by way of states of lower rank, in both directions.

    In the order of ranks: what a lower state says of two others above it is known by then. Lower states wait
    in a chain at the next state above them (as columns do in a sparse factorization), so no lists are turned.
    """
    (out_ptr, out_head, out_ms), (in_ptr, in_head, in_ms) = arcs
    ptr, above = lists
    states = len(order)
    where = np.empty(states, np.int32)
    waiting = np.full(states, -1, np.int32)
    after = np.empty(states, np.int32)
    at = np.empty(states, np.int32)
    for here in range(states):
        for k in range(ptr[here], ptr[here + 1]):
            where[above[k]] = k
            up_ms[k] = down_ms[k] = NO
        state = order[here]
        for arc in range(out_ptr[state], out_ptr[state + 1]):
            there = rank[out_head[arc]]
            if there > here:
                up_ms[where[there]] = min(up_ms[where[there]], out_ms[arc])
        for arc in range(in_ptr[state], in_ptr[state + 1]):
            there = rank[in_head[arc]]
            if there > here:
                down_ms[where[there]] = min(down_ms[where[there]], in_ms[arc])
        lower = waiting[here]
        while lower >= 0:
            following, mine = after[lower], at[lower]
            climb, descent = np.int64(up_ms[mine]), np.int64(down_ms[mine])
            for k in range(mine + 1, ptr[lower + 1]):
                pair = where[above[k]]
                up_ms[pair] = np.uint32(min(np.int64(up_ms[pair]), descent + np.int64(up_ms[k])))
                down_ms[pair] = np.uint32(min(np.int64(down_ms[pair]), climb + np.int64(down_ms[k])))
            if mine + 1 < ptr[lower + 1]:
                _wait(lower, mine + 1, above[mine + 1], waiting, after, at)
            lower = following
        if ptr[here] < ptr[here + 1]:
            _wait(here, ptr[here], above[ptr[here]], waiting, after, at)


def _in_order(graph: ModeGraph) -> StateOrder:
    states = graph.n_states
    arcs = adjacency(graph, towards=False), adjacency(graph, towards=True)
    begin, size = np.empty(states, np.int64), np.empty(states, np.int32)
    seen = np.full(states, -1, np.int64)
    room = _neighbours(*arcs, seen, begin, size)
    first, last = np.full(states + 1, -1, np.int32), np.full(states + 1, -1, np.int32)
    queue = _Queue(first, last, np.empty(states, np.int32), np.empty(states, np.int32))
    order = np.empty(states, np.int32)
    room = _take_out(room, begin, size, seen, queue, order)
    rank = np.empty(states, np.int32)
    rank[order] = np.arange(states, dtype=np.int32)
    count = size[order].astype(np.int64)
    ptr = np.r_[0, np.cumsum(count)]
    rows = np.repeat(np.arange(states), count)
    listed = room[np.arange(ptr[-1]) + np.repeat(begin[order] - ptr[:-1], count)]
    above = (np.sort(rows * states + rank[listed]) - rows * states).astype(np.int32)
    parent = np.full(states, -1, np.int32)
    parent[count > 0] = above[ptr[:-1][count > 0]]
    up_ms, down_ms = np.empty(len(above), np.uint32), np.empty(len(above), np.uint32)
    _weigh(order, rank, arcs, (ptr.astype(np.int32), above), up_ms, down_ms)
    return StateOrder(rank, parent, _reached(ptr, above, up_ms), _reached(ptr, above, down_ms))


def _reached(ptr: Int64Array, above: Int32Array, ms: UInt32Array) -> Adjacency:
    """Leave out what cannot be driven in this direction."""
    chosen = ms != NO
    before = np.r_[0, np.cumsum(chosen)]
    return Adjacency(before[ptr].astype(np.int32), above[chosen], ms[chosen])


# Weak keys: with other costs a network has another graph, and so an order of its own.
_ORDERS: "weakref.WeakKeyDictionary[ModeGraph, StateOrder]" = weakref.WeakKeyDictionary()
_MAKING = threading.Lock()


def has_order(graph: ModeGraph) -> bool:
    """Return whether `state_order` answers at once."""
    return graph in _ORDERS


def state_order(graph: ModeGraph) -> StateOrder:
    """Return the order of a graph's states, made when it is first asked for and kept as long as the graph."""
    known = _ORDERS.get(graph)
    if known is None:
        with _MAKING:
            known = _ORDERS.get(graph)
            if known is None:
                known = _ORDERS[graph] = _in_order(graph)
    return known
