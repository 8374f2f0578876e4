"""``POST /v1/slots``: which windows can be offered for a task, and at which least extra cost."""

import datetime
import functools
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from api.forms import Language, PointedError, Schema, instant_of
from api.matching.datum_check import datum_warnings
from api.matching.forms import (
    MAX_RIDERS,
    Instant,
    MatchRequest,
    OffNetworkOut,
    PolicyIn,
    RefusedOut,
    RiderIn,
    TaskIn,
    WarningOut,
)
from api.matching.translate import asked_of, off_network_out, refused_out
from geo.datum import Datum
from geo.streets import StreetNetwork
from routing.model import Match, Refused
from routing.slots import slots

__all__ = ["OfferOut", "SlotOut", "SlotsRequest", "SlotsResponse", "WindowIn", "offered"]

MAX_WINDOWS = 300
Window = tuple[datetime.datetime, datetime.datetime]


class WindowIn(Schema):
    """A window that may be offered; service must start within it."""

    earliest: Instant
    latest: Instant


class SlotsRequest(Schema):
    """Riders with their plans, one task, and windows or a day. Nothing is kept, nothing is booked."""

    datum: Annotated[Datum, Field(description="Datum of every position in the request.")]
    now: Instant
    riders: Annotated[tuple[RiderIn, ...], Field(max_length=MAX_RIDERS)]
    task: Annotated[TaskIn, Field(description="For one person; the place that the windows are of has none.")]
    windows: Annotated[
        tuple[WindowIn, ...] | None,
        Field(min_length=1, max_length=MAX_WINDOWS, description="The windows; or `day`."),
    ] = None
    day: Annotated[
        datetime.date | None,
        Field(description="All windows of this day (offset of `now`) that are not yet over; or `windows`."),
    ] = None
    every_min: Annotated[int, Field(ge=5, le=240, description="Length of the windows of a day, minutes.")] = (
        15
    )
    of: Annotated[
        Literal["place", "dropoff"],
        Field(description="place: of the visit or the pick-up; dropoff: of the drop-off."),
    ] = "place"
    policy: PolicyIn = PolicyIn()


class OfferOut(Schema):
    """The rider with the least extra cost, and what the task would take from them."""

    rider_id: str
    place: int
    dropoff_place: int | None
    arrival: AwareDatetime
    start: AwareDatetime
    leave: AwareDatetime
    extra_s: float
    extra_m: float
    yuan: float
    points: float


class SlotOut(Schema):
    """One window: an offer, or why there is none."""

    earliest: AwareDatetime
    latest: AwareDatetime
    offer: OfferOut | None
    refused: RefusedOut | None


class SlotsResponse(Schema):
    """All windows in their order, judged for the plans as they were sent, each as if it were the only one."""

    task_id: str
    slots: list[SlotOut]
    cheapest: Annotated[int | None, Field(description="0-based; by extra time, the first of equals.")]
    off_network: list[OffNetworkOut]
    warnings: list[WarningOut]


def offered(network: StreetNetwork, request: SlotsRequest, lang: Language = "en") -> SlotsResponse:
    """Say for each window whether a rider can do the task, and at which least extra cost.

    Parameters
    ----------
    network : StreetNetwork
    request : SlotsRequest
    lang : {"zh", "en"}
        Language of reasons and changes.

    Returns
    -------
    SlotsResponse

    Raises
    ------
    InputError
        When the request contradicts itself.
    """
    windows = _windows(request)
    asked = asked_of(
        # Checked already.
        MatchRequest.model_construct(
            datum=request.datum,
            now=request.now,
            riders=request.riders,
            tasks=(request.task,),
            policy=request.policy,
        ),
        one_task=True,
    )
    (task,) = asked.tasks
    spans = [(first.timestamp(), last.timestamp()) for first, last in windows]
    dropoff = request.of == "dropoff"
    result = slots(network, asked.riders, task, spans, asked.policy, asked.now_s, dropoff=dropoff)
    zone = request.now.tzinfo
    found = [
        SlotOut(
            earliest=first.astimezone(zone),
            latest=last.astimezone(zone),
            offer=None if isinstance(one, Refused) else _offer(one, zone),
            refused=refused_out(one, lang) if isinstance(one, Refused) else None,
        )
        for (first, last), one in zip(windows, result.found, strict=True)
    ]
    costs = [(slot.offer.extra_s, at) for at, slot in enumerate(found) if slot.offer is not None]
    return SlotsResponse(
        task_id=task.task_id,
        slots=found,
        cheapest=min(costs)[1] if costs else None,
        off_network=off_network_out(result.off_network),
        warnings=datum_warnings(network, asked.sent, request.datum, lang),
    )


def _offer(match: Match, zone: datetime.tzinfo | None) -> OfferOut:
    instant = functools.partial(instant_of, zone=zone)
    return OfferOut(
        rider_id=match.rider_id,
        place=match.place,
        dropoff_place=match.dropoff_place,
        arrival=instant(match.arrival_s),
        start=instant(match.start_s),
        leave=instant(match.leave_s),
        extra_s=round(match.extra_s, 3),
        extra_m=round(match.extra_m, 3),
        yuan=round(match.yuan, 2),
        points=round(match.points, 2),
    )


def _windows(request: SlotsRequest) -> list[Window]:
    """Return the windows that are asked for; none of a day that are over."""
    visit = request.task.place if request.of == "place" else request.task.dropoff
    if visit is None:
        raise PointedError({"/of": "the task has no drop-off"})
    if (visit.earliest, visit.latest, visit.windows) != (None, None, None):
        where = f"/task/{request.of}"
        raise PointedError({where: f"{where} has a window of its own; `windows` or `day` say when"})
    if (request.windows is None) == (request.day is None):
        raise PointedError({"/windows": "give either `windows` or `day`"})
    if request.windows is not None:
        wrong = {
            f"/windows/{at}": f"window {at} ends at {one.latest.isoformat()},"
            f" before it begins at {one.earliest.isoformat()}"
            for at, one in enumerate(request.windows)
            if one.latest < one.earliest
        }
        if wrong:
            raise PointedError(wrong)
        return [(one.earliest, one.latest) for one in request.windows]
    if request.day is None:
        return []
    midnight = datetime.datetime.combine(request.day, datetime.time(), request.now.tzinfo)
    step, day = datetime.timedelta(minutes=request.every_min), datetime.timedelta(days=1)
    starts = [midnight + at * step for at in range(-(-day // step))]
    found = [(one, min(one + step, midnight + day)) for one in starts]
    left = [one for one in found if one[1] > request.now]
    if not left:
        raise PointedError({"/day": f"{request.day.isoformat()} is over at {request.now.isoformat()}"})
    return left
