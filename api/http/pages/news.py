"""``/news``: tells an open page that something has happened which its reader may see, and nothing more.

The page then fetches its parts anew. So nobody waits for the next look, and nobody looks in vain. A line ends
by itself after a while and is opened again by the browser, by whoever is still signed in.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api.dispatch.desk import Desk
from api.http.live import HEARTBEAT_S, News
from api.http.pages.frame.render import HEADERS
from api.http.pages.frame.route import PageRoute
from api.http.pages.frame.visit import PageVisit, visit_of
from api.store import Scope, StoreUnavailable
from api.store.dispatch import events as stored

__all__ = ["router"]

router = APIRouter(include_in_schema=False, route_class=PageRoute)
AnyReader = Annotated[PageVisit, Depends(visit_of("platform", "planner", "grid_staff", "rider"))]
LASTS_S = 600.0
REST_S = 1.0
"""The store is asked no more often, however much happens: a hundred open pages are a hundred questions."""


@router.get("/news")
async def told(visit: AnyReader) -> Response:
    """Send a message without contents whenever something is news to the reader."""
    news: News = visit.request.app.state.news
    lines = _lines(visit.live, visit.who, news)
    return StreamingResponse(
        lines, media_type="text/event-stream", headers={**HEADERS, "x-accel-buffering": "no"}
    )


def _last(live: Desk, who: Scope) -> int:
    with live.database.reading() as connection:
        return stored.last_seq(connection, who)


async def _lines(live: Desk, who: Scope, news: News) -> AsyncIterator[str]:
    yield "retry: 4000\n\n"
    looked_s = time.monotonic()
    ends_s = looked_s + LASTS_S
    seen = await run_in_threadpool(_last, live, who)
    while not news.closed and looked_s < ends_s:
        ticket = news.ticket()
        try:
            last = await run_in_threadpool(_last, live, who)
        except StoreUnavailable:
            # The browser opens the line again; until then the page looks by itself.
            return
        looked_s = time.monotonic()
        if last > seen:
            seen = last
            yield "data: news\n\n"
        if not await news.wait(ticket, HEARTBEAT_S):
            yield ": still here\n\n"
        await asyncio.sleep(max(looked_s + REST_S - time.monotonic(), 0.0))
