"""Kernels of station plans: what a site is worth at given prices, and how a set of options serves demand.

Demand is laid out (hours, points).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geo.jit import kernel
from siting.problems.reach import Reach

__all__ = ["Groups", "Options", "serve_plan", "site_values", "use_of_options"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
PtrArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Options(NamedTuple):
    """Ways to run a site, of which one may be chosen."""

    site: PtrArray
    """(o,) Site of each option."""
    hold: FloatArray
    """(o,) Rider-minutes an hour it serves at most."""
    open_: BoolArray
    """(o, h) Whether it is open in each hour."""


class Groups(NamedTuple):
    """Groups of points, and what is served in them."""

    of_point: PtrArray
    """(n,) Group of each point, -1: none."""
    served: FloatArray
    """(g,) Rider-minutes served in each group."""


@kernel
def site_values(
    reach: Reach, weight: FloatArray, price: FloatArray, holds: FloatArray, value: FloatArray
) -> None:
    """Fill (capacities, m, h) the best worth of each site and hour at each capacity of ``holds`` (ascending).

    A rider-minute of point i in hour h is worth ``1 - price[h, i]``; the dearest are served first.
    """
    site_ptr, site_point = reach.site_ptr, reach.site_point
    hours = weight.shape[0]
    m = len(site_ptr) - 1
    for j in range(m):
        a, b = site_ptr[j], site_ptr[j + 1]
        points = site_point[a:b]
        worth = np.empty(b - a)
        for h in range(hours):
            for q in range(b - a):
                worth[q] = 1.0 - price[h, points[q]]
            order = np.argsort(-worth)
            filled = 0.0
            total = 0.0
            c = 0
            for r in range(b - a):
                q = order[r]
                w = weight[h, points[q]]
                if worth[q] <= 0.0:
                    break
                while c < len(holds) and filled + w > holds[c]:
                    value[c, j, h] = total + (holds[c] - filled) * worth[q]
                    c += 1
                if c == len(holds):
                    break
                filled += w
                total += w * worth[q]
            for k in range(c, len(holds)):
                value[k, j, h] = total


@kernel
def use_of_options(
    reach: Reach,
    weight: FloatArray,
    price: FloatArray,
    options: Options,
    share: FloatArray,
    used: FloatArray,
) -> None:
    """Add to ``used`` (h, n) what the options with a ``share`` (o,) above 0 serve in `site_values`."""
    site_ptr, site_point = reach.site_ptr, reach.site_point
    option_site, option_hold, option_open = options
    hours = weight.shape[0]
    for o in range(len(option_site)):
        if share[o] <= 0.0:
            continue
        j = option_site[o]
        a, b = site_ptr[j], site_ptr[j + 1]
        points = site_point[a:b]
        worth = np.empty(b - a)
        for h in range(hours):
            if not option_open[o, h]:
                continue
            for q in range(b - a):
                worth[q] = 1.0 - price[h, points[q]]
            order = np.argsort(-worth)
            left = option_hold[o]
            for r in range(b - a):
                q = order[r]
                if worth[q] <= 0.0 or left <= 0.0:
                    break
                amount = min(left, weight[h, points[q]])
                used[h, points[q]] += share[o] * amount
                left -= amount


@kernel
def _open_sites(reach: Reach, sites: PtrArray, n: int) -> tuple[PtrArray, IntArray, PtrArray]:
    """Return the open sites of each point as lists, and the points that have any.

    Returns
    -------
    ptr : (n + 1,) where the list of each point begins in ``near``
    near : places in ``sites``
    order : points with an open site, those with fewest first
    """
    site_ptr, site_point = reach.site_ptr, reach.site_point
    p = len(sites)
    times = np.zeros(n, dtype=np.int32)
    for k in range(p):
        for q in range(site_ptr[sites[k]], site_ptr[sites[k] + 1]):
            times[site_point[q]] += 1
    ptr = np.zeros(n + 1, dtype=np.int64)
    for i in range(n):
        ptr[i + 1] = ptr[i] + times[i]
    cursor = ptr[:-1].copy()
    near = np.empty(ptr[n], dtype=np.int32)
    for k in range(p):
        for q in range(site_ptr[sites[k]], site_ptr[sites[k] + 1]):
            i = site_point[q]
            near[cursor[i]] = k
            cursor[i] += 1
    # counting sort by the number of open sites, stable
    slot = np.zeros(p + 2, dtype=np.int64)
    for i in range(n):
        slot[times[i] + 1] += 1
    slot[1] = 0
    for t in range(1, p + 1):
        slot[t + 1] += slot[t]
    order = np.empty(slot[p + 1], dtype=np.int64)
    for i in range(n):
        if times[i] > 0:
            order[slot[times[i]]] = i
            slot[times[i]] += 1
    return ptr, near, order


@kernel
def serve_plan(
    reach: Reach,
    weight: FloatArray,
    options: Options,
    chosen: PtrArray,
    exact: bool,
    flow: FloatArray,
    groups: Groups,
) -> float:
    """Serve demand by the chosen options; return the rider-minutes served.

    Points with the fewest open sites are served first, by the site with most room. With ``exact`` augmenting
    paths (Ford and Fulkerson 1956) then make it a maximum flow, hour by hour.

    Parameters
    ----------
    weight : (h, n) rider-minutes
    chosen : options, one a site
    flow : (chosen, h, n), filled only if it is not empty and the flow ``exact``
    groups : leave with the minutes served before augmenting, which only ever adds to them
    """
    _, option_hold, option_open = options
    group, by_group = groups
    hours, n = weight.shape
    p = len(chosen)
    total = 0.0
    ptr, near, order = _open_sites(reach, options.site[chosen], n)
    keep = flow.size > 0
    by_group[:] = 0.0
    here = np.zeros((n if exact else 1, p))
    room = np.empty(p)
    for h in range(hours):
        for k in range(p):
            room[k] = option_hold[chosen[k]] if option_open[chosen[k], h] else 0.0
        if exact:
            here[:, :] = 0.0
        short = 0
        for r in range(len(order)):
            i = order[r]
            left = weight[h, i]
            while left > 1e-9:
                best = -1
                for q in range(ptr[i], ptr[i + 1]):
                    k = near[q]
                    if room[k] > 1e-9 and (best < 0 or room[k] > room[best]):
                        best = k
                if best < 0:
                    break
                amount = min(left, room[best])
                room[best] -= amount
                left -= amount
                total += amount
                if exact:
                    here[i, best] += amount
            if group[i] >= 0:
                by_group[group[i]] += weight[h, i] - left
            if left > 1e-9:
                short += 1
        if not exact:
            continue
        if short > 0:
            total += _augment(order, ptr, near, weight[h], here, room)
        if keep:
            for k in range(p):
                for i in range(n):
                    flow[k, h, i] = here[i, k]
    return total


@kernel
def _augment(
    order: PtrArray, ptr: PtrArray, near: IntArray, weight: FloatArray, here: FloatArray, room: FloatArray
) -> float:
    """Push unserved demand along paths point - site - point - ... - site with room; return what was added."""
    p = len(room)
    added = 0.0
    # what led to no room once never will again
    dead = np.zeros(p, dtype=np.bool_)
    parent_point = np.empty(p, dtype=np.int64)
    parent_site = np.empty(p, dtype=np.int64)
    queue = np.empty(p, dtype=np.int64)
    for r in range(len(order)):
        i = order[r]
        left = weight[i] - here[i].sum()
        while left > 1e-7:
            seen = np.zeros(p, dtype=np.bool_)
            tail = 0
            for q in range(ptr[i], ptr[i + 1]):
                k = near[q]
                if dead[k]:
                    continue
                seen[k] = True
                parent_point[k] = i
                parent_site[k] = -1
                queue[tail] = k
                tail += 1
            head = 0
            goal = -1
            while head < tail:
                k = queue[head]
                head += 1
                if room[k] > 1e-7:
                    goal = k
                    break
                for q in range(len(order)):
                    other = order[q]
                    if here[other, k] > 1e-7:
                        for e in range(ptr[other], ptr[other + 1]):
                            to = near[e]
                            if not seen[to] and not dead[to]:
                                seen[to] = True
                                parent_point[to] = other
                                parent_site[to] = k
                                queue[tail] = to
                                tail += 1
            if goal < 0:
                for q in range(tail):
                    dead[queue[q]] = True
                break
            amount = min(left, room[goal])
            k = goal
            while parent_site[k] >= 0:
                amount = min(amount, here[parent_point[k], parent_site[k]])
                k = parent_site[k]
            room[goal] -= amount
            k = goal
            while parent_site[k] >= 0:
                here[parent_point[k], k] += amount
                here[parent_point[k], parent_site[k]] -= amount
                k = parent_site[k]
            here[i, k] += amount
            left -= amount
            added += amount
    return added
