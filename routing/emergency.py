"""Emergencies: who is alerted, in which phase, and the probability that somebody arrives in time.

The soonest capable riders are alerted in phases; the next phase only when nobody has accepted. A rider who
accepts goes there at once: in public-benefit time lateness is not counted, so slack does not bind, and the
stops that will be late are told. Riders accept independently of each other.
"""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from geo.arrays import FloatArray
from geo.travel import reach_to
from routing.fleet.fleet import Fleet
from routing.model.policy import EmergencyPolicy
from routing.model.riders import Rider
from routing.model.tasks import Task

__all__ = ["Alert", "AlertPlan", "alert_plan", "chance_within"]


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
    """That somebody arrives within `within_s` of the report."""
    soonest_s: float
    """Arrival of the soonest rider if the rider accepts; inf without riders."""


def chance_within(alerts: tuple[Alert, ...], within_s: float) -> float:
    """Return the probability that somebody has arrived `within_s` after the report.

    Phase m is alerted only if nobody of the phases before has accepted, so the sum runs over the first phase
    in which somebody accepts: all before decline, and of this phase at least one who is in time accepts.
    """
    total, nobody_yet = 0.0, 1.0
    for phase in sorted({alert.phase for alert in alerts}):
        mine = [alert for alert in alerts if alert.phase == phase]
        in_time = math.prod(1.0 - alert.acceptance for alert in mine if alert.arrives_s <= within_s)
        total += nobody_yet * (1.0 - in_time)
        nobody_yet *= math.prod(1.0 - alert.acceptance for alert in mine)
    return total


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
        Its place and skills count; of each mode that the policy and the task allow.
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
    """
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
    reach_s = _reach_s(fleet, able, task, rules.horizon_s, now_s)
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
            late = _late_after(fleet, rider, task, now_s + arrives_s)
            chance = known.get(rider.rider_id, rules.acceptance)
            alerts.append(
                Alert(rider.rider_id, phase, alerted_s, float(reach_s[at]), arrives_s, chance, late)
            )
    soonest = min((alert.arrives_s for alert in alerts), default=math.inf)
    chance = chance_within(tuple(alerts), rules.within_s)
    return AlertPlan(task.task_id, drill, tuple(alerts), rules.within_s, chance, soonest)


def _reach_s(fleet: Fleet, riders: list[Rider], task: Task, horizon_s: float, now_s: float) -> FloatArray:
    """Seconds until each rider could be there, the service in hand finished; inf beyond the horizon."""
    out = np.full(len(riders), np.inf)
    for mode in {rider.mode for rider in riders}:
        mine = [at for at, rider in enumerate(riders) if rider.mode == mode]
        mode_fleet = fleet.mode_fleets[mode]
        target = fleet.network.snap(np.array([task.place.lonlat]), mode, fleet.policy.walk_to_street_m)
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


def _ridden_s(seconds: float, walk_ms: int, speed_factor: float) -> float:
    """Seconds of a way whose walks at both ends are no faster or slower for the rider's speed factor."""
    return walk_ms / 1000 + (seconds - walk_ms / 1000) * speed_factor


def _late_after(fleet: Fleet, rider: Rider, task: Task, arrival_s: float) -> tuple[tuple[str, float], ...]:
    """List the stops that are late when the rider drives on from the emergency."""
    mode_fleet, row = fleet.row_of(rider.rider_id)
    base = row * mode_fleet.width
    if not rider.stops:
        return ()
    if rider.rider_id in fleet.unreachable:
        return tuple((stop.stop_id, math.inf) for stop in rider.stops if stop.latest_s < math.inf)
    target = fleet.network.snap(np.array([task.place.lonlat]), rider.mode, fleet.policy.walk_to_street_m)
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
        delay = start - was
        if start > stop.latest_s:
            late.append((stop.stop_id, start - stop.latest_s))
    return tuple(late)
