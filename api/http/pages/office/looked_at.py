"""What planners look at before and after: a trace file as it is understood, two plans side by side."""

import mimetypes
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.responses import Response

from api.http.deps import runner_of
from api.http.pages.frame.forms import TOKEN
from api.http.pages.frame.route import PageRoute, told
from api.http.pages.frame.visit import PageVisit
from api.http.pages.frame.visitor import check_token
from api.http.pages.office.planner import PlannerVisit
from api.jobs.intake import Room, safe_path, take_file
from api.jobs.runner import out_folder
from api.jobs.steps import study_of
from api.store import jobs
from api.store.rows import PageEnd
from api.study.finished import FinishedStudy, load_finished
from api.study.inspection import inspection_lines
from api.study.two_plans import COMPARE_MAP, TwoPlans, plan_names, two_plans, two_plans_map
from geo.errors import InputError, YiluError
from geo.traces import TraceFormat, inspect_file, paste_table

__all__ = ["INSPECT", "router"]

INSPECT = "/plans/inspect"
router = APIRouter(prefix="/plans", include_in_schema=False, route_class=PageRoute)
Plan = Annotated[str, Query(max_length=200)]


@router.get("/inspect")
async def empty(visit: PlannerVisit) -> Response:
    """Ask for a file."""
    return visit.page("inspect", lines=[], paste="", name="")


@router.post("/inspect")
async def inspect(visit: PlannerVisit) -> Response:
    """Say how a trace file is understood; nothing of it is kept."""
    request = visit.request
    limit = int(request.app.state.settings.max_upload_mb * 1e6)
    lang, zone = visit.visitor.lang, visit.served.meta.timezone
    try:
        async with request.form(max_files=1, max_fields=5) as form:
            check_token(request, visit.visitor, str(form.get(TOKEN, "")))
            file = form.get("file")
            if not isinstance(file, UploadFile) or not file.filename:
                raise InputError(visit.say("planner.need_file"))
            name, source = safe_path(file.filename).name, file.file

            def look() -> tuple[list[tuple[str, str]], str]:
                with tempfile.TemporaryDirectory(prefix="yilu-") as folder:
                    take_file(source, Path(folder), name, Room(limit))
                    path = Path(folder) / name
                    found = inspect_file(path, TraceFormat(datum="auto", timezone=zone), visit.served.network)
                    return inspection_lines(found, lang), paste_table(Path(name), found, lang)

            lines, paste = await run_in_threadpool(look)
    except MultiPartException as error:
        return visit.page("inspect", 422, lines=[], paste="", name="", error=error.message)
    except InputError as error:
        return visit.page("inspect", 422, lines=[], paste="", name="", error=told(error, lang))
    return visit.page("inspect", lines=lines, paste=paste, name=name)


def _choices(visit: PageVisit) -> list[tuple[str, str]]:
    """Return the plans that the reader may look at: those shown here, and the office's own that are done."""
    shown = [(f"shown:{one.name or ''}", one.titles) for one in visit.request.app.state.shelf.listed()]
    lang = visit.visitor.lang
    found = [(key, titles.get(lang) or next(iter(titles.values()))) for key, titles in shown]
    position: PageEnd | None = None
    with visit.live.database.reading() as connection:
        rows = jobs.page(connection, visit.who, position, 1_000)
    return found + [(f"study:{row.job_id}", row.name) for row in rows if row.state == "done"]


def _plan(visit: PageVisit, key: str) -> FinishedStudy:
    kind, _, name = key.partition(":")
    if kind == "study":
        job = study_of(visit.live.database, visit.who, name)
        return load_finished(out_folder(runner_of(visit.request).places.jobs, job.job_id))
    found: FinishedStudy = visit.request.app.state.shelf.get(name or None).served
    return found


def _held(visit: PageVisit, left: str, right: str) -> tuple[TwoPlans, FinishedStudy]:
    """Hold two plans that the reader may look at against each other; and whose streets are drawn."""
    first, second = _plan(visit, left), _plan(visit, right)
    titles = dict(_choices(visit))
    named = titles.get(left, left), titles.get(right, right)
    lang = visit.visitor.lang
    return two_plans(first, second, plan_names(first, second, lang, named), lang), first


@router.get("/compare")
async def compare(visit: PlannerVisit, left: Plan = "", right: Plan = "") -> Response:
    """Show two plans beside each other: figures, what moves, which unit grids gain and lose."""
    choices = await run_in_threadpool(_choices, visit)
    # What draws takes long to import, and most processes never draw.
    from maps.documents import COMPARISON_FILES

    found, error = None, None
    if left and right:
        try:
            found, _ = await run_in_threadpool(_held, visit, left, right)
        except YiluError as refused:
            error = told(refused, visit.visitor.lang)
    status = 200 if error is None else 422
    files = (COMPARE_MAP, *COMPARISON_FILES)
    return visit.page(
        "compare", status, choices=choices, left=left, right=right, found=found, files=files, error=error
    )


@router.get("/compare/{name}")
async def compared_file(visit: PlannerVisit, name: str, left: Plan = "", right: Plan = "") -> Response:
    """Give the comparison as a file: map, Word, workbook, HTML, CSV."""
    from maps.documents import COMPARISON_FILES, comparison_file

    if name not in (COMPARE_MAP, *COMPARISON_FILES):
        raise HTTPException(404, visit.say("error.address"))

    def made() -> bytes:
        found, streets = _held(visit, left, right)
        if name == COMPARE_MAP:
            return two_plans_map(found, streets, visit.visitor.lang).encode()
        return comparison_file(found.plans, found.names, found.compared, visit.visitor.lang, name)

    content = await run_in_threadpool(made)
    headers = {"cache-control": "no-store"}
    if not name.endswith(".html"):
        headers["content-disposition"] = f'attachment; filename="{name}"'
    return Response(content, media_type=mimetypes.guess_type(name)[0], headers=headers)
