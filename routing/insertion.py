"""Exact cheapest insertion of a task into every plan of one mode. Pure kernels.

For a task t put between slot j and the next stop, with A = leg(j, t) and B = leg(t, j + 1)::

    start = max(leave[j] + A, earliest_t, now)
    extra = start + service_t + B - arrive[j + 1]

It is allowed when ``start <= latest_t``, ``extra <= cap`` of the rider, ``extra <= room[j]`` and the task
ends before the break falls due. At the end of a plan, extra = start + service_t - leave[j].

Why it is exact. One search back from the task gives every A, one search from it every B, up to a radius.
What lies outside has A + B > least factor * radius, so its extra is above ``least factor * radius +
service_t - leg``. Once that is above the k-th best rank found, for all but the longest legs, nothing better
can be outside. The few legs longer than these are listed apart; one matters only where the ellipse about its
ends, at the fastest speed, holds the task, and is then searched for by itself. (Linear-time feasibility
with slacks: Tong et al. VLDB 2018; Xu et al. ICDE 2019.)
"""

import numpy as np

from geo.arrays import Int32Array, Int64Array
from geo.jit import kernel
from geo.search import reset, search
from routing.kernels import direct_run, ends_at, point_leg, scaled, seeds_from, seeds_to, starts_at
from routing.tables import FAR_MS, NO, Columns, Graph, Ms, TaskColumns, Work

STRAIGHT_MS = 5_000
"""Taken off a straight-line time: offsets are rounded to milliseconds, places lie beside the line."""

__all__ = ["before", "best_many", "best_riders", "offer", "outputs"]


def outputs(k: int) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array]:
    """Return memory for ranks, extras, rows and slots of `best_riders`."""
    return np.empty(k, np.int64), np.empty(k, np.int64), np.empty(k, np.int64), np.empty(k, np.int64)


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
    penalty: Int64Array,
    order: Int64Array,
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
    rank = extra + penalty[row]
    mine = order[row]
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
        if not before(rank, mine, slot, rank_out[at], order[row_out[at]], slot_out[at]):
            return found
    while at > 0 and before(rank, mine, slot, rank_out[at - 1], order[row_out[at - 1]], slot_out[at - 1]):
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
    """Offer every place in every plan that the search back reached; returns how many riders.

    One loop over the slots in reach, written out: a call with whole tables costs more than its work. A detour
    through a private place may be quicker than the way around it; an extra below zero is told as 0.
    """
    dist_to, dist_from, touched = work.dist_to, work.dist_from, work.touched_to
    inverse_ptr, inverse_edge, inverse_ms = graph.inverse_ptr, graph.inverse_edge, graph.inverse_ms
    directed, arrive_ptr = graph.directed, graph.arrive_ptr
    arrive_state, arrive_ms = graph.arrive_state, graph.arrive_ms
    active, edge_head, following = c.active, c.edge_head, c.following
    from_u, from_v, offset_m, edge_of, walk = c.from_u, c.from_v, c.offset_m, c.edge, c.walk
    ok, skills, platform, stops = c.ok, c.skills, c.platform, c.stops
    leave_at, room_at, until, arrive, factors = c.leave, c.room, c.until, c.arrive, c.factor
    cap, penalty, order = c.cap, c.penalty, c.order
    t_edge, t_u, t_v, t_offset = tasks.edge[i], tasks.from_u[i], tasks.from_v[i], tasks.offset_m[i]
    t_walk, t_service, t_latest = tasks.walk[i], tasks.service[i], tasks.latest[i]
    t_earliest = max(tasks.earliest[i], np.int64(now))
    t_skills, t_platforms = tasks.skills[i], tasks.platforms[i]
    t_x, t_y, t_fixed = tasks.x[i], tasks.y[i], t_walk + t_service
    legs, x, y, pace, most_cap = c.leg, c.x, c.y, 1.0 / graph.fastest, c.most_cap[0]
    along, against = directed[2 * t_edge] != NO, directed[2 * t_edge + 1] != NO
    found = 0
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
                # What it takes at least, from two columns: most slots go no further.
                bound = rank_out[k - 1] if found == k else most_cap
                least = net + t_fixed - legs[here]
                if least > bound:
                    continue
                row = here // width
                j = here - row * width
                if j < stops[row]:
                    dx, dy = x[here + 1] - t_x, y[here + 1] - t_y
                    if least + np.sqrt(dx * dx + dy * dy) * pace - STRAIGHT_MS > bound:
                        continue
                if ok[row] == 0 or (t_skills & ~skills[row]) != 0:
                    continue
                if t_platforms != 0 and (t_platforms & platform[row]) == 0:
                    continue
                at_end = j == stops[row]
                leave, room = leave_at[here], room_at[here]
                if j == 0 and at_end and leave < now:
                    room -= now - leave
                    leave = np.int64(now)
                factor = np.int64(factors[row])
                start = max(leave + walk[here] + scaled(net, factor) + t_walk, t_earliest)
                done = start + t_service
                if start > t_latest or done > until[here]:
                    continue
                most = min(room, cap[row])
                if at_end:
                    extra = done - leave
                else:
                    following_arrival = arrive[here + 1]
                    least = done - following_arrival
                    if least > most or (found == k and least + penalty[row] > rank_out[k - 1]):
                        continue
                    next_edge = edge_of[here + 1]
                    on = ends_at(
                        directed,
                        arrive_ptr,
                        arrive_state,
                        arrive_ms,
                        dist_from,
                        next_edge,
                        from_u[here + 1],
                        from_v[here + 1],
                    )
                    if next_edge == t_edge:
                        run = direct_run(
                            along,
                            against,
                            offset_m[here + 1] - t_offset,
                            from_u[here + 1] - t_u,
                            from_v[here + 1] - t_v,
                        )
                        on = min(on, run)
                    if on == NO:
                        continue
                    on = t_walk + scaled(on, factor) + walk[here + 1]
                    extra = max(done + on - following_arrival, np.int64(0))
                if extra <= most:
                    found = offer(
                        penalty, order, row, here, extra, k, found, rank_out, extra_out, row_out, slot_out
                    )
    return found


@kernel
def radius_for(c: Columns, tasks: TaskColumns, i: Ms, rank: Ms) -> Ms:
    """Network time outside of which no leg but a long one has an extra time of `rank` or less."""
    reach = rank - tasks.service[i] + c.long_leg[0]
    return np.int64(max(min(reach * 1000 // c.least_factor[0] + 1, FAR_MS), 0))


@kernel
def long_legs(
    graph: Graph,
    c: Columns,
    width: Ms,
    tasks: TaskColumns,
    i: Ms,
    rank: Ms,
    radius: Ms,
    pending: Int32Array,
    work: Work,
) -> int:
    """List the long legs that the radius does not decide; returns how many.

    A long leg is out when the ellipse about its ends, at the fastest speed, leaves the task outside, or when
    what is known of the two ways (their times, or that they exceed the radius) is too much already.
    """
    ok, skills, platform = c.ok, c.skills, c.platform
    legs, long_slot, x, y, factors, edges, walk = c.leg, c.long_slot, c.x, c.y, c.factor, c.edge, c.walk
    from_u, from_v = c.from_u, c.from_v
    directed, dist_to, dist_from = graph.directed, work.dist_to, work.dist_from
    depart_ptr, depart_state, depart_ms = graph.depart_ptr, graph.depart_state, graph.depart_ms
    arrive_ptr, arrive_state, arrive_ms = graph.arrive_ptr, graph.arrive_state, graph.arrive_ms
    t_skills, t_platforms, t_x, t_y = tasks.skills[i], tasks.platforms[i], tasks.x[i], tasks.y[i]
    t_walk, fastest = tasks.walk[i], graph.fastest
    spare = rank - tasks.service[i]
    n = 0
    for q in range(c.long_count[0]):
        slot = long_slot[q]
        row = slot // width
        if ok[row] == 0 or (t_skills & ~skills[row]) != 0:
            continue
        if t_platforms != 0 and (t_platforms & platform[row]) == 0:
            continue
        most = spare + legs[slot]
        dx, dy = x[slot] - t_x, y[slot] - t_y
        ex, ey = x[slot + 1] - t_x, y[slot + 1] - t_y
        straight = np.sqrt(dx * dx + dy * dy) + np.sqrt(ex * ex + ey * ey) - 10.0
        if straight * factors[row] > most * fastest * 1000:
            continue
        to = starts_at(
            directed, depart_ptr, depart_state, depart_ms, dist_to, edges[slot], from_u[slot], from_v[slot]
        )
        on = ends_at(
            directed,
            arrive_ptr,
            arrive_state,
            arrive_ms,
            dist_from,
            edges[slot + 1],
            from_u[slot + 1],
            from_v[slot + 1],
        )
        if to <= radius and on <= radius:
            continue
        factor = np.int64(factors[row])
        least = scaled(min(to, radius), factor) + scaled(min(on, radius), factor)
        if least + walk[slot] + 2 * t_walk + walk[slot + 1] <= most:
            pending[n] = slot
            n += 1
    return n


@kernel
def into_long_leg(
    graph: Graph, c: Columns, width: Ms, tasks: TaskColumns, i: Ms, slot: Ms, rank: Ms, now: Ms, work: Work
) -> Ms:
    """Extra time of the task in one long leg, -1 where it is not allowed or above `rank`."""
    row = slot // width
    factor = np.int64(c.factor[row])
    most = (rank - tasks.service[i] + c.leg[slot]) * 1000 // factor + 1
    to = point_leg(
        graph,
        c.edge[slot],
        np.int64(c.from_u[slot]),
        np.int64(c.from_v[slot]),
        c.offset_m[slot],
        c.x[slot],
        c.y[slot],
        tasks.edge[i],
        tasks.from_u[i],
        tasks.from_v[i],
        tasks.offset_m[i],
        tasks.x[i],
        tasks.y[i],
        most,
        work,
    )
    if to == NO:
        return np.int64(-1)
    after = slot + 1
    on = point_leg(
        graph,
        tasks.edge[i],
        tasks.from_u[i],
        tasks.from_v[i],
        tasks.offset_m[i],
        tasks.x[i],
        tasks.y[i],
        c.edge[after],
        np.int64(c.from_u[after]),
        np.int64(c.from_v[after]),
        c.offset_m[after],
        c.x[after],
        c.y[after],
        most - to,
        work,
    )
    if on == NO:
        return np.int64(-1)
    start = c.leave[slot] + c.walk[slot] + scaled(to, factor) + tasks.walk[i]
    start = max(start, tasks.earliest[i], np.int64(now))
    done = start + tasks.service[i]
    if start > tasks.latest[i] or done > c.until[slot]:
        return np.int64(-1)
    extra = max(done + tasks.walk[i] + scaled(on, factor) + c.walk[after] - c.arrive[after], np.int64(0))
    return np.int64(extra) if extra <= min(c.room[slot], c.cap[row]) else np.int64(-1)


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
    edge, from_u, from_v = tasks.edge[i], tasks.from_u[i], tasks.from_v[i]
    if edge < 0:
        return 0
    widest = radius_for(c, tasks, i, c.most_cap[0])
    radius = min(np.int64(first_ms), widest)
    pending = np.empty(c.long_count[0], np.int32)
    while True:
        n = seeds_to(graph, edge, from_u, from_v, work)
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
        n = seeds_from(graph, edge, from_u, from_v, work)
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
        needed = widest
        if found == k:
            needed = min(radius_for(c, tasks, i, rank_out[k - 1]), widest)
        decided = needed <= radius
        n_pending = 0
        if decided:
            worst = rank_out[k - 1] if found == k else c.most_cap[0]
            n_pending = long_legs(graph, c, width, tasks, i, worst, radius, pending, work)
        reset(work.dist_to, work.touched_to, n_to)
        reset(work.dist_from, work.touched_from, n_from)
        if decided:
            break
        radius = needed if found == k else min(radius * 3 + 1000, widest)
    for q in range(n_pending):
        slot = np.int64(pending[q])
        worst = rank_out[k - 1] if found == k else c.most_cap[0]
        extra = into_long_leg(graph, c, width, tasks, i, slot, worst, now, work)
        if extra >= 0:
            found = offer(
                c.penalty,
                c.order,
                slot // width,
                slot,
                extra,
                k,
                found,
                rank_out,
                extra_out,
                row_out,
                slot_out,
            )
    return found


@kernel
def best_many(
    graph: Graph,
    c: Columns,
    width: Ms,
    tasks: TaskColumns,
    first: int,
    last: int,
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
