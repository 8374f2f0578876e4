"""The inbox of offices: what they are responsible for or asked to take on, and what they do about it."""

import datetime
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from api.civic.reports import codec
from api.civic.reports.forms import FixIn, HandoverIn, HideIn, MatterOut, ReasonedIn
from api.civic.reports.matters import Kept, on_matter
from api.civic.reports.translate import matter_out
from api.dispatch.desk import MissingError, Turn
from api.forms import ServiceId
from api.http.pages.frame.forms import Fields, number, read_form
from api.http.pages.frame.photos import HELD, SentWithPhoto, kept_photo, shown_photo
from api.http.pages.frame.render import see_other
from api.http.pages.frame.route import PageRoute, told
from api.http.pages.frame.visit import PageVisit, visit_of
from api.open311 import services
from api.store import SERVICE
from api.store.civic import matters as rows
from api.store.civic import offices as office_rows
from geo.errors import YiluError
from routing.civic import (
    AcceptMatter,
    AskForLook,
    AskHandover,
    DeclineMatter,
    Fix,
    Hide,
    MatterCommand,
    RefuseHandover,
    Show,
    StartWork,
)

__all__ = ["router"]

router = APIRouter(prefix="/inbox", include_in_schema=False, route_class=PageRoute)
OfficeVisit = Annotated[PageVisit, Depends(visit_of("planner", "grid_staff"))]
MatterId = Annotated[ServiceId, Path()]
Verb = Annotated[str, Path(pattern="^(accept|start|pass_on|refuse|look|fix|decline|hide|show)$")]
OPEN = ("reported", "accepted", "looking", "working")
HOURS = (0.1, 720.0)
LISTED = 1_000


def _names(visit: PageVisit) -> dict[str, str]:
    listed = services(visit.civic.rules.reports.kinds, visit.visitor.lang)
    return {str(one["service_code"]): str(one["service_name"]) for one in listed}


def _shown(visit: PageVisit, row: rows.MatterRow) -> MatterOut:
    return matter_out(row, codec.matter_state_of(row.state), visit.now.timestamp(), "wgs84", visit.zone)


@router.get("")
async def listed(
    visit: OfficeVisit, show: Annotated[str, Query(pattern="^(open|all)$")] = "open"
) -> Response:
    """List matters, those that are due first in front."""

    def read() -> list[MatterOut]:
        with visit.live.database.reading() as connection:
            found = rows.page(connection, visit.who, None, LISTED, OPEN if show == "open" else ())
        return [_shown(visit, row) for row in found]

    matters = await visit.read(read)
    matters.sort(key=lambda one: (one.stage not in OPEN, one.due))
    names = _names(visit)
    marks = [
        {
            "at": [one.lon, one.lat], "kind": "report", "text": names.get(one.kind, one.kind),
            "href": f"/inbox/{one.matter_id}",
        }
        for one in matters[:300]
    ]  # fmt: skip
    mine = str(visit.who.tenant_id)
    return visit.page("inbox", matters=matters, names=names, show=show, mine=mine, content={"marks": marks})


@router.get("/{matter_id}")
async def one(visit: OfficeVisit, matter_id: MatterId) -> Response:
    """Show a matter with its reports."""
    return await _matter(visit, matter_id)


async def _matter(
    visit: PageVisit,
    matter_id: str,
    error: str | None = None,
    status: int = 200,
    sent: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """Return the page of a matter, with what was filled in where it comes back."""

    def read() -> tuple[MatterOut, str, list[office_rows.OfficeRow]]:
        with visit.live.database.reading() as connection:
            row = rows.get(connection, visit.who, matter_id)
            if row is None:
                raise MissingError("there is no such matter")
            result = codec.matter_state_of(row.state).result_photo
            return _shown(visit, row), result, office_rows.list_all(connection, SERVICE)

    matter, result, offices = await visit.read(read)
    content = {"marks": [{"at": [one.lon, one.lat], "kind": "report"} for one in matter.reports]}
    return visit.page(
        "inbox_one", status, matter=matter, result_photo=result, names=_names(visit), error=error, sent=sent,
        content=content,
        mine=str(visit.who.tenant_id), titles={one.tenant_id: one.title for one in offices},
        offices=[one for one in offices if one.tenant_id != matter.office],
    )  # fmt: skip


@router.get("/photos/{photo_id}")
async def photo(visit: OfficeVisit, photo_id: Annotated[ServiceId, Path()]) -> Response:
    """Show a photo of a matter that the office may see."""
    return await shown_photo(visit, photo_id)


@router.post("/{matter_id}/{verb}")
async def act(visit: OfficeVisit, sent: SentWithPhoto, matter_id: MatterId, verb: Verb) -> Response:
    """Do something about it."""
    civic, photo = visit.civic, sent.held
    try:
        photo = await kept_photo(visit, sent) if verb == "fix" else ""
        make = _command(visit, verb, sent.fields, photo)

        def work(turn: Turn) -> Kept:
            return on_matter(turn, civic.rules, visit.who, matter_id, make, civic.ids)

        await visit.commanded((f"matter.{verb}", matter_id), work)
    except MissingError:
        raise
    except YiluError as error:
        filled_in = {**sent.fields, "verb": verb, HELD: photo}
        return await _matter(visit, matter_id, told(error, visit.visitor.lang), 409, filled_in)
    return see_other(f"/inbox/{matter_id}")


def _command(visit: PageVisit, verb: str, fields: Fields, photo: str) -> Callable[[str], MatterCommand]:
    words = fields.get("words", "")
    if verb == "accept":
        return AcceptMatter
    if verb == "start":
        return StartWork
    if verb == "show":
        return Show
    if verb == "hide":
        hidden = read_form(HideIn, {"reason": fields.get("reason", "")})
        return lambda office: Hide(hidden.reason)
    if verb == "fix":
        fixed = read_form(FixIn, {"result": words, "photo": photo})
        return lambda office: Fix(office, fixed.result, fixed.photo)
    if verb == "look":
        hours = number(fields, "hours", 4.0, HOURS)
        latest_s = (visit.now + datetime.timedelta(hours=hours)).timestamp()
        return lambda office: AskForLook(office, latest_s)
    if verb == "pass_on":
        asked = read_form(HandoverIn, {"office": fields.get("office", ""), "reason": words})
        return lambda office: AskHandover(office, asked.office, asked.reason)
    said = read_form(ReasonedIn, {"reason": words}).reason
    if verb == "refuse":
        return lambda office: RefuseHandover(office, said)
    return lambda office: DeclineMatter(office, said)
