"""The person behind a rider's account: a pseudonym that stays when the account at a platform ends."""

import dataclasses

import sqlalchemy as sa

from api.store import scope
from api.store.scope import Scope
from api.store.tables import people, person_codes

__all__ = ["PersonRow", "accounts_of", "add", "add_code", "pseudonym", "repoint", "take_code"]


@dataclasses.dataclass(frozen=True, slots=True)
class PersonRow:
    """An account and its person."""

    tenant_id: str
    rider_id: str
    pseudonym: str
    created_s: float


def pseudonym(connection: sa.Connection, who: Scope, tenant_id: str, rider_id: str) -> str | None:
    """Return the pseudonym behind an account; None where it has none in scope."""
    query = scope.select(people, who, people.c.pseudonym)
    mine = query.where(people.c.tenant_id == tenant_id, people.c.rider_id == rider_id)
    return connection.execute(mine).scalar_one_or_none()


def add(connection: sa.Connection, who: Scope, row: PersonRow) -> None:
    """Keep a new person.

    Raises
    ------
    OutOfScopeError
        For everybody but the service.
    """
    statement = scope.upsert(connection.dialect.name, people, who, row.tenant_id).on_conflict_do_nothing()
    connection.execute(statement, dataclasses.asdict(row))


def accounts_of(connection: sa.Connection, who: Scope, name: str) -> list[tuple[str, str]]:
    """Return the accounts (platform, rider) of a pseudonym, the oldest first."""
    query = scope.select(people, who, people.c.tenant_id, people.c.rider_id)
    query = query.where(people.c.pseudonym == name).order_by(people.c.created_s, people.c.tenant_id)
    return [(str(tenant), str(rider)) for tenant, rider in connection.execute(query)]


def repoint(connection: sa.Connection, who: Scope, tenant_id: str, rider_id: str, name: str) -> None:
    """Say that an account is that of another person than was thought."""
    mine = sa.and_(people.c.tenant_id == tenant_id, people.c.rider_id == rider_id)
    connection.execute(scope.update(people, who).where(mine).values(pseudonym=name))


def add_code(connection: sa.Connection, who: Scope, digest: str, name: str, expires_s: float) -> None:
    """Keep the digest of a code by which another account becomes that of the same person; one a person."""
    connection.execute(scope.delete(person_codes, who).where(person_codes.c.pseudonym == name))
    values = {"digest": digest, "pseudonym": name, "expires_s": expires_s}
    connection.execute(scope.insert(person_codes, who, who.tenant_id), values)


def take_code(connection: sa.Connection, who: Scope, digest: str, now_s: float) -> str | None:
    """Return the person of a code that is good now, and use it up; None for any other."""
    good = sa.and_(person_codes.c.digest == digest, person_codes.c.expires_s > now_s)
    found = connection.execute(
        scope.select(person_codes, who, person_codes.c.pseudonym).where(good)
    ).scalar_one_or_none()
    if found is not None:
        connection.execute(scope.delete(person_codes, who).where(good))
    return found
