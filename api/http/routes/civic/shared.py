"""What handlers of the civic side share: the civic side itself, callers without a key, offices by name."""

import dataclasses
import datetime
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute

from api.civic.desk import Civic
from api.forms import Language
from api.http.access.auth import BEARER, Caller, RateLimitedError, caller_of, require
from api.http.access.rates import Buckets
from api.http.deps import Lang
from api.http.live import Zone
from api.http.repeats import RepeatableRoute
from api.settings import Settings
from api.store import SERVICE, StoreUnavailable
from api.store.civic import offices

__all__ = [
    "AnyCaller",
    "CivicSide",
    "ForReader",
    "Now",
    "OfficerCaller",
    "OpenCaller",
    "OpenRoute",
    "Reader",
    "count_open",
    "open_rates",
    "titles_of",
]

OfficerCaller = Annotated[Caller, Depends(require("planner", "grid_staff"))]


def open_rates(settings: Settings) -> Buckets:
    """Return the buckets of addresses that call without a key."""
    return Buckets(settings.open_per_min / 60, settings.open_burst)


class OpenRoute(RepeatableRoute):
    """A route that takes callers without a key too; for them there is no idempotency key."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Wrap the handler."""
        plain = APIRoute.get_route_handler(self)
        keyed = super().get_route_handler()

        async def either(request: Request) -> Response:
            return await (keyed if "authorization" in request.headers else plain)(request)

        return either


async def _civic(request: Request) -> Civic:
    civic: Civic | None = request.app.state.civic
    if civic is None:
        raise StoreUnavailable(
            "this service answers single requests only: it was started without a store", 60
        )
    return civic


async def _any_caller(request: Request) -> Caller | None:
    """Return who calls; None for somebody without a key."""
    if "authorization" not in request.headers:
        return None
    return await caller_of(request, await BEARER(request))


async def _open_caller(request: Request) -> Caller | None:
    """Return who calls, and count what comes without a key by its address."""
    caller = await _any_caller(request)
    if caller is None:
        count_open(request)
    return caller


def count_open(request: Request) -> None:
    """Count what comes without a key by its address.

    Raises
    ------
    RateLimitedError
    """
    rates: Buckets = request.app.state.open_rates
    address = "" if request.client is None else request.client.host
    taken = rates.take(address, time.monotonic())
    request.state.rate = taken.headers
    if not taken.allowed:
        raise RateLimitedError(taken.retry_after_s, "this address has sent as much as it may without a key")


async def _now(request: Request) -> float:
    clock: Callable[[], datetime.datetime] = request.app.state.clock
    return clock().timestamp()


CivicSide = Annotated[Civic, Depends(_civic)]
AnyCaller = Annotated[Caller | None, Depends(_any_caller)]
OpenCaller = Annotated[Caller | None, Depends(_open_caller)]
Now = Annotated[float, Depends(_now)]


@dataclasses.dataclass(frozen=True, slots=True)
class Reader:
    """Who reads an answer, and when: what its times and sentences follow."""

    zone: datetime.tzinfo
    lang: Language
    now_s: float


def _reader(zone: Zone, lang: Lang, now_s: Now) -> Reader:
    return Reader(zone, lang, now_s)


ForReader = Annotated[Reader, Depends(_reader)]


def titles_of(connection: sa.Connection) -> Mapping[str, str]:
    """Return what offices are called, by their names."""
    return {row.tenant_id: row.title for row in offices.list_all(connection, SERVICE)}
