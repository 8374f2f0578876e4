"""A rider's pages: what they are asked, the way there, yes and no, done; and their break."""

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from api.civic.reports.matters import is_look
from api.dispatch.commands import Answered, accept, answer_offer, task_of_offer
from api.dispatch.desk import MissingError, Turn
from api.dispatch.emergencies import Called, answer_alert
from api.dispatch.emergency_translate import alert_out
from api.dispatch.forms import FinishIn, PlaceOut, ReasonIn
from api.dispatch.kept.duty import break_due_of
from api.dispatch.readings import alert_of, offer_of, offers_of, open_alerts_of
from api.dispatch.translate import offer_out, rider_of
from api.forms import ServiceId
from api.http.pages.frame.forms import Fields, Posted, read_form
from api.http.pages.frame.photos import SentWithPhoto, kept_photo
from api.http.pages.frame.render import see_other
from api.http.pages.frame.route import PageRoute, told
from api.http.pages.frame.visit import PageVisit, visit_of
from api.http.pages.shown_way import way_between
from api.store.dispatch import riders as rider_rows
from geo.errors import InputError
from routing.dispatch import ConflictError, Decline, Finish, Return, RiderKey, Start
from routing.model import Rider

__all__ = ["router"]

router = APIRouter(prefix="/rider", include_in_schema=False, route_class=PageRoute)
RiderVisit = Annotated[PageVisit, Depends(visit_of("rider"))]
OfferId = Annotated[ServiceId, Path()]
AlertId = Annotated[str, Path(max_length=80)]
Verb = Annotated[str, Path(pattern="^(decline|return|start|finish)$")]
TAKEN = ("accepted", "started")
SHOWN = ("open", *TAKEN)


def _mine(visit: PageVisit) -> tuple[Rider | None, dict[str, Any]]:
    """Return the rider as their platform last reported them; None where it has not."""
    who, live = visit.who, visit.live
    if who.rider_id is None:
        return None, {}
    with live.database.reading() as connection:
        row = rider_rows.get(connection, who, str(who.tenant_id), who.rider_id)
    if row is None or row.body is None:
        return None, {}
    # As matching sees them, with the tasks that they have accepted.
    known = live.city.board.rider(RiderKey(str(who.tenant_id), who.rider_id))
    return known or rider_of(who.rider_id, row.body), dict(row.body)


def _now(visit: PageVisit) -> dict[str, Any]:
    """Return what there is to answer and to do."""
    who, database, zone = visit.who, visit.live.database, visit.zone
    found = offers_of(database, who, who.rider_id, SHOWN)
    offers = [offer_out(row, state, "wgs84", zone) for row, state in found]
    alerts = [alert_out(one, "wgs84", zone) for one in open_alerts_of(database, who, who.rider_id)]
    return {
        "alerts": [one for one in alerts if one.status in ("alerted", "accepted", "arrived")],
        "asked": [one for one in offers if one.status == "open"],
        "taken": [one for one in offers if one.status in TAKEN],
    }


@router.get("")
async def start(visit: RiderVisit) -> Response:
    """Show what the rider is asked, what they have taken, and their day."""
    rider, body = await visit.read(_mine, visit)
    part = visit.part("rider_now", "/rider/now", **await visit.read(_now, visit))
    policy = visit.live.policy
    due = break_due_of(body, visit.zone, policy) if body else None
    late = due is not None and due <= visit.now
    return visit.page(
        "rider", part=part, rider=rider, duty=body.get("duty"), due=due, late=late, needed_s=policy.break_s
    )


@router.get("/now")
async def now(visit: RiderVisit) -> Response:
    """Show what has changed since the page was read."""
    return visit.part("rider_now", "/rider/now", **await visit.read(_now, visit)).response()


def _drawn(visit: PageVisit, kind: str, places: list[PlaceOut], *, with_way: bool) -> dict[str, Any]:
    """Return the map of places, with the way to them from where the rider is."""
    rider, _ = _mine(visit)
    marks = [{"at": [one.lon, one.lat], "kind": kind} for one in places]
    way = None
    if rider is not None:
        marks.insert(0, {"at": list(rider.lonlat), "kind": "here"})
        if with_way:
            ends = np.array([rider.lonlat, *((one.lon, one.lat) for one in places)])
            way = way_between(visit.served.network, rider.mode, ends)
    return {"way": way, "content": {"marks": marks, "lines": [] if way is None else [way.lonlat]}}


@router.get("/offers/{offer_id}")
async def one(visit: RiderVisit, offer_id: OfferId) -> Response:
    """Show an offer with the way to its place."""
    return await _offer(visit, offer_id)


async def _offer(visit: PageVisit, offer_id: str, error: str | None = None, status: int = 200) -> Response:
    found = await visit.read(offer_of, visit.live.database, visit.who, offer_id)
    if found is None:
        raise MissingError("there is no such offer")
    offer = offer_out(*found, "wgs84", visit.zone)
    places = [place for place in (offer.task.place, offer.task.dropoff) if place is not None]
    drawn = await visit.read(lambda: _drawn(visit, "task", places, with_way=offer.status in SHOWN))
    look = is_look(offer.id)
    return visit.page("rider_offer", status, offer=offer, look=look, error=error, **drawn)


async def _answered(visit: PageVisit, offer_id: str, verb: str, work: Callable[[Turn], Answered]) -> Response:
    """Carry out an answer; where it no longer fits, show the offer as it is now, and why."""
    try:
        done = await visit.commanded((f"offer.{verb}", offer_id), work, task_of_offer(offer_id))
        if done.conflict is not None:
            raise done.conflict
    except ConflictError as error:
        return await _offer(visit, offer_id, told(error, visit.visitor.lang), 409)
    return see_other(f"/rider/offers/{offer_id}" if verb in ("accept", "start") else "/rider")


@router.post("/offers/{offer_id}/accept")
async def yes(visit: RiderVisit, fields: Posted, offer_id: OfferId) -> Response:
    """Say yes."""
    return await _answered(visit, offer_id, "accept", lambda turn: accept(turn, visit.who, offer_id))


@router.post("/offers/{offer_id}/{verb}")
async def say(visit: RiderVisit, sent: SentWithPhoto, offer_id: OfferId, verb: Verb) -> Response:
    """Say no, give it back, begin, or done, with a photo of it."""
    try:
        photo = await kept_photo(visit, sent) if verb == "finish" else ""
        command = _command(offer_id, verb, sent.fields, photo)
    except InputError as error:
        return await _offer(visit, offer_id, told(error, visit.visitor.lang), 422)
    return await _answered(visit, offer_id, verb, lambda turn: answer_offer(turn, visit.who, command))


def _command(offer_id: str, verb: str, fields: Fields, photo: str) -> Decline | Return | Start | Finish:
    if verb == "start":
        return Start(offer_id)
    if verb == "finish":
        there = {"yes": True, "no": False}.get(fields.get("there", ""))
        said = read_form(FinishIn, {"note": fields.get("note", ""), "photo": photo, "there": there})
        return Finish(offer_id, said.note, said.photo, said.there)
    # One of the reasons at hand, or the rider's own words.
    reason = read_form(ReasonIn, {"reason": fields.get("words") or fields.get("reason", "")}).reason
    return Decline(offer_id, reason) if verb == "decline" else Return(offer_id, reason)


@router.get("/alerts/{alert_id}")
async def alert(visit: RiderVisit, alert_id: AlertId) -> Response:
    """Show an alert with the way there."""
    found = await visit.read(alert_of, visit.live.database, visit.who, alert_id)
    if found is None:
        raise MissingError("there is no such alert")
    shown = alert_out(found, "wgs84", visit.zone)
    drawn = await visit.read(lambda: _drawn(visit, "alert", [shown.place], with_way=True))
    return visit.page("rider_alert", alert=shown, **drawn)


@router.post("/alerts/{alert_id}/{said}")
async def say_to_alert(
    visit: RiderVisit, fields: Posted, alert_id: AlertId,
    said: Annotated[str, Path(pattern="^(yes|no|there)$")],
) -> Response:  # fmt: skip
    """Come, not come, or be there."""

    def work(turn: Turn) -> Called:
        return answer_alert(turn, visit.who, alert_id, said)  # type: ignore[arg-type]

    verb = {"yes": "accept", "no": "decline", "there": "arrive"}[said]
    await visit.commanded((f"alert.{verb}", alert_id), work)
    return see_other("/rider" if said == "no" else f"/rider/alerts/{alert_id}")
