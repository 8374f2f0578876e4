"""Graph of a mode that may not turn as it likes: car.

A state is the start of a directed edge, so that an arc is a turn: forbidden turns are left out, and so
are U-turns except where the street ends (or is shut by a barrier). Where a restriction runs over a way,
the edges on it have copies which remember the edge before (`geo.streets.turn_bans`).
"""

from typing import NamedTuple

import numpy as np

from geo.arrays import BoolArray, Int32Array, Int64Array
from geo.jit import kernel
from geo.streets.gates import lone_gates
from geo.streets.mode_graph import (
    IN_COMPOUND,
    IN_PRIVATE,
    OUT,
    PUBLIC,
    Arcs,
    ModeGraph,
    ModeStreets,
    assemble,
    counting_sort,
)
from geo.streets.turn_bans import remember

__all__ = ["turn_graph"]


class _Directed(NamedTuple):
    """Directed edges: whether usable, their nodes, those after each node; shut nodes, banned pairs."""

    usable: BoolArray
    head: Int32Array
    blocked: BoolArray
    out_ptr: Int32Array
    out_edge: Int32Array
    banned: Int64Array


@kernel
def _turns(
    streets: _Directed,
    before: Int32Array,
    after: Int32Array,
) -> int:
    """Count (where `before` is empty) or list the legal pairs of directed edges."""
    usable, head, blocked, out_ptr, out_edge, banned = streets
    counting = len(before) == 0
    found = 0
    count = np.int64(len(usable))
    for d in range(len(usable)):
        if not usable[d]:
            continue
        node = head[d]
        others = 0
        for k in range(out_ptr[node], out_ptr[node + 1]):
            if usable[out_edge[k]] and out_edge[k] != d ^ 1:
                others += 1
        dead_end = others == 0 or blocked[node]
        for k in range(out_ptr[node], out_ptr[node + 1]):
            turn = out_edge[k]
            if not usable[turn]:
                continue
            if turn == d ^ 1:
                if not dead_end:
                    continue
            elif blocked[node]:
                continue
            key = d * count + turn
            at = np.searchsorted(banned, key)
            if at < len(banned) and banned[at] == key:
                continue
            if not counting:
                before[found] = d
                after[found] = turn
            found += 1
    return found


def _legal_turns(streets: ModeStreets) -> tuple[Int32Array, Int32Array, Int32Array]:
    """Return (before, after, order): turns, and the directed edges in the order of their first node."""
    tail = np.ascontiguousarray(streets.ends.ravel())
    head = np.ascontiguousarray(streets.ends[:, ::-1].ravel())
    count = len(tail)
    out_ptr, order = np.empty(streets.nodes + 1, np.int32), np.empty(count, np.int32)
    counting_sort(tail, streets.nodes, out_ptr, order)
    pairs = streets.turns_banned.astype(np.int64)
    banned = np.sort(pairs[:, 0] * count + pairs[:, 1])
    columns = _Directed(streets.usable, head, streets.blocked, out_ptr, order, banned)
    none = np.empty(0, np.int32)
    found = _turns(columns, none, none)
    before, after = np.empty(found, np.int32), np.empty(found, np.int32)
    if found:
        _turns(columns, before, after)
    return before, after, order


def turn_graph(mode: str, streets: ModeStreets) -> ModeGraph:
    """Build the graph whose states are directed edges, twice (OUT and IN) where they are private."""
    before, after, order = _legal_turns(streets)
    directed = len(order)
    before, after, base = remember(before, after, directed, streets.drives_banned)
    rank = np.empty(directed, np.int64)
    rank[order] = np.arange(directed)
    order = np.argsort(rank[base], kind="stable").astype(np.int32)
    private = streets.private[base // 2]
    compound = streets.compound[base // 2]
    usable = streets.usable[base]
    copies = np.where(usable, 1 + private, 0)
    first = np.empty(len(usable), np.int64)
    first[order] = np.cumsum(copies[order]) - copies[order]
    out = first.astype(np.int32)
    into = (first + private).astype(np.int32)

    node = streets.ends[:, ::-1].ravel()[base[before]]
    delay = np.where(lone_gates(streets)[node], streets.gate_delay_ms, 0)
    fenced = compound[after] >= 0
    delay[fenced] = streets.compound_delay_ms[compound[after][fenced]]
    one, two = private[before], private[after]
    # On the way out nothing is paid, and inside a compound neither.
    within = np.where(one & (compound[before] >= 0), 0, delay)
    chosen = (
        (~one & ~two, out, out, np.zeros_like(delay)),
        (one & two, out, out, np.zeros_like(delay)),
        (one & two, into, into, within),
        (one & ~two, out, out, np.zeros_like(delay)),
        (~one & two, out, into, delay),
    )
    tails, heads, edges, extras, begins = [], [], [], [], []
    for mask, old, new, extra in chosen:
        tails.append(old[before[mask]])
        heads.append(new[after[mask]])
        edges.append(base[before[mask]])
        # A trip that begins on an edge has driven nothing before.
        begins.append(before[mask] < directed)
        extras.append(extra[mask].astype(np.uint32))
    state_edge = np.repeat(order, copies[order])
    is_second = np.r_[False, state_edge[1:] == state_edge[:-1]][: len(state_edge)]
    inside = np.where(compound[state_edge] >= 0, IN_COMPOUND, IN_PRIVATE)
    layer = np.where(private[state_edge], np.where(is_second, inside, OUT), PUBLIC)
    arcs = Arcs(
        np.concatenate(tails),
        np.concatenate(heads),
        np.concatenate(edges),
        np.concatenate(extras),
        streets.ends.ravel()[base[state_edge]],
        layer.astype(np.uint8),
    )
    leave = [(edges[k][begins[k]], heads[k][begins[k]], extras[k][begins[k]]) for k in (0, 1, 3, 4)]
    depart = tuple(np.concatenate(column) for column in zip(*leave, strict=True))
    d = np.flatnonzero(usable).astype(np.int32)
    twice = d[private[d]]
    state = np.concatenate([out[d], into[twice]])
    d = base[np.concatenate([d, twice])]
    arrive = (d, state, np.zeros(len(d), np.uint32))
    return assemble(mode, arcs, streets.directed_cost_ms, (depart[0], depart[1], depart[2]), arrive)
