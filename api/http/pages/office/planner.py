"""A planner's pages: files in, a study run and followed, its result fetched and published."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.responses import FileResponse, Response

from api.dispatch.desk import MissingError
from api.http.deps import runner_of
from api.http.live import noting, position_of
from api.http.pages.frame.forms import TOKEN, Posted, read_form
from api.http.pages.frame.live_part import LivePart
from api.http.pages.frame.render import see_other
from api.http.pages.frame.route import PageRoute, told
from api.http.pages.frame.visit import PageVisit, visit_of
from api.http.pages.frame.visitor import check_token
from api.jobs.forms import PublishIn, StudyOut
from api.jobs.intake import MOST_FILES, Room, remove_folder
from api.jobs.register import JobConflictError, New, register, result_file, result_files
from api.jobs.runner import input_folder
from api.jobs.steps import (
    cancel_study,
    publish_study,
    remove_study,
    start_study,
    study_name,
    study_of,
    study_out,
    take_files,
)
from api.store import jobs
from geo.errors import InputError

__all__ = ["UPLOAD", "PlannerVisit", "router"]

UPLOAD = "/planner/upload"
router = APIRouter(prefix="/planner", include_in_schema=False, route_class=PageRoute)
PlannerVisit = Annotated[PageVisit, Depends(visit_of("planner"))]
StudyId = Annotated[str, Path(max_length=64)]
MOST_LISTED = 1_000


@router.get("")
async def listed(visit: PlannerVisit) -> Response:
    """List the studies of the planner's office, the last one first."""
    return await _list(visit)


async def _list(visit: PageVisit, error: str | None = None, status: int = 200, name: str = "") -> Response:
    def read() -> list[StudyOut]:
        with visit.live.database.reading() as connection:
            rows = jobs.page(connection, visit.who, position_of(None), MOST_LISTED)
        return [study_out(row, visit.zone) for row in rows[::-1]]

    shelf = visit.request.app.state.shelf
    shown = await run_in_threadpool(shelf.listed)
    return visit.page("planner", status, studies=await visit.read(read), shown=shown, error=error, name=name)


@router.post("/upload")
async def upload(visit: PlannerVisit) -> Response:
    """Take the files of a new study."""
    request, runner = visit.request, runner_of(visit.request)
    settings, job_id = request.app.state.settings, request.app.state.ids()
    name = ""
    try:
        async with request.form(max_files=MOST_FILES, max_fields=10) as form:
            check_token(request, visit.visitor, str(form.get(TOKEN, "")))
            name = study_name(str(form.get("name", "")).strip())
            files = [one for one in form.getlist("files") if isinstance(one, UploadFile) and one.filename]
            if not files:
                raise InputError(visit.say("planner.need_file"))
            folder = input_folder(runner.places.jobs, job_id)
            room = Room(int(settings.max_upload_mb * 1e6))
            parts: list[tuple[str, Any]] = [(one.filename or "", one.file) for one in files]
            await run_in_threadpool(take_files, parts, folder, room)
            new = New(job_id, name, "start" in form, visit.now.timestamp(), settings.studies_kept)
        noted = noting(visit.me, "study.register", visit.now)
        job, _ = await run_in_threadpool(register, visit.live.database, visit.who, runner.places, new, noted)
    except MultiPartException as error:
        return await _list(visit, error.message, 422, name)
    except (InputError, JobConflictError) as error:
        # The inspector's answer, as it is: file, row, column and what it probably is instead.
        remove_folder(runner.places.jobs / job_id)
        return await _list(visit, told(error, visit.visitor.lang), 422, name)
    except BaseException:
        remove_folder(runner.places.jobs / job_id)
        raise
    runner.wake()
    return see_other(f"/planner/{job.job_id}")


def _read(visit: PageVisit, study_id: str) -> tuple[StudyOut, dict[str, int]]:
    job = study_of(visit.live.database, visit.who, study_id)
    files = result_files(runner_of(visit.request).places, job)
    return study_out(job, visit.zone), {name: path.stat().st_size for name, path in files.items()}


@router.get("/{study_id}")
async def one(visit: PlannerVisit, study_id: StudyId) -> Response:
    """Show how far a study is, or its result."""
    return await _study(visit, study_id)


def _part(visit: PageVisit, study: StudyOut) -> LivePart:
    news, now = f"/news?study={study.study_id}", f"/planner/{study.study_id}/now"
    return visit.part("study_now", now, news=news, study=study)


async def _study(visit: PageVisit, study_id: str, error: str | None = None, status: int = 200) -> Response:
    study, files = await visit.read(_read, visit, study_id)
    part = _part(visit, study)
    return visit.page("study", status, study=study, files=files, part=part, error=error)


@router.get("/{study_id}/now")
async def now(visit: PlannerVisit, study_id: StudyId) -> Response:
    """Show what has changed since the page was read; when it has ended since, the whole page is read anew."""
    study, _ = await visit.read(_read, visit, study_id)
    part = _part(visit, study)
    answer = part.response()
    if study.state not in ("queued", "running") and not part.unchanged:
        answer.headers["hx-refresh"] = "true"
    return answer


async def _change(
    visit: PageVisit, study_id: str, verb: str, step: Callable[..., object], *more: object
) -> Response:
    noted = noting(visit.me, f"study.{verb}", visit.now)
    try:
        await visit.read(step, visit.live.database, visit.who, study_id, *more, noted)
    except JobConflictError as error:
        return await _study(visit, study_id, told(error, visit.visitor.lang), 409)
    runner_of(visit.request).wake()
    return see_other(f"/planner/{study_id}")


@router.post("/{study_id}/start")
async def start(visit: PlannerVisit, fields: Posted, study_id: StudyId) -> Response:
    """Run it, or run it again."""
    return await _change(visit, study_id, "start", start_study)


@router.post("/{study_id}/cancel")
async def cancel(visit: PlannerVisit, fields: Posted, study_id: StudyId) -> Response:
    """End it."""
    return await _change(visit, study_id, "cancel", cancel_study, visit.now.timestamp())


@router.post("/{study_id}/publish")
async def publish(visit: PlannerVisit, fields: Posted, study_id: StudyId) -> Response:
    """Show the result to everybody under a name, or no more."""
    try:
        name = read_form(PublishIn, {"name": fields.get("name")}).name
    except InputError as error:
        return await _study(visit, study_id, told(error, visit.visitor.lang), 422)
    taken = runner_of(visit.request).places.names
    return await _change(visit, study_id, "publish", publish_study, name, taken)


@router.post("/{study_id}/delete")
async def delete(visit: PlannerVisit, fields: Posted, study_id: StudyId) -> Response:
    """Forget a study with its files."""
    runner = runner_of(visit.request)
    noted = noting(visit.me, "study.delete", visit.now)
    try:
        await visit.read(remove_study, visit.live.database, visit.who, study_id, noted)
    except JobConflictError as error:
        return await _study(visit, study_id, told(error, visit.visitor.lang), 409)
    await run_in_threadpool(runner.forget, study_id)
    return see_other("/planner")


@router.get("/{study_id}/files/{path:path}")
async def file(
    visit: PlannerVisit, study_id: StudyId, path: Annotated[str, Path(max_length=400)]
) -> Response:
    """Download a file of a result."""
    job = await visit.read(study_of, visit.live.database, visit.who, study_id)
    found = await run_in_threadpool(result_file, runner_of(visit.request).places, job, path)
    if found is None:
        raise MissingError("the study has no such file")
    # Never as a page of this service: it would run scripts here.
    return FileResponse(
        found,
        filename=found.name,
        media_type="application/octet-stream",
        headers={"cache-control": "no-store"},
    )
