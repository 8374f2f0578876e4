"""Kernels of the p-median: greedy, interchange with kicks, and a Lagrangian bound.

Interchange with the gains of Whitaker (INFOR 21, 1983) and Resende and Werneck (EJOR 174, 2007), on sites
sorted by value for each point, so that a pass looks only at sites nearer than the second nearest
open one. Bound by relaxing "each point is served" (Cornuejols, Fisher and Nemhauser 1977).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geo.jit import kernel
from siting.solvers.kernels.cover import RandomState, random_below

__all__ = [
    "Descent",
    "MedianDual",
    "NearSites",
    "Ranking",
    "bound_median",
    "greedy_median",
    "iterate_median",
    "near_sites",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]
Status = npt.NDArray[np.int8]

# sites that a list has in any case beyond those below the multiplier
_MORE = 8


class Ranking(NamedTuple):
    """The sites of each point by rising value: weight x seconds."""

    order: IntArray
    """(n, m) Sites."""
    ranked: FloatArray
    """(n, m) Their values."""


class NearSites(NamedTuple):
    """The sites that a bound looks at, point after point, by rising value."""

    ptr: npt.NDArray[np.int64]
    """(n + 1,) Rows of the next columns."""
    site: IntArray
    value: FloatArray
    top: FloatArray
    """(n,) Multipliers stay below: all sites of less value that are not shut are in the list."""


class Descent(NamedTuple):
    """How the multipliers move."""

    steps: int
    step: float
    """Of the first step, as a share of the way to what is to be shown."""
    target: float
    """The bound is as good as need be above it."""


class MedianDual(NamedTuple):
    """What a Lagrangian bound leaves; ``price`` comes in filled."""

    price: FloatArray
    """(n,) Multipliers of "each point is served", at the best step; weight x seconds."""
    worth: FloatArray
    """(m,) The (negative) sum that each site brings there."""
    often: FloatArray
    """(m,) Smoothed share (0-1) of steps that open each site."""


class _Nearest(NamedTuple):
    """The two nearest open sites of each point."""

    first: IntArray
    """(n,) The nearest open site."""
    near: FloatArray
    """(n,) Its value."""
    next_: FloatArray
    """(n,) Value of the second nearest, inf without any."""


class _Swaps(NamedTuple):
    """Memory in which all swaps are weighed."""

    slot: IntArray
    """(m,) Place of each open site among the p open ones."""
    gain: FloatArray
    """(m,) What opening each site saves."""
    extra: FloatArray
    """(m, p) How much less it costs to shut an open site where this one opens."""


@kernel
def _two_nearest(ranking: Ranking, is_open: BoolArray, nearest: _Nearest) -> None:
    """Fill the two nearest open sites of each point."""
    order, ranked = ranking
    first, near, next_ = nearest
    n, m = ranked.shape
    for i in range(n):
        found = 0
        near[i] = np.inf
        next_[i] = np.inf
        for q in range(m):
            j = order[i, q]
            if is_open[j]:
                if found == 0:
                    first[i] = j
                    near[i] = ranked[i, q]
                    found = 1
                else:
                    next_[i] = ranked[i, q]
                    break


@kernel
def greedy_median(by_site: FloatArray, ranking: Ranking, p: int, is_open: BoolArray, far: float) -> None:
    """Open the site that saves most until p are open; ``far`` is the value of a point without any.

    ``by_site`` (m, n) are the values that are ranked.
    """
    order, ranked = ranking
    n, m = ranked.shape
    near = np.full(n, far)
    count = 0
    for j in range(m):
        if is_open[j]:
            count += 1
            for i in range(n):
                near[i] = min(near[i], by_site[j, i])
    gain = np.empty(m)
    while count < p:
        gain[:] = 0.0
        for i in range(n):
            for q in range(m):
                if ranked[i, q] >= near[i]:
                    break
                gain[order[i, q]] += near[i] - ranked[i, q]
        best = -1
        for j in range(m):
            if not is_open[j] and (best < 0 or gain[j] > gain[best]):
                best = j
        is_open[best] = True
        count += 1
        for i in range(n):
            near[i] = min(near[i], by_site[best, i])


@kernel
def _improve(
    ranking: Ranking, is_kept: BoolArray, is_open: BoolArray, nearest: _Nearest, swaps: _Swaps
) -> None:
    """Make the best swap of an open site for a shut one while it saves anything.

    ``nearest`` comes in filled for the open sites and leaves so.
    """
    order, ranked = ranking
    first, near, next_ = nearest
    slot, gain, extra = swaps
    n, m = ranked.shape
    loss = np.empty(extra.shape[1])
    while True:
        chosen = np.nonzero(is_open)[0]
        p = len(chosen)
        for k in range(p):
            slot[chosen[k]] = k
        loss[:] = 0.0
        gain[:] = 0.0
        extra[:, :] = 0.0
        for i in range(n):
            a, b = near[i], next_[i]
            k = slot[first[i]]
            loss[k] += b - a
            for q in range(m):
                j = order[i, q]
                v = ranked[i, q]
                if v >= b:
                    break
                if v < a:
                    gain[j] += a - v
                    extra[j, k] += b - a
                else:
                    extra[j, k] += b - v
        best = 1e-7
        best_in = -1
        best_out = -1
        for j in range(m):
            if is_open[j]:
                continue
            for k in range(p):
                if is_kept[chosen[k]]:
                    continue
                profit = gain[j] - loss[k] + extra[j, k]
                if profit > best:
                    best = profit
                    best_in = j
                    best_out = chosen[k]
        if best_in < 0:
            return
        is_open[best_out] = False
        is_open[best_in] = True
        _two_nearest(ranking, is_open, nearest)


@kernel
def iterate_median(
    ranking: Ranking,
    is_kept: BoolArray,
    is_open: BoolArray,
    rounds: int,
    enough: float,
    random: RandomState,
) -> float:
    """Improve, then kick and improve ``rounds`` times; leave the best set in ``is_open``.

    Returns its total; the search ends early where that is not above ``enough``.
    """
    n, m = ranking.ranked.shape
    p = 0
    free = 0
    for j in range(m):
        if is_open[j]:
            p += 1
            if not is_kept[j]:
                free += 1
    near = np.empty(n)
    nearest = _Nearest(np.zeros(n, dtype=np.int32), near, np.empty(n))
    swaps = _Swaps(np.zeros(m, dtype=np.int32), np.empty(m), np.empty((m, p)))
    best = is_open.copy()
    total = np.inf
    for turn in range(rounds + 1):
        if turn > 0 and free > 0 and p < m:
            for _ in range(min(free, 2 + random_below(random, 3))):
                out = random_below(random, m)
                while not is_open[out] or is_kept[out]:
                    out = (out + 1) % m
                into = random_below(random, m)
                while is_open[into]:
                    into = (into + 1) % m
                is_open[out] = False
                is_open[into] = True
        _two_nearest(ranking, is_open, nearest)
        if p < m:
            _improve(ranking, is_kept, is_open, nearest, swaps)
        value = 0.0
        for i in range(n):
            value += near[i]
        if value <= total:
            total = value
            best[:] = is_open
        else:
            is_open[:] = best
        if total <= enough:
            break
    is_open[:] = best
    return total


@kernel
def near_sites(ranking: Ranking, status: Status, price: FloatArray, near: NearSites) -> bool:
    """List the sites below each multiplier, and half as many beyond; tell whether there was room for them.

    What lies beyond the first site that is open in any case serves nobody better and is left out.
    """
    order, ranked = ranking
    ptr, site, value, top = near
    n, m = ranked.shape
    filled = 0
    ptr[0] = 0
    for i in range(n):
        below = 0
        first = filled
        top[i] = np.inf
        for q in range(m):
            j = order[i, q]
            if status[j] < 0:
                continue
            v = ranked[i, q]
            if v < price[i]:
                below += 1
            elif filled - first > below + below // 2 + _MORE:
                top[i] = v
                break
            if filled == len(site):
                return False
            site[filled] = j
            value[filled] = v
            filled += 1
            if status[j] > 0:
                top[i] = v
                break
        ptr[i + 1] = filled
    return True


@kernel
def bound_median(
    near: NearSites, by_site: FloatArray, p: int, status: Status, descent: Descent, dual: MedianDual
) -> tuple[float, float, float]:
    """Bound the total from below; return it, the worth of the last site it opens and of the next one.

    ``status`` (m,) is 1 for sites that are open, -1 for sites that stay shut, 0 for free ones; of the latter
    p at least must be there with the open ones. ``dual`` leaves with the multipliers of the best step.
    """
    ptr, site, value, top = near
    steps, step, target = descent
    price, worth, often = dual
    n, m = len(price), len(worth)
    lam = np.minimum(price, top)
    rho = np.empty(m)
    slope = np.empty(n)
    way = np.zeros(n)
    free = np.nonzero(status == 0)[0]
    inside = np.nonzero(status > 0)[0]
    k = p - len(inside)
    # the k + 1 free sites of least worth, sorted
    least = np.empty(k + 1)
    which = np.empty(k + 1, np.int64)
    best = -np.inf
    edge = 0.0
    after = 0.0
    idle = 0
    for _ in range(steps):
        rho[:] = 0.0
        bound = 0.0
        for i in range(n):
            bound += lam[i]
            for q in range(ptr[i], ptr[i + 1]):
                v = value[q] - lam[i]
                if v >= 0.0:
                    break
                rho[site[q]] += v
        count = 0
        for j in free:
            if count <= k or rho[j] < least[k]:
                at = min(count, k)
                count = min(count + 1, k + 1)
                while at > 0 and least[at - 1] > rho[j]:
                    least[at] = least[at - 1]
                    which[at] = which[at - 1]
                    at -= 1
                least[at] = rho[j]
                which[at] = j
        slope[:] = 1.0
        for j in inside:
            bound += rho[j]
            for i in range(n):
                slope[i] -= 1.0 if by_site[j, i] < lam[i] else 0.0
        for j in free:
            often[j] *= 0.95
        for at in range(k):
            j = which[at]
            bound += rho[j]
            often[j] += 0.05
            for i in range(n):
                slope[i] -= 1.0 if by_site[j, i] < lam[i] else 0.0
        norm = 0.0
        for i in range(n):
            way[i] = 0.7 * way[i] + 0.3 * slope[i]
            norm += way[i] * way[i]
        if bound > best:
            best = bound
            edge = least[k - 1] if k > 0 else -np.inf
            after = least[k] if count > k else np.inf
            price[:] = lam
            worth[:] = rho
            idle = 0
        else:
            idle += 1
            if idle >= 15:
                step *= 0.75
                idle = 0
        if norm < 1e-9 or step < 1e-5 or best > target:
            break
        t = step * max(target - bound, 1e-9) / norm
        for i in range(n):
            lam[i] = min(top[i], max(0.0, lam[i] + t * way[i]))
    return best, edge, after
