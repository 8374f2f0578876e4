"""The calls that come thousands of times a minute, without what the framework does around each.

To solve the dependencies of a call one by one, and to try its route three times, takes more processor time
than reading the request and answering it. A quick route calls the same handler with the same forms; a request
that it does not understand at once (a body that the form refuses, another content type, an unknown parameter)
goes to the route of the document, which says what is wrong with it.
"""

import functools
import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, cast, get_args, get_origin

from fastapi import Request, Response, params
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from api.http.access.auth import BEARER, Caller, caller_of
from api.http.middleware import replayed
from api.http.repeats import OnceRoute, json_answer, once_under_key

__all__ = ["QuickRoute"]

_KNOWN = 1_000
"""Texts of addresses' queries that are read once."""
Provider = Callable[[Request, Response], Awaitable[Any]]


class QuickRoute(BaseRoute):
    """One call, before the route of the document.

    Parameters
    ----------
    route : APIRoute
        Of the document: its handler is called.
    full : BaseRoute
        What answers where this one does not understand.

    Raises
    ------
    TypeError
        Where the handler wants something that is not known here: found out when the service is made.
    """

    def __init__(self, route: APIRoute, full: BaseRoute) -> None:
        self.path, self._full, self._status = route.path, full, route.status_code
        (self._method,) = route.methods or {""}
        self._regex = route.path_regex
        self._endpoint = route.endpoint
        self._once = isinstance(route, OnceRoute) and self._method == "POST"
        self._providers: dict[str, Provider] = {}
        self._texts: dict[str, tuple[str, str, TypeAdapter[Any], bool]] = {}
        self._form: tuple[str, type[BaseModel]] | None = None
        self._query = functools.lru_cache(_KNOWN)(self._read_query)
        hints = typing.get_type_hints(route.endpoint, include_extras=True)
        for name, one in inspect.signature(route.endpoint).parameters.items():
            self._add(name, hints[name], one.default)

    def _add(self, name: str, hint: Any, default: object) -> None:  # noqa: ANN401
        extras = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        depends = next((one for one in extras if isinstance(one, params.Depends)), None)
        if depends is not None:
            self._providers[name] = _provider(cast(Callable[..., Any], depends.dependency))
        elif hint is Request:
            self._providers[name] = _itself
        elif isinstance(hint, type) and issubclass(hint, BaseModel):
            self._form = name, hint
        else:
            self._texts[name] = _text(name, hint, extras, required=default is inspect.Parameter.empty)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Take the one method of the one address, where the service stands at the root."""
        if scope["type"] != "http" or scope["method"] != self._method or scope.get("root_path"):
            return Match.NONE, {}
        found = self._regex.match(scope["path"])
        if found is None:
            return Match.NONE, {}
        return Match.FULL, {"route": self, "path_params": found.groupdict()}

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:  # noqa: ANN401
        """Return the address as the route of the document does."""
        return self._full.url_path_for(name, **path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or leave it to the route of the document."""
        request = Request(scope, receive, send)
        body = await request.body()
        given = self._given(request, body)
        if given is None:
            self._full.matches(scope)
            await self._full.handle(scope, replayed(body, receive), send)
            return

        async def answered() -> Response:
            extra = Response()
            for name, provide in self._providers.items():
                given[name] = await provide(request, extra)
            told = await self._endpoint(**given)
            if isinstance(told, Response):
                return told
            headers = {name: value for name, value in extra.headers.items() if name != "content-length"}
            return json_answer(told, self._status or 200, headers)

        response = await (once_under_key(request, answered) if self._once else answered())
        await response(scope, receive, send)

    def _given(self, request: Request, body: bytes) -> dict[str, Any] | None:
        """Return form and parameters; None where they are not understood."""
        query = self._query(request.scope["query_string"])
        if query is None:
            return None
        given = dict(query)
        places: Mapping[str, Mapping[str, str]] = {
            "path": request.path_params, "header": cast(Mapping[str, str], request.headers)
        }  # fmt: skip
        try:
            for name, (where, alias, kind, _) in self._texts.items():
                if where != "query" and alias in places[where]:
                    given[name] = kind.validate_python(places[where][alias])
            if self._form is not None:
                name, form = self._form
                if not request.headers.get("content-type", "").startswith("application/json"):
                    return None
                given[name] = form.model_validate_json(body)
        except ValidationError:
            return None
        return given

    def _read_query(self, text: bytes) -> dict[str, Any] | None:
        """Return the parameters of an address; None where they are not understood."""
        asked = Request({"type": "http", "query_string": text, "headers": []}).query_params
        mine = {one[1]: (name, one[2]) for name, one in self._texts.items() if one[0] == "query"}
        missing = [name for name, (where, alias, _, needed) in self._texts.items()
                   if where == "query" and needed and alias not in asked]  # fmt: skip
        if missing or not asked.keys() <= mine.keys() or len(asked.multi_items()) != len(asked):
            return None
        try:
            return {mine[alias][0]: mine[alias][1].validate_python(value) for alias, value in asked.items()}
        except ValidationError:
            return None


async def _itself(request: Request, _: Response) -> Request:
    return request


def _provider(asked: Callable[..., Any]) -> Provider:
    """Return what gives a handler one of the things it depends on."""
    wanted = inspect.signature(asked, eval_str=True).parameters
    if list(wanted) == ["request"]:
        return lambda request, _: asked(request)
    (first, *others) = wanted.items()
    if not others and get_args(first[1].annotation)[:1] == (Caller,):

        async def caller(request: Request, _: Response) -> Any:  # noqa: ANN401
            return await asked(await caller_of(request, await BEARER(request)))

        return caller
    if first[1].annotation is Response and [name for name, _ in others] == ["accept_language"]:

        async def language(request: Request, response: Response) -> Any:  # noqa: ANN401
            return await asked(response, request.headers.get("accept-language", "en"))

        return language
    raise TypeError(f"no quick route knows what {asked} wants")


def _text(
    name: str,
    hint: Any,  # noqa: ANN401
    extras: Sequence[object],
    *,
    required: bool,
) -> tuple[str, str, TypeAdapter[Any], bool]:
    """Return where a parameter stands, its name there, what reads it, and whether it must be there."""
    kinds: dict[type, str] = {params.Path: "path", params.Query: "query", params.Header: "header"}
    for one in extras:
        if isinstance(one, params.Path | params.Query | params.Header):
            where = kinds[type(one)]
            plain = name.replace("_", "-") if where == "header" else name
            base, *bounds = get_args(hint)
            bounds = [*(each for each in bounds if each is not one), *one.metadata]
            kind: Any = Annotated[base, *bounds] if bounds else base
            return where, one.alias or plain, TypeAdapter(kind), required
    raise TypeError(f"no quick route knows where {name} stands")
