"""Which riders cannot be given a task wherever it is put into their plan, with few of the plan's ways found.

Between two places a and b of a plan, a task at t takes at least what it takes from a to t and from t to b,
less what the plan takes from a to b. The first two are found by a search around the task, or are at least its
radius and a straight line at the fastest speed. The last is at most the way by the hubs: one in each cell of
the map, with the time to it and from it of every state around. Only where that leaves it open the way itself
is searched for.
"""

from typing import NamedTuple

import numpy as np

from geo.arrays import BoolArray, Int32Array, Int64Array, UInt32Array
from geo.jit import kernel
from geo.travel import Touch
from routing.fleet.kernels.beyond_bound import STRAIGHT_MS
from routing.fleet.kernels.context import KernelContext
from routing.fleet.kernels.eligibility import eligible
from routing.fleet.kernels.legs import clear, network_leg, part_of, reached, spread
from routing.fleet.kernels.tables import FAR_MS, NO, Columns, Graph, Ms, TaskColumns, Work

__all__ = ["Hubs", "may_be_given"]


class Hubs(NamedTuple):
    """Ways by hubs: from a state to a hub, to another hub, and from there on. Milliseconds, `NO`: none."""

    to_hub: Int32Array
    """(states,) The hub that each state reaches first."""
    to_ms: UInt32Array
    from_hub: Int32Array
    """(states,) The hub from which each state is reached first."""
    from_ms: UInt32Array
    between_ms: UInt32Array
    """(hubs, hubs)"""


@kernel
def hub_end(
    directed: UInt32Array,
    ends: Touch,
    hub: Int32Array,
    ms: UInt32Array,
    edge: Ms,
    from_u: Ms,
    from_v: Ms,
    leaving: bool,
) -> tuple[Ms, Ms]:
    """Return a hub and the time to it from a place on an edge (`leaving`) or from it; `NO`: there is none."""
    which, best = np.int64(0), np.int64(NO)
    for d in range(2 * edge, 2 * edge + 2):
        if directed[d] == NO:
            continue
        part = part_of(directed, d, from_u, from_v, leaving)
        for i in range(ends.ptr[d], ends.ptr[d + 1]):
            state = ends.state[i]
            if ms[state] == NO:
                continue
            found = part + np.int64(ends.ms[i]) + np.int64(ms[state])
            if found < best:
                which, best = np.int64(hub[state]), found
    return which, best


@kernel
def most_between(graph: Graph, hubs: Hubs, c: Columns, slot: Ms) -> Ms:
    """Return a network time that is enough from a slot to the next, `NO` where the hubs know none."""
    out, out_ms = hub_end(
        graph.directed, graph.departures, hubs.to_hub, hubs.to_ms,
        c.edge[slot], c.from_u[slot], c.from_v[slot], True,
    )  # fmt: skip
    after = slot + 1
    into, into_ms = hub_end(
        graph.directed, graph.arrivals, hubs.from_hub, hubs.from_ms,
        c.edge[after], c.from_u[after], c.from_v[after], False,
    )  # fmt: skip
    if out_ms == NO or into_ms == NO or hubs.between_ms[out, into] == NO:
        return np.int64(NO)
    most = out_ms + np.int64(hubs.between_ms[out, into]) + into_ms
    # Longer legs are not searched for.
    return most if most <= FAR_MS else np.int64(NO)


@kernel
def least_ms(
    graph: Graph, c: Columns, slot: Ms, tasks: TaskColumns, i: Ms, radius: Ms, work: Work, leaving: bool
) -> Ms:
    """Return a network time that is needed from a slot to a task (`leaving`) or from the task to the slot."""
    if c.edge[slot] == tasks.edge[i]:
        return np.int64(0)
    dx, dy = c.x[slot] - tasks.x[i], c.y[slot] - tasks.y[i]
    straight = np.int64(np.sqrt(dx * dx + dy * dy) / graph.fastest) - STRAIGHT_MS
    if straight > radius:
        return straight
    ends = graph.departures if leaving else graph.arrivals
    dist = work.dist_to if leaving else work.dist_from
    found = reached(graph.directed, ends, dist, c.edge[slot], c.from_u[slot], c.from_v[slot], leaving)
    return max(np.int64(radius), straight) if found == NO else found


@kernel
def may_be_given(
    context: KernelContext,
    rows: Int64Array,
    width: Ms,
    tasks: TaskColumns,
    i: Ms,
    hubs: Hubs,
    radius: Ms,
    out: BoolArray,
) -> None:
    """Write for rows whose places and limits are known whether they might be given task i.

    `radius` is that of the search around the task: it changes how many are left, never the answer.
    """
    graph, c, work = context.graph, context.c, context.work
    out[:] = False
    if tasks.edge[i] < 0:
        return
    n_to, n_from = spread(graph, tasks.edge[i], tasks.from_u[i], tasks.from_v[i], radius, work)
    for q in range(len(rows)):
        row = rows[q]
        if not eligible(c.ok, c.skills, c.platform, row, tasks.skills[i], tasks.platforms[i], -1):
            continue
        spare = (c.cap[row] - tasks.service[i]) * 1000 // c.factor[row] + 1
        last = row * width + c.stops[row]
        for slot in range(row * width, last + 1):
            least = least_ms(graph, c, slot, tasks, i, radius, work, True)
            if slot < last:
                least += least_ms(graph, c, slot + 1, tasks, i, radius, work, False)
            if least <= spare:
                out[q] = True
                break
            if slot == last:
                break
            most = most_between(graph, hubs, c, slot)
            # What is kept in whole milliseconds is rounded four times.
            if most == NO or least <= spare + most + 4:
                # The hubs do not decide it: the way itself does.
                most = network_leg(graph, c, slot, slot + 1, work)
                if most == NO:
                    # A plan that cannot be ridden takes no task.
                    break
                if least <= spare + most + 4:
                    out[q] = True
                    break
    clear(work, n_to, n_from)
