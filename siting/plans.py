"""A chosen plan and what can be said about it: its sites, its coverage beside others, its cost curve."""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from siting.choice import usual_cost
from siting.demand.asked import Asked
from siting.demand.hourly import hourly_figures, riders_behind
from siting.demand.weighted import Demand
from siting.figures import Assigned, assign, kind_and_hours
from siting.inputs import StudySettings
from siting.problems.define import MaxCover
from siting.problems.reach import Reach
from siting.results import BudgetPoint, Coverage, Site
from siting.solvers.cover_search import bound_cover, search_cover
from siting.stability import busiest_cells, covered_share, kmeans_centres, random_choices
from siting.stations.candidates import Candidates
from siting.stations.hours import open_by_hour, parse_hours, span_text
from siting.stations.kinds import ExistingStation, StationKind
from siting.travel_times import Ways

__all__ = ["REACH_S", "Checks", "Plan", "budget_curve", "coverage_table", "describe_sites", "rising", "until"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

REACH_S = (180, 300, 600)
SHUT_H, CLOSING_H = 18, (20, 22, 24)
"""Many stations shut at 18:00, while riders work from 17:00 to 22:00 (DOMAIN.md)."""
FIVE_MIN_S = 300.0
"""A measure that all studies share, whatever their own limit."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """Existing stations come first in every array over sites, candidates follow.

    Attributes
    ----------
    existing : stations that stand today
    candidates : allowed sites
    lonlat : (e + c, 2) degrees
    cost_s : (n, e + c) seconds from demand points
    chosen : open sites, ascending
    kinds : kinds of stations
    limit_s : reach
    run : kind and daily span of sites where the choice fixed them; the others get what their demand needs
    """

    existing: tuple[ExistingStation, ...]
    candidates: Candidates
    lonlat: FloatArray
    cost_s: FloatArray
    chosen: tuple[int, ...]
    kinds: tuple[StationKind, ...]
    limit_s: float
    run: dict[int, tuple[StationKind, tuple[int, int]]] = dataclasses.field(default_factory=dict)

    @property
    def added(self) -> int:
        """How many new stations the plan has."""
        return sum(s >= len(self.existing) for s in self.chosen)

    @property
    def site_ids(self) -> tuple[str, ...]:
        """``E01`` for existing stations, ``S01`` for chosen candidates in their order, empty for others."""
        old = len(self.existing)
        new = {s: f"S{k:02d}" for k, s in enumerate((s for s in self.chosen if s >= old), start=1)}
        first = tuple(f"E{k:02d}" for k in range(1, old + 1))
        return first + tuple(new.get(s, "") for s in range(old, len(self.lonlat)))


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class _Run:
    """What one station of the plan is, and how it is run."""

    name: str
    kind: str
    hours: str
    facilities: tuple[str, ...]
    cost_yuan: float | None
    open_share: FloatArray
    """(24,) Share (0-1) of each hour in which it is open."""


Ask = Callable[[str, BoolArray], None]
"""Asks to publish a share of weighted demand: its path, and (n,) the points that it counts."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Checks:
    """How the plan is compared with other ways of choosing."""

    settings: StudySettings
    days: dict[str, BoolArray]
    """(days,) those of "training" and "held_out"."""
    asked: Asked
    rng: np.random.Generator


def _standing_run(plan: Plan, site: int) -> _Run:
    """Return how a station that stands today is run in the plan."""
    station = plan.existing[site]
    text = span_text(*plan.run[site][1]) if site in plan.run else station.hours.text
    return _Run(
        name=station.name,
        kind=station.kind,
        hours=text,
        facilities=station.facilities or (),
        cost_yuan=station.cost_yuan,
        open_share=open_by_hour(parse_hours(text)),
    )


def _new_run(plan: Plan, site: int, need: FloatArray, street: str) -> _Run:
    """Return how a new station is run: as the choice fixed it, else as its demand (24,) needs."""
    kind, pattern = plan.run.get(site) or kind_and_hours(need, plan.kinds)
    open_share = np.zeros(24)
    open_share[np.arange(pattern[0], pattern[1]) % 24] = 1.0
    return _Run(
        name=plan.candidates.name[site - len(plan.existing)] or street or plan.site_ids[site],
        kind=kind.name,
        hours=span_text(*pattern),
        facilities=kind.facilities,
        cost_yuan=kind.cost_yuan(pattern),
        open_share=open_share,
    )


def _reason(plan: Plan, site: int, share: float | None) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return why a station stands where it does; ``share`` (0-1) of all rest is None where it is hidden."""
    if site < len(plan.existing):
        return "site_existing", ()
    place = ("place", plan.candidates.kind[site - len(plan.existing)])
    if share is None:
        return "site_new_hidden", (place,)
    return "site_new", (place, ("share", f"{100 * share:.1f}"))


def describe_sites(
    plan: Plan,
    demand: Demand,
    weight: FloatArray,
    chosen_share: FloatArray | None,
    ways: Ways,
    settings: StudySettings,
    asked: Asked,
) -> tuple[Site, ...]:
    """Return every station of the plan with its figures, and ask to publish them.

    Parameters
    ----------
    plan : existing and chosen sites
    demand : demand points and layers; figures are means over all days
    weight : (n, 24) what the choice was made for: it fixes kinds and hours
    chosen_share : (sites,) how often each is chosen in resamples, None when not asked for
    ways : streets
    settings : k, mode
    asked : where figures ask to be published
    """
    chosen = list(plan.chosen)
    served = assign(plan.cost_s[:, chosen], plan.limit_s)
    days = len(demand.days)
    rest = np.bincount(demand.rest.point, weights=demand.rest.minutes, minlength=len(demand.lonlat))
    streets = ways.street(plan.lonlat[chosen])
    reach = ways.reach(settings.mode, plan.lonlat[chosen], REACH_S)
    all_rest = max(1e-9, float(rest.sum()))
    out = []
    for row, site in enumerate(chosen):
        mine = served[row]
        hours, total = hourly_figures(demand.rest, mine.nearest, days, settings.k)
        old = site < len(plan.existing)
        if old:
            run = _standing_run(plan, site)
        else:
            run = _new_run(plan, site, weight[mine.nearest].sum(axis=0), streets[row])
        share = None if total is None else float(rest[mine.nearest].sum()) / all_rest
        shut_min = float((weight_of_rest(demand, mine.nearest) * (1 - run.open_share)).sum()) / max(1, days)
        _ask(asked, plan.site_ids[site], mine, run.open_share)
        only_shown = riders_behind(demand.rest, mine.only) >= settings.k
        shut_shown = riders_behind(demand.rest, mine.nearest, run.open_share < 1) >= settings.k
        out.append(
            Site(
                site_id=plan.site_ids[site],
                name=run.name,
                lonlat=(round(float(plan.lonlat[site, 0]), 7), round(float(plan.lonlat[site, 1]), 7)),
                kind=run.kind,
                existing=old,
                opening_hours=run.hours,
                facilities=run.facilities,
                street=streets[row],
                rest_min_a_day=total,
                rest_min_by_hour=hours,
                only_here_share=float(rest[mine.only].sum()) / all_rest if only_shown else None,
                extra_rest_hours_if_longer=shut_min / 60.0 if shut_shown else None,
                cost_yuan=run.cost_yuan,
                chosen_share=None if chosen_share is None or old else float(chosen_share[site]),
                reach=tuple(zip(REACH_S, reach[row], strict=True)),
                reason=_reason(plan, site, share),
                until=until(hours),
                due_break_min_a_day=hourly_figures(demand.due_break, mine.nearest, days, settings.k)[1],
                passing_riders_a_day=_passing(demand, mine.nearest, settings),
            )
        )
    return tuple(out)


def _ask(asked: Asked, site_id: str, mine: Assigned, open_share: FloatArray) -> None:
    """Ask to publish the figures of one station."""
    path = f"sites/{site_id}"
    asked.minutes(f"{path}/rest_min_a_day", "rest", mine.nearest, "station")
    asked.by_hour(f"{path}/rest_min_by_hour", "rest", mine.nearest, "station_hour")
    asked.share(f"{path}/only_here_share", "rest", mine.only, None, "station")
    asked.minutes(f"{path}/extra_rest_hours_if_longer", "rest", mine.nearest, "station", hours=1 - open_share)
    asked.minutes(f"{path}/due_break_min_a_day", "due_break", mine.nearest, "station")
    asked.minutes(f"{path}/passing_riders_a_day", "passing", mine.nearest, "station")
    # how often it is chosen is a figure of all riders
    asked.minutes(f"{path}/chosen_share", "rest", None, "total")


def until(hours: tuple[float | None, ...]) -> tuple[tuple[int, float | None], ...]:
    """Return for each closing hour the rest-hours a day served after 18:00, from published figures only."""
    out = []
    for closing in CLOSING_H:
        known = [minutes for minutes in hours[SHUT_H:closing] if minutes is not None]
        out.append((closing, sum(known) / 60.0 if known else None))
    return tuple(out)


def _passing(demand: Demand, inside: BoolArray, settings: StudySettings) -> float | None:
    """Return riders a day who ride by; None behind fewer than k riders, and where they do not count."""
    rows = inside[demand.passing.point]
    rider, day = demand.passing.rider[rows], demand.passing.day[rows]
    if settings.weights.passing == 0 or len(np.unique(rider)) < settings.k:
        return None
    return len(np.unique(rider * len(demand.days) + day)) / max(1, len(demand.days))


def weight_of_rest(demand: Demand, inside: npt.NDArray[np.bool_]) -> FloatArray:
    """Return (24,) rest minutes over all days of the points inside."""
    rows = inside[demand.rest.point]
    return np.asarray(
        np.bincount(demand.rest.hour[rows], weights=demand.rest.minutes[rows], minlength=24), dtype=np.float64
    )


def coverage_table(
    plan: Plan,
    demand_lonlat: FloatArray,
    problem: MaxCover,
    rest: dict[str, FloatArray],
    ways: Ways,
    checks: Checks,
) -> tuple[Coverage, ...]:
    """Compare the plan with other ways of adding as many stations to the existing ones.

    k-means centres and busiest cells may stand anywhere; the plan and random draws only on candidates.
    All choices see the training days only. ``rest`` holds (n,) rest minutes of "training"
    and, where days were held out, "held_out".
    """
    settings, rng = checks.settings, checks.rng
    old = len(plan.existing)
    added = plan.added
    xy = ways.project(demand_lonlat)
    centres = {
        "kmeans": kmeans_centres(xy, problem.weight, added, settings.seed),
        "busiest": busiest_cells(xy, problem.weight, added),
    }
    draws = random_choices(len(plan.lonlat) - old, added, settings.random_draws, rng)
    sites = {
        "yilu": len(plan.chosen),
        "existing": old,
        **{method: old + len(spots) for method, spots in centres.items()},
        "random": old + added,
    }

    def reached(within: BoolArray, limit_s: float) -> dict[str, list[BoolArray]]:
        """Return for each method (one or more choices) which demand each of its sites reaches."""
        choices = {"yilu": [within[:, list(plan.chosen)]], "existing": [within[:, :old]]}
        for method, spots in centres.items():
            near = np.empty((len(xy), 0), dtype=np.bool_)
            if len(spots):
                near = ways.seconds(settings.mode, demand_lonlat, ways.unproject(spots), limit_s) <= limit_s
            choices[method] = [np.concatenate([within[:, :old], near], axis=1)]
        choices["random"] = [np.concatenate([within[:, :old], within[:, old + d]], axis=1) for d in draws]
        return choices

    def share(method: str, column: str, choices: list[BoolArray]) -> float | None:
        days = column.removesuffix("_5_min")
        if days not in rest:
            return None
        # as often as a draw covers a point
        times = np.array([within.any(axis=1) for within in choices], dtype=np.int64).sum(axis=0)
        path, rank = f"coverage/{method}/{column}", "plan" if method == "yilu" else "other"
        checks.asked.minutes(path, "rest", times, rank, days=checks.days[days], nobody=True)
        checks.asked.minutes(path, "rest", None, rank, days=checks.days[days])
        return float(np.mean([covered_share(rest[days], within) for within in choices]))

    at_limit = reached(plan.cost_s <= plan.limit_s, plan.limit_s)
    five_min = at_limit
    if plan.limit_s != FIVE_MIN_S:
        cost_s = ways.seconds(settings.mode, demand_lonlat, plan.lonlat, FIVE_MIN_S)
        five_min = reached(cost_s <= FIVE_MIN_S, FIVE_MIN_S)
    return tuple(
        Coverage(
            method=method,
            sites=count,
            training=share(method, "training", at_limit[method]),
            held_out=share(method, "held_out", at_limit[method]),
            training_5_min=share(method, "training_5_min", five_min[method]),
            held_out_5_min=share(method, "held_out_5_min", five_min[method]),
        )
        for method, count in sites.items()
    )


def budget_curve(
    plan: Plan,
    problem: MaxCover,
    weight: FloatArray,
    reach: Reach,
    rng: np.random.Generator,
    most_points: int = 12,
    ask: Ask | None = None,
) -> tuple[BudgetPoint, ...]:
    """Return coverage against yearly cost for growing numbers of stations, each with its proven gap.

    A number of stations that costs more than another and serves no more is left out: whoever has the money
    for it has the better one, too. So coverage never falls as the budget grows.
    """
    old = len(plan.existing)
    chosen_now = plan.added
    top = min(len(plan.lonlat) - old, max(chosen_now + 1, int(np.ceil(1.5 * chosen_now))))
    counts = sorted({round(float(c)) for c in np.linspace(1, top, min(top, most_points))} | {chosen_now})
    total = float(problem.weight.sum())
    standing = sum(usual_cost(s) for s in plan.existing)
    out, reached = [], {}
    for count in counts:
        part = dataclasses.replace(problem, sites=old + count)
        answer = search_cover(part, reach, rng, rounds=60)
        chosen = plan.chosen if count == chosen_now else answer.chosen
        inside = np.asarray((plan.cost_s[:, list(chosen)] <= plan.limit_s).any(axis=1))
        covered = float(problem.weight[inside].sum())
        bound = max(covered, bound_cover(part, reach, covered, steps=400).bound)
        served = assign(plan.cost_s[:, list(chosen)], plan.limit_s)
        cost = standing
        for row, site in enumerate(chosen):
            if site >= old:
                kind, pattern = kind_and_hours(weight[served[row].nearest].sum(axis=0), plan.kinds)
                cost += kind.cost_yuan(pattern)
        # the bound is a sum of floats: a millionth is none
        gap = 0.0 if bound <= 0 else round((bound - covered) / bound, 6)
        out.append(BudgetPoint(cost, old + count, min(1.0, covered / total) if total else 0.0, gap))
        reached[id(out[-1])] = inside
    curve = rising(out)
    for number, point in enumerate(curve):
        if ask is not None:
            ask(f"budget_curve/{number}/covered_share", reached[id(point)])
    return curve


def rising(points: list[BudgetPoint]) -> tuple[BudgetPoint, ...]:
    """Return the points that serve more than every cheaper one, from cheap to dear."""
    out: list[BudgetPoint] = []
    for point in sorted(points, key=lambda p: (p.cost_yuan, -(p.covered_share or 0.0), p.sites)):
        if not out or (point.covered_share or 0.0) > (out[-1].covered_share or 0.0):
            out.append(point)
    return tuple(out)
