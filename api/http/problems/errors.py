"""One table from errors to HTTP: every refusal is an ``application/problem+json`` body (RFC 9457)."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from api.civic.wording import ledger_text, matter_text
from api.dispatch import acts
from api.dispatch.desk import Desk, MissingError
from api.dispatch.translate import conflict_text
from api.forms import PointedError
from api.http.access.auth import Caller, ForbiddenError, RateLimitedError, UnauthorizedError
from api.http.access.oidc import ProviderUnavailableError
from api.http.language import preferred
from api.http.problems.fields import field_text
from api.http.problems.json_place import broken_at
from api.http.problems.texts import listed, sentence, title
from api.http.repeats import InWorkError
from api.jobs.register import JobConflictError
from api.matching.translate import refused_out
from api.ogc import BadParameterError, NoSuchFeatureError
from api.store import OutOfScopeError, StoreUnavailable
from api.store.dispatch.tasks import VersionConflictError
from geo.errors import InfeasibleError, InputError, OffNetworkError, YiluError
from routing.civic import LedgerError, MatterConflictError
from routing.dispatch import ConflictError

__all__ = [
    "BUSY",
    "ENCODING",
    "EVERY",
    "INTERNAL",
    "INVALID",
    "PROBLEMS",
    "PROBLEM_RESPONSES",
    "TOO_LARGE",
    "NoStationError",
    "NotThereError",
    "Problem",
    "TooLargeError",
    "WorkerLostError",
    "install",
    "note_refusal",
    "problem_body",
    "problem_of",
    "problem_response",
]

MEDIA_TYPE = "application/problem+json"
MOST_FIELDS = 20
"""So many wrong fields are told of one request."""


class NotThereError(YiluError):
    """What was asked for is not part of the study."""


class TooLargeError(YiluError):
    """More was sent than is taken."""


class WorkerLostError(YiluError):
    """The process that answered a request is gone."""

    retry_after_s = 5


class NoStationError(YiluError):
    """No station fits what was asked for."""


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One kind of refusal as a client sees it."""

    slug: str
    status: int
    title: str


INVALID = Problem("invalid-request", 422, "The request does not have the documented form")
TOO_LARGE = Problem("too-large", 413, "The request is larger than this service accepts")
NOT_FOUND = Problem("not-found", 404, "There is nothing at this address")
ENCODING = Problem("unsupported-encoding", 415, "The body is compressed in a way this service cannot read")
METHOD = Problem("method-not-allowed", 405, "This address does not answer to this method")
BUSY = Problem("busy", 503, "The service has as much work as it can hold, or is still starting")
CONFLICT = Problem("conflict", 409, "The command does not fit what has become of the task")
CHANGED = Problem("changed", 412, "It was changed since it was read")
UNAUTHORIZED = Problem("unauthorized", 401, "The call needs a key that is good now")
FORBIDDEN = Problem("forbidden", 403, "The key is good, but not for this call")
RATE_LIMITED = Problem("rate-limited", 429, "The key has made as many requests as it may")
UNAVAILABLE = Problem("unavailable", 503, "What the service needs cannot be reached now; nothing was changed")
INTERNAL = Problem("internal", 500, "The service failed; nothing was changed")

PROBLEMS: tuple[tuple[type[YiluError], Problem], ...] = (
    (OffNetworkError, Problem("off-network", 422, "A place lies on no street within the allowed walk")),
    (NotThereError, NOT_FOUND),
    (NoSuchFeatureError, NOT_FOUND),
    (BadParameterError, Problem("bad-parameter", 400, "A query parameter is not known or has no such value")),
    (NoStationError, Problem("no-station", 404, "No station fits what was asked for")),
    (OutOfScopeError, NOT_FOUND),
    (MissingError, NOT_FOUND),
    (ConflictError, CONFLICT),
    (MatterConflictError, CONFLICT),
    (LedgerError, CONFLICT),
    (InWorkError, Problem("in-work", 409, "The same request is being answered")),
    (VersionConflictError, CHANGED),
    (UnauthorizedError, UNAUTHORIZED),
    (ForbiddenError, FORBIDDEN),
    (RateLimitedError, RATE_LIMITED),
    (StoreUnavailable, UNAVAILABLE),
    (ProviderUnavailableError, UNAVAILABLE),
    (WorkerLostError, BUSY),
    (InfeasibleError, Problem("infeasible", 422, "The problem has no solution")),
    (InputError, Problem("bad-input", 422, "The input cannot be used")),
    (JobConflictError, CONFLICT),
    (TooLargeError, TOO_LARGE),
    (YiluError, Problem("refused", 422, "The request cannot be carried out")),
)
"""Most special first: the first class that fits decides."""

EVERY = (*(problem for _, problem in PROBLEMS), INVALID, TOO_LARGE, ENCODING, METHOD, BUSY, INTERNAL)


_TEXT = {"type": "string"}
_BODY_SCHEMA = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "description": "Which kind of problem; the address explains it."},
        "title": {"type": "string", "description": "The kind of problem in words."},
        "status": {"type": "integer", "description": "The status of the answer."},
        "detail": {"type": "string", "description": "One sentence that says what to change."},
        "instance": {"type": "string", "description": "The address that was asked."},
        "errors": {
            "type": "array",
            "description": "For fields that are not allowed: where (JSON pointer or parameter) and why.",
            "items": {"type": "object", "properties": {"pointer": _TEXT, "detail": _TEXT}},
        },
    },
}


def problem_body(
    problem: Problem, detail: str, instance: str, errors: Sequence[Mapping[str, str]] = ()
) -> dict[str, object]:
    """Return the members of RFC 9457, section 3.1; `errors` is an extension for bad fields."""
    body: dict[str, object] = {
        "type": f"/problems#{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "instance": instance,
    }
    if errors:
        body["errors"] = [dict(error) for error in errors]
    return body


def _example(status: int) -> dict[str, object]:
    """Return a problem of that status as a client sees it."""
    kinds = (
        CONFLICT,
        CHANGED,
        UNAUTHORIZED,
        FORBIDDEN,
        NOT_FOUND,
        TOO_LARGE,
        ENCODING,
        INVALID,
        RATE_LIMITED,
        BUSY,
    )
    problem = next(one for one in kinds if one.status == status)
    return problem_body(problem, "one sentence that says what to change", "/v1/matches")


PROBLEM_RESPONSES: dict[int | str, dict[str, object]] = {
    status: {
        "description": text,
        "content": {MEDIA_TYPE: {"schema": _BODY_SCHEMA, "example": _example(status)}},
    }
    for status, text in (
        (401, "No key, or one that is not known, has expired or was revoked."),
        (403, "The role of the key does not allow this."),
        (404, "There is no such thing."),
        (409, "It does not fit what has become of the task or offer; `code` says why."),
        (412, "It was changed since it was read: read it again."),
        (413, "The request is too large."),
        (415, "The body is compressed in another way than gzip."),
        (422, "Refused, with one sentence that says what to change."),
        (429, "The key has made as many requests as it may: ask again after `Retry-After`."),
        (503, "Too much work at once, or still starting: ask again after `Retry-After`."),
    )
}
"""How refusals appear in the OpenAPI document."""


def problem_of(error: YiluError) -> Problem:
    """Return the row of the table that fits `error`."""
    return next(problem for kind, problem in PROBLEMS if isinstance(error, kind))


def problem_response(
    problem: Problem,
    detail: str,
    asked: HTTPConnection,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> JSONResponse:
    """Return the HTTP response for one problem, in the language that is asked for.

    Parameters
    ----------
    problem : Problem
    detail : str
        In English.
    asked : HTTPConnection
        The request; its address and its ``Accept-Language`` are read.
    errors : sequence of mapping
        Bad fields: where, and why in English.
    headers : mapping, optional
        More headers.
    more : mapping, optional
        More members of the body.
    """
    lang = preferred(asked.headers.get("accept-language", ""))
    fields = [{**one, "detail": sentence(one["detail"], lang)} for one in errors]
    told = sentence(detail, lang)
    if problem is INVALID and fields and not detail:
        told = listed(fields[0]["pointer"], fields[0]["detail"], len(fields) - 1, lang)
    body = problem_body(problem, told, asked.url.path, fields[:MOST_FIELDS])
    body["title"] = title(problem.slug, lang)
    body.update(more or {})
    spoken = {"content-language": lang, "vary": "accept-language", **(headers or {})}
    return JSONResponse(body, status_code=problem.status, media_type=MEDIA_TYPE, headers=spoken)


def _pointer(location: Sequence[object]) -> str:
    """JSON pointer (RFC 6901) into the body, or the name of the query parameter."""
    where, *rest = location or ("body",)
    if where != "body":
        return ".".join(str(part) for part in rest) or str(where)
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in rest) or "/"


def _domain(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, YiluError):
        raise error
    places = error.places if isinstance(error, PointedError) else {}
    fields = [
        {"pointer": pointer, "detail": detail} for pointer, detail in list(places.items())[:MOST_FIELDS]
    ]
    # Who may not see a thing is told no more than that there is none.
    lang = preferred(request.headers.get("accept-language", ""))
    told = error.text(lang) if isinstance(error, InputError) else str(error)
    detail = NOT_FOUND.title if isinstance(error, OutOfScopeError) else told
    more: dict[str, object] = {}
    if isinstance(error, ConflictError):
        lang = preferred(request.headers.get("accept-language", "en"))
        detail = conflict_text(error, lang)
        more = {"code": error.code, "status_now": error.status}
        if error.refused is not None:
            more["refused"] = refused_out(error.refused, lang).model_dump(mode="json")
    if isinstance(error, MatterConflictError):
        detail = matter_text(error, preferred(request.headers.get("accept-language", "en")))
        more = {"code": error.code, "status_now": error.stage}
    if isinstance(error, LedgerError):
        detail = ledger_text(error, preferred(request.headers.get("accept-language", "en")))
        more = {"code": error.code}
    if isinstance(error, ForbiddenError | UnauthorizedError):
        note_refusal(request, error)
    headers = dict(getattr(error, "headers", {}))
    if isinstance(error, StoreUnavailable | ProviderUnavailableError | WorkerLostError):
        headers["retry-after"] = str(error.retry_after_s)
    return problem_response(problem_of(error), detail, request, fields, headers, more)


def note_refusal(request: Request, error: UnauthorizedError | ForbiddenError) -> None:
    """Have a refused attempt written down; the answer does not wait for it."""
    desk: Desk | None = request.app.state.desk
    if desk is None or (isinstance(error, UnauthorizedError) and not error.given):
        return
    caller: Caller | None = getattr(request.state, "caller", None)
    who, key_id = (None, None) if caller is None else (caller.scope, caller.key_id)
    # The form of the address, never its values.
    address = getattr(request.scope.get("route"), "path", "none")
    action, outcome = f"{request.method} {address}", problem_of(error).slug
    request_id = getattr(request.state, "request_id", None)
    desk.submit(
        lambda turn: turn.acts.append(acts.entry(who, key_id, request_id, action, None, outcome, turn.now_s))
    )


def _validation(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method in {"POST", "PUT"} and not kind.endswith("json"):
        detail = f"the body must be sent as content-type application/json, not {kind or 'without one'}"
        return problem_response(INVALID, detail, request)
    # The input itself is never echoed: it may hold positions of riders.
    found = error.errors()
    # Of a list only the good items are counted: with bad ones in it, it need not be too short.
    around = {tuple(one["loc"][:depth]) for one in found for depth in range(len(one["loc"]))}
    told = [one for one in found if one["type"] != "too_short" or tuple(one["loc"]) not in around]
    return problem_response(INVALID, "", request, [_field(one, request, error.body) for one in told])


def _form_of(request: Request) -> type[BaseModel] | None:
    """Return the form of the body that an address takes."""
    field = getattr(request.scope.get("route"), "body_field", None)
    form = None if field is None else field.field_info.annotation
    return form if isinstance(form, type) and issubclass(form, BaseModel) else None


def _field(error: Mapping[str, Any], request: Request, body: object) -> dict[str, str]:
    """Return where one field is wrong, and why."""
    lang, place = preferred(request.headers.get("accept-language", "")), error["loc"]
    if error["type"] == "json_invalid" and isinstance(body, str):
        pointer, detail = broken_at(body, int(place[-1]), str(error["ctx"]["error"]))
        return {"pointer": pointer, "detail": sentence(detail, lang)}
    form, inside = (_form_of(request), place[1:]) if place[:1] == ("body",) else (None, place)
    return {"pointer": _pointer(place), "detail": field_text(error, form, inside, lang)}


def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 400:
        # FastAPI's answer where JSON cannot even be tried: bytes that are no text, or nested too deep.
        detail = "the body cannot be read: it must be JSON in UTF-8, not nested too deep"
        return problem_response(INVALID, detail, request)
    known = {problem.status: problem for problem in (NOT_FOUND, METHOD, TOO_LARGE, INVALID)}
    problem = known.get(error.status_code, Problem("http", error.status_code, "The request was refused"))
    return problem_response(problem, str(error.detail), request, headers=error.headers)


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    # The cause goes to the log of the server, never to the client.
    return problem_response(INTERNAL, INTERNAL.title, request)


def install(app: FastAPI) -> None:
    """Give `app` the error table."""
    app.add_exception_handler(YiluError, _domain)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)
