"""Offices that take reports: which kinds they are asked first for, and where."""

import dataclasses
from collections.abc import Sequence

import sqlalchemy as sa

from api.store import scope
from api.store.rows import Json, read
from api.store.scope import Scope
from api.store.tables import offices, tenants

__all__ = ["OfficeRow", "first_tenant", "list_all", "put"]


@dataclasses.dataclass(frozen=True, slots=True)
class OfficeRow:
    """One office; `tenant_id` is its name everywhere else."""

    tenant_id: str
    title: str
    kinds: Sequence[str]
    """Kinds of reports it is asked first for; none: all."""
    area: Json | None
    """A GeoJSON polygon in WGS-84; None: the whole city."""
    created_s: float


def put(connection: sa.Connection, who: Scope, row: OfficeRow) -> None:
    """Add an office, or change it.

    Raises
    ------
    OutOfScopeError
        For everybody but an admin.
    """
    statement = scope.upsert(connection.dialect.name, offices, who, row.tenant_id)
    changed = {name: statement.excluded[name] for name in ("title", "kinds", "area")}
    values = dataclasses.asdict(row) | {"kinds": list(row.kinds)}
    connection.execute(
        statement.on_conflict_do_update(index_elements=[offices.c.tenant_id], set_=changed), values
    )


def list_all(connection: sa.Connection, who: Scope) -> list[OfficeRow]:
    """Return all offices, the oldest first."""
    query = scope.select(offices, who).order_by(offices.c.created_s, offices.c.tenant_id)
    return [read(OfficeRow, row) for row in connection.execute(query)]


def first_tenant(connection: sa.Connection, who: Scope) -> str | None:
    """Return the oldest tenant that is an office, for a city that has named none; None without any."""
    query = scope.select(tenants, who, tenants.c.tenant_id).where(tenants.c.kind == "office")
    found = query.order_by(tenants.c.created_s, tenants.c.tenant_id).limit(1)
    return connection.execute(found).scalar_one_or_none()
