"""Requests that were answered before: the same ``Idempotency-Key`` gets the same answer for a day."""

import dataclasses
from collections.abc import Mapping
from typing import Literal

import sqlalchemy as sa

from api.store import scope
from api.store.scope import Scope
from api.store.tables import idempotency

__all__ = ["KEPT_S", "STALE_S", "Begun", "KeptAnswer", "begin", "finish", "forget", "release"]

KEPT_S = 24 * 3600
STALE_S = 60.0
"""A request in work for longer died with its process: whoever asks again does the work."""


@dataclasses.dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Begun:
    """What is known of a key: new, in work, done (with its answer), or a conflict with another request."""

    state: Literal["new", "in_work", "done", "conflict"]
    answer: KeptAnswer | None = None


def begin(
    connection: sa.Connection, who: Scope, tenant_id: str, key: str, digest: str, now_s: float
) -> Begun:
    """Claim a key for a request, or learn what became of it.

    Parameters
    ----------
    connection : Connection
        Of a transaction of its own: others must see the claim while the work is done.
    who : Scope
        Two riders of a tenant may use the same key.
    digest : str
        Of method, path and body.
    """
    old = sa.or_(
        idempotency.c.created_s < now_s - KEPT_S,
        sa.and_(idempotency.c.status.is_(None), idempotency.c.created_s < now_s - STALE_S),
    )
    values = {
        "tenant_id": tenant_id, "holder": who.holder, "key": key, "digest": digest, "created_s": now_s,
    }  # fmt: skip
    insert = scope.upsert(connection.dialect.name, idempotency, who, tenant_id)
    # What is old is as good as not there: its row is taken over.
    afresh = {"status": None, "headers": None, "body": None}
    claim = insert.on_conflict_do_update(
        index_elements=[idempotency.c.tenant_id, idempotency.c.holder, idempotency.c.key],
        set_={"digest": insert.excluded.digest, "created_s": insert.excluded.created_s, **afresh},
        where=old,
    )
    if connection.execute(claim.returning(idempotency.c.key), values).one_or_none() is not None:
        return Begun("new")
    of_key = _of_key(who, tenant_id, key)
    found = connection.execute(scope.select(idempotency, who).where(of_key)).one()
    if found.digest != digest:
        return Begun("conflict")
    if found.status is None:
        return Begun("in_work")
    return Begun("done", KeptAnswer(found.status, found.headers or {}, found.body or b""))


def _of_key(who: Scope, tenant_id: str, key: str) -> sa.ColumnElement[bool]:
    mine = idempotency.c
    return sa.and_(mine.tenant_id == tenant_id, mine.holder == who.holder, mine.key == key)


def finish(connection: sa.Connection, who: Scope, tenant_id: str, key: str, answer: KeptAnswer) -> None:
    """Keep the answer, best in the transaction of the work itself: both are there, or neither."""
    statement = scope.update(idempotency, who).where(_of_key(who, tenant_id, key))
    values = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
    connection.execute(statement.values(**values))


def release(connection: sa.Connection, who: Scope, tenant_id: str, key: str) -> None:
    """Give a key back whose request did nothing (a 5xx): the next one tries again."""
    unanswered = sa.and_(_of_key(who, tenant_id, key), idempotency.c.status.is_(None))
    connection.execute(scope.delete(idempotency, who).where(unanswered))


def forget(connection: sa.Connection, who: Scope, now_s: float) -> int:
    """Remove what is older than a day; returns how many."""
    statement = scope.delete(idempotency, who).where(idempotency.c.created_s < now_s - KEPT_S)
    return connection.execute(statement).rowcount
