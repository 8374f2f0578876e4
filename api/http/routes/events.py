"""``GET /v1/events``: what happened, as pages or as a stream (server-sent events)."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from api.dispatch.desk import Desk
from api.dispatch.forms import EventOut, EventPage
from api.dispatch.translate import event_out
from api.http.auth import Who
from api.http.live import HEARTBEAT_S, Live, News, Zone
from api.store import Scope
from api.store import events as stored
from geo.errors import InputError

__all__ = ["router"]

router = APIRouter(prefix="/v1/events", tags=["events"])
AT_ONCE = 500
After = Annotated[int | None, Query(ge=0, description="Only events after this number; null: from now on.")]


def _read(live: Desk, who: Scope, after: int, limit: int) -> list[stored.EventRow]:
    with live.database.reading() as connection:
        return stored.after(connection, who, after, limit)


def _last(live: Desk, who: Scope) -> int:
    with live.database.reading() as connection:
        return stored.last_seq(connection, who)


@router.get("", summary="Events after a number")
async def page(
    live: Live, caller: Who, zone: Zone,
    after: Annotated[int, Query(ge=0, description="Only events after this number.")] = 0,
    limit: Annotated[int, Query(ge=1, le=AT_ONCE, description="How many at most.")] = 100,
) -> EventPage:  # fmt: skip
    """Return what happened within the caller's sight, in order; ask again after `last`."""
    rows = await run_in_threadpool(_read, live, caller.scope, after, limit)
    return EventPage(events=[event_out(row, zone) for row in rows], last=rows[-1].seq if rows else after)


@router.get(
    "/stream",
    summary="Events as they happen",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events, one a message."}},
)
async def stream(
    live: Live, caller: Who, zone: Zone, request: Request, after: After = None,
    last_event_id: Annotated[str | None, Header(description="Number of the last event seen.")] = None,
) -> StreamingResponse:  # fmt: skip
    """Server-sent events (WHATWG HTML 9.2): `id` is the number to go on from, `event` the kind.

    A browser sends `Last-Event-ID` by itself when it connects again: no event is lost and none comes twice.
    """
    if last_event_id is not None:
        if not last_event_id.isdecimal():
            raise InputError("Last-Event-ID is the number of an event")
        after = int(last_event_id)
    if after is None:
        after = await run_in_threadpool(_last, live, caller.scope)
    news: News = request.app.state.news
    lines = _lines(live, caller.scope, zone, news, after)
    return StreamingResponse(lines, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def _lines(live: Desk, who: Scope, zone: Zone, news: News, after: int) -> AsyncIterator[str]:
    # What tells a browser how soon to connect again, and opens the stream at once.
    yield "retry: 2000\n\n"
    while not news.closed:
        ticket = news.ticket()
        rows = await run_in_threadpool(_read, live, who, after, AT_ONCE)
        for row in rows:
            after = row.seq
            yield _message(event_out(row, zone))
        if not rows and not await news.wait(ticket, HEARTBEAT_S):
            yield ": still here\n\n"


def _message(event: EventOut) -> str:
    body = json.dumps(event.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.seq}\nevent: {event.kind}\ndata: {body}\n\n"
