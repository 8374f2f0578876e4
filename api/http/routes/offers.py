"""``/v1/offers``: what riders are asked, and what they say to it."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.dispatch.commands import Answered, accept, answer_offer, task_of_offer
from api.dispatch.desk import MissingError
from api.dispatch.forms import AnswerIn, FinishIn, OfferForRider, OfferList, OfferStatus, ReasonIn
from api.dispatch.readings import offer_of, offers_of
from api.dispatch.translate import offer_out
from api.forms import Identifier, ServiceId
from api.http.live import AnswerDatum, Live, News, RiderCaller, Zone
from api.http.repeats import OnceRoute, answered, json_answer
from routing.dispatch import Decline, Finish, Return, Start

__all__ = ["router"]

router = APIRouter(prefix="/v1/offers", tags=["offers"], route_class=OnceRoute)
OfferId = Annotated[ServiceId, Path(description="`offer_id` of the offer.")]
WAIT_S = 60.0


@router.get("", summary="List offers, or wait for one")
async def page(
    live: Live, caller: RiderCaller, zone: Zone, request: Request,
    rider_id: Annotated[Identifier | None, Query(description="Of one rider; null: all of them.")] = None,
    status: Annotated[list[OfferStatus] | None, Query(description="[open]")] = None,
    wait_s: Annotated[float, Query(ge=0, le=WAIT_S, description="Wait so long for the first one.")] = 0.0,
    datum: AnswerDatum = "wgs84",
) -> OfferList:  # fmt: skip
    """Offers in the order in which they were made.

    With `wait_s` the answer comes as soon as there is one (long poll).
    """
    who = caller.scope
    mine = who.rider_id if who.role == "rider" else rider_id
    news: News = request.app.state.news
    read = partial(offers_of, live.database, who, mine, list(status or ["open"]))
    found = await news.until_some(read, wait_s)
    return OfferList(offers=[offer_out(row, state, datum, zone) for row, state in found])


@router.get("/{offer_id}", summary="One offer")
async def one(
    live: Live, caller: RiderCaller, zone: Zone, offer_id: OfferId, datum: AnswerDatum = "wgs84"
) -> OfferForRider:
    """Return an offer with the task it is about."""
    found = await run_in_threadpool(offer_of, live.database, caller.scope, offer_id)
    if found is None:
        raise MissingError("there is no such offer")
    return offer_out(*found, datum, zone)


def _answered(datum: AnswerDatum, zone: Zone) -> Callable[[Answered], Response]:
    def told(done: Answered) -> Response:
        if done.conflict is not None:
            raise done.conflict
        return json_answer(offer_out(done.row, done.state, datum, zone))

    return told


@router.post("/{offer_id}/accept", response_model=OfferForRider, summary="Say yes")
async def yes(
    live: Live, caller: RiderCaller, zone: Zone, offer_id: OfferId, request: AnswerIn,
    datum: AnswerDatum = "wgs84",
) -> Response:  # fmt: skip
    """Judge the rider's plan again as it is now: where a stop would get late, the answer says which (409).

    The task is in the plan from now on, and the offer's times are those that hold.
    """
    return await answered(
        live,
        caller,
        ("offer.accept", offer_id),
        lambda turn: accept(turn, caller.scope, offer_id),
        _answered(datum, zone),
        task_of_offer(offer_id),
    )


async def _say(
    live: Live, caller: RiderCaller, zone: Zone, datum: AnswerDatum,
    verb: str, command: Decline | Return | Start | Finish,
) -> Response:  # fmt: skip
    """Carry out what a rider says of an offer, on record as ``offer.`` and the verb."""
    return await answered(
        live,
        caller,
        (f"offer.{verb}", command.offer_id),
        lambda turn: answer_offer(turn, caller.scope, command),
        _answered(datum, zone),
        task_of_offer(command.offer_id),
    )


@router.post("/{offer_id}/decline", response_model=OfferForRider, summary="Say no")
async def no(
    live: Live, caller: RiderCaller, zone: Zone, offer_id: OfferId, request: ReasonIn,
    datum: AnswerDatum = "wgs84",
) -> Response:  # fmt: skip
    """Ask the next best rider at once."""
    return await _say(live, caller, zone, datum, "decline", Decline(offer_id, request.reason))


@router.post("/{offer_id}/return", response_model=OfferForRider, summary="Give an accepted task back")
async def give_back(
    live: Live, caller: RiderCaller, zone: Zone, offer_id: OfferId, request: ReasonIn,
    datum: AnswerDatum = "wgs84",
) -> Response:  # fmt: skip
    """Take it out of the plan, give its extra time back, and ask the next best rider."""
    return await _say(live, caller, zone, datum, "return", Return(offer_id, request.reason))


@router.post("/{offer_id}/start", response_model=OfferForRider, summary="Begin")
async def start(
    live: Live, caller: RiderCaller, zone: Zone, offer_id: OfferId, request: AnswerIn,
    datum: AnswerDatum = "wgs84",
) -> Response:  # fmt: skip
    """Note that the rider is there; of a pair, that the pick-up is done."""
    return await _say(live, caller, zone, datum, "start", Start(offer_id))


@router.post("/{offer_id}/finish", response_model=OfferForRider, summary="Done, with a note or a photo")
async def finish(
    live: Live, caller: RiderCaller, zone: Zone, offer_id: OfferId, request: FinishIn,
    datum: AnswerDatum = "wgs84",
) -> Response:  # fmt: skip
    """Note that it is done; the publisher looks next."""
    command = Finish(offer_id, request.note, request.photo, request.there)
    return await _say(live, caller, zone, datum, "finish", command)
