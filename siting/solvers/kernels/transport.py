"""Kernels of capacitated service: least-cost transport to chosen sites, greedy filling, worth of sites.

Demand is divisible. ``seconds`` are the times of a `Reach`, in the order of its points by site.
"""

import numpy as np
import numpy.typing as npt

from geo.jit import kernel
from siting.problems.reach import Reach

__all__ = ["fill_greedily", "site_worth", "transport", "use_of_sites"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
PtrArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@kernel
def _shift_costs(k: int, cost: FloatArray, here: FloatArray, shift: FloatArray, who: PtrArray) -> None:
    """Fill row k: the least rise in seconds when a minute served by site k goes to each other site."""
    n, p = cost.shape
    shift[k, :] = np.inf
    for i in range(n):
        if here[i, k] > 1e-9:
            for q in range(p):
                v = cost[i, q] - cost[i, k]
                if v < shift[k, q]:
                    shift[k, q] = v
                    who[k, q] = i


@kernel
def _start_at_nearest(cost: FloatArray, weight: FloatArray, here: FloatArray, load: FloatArray) -> float:
    """Send each point to its nearest site, whatever that holds; return the minutes that reach none."""
    n, p = cost.shape
    lost = 0.0
    for i in range(n):
        best = -1
        for k in range(p):
            if cost[i, k] < np.inf and (best < 0 or cost[i, k] < cost[i, best]):
                best = k
        if best < 0:
            lost += weight[i]
        else:
            here[i, best] = weight[i]
            load[best] += weight[i]
    return lost


@kernel
def _chains(source: int, shift: FloatArray, far: FloatArray, via: PtrArray) -> None:
    """Fill (p,) the least rise in seconds of moving a minute to each other site, and the site before."""
    p = len(far)
    far[:] = np.inf
    far[source] = 0.0
    via[:] = -1
    for _ in range(p):
        changed = False
        for k in range(p):
            if far[k] < np.inf:
                for q in range(p):
                    v = far[k] + shift[k, q]
                    if q != source and v < far[q] - 1e-9:
                        far[q] = v
                        via[q] = k
                        changed = True
        if not changed:
            break


@kernel
def transport(
    cost: FloatArray, weight: FloatArray, holds: FloatArray, here: FloatArray
) -> tuple[float, float]:
    """Serve all demand from p sites at least cost; return (weight x seconds, minutes that find no room).

    Each point starts at its nearest site; what a site cannot hold moves along the shortest chain of shifts
    to one with room (successive shortest paths: Ahuja, Magnanti and Orlin 1993, section 9.7).

    Parameters
    ----------
    cost : (n, p) seconds to each chosen site, inf where out of reach
    weight : (n,) minutes
    holds : (p,) minutes
    here : (n, p), leaves as the minutes each point gets from each site
    """
    n, p = cost.shape
    load = np.zeros(p)
    here[:, :] = 0.0
    lost = _start_at_nearest(cost, weight, here, load)
    shift = np.empty((p, p))
    who = np.zeros((p, p), dtype=np.int64)
    for k in range(p):
        _shift_costs(k, cost, here, shift, who)
    far = np.empty(p)
    via = np.empty(p, dtype=np.int64)
    for source in range(p):
        while load[source] > holds[source] + 1e-7:
            _chains(source, shift, far, via)
            goal = -1
            for k in range(p):
                if holds[k] - load[k] > 1e-7 and far[k] < np.inf and (goal < 0 or far[k] < far[goal]):
                    goal = k
            over = load[source] - holds[source]
            if goal < 0:
                # nothing more leaves this site: it stays as full as it may be
                lost += over
                for i in range(n):
                    cut = min(over, here[i, source])
                    here[i, source] -= cut
                    over -= cut
                load[source] = holds[source]
                _shift_costs(source, cost, here, shift, who)
                break
            amount = min(over, holds[goal] - load[goal])
            k = goal
            while k != source:
                amount = min(amount, here[who[via[k], k], via[k]])
                k = via[k]
            k = goal
            while k != source:
                i = who[via[k], k]
                here[i, via[k]] -= amount
                here[i, k] += amount
                k = via[k]
            load[source] -= amount
            load[goal] += amount
            k = goal
            while True:
                _shift_costs(k, cost, here, shift, who)
                if k == source:
                    break
                k = via[k]
    total = 0.0
    for i in range(n):
        for k in range(p):
            if here[i, k] > 0.0:
                total += here[i, k] * cost[i, k]
    return total, lost


@kernel
def fill_greedily(
    reach: Reach, weight: FloatArray, holds: FloatArray, guide: FloatArray, is_open: BoolArray
) -> float:
    """Open sites by minutes served for their (guiding) price until all is served; return what is left.

    Sites that are open on entry are filled first. A site serves the points first that few sites reach. Points
    without demand count a little, so that they are reached too.
    """
    site_ptr, site_point, point_ptr = reach.site_ptr, reach.site_point, reach.point_ptr
    n, m = len(weight), len(holds)
    left = weight.copy()
    bare = np.ones(n, dtype=np.bool_)
    few = np.empty(n)
    for i in range(n):
        few[i] = point_ptr[i + 1] - point_ptr[i]
    rest = float(weight.sum())
    waits = np.nonzero(is_open)[0]
    turn = 0
    while True:
        best = -1
        if turn < len(waits):
            best = waits[turn]
            turn += 1
        else:
            top = 0.0
            for j in range(m):
                if is_open[j]:
                    continue
                v = 0.0
                new = 0
                for q in range(site_ptr[j], site_ptr[j + 1]):
                    v += left[site_point[q]]
                    if bare[site_point[q]]:
                        new += 1
                v = (min(v, holds[j]) + 1e-6 * new) / max(guide[j], 1e-9)
                if v > top:
                    top = v
                    best = j
            if best < 0:
                return rest
        is_open[best] = True
        points = site_point[site_ptr[best] : site_ptr[best + 1]]
        room = holds[best]
        for q in np.argsort(few[points]):
            i = points[q]
            bare[i] = False
            amount = min(room, left[i])
            left[i] -= amount
            room -= amount
            rest -= amount
        if turn >= len(waits) and rest <= 1e-7:
            every = True
            for i in range(n):
                if bare[i]:
                    every = False
                    break
            if every:
                return 0.0


@kernel
def site_worth(
    reach: Reach,
    seconds: FloatArray,
    weight: FloatArray,
    price: FloatArray,
    holds: FloatArray,
    worth: FloatArray,
) -> None:
    """Fill (m,) what each site earns at most: minutes within its capacity, each worth price - seconds."""
    site_ptr, site_point = reach.site_ptr, reach.site_point
    for j in range(len(holds)):
        gain = 0.0
        load = 0.0
        count = 0
        for q in range(site_ptr[j], site_ptr[j + 1]):
            v = price[site_point[q]] - seconds[q]
            if v > 0.0:
                gain += v * weight[site_point[q]]
                load += weight[site_point[q]]
                count += 1
        if load > holds[j]:
            values = np.empty(count)
            points = np.empty(count, dtype=np.int64)
            c = 0
            for q in range(site_ptr[j], site_ptr[j + 1]):
                v = price[site_point[q]] - seconds[q]
                if v > 0.0:
                    values[c] = v
                    points[c] = site_point[q]
                    c += 1
            gain = 0.0
            room = holds[j]
            for q in np.argsort(-values):
                amount = min(room, weight[points[q]])
                gain += amount * values[q]
                room -= amount
                if room <= 0.0:
                    break
        worth[j] = gain


@kernel
def use_of_sites(
    reach: Reach,
    seconds: FloatArray,
    weight: FloatArray,
    price: FloatArray,
    holds: FloatArray,
    inside: BoolArray,
    used: FloatArray,
) -> None:
    """Add to ``used`` (n,) the minutes that the sites inside serve in `site_worth`."""
    site_ptr, site_point = reach.site_ptr, reach.site_point
    for j in range(len(holds)):
        if not inside[j]:
            continue
        points = site_point[site_ptr[j] : site_ptr[j + 1]]
        values = price[points] - seconds[site_ptr[j] : site_ptr[j + 1]]
        room = holds[j]
        for q in np.argsort(-values):
            if values[q] <= 0.0 or room <= 0.0:
                break
            amount = min(room, weight[points[q]])
            used[points[q]] += amount
            room -= amount
