"""A chosen plan and what can be said of its stations: how each is run, and what it serves."""

import dataclasses

import numpy as np
import numpy.typing as npt

from siting.demand.asked import Asked, thousandths
from siting.demand.hourly import HourRiders, hourly_figures, riders_behind
from siting.demand.weighted import Demand
from siting.inputs import StudySettings
from siting.plans.figures import Allocation, allocated
from siting.plans.served import (
    Run,
    Running,
    Service,
    open_hours,
    run_by_need,
    running,
    seats_of,
    station_kind,
)
from siting.results import Site
from siting.stations.candidates import Candidates
from siting.stations.hours import span_text
from siting.stations.kinds import ExistingStation, StationKind
from siting.travel_times import Ways

__all__ = ["REACH_S", "Plan", "describe_sites", "near_place", "until"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

REACH_S = (180, 300, 600)
SHUT_H, CLOSING_H = 18, (20, 22, 24)
"""Many stations shut at 18:00, while riders work from 17:00 to 22:00 (DOMAIN.md)."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """Existing stations come first in every array over sites, candidates follow.

    Attributes
    ----------
    existing : stations that stand today
    candidates : allowed sites
    lonlat : (e + c, 2) degrees
    cost_s : (n, e + c) seconds from demand points
    chosen : sites in business under the plan, ascending; an existing one that is not among them closes
    kinds : kinds of stations
    limit_s : reach
    run : kind and daily span of new sites, and of existing ones that shall keep other hours than today
    moved : (existing, new) sites where the equipment of a closed station moves to a new one
    days : local days of the study, ISO: on public holidays stations are open as their hours say
    timezone : IANA name; its country tells the public holidays
    riders : who stands behind the hours of the demand; None: all hours are known
    """

    existing: tuple[ExistingStation, ...]
    candidates: Candidates
    lonlat: FloatArray
    cost_s: FloatArray
    chosen: tuple[int, ...]
    kinds: tuple[StationKind, ...]
    limit_s: float
    run: dict[int, Run] = dataclasses.field(default_factory=dict)
    moved: tuple[tuple[int, int], ...] = ()
    days: tuple[str, ...] = ()
    timezone: str | None = None
    riders: HourRiders | None = None

    @property
    def added(self) -> tuple[int, ...]:
        """The new stations of the plan."""
        return tuple(s for s in self.chosen if s >= len(self.existing))

    @property
    def kept(self) -> tuple[int, ...]:
        """The existing stations that stay."""
        return tuple(s for s in self.chosen if s < len(self.existing))

    @property
    def sites(self) -> tuple[int, ...]:
        """All that stand today, whatever becomes of them, and the new ones."""
        return (*range(len(self.existing)), *self.added)

    @property
    def site_ids(self) -> tuple[str, ...]:
        """``E01`` for existing stations, ``S01`` for chosen candidates in their order, empty for others."""
        old = len(self.existing)
        new = {s: f"S{k:02d}" for k, s in enumerate(self.added, start=1)}
        first = tuple(f"E{k:02d}" for k in range(1, old + 1))
        return first + tuple(new.get(s, "") for s in range(old, len(self.lonlat)))

    def with_runs(self, weight: FloatArray) -> "Plan":
        """Return the plan with kind and hours of every new site: where none is fixed, as its demand needs.

        ``weight`` (n, 24) is what the choice was made for.
        """
        kept = len(self.kept)
        ways = (self.kinds, self.riders)
        needed = run_by_need(self.cost_s[:, list(self.chosen)], self.limit_s, weight, ways, kept)
        return dataclasses.replace(self, run=dict(zip(self.added, needed, strict=True)) | self.run)

    def seats(self, site: int) -> FloatArray:
        """Return (24,) rider-minutes that a site in business holds in each hour."""
        run = self.run.get(site)
        if site < len(self.existing):
            return seats_of(self.existing[site], self.kinds, run, self.days, self.timezone)
        if run is None:
            raise KeyError(site)
        return np.where(open_hours(run), run[0].minutes_an_hour, 0.0)

    def in_business(self) -> Running:
        """Return the stations of the plan in business, in the order of ``chosen``."""
        return running(
            self.cost_s[:, list(self.chosen)], self.limit_s, [self.seats(site) for site in self.chosen]
        )

    def today(self) -> Running:
        """Return the stations as they are today."""
        old = len(self.existing)
        seats = [seats_of(station, self.kinds, None, self.days, self.timezone) for station in self.existing]
        return running(self.cost_s[:, :old], self.limit_s, seats)

    def fate(self, site: int) -> str:
        """Return ``new``, ``stay``, ``close`` or ``move``."""
        if site >= len(self.existing):
            return "new"
        if site in self.chosen:
            return "stay"
        return "move" if site in dict(self.moved) else "close"


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class _Run:
    """What one station of the plan is, and how it is run."""

    name: str
    kind: str
    hours: str
    """Of today where it stands."""
    planned_hours: str | None
    facilities: tuple[str, ...]
    cost_yuan: float | None
    is_open: BoolArray
    """(24,) in which hours the plan has it open; one that closes: as today."""
    holds: float
    """Rider-minutes an hour."""


def _standing_run(plan: Plan, site: int) -> _Run:
    """Return how a station that stands today is run, today and in the plan."""
    station, run = plan.existing[site], plan.run.get(site)
    return _Run(
        name=station.name,
        kind=station.kind,
        hours=station.hours.text,
        planned_hours=None if run is None else span_text(*run[1]),
        facilities=station.facilities or (),
        cost_yuan=station.cost_yuan,
        is_open=np.asarray(plan.seats(site) > 0),
        holds=station_kind(station, plan.kinds).minutes_an_hour,
    )


def _new_run(plan: Plan, site: int, street: str) -> _Run:
    """Return how a new station is run."""
    kind, pattern = plan.run[site]
    return _Run(
        name=plan.candidates.name[site - len(plan.existing)] or street or plan.site_ids[site],
        kind=kind.name,
        hours=span_text(*pattern),
        planned_hours=None,
        facilities=kind.facilities,
        cost_yuan=kind.cost_yuan(pattern),
        is_open=open_hours((kind, pattern)),
        holds=kind.minutes_an_hour,
    )


def _reason(plan: Plan, site: int, share: float | None) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return why a station stands where it does; ``share`` (0-1) of all rest is None where it is hidden."""
    fate = plan.fate(site)
    if fate == "move":
        return "site_moves", (("to", plan.site_ids[dict(plan.moved)[site]]),)
    if fate == "stay":
        return "site_existing", ()
    if fate == "close":
        return "site_closes", ()
    place = ("place", plan.candidates.kind[site - len(plan.existing)])
    if share is None:
        return "site_new_hidden", (place,)
    return "site_new", (place, ("share", f"{100 * share:.1f}"))


_NOUGHT = ("rest_min_a_day", "only_here_share", "extra_rest_hours_if_longer", "due_break_min_a_day")
"""Figures that are 0 of a station that closes."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Figures:
    """What one station of the plan is worth, as far as it may be told."""

    by_hour: tuple[float | None, ...] = (0.0,) * 24
    total: float | None = 0.0
    share: float | None = 0.0
    """Of all rest demand."""
    only_here: float | None = 0.0
    if_longer: float | None = 0.0
    longer: FloatArray | None = None
    """(n, 24) which share of each cell the figure above counts."""
    due: float | None = 0.0
    passing: float | None = None


def _figures(
    plan: Plan, demand: Demand, service: Service, settings: StudySettings, runs: dict[int, _Run]
) -> dict[int, _Figures]:
    """Return the figures of every site of the plan; one that closes serves nothing."""
    days, k = len(demand.days), settings.k
    rest = np.bincount(demand.rest.point, weights=demand.rest.minutes, minlength=len(demand.lonlat))
    all_rest = max(1e-9, float(rest.sum()))
    out = {site: _Figures() for site in plan.sites}
    nearest = allocated(plan.cost_s[:, list(plan.chosen)], plan.limit_s)
    for row, site in enumerate(plan.chosen):
        mine, run, served = nearest[row], runs[site], service.by_station(row)
        hours, total = hourly_figures(demand.rest, served, days, k)
        exact = demand.rest.minutes * served[demand.rest.point, demand.rest.hour]
        # who rests near by while it is shut, and sits in no other station
        left = np.where(mine.nearest[:, None] & ~run.is_open[None], 1.0 - service.total, 0.0)
        unserved = demand.rest.minutes * left[demand.rest.point, demand.rest.hour]
        shut = np.bincount(demand.rest.hour, weights=unserved, minlength=24) / max(1, days)
        # an hour that fills all seats adds the seats, whoever rests
        free = shut <= run.holds
        if not (shut * free).any():
            free[:] = True
        if_longer = float(np.minimum(shut, run.holds).sum()) / 60.0
        out[site] = _Figures(
            by_hour=tuple(
                known if is_open else 0.0 for known, is_open in zip(hours, run.is_open, strict=True)
            ),
            total=total,
            share=None if total is None else float(exact.sum()) / all_rest,
            only_here=float(rest[mine.only].sum()) / all_rest
            if riders_behind(demand.rest, mine.only) >= k
            else None,
            if_longer=if_longer
            if len(np.unique(demand.rest.rider[unserved > 0])) >= k or run.is_open.all()
            else None,
            longer=left * free[None],
            due=hourly_figures(demand.due_break, mine.nearest, days, k)[1],
            passing=_passing(demand, mine.nearest, settings),
        )
    return out


def _ask(
    plan: Plan, service: Service, runs: dict[int, _Run], figures: dict[int, _Figures], asked: Asked
) -> None:
    """Ask to publish the figures of the stations."""
    nearest = allocated(plan.cost_s[:, list(plan.chosen)], plan.limit_s)
    so_far = np.zeros_like(service.total)
    for row, site in enumerate(plan.chosen):
        path = f"sites/{plan.site_ids[site]}"
        # counted so that the stations add up to what the plan serves
        before = thousandths(so_far)
        so_far = np.minimum(1.0, so_far + service.by_station(row))
        served = thousandths(so_far) - before
        _ask_served(asked, path, served, runs[site].is_open)
        _ask_near(asked, path, nearest[row])
        longer = figures[site].longer
        if longer is not None:
            asked.minutes(
                f"{path}/extra_rest_hours_if_longer",
                "rest",
                thousandths(longer),
                "station",
                nobody=bool(runs[site].is_open.all()),
            )
    for site in set(plan.sites) - set(plan.chosen):
        # one that closes serves nobody, whoever there is
        path = f"sites/{plan.site_ids[site]}"
        hours = [f"rest_min_by_hour/{hour}" for hour in range(24)]
        for name in (*_NOUGHT, *hours):
            asked.plain(f"{path}/{name}")


def _ask_served(asked: Asked, path: str, served: IntArray, is_open: BoolArray) -> None:
    """Ask for what one station serves, (n, 24) thousandths; while it is shut that is 0, whoever rests."""
    asked.minutes(f"{path}/rest_min_a_day", "rest", served, "station")
    asked.by_hour(f"{path}/rest_min_by_hour", "rest", served, "station_hour")
    for hour in np.nonzero(~is_open)[0].tolist():
        asked.plain(f"{path}/rest_min_by_hour/{hour}")


def _ask_near(asked: Asked, path: str, mine: Allocation) -> None:
    """Ask for what one station is near to, and how often it is chosen: a figure of all riders."""
    asked.share(f"{path}/only_here_share", "rest", mine.only, None, "station")
    asked.minutes(f"{path}/due_break_min_a_day", "due_break", mine.nearest, "station")
    asked.minutes(f"{path}/passing_riders_a_day", "passing", mine.nearest, "station")
    asked.minutes(f"{path}/chosen_share", "rest", None, "total")


def near_place(
    reason: tuple[str, tuple[tuple[str, str], ...]], near: str
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the reason of a new station that is called after a place near by, so that it names both."""
    key, params = reason
    return key.replace("site_new", "site_new_near", 1), (*params, ("near", near))


def describe_sites(
    plan: Plan,
    demand: Demand,
    service: Service,
    chosen_share: FloatArray | None,
    ways: Ways,
    settings: StudySettings,
    asked: Asked,
) -> tuple[Site, ...]:
    """Return every station that stands or that the plan adds, with its figures, and ask to publish them.

    Parameters
    ----------
    plan : existing and chosen sites, with the runs of the new ones
    demand : demand points and layers of the days that the choice saw; figures are means over them
    service : what each station in business serves of it
    chosen_share : (sites,) how often each is chosen in resamples, None when not asked for
    ways : streets
    settings : k, mode
    asked : where figures ask to be published, on the days of ``demand``
    """
    sites, old = list(plan.sites), len(plan.existing)
    streets = ways.street(plan.lonlat[sites])
    reach = ways.reach(settings.mode, plan.lonlat[sites], REACH_S)
    runs = {
        site: _standing_run(plan, site) if site < old else _new_run(plan, site, street)
        for site, street in zip(sites, streets, strict=True)
    }
    figures = _figures(plan, demand, service, settings, runs)
    _ask(plan, service, runs, figures, asked)
    moves = dict(plan.moved)
    out = []
    for row, site in enumerate(sites):
        run, worth = runs[site], figures[site]
        out.append(
            Site(
                site_id=plan.site_ids[site],
                name=run.name,
                lonlat=(float(plan.lonlat[site, 0]), float(plan.lonlat[site, 1])),
                kind=run.kind,
                existing=site < old,
                opening_hours=run.hours,
                facilities=run.facilities,
                street=streets[row],
                rest_min_a_day=worth.total,
                rest_min_by_hour=worth.by_hour,
                only_here_share=worth.only_here,
                extra_rest_hours_if_longer=worth.if_longer,
                cost_yuan=run.cost_yuan,
                chosen_share=None if chosen_share is None or site < old else float(chosen_share[site]),
                reach=tuple(zip(REACH_S, reach[row], strict=True)),
                reason=_reason(plan, site, worth.share),
                until=until(worth.by_hour),
                due_break_min_a_day=worth.due,
                passing_riders_a_day=worth.passing,
                plan=plan.fate(site),
                planned_hours=run.planned_hours,
                moves_to=plan.site_ids[moves[site]] if site in moves else None,
                open_by_hour=tuple(run.is_open.tolist()),
            )
        )
    return tuple(out)


def until(hours: tuple[float | None, ...]) -> tuple[tuple[int, float | None], ...]:
    """Return for each closing hour the rest-hours a day served after 18:00, from published figures only."""
    out = []
    for closing in CLOSING_H:
        evening = hours[SHUT_H:closing]
        known = sum(minutes for minutes in evening if minutes is not None)
        # hours in which it is shut say nothing where all others are withheld
        out.append((closing, known / 60.0 if known > 0 or None not in evening else None))
    return tuple(out)


def _passing(demand: Demand, inside: BoolArray, settings: StudySettings) -> float | None:
    """Return riders a day who ride by; None behind fewer than k riders, and where they do not count."""
    rows = inside[demand.passing.point]
    rider, day = demand.passing.rider[rows], demand.passing.day[rows]
    if settings.weights.passing == 0 or len(np.unique(rider)) < settings.k:
        return None
    return len(np.unique(rider * len(demand.days) + day)) / max(1, len(demand.days))
