"""``/live``: the city now, as far as the reader may see it."""

import collections
import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.dispatch import codec
from api.dispatch.emergencies import Raised, alert_state_of
from api.dispatch.emergency_forms import EmergencyOut
from api.dispatch.emergency_translate import emergency_out
from api.http.pages.frame.route import PageRoute
from api.http.pages.frame.visit import PageVisit, visit_of
from api.store.dispatch import emergencies as emergency_rows
from api.store.dispatch import offers as offer_rows
from api.store.dispatch import riders as rider_rows
from api.store.dispatch import tasks as task_rows

__all__ = ["router"]

router = APIRouter(prefix="/live", include_in_schema=False, route_class=PageRoute)
CityVisit = Annotated[PageVisit, Depends(visit_of("platform", "planner", "grid_staff"))]
OPEN = ("published", "offered", "accepted", "under_way", "done")
OFFERS = ("open", "accepted", "started")
DRAWN = 500
"""So many riders are drawn at most."""


@dataclasses.dataclass(frozen=True, slots=True)
class Now:
    """The city as one reader may see it."""

    riders: Mapping[str, int] | None
    """By status; None: not for this reader."""
    more_riders: bool
    tasks: Mapping[str, int]
    offers: Mapping[str, int]
    alerts: list[EmergencyOut]
    listed: list[tuple[str, str, str]]
    """Address, kind and status of tasks."""
    marks: list[dict[str, Any]]


def _now(visit: PageVisit) -> Now:
    who = visit.who
    sees_riders = who.role in ("platform", "admin")
    with visit.live.database.reading() as connection:
        rows = task_rows.with_status(connection, who, OPEN)
        riders = rider_rows.page(connection, who, None, DRAWN + 1) if sees_riders else []
        asked = offer_rows.with_status(connection, who, OFFERS) if sees_riders else []
        raised = [] if who.role == "platform" else emergency_rows.open_ones(connection, who)
    states = [(row, codec.state_of(row.state)) for row in rows]
    offers = collections.Counter(offer.status for offer in asked)
    if not sees_riders:
        # Who publishes sees the offers of their own tasks, and not whom they went to.
        every = [offer.status for _, state in states for offer in state.offers]
        offers = collections.Counter(status for status in every if status in OFFERS)
    alerts = [emergency_out(Raised(row, alert_state_of(row.state)), "wgs84", visit.zone) for row in raised]
    bodies = [row.body for row in riders[:DRAWN] if row.body is not None]
    marks: list[dict[str, Any]] = [{"at": _at(body["lon"], body["lat"]), "kind": "rider"} for body in bodies]
    marks += [
        {"at": _at(row.lon, row.lat), "kind": "task", "text": row.label, "href": f"/tasks/{row.task_id}"}
        for row, _ in states
    ]
    marks += [{"at": _at(one.place.lon, one.place.lat), "kind": "alert", "text": one.name} for one in alerts]
    return Now(
        collections.Counter(str(body.get("status", "busy")) for body in bodies) if sees_riders else None,
        len(riders) > DRAWN,
        collections.Counter(row.status for row, _ in states),
        offers,
        alerts,
        [(f"/tasks/{row.task_id}", state.task.kind, row.status) for row, state in states[-20:]],
        marks,
    )


def _at(lon: float, lat: float) -> list[float]:
    return [round(lon, 6), round(lat, 6)]


@router.get("")
async def start(visit: CityVisit) -> Response:
    """Show the city, and fetch it anew every few seconds."""
    found = await visit.read(_now, visit)
    part = visit.part("live_now", "/live/now", now=found, drawn=DRAWN)
    return visit.page("live", part=part, content={"marks": found.marks}, now=found)


@router.get("/now")
async def now(visit: CityVisit) -> Response:
    """Show what has changed since the page was read."""
    found = await visit.read(_now, visit)
    return visit.part("live_now", "/live/now", now=found, drawn=DRAWN).response()
