"""``/open311/v2``: GeoReport v2 for apps that speak it, over the same reports as ``/v1/reports``."""

import dataclasses
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.civic.desk import Civic
from api.civic.people import person_of
from api.civic.reports import codec
from api.civic.reports.matters import Made, matter_carried_out, on_matter
from api.civic.reports.translate import rounded_entry
from api.dispatch.desk import Desk, Turn
from api.http.access.auth import Access, Caller, UnauthorizedError
from api.http.deps import Ids
from api.http.language import preferred
from api.http.live import Live, Zone, carried_out
from api.http.problems.errors import problem_of
from api.http.problems.texts import sentence
from api.http.public import public_root
from api.http.routes.civic.photos import kept
from api.http.routes.civic.reports import account_of, read_report, reporting
from api.http.routes.civic.shared import CivicSide, Now, Reader, count_open
from api.open311 import (
    MEDIA_TYPES,
    NewUpdate,
    Open311Error,
    PublicMatter,
    RequestsQuery,
    accepted,
    definition,
    encode_errors,
    encode_services,
    encoded_definition,
    encoded_requests,
    encoded_updates,
    of_office,
    of_reporter,
    read_new_request,
    read_new_update,
    read_query,
    report_of,
    request_of,
    selected,
    services,
    token_answer,
    updates_of,
)
from api.settings import Settings
from api.store import SERVICE, StoreUnavailable
from api.store.civic import matters as rows
from api.store.civic import secret
from api.store.dispatch import events as stored
from geo.errors import YiluError
from geo.localtime import HOUR_S
from routing.civic import OVER, STAGES

__all__ = ["router"]

MOST_FIELDS = 200
MOST_FILES = 5

LARGEST = 1_000


def _form_of(request: Request) -> str:
    form = request.url.path.rpartition(".")[2]
    return form if form in MEDIA_TYPES else "json"


class Open311Route(APIRoute):
    """A route whose errors are lists in the form that was asked for, as the specification has it."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Wrap the handler."""
        handler = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                if request.url.path.rpartition(".")[2] not in MEDIA_TYPES:
                    raise Open311Error(404, "The format must be json or xml.")
                return await handler(request)
            except YiluError as error:
                return _refusal(request, error)
            except HTTPException as error:
                return _refusal(request, Open311Error(400, str(error.detail)))

        return told


def _refusal(request: Request, error: YiluError) -> Response:
    if isinstance(error, UnauthorizedError):
        # What the specification says of a missing or wrong api_key.
        told = Open311Error(403, "The api_key is not known, has expired or was revoked.")
    elif isinstance(error, Open311Error):
        told = error
    else:
        status = problem_of(error).status
        lang = preferred(request.headers.get("accept-language", ""))
        told = Open311Error(400 if status == 422 else status, sentence(str(error), lang))
    form = _form_of(request)
    headers = dict(getattr(error, "headers", {}))
    if isinstance(error, StoreUnavailable):
        headers["retry-after"] = str(error.retry_after_s)
    headers.pop("www-authenticate", None)
    return Response(encode_errors(told, form), told.status, headers, MEDIA_TYPES[form])


router = APIRouter(prefix="/open311/v2", tags=["open311"], route_class=Open311Route, include_in_schema=False)


def _told(request: Request, body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type=MEDIA_TYPES[_form_of(request)])


def _jurisdiction(request: Request) -> str:
    settings: Settings = request.app.state.settings
    return settings.jurisdiction


def _check_jurisdiction(request: Request) -> None:
    given = request.query_params.get("jurisdiction_id")
    known = _jurisdiction(request)
    if given and given != known:
        raise Open311Error(404, f"jurisdiction_id {given!r} is not served here; {known!r} is.")


@router.get("/services.{form}")
async def list_services(request: Request, form: str, civic: CivicSide) -> Response:
    """Return the kinds of reports as services."""
    _check_jurisdiction(request)
    lang = preferred(request.headers.get("accept-language", ""))
    return _told(request, encode_services(services(civic.rules.reports.kinds, lang), form))


@router.get("/services/{code}.{form}")
async def one_service(request: Request, code: str, form: str, civic: CivicSide) -> Response:
    """Return the definition of a service."""
    _check_jurisdiction(request)
    return _told(request, encoded_definition(definition(civic.rules.reports.kinds, code), form))


@router.get("/requests.{form}")
async def list_requests(
    request: Request, form: str, live: Live, civic: CivicSide, zone: Zone, now_s: Now
) -> Response:
    """Return what stands on the public board."""
    query = read_query(request.query_params.multi_items(), _jurisdiction(request), now_s, zone)
    return await _requests(request, live, civic, now_s, query)


@router.get("/requests/{request_id}.{form}")
async def one_request(
    request: Request, request_id: str, form: str, live: Live, civic: CivicSide, now_s: Now
) -> Response:
    """Return one request; what nobody may see is not there."""
    _check_jurisdiction(request)
    pairs = [("service_request_id", request_id)]
    query = read_query(pairs, _jurisdiction(request), now_s)
    return await _requests(request, live, civic, now_s, query, one=True)


async def _requests(
    request: Request, live: Desk, civic: Civic, now_s: float, query: RequestsQuery, *, one: bool = False
) -> Response:
    found = await run_in_threadpool(_published, live, query, now_s)
    # Instants on the board are whole hours.
    hourly = dataclasses.replace(query, start_s=query.start_s // HOUR_S * HOUR_S)
    shown = selected(found, hourly)
    if one and not shown:
        raise Open311Error(404, f"service_request_id {query.ids[0]!r} was not found.")
    lang = preferred(request.headers.get("accept-language", ""))
    base = _photos(request)
    fields = [request_of(each, civic.rules.reports.kinds, lang, base) for each in shown]
    return _told(request, encoded_requests(fields, _form_of(request)))


def _photos(request: Request) -> str:
    """Return the address below which photos stand, as others reach it."""
    return f"{public_root(request)}/v1/photos/"


@router.get("/servicerequestupdates.{form}")
async def list_updates(request: Request, form: str, live: Live, zone: Zone, now_s: Now) -> Response:
    """Return the steps of requests on the public board, oldest first: an extension that FixMyStreet reads."""
    query = read_query(request.query_params.multi_items(), _jurisdiction(request), now_s, zone)
    lang = preferred(request.headers.get("accept-language", ""))
    # Instants are whole hours: who asks from the minute of their last question on misses nothing.
    first_s, last_s, base = query.start_s // HOUR_S * HOUR_S, query.end_s, _photos(request)

    def read() -> list[tuple[float, dict[str, str | float | bool | None]]]:
        with live.database.reading() as connection:
            if query.ids:
                only = rows.MatterFilter(ids=query.ids[:LARGEST])
                found = rows.page_of_board(connection, SERVICE, None, LARGEST, only)
            else:
                found = rows.board_changes(connection, SERVICE, (first_s, last_s), LARGEST)
            said = stored.of_tasks(connection, SERVICE, [row.matter_id for row in found])
        steps = (updates_of(one, codec.matter_events_of(listed), lang, base) for one, listed in said.items())
        return [each for listed in steps for each in listed if first_s <= each[0] <= last_s]

    # Steps of one matter within an hour stay in the order in which they happened.
    found = sorted(await run_in_threadpool(read), key=lambda each: each[0])
    return _told(request, encoded_updates([fields for _, fields in found], form))


def _published(live: Desk, query: RequestsQuery, now_s: float) -> list[PublicMatter]:
    going_on = [stage for stage in STAGES if stage not in OVER]
    over = list(OVER) if "closed" in query.statuses else []
    stages = over + (going_on if "open" in query.statuses else [])
    with live.database.reading() as connection:
        if query.ids:
            found = rows.page_of_board(
                connection, SERVICE, None, LARGEST, rows.MatterFilter(ids=query.ids[:LARGEST])
            )
        else:
            opened_s = (query.start_s, query.end_s)
            only = rows.MatterFilter(stages, sorted(query.service_codes), opened_s=opened_s)
            skip = (query.page - 1) * query.page_size
            found = rows.page_of_board(connection, SERVICE, None, query.page_size, only, skip)
    entries = [(rounded_entry(codec.matter_state_of(row.state), now_s), row.updated_s) for row in found]
    return [PublicMatter(one, at_s // HOUR_S * HOUR_S) for one, at_s in entries if one is not None]


@router.get("/tokens/{token}.{form}")
async def one_token(request: Request, token: str, form: str, live: Live) -> Response:
    """Return the request that a token (the id of a report) stands for."""
    _check_jurisdiction(request)

    def read() -> rows.ReportRow | None:
        with live.database.reading() as connection:
            return rows.report(connection, SERVICE, token)

    row = await run_in_threadpool(read)
    return _told(request, encoded_requests(token_answer(token, None if row is None else row.matter_id), form))


@router.post("/requests.{form}")
async def post(
    request: Request, form: str, live: Live, civic: CivicSide, zone: Zone, ids: Ids, now_s: Now
) -> Response:
    """Keep a new request as a report; names, phone and mail are not kept."""
    pairs, media = await _pairs(request)
    caller = await _keyed(request, dict(pairs).get("api_key", ""))
    new = read_new_request(pairs, _jurisdiction(request))
    report_id, token = ids(), ids() + ids()
    report = report_of(new, civic.rules.reports.kinds, report_id, "somebody", now_s)
    if media:
        photo_id = ids()
        await kept(live, media, photo_id)
        report = dataclasses.replace(report, photo=photo_id)
    rider = caller if caller is not None and caller.scope.role == "rider" else None
    account = account_of(rider, None)

    def work(turn: Turn) -> Made:
        contact = _pseudonym(turn, new.contact)
        return reporting(civic, rider, account, report, token, contact)(turn)

    made = await carried_out(live, work)
    lang = preferred(request.headers.get("accept-language", ""))
    shown = await run_in_threadpool(read_report, live, made.report, Reader(zone, lang, now_s))
    notice = shown.steps[-1].text if shown.steps else ""
    return _told(request, encoded_requests(accepted(made.report.matter_id, notice), form), 201)


def _pseudonym(turn: Turn, contact: str) -> str:
    """Return what stands for a sender's mail or phone, which are not kept; empty: nobody."""
    if not contact:
        return ""
    key = secret.load(turn.connection, SERVICE, "contact key", lambda: secrets.token_bytes(32))
    return hmac.digest(key, contact.encode(), hashlib.sha256).hex()[:32]


@router.post("/servicerequestupdates.{form}")
async def post_update(
    request: Request, form: str, live: Live, civic: CivicSide, ids: Ids, now_s: Now
) -> Response:
    """Take what an office's system, or an app for who reported it, says of a request.

    The answer has the number under which `list_updates` tells it: nobody reads their own word as news.
    """
    pairs, media = await _pairs(request)
    caller = await _keyed(request, dict(pairs).get("api_key", ""))
    update = read_new_update(pairs, _jurisdiction(request), now_s)
    lang, photo = preferred(request.headers.get("accept-language", "")), ""
    if caller is not None and caller.scope.role not in ("rider", "planner", "grid_staff", "admin"):
        raise Open311Error(403, "Updates come from an office, or from who reported it.")
    of_people = caller is None or caller.scope.role == "rider"
    if media and not of_people:
        photo = ids()
        await kept(live, media, photo)

    def work(turn: Turn) -> None:
        row = rows.load_for_update(turn.connection, SERVICE, update.matter_id)
        state = None if row is None else codec.matter_state_of(row.state)
        if row is None or state is None or state.private:
            raise Open311Error(404, f"service_request_id {update.matter_id!r} was not found.")
        if caller is None or caller.scope.role == "rider":
            account = account_of(caller, None)
            name = f"public-{_pseudonym(turn, update.contact)}"
            reporter = name if account is None else person_of(turn, account, civic.ids)
            if reporter not in state.reporters:
                raise Open311Error(403, "Updates come from an office, or from who reported it.")
            wanted = of_reporter(update, state, reporter)
            if wanted is not None:
                matter_carried_out(turn, civic.rules, row, wanted, civic.ids)
        else:
            # An admin acts for the office that is responsible.
            office = row.tenant_id if caller.scope.role == "admin" else str(caller.scope.tenant_id)
            asked = of_office(update, state, office, lang, photo)
            if asked is not None:
                on_matter(turn, civic.rules, caller.scope, row.matter_id, lambda _: asked, civic.ids)

    await carried_out(live, work)
    number = await run_in_threadpool(_number, live, update)
    return _told(request, encoded_updates([{"update_id": number}], form))


def _number(live: Desk, update: NewUpdate) -> str:
    """Return the number of the last step that is told of a matter; the client's own where there is none."""
    with live.database.reading() as connection:
        said = stored.of_tasks(connection, SERVICE, [update.matter_id])
    steps = [
        fields
        for matter_id, listed in said.items()
        for _, fields in updates_of(matter_id, codec.matter_events_of(listed), "en", "")
    ]
    return str(steps[-1]["update_id"]) if steps else update.update_id


async def _pairs(request: Request) -> tuple[list[tuple[str, str]], bytes]:
    """Return the arguments of a form, and the first picture in it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise Open311Error(
            400, "The body must be a form: application/x-www-form-urlencoded or multipart/form-data."
        )
    media, pairs = b"", []
    try:
        async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    media = media or await value.read()
                else:
                    pairs.append((name, value))
    except ClientDisconnect:
        raise
    except (UnicodeDecodeError, ValueError) as error:
        raise Open311Error(400, "The form cannot be read.") from error
    if any("\x00" in text for pair in pairs for text in pair):
        raise Open311Error(400, "The form holds a character that no text has (NUL).")
    return pairs, media


async def _keyed(request: Request, api_key: str) -> Caller | None:
    """Return who calls; without a key the address is counted."""
    if not api_key.startswith("yl_"):
        # Apps send whatever key they were built with: one that is none of ours is none.
        count_open(request)
        return None
    access: Access = request.app.state.access
    return await access.caller(request, api_key)
