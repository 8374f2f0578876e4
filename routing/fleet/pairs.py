"""Exact cheapest insertion of a pick-up and a drop-off into one plan each, in linear time a plan.

Without waiting or several windows in a plan, a delay reaches every later stop unchanged, so for each place of
the drop-off only the smallest delay of a pick-up before it matters: one pass. Plans with waits or breaks are
tried place by place, because waiting absorbs delay and the smallest delay here may not be the smallest there.
The extra time is the sum over both places, as `routing.model.riders` defines it for one; at the end of a plan
it runs to the end of the last place.
"""

from typing import NamedTuple

import numpy as np

from geo.arrays import Int64Array
from geo.jit import kernel
from routing.fleet.fleet import Candidate, Fleet
from routing.fleet.kernels.columns import opened
from routing.fleet.kernels.eligibility import eligible
from routing.fleet.kernels.insertion import before
from routing.fleet.kernels.legs import (
    clear,
    direct_run,
    place_of,
    point_leg,
    reached,
    scaled,
    spread,
)
from routing.fleet.kernels.tables import FAR_MS, NO, TASK_STOP, Columns, Graph, Ms, TaskColumns, Work
from routing.fleet.mode_fleet import ModeFleet, as_ms
from routing.model.tasks import Task

__all__ = ["best_pairs"]

LOST = np.int64(1) << 50


class _Pair(NamedTuple):
    """What is asked: the pick-ups and the drop-offs of a table, and the row of the pair in both."""

    p: TaskColumns
    d: TaskColumns
    i: Ms
    load: Ms
    now: Ms


class _Legs(NamedTuple):
    """Legs from each slot of a row to a place, and back (width,); `LOST` without one."""

    to: Int64Array
    on: Int64Array


@kernel
def _legs_of_row(
    graph: Graph, c: Columns, width: Ms, row: Ms, tasks: TaskColumns, i: Ms, work: Work, legs: _Legs
) -> None:
    """Fill the legs from each slot of a row to a place, and back."""
    to, on = legs
    directed, leave, enter = graph.directed, graph.departures, graph.arrivals
    edge, from_u, from_v, offset_m, walk = c.edge, c.from_u, c.from_v, c.offset_m, c.walk
    t_edge, t_u, t_v, t_offset = tasks.edge[i], tasks.from_u[i], tasks.from_v[i], tasks.offset_m[i]
    along, against = directed[2 * t_edge] != NO, directed[2 * t_edge + 1] != NO
    factor = np.int64(c.factor[row])
    for j in range(c.stops[row] + 1):
        s = row * width + j
        a = reached(directed, leave, work.dist_to, edge[s], from_u[s], from_v[s], True)
        b = reached(directed, enter, work.dist_from, edge[s], from_u[s], from_v[s], False)
        if edge[s] == t_edge:
            a = min(a, direct_run(along, against, t_offset - offset_m[s], t_u - from_u[s], t_v - from_v[s]))
            b = min(b, direct_run(along, against, offset_m[s] - t_offset, from_u[s] - t_u, from_v[s] - t_v))
        to[j] = LOST if a == NO else walk[s] + scaled(a, factor) + tasks.walk[i]
        on[j] = LOST if b == NO else walk[s] + scaled(b, factor) + tasks.walk[i]


@kernel
def _best_in_row(
    c: Columns, width: Ms, row: Ms, pair: _Pair, between: Ms, legs_p: _Legs, legs_d: _Legs, stay: Int64Array
) -> tuple[Ms, Ms, Ms]:
    """(extra, pick-up slot, drop-off slot) of the best pair of places in one plan; extra `LOST` without one.

    `stay` is memory of the width: the load after each slot. One loop: each place is the drop-off after all
    pick-ups before it, and then a pick-up itself.
    """
    p, d, i, load, now = pair
    (to_p, on_p), (to_d, on_d) = legs_p, legs_d
    base = row * width
    k = c.stops[row]
    free = c.capacity[row] - load if c.capacity[row] >= 0 else np.int64(1) << 40
    on_board = np.int64(c.load[row])
    plain = True
    for j in range(k + 1):
        on_board += c.change[base + j] if j > 0 else 0
        stay[j] = on_board
        slot = base + j
        if j > 0 and (c.start[slot] > c.arrive[slot] or c.rest[slot] == 1 or c.gaps[slot] > 0):
            plain = False
    best, best_i, best_j = LOST, np.int64(-1), np.int64(-1)
    p_earliest, d_earliest = max(p.earliest[i], np.int64(now)), max(d.earliest[i], np.int64(now))
    idle = k == 0 and c.leave[base] < now
    # The smallest delay of a pick-up before the drop-off at hand, and its slot.
    delay, delay_at = LOST, np.int64(-1)
    for j in range(k + 1):
        slot = base + j
        leave = np.int64(now) if idle else c.leave[slot]
        room = c.room[slot] - (leave - c.leave[slot])
        if stay[j] > free:
            delay = LOST
            continue
        if plain and delay < LOST and to_d[j] < LOST:
            start = opened(c.closed, d.gaps[i], max(leave + delay + to_d[j], d_earliest))
            done = start + d.service[i]
            if start <= d.latest[i] and done <= c.until[slot]:
                extra = LOST
                if j == k:
                    extra = done - leave
                elif on_d[j + 1] < LOST:
                    extra = done + on_d[j + 1] - c.arrive[slot + 1]
                if extra <= min(room, c.cap[row]) and extra < best:
                    best, best_i, best_j = extra, delay_at, np.int64(j)
        if to_p[j] >= LOST:
            continue
        start = opened(c.closed, p.gaps[i], max(leave + to_p[j], p_earliest))
        done = start + p.service[i]
        if start > p.latest[i] or done > c.until[slot]:
            continue
        # Both at one place.
        start_d = opened(c.closed, d.gaps[i], max(done + between, d_earliest))
        done_d = start_d + d.service[i]
        if start_d <= d.latest[i] and done_d <= c.until[slot]:
            extra = LOST
            if j == k:
                extra = done_d - leave
            elif on_d[j + 1] < LOST:
                extra = max(done_d + on_d[j + 1] - c.arrive[slot + 1], np.int64(0))
            if extra <= min(room, c.cap[row]) and extra < best:
                best, best_i, best_j = extra, np.int64(j), np.int64(j)
        if j == k or on_p[j + 1] >= LOST:
            continue
        late = done + on_p[j + 1] - c.arrive[slot + 1]
        if late > min(room, c.cap[row]):
            continue
        if plain and late >= 0:
            if late < delay:
                delay, delay_at = late, np.int64(j)
            continue
        # Waiting, a break or a shortcut: follow the delay stop by stop.
        shift = late
        until_shift = np.int64(0)
        for m in range(j + 1, k + 1):
            here = base + m
            if stay[m] > free:
                break
            start_m = opened(c.closed, c.gaps[here], max(c.arrive[here] + shift, c.earliest[here]))
            latest = c.latest[here] - c.keep[0]
            if c.rest[here] == 1:
                latest = min(latest, c.until[here - 1] + until_shift)
            elif c.rest[here] == TASK_STOP:
                latest = min(latest, c.until[here] + until_shift - c.service[here])
            if start_m > max(latest, c.start[here]):
                break
            shift = start_m - c.start[here]
            if c.rest[here] == 1:
                until_shift = shift
            if to_d[m] >= LOST:
                continue
            start_d = opened(c.closed, d.gaps[i], max(c.leave[here] + shift + to_d[m], d_earliest))
            done_d = start_d + d.service[i]
            if start_d > d.latest[i] or done_d > c.until[here] + until_shift:
                continue
            if m == k:
                final = done_d - c.leave[here]
                more = final - shift
            elif on_d[m + 1] < LOST:
                final = done_d + on_d[m + 1] - c.arrive[here + 1]
                more = max(final - shift, np.int64(0))
            else:
                continue
            extra = max(late, np.int64(0)) + more
            if final <= c.room[here] and extra <= c.cap[row] and extra < best:
                best, best_i, best_j = extra, np.int64(j), np.int64(m)
    return best, best_i, best_j


@kernel
def _best_pair_riders(
    graph: Graph,
    c: Columns,
    width: Ms,
    pair: _Pair,
    k: int,
    first_ms: Ms,
    out: Int64Array,
    works: tuple[Work, Work],
) -> int:
    """Fill the rows of `out` (rank, extra, row, two slots) with the k best riders; returns how many.

    One loop over the riders in reach of the pick-up: each is judged once, when first met.
    """
    p, d, i, _, _ = pair
    work_p, work_d = works
    if p.edge[i] < 0 or d.edge[i] < 0:
        return 0
    net = point_leg(graph, place_of(p, i), place_of(d, i), FAR_MS, work_p)
    if net == NO:
        return 0
    longest = c.long_leg[0]
    for q in range(c.long_count[0]):
        longest = max(longest, np.int64(c.leg[c.long_slot[q]]))
    # Without private streets a detour is never below zero, so one place bounds the other.
    spare = longest * (2 if graph.private else 1) - p.service[i] - d.service[i]
    widest = max(min((c.most_cap[0] + spare) * 1000 // c.least_factor[0] + 1, np.int64(FAR_MS)), np.int64(0))
    radius = min(np.int64(first_ms), widest)
    rows = len(c.stops)
    mark = np.zeros(rows, np.uint8)
    legs_p = _Legs(np.empty(width, np.int64), np.empty(width, np.int64))
    legs_d = _Legs(np.empty(width, np.int64), np.empty(width, np.int64))
    stay = np.empty(width, np.int64)
    while True:
        n_to_p, n_from_p = spread(graph, p.edge[i], p.from_u[i], p.from_v[i], radius, work_p)
        n_to_d, n_from_d = spread(graph, d.edge[i], d.from_u[i], d.from_v[i], radius, work_d)
        found = 0
        mark[:] = 0
        for t in range(n_to_p + 1):
            # The last round takes the riders on the pick-up's own street.
            first, last = 0, 1
            if t < n_to_p:
                state = work_p.touched_to[t]
                if c.active[state] == 0:
                    continue
                first, last = graph.inverse_ptr[state], graph.inverse_ptr[state + 1]
            for q in range(first, last):
                slot = c.edge_head[graph.inverse_edge[q] >> 1] if t < n_to_p else c.edge_head[p.edge[i]]
                while slot >= 0:
                    row = slot // width
                    slot = c.following[slot]
                    if mark[row] == 1:
                        continue
                    mark[row] = 1
                    if not eligible(c.ok, c.skills, c.platform, row, p.skills[i], p.platforms[i], -1):
                        continue
                    between = p.walk[i] + scaled(net, np.int64(c.factor[row])) + d.walk[i]
                    _legs_of_row(graph, c, width, row, p, i, work_p, legs_p)
                    _legs_of_row(graph, c, width, row, d, i, work_d, legs_d)
                    extra, at_p, at_d = _best_in_row(c, width, row, pair, between, legs_p, legs_d, stay)
                    if extra >= LOST:
                        continue
                    rank = extra + c.penalty[row]
                    order = c.order[row]
                    if found < k:
                        at = found
                        found += 1
                    else:
                        at = k - 1
                        if not before(rank, order, 0, out[at, 0], c.order[out[at, 2]], 0):
                            continue
                    while at > 0 and before(rank, order, 0, out[at - 1, 0], c.order[out[at - 1, 2]], 0):
                        out[at] = out[at - 1]
                        at -= 1
                    out[at, 0], out[at, 1], out[at, 2], out[at, 3], out[at, 4] = rank, extra, row, at_p, at_d
        clear(work_p, n_to_p, n_from_p)
        clear(work_d, n_to_d, n_from_d)
        needed = widest
        if found == k:
            needed = min((out[k - 1, 0] + spare) * 1000 // c.least_factor[0] + 1, widest)
        if needed <= radius:
            return found
        radius = needed if found == k else min(radius * 3 + 1000, widest)


def best_pairs(fleet: Fleet, task: Task, k: int, now_s: float) -> tuple[Candidate, ...]:
    """Return the k best riders for a pick-up and drop-off, each with the best two places in their plan.

    Parameters
    ----------
    fleet : Fleet
    task : Task
        With a drop-off.
    k : int
        How many riders at most.
    now_s : float
        Epoch seconds.

    Returns
    -------
    tuple of Candidate
        Sorted by rank, then rider id; empty where no rider may do it.
    """
    fleet.order()
    found: list[Candidate] = []
    for mode, mode_fleet in fleet.mode_fleets.items():
        if mode in task.modes and len(mode_fleet):
            found += _in_mode(fleet, mode_fleet, task, k, as_ms(now_s))
    return tuple(sorted(found, key=lambda one: (one.rank_ms, one.rider_id))[:k])


def _in_mode(fleet: Fleet, mode_fleet: ModeFleet, task: Task, k: int, now: int) -> list[Candidate]:
    p = fleet.table(mode_fleet.mode, [task]).columns
    d = fleet.table(mode_fleet.mode, [task], dropoff=True).columns
    out = np.empty((k, 5), np.int64)
    count = _best_pair_riders(
        mode_fleet.graph,
        mode_fleet.c,
        mode_fleet.width,
        _Pair(p, d, 0, task.load, now),
        k,
        mode_fleet.first_ms,
        out,
        (mode_fleet.work(0), mode_fleet.work(1)),
    )
    return [
        Candidate(fleet.id_at(mode_fleet.mode, int(row)), int(at_p), int(extra), int(rank), int(at_d))
        for rank, extra, row, at_p, at_d in out[:count].tolist()
    ]
