"""The pages of a study and of the service as such; maps and reports are files of the study."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.http.deps import Served
from api.http.language import preferred
from api.http.pages.frame.render import ENVIRONMENT
from api.http.pages.frame.visitor import language_chosen
from api.http.pages.plain import plain_page
from api.http.problems.errors import EVERY
from api.http.problems.texts import title
from api.http.routes.results import has_match

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.get("/")
def start(served: Served, request: Request) -> HTMLResponse:
    """Say what can be seen and downloaded, in the main language of the study until another is chosen."""
    root = "../../" if "study" in request.path_params else ""
    meta = served.meta
    main = meta.languages[0]
    lang = language_chosen(request) or main
    page = plain_page(
        f"start.{lang}.html",
        meta=meta,
        title=meta.titles.get(lang) or meta.title,
        city=meta.cities.get(lang) or meta.city,
        # Files of the study, in the page's language where there are any.
        said=lang if lang != main and lang in meta.languages else "",
        here=request.url.path,
        match_map=has_match(served),
        root=root,
        grids=[(grid.code, grid.name) for grid in served.study.grids],
    )
    return HTMLResponse(page.html, headers={"content-security-policy": page.policy, "vary": "cookie"})


@router.get("/problems")
def problems(request: Request) -> HTMLResponse:
    """Say what each problem type means, each once: the address of a problem leads to it."""
    lang = preferred(request.headers.get("accept-language", ""))
    listed = [(problem, title(problem.slug, lang)) for problem in {one.slug: one for one in EVERY}.values()]
    page = ENVIRONMENT.get_template("problems.html").render(problems=listed, lang=lang)
    return HTMLResponse(page, headers={"vary": "accept-language"})
