"""``Idempotency-Key`` on every POST that changes something: the same answer again for a day.

As in the IETF draft "The Idempotency-Key HTTP Header Field": another request under the same key is refused
(422), one that is still in work too (409). What failed for the service's sake (5xx) may be tried again.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.dispatch.desk import Desk, Turn
from api.http.access.auth import BEARER, Caller, caller_of
from api.http.live import carried_out
from api.store.access import idempotency
from geo.errors import InputError, YiluError

__all__ = ["InWorkError", "RepeatableRoute"]

_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_KEPT_HEADERS = ("content-type", "etag", "location", "content-language")
Handler = Callable[[Request], Awaitable[Response]]


class InWorkError(YiluError):
    """The first request under this key has not been answered yet."""


class RepeatableRoute(APIRoute):
    """A route whose POSTs may be sent again under the same ``Idempotency-Key``."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Wrap the handler."""
        handler: Handler = super().get_route_handler()
        if self.methods is None or "POST" not in self.methods:
            return handler

        async def repeatable(request: Request) -> Response:
            key = request.headers.get("idempotency-key")
            desk: Desk | None = request.app.state.desk
            if key is None or desk is None:
                return await handler(request)
            # The draft has the key as a quoted string; most clients send it bare.
            key = key.strip().removeprefix('"').removesuffix('"')
            if not _KEY.fullmatch(key):
                raise InputError("Idempotency-Key must have 1 to 128 printable characters without blanks")
            caller = await caller_of(request, await BEARER(request))
            return await _answered_once(desk, caller, key, request, handler)

        return repeatable


async def _answered_once(
    desk: Desk, caller: Caller, key: str, request: Request, handler: Handler
) -> Response:
    body = await request.body()
    named = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    digest = hashlib.sha256(named + body).hexdigest()
    who, tenant = caller.scope, str(caller.scope.tenant_id)

    def begin(turn: Turn) -> idempotency.Begun:
        return idempotency.begin(turn.connection, who, tenant, key, digest, turn.now_s)

    begun = await carried_out(desk, begin)
    if begun.state == "conflict":
        raise InputError("this Idempotency-Key was used for another request; take a new one")
    if begun.state == "in_work":
        raise InWorkError("the first request under this Idempotency-Key is still being answered")
    if begun.answer is not None:
        headers = {**begun.answer.headers, "idempotency-replayed": "true"}
        return Response(begun.answer.body, begun.answer.status, headers)
    try:
        response = await handler(request)
    except Exception:
        # A refusal has changed nothing: asked again, it is found out again.
        await carried_out(desk, lambda turn: idempotency.release(turn.connection, who, tenant, key))
        raise
    kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    answer = idempotency.KeptAnswer(response.status_code, kept, bytes(response.body))
    await carried_out(desk, lambda turn: idempotency.finish(turn.connection, who, tenant, key, answer))
    return response
