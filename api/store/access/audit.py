"""Who did what to which: written with the change, never changed afterwards."""

import dataclasses
from collections.abc import Sequence

import sqlalchemy as sa

from api.store import scope
from api.store.rows import values_of
from api.store.scope import SERVICE, Scope
from api.store.tables import audit

__all__ = ["AuditEntry", "EntryRow", "page", "record", "record_all"]


@dataclasses.dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act; `outcome` is done or why it was refused."""

    at_s: float
    tenant_id: str | None
    key_id: str | None
    role: str | None
    action: str
    object_kind: str
    object_id: str | None
    outcome: str
    request_id: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class EntryRow:
    """An act with its number."""

    seq: int
    entry: AuditEntry


_BY_SERVICE = scope.insert(audit, SERVICE, None)


def record(connection: sa.Connection, who: Scope, entry: AuditEntry) -> None:
    """Put an act on record.

    Raises
    ------
    OutOfScopeError
        When it is that of another tenant.
    """
    connection.execute(scope.insert(audit, who, entry.tenant_id), dataclasses.asdict(entry))


def record_all(connection: sa.Connection, entries: Sequence[AuditEntry]) -> None:
    """Put acts of several callers on record, as the service itself."""
    if entries:
        connection.execute(_BY_SERVICE, [values_of(entry) for entry in entries])


def page(connection: sa.Connection, who: Scope, before_seq: int | None, limit: int) -> list[EntryRow]:
    """Return acts, the newest first; `before_seq` is the last of the page before."""
    query = scope.select(audit, who).order_by(audit.c.seq.desc()).limit(limit)
    if before_seq is not None:
        query = query.where(audit.c.seq < before_seq)
    return [EntryRow(seq, AuditEntry(*values)) for seq, *values in connection.execute(query)]
