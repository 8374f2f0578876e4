"""The plan that the study file asks for, and what it costs in coverage, money and fairness beside others.

``coverage`` (most served), ``cheapest``, ``fairest`` and ``balanced`` are points of one front
(`siting.plans.pareto`); a least share of every grid is met as the study counts *served*, or refused.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from geo.errors import InfeasibleError, InputError
from geo.sentences import Fact, Sentence
from siting.columns import GridColumns
from siting.demand.asked import Asked, thousandths
from siting.demand.hourly import HourRiders
from siting.demand.weighted import Demand, distinct_riders
from siting.inputs import StudyInputs, StudySettings
from siting.plans.choice import PlanModel, cheaper_plans, plan_model
from siting.plans.figures import grid_of
from siting.plans.pareto import NAMES, Front, Judge, JudgedPlan, plan_front, thrifty
from siting.plans.plan import Plan
from siting.plans.served import known_need
from siting.problems.define import SitingResult, StationPlan
from siting.problems.highs import Limits
from siting.results import FrontPoint, Solution
from siting.solvers.plan_programs import Counted, bound_of_served, plan_cost
from siting.solvers.solve import solve
from siting.solvers.station_plans import answer_of, solve_station_plan
from siting.solvers.verify import require_verified

__all__ = [
    "Choice",
    "CountedGrids",
    "choose_jointly",
    "counted_grids",
    "front_beside",
    "front_points",
    "solution_of",
]

FloatArray = npt.NDArray[np.float64]

_ROUNDS = 4
"""Times that a least share is asked for again where the nearest took the seats."""
_SLACK = 1e-6
_MOST_NAMED = 10


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class CountedGrids:
    """The unit grids that fairness counts: those in which k riders rest on the days of the choice."""

    counted: Counted
    codes: tuple[str, ...]
    """By their number in ``counted``."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Choice:
    """The plan of the study, chosen with kinds and hours, and the front that it lies on."""

    model: PlanModel
    result: SitingResult
    most: SitingResult
    """The plan that serves most: the same, unless another is asked for."""
    again: StationPlan
    """The problem to be solved again for other days: most served at the same cost and for the worst grid."""
    judge: Judge
    front: Front | None
    """None without unit grids that count."""
    cheaper: dict[float, SitingResult]
    """Plans for parts of the budget, by their part."""

    @property
    def shown(self) -> list[tuple[float, tuple[int, ...]]]:
        """Plans of the front, as cost (yuan) and options."""
        return [] if self.front is None else [(point.cost, point.options) for point in self.front.points]


def counted_grids(
    grids: GridColumns | None, seen: Demand, rest: FloatArray, settings: StudySettings
) -> CountedGrids:
    """Return the grids that count; none where there are none, or where rest has no part in the choice.

    Parameters
    ----------
    grids : unit grids, None for none
    seen : demand of the days that the choice sees
    rest : (n, 24) rider-minutes of rest of these days
    settings : k and weights
    """
    none = Counted(np.full(len(rest), -1, dtype=np.int64), rest)
    if grids is None or settings.weights.rest == 0:
        return CountedGrids(none, ())
    group = grid_of(tuple(grids.polygons), seen.lonlat)
    size = len(grids.codes)
    riders = distinct_riders(seen.rest, group, size)
    some = np.bincount(group[group >= 0], weights=rest.sum(axis=1)[group >= 0], minlength=size) > 0
    # in the order of their codes, so that the order of the file makes no difference
    order = [
        g for g in sorted(range(size), key=lambda g: grids.codes[g]) if riders[g] >= settings.k and some[g]
    ]
    number = np.full(size + 1, -1, dtype=np.int64)
    number[order] = np.arange(len(order))
    return CountedGrids(Counted(number[group], rest), tuple(grids.codes[g] for g in order))


def choose_jointly(
    inputs: StudyInputs,
    days: tuple[str, ...],
    weight: FloatArray,
    cost_s: FloatArray,
    grids: CountedGrids,
    riders: HourRiders | None = None,
) -> Choice:
    """Choose places, kinds and hours together, as the settings ask.

    Parameters
    ----------
    inputs : settings, existing stations
    days : local days of the demand, ISO
    weight : (n, 24) weighted rider-minutes a day
    cost_s : (n, sites) seconds
    grids : those that count
    riders : who stands behind the hours of the demand; None: all hours are known

    Raises
    ------
    InputError
        When fairness is asked for and no grid counts.
    InfeasibleError
        When no plan gives every grid its least share.
    """
    settings = inputs.settings
    candidates = cost_s.shape[1] - len(inputs.existing)
    need = known_need(weight, cost_s, settings.limit_s, riders)
    model = plan_model(weight, inputs.existing, candidates, settings, days, need)
    judge = Judge(model, cost_s, grids.counted)
    fair = settings.least_grid_share > 0 or settings.plan in ("fairest", "balanced")
    if fair and not grids.codes:
        raise InputError(
            Sentence.of("plan_no_grids_floor", k=settings.k)
            if settings.least_grid_share > 0
            else Sentence.of("plan_no_grids", plan=settings.plan, k=settings.k)
        )
    if settings.plan == "cheapest" and not inputs.existing:
        raise InputError(Sentence.of("plan_no_today"))
    cheaper = cheaper_plans(model, cost_s)
    starts = [_spread(judge), *(answer.options for answer in cheaper.values())]
    start = max(starts, key=lambda options: (judge.judge(options).served, options))
    most = solve_station_plan(model.problem, cost_s, _limits(settings), start=start)
    most = require_verified(model.problem, cost_s, most)
    # hours and seats let go: where they are no want, that is nearer to the truth
    in_reach = bound_of_served(model.problem, cost_s, Limits(node_limit=settings.node_limit))
    most_bound = max(most.objective, min(most.bound, in_reach))
    floor = None
    if settings.least_grid_share > 0:
        model, floor = _with_least_share(model, judge, grids, settings)
    if not grids.codes:
        options = thrifty(judge, most.options)
        front = None
    else:
        known = [*starts, most.options] if floor is None else [*starts, most.options, floor.options]
        front = plan_front(judge, known, most_bound)
        options = front.points[front.names[settings.plan]].options if floor is None else floor.options
    best = most.options if front is None else front.points[front.names["coverage"]].options
    most = require_verified(judge.problem, cost_s, answer_of(judge.problem, cost_s, best, most_bound))
    bound = most_bound if floor is None else min(most_bound, floor.bound)
    result = require_verified(model.problem, cost_s, answer_of(model.problem, cost_s, options, bound))
    return Choice(model, result, most, _again(model, judge, options, settings), judge, front, cheaper)


def _spread(judge: Judge) -> tuple[int, ...]:
    """Return the best plan that runs all new stations alike, where most is in reach: a start of a search.

    One plan for each way to run a station and for keeping or leaving the stations of today; sites are taken
    by what they add in its hours, while the money lasts.
    """
    problem = judge.problem
    within = judge.cost_s <= problem.limit_s
    old = np.isin(problem.option_site, problem.existing_site)
    today = tuple(o for o, kind in enumerate(judge.model.kind) if kind is None)
    found: list[tuple[int, ...]] = []
    ways = {(judge.model.kind[o], judge.model.pattern[o]) for o in np.nonzero(~old)[0].tolist()}
    for way in sorted(ways, key=repr):
        mine = [
            o for o in np.nonzero(~old)[0].tolist() if (judge.model.kind[o], judge.model.pattern[o]) == way
        ]
        for first in {today, tuple(o for o in today if problem.option_site[o] in problem.kept)}:
            chosen, left = list(first), problem.weight.copy()
            for o in first:
                left[np.ix_(within[:, problem.option_site[o]], problem.option_open[o])] = 0.0
            most = len(mine) if problem.new_sites is None else problem.new_sites
            for _ in range(min(most, len(mine))):
                hourly = left[:, problem.option_open[mine[0]]].sum(axis=1)
                gain = hourly @ within[:, problem.option_site[mine]]
                o = mine[int(gain.argmax())]
                trial = tuple(sorted([*chosen, o]))
                dear = problem.budget is not None and plan_cost(problem, trial) > problem.budget
                if gain.max() <= 0 or dear:
                    break
                chosen.append(o)
                left[np.ix_(within[:, problem.option_site[o]], problem.option_open[o])] = 0.0
            found.append(tuple(sorted(chosen)))
    return max(found, key=lambda options: (judge.judge(options).served, options), default=())


def _limits(settings: StudySettings) -> Limits:
    return Limits(gap=1e-3, node_limit=settings.node_limit)


def _again(model: PlanModel, judge: Judge, options: tuple[int, ...], settings: StudySettings) -> StationPlan:
    """Return the problem whose answer the plan is: what it costs and gives the worst grid become limits."""
    if settings.plan == "coverage":
        return model.problem
    problem, counted = model.problem, judge.counted
    out = dataclasses.replace(problem, budget=judge.judge(options).cost)
    size = len(counted.total)
    if settings.plan == "cheapest" or size == 0:
        return out
    inside = counted.group >= 0
    weight = problem.weight[inside]
    got = np.bincount(
        counted.group[inside], weights=(weight * judge.served(options)[inside]).sum(axis=1), minlength=size
    )
    total = np.bincount(counted.group[inside], weights=weight.sum(axis=1), minlength=size)
    worst = max(0.0, float((got / total).min()) - _SLACK)
    return dataclasses.replace(out, group=counted.group, group_share=np.full(size, worst))


def _with_least_share(
    model: PlanModel, judge: Judge, grids: CountedGrids, settings: StudySettings
) -> tuple[PlanModel, SitingResult]:
    """Return the plan that serves most while every grid is served its least share, with its problem.

    The solver hands out seats, in the street the nearest take them: where a grid gets less for that, it is
    asked for more.
    """
    least, counted, cost_s = settings.least_grid_share, grids.counted, judge.cost_s
    near = np.asarray((cost_s <= settings.limit_s).any(axis=1), dtype=np.float64)
    reached = counted.shares(np.repeat(near[:, None], 24, axis=1))
    beyond = [
        code for code, share in zip(grids.codes, reached.tolist(), strict=True) if share < least - _SLACK
    ]
    if beyond:
        names: Fact = ", ".join(beyond[:_MOST_NAMED])
        if len(beyond) > _MOST_NAMED:
            names = Sentence.of("names_and_more", names=names, more=len(beyond) - _MOST_NAMED)
        raise InfeasibleError(
            Sentence.of("floor_out_of_reach", least=f"{least:g}", grids=names, limit=f"{settings.limit_s:g}")
        )
    share = np.full(len(grids.codes), least)
    for _ in range(_ROUNDS):
        problem = dataclasses.replace(model.problem, group=counted.group, group_share=share)
        try:
            rng = np.random.default_rng([settings.seed, 0])
            found = require_verified(problem, cost_s, solve(problem, cost_s, rng, _limits(settings)))
        except InfeasibleError:
            break
        short = least - counted.shares(judge.served(found.options))
        if short.max() <= _SLACK:
            options = thrifty(judge, found.options)
            answer = answer_of(problem, cost_s, options, found.bound)
            return dataclasses.replace(model, problem=problem), answer
        share = np.minimum(1.0, share + np.where(short > _SLACK, short + 0.005, 0.0))
    # without a budget the number of stations is all there is to raise
    key = "floor_not_kept" if settings.budget_yuan is None else "floor_not_kept_budget"
    raise InfeasibleError(Sentence.of(key, least=f"{least:g}", k=settings.k))


def front_beside(
    inputs: StudyInputs, plan: Plan, weight: FloatArray, grids: CountedGrids
) -> tuple[Judge, Front | None, tuple[int, ...]]:
    """Return the front of a study whose places were chosen alone, and its plan as options of that front."""
    candidates = plan.cost_s.shape[1] - len(inputs.existing)
    need = known_need(weight, plan.cost_s, plan.limit_s, plan.riders)
    model = plan_model(weight, inputs.existing, candidates, inputs.settings, plan.days, need, plan.run)
    judge = Judge(model, plan.cost_s, grids.counted)
    here = {(s, *plan.run[s]) for s in plan.added} | {(s, None, None) for s in plan.kept}
    ways = zip(model.problem.option_site.tolist(), model.kind, model.pattern, strict=True)
    options = tuple(o for o, way in enumerate(ways) if way in here)
    return judge, plan_front(judge, [options, _spread(judge)]) if grids.codes else None, options


def front_points(
    judge: Judge,
    front: Front,
    chosen: tuple[int, ...],
    grids: CountedGrids,
    settings: StudySettings,
    asked: Asked,
) -> tuple[FrontPoint, ...]:
    """Return the points of the front as they are told, the plan of the study among them or after them.

    Asks to publish them.
    """
    points = list(front.points)
    mine = judge.judge(chosen)
    at = next((k for k, p in enumerate(points) if _alike(p, mine)), None)
    if at is None:
        points.append(mine)
        at = len(points) - 1
    old = set(judge.problem.existing_site)
    out = []
    for number, point in enumerate(points):
        _verify(judge, point)
        share = thousandths(judge.served(point.options))
        path = f"front/{number}"
        for part in (share, np.ones(len(share), dtype=np.bool_)):
            asked.weighted(f"{path}/served_share", settings.weights, part, "other")
        mask = grids.counted.group == point.worst_grid
        asked.share(f"{path}/worst_share", "rest", mask[:, None] * share, mask, "other")
        names = tuple(name for name in NAMES if number < len(front.points) and front.names[name] == number)
        sites = judge.problem.option_site[list(point.options)].tolist()
        out.append(
            FrontPoint(
                names=names,
                chosen=number == at,
                cost_yuan=point.cost,
                sites=len(sites),
                new_sites=len(set(sites) - old),
                served_share=point.served,
                worst_share=point.worst,
                gaps=tuple((name, front.gaps[name]) for name in names if name in front.gaps),
            )
        )
    return tuple(out)


def _verify(judge: Judge, point: JudgedPlan) -> None:
    """Hold a plan that the study shows against its problem: what a solver calls optimal may break it."""
    total = float(judge.problem.weight.sum())
    require_verified(
        judge.problem, judge.cost_s, answer_of(judge.problem, judge.cost_s, point.options, total)
    )


def _alike(one: JudgedPlan, other: JudgedPlan) -> bool:
    return (one.served, one.cost, one.worst) == (other.served, other.cost, other.worst)


def solution_of(result: SitingResult, front: Front | None, settings: StudySettings) -> Solution:
    """Return how the solver ended: of a named plan, how far its aim may be from the best there is."""
    if front is None or settings.plan == "coverage":
        return Solution(result.status, result.objective, result.bound, result.gap)
    gap = front.gaps.get(settings.plan, max(front.gaps.values()))
    return Solution("optimal" if gap <= _SLACK else "feasible", result.objective, None, gap)
