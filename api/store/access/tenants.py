"""Tenants: platforms and offices."""

import dataclasses
from typing import Literal

import sqlalchemy as sa

from api.store import scope
from api.store.rows import read
from api.store.scope import Scope
from api.store.tables import tenants
from geo.errors import InputError

__all__ = ["Tenant", "add", "get", "list_all"]


@dataclasses.dataclass(frozen=True, slots=True)
class Tenant:
    """One of those who share the service."""

    tenant_id: str
    name: str
    kind: Literal["platform", "office"]
    created_s: float


def add(connection: sa.Connection, who: Scope, tenant: Tenant) -> None:
    """Add a tenant.

    Raises
    ------
    InputError
        When there is one with that id.
    OutOfScopeError
        For everybody but an admin.
    """
    statement = scope.upsert(connection.dialect.name, tenants, who, tenant.tenant_id).on_conflict_do_nothing()
    made = connection.execute(
        statement.returning(tenants.c.tenant_id), dataclasses.asdict(tenant)
    ).one_or_none()
    if made is None:
        raise InputError(f"there is a tenant {tenant.tenant_id} already")


def get(connection: sa.Connection, who: Scope, tenant_id: str) -> Tenant | None:
    """Return one tenant; None where there is none in scope."""
    row = connection.execute(scope.select(tenants, who).where(tenants.c.tenant_id == tenant_id)).one_or_none()
    return None if row is None else read(Tenant, row)


def list_all(connection: sa.Connection, who: Scope) -> list[Tenant]:
    """Return the tenants in scope by id."""
    query = scope.select(tenants, who).order_by(tenants.c.tenant_id)
    return [read(Tenant, row) for row in connection.execute(query)]
