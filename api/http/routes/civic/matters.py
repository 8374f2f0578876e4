"""``/v1/matters``: the inbox of offices: what they are responsible for, and what they do about it."""

import dataclasses
import datetime
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.concurrency import run_in_threadpool

from api.civic.desk import Civic
from api.civic.reports import codec
from api.civic.reports.forms import (
    FixIn,
    HandoverIn,
    HideIn,
    LookIn,
    MatterOut,
    MatterPage,
    OfficeIn,
    OfficeName,
    OfficeOut,
    ReasonedIn,
    Stage,
)
from api.civic.reports.matters import Kept, on_matter
from api.civic.reports.offices import name_office
from api.civic.reports.translate import matter_out
from api.dispatch.desk import Desk, MissingError, Turn
from api.dispatch.forms import AnswerIn
from api.forms import ServiceId
from api.http.access.auth import Caller
from api.http.live import (
    AdminCaller,
    AnswerDatum,
    Cursor,
    Limit,
    Live,
    Zone,
    commanded,
    cursor_of,
    position_of,
)
from api.http.repeats import RepeatableRoute
from api.http.routes.civic.shared import CivicSide, Now, OfficerCaller
from api.store.civic import matters as rows
from api.store.rows import PageEnd
from geo.datum import Datum
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

router = APIRouter(prefix="/v1", tags=["matters"], route_class=RepeatableRoute)
MatterId = Annotated[ServiceId, Path(alias="id", description="`matter_id` of the matter.")]


@router.get("/matters", summary="List the matters of one's office")
async def page(
    live: Live, caller: OfficerCaller, zone: Zone, now_s: Now,
    stage: Annotated[list[Stage] | None, Query(description="Only these; none: all.")] = None,
    after: Cursor = None, limit: Limit = 100, datum: AnswerDatum = "wgs84",
) -> MatterPage:  # fmt: skip
    """Matters that the office is responsible for or asked to take on, in the order in which they came up.

    Grid staff see those of their own unit grids.
    """
    position = position_of(after)

    def read() -> list[rows.MatterRow]:
        with live.database.reading() as connection:
            return rows.page(connection, caller.scope, position, limit, stage or ())

    found = await run_in_threadpool(read)
    last = PageEnd(found[-1].opened_s, found[-1].matter_id) if len(found) == limit else None
    shown = [matter_out(row, codec.matter_state_of(row.state), now_s, datum, zone) for row in found]
    return MatterPage(matters=shown, next=cursor_of(last))


@router.get("/matters/{id}", summary="One matter")
async def one(
    live: Live, caller: OfficerCaller, zone: Zone, now_s: Now, matter_id: MatterId,
    datum: AnswerDatum = "wgs84",
) -> MatterOut:  # fmt: skip
    """Return its reports, looks, stage and the time left; who reported it is not told."""

    def read() -> rows.MatterRow | None:
        with live.database.reading() as connection:
            return rows.get(connection, caller.scope, matter_id)

    row = await run_in_threadpool(read)
    if row is None:
        raise MissingError("there is no such matter")
    return matter_out(row, codec.matter_state_of(row.state), now_s, datum, zone)


@dataclasses.dataclass(frozen=True, slots=True)
class Officer:
    """Who acts on which matter, and how they are answered."""

    live: Desk
    caller: Caller
    civic: Civic
    zone: datetime.tzinfo
    now_s: float
    matter_id: str
    datum: Datum

    async def does(self, verb: str, make: Callable[[str], MatterCommand]) -> MatterOut:
        """Carry out a command in the name of the office, and return the matter as it is then."""

        def work(turn: Turn) -> Kept:
            return on_matter(turn, self.civic.rules, self.caller.scope, self.matter_id, make, self.civic.ids)

        done = await commanded(self.live, self.caller, (f"matter.{verb}", self.matter_id), work)
        return matter_out(done.row, done.state, self.now_s, self.datum, self.zone)


def _officer(
    live: Live, caller: OfficerCaller, civic: CivicSide, zone: Zone, now_s: Now, matter_id: MatterId,
    datum: AnswerDatum = "wgs84",
) -> Officer:  # fmt: skip
    return Officer(live, caller, civic, zone, now_s, matter_id, datum)


ActingOfficer = Annotated[Officer, Depends(_officer)]


@router.post("/matters/{id}/accept", summary="Take a matter on")
async def accept(officer: ActingOfficer, request: AnswerIn) -> MatterOut:
    """Make the office responsible from now on, whoever was before."""
    return await officer.does("accept", AcceptMatter)


@router.post("/matters/{id}/pass-on", summary="Ask another office to take it on")
async def pass_on(officer: ActingOfficer, request: HandoverIn) -> MatterOut:
    """Stay responsible until the other office accepts (首问负责)."""
    return await officer.does("pass_on", lambda office: AskHandover(office, request.office, request.reason))


@router.post("/matters/{id}/refuse", summary="Not take it on")
async def refuse(officer: ActingOfficer, request: ReasonedIn) -> MatterOut:
    """Answer an office that has asked; that one stays responsible."""
    return await officer.does("refuse", lambda office: RefuseHandover(office, request.reason))


@router.post("/matters/{id}/look", summary="Have somebody go and see")
async def look(officer: ActingOfficer, request: LookIn) -> MatterOut:
    """Publish a task for a rider on the way; nobody who reported it is asked.

    When the office has verified the task, the matter moves on by what was seen.
    """
    return await officer.does("look", lambda office: AskForLook(office, request.latest.timestamp()))


@router.post("/matters/{id}/start", summary="Begin to act")
async def start(officer: ActingOfficer, request: AnswerIn) -> MatterOut:
    """Note that the office is at work."""
    return await officer.does("start", StartWork)


@router.post("/matters/{id}/fix", summary="Say that it is done")
async def fix(officer: ActingOfficer, request: FixIn) -> MatterOut:
    """Everybody reads the result; a reporter may say that it is not so."""
    return await officer.does("fix", lambda office: Fix(office, request.result, request.photo))


@router.post("/matters/{id}/decline", summary="Say that nothing will be done")
async def decline(officer: ActingOfficer, request: ReasonedIn) -> MatterOut:
    """Everybody reads the reason; a reporter may object."""
    return await officer.does("decline", lambda office: DeclineMatter(office, request.reason))


@router.post("/matters/{id}/hide", summary="Keep it off the public board")
async def hide(officer: ActingOfficer, request: HideIn) -> MatterOut:
    """Call off a look that was asked for, too."""
    return await officer.does("hide", lambda _: Hide(request.reason))


@router.post("/matters/{id}/show", summary="Put it on the public board")
async def show(officer: ActingOfficer, request: AnswerIn) -> MatterOut:
    """Say that the office has looked: there is nothing private in it."""
    return await officer.does("show", Show)


@router.put("/offices/{office}", summary="Name an office that takes reports")
async def put_office(
    live: Live, caller: AdminCaller, civic: CivicSide,
    office: Annotated[OfficeName, Path(description="Name of the office: that of its tenant.")],
    request: OfficeIn,
) -> OfficeOut:  # fmt: skip
    """Say how it is called, which kinds it is asked first for, and where."""

    def work(turn: Turn) -> OfficeOut:
        return name_office(turn, caller.scope, civic.rules, office, request)

    return await commanded(live, caller, ("office.put", office), work)
