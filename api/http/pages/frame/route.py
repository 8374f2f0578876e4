"""A page's route: what is refused becomes a page too, in the reader's language."""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote, urlsplit

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api.civic.wording import ledger_text, matter_text
from api.dispatch.translate import conflict_text
from api.forms import Language
from api.http.access.auth import ForbiddenError, UnauthorizedError
from api.http.pages.frame.forms import FieldsError
from api.http.pages.frame.page_texts import page_texts
from api.http.pages.frame.render import HEADERS, page, see_other
from api.http.pages.frame.visitor import SignInNeededError, StaleFormError, Visitor, local_path, visitor_of
from api.http.problems.errors import INVALID, NOT_FOUND, Problem, note_refusal, problem_of
from api.http.problems.texts import sentence, title
from geo.errors import InputError, YiluError
from routing.civic import LedgerError, MatterConflictError
from routing.dispatch import ConflictError

__all__ = ["PageRoute", "Told", "told"]

Handler = Callable[[Request], Awaitable[Response]]
STALE = Problem("stale-form", 403, "The form is too old")


class PageRoute(APIRoute):
    """A route that answers with pages, whatever becomes of the request."""

    def get_route_handler(self) -> Handler:  # type: ignore[override]
        """Wrap the handler."""
        handler: Handler = super().get_route_handler()

        async def with_pages(request: Request) -> Response:
            try:
                return await handler(request)
            except SignInNeededError:
                return _to_the_door(request, await visitor_of(request))
            except RequestValidationError:
                visitor = await visitor_of(request)
                return _refusal(request, visitor, INVALID, visitor.texts.text("error.address"))
            except (YiluError, HTTPException) as error:
                visitor = await visitor_of(request)
                if isinstance(error, HTTPException):
                    return _refusal(request, visitor, NOT_FOUND, sentence(str(error.detail), visitor.lang))
                if isinstance(error, ForbiddenError | UnauthorizedError):
                    note_refusal(request, error)
                problem = STALE if isinstance(error, StaleFormError) else problem_of(error)
                return _refusal(request, visitor, problem, told(error, visitor.lang))

        return with_pages


def _to_the_door(request: Request, visitor: Visitor) -> Response:
    """Send somebody to sign in, and back to where they were."""
    if request.headers.get("hx-request") is None:
        return see_other(f"/sign-in?next={_quoted(visitor.back)}")
    # A part that is fetched anew: the door is not put into it, the whole page goes there.
    at = urlsplit(request.headers.get("hx-current-url", ""))
    back = local_path(at.path + (f"?{at.query}" if at.query else ""))
    return Response(status_code=204, headers={**HEADERS, "hx-redirect": f"/sign-in?next={_quoted(back)}"})


def _quoted(path: str) -> str:
    return quote(path, safe="/")


class Told(str):
    """What a page says of a refusal; `fields` says it of single fields, by their names in the form."""

    __slots__ = ("fields",)

    fields: Mapping[str, str]


def told(error: YiluError, lang: Language) -> Told:
    """Return what an error says, in the reader's language."""
    texts = page_texts(lang)
    each = error.each(lang) if isinstance(error, FieldsError) else {}
    lines = [
        texts.text(
            "field.wrong", field=texts.text(f"field.{name}") if f"field.{name}" in texts else name, why=why
        )
        for name, why in each.items()
    ]
    said = Told(" ".join(lines) or _plain(error, lang))
    said.fields = each
    return said


def _plain(error: YiluError, lang: Language) -> str:
    if isinstance(error, ConflictError):
        return conflict_text(error, lang)
    if isinstance(error, MatterConflictError):
        return matter_text(error, lang)
    if isinstance(error, LedgerError):
        return ledger_text(error, lang)
    if isinstance(error, InputError):
        return sentence(error.text(lang), lang)
    # Who may not see a thing is told no more than that there is none.
    return sentence(NOT_FOUND.title if problem_of(error) is NOT_FOUND else error.text(lang), lang)


def _refusal(request: Request, visitor: Visitor, problem: Problem, detail: str) -> Response:
    texts = visitor.texts
    key = f"error.{problem.slug.replace('-', '_')}"
    heading = texts.text(key) if key in texts else title(problem.slug, visitor.lang)
    return page(request, visitor, "refusal", problem.status, heading=heading, detail=detail)
