"""One study from inputs to the frozen `Study`: wires the parts, decides nothing itself."""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from geo.errors import InputError
from geo.stays import KINDS
from siting.choice import budget_points
from siting.columns import StayColumns
from siting.compare import Days, budget_curve, coverage_table, days_of, estimates
from siting.demand.asked import Asked, thousandths
from siting.demand.events import due_events, stay_events, stay_rows, stops_beside
from siting.demand.hotspots import PlanStations, find_hot_spots
from siting.demand.names import MapNames, name_places
from siting.demand.passing import passing_events, published_flows
from siting.demand.weighted import Demand, Events, build_demand
from siting.fairness import fairness_of
from siting.figures import (
    Covered,
    Marked,
    demand_cells,
    grid_figures,
    kind_figures,
    layer_figures,
)
from siting.inputs import StudyInputs, StudySettings
from siting.plans import Plan, describe_sites, near_place
from siting.problems.define import MaxCover, SitingResult
from siting.problems.highs import Limits
from siting.problems.reach import reach_within
from siting.published import published
from siting.results import (
    AuditFinding,
    BudgetPoint,
    Coverage,
    Estimate,
    FrontPoint,
    GridFigures,
    HotSpot,
    PickupPoint,
    Refusal,
    Site,
    Solution,
    Study,
)
from siting.served import Service, serve_demand, served_share
from siting.sites import Sites, gather_sites
from siting.solvers.cover_proof import spread_idle_sites
from siting.solvers.solve import solve
from siting.solvers.verify import verified
from siting.stability import chosen_shares, solver_of, split_days
from siting.stations.audit import VISIT_M, Fate, Offered, Rests, Standing, audit_stations, follow_plan
from siting.stations.hours import span_text
from siting.stations.pickups import CompoundMap, DropOffs, GateWaits, RiderWays, pick_up_points
from siting.tradeoffs import (
    Choice,
    choose_jointly,
    counted_grids,
    front_beside,
    front_points,
    solution_of,
)
from siting.travel_times import StreetWays, Ways

__all__ = ["Progress", "StudyInputs", "StudySettings", "measured_study", "run_study", "suggest_pickups"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Progress = Callable[[str, int, int], None]
STAGES = (
    "demand", "candidates", "travel", "choice", "checks", "sites", "hot_spots", "audit", "pickups", "figures"
)  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class _Wanted:
    """What the traces say is wanted, and what of it the choice sees."""

    rests: Events
    demand: Demand
    training: BoolArray
    """(days,) the days that the choice sees."""
    held_out: BoolArray
    """(days,) the others."""
    days: dict[str, Days]
    """Demand a day of "training" and, where days were held out, "held_out"."""
    asked: Asked
    """The figures that ask to be published."""

    @property
    def weight(self) -> FloatArray:
        """(n, 24) weighted rider-minutes a training day."""
        return self.days["training"].weight

    @property
    def seen(self) -> Demand:
        """The demand of the training days."""
        return self.demand.on(self.training)

    @property
    def asked_seen(self) -> Asked:
        """The same as ``asked``, for figures of the training days."""
        return self.asked.on(self.training)


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class _Chosen:
    """The answer, with the problem that it solves."""

    plan: Plan
    problem: MaxCover
    """Places alone; where kinds and hours were chosen too, ``joint`` was solved instead."""
    joint: Choice | None
    result: SitingResult
    service: Service
    """Who is served on training days, by the stations of the plan in their order."""
    front: tuple[FrontPoint, ...]
    solution: Solution


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class _Checked:
    """How sure the plan is, and what it is worth beside others."""

    chosen_share: FloatArray | None
    """(sites,) how often (0-1) each is chosen in resamples, None when not asked for."""
    coverage: tuple[Coverage, ...]
    estimates: tuple[Estimate, ...]
    draws: int
    budget_curve: tuple[BudgetPoint, ...]


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class _Described:
    """What is told of the plan and of what stands today."""

    sites: tuple[Site, ...]
    hot_spots: tuple[HotSpot, ...]
    audit: tuple[AuditFinding, ...]
    pickups: tuple[PickupPoint, ...]


def run_study(inputs: StudyInputs, progress: Progress | None = None) -> Study:
    """Choose stations and pick-up points for one city and judge what stands today.

    Parameters
    ----------
    inputs : data and settings
    progress : called with (stage, stages done, stages in all)

    Returns
    -------
    Study
        The same for the same inputs and seed, whatever their order.

    Raises
    ------
    InputError
        When there is no rest, too few days, or fewer candidates than new sites.
    """
    study, asked = measured_study(inputs, progress)
    return published(study, asked.shown())


def measured_study(inputs: StudyInputs, progress: Progress | None = None) -> tuple[Study, Asked]:
    """Return the study before the gate, and what each of its figures counts: for tests and measurements only.

    Parameters and errors are those of `run_study`. Nothing of it may be published.
    """
    ways: Ways = StreetWays(inputs.network)

    def tell(stage: str) -> None:
        if progress is not None:
            progress(stage, STAGES.index(stage), len(STAGES))

    tell("demand")
    wanted = _wanted(inputs, ways)
    tell("candidates")
    sites = gather_sites(inputs, ways, wanted.demand, wanted.weight.sum(axis=1))
    tell("travel")
    cost_s = _cost_s(inputs.settings, ways, wanted.demand, sites.lonlat)
    tell("choice")
    chosen = _choose(inputs, wanted, sites, cost_s)
    tell("checks")
    checked = _check(inputs, ways, wanted, chosen)
    tell("sites")
    stations = _stations(inputs, ways, wanted, chosen, checked.chosen_share)
    tell("hot_spots")
    hot_spots = _hot_spots(inputs, ways, wanted, chosen.plan)
    tell("audit")
    audit = _audit(inputs, ways, wanted, sites, chosen.plan)
    tell("pickups")
    pickups = _named_pickups(inputs, ways, wanted)
    tell("figures")
    described = _Described(stations, hot_spots, audit, pickups)
    study = _study(inputs, ways, wanted, chosen, checked, described)
    if progress is not None:
        progress("done", len(STAGES), len(STAGES))
    return study, wanted.asked


def _wanted(inputs: StudyInputs, ways: Ways) -> _Wanted:
    """Gather demand, and part the days that the choice sees from the others."""
    settings = inputs.settings
    rests = stay_events(inputs.stays, "rest")
    demand = build_demand(
        rests,
        due_events(inputs.due_breaks),
        passing_events(inputs.flows if settings.weights.passing > 0 else None, inputs.network),
        timezone=settings.timezone,
        project=ways.project,
        cell_m=settings.cell_m,
    )
    days = len(demand.days)
    if settings.held_out_days >= days:
        raise InputError(
            f"held_out_days is {settings.held_out_days}, but the traces cover only {days} local days "
            f"({demand.days[0]} to {demand.days[-1]}); it must lie in 0-{days - 1}."
        )
    training, held_out = split_days(days, settings.held_out_days)
    masks = {"training": training, "held_out": held_out}
    parts = {name: days_of(demand, settings, mask) for name, mask in masks.items() if mask.any()}
    wanted = _Wanted(rests, demand, training, held_out, parts, Asked(settings.k))
    asked = wanted.asked
    asked.figures.add_riders("riders", np.arange(inputs.riders))
    asked.of_demand(demand)
    for kind in KINDS:
        asked.of_stays(kind, stay_events(inputs.stays, kind).rider)
    asked.all_stays("stay_points")
    wanted.asked_seen.minutes("demand_min_a_day", "rest", None, "total")
    return wanted


def _cost_s(settings: StudySettings, ways: Ways, demand: Demand, lonlat: FloatArray) -> FloatArray:
    """Return (n, sites) seconds from demand points to sites, inf out of reach; nobody passing turns off."""
    cost_s = ways.seconds(settings.mode, demand.lonlat, lonlat, settings.limit_s)
    cost_s[demand.only_passing()[:, None] & (cost_s > settings.passing_limit_s)] = np.inf
    return cost_s


def _choose(inputs: StudyInputs, wanted: _Wanted, sites: Sites, cost_s: FloatArray) -> _Chosen:
    """Choose the sites, and how they are run where there is a budget."""
    settings = inputs.settings
    grids = counted_grids(inputs.grids, wanted.seen, wanted.days["training"].rest, settings)
    problem = MaxCover(
        weight=wanted.weight.sum(axis=1),
        limit_s=settings.limit_s,
        sites=len(inputs.existing) + settings.new_sites,
        kept=tuple(range(len(inputs.existing))),
    )
    joint = None
    if settings.budget_yuan is None and settings.plan == "coverage" and settings.least_grid_share == 0:
        limits = Limits(gap=1e-6, node_limit=settings.node_limit)
        result = solve(problem, cost_s, _rng(settings, 0), limits)
        result = verified(problem, cost_s, spread_idle_sites(problem, cost_s, result))
    else:
        joint = choose_jointly(inputs, wanted.demand.days, wanted.weight, cost_s, grids)
        result = joint.result
    plan = Plan(
        existing=inputs.existing,
        candidates=sites.candidates,
        lonlat=sites.lonlat,
        cost_s=cost_s,
        chosen=result.chosen,
        kinds=settings.kinds,
        limit_s=settings.limit_s,
        run={} if joint is None else joint.model.run(result),
        moved=result.moved,
        days=wanted.demand.days,
        timezone=settings.timezone,
    ).with_runs(wanted.weight)
    if joint is None:
        judge, front, options = front_beside(inputs, plan, wanted.weight, grids)
    else:
        judge, front, options = joint.judge, joint.front, result.options
    points = () if front is None else front_points(judge, front, options, grids, settings, wanted.asked_seen)
    solution = solution_of(result, None if joint is None else front, settings)
    service = serve_demand(plan.in_business(), wanted.weight)
    return _Chosen(plan, problem, joint, result, service, points, solution)


def _check(inputs: StudyInputs, ways: Ways, wanted: _Wanted, chosen: _Chosen) -> _Checked:
    """Resample days and riders, compare with other ways of choosing, and try other budgets."""
    settings, demand, plan = inputs.settings, wanted.demand, chosen.plan
    # every layer numbers riders as the traces do, so one that counts nothing changes no draw
    riders = max(inputs.riders, 1 + max(int(layer.rider.max(initial=0)) for _, layer in demand.layers()))
    shares = _stability(inputs, wanted, chosen, riders)
    coverage = coverage_table(plan, demand, wanted.days, ways, settings, _rng(settings, 1), wanted.asked)

    def ask(path: str, share: FloatArray) -> None:
        for part in (thousandths(share), np.ones(len(share), dtype=np.bool_)):
            wanted.asked_seen.weighted(path, settings.weights, part, "other")

    if chosen.joint is None:
        reach = reach_within(plan.cost_s, settings.limit_s)
        curve = budget_curve(plan, chosen.problem, wanted.weight, reach, _rng(settings, 2), ask=ask)
    else:
        model = chosen.joint.model

        def ask_plan(path: str, answer: SitingResult) -> None:
            ask(path, served_share(model.running(plan.cost_s, answer), wanted.weight))

        curve = budget_points(model, plan.cost_s, chosen.joint.most, ask_plan)
    ranges, draws = estimates(plan, demand, wanted.days, settings, riders, _rng(settings, 4), wanted.asked)
    return _Checked(shares, coverage, ranges, draws, curve)


def _stability(inputs: StudyInputs, wanted: _Wanted, chosen: _Chosen, riders: int) -> FloatArray | None:
    if inputs.settings.draws == 0:
        return None
    cost_s = chosen.plan.cost_s
    problem = chosen.problem if chosen.joint is None else chosen.joint.again
    return chosen_shares(
        wanted.demand,
        inputs.settings.weights,
        wanted.training,
        solver_of(problem, cost_s, chosen.result),
        sites=cost_s.shape[1],
        riders=riders,
        draws=inputs.settings.draws,
        rng=_rng(inputs.settings, 3),
    )


def _rng(settings: StudySettings, stream: int) -> np.random.Generator:
    return np.random.default_rng([settings.seed, stream])


def _map_names(inputs: StudyInputs) -> MapNames:
    return MapNames(inputs.places, inputs.network.compounds.names)


def _names(inputs: StudyInputs, ways: Ways, lonlat: list[tuple[float, float]]) -> tuple[str, ...]:
    """Return names for places on streets without one."""
    places = np.array(lonlat, dtype=np.float64).reshape(-1, 2)
    return name_places(places, _map_names(inputs), ways, near_m=150.0)


def _stations(
    inputs: StudyInputs, ways: Ways, wanted: _Wanted, chosen: _Chosen, chosen_share: FloatArray | None
) -> tuple[Site, ...]:
    """Return all stations, each under a name where the map knows one."""
    sites = describe_sites(
        chosen.plan, wanted.seen, chosen.service, chosen_share, ways, inputs.settings, wanted.asked_seen
    )
    names = _names(inputs, ways, [site.lonlat for site in sites])
    return tuple(
        dataclasses.replace(site, name=name, reason=near_place(site.reason, name))
        if name and site.name == site.site_id
        else site
        for site, name in zip(sites, names, strict=True)
    )


def _hot_spots(inputs: StudyInputs, ways: Ways, wanted: _Wanted, plan: Plan) -> tuple[HotSpot, ...]:
    settings = inputs.settings
    stations = PlanStations(
        plan.lonlat[list(plan.chosen)].reshape(-1, 2),
        tuple(plan.site_ids[s] for s in plan.chosen),
        settings.mode,
        settings.limit_s,
    )
    return find_hot_spots(
        wanted.rests,
        _map_names(inputs),
        ways,
        settings.hot_spots,
        stations,
        timezone=settings.timezone,
        days=len(wanted.demand.days),
        asked=wanted.asked,
    )


def _audit(
    inputs: StudyInputs, ways: Ways, wanted: _Wanted, sites: Sites, plan: Plan
) -> tuple[AuditFinding, ...]:
    settings, demand, rests = inputs.settings, wanted.demand, wanted.rests
    old = len(inputs.existing)
    existing_xy_m = ways.project(sites.existing_lonlat)
    within = (plan.cost_s <= settings.limit_s) & ~demand.only_passing()[:, None]
    within[:, :old] |= _at_the_door(ways.project(demand.lonlat), existing_xy_m)
    findings = audit_stations(
        Standing(inputs.existing, plan.site_ids[:old], existing_xy_m, within[:, :old]),
        Offered(sites.candidates.lonlat, within[:, old:], tuple(s - old for s in plan.chosen if s >= old)),
        Rests(ways.project(rests.lonlat), rests.rider, rests.start_s, rests.end_s),
        demand,
        timezone=settings.timezone,
        asked=wanted.asked,
    )
    return follow_plan(findings, _fates(plan), free=settings.existing_stations != "keep")


def _fates(plan: Plan) -> dict[str, Fate]:
    """Return what the plan does with each existing station."""
    moves = dict(plan.moved)
    out = {}
    for site in range(len(plan.existing)):
        to = moves.get(site)
        place = None if to is None else (float(plan.lonlat[to, 0]), float(plan.lonlat[to, 1]))
        hours = span_text(*plan.run[site][1]) if site in plan.run else None
        name = "" if to is None else plan.site_ids[to]
        out[plan.site_ids[site]] = Fate(plan.fate(site), hours, name, place)
    return out


def _at_the_door(xy_m: FloatArray, stations_xy_m: FloatArray) -> BoolArray:
    """Return (n, e) which demand points lie at the door of a station, whatever the streets say."""
    return np.asarray(np.hypot(*(xy_m[:, None] - stations_xy_m[None]).transpose(2, 0, 1)) <= VISIT_M)


def suggest_pickups(inputs: StudyInputs, ways: Ways, days: int, asked: Asked) -> tuple[PickupPoint, ...]:
    """Suggest pick-up points from the stays at doors and gates, with their figures before the gate."""
    drops, waits = stay_events(inputs.stays, "dropoff"), stay_events(inputs.stays, "gate")
    compounds = inputs.network.compounds
    before, after = stops_beside(inputs.stays, drops)
    stay_s = (drops.end_s - drops.start_s).astype(np.float64)
    free = dataclasses.replace(
        inputs.network,
        gate_delay_s=0.0,
        compounds=dataclasses.replace(compounds, gate_delay_s=np.zeros(len(compounds))),
    )
    return pick_up_points(
        DropOffs(drops.lonlat, drops.rider, drops.start_s, stay_s, before, after),
        GateWaits(waits.lonlat, waits.rider, waits.start_s, (waits.end_s - waits.start_s).astype(np.float64)),
        CompoundMap(
            tuple(zip(compounds.names, compounds.polygons, strict=True)),
            np.asarray(inputs.places.gate_lonlat, dtype=np.float64),
        ),
        RiderWays(inputs.settings.mode, ways, StreetWays(free)),
        inputs.settings.pickups,
        days=days,
        asked=asked,
    )


def _named_pickups(inputs: StudyInputs, ways: Ways, wanted: _Wanted) -> tuple[PickupPoint, ...]:
    """Return the pick-up points, each under a name where the map knows one."""
    pickups = suggest_pickups(inputs, ways, len(wanted.demand.days), wanted.asked)
    ends = [(point.entry_route or (point.lonlat,))[-1] for point in pickups]
    doors = np.array(ends, dtype=np.float64).reshape(-1, 2)
    names = name_places(doors, _map_names(inputs), ways)
    return tuple(
        point
        if point.compound
        else dataclasses.replace(point, compound=name, side=("street", "") if name == street else point.side)
        for point, name, street in zip(pickups, names, ways.street(doors), strict=True)
    )


def _study(
    inputs: StudyInputs,
    ways: Ways,
    wanted: _Wanted,
    chosen: _Chosen,
    checked: _Checked,
    described: _Described,
) -> Study:
    """Freeze everything, with the figures by cell, street and unit grid."""
    settings, demand, asked = inputs.settings, wanted.demand, wanted.asked
    for name in ("objective", "bound"):
        wanted.asked_seen.weighted(f"solution/{name}", settings.weights, _counted(chosen), "plan")
    grids = _grids(inputs, wanted, chosen, described.pickups)
    return Study(
        title=inputs.title,
        city=inputs.city,
        timezone=settings.timezone,
        period=(demand.days[0], demand.days[-1]),
        days=len(demand.days),
        held_out_days=int(wanted.held_out.sum()),
        seed=settings.seed,
        k=settings.k,
        limit_s=settings.limit_s,
        mode=settings.mode,
        map_attribution=inputs.attribution,
        synthetic=inputs.synthetic,
        bounds=inputs.network.bounds,
        riders=inputs.riders,
        stay_points=len(inputs.stays.kind),
        stay_points_by_kind=_kinds(inputs.stays),
        demand_min_a_day=float(wanted.days["training"].rest.sum()),
        sites=described.sites,
        audit=described.audit,
        pickups=described.pickups,
        cells=demand_cells(demand, ways, settings.publish_cell_m, asked),
        flows=published_flows(inputs.flows, inputs.network, settings.timezone, asked),
        grids=grids,
        fairness=fairness_of(grids),
        refusals=_refusals(chosen.plan),
        solution=chosen.solution,
        front=chosen.front,
        plan=settings.plan,
        least_grid_share=settings.least_grid_share,
        coverage=checked.coverage,
        budget_curve=checked.budget_curve,
        accounts=inputs.accounts,
        matching=None,
        hot_spots=described.hot_spots,
        layers=layer_figures(wanted.seen, settings, _covered(chosen), wanted.asked_seen),
        kinds=kind_figures(settings.kinds),
        existing_stations=settings.existing_stations,
        budget_yuan=settings.budget_yuan,
        closed_from=settings.closed_from,
        training_period=(demand.days[0], demand.days[int(wanted.training.sum()) - 1]),
        estimates=checked.estimates,
        draws=checked.draws,
        silent_rest_share=_silent_share(inputs, wanted),
    )


def _silent_share(inputs: StudyInputs, wanted: _Wanted) -> float | None:
    """Return the share of the minutes of rest in stays that hold a silence, and ask to publish it."""
    if inputs.silent is None:
        return None
    rests = wanted.rests
    silent = np.asarray(inputs.silent[stay_rows(inputs.stays, "rest")], dtype=np.bool_)
    wanted.asked.rests("silent_rest_share", silent, "other", nobody=True)
    wanted.asked.rests("silent_rest_share", silent | True, "other")
    length_s = rests.end_s - rests.start_s
    total = int(length_s.sum())
    return int(length_s[silent].sum()) / total if total else None


def _counted(chosen: _Chosen) -> BoolArray | IntArray:
    """Return what the objective counts: points in reach; with a budget, thousandths served of each cell."""
    return chosen.result.assignment >= 0 if chosen.joint is None else thousandths(chosen.service.total)


def _covered(chosen: _Chosen) -> Covered:
    return Covered(chosen.service.total, chosen.plan.in_business().in_reach)


def _refusals(plan: Plan) -> tuple[Refusal, ...]:
    refused = plan.candidates.refused
    return tuple(
        Refusal(name, (float(place[0]), float(place[1])), reason)
        for name, place, reason in zip(refused.name, refused.lonlat, plan.candidates.reasons, strict=True)
    )


def _kinds(stays: StayColumns) -> tuple[tuple[str, int], ...]:
    return tuple((kind, int((stays.kind == number).sum())) for number, kind in enumerate(KINDS))


def _grids(
    inputs: StudyInputs, wanted: _Wanted, chosen: _Chosen, pickups: tuple[PickupPoint, ...]
) -> tuple[GridFigures, ...]:
    if inputs.grids is None:
        return ()
    plan = chosen.plan
    return grid_figures(
        inputs.grids,
        wanted.seen,
        _covered(chosen),
        served_share(plan.today(), wanted.weight),
        (
            Marked(plan.lonlat[list(plan.sites)], tuple(plan.site_ids[s] for s in plan.sites)),
            Marked(
                np.array([p.lonlat for p in pickups], dtype=np.float64).reshape(-1, 2),
                tuple(p.pickup_id for p in pickups),
            ),
        ),
        wanted.asked_seen,
    )
