"""The frozen `Study` of all parts, with its figures by cell, street and unit grid."""

import dataclasses

import numpy as np

from geo.arrays import BoolArray, Int64Array
from geo.stays import KINDS
from siting.columns import StayColumns
from siting.demand.asked import thousandths
from siting.demand.demand_events import stay_rows
from siting.demand.passing import published_flows
from siting.fairness import fairness_of
from siting.inputs import StudyInputs
from siting.plans.figures import (
    Covered,
    Marked,
    demand_cells,
    grid_figures,
    kind_figures,
    layer_figures,
    nearest_stations,
)
from siting.plans.plan import Plan
from siting.plans.served import served_share
from siting.results import (
    GridFigures,
    PickupPoint,
    Refusal,
    Study,
)
from siting.study.parts import Checked, Chosen, Described, Wanted
from siting.travel_times import Ways

__all__ = ["frozen"]


def frozen(
    inputs: StudyInputs,
    ways: Ways,
    wanted: Wanted,
    chosen: Chosen,
    checked: Checked,
    described: Described,
) -> Study:
    """Freeze everything, with the figures by cell, street and unit grid."""
    settings, demand, asked = inputs.settings, wanted.demand, wanted.asked
    for name in ("objective", "bound"):
        wanted.asked_seen.weighted(f"solution/{name}", settings.weights, _counted(chosen), "plan")
    grids = _grids(inputs, ways, wanted, chosen, described.pickups)
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
        alternatives=described.alternatives,
        layers=layer_figures(wanted.seen, settings, _covered(chosen), wanted.asked_seen),
        kinds=kind_figures(settings.kinds),
        existing_stations=settings.existing_stations,
        budget_yuan=settings.budget_yuan,
        closed_from=settings.closed_from,
        training_period=(demand.days[0], demand.days[int(wanted.training.sum()) - 1]),
        changing=checked.changing,
        estimates=checked.estimates,
        draws=checked.draws,
        silent_rest_share=_silent_share(inputs, wanted),
    )


def _silent_share(inputs: StudyInputs, wanted: Wanted) -> float | None:
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


def _counted(chosen: Chosen) -> BoolArray | Int64Array:
    """Return what the objective counts: points in reach; with a budget, thousandths served of each cell."""
    return chosen.result.assignment >= 0 if chosen.joint is None else thousandths(chosen.service.total)


def _covered(chosen: Chosen) -> Covered:
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
    inputs: StudyInputs, ways: Ways, wanted: Wanted, chosen: Chosen, pickups: tuple[PickupPoint, ...]
) -> tuple[GridFigures, ...]:
    if inputs.grids is None:
        return ()
    plan = chosen.plan
    figures = grid_figures(
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
    nearest = nearest_stations(
        inputs.grids,
        ways,
        inputs.settings.mode,
        Marked(plan.lonlat[list(plan.chosen)], tuple(plan.site_ids[s] for s in plan.chosen)),
    )
    return tuple(
        dataclasses.replace(grid, station_id=nearest[grid.code][0], station_s=nearest[grid.code][1])
        for grid in figures
    )
