"""Templates become pages, in their reader's language, under a policy that lets nothing else in."""

import functools
import json
from collections.abc import Mapping
from typing import Any

import jinja2
from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.http.pages.frame.forms import TOKEN
from api.http.pages.frame.loaded import addresses
from api.http.pages.frame.menu import menu_of
from api.http.pages.frame.visitor import VISIT, Visitor, set_cookie

__all__ = ["ENVIRONMENT", "HEADERS", "page", "rendered", "see_other"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    # A rider may say where they are; nothing else of the device is asked for.
    "permissions-policy": "geolocation=(self), camera=(), microphone=()",
    # Going back after signing out shows nothing.
    "cache-control": "no-store",
    "vary": "accept-language, cookie",
}

ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("api.http.pages", "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters["data"] = functools.partial(json.dumps, ensure_ascii=False, separators=(",", ":"))


def _context(request: Request, visitor: Visitor, more: Mapping[str, Any]) -> dict[str, Any]:
    texts = visitor.texts
    return {
        "say": texts.text,
        "has": texts.__contains__,
        "lang": visitor.lang,
        "visitor": visitor,
        "menu": menu_of(visitor),
        "token_name": TOKEN,
        "assets": addresses(),
        "dev": request.app.state.access.dev,
        "error": None,
        **more,
    }


def rendered(request: Request, visitor: Visitor, template: str, more: Mapping[str, Any]) -> str:
    """Return a template with the words of its reader."""
    return ENVIRONMENT.get_template(f"{template}.html").render(_context(request, visitor, more))


def page(
    request: Request,
    visitor: Visitor,
    template: str,
    status: int = 200,
    **more: Any,  # noqa: ANN401 - what each template needs
) -> Response:
    """Return a page.

    Parameters
    ----------
    request : Request
    visitor : Visitor
        Who reads it.
    template : str
        File name without its ending.
    status : int
        Of the answer.
    **more
        What the template shows; whatever it is, it is shown as text.
    """
    html = rendered(request, visitor, template, more)
    response = HTMLResponse(html, status, {**HEADERS, "content-language": visitor.lang})
    if visitor.new:
        set_cookie(response, request, VISIT, visitor.word)
    return response


def see_other(path: str) -> RedirectResponse:
    """Send the reader on after a form: going back or reloading does not send it again."""
    return RedirectResponse(path, 303, dict(HEADERS))
