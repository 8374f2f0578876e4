"""One study from inputs to the frozen `Study`: wires the parts, decides nothing itself."""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from geo.errors import InputError
from geo.places import Places
from geo.stays import KINDS
from siting.choice import PlanModel, budget_points, plan_model
from siting.columns import StayColumns
from siting.demand.events import due_events, stay_events, stops_beside
from siting.demand.hotspots import find_hot_spots
from siting.demand.names import name_places
from siting.demand.passing import passing_events, published_flows
from siting.demand.weighted import Demand, Events, build_demand, by_hour, open_compounds
from siting.figures import demand_cells, grid_figures, grid_of, kind_figures, layer_figures
from siting.inputs import StudyInputs, StudySettings
from siting.plans import Plan, budget_curve, coverage_table, describe_sites
from siting.problems.define import MaxCover, SitingResult
from siting.problems.highs import Limits
from siting.problems.reach import Reach, reach_within
from siting.results import GridFigures, PickupPoint, Refusal, Solution, Study
from siting.solvers.cover_proof import spread_idle_sites
from siting.solvers.solve import solve
from siting.solvers.verify import verified
from siting.stability import chosen_shares, split_days
from siting.stations.audit import VISIT_M, Rests, audit_stations
from siting.stations.candidates import Candidates, CandidateSites, kerb_spots, pick_candidates
from siting.stations.pickups import DropOffs, GateWaits, pick_up_points
from siting.travel_times import StreetWays, Ways

__all__ = ["Progress", "StudyInputs", "StudySettings", "run_study", "suggest_pickups"]

FloatArray = npt.NDArray[np.float64]
Progress = Callable[[str, int, int], None]
STAGES = (
    "demand", "candidates", "travel", "choice", "checks", "sites", "hot_spots", "audit", "pickups", "figures"
)  # fmt: skip


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
    settings = inputs.settings
    ways: Ways = StreetWays(inputs.network)

    def tell(stage: str) -> None:
        if progress is not None:
            progress(stage, STAGES.index(stage), len(STAGES))

    tell("demand")
    rests = stay_events(inputs.stays, "rest")
    demand = _demand(inputs, rests, ways)
    training, held_out = _days(demand, settings)
    tell("candidates")
    existing_lonlat = np.array([s.lonlat for s in inputs.existing], dtype=np.float64).reshape(-1, 2)
    weight = demand.weight(settings.weights, training)
    is_open = open_compounds(
        demand.rest, ways.compound_of(demand.lonlat), len(inputs.network.compounds), settings.k
    )
    candidates = _candidates(inputs, ways, existing_lonlat, is_open)
    candidates = _with_kerbs(candidates, inputs, ways, existing_lonlat, demand, weight.sum(axis=1), is_open)
    _enough(candidates, settings.new_sites)
    tell("travel")
    lonlat = np.concatenate([existing_lonlat, candidates.lonlat])
    cost_s = ways.seconds(settings.mode, demand.lonlat, lonlat, settings.limit_s)
    cost_s[demand.only_passing()[:, None] & (cost_s > settings.passing_limit_s)] = np.inf
    tell("choice")
    problem = MaxCover(
        weight=weight.sum(axis=1),
        limit_s=settings.limit_s,
        sites=len(inputs.existing) + settings.new_sites,
        kept=tuple(range(len(inputs.existing))),
    )
    result, model = _choose(inputs, demand, weight, problem, cost_s, len(candidates.name))
    plan = Plan(
        existing=inputs.existing,
        candidates=candidates,
        lonlat=lonlat,
        cost_s=cost_s,
        chosen=result.chosen,
        kinds=settings.kinds,
        limit_s=settings.limit_s,
        run={} if model is None else model.run(result),
    )
    tell("checks")
    reach = reach_within(cost_s, settings.limit_s)
    shares = _stability(inputs, demand, training, reach, problem)
    rest = {
        name: by_hour(demand.rest, len(demand.lonlat), days.astype(np.float64)).sum(axis=1)
        for name, days in (("training", training), ("held_out", held_out))
        if days.any()
    }
    coverage = coverage_table(plan, demand.lonlat, problem, rest, ways, settings, _rng(settings, 1))
    if model is None:
        curve = budget_curve(plan, problem, weight, reach, _rng(settings, 2))
    else:
        curve = budget_points(model, cost_s, result)
    tell("sites")
    sites = describe_sites(plan, demand, weight, shares, ways, settings)
    names = _names(inputs, ways, [site.lonlat for site in sites])
    sites = tuple(
        dataclasses.replace(site, name=name) if name and site.name == site.site_id else site
        for site, name in zip(sites, names, strict=True)
    )
    tell("hot_spots")
    hot_spots = find_hot_spots(
        rests,
        inputs.places,
        inputs.network.compounds.names,
        ways,
        settings.hot_spots,
        stations_lonlat=lonlat[list(result.chosen)].reshape(-1, 2),
        station_ids=tuple(plan.site_ids[s] for s in result.chosen),
        mode=settings.mode,
        limit_s=settings.limit_s,
        timezone=settings.timezone,
        days=len(demand.days),
        k=settings.k,
    )
    tell("audit")
    old = len(inputs.existing)
    within = (cost_s <= settings.limit_s) & ~demand.only_passing()[:, None]
    within[:, :old] |= _at_the_door(ways.project(demand.lonlat), ways.project(existing_lonlat))
    audit = audit_stations(
        inputs.existing,
        ways.project(existing_lonlat),
        Rests(ways.project(rests.lonlat), rests.rider, rests.start_s, rests.end_s),
        demand,
        within[:, :old],
        within[:, old:],
        candidates.lonlat,
        tuple(s - old for s in result.chosen if s >= old),
        timezone=settings.timezone,
        k=settings.k,
        site_ids=plan.site_ids[:old],
    )
    tell("pickups")
    pickups = suggest_pickups(inputs, ways, len(demand.days))
    names = _names(inputs, ways, [point.lonlat for point in pickups])
    pickups = tuple(
        point if point.compound else dataclasses.replace(point, compound=name)
        for point, name in zip(pickups, names, strict=True)
    )
    tell("figures")
    study = Study(
        title=inputs.title,
        city=inputs.city,
        timezone=settings.timezone,
        period=(demand.days[0], demand.days[-1]),
        days=len(demand.days),
        held_out_days=int(held_out.sum()),
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
        demand_min_a_day=float(rest["training"].sum()),
        sites=sites,
        audit=audit,
        pickups=pickups,
        cells=demand_cells(demand, ways, settings.publish_cell_m, settings.k),
        flows=published_flows(inputs.flows, inputs.network, settings.timezone, settings.k),
        grids=_grids(inputs, demand, plan, result, pickups),
        refusals=tuple(
            Refusal(name, (float(place[0]), float(place[1])), reason)
            for name, place, reason in zip(
                candidates.refused.name, candidates.refused.lonlat, candidates.reasons, strict=True
            )
        ),
        solution=Solution(result.status, result.objective, result.bound, result.gap),
        coverage=coverage,
        budget_curve=curve,
        accounts=inputs.accounts,
        matching=None,
        hot_spots=hot_spots,
        layers=layer_figures(demand, settings, result.assignment >= 0),
        kinds=kind_figures(settings.kinds),
    )
    if progress is not None:
        progress("done", len(STAGES), len(STAGES))
    return study


def _choose(
    inputs: StudyInputs,
    demand: Demand,
    weight: FloatArray,
    problem: MaxCover,
    cost_s: FloatArray,
    candidates: int,
) -> tuple[SitingResult, PlanModel | None]:
    """Choose places alone, or places, kinds and hours together where there is a budget."""
    settings = inputs.settings
    limits = Limits(gap=1e-6, node_limit=settings.node_limit)
    group = None
    if settings.least_grid_share > 0:
        if inputs.grids is None:
            raise InputError("least_grid_share needs unit grids, and the study has none.")
        group = grid_of(tuple(inputs.grids.polygons), demand.lonlat)
    if settings.budget_yuan is not None:
        model = plan_model(weight, inputs.existing, candidates, settings, group)
        result = solve(model.problem, cost_s, _rng(settings, 0), dataclasses.replace(limits, gap=1e-3))
        return verified(model.problem, cost_s, result), model
    if group is not None:
        share = np.full(len(inputs.grids.codes) if inputs.grids else 0, settings.least_grid_share)
        problem = dataclasses.replace(problem, group=group, group_share=share)
    result = solve(problem, cost_s, _rng(settings, 0), limits)
    if group is None:
        result = spread_idle_sites(problem, cost_s, result)
    return verified(problem, cost_s, result), None


def _names(inputs: StudyInputs, ways: Ways, lonlat: list[tuple[float, float]]) -> tuple[str, ...]:
    """Return names for places on streets without one."""
    places = np.array(lonlat, dtype=np.float64).reshape(-1, 2)
    return name_places(places, inputs.places, inputs.network.compounds.names, ways, near_m=150.0)


def _rng(settings: StudySettings, stream: int) -> np.random.Generator:
    return np.random.default_rng([settings.seed, stream])


def _demand(inputs: StudyInputs, rests: Events, ways: Ways) -> Demand:
    return build_demand(
        rests,
        due_events(inputs.due_breaks),
        passing_events(inputs.flows if inputs.settings.weights.passing > 0 else None, inputs.network),
        timezone=inputs.settings.timezone,
        project=ways.project,
        cell_m=inputs.settings.cell_m,
    )


def _days(demand: Demand, settings: StudySettings) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    days = len(demand.days)
    if settings.held_out_days >= days:
        raise InputError(
            f"held_out_days is {settings.held_out_days}, but the traces cover only {days} local days "
            f"({demand.days[0]} to {demand.days[-1]}); it must lie in 0-{days - 1}."
        )
    return split_days(days, settings.held_out_days)


def _accessible(
    ways: Ways, mode: str, lonlat: FloatArray, walk_m: float, is_open: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return (on a street riders may use, behind a fence that is not open to them) of each place."""
    compound = ways.compound_of(lonlat)
    inside_open = (compound >= 0) & is_open[compound]
    return ways.public(mode, lonlat, walk_m) | inside_open, (compound >= 0) & ~inside_open


def _candidates(
    inputs: StudyInputs, ways: Ways, existing_lonlat: FloatArray, is_open: npt.NDArray[np.bool_]
) -> Candidates:
    sites = _map_sites(inputs.places, inputs.settings.candidates.kinds)
    own = inputs.own_sites
    if own is not None:
        sites = CandidateSites(
            np.concatenate([own.lonlat, sites.lonlat]),
            own.name + sites.name,
            ("own",) * len(own.name) + sites.kind,
        )
    rules = inputs.settings.candidates
    on_street, fenced = _accessible(ways, inputs.settings.mode, sites.lonlat, rules.walk_m, is_open)
    return pick_candidates(
        sites,
        rules,
        xy_m=ways.project(sites.lonlat),
        on_street=on_street,
        fenced=fenced,
        taken_xy_m=ways.project(existing_lonlat),
    )


def _with_kerbs(
    candidates: Candidates,
    inputs: StudyInputs,
    ways: Ways,
    existing_lonlat: FloatArray,
    demand: Demand,
    weight: FloatArray,
    is_open: npt.NDArray[np.bool_],
) -> Candidates:
    """Add kerbs of public streets near demand where the map names no fitting place."""
    rules = inputs.settings.candidates
    mode = inputs.settings.mode
    kerb = ways.kerb(mode, demand.lonlat)
    on_street, fenced = _accessible(ways, mode, kerb, rules.walk_m, is_open)
    taken = ways.project(np.concatenate([candidates.lonlat, existing_lonlat]))
    spots = kerb_spots(
        ways.project(kerb),
        np.where(on_street & ~fenced, weight, 0.0),
        taken,
        rules.street_apart_m,
        rules.street_sites,
    )
    kerbs = pick_candidates(
        CandidateSites(kerb[spots], ("",) * len(spots), ("street",) * len(spots)),
        dataclasses.replace(rules, kinds=("street",), spacing_m=0.0),
        xy_m=ways.project(kerb[spots]),
        on_street=np.ones(len(spots), dtype=np.bool_),
        fenced=np.zeros(len(spots), dtype=np.bool_),
        taken_xy_m=np.empty((0, 2)),
    )
    return dataclasses.replace(
        candidates,
        lonlat=np.concatenate([candidates.lonlat, kerbs.lonlat]),
        name=candidates.name + kerbs.name,
        kind=candidates.kind + kerbs.kind,
        refused=CandidateSites(
            np.concatenate([candidates.refused.lonlat, kerbs.refused.lonlat]),
            candidates.refused.name + kerbs.refused.name,
            candidates.refused.kind + kerbs.refused.kind,
        ),
        reasons=candidates.reasons + kerbs.reasons,
    )


def _map_sites(places: Places, kinds: tuple[str, ...]) -> CandidateSites:
    rows = np.nonzero(places.of(*kinds))[0]
    return CandidateSites(
        np.asarray(places.poi_lonlat[rows], dtype=np.float64).reshape(-1, 2),
        tuple(places.best_name(int(r)) for r in rows),
        tuple(places.kinds[places.poi_kind[r]] for r in rows),
    )


def _enough(candidates: Candidates, new_sites: int) -> None:
    there = len(candidates.name)
    if there < new_sites:
        reasons = ", ".join(f"{candidates.reasons.count(r)} {r}" for r in sorted(set(candidates.reasons)))
        refused = f" ({len(candidates.reasons)} were refused: {reasons})" if reasons else ""
        advice = f"ask for 1-{there} or add sites of your own" if there else "add sites of your own"
        raise InputError(
            f"{new_sites} new sites are asked for, but the map offers only {there} candidates{refused}; "
            f"{advice}."
        )


def _stability(
    inputs: StudyInputs,
    demand: Demand,
    training: npt.NDArray[np.bool_],
    reach: Reach,
    problem: MaxCover,
) -> FloatArray | None:
    if inputs.settings.draws == 0:
        return None
    # every layer numbers riders as the traces do, so one that counts nothing changes no draw
    riders = max(inputs.riders, 1 + max(int(layer.rider.max(initial=0)) for _, layer in demand.layers()))
    return chosen_shares(
        demand,
        inputs.settings.weights,
        training,
        reach,
        problem,
        riders=riders,
        draws=inputs.settings.draws,
        rng=_rng(inputs.settings, 3),
    )


def suggest_pickups(inputs: StudyInputs, ways: Ways, days: int) -> tuple[PickupPoint, ...]:
    """Suggest pick-up points from the stays at doors and gates."""
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
        np.asarray(inputs.places.gate_lonlat, dtype=np.float64),
        tuple(zip(compounds.names, compounds.polygons, strict=True)),
        ways,
        StreetWays(free),
        inputs.settings.pickups,
        mode=inputs.settings.mode,
        days=days,
        k=inputs.settings.k,
    )


def _at_the_door(xy_m: FloatArray, stations_xy_m: FloatArray) -> npt.NDArray[np.bool_]:
    """Return (n, e) which demand points lie at the door of a station, whatever the streets say."""
    return np.asarray(np.hypot(*(xy_m[:, None] - stations_xy_m[None]).transpose(2, 0, 1)) <= VISIT_M)


def _kinds(stays: StayColumns) -> tuple[tuple[str, int], ...]:
    return tuple((kind, int((stays.kind == number).sum())) for number, kind in enumerate(KINDS))


def _grids(
    inputs: StudyInputs, demand: Demand, plan: Plan, result: SitingResult, pickups: tuple[PickupPoint, ...]
) -> tuple[GridFigures, ...]:
    if inputs.grids is None:
        return ()
    return grid_figures(
        inputs.grids.codes,
        inputs.grids.names,
        inputs.grids.polygons,
        demand,
        result.assignment >= 0,
        plan.lonlat[list(plan.chosen)],
        tuple(plan.site_ids[s] for s in plan.chosen),
        np.array([p.lonlat for p in pickups], dtype=np.float64).reshape(-1, 2),
        tuple(p.pickup_id for p in pickups),
        inputs.settings.k,
    )
