"""Secrets of this database: made at random the first time they are asked for, never shown."""

from collections.abc import Callable

import sqlalchemy as sa

from api.store import scope
from api.store.scope import Scope
from api.store.tables import secrets_table

__all__ = ["known", "load"]


def known(connection: sa.Connection, who: Scope, name: str) -> bytes | None:
    """Return a secret; None where it was not asked for yet."""
    query = scope.select(secrets_table, who, secrets_table.c.value).where(secrets_table.c.name == name)
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else bytes(found)


def load(connection: sa.Connection, who: Scope, name: str, make: Callable[[], bytes]) -> bytes:
    """Return a secret; made the first time.

    Parameters
    ----------
    connection : Connection
        Of a transaction that writes.
    who : Scope
        The service itself.
    name : str
    make : callable
        Returns a new secret.
    """
    found = known(connection, who, name)
    if found is None:
        statement = scope.upsert(connection.dialect.name, secrets_table, who, None).on_conflict_do_nothing()
        connection.execute(statement, {"name": name, "value": make()})
        # Another process may have been faster.
        found = known(connection, who, name)
    if found is None:
        raise LookupError(name)
    return found
