"""Tasks as published and what became of them."""

import dataclasses
from collections.abc import Sequence

import sqlalchemy as sa

from api.store import places, scope
from api.store.rows import Json, PageEnd, after, read
from api.store.scope import Scope
from api.store.tables import tasks
from geo.errors import YiluError

__all__ = [
    "LabelTakenError",
    "TaskRow",
    "VersionConflictError",
    "by_label",
    "get",
    "insert",
    "load_for_update",
    "lock_all",
    "near",
    "page",
    "save",
    "with_status",
]


class LabelTakenError(YiluError):
    """The publisher has a task with that label already."""


class VersionConflictError(YiluError):
    """The task was changed by somebody else since it was read."""


@dataclasses.dataclass(frozen=True, slots=True)
class TaskRow:
    """One task. `label` is the publisher's own id; `version` is that of the row as read, 1 for a new one."""

    task_id: str
    tenant_id: str
    label: str
    status: str
    grid_code: str | None
    lon: float
    lat: float
    due_s: float | None
    created_s: float
    version: int
    body: Json
    state: Json


def insert(connection: sa.Connection, who: Scope, task: TaskRow) -> None:
    """Publish a task.

    Raises
    ------
    LabelTakenError
        When its publisher has that label already; nothing was written.
    OutOfScopeError
        When `who` may not publish for that tenant, or not in that unit grid.
    """
    if who.role == "grid_staff" and task.grid_code not in who.grid_codes:
        raise scope.OutOfScopeError("a task of grid staff lies in one of their own unit grids")
    statement = scope.upsert(connection, tasks, who, task.tenant_id).on_conflict_do_nothing(
        index_elements=[tasks.c.tenant_id, tasks.c.label]
    )
    made = connection.execute(statement.returning(tasks.c.task_id), _values(task)).one_or_none()
    if made is None:
        raise LabelTakenError(f"there is a task with the label {task.label} already")


def _values(task: TaskRow) -> dict[str, object]:
    return {field.name: getattr(task, field.name) for field in dataclasses.fields(task)}


def _all(who: Scope) -> sa.Select[tuple[object, ...]]:
    return scope.select(tasks, who, *(tasks.c[field.name] for field in dataclasses.fields(TaskRow)))


def _one(connection: sa.Connection, query: sa.Select[tuple[object, ...]]) -> TaskRow | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else read(TaskRow, row)


def get(connection: sa.Connection, who: Scope, task_id: str) -> TaskRow | None:
    """Return one task; None where there is none in scope."""
    return _one(connection, _all(who).where(tasks.c.task_id == task_id))


def of_ids(connection: sa.Connection, who: Scope, task_ids: Sequence[str]) -> list[TaskRow]:
    """Return those of these tasks that are in scope, in the order of their ids."""
    query = _all(who).where(tasks.c.task_id.in_(task_ids)).order_by(tasks.c.task_id)
    return [read(TaskRow, row) for row in connection.execute(query)]


def by_label(connection: sa.Connection, who: Scope, tenant_id: str, label: str) -> TaskRow | None:
    """Return the task that its publisher calls `label`; None where there is none in scope."""
    return _one(connection, _all(who).where(tasks.c.tenant_id == tenant_id, tasks.c.label == label))


def load_for_update(connection: sa.Connection, who: Scope, task_id: str) -> TaskRow | None:
    """Return one task for changing it: whoever else wants to waits until this transaction ends."""
    return _one(connection, _all(who).where(tasks.c.task_id == task_id).with_for_update())


def lock_all(connection: sa.Connection, who: Scope, task_ids: Sequence[str]) -> list[TaskRow]:
    """Return tasks for changing them, locked in the order of their ids: two such never wait crosswise."""
    query = _all(who).where(tasks.c.task_id.in_(task_ids)).order_by(tasks.c.task_id).with_for_update()
    return [read(TaskRow, row) for row in connection.execute(query)]


def save(connection: sa.Connection, who: Scope, task: TaskRow) -> TaskRow:
    """Write a changed task over the version it was read as; returns it with its new version.

    Raises
    ------
    VersionConflictError
        When it has another version by now, or is not in scope.
    """
    changed = dataclasses.replace(task, version=task.version + 1)
    fixed = {"task_id", "tenant_id", "label", "created_s"}
    values = {name: value for name, value in _values(changed).items() if name not in fixed}
    statement = scope.update(tasks, who).where(
        tasks.c.task_id == task.task_id, tasks.c.version == task.version
    )
    if connection.execute(statement.values(**values)).rowcount != 1:
        raise VersionConflictError("the task was changed by somebody else; read it again")
    return changed


def page(
    connection: sa.Connection,
    who: Scope,
    position: PageEnd | None,
    limit: int,
    statuses: Sequence[str] = (),
) -> list[TaskRow]:
    """Return tasks in the order they were published, after the last of the page before.

    Parameters
    ----------
    statuses : sequence of str
        Only these; none: all.
    """
    query = _all(who).where(after(tasks.c.created_s, tasks.c.task_id, position))
    if statuses:
        query = query.where(tasks.c.status.in_(statuses))
    query = query.order_by(tasks.c.created_s, tasks.c.task_id).limit(limit)
    return [read(TaskRow, row) for row in connection.execute(query)]


def with_status(connection: sa.Connection, who: Scope, statuses: Sequence[str]) -> list[TaskRow]:
    """Return all tasks with one of these statuses, such as those that are open when the service starts."""
    query = _all(who).where(tasks.c.status.in_(statuses)).order_by(tasks.c.created_s, tasks.c.task_id)
    return [read(TaskRow, row) for row in connection.execute(query)]


def near(
    connection: sa.Connection, who: Scope, lon: float, lat: float, within_m: float, limit: int
) -> list[TaskRow]:
    """Return tasks within so many metres of a place (WGS-84 degrees), in the order they were published."""
    query = _all(who).where(places.within(connection, lon, lat, within_m))
    query = query.order_by(tasks.c.created_s, tasks.c.task_id).limit(limit)
    return [read(TaskRow, row) for row in connection.execute(query)]
