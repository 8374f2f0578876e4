"""``/news``: tells an open page that something has happened which its reader may see, and nothing more.

With ``moves`` also when riders in the reader's sight were reported, with ``study`` when a study of theirs has
come further. What a line looks at is what the reader's scope shows: nobody learns when others' riders move.

The page then fetches its parts anew. So nobody waits for the next look, and nobody looks in vain. A line ends
by itself after a while and is opened again by the browser, by whoever is still signed in.
"""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api.dispatch.desk import Desk
from api.forms import ServiceId
from api.http.live import HEARTBEAT_S, News
from api.http.pages.frame.render import HEADERS
from api.http.pages.frame.route import PageRoute
from api.http.pages.frame.visit import PageVisit, visit_of
from api.store import Scope, StoreUnavailable, jobs
from api.store.dispatch import events as stored
from api.store.dispatch import riders as rider_rows

__all__ = ["router"]

router = APIRouter(include_in_schema=False, route_class=PageRoute)
AnyReader = Annotated[PageVisit, Depends(visit_of("platform", "planner", "grid_staff", "rider"))]
LASTS_S = 600.0
STUDY_S = 2.0
"""How often the progress of a study is looked at, for a page that shows it."""
REST_S = 1.0
"""The store is asked no more often, however much happens: a hundred open pages are a hundred questions."""


@router.get("/news")
async def told(
    visit: AnyReader, moves: bool = False, study: Annotated[ServiceId | None, Query()] = None
) -> Response:
    """Send a message without contents whenever something is news to the reader."""
    news: News = visit.request.app.state.news
    lines = _lines(news, _Watch(visit.live, visit.who, moves, study))
    return StreamingResponse(
        lines, media_type="text/event-stream", headers={**HEADERS, "x-accel-buffering": "no"}
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Watch:
    """What a line looks at, for its reader."""

    live: Desk
    who: Scope
    moves: bool
    study: str | None

    @property
    def longest_s(self) -> float:
        """How long nothing needs to be looked at: a study runs in a process that does not wake us."""
        return HEARTBEAT_S if self.study is None else STUDY_S

    def mark(self) -> tuple[object, ...]:
        """Return what is another one after whatever is news."""
        with self.live.database.reading() as connection:
            events = stored.last_seq(connection, self.who)
            moves = rider_rows.last_change(connection, self.who) if self.moves else 0
            job = None if self.study is None else jobs.get(connection, self.who, self.study)
        return events, moves, None if job is None else (job.state, job.progress)


async def _lines(news: News, watch: _Watch) -> AsyncIterator[str]:
    yield "retry: 4000\n\n"
    looked_s = time.monotonic()
    ends_s = looked_s + LASTS_S
    seen, said_s = await run_in_threadpool(watch.mark), looked_s
    while not news.closed and looked_s < ends_s:
        ticket = news.ticket(moves=watch.moves)
        try:
            now = await run_in_threadpool(watch.mark)
        except StoreUnavailable:
            # The browser opens the line again; until then the page looks by itself.
            return
        looked_s = time.monotonic()
        if now != seen:
            seen, said_s = now, looked_s
            yield "data: news\n\n"
        if not await news.wait(ticket, watch.longest_s) and time.monotonic() >= said_s + HEARTBEAT_S:
            said_s = time.monotonic()
            yield ": still here\n\n"
        await asyncio.sleep(max(looked_s + REST_S - time.monotonic(), 0.0))
