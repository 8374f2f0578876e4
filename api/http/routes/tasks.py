"""``/v1/tasks``: what offices and platforms publish, and what becomes of it."""

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.concurrency import run_in_threadpool

from api.dispatch import codec
from api.dispatch.commands import Published, on_task, publish, published_grid
from api.dispatch.desk import Desk, MissingError, Turn
from api.dispatch.forms import ReasonIn, ReopenIn, TaskOut, TaskPage, TaskPublishIn, TaskStatus, VerifyIn
from api.dispatch.translate import task_of, task_out
from api.dispatch.turn import Labelled
from api.forms import ServiceId
from api.http.access.auth import Caller
from api.http.deps import Ids
from api.http.live import (
    AnswerDatum,
    Cursor,
    Limit,
    Live,
    PublisherCaller,
    Zone,
    cursor_of,
    position_of,
)
from api.http.repeats import OnceRoute, answered, json_answer
from api.store import Scope
from api.store.dispatch import tasks as task_rows
from api.store.rows import PageEnd
from geo.datum import Datum
from geo.errors import InputError
from routing.dispatch import Change, Command, Reopen, Verify, Withdraw

__all__ = ["router"]

router = APIRouter(prefix="/v1/tasks", tags=["tasks"], route_class=OnceRoute)
TaskId = Annotated[ServiceId, Path(alias="id", description="`id` of the task.")]
InDatum = Annotated[Datum, Query(description="Datum of the positions in the request and the answer.")]
Body: TypeAlias = Mapping[str, Any] | None
IfMatch = Annotated[
    str | None,
    Header(description="`ETag` of the task as it was read: the command counts only while it is that."),
]


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isdecimal() or len(text) > 18:
        raise InputError('If-Match is the ETag of a task, such as "3"')
    return int(text)


def _answer(
    done: Published, datum: Datum, zone: Zone, status: int = 200, location: str | None = None
) -> Response:
    headers = {"etag": f'"{done.row.version}"'} | ({} if location is None else {"location": location})
    return json_answer(task_out(done.row, done.state, datum, zone), status, headers)


@router.post(
    "",
    status_code=201,
    response_model=TaskOut,
    summary="Publish a task",
    responses={200: {"model": TaskOut, "description": "The same task was published before."}},
)
async def post(
    live: Live, caller: PublisherCaller, zone: Zone, ids: Ids, request: TaskPublishIn, datum: InDatum
) -> Response:  # fmt: skip
    """Ask the best riders at once; the answer says how many.

    `task_id` is the publisher's own name: the same task under the same name again is answered as it stands
    now (200), another one under that name is refused (409).
    """
    task_id = ids()
    body = _body(request, datum)

    def work(turn: Turn) -> Published:
        task = task_of(request, datum, task_id, turn.now_s)
        return publish(
            turn,
            caller.scope,
            task,
            label=request.task_id,
            grid_code=published_grid(caller.scope, request.grid_code),
            body=body,
        )

    def told(done: Published) -> Response:
        place = f"/v1/tasks/{done.row.task_id}"
        return _answer(done, datum, zone, 201 if done.new else 200, place)

    called = Labelled(caller.scope, str(caller.scope.tenant_id), request.task_id)
    return await answered(live, caller, ("task.publish", None), work, told, called=called)


def _body(request: TaskPublishIn, datum: Datum) -> dict[str, Any]:
    """Return what tells whether two requests publish the same task."""
    return request.model_dump(mode="json") | {"datum": datum}


@router.get("", summary="List tasks")
async def page(
    live: Live, caller: PublisherCaller, zone: Zone,
    status: Annotated[list[TaskStatus] | None, Query(description="Only these; none: all.")] = None,
    after: Cursor = None, limit: Limit = 100, datum: AnswerDatum = "wgs84",
) -> TaskPage:  # fmt: skip
    """Tasks that the caller has published, in the order in which they were."""
    position = position_of(after)

    def read() -> list[task_rows.TaskRow]:
        with live.database.reading() as connection:
            return task_rows.page(connection, caller.scope, position, limit, status or ())

    rows = await run_in_threadpool(read)
    shown = [task_out(row, codec.state_of(row.state), datum, zone) for row in rows]
    last = PageEnd(rows[-1].created_s, rows[-1].task_id) if len(rows) == limit else None
    return TaskPage(tasks=shown, next=cursor_of(last))


@router.get("/{id}", response_model=TaskOut, summary="One task")
async def one(
    live: Live, caller: PublisherCaller, zone: Zone, task_id: TaskId, datum: AnswerDatum = "wgs84"
) -> Response:
    """Return what has become of a task; `ETag` is for the next command."""
    row = await run_in_threadpool(_read, live, caller.scope, task_id)
    return _answer(Published(row, codec.state_of(row.state)), datum, zone)


def _read(live: Desk, who: Scope, task_id: str) -> task_rows.TaskRow:
    with live.database.reading() as connection:
        row = task_rows.get(connection, who, task_id)
    if row is None:
        raise MissingError("there is no such task")
    return row


@dataclasses.dataclass(frozen=True, slots=True)
class _Told:
    """How a task is told."""

    datum: Datum
    zone: datetime.tzinfo
    if_match: str | None
    """Of the task as the caller has read it."""

    def __call__(self, done: Published) -> Response:
        return _answer(done, self.datum, self.zone)


async def _command(
    live: Desk, caller: Caller, verb: str, task_id: str, command: Command, told: _Told, body: Body = None
) -> Response:
    version = _version(told.if_match)

    def work(turn: Turn) -> Published:
        return on_task(turn, caller.scope, task_id, command, version, body)

    return await answered(live, caller, (f"task.{verb}", task_id), work, told, task_id)


@router.put("/{id}", response_model=TaskOut, summary="Change a task that nobody has accepted")
async def change(
    live: Live, caller: PublisherCaller, zone: Zone, task_id: TaskId, request: TaskPublishIn,
    datum: InDatum, if_match: IfMatch = None,
) -> Response:  # fmt: skip
    """Open offers of the old contents end; the best riders for the new ones are asked."""
    task = task_of(request, datum, task_id, 0.0)
    told = _Told(datum, zone, if_match)
    return await _command(live, caller, "change", task_id, Change(task), told, _body(request, datum))


@router.post("/{id}/withdraw", response_model=TaskOut, summary="Withdraw a task")
async def withdraw(
    live: Live, caller: PublisherCaller, zone: Zone, task_id: TaskId, request: ReasonIn,
    if_match: IfMatch = None, datum: AnswerDatum = "wgs84",
) -> Response:  # fmt: skip
    """Riders who had accepted it are told, and it leaves their plans."""
    command = Withdraw(request.reason)
    return await _command(live, caller, "withdraw", task_id, command, _Told(datum, zone, if_match))


@router.post("/{id}/verify", response_model=TaskOut, summary="Say that a task is done")
async def verify(
    live: Live, caller: PublisherCaller, zone: Zone, task_id: TaskId, request: VerifyIn,
    if_match: IfMatch = None, datum: AnswerDatum = "wgs84",
) -> Response:  # fmt: skip
    """Note that the publisher has looked. Points are booked on this."""
    return await _command(live, caller, "verify", task_id, Verify(request.note), _Told(datum, zone, if_match))


@router.post("/{id}/reopen", response_model=TaskOut, summary="Open a task again")
async def reopen(
    live: Live, caller: PublisherCaller, zone: Zone, task_id: TaskId, request: ReopenIn,
    if_match: IfMatch = None, datum: AnswerDatum = "wgs84",
) -> Response:  # fmt: skip
    """Ask others, until `latest`: it is not done, or was said to be and is not."""
    command = Reopen(request.reason, request.latest.timestamp())
    return await _command(live, caller, "reopen", task_id, command, _Told(datum, zone, if_match))
