"""``/v1/reports``: street reports, made by riders, offices and everybody, and what becomes of them."""

from collections.abc import Callable, Sequence
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Header, Path, Query
from fastapi.concurrency import run_in_threadpool

from api.civic.closures import in_wgs84, word_of
from api.civic.desk import Civic
from api.civic.people import person_of
from api.civic.reports import codec
from api.civic.reports.forms import DisputeIn, KindOut, Kinds, ReportIn, ReportOut, ReportPage, StreetIn
from api.civic.reports.matters import Made, NewReport, make_report, on_report
from api.civic.reports.offices import first_office
from api.civic.reports.translate import report_out
from api.dispatch.desk import Desk, MissingError, Turn
from api.dispatch.forms import AnswerIn
from api.forms import ServiceId
from api.http.access.auth import Caller
from api.http.deps import Ids, Lang
from api.http.live import (
    Cursor,
    Limit,
    Live,
    RiderCaller,
    carried_out,
    commanded,
    cursor_of,
    position_of,
)
from api.http.routes.civic.shared import (
    AnyCaller,
    CivicSide,
    ForReader,
    OpenCaller,
    OpenRoute,
    Reader,
    titles_of,
)
from api.open311 import services
from api.store import SERVICE
from api.store.civic import matters as rows
from api.store.digests import digest_of
from api.store.dispatch import events as stored
from api.store.rows import PageEnd
from geo.datum import Datum, place_to_wgs84
from geo.errors import InputError
from routing.civic import Confirm, Dispute, MatterCommand, Report
from routing.dispatch import RiderKey

__all__ = ["account_of", "read_report", "read_reports", "reporting", "router"]

router = APIRouter(prefix="/v1", tags=["reports"], route_class=OpenRoute)
InDatum = Annotated[Datum, Query(description="Datum of the positions in the request.")]
ReportId = Annotated[ServiceId, Path(alias="id", description="`report_id` of the report.")]
Token = Annotated[
    str | None,
    Header(
        alias="report-token", max_length=100, description="`token` of the report, for callers without a key."
    ),
]


@router.get("/report-kinds", summary="What may be reported")
async def kinds(civic: CivicSide, lang: Lang) -> Kinds:
    """Component and event classes of city management, each with its time for acting."""
    listed = {one["service_code"]: one for one in services(civic.rules.reports.kinds, lang)}
    return Kinds(
        kinds=[
            KindOut(
                kind=kind.name,
                group="component" if kind.group == "component" else "event",
                name=str(listed[kind.name]["service_name"]),
                text=str(listed[kind.name]["description"]),
                act_within_s=kind.act_within_s,
                round_the_clock=kind.round_the_clock,
            )
            for kind in civic.rules.reports.kinds.values()
        ]
    )


def account_of(caller: Caller | None, rider_id: str | None) -> RiderKey | None:
    """Return the rider's account that a report is made by; None: by nobody's.

    Raises
    ------
    InputError
        Where a platform does not say for whom, or somebody else does.
    """
    who = None if caller is None else caller.scope
    if who is not None and who.role == "rider" and rider_id in (None, who.rider_id):
        return RiderKey(str(who.tenant_id), str(who.rider_id))
    if who is not None and who.role == "platform":
        if rider_id is None:
            raise InputError("rider_id is missing: a platform reports for one of its riders")
        return RiderKey(str(who.tenant_id), rider_id)
    if rider_id is not None:
        raise InputError("rider_id is for the key of the rider's platform")
    return None


def reporting(
    civic: Civic,
    caller: Caller | None,
    account: RiderKey | None,
    report: Report,
    token: str,
    contact: str = "",
    street: StreetIn | None = None,
) -> Callable[[Turn], Made]:
    """Return the command that keeps a report; who makes it is named in the turn.

    Parameters
    ----------
    report : Report
        With any name as its reporter.
    token : str
        Opens the report.
    contact : str
        What names the sender of a report without a key beside the report itself; empty: nothing does.
    street : StreetIn, optional
        What it says of the street, with `towards` in WGS-84.
    """
    office = None
    if caller is not None and caller.scope.role in ("planner", "grid_staff"):
        # 首问负责: the office that its own staff tell is the first that was asked.
        office = caller.scope.tenant_id

    def work(turn: Turn) -> Made:
        if account is not None:
            reporter = person_of(turn, account, civic.ids)
        elif caller is not None:
            reporter = f"office-{caller.scope.tenant_id}"
        else:
            reporter = f"public-{contact or report.report_id}"
        new = NewReport(
            Report(
                report.report_id, reporter, report.kind, report.lonlat, turn.now_s, report.note, report.photo,
                report.private,
            ),
            office or first_office(turn.connection, report.kind, report.lonlat),
            digest_of(token),
            account,
            civic.grids.code_at(report.lonlat),
        )  # fmt: skip
        made = make_report(turn, civic.rules, new, civic.ids)
        if street is not None:
            # Whoever has no key counts as one and the same person: addresses are cheap.
            office_word = account is None and caller is not None
            by = reporter if caller is not None else "public"
            name = str(caller.scope.tenant_id) if caller is not None and office_word else by
            word = word_of(street, name, report.lonlat, turn.now_s, office=office_word)
            civic.say(turn, word)
        return made

    return work


@router.post("/reports", status_code=201, summary="Report a problem in the street")
async def post(
    live: Live, caller: OpenCaller, civic: CivicSide, reader: ForReader, ids: Ids, request: ReportIn,
    datum: InDatum,
) -> ReportOut:  # fmt: skip
    """Name the office that is responsible, and by when it should act.

    A report of the same kind within 50 m and a day joins the one that is known, and both reporters are told
    from then on. Without a key the `token` of the answer opens the report again. What is marked `private`
    is kept off the public board.
    """
    civic.rules.reports.kind(request.kind)
    account = account_of(caller, request.rider_id)
    report_id, token = ids(), ids() + ids()
    lonlat = place_to_wgs84((request.lon, request.lat), datum)
    report = Report(
        report_id,
        "somebody",
        request.kind,
        lonlat,
        reader.now_s,
        request.note,
        request.photo,
        request.private or "",
    )
    street = None if request.street is None else in_wgs84(request.street, datum)
    work = reporting(civic, caller, account, report, token, street=street)
    if caller is None:
        made = await carried_out(live, work)
    else:
        made = await commanded(live, caller, ("report.make", report_id), work)
    shown = await run_in_threadpool(read_report, live, made.report, reader)
    return shown.model_copy(update={"token": token})


def read_report(live: Desk, report: rows.ReportRow, reader: Reader) -> ReportOut:
    """Return a report as its reporter sees it."""
    with live.database.reading() as connection:
        return read_reports(connection, [report], reader)[0]


def read_reports(
    connection: sa.Connection, found: Sequence[rows.ReportRow], reader: Reader
) -> list[ReportOut]:
    """Return reports as their reporters see them: in as many queries for all as for one.

    Raises
    ------
    MissingError
        Where the matter of one is gone.
    """
    ids = list(dict.fromkeys(one.matter_id for one in found))
    matters, said = rows.get_all(connection, SERVICE, ids), stored.of_tasks(connection, SERVICE, ids)
    titles = titles_of(connection)
    if len(matters) < len(ids):
        raise MissingError("there is no such report")
    states = {name: codec.matter_state_of(row.state) for name, row in matters.items()}
    events = {name: codec.matter_events_of(listed) for name, listed in said.items()}
    return [
        report_out(
            one, states[one.matter_id], events[one.matter_id], reader.now_s, reader.lang, reader.zone, titles
        )
        for one in found
    ]


@router.get("/reports", summary="List one's own reports")
async def page(
    live: Live, caller: RiderCaller, reader: ForReader, after: Cursor = None, limit: Limit = 100
) -> ReportPage:  # fmt: skip
    """Return those of a rider, or of all riders of a platform, in the order in which they were made."""
    position = position_of(after)

    def read() -> list[ReportOut]:
        with live.database.reading() as connection:
            found = rows.reports_page(connection, caller.scope, position, limit)
            last.extend(found[-1:] if len(found) == limit else [])
            return read_reports(connection, found, reader)

    last: list[rows.ReportRow] = []
    shown = await run_in_threadpool(read)
    end = PageEnd(last[0].made_s, last[0].report_id) if last else None
    return ReportPage(reports=shown, next=cursor_of(end))


async def _found(live: Desk, caller: Caller | None, report_id: str, token: str | None) -> rows.ReportRow:
    """Return a report that the caller may read: with its token, or with the key of who made it."""

    def read() -> rows.ReportRow | None:
        with live.database.reading() as connection:
            if token is not None:
                row = rows.by_token(connection, SERVICE, digest_of(token))
                return row if row is not None and row.report_id == report_id else None
            return None if caller is None else rows.report(connection, caller.scope, report_id)

    row = await run_in_threadpool(read)
    if row is None:
        raise MissingError("there is no such report")
    return row


@router.get("/reports/{id}", summary="One report, and each step of it")
async def one(
    live: Live, caller: AnyCaller, reader: ForReader, report_id: ReportId, token: Token = None
) -> ReportOut:  # fmt: skip
    """Return who is responsible, how much time is left, and all that its reporter was told."""
    report = await _found(live, caller, report_id, token)
    return await run_in_threadpool(read_report, live, report, reader)


async def _say(
    live: Desk, civic: Civic, report: rows.ReportRow, make: Callable[[str], MatterCommand]
) -> Made:
    return await carried_out(live, lambda turn: on_report(turn, civic.rules, report, make, civic.ids))


@router.post("/reports/{id}/confirm", summary="Say that it is done indeed")
async def confirm(
    live: Live, caller: OpenCaller, civic: CivicSide, reader: ForReader, report_id: ReportId,
    request: AnswerIn, token: Token = None,
) -> ReportOut:  # fmt: skip
    """End the matter; riders who reported it get their points."""
    report = await _found(live, caller, report_id, token)
    await _say(live, civic, report, Confirm)
    return await run_in_threadpool(read_report, live, report, reader)


@router.post("/reports/{id}/dispute", summary="Say that it is not done")
async def dispute(
    live: Live, caller: OpenCaller, civic: CivicSide, reader: ForReader, report_id: ReportId,
    request: DisputeIn, token: Token = None,
) -> ReportOut:  # fmt: skip
    """Open the matter again: the office has its time once more."""
    report = await _found(live, caller, report_id, token)
    await _say(live, civic, report, lambda reporter: Dispute(reporter, request.reason))
    return await run_in_threadpool(read_report, live, report, reader)
