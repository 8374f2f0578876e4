"""API keys: shown once, kept as digests, scoped, expiring, revoked, rotated.

A key reads ``yl_<key id>_<secret>``. Its secret has 32 random bytes, so a plain SHA-256 is as good as a slow
hash: nobody can try them out. The key's id finds the row; comparing takes the same time whatever differs.
"""

import dataclasses
import hmac
import math
import re
import secrets
from collections.abc import Sequence

import sqlalchemy as sa

from api.store import scope
from api.store.digests import digest_of
from api.store.rows import read
from api.store.scope import SERVICE, Role, Scope
from api.store.tables import api_keys, tenants
from geo.errors import InputError

__all__ = [
    "ApiKey",
    "NewKey",
    "any_usable",
    "check",
    "create",
    "list_all",
    "revoke",
    "rotate",
    "touch",
]

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_BYTES = 32
_SECRET_LENGTH = 43
"""Digits of 256 bits to base 62."""
_FORM = re.compile(rf"yl_([0-9A-Za-z]{{12}})_([0-9A-Za-z]{{{_SECRET_LENGTH}}})")


@dataclasses.dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key; never the key itself."""

    key_id: str
    tenant_id: str
    role: Role
    grid_codes: Sequence[str]
    rider_id: str | None
    name: str
    created_s: float
    expires_s: float | None
    revoked_s: float | None
    last_used_s: float | None

    @property
    def scope(self) -> Scope:
        """What its holder may see."""
        return Scope(self.tenant_id, self.role, tuple(self.grid_codes), self.rider_id)

    def usable(self, now_s: float) -> bool:
        """Say whether it opens anything now; a time of revocation may lie ahead (rotation)."""
        return now_s < self.ends_s

    @property
    def ends_s(self) -> float:
        """When it ends; infinite for one that does not."""
        return min((end for end in (self.expires_s, self.revoked_s) if end is not None), default=math.inf)


@dataclasses.dataclass(frozen=True, slots=True)
class NewKey:
    """What is wanted of a key."""

    tenant_id: str
    role: Role
    name: str = ""
    grid_codes: tuple[str, ...] = ()
    rider_id: str | None = None
    expires_s: float | None = None


_PUBLIC = tuple(api_keys.c[field.name] for field in dataclasses.fields(ApiKey))


def create(connection: sa.Connection, who: Scope, wanted: NewKey, now_s: float) -> tuple[ApiKey, str]:
    """Make a key.

    Returns
    -------
    ApiKey
    str
        The key to hand over: it can never be shown again.

    Raises
    ------
    InputError
        When there is no such tenant, or role, grid codes and rider do not fit together.
    OutOfScopeError
        For everybody but an admin.
    """
    try:
        Scope(wanted.tenant_id, wanted.role, wanted.grid_codes, wanted.rider_id)
    except ValueError as error:
        raise InputError(f"key: {error}") from None
    found = scope.select(tenants, who, tenants.c.tenant_id).where(tenants.c.tenant_id == wanted.tenant_id)
    if connection.execute(found).one_or_none() is None:
        raise InputError(f"there is no tenant {wanted.tenant_id}; add it with: yilu tenants add")
    key_id, secret = _base62(secrets.token_bytes(9), 12), _base62(secrets.token_bytes(_SECRET_BYTES), 43)
    values = dataclasses.asdict(wanted) | {
        "key_id": key_id, "grid_codes": list(wanted.grid_codes), "digest": digest_of(secret),
        "created_s": now_s,
    }  # fmt: skip
    connection.execute(scope.insert(api_keys, who, wanted.tenant_id), values)
    made = _get(connection, who, key_id)
    assert made is not None  # noqa: S101 - written a line above
    return made, f"yl_{key_id}_{secret}"


def _base62(raw: bytes, length: int) -> str:
    number, digits = int.from_bytes(raw, "big"), ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits += _DIGITS[digit]
    return digits


def check(connection: sa.Connection, text: str, now_s: float) -> ApiKey | None:
    """Return the key that `text` is; None where it is none, or not usable now."""
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    query = scope.select(api_keys, SERVICE, *_PUBLIC, api_keys.c.digest)
    row = connection.execute(query.where(api_keys.c.key_id == form[1])).one_or_none()
    # An unknown id is compared too, so that it takes as long.
    kept = digest_of("") if row is None else str(row.digest)
    same = hmac.compare_digest(kept, digest_of(form[2]))
    if row is None or not same:
        return None
    key = ApiKey(*row[:-1])
    return key if key.usable(now_s) else None


def _get(connection: sa.Connection, who: Scope, key_id: str) -> ApiKey | None:
    query = scope.select(api_keys, who, *_PUBLIC).where(api_keys.c.key_id == key_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else read(ApiKey, row)


def list_all(connection: sa.Connection, who: Scope) -> list[ApiKey]:
    """Return the keys in scope in the order they were made."""
    query = scope.select(api_keys, who, *_PUBLIC).order_by(api_keys.c.created_s, api_keys.c.key_id)
    return [read(ApiKey, row) for row in connection.execute(query)]


def any_usable(connection: sa.Connection, who: Scope, now_s: float) -> bool:
    """Say whether there is a key that opens anything."""
    return any(key.usable(now_s) for key in list_all(connection, who))


def revoke(connection: sa.Connection, who: Scope, key_id: str, at_s: float) -> None:
    """Let a key end at an instant, if it does not end before.

    Raises
    ------
    InputError
        When there is no such key in scope.
    """
    sooner = sa.or_(api_keys.c.revoked_s.is_(None), api_keys.c.revoked_s > at_s)
    statement = scope.update(api_keys, who).where(api_keys.c.key_id == key_id)
    if _get(connection, who, key_id) is None:
        raise InputError(f"there is no key {key_id}")
    connection.execute(statement.where(sooner).values(revoked_s=at_s))


def rotate(
    connection: sa.Connection, who: Scope, key_id: str, overlap_s: float, now_s: float
) -> tuple[ApiKey, str]:
    """Make a key like another one, which ends after the overlap; the new one lives as long as that did.

    Raises
    ------
    InputError
        When there is no such key in scope, or it opens nothing any more.
    """
    old = _get(connection, who, key_id)
    if old is None:
        raise InputError(f"there is no key {key_id}")
    if not old.usable(now_s):
        raise InputError(f"the key {key_id} has ended; make a new one with: yilu keys create")
    life_s = None if old.expires_s is None else old.expires_s - old.created_s
    expires_s = None if life_s is None else now_s + life_s
    wanted = NewKey(old.tenant_id, old.role, old.name, tuple(old.grid_codes), old.rider_id, expires_s)
    revoke(connection, who, key_id, now_s + overlap_s)
    return create(connection, who, wanted, now_s)


def touch(connection: sa.Connection, key_ids: Sequence[str], now_s: float) -> None:
    """Note that keys were used; done now and then, not with every request."""
    statement = scope.update(api_keys, SERVICE).where(api_keys.c.key_id.in_(key_ids))
    connection.execute(statement.values(last_used_s=now_s))
