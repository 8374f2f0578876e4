"""Events: what happened, in one order for all readers, written in the transaction that changed the state."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from api.store import commit_order, scope
from api.store.rows import Json, values_of
from api.store.scope import Scope
from api.store.tables import events

__all__ = ["Event", "EventRow", "after", "append", "last_seq", "of_task", "of_tasks", "tasks_after"]


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Parameters
    ----------
    at_s : float
    kind : str
    task_id : str or None
    publisher_tenant_id : str or None
        Who published the task.
    platform_tenant_id, rider_id : str or None
        The rider's platform and their id there; the publisher learns neither.
    body : mapping
        What publisher and platform may both know.
    platform_body : mapping or None
        What only the rider's platform may know.
    """

    at_s: float
    kind: str
    task_id: str | None
    publisher_tenant_id: str | None
    platform_tenant_id: str | None
    rider_id: str | None
    body: Json
    platform_body: Json | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class EventRow:
    """An event as its reader may know it, with its number."""

    seq: int
    event: Event


def append(connection: sa.Connection, who: Scope, happened: Sequence[Event]) -> list[int]:
    """Write events, in the transaction of what they tell of.

    Returns
    -------
    list of int
        Their numbers, growing; over time there may be gaps.

    Raises
    ------
    OutOfScopeError
        For everybody but the service.
    """
    statement = _appending(who)
    if not happened:
        return []
    commit_order.begin_numbering(connection, commit_order.EVENTS)
    made = connection.execute(statement, [values_of(one) for one in happened])
    return [int(seq) for seq in made.scalars()]


@functools.lru_cache(scope.KEPT)
def _appending(who: Scope) -> "sa.sql.dml.ReturningInsert[int]":
    made = scope.insert(events, who, who.tenant_id)
    return made.returning(events.c.seq, sort_by_parameter_order=True)


def after(
    connection: sa.Connection, who: Scope, seq: int, limit: int, kinds: Sequence[str] = ()
) -> list[EventRow]:
    """Return events after a number, in order; none committed later will come before the last of them."""
    query = _followed(connection, scope.select(events, who), seq, limit)
    if kinds:
        query = query.where(events.c.kind.in_(kinds))
    return [_seen(row, who) for row in connection.execute(query)]


def tasks_after(connection: sa.Connection, who: Scope, seq: int, limit: int) -> list[tuple[int, str | None]]:
    """Return number and task of the events that `after` would return, without what they say."""
    query = _followed(connection, scope.select(events, who, events.c.seq, events.c.task_id), seq, limit)
    return [(int(number), task_id) for number, task_id in connection.execute(query)]


def _followed(connection: sa.Connection, query: sa.Select[Any], seq: int, limit: int) -> sa.Select[Any]:
    safe = commit_order.safe_until(connection, commit_order.EVENTS)
    query = query.where(events.c.seq > seq)
    if safe is not None:
        query = query.where(events.c.seq <= safe)
    return query.order_by(events.c.seq).limit(limit)


def of_task(connection: sa.Connection, who: Scope, task_id: str) -> list[EventRow]:
    """Return the events of a task, in order."""
    query = scope.select(events, who).where(events.c.task_id == task_id).order_by(events.c.seq)
    return [_seen(row, who) for row in connection.execute(query)]


def of_tasks(connection: sa.Connection, who: Scope, task_ids: Sequence[str]) -> dict[str, list[EventRow]]:
    """Return the events of several tasks in one query, those of each in order."""
    query = scope.select(events, who).where(events.c.task_id.in_(task_ids)).order_by(events.c.seq)
    found: dict[str, list[EventRow]] = {task_id: [] for task_id in task_ids}
    for row in connection.execute(query):
        found[row.task_id].append(_seen(row, who))
    return found


def last_seq(connection: sa.Connection, who: Scope) -> int:
    """Return the number of the last event in scope; 0 for none. A reader that goes on from it misses none."""
    safe = commit_order.safe_until(connection, commit_order.EVENTS)
    query = scope.select(events, who, sa.func.max(events.c.seq))
    if safe is not None:
        query = query.where(events.c.seq <= safe)
    return int(connection.execute(query).scalar_one() or 0)


def _seen(row: sa.Row[tuple[object, ...]], who: Scope) -> EventRow:
    """Leave out what the reader may not know: the publisher learns neither platform nor rider."""
    values = dict(row._mapping)
    seq = values.pop("seq")
    if who.role != "admin" and values["platform_tenant_id"] != who.tenant_id:
        values |= {"platform_tenant_id": None, "rider_id": None, "platform_body": None}
    if who.role in {"planner", "grid_staff"}:
        values |= {"rider_id": None, "platform_body": None}
    return EventRow(seq, Event(**values))
