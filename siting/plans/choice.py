"""Places, kinds and opening hours of all stations chosen together under a yearly budget."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from geo.errors import InfeasibleError
from siting.inputs import StudySettings
from siting.plans.served import Running, running
from siting.problems.define import SitingResult, StationPlan
from siting.results import BudgetPoint
from siting.solvers.station_plans import PlanEffort, answer_of, solve_station_plan
from siting.solvers.verify import require_verified
from siting.stations.hours import open_by_hour
from siting.stations.kinds import KINDS, ExistingStation, StationKind

__all__ = ["PlanModel", "budget_points", "cheaper_plans", "plan_model", "usual_cost"]

FloatArray = npt.NDArray[np.float64]

PARTS: Final = (0.5, 0.75, 1.0, 1.25, 1.5)
"""Budgets about the given one."""
EFFORT: Final = PlanEffort(steps=120, sweeps=4, width=12)


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class PlanModel:
    """A plan of options as a model, with what each option stands for."""

    problem: StationPlan
    kind: tuple[StationKind | None, ...]
    """Kind of each option; None for an existing station run as it is."""
    pattern: tuple[tuple[int, int] | None, ...]

    def run(self, result: SitingResult) -> dict[int, tuple[StationKind, tuple[int, int]]]:
        """Return how each chosen new site (or changed existing one) is run."""
        out = {}
        for option in result.options:
            kind, pattern = self.kind[option], self.pattern[option]
            if kind is not None and pattern is not None:
                out[int(self.problem.option_site[option])] = (kind, pattern)
        return out

    def running(self, cost_s: FloatArray, result: SitingResult) -> Running:
        """Return the stations of an answer in business; ``cost_s`` (n, m) seconds to all sites."""
        problem, options = self.problem, list(result.options)
        holds = np.inf if problem.option_capacity is None else problem.option_capacity[options]
        room = np.where(problem.option_open[options].T, holds, 0.0).T
        return running(cost_s[:, problem.option_site[options]], problem.limit_s, list(room))


def usual_cost(station: ExistingStation) -> float:
    """Return yuan a year of an existing station: its own figure, or that of its kind with its hours."""
    if station.cost_yuan is not None:
        return station.cost_yuan
    kind = next((k for k in KINDS if k.name == station.kind), KINDS[1])
    return kind.fixed_yuan + kind.hour_yuan * float(open_by_hour(station.hours).sum())


def plan_model(
    weight: FloatArray,
    existing: tuple[ExistingStation, ...],
    candidates: int,
    settings: StudySettings,
    days: tuple[str, ...] = (),
) -> PlanModel:
    """Set up the plan of one study.

    An existing station may stay as it is, be run with any longer pattern of its kind, and, where the
    settings say so, close or move.

    Parameters
    ----------
    weight : (n, 24) rider-minutes a day
    existing : stations today; they are sites 0 to e - 1
    candidates : number of candidates, the sites after them
    settings : budget, kinds, what existing stations may do
    days : local days of the demand, ISO: on public holidays stations are open as their hours say
    """
    rows: list[
        tuple[int, float, npt.NDArray[np.bool_], float, StationKind | None, tuple[int, int] | None]
    ] = []
    for e, station in enumerate(existing):
        kind = next((k for k in settings.kinds if k.name == station.kind), settings.kinds[0])
        today = open_by_hour(station.hours, days, settings.timezone) >= 0.5
        rows.append((e, usual_cost(station), today, kind.minutes_an_hour, None, None))
        for pattern in kind.patterns:
            longer = _hours(pattern)
            if (longer & ~today).any() and longer.sum() > today.sum():
                extra = kind.hour_yuan * float(longer.sum() - today.sum())
                rows.append((e, usual_cost(station) + extra, longer, kind.minutes_an_hour, kind, pattern))
    ways = [(kind, pattern, _hours(pattern)) for kind in settings.kinds for pattern in kind.patterns]
    rows += [
        (len(existing) + c, kind.cost_yuan(pattern), hours, kind.minutes_an_hour, kind, pattern)
        for c in range(candidates)
        for kind, pattern, hours in ways
    ]
    old = len(existing)
    moving = settings.existing_stations == "may_move"
    fixed = [
        next((k for k in settings.kinds if k.name == s.kind), settings.kinds[0]).fixed_yuan for s in existing
    ]
    problem = StationPlan(
        weight=weight,
        limit_s=settings.limit_s,
        option_site=np.array([r[0] for r in rows], dtype=np.int64),
        option_cost=np.array([r[1] for r in rows]),
        option_open=np.array([r[2] for r in rows]),
        option_capacity=np.array([r[3] for r in rows]),
        budget=settings.budget_yuan,
        new_sites=settings.new_sites,
        kept=tuple(range(old)) if settings.existing_stations == "keep" else (),
        existing_site=tuple(range(old)),
        close_cost=np.full(old, settings.close_yuan),
        move_saving=np.array(fixed) * settings.move_share if moving else np.zeros(old),
    )
    return PlanModel(problem, tuple(r[4] for r in rows), tuple(r[5] for r in rows))


def _hours(pattern: tuple[int, int]) -> npt.NDArray[np.bool_]:
    out = np.zeros(24, dtype=np.bool_)
    out[np.arange(*pattern) % 24] = True
    return out


def cheaper_plans(model: PlanModel, cost_s: FloatArray) -> dict[float, SitingResult]:
    """Return the plans that serve most for parts of the budget, by their part; none without a budget.

    Each starts from the one before. They are starts of the search for the whole budget, so that more money
    never serves less.
    """
    out: dict[float, SitingResult] = {}
    start: tuple[int, ...] = ()
    for part in PARTS:
        answer = _for_part(model, cost_s, part, start) if part < 1.0 else None
        if answer is not None:
            out[part], start = answer, answer.options
    return out


def _for_part(
    model: PlanModel, cost_s: FloatArray, part: float, start: tuple[int, ...]
) -> SitingResult | None:
    """Return the plan that serves most for a part of the budget; None where it buys none."""
    problem = model.problem
    if problem.budget is None or problem.weight.sum() == 0:
        return None
    problem = dataclasses.replace(problem, budget=part * problem.budget)
    try:
        return solve_station_plan(problem, cost_s, effort=EFFORT, start=start)
    except InfeasibleError:
        # what stands, or closing it, costs more
        return None


def budget_points(
    model: PlanModel,
    cost_s: FloatArray,
    most: SitingResult,
    known: tuple[dict[float, SitingResult], Sequence[tuple[float, tuple[int, ...]]]],
    ask: Callable[[str, SitingResult], None],
) -> tuple[BudgetPoint, ...]:
    """Return the most that is served for budgets about the given one, each with its proven gap.

    Parameters
    ----------
    model : of the study, without least shares
    cost_s : (n, m) seconds
    most : the plan that serves most for the whole budget
    known : `cheaper_plans`, and other plans within the budget as cost (yuan) and options: no point tells less
        than a plan that the study shows for as little money
    ask : asks to publish a share: its path, and the answer that it tells of
    """
    budget = model.problem.budget
    total = float(model.problem.weight.sum())
    if budget is None or total == 0:
        return ()
    cheaper, others = known
    out: list[BudgetPoint] = []
    last: SitingResult | None = None
    for part in PARTS:
        start = () if last is None else last.options
        answer = _for_part(model, cost_s, part, start) if part > 1.0 else cheaper.get(part)
        answer = most if part == 1.0 else answer
        if answer is None:
            continue
        problem = dataclasses.replace(model.problem, budget=part * budget)
        afforded = [options for cost, options in others if cost <= part * budget and part < 1.0]
        for options in filter(None, (*afforded, start)):
            found = answer_of(problem, cost_s, options, answer.bound)
            answer = max(answer, found, key=lambda one: one.objective)
        last = require_verified(problem, cost_s, answer)
        served = min(1.0, answer.objective / total)
        ask(f"budget_curve/{len(out)}/served_share", answer)
        new = len(set(answer.chosen) - set(model.problem.existing_site))
        out.append(BudgetPoint(part * budget, len(answer.chosen), served, answer.gap, new))
    return tuple(out)
