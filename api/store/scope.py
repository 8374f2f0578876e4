"""Who may see and write which rows: the one place where statements over the tables are begun.

Repositories never call SQLAlchemy's ``select``, ``update``, ``delete`` or ``insert`` themselves. What is made
here carries a mark, and a `Database` refuses to run a statement over the tables without it.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from api.store import tables
from geo.errors import YiluError

__all__ = [
    "SERVICE",
    "OutOfScopeError",
    "Role",
    "Scope",
    "counting",
    "delete",
    "executed",
    "insert",
    "select",
    "update",
    "upsert",
]

Role = Literal["platform", "planner", "grid_staff", "rider", "admin"]
MARK = "yilu_scope"
KEPT = 256
"""Statements of one kind that are kept ready, for so many scopes: to make one costs more than to run it."""


class OutOfScopeError(YiluError):
    """A row that the caller may not write; no answer tells whether it exists."""


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """What one caller may see.

    Parameters
    ----------
    tenant_id : str or None
        The caller's tenant; None only for the service itself.
    role : str
        platform, planner, grid_staff, rider or admin.
    grid_codes : tuple of str
        Unit grids of grid staff; at least one for them, none for others.
    rider_id : str or None
        For a rider's token.
    """

    tenant_id: str | None
    role: Role
    grid_codes: tuple[str, ...] = ()
    rider_id: str | None = None

    def __post_init__(self) -> None:
        if self.role not in tables.ROLES:
            raise ValueError(f"role must be one of {', '.join(tables.ROLES)}, not {self.role}")
        if self.tenant_id is None and self.role != "admin":
            raise ValueError(f"a {self.role} belongs to a tenant")
        if bool(self.grid_codes) != (self.role == "grid_staff"):
            raise ValueError("grid codes are for grid staff, who have at least one")
        if (self.rider_id is not None) != (self.role == "rider"):
            raise ValueError("a rider's id is for a rider's token, which has one")

    @property
    def holder(self) -> str:
        """Who of the tenant this is: each rider for himself, everybody else by role."""
        return self.role if self.rider_id is None else f"rider:{self.rider_id}"


SERVICE = Scope(None, "admin")
"""The service itself: rebuilding the fleet, matching, sending webhooks. Never given to a caller."""

_Clause = sa.ColumnElement[bool]
_Rule = Callable[[Scope], _Clause]


def _tenant(table: sa.Table) -> _Rule:
    return lambda scope: table.c.tenant_id == scope.tenant_id


def _own_rider(table: sa.Table) -> _Rule:
    return lambda scope: sa.and_(table.c.tenant_id == scope.tenant_id, table.c.rider_id == scope.rider_id)


def _own_requests(scope: Scope) -> _Clause:
    mine = tables.idempotency.c
    return sa.and_(mine.tenant_id == scope.tenant_id, mine.holder == scope.holder)


def _own_words(scope: Scope) -> _Clause:
    mine = tables.station_events.c
    return sa.and_(mine.tenant_id == scope.tenant_id, mine.reporter == scope.holder)


def _own_grids(table: sa.Table) -> _Rule:
    return lambda scope: sa.and_(
        table.c.tenant_id == scope.tenant_id, table.c.grid_code.in_(scope.grid_codes)
    )


def _events_of_platform(scope: Scope) -> _Clause:
    events = tables.events.c
    return sa.or_(events.publisher_tenant_id == scope.tenant_id, events.platform_tenant_id == scope.tenant_id)


def _events_of_planner(scope: Scope) -> _Clause:
    return tables.events.c.publisher_tenant_id == scope.tenant_id


def _events_of_grids(scope: Scope) -> _Clause:
    emergencies, matters = tables.emergencies, tables.matters
    mine = sa.union_all(
        sa.select(tables.tasks.c.task_id).where(_own_grids(tables.tasks)(scope)),
        sa.select(emergencies.c.emergency_id).where(_own_grids(emergencies)(scope)),
        sa.select(matters.c.matter_id).where(_matters_of_grids(scope)),
    )
    return sa.and_(_events_of_planner(scope), tables.events.c.task_id.in_(mine))


def _events_of_rider(scope: Scope) -> _Clause:
    events = tables.events.c
    return sa.and_(events.platform_tenant_id == scope.tenant_id, events.rider_id == scope.rider_id)


def _matters_of_office(scope: Scope) -> _Clause:
    matters = tables.matters.c
    return sa.or_(matters.tenant_id == scope.tenant_id, matters.asked_tenant_id == scope.tenant_id)


def _matters_of_grids(scope: Scope) -> _Clause:
    return sa.and_(_matters_of_office(scope), tables.matters.c.grid_code.in_(scope.grid_codes))


def _photos_of(matters: _Rule, tasks: _Rule) -> _Rule:
    def rule(scope: Scope) -> _Clause:
        mine = sa.select(tables.matters.c.matter_id).where(matters(scope))
        asked = sa.select(tables.tasks.c.task_id).where(tasks(scope))
        return sa.or_(tables.photos.c.matter_id.in_(mine), tables.photos.c.task_id.in_(asked))

    return rule


def _photos_of_tasks(scope: Scope) -> _Clause:
    asked = sa.select(tables.tasks.c.task_id).where(_tenant(tables.tasks)(scope))
    return tables.photos.c.task_id.in_(asked)


def _own_account(column: sa.Column[str]) -> _Rule:
    """Return the rule for the person behind a rider's account, whatever platform the rider earned it at."""

    def rule(scope: Scope) -> _Clause:
        mine = sa.select(sa.literal("rider:") + tables.people.c.pseudonym)
        return column.in_(mine.where(_own_rider(tables.people)(scope)).scalar_subquery())

    return rule


def _own_entries(scope: Scope) -> _Clause:
    postings = tables.ledger_postings.c
    mine = sa.select(postings.seq).where(_own_account(postings.account)(scope))
    return tables.ledger_entries.c.seq.in_(mine)


def _all_rows(scope: Scope) -> _Clause:
    return sa.true()


_READ: Mapping[str, Mapping[str, _Rule]] = {
    "tenants": {role: _tenant(tables.tenants) for role in tables.ROLES if role != "admin"},
    "api_keys": {},
    "riders": {"platform": _tenant(tables.riders), "rider": _own_rider(tables.riders)},
    "tasks": {
        "platform": _tenant(tables.tasks),
        "planner": _tenant(tables.tasks),
        "grid_staff": _own_grids(tables.tasks),
    },
    "emergencies": {"planner": _tenant(tables.emergencies), "grid_staff": _own_grids(tables.emergencies)},
    "offers": {"platform": _tenant(tables.offers), "rider": _own_rider(tables.offers)},
    "events": {
        "platform": _events_of_platform,
        "planner": _events_of_planner,
        "grid_staff": _events_of_grids,
        "rider": _events_of_rider,
    },
    "webhooks": {"platform": _tenant(tables.webhooks), "planner": _tenant(tables.webhooks)},
    "idempotency": {role: _own_requests for role in tables.ROLES if role != "admin"},
    "audit": {"platform": _tenant(tables.audit), "planner": _tenant(tables.audit)},
    "jobs": {"planner": _tenant(tables.jobs)},
    "secrets": {},
    "sessions": {},
    "station_events": {
        "platform": _tenant(tables.station_events),
        **dict.fromkeys(("planner", "grid_staff", "rider"), _own_words),
    },
    "offices": {role: _all_rows for role in tables.ROLES if role != "admin"},
    "matters": {"planner": _matters_of_office, "grid_staff": _matters_of_grids},
    "reports": {"platform": _tenant(tables.reports), "rider": _own_rider(tables.reports)},
    "photos": {
        "planner": _photos_of(_matters_of_office, _tenant(tables.tasks)),
        "grid_staff": _photos_of(_matters_of_grids, _own_grids(tables.tasks)),
        "platform": _photos_of_tasks,
    },
    "people": {"rider": _own_rider(tables.people)},
    "person_codes": {},
    "ledger_entries": {"rider": _own_entries},
    "ledger_postings": {"rider": _own_account(tables.ledger_postings.c.account)},
    "ledger_balances": {"rider": _own_account(tables.ledger_balances.c.account)},
    "catalogue_items": {"planner": _tenant(tables.catalogue_items)},
    "street_words": {"planner": _tenant(tables.street_words), "grid_staff": _tenant(tables.street_words)},
}
"""Which rows of a table a role sees; a role that is not named sees none, an admin sees all."""

_WRITERS: Mapping[str, frozenset[str]] = {
    "riders": frozenset({"platform"}),
    "tasks": frozenset({"platform", "planner", "grid_staff"}),
    "emergencies": frozenset({"planner", "grid_staff"}),
    "offers": frozenset(),
    "events": frozenset(),
    "webhooks": frozenset({"platform", "planner"}),
    "idempotency": frozenset(tables.ROLES),
    "jobs": frozenset({"planner"}),
    "station_events": frozenset(tables.ROLES),
    "catalogue_items": frozenset({"planner"}),
    # What a caller did is on record whoever it was.
    "audit": frozenset(tables.ROLES),
}
"""Which roles may write rows of a table beside an admin; the life of offers, events and reports, and what is
booked, is the service's."""


def visible(table: sa.Table, scope: Scope) -> _Clause:
    """Return the condition that a row of `table` may be seen by `scope`."""
    if scope.role == "admin" or table.name == "counters":
        return sa.true()
    rule = _READ[table.name].get(scope.role)
    return sa.false() if rule is None else rule(scope)


def may_write(table: sa.Table, scope: Scope) -> bool:
    """Say whether `scope` may write rows of `table` at all."""
    return scope.role == "admin" or scope.role in _WRITERS.get(table.name, frozenset())


def select(table: sa.Table, scope: Scope, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Return a query over the rows of `table` that `scope` may see.

    Parameters
    ----------
    table : Table
    scope : Scope
    columns : ColumnElement
        None: all of the table.
    """
    statement = sa.select(*(columns or (table,))).select_from(table).where(visible(table, scope))
    return statement.execution_options(**{MARK: scope})


def update(table: sa.Table, scope: Scope) -> sa.Update:
    """Return an update of those rows of `table` that `scope` may see and write; others it leaves."""
    allowed = visible(table, scope) if may_write(table, scope) else sa.false()
    return sa.update(table).where(allowed).execution_options(**{MARK: scope})


def delete(table: sa.Table, scope: Scope) -> sa.Delete:
    """Return a deletion of those rows of `table` that `scope` may see and write; others it leaves."""
    allowed = visible(table, scope) if may_write(table, scope) else sa.false()
    return sa.delete(table).where(allowed).execution_options(**{MARK: scope})


def insert(table: sa.Table, scope: Scope, tenant_id: str | None) -> sa.Insert:
    """Return an insertion of rows that belong to a tenant.

    Raises
    ------
    OutOfScopeError
        When `scope` may not write there, or for that tenant.
    """
    _check_owner(table, scope, tenant_id)
    return sa.insert(table).execution_options(**{MARK: scope})


def upsert(dialect: str, table: sa.Table, scope: Scope, tenant_id: str | None) -> "postgresql.Insert":
    """Return an insertion with ``on_conflict_do_update`` and ``on_conflict_do_nothing``.

    Raises
    ------
    OutOfScopeError
        As for `insert`.
    """
    _check_owner(table, scope, tenant_id)
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    # Both have the same methods; the type is that of one of them.
    return cast(postgresql.Insert, make(table).execution_options(**{MARK: scope}))


def counting(dialect: str, scope: Scope) -> "postgresql.Insert":
    """Return an upsert of a counter: a number without an owner, which every writer takes."""
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return cast(postgresql.Insert, make(tables.counters).execution_options(**{MARK: scope}))


def executed(connection: sa.Connection, statement: sa.Update, rows: Sequence[Mapping[str, Any]]) -> int:
    """Run an update for each of several rows; return how many rows of the table that changed in all."""
    if len(rows) > 1 and connection.dialect.supports_sane_multi_rowcount:
        return connection.execute(statement, rows).rowcount
    return sum(connection.execute(statement, row).rowcount for row in rows)


def _check_owner(table: sa.Table, scope: Scope, tenant_id: str | None) -> None:
    if not may_write(table, scope):
        raise OutOfScopeError(f"the role {scope.role} cannot write {table.name}")
    if scope.role != "admin" and tenant_id != scope.tenant_id:
        raise OutOfScopeError(f"{table.name} of another tenant cannot be written")
