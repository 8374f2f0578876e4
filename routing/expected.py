"""Tasks for riders who told no plan, where the chance to harm is small.

A declared plan is proven harmless, an expected one is only likely to be. So these riders are asked for tasks
that nobody with a plan can do, and are given one task at a time: after it the prediction is made anew.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from geo.arrays import FloatArray
from geo.errors import InputError
from geo.streets import Snapped, StreetNetwork
from geo.travel import travel_times_s
from routing.fleet.fleet import promised
from routing.match import Answers, match_tasks, task_order
from routing.model import ExpectedMatch, ExpectedRider, MatchResult, Policy, Rider, Scenario, Task

__all__ = ["match_expected", "match_with_expected"]


FARTHEST_S: Final = 3600.0
"""A task farther away than this on the way is no task on the way."""


class _Ways(NamedTuple):
    """Seconds by streets, walks and speed factor included, of one rider to their expected stops."""

    here: Snapped
    stops: Snapped
    away_s: FloatArray


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
    free = {one.rider.rider_id: one for one in riders if now_s <= one.holds_until_s}
    ways: dict[str, _Ways] = {}
    matches = []
    for task in sorted(tasks, key=task_order):
        if task.people > 1 or task.dropoff is not None:
            continue
        best: tuple[float, str, ExpectedMatch] | None = None
        for rider_id in sorted(free):
            one = free[rider_id]
            found = _judged(streets, one, task, policy, now_s, ways)
            if found is None:
                continue
            rank = found.extra_s + policy.fairness_s_per_point * one.rider.contribution
            if best is None or rank < best[0]:
                best = rank, rider_id, found
        if best is not None:
            matches.append(best[2])
            del free[best[1]]
    return tuple(matches)


def _judged(
    network: StreetNetwork,
    one: ExpectedRider,
    task: Task,
    policy: Policy,
    now_s: float,
    ways: dict[str, _Ways],
) -> ExpectedMatch | None:
    """Return how a task falls out for a rider; None where they may not do it."""
    rider = one.rider
    if not _fits(rider, task, policy):
        return None
    if rider.rider_id not in ways:
        ways[rider.rider_id] = _ways_of(network, one, policy)
    known = ways[rider.rider_id]
    target = network.snap(np.array([task.place.lonlat]), rider.mode, policy.walk_to_street_m)
    if not known.here.ok[0] or not target.ok[0]:
        return None
    budget_s = _budget_s(rider, policy)
    out_s = float(_legs(network, rider, known.here, target, FARTHEST_S)[0, 0])
    back_s = float(_legs(network, rider, target, known.here, FARTHEST_S)[0, 0])
    leave_s = max(now_s, rider.available_s, rider.shift_start_s)
    arrival_s = leave_s + out_s
    start_s = _opening(task, arrival_s)
    if not math.isfinite(back_s) or start_s > task.place.latest_s:
        return None
    end_s = start_s + task.place.service_s
    if end_s > _work_until(rider, policy, now_s):
        return None
    on_s = _legs(network, rider, target, known.stops, math.inf)[0]
    # Whoever is back need not walk to the street again, as they would have had to without the task.
    most_s = end_s + back_s - leave_s - 2.0 * float(known.here.walk_ms[0]) / 1000.0
    extra_s = np.minimum(np.maximum(end_s + on_s - leave_s - known.away_s, 0.0), most_s)
    bound_s = min(budget_s, policy.harm_delay_s)
    chance = np.array([stop.probability for stop in one.stops])
    # A stop that no way leads to is as good as none.
    reached = np.isfinite(known.away_s) & np.isfinite(on_s)
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
            one.stops, known.away_s.tolist(), extra_s.tolist(), harm.tolist(), strict=True
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


def _opening(task: Task, arrival_s: float) -> float:
    start_s = max(arrival_s, task.place.earliest_s)
    for shuts, opens in task.place.closed_s:
        if shuts < start_s < opens:
            start_s = opens
    return start_s


def _ways_of(network: StreetNetwork, one: ExpectedRider, policy: Policy) -> _Ways:
    rider = one.rider
    here = network.snap(np.array([rider.lonlat]), rider.mode, policy.walk_to_street_m)
    places = np.array([stop.lonlat for stop in one.stops], np.float64).reshape(-1, 2)
    stops = network.snap(places, rider.mode, policy.walk_to_street_m)
    return _Ways(here, stops, _legs(network, rider, here, stops, math.inf)[0])


def _legs(
    network: StreetNetwork, rider: Rider, sources: Snapped, targets: Snapped, limit_s: float
) -> FloatArray:
    """Return seconds of legs, walks apart from the speed factor, as plans count them."""
    net_s = travel_times_s(network, rider.mode, sources, targets, limit_s)
    walk_s = (sources.walk_ms[:, None] + targets.walk_ms[None, :]) / 1000
    whole = round(rider.speed_factor * 1000)
    with np.errstate(invalid="ignore"):
        net_ms = np.round(1000.0 * (net_s - walk_s))
        return np.asarray(np.ceil(net_ms * whole / 1000) / 1000 + walk_s)


def match_with_expected(
    network: StreetNetwork,
    riders: Sequence[Rider],
    expected: Sequence[ExpectedRider],
    tasks: Sequence[Task],
    policy: Policy,
    now_s: float,
    questions: Sequence[tuple[str, str]] = (),
    *,
    by: Callable[..., Answers] | None = None,
) -> tuple[MatchResult, tuple[ExpectedMatch, ...]]:
    """Match tasks with riders who told their plans, and what is left with those who did not.

    Parameters
    ----------
    riders, tasks, policy, now_s, questions, by
        As in `routing.match.match_tasks`.
    expected : sequence of ExpectedRider
        None of them is among `riders`.

    Returns
    -------
    MatchResult, tuple of ExpectedMatch
        What the latter serves is not among the refused of the former.
    """
    plain = match_tasks(network, riders, tasks, policy, now_s, questions, by=by)
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
