"""Tasks for riders who told no plan, where the chance to harm is small.

A declared plan is proven harmless, an expected one is only likely to be. So these riders are asked for tasks
that nobody with a plan can do, and are given one task at a time: after it the prediction is made anew.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from geo.arrays import FloatArray, Int64Array
from geo.errors import InputError
from geo.streets import Snapped, StreetNetwork
from geo.travel import travel_times_s
from routing.fleet.promises import promised
from routing.match import task_order
from routing.model import ExpectedMatch, ExpectedRider, MatchResult, Policy, Rider, Scenario, Task
from routing.model.windows import open_from

__all__ = ["LaidRider", "lay_expected", "match_expected", "match_laid", "match_with_expected"]


FARTHEST_S: Final = 3600.0
"""A task farther away than this on the way is no task on the way."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class LaidRider:
    """A rider who told no plan on the streets: position (one row), stops, and seconds of way to each stop."""

    expected: ExpectedRider
    here: Snapped
    stops: Snapped
    away_s: FloatArray


class _Group(NamedTuple):
    """Riders of one mode by id; the stops of rider ``i`` are rows ``ptr[i]`` to ``ptr[i + 1]``."""

    riders: tuple[ExpectedRider, ...]
    here: Snapped
    stops: Snapped
    ptr: Int64Array
    away_s: FloatArray


class _Legs(NamedTuple):
    """Seconds of one rider's legs: to the task, back, on to each expected stop, and there straight."""

    out_s: float
    back_s: float
    on_s: FloatArray
    away_s: FloatArray
    walk_s: float


def match_expected(
    network: StreetNetwork,
    riders: Sequence[ExpectedRider],
    tasks: Sequence[Task],
    policy: Policy,
    now_s: float,
) -> tuple[ExpectedMatch, ...]:
    """Give tasks to riders who told no plan.

    Parameters
    ----------
    network : StreetNetwork
    riders : sequence of ExpectedRider
        Ids differ.
    tasks : sequence of Task
        Those of one place for one person; others are passed over.
    policy : Policy
    now_s : float
        Epoch seconds.

    Returns
    -------
    tuple of ExpectedMatch
        In the order in which tasks are served (`task_order`): to each the rider who may do it and of whom the
        least extra time is expected (with fairness, then by id). At most one task a rider.
    """
    streets = promised(network, policy)
    return match_laid(streets, [lay_expected(streets, one, policy) for one in riders], tasks, policy, now_s)


def match_laid(
    streets: StreetNetwork,
    riders: Sequence[LaidRider],
    tasks: Sequence[Task],
    policy: Policy,
    now_s: float,
) -> tuple[ExpectedMatch, ...]:
    """Give tasks to riders on the streets, as `match_expected`; ``streets`` are as fast as promised."""
    groups = _groups([one for one in riders if now_s <= one.expected.holds_until_s])
    busy: set[str] = set()
    matches = []
    for task in sorted(tasks, key=task_order):
        if task.people > 1 or task.dropoff is not None:
            continue
        found = [
            match
            for mode, group in groups.items()
            if mode in task.modes
            for match in _judged_group(streets, mode, group, task, policy, now_s, busy)
        ]
        if found:
            best = min(found)[2]
            matches.append(best)
            busy.add(best.rider_id)
    return tuple(matches)


def lay_expected(streets: StreetNetwork, one: ExpectedRider, policy: Policy) -> LaidRider:
    """Lay a rider and the expected stops on streets that are as fast as promised."""
    mode = one.rider.mode
    here = streets.snap(np.array([one.rider.lonlat]), mode, policy.walk_to_street_m)
    lonlat = np.array([stop.lonlat for stop in one.stops], np.float64).reshape(-1, 2)
    stops = streets.snap(lonlat, mode, policy.walk_to_street_m)
    return LaidRider(one, here, stops, _legs(streets, one.rider, here, stops)[0])


def _groups(riders: Sequence[LaidRider]) -> dict[str, _Group]:
    groups = {}
    for mode in sorted({one.expected.rider.mode for one in riders}):
        mine = sorted(
            (one for one in riders if one.expected.rider.mode == mode),
            key=lambda one: one.expected.rider.rider_id,
        )
        groups[mode] = _Group(
            tuple(one.expected for one in mine),
            _rows([one.here for one in mine]),
            _rows([one.stops for one in mine]),
            np.concatenate([[0], np.cumsum([len(one.stops) for one in mine])]).astype(np.int64),
            np.concatenate([one.away_s for one in mine]),
        )
    return groups


def _rows(several: Sequence[Snapped]) -> Snapped:
    names = [field.name for field in dataclasses.fields(Snapped)]
    return Snapped(*(np.concatenate([getattr(one, name) for one in several]) for name in names))


def _judged_group(
    network: StreetNetwork,
    mode: str,
    group: _Group,
    task: Task,
    policy: Policy,
    now_s: float,
    busy: set[str],
) -> Iterator[tuple[float, str, ExpectedMatch]]:
    """Yield who may do a task: rank (extra time and fairness), id, match."""
    target = network.snap(np.array([task.place.lonlat]), mode, policy.walk_to_street_m)
    free = [
        at
        for at, one in enumerate(group.riders)
        if group.here.ok[at] and one.rider.rider_id not in busy and _fits(one.rider, task, policy)
    ]
    if not target.ok[0] or not free:
        return
    out_s = travel_times_s(network, mode, group.here, target, FARTHEST_S)[:, 0]
    back_s = travel_times_s(network, mode, target, group.here, FARTHEST_S)[0]
    on_s = travel_times_s(network, mode, target, group.stops)[0]
    for at in free:
        one, rows = group.riders[at], slice(int(group.ptr[at]), int(group.ptr[at + 1]))
        here, factor = group.here.take([at]), one.rider.speed_factor
        legs = _Legs(
            float(_paced(out_s[at : at + 1], here, target, factor)[0]),
            float(_paced(back_s[at : at + 1], target, here, factor)[0]),
            _paced(on_s[rows], target, group.stops.take(rows), factor),
            group.away_s[rows],
            float(here.walk_ms[0]) / 1000.0,
        )
        found = _judged(one, legs, task, policy, now_s)
        if found is not None:
            yield found.extra_s + policy.fairness_s_per_point * one.rider.contribution, found.rider_id, found


def _judged(
    one: ExpectedRider, legs: _Legs, task: Task, policy: Policy, now_s: float
) -> ExpectedMatch | None:
    """Return how a task falls out for a rider; None where they may not do it."""
    rider = one.rider
    budget_s = _budget_s(rider, policy)
    leave_s = max(now_s, rider.available_s, rider.shift_start_s)
    arrival_s = leave_s + legs.out_s
    start_s = open_from(task.place.closed_s, max(arrival_s, task.place.earliest_s))
    if not math.isfinite(legs.back_s) or start_s > task.place.latest_s:
        return None
    end_s = start_s + task.place.service_s
    if end_s > _work_until(rider, policy, now_s):
        return None
    # Whoever is back need not walk to the street again, as they would have had to without the task.
    most_s = end_s + legs.back_s - leave_s - 2.0 * legs.walk_s
    extra_s = np.minimum(np.maximum(end_s + legs.on_s - leave_s - legs.away_s, 0.0), most_s)
    bound_s = min(budget_s, policy.harm_delay_s)
    chance = np.array([stop.probability for stop in one.stops])
    # A stop that no way leads to is as good as none.
    reached = np.isfinite(legs.away_s) & np.isfinite(legs.on_s)
    extra_s = np.where(reached, extra_s, most_s)
    harm = ~reached & (most_s > bound_s) | (extra_s > bound_s)
    elsewhere = max(1.0 - float(chance.sum()), 0.0)
    harm_probability = float(chance[harm].sum()) + (elsewhere if most_s > bound_s else 0.0)
    if harm_probability > policy.harm_probability_max:
        return None
    expected_s = float(chance @ extra_s) + elsewhere * most_s
    if expected_s > budget_s:
        return None
    scenarios = tuple(
        Scenario(stop.lonlat, stop.probability, leave_s + away, leave_s + away + extra, bool(bad))
        for stop, away, extra, bad in zip(
            one.stops, legs.away_s.tolist(), extra_s.tolist(), harm.tolist(), strict=True
        )
    )
    return ExpectedMatch(
        task_id=task.task_id,
        rider_id=rider.rider_id,
        arrival_s=arrival_s,
        start_s=start_s,
        leave_s=end_s,
        extra_s=expected_s,
        most_extra_s=most_s,
        harm_probability=harm_probability,
        scenarios=scenarios,
        elsewhere=elsewhere,
        holds_until_s=one.holds_until_s,
        yuan=policy.yuan_per_minute * expected_s / 60,
        points=policy.points_per_minute * expected_s / 60,
    )


def _fits(rider: Rider, task: Task, policy: Policy) -> bool:
    """Whether the rules that know no streets allow it."""
    return (
        task.skills <= rider.skills
        and rider.mode in task.modes
        and rider.status in policy.statuses
        and (not task.platforms or rider.platform in task.platforms)
    )


def _budget_s(rider: Rider, policy: Policy) -> float:
    return min(policy.max_extra_s, max(policy.max_extra_per_hour_s - rider.extra_last_hour_s, 0.0))


def _work_until(rider: Rider, policy: Policy, now_s: float) -> float:
    """Return when a task must be done: by the shift, the day's hours and the break that falls due."""
    return min(
        rider.shift_end_s,
        now_s + policy.day_work_s - rider.worked_today_s,
        now_s + policy.continuous_work_s - rider.worked_since_break_s,
    )


def _legs(network: StreetNetwork, rider: Rider, sources: Snapped, targets: Snapped) -> FloatArray:
    """Return seconds of legs from one place, as plans count them."""
    net_s = travel_times_s(network, rider.mode, sources, targets)
    return _paced(net_s, sources, targets, rider.speed_factor)


def _paced(net_s: FloatArray, sources: Snapped, targets: Snapped, factor: float) -> FloatArray:
    """Multiply the ways on the streets by a speed factor, as plans count them; walks stay as they are."""
    walk_s = (sources.walk_ms + targets.walk_ms) / 1000
    net_ms = np.round(1000.0 * (net_s - walk_s))
    return np.asarray(np.ceil(net_ms * round(factor * 1000) / 1000) / 1000 + walk_s)


def match_with_expected(
    network: StreetNetwork,
    plain: MatchResult,
    riders: Sequence[Rider],
    expected: Sequence[ExpectedRider],
    tasks: Sequence[Task],
    policy: Policy,
    now_s: float,
) -> tuple[MatchResult, tuple[ExpectedMatch, ...]]:
    """Ask riders who told no plan for what those who did cannot do.

    Parameters
    ----------
    network : StreetNetwork
    plain : MatchResult
        Of `routing.match.match_tasks` for `riders` and `tasks`.
    riders : sequence of Rider
    expected : sequence of ExpectedRider
        None of them is among `riders`.
    tasks, policy, now_s
        As in `routing.match.match_tasks`.

    Returns
    -------
    MatchResult, tuple of ExpectedMatch
        What the latter serves is not among the refused of the former.
    """
    if not expected:
        return plain, ()
    known = {rider.rider_id for rider in riders}
    ids = [one.rider.rider_id for one in expected]
    if len({*ids, *known}) != len(ids) + len(known):
        raise InputError("Two riders have the same rider_id; each may stand in the list once.")
    left = {one.task_id for one in plain.refused}
    found = match_expected(network, expected, [task for task in tasks if task.task_id in left], policy, now_s)
    served = {one.task_id for one in found}
    refused = tuple(one for one in plain.refused if one.task_id not in served)
    return dataclasses.replace(plain, refused=refused), found
