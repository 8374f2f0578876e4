"""Pages without scripts that belong to a door or a station: they carry their own style, and nothing else."""

import base64
import dataclasses
import hashlib
import re

from api.http.pages.frame.render import ENVIRONMENT

__all__ = ["PlainPage", "plain_page"]

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@dataclasses.dataclass(frozen=True, slots=True)
class PlainPage:
    """A page without scripts, and the content security policy that holds it to that."""

    html: str
    policy: str


def plain_page(template: str, **facts: object) -> PlainPage:
    """Return a page that may show its own style and pictures of this service, and nothing else.

    Parameters
    ----------
    template : str
        Its file below ``templates``.
    facts
        What it tells.
    """
    html = ENVIRONMENT.get_template(template).render(**facts)
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"
        for style in _STYLE.findall(html)
    )
    policy = (
        f"default-src 'none'; style-src {hashes}; img-src 'self' data:; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    )
    return PlainPage(html, policy)
