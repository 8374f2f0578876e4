"""``GET /v1/events``: what happened, as pages or as a stream (server-sent events)."""

import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from api.dispatch.desk import Desk
from api.dispatch.forms import EventOut, EventPage
from api.dispatch.translate import event_out
from api.http.access.auth import Who
from api.http.deps import Clock
from api.http.live import HEARTBEAT_S, Live, News, StillGood, Zone
from api.http.metrics import Metrics
from api.store import Scope
from api.store.dispatch import events as stored

__all__ = ["router"]

router = APIRouter(prefix="/v1/events", tags=["events"])
AT_ONCE = 500
AfterPage = Annotated[
    str | None, Query(max_length=40, description="Only events after this `seq` or `last`; null: all.")
]
AfterStream = Annotated[
    str | None, Query(max_length=40, description="Only events after this `seq`; null: from now on.")
]


def _read(live: Desk, who: Scope, after: int, limit: int) -> list[stored.EventRow]:
    with live.database.reading() as connection:
        return stored.after(connection, who, after, limit)


def _last(live: Desk, who: Scope) -> int:
    with live.database.reading() as connection:
        return stored.last_seq(connection, who)


@router.get("", summary="Events after another one")
async def page(
    live: Live, caller: Who, zone: Zone,
    after: AfterPage = None,
    limit: Annotated[int, Query(ge=1, le=AT_ONCE, description="How many at most.")] = 100,
) -> EventPage:  # fmt: skip
    """Return what happened within the caller's sight, in order; ask again after `last`."""
    tenant = caller.scope.tenant_id
    seq = 0 if after is None else live.numbers.seq(tenant, after)
    rows = await run_in_threadpool(_read, live, caller.scope, seq, limit)
    shown = [event_out(row, live.numbers.word(tenant, row.seq), zone) for row in rows]
    return EventPage(events=shown, last=shown[-1].seq if shown else after)


@router.get(
    "/stream",
    summary="Events as they happen",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events, one a message."}},
)
async def stream(
    live: Live, caller: Who, zone: Zone, clock: Clock, request: Request,
    after: AfterStream = None,
    last_event_id: Annotated[str | None, Header(description="`seq` of the last event seen.")] = None,
) -> StreamingResponse:  # fmt: skip
    """Server-sent events (WHATWG HTML 9.2): `id` is the `seq` to go on from, `event` the kind.

    A browser sends `Last-Event-ID` by itself when it connects again: no event is lost and none comes twice.
    """
    word = last_event_id or after
    if word is None:
        seq = await run_in_threadpool(_last, live, caller.scope)
    else:
        seq = live.numbers.seq(caller.scope.tenant_id, word)
    news: News = request.app.state.news
    lines = _lines(
        live, caller.scope, zone, Watching(news, request.app.state.metrics, clock, StillGood(request)), seq
    )
    return StreamingResponse(lines, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


@dataclasses.dataclass(frozen=True, slots=True)
class Watching:
    """What a stream waits for, and what is measured of it."""

    news: News
    metrics: Metrics
    clock: Clock
    still_good: StillGood


async def _lines(live: Desk, who: Scope, zone: Zone, watching: Watching, after: int) -> AsyncIterator[str]:
    news, metrics = watching.news, watching.metrics
    # What a reader had missed is late by their absence, not by ours.
    up_to_date = False
    metrics.readers.inc()
    try:
        # What tells a browser how soon to connect again, and opens the stream at once. Its mark leads back
        # here: a line that breaks before the first event would else go on behind what happened meanwhile.
        yield f"retry: 2000\nid: {live.numbers.word(who.tenant_id, after)}\n\n"
        while not news.closed and await watching.still_good():
            ticket = news.ticket()
            rows = await run_in_threadpool(_read, live, who, after, AT_ONCE)
            for row in rows:
                after = row.seq
                yield _message(event_out(row, live.numbers.word(who.tenant_id, row.seq), zone))
                if up_to_date:
                    metrics.streamed(watching.clock().timestamp() - row.event.at_s)
            up_to_date = up_to_date or not rows
            if not rows and not await news.wait(ticket, HEARTBEAT_S):
                yield ": still here\n\n"
    finally:
        metrics.readers.dec()


def _message(event: EventOut) -> str:
    body = json.dumps(event.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.seq}\nevent: {event.kind}\ndata: {body}\n\n"
