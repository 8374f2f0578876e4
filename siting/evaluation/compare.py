"""A plan beside other ways of choosing, at other costs, and on other days and riders."""

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from siting.demand.asked import Asked, thousandths
from siting.demand.weighted import Demand, by_hour
from siting.evaluation.stability import busiest_cells, covered_share, kmeans_centres, random_choices
from siting.inputs import StudySettings
from siting.plans.choice import usual_cost
from siting.plans.plan import Plan
from siting.plans.served import Running, open_hours, run_by_need, running, served_share
from siting.problems.define import MaxCover
from siting.problems.reach import Reach
from siting.results import BudgetPoint, Coverage, Estimate
from siting.solvers.cover_search import bound_cover, search_cover
from siting.travel_times import Ways

__all__ = ["Days", "budget_curve", "coverage_table", "days_of", "estimates", "rising"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Ask = Callable[[str, FloatArray], None]
"""Asks to publish a share of weighted demand: its path, and (n, 24) which share of each cell it counts."""

FIVE_MIN_S = 300.0
"""A measure that all studies share, whatever their own limit."""
DRAWS, FEW_DRAWS, MANY_PAIRS = 200, 50, 100_000
"""Resamples behind the estimates; fewer where a plan joins so many pairs of demand point and station."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Days:
    """The demand of some days: means a day."""

    mask: BoolArray
    """(days,)."""
    weight: FloatArray
    """(n, 24) weighted rider-minutes: what takes the seats."""
    rest: FloatArray
    """(n, 24) rider-minutes of rest."""


def days_of(demand: Demand, settings: StudySettings, mask: BoolArray) -> Days:
    """Return the demand of the days in ``mask``."""
    rest = by_hour(demand.rest, len(demand.lonlat), mask.astype(np.float64))
    return Days(mask, demand.weight(settings.weights, mask), rest)


def coverage_table(
    plan: Plan,
    demand: Demand,
    days: dict[str, Days],
    ways: Ways,
    settings: StudySettings,
    rng: np.random.Generator,
    asked: Asked,
) -> tuple[Coverage, ...]:
    """Compare the plan with other ways of adding as many stations to the existing ones that it keeps.

    k-means centres and busiest cells may stand anywhere; the plan and random draws only on candidates. Their
    stations have the kind and hours that their demand needs, whatever these cost. All choices see the
    training days only. ``days`` holds "training" and, where days were held out, "held_out".

    Parameters
    ----------
    plan : with the runs of its stations
    demand : demand points
    days : demand of the days that count
    ways : streets
    settings : mode, kinds, draws
    rng : of the random draws
    asked : where the shares ask to be published
    """
    kept, old, added = list(plan.kept), len(plan.existing), len(plan.added)
    xy = ways.project(demand.lonlat)
    seen = days["training"].weight
    centres = {
        "kmeans": kmeans_centres(xy, seen.sum(axis=1), added, settings.seed),
        "busiest": busiest_cells(xy, seen.sum(axis=1), added),
    }
    draws = random_choices(len(plan.lonlat) - old, added, settings.random_draws, rng)
    seats = [plan.seats(site) for site in kept]

    def run(cost_s: FloatArray) -> Running:
        # their hours are not told, so all hours count
        runs = run_by_need(cost_s, plan.limit_s, seen, (plan.kinds, None), len(kept))
        new = [np.where(open_hours(one), one[0].minutes_an_hour, 0.0) for one in runs]
        return running(cost_s, plan.limit_s, seats + new)

    def beside_kept(cost_s: FloatArray, near_s: FloatArray) -> FloatArray:
        return np.concatenate([cost_s[:, kept], near_s], axis=1)

    def anywhere(spots: FloatArray, limit_s: float) -> FloatArray:
        if len(spots) == 0:
            return np.empty((len(xy), 0))
        cost_s = ways.seconds(settings.mode, demand.lonlat, ways.unproject(spots), limit_s)
        cost_s[demand.only_passing()[:, None] & (cost_s > settings.passing_limit_s)] = np.inf
        return cost_s

    five_s = plan.cost_s
    if plan.limit_s != FIVE_MIN_S:
        five_s = ways.seconds(settings.mode, demand.lonlat, plan.lonlat, FIVE_MIN_S)
    rows = {
        "yilu": _Row(len(plan.chosen), [plan.in_business()], [five_s[:, list(plan.chosen)]]),
        "existing": _Row(old, [plan.today()], [five_s[:, :old]]),
    }
    for method, spots in centres.items():
        near, near_five = anywhere(spots, plan.limit_s), anywhere(spots, FIVE_MIN_S)
        choice = run(beside_kept(plan.cost_s, near))
        rows[method] = _Row(len(kept) + len(spots), [choice], [beside_kept(five_s, near_five)])
    rows["random"] = _Row(
        len(kept) + added,
        [run(beside_kept(plan.cost_s, plan.cost_s[:, old + d])) for d in draws],
        [beside_kept(five_s, five_s[:, old + d]) for d in draws],
    )
    return tuple(row.as_coverage(method, days, asked) for method, row in rows.items())


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class _Row:
    """One way of choosing: one choice, or several whose mean counts."""

    sites: int
    choices: list[Running]
    five_s: list[FloatArray]
    """For each choice (n, s) seconds as far as five minutes."""

    def as_coverage(self, method: str, days: dict[str, Days], asked: Asked) -> Coverage:
        """Return the shares of this way, and ask to publish them."""
        rank = "plan" if method == "yilu" else "other"
        shares: dict[str, float] = {}

        def tell(field: str, some: Days, values: list[float], times: IntArray) -> None:
            path = f"coverage/{method}/{field}"
            shares[field] = float(np.mean(values))
            asked.on(some.mask).share(path, "rest", times, None, rank)

        def reached(field: str, some: Days, within: list[BoolArray]) -> None:
            values = [covered_share(some.rest.sum(axis=1), one) for one in within]
            # as often as a choice reaches a point
            tell(field, some, values, np.array([one.any(axis=1) for one in within], np.int64).sum(axis=0))

        at_limit = [one.in_reach[:, None] for one in self.choices]
        at_five = [one <= FIVE_MIN_S for one in self.five_s]
        for name, some in days.items():
            served = [served_share(one, some.weight) for one in self.choices]
            values = [rest_share(some.rest, one) for one in served]
            times = sum((thousandths(one) for one in served), np.zeros(some.rest.shape, dtype=np.int64))
            tell(f"served_{name}", some, values, times)
            reached(f"in_reach_{name}", some, at_limit)
            reached(f"in_reach_5_min_{name}", some, at_five)
        return Coverage(
            method=method,
            sites=self.sites,
            served_training=shares["served_training"],
            served_held_out=shares.get("served_held_out"),
            in_reach_training=shares["in_reach_training"],
            in_reach_held_out=shares.get("in_reach_held_out"),
            in_reach_5_min_training=shares["in_reach_5_min_training"],
            in_reach_5_min_held_out=shares.get("in_reach_5_min_held_out"),
        )


def rest_share(rest: FloatArray, share: FloatArray) -> float:
    """Return which share of (n, 24) rest is served, given the share of each cell."""
    total = float(rest.sum())
    return min(1.0, float((rest * share).sum()) / total) if total > 0 else 0.0


def estimates(
    plan: Plan,
    demand: Demand,
    days: dict[str, Days],
    settings: StudySettings,
    riders: int,
    rng: np.random.Generator,
    asked: Asked,
) -> tuple[tuple[Estimate, ...], int]:
    """Return what the plan and the stations of today serve, with intervals, and the number of resamples.

    Asks to publish them. An end of an interval is a resample of the rests of all riders: it is judged as the
    figure itself is, by who is served and who is left, and stands or falls with it.

    Days and riders are drawn with replacement, both at once, from those that were seen (Efron, Annals of
    Statistics 7 (1979)); the stations stay as they are, and each resample is served anew. The interval holds
    the middle 95 of 100 resamples. Without ``draws`` in the settings there are none.

    Parameters
    ----------
    plan, demand, days, settings : as in `coverage_table`
    riders : number of riders, who are drawn
    rng : of the draws
    asked : where they ask to be published
    """
    if settings.draws == 0:
        return (), 0
    ways = {"yilu": plan.in_business(), "existing": plan.today()}
    draws = DRAWS if len(ways["yilu"].pairs.point) <= MANY_PAIRS else FEW_DRAWS
    out: list[Estimate] = []
    for name, some in days.items():
        found: dict[str, list[tuple[float, float]]] = {method: [] for method in ways}
        pool = np.nonzero(some.mask)[0]
        for _ in range(draws):
            day_times = np.bincount(rng.choice(pool, len(pool)), minlength=len(some.mask)).astype(np.float64)
            rider_times = np.bincount(rng.integers(0, riders, riders), minlength=riders).astype(np.float64)
            rest = by_hour(demand.rest, len(demand.lonlat), day_times, rider_times)
            weight = demand.weight(settings.weights, day_times, rider_times)
            for method, stations in ways.items():
                share = served_share(stations, weight)
                found[method].append((rest_share(rest, share), float((rest * share).sum())))
        for method, stations in ways.items():
            share = served_share(stations, some.weight)
            values = (rest_share(some.rest, share), float((some.rest * share).sum()))
            low, high = np.percentile(np.array(found[method]), [2.5, 97.5], axis=0)
            for number, end in itertools.product((len(out), len(out) + 1), ("value", "low", "high")):
                path = f"estimates/{number}/{end}"
                asked.on(some.mask).share(path, "rest", thousandths(share), None, "plan")
            out += [
                Estimate(measure, method, name, values[at], float(low[at]), float(high[at]))
                for at, measure in enumerate(("served_share", "served_min_a_day"))
            ]
    return tuple(out), draws


def budget_curve(
    plan: Plan,
    problem: MaxCover,
    weight: FloatArray,
    reach: Reach,
    rng: np.random.Generator,
    most_points: int = 12,
    ask: Ask | None = None,
) -> tuple[BudgetPoint, ...]:
    """Return what is served against yearly cost for growing numbers of stations.

    Places are chosen for the demand in reach, so the gap is that of the demand in reach. A number of stations
    that costs more than another and serves no more is left out: whoever has the money for it has the better
    one, too. So what is served never falls as the budget grows. ``ask`` asks to publish the shares.
    """
    old = len(plan.existing)
    chosen_now = len(plan.added)
    top = min(len(plan.lonlat) - old, max(chosen_now + 1, int(np.ceil(1.5 * chosen_now))))
    counts = sorted({round(float(c)) for c in np.linspace(1, top, min(top, most_points))} | {chosen_now})
    total = float(weight.sum())
    standing = sum(usual_cost(s) for s in plan.existing)
    out: list[BudgetPoint] = []
    shares: dict[int, FloatArray] = {}
    for count in counts:
        part = dataclasses.replace(problem, sites=old + count, group=None, group_share=None)
        answer = search_cover(part, reach, rng, rounds=60)
        chosen = plan.chosen if count == chosen_now else answer.chosen
        covered = float(problem.weight[(plan.cost_s[:, list(chosen)] <= plan.limit_s).any(axis=1)].sum())
        bound = max(covered, bound_cover(part, reach, covered, steps=400).bound)
        here = dataclasses.replace(plan, chosen=chosen, run=plan.run if count == chosen_now else {})
        here = here.with_runs(weight)
        cost = standing + sum(kind.cost_yuan(pattern) for kind, pattern in (here.run[s] for s in here.added))
        # the bound is a sum of floats: a millionth is none
        gap = 0.0 if bound <= 0 else round((bound - covered) / bound, 6)
        share = served_share(here.in_business(), weight)
        served = rest_share(weight, share) if total else 0.0
        out.append(BudgetPoint(cost, len(chosen), served, gap, len(here.added)))
        shares[id(out[-1])] = share
    curve = rising(out)
    for number, point in enumerate(curve):
        if ask is not None:
            ask(f"budget_curve/{number}/served_share", shares[id(point)])
    return curve


def rising(points: list[BudgetPoint]) -> tuple[BudgetPoint, ...]:
    """Return the points that serve more than every cheaper one, from cheap to dear."""
    out: list[BudgetPoint] = []
    for point in sorted(points, key=lambda p: (p.cost_yuan, -(p.served_share or 0.0), p.sites)):
        if not out or (point.served_share or 0.0) > (out[-1].served_share or 0.0):
            out.append(point)
    return tuple(out)
