"""Independent check of a task given to a rider who told no plan: every scenario is driven from scratch."""

import dataclasses
import itertools
import math
from collections.abc import Iterable

from routing.model.expectations import ExpectedMatch, ExpectedRider, Scenario
from routing.model.policy import Policy
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, stops_of
from routing.proof.verify import Checker

__all__ = ["scenario_problems"]

ROUNDED = 1e-5
EXACT_S = 0.001


def scenario_problems(
    checker: Checker,
    before: ExpectedRider,
    match: ExpectedMatch,
    task: Task,
    policy: Policy,
    now_s: float,
    rounded_s: float = 0.003,
) -> list[str]:
    """List what is wrong with such a match, as sentences; empty when all that it tells holds.

    Parameters
    ----------
    checker : Checker
        Of the streets and the policy.
    before : ExpectedRider
    match : ExpectedMatch
    task : Task
    policy : Policy
    now_s : float
    rounded_s : float
        By how much seconds may be off, as they and places were rounded.

    Returns
    -------
    list of str
        Each expected stop is put into a plan of its own, promised for when it would be reached without the
        task and what the policy lets it be delayed. Where that plan holds with the task in front there is no
        harm; where it does not, its probability counts as harm. The rider's own position stands for the stop
        that nobody knows: whoever is back there can go wherever they would have gone.
    """
    if [one.lonlat for one in match.scenarios] != [stop.lonlat for stop in before.stops]:
        return ["the scenarios are not those of the prediction"]
    rider = dataclasses.replace(before.rider, stops=())
    problems = list(_alone(checker, rider, match, task, policy, now_s, rounded_s))
    leave_s = checker.leaving_ms(rider, now_s) / 1000
    most_s, back_harms = _driven(checker, rider, rider.lonlat, task, policy, now_s)
    elsewhere = 1.0 - sum(stop.probability for stop in before.stops)
    harm, extra_s = elsewhere * back_harms, elsewhere * most_s
    for stop, stated in zip(before.stops, match.scenarios, strict=True):
        away_ms = checker.leg_ms(rider.mode, rider.lonlat, stop.lonlat, rider.speed_factor)
        took_s, harms = _driven(checker, rider, stop.lonlat, task, policy, now_s)
        if math.isinf(away_ms) or took_s > most_s:
            took_s, harms = most_s, back_harms
        problems += _wrong_times(stated, leave_s + away_ms / 1000, took_s, rounded_s)
        if stated.harm != harms or stated.probability != stop.probability:
            problems.append(f"the stop at {stop.lonlat} is told wrong: harm is {harms}")
        harm += stop.probability * harms
        extra_s += stop.probability * took_s
    if abs(harm - match.harm_probability) > ROUNDED:
        problems.append(f"the chance to harm is {harm}, not {match.harm_probability} as told")
    if harm > policy.harm_probability_max + ROUNDED:
        problems.append(f"the chance to harm is {harm}, allowed is {policy.harm_probability_max}")
    if abs(extra_s - match.extra_s) > rounded_s or abs(most_s - match.most_extra_s) > rounded_s:
        problems.append(f"to be expected are {extra_s} s, at most {most_s} s; told otherwise")
    return problems


def _wrong_times(stated: Scenario, arrival_s: float, took_s: float, rounded_s: float) -> Iterable[str]:
    if math.isinf(arrival_s):
        return
    if abs(stated.arrival_before_s - arrival_s) > rounded_s:
        yield f"the stop at {stated.lonlat} would be reached at {arrival_s}, not as told"
    elif abs(stated.arrival_after_s - stated.arrival_before_s - took_s) > rounded_s:
        yield f"the task delays the stop at {stated.lonlat} by {took_s} s"


def _driven(
    checker: Checker, rider: Rider, stop: tuple[float, float], task: Task, policy: Policy, now_s: float
) -> tuple[float, bool]:
    """Return the seconds that a task takes before a stop, and whether that harms."""
    alone = dataclasses.replace(rider, stops=(Stop("expected", stop),))
    arrival_s = checker.plan(alone, now_s).starts[0] / 1000
    both = dataclasses.replace(rider, stops=(_task_stop(task, now_s), Stop("expected", stop)))
    took_s = checker.plan(both, now_s).starts[1] / 1000 - arrival_s
    if not math.isfinite(took_s):
        return math.inf, True
    took_s = max(took_s, 0.0)
    budget_s = min(policy.max_extra_s, max(policy.max_extra_per_hour_s - rider.extra_last_hour_s, 0.0))
    return took_s, took_s > min(policy.harm_delay_s, budget_s) + EXACT_S


def _task_stop(task: Task, now_s: float) -> Stop:
    stop = stops_of(task)[0]
    return dataclasses.replace(stop, stop_id="the task", earliest_s=max(stop.earliest_s, now_s))


def _alone(
    checker: Checker,
    rider: Rider,
    match: ExpectedMatch,
    task: Task,
    policy: Policy,
    now_s: float,
    rounded_s: float,
) -> Iterable[str]:
    """Check the task by itself: its window, the rider's rules, the instants told."""
    plan = checker.plan(dataclasses.replace(rider, stops=(_task_stop(task, now_s),)), now_s)
    start_s, leave_s = plan.starts[0] / 1000, plan.leaves[0] / 1000
    if abs(start_s - match.start_s) > rounded_s or abs(leave_s - match.leave_s) > rounded_s:
        yield f"the task is done from {start_s} to {leave_s}, not as told"
    yield from plan.problems
    if task.people > 1 or task.dropoff is not None:
        yield "the task needs more than one place or person"
    rules = {
        "a skill is missing": task.skills <= rider.skills,
        "the mode is not allowed": rider.mode in task.modes,
        "the status is not allowed": rider.status in policy.statuses,
        "the platform is not allowed": not task.platforms or rider.platform in task.platforms,
        "the shift ends before": leave_s <= rider.shift_end_s + rounded_s,
        "the day is too long": leave_s <= now_s + policy.day_work_s - rider.worked_today_s + rounded_s,
        "the break falls due before": leave_s
        <= now_s + policy.continuous_work_s - rider.worked_since_break_s + rounded_s,
        "the prediction holds no longer": now_s <= match.holds_until_s,
    }
    yield from itertools.compress(rules, (not fine for fine in rules.values()))
