"""Places in plans that lie partly beyond the radius of a search. Pure kernels, for `routing.fleet.insertion`.

They are listed by what they cost at least, then searched for one by one. A row of the list: slot, network
time to the task and from it (-1: beyond the radius), least rank.
"""

import numpy as np

from geo.arrays import Int32Array, Int64Array, UInt32Array
from geo.jit import kernel
from geo.travel import reset, shortest_times
from routing.fleet.legs import direct_run, point_leg, reached, scaled, seeds
from routing.fleet.tables import NO, Columns, Graph, Ms, TaskColumns, Work

__all__ = ["FEW", "STRAIGHT_MS", "into_leg", "keep_within", "legs_before", "long_legs", "note"]

FEW = 16
"""With more places than this, a wider radius is quicker."""
STRAIGHT_MS = 5_000
"""Taken off a straight-line time: offsets are rounded to milliseconds, places lie beside the line."""


@kernel
def note(listed: Int64Array, n: int, slot: Ms, to: Ms, on: Ms, least: Ms) -> int:
    """Add a place, or better times of a listed one; a full list only counts on. Returns the new count."""
    for q in range(min(n, len(listed))):
        if listed[q, 0] == slot:
            if least < listed[q, 3]:
                listed[q, 1], listed[q, 2], listed[q, 3] = to, on, least
            return n
    if n < len(listed):
        listed[n, 0], listed[n, 1], listed[n, 2], listed[n, 3] = slot, to, on, least
    return n + 1


@kernel
def keep_within(listed: Int64Array, n: int, rank: Ms) -> int:
    """Keep the places that may have a rank of at most `rank`; a list that ran over stays too long."""
    if n > len(listed):
        return n
    kept = 0
    for q in range(n):
        if listed[q, 3] <= rank:
            listed[kept] = listed[q]
            kept += 1
    return kept


@kernel
def legs_before(
    graph: Graph,
    c: Columns,
    width: Ms,
    tasks: TaskColumns,
    i: Ms,
    n_from: Ms,
    rank: Ms,
    radius: Ms,
    listed: Int64Array,
    n: int,
    work: Work,
) -> int:
    """List the places whose way to the task is beyond the radius and whose way from it is not."""
    dist_to, dist_from, touched = work.dist_to, work.dist_from, work.touched_from
    enter_ptr, enter_edge, enter_ms = graph.enter_ptr, graph.enter_edge, graph.enter_ms
    directed, pace, long_leg = graph.directed, 1.0 / graph.fastest, c.long_leg[0]
    depart_ptr, depart_state, depart_ms = graph.depart_ptr, graph.depart_state, graph.depart_ms
    edge_head, following, edges, from_u, from_v = c.edge_head, c.following, c.edge, c.from_u, c.from_v
    legs, walk, offset_m, x, y, factors = c.leg, c.walk, c.offset_m, c.x, c.y, c.factor
    ok, skills, platform, penalty, cap = c.ok, c.skills, c.platform, c.penalty, c.cap
    t_edge, t_u, t_v, t_offset = tasks.edge[i], tasks.from_u[i], tasks.from_v[i], tasks.offset_m[i]
    t_x, t_y, t_fixed = tasks.x[i], tasks.y[i], 2 * tasks.walk[i] + tasks.service[i]
    t_skills, t_platforms, t_barred = tasks.skills[i], tasks.platforms[i], tasks.barred[i]
    along, against = directed[2 * t_edge] != NO, directed[2 * t_edge + 1] != NO
    # No way from the task that is longer than this leaves room for one to it beyond the radius.
    bound = min(rank, c.most_cap[0])
    longest = bound - t_fixed + long_leg - radius
    # The last round takes the stops on the task's own street, straight on from it.
    for t in range(n_from + 1):
        own = t == n_from
        if own:
            first, last, base = 0, 1, np.int64(0)
        else:
            state = touched[t]
            base = np.int64(dist_from[state])
            if base > longest:
                continue
            first, last = enter_ptr[state], enter_ptr[state + 1]
        for q in range(first, last):
            d = 0 if own else enter_edge[q]
            after = edge_head[t_edge] if own else edge_head[d >> 1]
            while after >= 0:
                here = after
                slot = here - 1
                after = following[here]
                if own:
                    on = direct_run(
                        along, against, offset_m[here] - t_offset, from_u[here] - t_u, from_v[here] - t_v
                    )
                else:
                    on = base + enter_ms[q] + (from_u[here] if (d & 1) == 0 else from_v[here])
                if on > radius or on > longest:
                    continue
                row = here // width
                if here == row * width or legs[slot] > long_leg:
                    continue
                least = on + t_fixed - legs[slot]
                dx, dy = x[slot] - t_x, y[slot] - t_y
                far = max(np.int64(np.sqrt(dx * dx + dy * dy) * pace) - STRAIGHT_MS, np.int64(radius))
                if least + far > bound or row == t_barred or ok[row] == 0 or (t_skills & ~skills[row]) != 0:
                    continue
                if t_platforms != 0 and (t_platforms & platform[row]) == 0:
                    continue
                to = reached(
                    directed, depart_ptr, depart_state, depart_ms, dist_to,
                    edges[slot], from_u[slot], from_v[slot], True,
                )  # fmt: skip
                if edges[slot] == t_edge:
                    run = direct_run(
                        along, against, t_offset - offset_m[slot], t_u - from_u[slot], t_v - from_v[slot]
                    )
                    to = min(to, run)
                if to <= radius:
                    continue
                factor = np.int64(factors[row])
                least = scaled(on, factor) + scaled(far, factor) + walk[slot] + walk[here]
                least += t_fixed - legs[slot]
                if least <= min(rank - penalty[row], cap[row]):
                    n = note(listed, n, slot, np.int64(-1), on, least + penalty[row])
    return n


@kernel
def long_legs(
    graph: Graph,
    c: Columns,
    width: Ms,
    tasks: TaskColumns,
    i: Ms,
    rank: Ms,
    radius: Ms,
    listed: Int64Array,
    n: int,
    work: Work,
) -> int:
    """List the long legs that the radius does not decide.

    A long leg is out when the ellipse about its ends, at the fastest speed, leaves the task outside, or when
    what is known of the two ways (their times, or that they exceed the radius) is too much already.
    """
    ok, skills, platform = c.ok, c.skills, c.platform
    legs, long_slot, x, y, factors, edges, walk = c.leg, c.long_slot, c.x, c.y, c.factor, c.edge, c.walk
    from_u, from_v, penalty, cap = c.from_u, c.from_v, c.penalty, c.cap
    directed, dist_to, dist_from = graph.directed, work.dist_to, work.dist_from
    depart_ptr, depart_state, depart_ms = graph.depart_ptr, graph.depart_state, graph.depart_ms
    arrive_ptr, arrive_state, arrive_ms = graph.arrive_ptr, graph.arrive_state, graph.arrive_ms
    t_skills, t_platforms, t_x, t_y = tasks.skills[i], tasks.platforms[i], tasks.x[i], tasks.y[i]
    t_walk, fastest, t_barred = tasks.walk[i], graph.fastest, tasks.barred[i]
    t_edge, t_u, t_v, t_offset = tasks.edge[i], tasks.from_u[i], tasks.from_v[i], tasks.offset_m[i]
    along, against, offset_m = directed[2 * t_edge] != NO, directed[2 * t_edge + 1] != NO, c.offset_m
    spare = min(rank, c.most_cap[0]) - tasks.service[i]
    ahead_x, ahead_y, least_factor = c.ahead_x, c.ahead_y, c.least_factor[0]
    for q in range(c.long_count[0]):
        slot = np.int64(long_slot[q])
        most = spare + legs[slot]
        dx, dy = x[slot] - t_x, y[slot] - t_y
        ex, ey = ahead_x[slot] - t_x, ahead_y[slot] - t_y
        straight = np.sqrt(dx * dx + dy * dy) + np.sqrt(ex * ex + ey * ey) - 10.0
        if straight * least_factor > most * fastest * 1000:
            continue
        row = slot // width
        if straight * factors[row] > most * fastest * 1000:
            continue
        if row == t_barred or ok[row] == 0 or (t_skills & ~skills[row]) != 0:
            continue
        if t_platforms != 0 and (t_platforms & platform[row]) == 0:
            continue
        to = reached(
            directed,
            depart_ptr,
            depart_state,
            depart_ms,
            dist_to,
            edges[slot],
            from_u[slot],
            from_v[slot],
            True,
        )
        on = reached(
            directed,
            arrive_ptr,
            arrive_state,
            arrive_ms,
            dist_from,
            edges[slot + 1],
            from_u[slot + 1],
            from_v[slot + 1],
            False,
        )
        # On the task's own street a way may be short that no search from its ends has found.
        if edges[slot] == t_edge:
            run = direct_run(
                along, against, t_offset - offset_m[slot], t_u - from_u[slot], t_v - from_v[slot]
            )
            to = min(to, run)
        after = slot + 1
        if edges[after] == t_edge:
            run = direct_run(
                along, against, offset_m[after] - t_offset, from_u[after] - t_u, from_v[after] - t_v
            )
            on = min(on, run)
        if to <= radius and on <= radius:
            continue
        factor = np.int64(factors[row])
        least = scaled(min(to, radius), factor) + scaled(min(on, radius), factor)
        least += walk[slot] + 2 * t_walk + walk[slot + 1] - legs[slot] + tasks.service[i]
        if least <= min(rank - penalty[row], cap[row]):
            n = note(listed, n, slot, np.int64(-1), np.int64(-1), least + penalty[row])
    return n


@kernel
def completed(
    indptr: Int32Array,
    head: Int32Array,
    cost: UInt32Array,
    n_seeds: int,
    reach: Ms,
    known: UInt32Array,
    work: Work,
) -> tuple[Ms, int]:
    """Least time from the seeds in `work` over states that another search reached to where it began, or `NO`.

    `known` holds every time up to that search's radius. So a way of up to radius + `reach` leaves the states
    within `reach` of the seeds straight into known ones, or ends there: see `work.dist_leg` for that. Returns
    also how many states it holds, for the caller to clean.
    """
    best = np.int64(NO)
    seed_state, seed_ms, dist, touched = work.seed_state, work.seed_ms, work.dist_leg, work.touched_leg
    for q in range(n_seeds):
        if known[seed_state[q]] != NO:
            best = min(best, np.int64(seed_ms[q]) + known[seed_state[q]])
    n = shortest_times(
        indptr,
        head,
        cost,
        seed_state[:n_seeds],
        seed_ms[:n_seeds],
        int(reach),
        dist,
        work.link,
        work.ring,
        touched,
    )
    for q in range(n):
        state = touched[q]
        base = np.int64(dist[state])
        for arc in range(indptr[state], indptr[state + 1]):
            at = known[head[arc]]
            if at != NO:
                best = min(best, base + cost[arc] + at)
    return best, n


@kernel
def single_way(
    graph: Graph,
    c: Columns,
    tasks: TaskColumns,
    i: Ms,
    slot: Ms,
    to_task: bool,
    most: Ms,
    radius: Ms,
    work: Work,
) -> Ms:
    """Network time from a slot to the task (`to_task`) or back after `spread`, `NO` if it is above `most`."""
    edge, u, v = c.edge[slot], np.int64(c.from_u[slot]), np.int64(c.from_v[slot])
    offset_m, x, y = c.offset_m[slot], c.x[slot], c.y[slot]
    t_edge, t_u, t_v, t_offset = tasks.edge[i], tasks.from_u[i], tasks.from_v[i], tasks.offset_m[i]
    t_x, t_y = tasks.x[i], tasks.y[i]
    if most - radius > radius:
        if to_task:
            return point_leg(
                graph, edge, u, v, offset_m, x, y, t_edge, t_u, t_v, t_offset, t_x, t_y, most, work
            )
        return point_leg(graph, t_edge, t_u, t_v, t_offset, t_x, t_y, edge, u, v, offset_m, x, y, most, work)
    directed, reach = graph.directed, max(most - radius, np.int64(0))
    depart_ptr, depart_state, depart_ms = graph.depart_ptr, graph.depart_state, graph.depart_ms
    arrive_ptr, arrive_state, arrive_ms = graph.arrive_ptr, graph.arrive_state, graph.arrive_ms
    # The last hop: where the task's own street is longer than the radius.
    if to_task:
        n = seeds(directed, depart_ptr, depart_state, depart_ms, edge, u, v, True, work)
        best, n = completed(graph.indptr, graph.head, graph.cost, n, reach, work.dist_to, work)
        hop = reached(directed, arrive_ptr, arrive_state, arrive_ms, work.dist_leg, t_edge, t_u, t_v, False)
    else:
        n = seeds(directed, arrive_ptr, arrive_state, arrive_ms, edge, u, v, False, work)
        best, n = completed(graph.rev_indptr, graph.rev_head, graph.rev_cost, n, reach, work.dist_from, work)
        hop = reached(directed, depart_ptr, depart_state, depart_ms, work.dist_leg, t_edge, t_u, t_v, True)
    best = min(best, hop)
    reset(work.dist_leg, work.touched_leg, n)
    if edge == t_edge:
        sign = 1 if to_task else -1
        along, against = directed[2 * edge] != NO, directed[2 * edge + 1] != NO
        run = direct_run(along, against, sign * (t_offset - offset_m), sign * (t_u - u), sign * (t_v - v))
        best = min(best, run)
    return best if best <= most else np.int64(NO)


@kernel
def into_leg(
    graph: Graph,
    c: Columns,
    width: Ms,
    tasks: TaskColumns,
    i: Ms,
    slot: Ms,
    to: Ms,
    on: Ms,
    rank: Ms,
    now: Ms,
    radius: Ms,
    work: Work,
) -> Ms:
    """Extra time of the task before a stop, -1 where it is not allowed or above `rank`.

    `to` and `on` are the network times to and from the task, -1 where they are to be searched for, from what
    `spread` found up to `radius`.
    """
    row = slot // width
    factor = np.int64(c.factor[row])
    allowed = min(rank - c.penalty[row], c.cap[row], c.room[slot])
    most = max((allowed - tasks.service[i] + c.leg[slot]) * 1000 // factor + 1, np.int64(0))
    after = slot + 1
    if to < 0:
        to = single_way(
            graph, c, tasks, i, slot, True, max(most - max(on, np.int64(0)), np.int64(0)), radius, work
        )
    if to == NO:
        return np.int64(-1)
    if on < 0:
        on = single_way(graph, c, tasks, i, after, False, max(most - to, np.int64(0)), radius, work)
    if on == NO:
        return np.int64(-1)
    start = c.leave[slot] + c.walk[slot] + scaled(to, factor) + tasks.walk[i]
    start = max(start, tasks.earliest[i], np.int64(now))
    done = start + tasks.service[i]
    if start > tasks.latest[i] or done > c.until[slot]:
        return np.int64(-1)
    extra = max(done + tasks.walk[i] + scaled(on, factor) + c.walk[after] - c.arrive[after], np.int64(0))
    return np.int64(extra) if extra <= allowed else np.int64(-1)
