"""JSON bodies read in a thread; large ones are answered by another process.

One call of the JSON or the validation library holds the interpreter for as long as it takes, in whatever
thread: 0.2 s for 20,000 riders, in which not even ``/healthz`` would be answered.
"""

import json
import os
from collections.abc import Callable, Coroutine
from typing import Any, cast, get_args

import anyio
from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope

from api.civic.desk import Civic
from api.http.access.auth import BEARER, caller_of, check_role
from api.http.deps import served_study
from api.http.offload.quick import riders_apart
from api.http.offload.workers import AskedRequest, Workers
from api.matching.forms import RiderIn
from api.store import Role
from geo.streets import StreetOverride

__all__ = ["LARGE_BYTES", "MATCHING_ROLES", "LargeBodyRoute", "body_as", "told"]

MATCHING_ROLES: tuple[Role, ...] = ("platform", "planner", "grid_staff")
LARGE_BYTES = 500_000
"""Bodies from this size on go to other processes and wait for each other; small ones go past them."""

MOST_WITHIN = 1_000
"""No list within a rider, a task or a vehicle may be longer; the forms say by how much shorter it must be."""


class _NotValidError(HTTPException):
    """Carries the errors of a body through FastAPI, which knows none but its own."""

    def __init__(self, errors: list[Any]) -> None:
        super().__init__(422)
        self.errors = errors


class LargeBodyRoute(APIRoute):
    """A route whose JSON body is not read on the event loop, and a large one not in this process.

    No more large bodies are worked on at one time than there are processors.
    """

    _large = anyio.CapacityLimiter(os.cpu_count() or 1)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of FastAPI around a request that reads its body so."""
        answer, field = super().get_route_handler(), self.body_field
        form = cast(type[BaseModel], None if field is None else field.field_info.annotation)

        async def handle(request: Request) -> Response:
            # A body is looked at only for those who may send it.
            check_role(await caller_of(request, await BEARER(request)), MATCHING_ROLES)
            whole = await request.body()
            here = _Read(request.scope, request.receive, form, whole)
            try:
                if len(whole) < LARGE_BYTES:
                    return await answer(here)
                async with self._large:
                    workers: Workers | None = getattr(request.app.state, "workers", None)
                    if workers is None:
                        return await answer(here)
                    return await workers.answer(await _asked(request, whole))
            except _NotValidError as error:
                raise RequestValidationError(error.errors) from None

        return handle


async def _asked(request: Request, body: bytes) -> AskedRequest:
    name = request.path_params.get("study")
    civic: Civic | None = request.app.state.civic
    return AskedRequest(
        folder=(await served_study(request)).folder,
        path=request.url.path,
        below="" if name is None else f"/s/{name}",
        query=request.scope["query_string"],
        language=request.headers.get("accept-language"),
        kind=request.headers.get("content-type"),
        body=body,
        overrides=((), 0.0) if civic is None or name is not None else await _overrides(request, civic),
    )


async def _overrides(request: Request, civic: Civic) -> tuple[tuple[StreetOverride, ...], float]:
    return await run_in_threadpool(civic.streets.overrides_at, request.app.state.clock().timestamp())


class _Read(Request):
    def __init__(self, scope: Scope, receive: Receive, form: type[BaseModel], body: bytes) -> None:
        super().__init__(scope, receive)
        self._asked, self._body = form, body

    async def json(self) -> BaseModel:
        return await run_in_threadpool(body_as, self._asked, self._body)


def body_as(form: type[BaseModel], body: bytes) -> BaseModel:
    """Return a body as the form that it must have; its riders, if all is well with them, in columns."""
    riders = form.model_fields.get("riders")
    of_plans = riders is not None and riders.annotation == tuple[RiderIn, ...]
    apart = riders_apart(form, body) if of_plans else None
    try:
        plain = from_json(body if apart is None else apart[1])
    except ValueError:
        # Slower, but what is no JSON is told by its place, and any Unicode is read.
        plain, apart = json.loads(body), None
    if isinstance(plain, dict):
        if apart is not None:
            plain["riders"] = ()
        _shorten(form, plain)
    try:
        read = form.model_validate(plain)
    except ValidationError as error:
        found = error.errors(include_url=False)
    else:
        return read if apart is None else read.model_copy(update={"riders": apart[0]})
    raise _NotValidError([{**one, "loc": ("body", *one["loc"])} for one in found])


def _shorten(form: type[BaseModel], plain: dict[str, Any]) -> None:
    """Make lists that are too long no longer than it takes to be told so.

    Every bad item of a list is told, and millions of them would take the memory of the machine.
    """
    for name, field in form.model_fields.items():
        most = min((one.max_length for one in field.metadata if hasattr(one, "max_length")), default=None)
        given = plain.get(name)
        if not isinstance(given, list):
            continue
        item = next(iter(get_args(field.annotation)), None)
        if most is not None and len(given) > most and isinstance(item, type) and issubclass(item, BaseModel):
            # As many as were sent, of which nothing else is wrong.
            plain[name] = (item.model_construct(),) * len(given)
            continue
        for one in given:
            if isinstance(one, dict):
                for key, value in one.items():
                    if isinstance(value, list) and len(value) > MOST_WITHIN:
                        one[key] = value[: MOST_WITHIN + 1]


def told(answer: BaseModel, response: Response, *, exclude_none: bool = False) -> Response:
    """Return an answer as JSON, written here: in the thread of the handler, not on the event loop."""
    text = answer.model_dump_json(exclude_none=exclude_none)
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(text, media_type="application/json", headers=headers)
