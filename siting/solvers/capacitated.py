"""Median, cover and center with capacities at city size: always a gap, and an answer where one is found.

Bound: relaxing "each minute is served" leaves one continuous knapsack a site (Beasley, EJOR 65 (1993)).
Answers: sites the bound opens most and greedy fillings, served by a least-cost transport, improved by swaps.
Small cases, and larger ones where a time limit is given, go to the plain exact model as well.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from geo.errors import InfeasibleError
from siting.problems.deadline import monotonic_s
from siting.problems.define import CostArray, Flow, PCenter, PMedian, SetCover, SitingResult
from siting.problems.highs import Limits, LimitsEndedError, infeasible
from siting.problems.order import any_order
from siting.problems.reach import Reach, reach_at_all, reach_within
from siting.solvers.capacity_cuts import CapacityCuts, CoverDemand
from siting.solvers.center import prove_p_center
from siting.solvers.exact import finish, longest_service, main_site, solve_exact
from siting.solvers.kernels.transport import fill_greedily, site_worth, transport, use_of_sites
from siting.solvers.set_cover import least_cover, refuse_unreached

__all__ = ["CapacitatedEffort", "solve_capacitated"]

# the first time tried above the bound of a center, as a share of it
_NEAR = 1.01
# wall seconds for the cover without capacities, whose bound holds with them too
_UNCAPPED_S = 10.0

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Capacitated = PMedian | SetCover | PCenter


@dataclasses.dataclass(frozen=True, slots=True)
class CapacitatedEffort:
    """How much is spent on one problem with capacities.

    Attributes
    ----------
    steps : subgradient steps of the bound
    swaps : swaps of an open site for a shut one that are tried
    exact_pairs : pairs of point and site up to which the plain exact model is solved instead
    timed_pairs : pairs up to which it is asked as well, where there is a time limit
    """

    steps: int = 300
    swaps: int = 150
    exact_pairs: int = 6000
    timed_pairs: int = 300_000


@any_order
def solve_capacitated(
    problem: Capacitated,
    cost_s: CostArray,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    effort: CapacitatedEffort = CapacitatedEffort(),
) -> SitingResult:
    """Solve a p-median, set covering or p-center problem with capacities to a proven gap.

    Parameters
    ----------
    problem : with ``capacity``
    cost_s : (n, m) seconds, inf where a site is out of reach
    limits : gap that is good enough, seconds for the whole problem; nodes for HiGHS
    effort : bound, improvement, and where HiGHS is asked

    Raises
    ------
    InputError, InfeasibleError
        As `siting.solvers.solve.solve`.
    """
    start = monotonic_s()
    limit_s = problem.limit_s if isinstance(problem, SetCover) else np.inf
    reach = reach_at_all(cost_s) if np.isinf(limit_s) else reach_within(cost_s, limit_s)
    if len(reach.site_point) <= effort.exact_pairs and limits.time_limit_s is None:
        return solve_exact(problem, cost_s, limits)
    deadline = np.inf if limits.time_limit_s is None else start + limits.time_limit_s
    refuse_unreached(reach, limit_s)
    task = _Task(problem, cost_s, reach, deadline)
    task.refuse_lack()
    result = task.solve(effort, limits)
    left = deadline - monotonic_s()
    pairs = len(reach.site_point)
    small = pairs <= effort.exact_pairs
    timed = pairs <= effort.timed_pairs and left < np.inf
    if (small or timed) and left > 0.2 and (result is None or result.gap > limits.gap):
        result = _better(problem, cost_s, result, dataclasses.replace(limits, time_limit_s=left))
    if result is None:
        raise LimitsEndedError
    return result


def _better(
    problem: Capacitated, cost_s: CostArray, result: SitingResult | None, limits: Limits
) -> SitingResult | None:
    """Return the better answer of ours and HiGHS with the better bound of both."""
    try:
        exact = solve_exact(problem, cost_s, limits)
    except InfeasibleError:
        if result is None:
            raise
        return result
    if result is None:
        return exact
    best = exact if exact.objective < result.objective else result
    bound = min(best.objective, max(exact.bound, result.bound))
    return finish(best.chosen, best.assignment, best.objective, bound, flow=best.flow)


class _Task:
    """One problem under work."""

    def __init__(self, problem: Capacitated, cost_s: CostArray, reach: Reach, deadline: float) -> None:
        self.problem, self.cost_s, self.reach, self.deadline = problem, cost_s, reach, deadline
        self.weight = problem.weight
        capacity = problem.capacity
        self.holds = np.full(reach.m, np.inf) if capacity is None else capacity
        self.forced = np.zeros(reach.m, dtype=np.bool_)
        self.forced[list(problem.kept)] = True
        self.total = float(self.weight.sum())
        self.most = reach.m if isinstance(problem, SetCover) else problem.sites
        cost = problem.site_cost if isinstance(problem, SetCover) else None
        self.price = np.ones(reach.m) if cost is None else cost

    def late(self) -> bool:
        return monotonic_s() >= self.deadline

    def refuse_lack(self) -> None:
        """Refuse where the largest sites together hold too little, or no flow to all sites serves all."""
        if int(self.forced.sum()) > self.most:
            raise infeasible([("sites", int(self.forced.sum()) - self.most)])
        rest = np.sort(self.holds[~self.forced])[::-1][: self.most - int(self.forced.sum())]
        lack = self.total - float(self.holds[self.forced].sum() + rest.sum())
        if lack <= 1e-6:
            every = np.ones(self.reach.m, dtype=np.bool_)
            if fill_greedily(self.reach, self.weight, self.holds, self.price, self.forced.copy()) <= 1e-6:
                return
            lack = self._serve(every, np.inf)[1]
        if lack > 1e-6:
            raise infeasible([("capacity", lack)])

    def _serve(self, is_open: BoolArray, limit_s: float) -> tuple[float, float, FloatArray, IntArray]:
        """Return (weight x seconds, minutes without room, (n, p) minutes, sites) of a choice."""
        sites = np.nonzero(is_open)[0]
        cost = np.asarray(self.cost_s[:, sites], dtype=np.float64)
        if isinstance(self.problem, SetCover | PCenter):
            bound = self.problem.limit_s if isinstance(self.problem, SetCover) else limit_s
            cost = np.where(cost <= bound, 0.0, np.inf)
        here = np.empty(cost.shape)
        total, lost = transport(np.ascontiguousarray(cost), self.weight, self.holds[sites], here)
        # a point without demand must be reached all the same
        lost += float((~np.isfinite(cost).any(axis=1) & (self.weight == 0)).sum())
        return float(total), float(lost), here, sites

    def solve(self, effort: CapacitatedEffort, limits: Limits) -> SitingResult | None:
        """Return the best answer found with a bound, None without an answer."""
        if isinstance(self.problem, PMedian):
            return self._median(effort)
        if isinstance(self.problem, SetCover):
            bound, often = self._bound(self.reach, effort.steps, None)
            loose, low = self._uncapped(limits)
            cover = self._fill(self.reach, often, np.inf, loose)
            low = max(bound, low)
            if len(self.reach.site_point) <= effort.timed_pairs and self.deadline < np.inf:
                cover, low = self._cheaper(cover, low, limits.gap)
            if cover is None:
                return None
            return self._frozen(cover, float(self.price[cover].sum()), low, np.inf)
        return self._center(self.problem, effort)

    def _cuts(self, reach: Reach, until: float) -> CapacityCuts:
        demand = CoverDemand(self.weight, self.holds, self.price, self.forced)
        return CapacityCuts(reach, demand, until)

    def _cheaper(self, cover: BoolArray | None, low: float, gap: float) -> tuple[BoolArray | None, float]:
        """Bisect the prices between bound and answer by proofs; return sites that serve all, and it."""
        cuts = self._cuts(self.reach, self.deadline)
        whole = bool((self.price == np.round(self.price)).all())
        low = max(low, cuts.bound())
        if whole:
            low = float(np.ceil(low - 1e-6))
        total = float(self.price.sum() if cover is None else self.price[cover].sum())
        unit = float(self.price.min(initial=1.0))
        equal = unit > 0 and unit == float(self.price.max(initial=1.0))
        while not self.late() and total - low > max(gap * total, 0.5 if whole else 1e-3 * total):
            most = float(np.ceil((low + total - 1.0) / 2)) if whole else (low + total) / 2
            half = (monotonic_s() + self.deadline) / 2
            trial, known = cuts.search(int(most / unit), half) if equal else None, False
            if trial is None:
                trial, known = cuts.choice(most)
            if trial is not None and self._serve(trial, np.inf)[1] <= 1e-6:
                cover = self._pruned(trial, np.inf)
                total = float(self.price[cover].sum())
            elif known and trial is None:
                low = most + 1.0 if whole else most
            else:
                break
        return cover, min(low, total)

    def _frozen(
        self, is_open: BoolArray, objective: float | None, bound: float, limit_s: float
    ) -> SitingResult:
        seconds, _, here, sites = self._serve(is_open, limit_s)
        i, k = np.nonzero(here > 1e-9)
        flow = Flow(i, np.zeros(len(i), dtype=np.int64), sites[k], here[i, k])
        value = seconds if objective is None else objective
        if isinstance(self.problem, PCenter):
            value = longest_service(self.problem, self.cost_s, tuple(sites.tolist()), flow)
        assignment = main_site(flow, len(self.weight), self.reach.m)
        # whole prices: a bound above the next lower sum is that of the answer
        whole = isinstance(self.problem, SetCover) and bool((self.price == np.round(self.price)).all())
        if whole:
            bound = np.ceil(bound - 1e-6)
        return finish(tuple(sites.tolist()), assignment, value, min(value, bound), flow=flow)

    def _bound(self, reach: Reach, steps: int, enough: float | None) -> tuple[float, FloatArray]:
        """Return a bound on the objective (of a cover: the price) and how often it opens each site."""
        median = isinstance(self.problem, PMedian)
        site = np.repeat(np.arange(reach.m), np.diff(reach.site_ptr))
        seconds = np.asarray(self.cost_s[reach.site_point, site], dtype=np.float64)
        if not median:
            seconds[:] = 0.0
        if median:
            rank = min(reach.m - 1, max(1, reach.m // (2 * self.most)))
            price = np.partition(self.cost_s, rank, axis=1)[:, rank].astype(np.float64)
            price[~np.isfinite(price)] = float(seconds.max(initial=0.0))
        else:
            price = np.full(
                reach.n, float(self.price.sum()) / max(1e-9, float(np.minimum(self.holds, 1e18).sum()))
            )
        worth, often, way = np.empty(reach.m), np.zeros(reach.m), np.zeros(reach.n)
        low, step, idle = -np.inf, 1.0, 0
        guess = enough
        for _ in range(steps):
            site_worth(reach, seconds, self.weight, price, self.holds, worth)
            net = -worth if median else self.price - worth
            inside = self.forced.copy()
            if median or isinstance(self.problem, PCenter):
                rank_of = np.argsort(np.where(self.forced, -np.inf, net), kind="stable")[: self.most]
                inside[rank_of[net[rank_of] < 0]] = True
            else:
                inside |= net < 0
            value = float(self.weight @ price + net[inside].sum())
            used = np.zeros(reach.n)
            use_of_sites(reach, seconds, self.weight, price, self.holds, inside, used)
            often = 0.95 * often + 0.05 * inside
            if value > low:
                low, idle = value, 0
            else:
                idle += 1
                if idle >= 10:
                    step, idle = 0.75 * step, 0
            if enough is not None and low > enough:
                break
            way = 0.7 * way + 0.3 * (self.weight - used)
            norm = float(way @ way)
            if norm < 1e-12 or step < 1e-4 or self.late():
                break
            aim = max(abs(low) * 0.05, (guess if guess is not None else 1.05 * abs(low)) - value, 1e-9)
            price = np.maximum(0.0, price + step * aim / norm * way)
        return low, often

    def _uncapped(self, limits: Limits) -> tuple[BoolArray, float]:
        """Return cheap sites that would do without capacities, and the bound that they prove."""
        left = max(0.1, min(_UNCAPPED_S, (self.deadline - monotonic_s()) / 4))
        chosen, low = least_cover(
            self.reach,
            self.price,
            self.problem.kept,
            np.random.default_rng(0),
            dataclasses.replace(limits, time_limit_s=left),
        )
        is_open = np.zeros(self.reach.m, dtype=np.bool_)
        is_open[list(chosen)] = True
        return is_open, low

    def _fill(
        self, reach: Reach, often: FloatArray, limit_s: float, loose: BoolArray | None = None
    ) -> BoolArray | None:
        """Return cheap sites that serve everything, None when no filling finds any.

        Fillings start from the forced sites and, where given, from ``loose`` ones as well.
        """
        best: BoolArray | None = None
        guides = (self.price, self.price * (1.05 - often), self.price * (1.5 - often))
        for guide, begin in [(g, self.forced) for g in guides] + (
            [] if loose is None else [(guides[1], loose)]
        ):
            is_open = begin.copy()
            left = fill_greedily(reach, self.weight, self.holds, guide, is_open)
            if left > 1e-6 and self._serve(is_open, limit_s)[1] > 1e-6:
                continue
            is_open = self._pruned(is_open, limit_s)
            if best is None or self.price[is_open].sum() < self.price[best].sum() - 1e-9:
                best = is_open
        return best

    def _pruned(self, is_open: BoolArray, limit_s: float) -> BoolArray:
        """Shut what is not needed, the dearest and emptiest first."""
        load = np.minimum(
            self.holds,
            np.add.reduceat(np.append(self.weight[self.reach.site_point], 0.0), self.reach.site_ptr[:-1]),
        )
        spare = float(self.holds[is_open].sum()) - self.total
        for j in np.lexsort((load, -self.price)).tolist():
            if not is_open[j] or self.forced[j] or self.holds[j] > spare + 1e-9:
                continue
            if self.late():
                break
            is_open[j] = False
            if self._serve(is_open, limit_s)[1] > 1e-6:
                is_open[j] = True
            else:
                spare -= float(self.holds[j])
        return is_open

    def _median(self, effort: CapacitatedEffort) -> SitingResult | None:
        bound, often = self._bound(self.reach, effort.steps, None)
        order = np.argsort(np.where(self.forced, -2.0, -often), kind="stable")
        best = np.zeros(self.reach.m, dtype=np.bool_)
        best[order[: self.most]] = True
        value, lost, _, _ = self._serve(best, np.inf)
        if lost > 1e-6:
            cover = self._fill(self.reach, often, np.inf)
            if cover is None or int(cover.sum()) > self.most:
                return None
            best = cover
            best[[j for j in order if not best[j]][: self.most - int(cover.sum())]] = True
            value, lost, _, _ = self._serve(best, np.inf)
        turn = 0
        improved = True
        # the shut sites that the bound opens most, each for the open ones it opens least
        while improved and turn < effort.swaps and not self.late():
            improved = False
            shut = [int(j) for j in order if not best[j]][:12]
            open_ = [int(j) for j in order[::-1] if best[j] and not self.forced[j]][:12]
            for j in shut:
                for k in open_:
                    turn += 1
                    if turn > effort.swaps or self.late():
                        break
                    trial = best.copy()
                    trial[j], trial[k] = True, False
                    found, lack, _, _ = self._serve(trial, np.inf)
                    if lack <= 1e-6 and found < value - 1e-9 * value:
                        best, value, improved = trial, found, True
                        break
                if improved:
                    break
        return self._frozen(best, None, bound, np.inf)

    def _center(self, problem: PCenter, effort: CapacitatedEffort) -> SitingResult | None:
        """Search the times for the least one at which a filling uses few sites, then bound from below."""
        least = float(self.cost_s.min(axis=1).max(initial=0.0))
        usable = np.isfinite(self.cost_s) & (self.cost_s >= least)
        times = np.unique(self.cost_s[usable]).astype(np.float64)
        free = dataclasses.replace(problem, capacity=None)
        seconds = max(0.1, min(_UNCAPPED_S, (self.deadline - monotonic_s()) / 4))
        loose = prove_p_center(free, self.cost_s, np.random.default_rng(0), Limits(time_limit_s=seconds))
        # what is too short without capacities is too short with them
        sure = int(np.searchsorted(times, loose.bound))
        best, high = self._shortest(loose.chosen, times, sure)
        if best is not None and self.deadline < np.inf and self._small(effort, float(times[high])):
            best, sure, high = self._nearer(best, times, sure, high)
        low = sure
        steps = max(60, effort.steps // 3)
        while low < high:
            middle = (low + high) // 2
            limit_s = float(times[middle])
            reach = reach_within(self.cost_s, limit_s)
            often = self._bound(reach, 40, None)[1]
            cover = self._fill(reach, often, limit_s)
            if cover is not None and int(cover.sum()) <= self.most:
                best, high = cover, middle
            else:
                low = middle + 1
            if self.late() and best is not None:
                break
        if best is None:
            return None
        top, low = high, sure
        while low < high and not self.late():
            middle = (low + high) // 2
            reach = reach_within(self.cost_s, float(times[middle]))
            if self._too_few(reach, steps):
                low = middle + 1
            else:
                high = middle
        low = min(low, top)
        return self._frozen(best, float(times[top]), float(times[low]), float(times[top]))

    def _small(self, effort: CapacitatedEffort, limit_s: float) -> bool:
        return int((self.cost_s <= limit_s).sum()) <= effort.timed_pairs

    def _nearer(self, best: BoolArray, times: FloatArray, low: int, top: int) -> tuple[BoolArray, int, int]:
        """Bisect the times between bound and answer; return the answer, places of the bound and its time."""
        # what serves everything without capacities is often nearly enough with them
        middle = int(np.searchsorted(times, _NEAR * times[low]))
        # two fifths of the time are left for fillings
        until = monotonic_s() + 0.6 * (self.deadline - monotonic_s())
        while low < top and monotonic_s() < until:
            middle = middle if low <= middle < top else (low + top) // 2
            limit_s = float(times[middle])
            cuts = self._cuts(reach_within(self.cost_s, limit_s), until)
            trial, known = None, cuts.bound() > self.most + 1e-6
            if not known:
                trial = cuts.search(self.most, until)
            if not known and trial is None:
                trial, known = cuts.choice(float(self.most))
            if trial is not None and self._serve(trial, limit_s)[1] <= 1e-6:
                best, top = trial, middle
            elif known and trial is None:
                low = middle + 1
            else:
                break
        return best, low, top

    def _shortest(self, chosen: tuple[int, ...], times: FloatArray, low: int) -> tuple[BoolArray | None, int]:
        """Return a choice, filled up, and the place of the least time at which it serves everything.

        None, and the number of times, where it never does.
        """
        is_open = np.zeros(self.reach.m, dtype=np.bool_)
        is_open[list(chosen)] = True
        largest = np.argsort(np.where(is_open, -1.0, self.holds), kind="stable")[::-1]
        is_open[largest[: self.most - int(is_open.sum())]] = True
        high = len(times)
        while low < high:
            middle = (low + high) // 2
            if self._serve(is_open, float(times[middle]))[1] <= 1e-6:
                high = middle
            else:
                low = middle + 1
        return (None if high == len(times) else is_open), high

    def _too_few(self, reach: Reach, steps: int) -> bool:
        """Tell whether the bound shows that so few sites cannot serve everything."""
        # all sites are worth 1 here: more than the number allowed means that they are too few
        return self._bound(reach, steps, float(self.most) + 1e-6)[0] > self.most + 1e-6
