"""Emergencies: who is alerted, in which phase, and the probability that somebody arrives in time.

The soonest capable riders are alerted in phases; the next phase only when nobody has accepted. A rider who
accepts goes there at once: in public-benefit time lateness is not counted, so slack does not bind, and the
stops that will be late are told. Riders accept independently of each other.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from geo.arrays import BoolArray, FloatArray
from geo.errors import InputError
from geo.streets import Snapped, StreetNetwork
from geo.travel import reach_to, snap_far, travel_times_s
from routing.fleet.fleet import Fleet
from routing.model.policy import EmergencyPolicy
from routing.model.riders import Rider
from routing.model.tasks import Task
from routing.model.windows import open_from

FARTHER_M = (500.0, 2_000.0, 20_000.0)
"""Where no street is within the walk that the policy allows, the nearest one is looked for so far away, and
then at any distance."""

__all__ = ["Alert", "AlertPlan", "alert_plan", "chance_within", "nearest_street", "soonest_s"]


@dataclasses.dataclass(frozen=True, slots=True)
class Alert:
    """One rider who is alerted."""

    rider_id: str
    phase: int
    """0 for the first."""
    alerted_s: float
    """Seconds after the emergency was reported."""
    travel_s: float
    arrives_s: float
    """Seconds after the report, when the rider accepts: alert + answer + way."""
    acceptance: float
    late_stops: tuple[tuple[str, float], ...]
    """Stops that would be late if the rider went and then drove on: (stop id, seconds beyond due); inf where
    no way leads on to it."""


@dataclasses.dataclass(frozen=True, slots=True)
class AlertPlan:
    """Whom to alert, phase by phase."""

    task_id: str
    drill: bool
    alerts: tuple[Alert, ...]
    """Soonest first; nobody outside of the horizon."""
    within_s: float
    probability: float
    """That as many people as are needed arrive within `within_s` of the report."""
    soonest_s: float
    """Arrival of the soonest rider if the rider accepts; inf without riders."""
    street_m: float
    """Metres from the place to the nearest street of a mode among the riders, walked and counted; inf where
    none of them may go on any street."""


def chance_within(alerts: tuple[Alert, ...], within_s: float, people: int = 1) -> float:
    """Return the probability that `people` have arrived `within_s` after the report.

    Riders accept independently. Phase m is alerted only if fewer than `people` of the phases before have
    accepted; whoever has accepted comes, in time or not. `chance[a, b]` is the probability that so far `a`
    have accepted and `b` of them will be in time, both counted up to `people`.
    """
    chance = np.zeros((people + 1, people + 1))
    chance[0, 0] = 1.0
    for phase in sorted({alert.phase for alert in alerts}):
        done, chance = chance[people].copy(), chance.copy()
        chance[people] = 0.0
        for alert in (alert for alert in alerts if alert.phase == phase):
            moved = np.zeros_like(chance)
            in_time = int(alert.arrives_s <= within_s)
            for a in range(people + 1):
                for b in range(people + 1):
                    moved[min(a + 1, people), min(b + in_time, people)] += chance[a, b]
            chance = (1.0 - alert.acceptance) * chance + alert.acceptance * moved
        chance[people] += done
    return float(chance[:, people].sum())


def alert_plan(
    fleet: Fleet,
    task: Task,
    now_s: float,
    *,
    acceptance: Mapping[str, float] | None = None,
    policy: EmergencyPolicy | None = None,
    drill: bool = False,
) -> AlertPlan:
    """Plan the alerts of one emergency; nothing in the fleet is changed.

    Parameters
    ----------
    fleet : Fleet
    task : Task
        Its place, people and skills count, and that nobody comes after `latest_s`; of each mode that the
        policy and the task allow. However far the place is from a street, the nearest one that can be left
        and reached is taken and the walk is counted.
    now_s : float
        Epoch seconds of the report.
    acceptance : mapping, optional
        Probability of each rider who is known; others have that of the policy.
    policy : EmergencyPolicy, optional
        That of the fleet's policy by default.
    drill : bool
        Marks the plan as a drill: same plan, nothing may be booked on it.

    Returns
    -------
    AlertPlan

    Raises
    ------
    InputError
        If the task has a drop-off or several windows, or begins later than now: none belongs to an emergency.
    """
    if task.dropoff is not None:
        raise InputError(
            f"task {task.task_id} has a drop-off; an alert sends people to one place: leave the drop-off out,"
            " or ask for a match"
        )
    if task.place.earliest_s > now_s:
        raise InputError(
            f"task {task.task_id} begins later than now; an alert is for what happens now: ask for a match"
        )
    if task.place.closed_s:
        raise InputError(f"task {task.task_id} has several windows; an emergency has one")
    rules = policy or fleet.policy.emergency
    known = acceptance or {}
    able = [
        rider
        for rider_id in fleet.rider_ids
        if (rider := fleet.rider(rider_id)).status != "off"
        and task.skills <= rider.skills
        and rider.mode in task.modes & rules.modes
        and (not task.platforms or rider.platform in task.platforms)
        and rider.shift_start_s <= now_s <= rider.shift_end_s
    ]
    targets = {mode: _street_in_reach(fleet, mode, task, able) for mode in {rider.mode for rider in able}}
    reach_s = _reach_s(fleet, able, targets, rules.horizon_s, now_s)
    order = sorted(range(len(able)), key=lambda at: (reach_s[at], able[at].rider_id))
    alerts: list[Alert] = []
    for phase, size in enumerate(rules.phase_riders):
        start = sum(rules.phase_riders[:phase])
        for at in order[start : start + size]:
            if reach_s[at] > rules.horizon_s:
                break
            rider = able[at]
            alerted_s = phase * rules.phase_wait_s
            arrives_s = alerted_s + rules.answer_s + float(reach_s[at])
            if now_s + arrives_s > task.place.latest_s:
                continue
            late = _late_after(fleet, rider, task, targets[rider.mode], now_s + arrives_s)
            chance = known.get(rider.rider_id, rules.acceptance)
            alerts.append(
                Alert(rider.rider_id, phase, alerted_s, float(reach_s[at]), arrives_s, chance, late)
            )
    soonest = min((alert.arrives_s for alert in alerts), default=math.inf)
    chance = chance_within(tuple(alerts), rules.within_s, task.people)
    street_m = min((float(place.walk_m[0]) for place in targets.values()), default=math.inf)
    return AlertPlan(task.task_id, drill, tuple(alerts), rules.within_s, chance, soonest, street_m)


def nearest_street(fleet: Fleet, mode: str, task: Task, among: BoolArray | None = None) -> Snapped:
    """Snap the place of an emergency as the policy says, or to the nearest street, however far it is.

    `among` (E,): only these streets.
    """
    lonlat = np.array([task.place.lonlat])
    place = fleet.network.snap(lonlat, mode, fleet.policy.walk_to_street_m, among)
    for limit_m in FARTHER_M:
        if place.edge[0] >= 0:
            return place
        place = fleet.network.snap(lonlat, mode, limit_m, among)
    return place if place.edge[0] >= 0 else snap_far(fleet.network, lonlat[0], mode, among)


def _street_in_reach(fleet: Fleet, mode: str, task: Task, riders: Sequence[Rider]) -> Snapped:
    """Return the nearest street that hangs together with those of the riders: from there they walk."""
    place, mode_fleet = nearest_street(fleet, mode, task), fleet.mode_fleets[mode]
    part, slots = (
        mode_fleet.graph.component,
        [fleet.row_of(rider.rider_id)[1] * mode_fleet.width for rider in riders if rider.mode == mode],
    )
    theirs = np.unique(part[mode_fleet.c.edge[slots]])
    if place.edge[0] < 0 or part[place.edge[0]] in theirs:
        return place
    return nearest_street(fleet, mode, task, np.isin(part, theirs))


def _reach_s(
    fleet: Fleet, riders: list[Rider], targets: Mapping[str, Snapped], horizon_s: float, now_s: float
) -> FloatArray:
    """Seconds until each rider could be there, the service in hand finished; inf beyond the horizon."""
    out = np.full(len(riders), np.inf)
    for mode in {rider.mode for rider in riders}:
        mine = [at for at, rider in enumerate(riders) if rider.mode == mode]
        mode_fleet = fleet.mode_fleets[mode]
        target = targets[mode]
        if target.edge[0] < 0:
            continue
        slots = [fleet.row_of(riders[at].rider_id)[1] * mode_fleet.width for at in mine]
        places = mode_fleet.snapped(slots)
        whole = reach_to(fleet.network, mode, places, target, horizon_s + 600.0)
        for at, seconds, walk_ms in zip(mine, whole.tolist(), places.walk_ms.tolist(), strict=True):
            rider = riders[at]
            wait_s = max(rider.available_s - now_s, 0.0)
            out[at] = wait_s + _ridden_s(seconds, walk_ms + int(target.walk_ms[0]), rider.speed_factor)
    return out


def soonest_s(
    network: StreetNetwork,
    riders: Sequence[Rider],
    lonlat: FloatArray,
    wanted: int,
    now_s: float,
    within_s: float,
) -> FloatArray:
    """Return how soon so many riders can be at each of many places if they go there at once.

    Parameters
    ----------
    network : StreetNetwork
    riders : sequence of Rider
        Whether they would come, or may, is not asked.
    lonlat : float64 (places, 2)
        WGS-84 degrees; the nearest street within 500 m counts, and the walk to it.
    wanted : int
        How many riders.
    now_s, within_s : float
        Epoch seconds; what takes longer than `within_s` counts as never.

    Returns
    -------
    float64 (places,)
        Seconds, the service in hand finished; inf where fewer can be there in time, or no street is near.
    """
    found = np.full((len(riders), len(lonlat)), np.inf)
    for mode in sorted({rider.mode for rider in riders}):
        mine = np.array([at for at, rider in enumerate(riders) if rider.mode == mode])
        here = network.snap(np.array([riders[at].lonlat for at in mine]), mode, FARTHER_M[0])
        there = network.snap(lonlat, mode, FARTHER_M[0])
        seconds = travel_times_s(network, mode, here, there, within_s)
        walk_s = (here.walk_ms[:, None] + there.walk_ms[None, :]) / 1000
        factor = np.array([riders[at].speed_factor for at in mine])[:, None]
        wait_s = np.array([max(riders[at].available_s - now_s, 0.0) for at in mine])[:, None]
        known = np.isfinite(seconds)
        ridden_s = np.where(known, seconds, 0.0) - walk_s
        whole = np.where(known, wait_s + walk_s + ridden_s * factor, np.inf)
        found[mine] = np.where(whole <= within_s, whole, np.inf)
    if len(riders) < wanted:
        return np.full(len(lonlat), np.inf)
    soonest: FloatArray = np.sort(found, axis=0)[wanted - 1]
    return soonest


def _ridden_s(seconds: float, walk_ms: int, speed_factor: float) -> float:
    """Seconds of a way whose walks at both ends are no faster or slower for the rider's speed factor."""
    return walk_ms / 1000 + (seconds - walk_ms / 1000) * speed_factor


def _late_after(
    fleet: Fleet, rider: Rider, task: Task, target: Snapped, arrival_s: float
) -> tuple[tuple[str, float], ...]:
    """List the stops that are late when the rider drives on from the emergency."""
    mode_fleet, row = fleet.row_of(rider.rider_id)
    base = row * mode_fleet.width
    if not rider.stops:
        return ()
    if rider.rider_id in fleet.unreachable:
        return tuple((stop.stop_id, math.inf) for stop in rider.stops if stop.latest_s < math.inf)
    first = mode_fleet.snapped([base + 1])
    on_s = _ridden_s(
        float(reach_to(fleet.network, rider.mode, target, first)[0]),
        int(target.walk_ms[0]) + int(first.walk_ms[0]),
        rider.speed_factor,
    )
    delay = arrival_s + task.place.service_s + on_s - int(mode_fleet.c.arrive[base + 1]) / 1000
    late = []
    for at, stop in enumerate(rider.stops):
        was = int(mode_fleet.c.start[base + 1 + at]) / 1000
        start = max(int(mode_fleet.c.arrive[base + 1 + at]) / 1000 + max(delay, 0.0), stop.earliest_s)
        start = open_from(stop.closed_s, start)
        delay = start - was
        if start > stop.latest_s:
            late.append((stop.stop_id, start - stop.latest_s))
    return tuple(late)
