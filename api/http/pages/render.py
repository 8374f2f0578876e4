"""The few pages of the service itself; maps and reports are files of the study."""

import jinja2

from api.forms import StudyMeta
from api.http.problems.errors import EVERY

__all__ = ["problems_page", "start_page"]

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
