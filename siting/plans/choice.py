"""Places, kinds and opening hours of all stations chosen together under a yearly budget."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
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

__all__ = ["PlanModel", "budget_points", "cheaper_plans", "plan_model", "usual_cost", "ways_on_offer"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

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
    need: FloatArray | None = None,
    runs: Mapping[int, tuple[StationKind, tuple[int, int]]] = MappingProxyType({}),
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
    need : (e + c, 24) rider-minutes a day in reach of each site, 0 in hours of fewer than k riders: ways to
        run a site that differ in such hours only are not on offer, for the hours of a station are published.
        None: all are
    runs : ways to run sites that are on offer besides
    """
    rows: list[tuple[int, float, BoolArray, float, StationKind | None, tuple[int, int] | None]] = []
    for e, station in enumerate(existing):
        kind = next((k for k in settings.kinds if k.name == station.kind), settings.kinds[0])
        today = open_by_hour(station.hours, days, settings.timezone) >= 0.5
        rows.append((e, usual_cost(station), today, kind.minutes_an_hour, None, None))
        patterns = tuple(p for p in kind.patterns if (_hours(p) & ~today).any() and p[1] - p[0] > today.sum())
        if not patterns:
            continue
        for _, pattern in ways_on_offer((dataclasses.replace(kind, patterns=patterns),), need, e, today):
            longer = _hours(pattern)
            extra = kind.hour_yuan * float(longer.sum() - today.sum())
            rows.append((e, usual_cost(station) + extra, longer, kind.minutes_an_hour, kind, pattern))
    for site in range(len(existing), len(existing) + candidates):
        ways = ways_on_offer(settings.kinds, need, site)
        if site in runs and runs[site] not in ways:
            ways.append(runs[site])
        rows += [
            (site, kind.cost_yuan(pattern), _hours(pattern), kind.minutes_an_hour, kind, pattern)
            for kind, pattern in ways
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


def ways_on_offer(
    kinds: tuple[StationKind, ...], need: FloatArray | None, site: int, today: BoolArray | None = None
) -> list[tuple[StationKind, tuple[int, int]]]:
    """Return the ways to run a site that the known hours tell apart.

    Left out is a way where another is no dearer and no longer, open in the same known hours, and has as many
    seats or enough of them: only hours of fewer than k riders could speak for it.

    Parameters
    ----------
    kinds : kinds with their patterns
    need : as in `plan_model`
    site : its row
    today : (24,) in which hours the station that stands there is open: longer hours need a known one more
    """
    ways = [(kind, pattern, _hours(pattern)) for kind in kinds for pattern in kind.patterns]
    if need is None:
        return [(kind, pattern) for kind, pattern, _ in ways]
    known, busiest = need[site] > 0, float(need[site].max(initial=0.0))
    if today is not None:
        known = known & ~today
        ways = [way for way in ways if (way[2] & known).any()]

    def better(other: int, one: int) -> bool:
        """Whether the other leaves one out; of two alike the first stays."""
        (a_kind, a, a_open), (b_kind, b, b_open) = ways[other], ways[one]
        fits = a_kind.seats >= b_kind.seats or busiest <= a_kind.minutes_an_hour
        a_cost, b_cost = a_kind.cost_yuan(a), b_kind.cost_yuan(b)
        a_hours, b_hours = (a_open & known), (b_open & known)
        if not fits or a_cost > b_cost or a[1] - a[0] > b[1] - b[0] or (b_hours & ~a_hours).any():
            return False
        alike = a_cost == b_cost and a[1] - a[0] == b[1] - b[0] and (a_hours == b_hours).all()
        return not alike or a_kind.seats > b_kind.seats or (a_kind.seats == b_kind.seats and other < one)

    numbers = range(len(ways))
    return [
        ways[one][:2] for one in numbers if not any(better(other, one) for other in numbers if other != one)
    ]


def _hours(pattern: tuple[int, int]) -> BoolArray:
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
