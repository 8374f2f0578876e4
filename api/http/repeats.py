"""``Idempotency-Key`` on every POST that changes something: the same answer again for a day.

As in the IETF draft "The Idempotency-Key HTTP Header Field": another request under the same key is refused
(422), one that is still in work too (409). What was refused, or failed for the service's sake (5xx), has left
nothing behind and may be tried again.

Commands of the desk claim the key, do the work and keep the answer in one transaction (`OnceRoute` and
`answered`): whenever a process dies, either all of it is there or nothing. What is done elsewhere
(`RepeatableRoute`) claims the key first and keeps the answer last.
"""

import contextvars
import dataclasses
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.dispatch import acts
from api.dispatch.desk import REFUSALS, Desk, Turn
from api.dispatch.turn import Labelled
from api.http.access.auth import BEARER, Caller, caller_of
from api.http.live import carried_out
from api.store import Scope
from api.store.access import audit, idempotency
from geo.errors import InputError, YiluError

__all__ = ["InWorkError", "OnceRoute", "RepeatableRoute", "answered", "json_answer", "once_under_key"]

T = TypeVar("T")

_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_KEPT_HEADERS = ("content-type", "etag", "location", "content-language")
Handler = Callable[[Request], Awaitable[Response]]


class InWorkError(YiluError):
    """The first request under this key has not been answered yet."""

    headers: ClassVar = {"retry-after": "1"}


@dataclasses.dataclass(frozen=True, slots=True)
class _Key:
    """The key of a request, and what tells it from others."""

    who: Scope
    key: str
    digest: str

    @property
    def tenant(self) -> str:
        return str(self.who.tenant_id)

    def begin(self, turn: Turn) -> idempotency.Begun:
        """Claim the key, or learn what became of it."""
        return idempotency.begin(turn.connection, self.who, self.tenant, self.key, self.digest, turn.now_s)

    def finish(self, turn: Turn, response: Response) -> None:
        """Keep the answer."""
        kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        answer = idempotency.KeptAnswer(response.status_code, kept, bytes(response.body))
        idempotency.finish(turn.connection, self.who, self.tenant, self.key, answer)

    def release(self, turn: Turn) -> None:
        """Give the key back."""
        idempotency.release(turn.connection, self.who, self.tenant, self.key)


def _replayed(begun: idempotency.Begun) -> Response:
    """Return the answer that was given under a key which is not new."""
    if begun.state == "conflict":
        raise InputError("this Idempotency-Key was used for another request; take a new one")
    if begun.answer is None:
        raise InWorkError("the first request under this Idempotency-Key is still being answered")
    headers = {**begun.answer.headers, "idempotency-replayed": "true"}
    return Response(begun.answer.body, begun.answer.status, headers)


_GIVEN: contextvars.ContextVar[_Key | None] = contextvars.ContextVar("idempotency_key", default=None)


async def _key_of(request: Request) -> _Key | None:
    """Return the key of a request; None where it has none, or nothing is kept.

    Raises
    ------
    InputError
        Where it cannot be one.
    """
    key = request.headers.get("idempotency-key")
    if key is None or request.app.state.desk is None:
        return None
    # The draft has the key as a quoted string; most clients send it bare.
    key = key.strip().removeprefix('"').removesuffix('"')
    if not _KEY.fullmatch(key):
        raise InputError("Idempotency-Key must have 1 to 128 printable characters without blanks")
    caller = await caller_of(request, await BEARER(request))
    named = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    digest = hashlib.sha256(named + await request.body()).hexdigest()
    return _Key(caller.scope, key, digest)


class OnceRoute(APIRoute):
    """A route whose POSTs answer by `answered`."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Wrap the handler."""
        handler: Handler = super().get_route_handler()
        if self.methods is None or "POST" not in self.methods:
            return handler

        async def once(request: Request) -> Response:
            return await once_under_key(request, lambda: handler(request))

        return once


async def once_under_key(request: Request, handler: Callable[[], Awaitable[Response]]) -> Response:
    """Have a handler answer by `answered`, under the key of its request."""
    token = _GIVEN.set(await _key_of(request))
    try:
        return await handler()
    finally:
        _GIVEN.reset(token)


async def answered(
    desk: Desk,
    caller: Caller,
    act: tuple[str, str | None],
    work: Callable[[Turn], T],
    told: Callable[[T], Response],
    of: str | None = None,
    called: Labelled | None = None,
) -> Response:
    """Have a command carried out that goes on record, and answer it; once for each ``Idempotency-Key``.

    Parameters
    ----------
    desk : Desk
    caller : Caller
    act : tuple of str
        What is done, and to which object.
    work : callable
        The command.
    told : callable
        Makes the answer; with a key it is called in the desk's thread, before anything is kept.
    of : str, optional
        The task that it is about.
    called : Labelled, optional
        Or what its publisher calls it.
    """
    action, object_id = act
    key = _GIVEN.get()

    def noted(found: str | None, outcome: str, at_s: float) -> audit.AuditEntry:
        return acts.entry(caller.scope, caller.key_id, caller.request_id, action, found, outcome, at_s)

    command = acts.audited(work, noted, object_id)
    if key is None:
        return told(await carried_out(desk, command, of, called))

    def once(turn: Turn) -> tuple[idempotency.Begun, Response | None]:
        begun = key.begin(turn)
        if begun.state != "new":
            return begun, None
        try:
            response = told(command(turn))
        except (*REFUSALS, InputError):
            # Asked again, it is found out again.
            key.release(turn)
            raise
        key.finish(turn, response)
        return begun, response

    begun, response = await carried_out(desk, once, of, called)
    return _replayed(begun) if response is None else response


def json_answer(model: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer as FastAPI would make it of a model."""
    text = model.model_dump_json(by_alias=True)
    return Response(text, status, dict(headers or {}), media_type="application/json")


class RepeatableRoute(APIRoute):
    """A route whose POSTs may be sent again under the same ``Idempotency-Key``."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Wrap the handler."""
        handler: Handler = super().get_route_handler()
        if self.methods is None or "POST" not in self.methods:
            return handler

        async def repeatable(request: Request) -> Response:
            key = await _key_of(request)
            if key is None:
                return await handler(request)
            return await _answered_once(request.app.state.desk, key, request, handler)

        return repeatable


async def _answered_once(desk: Desk, key: _Key, request: Request, handler: Handler) -> Response:
    begun = await carried_out(desk, key.begin)
    if begun.state != "new":
        return _replayed(begun)
    try:
        response = await handler(request)
    except Exception:
        # A refusal has changed nothing: asked again, it is found out again.
        await carried_out(desk, key.release)
        raise
    await carried_out(desk, lambda turn: key.finish(turn, response))
    return response
