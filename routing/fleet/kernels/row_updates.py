"""Kernels that change whole rows of the columns in place: plans put, moved on, opened and closed.

They are called from Python one by one, so they take all arrays as one.
"""

from typing import NamedTuple

import numpy as np

from geo.arrays import BoolArray, FloatArray, Int32Array, Int64Array
from geo.jit import kernel
from routing.fleet.kernels.columns import (
    link,
    look_ahead,
    renew_legs,
    reschedule,
    set_leg,
    set_way,
    unlink,
)
from routing.fleet.kernels.context import KernelContext
from routing.fleet.kernels.legs import network_leg
from routing.fleet.kernels.tables import Columns, Graph, Ms

__all__ = [
    "StopPlaces",
    "StopTable",
    "admit",
    "adopt",
    "advance",
    "append_stops",
    "close_gap",
    "dismiss",
    "find_ways",
    "move",
    "open_gap",
    "relink",
    "relist",
    "take_out",
]


@kernel
def find_ways(context: KernelContext, rows: Int64Array, width: Ms, out: Int64Array) -> None:
    """Write the network times (n, width) between the stops of rows; what is shared is only read."""
    graph, c, work = context.graph, context.c, context.work
    for q in range(len(rows)):
        row = rows[q]
        for j in range(c.stops[row]):
            slot = row * width + j
            out[q, j] = network_leg(graph, c, slot, slot + 1, work)


@kernel
def admit(context: KernelContext, rows: Int64Array, width: Ms, ways: Int64Array, reached: BoolArray) -> None:
    """Link written rows with the ways found, compute schedules; `reached`: whose stops can all be reached."""
    graph, c = context.graph, context.c
    for q in range(len(rows)):
        row = rows[q]
        for j in range(width):
            slot = row * width + j
            if j <= c.stops[row]:
                link(graph, c, slot)
            if j < c.stops[row]:
                set_way(c, row, slot, ways[q, j])
            else:
                set_leg(c, slot, 0)
        look_ahead(graph, c, row, width)
        reached[q] = reschedule(c, row, width)


@kernel
def adopt(context: KernelContext, row: Ms, width: Ms) -> bool:
    """Link a row whose legs were written too; returns whether every stop can be reached."""
    graph, c = context.graph, context.c
    base, k = row * width, c.stops[row]
    for j in range(width):
        leg = np.int64(c.leg[base + j]) if j < k else np.int64(0)
        set_leg(c, base + j, leg)
        if j <= k:
            link(graph, c, base + j)
    reached: bool = reschedule(c, row, width)
    return reached


@kernel
def dismiss(context: KernelContext, rows: Int64Array, width: Ms) -> None:
    """Take rows out of the lists of their streets."""
    graph, c = context.graph, context.c
    for row in rows:
        for j in range(c.stops[row] + 1):
            unlink(graph, c, row * width + j)
        c.stops[row] = -1
        c.ok[row] = 0


class StopPlaces(NamedTuple):
    """Snapped places in columns: times (ms) from the ends of their edges and on foot, points in the plane."""

    edge: Int32Array
    from_u: Int64Array
    from_v: Int64Array
    walk: Int64Array
    x: FloatArray
    y: FloatArray
    offset_m: FloatArray
    walk_m: FloatArray
    lonlat: FloatArray


@kernel
def move(
    context: KernelContext,
    rows: Int64Array,
    places: StopPlaces,
    at: Ms,
    width: Ms,
    reached: BoolArray,
) -> None:
    """Set the positions of rows; of their legs only the first is computed anew."""
    edge, from_u, from_v, walk, x, y, offset_m, walk_m, lonlat = places
    graph, c, work = context.graph, context.c, context.work
    for q in range(len(rows)):
        row = rows[q]
        slot = row * width
        if edge[q] < 0:
            reached[q] = False
            continue
        if edge[q] != c.edge[slot]:
            unlink(graph, c, slot)
            c.edge[slot] = edge[q]
            link(graph, c, slot)
        c.from_u[slot] = from_u[q]
        c.from_v[slot] = from_v[q]
        c.walk[slot] = walk[q]
        c.x[slot] = x[q]
        c.y[slot] = y[q]
        c.offset_m[slot] = offset_m[q]
        c.walk_m[slot] = walk_m[q]
        c.lonlat[slot, 0] = lonlat[q, 0]
        c.lonlat[slot, 1] = lonlat[q, 1]
        c.at[row] = at
        renew_legs(graph, c, row, 0, 1, width, work)
        reached[q] = reschedule(c, row, width)


@kernel
def relink(graph: Graph, c: Columns, width: Ms) -> None:
    """Enter all slots in the lists of their streets, which are empty."""
    for row in range(len(c.stops)):
        for j in range(c.stops[row] + 1):
            link(graph, c, row * width + j)


@kernel
def relist(c: Columns) -> None:
    """List the long legs anew."""
    c.long_count[0] = 0
    for slot in range(len(c.leg)):
        c.long_at[slot] = -1
        if c.leg[slot] > c.long_leg[0]:
            c.long_at[slot] = c.long_count[0]
            c.long_slot[c.long_count[0]] = slot
            c.long_count[0] += 1


@kernel
def copy_slot(c: Columns, a: Ms, b: Ms) -> None:
    """Copy the place and the stop in slot `a` to slot `b`; legs and schedule are left."""
    c.edge[b] = c.edge[a]
    c.from_u[b] = c.from_u[a]
    c.from_v[b] = c.from_v[a]
    c.walk[b] = c.walk[a]
    c.x[b] = c.x[a]
    c.y[b] = c.y[a]
    c.offset_m[b] = c.offset_m[a]
    c.walk_m[b] = c.walk_m[a]
    c.lonlat[b, 0] = c.lonlat[a, 0]
    c.lonlat[b, 1] = c.lonlat[a, 1]
    c.service[b] = c.service[a]
    c.earliest[b] = c.earliest[a]
    c.latest[b] = c.latest[a]
    c.rest[b] = c.rest[a]
    c.change[b] = c.change[a]
    c.gaps[b] = c.gaps[a]


@kernel
def shift(graph: Graph, c: Columns, row: Ms, place: Ms, by: Ms, width: Ms) -> None:
    """Open (by = 1) or close (by = -1) a gap of one stop at `place`; legs are left to be renewed."""
    base = row * width
    k = c.stops[row]
    for j in range(place, k + 1):
        unlink(graph, c, base + j)
    first, last, step = (k, place - 1, -1) if by == 1 else (place + 1, k + 1, 1)
    for j in range(first, last, step):
        a, b = base + j, base + j + by
        copy_slot(c, a, b)
    c.stops[row] = k + by
    for j in range(place + (1 if by == 1 else 0), k + by + 1):
        link(graph, c, base + j)


@kernel
def open_gap(context: KernelContext, row: Ms, place: Ms, width: Ms) -> None:
    """Make room for a stop at `place`, with the legs of the others kept."""
    graph, c = context.graph, context.c
    legs = c.leg[row * width : (row + 1) * width].copy()
    shift(graph, c, row, place, 1, width)
    for j in range(place + 1, width):
        set_leg(c, row * width + j, legs[j - 1])


@kernel
def close_gap(context: KernelContext, row: Ms, slot: Ms, first: Ms, last: Ms, width: Ms) -> None:
    """Link a stop that was written, and compute the legs `first` to `last` - 1."""
    graph, c, work = context.graph, context.c, context.work
    link(graph, c, slot)
    look_ahead(graph, c, row, width)
    renew_legs(graph, c, row, first, last, width, work)
    reschedule(c, row, width)


@kernel
def take_out(context: KernelContext, row: Ms, place: Ms, width: Ms) -> None:
    """Remove stop `place` (1-based); the leg over the gap is computed, the others are kept."""
    graph, c, work = context.graph, context.c, context.work
    legs = c.leg[row * width : (row + 1) * width].copy()
    shift(graph, c, row, place, -1, width)
    for j in range(place, width):
        set_leg(c, row * width + j, legs[j + 1] if j + 1 < width else 0)
    look_ahead(graph, c, row, width)
    renew_legs(graph, c, row, place - 1, place, width, work)
    reschedule(c, row, width)


class StopTable(NamedTuple):
    """Stops in columns, snapped; times in milliseconds."""

    edge: Int32Array
    from_u: Int64Array
    from_v: Int64Array
    walk: Int64Array
    x: FloatArray
    y: FloatArray
    offset_m: FloatArray
    service: Int64Array
    latest: Int64Array
    rest: BoolArray


@kernel
def append_stops(
    context: KernelContext,
    row: Ms,
    table: StopTable,
    span: tuple[Ms, Ms],
    width: Ms,
) -> None:
    """Put a span of the rows of a table of stops at the end of a plan."""
    edge, from_u, from_v, walk, x, y, offset_m, service, latest, rest = table
    first, last = span
    graph, c, work = context.graph, context.c, context.work
    for q in range(first, last):
        c.stops[row] += 1
        slot = row * width + c.stops[row]
        c.edge[slot], c.from_u[slot], c.from_v[slot], c.walk[slot] = edge[q], from_u[q], from_v[q], walk[q]
        c.x[slot], c.y[slot], c.offset_m[slot] = x[q], y[q], offset_m[q]
        c.service[slot], c.latest[slot], c.rest[slot] = service[q], latest[q], rest[q]
        c.earliest[slot] = -(np.int64(1) << 61)
        c.change[slot] = 0
        c.gaps[slot] = 0
        link(graph, c, slot)
    look_ahead(graph, c, row, width)
    renew_legs(graph, c, row, c.stops[row] - (last - first), c.stops[row] + 1, width, work)
    reschedule(c, row, width)


@kernel
def advance(
    context: KernelContext,
    width: Ms,
    now: Ms,
    out_row: Int64Array,
    out_start: Int64Array,
    out_leave: Int64Array,
) -> int:
    """Move on everybody who has left their place by `now`: the rider is planned from their next stop."""
    graph, c = context.graph, context.c
    n = 0
    for row in range(len(c.stops)):
        base = row * width
        changed = False
        while c.stops[row] > 0 and c.leave[base] <= now and n < len(out_row):
            changed = True
            out_row[n] = row
            out_start[n] = c.start[base + 1]
            out_leave[n] = c.leave[base + 1]
            n += 1
            k = c.stops[row]
            leave = c.leave[base + 1]
            if c.rest[base + 1] == 1:
                c.break_due[row] = leave + c.work_span[0]
            for j in range(k + 1):
                unlink(graph, c, base + j)
            for j in range(k):
                a, b = base + j + 1, base + j
                copy_slot(c, a, b)
                set_leg(c, b, c.leg[a])
            set_leg(c, base + k, 0)
            c.stops[row] = k - 1
            for j in range(k):
                link(graph, c, base + j)
            c.at[row] = leave
            c.ready[row] = leave
            reschedule(c, row, width)
        if changed:
            look_ahead(graph, c, row, width)
            c.rest[base] = 0
    return n
