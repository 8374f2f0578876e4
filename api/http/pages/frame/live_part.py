"""Parts of pages that are fetched anew, and stay as they are where nothing is new.

What is told by events, reports or the progress of a study is fetched when there are any (`news.py`,
and its script). What a reader is filling in, and where a screen reader is, is lost when a part comes anew.
"""

import dataclasses
import hashlib
from typing import Any

from fastapi import Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from api.http.pages.frame.render import HEADERS, rendered
from api.http.pages.frame.visitor import Visitor

__all__ = ["LivePart", "live_part"]

WHATEVER_S = 60
"""Parts are fetched so often even where there is no news: time passes too."""


@dataclasses.dataclass(frozen=True, slots=True)
class LivePart:
    """A part as it is now."""

    html: str
    unchanged: bool

    def __html__(self) -> str:
        """Return it for a template."""
        return self.html

    def response(self) -> Response:
        """Return it for the script that asks; 204 where it holds the same already."""
        if self.unchanged:
            return Response(status_code=204, headers=dict(HEADERS))
        return HTMLResponse(self.html, headers=dict(HEADERS))


def live_part(
    request: Request,
    visitor: Visitor,
    template: str,
    address: str,
    *,
    news: str = "/news",
    **more: Any,  # noqa: ANN401
) -> LivePart:
    """Return a part of a page.

    Parameters
    ----------
    request : Request
    visitor : Visitor
    template : str
        File name without its ending.
    address : str
        Where the part is fetched anew.
    news : str
        The line that tells when something in it has changed, see `news.py`.
    **more
        What the template shows.
    """
    inner = rendered(request, visitor, template, more)
    digest = hashlib.sha256(inner.encode()).hexdigest()[:16]
    trigger = f"news from:body, every {WHATEVER_S}s"
    frame = (
        '<div id="{id}" hx-get="{address}?seen={digest}" hx-trigger="{trigger}" hx-swap="outerHTML"'
        ' data-news="{news}">'
    )
    # The inner part comes out of a template, which has made text of whatever was in it.
    html = Markup(frame).format(id=template, address=address, digest=digest, trigger=trigger, news=news)  # noqa: S704
    return LivePart(f"{html}{inner}</div>", request.query_params.get("seen") == digest)
