"""Emergencies: who was to be alerted, and what became of it."""

import dataclasses

import sqlalchemy as sa

from api.store import scope
from api.store.rows import Json, PageEnd, after, read
from api.store.scope import Scope
from api.store.tables import emergencies

__all__ = ["EmergencyRow", "by_label", "get", "insert", "load_for_update", "open_ones", "page", "save"]


@dataclasses.dataclass(frozen=True, slots=True)
class EmergencyRow:
    """One emergency. `label` is the publisher's own name; `version` is that of the row as read."""

    emergency_id: str
    tenant_id: str
    label: str
    status: str
    grid_code: str | None
    created_s: float
    version: int
    body: Json
    """What was asked for, and the plan that was made; never changed, and never shown whole."""
    state: Json


def insert(connection: sa.Connection, who: Scope, row: EmergencyRow) -> None:
    """Keep a new emergency.

    Raises
    ------
    OutOfScopeError
        When `who` may raise none for that tenant, or not in that unit grid.
    """
    if who.role == "grid_staff" and row.grid_code not in who.grid_codes:
        raise scope.OutOfScopeError("an emergency of grid staff lies in one of their own unit grids")
    connection.execute(scope.insert(emergencies, who, row.tenant_id), dataclasses.asdict(row))


def get(connection: sa.Connection, who: Scope, emergency_id: str) -> EmergencyRow | None:
    """Return one emergency; None where there is none in scope."""
    return _one(connection, scope.select(emergencies, who).where(emergencies.c.emergency_id == emergency_id))


def by_label(connection: sa.Connection, who: Scope, tenant_id: str, label: str) -> EmergencyRow | None:
    """Return the emergency that its publisher calls `label`; None where there is none in scope."""
    mine = sa.and_(emergencies.c.tenant_id == tenant_id, emergencies.c.label == label)
    return _one(connection, scope.select(emergencies, who).where(mine))


def load_for_update(connection: sa.Connection, who: Scope, emergency_id: str) -> EmergencyRow | None:
    """Return one emergency for changing it: whoever else wants to waits until this transaction ends."""
    query = scope.select(emergencies, who).where(emergencies.c.emergency_id == emergency_id)
    return _one(connection, query.with_for_update())


def _one(connection: sa.Connection, query: sa.Select[tuple[object, ...]]) -> EmergencyRow | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else read(EmergencyRow, row)


def save(connection: sa.Connection, who: Scope, row: EmergencyRow) -> EmergencyRow:
    """Write a changed emergency that was loaded for it; returns it with its new version."""
    changed = dataclasses.replace(row, version=row.version + 1)
    statement = scope.update(emergencies, who).where(emergencies.c.emergency_id == row.emergency_id)
    values = {"status": changed.status, "version": changed.version, "state": changed.state}
    connection.execute(statement.values(**values))
    return changed


def open_ones(connection: sa.Connection, who: Scope) -> list[EmergencyRow]:
    """Return all emergencies that go on."""
    query = scope.select(emergencies, who).where(emergencies.c.status == "open")
    query = query.order_by(emergencies.c.created_s, emergencies.c.emergency_id)
    return [read(EmergencyRow, row) for row in connection.execute(query)]


def page(connection: sa.Connection, who: Scope, position: PageEnd | None, limit: int) -> list[EmergencyRow]:
    """Return emergencies in the order they were raised, after the last of the page before."""
    condition = after(emergencies.c.created_s, emergencies.c.emergency_id, position)
    query = scope.select(emergencies, who).where(condition)
    query = query.order_by(emergencies.c.created_s, emergencies.c.emergency_id).limit(limit)
    return [read(EmergencyRow, row) for row in connection.execute(query)]
