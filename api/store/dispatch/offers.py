"""Offers of tasks to riders. An offer changes only under the lock of its task (`tasks.load_for_update`)."""

import dataclasses
import functools
from collections.abc import Sequence

import sqlalchemy as sa

from api.store import scope
from api.store.rows import Json, PageEnd, after, read, values_of
from api.store.scope import Scope
from api.store.tables import offers

__all__ = [
    "OfferRow",
    "get",
    "insert",
    "maybe_accepted_since",
    "of_rider",
    "of_task",
    "page",
    "save",
    "save_all",
    "with_status",
]


@dataclasses.dataclass(frozen=True, slots=True)
class OfferRow:
    """One offer; `tenant_id` is the rider's platform."""

    offer_id: str
    task_id: str
    tenant_id: str
    rider_id: str
    status: str
    made_s: float
    expires_s: float
    body: Json


def insert(connection: sa.Connection, who: Scope, made: Sequence[OfferRow]) -> None:
    """Write new offers.

    Raises
    ------
    OutOfScopeError
        For everybody but the service: offers are made by matching.
    """
    for tenant_id in sorted({offer.tenant_id for offer in made}):
        mine = [values_of(offer) for offer in made if offer.tenant_id == tenant_id]
        connection.execute(_inserting(who, tenant_id), mine)


@functools.lru_cache(scope.KEPT)
def _inserting(who: Scope, tenant_id: str) -> sa.Insert:
    return scope.insert(offers, who, tenant_id)


def save(connection: sa.Connection, who: Scope, offer: OfferRow) -> None:
    """Write the new status, expiry and body of an offer.

    Raises
    ------
    LookupError
        When it is not there, or not in scope.
    """
    save_all(connection, who, [offer])


def save_all(connection: sa.Connection, who: Scope, changed: Sequence[OfferRow]) -> None:
    """Write changed offers, as `save` does each of them."""
    rows = [
        {"is_offer": one.offer_id, "status": one.status, "expires_s": one.expires_s, "body": one.body}
        for one in changed
    ]
    if rows and scope.executed(connection, _saving(who), rows) != len(rows):
        raise LookupError(", ".join(one.offer_id for one in changed))


@functools.lru_cache(scope.KEPT)
def _saving(who: Scope) -> sa.Update:
    return scope.update(offers, who).where(offers.c.offer_id == sa.bindparam("is_offer", type_=sa.Text))


def get(connection: sa.Connection, who: Scope, offer_id: str) -> OfferRow | None:
    """Return one offer; None where there is none in scope."""
    row = connection.execute(scope.select(offers, who).where(offers.c.offer_id == offer_id)).one_or_none()
    return None if row is None else read(OfferRow, row)


def _list(connection: sa.Connection, query: sa.Select[tuple[object, ...]]) -> list[OfferRow]:
    ordered = query.order_by(offers.c.made_s, offers.c.offer_id)
    return [read(OfferRow, row) for row in connection.execute(ordered)]


def of_task(connection: sa.Connection, who: Scope, task_id: str) -> list[OfferRow]:
    """Return the offers of a task in the order they were made."""
    return _list(connection, scope.select(offers, who).where(offers.c.task_id == task_id))


def of_rider(
    connection: sa.Connection, who: Scope, tenant_id: str, rider_id: str, statuses: Sequence[str] = ()
) -> list[OfferRow]:
    """Return the offers to a rider in the order they were made; only of some statuses where any are given."""
    query = scope.select(offers, who).where(offers.c.tenant_id == tenant_id, offers.c.rider_id == rider_id)
    return _list(connection, query.where(offers.c.status.in_(statuses)) if statuses else query)


def with_status(connection: sa.Connection, who: Scope, statuses: Sequence[str]) -> list[OfferRow]:
    """Return all offers with one of these statuses."""
    return _list(connection, scope.select(offers, who).where(offers.c.status.in_(statuses)))


def maybe_accepted_since(connection: sa.Connection, who: Scope, since_s: float) -> list[OfferRow]:
    """Return all taken offers that were accepted after an instant, and some that were before it."""
    taken = offers.c.status.in_(("accepted", "started", "done"))
    # Nobody accepts what has run out.
    return _list(connection, scope.select(offers, who).where(taken, offers.c.expires_s > since_s))


def page(connection: sa.Connection, who: Scope, position: PageEnd | None, limit: int) -> list[OfferRow]:
    """Return offers in the order they were made, after the last of the page before."""
    query = scope.select(offers, who).where(after(offers.c.made_s, offers.c.offer_id, position))
    return _list(connection, query.limit(limit))
