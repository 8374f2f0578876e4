"""Station plans of city size: places, kinds and hours together, with a proven gap.

Bound: relaxing "no rider-minute is served twice" leaves one continuous knapsack a site and hour, and a choice
of options under the budget, solved by its own dual price (Geoffrion 1974). Answers: the options that the
bound opens most, filled up and improved by single and paired changes, served by a maximum flow.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from geo.errors import InfeasibleError
from siting.problems.deadline import monotonic_s
from siting.problems.define import CostArray, Flow, SitingResult, StationPlan, nearest_chosen
from siting.problems.highs import Limits, LimitsEndedError, infeasible
from siting.problems.order import any_order
from siting.problems.reach import Reach, reach_within
from siting.solvers.exact import finish, main_site, pair_moves, solve_exact
from siting.solvers.kernels.plans import Groups, Options, serve_plan, site_values, use_of_options

# how much more a minute weighs that a group lacks
_LACK = 50.0

# (pairs x hours) up to which the exact model is asked where no choice with the least shares was met, and the
# nodes it gets: no seconds, which would make the answer depend on the machine
_LAST_CELLS = 12_000
_LAST_NODES = 500

__all__ = ["PlanEffort", "answer_of", "solve_station_plan"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True)
class PlanEffort:
    """How much is spent on one plan.

    Attributes
    ----------
    steps : subgradient steps of the bound
    sweeps : passes over all single and paired changes
    width : candidates looked at for each paired change
    exact_cells : (pairs x hours) up to which the plain exact model is solved instead
    timed_cells : up to which it is asked as well, where there is a time limit
    last_resort : whether the plain exact model is asked where the search met no choice with the least shares;
        else the choice that comes nearest to them is returned, although it breaks them
    """

    steps: int = 250
    sweeps: int = 12
    width: int = 24
    exact_cells: int = 4000
    timed_cells: int = 60_000
    last_resort: bool = True


@any_order
def solve_station_plan(
    problem: StationPlan,
    cost_s: CostArray,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    effort: PlanEffort = PlanEffort(),
    *,
    start: tuple[int, ...] = (),
) -> SitingResult:
    """Solve a station plan; small ones by the plain exact model.

    Parameters
    ----------
    problem : options, limits, existing stations
    cost_s : (n, m) seconds
    limits : gap that is good enough, seconds; nodes for the exact model
    effort : bound and improvement
    start : options of an answer that is known; the new one is at least as good, if these fit

    Raises
    ------
    InputError, InfeasibleError
        As `siting.solvers.exact.solve_exact`.
    """
    begin = monotonic_s()
    reach = reach_within(cost_s, problem.limit_s)
    cells = len(reach.site_point) * problem.weight.shape[1]
    if cells <= effort.exact_cells and limits.time_limit_s is None:
        return solve_exact(problem, cost_s, limits)
    deadline = np.inf if limits.time_limit_s is None else begin + limits.time_limit_s
    plan = _Search(problem, reach, deadline)
    bound, rank, starts = plan.bound(effort.steps)
    if start and plan.fits(tuple(sorted(start))):
        starts.append(tuple(sorted(start)))
    first = max(starts, key=lambda options: (plan.served(options), options))
    options = plan.improve(first, rank, effort)
    if start and plan.fits(tuple(sorted(start))):
        # the search counts by a greedy service, the answer by the best one
        options = max((options, tuple(sorted(start))), key=lambda o: (plan.served(o, exact=True), o))
    if effort.last_resort and plan.short(options) > 1e-6:
        return _least_shares(problem, cost_s, limits, deadline, cells)
    found = plan.answer(options, bound, cost_s)
    left = deadline - monotonic_s()
    if found.gap <= limits.gap or cells > effort.timed_cells or not 0.2 < left < np.inf:
        return found
    return _better(found, problem, cost_s, dataclasses.replace(limits, time_limit_s=left))


def answer_of(
    problem: StationPlan, cost_s: CostArray, options: tuple[int, ...], bound: float
) -> SitingResult:
    """Return options that are known as an answer; ``bound`` is what no choice serves more than."""
    return _Search(problem, reach_within(cost_s, problem.limit_s)).answer(
        tuple(sorted(options)), bound, cost_s
    )


def _better(found: SitingResult, problem: StationPlan, cost_s: CostArray, limits: Limits) -> SitingResult:
    """Return the better answer of ours and the plain exact model, with the better bound."""
    try:
        exact = solve_exact(problem, cost_s, limits)
    except InfeasibleError:
        # the time ended before HiGHS met any choice
        return found
    best = max((found, exact), key=lambda answer: answer.objective)
    bound = max(best.objective, min(found.bound, exact.bound))
    return finish(
        best.chosen,
        best.assignment,
        best.objective,
        bound,
        flow=best.flow,
        options=best.options,
        moved=best.moved,
    )


def _least_shares(
    problem: StationPlan, cost_s: CostArray, limits: Limits, deadline: float, cells: int
) -> SitingResult:
    """Ask the plain exact model where the search met no choice that gives each group its share."""
    if deadline < np.inf:
        left = max(1.0, deadline - monotonic_s())
        return solve_exact(problem, cost_s, dataclasses.replace(limits, time_limit_s=left))
    if cells > _LAST_CELLS:
        raise LimitsEndedError
    nodes = _LAST_NODES if limits.node_limit is None else min(_LAST_NODES, limits.node_limit)
    return solve_exact(problem, cost_s, dataclasses.replace(limits, node_limit=nodes))


class _Search:
    """One plan under work: arrays that all steps share."""

    def __init__(self, problem: StationPlan, reach: Reach, deadline: float = np.inf) -> None:
        self.problem, self.reach, self.deadline = problem, reach, deadline
        self.weight = np.ascontiguousarray(problem.weight.T)
        self.site = problem.option_site
        size = len(self.site)
        # options in the order of their sites, and where each site begins
        self.by_site = np.argsort(self.site, kind="stable")
        self.begin = np.nonzero(np.diff(self.site[self.by_site], prepend=-1))[0]
        hold = np.full(size, np.inf) if problem.option_capacity is None else problem.option_capacity
        self.options = Options(self.site, hold, problem.option_open)
        self.holds, self.hold_of = np.unique(hold, return_inverse=True)
        close, saving = self._existing()
        # the price of an option beside doing nothing at its site
        self.place = np.full(reach.m, -1, dtype=np.int64)
        self.place[list(problem.existing_site)] = np.arange(len(problem.existing_site))
        owner = self.place[self.site]
        nothing = np.where(owner >= 0, (close - saving)[owner] if len(close) else 0.0, 0.0)
        self.base = float((close - saving).sum())
        self.price = problem.option_cost - nothing
        self.kept = np.zeros(reach.m, dtype=np.bool_)
        self.kept[list(problem.kept)] = True
        self.none = np.empty((0, 0, 0))
        self._seen: dict[tuple[int, ...], float] = {}
        total = problem.weight.sum(axis=1)
        share = np.empty(0) if problem.group_share is None else problem.group_share
        group = np.full(reach.n, -1) if problem.group is None else problem.group
        self.groups = Groups(group, np.zeros(len(share)))
        inside = group >= 0
        self.need = share * np.bincount(group[inside], weights=total[inside], minlength=len(share))
        self.size = np.maximum(1.0, np.bincount(group[inside], minlength=len(share)) ** 0.5)
        self.gap = 0.0

    def _existing(self) -> tuple[FloatArray, FloatArray]:
        zero = np.zeros(len(self.problem.existing_site))
        close = zero if self.problem.close_cost is None else self.problem.close_cost
        saving = zero if self.problem.move_saving is None else self.problem.move_saving
        return close, saving

    def spent(self, options: tuple[int, ...]) -> float:
        """Return what a set of options costs, closures and moves included."""
        close, saving = self._existing()
        sites = self.site[list(options)]
        total = float(self.problem.option_cost[list(options)].sum())
        closed = np.array([s not in sites for s in self.problem.existing_site], dtype=np.bool_)
        if len(closed):
            total += float(close[closed].sum())
            new = int((self.place[sites] < 0).sum())
            total -= float(np.sort(saving[closed])[::-1][:new].sum())
        return total

    def fits(self, options: tuple[int, ...]) -> bool:
        """Tell whether a set of options keeps to the number of sites, the budget and the kept sites."""
        problem = self.problem
        if problem.sites is not None and len(options) > problem.sites:
            return False
        if problem.new_sites is not None and self._new(options) > problem.new_sites:
            return False
        if not set(problem.kept) <= set(self.site[list(options)].tolist()):
            return False
        return problem.budget is None or self.spent(options) <= problem.budget + 1e-6

    def _new(self, options: tuple[int, ...]) -> int:
        """Return on how many sites of a set of options no station stands today."""
        return int((self.place[self.site[list(options)]] < 0).sum())

    def served(self, options: tuple[int, ...], exact: bool = False) -> float:
        """Return the rider-minutes a set of options serves (greedy below, or exact)."""
        if exact:
            return self._serve(options, exact=True)
        if options not in self._seen:
            self._seen[options] = self._serve(options, exact=False)
        return self._seen[options]

    def _serve(self, options: tuple[int, ...], exact: bool) -> float:
        chosen = np.array(options, dtype=np.int64)
        total = float(
            serve_plan(self.reach, self.weight, self.options, chosen, exact, self.none, self.groups)
        )
        # a minute that a group lacks weighs more than any minute that is served
        return total - _LACK * float(np.maximum(0.0, self.need - self.groups.served).sum())

    def short(self, options: tuple[int, ...]) -> float:
        """Return the minutes that groups lack to their least shares."""
        self._serve(options, exact=False)
        return float(np.maximum(0.0, self.need - self.groups.served - 1e-7 * (1.0 + self.need)).sum())

    def bound(self, steps: int) -> tuple[float, FloatArray, list[tuple[int, ...]]]:
        """Bound the minutes served from above.

        Returns
        -------
        bound, rank, starts : the bound; (o,) how much each option falls short of being opened by it (0 and
            above: opened); sets of options that fit, rounded from what the bound opened on its way
        """
        hours, n = self.weight.shape
        lam = np.full((hours, n), 0.3)
        way = np.zeros((hours, n))
        often = np.zeros(len(self.site))
        value = np.zeros((len(self.holds), self.reach.m, hours))
        best, best_lam = np.inf, lam
        starts = [self.round(self._alone(value, lam))]
        known = self.served(starts[0])
        step, idle = 1.0, 0
        open_, group = self.options.open_, self.groups.of_point
        # multipliers of the least shares make a minute of their group worth more
        extra, extra_way = np.zeros(len(self.need)), np.zeros(len(self.need))
        inside = group >= 0
        for turn in range(steps):
            bonus = np.zeros(n)
            bonus[inside] = extra[group[inside]]
            price = lam - bonus
            site_values(self.reach, self.weight, price, self.holds, value)
            worth = (value[self.hold_of, self.site] * open_).sum(axis=1)
            part, share, _ = self._choose(worth)
            bound = part + float((lam * self.weight).sum()) - float(extra @ self.need)
            used = np.zeros((hours, n))
            use_of_options(self.reach, self.weight, price, self.options, share, used)
            often = 0.93 * often + 0.07 * share
            if bound < best:
                best, best_lam, idle = bound, price, 0
            else:
                idle += 1
                if idle >= 8:
                    step, idle = 0.75 * step, 0
            if turn % 40 == 39:
                starts.append(self.round(often))
                known = max(known, self.served(starts[-1]))
            way = 0.8 * way + 0.2 * (self.weight - used)
            got = np.bincount(group[inside], weights=used.sum(axis=0)[inside], minlength=len(extra))
            # in units of a point of the group, so that both kinds of multipliers move alike
            extra_way = 0.8 * extra_way + 0.2 * (self.need - got) / self.size
            norm = float((way * way).sum()) + float((extra_way * extra_way).sum())
            near = best - known <= max(1e-9, self.gap) * abs(best)
            if norm < 1e-12 or step < 1e-4 or near or monotonic_s() >= self.deadline:
                break
            pace = step * max(bound - known, 1e-3 * abs(bound)) / norm
            extra = np.maximum(0.0, extra + pace * extra_way / self.size)
            bonus[inside] = extra[group[inside]]
            lam = np.clip(lam - pace * way, 0.0, 1.0 + bonus)
        starts.append(self.round(often))
        site_values(self.reach, self.weight, best_lam, self.holds, value)
        worth = (value[self.hold_of, self.site] * open_).sum(axis=1)
        net = worth - self._choose(worth)[2] * self.price
        top = np.zeros(self.reach.m)
        np.maximum.at(top, self.site, net)
        return (
            best,
            np.where(often > 0.5, np.maximum(0.0, net), net - top[self.site] * (often < 1e-3)),
            starts,
        )

    def _alone(self, value: FloatArray, lam: FloatArray) -> FloatArray:
        site_values(self.reach, self.weight, lam, self.holds, value)
        worth = (value[self.hold_of, self.site] * self.problem.option_open).sum(axis=1)
        return np.asarray(worth / max(1e-9, float(worth.max(initial=0.0))))

    def _choose(self, worth: FloatArray) -> tuple[float, FloatArray, float]:
        """Return the bound on the worth within budget and sites, what it opens, and the price of money."""
        budget = np.inf if self.problem.budget is None else self.problem.budget - self.base
        if budget == np.inf:
            return (*self._at(worth, 0.0, 0.0), 0.0)
        low, high = 0.0, 1e-9
        rich = float((worth / np.maximum(self.price, 1e-6)).max(initial=0.0))
        high = max(high, min(rich, float(worth.sum())))
        # the bound is convex in the price of money: halve the interval by its slope
        best = (*self._at(worth, 0.0, budget), 0.0)
        if self._money(best[1]) <= budget:
            return best
        for _ in range(40):
            theta = (low + high) / 2
            answer = self._at(worth, theta, budget)
            if answer[0] < best[0]:
                best = (*answer, theta)
            if self._money(answer[1]) > budget:
                low = theta
            else:
                high = theta
        return best

    def _money(self, share: FloatArray) -> float:
        return float(self.price @ share)

    def _at(self, worth: FloatArray, theta: float, budget: float) -> tuple[float, FloatArray]:
        """Return the relaxed worth at one price of money: the best option of each site, the best sites."""
        net = worth - theta * self.price
        top = self._best_of_each(net)
        gain = net[top]
        forced = self.kept[self.site[top]]
        pick = forced | (gain > 0)
        # the caps are nested (new sites within all sites): the best within the one, then within the other
        for most, of in ((self.problem.new_sites, self.place[self.site[top]] < 0),
                         (self.problem.sites, np.ones(len(top), dtype=np.bool_))):  # fmt: skip
            counted = np.nonzero(pick & of)[0]
            if most is not None and len(counted) > most:
                pick[counted[np.lexsort((-gain[counted], ~forced[counted]))[most:]]] = False
        share = np.zeros(len(worth))
        share[top[pick]] = 1.0
        return float(gain[pick].sum()) + (theta * budget if theta > 0 else 0.0), share

    def _best_of_each(self, net: FloatArray) -> IntArray:
        """Return the option of each site that is worth most, the first of those alike."""
        worth = net[self.by_site]
        most = np.repeat(np.maximum.reduceat(worth, self.begin), np.diff(np.r_[self.begin, len(worth)]))
        best = np.nonzero(worth == most)[0]
        first = np.r_[True, np.diff(self.site[self.by_site[best]]) > 0]
        return np.asarray(self.by_site[best[first]])

    def round(self, often: FloatArray) -> tuple[int, ...]:
        """Return options that fit, taken in the order of how often the bound opens them."""
        chosen: dict[int, int] = {}
        # kept sites first, each with its cheapest option, so that the rest knows what is left
        for s in self.problem.kept:
            mine = np.nonzero(self.site == s)[0]
            chosen[s] = int(mine[np.argmin(self.problem.option_cost[mine])])
        if not self.fits(tuple(sorted(chosen.values()))):
            # closing and moving may pay for the rest; if not even that helps the exact model says why
            start = self._cheapest()
            chosen = {int(self.site[o]): o for o in start}
        for o in np.lexsort((self.problem.option_cost, -often)).tolist():
            if often[o] <= 1e-6:
                break
            s = int(self.site[o])
            if s in chosen and not (self.kept[s] and often[chosen[s]] < often[o]):
                continue
            trial = tuple(sorted({**chosen, s: o}.values()))
            if self.fits(trial):
                chosen[s] = o
        return tuple(sorted(chosen.values()))

    def _cheapest(self) -> tuple[int, ...]:
        """Return the cheapest set of options there is."""
        chosen: dict[int, int] = {}
        for s in sorted({*self.problem.kept, *self.problem.existing_site}):
            mine = np.nonzero(self.site == s)[0]
            if len(mine) == 0:
                continue
            o = int(mine[np.argmin(self.problem.option_cost[mine])])
            with_it = tuple(sorted([*chosen.values(), o]))
            if self.kept[s] or self.spent(with_it) < self.spent(tuple(sorted(chosen.values()))):
                chosen[s] = o
        options = tuple(sorted(chosen.values()))
        if not self.fits(options):
            over = self.spent(options) - (self.problem.budget or 0.0)
            many = len(options) - (len(options) if self.problem.sites is None else self.problem.sites)
            most_new = self.problem.new_sites
            many_new = 0 if most_new is None else self._new(options) - most_new
            broken = ("sites", many) if many > 0 else ("new_sites", many_new)
            raise infeasible([broken if broken[1] > 0 else ("budget", over)])
        return options

    def improve(self, options: tuple[int, ...], rank: FloatArray, effort: PlanEffort) -> tuple[int, ...]:
        """Change one site, or two at once, while that serves more; look at the likeliest options first."""
        best = self.served(options)
        order = np.lexsort((self.problem.option_cost, -rank)).tolist()
        width = effort.width
        for _ in range(effort.sweeps):
            before = best
            for o in order[: 8 * width]:
                if monotonic_s() >= self.deadline:
                    return options
                options, best = self._try(options, best, [(int(self.site[o]), o)])
            for out in options:
                if out not in options:
                    continue
                if monotonic_s() >= self.deadline:
                    return options
                options, best = self._swap(options, best, out, order[:width])
            if best <= before * (1 + 1e-5):
                if width >= 4 * effort.width:
                    break
                width *= 2
        return options

    def _swap(
        self, options: tuple[int, ...], best: float, out: int, order: list[int]
    ) -> tuple[tuple[int, ...], float]:
        """Shut one option, or make it cheaper, and open or enlarge another with what that frees."""
        s = int(self.site[out])
        mine = np.nonzero((self.site == s) & (self.price < self.price[out]))[0].tolist()
        for instead in ([] if self.kept[s] else [-1]) + mine:
            for o in order:
                if self.site[o] != s and o not in options:
                    found, value = self._try(options, best, [(s, instead), (int(self.site[o]), o)])
                    if value > best:
                        return found, value
        return options, best

    def _try(
        self, options: tuple[int, ...], best: float, changes: list[tuple[int, int]]
    ) -> tuple[tuple[int, ...], float]:
        chosen = {int(self.site[o]): o for o in options}
        for s, o in changes:
            chosen.pop(s, None)
            if o >= 0:
                chosen[s] = o
        trial = tuple(sorted(chosen.values()))
        if trial == options or not self.fits(trial):
            return options, best
        value = self.served(trial)
        return (trial, value) if value > best + 1e-9 else (options, best)

    def answer(self, options: tuple[int, ...], bound: float, cost_s: CostArray) -> SitingResult:
        """Serve by a maximum flow and freeze the answer."""
        n, m = cost_s.shape
        hours = self.weight.shape[0]
        chosen = np.array(options, dtype=np.int64)
        flow = np.zeros((len(options), hours, n))
        total = float(serve_plan(self.reach, self.weight, self.options, chosen, True, flow, self.groups))
        k, h, i = np.nonzero(flow > 1e-7)
        split = Flow(i, h, self.site[chosen[k]], flow[k, h, i])
        sites = tuple(sorted(self.site[list(options)].tolist()))
        capped = self.problem.option_capacity is not None
        assignment = main_site(split, n, m) if capped else nearest_chosen(cost_s, sites, self.problem.limit_s)
        _, saving = self._existing()
        closed = [s for e, s in enumerate(self.problem.existing_site) if s not in sites and saving[e] > 0]
        closed.sort(key=lambda s: (-saving[self.problem.existing_site.index(s)], s))
        new = int((self.place[list(sites)] < 0).sum())
        return finish(
            sites,
            assignment,
            float(split.amount.sum()) if capped else total,
            max(total, bound),
            options=options,
            moved=pair_moves(self.problem, options, closed[:new]),
            flow=split if capped else None,
        )
