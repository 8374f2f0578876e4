"""Why not: the rule that stands in the way of a task, and the smallest single change that would help.

A change is what it takes to make the match possible, and it is enough alone: put it into the request and ask
again. Riders of platforms that a task does not name are not looked at, not counted and never told of.
"""

from collections.abc import Iterator

import numpy as np

from geo.errors import InputError
from geo.travel import reach_to
from routing.fleet.fleet import Fleet
from routing.model.results import Binding, Change, Refused
from routing.model.riders import Rider
from routing.model.tasks import Task
from routing.refusal import relaxations as near
from routing.refusal.relaxations import NearMisses, Spot, near_misses

__all__ = ["refusal", "why_not"]


def refusal(fleet: Fleet, task: Task, now_s: float, found: int = 0) -> Refused:
    """Say why nobody (or too few) can do a task, and the smallest single change that would help.

    Parameters
    ----------
    fleet : Fleet
    task : Task
    now_s : float
        Epoch seconds.
    found : int
        How many of the people needed were found.

    Returns
    -------
    Refused
        The binding rule at the place that comes nearest to being allowed, and a change that alone is enough
        (``what = "none"`` where no single change is).
    """
    if found:
        missing = task.people - found
        binding = Binding("people", "", None, f"{found} of {task.people} people found")
        fewer = Change("people", float(missing), "", None, f"{missing} fewer people")
        return Refused(task.task_id, binding, None, fewer)
    judged = [
        misses
        for mode_fleet in fleet.mode_fleets.values()
        if (misses := near_misses(fleet, mode_fleet, task, now_s)) is not None
    ]
    if not judged:
        return _nobody(fleet, task)
    told = _nearest(fleet, task, judged)
    if task.people > 1:
        text = f"no single change is enough: {task.people} people are needed and there is none"
        return Refused(task.task_id, told.binding, told.rider_id, _no_change(text, told.rider_id))
    return told


def why_not(fleet: Fleet, task: Task, rider_id: str, now_s: float) -> Refused | None:
    """Say what keeps one rider from a task, and the smallest single change that would help.

    Parameters
    ----------
    fleet : Fleet
    task : Task
    rider_id : str
    now_s : float
        Epoch seconds.

    Returns
    -------
    Refused, optional
        None when the rider may do it.

    Raises
    ------
    InputError
        If the rider is not known, or works for a platform that the task does not name.
    """
    known = rider_id in fleet
    if not known or (task.platforms and fleet.rider(rider_id).platform not in task.platforms):
        raise InputError(f"Rider {rider_id!r} is not in the fleet.")
    mode_fleet, row = fleet.row_of(rider_id)
    misses = near_misses(fleet, mode_fleet, task, now_s, rider_id)
    if misses is None:
        return _nobody(fleet, task, rider_id)
    if any(one[0] == row for one in misses.allowed):
        return None
    return _nearest(fleet, task, [misses])


def _nearest(fleet: Fleet, task: Task, judged: list[NearMisses]) -> Refused:
    """Tell the smallest single change of all; without one, the place that comes nearest."""
    for column in (near.SINGLE, near.SEVERAL):
        found = []
        for at, misses in enumerate(judged):
            weights = misses.table[misses.rows, column]
            if weights.min(initial=near.LOST) < near.LOST:
                best = misses.rows[weights == weights.min()].tolist()
                found += [
                    (int(weights.min()), fleet.id_at(misses.mode_fleet.mode, row), at, row) for row in best
                ]
        if not found:
            continue
        _, rider_id, at, row = min(found)
        misses, rider = judged[at], fleet.rider(rider_id)
        single = column == near.SINGLE
        spot = misses.spot(row, near.SINGLE_AT if single else near.SEVERAL_AT)
        rules = [*_rider_rules(fleet, rider, task, misses.over_m), *_time_rules(fleet, rider, task, spot)]
        binding = rules[0]
        if not single:
            text = "no single change is enough: " + "; ".join(rule.text for rule in rules)
            return Refused(task.task_id, binding, rider_id, _no_change(text, rider_id))
        how = int(misses.table[row, near.SINGLE_HOW])
        if how == near.AS_IS:
            return Refused(task.task_id, binding, rider_id, _change(binding, rider_id))
        subject = "" if task.dropoff is None else ("pickup" if how == near.EARLIER else "dropoff")
        sooner_s = int(misses.table[row, near.SINGLE]) / 1000
        text = f"a window that opens {_minutes(sooner_s)} sooner (rider {rider_id})"
        return Refused(task.task_id, binding, rider_id, Change("start", sooner_s, subject, rider_id, text))
    raise AssertionError("A rider who may do the task was to be explained.")


def _rider_rules(fleet: Fleet, rider: Rider, task: Task, over_m: float) -> Iterator[Binding]:
    if over_m > 0:
        yield _off_street(fleet, over_m)
    if rider.mode not in task.modes:
        yield Binding("mode", rider.mode, None, f"the task is not for riders by {rider.mode}")
    for skill in sorted(task.skills - rider.skills):
        yield Binding("skill", skill, None, f"rider {rider.rider_id} lacks the skill {skill}")
    if rider.status not in fleet.policy.statuses:
        yield Binding("status", rider.status, None, f"rider {rider.rider_id} is {rider.status}")


def _off_street(fleet: Fleet, over_m: float) -> Binding:
    limit_m = fleet.policy.walk_to_street_m
    away = "more than 2 km" if np.isinf(over_m) else f"{limit_m + over_m:.0f} m"
    text = f"the task is {away} from every street; the policy allows {limit_m:.0f} m"
    return Binding("place", "", over_m, text)


def _time_rules(fleet: Fleet, rider: Rider, task: Task, spot: Spot) -> Iterator[Binding]:
    """Rules broken at one spot; amounts are what the limit itself would have to give."""
    need = spot.need
    for at in np.flatnonzero(spot.late).tolist():
        stop = rider.stops[at - 1]
        by_s = int(spot.late[at]) / 1000
        kept = ", less the slack that is kept" if fleet.policy.slack_kept_s else ""
        text = f"stop {stop.stop_id} would begin {_minutes(by_s)} after it is due{kept}"
        yield Binding("late", stop.stop_id, by_s, text)
    pair = task.dropoff is not None
    for rule, subject in ((near.LATEST, "pickup"), (near.LATEST_DROPOFF, "dropoff")):
        if need[rule]:
            by_s = int(need[rule]) / 1000
            what = f"the {subject}" if pair else "it"
            text = f"{what} would be begun {_minutes(by_s)} after its window"
            yield Binding("window", subject if pair else "", by_s, text)
    said = {
        near.MOST: ("max_extra", "it takes {by} more than one task may"),
        near.HOUR: ("hour_budget", "it takes {by} more than is left for tasks in this hour"),
        near.SHIFT: ("shift", "his shift ends {by} before he would be done"),
        near.DAY: ("day", "his hours of the day end {by} before he would be done"),
        near.BREAK: ("break", "his break falls due {by} before he would be done"),
    }
    for rule, (name, text) in said.items():
        if not need[rule]:
            continue
        by_s, subject = int(need[rule]) / 1000, ""
        if rule == near.BREAK and need[near.BREAK_AT]:
            subject = rider.stops[int(need[near.BREAK_AT]) - 1].stop_id
            text = f"the break {subject} would begin {{by}} too late"
        yield Binding(name, subject, by_s, text.format(by=_minutes(by_s)))
    if need[near.ROOM]:
        parcels = int(need[near.ROOM])
        yield Binding(
            "capacity", str(parcels), None, f"rider {rider.rider_id} lacks room for {parcels} parcels"
        )
    if need[near.TRAPPED]:
        yield Binding(
            "dead_end", "", None, f"no way leads out of there by {rider.mode}, and his plan ends there"
        )


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.1f} min"


_HELP = {
    "late": ("due", "a due time {by} later for stop {subject}"),
    "window": ("latest", "a window that closes {by} later"),
    "max_extra": ("max_extra", "{by} more for one task"),
    "hour_budget": ("hour_budget", "{by} more for tasks in this hour"),
    "shift": ("shift", "a shift that ends {by} later"),
    "day": ("day", "{by} more work in the day"),
    "break": ("break", "a break that may begin {by} later"),
    "skill": ("skill", "a rider with the skill {subject}, or a task that does not ask for it"),
    "mode": ("mode", "a task that is open to riders by {subject}"),
    "status": ("status", "riders may be asked who are {subject}"),
    "capacity": ("capacity", "room for {subject} more parcels"),
    "place": ("place", "a place {metres:.0f} m nearer to a street, or so much longer a walk"),
}


def _change(binding: Binding, rider_id: str | None) -> Change:
    if binding.rule not in _HELP:
        return _no_change(f"no single change is enough: {binding.text}", rider_id)
    what, text = _HELP[binding.rule]
    amount = binding.by_s or 0.0
    said = text.format(by=_minutes(amount), subject=binding.subject, metres=amount)
    return Change(what, binding.by_s, binding.subject, rider_id, f"{said} (rider {rider_id})")


def _no_change(text: str, rider_id: str | None) -> Change:
    return Change("none", None, "", rider_id, text)


def _nobody(fleet: Fleet, task: Task, rider_id: str | None = None) -> Refused:
    """Say why not even one place in one plan could be judged."""
    asked = fleet.rider_ids if rider_id is None else (rider_id,)
    if task.platforms:
        asked = tuple(one for one in asked if fleet.rider(one).platform in task.platforms)
    binding = _without_riders(fleet, task) if not asked else _without_way(fleet, task, asked)
    change = _no_change(f"no single change is enough: {binding.text}", rider_id)
    return Refused(task.task_id, binding, rider_id, change)


def _without_riders(fleet: Fleet, task: Task) -> Binding:
    if task.platforms:
        names = ", ".join(sorted(task.platforms))
        return Binding("platform", names, None, f"there is no rider of the platforms asked for ({names})")
    return Binding("people", "", None, "there is no rider")


def _without_way(fleet: Fleet, task: Task, asked: tuple[str, ...]) -> Binding:
    lost = sum(rider_id in fleet.unreachable for rider_id in asked)
    if lost == len(asked):
        return Binding("position", asked[0], None, f"rider {asked[0]} has a stop that he cannot reach")
    modes = sorted({fleet.rider(rider_id).mode for rider_id in asked})
    limit_m = fleet.policy.walk_to_street_m
    visits = [task.place] if task.dropoff is None else [task.place, task.dropoff]
    for visit in visits:
        lonlat = np.array([visit.lonlat])
        away = min(float(fleet.network.snap(lonlat, mode, limit_m).walk_m[0]) for mode in modes)
        off = all(fleet.network.snap(lonlat, mode, limit_m).edge[0] < 0 for mode in modes)
        if off:
            return _off_street(fleet, away - limit_m)
    who = "any rider" if len(asked) > 1 else f"rider {asked[0]}"
    if task.dropoff is None:
        return Binding("unreachable", "", None, f"no legal way leads from {who} to the task")
    for mode in modes:
        first, last = (fleet.network.snap(np.array([v.lonlat]), mode, limit_m) for v in visits)
        if np.isfinite(reach_to(fleet.network, mode, first, last)).all():
            text = f"no legal way leads from {who} to the pick-up, or none from the drop-off on"
            return Binding("unreachable", "pickup", None, text)
    text = "no legal way leads from the pick-up to the drop-off"
    return Binding("unreachable", "dropoff", None, text)
