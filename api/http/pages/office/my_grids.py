"""Unit grids: their figures and reports; grid staff see their own."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.http.grid_reports import grid_summaries
from api.http.pages.frame.route import PageRoute
from api.http.pages.frame.visit import PageVisit, visit_of

__all__ = ["router"]

router = APIRouter(include_in_schema=False, route_class=PageRoute)
GridVisit = Annotated[PageVisit, Depends(visit_of("planner", "grid_staff"))]


@router.get("/grids")
async def grids(visit: GridVisit) -> Response:
    """Show figures and reports of grids."""
    codes, served = visit.who.grid_codes, visit.served
    found = await visit.read(grid_summaries, served)
    mine = [one for one in found if not codes or one.code in codes]
    lang = visit.visitor.lang if visit.visitor.lang in served.meta.languages else served.meta.languages[0]
    return visit.page("grids", grids=mine, codes=codes, k=served.study.k, report_lang=lang)
