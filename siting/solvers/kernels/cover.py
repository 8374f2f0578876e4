"""Kernels of covering problems on sparse reach lists: greedy, swaps, and the Lagrangian bound.

Reach lists are those of `siting.problems.reach`. A state is three arrays that the kernels keep in step: how
many
open sites reach each point (``times``), which sites are open (``is_open``), and the weight each shut site
would add (``gain``).
"""

import numpy as np
import numpy.typing as npt

from geo.jit import kernel

__all__ = ["greedy_cover", "iterate_cover", "lagrangian_cover", "random_below"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
PtrArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
State = npt.NDArray[np.uint64]


@kernel
def random_below(state: State, n: int) -> int:
    """Return a number in 0..n-1 and advance the state (xorshift64*, Vigna 2016)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return int((x * np.uint64(2685821657736338717)) >> np.uint64(33)) % n


@kernel
def _open(
    j: int,
    site_ptr: PtrArray,
    site_point: IntArray,
    point_ptr: PtrArray,
    point_site: IntArray,
    weight: FloatArray,
    times: IntArray,
    is_open: BoolArray,
    gain: FloatArray,
) -> float:
    """Open a shut site; return the weight it adds."""
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
def _shut(
    j: int,
    site_ptr: PtrArray,
    site_point: IntArray,
    point_ptr: PtrArray,
    point_site: IntArray,
    weight: FloatArray,
    times: IntArray,
    is_open: BoolArray,
    gain: FloatArray,
) -> float:
    """Shut an open site; return the weight it loses."""
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
    site_ptr: PtrArray,
    site_point: IntArray,
    point_ptr: PtrArray,
    point_site: IntArray,
    weight: FloatArray,
    price: FloatArray,
    budget: float,
    most: int,
    by_ratio: bool,
    times: IntArray,
    is_open: BoolArray,
    gain: FloatArray,
    spent: float,
    count: int,
) -> tuple[float, float, int]:
    """Open the site with the most gain (or gain for its price) while sites and budget last."""
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
        added += _open(best, site_ptr, site_point, point_ptr, point_site, weight, times, is_open, gain)
        spent += price[best]
        count += 1
    return added, spent, count


@kernel
def greedy_cover(
    site_ptr: PtrArray,
    site_point: IntArray,
    point_ptr: PtrArray,
    point_site: IntArray,
    weight: FloatArray,
    price: FloatArray,
    budget: float,
    most: int,
    kept: IntArray,
    by_ratio: bool,
    times: IntArray,
    is_open: BoolArray,
    gain: FloatArray,
) -> float:
    """Open the kept sites, then the best ones in turn; return the weight covered.

    Within 1 - 1/e of the optimum for unit prices: Nemhauser, Wolsey and Fisher, Math. Programming 14 (1978).
    """
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
        covered += _open(kept[k], site_ptr, site_point, point_ptr, point_site, weight, times, is_open, gain)
        spent += price[kept[k]]
    added, _, _ = _fill_up(
        site_ptr,
        site_point,
        point_ptr,
        point_site,
        weight,
        price,
        budget,
        most,
        by_ratio,
        times,
        is_open,
        gain,
        spent,
        len(kept),
    )
    return covered + added


@kernel
def _improve(
    site_ptr: PtrArray,
    site_point: IntArray,
    point_ptr: PtrArray,
    point_site: IntArray,
    weight: FloatArray,
    price: FloatArray,
    budget: float,
    is_kept: BoolArray,
    times: IntArray,
    is_open: BoolArray,
    gain: FloatArray,
    extra: FloatArray,
    chosen: IntArray,
    spent: float,
) -> tuple[float, float]:
    """Swap one open site for a shut one while that adds weight; return (weight added, spent)."""
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
                _shut(s, site_ptr, site_point, point_ptr, point_site, weight, times, is_open, gain)
                _open(best, site_ptr, site_point, point_ptr, point_site, weight, times, is_open, gain)
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
def iterate_cover(
    site_ptr: PtrArray,
    site_point: IntArray,
    point_ptr: PtrArray,
    point_site: IntArray,
    weight: FloatArray,
    price: FloatArray,
    budget: float,
    most: int,
    kept: IntArray,
    rounds: int,
    kick: int,
    state: State,
    times: IntArray,
    is_open: BoolArray,
    gain: FloatArray,
    covered: float,
    enough: float,
) -> tuple[float, BoolArray]:
    """Improve a greedy state by swaps, then kick it and improve again ``rounds`` times.

    Interchange after Teitz and Bart, Operations Research 16 (1968), as an iterated local search
    (Lourenco, Martin and Stuetzle 2003). Stops early at ``enough`` (an upper bound that was met).
    Returns the best weight covered and which sites are open in it.
    """
    m = len(price)
    is_kept = np.zeros(m, dtype=np.bool_)
    is_kept[kept] = True
    extra = np.zeros(m)
    best = is_open.copy()
    best_covered = -1.0
    for turn in range(rounds + 1):
        if turn > 0:
            chosen = np.nonzero(is_open)[0].astype(np.int32)
            for _ in range(kick):
                if len(chosen) == len(kept):
                    break
                s = chosen[random_below(state, len(chosen))]
                if is_kept[s] or not is_open[s]:
                    continue
                covered -= _shut(s, site_ptr, site_point, point_ptr, point_site, weight, times, is_open, gain)
                # a good one of eight drawn at random, so that the way back is not always the same
                pick = -1
                spent = price[is_open].sum()
                for _ in range(8):
                    j = random_below(state, m)
                    fits = not is_open[j] and spent + price[j] <= budget + 1e-9
                    if fits and (pick < 0 or gain[j] > gain[pick]):
                        pick = j
                if pick >= 0:
                    covered += _open(
                        pick, site_ptr, site_point, point_ptr, point_site, weight, times, is_open, gain
                    )
        spent = price[is_open].sum()
        while True:
            chosen = np.nonzero(is_open)[0].astype(np.int32)
            added, spent, _ = _fill_up(
                site_ptr,
                site_point,
                point_ptr,
                point_site,
                weight,
                price,
                budget,
                most,
                False,
                times,
                is_open,
                gain,
                spent,
                len(chosen),
            )
            chosen = np.nonzero(is_open)[0].astype(np.int32)
            swapped, spent = _improve(
                site_ptr,
                site_point,
                point_ptr,
                point_site,
                weight,
                price,
                budget,
                is_kept,
                times,
                is_open,
                gain,
                extra,
                chosen,
                spent,
            )
            covered += added + swapped
            if swapped <= 0.0:
                break
        if covered > best_covered + 1e-9:
            best_covered = covered
            best[:] = is_open
            if best_covered >= enough - 1e-9:
                break
        elif covered < best_covered - 1e-9 and random_below(state, 10) < 9:
            for j in range(m):
                if is_open[j] and not best[j]:
                    _shut(j, site_ptr, site_point, point_ptr, point_site, weight, times, is_open, gain)
            for j in range(m):
                if best[j] and not is_open[j]:
                    _open(j, site_ptr, site_point, point_ptr, point_site, weight, times, is_open, gain)
            covered = best_covered
    return best_covered, best


@kernel
def lagrangian_cover(
    site_ptr: PtrArray,
    site_point: IntArray,
    weight: FloatArray,
    price: FloatArray,
    budget: float,
    is_kept: BoolArray,
    least: float,
    steps: int,
    price_of_cover: FloatArray,
    value: FloatArray,
    often: FloatArray,
) -> tuple[float, float]:
    """Bound the covered weight from above by relaxing "a covered point needs an open site".

    Subgradient steps (Held, Wolfe and Crowder 1974; Galvao and ReVelle, EJOR 88 (1996)) on
    ``price_of_cover`` (n,), which must come in filled and leaves as the best found. Directions are smoothed
    (Camerini, Fratta and Maffioli 1975): it brings the bound five times nearer in as many steps. The rest
    is a continuous knapsack over sites with ``price`` and ``budget``, whose dual price is returned.

    Returns
    -------
    bound, dual price of the budget; ``value`` (m,) leaves as the worth of each site at the best step and
    ``often`` (m,) as the smoothed share of steps that open it (near the linear optimum: the volume algorithm
    of Barahona and Anbil, Math. Programming 87 (2000))
    """
    n, m = len(weight), len(price)
    lam = price_of_cover.copy()
    best = np.inf
    best_theta = 0.0
    s = np.empty(m)
    slope = np.empty(n)
    way = np.zeros(n)
    share = np.empty(m)
    step = 1.0
    idle = 0
    for _ in range(steps):
        for j in range(m):
            v = 0.0
            for q in range(site_ptr[j], site_ptr[j + 1]):
                v += lam[site_point[q]]
            s[j] = v
        left = budget
        bound = 0.0
        ratio = np.empty(m)
        for j in range(m):
            share[j] = 0.0
            if is_kept[j]:
                left -= price[j]
                bound += s[j]
                share[j] = 1.0
                ratio[j] = -1.0
            else:
                ratio[j] = s[j] / max(price[j], 1e-12)
        order = np.argsort(-ratio)
        theta = 0.0
        for q in range(m):
            j = order[q]
            if is_kept[j] or s[j] <= 0.0:
                continue
            take = min(1.0, left / price[j]) if price[j] > 0 else 1.0
            if take <= 0.0:
                theta = ratio[j]
                break
            share[j] = take
            bound += take * s[j]
            left -= take * price[j]
            if take < 1.0:
                theta = ratio[j]
                break
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
            way[i] = 0.93 * way[i] + 0.07 * slope[i]
            norm += way[i] * way[i]
        if norm < 1e-9 or step < 1e-5 or best <= least + 1e-9:
            break
        t = step * (bound - least) / norm
        for i in range(n):
            lam[i] = min(weight[i], max(0.0, lam[i] - t * way[i]))
    return best, best_theta
