"""People who have signed in to the pages: a row each, found by the digest of what their browser holds.

A row ends by its time, by signing out, and with the key that was shown at the door.
"""

import dataclasses
import secrets
from collections.abc import Sequence

import sqlalchemy as sa

from api.store import scope
from api.store.digests import digest_of
from api.store.rows import read
from api.store.scope import SERVICE, Role, Scope
from api.store.tables import api_keys, sessions

__all__ = ["DEV", "Session", "begin", "end", "find"]

DEV = "dev"
"""Stands for the key where none is asked for."""
_OIDC = "oidc:"
_BYTES = 32


@dataclasses.dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has signed in."""

    tenant_id: str
    role: Role
    grid_codes: Sequence[str]
    rider_id: str | None
    key_id: str
    ends_s: float

    @property
    def scope(self) -> Scope:
        """What they may see."""
        return Scope(self.tenant_id, self.role, tuple(self.grid_codes), self.rider_id)


_COLUMNS = tuple(sessions.c[field.name] for field in dataclasses.fields(Session))


def begin(connection: sa.Connection, who: Scope, key_id: str, now_s: float, ends_s: float) -> str:
    """Let somebody in; what is over is forgotten.

    Returns
    -------
    str
        What the browser is to hold: it can never be found out from here again.
    """
    connection.execute(scope.delete(sessions, SERVICE).where(sessions.c.ends_s <= now_s))
    token = secrets.token_urlsafe(_BYTES)
    values = {
        "digest": digest_of(token), "tenant_id": who.tenant_id, "role": who.role,
        "grid_codes": list(who.grid_codes), "rider_id": who.rider_id, "key_id": key_id,
        "created_s": now_s, "ends_s": ends_s,
    }  # fmt: skip
    connection.execute(scope.insert(sessions, SERVICE, who.tenant_id), values)
    return token


def find(connection: sa.Connection, token: str, now_s: float) -> Session | None:
    """Return who holds a token; None where it is none, or over, or its key is."""
    query = scope.select(sessions, SERVICE, *_COLUMNS)
    row = connection.execute(query.where(sessions.c.digest == digest_of(token))).one_or_none()
    found = None if row is None else read(Session, row)
    if found is None or found.ends_s <= now_s:
        return None
    if found.key_id != DEV and not found.key_id.startswith(_OIDC):
        ends = (api_keys.c.expires_s, api_keys.c.revoked_s)
        key = scope.select(api_keys, SERVICE, *ends).where(api_keys.c.key_id == found.key_id)
        held = connection.execute(key).one_or_none()
        if held is None or any(end is not None and end <= now_s for end in held):
            return None
    return found


def end(connection: sa.Connection, token: str) -> None:
    """Sign somebody out: what their browser holds opens nothing from now on."""
    connection.execute(scope.delete(sessions, SERVICE).where(sessions.c.digest == digest_of(token)))
