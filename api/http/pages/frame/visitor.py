"""Who reads a page: signed in or not, in which language, and the token that their forms carry.

Signing in gives the browser a random word in a cookie that scripts cannot read; the store keeps its digest.
Every form carries a token made of that word (or, before signing in, of a word for visitors), so that no other
site can send it; it is the same in all tabs.
"""

import dataclasses
import hashlib
import hmac
import secrets
from typing import Annotated, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.responses import Response

from api.forms import Language
from api.http.access.auth import Access, Caller, UnauthorizedError
from api.http.language import preferred
from api.http.pages.frame.page_texts import page_texts
from api.store import Role
from geo.errors import YiluError
from maps.texts import Catalogue

__all__ = [
    "LANGUAGE",
    "SESSION",
    "Member",
    "SignInNeededError",
    "StaleFormError",
    "Visiting",
    "Visitor",
    "check_token",
    "cookie_name",
    "drop_cookie",
    "language_chosen",
    "local_path",
    "set_cookie",
    "visitor_of",
]

SESSION, VISIT, LANGUAGE = "yilu_session", "yilu_visit", "yilu_language"


class SignInNeededError(UnauthorizedError):
    """The page is for those who have signed in."""


class StaleFormError(YiluError):
    """A form without the token of its reader: too old, or sent from elsewhere."""


@dataclasses.dataclass(frozen=True, slots=True)
class Visitor:
    """Who reads a page."""

    lang: Language
    caller: Caller | None
    word: str
    """What their form tokens are made of."""
    path: str
    """The address they are at."""
    back: str
    """Where to come back to: there, or to the start after a form, which is not sent again."""
    new: bool
    """Whether the browser does not hold the word yet."""

    @property
    def texts(self) -> Catalogue:
        """The words of the pages in their language."""
        return page_texts(self.lang)

    @property
    def role(self) -> Role | None:
        """None: not signed in."""
        return None if self.caller is None else self.caller.scope.role

    @property
    def token(self) -> str:
        """What their forms carry."""
        return _token(self.word)

    @property
    def me(self) -> Caller:
        """Who has signed in.

        Raises
        ------
        SignInNeededError
        """
        if self.caller is None:
            raise SignInNeededError("sign in first", given=False)
        return self.caller


def _token(word: str) -> str:
    return hmac.new(word.encode(), b"form", hashlib.sha256).hexdigest()


def cookie_name(request: Request, name: str) -> str:
    """Return a cookie's name; outside of `--dev` browsers take it over TLS alone, for this host alone."""
    return name if _plain(request) else f"__Host-{name}"


def _plain(request: Request) -> bool:
    access: Access = request.app.state.access
    return access.dev


def language_chosen(request: Request) -> Language | None:
    """Return the language that the reader has asked a page for, None where they have not."""
    said = request.cookies.get(cookie_name(request, LANGUAGE))
    return cast(Language, said) if said in ("zh", "en") else None


def set_cookie(
    response: Response, request: Request, name: str, value: str, lasts_s: int | None = None
) -> None:
    """Have the browser hold a word, for so long or until it is closed."""
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=lasts_s,
        path="/",
        secure=not _plain(request),
        httponly=True,
        samesite="lax",
    )


def drop_cookie(response: Response, request: Request, name: str) -> None:
    """Have the browser forget a word."""
    response.delete_cookie(
        cookie_name(request, name), path="/", secure=not _plain(request), httponly=True, samesite="lax"
    )


async def visitor_of(request: Request) -> Visitor:
    """Return who reads the page; found out once a request."""
    known: Visitor | None = getattr(request.state, "visitor", None)
    if known is not None:
        return known
    access: Access = request.app.state.access
    held = request.cookies.get(cookie_name(request, SESSION))
    caller = None
    if held is not None:
        try:
            caller = await access.visitor(request, held)
        except UnauthorizedError:
            held = None
    lang = language_chosen(request) or preferred(request.headers.get("accept-language", ""))
    visit = request.cookies.get(cookie_name(request, VISIT))
    word = held or visit or secrets.token_urlsafe(24)
    path = request.url.path
    back = (
        path + (f"?{request.url.query}" if request.url.query else "") if request.method == "GET" else "/home"
    )
    visitor = Visitor(lang, caller, word, path, back, new=held is None and visit is None)
    request.state.visitor = visitor
    # What is refused is put on record under who tried it.
    request.state.caller = caller
    return visitor


Visiting = Annotated[Visitor, Depends(visitor_of)]
"""Ask for it in a handler of a page that everybody may read."""


def check_token(request: Request, visitor: Visitor, given: str) -> None:
    """Let a form through whose token is that of its reader.

    Raises
    ------
    StaleFormError
    """
    # What another site sends is known by this too, in browsers that say so.
    foreign = request.headers.get("sec-fetch-site", "same-origin") == "cross-site"
    words = [visitor.word]
    # Another tab may have been opened before signing in.
    if (visit := request.cookies.get(cookie_name(request, VISIT))) is not None:
        words.append(visit)
    good = [hmac.compare_digest(_token(word).encode(), given.encode()) for word in words]
    if foreign or not any(good):
        raise StaleFormError("the form is too old; open the page again and send it once more")


async def _signed_in(visitor: Visiting) -> Visitor:
    if visitor.caller is None:
        raise SignInNeededError("sign in first", given=False)
    return visitor


Member = Annotated[Visitor, Depends(_signed_in)]


def local_path(given: str, otherwise: str = "/home") -> str:
    """Return an address of this service to go on to; whatever else was given is not followed."""
    parts = urlsplit(given)
    plain = given.startswith("/") and not given.startswith(("//", "/\\")) and given.isprintable()
    if not plain or parts.scheme or parts.netloc or "\\" in given:
        return otherwise
    return given
