"""Independent check of a match answer as it leaves the house: the JSON text, against the request.

Nothing of the search is used: legs come from `routing.proof`, everything else from the request itself.
"""

import dataclasses
import datetime
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from api.forms import epoch_s_of
from api.matching.foretold import expected_match, unplanned_riders
from api.matching.forms import MatchRequest, Windows
from api.matching.translate import MatchCase, asked_of
from geo.errors import InputError
from routing.model import ExpectedRider, ExpectedStop, Rider, Stop, Task
from routing.proof import Checker, Replay, scenario_problems

__all__ = ["answer_problems"]

ROUNDED_S = 0.002
"""Instants are told in milliseconds."""
PLACED_S = 0.05
"""Expected stops are told to a centimetre, in the datum of the answer."""

JsonObject = Mapping[str, Any]


def answer_problems(checker: Checker, request: MatchRequest, answer: str) -> list[str]:
    """List what is wrong with an answer, as sentences; empty when every promise in it holds.

    Parameters
    ----------
    checker : Checker
        On the streets of the city, with the policy of the request.
    request : MatchRequest
    answer : str
        The JSON text as sent.

    Returns
    -------
    list of str
        Each task is served whole or refused; routes hold every promised stop in its order and each task's
        stops in theirs; all times are those of a plan driven from scratch; nothing is later than allowed;
        every rule is kept; people of one task begin together; matches and routes say the same.
    """
    sent = json.loads(answer)
    asked = asked_of(request)
    parts = (
        _served(asked, sent),
        _routes(checker, asked, sent),
        _agree(asked, sent),
        _open(request, sent),
        _expected(checker, request, asked, sent),
    )
    return [problem for part in parts for problem in part]


def _served(asked: MatchCase, sent: JsonObject) -> Iterable[str]:
    """Check that every task has as many different riders as it needs, or is refused; none is unknown."""
    riders: dict[str, list[str]] = {}
    for match in [*sent["matches"], *sent["expected"]]:
        riders.setdefault(match["task_id"], []).append(match["rider_id"])
    refused = [one["task_id"] for one in sent["refused"]]
    people = {task.task_id: task.people for task in asked.tasks}
    for task_id in {*riders, *refused} - people.keys():
        yield f"task {task_id} was not asked for"
    for task_id, needed in people.items():
        mine = riders.get(task_id, [])
        if len(set(mine)) != len(mine):
            yield f"task {task_id} has the same rider twice"
        if (len(mine), refused.count(task_id)) not in ((needed, 0), (0, 1)):
            yield f"task {task_id} has {len(mine)} of {needed} riders and {refused.count(task_id)} refusals"


def _routes(checker: Checker, asked: MatchCase, sent: JsonObject) -> Iterable[str]:
    riders = {rider.rider_id: rider for rider in asked.riders}
    tasks = {task.task_id: task for task in asked.tasks}
    for route in sent["routes"]:
        rider_id = route["rider_id"]
        if rider_id not in riders:
            yield f"there is a route of rider {rider_id}, who was not sent"
            continue
        given = [match for match in sent["matches"] if match["rider_id"] == rider_id]
        for problem in _route(checker, asked, riders[rider_id], tasks, route, given):
            yield f"rider {rider_id}: {problem}"


def _route(
    checker: Checker,
    asked: MatchCase,
    before: Rider,
    tasks: Mapping[str, Task],
    route: JsonObject,
    given: list[JsonObject],
) -> Iterable[str]:
    """Check the final plan of one rider."""
    steps = route["steps"]
    promised = [step["stop_id"] for step in steps if step["task_id"] is None]
    if promised != [stop.stop_id for stop in before.stops]:
        yield f"the promised stops are {promised}"
        return
    if sorted({step["task_id"] for step in steps} - {None}) != sorted(match["task_id"] for match in given):
        yield "the tasks of the route are not those of the matches"
        return
    stops = {stop.stop_id: stop for stop in before.stops}
    # The plan is built from the request; of the answer only its order is taken.
    plan = [
        stops[step["stop_id"]]
        if step["task_id"] is None
        else _stop_of(tasks[step["task_id"]], step, asked.now_s)
        for step in steps
    ]
    after = dataclasses.replace(before, stops=tuple(plan))
    try:
        old, new = checker.plan(before, asked.now_s), checker.plan(after, asked.now_s)
    except InputError as error:
        yield str(error)
        return
    yield from _times(checker, asked, after, new, route)
    yield from _order_of_parts(steps, tasks)
    yield from _no_later(checker, asked, before, old, new, steps)
    yield from _rider_rules(asked, before, [tasks[match["task_id"]] for match in given], given, new)
    yield from _working_time(asked, before, after, old, new, steps)


def _stop_of(task: Task, step: JsonObject, now_s: float) -> Stop:
    visit = task.dropoff if step["part"] == "dropoff" and task.dropoff is not None else task.place
    change = {"pickup": task.load, "dropoff": -task.load}.get(step["part"], 0)
    earliest_s, latest_s = max(visit.earliest_s, now_s), visit.latest_s
    if task.people > 1 and step["part"] != "dropoff":
        # They wait for each other and then none may be late; that all begin at one instant is checked over
        # all routes.
        stated_s = epoch_s_of(step["start"])
        earliest_s, latest_s = max(earliest_s, stated_s), min(latest_s, stated_s)
    where = visit.lonlat, visit.service_s, earliest_s, latest_s
    return Stop(step["stop_id"], *where, "task", change, visit.closed_s)


def _times(checker: Checker, asked: MatchCase, after: Rider, new: Replay, route: JsonObject) -> Iterable[str]:
    """Compare all times and loads told with a plan driven from scratch."""
    leaving_s = checker.leaving_ms(after, asked.now_s) / 1000
    leave_s, load = leaving_s, after.load
    places = [after.lonlat, *(stop.lonlat for stop in after.stops)]
    for at, (step, stop) in enumerate(zip(route["steps"], after.stops, strict=True)):
        leg_ms = checker.leg_ms(after.mode, places[at], places[at + 1], after.speed_factor)
        arrival_s, start_s = leave_s + leg_ms / 1000, new.starts[at] / 1000
        leave_s = new.leaves[at] / 1000
        load += stop.load_change
        slack_s = stop.latest_s - start_s
        for what, is_s in (("arrival", arrival_s), ("start", start_s), ("leave", leave_s)):
            if abs(epoch_s_of(step[what]) - is_s) > ROUNDED_S:
                yield f"{what} of {stop.stop_id} is told {epoch_s_of(step[what]) - is_s:.3f} s off"
        if abs(step["wait_s"] - (start_s - arrival_s)) > ROUNDED_S:
            yield f"{stop.stop_id} waits {start_s - arrival_s} s, not {step['wait_s']}"
        if (step["slack_s"] is None) != math.isinf(slack_s) or (
            step["slack_s"] is not None and abs(step["slack_s"] - slack_s) > ROUNDED_S
        ):
            yield f"slack of {stop.stop_id} is {slack_s}, not {step['slack_s']}"
        if step["load"] != load:
            yield f"{load} parcels are on board after {stop.stop_id}, not {step['load']}"
        if step["task_id"] is not None and not (
            asked.now_s - ROUNDED_S <= start_s <= stop.latest_s + ROUNDED_S
            and not any(a + ROUNDED_S < start_s < b - ROUNDED_S for a, b in stop.closed_s)
        ):
            yield f"{stop.stop_id} begins outside of its window"
    late_s = epoch_s_of(route["leave"]) - leaving_s
    if abs(late_s) > ROUNDED_S:
        yield f"the rider leaves at {route['leave']}, not {late_s:.3f} s sooner"


def _open(request: MatchRequest, sent: JsonObject) -> Iterable[str]:
    """Check every start against the several windows as they were sent; a late one comes after them all."""
    windows_of: dict[tuple[str, str], Windows | None] = {}
    for task in request.tasks:
        for part, visit in (("visit", task.place), ("pickup", task.place), ("dropoff", task.dropoff)):
            windows_of[task.task_id, part] = None if visit is None else visit.windows
    for rider in request.riders:
        for stop in rider.stops:
            windows_of[rider.rider_id, stop.stop_id] = stop.windows
    rounded = datetime.timedelta(seconds=ROUNDED_S)
    for route in sent["routes"]:
        for step in route["steps"]:
            own = (route["rider_id"], step["stop_id"])
            windows = windows_of.get(own if step["task_id"] is None else (step["task_id"], step["part"]))
            start = datetime.datetime.fromisoformat(step["start"])
            if windows and not any(first - rounded <= start <= last + rounded for first, last in windows):
                late = start > max(last for _, last in windows)
                if not late or step["task_id"] is not None:
                    yield f"rider {route['rider_id']}: {step['stop_id']} begins between two windows"


def _expected(checker: Checker, request: MatchRequest, asked: MatchCase, sent: JsonObject) -> Iterable[str]:
    """Check the tasks of riders without a plan, by the probabilities that the answer tells of each."""
    riders = {rider.rider_id: rider for rider in unplanned_riders(request, request.unplanned)}
    stated = {one["rider_id"]: one for one in sent["predictions"]}
    tasks = {task.task_id: task for task in asked.tasks}
    given = [one["rider_id"] for one in sent["expected"]]
    for rider_id in {*given, *stated} - riders.keys():
        yield f"rider {rider_id} is expected to go somewhere, but was not sent without a plan"
        return
    if len(set(given)) != len(given):
        yield "a rider without a plan has two tasks"
    for match in sent["expected"]:
        rider_id = match["rider_id"]
        for what in ("elsewhere", "holds_until"):
            if rider_id not in stated or match[what] != stated[rider_id][what]:
                yield f"rider {rider_id}: {what} of the match and of the prediction differ"
                return
        places = [(one["lon"], one["lat"], one["probability"]) for one in stated[rider_id]["stops"]]
        if places != [(one["lon"], one["lat"], one["probability"]) for one in match["scenarios"]]:
            yield f"rider {rider_id}: the scenarios are not the stops of the prediction"
            continue
        found = expected_match(match, request.answer_datum or request.datum)
        stops = tuple(ExpectedStop(one.lonlat, one.probability) for one in found.scenarios)
        before = ExpectedRider(riders[rider_id], stops, found.holds_until_s)
        problems = scenario_problems(
            checker, before, found, tasks[match["task_id"]], asked.policy, asked.now_s, PLACED_S
        )
        yield from (f"rider {rider_id}: {problem}" for problem in problems)


def _order_of_parts(steps: list[JsonObject], tasks: Mapping[str, Task]) -> Iterable[str]:
    for task_id in {step["task_id"] for step in steps} - {None}:
        parts = [step["part"] for step in steps if step["task_id"] == task_id]
        if parts != (["visit"] if tasks[task_id].dropoff is None else ["pickup", "dropoff"]):
            yield f"the stops of task {task_id} are {parts}"


def _no_later(
    checker: Checker, asked: MatchCase, before: Rider, old: Replay, new: Replay, steps: list[JsonObject]
) -> Iterable[str]:
    keep_ms = asked.policy.slack_kept_s * 1000
    kept = [start for start, step in zip(new.starts, steps, strict=True) if step["task_id"] is None]
    for stop, was, start in zip(before.stops, old.starts, kept, strict=True):
        allowed = max(stop.latest_s * 1000 - keep_ms, was)
        if not start <= allowed + 1000 * ROUNDED_S:
            yield f"stop {stop.stop_id} starts {(start - allowed) / 1000:.3f} s later than allowed"


def _rider_rules(
    asked: MatchCase, before: Rider, mine: list[Task], given: list[JsonObject], new: Replay
) -> Iterable[str]:
    policy = asked.policy
    for task in mine:
        if not task.skills <= before.skills:
            yield f"a skill for task {task.task_id} is missing"
        if before.mode not in task.modes or before.status not in policy.statuses:
            yield f"the mode or the status does not allow task {task.task_id}"
        if task.platforms and before.platform not in task.platforms:
            yield f"the platform is not one of those of task {task.task_id}"
    yield from (text for text in new.problems if text.startswith("load"))
    spent_s = before.extra_last_hour_s
    for match in given:
        if match["extra_s"] > policy.max_extra_s + ROUNDED_S:
            yield f"task {match['task_id']} takes {match['extra_s']} s, more than one task may"
        spent_s += match["extra_s"]
    if spent_s > max(policy.max_extra_per_hour_s, before.extra_last_hour_s) + ROUNDED_S * len(given):
        yield f"tasks take {spent_s} s of the hour, allowed are {policy.max_extra_per_hour_s} s"


def _working_time(
    asked: MatchCase, before: Rider, after: Rider, old: Replay, new: Replay, steps: list[JsonObject]
) -> Iterable[str]:
    """Check that breaks begin in time, and tasks end before one falls due and within shift and day."""
    policy, now_s = asked.policy, asked.now_s
    rounded_ms = 1000 * ROUNDED_S
    due = (now_s + policy.continuous_work_s - before.worked_since_break_s) * 1000
    was = dict(zip((stop.stop_id for stop in before.stops), old.starts, strict=True))
    for stop, step, start, leave in zip(after.stops, steps, new.starts, new.leaves, strict=True):
        if step["task_id"] is not None and leave > due + rounded_ms:
            yield f"{stop.stop_id} is done after the break falls due"
        elif step["task_id"] is None and stop.kind == "rest" and stop.service_s >= policy.break_s:
            if start > max(due, was[stop.stop_id]) + rounded_ms:
                yield f"the break {stop.stop_id} begins too late"
            due = leave + policy.continuous_work_s * 1000
    hours = min(before.shift_end_s, now_s + policy.day_work_s - before.worked_today_s) * 1000
    old_end = old.leaves[-1] if old.leaves else Checker.leaving_ms(before, now_s)
    if new.leaves and new.leaves[-1] > max(min(hours, due), old_end) + rounded_ms:
        yield "the plan ends after the shift, the day's hours or the break that falls due"


def _agree(asked: MatchCase, sent: JsonObject) -> Iterable[str]:
    """Check that matches and routes say the same, and that people of one task begin together."""
    routes = {route["rider_id"]: route["steps"] for route in sent["routes"]}
    begins: dict[str, set[str]] = {}
    for match in sent["matches"]:
        task_id, steps = match["task_id"], routes.get(match["rider_id"], [])
        mine = [step for step in steps if step["task_id"] == task_id]
        if not mine:
            yield f"task {task_id} is in no route of rider {match['rider_id']}"
            continue
        begins.setdefault(task_id, set()).add(mine[0]["start"])
        for what in ("arrival", "start", "leave"):
            if match[what] != mine[0][what]:
                yield f"{what} of task {task_id}: {match[what]} in the match, {mine[0][what]} in the route"
        promised = [step for step in steps if step["task_id"] is None]
        place = sum(step["task_id"] is None for step in steps[: steps.index(mine[0])])
        if match["place"] != place:
            yield f"task {task_id} comes before stop {place}, not {match['place']}"
        if len(match["stops"]) != len(promised):
            yield f"task {task_id} tells of {len(match['stops'])} stops, promised are {len(promised)}"
        for row, step in zip(match["stops"], promised, strict=False):
            same = (row["stop_id"], row["start_after"], row["slack_after_s"])
            if same != (step["stop_id"], step["start"], step["slack_s"]):
                yield f"stop {row['stop_id']}: other times in the match of task {task_id} than in the route"
    for task in asked.tasks:
        if task.people > 1 and len(begins.get(task.task_id, set())) > 1:
            yield f"the people of task {task.task_id} begin at {sorted(begins[task.task_id])}"
