"""Riders as their platforms report them: the newest place, plan and status by the update's own time."""

import dataclasses
import functools
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from api.store import commit_order, scope
from api.store.rows import Json
from api.store.scope import Scope
from api.store.tables import counters, riders

__all__ = [
    "RiderRow",
    "RiderUpdate",
    "Written",
    "changed_since",
    "delete",
    "forget_deleted",
    "get",
    "last_change",
    "page",
    "put",
    "read_all",
]

_READ_AT_ONCE = 2_000


@dataclasses.dataclass(frozen=True, slots=True)
class RiderUpdate:
    """What a platform says of one rider, and of which instant it speaks."""

    rider_id: str
    at_s: float
    body: Json


@dataclasses.dataclass(frozen=True, slots=True)
class RiderRow:
    """One rider as stored; `body` is None where they were deleted, `seq` grows with every change."""

    tenant_id: str
    rider_id: str
    at_s: float
    body: Json | None
    seq: int


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    """What became of a bulk: who was written, and who was known from a later instant already."""

    seq: int
    written: tuple[str, ...]
    ignored: tuple[str, ...]


def put(connection: sa.Connection, who: Scope, tenant_id: str, updates: Sequence[RiderUpdate]) -> Written:
    """Write the newest state of riders; an update older than what is known is ignored.

    Parameters
    ----------
    connection : Connection
        Of a transaction that writes.
    who : Scope
    tenant_id : str
        The platform whose riders they are.
    updates : sequence of RiderUpdate
        A rider may stand there several times: the newest counts (of equals, the last), others are ignored.

    Raises
    ------
    OutOfScopeError
        When `who` may not write riders of that platform.
    """
    return _write(connection, who, tenant_id, [(one.rider_id, one.at_s, one.body) for one in updates])


def delete(
    connection: sa.Connection, who: Scope, tenant_id: str, rider_ids: Sequence[str], at_s: float
) -> Written:
    """Delete riders as of `at_s`; what is reported of an earlier instant does not bring them back.

    The row stays without its body, so that other processes learn of it; see `forget_deleted`.
    """
    known = scope.select(riders, who, riders.c.rider_id).where(
        riders.c.tenant_id == tenant_id, riders.c.rider_id.in_(rider_ids), riders.c.body.is_not(None)
    )
    there = sorted(connection.execute(known).scalars())
    return _write(connection, who, tenant_id, [(rider_id, at_s, None) for rider_id in there])


def _write(
    connection: sa.Connection, who: Scope, tenant_id: str, rows: Sequence[tuple[str, float, Json | None]]
) -> Written:
    newest: dict[str, tuple[float, Json | None]] = {}
    ignored: list[str] = []
    for rider_id, at_s, body in rows:
        if rider_id in newest:
            ignored.append(rider_id)
        if rider_id not in newest or at_s >= newest[rider_id][0]:
            newest[rider_id] = (at_s, body)
    together = connection.dialect.name == "postgresql"
    # Made first: whoever may not write learns it, be there anything to write or not.
    statement = _putting_all(who, tenant_id) if together else _putting(who, tenant_id)
    if not newest:
        return Written(0, (), ())
    seq = _next_seq(connection, who)
    # In one order in every process: two bulks with the same riders never wait for each other crosswise.
    rows = [(rider_id, *newest[rider_id]) for rider_id in sorted(newest)]
    if together:
        made = connection.execute(statement, {"given": rows, "number": seq})
    else:
        names = ("rider_id", "at_s", "body")
        values = [{"tenant_id": tenant_id, "seq": seq} | dict(zip(names, row, strict=True)) for row in rows]
        made = connection.execute(statement, values)
    written = set(made.scalars())
    ignored += [rider_id for rider_id in newest if rider_id not in written]
    return Written(seq, tuple(rider_id for rider_id in newest if rider_id in written), tuple(ignored))


@functools.lru_cache(scope.KEPT)
def _putting(who: Scope, tenant_id: str) -> "sa.sql.dml.ReturningInsert[str]":
    return _the_newer(scope.upsert("sqlite", riders, who, tenant_id))


@functools.lru_cache(scope.KEPT)
def _putting_all(who: Scope, tenant_id: str) -> "sa.sql.dml.ReturningInsert[str]":
    """Take all rows as one value: to read a text with a place for each column of each takes longer."""
    given = sa.func.jsonb_array_elements(sa.bindparam("given", type_=JSONB)).table_valued(
        sa.column("told", JSONB), with_ordinality="place"
    )
    given = given.render_derived()
    row = given.c.told
    null: sa.ColumnElement[Any] = sa.literal_column("'null'::jsonb")
    query = sa.select(
        sa.literal(tenant_id, sa.Text),
        row[0].astext,
        sa.cast(row[1].astext, sa.Double),
        sa.func.nullif(row[2], null),
        sa.bindparam("number", type_=sa.BigInteger),
    ).order_by(given.c.place)
    names = ["tenant_id", "rider_id", "at_s", "body", "seq"]
    return _the_newer(scope.upsert("postgresql", riders, who, tenant_id).from_select(names, query))


def _the_newer(insert: postgresql.Insert) -> "sa.sql.dml.ReturningInsert[str]":
    return insert.on_conflict_do_update(
        index_elements=[riders.c.tenant_id, riders.c.rider_id],
        set_={name: insert.excluded[name] for name in ("at_s", "body", "seq")},
        where=insert.excluded.at_s >= riders.c.at_s,
    ).returning(riders.c.rider_id)


def _next_seq(connection: sa.Connection, who: Scope) -> int:
    """One number for all riders of a bulk."""
    if connection.dialect.name == "postgresql":
        commit_order.begin_numbering(connection, commit_order.RIDERS)
        return int(connection.execute(sa.text(f"SELECT nextval('{commit_order.RIDERS}')")).scalar_one())
    return int(connection.execute(_counting(who)).scalar_one())


@functools.lru_cache(scope.KEPT)
def _counting(who: Scope) -> "sa.sql.dml.ReturningInsert[int]":
    insert = scope.counting("sqlite", who)
    counted = insert.values(name=commit_order.RIDERS, value=1).on_conflict_do_update(
        index_elements=[counters.c.name], set_={"value": counters.c.value + 1}
    )
    return counted.returning(counters.c.value)


def get(connection: sa.Connection, who: Scope, tenant_id: str, rider_id: str) -> RiderRow | None:
    """Return one rider; None where they are not known, deleted or not in scope."""
    query = scope.select(riders, who).where(
        riders.c.tenant_id == tenant_id, riders.c.rider_id == rider_id, riders.c.body.is_not(None)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else RiderRow(*row)


def page(connection: sa.Connection, who: Scope, after: tuple[str, str] | None, limit: int) -> list[RiderRow]:
    """Return riders in the order of (tenant, rider), after the last of the page before."""
    query = scope.select(riders, who).where(riders.c.body.is_not(None))
    if after is not None:
        query = query.where(
            sa.tuple_(riders.c.tenant_id, riders.c.rider_id) > sa.tuple_(*map(sa.literal, after))
        )
    query = query.order_by(riders.c.tenant_id, riders.c.rider_id).limit(limit)
    return [RiderRow(*row) for row in connection.execute(query)]


def read_all(connection: sa.Connection, who: Scope) -> tuple[list[RiderRow], int]:
    """Return all riders in scope, and the number from which `changed_since` goes on."""
    seq = _safe(connection, who)
    query = scope.select(riders, who).where(riders.c.body.is_not(None))
    return list(_rows(connection, query)), seq


def changed_since(
    connection: sa.Connection, who: Scope, seq: int, own: Collection[int] = ()
) -> tuple[list[RiderRow], int]:
    """Return riders that changed after `seq`, the deleted with them, and the number to go on from.

    A rider may come twice over time, never not at all, but for those last written under a number in `own`.
    """
    safe = _safe(connection, who)
    query = scope.select(riders, who).where(riders.c.seq > seq).order_by(riders.c.seq)
    if own:
        query = query.where(riders.c.seq.not_in(sorted(own)))
    # What is beyond may still get company: it is returned, and looked at again the next time.
    return list(_rows(connection, query)), max(seq, safe)


def _safe(connection: sa.Connection, who: Scope) -> int:
    safe = commit_order.safe_until(connection, commit_order.RIDERS)
    if safe is not None:
        return safe
    query = scope.select(counters, who, counters.c.value).where(counters.c.name == commit_order.RIDERS)
    return int(connection.execute(query).scalar_one_or_none() or 0)


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[RiderRow]:
    for part in connection.execute(query).partitions(_READ_AT_ONCE):
        yield from (RiderRow(*row) for row in part)


def last_change(connection: sa.Connection, who: Scope) -> int:
    """Return a number that grows whenever riders in scope are reported; 0 where there are none."""
    return int(connection.execute(scope.select(riders, who, sa.func.max(riders.c.seq))).scalar_one() or 0)


def forget_deleted(connection: sa.Connection, who: Scope, before_s: float) -> int:
    """Remove what is left of riders deleted before an instant; returns how many."""
    gone = scope.delete(riders, who).where(riders.c.body.is_(None), riders.c.at_s < before_s)
    return connection.execute(gone).rowcount
