"""What coverage, money and fairness cost each other: a small Pareto front of station plans, with proven ends.

Three aims: most weighted demand served, least yuan a year, and most served in the unit grid that is served
least. The ends of the front are lexicographic: the best of one aim, then of the next. Between them plans are
found by limits on two aims (epsilon-constraint: Haimes, Lasdon and Wismer 1971). Every plan is judged as the
study judges its own: the shortest ways take the seats first. Bounds hold for every way of sitting.
"""

import dataclasses
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from geo.errors import InfeasibleError
from siting.plans.choice import PlanModel
from siting.plans.served import running, served_share
from siting.problems.define import SitingResult, StationPlan
from siting.problems.highs import Limits
from siting.solvers.plan_programs import (
    Aim,
    Counted,
    Ends,
    best_plan,
    bound_of_cost,
    bound_of_served,
    bound_of_worst,
    plan_cost,
)
from siting.solvers.station_plans import PlanEffort, solve_station_plan

__all__ = ["NAMES", "Front", "Judge", "JudgedPlan", "plan_front", "thrifty"]

FloatArray = npt.NDArray[np.float64]
Options = tuple[int, ...]

NAMES: Final = ("coverage", "fairest", "cheapest", "balanced")
"""Named points: most served; the best worst grid; the least money that serves no less than today; the point
nearest to the best of all three."""
MOST_POINTS: Final = 8
EXACT_CELLS: Final = 4_000
"""(pairs x hours) up to which every point is solved as a mixed-integer programme."""
EFFORT: Final = PlanEffort(steps=30, sweeps=3, width=8, exact_cells=0, last_resort=False)
PROOF: Final = dataclasses.replace(EFFORT, steps=150)
"""Where the bound is needed, too."""
HALVINGS: Final = 5
NODES: Final = 20_000
_DIGITS: Final = 9
"""Figures that differ by less are alike."""


@dataclasses.dataclass(frozen=True, slots=True)
class JudgedPlan:
    """One plan, judged by the three aims."""

    options: Options
    served: float
    """Share (0-1) of the weighted demand."""
    cost: float
    """Yuan a year."""
    worst: float
    """Served share of rest in the grid that is served least; 1 where no grid counts."""
    worst_grid: int

    def beats(self, other: "JudgedPlan") -> bool:
        """Tell whether this one is as good in all aims and better in one."""
        mine, theirs = (self.served, -self.cost, self.worst), (other.served, -other.cost, other.worst)
        return mine != theirs and all(a >= b for a, b in zip(mine, theirs, strict=True))


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Front:
    """Plans of which none beats another, the one that serves most first.

    Attributes
    ----------
    points : plans
    names : number of the point of each name
    gaps : how far (0-1, of the bound) each named end may be from the best there is, by its name
    """

    points: tuple[JudgedPlan, ...]
    names: dict[str, int]
    gaps: dict[str, float]


class Judge:
    """Judges sets of options as the study judges its plan.

    Parameters
    ----------
    model : options of the study
    cost_s : (n, m) seconds
    counted : grids that count, with their rest
    """

    def __init__(self, model: PlanModel, cost_s: FloatArray, counted: Counted) -> None:
        self.model, self.cost_s, self.counted = model, cost_s, counted
        self._seen: dict[Options, JudgedPlan] = {}

    @property
    def problem(self) -> StationPlan:
        """The problem of the study."""
        return self.model.problem

    def served(self, options: Options) -> FloatArray:
        """Return (n, 24) which share of each cell is served."""
        chosen = list(options)
        problem = self.problem
        holds = np.inf if problem.option_capacity is None else problem.option_capacity[chosen][:, None]
        room = np.where(problem.option_open[chosen], holds, 0.0)
        stations = running(self.cost_s[:, problem.option_site[chosen]], problem.limit_s, list(room))
        return served_share(stations, problem.weight)

    def judge(self, options: Options) -> JudgedPlan:
        """Return a plan with what it is worth."""
        if options not in self._seen:
            share, weight = self.served(options), self.problem.weight
            grids = self.counted.shares(share)
            worst = int(grids.argmin()) if len(grids) else -1
            self._seen[options] = JudgedPlan(
                options,
                round(float((weight * share).sum() / weight.sum()), _DIGITS),
                round(plan_cost(self.problem, options), 2),
                round(float(grids[worst]), _DIGITS) if len(grids) else 1.0,
                worst,
            )
        return self._seen[options]


def thrifty(judge: Judge, options: Options) -> Options:
    """Return a plan that serves no less, in all and in the worst grid, for less money, where one is near.

    Station by station another way to run it is tried, and none, the dearest saving first.
    """
    problem, best = judge.problem, judge.judge(options)
    kept = set(problem.kept)
    ways = {
        int(s): np.nonzero(problem.option_site == s)[0].tolist() for s in problem.option_site[list(options)]
    }
    for _ in range(3):
        before = best
        for site in sorted(ways):
            now = next((o for o in best.options if problem.option_site[o] == site), -1)
            if now < 0:
                continue
            rest = tuple(o for o in best.options if o != now)
            tries = [
                tuple(sorted((*rest, o)))
                for o in ways[site]
                if problem.option_cost[o] < problem.option_cost[now]
            ]
            if site not in kept:
                tries.append(rest)
            for cost, trial in sorted((plan_cost(problem, trial), trial) for trial in tries):
                if cost >= best.cost - 0.005:
                    break
                found = judge.judge(trial)
                if found.served >= best.served and found.worst >= best.worst:
                    best = found
                    break
        if best == before:
            break
    return best.options


def plan_front(judge: Judge, known: Iterable[Options] = (), bound_served: float = np.inf) -> Front:
    """Return the front of a study.

    Parameters
    ----------
    judge : the options of the study
    known : plans that are known
    bound_served : rider-minutes that no plan can serve more than, where that is known
    """
    work = _Work(judge, [tuple(sorted(options)) for options in known], bound_served)
    today = _today(judge)
    need = 0.0 if today is None else today.served
    exact = (judge.cost_s <= judge.problem.limit_s).sum() * judge.problem.weight.shape[1] <= EXACT_CELLS
    ends = work.exact_ends(need) if exact else work.searched_ends(need)
    (work.exact_between if exact else work.searched_between)(ends)
    front = _undominated(work.pool.values())
    named = {
        "coverage": min(front, key=lambda p: (-p.served, p.cost, -p.worst, p.options)),
        "fairest": min(front, key=lambda p: (-p.worst, -p.served, p.cost, p.options)),
    }
    enough = [p for p in front if p.served >= min(need, named["coverage"].served)]
    named["cheapest"] = min(enough, key=lambda p: (p.cost, -p.served, -p.worst, p.options))
    front = enough if named["fairest"] in enough else [*enough, named["fairest"]]
    named["balanced"] = _balanced(front)
    points = _few(front, list(named.values()))
    gaps = {
        "coverage": _gap(named["coverage"].served, work.most_served),
        "fairest": _gap(named["fairest"].worst, work.best_worst),
        "cheapest": _gap(work.least_cost, named["cheapest"].cost),
    }
    return Front(points, {name: points.index(named[name]) for name in NAMES}, gaps)


def _gap(less: float, more: float) -> float:
    """Return how far apart two figures are, in parts of the larger one; a millionth is rounding."""
    return 0.0 if more <= 0 else round(max(0.0, (more - less) / more), 6)


def _today(judge: Judge) -> JudgedPlan | None:
    """Return the stations of today, run as they are; None where there are none."""
    problem = judge.problem
    options = tuple(o for o in range(len(judge.model.kind)) if judge.model.kind[o] is None)
    return judge.judge(options) if problem.existing_site and options else None


def _undominated(points: Iterable[JudgedPlan]) -> list[JudgedPlan]:
    """Return the plans that none beats, one of each worth, the one that serves most first."""
    order = sorted(points, key=lambda p: (-p.served, p.cost, -p.worst, p.options))
    alike = {(p.served, p.cost, p.worst): p for p in reversed(order)}
    different = [p for p in order if alike[p.served, p.cost, p.worst] is p]
    return [p for p in different if not any(other.beats(p) for other in different)]


def _balanced(front: list[JudgedPlan]) -> JudgedPlan:
    """Return the compromise: where the aim that is farthest from its best is nearest to it (Yu 1973).

    Each aim counts from its worst to its best on the front.
    """
    table = np.array([(p.served, -p.cost, p.worst) for p in front])
    span = table.max(axis=0) - table.min(axis=0)
    short = (table.max(axis=0) - table) / np.where(span > 0, span, 1.0)
    return min(
        zip(front, short, strict=True),
        key=lambda row: (row[1].max(), row[1].sum(), -row[0].served, row[0].options),
    )[0]


def _few(front: list[JudgedPlan], named: list[JudgedPlan]) -> tuple[JudgedPlan, ...]:
    """Return the named plans and those that lie farthest from them, in the order of the front."""
    table = np.array([(p.served, p.cost, p.worst) for p in front])
    table = table / np.where(np.ptp(table, axis=0) > 0, np.ptp(table, axis=0), 1.0)
    taken = {front.index(p) for p in named}
    while len(taken) < min(MOST_POINTS, len(front)):
        far = np.abs(table[:, None] - table[sorted(taken)][None]).max(axis=2).min(axis=1)
        far[sorted(taken)] = -1.0
        taken.add(int(far.argmax()))
    return tuple(front[k] for k in sorted(taken))


class _Work:
    """The plans that were found for one front, and the bounds."""

    def __init__(self, judge: Judge, known: list[Options], bound_served: float) -> None:
        self.judge, self.problem = judge, judge.problem
        self.pool: dict[Options, JudgedPlan] = {}
        self.total = float(self.problem.weight.sum())
        self.most_served = min(1.0, bound_served / self.total)
        self.best_worst, self.least_cost = 1.0, 0.0
        today = _today(judge)
        if today is not None and self._fits(today):
            known = [*known, today.options]
        for options in known:
            self.add(options)

    def _fits(self, plan: JudgedPlan) -> bool:
        return self.problem.budget is None or plan.cost <= self.problem.budget + 1e-6

    def add(self, options: Options) -> JudgedPlan:
        """Take a plan in, and the thrifty one beside it; return this one."""
        self.pool[options] = self.judge.judge(options)
        near = thrifty(self.judge, options)
        self.pool[near] = self.judge.judge(near)
        return self.pool[near]

    # --- small studies: every point is a programme ---

    def _solve(self, aim: Aim, ends: Ends) -> float | None:
        """Take in the best plan for one aim and return the bound; None where there is none."""
        found = best_plan(
            self.problem, self.judge.cost_s, self.judge.counted, aim, ends, Limits(node_limit=NODES)
        )
        if found is None:
            return None
        self.add(found[0])
        return found[1]

    def _chain(self, order: tuple[Aim, ...], ends: Ends) -> tuple[float, Ends] | None:
        """Solve for one aim after the other; return the bound of the first and the limits of all."""
        first: float | None = None
        for aim in order:
            bound = self._solve(aim, ends)
            if bound is None:
                break
            first = bound if first is None else first
            # a hair of room, so that rounding makes nothing impossible
            if aim == "served":
                ends = dataclasses.replace(ends, served=max(ends.served, bound - 1e-7 * self.total))
            elif aim == "cost":
                ends = dataclasses.replace(ends, cost=bound + 1e-6 * max(1.0, bound))
            else:
                ends = dataclasses.replace(ends, worst=max(ends.worst, bound - 1e-7))
        return None if first is None else (first, ends)

    def exact_ends(self, need: float) -> list[JudgedPlan]:
        """Solve the three ends."""
        free = Ends()
        orders: dict[str, tuple[tuple[Aim, ...], Ends]] = {
            "served": (("served", "cost", "worst"), free),
            "worst": (("worst", "served", "cost"), free),
            "cost": (("cost", "served", "worst"), Ends(served=need * self.total * (1 - 1e-7))),
        }
        for name, (order, limits) in orders.items():
            found = self._chain(order, limits)
            if found is None:
                continue
            if name == "served":
                self.most_served = min(self.most_served, found[0] / self.total)
            elif name == "worst":
                self.best_worst = min(self.best_worst, found[0])
            else:
                self.least_cost = max(self.least_cost, found[0])
        return self._known_ends(need)

    def exact_between(self, ends: list[JudgedPlan]) -> None:
        """Solve for most served at costs and worst grids between those of the ends."""
        for limits in _between(ends):
            self._chain(("served", "cost", "worst"), limits)

    # --- large studies: search, with the bounds of the search ---

    def _search(self, budget: float | None, worst: float, effort: PlanEffort = EFFORT) -> SitingResult | None:
        """Search for most served within limits; takes the plan in, and the bound where it is one for all."""
        problem = self.problem
        if budget is not None and (problem.budget is None or budget < problem.budget):
            problem = dataclasses.replace(problem, budget=budget)
        if worst > 0:
            share = np.full(len(self.judge.counted.total), min(1.0, worst))
            problem = dataclasses.replace(problem, group=self.judge.counted.group, group_share=share)
        # towards a fair plan from the fairest that is known
        start = max(
            self.pool.values(),
            key=lambda p: (min(worst, p.worst), p.served, p.options),
            default=None,
        )
        try:
            found = solve_station_plan(
                problem, self.judge.cost_s, Limits(), effort, start=() if start is None else start.options
            )
        except InfeasibleError:
            return None
        self.add(found.options)
        return found

    def searched_ends(self, need: float) -> list[JudgedPlan]:
        """Search for the three ends, by halves."""
        limits = Limits(node_limit=NODES)
        if self.most_served == 1.0:
            most = self._search(None, 0.0, PROOF)
            known = 1.0 if most is None else most.bound / self.total
            in_reach = bound_of_served(self.problem, self.judge.cost_s, limits) / self.total
            self.most_served = min(known, in_reach)
        counted = self.judge.counted
        self.best_worst, sites = bound_of_worst(self.problem, self.judge.cost_s, counted, limits)
        there = [p for p in map(self.judge.judge, _alike_on(self.judge, sites)) if self._fits(p)]
        if there:
            self.add(max(there, key=lambda p: (p.worst, p.served, -p.cost, p.options)).options)
        high = self.best_worst
        for _ in range(HALVINGS):
            low = max((p.worst for p in self.pool.values()), default=0.0)
            if high - low < 0.005:
                break
            # the bound itself first, then halves
            self._search(None, high)
            met = max(p.worst for p in self.pool.values()) if self.pool else 0.0
            high = high if met >= high else (max(low, met) + high) / 2
        self._search_cheapest(need)
        return self._known_ends(need)

    def _search_cheapest(self, need: float) -> None:
        found_bound, options = bound_of_cost(
            self.problem, self.judge.cost_s, need * self.total, Limits(node_limit=NODES)
        )
        self.least_cost = max(_least_money(self.problem), found_bound)
        if options and self._fits(self.judge.judge(options)):
            self.add(options)
        low = max(0.0, self.least_cost)
        for _ in range(HALVINGS):
            enough = [p.cost for p in self.pool.values() if p.served >= need]
            high = min(enough, default=np.inf)
            if not enough or high - low <= 1e-3 * max(1.0, high):
                break
            middle = (low + high) / 2
            found = self._search(middle, 0.0, PROOF)
            if found is None or found.bound / self.total < need - 1e-9:
                # proven: nothing so cheap serves enough
                self.least_cost = max(self.least_cost, middle) if found is not None else self.least_cost
            if not any(p.served >= need and p.cost <= middle + 1e-6 for p in self.pool.values()):
                low = middle

    def searched_between(self, ends: list[JudgedPlan]) -> None:
        """Search for most served at costs and worst grids between those of the ends."""
        for limits in _between(ends):
            self._search(limits.cost, limits.worst)

    def _known_ends(self, need: float) -> list[JudgedPlan]:
        front = _undominated(self.pool.values())
        enough = [p for p in front if p.served >= need] or front
        return [
            min(front, key=lambda p: (-p.served, p.cost, -p.worst, p.options)),
            min(front, key=lambda p: (-p.worst, -p.served, p.cost, p.options)),
            min(enough, key=lambda p: (p.cost, -p.served, -p.worst, p.options)),
        ]


def _alike_on(judge: Judge, sites: tuple[int, ...]) -> list[Options]:
    """Return plans on some sites, all new stations run alike: one for each way to run them."""
    problem, model = judge.problem, judge.model
    here = np.nonzero(np.isin(problem.option_site, sites))[0].tolist()
    old = set(problem.existing_site)
    today = [o for o in here if model.kind[o] is None]
    ways: dict[object, list[int]] = {}
    for o in here:
        if int(problem.option_site[o]) not in old:
            ways.setdefault((model.kind[o], model.pattern[o]), []).append(o)
    return [tuple(sorted([*today, *options])) for options in ways.values()]


def _between(ends: list[JudgedPlan]) -> list[Ends]:
    """Return limits between the ends: on money, on the worst grid, and on both."""
    most, fairest, cheapest = ends
    money = [cheapest.cost + part * (most.cost - cheapest.cost) for part in (1 / 3, 2 / 3)]
    middle = (most.worst + fairest.worst) / 2
    return [
        Ends(cost=money[0]),
        Ends(cost=money[1]),
        Ends(cost=max(most.cost, fairest.cost), worst=middle),
        Ends(cost=money[1], worst=middle),
    ]


def _least_money(problem: StationPlan) -> float:
    """Return yuan that no plan costs less than."""
    close = np.zeros(len(problem.existing_site)) if problem.close_cost is None else problem.close_cost
    saving = np.zeros(len(close)) if problem.move_saving is None else problem.move_saving
    new = ~np.isin(problem.option_site, problem.existing_site)
    cheapest = float(problem.option_cost[new].min(initial=np.inf))
    least = 0.0
    for e, s in enumerate(problem.existing_site):
        stay = float(problem.option_cost[problem.option_site == s].min(initial=np.inf))
        least += (
            stay
            if s in problem.kept
            else min(
                # what moves takes a new place
                stay,
                float(close[e]),
                float(close[e] - saving[e]) + cheapest,
            )
        )
    return least
