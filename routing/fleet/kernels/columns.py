"""The fleet of one mode in columns, and the kernels that keep them right in place.

Row r has ``width`` slots; slot ``r * width`` is the position, the next ones are the stops in order.
Instants are epoch milliseconds. What the columns mean is written in `routing.model.riders`.
"""

import numpy as np
from numpy.typing import NDArray

from geo.arrays import Int32Array, Int64Array
from geo.jit import kernel
from routing.fleet.kernels.legs import network_leg, scaled
from routing.fleet.kernels.tables import EVER, NO, TASK_STOP, Columns, Graph, Ms, Work

__all__ = [
    "allocate",
    "last_open",
    "link",
    "look_ahead",
    "opened",
    "renew_legs",
    "reschedule",
    "set_leg",
    "set_way",
    "unlink",
]

LINE = 64
"""Bytes of a line of cache. A search waits for memory more than it computes: what it reads lies together."""
NEAR = np.dtype(
    [(name, np.int32) for name in ("following", "from_u", "from_v", "leg")]
    + [(name, np.float32) for name in ("x", "y", "ahead_x", "ahead_y")]
)
"""What a search reads of every slot in reach: half a line."""
SLOT = np.dtype(
    [(name, np.int64) for name in ("leave", "room", "until")]
    + [("offset_m", np.float64)]
    + [(name, np.int32) for name in ("edge", "walk")]
    + [
        ("ahead_state", np.int32, 2),
        ("ahead_ms", np.uint32, 2),
        ("ahead_edge", np.int32),
        ("ahead_walk", np.int32),
    ]
)
"""What it reads of the few that are left: a line."""
RIDER = np.dtype(
    [(name, np.int64) for name in ("cap", "penalty", "order", "skills", "platform", "limit")]
    + [("stops", np.int32), ("factor", np.int32), ("ok", np.uint8)],
    align=True,
)
"""What it reads of their riders: a line."""


def lined(size: int, dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """Return zeroed records that begin at a line of cache."""
    memory = np.zeros(size * dtype.itemsize + LINE, np.uint8)
    first = -memory.ctypes.data % LINE
    return memory[first : first + size * dtype.itemsize].view(dtype)


def allocate(rows: int, width: int, edges: int, states: int) -> Columns:
    """Return empty columns for `rows` riders with up to ``width - 1`` stops each."""
    n = rows * width
    near, slots, riders = lined(n, NEAR), lined(n, SLOT), lined(rows, RIDER)
    for record, name, value in ((slots, "edge", -1), (near, "following", -1), (riders, "stops", -1)):
        record[name] = value
    riders["factor"] = 1000

    def i32(size: int, value: int = 0) -> Int32Array:
        return np.full(size, value, np.int32)

    def i64(size: int, value: int = 0) -> Int64Array:
        return np.full(size, value, np.int64)

    return Columns(
        **{name: near[name] for name in NEAR.names or ()},
        **{name: slots[name] for name in SLOT.names or ()},
        **{name: riders[name] for name in RIDER.names or ()},
        walk_m=np.zeros(n),
        lonlat=np.zeros((n, 2)),
        arrive=i64(n),
        start=i64(n),
        service=i32(n),
        change=i32(n),
        gaps=i32(n),
        earliest=i64(n),
        latest=i64(n),
        rest=np.zeros(n, np.uint8),
        previous=i32(n, -1),
        long_at=i32(n, -1),
        ready=i64(rows),
        at=i64(rows),
        break_due=i64(rows),
        capacity=i32(rows),
        load=i32(rows),
        edge_head=i32(edges, -1),
        active=i32(states),
        keep=i64(1),
        work_span=i64(1),
        break_span=i64(1),
        least_factor=i64(1, 10_000),
        most_cap=i64(1),
        long_slot=i32(n),
        long_count=i64(1),
        long_leg=i64(1, 600_000),
        closed=np.full((1, 2), EVER, np.int64),
    )


@kernel
def opened(closed: Int64Array, gaps: Ms, at: Ms) -> Ms:
    """Return the first instant from `at` on at which something may start."""
    if gaps > 0:
        for w in range(0, closed.shape[1], 2):
            if at <= closed[gaps, w]:
                break
            if at < closed[gaps, w + 1]:
                return np.int64(closed[gaps, w + 1])
    return np.int64(at)


@kernel
def last_open(closed: Int64Array, gaps: Ms, at: Ms) -> Ms:
    """Return the last instant up to `at` at which something may start."""
    if gaps > 0:
        for w in range(0, closed.shape[1], 2):
            if at <= closed[gaps, w]:
                break
            if at < closed[gaps, w + 1]:
                return np.int64(closed[gaps, w])
    return np.int64(at)


@kernel
def link(graph: Graph, c: Columns, slot: Ms) -> None:
    """Enter a slot in the list of its street and count it at the states where trips from there begin."""
    edge = c.edge[slot]
    if edge < 0:
        return
    first = c.edge_head[edge]
    c.following[slot] = first
    c.previous[slot] = -1
    if first >= 0:
        c.previous[first] = slot
    c.edge_head[edge] = slot
    for i in range(graph.departures.ptr[2 * edge], graph.departures.ptr[2 * edge + 2]):
        c.active[graph.departures.state[i]] += 1


@kernel
def unlink(graph: Graph, c: Columns, slot: Ms) -> None:
    """Take a slot out of the list of its street."""
    edge = c.edge[slot]
    if edge < 0:
        return
    before, after = c.previous[slot], c.following[slot]
    if before >= 0:
        c.following[before] = after
    else:
        c.edge_head[edge] = after
    if after >= 0:
        c.previous[after] = before
    for i in range(graph.departures.ptr[2 * edge], graph.departures.ptr[2 * edge + 2]):
        c.active[graph.departures.state[i]] -= 1


@kernel
def set_leg(c: Columns, slot: Ms, leg: Ms) -> None:
    """Write the leg after a slot and keep the list of long legs."""
    c.leg[slot] = leg
    listed = c.long_at[slot]
    if leg > c.long_leg[0]:
        if listed < 0:
            c.long_at[slot] = c.long_count[0]
            c.long_slot[c.long_count[0]] = slot
            c.long_count[0] += 1
    elif listed >= 0:
        c.long_count[0] -= 1
        last = c.long_slot[c.long_count[0]]
        c.long_slot[listed] = last
        c.long_at[last] = listed
        c.long_at[slot] = -1


@kernel
def set_way(c: Columns, row: Ms, slot: Ms, net: Ms) -> None:
    """Write the leg after a slot of a row by its network time, `NO`: there is none."""
    if net == NO:
        set_leg(c, slot, -1)
    else:
        set_leg(c, slot, np.int64(c.walk[slot]) + scaled(net, c.factor[row]) + c.walk[slot + 1])


@kernel
def renew_legs(graph: Graph, c: Columns, row: Ms, first: Ms, last: Ms, width: Ms, work: Work) -> None:
    """Compute the legs after the stops `first` to `last` - 1 of a row; the last stop of a plan has none."""
    base = row * width
    for j in range(first, last):
        slot = base + j
        if j >= c.stops[row]:
            set_leg(c, slot, 0)
        else:
            set_way(c, row, slot, network_leg(graph, c, slot, slot + 1, work))


@kernel
def look_ahead(graph: Graph, c: Columns, row: Ms, width: Ms) -> None:
    """Write to the slots of a row, whose stops have changed, what a search asks about the stop after each."""
    last = row * width + c.stops[row]
    for slot in range(row * width, last + 1):
        c.ahead_x[slot] = c.ahead_y[slot] = np.inf
        c.ahead_edge[slot] = c.ahead_walk[slot] = 0
        c.ahead_state[slot] = -1
        c.ahead_ms[slot] = 0
        if slot == last:
            break
        after = slot + 1
        edge = c.edge[after]
        c.ahead_x[slot], c.ahead_y[slot] = c.x[after], c.y[after]
        c.ahead_edge[slot], c.ahead_walk[slot] = edge, c.walk[after]
        n = 0
        for d in range(2 * edge, 2 * edge + 2):
            if graph.directed[d] == NO:
                continue
            part = c.from_u[after] if (d & 1) == 0 else c.from_v[after]
            for i in range(graph.arrivals.ptr[d], graph.arrivals.ptr[d + 1]):
                if n < 2:
                    c.ahead_state[slot, n] = graph.arrivals.state[i]
                    c.ahead_ms[slot, n] = part + graph.arrivals.ms[i]
                n += 1
        if n == 1:
            c.ahead_state[slot, 1], c.ahead_ms[slot, 1] = c.ahead_state[slot, 0], c.ahead_ms[slot, 0]
        elif n != 2:
            c.ahead_state[slot, 0] = -1


@kernel
def reschedule(c: Columns, row: Ms, width: Ms) -> bool:
    """Recompute arrivals forward and rooms backward; returns whether every stop can be reached.

    Forward time slack with waiting (Savelsbergh 1992): the delay that stop k bears is the smaller of what
    its own due instant leaves and its waiting time plus what the next stop bears. Of several windows: what
    begins no later than that is reached no later than the end of the window before it.
    """
    base = row * width
    k = c.stops[row]
    leave = max(c.at[row], c.ready[row])
    c.arrive[base] = leave
    c.start[base] = leave
    c.leave[base] = leave
    until = c.break_due[row]
    c.until[base] = until
    for j in range(1, k + 1):
        slot = base + j
        if c.leg[slot - 1] < 0:
            return False
        arrive = leave + c.leg[slot - 1]
        start = opened(c.closed, c.gaps[slot], max(arrive, c.earliest[slot]))
        leave = start + c.service[slot]
        c.arrive[slot] = arrive
        c.start[slot] = start
        c.leave[slot] = leave
        if c.rest[slot] == 1:
            until = leave + c.work_span[0]
        c.until[slot] = until
    # What a break that falls due leaves is carried apart: a delay of the break before moves it on.
    room, room_due = max(np.int64(c.limit[row]), leave) - leave, max(until, leave) - leave
    for j in range(k, -1, -1):
        slot = base + j
        c.room[slot] = min(room, room_due)
        if j == 0:
            break
        start, arrive, gaps = c.start[slot], c.arrive[slot], c.gaps[slot]
        allowed = max(c.latest[slot] - c.keep[0], start)
        room = last_open(c.closed, gaps, min(allowed, start + room)) - arrive
        due = start + room_due
        if c.rest[slot] == 1:
            due = max(c.until[slot - 1], start)
        elif c.rest[slot] == TASK_STOP:
            due = min(due, max(c.until[slot] - c.service[slot], start))
        room_due = last_open(c.closed, gaps, due) - arrive
    return True
