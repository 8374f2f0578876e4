"""From the forms of the live service to its commands, and from tasks, offers and events back."""

import datetime
import functools
import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from pydantic import TypeAdapter

from api.dispatch.codec import instant_s, window_of
from api.dispatch.commands import RiderReport
from api.dispatch.forms import (
    EventOut,
    OfferForRider,
    OfferOfTask,
    OfferStatus,
    OfferTaskOut,
    PlaceOut,
    RiderOut,
    RidersIn,
    TaskOut,
    TaskPublishIn,
    TaskStatus,
)
from api.dispatch.kept.duty import break_due_of, with_duty
from api.dispatch.kept.sightings import with_seen
from api.forms import Language, Mode, PointedError
from api.matching.forms import MatchRequest, PolicyIn, RiderIn, RuleName, SentPart, TaskKindName
from api.matching.tasks import task_alone
from api.matching.translate import asked_of
from api.matching.wording import reason_text
from api.store.dispatch.events import EventRow
from api.store.dispatch.offers import OfferRow
from api.store.dispatch.tasks import TaskRow
from geo.arrays import FloatArray
from geo.datum import Datum, place_from_wgs84, to_wgs84
from geo.errors import InputError
from maps.texts import catalogue
from routing.civic import EARNING
from routing.dispatch import ConflictError, RiderKey, TaskState
from routing.model import Policy, Rider, Stop, Task, Visit

__all__ = [
    "conflict_text",
    "event_out",
    "offer_out",
    "place_out",
    "reports_of",
    "rider_of",
    "rider_out",
    "sent_positions",
    "task_of",
    "task_out",
]

AHEAD_S = 300.0
"""A report may be this far ahead of our clock; beyond it, it would keep true ones out."""
_POSITION = frozenset({"rider_id", "at", "lon", "lat"})
"""What a rider who has only moved says: most reports say no more."""
_KEPT = frozenset(RiderIn.model_fields) - {"rider_id", "platform", "contribution", "extra_last_hour_s"}


def reports_of(
    request: RidersIn,
    known: Mapping[str, Mapping[str, Any]],
    now_s: float,
    zone: datetime.tzinfo,
    policy: Policy,
) -> tuple[RiderReport, ...]:
    """Return reports in WGS-84, with what is null filled in from what is known.

    Parameters
    ----------
    request : RidersIn
    known : mapping of rider id to what the store has
    now_s : float
        Epoch seconds.
    zone : tzinfo
        Of the city: its midnight begins the day of work.
    policy : Policy
        How long a break is.

    Raises
    ------
    PointedError
        Where a report is from the future.
    """
    early = {
        f"/riders/{n}/at": f"the report of a rider is {rider.at.timestamp() - now_s:.0f} s ahead of now"
        for n, rider in enumerate(request.riders)
        if rider.at.timestamp() > now_s + AHEAD_S
    }
    if early:
        raise PointedError(early)
    places = [(one.lon, one.lat) for one in request.riders]
    places += [(stop.lon, stop.lat) for one in request.riders for stop in one.stops or ()]
    placed = iter(to_wgs84(np.array(places), request.datum).tolist())
    heads = [next(placed) for _ in request.riders]
    reports: list[RiderReport] = []
    newest: dict[str, RiderReport] = {}
    for rider, (lon, lat) in zip(request.riders, heads, strict=True):
        said: dict[str, Any] = {}
        if not rider.model_fields_set <= _POSITION:
            said = rider.model_dump(mode="json", exclude_none=True, exclude={"rider_id", "at"})
        said.update(lon=lon, lat=lat)
        for stop in said.get("stops", ()):
            stop["lon"], stop["lat"] = next(placed)
        # A platform may send several positions at once: what the ones before say is known, too.
        earlier = newest.get(rider.rider_id)
        before = known.get(rider.rider_id) if earlier is None else earlier.body
        at_s = rider.at.timestamp()
        hours, due = with_duty(before, said, at_s, zone, policy)
        body = with_seen({**(before or {}), **said, **hours, "at_s": at_s})
        moved_only = before is not None and said.keys() <= {"lon", "lat"} and not due
        moved_only = moved_only and (earlier is None or earlier.moved_only)
        make = functools.partial(rider_of, rider.rider_id, body)
        if not moved_only:
            # Whether it fits together is found out before anything is written.
            make = functools.partial(_same, make())
        reports.append(RiderReport(rider.rider_id, body["at_s"], body, (lon, lat), make, moved_only))
        if earlier is None or at_s >= earlier.at_s:
            newest[rider.rider_id] = reports[-1]
    return tuple(reports)


def sent_positions(request: RidersIn) -> dict[SentPart, FloatArray]:
    """Return the positions of riders and of stops, (n, 2) each, as they were sent."""
    own = [(one.lon, one.lat) for one in request.riders]
    stops = [(stop.lon, stop.lat) for one in request.riders for stop in one.stops or ()]
    return {"riders": np.array(own).reshape(-1, 2), "stops": np.array(stops, np.float64).reshape(-1, 2)}


def _same(rider: Rider) -> Rider:
    return rider


def rider_of(rider_id: str, body: Mapping[str, Any]) -> Rider:
    """Make a rider of what the store has of one.

    Raises
    ------
    PointedError, InputError
        Where it does not fit together, such as a window that ends before it begins.
    """
    try:
        return _read_rider(rider_id, body)
    except (InputError, LookupError, TypeError, ValueError):
        # The form says what is wrong with it, and reads what was kept by older versions.
        kept = {name: value for name, value in body.items() if name in _KEPT}
        form = RiderIn.model_validate({**kept, "rider_id": rider_id})
        now = datetime.datetime.fromtimestamp(0, datetime.UTC)
        # Checked already; the form of a request asks for at least one task.
        request = MatchRequest.model_construct(
            datum="wgs84", now=now, riders=(form,), tasks=(), policy=PolicyIn()
        )
        return asked_of(request, one_task=True).riders[0]


def _read_rider(rider_id: str, body: Mapping[str, Any]) -> Rider:
    """Read what was checked when it was written; a form for each of 20,000 riders would take seconds."""
    get = body.get
    return Rider(
        rider_id,
        (body["lon"], body["lat"]),
        get("mode", "ebike"),
        tuple(map(_read_stop, get("stops", ()))),
        get("speed_factor", 1.0),
        frozenset(get("skills", ())),
        get("status", "busy"),
        instant_s(get("shift_start"), -math.inf),
        instant_s(get("shift_end"), math.inf),
        get("worked_since_break_s", 0.0),
        get("worked_today_s", 0.0),
        instant_s(get("available_at"), -math.inf),
        get("capacity"),
        get("load", 0),
    )


def _read_stop(stop: Mapping[str, Any]) -> Stop:
    get = stop.get
    earliest_s, latest_s, closed_s = window_of(stop)
    return Stop(
        stop["stop_id"],
        (stop["lon"], stop["lat"]),
        get("service_s", 0.0),
        earliest_s,
        latest_s,
        get("kind", "dropoff"),
        get("load_change", 0),
        closed_s,
    )


def task_of(form: TaskPublishIn, datum: Datum, task_id: str, now_s: float) -> Task:
    """Return a task under the service's name for it; without an end its kind's time limit counts."""
    return task_alone(form, datum, task_id)


def _instant(epoch_s: float, zone: datetime.tzinfo) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(round(epoch_s, 3), zone)


def _end(epoch_s: float, zone: datetime.tzinfo) -> datetime.datetime | None:
    return _instant(epoch_s, zone) if math.isfinite(epoch_s) else None


def place_out(visit: Visit, datum: Datum, zone: datetime.tzinfo) -> PlaceOut:
    """Return a place in the datum of the answer."""
    lon, lat = place_from_wgs84(visit.lonlat, datum)
    return PlaceOut(
        lon=round(lon, 7),
        lat=round(lat, 7),
        service_s=visit.service_s,
        earliest=_end(visit.earliest_s, zone),
        latest=_end(visit.latest_s, zone),
    )


def task_out(row: TaskRow, state: TaskState, datum: Datum, zone: datetime.tzinfo) -> TaskOut:
    """Return a task for its publisher."""
    task = state.task
    return TaskOut(
        id=row.task_id,
        task_id=row.label,
        status=cast(TaskStatus, state.status),
        version=row.version,
        grid_code=row.grid_code,
        created=_instant(row.created_s, zone),
        datum=datum,
        place=place_out(task.place, datum, zone),
        dropoff=None if task.dropoff is None else place_out(task.dropoff, datum, zone),
        kind=cast(TaskKindName, task.kind),
        skills=sorted(task.skills),
        modes=cast(list[Mode], sorted(task.modes)),
        priority=task.priority,
        people=task.people,
        load=task.load,
        unmatched=cast(RuleName, state.unmatched) if state.unmatched else None,
        offers=[
            OfferOfTask(
                offer_id=offer.offer_id,
                status=cast(OfferStatus, offer.status),
                made=_instant(offer.made_s, zone),
                expires=_instant(offer.expires_s, zone),
                arrival=_instant(offer.terms.arrival_s, zone),
                start=_instant(offer.terms.start_s, zone),
                leave=_instant(offer.terms.leave_s, zone),
                yuan=round(offer.terms.yuan, 2),
                reason=offer.reason,
                note=offer.note,
                photo=offer.photo or None,
                there=offer.there,
            )
            for offer in state.offers
        ],
    )


def offer_out(offer: OfferRow, state: TaskState, datum: Datum, zone: datetime.tzinfo) -> OfferForRider:
    """Return an offer for the rider and their platform."""
    task, terms = state.task, offer.body["terms"]
    return OfferForRider(
        offer_id=offer.offer_id,
        id=offer.task_id,
        rider_id=offer.rider_id,
        status=cast(OfferStatus, offer.status),
        made=_instant(offer.made_s, zone),
        expires=_instant(offer.expires_s, zone),
        datum=datum,
        task=OfferTaskOut(
            kind=cast(TaskKindName, task.kind),
            place=place_out(task.place, datum, zone),
            dropoff=None if task.dropoff is None else place_out(task.dropoff, datum, zone),
            people=task.people,
            load=task.load,
        ),
        arrival=_instant(terms["arrival_s"], zone),
        start=_instant(terms["start_s"], zone),
        leave=_instant(terms["leave_s"], zone),
        extra_s=round(terms["extra_s"], 3),
        extra_m=round(terms["extra_m"], 3),
        yuan=round(terms["yuan"], 2),
        # As it will be booked; the points among the terms decide in which order riders are asked.
        points=EARNING.points_of(terms["extra_s"], terms["extra_m"]),
        after_stop_id=terms["after_stop_id"],
        dropoff_after_stop_id=terms["dropoff_after_stop_id"],
        begins=None if terms["begins_s"] is None else _instant(terms["begins_s"], zone),
        reason=offer.body["reason"],
    )


def rider_out(
    key: RiderKey,
    body: Mapping[str, Any],
    rider: Rider | None,
    datum: Datum,
    zone: datetime.tzinfo,
    policy: Policy,
) -> RiderOut:
    """Return a rider for their platform; `rider` is None where the rider is off every street."""
    shown = rider or rider_of(key.rider_id, body)
    lon, lat = place_from_wgs84(shown.lonlat, datum)
    return RiderOut(
        rider_id=key.rider_id,
        at=_instant(body["at_s"], zone),
        lon=round(lon, 7),
        lat=round(lat, 7),
        datum=datum,
        mode=cast(Mode, shown.mode),
        status=shown.status,
        stops=[stop.stop_id for stop in shown.stops],
        extra_last_hour_s=round(shown.extra_last_hour_s, 3),
        break_due=break_due_of(body, zone, policy),
    )


def event_out(row: EventRow, seq: str, zone: datetime.tzinfo) -> EventOut:
    """Return an event as its reader may know it; `seq` is its number as the reader sees it.

    Places are in WGS-84.
    """
    event = row.event
    body = {name: value for name, value in event.body.items() if name != "publisher"}
    for name, value in (event.platform_body or {}).items():
        body[name] = {**body.get(name, {}), **value} if isinstance(value, dict) else value
    body = _told(body, zone)
    return EventOut(
        seq=seq,
        at=_instant(event.at_s, zone),
        kind=event.kind,
        id=event.task_id,
        rider_id=event.rider_id,
        body=body,
    )


_INSTANTS = frozenset(
    {"accepted_s", "arrival_s", "at_s", "begins_s", "expires_s", "latest_s", "leave_s", "made_s", "start_s"}
)
"""What the service keeps in epoch seconds; all else that ends so is a duration."""
_DIGITS = {"yuan": 2}


def _told(kept: Mapping[str, Any], zone: datetime.tzinfo) -> dict[str, Any]:
    """Return the body of an event as answers write it: instants in local time, tasks as offers have them."""
    told: dict[str, Any] = {}
    for name, value in kept.items():
        if name == "task":
            told[name] = _task_told(_TASK.validate_python(value), zone)
        elif name in _INSTANTS:
            told[name.removesuffix("_s")] = None if value is None else _instant(value, zone).isoformat()
        elif isinstance(value, dict):
            told[name] = _told(value, zone)
        elif name == "points" and "extra_s" in kept:
            told[name] = EARNING.points_of(kept["extra_s"], kept["extra_m"])
        else:
            told[name] = round(value, _DIGITS.get(name, 3)) if isinstance(value, float) else value
    return told


_TASK = TypeAdapter(Task)


def _task_told(task: Task, zone: datetime.tzinfo) -> dict[str, Any]:
    visits = {"place": task.place, "dropoff": task.dropoff}
    return {
        "kind": task.kind,
        **{
            name: None if visit is None else place_out(visit, "wgs84", zone).model_dump(mode="json")
            for name, visit in visits.items()
        },
        "skills": sorted(task.skills),
        "modes": sorted(task.modes),
        "priority": task.priority,
        "people": task.people,
        "load": task.load,
    }


def conflict_text(error: ConflictError, lang: Language) -> str:
    """Return why a command does not fit; of a plan that allows a task no longer, which rule of it."""
    if error.refused is not None:
        return reason_text(error.refused.binding.said, lang)
    return catalogue(lang).text(f"problem.conflict_{error.code}", status=error.status)
