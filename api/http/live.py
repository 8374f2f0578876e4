"""What handlers of the live service share: the desk, the caller, cursors, and waiting for news."""

import asyncio
import base64
import binascii
import datetime
import json
import math
import time
import zoneinfo
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from api.dispatch import acts
from api.dispatch.desk import Desk, Turn
from api.dispatch.turn import KeptTurn, Labelled
from api.http.access.auth import BEARER, Access, Caller, UnauthorizedError, require
from api.store import StoreUnavailable
from api.store.access import audit
from api.store.rows import PageEnd
from geo.datum import Datum
from geo.errors import InputError, YiluError

__all__ = [
    "AdminCaller",
    "AnswerDatum",
    "Cursor",
    "HookCaller",
    "Limit",
    "Live",
    "News",
    "PlatformCaller",
    "PublisherCaller",
    "RiderCaller",
    "StillGood",
    "Zone",
    "carried_out",
    "commanded",
    "cursor_of",
    "noting",
    "position_of",
]

T = TypeVar("T")
HEARTBEAT_S = 15.0
RECHECKED_S = 10.0
"""How often a stream asks whether its key is still good."""

AdminCaller = Annotated[Caller, Depends(require())]
PlatformCaller = Annotated[Caller, Depends(require("platform"))]
RiderCaller = Annotated[Caller, Depends(require("platform", "rider"))]
HookCaller = Annotated[Caller, Depends(require("platform", "planner"))]
PublisherCaller = Annotated[Caller, Depends(require("platform", "planner", "grid_staff"))]

Limit = Annotated[int, Query(ge=1, le=1_000, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next` of the page before.")]
AnswerDatum = Annotated[Datum, Query(alias="datum", description="Datum of the positions in the answer.")]


class News:
    """Wakes those who wait for events when some have been kept. Lives on the event loop.

    Take a `ticket` before looking; what is kept after that ends the wait for it.
    """

    def __init__(self, desk: Desk) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed, self._moved = asyncio.Event(), asyncio.Event()
        self.closed = False
        desk.hear(self._heard)

    def _heard(self, kept: KeptTurn) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, kept.events)

    def _wake(self, events: bool = True) -> None:
        self._moved.set()
        self._moved = asyncio.Event()
        if events:
            self._changed.set()
            self._changed = asyncio.Event()

    def close(self) -> None:
        """End all waiting: the service stops."""
        self.closed = True
        self._wake()

    def ticket(self, *, moves: bool = False) -> asyncio.Event:
        """Return what to wait for; `moves`: riders' reports too, which are no events."""
        self._loop = asyncio.get_running_loop()
        return self._moved if moves else self._changed

    async def wait(self, ticket: asyncio.Event, timeout_s: float) -> bool:
        """Wait until something was kept after the ticket was taken; False when the time is over."""
        try:
            await asyncio.wait_for(ticket.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def until_some(self, read: Callable[[], list[T]], wait_s: float) -> list[T]:
        """Read beside the loop until there is something or the time is over (long poll)."""
        until = time.monotonic() + wait_s
        while True:
            ticket = self.ticket()
            found = await run_in_threadpool(read)
            left_s = until - time.monotonic()
            if found or left_s <= 0 or self.closed:
                return found
            await self.wait(ticket, left_s)


class StillGood:
    """Asks now and then whether the key that opened a stream is good: it may end, or be revoked."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._next_s = time.monotonic() + RECHECKED_S

    async def __call__(self) -> bool:
        """Return False where whoever holds the line must not read on."""
        if time.monotonic() < self._next_s:
            return True
        self._next_s = time.monotonic() + RECHECKED_S
        access: Access = self._request.app.state.access
        given = await BEARER(self._request)
        try:
            await access.caller(self._request, None if given is None else given.credentials)
        except UnauthorizedError:
            return False
        except YiluError:
            # A store that is away, or too many requests, says nothing of the key.
            return True
        return True


async def _desk(request: Request) -> Desk:
    desk: Desk | None = request.app.state.desk
    if desk is None:
        raise StoreUnavailable(
            "this service answers single requests only: it was started without a store", 60
        )
    return desk


async def _zone(request: Request) -> datetime.tzinfo:
    return zoneinfo.ZoneInfo(request.app.state.served.meta.timezone)


Live = Annotated[Desk, Depends(_desk)]
Zone = Annotated[datetime.tzinfo, Depends(_zone)]


async def carried_out(
    desk: Desk, work: Callable[[Turn], T], of: str | None = None, called: Labelled | None = None
) -> T:
    """Have a command carried out (see `Desk.submit`); returns when what it did is kept."""
    return await asyncio.wrap_future(desk.submit(work, of, called))


async def commanded(
    desk: Desk, caller: Caller, act: tuple[str, str | None], work: Callable[[Turn], T], of: str | None = None
) -> T:
    """Have a command carried out that goes on record: `act` is what is done, and to which object."""
    action, object_id = act

    def noted(found: str | None, outcome: str, at_s: float) -> audit.AuditEntry:
        return acts.entry(caller.scope, caller.key_id, caller.request_id, action, found, outcome, at_s)

    return await carried_out(desk, acts.audited(work, noted, object_id), of)


def noting(
    caller: Caller, action: str, now: datetime.datetime
) -> Callable[[str | None, str], audit.AuditEntry]:
    """Return what makes the line of the record for a command that no desk carries out.

    Of the object's id and the outcome; see `acts.entry`.
    """

    def noted(object_id: str | None, outcome: str) -> audit.AuditEntry:
        who = caller.scope, caller.key_id, caller.request_id
        return acts.entry(*who, action, object_id, outcome, now.timestamp())

    return noted


def cursor_of(position: PageEnd | None) -> str | None:
    """Return a page's end as a word that means nothing to its reader."""
    if position is None:
        return None
    text = json.dumps([position.created_s, position.row_id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position_of(cursor: str | None) -> PageEnd | None:
    """Return where a page ended.

    Raises
    ------
    InputError
        When the cursor is not one of ours.
    """
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        created_s, row_id = json.loads(text)
        position = PageEnd(float(created_s), str(row_id))
        # What no row of ours has; a database could not even look for it.
        if not math.isfinite(position.created_s) or not position.row_id.isprintable():
            raise ValueError(cursor)
        position.row_id.encode()
        return position
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        raise InputError("after is not the `next` of a page before") from None
