"""Guards around every request: a limit on its size, compressed or not, and headers for every page."""

import asyncio
import json
import logging
import re
import time
import uuid
import zlib
from collections.abc import Awaitable, Callable, Collection, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems.errors import (
    BUSY,
    ENCODING,
    INTERNAL,
    INVALID,
    TOO_LARGE,
    TooLargeError,
    problem_response,
)

__all__ = [
    "BodyLimit",
    "BoundedWork",
    "HeadAsGet",
    "Lingering",
    "NoNul",
    "RequestError",
    "RequestId",
    "SecurityHeaders",
    "replayed",
]

LOG = logging.getLogger("yilu.requests")
_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")

# Maps and reports carry their scripts and styles inside; nothing may be fetched from elsewhere.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"geolocation=(), camera=(), microphone=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


KEPT_BYTES = 65_536
"""So much of a body left unread does not cost the connection."""


class HeadAsGet:
    """Answer HEAD as GET, without what would follow the headers (RFC 9110, section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; of what answers HEAD only the headers go out."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        ended = False

        async def headers_only(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start":
                await send(message)
            elif not ended:
                # Ended at once: a stream that never ends is told that nobody reads on.
                ended = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self.app({**scope, "method": "GET"}, receive, headers_only)


class Lingering:
    """Let a client that is still sending read its refusal.

    A server that closes while the client sends makes the kernel reset the connection, and the answer is lost
    on its way (RFC 9112, section 9.6). So what is left of a body is read and dropped after the answer, within
    bounds, before the answer ends.
    """

    def __init__(
        self, app: ASGIApp, max_bytes: int = 1_000_000_000, max_s: float = 30.0, silent_s: float = 5.0
    ) -> None:
        self.app = app
        self.max_bytes, self.max_s, self.silent_s = max_bytes, max_s, silent_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; the last piece of an answer that came early waits for the body."""
        if scope["type"] != "http" or not _has_body(scope):
            await self.app(scope, receive, send)
            return
        declared = _declared_bytes(scope)
        more, read, ended = True, 0, False

        async def counted() -> Message:
            nonlocal more, read
            message = await receive()
            more = message["type"] == "http.request" and bool(message.get("more_body"))
            read += len(message.get("body", b""))
            return message

        async def held(message: Message) -> None:
            nonlocal ended
            if more and message["type"] == "http.response.start":
                # Whether the rest will ever come nobody knows; a little of it may stay on the connection.
                if declared is None or declared - read > KEPT_BYTES:
                    headers = [*message.get("headers", []), (b"connection", b"close")]
                    message = {**message, "headers": headers}
            elif more and not message.get("more_body"):
                ended = True
                message = {**message, "more_body": True}
            await send(message)

        try:
            await self.app(scope, counted, held)
        finally:
            if ended:
                await self._drop_rest(counted, lambda: more and read <= self.max_bytes)
                await send({"type": "http.response.body", "body": b""})

    async def _drop_rest(self, receive: Receive, goes_on: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(self.max_s):
                while goes_on():
                    await asyncio.wait_for(receive(), self.silent_s)
        except TimeoutError:
            return


class RequestError(RuntimeError):
    """An error of the program while it answered, told to the log by its kind alone."""


class RequestId:
    """Give every answer the ``X-Request-ID`` of its request, or a new one, and log one line with it.

    The line is JSON. It has the form of the address, never its values, no query and no body: they may hold
    positions, names and ids of riders.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with a `send` that adds the header."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        # What is no plain word is not repeated: it would stand in the log.
        name = given if _ID.fullmatch(given) else uuid.uuid4().hex.encode()
        scope.setdefault("state", {})["request_id"] = name.decode()
        began, status, started = time.perf_counter(), 500, False

        async def with_id(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                message = {**message, "headers": [*message.get("headers", []), (b"x-request-id", name)]}
            await send(message)

        try:
            await self.app(scope, receive, with_id)
        except Exception as error:
            # Answered here, inside of what adds the id; the server still learns of the error, and where it
            # arose, but not its text: that may name a rider or a place.
            if not started:
                await problem_response(INTERNAL, INTERNAL.title, HTTPConnection(scope))(
                    scope, receive, with_id
                )
            raise RequestError(type(error).__name__).with_traceback(error.__traceback__) from None
        finally:
            if LOG.isEnabledFor(logging.INFO):
                line = {
                    "request_id": name.decode(),
                    "method": scope["method"],
                    "route": scope["state"].get("route", "none"),
                    "status": status,
                    "ms": round((time.perf_counter() - began) * 1000),
                }
                LOG.info("%s", json.dumps(line))


class NoNul:
    """Refuse addresses with the character U+0000, which no text has and PostgreSQL cannot hold."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 422."""
        if scope["type"] != "http" or not ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            await self.app(scope, receive, send)
            return
        detail = "the address has the character U+0000 in it, which is in no text"
        await problem_response(INVALID, detail, HTTPConnection(scope))(scope, receive, send)


class SecurityHeaders:
    """Add the security headers; answers under ``/v1`` are never stored by a cache."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with a `send` that adds the headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        private = scope["path"].startswith("/v1") or "/v1/" in scope["path"]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = (*HEADERS, (b"cache-control", b"no-store")) if private else HEADERS
                said = list(message.get("headers", []))
                # Pages have a stricter policy of their own; two would both have to hold.
                own = {name.lower() for name, _ in said}
                said += [(name, value) for name, value in extra if name not in own]
                message = {**message, "headers": said}
            await send(message)

        await self.app(scope, receive, with_headers)


def _has_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers


def _declared_bytes(scope: Scope) -> int | None:
    """Length that the request says its body has, None where it says none."""
    declared = dict(scope["headers"]).get(b"content-length", b"")
    return int(declared[:20]) if declared.isdigit() else None


class BoundedWork:
    """Hold no more bodies in work at one time than a limit; what comes beyond it is told to come again.

    One request alone is always taken. A body without a declared length counts as the largest one allowed;
    those of the addresses in `streamed` are written to the disk as they come and do not count.
    """

    def __init__(
        self, app: ASGIApp, max_bytes: int, largest_bytes: int, streamed: Collection[str] = ()
    ) -> None:
        self.app, self.streamed = app, streamed
        self.max_bytes, self.largest_bytes = max_bytes, largest_bytes
        self.in_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 503 before anything of its body is read."""
        passed = scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}
        if passed or scope["path"] in self.streamed:
            await self.app(scope, receive, send)
            return
        declared = _declared_bytes(scope)
        size = self.largest_bytes if declared is None else min(declared, self.largest_bytes)
        if self.in_work and self.in_work + size > self.max_bytes:
            detail = "requests are being answered that take all the memory there is for them; ask again"
            headers = {"retry-after": "1"}
            await problem_response(BUSY, detail, HTTPConnection(scope), headers=headers)(scope, receive, send)
            return
        # All on the event loop: nobody else counts between these lines.
        self.in_work += size
        try:
            await self.app(scope, receive, send)
        finally:
            self.in_work -= size


class BodyLimit:
    """Refuse bodies above a limit before anything parses them, and inflate those sent as gzip.

    Bodies of addresses with a limit of their own (`streamed`) are never held in memory: they are counted
    while they are read.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, streamed: Mapping[str, int] | None = None) -> None:
        self.app = app
        self.max_bytes, self.streamed = max_bytes, streamed or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body up to the limit and hand it on whole, or answer 413."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self.app(scope, receive, send)
            return
        coding = dict(scope["headers"]).get(b"content-encoding", b"identity").strip().lower()
        if coding not in (b"identity", b"gzip", b"x-gzip"):
            detail = "the body may be sent plain or with content-encoding gzip"
            headers = {"accept-encoding": "gzip"}
            refusal = problem_response(ENCODING, detail, HTTPConnection(scope), headers=headers)
            await refusal(scope, receive, send)
            return
        if scope["path"] in self.streamed:
            await self._pass_on(scope, receive, send, self.streamed[scope["path"]])
            return
        # The declared length spares reading what is refused anyway; what arrives is counted.
        body = bytearray()
        too_large = (_declared_bytes(scope) or 0) > self.max_bytes
        more = not too_large
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = bool(message.get("more_body", False))
            if len(body) > self.max_bytes:
                too_large, more = True, False
        plain: bytes | None = bytes(body)
        if coding != b"identity" and not too_large:
            try:
                plain = await run_in_threadpool(inflated, bytes(body), self.max_bytes)
            except zlib.error:
                detail = "the body is not the gzip that its content-encoding says"
                await problem_response(INVALID, detail, HTTPConnection(scope))(scope, receive, send)
                return
            kept = [pair for pair in scope["headers"] if pair[0] not in _OF_THE_CODING]
            scope = {**scope, "headers": kept}
        if too_large or plain is None:
            detail = f"the body may have at most {self.max_bytes} bytes"
            await problem_response(TOO_LARGE, detail, HTTPConnection(scope))(scope, receive, send)
            return
        await self.app(scope, replayed(plain, receive), send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, max_bytes: int) -> None:
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > max_bytes:
                raise TooLargeError(f"the body may have at most {max_bytes} bytes")
            return message

        if (_declared_bytes(scope) or 0) > max_bytes:
            detail = f"the body may have at most {max_bytes} bytes"
            await problem_response(TOO_LARGE, detail, HTTPConnection(scope))(scope, receive, send)
            return
        await self.app(scope, counted, send)


_OF_THE_CODING = (b"content-encoding", b"content-length")


def inflated(body: bytes, max_bytes: int) -> bytes | None:
    """Return what a gzip body holds; None where that is more than the limit.

    Raises
    ------
    zlib.error
        When it is no gzip, or not all of it.
    """
    out = bytearray()
    while body:
        member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        # No more than a byte beyond the limit is ever inflated.
        out += member.decompress(body, max_bytes - len(out) + 1)
        if len(out) > max_bytes:
            return None
        if not member.eof:
            raise zlib.error("the stream ends before its end")
        body = member.unused_data
    return bytes(out)


def replayed(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """Return a `receive` that gives a body which has been read once more."""
    sent = False

    async def once() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once
