"""The few pages of the service itself; maps and reports are files of the study."""

import base64
import dataclasses
import hashlib
import re

import jinja2

from api.forms import StudyMeta
from api.http.problems.errors import EVERY

__all__ = ["Page", "page", "problems_page", "start_page"]

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("api.http", "pages"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def start_page(meta: StudyMeta, *, match_map: bool, root: str = "") -> str:
    """Return the start page in the main language of the study.

    Parameters
    ----------
    meta : StudyMeta
    match_map : bool
        Whether there is one to link.
    root : str
        The way from the page to the addresses of the whole service.
    """
    template = _ENVIRONMENT.get_template(f"start.{meta.languages[0]}.html")
    return template.render(meta=meta, match_map=match_map, root=root)


def problems_page() -> str:
    """Return the page that the ``type`` of a problem points to."""
    return _ENVIRONMENT.get_template("problems.html").render(problems=EVERY)


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """A page without scripts, and the content security policy that holds it to that."""

    html: str
    policy: str


def page(template: str, **facts: object) -> Page:
    """Return a page that may show its own style and pictures of this service, and nothing else.

    Parameters
    ----------
    template : str
        Its file below ``pages``.
    facts
        What it tells.
    """
    html = _ENVIRONMENT.get_template(template).render(**facts)
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"
        for style in _STYLE.findall(html)
    )
    policy = (
        f"default-src 'none'; style-src {hashes}; img-src 'self' data:; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    )
    return Page(html, policy)
