"""Signing in by key, at the identity provider or (with `--dev`) as anybody; signing out; the language."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.dispatch.desk import MissingError
from api.forms import Language
from api.http.access.auth import DEV_TENANT, Access, Caller, UnauthorizedError
from api.http.access.code_flow import CodeFlow, Trip
from api.http.access.oidc import TokenError
from api.http.pages.frame.forms import CHOOSE, FILL_IN, Fields, FieldsError, Posted
from api.http.pages.frame.menu import HOME
from api.http.pages.frame.render import page, see_other
from api.http.pages.frame.route import PageRoute, told
from api.http.pages.frame.visitor import (
    LANGUAGE,
    SESSION,
    Member,
    Visiting,
    Visitor,
    cookie_name,
    drop_cookie,
    local_path,
    set_cookie,
)
from api.http.public import public_root
from api.store import SERVICE, Database, Scope, StoreUnavailable
from api.store.access import sessions, tenants
from api.store.tables import ROLES
from geo.errors import InputError
from geo.localtime import HOUR_S

__all__ = ["enter", "router"]

router = APIRouter(include_in_schema=False, route_class=PageRoute)
LASTS_S = 12 * HOUR_S
"""So long is somebody signed in: a long shift."""
BACK = "/sign-in/provider/back"
TRIP_S = 600
"""So long may somebody take at the provider."""
MOST_TRIPS = 5
"""Sign-ins under way that one browser holds; the oldest are forgotten."""
Next = Annotated[str, Query(max_length=2_000)]


def _store(request: Request) -> Database:
    access: Access = request.app.state.access
    if access.database is None:
        raise StoreUnavailable("this service was started without a store", 60)
    return access.database


async def _door(
    request: Request, visitor: Visitor, path: str, error: str | None = None, status: int = 200
) -> Response:
    access: Access = request.app.state.access

    def read() -> list[tenants.Tenant]:
        if not access.dev or access.database is None:
            return []
        with access.database.reading() as connection:
            return tenants.list_all(connection, SERVICE)

    return page(
        request,
        visitor,
        "sign_in",
        status,
        next=path,
        error=error,
        roles=ROLES,
        tenants=await run_in_threadpool(read),
        provider=access.oidc is not None,
        flow=access.code_flow is not None,
    )


@router.get("/sign-in")
async def door(request: Request, visitor: Visiting, next: Next = "/home") -> Response:  # noqa: A002
    """Ask for a key."""
    return await _door(request, visitor, local_path(next))


async def enter(request: Request, who: Scope, key_id: str, path: str) -> Response:
    """Let somebody in under a new word: one that was in the browser before is never used on."""
    database, now_s = _store(request), request.app.state.clock().timestamp()
    held = request.cookies.get(cookie_name(request, SESSION))

    def begin() -> str:
        with database.transaction() as connection:
            if held is not None:
                sessions.end(connection, held)
            return sessions.begin(connection, who, key_id, now_s, now_s + LASTS_S)

    word = await run_in_threadpool(begin)
    response = see_other(path)
    set_cookie(response, request, SESSION, word)
    # The word of the visit stays: a form that was opened before is still good.
    return response


@router.post("/sign-in")
async def by_key(request: Request, visitor: Visiting, fields: Posted) -> Response:
    """Let in who holds a good key."""
    access: Access = request.app.state.access
    path = local_path(fields.get("next", ""))
    try:
        key = fields.get("key", "")
        caller: Caller = await access.caller(request, key.encode("ascii", "replace").decode(), fresh=True)
    except UnauthorizedError as error:
        return await _door(request, visitor, path, told(error, visitor.lang), 401)
    return await enter(request, caller.scope, caller.key_id, path)


def _flow(request: Request) -> CodeFlow:
    access: Access = request.app.state.access
    if access.code_flow is None:
        raise MissingError("this service names no identity provider to sign in at")
    return access.code_flow


def _trip_cookie(state: str) -> str:
    """Name the cookie of one sign-in under way: several tabs each have their own."""
    return f"yilu_trip_{state[:8]}"


@router.get("/sign-in/provider")
async def leave_for_provider(request: Request, visitor: Visiting, next: Next = "/home") -> Response:  # noqa: A002
    """Send the browser to the identity provider."""
    flow, trip = _flow(request), Trip.begin(local_path(next))
    address = await run_in_threadpool(flow.address, trip, public_root(request) + BACK)
    response = see_other(address)
    for name in _trips_held(request)[: -MOST_TRIPS + 1]:
        response.delete_cookie(name, path="/", secure=name.startswith("__Host-"), httponly=True)
    set_cookie(response, request, _trip_cookie(trip.state), trip.kept, TRIP_S)
    return response


def _trips_held(request: Request) -> list[str]:
    begins = cookie_name(request, "yilu_trip_")
    return [name for name in request.cookies if name.startswith(begins)]


@router.get(BACK)
async def back_from_provider(request: Request, visitor: Visiting) -> Response:
    """Let in whom the provider knows; each sign-in is good for one return."""
    access: Access = request.app.state.access
    flow, told_back = _flow(request), dict(request.query_params)
    cookie = _trip_cookie(told_back.get("state", ""))
    trip = Trip.read(request.cookies.get(cookie_name(request, cookie), ""))
    now_s = request.app.state.clock().timestamp()

    def redeem(trip: Trip) -> Caller:
        return access.known(flow.redeem(trip, told_back, public_root(request) + BACK, now_s))[0]

    if trip is None and visitor.caller is not None:
        # A tab that was opened again after the browser was closed: who is in already is not sent to the door.
        return see_other("/home")
    try:
        if trip is None:
            raise TokenError("this sign-in was not begun in this browser, or too long ago; begin again")
        caller = await run_in_threadpool(redeem, trip)
        response = await enter(request, caller.scope, caller.key_id, local_path(trip.path))
    except (TokenError, UnauthorizedError) as error:
        path = "/home" if trip is None else local_path(trip.path)
        response = await _door(request, visitor, path, told(error, visitor.lang), 401)
    drop_cookie(response, request, cookie)
    return response


@router.post("/sign-in/dev")
async def by_choice(request: Request, visitor: Visiting, fields: Posted) -> Response:
    """Let anybody in as anybody, where the service runs for its developers alone."""
    access: Access = request.app.state.access
    if not access.dev:
        raise UnauthorizedError("this service asks for keys", given=False)
    path = local_path(fields.get("next", ""))
    try:
        who = _chosen(fields)
    except InputError as error:
        return await _door(request, visitor, path, told(error, visitor.lang), 422)
    return await enter(request, who, sessions.DEV, path)


def _chosen(fields: Fields) -> Scope:
    role, detail = fields.get("role", "admin"), fields.get("detail", "")
    if role not in ROLES:
        raise FieldsError({"role": CHOOSE})
    if not detail and role in ("rider", "grid_staff"):
        raise FieldsError({"detail": FILL_IN})
    codes = tuple(detail.replace(",", " ").split()) if role == "grid_staff" else ()
    rider = detail or None if role == "rider" else None
    return Scope(fields.get("tenant", DEV_TENANT), role, codes, rider)  # type: ignore[arg-type]


@router.post("/sign-out")
async def leave(request: Request, visitor: Visiting, fields: Posted) -> Response:
    """End the session here and in the store."""
    held = request.cookies.get(cookie_name(request, SESSION))
    if held is not None:
        database = _store(request)

        def end() -> None:
            with database.transaction() as connection:
                sessions.end(connection, held)

        await run_in_threadpool(end)
    response = see_other("/sign-in")
    drop_cookie(response, request, SESSION)
    # What the browser has kept for going back is dropped as well.
    response.headers["clear-site-data"] = '"cache"'
    return response


@router.get("/home")
async def home(visitor: Member) -> Response:
    """Send everybody where their work begins."""
    return see_other(HOME[visitor.me.scope.role])


@router.get("/language/{lang}")
async def language(request: Request, lang: Language, next: Next = "/home") -> Response:  # noqa: A002
    """Remember a language."""
    response = see_other(local_path(next))
    set_cookie(response, request, LANGUAGE, lang)
    return response
