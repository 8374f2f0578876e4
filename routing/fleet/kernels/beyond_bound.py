"""Places in plans that lie partly beyond the radius of a search. Pure kernels for `insertion.py`.

They are listed by what they cost at least, then searched for one by one. A row of the list: slot, network
time to the task and from it (-1: beyond the radius), least rank.
"""

from typing import NamedTuple

import numpy as np

from geo.arrays import Int64Array, UInt32Array
from geo.jit import kernel
from geo.travel import Adjacency, Workspace, reset, shortest_times
from routing.fleet.kernels.columns import opened
from routing.fleet.kernels.eligibility import eligible
from routing.fleet.kernels.legs import (
    direct_run,
    leg_seeds,
    place_of,
    point_leg,
    reached,
    scaled,
)
from routing.fleet.kernels.tables import NO, Columns, Graph, Ms, TaskColumns, Work

__all__ = ["FEW", "STRAIGHT_MS", "Query", "into_leg", "keep_within", "legs_before", "long_legs", "note"]

FEW = 16
"""With more places than this, a wider radius is quicker."""
STRAIGHT_MS = 5_000
"""Taken off a straight-line time: offsets are rounded to milliseconds, places lie beside the line."""


class Query(NamedTuple):
    """What the kernels of one search ask: a task of the table, and what they read and work in."""

    graph: Graph
    c: Columns
    work: Work
    tasks: TaskColumns
    i: Ms
    """Row of the task."""
    width: Ms
    """Slots of a row of the fleet."""
    k: int
    """How many riders are wanted."""
    now: Ms


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
def legs_before(asked: Query, n_from: Ms, rank: Ms, radius: Ms, listed: Int64Array, n: int) -> int:
    """List the places whose way to the task is beyond the radius and whose way from it is not.

    One loop over the slots in reach, as in `routing.fleet.kernels.insertion.scan`.
    """
    graph, c, work, tasks, i, width, _, _ = asked
    dist_to, dist_from, touched = work.dist_to, work.dist_from, work.touched_from
    enter_ptr, enter_edge, enter_ms = graph.enter_ptr, graph.enter_edge, graph.enter_ms
    directed, pace, long_leg = graph.directed, 1.0 / graph.fastest, c.long_leg[0]
    leave = graph.departures
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
                if least + far > bound:
                    continue
                if not eligible(ok, skills, platform, row, t_skills, t_platforms, t_barred):
                    continue
                to = reached(directed, leave, dist_to, edges[slot], from_u[slot], from_v[slot], True)
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
def long_legs(asked: Query, rank: Ms, radius: Ms, listed: Int64Array, n: int) -> int:
    """List the long legs that the radius does not decide.

    A long leg is out when the ellipse about its ends, at the fastest speed, leaves the task outside, or when
    what is known of the two ways (their times, or that they exceed the radius) is too much already.
    One loop: each test spares the dearer ones after it.
    """
    graph, c, work, tasks, i, width, _, _ = asked
    ok, skills, platform = c.ok, c.skills, c.platform
    legs, long_slot, x, y, factors, edges, walk = c.leg, c.long_slot, c.x, c.y, c.factor, c.edge, c.walk
    from_u, from_v, penalty, cap = c.from_u, c.from_v, c.penalty, c.cap
    directed, dist_to, dist_from = graph.directed, work.dist_to, work.dist_from
    leave, enter = graph.departures, graph.arrivals
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
        if not eligible(ok, skills, platform, row, t_skills, t_platforms, t_barred):
            continue
        after = slot + 1
        to = reached(directed, leave, dist_to, edges[slot], from_u[slot], from_v[slot], True)
        on = reached(directed, enter, dist_from, edges[after], from_u[after], from_v[after], False)
        # On the task's own street a way may be short that no search from its ends has found.
        if edges[slot] == t_edge:
            run = direct_run(
                along, against, t_offset - offset_m[slot], t_u - from_u[slot], t_v - from_v[slot]
            )
            to = min(to, run)
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
def completed(arcs: Adjacency, n_seeds: int, reach: Ms, known: UInt32Array, work: Work) -> tuple[Ms, int]:
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
    space = Workspace(dist, work.link, work.ring, touched)
    n = shortest_times(arcs, seed_state[:n_seeds], seed_ms[:n_seeds], int(reach), space)
    for q in range(n):
        state = touched[q]
        base = np.int64(dist[state])
        for arc in range(arcs.indptr[state], arcs.indptr[state + 1]):
            at = known[arcs.head[arc]]
            if at != NO:
                best = min(best, base + arcs.cost_ms[arc] + at)
    return best, n


@kernel
def single_way(asked: Query, slot: Ms, to_task: bool, most: Ms, radius: Ms) -> Ms:
    """Network time from a slot to the task (`to_task`) or back after `spread`, `NO` if it is above `most`."""
    graph, c, work, tasks, i, _, _, _ = asked
    at, goal = place_of(c, slot), place_of(tasks, i)
    if most - radius > radius:
        if to_task:
            return point_leg(graph, at, goal, most, work)
        return point_leg(graph, goal, at, most, work)
    directed, dist, reach = graph.directed, work.dist_leg, max(most - radius, np.int64(0))
    # The last hop: where the task's own street is longer than the radius.
    if to_task:
        n = leg_seeds(directed, graph.departures, at.edge, at.from_u, at.from_v, True, work)
        arcs = Adjacency(graph.indptr, graph.head, graph.cost)
        best, n = completed(arcs, n, reach, work.dist_to, work)
        hop = reached(directed, graph.arrivals, dist, goal.edge, goal.from_u, goal.from_v, False)
    else:
        n = leg_seeds(directed, graph.arrivals, at.edge, at.from_u, at.from_v, False, work)
        arcs = Adjacency(graph.rev_indptr, graph.rev_head, graph.rev_cost)
        best, n = completed(arcs, n, reach, work.dist_from, work)
        hop = reached(directed, graph.departures, dist, goal.edge, goal.from_u, goal.from_v, True)
    best = min(best, hop)
    reset(dist, work.touched_leg, n)
    if at.edge == goal.edge:
        sign = 1 if to_task else -1
        along, against = directed[2 * at.edge] != NO, directed[2 * at.edge + 1] != NO
        ahead_m = sign * (goal.offset_m - at.offset_m)
        runs = sign * (goal.from_u - at.from_u), sign * (goal.from_v - at.from_v)
        best = min(best, direct_run(along, against, ahead_m, *runs))
    return best if best <= most else np.int64(NO)


@kernel
def into_leg(asked: Query, slot: Ms, to: Ms, on: Ms, rank: Ms, radius: Ms) -> Ms:
    """Extra time of the task before a stop, -1 where it is not allowed or above `rank`.

    `to` and `on` are the network times to and from the task, -1 where they are to be searched for, from what
    `spread` found up to `radius`.
    """
    _, c, _, tasks, i, width, _, now = asked
    row = slot // width
    factor = np.int64(c.factor[row])
    allowed = min(rank - c.penalty[row], c.cap[row], c.room[slot])
    most = max((allowed - tasks.service[i] + c.leg[slot]) * 1000 // factor + 1, np.int64(0))
    after = slot + 1
    if to < 0:
        to = single_way(asked, slot, True, max(most - max(on, np.int64(0)), np.int64(0)), radius)
    if to == NO:
        return np.int64(-1)
    if on < 0:
        on = single_way(asked, after, False, max(most - to, np.int64(0)), radius)
    if on == NO:
        return np.int64(-1)
    start = c.leave[slot] + c.walk[slot] + scaled(to, factor) + tasks.walk[i]
    start = opened(c.closed, tasks.gaps[i], max(start, tasks.earliest[i], np.int64(now)))
    done = start + tasks.service[i]
    if start > tasks.latest[i] or done > c.until[slot]:
        return np.int64(-1)
    extra = max(done + tasks.walk[i] + scaled(on, factor) + c.walk[after] - c.arrive[after], np.int64(0))
    return np.int64(extra) if extra <= allowed else np.int64(-1)
