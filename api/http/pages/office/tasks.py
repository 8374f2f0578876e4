"""Tasks of those who publish them: a tap on the map, what becomes of each, verified or opened again."""

import datetime
import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from api.dispatch import codec
from api.dispatch.commands import Published, on_task, publish, published_grid
from api.dispatch.desk import MissingError, Turn
from api.dispatch.forms import ReasonIn, ReopenIn, TaskOut, TaskPublishIn, VerifyIn
from api.dispatch.translate import task_of, task_out
from api.forms import ServiceId
from api.http.live import cursor_of, position_of
from api.http.pages.frame.forms import Fields, Posted, number, read_form, whole_number
from api.http.pages.frame.photos import shown_photo
from api.http.pages.frame.render import see_other
from api.http.pages.frame.route import PageRoute, told
from api.http.pages.frame.visit import PageVisit, visit_of
from api.store.dispatch import tasks as task_rows
from api.store.rows import PageEnd
from geo.errors import YiluError
from routing.dispatch import Command, ConflictError, Reopen, Verify, Withdraw

__all__ = ["router"]

router = APIRouter(prefix="/tasks", include_in_schema=False, route_class=PageRoute)
PublisherVisit = Annotated[PageVisit, Depends(visit_of("platform", "planner", "grid_staff"))]
TaskId = Annotated[ServiceId, Path()]
KINDS = (
    "hazard", "blocked_exit", "furniture", "rubbish", "visit", "notice", "patrol", "food_safety", "errand",
)  # fmt: skip
OPEN = ("published", "offered", "accepted", "under_way", "done")
LISTED = 50
MARKED = 200
HOURS, MINUTES, PEOPLE = (0.1, 720.0), (0.0, 240.0), (1, 10)
"""What the page takes, as its fields say."""


@router.get("")
async def listed(
    visit: PublisherVisit,
    show: Annotated[str, Query(pattern="^(open|all)$")] = "open",
    after: Annotated[str | None, Query(max_length=400)] = None,
) -> Response:
    """List the caller's tasks; those that want something of them first."""
    position, statuses = position_of(after), OPEN if show == "open" else ()

    def read() -> list[task_rows.TaskRow]:
        with visit.live.database.reading() as connection:
            return task_rows.page(connection, visit.who, position, LISTED, statuses)

    rows = await visit.read(read)
    shown = [task_out(row, codec.state_of(row.state), "wgs84", visit.zone) for row in rows]
    shown.sort(key=lambda one: (one.status != "done", -one.created.timestamp()))
    last = PageEnd(rows[-1].created_s, rows[-1].task_id) if len(rows) == LISTED else None
    marks = [_mark(one) for one in shown[:MARKED]]
    return visit.page("tasks", tasks=shown, show=show, next=cursor_of(last), content={"marks": marks})


def _mark(task: TaskOut) -> dict[str, Any]:
    place = [task.place.lon, task.place.lat]
    return {"at": place, "kind": "task", "text": task.task_id, "href": f"/tasks/{task.id}"}


@router.get("/new")
async def empty(visit: PublisherVisit) -> Response:
    """Show the form of a new task."""
    return _form(visit, {}, secrets.token_hex(4))


def _form(visit: PageVisit, values: Any, once: str, error: str | None = None, status: int = 200) -> Response:  # noqa: ANN401
    return visit.page(
        "task_new", status, values=values, once=once, error=error, kinds=KINDS, codes=visit.who.grid_codes
    )


@router.post("")
async def post(visit: PublisherVisit, fields: Posted) -> Response:
    """Publish a task; sent twice, it is published once."""
    once = fields.get("once") or secrets.token_hex(4)
    label = f"{fields.get('name', '')[:50]} {once[:12]}".strip()
    task_id = visit.request.app.state.ids()
    try:
        if "place_lon" not in fields or "place_lat" not in fields:
            return _form(visit, fields, once, visit.say("map.need"), 422)
        form = _task(visit, fields, label)
        body = form.model_dump(mode="json") | {"datum": "wgs84"}

        def work(turn: Turn) -> Published:
            known = task_rows.by_label(turn.connection, visit.who, str(visit.who.tenant_id), label)
            if known is not None:
                return Published(known, codec.state_of(known.state))
            task = task_of(form, "wgs84", task_id, turn.now_s)
            grid = published_grid(visit.who, form.grid_code)
            return publish(turn, visit.who, task, label=label, grid_code=grid, body=body)

        done = await visit.commanded(("task.publish", None), work)
    except YiluError as error:
        return _form(visit, fields, once, told(error, visit.visitor.lang), 422)
    return see_other(f"/tasks/{done.row.task_id}")


def _task(visit: PageVisit, fields: Fields, label: str) -> TaskPublishIn:
    latest = visit.now + datetime.timedelta(hours=number(fields, "hours", 4.0, HOURS))
    place = {
        "lon": number(fields, "place_lon"),
        "lat": number(fields, "place_lat"),
        "service_s": 60.0 * number(fields, "minutes", 5.0, MINUTES),
        "latest": latest,
    }
    return read_form(
        TaskPublishIn,
        {
            "task_id": label,
            "place": place,
            "kind": fields.get("kind", "hazard"),
            "people": whole_number(fields, "people", 1, PEOPLE),
            "grid_code": fields.get("grid_code"),
        },
    )


def _row(visit: PageVisit, task_id: str) -> task_rows.TaskRow:
    with visit.live.database.reading() as connection:
        row = task_rows.get(connection, visit.who, task_id)
    if row is None:
        raise MissingError("there is no such task")
    return row


@router.get("/{task_id}")
async def one(visit: PublisherVisit, task_id: TaskId) -> Response:
    """Show what has become of a task."""
    return await _task_page(visit, task_id)


def _stages(visit: PageVisit, task_id: str) -> tuple[TaskOut, Any]:
    row = _row(visit, task_id)
    task = task_out(row, codec.state_of(row.state), "wgs84", visit.zone)
    return task, visit.part("task_now", f"/tasks/{task_id}/now", task=task)


async def _task_page(
    visit: PageVisit,
    task_id: str,
    error: str | None = None,
    status: int = 200,
    sent: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    task, part = await visit.read(_stages, visit, task_id)
    content = {"marks": [_mark(task)]}
    return visit.page("task", status, task=task, part=part, error=error, content=content, sent=sent)


@router.get("/photos/{photo_id}")
async def photo(visit: PublisherVisit, photo_id: Annotated[ServiceId, Path()]) -> Response:
    """Show what a rider has taken of a task that the reader published."""
    return await shown_photo(visit, photo_id)


@router.get("/{task_id}/now")
async def now(visit: PublisherVisit, task_id: TaskId) -> Response:
    """Show what has changed since the page was read."""
    return (await visit.read(_stages, visit, task_id))[1].response()  # type: ignore[no-any-return]


@router.post("/{task_id}/{verb}")
async def command(
    visit: PublisherVisit, fields: Posted, task_id: TaskId,
    verb: Annotated[str, Path(pattern="^(verify|reopen|withdraw)$")],
) -> Response:  # fmt: skip
    """Verify, open again, or withdraw."""
    try:
        said = _command(visit, verb, fields)

        def work(turn: Turn) -> Published:
            return on_task(turn, visit.who, task_id, said)

        await visit.commanded((f"task.{verb}", task_id), work, task_id)
    except ConflictError as error:
        filled_in = {**fields, "verb": verb}
        return await _task_page(visit, task_id, told(error, visit.visitor.lang), 409, filled_in)
    except YiluError as error:
        if isinstance(error, MissingError):
            raise
        filled_in = {**fields, "verb": verb}
        return await _task_page(visit, task_id, told(error, visit.visitor.lang), 422, filled_in)
    return see_other(f"/tasks/{task_id}")


def _command(visit: PageVisit, verb: str, fields: Fields) -> Command:
    words = fields.get("words", "")
    if verb == "verify":
        return Verify(read_form(VerifyIn, {"note": words}).note)
    if verb == "withdraw":
        return Withdraw(read_form(ReasonIn, {"reason": words}).reason)
    latest = visit.now + datetime.timedelta(hours=number(fields, "hours", 4.0, HOURS))
    said = read_form(ReopenIn, {"reason": words, "latest": latest})
    return Reopen(said.reason, said.latest.timestamp())
