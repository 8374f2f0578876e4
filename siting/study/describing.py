"""What a study says of its plan and of what stands today: stations, hot spots, the audit, pick-up points."""

import dataclasses

import numpy as np
import shapely

from geo.arrays import BoolArray, FloatArray
from siting.demand.asked import Asked
from siting.demand.demand_events import stay_events, stops_beside
from siting.demand.hotspots import PlanStations, find_hot_spots
from siting.demand.names import MapNames, name_places, proper_name
from siting.evaluation.alternatives import next_best
from siting.inputs import StudyInputs
from siting.plans.figures import NEAREST_S
from siting.plans.plan import Plan, describe_sites, near_place
from siting.plans.sites import Sites
from siting.results import (
    Alternative,
    AuditFinding,
    HotSpot,
    PickupPoint,
    Site,
)
from siting.stations.audit import VISIT_M, Fate, Offered, Rests, Standing, audit_stations, follow_plan
from siting.stations.hours import span_text
from siting.stations.pickup_inputs import CompoundMap, DropOffs, GateWaits, RiderWays
from siting.stations.pickups import pick_up_points
from siting.study.parts import Chosen, Wanted
from siting.travel_times import StreetWays, Ways

__all__ = [
    "hot_spots_of",
    "judged_stations",
    "named_pickups",
    "named_stations",
    "other_places",
    "suggest_pickups",
]

NEAR_M, NEAR_TOLD = 500.0, 6
"""How far compounds are near a station, in a straight line, and how many of them are told."""
OTHERS_TOLD = 3
"""Stations to which riders of an existing one may go instead."""


def map_names(inputs: StudyInputs) -> MapNames:
    return MapNames(inputs.places, inputs.network.compounds.names)


def place_names(inputs: StudyInputs, ways: Ways, lonlat: list[tuple[float, float]]) -> tuple[str, ...]:
    """Return names for places on streets without one."""
    places = np.array(lonlat, dtype=np.float64).reshape(-1, 2)
    return name_places(places, map_names(inputs), ways, near_m=150.0)


def named_stations(
    inputs: StudyInputs, ways: Ways, wanted: Wanted, chosen: Chosen, chosen_share: FloatArray | None
) -> tuple[Site, ...]:
    """Return all stations, each under a name where the map knows one."""
    sites = describe_sites(
        chosen.plan, wanted.seen, chosen.service, chosen_share, ways, inputs.settings, wanted.asked_seen
    )
    names = place_names(inputs, ways, [site.lonlat for site in sites])
    near = _compounds_near(inputs, ways, [site.lonlat for site in sites])
    named = [
        dataclasses.replace(site, name=name, reason=near_place(site.reason, name))
        if name and site.name == site.site_id
        else site
        for site, name in zip(sites, names, strict=True)
    ]
    others = _others(ways, chosen.plan, inputs.settings.mode)
    return tuple(
        dataclasses.replace(site, near=compounds, others=others.get(site.site_id, ()))
        for site, compounds in zip(named, near, strict=True)
    )


def _others(ways: Ways, plan: Plan, mode: str) -> dict[str, tuple[tuple[str, float], ...]]:
    """Return for each existing station the others in business under the plan, the soonest reached first."""
    old, running = range(len(plan.existing)), list(plan.chosen)
    # Where no legal way leads on from a station, or a longer one, one walks.
    seconds = np.minimum(*(
        ways.seconds(how, plan.lonlat[: len(old)], plan.lonlat[running], NEAREST_S) for how in (mode, "foot")
    ))  # fmt: skip
    out = {}
    for station, row in zip(old, seconds.tolist(), strict=True):
        found = sorted(
            (away_s, plan.site_ids[site])
            for site, away_s in zip(running, row, strict=True)
            if site != station and away_s < np.inf
        )
        out[plan.site_ids[station]] = tuple((name, round(s, 1)) for s, name in found[:OTHERS_TOLD])
    return out


def _compounds_near(
    inputs: StudyInputs, ways: Ways, lonlat: list[tuple[float, float]]
) -> list[tuple[tuple[str, float], ...]]:
    """Return for each place the named compounds within half a kilometre, the nearest first."""
    compounds = inputs.network.compounds
    names = [proper_name(name) for name in compounds.names]
    known = [number for number, name in enumerate(names) if name]
    shapes = np.array([shapely.transform(compounds.polygons[n], ways.project) for n in known], dtype=object)
    out = []
    for x, y in ways.project(np.array(lonlat, dtype=np.float64).reshape(-1, 2)).tolist():
        away_m = np.round(shapely.distance(shapes, shapely.Point(x, y)).astype(np.float64)).tolist()
        found = {names[n]: m for m, n in sorted(zip(away_m, known, strict=True), reverse=True) if m <= NEAR_M}
        out.append(tuple(sorted(found.items(), key=lambda one: (one[1], one[0])))[:NEAR_TOLD])
    return out


def other_places(inputs: StudyInputs, ways: Ways, wanted: Wanted, chosen: Chosen) -> tuple[Alternative, ...]:
    """Return the next best place of each new station, each under a name where the map knows one."""
    plan, candidates, old = chosen.plan, chosen.plan.candidates, len(inputs.existing)
    found = next_best(plan, wanted.days["training"], wanted.asked)
    lonlat = [(float(plan.lonlat[one.site, 0]), float(plan.lonlat[one.site, 1])) for one in found]
    xy_m = ways.project(plan.lonlat)
    return tuple(
        Alternative(
            site_id=plan.site_ids[one.station],
            name=candidates.name[one.site - old] or name,
            lonlat=place,
            kind=candidates.kind[one.site - old],
            away_m=round(float(np.hypot(*(xy_m[one.site] - xy_m[one.station])))),
            served_share=one.served,
        )
        for one, place, name in zip(found, lonlat, place_names(inputs, ways, lonlat), strict=True)
    )


def hot_spots_of(inputs: StudyInputs, ways: Ways, wanted: Wanted, plan: Plan) -> tuple[HotSpot, ...]:
    """Return the clusters of rests, with the station of the plan that serves each."""
    settings = inputs.settings
    stations = PlanStations(
        plan.lonlat[list(plan.chosen)].reshape(-1, 2),
        tuple(plan.site_ids[s] for s in plan.chosen),
        settings.mode,
        settings.limit_s,
    )
    return find_hot_spots(
        wanted.rests,
        map_names(inputs),
        ways,
        settings.hot_spots,
        stations,
        timezone=settings.timezone,
        days=len(wanted.demand.days),
        asked=wanted.asked,
    )


def judged_stations(
    inputs: StudyInputs, ways: Ways, wanted: Wanted, sites: Sites, plan: Plan
) -> tuple[AuditFinding, ...]:
    """Judge each existing station; where stations may close or move, the plan's word counts."""
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


def named_pickups(inputs: StudyInputs, ways: Ways, wanted: Wanted) -> tuple[PickupPoint, ...]:
    """Return the pick-up points, each under a name where the map knows one."""
    pickups = suggest_pickups(inputs, ways, len(wanted.demand.days), wanted.asked)
    ends = [(point.entry_route or (point.lonlat,))[-1] for point in pickups]
    doors = np.array(ends, dtype=np.float64).reshape(-1, 2)
    names = name_places(doors, map_names(inputs), ways)
    return tuple(
        point
        if point.compound
        else dataclasses.replace(point, compound=name, side=("street", "") if name == street else point.side)
        for point, name, street in zip(pickups, names, ways.street(doors), strict=True)
    )
