"""Kernels of covering problems on sparse reach lists: greedy, swaps, and the Lagrangian bound.

Reach lists are those of `siting.problems.reach`.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geo.jit import kernel
from siting.problems.reach import Reach

__all__ = [
    "CoverDual",
    "CoverState",
    "CoverTask",
    "Kicks",
    "Knapsack",
    "Pace",
    "greedy_cover",
    "iterate_cover",
    "lagrangian_cover",
    "random_below",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]
RandomState = npt.NDArray[np.uint64]


class CoverTask(NamedTuple):
    """What is to be covered, and what may be spent on it."""

    weight: FloatArray
    """(n,) Weight of each point."""
    price: FloatArray
    """(m,) Price of each site, in the unit of ``budget``."""
    budget: float
    most: int
    """Most open sites."""


class CoverState(NamedTuple):
    """Which sites are open; the kernels keep the three arrays in step."""

    times: IntArray
    """(n,) How many open sites reach each point."""
    is_open: BoolArray
    """(m,) Whether each site is open."""
    gain: FloatArray
    """(m,) Weight that each shut site would add."""


class Kicks(NamedTuple):
    """Effort of an iterated local search."""

    rounds: int
    """How often the best state is kicked and improved again."""
    sites: int
    """Open sites that one kick tries to move."""
    enough: float
    """Covered weight at which the search ends: an upper bound that was met."""


class Knapsack(NamedTuple):
    """The one constraint on sites that is not relaxed: their prices add up to the budget at most."""

    price: FloatArray
    """(m,) Price of each site: yuan, or 1 where the number of sites is limited."""
    budget: float
    is_kept: BoolArray
    """(m,) Sites that are open in any case."""


class Pace(NamedTuple):
    """How the multipliers of a Lagrangian bound move."""

    steps: int
    """Most steps."""
    step: float
    """Length of the first ones, in lengths that would close the gap along the direction taken."""
    fresh: float
    """Share (0-1) of the newest subgradient in the direction."""


class CoverDual(NamedTuple):
    """What a Lagrangian bound leaves; ``price_of_cover`` comes in filled."""

    price_of_cover: FloatArray
    """(n,) Multipliers of "a covered point needs an open site", at the best step."""
    value: FloatArray
    """(m,) Worth of each site at the best step."""
    often: FloatArray
    """(m,) Smoothed share (0-1) of steps that open each site."""


@kernel
def random_below(random: RandomState, n: int) -> int:
    """Return a number in 0..n-1 and advance the random state (xorshift64*, Vigna 2016)."""
    x = random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    random[0] = x
    return int((x * np.uint64(2685821657736338717)) >> np.uint64(33)) % n


@kernel
def _open(j: int, reach: Reach, weight: FloatArray, state: CoverState) -> float:
    """Open a shut site; return the weight it adds."""
    site_ptr, site_point, point_ptr, point_site = reach
    times, is_open, gain = state
    is_open[j] = True
    added = 0.0
    for q in range(site_ptr[j], site_ptr[j + 1]):
        i = site_point[q]
        times[i] += 1
        if times[i] == 1:
            added += weight[i]
            for r in range(point_ptr[i], point_ptr[i + 1]):
                gain[point_site[r]] -= weight[i]
    return added


@kernel
def _shut(j: int, reach: Reach, weight: FloatArray, state: CoverState) -> float:
    """Shut an open site; return the weight it loses."""
    site_ptr, site_point, point_ptr, point_site = reach
    times, is_open, gain = state
    is_open[j] = False
    lost = 0.0
    for q in range(site_ptr[j], site_ptr[j + 1]):
        i = site_point[q]
        times[i] -= 1
        if times[i] == 0:
            lost += weight[i]
            for r in range(point_ptr[i], point_ptr[i + 1]):
                gain[point_site[r]] += weight[i]
    return lost


@kernel
def _fill_up(
    reach: Reach, task: CoverTask, by_ratio: bool, state: CoverState, spent: float, count: int
) -> tuple[float, float, int]:
    """Open the site with the most gain (or gain for its price) while sites and budget last.

    Returns the weight added, what is spent then, and the number of open sites.
    """
    weight, price, budget, most = task
    _, is_open, gain = state
    added = 0.0
    while count < most:
        best = -1
        value = 1e-9
        for j in range(len(price)):
            if not is_open[j] and spent + price[j] <= budget + 1e-9:
                v = gain[j] / max(price[j], 1e-9) if by_ratio else gain[j]
                if v > value:
                    value = v
                    best = j
        if best < 0:
            break
        added += _open(best, reach, weight, state)
        spent += price[best]
        count += 1
    return added, spent, count


@kernel
def greedy_cover(reach: Reach, task: CoverTask, kept: IntArray, by_ratio: bool, state: CoverState) -> float:
    """Open the kept sites, then the best ones in turn; return the weight covered.

    Within 1 - 1/e of the optimum for unit prices: Nemhauser, Wolsey and Fisher, Math. Programming 14 (1978).

    Parameters
    ----------
    kept : sites that are opened first
    by_ratio : whether the best site is the one with most gain for its price
    state : leaves filled, whatever it held
    """
    site_ptr, site_point = reach.site_ptr, reach.site_point
    weight, price = task.weight, task.price
    times, is_open, gain = state
    m = len(price)
    times[:] = 0
    is_open[:] = False
    for j in range(m):
        gain[j] = 0.0
        for q in range(site_ptr[j], site_ptr[j + 1]):
            gain[j] += weight[site_point[q]]
    covered = 0.0
    spent = 0.0
    for k in range(len(kept)):
        covered += _open(kept[k], reach, weight, state)
        spent += price[kept[k]]
    added, _, _ = _fill_up(reach, task, by_ratio, state, spent, len(kept))
    return covered + added


@kernel
def _improve(
    reach: Reach,
    task: CoverTask,
    is_kept: BoolArray,
    state: CoverState,
    extra: FloatArray,
    chosen: IntArray,
    spent: float,
) -> tuple[float, float]:
    """Swap one open site for a shut one while that adds weight; return (weight added, spent).

    ``chosen`` are the open sites, kept up to date; ``extra`` (m,) is memory to work in.
    """
    site_ptr, site_point, point_ptr, point_site = reach
    weight, price, budget, _ = task
    times, is_open, gain = state
    m = len(price)
    p = len(chosen)
    total = 0.0
    quiet = 0
    k = 0
    while quiet < p:
        s = chosen[k]
        if not is_kept[s]:
            lost = 0.0
            extra[:] = 0.0
            for q in range(site_ptr[s], site_ptr[s + 1]):
                i = site_point[q]
                if times[i] == 1:
                    lost += weight[i]
                    for r in range(point_ptr[i], point_ptr[i + 1]):
                        extra[point_site[r]] += weight[i]
            best = -1
            value = 1e-9
            room = budget - spent + price[s] + 1e-9
            for j in range(m):
                v = gain[j] + extra[j] - lost
                if v > value and not is_open[j] and price[j] <= room:
                    value = v
                    best = j
            if best >= 0:
                _shut(s, reach, weight, state)
                _open(best, reach, weight, state)
                spent += price[best] - price[s]
                chosen[k] = best
                total += value
                quiet = 0
                k = (k + 1) % p
                continue
        quiet += 1
        k = (k + 1) % p
    return total, spent


@kernel
def _kick(
    reach: Reach,
    task: CoverTask,
    kept: IntArray,
    is_kept: BoolArray,
    sites: int,
    random: RandomState,
    state: CoverState,
    covered: float,
) -> float:
    """Shut up to so many ``sites`` at random and open a good one for each; return the weight covered."""
    price, budget = task.price, task.budget
    is_open, gain = state.is_open, state.gain
    m = len(price)
    chosen = np.nonzero(is_open)[0].astype(np.int32)
    for _ in range(sites):
        if len(chosen) == len(kept):
            break
        s = chosen[random_below(random, len(chosen))]
        if is_kept[s] or not is_open[s]:
            continue
        covered -= _shut(s, reach, task.weight, state)
        # a good one of eight drawn at random, so that the way back is not always the same
        pick = -1
        spent = price[is_open].sum()
        for _ in range(8):
            j = random_below(random, m)
            fits = not is_open[j] and spent + price[j] <= budget + 1e-9
            if fits and (pick < 0 or gain[j] > gain[pick]):
                pick = j
        if pick >= 0:
            covered += _open(pick, reach, task.weight, state)
    return covered


@kernel
def iterate_cover(
    reach: Reach,
    task: CoverTask,
    kept: IntArray,
    kicks: Kicks,
    random: RandomState,
    state: CoverState,
    covered: float,
) -> tuple[float, BoolArray]:
    """Improve a greedy state by swaps, then kick it and improve again.

    Interchange after Teitz and Bart, Operations Research 16 (1968), as an iterated local search
    (Lourenco, Martin and Stuetzle 2003).

    Parameters
    ----------
    kept : sites that stay open
    state, covered : the greedy state and the weight that it covers

    Returns
    -------
    The best weight covered, and (m,) which sites are open in it.
    """
    weight, price, is_open = task.weight, task.price, state.is_open
    m = len(price)
    is_kept = np.zeros(m, dtype=np.bool_)
    is_kept[kept] = True
    extra = np.zeros(m)
    best = is_open.copy()
    best_covered = -1.0
    for turn in range(kicks.rounds + 1):
        if turn > 0:
            covered = _kick(reach, task, kept, is_kept, kicks.sites, random, state, covered)
        spent = price[is_open].sum()
        while True:
            count = len(np.nonzero(is_open)[0])
            added, spent, _ = _fill_up(reach, task, False, state, spent, count)
            chosen = np.nonzero(is_open)[0].astype(np.int32)
            swapped, spent = _improve(reach, task, is_kept, state, extra, chosen, spent)
            covered += added + swapped
            if swapped <= 0.0:
                break
        if covered > best_covered + 1e-9:
            best_covered = covered
            best[:] = is_open
            if best_covered >= kicks.enough - 1e-9:
                break
        elif covered < best_covered - 1e-9 and random_below(random, 10) < 9:
            for j in range(m):
                if is_open[j] and not best[j]:
                    _shut(j, reach, weight, state)
            for j in range(m):
                if best[j] and not is_open[j]:
                    _open(j, reach, weight, state)
            covered = best_covered
    return best_covered, best


@kernel
def _fill_knapsack(knapsack: Knapsack, worth: FloatArray, share: FloatArray) -> tuple[float, float]:
    """Fill the continuous knapsack; return the worth inside and the dual price of the budget.

    ``worth`` (m,) is that of each site, ``share`` (m,) leaves as the share (0-1) of it that is inside.
    """
    price, left, is_kept = knapsack
    m = len(price)
    bound = 0.0
    ratio = np.empty(m)
    for j in range(m):
        share[j] = 0.0
        if is_kept[j]:
            left -= price[j]
            bound += worth[j]
            share[j] = 1.0
            ratio[j] = -1.0
        else:
            ratio[j] = worth[j] / max(price[j], 1e-12)
    order = np.argsort(-ratio)
    theta = 0.0
    for q in range(m):
        j = order[q]
        if is_kept[j] or worth[j] <= 0.0:
            continue
        take = min(1.0, left / price[j]) if price[j] > 0 else 1.0
        if take <= 0.0:
            theta = ratio[j]
            break
        share[j] = take
        bound += take * worth[j]
        left -= take * price[j]
        if take < 1.0:
            theta = ratio[j]
            break
    return bound, theta


@kernel
def lagrangian_cover(
    reach: Reach, weight: FloatArray, knapsack: Knapsack, least: float, pace: Pace, dual: CoverDual
) -> tuple[float, float]:
    """Bound the covered weight from above by relaxing "a covered point needs an open site".

    Subgradient steps (Held, Wolfe and Crowder 1974; Galvao and ReVelle, EJOR 88 (1996)). Directions are
    smoothed (Camerini, Fratta and Maffioli 1975): it brings the bound five times nearer in as many steps. The
    rest is a continuous knapsack over sites. The smoothed shares are near the linear optimum: the volume
    algorithm of Barahona and Anbil, Math. Programming 87 (2000).

    Parameters
    ----------
    weight : (n,) weight of each point
    least : weight of a choice that is known; steps end where the bound meets it
    pace : how many steps, how long, how smooth
    dual : its prices come in filled; it leaves with those of the best step

    Returns
    -------
    bound, dual price of the budget
    """
    site_ptr, site_point = reach.site_ptr, reach.site_point
    price_of_cover, value, often = dual
    n, m = len(weight), len(value)
    lam = price_of_cover.copy()
    best = np.inf
    best_theta = 0.0
    s = np.empty(m)
    slope = np.empty(n)
    way = np.zeros(n)
    share = np.empty(m)
    steps, step, fresh = pace
    idle = 0
    for _ in range(steps):
        for j in range(m):
            v = 0.0
            for q in range(site_ptr[j], site_ptr[j + 1]):
                v += lam[site_point[q]]
            s[j] = v
        bound, theta = _fill_knapsack(knapsack, s, share)
        for i in range(n):
            if weight[i] > lam[i]:
                bound += weight[i] - lam[i]
                slope[i] = -1.0
            else:
                slope[i] = 0.0
        for j in range(m):
            if share[j] > 0.0:
                for q in range(site_ptr[j], site_ptr[j + 1]):
                    slope[site_point[q]] += share[j]
        if bound < best:
            best = bound
            best_theta = theta
            price_of_cover[:] = lam
            value[:] = s
            idle = 0
        else:
            idle += 1
            if idle >= 20:
                step *= 0.7
                idle = 0
        for j in range(m):
            often[j] = 0.93 * often[j] + 0.07 * share[j]
        norm = 0.0
        for i in range(n):
            way[i] = (1.0 - fresh) * way[i] + fresh * slope[i]
            norm += way[i] * way[i]
        if norm < 1e-9 or step < 1e-5 or best <= least + 1e-9:
            break
        t = step * (bound - least) / norm
        for i in range(n):
            lam[i] = min(weight[i], max(0.0, lam[i] - t * way[i]))
    return best, best_theta
