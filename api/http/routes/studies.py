"""``/v1/studies``: studies as jobs, from their files to their results."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.responses import FileResponse, StreamingResponse

from api.dispatch.desk import MissingError
from api.forms import instant_of
from api.http.access.auth import Caller, require
from api.http.deps import Clock, Ids
from api.http.live import Cursor, Limit, Live, News, Zone, cursor_of, position_of
from api.http.repeats import RepeatableRoute
from api.jobs.forms import (
    FolderStudyIn,
    ProgressOut,
    PublishIn,
    ResultFile,
    ResultFiles,
    ServedStudies,
    StudyName,
    StudyOut,
    StudyPage,
)
from api.jobs.intake import MOST_FILES, Room, remove_folder, take_file, unpack
from api.jobs.register import JobConflictError, New, register, register_folder, result_file, result_files
from api.jobs.runner import Runner, input_folder
from api.store import Scope, StoreUnavailable, jobs
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
_NAME = TypeAdapter(StudyName)
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
    runner: Runner | None = request.app.state.runner
    if runner is None:
        raise StoreUnavailable("this service was started without a store", 60)
    return runner


Studies = Annotated[Runner, Depends(_runner)]


def _out(job: jobs.Job, zone: Zone) -> StudyOut:
    progress = job.progress or {}
    return StudyOut(
        study_id=job.job_id,
        name=job.name,
        state=job.state,
        source=job.params["source"],
        title=job.params["title"],
        city=job.params["city"],
        created=instant_of(job.created_s, zone),
        started=None if job.started_s is None else instant_of(job.started_s, zone),
        ended=None if job.ended_s is None else instant_of(job.ended_s, zone),
        progress=ProgressOut(**progress) if progress and job.state == "running" else None,
        error=job.error,
        published=job.published,
    )


def _entered(clock: Clock, ids: Ids, request: Request) -> tuple[str, float, int]:
    """Return what a new job gets from the service: its id, its instant, and how many jobs are kept."""
    return ids(), clock().timestamp(), request.app.state.settings.studies_kept


Entered = Annotated[tuple[str, float, int], Depends(_entered)]


def _registered(response: Response, done: tuple[jobs.Job, bool], runner: Runner, zone: Zone) -> StudyOut:
    job, is_new = done
    if not is_new:
        response.status_code = 200
    runner.wake()
    response.headers["location"] = f"/v1/studies/{job.job_id}"
    return _out(job, zone)


@repeatable.post("", status_code=201, summary="Register a study whose files are on the server")
async def from_folder(
    live: Live, runner: Studies, caller: StudyCaller, zone: Zone, entered: Entered, response: Response,
    request: FolderStudyIn,
) -> StudyOut:  # fmt: skip
    """Take a folder that the operator has put below the service's root of studies.

    The same again is answered as it stands now (200); another study under that name is refused (409).
    """
    job_id, now_s, kept = entered
    new = New(job_id, request.name, request.start, now_s, kept)
    done = await run_in_threadpool(
        register_folder, live.database, caller.scope, runner.places, new, request.folder
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
            await run_in_threadpool(_take, [(one.filename or "", one.file) for one in files], folder, room)
    except MultiPartException as error:
        raise InputError(f"the form cannot be read: {error.message}") from None
    except BaseException:
        remove_folder(runner.places.jobs / job_id)
        raise
    new = New(job_id, name, start, clock().timestamp(), settings.studies_kept)
    done = await run_in_threadpool(register, live.database, caller.scope, runner.places, new)
    return _registered(response, done, runner, zone)


def _fields(name: object, start: object) -> tuple[str, bool]:
    try:
        known = _NAME.validate_python(name)
    except ValidationError:
        raise InputError("the form needs a name of 1 to 100 characters") from None
    if start not in ("true", "false"):
        raise InputError("start is true or false")
    return known, start == "true"


def _take(files: list[tuple[str, Any]], folder: Any, room: Room) -> None:  # noqa: ANN401
    if not files:
        raise InputError("the form has no files: send study.toml and what it names as parts called files")
    try:
        folder.mkdir(parents=True)
        if shutil.disk_usage(folder).free < room.max_bytes:
            raise StoreUnavailable("there is no room on the disk for an upload now", 60)
        if len(files) == 1 and files[0][0].lower().endswith(".zip"):
            unpack(files[0][1], folder, room)
            return
        for name, file in files:
            take_file(file, folder, name, room)
    except OSError as error:
        raise StoreUnavailable(f"the files cannot be kept now ({error.strerror})", 60) from None


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
    return StudyPage(studies=[_out(row, zone) for row in rows], next=cursor_of(last))


async def _job(live: Live, who: Scope, study_id: str) -> jobs.Job:
    def read() -> jobs.Job | None:
        with live.database.reading() as connection:
            return jobs.get(connection, who, study_id)

    job = await run_in_threadpool(read)
    if job is None:
        raise MissingError("there is no such study")
    return job


@plain.get("/{study_id}", summary="One study")
async def one(live: Live, runner: Studies, caller: StudyCaller, zone: Zone, study_id: StudyId) -> StudyOut:
    """Return how far a study is, or what became of it."""
    return _out(await _job(live, caller.scope, study_id), zone)


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
        told = ""
        while not news.closed:
            try:
                job = await _job(live, caller.scope, study_id)
            except MissingError:
                return
            body = json.dumps(
                _out(job, zone).model_dump(mode="json"), ensure_ascii=False, separators=(",", ":")
            )
            if body != told:
                told = body
                yield f"event: {job.state}\ndata: {body}\n\n"
            if job.state not in ("queued", "running"):
                return
            await asyncio.sleep(LOOK_S)

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def _changed(
    live: Live, who: Scope, study_id: str, change: Callable[[Any], bool], refusal: str
) -> jobs.Job:
    """Change a study's row; raise JobConflictError with `refusal` where its state does not allow it."""

    def work() -> tuple[bool, jobs.Job | None]:
        with live.database.transaction() as connection:
            done = change(connection)
            return done, jobs.get(connection, who, study_id)

    await _job(live, who, study_id)
    done, job = await run_in_threadpool(work)
    if job is None:
        raise MissingError("there is no such study")
    if not done:
        raise JobConflictError(refusal.format(state=job.state))
    return job


@repeatable.post("/{study_id}/start", summary="Run a study")
async def start(live: Live, runner: Studies, caller: StudyCaller, zone: Zone, study_id: StudyId) -> StudyOut:
    """Queue a study that waits for its start, or run one again: its files are replaced when it is done.

    Studies run one after the other, in the order in which they were registered.
    """
    who = caller.scope
    refusal = "the study is {state}: it runs or waits already"
    job = await _changed(
        live, who, study_id, lambda connection: jobs.queue(connection, who, study_id), refusal
    )
    runner.wake()
    return _out(job, zone)


@repeatable.post("/{study_id}/cancel", summary="Cancel a study")
async def cancel(
    live: Live, runner: Studies, caller: StudyCaller, zone: Zone, clock: Clock, study_id: StudyId
) -> StudyOut:
    """End a study that waits or runs; results of an earlier run stay on the disk until it runs again."""
    who, now_s = caller.scope, clock().timestamp()
    refusal = "the study is {state}: there is nothing to cancel"
    job = await _changed(
        live, who, study_id, lambda connection: jobs.cancel(connection, who, study_id, now_s), refusal
    )
    runner.wake()
    return _out(job, zone)


@repeatable.post("/{study_id}/publish", summary="Serve a result under a name")
async def publish(
    live: Live, runner: Studies, caller: StudyCaller, zone: Zone, study_id: StudyId, request: PublishIn
) -> StudyOut:
    """Show the result to everybody at `/s/NAME/`, with map, reports, layers, stations and matching.

    A name that an earlier study of the same tenant has goes over to this one; null: it is not shown any more.
    """
    who, name = caller.scope, request.name
    if name is not None and (await _job(live, who, study_id)).state != "done":
        raise JobConflictError("only a study that is done has a result to show")
    if name in runner.places.names:
        raise JobConflictError("this name is taken")
    job = await _changed(
        live,
        who,
        study_id,
        lambda connection: jobs.publish(connection, who, study_id, name),
        "this name is taken",
    )
    return _out(job, zone)


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
async def delete(live: Live, runner: Studies, caller: StudyCaller, study_id: StudyId) -> Response:
    """Remove a study with its uploaded files and its results; what runs or waits is cancelled first."""
    who = caller.scope
    await _job(live, who, study_id)

    def remove() -> bool:
        with live.database.transaction() as connection:
            return jobs.remove(connection, who, study_id)

    if not await run_in_threadpool(remove):
        raise JobConflictError("the study waits or runs: cancel it first")
    await run_in_threadpool(runner.forget, study_id)
    return Response(status_code=204)


router.include_router(plain)
router.include_router(repeatable)
