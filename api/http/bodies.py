"""Large JSON bodies, read and checked in a thread and piece by piece.

One call of the JSON or the validation library holds the interpreter for as long as it takes, in whatever
thread: 0.5 s for 20,000 riders, in which not even ``/healthz`` is answered. In pieces it is held for
milliseconds.
"""

import contextlib
import json
import os
import re
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, cast, get_args, get_origin

import anyio
from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope

from api.http.access.auth import BEARER, caller_of, check_role
from api.store import Role

__all__ = ["MATCHING_ROLES", "LargeBodyRoute", "model_of", "told"]

MATCHING_ROLES: tuple[Role, ...] = ("platform", "planner", "grid_staff")
PIECE = 50
"""So many riders or tasks are checked in one go."""
AT_ONCE_BYTES = 2_500_000
"""Bodies up to this size are read at once, in some 25 ms."""
LARGE_BYTES = 500_000
"""Bodies from this size on wait for each other; the small ones go past them."""
_BLANK = " ", "\t", "\n", "\r"
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
Json = dict[str, Any]


class _NotValidError(HTTPException):
    """Carries the errors of a body through FastAPI, which knows none but its own."""

    def __init__(self, errors: list[Any]) -> None:
        super().__init__(422)
        self.errors = errors


class LargeBodyRoute(APIRoute):
    """A route whose JSON body comes to FastAPI as the form it asks for, already checked.

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
            checked = _Checked(request.scope, request.receive, form, whole)
            try:
                if len(whole) < LARGE_BYTES:
                    return await answer(checked)
                async with self._large:
                    return await answer(checked)
            except _NotValidError as error:
                raise RequestValidationError(error.errors) from None

        return handle


class _Checked(Request):
    def __init__(self, scope: Scope, receive: Receive, form: type[BaseModel], body: bytes) -> None:
        super().__init__(scope, receive)
        self._asked, self._body = form, body

    async def json(self) -> BaseModel:
        return await run_in_threadpool(model_of, self._asked, self._body)


def model_of(form: type[BaseModel], body: bytes) -> BaseModel:
    """Read and check a JSON body in small pieces.

    Parameters
    ----------
    form : type of BaseModel
    body : bytes
        As sent.

    Returns
    -------
    BaseModel
        The same as ``form.model_validate(json.loads(body))``.

    Raises
    ------
    json.JSONDecodeError
        When it is no JSON.
    HTTPException
        When it does not have the form; with the errors that `form` would tell.
    """
    if len(body) <= AT_ONCE_BYTES:
        # Quick, but its errors are told otherwise than those of a form: then it is read again.
        with contextlib.suppress(ValidationError):
            return form.model_validate_json(body)
    members = _members(body.decode(json.detect_encoding(body), "surrogatepass"))
    errors: list[Any] = []
    if isinstance(members, dict):
        for name, item, most in _long_fields(form):
            given = members.get(name)
            if isinstance(given, list) and len(given) > PIECE:
                members[name] = _checked(item, given, most, ("body", name), errors)
    try:
        checked = form.model_validate(members)
    except ValidationError as error:
        errors += [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
    if errors:
        order = list(form.model_fields)
        place = {name: at for at, name in enumerate(order)}
        raise _NotValidError(sorted(errors, key=lambda one: place.get(_second(one["loc"]), len(order))))
    return checked


def _second(location: tuple[object, ...]) -> str:
    return str(location[1]) if len(location) > 1 else ""


def _long_fields(form: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel], int]]:
    """Name, form of an item and most items of every field that is a list of forms."""
    for name, field in form.model_fields.items():
        arguments = get_args(field.annotation)
        if get_origin(field.annotation) is tuple and arguments[1:] == (...,):
            lengths = [one.max_length for one in field.metadata if hasattr(one, "max_length")]
            if isinstance(arguments[0], type) and issubclass(arguments[0], BaseModel):
                yield name, arguments[0], min(lengths, default=1 << 30)


def _checked(
    item: type[BaseModel], given: list[Any], most: int, location: tuple[str, str], errors: list[Any]
) -> tuple[BaseModel, ...]:
    """Check the items of a list; what is wrong goes to `errors`, and empty forms stand for the list then."""
    empty = item.model_construct()
    if len(given) > most:
        # The form itself tells that they are too many.
        return (empty,) * len(given)
    pieces: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[item, ...])  # type: ignore[valid-type]
    found: list[BaseModel] = []
    for at in range(0, len(given), PIECE):
        try:
            found += pieces.validate_python(given[at : at + PIECE])
        except ValidationError as error:
            errors += [
                {**one, "loc": (*location, at + int(one["loc"][0]), *one["loc"][1:])}
                for one in error.errors(include_url=False)
            ]
    return tuple(found) if len(found) == len(given) else (empty,) * len(given)


def _members(text: str) -> object:
    """Return a JSON text as Python has it; the lists right inside of an object are read item by item."""
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        return json.loads(text)
    found: Json = {}
    at = _skip(text, at + 1)
    if text[at : at + 1] != "}":
        while True:
            if text[at : at + 1] != '"':
                raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
            name, at = _DECODER.raw_decode(text, at)
            at = _skip(text, at)
            if text[at : at + 1] != ":":
                raise json.JSONDecodeError("Expecting ':' delimiter", text, at)
            at = _skip(text, at + 1)
            found[name], at = _items(text, at) if text[at : at + 1] == "[" else _DECODER.raw_decode(text, at)
            at = _skip(text, at)
            if text[at : at + 1] == "}":
                break
            if text[at : at + 1] != ",":
                raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
            at = _skip(text, at + 1)
    at = _skip(text, at + 1)
    if at != len(text):
        raise json.JSONDecodeError("Extra data", text, at)
    return found


def _items(text: str, at: int) -> tuple[list[Any], int]:
    """Read a list from its bracket on; return it and where it ends."""
    found: list[Any] = []
    at = _skip(text, at + 1)
    if text[at : at + 1] == "]":
        return found, at + 1
    while True:
        one, at = _DECODER.raw_decode(text, at)
        found.append(one)
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            return found, at + 1
        if text[at : at + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
        at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    if text[at : at + 1] not in _BLANK:
        return at
    space = _SPACE.match(text, at)
    return at if space is None else space.end()


def told(answer: BaseModel, response: Response, *, exclude_none: bool = False) -> Response:
    """Return an answer as JSON, written here: in the thread of the handler, not on the event loop."""
    text = answer.model_dump_json(exclude_none=exclude_none)
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(text, media_type="application/json", headers=headers)
