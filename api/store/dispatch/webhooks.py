"""Webhooks: where a tenant wants its events sent, how far that has come, and how it fares."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa

from api.store import scope
from api.store.rows import read
from api.store.scope import Scope
from api.store.tables import webhooks

__all__ = ["Webhook", "add", "due", "get", "list_all", "load_for_update", "remove", "save"]


@dataclasses.dataclass(frozen=True, slots=True)
class Webhook:
    """One address of a tenant.

    Parameters
    ----------
    kinds : sequence of str
        Kinds of events that are sent; none: all.
    state : str
        active, failing (retried at `retry_at_s`) or disabled (after too many failures).
    failures : int
        In a row, since the last success.
    retired : sequence of (secret, epoch s), or None
        Secrets that were replaced, and until when each signs too.
    next_seq : int
        Number of the last event that was delivered; what comes after it is next. Set it back to replay.
    """

    webhook_id: str
    tenant_id: str
    url: str
    secret: str
    kinds: Sequence[str]
    state: Literal["active", "failing", "disabled"]
    failures: int
    next_seq: int
    retry_at_s: float | None
    created_s: float
    retired: Sequence[Sequence[Any]] | None = None

    def secrets_at(self, now_s: float) -> tuple[str, ...]:
        """Return what signs at an instant, the newest first."""
        return (self.secret, *(str(old) for old, until_s in self.retired or () if now_s < until_s))


def add(connection: sa.Connection, who: Scope, webhook: Webhook) -> None:
    """Add a webhook.

    Raises
    ------
    OutOfScopeError
        When `who` may have none, or for another tenant.
    """
    connection.execute(scope.insert(webhooks, who, webhook.tenant_id), _values(webhook))


def _values(webhook: Webhook) -> dict[str, object]:
    return {**dataclasses.asdict(webhook), "kinds": list(webhook.kinds)}


def get(connection: sa.Connection, who: Scope, webhook_id: str) -> Webhook | None:
    """Return one webhook; None where there is none in scope."""
    query = scope.select(webhooks, who).where(webhooks.c.webhook_id == webhook_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else read(Webhook, row)


def load_for_update(connection: sa.Connection, who: Scope, webhook_id: str) -> Webhook | None:
    """Return one webhook for changing it."""
    query = scope.select(webhooks, who).where(webhooks.c.webhook_id == webhook_id).with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else read(Webhook, row)


def list_all(connection: sa.Connection, who: Scope) -> list[Webhook]:
    """Return the webhooks in scope in the order they were made."""
    query = scope.select(webhooks, who).order_by(webhooks.c.created_s, webhooks.c.webhook_id)
    return [read(Webhook, row) for row in connection.execute(query)]


def due(connection: sa.Connection, who: Scope, now_s: float, longest_s: float) -> list[Webhook]:
    """Return those that may be sent to now: active, or failing and due again.

    Nothing waits longer than `longest_s`: what is due later was noted by a clock that has gone back since.
    """
    retry_at_s = webhooks.c.retry_at_s
    over = sa.or_(retry_at_s <= now_s, retry_at_s > now_s + longest_s)
    again = sa.and_(webhooks.c.state == "failing", over)
    query = scope.select(webhooks, who).where(sa.or_(webhooks.c.state == "active", again))
    return [read(Webhook, row) for row in connection.execute(query.order_by(webhooks.c.webhook_id))]


def save(connection: sa.Connection, who: Scope, webhook: Webhook) -> bool:
    """Write what became of a webhook; False where it is not there, or not in scope."""
    fixed = {"webhook_id", "tenant_id", "created_s"}
    values = {name: value for name, value in _values(webhook).items() if name not in fixed}
    statement = scope.update(webhooks, who).where(webhooks.c.webhook_id == webhook.webhook_id)
    return connection.execute(statement.values(**values)).rowcount == 1


def remove(connection: sa.Connection, who: Scope, webhook_id: str) -> bool:
    """Remove a webhook; False where it is not there, or not in scope."""
    statement = scope.delete(webhooks, who).where(webhooks.c.webhook_id == webhook_id)
    return connection.execute(statement).rowcount == 1
