"""Exact cheapest insertion of a task into every plan of one mode. Pure kernels.

For a task t put between slot j and the next stop::

    start = max(leave[j] + A, earliest_t, now),  A = leg(j, t);  extra = start + service_t + B -
    arrive[j+1],  B = leg(t, j+1)

It is allowed when ``start <= latest_t``, ``extra <= cap`` of the rider, ``extra <= room[j]`` and the task
ends before the break falls due. At the end of a plan, extra = start + service_t - leave[j].

Why it is exact. One search back from the task gives every A, one search from it every B, up to a radius.
What lies outside has A + B > least factor * radius, so its extra is above ``least factor * radius +
service_t - leg``. Once that is above the k-th best rank found, with the longest leg that may matter,
nothing better can be outside.
Legs longer than nearly all others are listed apart and matter only where the ellipse about their ends, at the
fastest speed, holds the task. (Linear-time feasibility with slacks: Tong et al. VLDB 2018; Xu et al. ICDE
2019.)
"""

import numpy as np

from geo.arrays import Int64Array, UInt32Array
from geo.jit import kernel
from geo.search import reset, search
from routing.kernels import direct_run, ends_at, scaled, seeds_from, seeds_to
from routing.tables import FAR_MS, NO, Columns, Graph, Ms, TaskColumns, Work

__all__ = ["best_many", "best_riders", "eligible", "leg_from_task"]


@kernel
def eligible(c: Columns, row: Ms, tasks: TaskColumns, i: Ms) -> bool:
    """Whether the rules about the rider alone allow the task."""
    if c.ok[row] == 0 or (tasks.skills[i] & ~c.skills[row]) != 0:
        return False
    return bool(tasks.platforms[i] == 0 or (tasks.platforms[i] & c.platform[row]) != 0)


@kernel
def leg_from_task(
    graph: Graph,
    c: Columns,
    slot: Ms,
    tasks: TaskColumns,
    i: Ms,
    factor: Ms,
    dist_from: UInt32Array,
) -> Ms:
    """Leg from the task to a slot after the search from the task; `NO` beyond its radius."""
    edge = c.edge[slot]
    net = ends_at(graph, dist_from, edge, c.from_u[slot], c.from_v[slot])
    if edge == tasks.edge[i]:
        net = min(net, direct_run(graph, edge, tasks, i, c, slot))
    if net == NO:
        return np.int64(NO)
    return np.int64(tasks.walk[i] + scaled(net, factor) + c.walk[slot])


@kernel
def before(rank: Ms, order: Ms, slot: Ms, other_rank: Ms, other_order: Ms, other_slot: Ms) -> bool:
    """Whether one candidate stands before another: by rank, then rider, then place."""
    if rank != other_rank:
        return bool(rank < other_rank)
    if order != other_order:
        return bool(order < other_order)
    return bool(slot < other_slot)


@kernel
def offer(
    c: Columns,
    row: Ms,
    slot: Ms,
    extra: Ms,
    k: int,
    found: int,
    rank_out: Int64Array,
    extra_out: Int64Array,
    row_out: Int64Array,
    slot_out: Int64Array,
) -> int:
    """Put a candidate into the sorted list of the k best riders, one place for each; returns how many."""
    rank = extra + c.penalty[row]
    order = c.order[row]
    at = -1
    for i in range(found):
        if row_out[i] == row:
            at = i
            break
    if at >= 0:
        if not before(rank, order, slot, rank_out[at], order, slot_out[at]):
            return found
    elif found < k:
        at = found
        found += 1
    else:
        at = k - 1
        if not before(rank, order, slot, rank_out[at], c.order[row_out[at]], slot_out[at]):
            return found
    while at > 0 and before(rank, order, slot, rank_out[at - 1], c.order[row_out[at - 1]], slot_out[at - 1]):
        rank_out[at] = rank_out[at - 1]
        extra_out[at] = extra_out[at - 1]
        row_out[at] = row_out[at - 1]
        slot_out[at] = slot_out[at - 1]
        at -= 1
    rank_out[at] = rank
    extra_out[at] = extra
    row_out[at] = row
    slot_out[at] = slot
    return found


@kernel
def consider(
    graph: Graph,
    c: Columns,
    width: Ms,
    tasks: TaskColumns,
    i: Ms,
    slot: Ms,
    net: Ms,
    now: Ms,
    worst: Ms,
    dist_from: UInt32Array,
) -> Ms:
    """Extra time of the task right after a slot reached from there in `net`; -1 where it is not allowed.

    A detour through a private place may be quicker than the way around it, so the extra can be below zero;
    it is then told as 0. `worst` cuts what cannot enter the list.
    """
    row = slot // width
    if not eligible(c, row, tasks, i):
        return np.int64(-1)
    j = slot - row * width
    last = j == c.stops[row]
    leave = c.leave[slot]
    room = c.room[slot]
    if j == 0 and last and leave < now:
        room -= now - leave
        leave = now
    factor = np.int64(c.factor[row])
    start = max(leave + c.walk[slot] + scaled(net, factor) + tasks.walk[i], tasks.earliest[i], now)
    if start > tasks.latest[i]:
        return np.int64(-1)
    done = start + tasks.service[i]
    if done > c.until[slot]:
        return np.int64(-1)
    if last:
        extra = done - leave
    else:
        if done - c.arrive[slot + 1] + c.penalty[row] > worst:
            return np.int64(-1)
        on = leg_from_task(graph, c, slot + 1, tasks, i, factor, dist_from)
        if on == NO:
            return np.int64(-1)
        extra = max(done + on - c.arrive[slot + 1], np.int64(0))
    if extra > room or extra > c.cap[row]:
        return np.int64(-1)
    return np.int64(extra)


@kernel
def scan(
    graph: Graph,
    c: Columns,
    width: Ms,
    tasks: TaskColumns,
    i: Ms,
    n_to: Ms,
    k: int,
    now: Ms,
    rank_out: Int64Array,
    extra_out: Int64Array,
    row_out: Int64Array,
    slot_out: Int64Array,
    work: Work,
) -> int:
    """Offer every place in every plan that the search back reached; returns how many riders."""
    found = 0
    for t in range(n_to):
        state = work.touched_to[t]
        if c.active[state] == 0:
            continue
        base = np.int64(work.dist_to[state])
        for q in range(graph.inverse_ptr[state], graph.inverse_ptr[state + 1]):
            d = graph.inverse_edge[q]
            slot = c.edge_head[d >> 1]
            while slot >= 0:
                part = c.from_u[slot] if (d & 1) == 0 else c.from_v[slot]
                net = base + graph.inverse_ms[q] + np.int64(graph.directed[d]) - part
                worst = rank_out[k - 1] if found == k else np.int64(1) << 60
                extra = consider(graph, c, width, tasks, i, slot, net, now, worst, work.dist_from)
                if extra >= 0:
                    found = offer(
                        c, slot // width, slot, extra, k, found, rank_out, extra_out, row_out, slot_out
                    )
                slot = c.following[slot]
    edge = tasks.edge[i]
    slot = c.edge_head[edge]
    while slot >= 0:
        net = direct_run(graph, edge, c, slot, tasks, i)
        if net != NO:
            worst = rank_out[k - 1] if found == k else np.int64(1) << 60
            extra = consider(graph, c, width, tasks, i, slot, net, now, worst, work.dist_from)
            if extra >= 0:
                found = offer(c, slot // width, slot, extra, k, found, rank_out, extra_out, row_out, slot_out)
        slot = c.following[slot]
    return found


@kernel
def longest_leg(graph: Graph, c: Columns, width: Ms, tasks: TaskColumns, i: Ms, rank: Ms) -> Ms:
    """Longest leg into which the task may still go at an extra time of at most `rank`."""
    longest = c.long_leg[0]
    for q in range(c.long_count[0]):
        slot = c.long_slot[q]
        leg = np.int64(c.leg[slot])
        if leg <= longest or not eligible(c, slot // width, tasks, i):
            continue
        dx, dy = c.x[slot] - tasks.x[i], c.y[slot] - tasks.y[i]
        ex, ey = c.x[slot + 1] - tasks.x[i], c.y[slot + 1] - tasks.y[i]
        straight = np.sqrt(dx * dx + dy * dy) + np.sqrt(ex * ex + ey * ey) - 10.0
        if straight / graph.fastest * c.factor[slot // width] / 1000 <= rank - tasks.service[i] + leg:
            longest = leg
    return np.int64(longest)


@kernel
def radius_for(graph: Graph, c: Columns, width: Ms, tasks: TaskColumns, i: Ms, rank: Ms) -> Ms:
    """Network time outside of which nothing has an extra time of `rank` or less."""
    reach = rank - tasks.service[i] + longest_leg(graph, c, width, tasks, i, rank)
    return np.int64(max(min(reach * 1000 // c.least_factor[0] + 1, FAR_MS), 0))


@kernel
def best_riders(
    graph: Graph,
    c: Columns,
    width: Ms,
    tasks: TaskColumns,
    i: Ms,
    k: int,
    now: Ms,
    first_ms: Ms,
    rank_out: Int64Array,
    extra_out: Int64Array,
    row_out: Int64Array,
    slot_out: Int64Array,
    work: Work,
) -> int:
    """Find the k best riders for task i, each at his best place; returns how many there are.

    `first_ms` is the radius tried first; it changes the time taken, never the answer.
    """
    if tasks.edge[i] < 0:
        return 0
    widest = radius_for(graph, c, width, tasks, i, c.most_cap[0])
    radius = min(np.int64(first_ms), widest)
    while True:
        n = seeds_to(graph, tasks.edge[i], tasks.from_u[i], tasks.from_v[i], work)
        n_to = search(
            graph.rev_indptr,
            graph.rev_head,
            graph.rev_cost,
            work.seed_state[:n],
            work.seed_ms[:n],
            int(radius),
            work.dist_to,
            work.link,
            work.ring,
            work.touched_to,
        )
        n = seeds_from(graph, tasks.edge[i], tasks.from_u[i], tasks.from_v[i], work)
        n_from = search(
            graph.indptr,
            graph.head,
            graph.cost,
            work.seed_state[:n],
            work.seed_ms[:n],
            int(radius),
            work.dist_from,
            work.link,
            work.ring,
            work.touched_from,
        )
        found = scan(graph, c, width, tasks, i, n_to, k, now, rank_out, extra_out, row_out, slot_out, work)
        reset(work.dist_to, work.touched_to, n_to)
        reset(work.dist_from, work.touched_from, n_from)
        if radius >= widest:
            return found
        if found == k:
            needed = min(radius_for(graph, c, width, tasks, i, rank_out[k - 1]), widest)
            if needed <= radius:
                return found
            radius = needed
        else:
            radius = min(radius * 3, widest)


@kernel
def best_many(
    graph: Graph,
    c: Columns,
    width: Ms,
    tasks: TaskColumns,
    first: Ms,
    last: Ms,
    k: int,
    now: Ms,
    first_ms: Ms,
    found: Int64Array,
    rank: Int64Array,
    extra: Int64Array,
    row: Int64Array,
    slot: Int64Array,
    work: Work,
) -> None:
    """`best_riders` for the tasks `first` to `last` - 1, each into its own row of the outputs."""
    for i in range(first, last):
        found[i] = best_riders(
            graph, c, width, tasks, i, k, now, first_ms, rank[i], extra[i], row[i], slot[i], work
        )
