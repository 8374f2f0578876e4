"""Exact cheapest insertion of a task into every plan of one mode. Pure kernels.

For a task t put between slot j and the next stop, with A = leg(j, t) and B = leg(t, j + 1)::

    start = the first instant of a window from max(leave[j] + A, now) on
    extra = start + service_t + B - arrive[j + 1]

It is allowed when ``start <= latest_t``, ``extra <= cap`` of the rider, ``extra <= room[j]`` and the task
ends before the break falls due. At the end of a plan, extra = start + service_t - leave[j].

Why it is exact. One search back from the task gives every A, one search from it every B, up to a radius r.
A place in a plan with both A and B above r costs more than ``2 r + service_t - leg``: half the longest leg
is radius enough to leave it out (at the end of a plan, ``r + service_t``). One with A or B within r, the
other beyond, is held by the known side and a straight line at the fastest speed; the few that this does not
decide are listed and searched for by themselves (`beyond_bound.py`), as are the few longest legs.
(Linear-time feasibility with slacks: Tong et al. VLDB 2018; Xu et al. ICDE 2019.)
"""

from typing import NamedTuple

import numpy as np

from geo.arrays import Int64Array
from geo.jit import kernel
from routing.fleet.kernels.beyond_bound import (
    FEW,
    STRAIGHT_MS,
    Query,
    into_leg,
    keep_within,
    legs_before,
    long_legs,
    note,
)
from routing.fleet.kernels.columns import opened
from routing.fleet.kernels.context import KernelContext
from routing.fleet.kernels.eligibility import eligible
from routing.fleet.kernels.legs import clear, direct_run, reached, scaled, spread
from routing.fleet.kernels.tables import EVER, FAR_MS, NO, Columns, Ms, TaskColumns

WIDER = 5, 4
"""A radius that is decided is taken this much wider: fewer places are left to be searched for."""

__all__ = ["Best", "before", "best_many", "best_riders", "offer", "outputs"]


class Best(NamedTuple):
    """The best riders found so far: sorted, one place for each (k,); in `best_many` a row a task (n, k)."""

    rank: Int64Array
    extra: Int64Array
    row: Int64Array
    slot: Int64Array


def outputs(*shape: int) -> Best:
    """Return memory for the answers of `best_riders` (k) or `best_many` (n, k)."""
    return Best(*(np.empty(shape, np.int64) for _ in range(4)))


@kernel
def before(rank: Ms, order: Ms, slot: Ms, other_rank: Ms, other_order: Ms, other_slot: Ms) -> bool:
    """Whether one candidate stands before another: by rank, then rider, then place."""
    if rank != other_rank:
        return bool(rank < other_rank)
    if order != other_order:
        return bool(order < other_order)
    return bool(slot < other_slot)


@kernel
def offer(orders: Int64Array, rank: Ms, extra: Ms, row: Ms, slot: Ms, k: int, found: int, best: Best) -> int:
    """Put a candidate into the sorted list of the k best riders, one place for each; returns how many.

    `orders` says by row who comes first of equal ranks.
    """
    rank_out, extra_out, row_out, slot_out = best
    mine = orders[row]
    at = -1
    for i in range(found):
        if row_out[i] == row:
            at = i
            break
    if at >= 0:
        if not before(rank, mine, slot, rank_out[at], mine, slot_out[at]):
            return found
    elif found < k:
        at = found
        found += 1
    else:
        at = k - 1
        if not before(rank, mine, slot, rank_out[at], orders[row_out[at]], slot_out[at]):
            return found
    while at > 0 and before(rank, mine, slot, rank_out[at - 1], orders[row_out[at - 1]], slot_out[at - 1]):
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
def scan(asked: Query, n_to: Ms, best: Best, radius: Ms, listed: Int64Array) -> tuple[int, int]:
    """Offer every place in every plan that both searches reached.

    Returns how many riders there are, and how many places in ``listed`` lie beyond the search from the task.

    One loop over the slots in reach, written out: a call with whole tables costs more than its work. A detour
    through a private place may be quicker than the way around it; an extra below zero is told as 0.
    """
    graph, c, work, tasks, i, width, k, now = asked
    rank_out = best.rank
    dist_to, dist_from, touched = work.dist_to, work.dist_from, work.touched_to
    inverse_ptr, inverse_edge, inverse_ms = graph.inverse_ptr, graph.inverse_edge, graph.inverse_ms
    directed, enter = graph.directed, graph.arrivals
    active, edge_head, following = c.active, c.edge_head, c.following
    from_u, from_v, offset_m, walk = c.from_u, c.from_v, c.offset_m, c.walk
    ok, skills, platform, stops = c.ok, c.skills, c.platform, c.stops
    leave_at, room_at, until, factors = c.leave, c.room, c.until, c.factor
    ahead_state, ahead_ms, ahead_edge, ahead_walk = c.ahead_state, c.ahead_ms, c.ahead_edge, c.ahead_walk
    cap, penalty, order = c.cap, c.penalty, c.order
    t_edge, t_u, t_v, t_offset = tasks.edge[i], tasks.from_u[i], tasks.from_v[i], tasks.offset_m[i]
    t_walk, t_service, t_latest = tasks.walk[i], tasks.service[i], tasks.latest[i]
    t_earliest = max(tasks.earliest[i], np.int64(now))
    t_gaps, closed = tasks.gaps[i], c.closed
    t_skills, t_platforms = tasks.skills[i], tasks.platforms[i]
    t_x, t_y, t_fixed = tasks.x[i], tasks.y[i], t_walk + t_service
    legs, ahead_x, ahead_y = c.leg, c.ahead_x, c.ahead_y
    pace, long_leg = 1.0 / graph.fastest, c.long_leg[0]
    t_barred, t_most = tasks.barred[i], tasks.most[i]
    most_cap = c.most_cap[0]
    along, against = directed[2 * t_edge] != NO, directed[2 * t_edge + 1] != NO
    found, n_listed = 0, 0
    # The last round takes the riders on the task's own street who can run straight on to it.
    for t in range(n_to + 1):
        own = t == n_to
        if own:
            first, last, base = 0, 1, np.int64(0)
        else:
            state = touched[t]
            if active[state] == 0:
                continue
            base = np.int64(dist_to[state])
            first, last = inverse_ptr[state], inverse_ptr[state + 1]
        for q in range(first, last):
            d = 0 if own else inverse_edge[q]
            slot = edge_head[t_edge] if own else edge_head[d >> 1]
            while slot >= 0:
                here = slot
                slot = following[slot]
                if own:
                    net = direct_run(
                        along, against, t_offset - offset_m[here], t_u - from_u[here], t_v - from_v[here]
                    )
                    if net == NO:
                        continue
                else:
                    net = (
                        base + inverse_ms[q] + directed[d] - (from_u[here] if (d & 1) == 0 else from_v[here])
                    )
                # What it takes at least, from half a line of cache: most slots go no further.
                worst = rank_out[k - 1] if found == k else t_most
                bound = min(worst, most_cap)
                least = net + t_fixed - legs[here]
                if least > bound or net > radius:
                    continue
                straight = np.int64(0)
                at_end = ahead_x[here] == np.inf
                if not at_end:
                    dx, dy = ahead_x[here] - t_x, ahead_y[here] - t_y
                    straight = np.int64(np.sqrt(dx * dx + dy * dy) * pace) - STRAIGHT_MS
                    if least + straight > bound:
                        continue
                row = here // width
                if not eligible(ok, skills, platform, row, t_skills, t_platforms, t_barred):
                    continue
                leave, room = leave_at[here], room_at[here]
                if at_end and leave < now and stops[row] == 0:
                    room -= now - leave
                    leave = np.int64(now)
                factor = np.int64(factors[row])
                start = max(leave + walk[here] + scaled(net, factor) + t_walk, t_earliest)
                start = opened(closed, t_gaps, start)
                done = start + t_service
                if start > t_latest or done > until[here]:
                    continue
                most = min(room, cap[row], worst - penalty[row])
                if at_end:
                    extra = done - leave
                else:
                    # The next stop is reached a leg after this place is left.
                    least = done + t_walk - leave - legs[here]
                    if least + scaled(max(straight, np.int64(0)), factor) > most:
                        continue
                    least += ahead_walk[here]
                    if least > most:
                        continue
                    if ahead_state[here, 0] >= 0:
                        # As `reached`, from this slot's own line: at `NO` the sum stays beyond every radius.
                        on = min(
                            np.int64(dist_from[ahead_state[here, 0]]) + ahead_ms[here, 0],
                            np.int64(dist_from[ahead_state[here, 1]]) + ahead_ms[here, 1],
                        )
                    else:
                        on = reached(
                            directed,
                            enter,
                            dist_from,
                            ahead_edge[here],
                            from_u[here + 1],
                            from_v[here + 1],
                            False,
                        )
                    if ahead_edge[here] == t_edge:
                        run = direct_run(
                            along,
                            against,
                            offset_m[here + 1] - t_offset,
                            from_u[here + 1] - t_u,
                            from_v[here + 1] - t_v,
                        )
                        on = min(on, run)
                    if on > radius:
                        least += scaled(max(np.int64(radius), straight), factor)
                        if least <= most and legs[here] <= long_leg:
                            n_listed = note(listed, n_listed, here, net, np.int64(-1), least + penalty[row])
                        continue
                    extra = max(least + scaled(on, factor), np.int64(0))
                if extra <= most:
                    found = offer(order, extra + penalty[row], extra, row, here, k, found, best)
    return found, n_listed


@kernel
def radii(c: Columns, tasks: TaskColumns, i: Ms, rank: Ms) -> tuple[Ms, Ms]:
    """Radii beyond which no place has `rank` or less, long legs apart.

    The first is for places beyond it on both ways, the second for places beyond it on one of them.
    """
    factor = c.least_factor[0]
    spare = min(rank, c.most_cap[0]) - tasks.service[i]
    whole = np.int64(max(min((spare + c.long_leg[0]) * 1000 // factor + 1, FAR_MS), 0))
    half = max((spare + c.long_leg[0]) * 500 // factor, spare * 1000 // factor) + 1
    return np.int64(max(min(half, whole), 0)), whole


@kernel
def best_riders(
    context: KernelContext, width: Ms, tasks: TaskColumns, i: Ms, k: int, now: Ms, first_ms: Ms, best: Best
) -> int:
    """Find the k best riders for task i, each at their best place; returns how many there are.

    `first_ms` is the radius tried first; it changes the time taken, never the answer.
    """
    graph, c, work = context.graph, context.c, context.work
    edge, from_u, from_v = tasks.edge[i], tasks.from_u[i], tasks.from_v[i]
    if edge < 0:
        return 0
    asked = Query(graph, c, work, tasks, i, width, k, now)
    widest = radii(c, tasks, i, tasks.most[i])[1]
    radius = min(np.int64(first_ms), widest)
    listed = np.empty((4 * FEW + c.long_count[0], 4), np.int64)
    while True:
        n_to, n_from = spread(graph, edge, from_u, from_v, radius, work)
        found, n = scan(asked, n_to, best, radius, listed)
        rank = best.rank[k - 1] if found == k else tasks.most[i]
        half, whole = radii(c, tasks, i, rank)
        decided = half <= radius
        if whole <= radius:
            n = 0
        elif decided:
            n = legs_before(asked, n_from, rank, radius, listed, n)
            n = keep_within(listed, n, rank)
            decided = n <= FEW
            wanted = radius * WIDER[0] // WIDER[1] + 1000
        else:
            wanted = half * WIDER[0] // WIDER[1]
            if found < k:
                wanted = min(wanted, radius * 3 + 1000)
        if decided:
            break
        clear(work, n_to, n_from)
        radius = min(wanted, whole)
    n = long_legs(asked, rank, radius, listed, n)
    for _ in range(n):
        q = np.argmin(listed[:n, 3])
        rank = best.rank[k - 1] if found == k else tasks.most[i]
        if listed[q, 3] > rank:
            break
        listed[q, 3] = EVER
        slot = listed[q, 0]
        extra = into_leg(asked, slot, listed[q, 1], listed[q, 2], rank, radius)
        if extra >= 0:
            row = slot // width
            found = offer(c.order, extra + c.penalty[row], extra, row, slot, k, found, best)
    clear(work, n_to, n_from)
    return found


@kernel
def best_many(
    context: KernelContext,
    width: Ms,
    tasks: TaskColumns,
    rows: Int64Array,
    now: Ms,
    first_ms: Ms,
    found: Int64Array,
    best: Best,
) -> None:
    """`best_riders` for some rows of `tasks`, each into its own row of `found` and `best`."""
    k = best.rank.shape[1]
    for i in rows:
        mine = Best(best.rank[i], best.extra[i], best.row[i], best.slot[i])
        found[i] = best_riders(context, width, tasks, i, k, now, first_ms, mine)
