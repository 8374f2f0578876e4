"""``/v1/studies``: studies as jobs, from their files to their results."""

import asyncio
import datetime
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.responses import FileResponse, StreamingResponse

from api.dispatch.desk import MissingError
from api.http.access.auth import Caller, require
from api.http.deps import Clock, Ids, runner_of
from api.http.live import Cursor, Limit, Live, News, StillGood, Zone, cursor_of, noting, position_of
from api.http.repeats import RepeatableRoute
from api.jobs.forms import (
    FolderStudyIn,
    PublishIn,
    ResultFile,
    ResultFiles,
    ServedStudies,
    StudyOut,
    StudyPage,
)
from api.jobs.intake import MOST_FILES, Room, remove_folder
from api.jobs.register import New, register, register_folder, result_file, result_files
from api.jobs.runner import Runner, input_folder
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
from api.store import Scope, jobs
from api.store.rows import PageEnd
from geo.errors import InputError

__all__ = ["UPLOAD", "router"]

UPLOAD = "/v1/studies/upload"
router = APIRouter(tags=["studies"])
plain = APIRouter(prefix="/v1/studies")
# Uploads are told apart by their name and contents instead: they are not held in memory.
repeatable = APIRouter(prefix="/v1/studies", route_class=RepeatableRoute)
StudyCaller = Annotated[Caller, Depends(require("planner"))]
StudyId = Annotated[str, Path(max_length=64, description="`study_id` of the study.")]
LOOK_S = 0.5
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["name", "files"],
                    "properties": {
                        "name": {
                            "type": "string",
                            "description": "Your name for the study, one study for each.",
                        },
                        "start": {
                            "type": "string",
                            "enum": ["true", "false"],
                            "description": "Whether it runs as soon as its turn comes [true].",
                        },
                        "files": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "`study.toml` and the files it names, each with its path as file"
                            " name, or one ZIP archive of all.",
                        },
                    },
                }
            }
        },
    }
}


async def _runner(request: Request) -> Runner:
    return runner_of(request)


Studies = Annotated[Runner, Depends(_runner)]


def _entered(clock: Clock, ids: Ids, request: Request) -> tuple[str, datetime.datetime, int]:
    """Return what a new job gets from the service: its id, its instant, and how many jobs are kept."""
    return ids(), clock(), request.app.state.settings.studies_kept


Entered = Annotated[tuple[str, datetime.datetime, int], Depends(_entered)]


def _registered(response: Response, done: tuple[jobs.Job, bool], runner: Runner, zone: Zone) -> StudyOut:
    job, is_new = done
    if not is_new:
        response.status_code = 200
    runner.wake()
    response.headers["location"] = f"/v1/studies/{job.job_id}"
    return study_out(job, zone)


@repeatable.post("", status_code=201, summary="Register a study whose files are on the server")
async def from_folder(
    live: Live, runner: Studies, caller: StudyCaller, zone: Zone, entered: Entered, response: Response,
    request: FolderStudyIn,
) -> StudyOut:  # fmt: skip
    """Take a folder that the operator has put below the service's root of studies.

    The same again is answered as it stands now (200); another study under that name is refused (409).
    """
    job_id, now, kept = entered
    new = New(job_id, request.name, request.start, now.timestamp(), kept)
    noted = noting(caller, "study.register", now)
    done = await run_in_threadpool(
        register_folder, live.database, caller.scope, runner.places, new, noted, request.folder
    )
    return _registered(response, done, runner, zone)


@plain.post("/upload", status_code=201, summary="Register a study by its files", openapi_extra=_FORM)
async def upload(
    live: Live, runner: Studies, caller: StudyCaller, zone: Zone, clock: Clock, ids: Ids, request: Request,
    response: Response,
) -> StudyOut:  # fmt: skip
    """Take `study.toml` and the files that it names, as parts of one form.

    The same again is answered as it stands now (200); another study under that name is refused (409).
    """
    settings, job_id = request.app.state.settings, ids()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise InputError("files are sent as content-type multipart/form-data, with name and files")
    try:
        async with request.form(max_files=MOST_FILES, max_fields=10) as form:
            name, start = _fields(form.get("name"), form.get("start", "true"))
            files = [one for one in form.getlist("files") if isinstance(one, UploadFile)]
            folder = input_folder(runner.places.jobs, job_id)
            room = Room(int(settings.max_upload_mb * 1e6))
            await run_in_threadpool(
                take_files, [(one.filename or "", one.file) for one in files], folder, room
            )
    except MultiPartException as error:
        raise InputError(f"the form cannot be read: {error.message}") from None
    except BaseException:
        remove_folder(runner.places.jobs / job_id)
        raise
    new = New(job_id, name, start, clock().timestamp(), settings.studies_kept)
    noted = noting(caller, "study.register", clock())
    done = await run_in_threadpool(register, live.database, caller.scope, runner.places, new, noted)
    return _registered(response, done, runner, zone)


def _fields(name: object, start: object) -> tuple[str, bool]:
    known = study_name(name)
    if start not in ("true", "false"):
        raise InputError("start is true or false")
    return known, start == "true"


@plain.get("/shown", summary="Studies that everybody may see")
def shown(request: Request) -> ServedStudies:
    """List the studies of this service with their addresses; no key is needed."""
    return ServedStudies(studies=request.app.state.shelf.listed())


@plain.get("", summary="List studies")
async def page(
    live: Live, runner: Studies, caller: StudyCaller, zone: Zone, after: Cursor = None, limit: Limit = 100
) -> StudyPage:
    """Studies of the caller's tenant, in the order in which they were registered."""
    position = position_of(after)

    def read() -> list[jobs.Job]:
        with live.database.reading() as connection:
            return jobs.page(connection, caller.scope, position, limit)

    rows = await run_in_threadpool(read)
    last = PageEnd(rows[-1].created_s, rows[-1].job_id) if len(rows) == limit else None
    return StudyPage(studies=[study_out(row, zone) for row in rows], next=cursor_of(last))


async def _job(live: Live, who: Scope, study_id: str) -> jobs.Job:
    return await run_in_threadpool(study_of, live.database, who, study_id)


@plain.get("/{study_id}", summary="One study")
async def one(live: Live, runner: Studies, caller: StudyCaller, zone: Zone, study_id: StudyId) -> StudyOut:
    """Return how far a study is, or what became of it."""
    return study_out(await _job(live, caller.scope, study_id), zone)


@plain.get(
    "/{study_id}/stream",
    summary="Progress as it happens",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "The study, each time it changes."}
    },
)
async def stream(
    live: Live, runner: Studies, caller: StudyCaller, zone: Zone, request: Request, study_id: StudyId
) -> StreamingResponse:
    """Server-sent events: the study at once and whenever it changes; the stream ends with the study."""
    await _job(live, caller.scope, study_id)
    news: News = request.app.state.news

    async def lines() -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        told, still_good = "", StillGood(request)
        while not news.closed and await still_good():
            try:
                job = await _job(live, caller.scope, study_id)
            except MissingError:
                return
            body = json.dumps(
                study_out(job, zone).model_dump(mode="json"), ensure_ascii=False, separators=(",", ":")
            )
            if body != told:
                told = body
                yield f"event: {job.state}\ndata: {body}\n\n"
            if job.state not in ("queued", "running"):
                return
            await asyncio.sleep(LOOK_S)

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"x-accel-buffering": "no"})


@repeatable.post("/{study_id}/start", summary="Run a study")
async def start(
    live: Live, runner: Studies, caller: StudyCaller, zone: Zone, clock: Clock, study_id: StudyId
) -> StudyOut:
    """Queue a study that waits for its start, or run one again: its files are replaced when it is done.

    Studies run one after the other, in the order in which they were registered.
    """
    noted = noting(caller, "study.start", clock())
    job = await run_in_threadpool(start_study, live.database, caller.scope, study_id, noted)
    runner.wake()
    return study_out(job, zone)


@repeatable.post("/{study_id}/cancel", summary="Cancel a study")
async def cancel(
    live: Live, runner: Studies, caller: StudyCaller, zone: Zone, clock: Clock, study_id: StudyId
) -> StudyOut:
    """End a study that waits or runs; results of an earlier run stay on the disk until it runs again."""
    now = clock()
    noted = noting(caller, "study.cancel", now)
    job = await run_in_threadpool(cancel_study, live.database, caller.scope, study_id, now.timestamp(), noted)
    runner.wake()
    return study_out(job, zone)


@repeatable.post("/{study_id}/publish", summary="Serve a result under a name")
async def publish(
    live: Live, runner: Studies, caller: StudyCaller, zone: Zone, clock: Clock, study_id: StudyId,
    request: PublishIn,
) -> StudyOut:  # fmt: skip
    """Show the result to everybody at `/s/NAME/`, with map, reports, layers, stations and matching.

    A name that an earlier study of the same tenant has goes over to this one; null: it is not shown any more.
    """
    noted = noting(caller, "study.publish", clock())
    asked = study_id, request.name, runner.places.names
    job = await run_in_threadpool(publish_study, live.database, caller.scope, *asked, noted)
    return study_out(job, zone)


@plain.get("/{study_id}/files", summary="The files of a result")
async def files(live: Live, runner: Studies, caller: StudyCaller, study_id: StudyId) -> ResultFiles:
    """List what a study that is done has written; empty for others."""
    job = await _job(live, caller.scope, study_id)
    found = await run_in_threadpool(result_files, runner.places, job)
    return ResultFiles(
        files=[ResultFile(path=name, bytes=path.stat().st_size) for name, path in found.items()]
    )


@plain.get(
    "/{study_id}/files/{path:path}",
    summary="One file of a result",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file."}},
)
async def file(
    live: Live, runner: Studies, caller: StudyCaller, study_id: StudyId,
    path: Annotated[str, Path(max_length=400, description="As in the list of files.")],
) -> FileResponse:  # fmt: skip
    """Download a file."""
    job = await _job(live, caller.scope, study_id)
    found = await run_in_threadpool(result_file, runner.places, job, path)
    if found is None:
        raise MissingError("the study has no such file")
    return FileResponse(found, filename=found.name, media_type="application/octet-stream")


@plain.delete("/{study_id}", status_code=204, summary="Forget a study")
async def delete(
    live: Live, runner: Studies, caller: StudyCaller, clock: Clock, study_id: StudyId
) -> Response:
    """Remove a study with its uploaded files and its results; what runs or waits is cancelled first."""
    noted = noting(caller, "study.delete", clock())
    await run_in_threadpool(remove_study, live.database, caller.scope, study_id, noted)
    await run_in_threadpool(runner.forget, study_id)
    return Response(status_code=204)


router.include_router(plain)
router.include_router(repeatable)
