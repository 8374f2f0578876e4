"""Photos as they were written anew: bytes with their hash, beside the matter that they belong to."""

import dataclasses

import sqlalchemy as sa

from api.store import scope
from api.store.rows import read
from api.store.scope import Scope
from api.store.tables import photos

__all__ = [
    "PhotoRow",
    "add",
    "claim",
    "claim_for_task",
    "forget_unused",
    "get",
    "get_public",
    "hide",
    "unused",
]


_UNUSED = sa.and_(photos.c.matter_id.is_(None), photos.c.task_id.is_(None))


@dataclasses.dataclass(frozen=True, slots=True)
class PhotoRow:
    """One JPEG picture."""

    photo_id: str
    matter_id: str | None
    """None: not used yet."""
    public: bool
    """Whether everybody may see it."""
    made_s: float
    digest: str
    """SHA-256 of the body, hexadecimal."""
    body: bytes
    task_id: str | None = None
    """The task whose rider took it; None: of no task, or of a look at a matter."""


def add(connection: sa.Connection, who: Scope, row: PhotoRow) -> None:
    """Keep a photo that nothing uses yet.

    Raises
    ------
    OutOfScopeError
        For everybody but the service.
    """
    connection.execute(scope.insert(photos, who, who.tenant_id), dataclasses.asdict(row))


def claim(connection: sa.Connection, who: Scope, photo_id: str, matter_id: str, *, public: bool) -> bool:
    """Use a photo for a matter; False where there is none that is free."""
    statement = scope.update(photos, who).where(photos.c.photo_id == photo_id, _UNUSED)
    return connection.execute(statement.values(matter_id=matter_id, public=public)).rowcount == 1


def claim_for_task(connection: sa.Connection, who: Scope, photo_id: str, task_id: str) -> bool:
    """Use a photo for what a rider did; False where there is none that is free."""
    statement = scope.update(photos, who).where(photos.c.photo_id == photo_id, _UNUSED)
    return connection.execute(statement.values(task_id=task_id)).rowcount == 1


def hide(connection: sa.Connection, who: Scope, matter_id: str) -> None:
    """Show the photos of a matter to nobody but its offices."""
    statement = scope.update(photos, who).where(photos.c.matter_id == matter_id)
    connection.execute(statement.values(public=False))


def get(connection: sa.Connection, who: Scope, photo_id: str) -> PhotoRow | None:
    """Return one photo; None where there is none in scope."""
    return _one(connection, scope.select(photos, who).where(photos.c.photo_id == photo_id))


def get_public(connection: sa.Connection, who: Scope, photo_id: str) -> PhotoRow | None:
    """Return a photo that everybody may see."""
    query = scope.select(photos, who).where(photos.c.photo_id == photo_id, photos.c.public.is_(sa.true()))
    return _one(connection, query)


def _one(connection: sa.Connection, query: sa.Select[tuple[object, ...]]) -> PhotoRow | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else read(PhotoRow, row)


def unused(connection: sa.Connection, who: Scope) -> int:
    """Return how many photos nothing uses yet."""
    query = scope.select(photos, who, sa.func.count()).where(_UNUSED)
    return int(connection.execute(query).scalar_one())


def forget_unused(connection: sa.Connection, who: Scope, before_s: float) -> int:
    """Remove photos that were made before an instant and that nothing uses; returns how many."""
    old = sa.and_(_UNUSED, photos.c.made_s < before_s)
    return connection.execute(scope.delete(photos, who).where(old)).rowcount
