"""Report a problem: three taps and a photo; what became of it; and the public board."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.civic.reports.forms import BoardPage, ReportIn, ReportOut
from api.civic.reports.matters import on_report
from api.dispatch.desk import MissingError
from api.dispatch.forms import ReasonIn
from api.forms import ServiceId
from api.http.pages.frame.forms import CHOOSE, Fields, FieldsError, Posted, number, read_form
from api.http.pages.frame.photos import HELD, SentWithPhoto, kept_photo
from api.http.pages.frame.render import see_other
from api.http.pages.frame.route import PageRoute, told
from api.http.pages.frame.visit import AnyVisit, PageVisit
from api.http.pages.frame.visitor import cookie_name, set_cookie
from api.http.routes.civic import public_board
from api.http.routes.civic.reports import account_of, read_report, read_reports, reporting
from api.http.routes.civic.shared import Reader, count_open
from api.open311 import services
from api.store import SERVICE
from api.store.civic import matters as rows
from api.store.digests import digest_of
from geo.errors import InputError, YiluError
from geo.localtime import DAY_S
from routing.civic import Confirm, Dispute, MatterCommand, Report

__all__ = ["router"]

router = APIRouter(include_in_schema=False, route_class=PageRoute)
ReportId = Annotated[ServiceId, Path()]
STAGES = ("reported", "accepted", "looking", "working", "fixed", "declined", "closed")
OPEN = STAGES[:4]
MINE = 20
"""So many of their own reports a rider is shown, the newest first."""
KEPT_S = 180 * DAY_S
"""So long does the browser that sent a report open it again."""


def _kinds(visit: PageVisit) -> list[tuple[str, str]]:
    listed = services(visit.civic.rules.reports.kinds, visit.visitor.lang)
    return [(str(one["service_code"]), str(one["service_name"])) for one in listed]


@router.get("/report")
async def empty(visit: AnyVisit) -> Response:
    """Show the form."""
    return await _form(visit, {})


async def _form(visit: PageVisit, values: Any, error: str | None = None, status: int = 200) -> Response:  # noqa: ANN401
    mine: list[ReportOut] = []
    if visit.visitor.role == "rider":
        mine = await visit.read(_mine, visit)
    once = values.get("once") or secrets.token_hex(12)
    return visit.page("report", status, values=values, error=error, kinds=_kinds(visit), mine=mine, once=once)


def _mine(visit: PageVisit) -> list[ReportOut]:
    reader = Reader(visit.zone, visit.visitor.lang, visit.now.timestamp())
    with visit.live.database.reading() as connection:
        return read_reports(connection, rows.latest_reports(connection, visit.who, MINE), reader)


@router.post("/report")
async def post(visit: AnyVisit, sent: SentWithPhoto) -> Response:
    """Keep a report with its photo; sent twice, it is kept once."""
    request, fields, photo = visit.request, sent.fields, sent.held
    # The form's own word, and that of who sends it, name the report: sent again it is found again.
    once = fields.get("once", "") or secrets.token_hex(12)
    report_id = hmac.new(visit.visitor.word.encode(), once.encode(), hashlib.sha256).hexdigest()[:24]
    try:
        again = await visit.read(_known, visit, report_id)
        if again is not None:
            return see_other(f"/report/{report_id}")
        if visit.visitor.caller is None and (sent.picture or "place_lon" in fields):
            count_open(request)
        # Kept before the rest is looked at: a form that comes back has its photo.
        photo = await kept_photo(visit, sent)
        if "place_lon" not in fields or "place_lat" not in fields:
            return await _form(visit, {**fields, HELD: photo}, visit.say("map.need"), 422)
        if fields.get("kind") not in dict(_kinds(visit)):
            raise FieldsError({"kind": CHOOSE})
        return await _made(visit, fields, report_id, photo)
    except YiluError as error:
        return await _form(visit, {**fields, HELD: photo}, told(error, visit.visitor.lang), 422)


async def _made(visit: PageVisit, fields: Fields, report_id: str, photo_id: str) -> Response:
    civic, caller = visit.civic, visit.visitor.caller
    asked = read_form(
        ReportIn,
        {
            "kind": fields.get("kind", ""),
            "lon": number(fields, "place_lon"),
            "lat": number(fields, "place_lat"),
            "note": fields.get("note", ""),
            "photo": photo_id,
            "private": fields.get("private"),
        },
    )
    # A platform reports for one of its riders; on a page it is somebody of the public.
    who = None if caller is not None and caller.scope.role == "platform" else caller
    account = account_of(who, None)
    token = secrets.token_urlsafe(32)
    now_s = visit.now.timestamp()
    report = Report(
        report_id, "somebody", asked.kind, (asked.lon, asked.lat), now_s, asked.note, asked.photo,
        asked.private or "",
    )  # fmt: skip
    work = reporting(civic, who, account, report, token)
    if who is None:
        await visit.carried_out(work)
    else:
        await visit.commanded(("report.make", report_id), work)
    response = see_other(f"/report/{report_id}")
    set_cookie(response, visit.request, _held(report_id), token, lasts_s=KEPT_S)
    return response


def _held(report_id: str) -> str:
    return f"yilu_report_{report_id}"


def _known(visit: PageVisit, report_id: str) -> rows.ReportRow | None:
    """Return a report that this browser has sent, or whoever has signed in."""
    token = visit.request.cookies.get(cookie_name(visit.request, _held(report_id)))
    with visit.live.database.reading() as connection:
        if token is not None:
            row = rows.by_token(connection, SERVICE, digest_of(token))
            if row is not None and row.report_id == report_id:
                return row
        caller = visit.visitor.caller
        return None if caller is None else rows.report(connection, caller.scope, report_id)


async def _report(visit: PageVisit, report_id: str) -> rows.ReportRow:
    row = await visit.read(_known, visit, report_id)
    if row is None:
        raise MissingError("there is no such report")
    return row


@router.get("/report/{report_id}")
async def one(visit: AnyVisit, report_id: ReportId) -> Response:
    """Show each step of a report to who sent it."""
    return await _steps(visit, report_id)


async def _steps(visit: PageVisit, report_id: str, error: str | None = None, status: int = 200) -> Response:
    row = await _report(visit, report_id)
    reader = Reader(visit.zone, visit.visitor.lang, visit.now.timestamp())
    shown = await visit.read(read_report, visit.live, row, reader)
    names = dict(_kinds(visit))
    return visit.page("report_one", status, report=shown, names=names, error=error)


@router.post("/report/{report_id}/{said}")
async def say(
    visit: AnyVisit, fields: Posted, report_id: ReportId,
    said: Annotated[str, Path(pattern="^(confirm|dispute)$")],
) -> Response:  # fmt: skip
    """Say that it is done indeed, or is not."""
    row = await _report(visit, report_id)
    try:
        reason = read_form(ReasonIn, {"reason": fields.get("words", "")}).reason
        make: Callable[[str], MatterCommand] = Confirm
        if said == "dispute":
            if not reason:
                raise InputError(visit.say("report.say_why"))
            make = _disputed(reason)
        civic = visit.civic
        await visit.carried_out(lambda turn: on_report(turn, civic.rules, row, make, civic.ids))
    except YiluError as error:
        return await _steps(visit, report_id, told(error, visit.visitor.lang), 409)
    return see_other(f"/report/{report_id}")


def _disputed(reason: str) -> Callable[[str], MatterCommand]:
    return lambda reporter: Dispute(reporter, reason)


@router.get("/board")
async def board(
    visit: AnyVisit,
    show: Annotated[str, Query(pattern="^(open|all)$")] = "open",
    after: Annotated[str | None, Query(max_length=400)] = None,
) -> Response:
    """Show what everybody may see: no person, no words of reporters."""
    stages: Any = list(OPEN) if show == "open" else None
    asked = public_board.BoardQuery(stages, after=after)
    found: BoardPage = await public_board.board(
        visit.live,
        visit.civic,
        visit.zone,
        visit.now.timestamp(),
        asked,
    )
    names = dict(_kinds(visit))
    marks = [
        {"at": [one.lon, one.lat], "kind": "report", "text": names.get(one.kind, one.kind)}
        for one in found.matters
    ]
    return visit.page("board", board=found, names=names, show=show, content={"marks": marks})
