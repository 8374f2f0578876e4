"""A sample of civic tasks put to the riders of one moment, as the service would do it, and checked."""

import dataclasses
import statistics
from collections.abc import Sequence

from api.matching.forms import MatchRequest, MatchResponse
from api.matching.proof import answer_problems
from api.matching.translate import MatchCase, asked_of, response_of
from geo.errors import YiluError
from geo.streets import StreetNetwork
from geo.travel import HourlyStreets
from routing.assign import match_batch
from routing.match import match_tasks
from routing.model import Match, MatchResult
from routing.proof import Checker
from siting.results import MatchTotals

__all__ = ["MatchSample", "check_result", "match_sample", "telling_match"]

DRIVEN_BY_HOUR = 10
"""So many plans are driven by the hour, too: that takes a search of its own for each leg."""
MS_LATE = 1.0
"""Less than a millisecond is rounding."""


@dataclasses.dataclass(frozen=True, slots=True)
class MatchSample:
    """What was asked, what was answered, the totals, and the match to draw (None: nothing was matched)."""

    request: MatchRequest
    response: MatchResponse
    totals: MatchTotals
    shown: Match | None


def match_sample(
    network: StreetNetwork, request: MatchRequest, hours: HourlyStreets | None = None
) -> MatchSample:
    """Match a sample (see `sample_request`) and check every match independently.

    Raises
    ------
    YiluError
        When the independent check finds a promise broken: such a result is not published.
    """
    asked = asked_of(request)
    by = match_batch if request.assignment == "together" else None
    result = match_tasks(network, asked.riders, asked.tasks, asked.policy, asked.now_s, by=by)
    # One checker for both: the ways that it has recomputed are kept.
    checker = Checker(network, asked.policy, hours)
    late = check_result(checker, asked, result)
    for match in result.insertions[:DRIVEN_BY_HOUR]:
        missed = checker.late_by_hour(match.plan, asked.now_s)
        if missed:
            raise YiluError(f"by the hour the task {match.task_id} makes the stop {missed[0]} late")
    response = response_of(result, request)
    problems = answer_problems(checker, request, response.model_dump_json())
    if problems:
        raise YiluError(f"the answer did not pass its check: {problems[0]}")
    extras = [match.extra_s for match in result.matches]
    totals = MatchTotals(
        matched=len({match.task_id for match in result.matches}),
        refused=len(result.refused),
        median_extra_s=statistics.median(extras) if extras else None,
        late_deliveries=late,
    )
    return MatchSample(request, response, totals, telling_match(result.matches))


def telling_match(matches: Sequence[Match]) -> Match | None:
    """Return the first match with stops on both sides of its task; where there is none, the first one."""
    between = (match for match in matches if 0 < match.place < len(match.stops))
    return next(between, next(iter(matches), None))


def check_result(checker: Checker, asked: MatchCase, result: MatchResult) -> int:
    """Recompute every match and every street of its way from raw input; return the stops made late by tasks.

    Raises
    ------
    YiluError
        Naming the first match that breaks a promise.
    """
    tasks = {task.task_id: task for task in asked.tasks}
    plans = {rider.rider_id: rider for rider in asked.riders}
    for match in result.insertions:
        before = plans[match.rider_id]
        problems = list(checker.match(before, match, tasks[match.task_id], asked.now_s))
        for leg in match.way_edges:
            problems += checker.path(before.mode, leg.tolist())
        if problems:
            raise YiluError(f"the match of task {match.task_id} did not pass its check: {problems[0]}")
        # What this task takes is gone from their hour when the next one is judged.
        spent_s = before.extra_last_hour_s + match.extra_s
        plans[match.rider_id] = dataclasses.replace(match.plan, extra_last_hour_s=spent_s)
    late = 0
    for rider in asked.riders:
        if plans[rider.rider_id] is rider:
            continue
        starts = checker.plan(rider, asked.now_s).starts
        was = {stop.stop_id: start for stop, start in zip(rider.stops, starts, strict=True)}
        after = plans[rider.rider_id]
        for stop, start_ms in zip(after.stops, checker.plan(after, asked.now_s).starts, strict=True):
            due_ms = stop.latest_s * 1000
            before_ms = was.get(stop.stop_id)
            late += before_ms is not None and start_ms > max(due_ms, before_ms) + MS_LATE
    return late
