"""The pages of a study and of the service as such; maps and reports are files of the study."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.http.deps import Served
from api.http.language import preferred
from api.http.pages.frame.render import ENVIRONMENT
from api.http.pages.plain import plain_page
from api.http.problems.errors import EVERY
from api.http.problems.texts import title
from api.http.routes.results import has_match

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.get("/")
def start(served: Served, request: Request) -> HTMLResponse:
    """Say what can be seen and downloaded, in the main language of the study."""
    root = "../../" if "study" in request.path_params else ""
    page = plain_page(
        f"start.{served.meta.languages[0]}.html",
        meta=served.meta,
        match_map=has_match(served),
        root=root,
        grids=[(grid.code, grid.name) for grid in served.study.grids],
    )
    return HTMLResponse(page.html, headers={"content-security-policy": page.policy})


@router.get("/problems")
def problems(request: Request) -> HTMLResponse:
    """Say what each problem type means, each once: the address of a problem leads to it."""
    lang = preferred(request.headers.get("accept-language", ""))
    listed = [(problem, title(problem.slug, lang)) for problem in {one.slug: one for one in EVERY}.values()]
    page = ENVIRONMENT.get_template("problems.html").render(problems=listed, lang=lang)
    return HTMLResponse(page, headers={"vary": "accept-language"})
