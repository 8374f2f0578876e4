"""From a match request to ``routing`` and back: datums, instants, and nothing else."""

import dataclasses
import datetime
import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from api.forms import Language, instant_of, way_of
from api.matching.columns import SentRiders, sent_riders
from api.matching.datum_check import datum_warnings, place_warnings
from api.matching.foretold import expected_out, foretold_of, seen_of
from api.matching.forms import (
    AlertOut,
    AlertRequest,
    AlertResponse,
    AnswerOut,
    BrokenOut,
    ChangeOut,
    ChangeWhat,
    LateStopOut,
    MatchOut,
    MatchRequest,
    MatchResponse,
    MissedStopOut,
    OffNetworkOut,
    RefusedOut,
    RouteOut,
    RuleName,
    RunnerUpOut,
    SentPart,
    StepOut,
    StepPart,
    StopSlackOut,
    Windows,
)
from api.matching.tasks import placed_task, window_between
from api.matching.windows import check_windows
from api.matching.wording import reason_text
from geo.arrays import BoolArray, FloatArray, Int64Array
from geo.datum import Datum, from_wgs84, to_wgs84
from geo.errors import InputError
from geo.streets import StreetNetwork
from routing.assign import match_batch
from routing.emergency import alert_plan
from routing.expected import match_with_expected
from routing.fleet import Fleet
from routing.match import match_tasks
from routing.model import (
    Binding,
    Count,
    EmergencyPolicy,
    Match,
    MatchResult,
    Metres,
    PlannedRiders,
    Policy,
    Refused,
    Rider,
    RiderColumns,
    Route,
    Seconds,
    Span,
    Stop,
    StopColumns,
    Task,
)

__all__ = [
    "MatchCase",
    "alerts",
    "answer",
    "asked_of",
    "off_network_out",
    "refused_out",
    "response_of",
]

LonLat = tuple[float, float]


@dataclasses.dataclass(frozen=True, slots=True)
class MatchCase:
    """A request in the words of the matching room; positions in WGS-84."""

    riders: Sequence[Rider]
    tasks: tuple[Task, ...]
    policy: Policy
    now_s: float
    sent: Mapping[SentPart, FloatArray]
    """By kind, (n, 2): all positions in the datum of the request."""


def answer(network: StreetNetwork, request: MatchRequest, lang: Language = "en") -> MatchResponse:
    """Match the tasks of one request with its riders.

    Parameters
    ----------
    network : StreetNetwork
        The streets.
    request : MatchRequest
        Checked already by its form.
    lang : {"zh", "en"}
        Language of reasons and changes.

    Returns
    -------
    MatchResponse
        In the datum asked for; instants in the offset of ``now``.

    Raises
    ------
    InputError
        When the request contradicts itself, such as a window that ends before it begins.
    """
    asked = asked_of(request)
    questions = [(one.task_id, one.rider_id) for one in request.questions]
    by = match_batch if request.assignment == "together" else None
    foretold = foretold_of(network, request, asked.policy)
    expected = [one.rider for one in foretold if one.rider is not None]
    args = asked.tasks, asked.policy, asked.now_s
    plain = match_tasks(network, asked.riders, *args, questions, by=by, late_of=request.late_before)
    result, found = match_with_expected(network, plain, asked.riders, expected, *args)
    warnings = datum_warnings(network, {**asked.sent, "unplanned": seen_of(request)}, request.datum, lang)
    more = {"warnings": warnings, **expected_out(network, request, foretold, found)}
    response = response_of(result, request, lang)
    off = [OffNetworkOut(rider_id=one.rider_id, nearest_street_m=one.off_m) for one in foretold if one.off]
    return response.model_copy(update={**more, "off_network": [*response.off_network, *off]})


def alerts(network: StreetNetwork, request: AlertRequest, lang: Language = "en") -> AlertResponse:
    """Plan the alerts of one emergency, wherever it lies.

    Parameters
    ----------
    network : StreetNetwork
    request : AlertRequest
    lang : {"zh", "en"}
        Language of warnings.

    Returns
    -------
    AlertResponse

    Raises
    ------
    InputError
        When the request contradicts itself.
    """
    rules = EmergencyPolicy(**request.policy.model_dump(exclude_none=True))
    asked = asked_of(
        # Checked already.
        MatchRequest.model_construct(
            datum=request.datum, now=request.now, riders=request.riders, tasks=(request.task,)
        ),
        one_task=True,
    )
    strange = request.acceptance.keys() - {rider.rider_id for rider in asked.riders}
    if strange:
        raise InputError(f"acceptance is given for rider {min(strange)!r}, who is not among the riders")
    fleet = Fleet(network, asked.policy)
    off = fleet.put(asked.riders, asked.now_s)
    (task,) = asked.tasks
    known = request.acceptance
    plan = alert_plan(fleet, task, asked.now_s, acceptance=known, policy=rules, drill=request.drill)
    warnings = datum_warnings(network, asked.sent, request.datum, lang)
    return AlertResponse(
        task_id=plan.task_id,
        drill=plan.drill,
        within_s=plan.within_s,
        probability=round(plan.probability, 4),
        soonest_s=_finite(plan.soonest_s),
        street_m=_finite(plan.street_m),
        alerts=[
            AlertOut(
                rider_id=alert.rider_id,
                phase=alert.phase,
                alerted_s=_round(alert.alerted_s),
                travel_s=_round(alert.travel_s),
                arrives_s=_round(alert.arrives_s),
                acceptance=alert.acceptance,
                late_stops=[
                    MissedStopOut(stop_id=stop_id, late_s=_finite(late_s))
                    for stop_id, late_s in alert.late_stops
                ],
            )
            for alert in plan.alerts
        ],
        off_network=off_network_out(off),
        warnings=[*warnings, *place_warnings(network, task.place.lonlat, lang)],
    )


def asked_of(request: MatchRequest, *, one_task: bool = False) -> MatchCase:
    """Return the request in the words of the matching room; `one_task`: the caller sent no list of tasks."""
    riders = sent_riders(request.riders)
    check_windows(request, riders, one_task=one_task)
    own = np.zeros(len(riders) + len(riders.stops["lon"]), np.bool_)
    own[np.cumsum(riders.counts + 1) - riders.counts - 1] = True
    sent = _positions(request, riders, own)
    placed = to_wgs84(sent, request.datum)
    rest = iter(placed[len(own) :].tolist())
    tasks = tuple(placed_task(task, task.task_id, rest) for task in request.tasks)
    changed = request.policy.model_dump(exclude_none=True)
    by_part: dict[SentPart, FloatArray] = {
        "riders": sent[: len(own)][own],
        "stops": sent[: len(own)][~own],
        "tasks": sent[len(own) :],
    }
    table = _table(riders, placed[: len(own)])
    return MatchCase(table, tasks, Policy(**changed), request.now.timestamp(), by_part)


def _positions(request: MatchRequest, riders: SentRiders, own: BoolArray) -> FloatArray:
    """All positions as they were sent: each rider's (`own`) followed by the stops, then those of tasks."""
    visits = [visit for task in request.tasks for visit in (task.place, task.dropoff) if visit is not None]
    out = np.empty((len(own) + len(visits), 2))
    for axis, name in enumerate(("lon", "lat")):
        of_riders = out[: len(own), axis]
        of_riders[own], of_riders[~own] = riders.riders[name], riders.stops[name]
        out[len(own) :, axis] = [getattr(visit, name) for visit in visits]
    return out


def _table(sent: SentRiders, lonlat: FloatArray) -> PlannedRiders:
    """Return riders and their stops in columns."""
    r, s = sent.riders, sent.stops
    begins = _or(sent.stop_instants["earliest"], -math.inf)
    ends = _or(sent.stop_instants["due"], math.inf)
    closed_s: list[tuple[Span, ...]] = [()] * len(begins)
    windows: Sequence[Windows | None] = s["windows"]
    for at in itertools.compress(range(len(closed_s)), windows):
        begins[at], ends[at], closed_s[at] = window_between(None, None, windows[at])
    columns = RiderColumns(
        ids=r["rider_id"],
        mode=r["mode"],
        status=r["status"],
        platform=r["platform"],
        skills=r["skills"],
        shift_start_s=_or(sent.rider_instants["shift_start"], -math.inf),
        shift_end_s=_or(sent.rider_instants["shift_end"], math.inf),
        available_s=_or(sent.rider_instants["available_at"], -math.inf),
        speed_factor=_numbers(r["speed_factor"]),
        worked_since_break_s=_numbers(r["worked_since_break_s"]),
        worked_today_s=_numbers(r["worked_today_s"]),
        contribution=_numbers(r["contribution"]),
        extra_last_hour_s=_numbers(r["extra_last_hour_s"]),
        capacity=_numbers(r["capacity"]),
        load=_numbers(r["load"]),
        stops=sent.counts,
    )
    of_stops = StopColumns(
        ids=s["stop_id"],
        kind=s["kind"],
        service_s=_numbers(s["service_s"]),
        earliest_s=begins,
        latest_s=ends,
        load_change=_numbers(s["load_change"]),
        closed_s=closed_s,
    )
    first = np.cumsum(sent.counts) - sent.counts
    made = functools.partial(_rider, sent, columns, of_stops, lonlat, first)
    return PlannedRiders(columns, of_stops, lonlat, made)


def _rider(
    sent: SentRiders,
    riders: RiderColumns,
    stops: StopColumns,
    lonlat: FloatArray,
    first_stops: Int64Array,
    row: int,
) -> Rider:
    """Return the rider of a row; ``first_stops`` are the rows of the riders' first stops."""
    first = int(first_stops[row])
    places: list[LonLat] = [
        (lon, lat) for lon, lat in lonlat[first + row : first + row + 1 + int(riders.stops[row])].tolist()
    ]
    capacity = sent.riders["capacity"][row]
    return Rider(
        rider_id=riders.ids[row],
        lonlat=places[0],
        mode=riders.mode[row],
        stops=tuple(_stop(sent, stops, first + at, place) for at, place in enumerate(places[1:])),
        speed_factor=float(riders.speed_factor[row]),
        skills=frozenset(riders.skills[row]),
        status=riders.status[row],
        shift_start_s=float(riders.shift_start_s[row]),
        shift_end_s=float(riders.shift_end_s[row]),
        worked_since_break_s=float(riders.worked_since_break_s[row]),
        worked_today_s=float(riders.worked_today_s[row]),
        available_s=float(riders.available_s[row]),
        capacity=capacity,
        load=sent.riders["load"][row],
        platform=riders.platform[row],
        contribution=float(riders.contribution[row]),
        extra_last_hour_s=float(riders.extra_last_hour_s[row]),
    )


def _stop(sent: SentRiders, stops: StopColumns, row: int, lonlat: LonLat) -> Stop:
    earliest_s, latest_s = float(stops.earliest_s[row]), float(stops.latest_s[row])
    change = sent.stops["load_change"][row]
    return Stop(
        stops.ids[row], lonlat, float(stops.service_s[row]), earliest_s, latest_s, stops.kind[row], change,
        stops.closed_s[row],
    )  # fmt: skip


def _numbers(given: Sequence[float | None]) -> FloatArray:
    """Return numbers in a row; None becomes NaN."""
    return np.array(given, np.float64)


def _or(given: FloatArray, missing: float) -> FloatArray:
    return np.where(np.isnan(given), missing, given)


def response_of(result: MatchResult, request: MatchRequest, lang: Language = "en") -> MatchResponse:
    """Return the answer in the datum asked for, its instants in the offset of ``now``."""
    datum = request.answer_datum or request.datum
    zone = request.now.tzinfo or datetime.UTC
    return MatchResponse(
        datum=datum,
        matches=[_match(match, datum, zone, geometry=request.geometry) for match in result.matches],
        routes=[_route(route, datum, zone) for route in result.routes],
        refused=[refused_out(refused, lang) for refused in result.refused],
        late_before=[
            LateStopOut(rider_id=late.rider_id, stop_id=late.stop_id, late_s=_round(late.late_s))
            for late in result.late_before
        ],
        off_network=off_network_out(result.off_network),
        warnings=[],
        expected=[],
        predictions=[],
        answers=[
            AnswerOut(
                task_id=one.task_id,
                rider_id=one.rider_id,
                allowed=one.refused is None,
                refused=None if one.refused is None else refused_out(one.refused, lang),
            )
            for one in result.answers
        ],
    )


def off_network_out(off: Sequence[tuple[str, float]]) -> list[OffNetworkOut]:
    """Return the riders left out; JSON knows no infinity."""
    return [OffNetworkOut(rider_id=rider, nearest_street_m=_finite(away)) for rider, away in off]


def _match(match: Match, datum: Datum, zone: datetime.tzinfo, *, geometry: bool) -> MatchOut:
    instant = functools.partial(instant_of, zone=zone)
    way = way_of(from_wgs84(match.way_lonlat, datum).tolist()) if geometry else None
    runner_up = match.runner_up
    return MatchOut(
        task_id=match.task_id,
        rider_id=match.rider_id,
        place=match.place,
        dropoff_place=match.dropoff_place,
        arrival=instant(match.arrival_s),
        start=instant(match.start_s),
        leave=instant(match.leave_s),
        extra_s=_round(match.extra_s),
        extra_m=_round(match.extra_m),
        yuan=round(match.yuan, 2),
        points=round(match.points, 2),
        stops=[
            StopSlackOut(
                stop_id=stop.stop_id,
                start_before=instant(stop.start_before_s),
                start_after=instant(stop.start_after_s),
                slack_before_s=_finite(stop.slack_before_s),
                slack_after_s=_finite(stop.slack_after_s),
            )
            for stop in match.stops
        ],
        way=way,
        runner_up=None
        if runner_up is None
        else RunnerUpOut(
            rider_id=runner_up.rider_id,
            extra_s=_round(runner_up.extra_s),
            difference_s=_round(runner_up.difference_s),
        ),
    )


def _route(route: Route, datum: Datum, zone: datetime.tzinfo) -> RouteOut:
    instant = functools.partial(instant_of, zone=zone)
    places = from_wgs84(np.array([step.lonlat for step in route.steps]), datum).tolist()
    return RouteOut(
        rider_id=route.rider_id,
        leave=instant(route.leave_s),
        steps=[
            StepOut(
                stop_id=step.stop_id,
                task_id=step.task_id,
                part=cast(StepPart, step.part),
                lon=round(lon, 7),
                lat=round(lat, 7),
                arrival=instant(step.arrival_s),
                start=instant(step.start_s),
                leave=instant(step.leave_s),
                wait_s=_round(step.wait_s),
                slack_s=_finite(step.slack_s),
                load=step.load,
            )
            for step, (lon, lat) in zip(route.steps, places, strict=True)
        ],
    )


def refused_out(refused: Refused, lang: Language) -> RefusedOut:
    """Return a refusal in words, with what a machine needs beside."""
    change = refused.change
    amount = change.amount
    return RefusedOut(
        task_id=refused.task_id,
        **_broken(refused.binding, lang).model_dump(),
        rider_id=refused.rider_id,
        also=[_broken(one, lang) for one in refused.others],
        change=ChangeOut(
            what=cast(ChangeWhat, change.what),
            by_s=_finite(amount.seconds) if isinstance(amount, Seconds) else None,
            by_m=_finite(amount.metres) if isinstance(amount, Metres) else None,
            by=amount.count if isinstance(amount, Count) else None,
            subject=change.subject or None,
            rider_id=change.rider_id,
            text=reason_text(change.said, lang),
        ),
    )


def _broken(binding: Binding, lang: Language) -> BrokenOut:
    metres, parcels = binding.rule == "place", binding.rule == "capacity"
    return BrokenOut(
        rule=cast(RuleName, binding.rule),
        subject=None if parcels else binding.subject or None,
        by_s=None if metres else _finite(binding.by_s),
        by_m=_finite(binding.by_s) if metres else None,
        by=int(binding.subject) if parcels else None,
        reason=reason_text(binding.said, lang),
    )


def _round(value: float) -> float:
    return round(float(value), 3)


def _finite(value: float | None) -> float | None:
    """JSON knows no infinity: what has no bound is null."""
    return None if value is None or not math.isfinite(value) else _round(value)
