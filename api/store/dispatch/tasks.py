"""Tasks as published and what became of them."""

import dataclasses
import functools
from collections.abc import Sequence

import sqlalchemy as sa

from api.store import places, scope
from api.store.rows import Json, PageEnd, after, read, values_of
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
    "insert_all",
    "load_for_update",
    "lock_all",
    "near",
    "page",
    "save",
    "save_all",
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
    insert_all(connection, who, [task])


def insert_all(connection: sa.Connection, who: Scope, made: Sequence[TaskRow]) -> None:
    """Publish tasks, as `insert` does each of them."""
    for tenant_id in sorted({task.tenant_id for task in made}):
        mine = [task for task in made if task.tenant_id == tenant_id]
        if who.role == "grid_staff" and any(task.grid_code not in who.grid_codes for task in mine):
            raise scope.OutOfScopeError("a task of grid staff lies in one of their own unit grids")
        statement = _inserting(connection.dialect.name, who, tenant_id)
        there = set(connection.execute(statement, [values_of(task) for task in mine]).scalars())
        for task in mine:
            if task.task_id not in there:
                raise LabelTakenError(f"there is a task with the label {task.label} already")


@functools.lru_cache(scope.KEPT)
def _inserting(dialect: str, who: Scope, tenant_id: str) -> "sa.sql.dml.ReturningInsert[str]":
    statement = scope.upsert(dialect, tasks, who, tenant_id).on_conflict_do_nothing(
        index_elements=[tasks.c.tenant_id, tasks.c.label]
    )
    return statement.returning(tasks.c.task_id)


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
    found = by_labels(connection, who, tenant_id, [label])
    return found[0] if found else None


def by_labels(connection: sa.Connection, who: Scope, tenant_id: str, labels: Sequence[str]) -> list[TaskRow]:
    """Return those of the tasks that their publisher calls so which are in scope."""
    made = connection.execute(_labelled(who), {"of": tenant_id, "called": labels})
    return [read(TaskRow, row) for row in made]


@functools.lru_cache(scope.KEPT)
def _labelled(who: Scope) -> sa.Select[tuple[object, ...]]:
    return _all(who).where(
        tasks.c.tenant_id == sa.bindparam("of", type_=sa.Text),
        tasks.c.label.in_(sa.bindparam("called", expanding=True, type_=sa.Text)),
    )


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
    return save_all(connection, who, [task])[0]


def save_all(connection: sa.Connection, who: Scope, changed: Sequence[TaskRow]) -> list[TaskRow]:
    """Write changed tasks, as `save` does each of them."""
    if not changed:
        return []
    rows = []
    for task in changed:
        row = {name: value for name, value in values_of(task).items() if name not in _FIXED}
        rows.append({**row, "version": task.version + 1, "is_task": task.task_id, "is_version": task.version})
    if scope.executed(connection, _saving(who), rows) != len(rows):
        raise VersionConflictError("the task was changed by somebody else; read it again")
    return [dataclasses.replace(task, version=task.version + 1) for task in changed]


_FIXED = frozenset({"task_id", "tenant_id", "label", "created_s"})


@functools.lru_cache(scope.KEPT)
def _saving(who: Scope) -> sa.Update:
    return scope.update(tasks, who).where(
        tasks.c.task_id == sa.bindparam("is_task", type_=sa.Text),
        tasks.c.version == sa.bindparam("is_version", type_=sa.Integer),
    )


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
