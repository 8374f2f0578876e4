"""Why not: the rule that stands in the way of a task, and the smallest single change that would help.

A change is what it takes to make the match possible, and it is enough alone: put it into the request and ask
again. Riders of platforms that a task does not name are not looked at, not counted and never told of.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from geo.errors import InputError
from geo.travel import reach_to
from routing.fleet.fleet import Fleet
from routing.model.results import Amount, Binding, Count, Fact, Metres, Refused, Said, Seconds, SmallestChange
from routing.model.riders import Rider
from routing.model.tasks import Task
from routing.refusal import judging
from routing.refusal.relaxations import NearMisses, Spot, near_misses

__all__ = [
    "left_out",
    "nearest_to_allowed",
    "nobody",
    "off_street_rider",
    "refusal",
    "why_not",
]


def refusal(fleet: Fleet, task: Task, now_s: float, nearest: int | None = None) -> Refused:
    """Say why nobody can do a task, and the smallest single change that would help.

    Parameters
    ----------
    fleet : Fleet
    task : Task
    now_s : float
        Epoch seconds.
    nearest : int, optional
        Judge only so many riders of each mode, those whose way leads past the task most closely, unless none
        of them can reach it. The change is enough all the same; a smaller one farther away may be missed.

    Returns
    -------
    Refused
        The binding rule at the place that comes nearest to being allowed, and a change that alone is enough
        (``what = "none"`` where no single change is).
    """
    judged = [
        misses
        for mode_fleet in fleet.mode_fleets.values()
        if (misses := near_misses(fleet, mode_fleet, task, now_s, nearest=nearest)) is not None
    ]
    if not judged:
        return nobody(fleet, task) if nearest is None else refusal(fleet, task, now_s)
    refused = nearest_to_allowed(fleet, task, judged)
    if task.people > 1:
        none = Said.of("why.people_none", people=task.people)
        return Refused(
            task.task_id,
            refused.binding,
            refused.rider_id,
            _no_change(refused.rider_id, none),
            refused.others,
        )
    return refused


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
        return nobody(fleet, task, rider_id)
    if any(one[0] == row for one in misses.allowed):
        return None
    return nearest_to_allowed(fleet, task, [misses])


def nearest_to_allowed(fleet: Fleet, task: Task, judged: list[NearMisses]) -> Refused:
    """Tell the smallest single change of all; without one, the place that comes nearest."""
    for column in (judging.SINGLE, judging.SEVERAL):
        found = []
        for at, misses in enumerate(judged):
            weights = misses.table[misses.rows, column]
            if weights.min(initial=judging.LOST) < judging.LOST:
                best = misses.rows[weights == weights.min()].tolist()
                found += [
                    (int(weights.min()), fleet.id_at(misses.mode_fleet.mode, row), at, row) for row in best
                ]
        if not found:
            continue
        _, rider_id, at, row = min(found)
        misses, rider = judged[at], fleet.rider(rider_id)
        single = column == judging.SINGLE
        spot = misses.spot(row, judging.SINGLE_AT if single else judging.SEVERAL_AT)
        rules = [*_rider_rules(fleet, rider, task, misses.over_m), *_time_rules(fleet, rider, task, spot)]
        binding = rules[0]
        if not single:
            none = _no_change(rider_id, *(rule.said for rule in rules))
            return Refused(task.task_id, binding, rider_id, none, tuple(rules[1:]))
        how = int(misses.table[row, judging.SINGLE_HOW])
        if how == judging.AS_IS:
            return Refused(task.task_id, binding, rider_id, _change(binding, rider_id), tuple(rules[1:]))
        first = how in (judging.EARLIER, judging.LONGER)
        subject = "" if task.dropoff is None else ("pickup" if first else "dropoff")
        by_s = int(misses.table[row, judging.SINGLE]) / 1000
        what = "start" if how in (judging.EARLIER, judging.EARLIER_DROPOFF) else "longer"
        said = Said.of(f"change.{what}", by_s=by_s, rider=rider_id)
        change = SmallestChange(what, Seconds(by_s), subject, rider_id, said)
        return Refused(task.task_id, binding, rider_id, change, tuple(rules[1:]))
    raise AssertionError("A rider who may do the task was to be explained.")


def _rider_rules(fleet: Fleet, rider: Rider, task: Task, over_m: float) -> Iterator[Binding]:
    if over_m > 0:
        yield _off_street(fleet, over_m)
    if rider.mode not in task.modes:
        yield Binding("mode", rider.mode, None, Said.of("why.mode", mode=rider.mode))
    for skill in sorted(task.skills - rider.skills):
        yield Binding("skill", skill, None, Said.of("why.skill", rider=rider.rider_id, skill=skill))
    if rider.status not in fleet.policy.statuses:
        said = Said.of("why.status", rider=rider.rider_id, status=rider.status)
        yield Binding("status", rider.status, None, said)


def _off_street(fleet: Fleet, over_m: float) -> Binding:
    limit_m = fleet.policy.walk_to_street_m
    if np.isinf(over_m):
        return Binding("place", "", over_m, Said.of("why.place_far", limit_m=limit_m))
    return Binding("place", "", over_m, Said.of("why.place", away_m=limit_m + over_m, limit_m=limit_m))


def _time_rules(fleet: Fleet, rider: Rider, task: Task, spot: Spot) -> Iterator[Binding]:
    """Rules broken at one spot; amounts are what the limit itself would have to give."""
    need = spot.need
    for at in np.flatnonzero(spot.late).tolist():
        stop = rider.stops[at - 1]
        by_s = int(spot.late[at]) / 1000
        key = "why.late_kept" if fleet.policy.slack_kept_s else "why.late"
        yield Binding("late", stop.stop_id, by_s, Said.of(key, stop=stop.stop_id, by_s=by_s))
    pair = task.dropoff is not None
    for rule, subject in ((judging.LATEST, "pickup"), (judging.LATEST_DROPOFF, "dropoff")):
        if need[rule]:
            by_s = int(need[rule]) / 1000
            said = Said.of(f"why.window_{subject}" if pair else "why.window", by_s=by_s)
            yield Binding("window", subject if pair else "", by_s, said)
    for rule, name in _TIMED.items():
        if not need[rule]:
            continue
        by_s, subject = int(need[rule]) / 1000, ""
        said = Said.of(f"why.{name}", by_s=by_s, rider=rider.rider_id)
        if rule == judging.BREAK and need[judging.BREAK_AT]:
            subject = rider.stops[int(need[judging.BREAK_AT]) - 1].stop_id
            said = Said.of("why.break_stop", stop=subject, by_s=by_s)
        yield Binding(name, subject, by_s, said)
    if need[judging.ROOM]:
        parcels = int(need[judging.ROOM])
        said = Said.of("why.capacity", rider=rider.rider_id, parcels=parcels)
        yield Binding("capacity", str(parcels), None, said)
    if need[judging.TRAPPED]:
        yield Binding("dead_end", "", None, Said.of("why.dead_end", mode=rider.mode))


_TIMED = {
    judging.MOST: "max_extra",
    judging.HOUR: "hour_budget",
    judging.SHIFT: "shift",
    judging.DAY: "day",
    judging.BREAK: "break",
}
# The change that mends a rule, and what its subject is called in the sentence.
_HELP = {
    "late": ("due", "stop"),
    "window": ("latest", ""),
    "max_extra": ("max_extra", ""),
    "hour_budget": ("hour_budget", ""),
    "shift": ("shift", ""),
    "day": ("day", ""),
    "break": ("break", ""),
    "skill": ("skill", "skill"),
    "mode": ("mode", "mode"),
    "status": ("status", "status"),
    "capacity": ("capacity", "parcels"),
    "place": ("place", ""),
}


def _change(binding: Binding, rider_id: str) -> SmallestChange:
    if binding.rule not in _HELP:
        return _no_change(rider_id, binding.said)
    what, named = _HELP[binding.rule]
    facts: dict[str, Fact] = {"rider": rider_id}
    if binding.by_s is not None:
        facts["by_m" if what == "place" else "by_s"] = binding.by_s
    if named:
        facts[named] = binding.subject
    said = Said.of(f"change.{what}", **facts)
    if what == "capacity":
        return SmallestChange(what, Count(int(binding.subject)), "", rider_id, said)
    amount: Amount | None = None
    if binding.by_s is not None:
        amount = Metres(binding.by_s) if what == "place" else Seconds(binding.by_s)
    return SmallestChange(what, amount, binding.subject, rider_id, said)


def _no_change(rider_id: str | None, *reasons: Said) -> SmallestChange:
    return SmallestChange("none", None, "", rider_id, Said("change.none", reasons=reasons))


def _alone(task: Task, binding: Binding, rider_id: str | None) -> Refused:
    """Refuse for one reason, which no single change mends."""
    return Refused(task.task_id, binding, rider_id, _no_change(rider_id, binding.said))


def left_out(refused: Refused, task: Task, riders: Iterable[Rider], away_m: Mapping[str, float]) -> Refused:
    """Return a refusal for want of riders as what it is where riders were left out of the fleet.

    Parameters
    ----------
    refused : Refused
        From `refusal`.
    task : Task
    riders : iterable of Rider
        All riders that were given.
    away_m : mapping
        By rider id, for those who were left out: metres from the nearest street to their position or a stop.

    Returns
    -------
    Refused
        The same, unless no rider who may be asked stands on the streets.
    """
    if refused.binding.rule not in ("people", "platform") or refused.rider_id is not None:
        return refused
    asked = [one.rider_id for one in riders if not task.platforms or one.platform in task.platforms]
    if not asked or not all(rider_id in away_m for rider_id in asked):
        return refused
    metres, rider_id = min((away_m[one], one) for one in asked)
    facts: dict[str, Fact] = {"riders": len(asked), "rider": rider_id}
    key = "why.position_all_far"
    if np.isfinite(metres):
        key, facts["away_m"] = "why.position_all", metres
    return _alone(task, Binding("position", rider_id, None, Said.of(key, **facts)), rider_id)


def off_street_rider(task: Task, rider_id: str, away_m: float) -> Refused:
    """Say that a rider was left out, because their position or a stop lies on no street."""
    said = Said.of("why.position_off_far", rider=rider_id)
    if np.isfinite(away_m):
        said = Said.of("why.position_off", rider=rider_id, away_m=away_m)
    return _alone(task, Binding("position", rider_id, None, said), rider_id)


def nobody(fleet: Fleet, task: Task, rider_id: str | None = None) -> Refused:
    """Say why not even one place in one plan could be judged."""
    asked = fleet.rider_ids if rider_id is None else (rider_id,)
    if task.platforms:
        asked = tuple(one for one in asked if fleet.rider(one).platform in task.platforms)
    binding = _without_riders(fleet, task) if not asked else _without_way(fleet, task, asked)
    return _alone(task, binding, rider_id)


def _without_riders(fleet: Fleet, task: Task) -> Binding:
    if task.platforms:
        names = ", ".join(sorted(task.platforms))
        return Binding("platform", names, None, Said.of("why.platform", platforms=names))
    return Binding("people", "", None, Said.of("why.no_rider"))


def _without_way(fleet: Fleet, task: Task, asked: tuple[str, ...]) -> Binding:
    lost = sum(rider_id in fleet.unreachable for rider_id in asked)
    if lost == len(asked):
        return Binding("position", asked[0], None, Said.of("why.position", rider=asked[0]))
    modes = sorted({fleet.row_of(rider_id)[0].mode for rider_id in asked})
    limit_m = fleet.policy.walk_to_street_m
    visits = [task.place] if task.dropoff is None else [task.place, task.dropoff]
    for visit in visits:
        lonlat = np.array([visit.lonlat])
        away = min(float(fleet.network.snap(lonlat, mode, limit_m).walk_m[0]) for mode in modes)
        off = all(fleet.network.snap(lonlat, mode, limit_m).edge[0] < 0 for mode in modes)
        if off:
            return _off_street(fleet, away - limit_m)
    facts: dict[str, Fact] = {} if len(asked) > 1 else {"rider": asked[0]}
    who = "_rider" if facts else ""
    if task.dropoff is None:
        return Binding("unreachable", "", None, Said.of(f"why.unreachable{who}", **facts))
    for mode in modes:
        first, last = (fleet.network.snap(np.array([v.lonlat]), mode, limit_m) for v in visits)
        if np.isfinite(reach_to(fleet.network, mode, first, last)).all():
            return Binding("unreachable", "pickup", None, Said.of(f"why.unreachable_pickup{who}", **facts))
    return Binding("unreachable", "dropoff", None, Said.of("why.unreachable_dropoff"))
