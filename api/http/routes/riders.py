"""``/v1/riders``: what a platform says of its riders, and what the service knows of them."""

import time
from typing import Annotated, cast

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.dispatch.commands import RidersPut, delete_riders, put_riders
from api.dispatch.desk import MissingError, Turn
from api.dispatch.forms import OffStreetOut, RiderOut, RiderPage, RidersIn, RidersOut
from api.dispatch.kept.duty import break_due_of
from api.dispatch.translate import reports_of, rider_of, rider_out, sent_positions
from api.forms import Identifier, Language, Mode
from api.http.deps import Clock, Lang, Served
from api.http.live import (
    AnswerDatum,
    Cursor,
    Limit,
    Live,
    PlatformCaller,
    RiderCaller,
    Zone,
    carried_out,
    commanded,
    cursor_of,
    position_of,
)
from api.http.stations.forms import BreakAnswer
from api.http.stations.next_break import BreakQuery, best_break
from api.http.stations.said import Believed
from api.matching.datum_watch import DatumWatch
from api.matching.forms import WarningOut
from api.store.dispatch import riders as rider_rows
from api.store.rows import PageEnd
from geo.localtime import zone as zone_of
from routing.dispatch import RiderKey

__all__ = ["router"]

router = APIRouter(prefix="/v1/riders", tags=["riders"])
RiderId = Annotated[Identifier, Path(description="The platform's own name of the rider.")]


@router.put("", summary="Report riders: place, plan, status, up to 5,000 at once")
async def put(
    live: Live,
    caller: PlatformCaller,
    clock: Clock,
    zone: Zone,
    lang: Lang,
    request: RidersIn,
    http: Request,
) -> RidersOut:
    """Each report counts as of its own `at`: an older one than known is ignored, and named.

    What is null in a report stays as it is known; hours worked are counted on. A rider whose `stops` were
    never told is foretold from where they have been, and asked where the chance to harm is small. Accepted
    tasks are kept in the plan by the service. Where the streets speak for another datum than the one
    named, `warnings` says so; the reports count all the same.
    """
    platform = str(caller.scope.tenant_id)
    now_s = clock().timestamp()

    def work(turn: Turn) -> RidersPut:
        known = {
            one.rider_id: body
            for one in request.riders
            if (body := live.memory.bodies.get(RiderKey(platform, one.rider_id))) is not None
        }
        return put_riders(turn, caller.scope, platform, reports_of(request, known, now_s, zone, live.policy))

    done = await carried_out(live, work)
    off = [
        OffStreetOut(rider_id=name, nearest_street_m=round(away, 1) if away < float("inf") else None)
        for name, away in done.off_network
    ]
    warnings = await _datum_warnings(http, request, platform, lang)
    return RidersOut(written=done.written, ignored=list(done.ignored), off_network=off, warnings=warnings)


async def _datum_warnings(
    http: Request, request: RidersIn, platform: str, lang: Language
) -> list[WarningOut]:
    """Hold what was sent against the streets, unless the same riders were fine a moment ago."""
    watch: DatumWatch = http.app.state.datum_watch
    of, now_s = (platform, [one.rider_id for one in request.riders]), time.monotonic()
    if all(not one.stops for one in request.riders) and watch.was_fine(request.datum, of, now_s):
        return []
    network = http.app.state.served.network
    sent = sent_positions(request)
    return await run_in_threadpool(watch.look, network, sent, request.datum, lang, of=of, now_s=now_s)


@router.get("", summary="List riders")
async def page(
    live: Live, caller: PlatformCaller, zone: Zone, after: Cursor = None, limit: Limit = 100,
    datum: AnswerDatum = "wgs84",
) -> RiderPage:  # fmt: skip
    """Riders of the caller's platform by id, with the tasks that they have accepted in their plans."""
    position = position_of(after)

    def work(turn: Turn) -> tuple[list[RiderOut], PageEnd | None]:
        known = None if position is None else _split(position.row_id)
        rows = rider_rows.page(turn.connection, caller.scope, known, limit)
        last = PageEnd(0.0, f"{rows[-1].tenant_id}/{rows[-1].rider_id}") if len(rows) == limit else None
        return [_shown(turn, row, datum, zone) for row in rows], last

    # In a turn: plans are read while nobody changes them.
    shown, last = await carried_out(live, work)
    return RiderPage(riders=shown, next=cursor_of(last))


def _split(fleet_id: str) -> tuple[str, str]:
    tenant_id, _, rider_id = fleet_id.partition("/")
    return tenant_id, rider_id


def _shown(turn: Turn, row: rider_rows.RiderRow, datum: AnswerDatum, zone: Zone) -> RiderOut:
    key, body = RiderKey(row.tenant_id, row.rider_id), row.body or {}
    rider = turn.city.board.rider(key) or rider_of(row.rider_id, body)
    return rider_out(key, body, rider, datum, zone, turn.city.board.fleet.policy)


@router.get("/{rider_id}", summary="One rider")
async def one(
    live: Live, caller: PlatformCaller, zone: Zone, rider_id: RiderId, datum: AnswerDatum = "wgs84"
) -> RiderOut:
    """Return a rider with the tasks that they have accepted in their plan."""

    def work(turn: Turn) -> RiderOut:
        row = rider_rows.get(turn.connection, caller.scope, str(caller.scope.tenant_id), rider_id)
        if row is None:
            raise MissingError("there is no such rider")
        return _shown(turn, row, datum, zone)

    return await carried_out(live, work)


@router.get("/{rider_id}/break", summary="The rider's next break")
async def pause(
    live: Live, caller: RiderCaller, clock: Clock, served: Served, believed: Believed, lang: Lang,
    rider_id: RiderId, datum: AnswerDatum = "wgs84",
) -> BreakAnswer:  # fmt: skip
    """Say when it falls due by the hours counted here, and which open stations are on the way on.

    The way is that to the next stop of the plan as it is now; also for the rider's own key.
    """
    policy, where = live.policy, zone_of(served.meta.timezone)

    def work(turn: Turn) -> BreakQuery:
        row = rider_rows.get(turn.connection, caller.scope, str(caller.scope.tenant_id), rider_id)
        if row is None or row.body is None:
            raise MissingError("there is no such rider")
        key = RiderKey(row.tenant_id, row.rider_id)
        rider = turn.city.board.rider(key) or rider_of(row.rider_id, row.body)
        due = break_due_of(row.body, where, policy)
        after = rider.stops[0].lonlat if rider.stops else None
        mode = cast(Mode, rider.mode)
        return BreakQuery(rider.lonlat, datum, mode, clock(), due, policy.break_s, after)

    query = await carried_out(live, work)
    return await run_in_threadpool(best_break, served, query, believed, lang)


@router.delete("/{rider_id}", status_code=204, summary="Take a rider off")
async def delete(live: Live, caller: PlatformCaller, clock: Clock, rider_id: RiderId) -> Response:
    """Offer the rider no task any more.

    What they have accepted stays theirs until it is given back.
    """
    platform, now_s = str(caller.scope.tenant_id), clock().timestamp()
    gone = await commanded(
        live,
        caller,
        ("rider.delete", rider_id),
        lambda turn: delete_riders(turn, caller.scope, platform, [rider_id], now_s),
    )
    if not gone:
        raise MissingError("there is no such rider")
    return Response(status_code=204)
