"""What planners look at before and after: a trace file as it is understood, two plans side by side."""

import dataclasses
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.responses import Response

from api.http.pages.frame.forms import TOKEN
from api.http.pages.frame.route import PageRoute, told
from api.http.pages.frame.visit import PageVisit
from api.http.pages.frame.visitor import check_token
from api.http.pages.office.planner import PlannerVisit, runner_of
from api.jobs.intake import Room, safe_path, take_file
from api.jobs.runner import out_folder
from api.jobs.steps import study_of
from api.store import jobs
from api.store.rows import PageEnd
from api.study.finished import FinishedStudy, load_finished
from api.study.inspection import inspection_lines
from geo.errors import InputError, YiluError
from geo.traces import TraceFormat, inspect_file, paste_table
from siting.results import Site, Study

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
                    return inspection_lines(found, lang), paste_table(Path(name), found)

            lines, paste = await run_in_threadpool(look)
    except MultiPartException as error:
        return visit.page("inspect", 422, lines=[], paste="", name="", error=error.message)
    except InputError as error:
        return visit.page("inspect", 422, lines=[], paste="", name="", error=told(error, lang))
    return visit.page("inspect", lines=lines, paste=paste, name=name)


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A figure of two plans; the difference where both are known."""

    key: str
    unit: str
    left: float | None
    right: float | None

    @property
    def difference(self) -> float | None:
        """Of the second from the first."""
        return None if self.left is None or self.right is None else self.right - self.left


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


@router.get("/compare")
async def compare(visit: PlannerVisit, left: Plan = "", right: Plan = "") -> Response:
    """Show two plans as tables beside each other, with what differs."""
    choices = await run_in_threadpool(_choices, visit)
    rows, stations, error = [], [], None
    if left and right:
        try:
            first, second = [(await run_in_threadpool(_plan, visit, key)).study for key in (left, right)]
            rows, stations = _rows(first, second), _stations(first, second)
        except YiluError as refused:
            error = told(refused, visit.visitor.lang)
    status = 200 if error is None else 422
    return visit.page(
        "compare", status, choices=choices, left=left, right=right, rows=rows, stations=stations, error=error
    )


def _rows(first: Study, second: Study) -> list[Row]:
    pairs = zip(_figures(first), _figures(second), strict=True)
    return [Row(one[0], one[1], one[2], other[2]) for one, other in pairs]


def _figures(study: Study) -> list[tuple[str, str, float | None]]:
    own = next((one for one in study.coverage if one.method == "yilu"), None)
    standing = [one for one in study.sites if one.plan in ("new", "stay")]
    costs = [one.cost_yuan for one in standing]
    return [
        ("stations_new", "count", float(sum(not one.existing for one in study.sites))),
        ("stations_stay", "count", float(sum(one.existing and one.plan == "stay" for one in study.sites))),
        ("stations_gone", "count", float(sum(one.plan in ("close", "move") for one in study.sites))),
        ("demand", "count", study.demand_min_a_day),
        ("served_training", "share", None if own is None else own.served_training),
        ("served_held_out", "share", None if own is None else own.served_held_out),
        ("reach_training", "share", None if own is None else own.in_reach_training),
        ("reach_held_out", "share", None if own is None else own.in_reach_held_out),
        ("cost", "count", sum(one or 0.0 for one in costs) if any(costs) else None),
        ("gap", "share", study.solution.gap),
    ]


def _stations(first: Study, second: Study) -> list[tuple[Site | None, Site | None]]:
    """Return the stations of two plans in pairs: the same place and name is one station."""
    left = {(one.name, one.lonlat): one for one in first.sites}
    right = {(one.name, one.lonlat): one for one in second.sites}
    both = [key for key in left if key in right]
    rest = [key for key in left if key not in right], [key for key in right if key not in left]
    pairs: list[tuple[Site | None, Site | None]] = [(left[key], right[key]) for key in both]
    # What differs comes first.
    changed = [pair for pair in pairs if pair[0] != pair[1]]
    same = [pair for pair in pairs if pair[0] == pair[1]]
    alone = [(left[key], None) for key in rest[0]], [(None, right[key]) for key in rest[1]]
    return [*alone[0], *alone[1], *changed, *same]
