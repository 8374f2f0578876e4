"""The pages of a study and of the service as such; maps and reports are files of the study."""

from api.forms import StudyMeta
from api.http.pages.frame.render import ENVIRONMENT
from api.http.problems.errors import EVERY

__all__ = ["problems_page", "start_page"]


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
    template = ENVIRONMENT.get_template(f"start.{meta.languages[0]}.html")
    return template.render(meta=meta, match_map=match_map, root=root)


def problems_page() -> str:
    """Return the page that the ``type`` of a problem points to."""
    return ENVIRONMENT.get_template("problems.html").render(problems=EVERY)
