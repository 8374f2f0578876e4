"""Who stands behind an account: a pseudonym made at random the first time it is needed."""

from collections.abc import Callable

from api.dispatch.turn import Turn
from api.store import SERVICE
from api.store.civic import people as rows
from routing.dispatch import RiderKey

__all__ = ["accounts_of", "is_account", "person_of"]

_RIDER = "p-"
"""Pseudonyms of riders begin so; nobody else's do, and nobody else has an account of points."""


def person_of(turn: Turn, rider: RiderKey, ids: Callable[[], str]) -> str:
    """Return the pseudonym behind a rider's account."""
    known = rows.pseudonym(turn.connection, SERVICE, rider.platform, rider.rider_id)
    if known is not None:
        return known
    made = rows.PersonRow(rider.platform, rider.rider_id, f"{_RIDER}{ids()}", turn.now_s)
    rows.add(turn.connection, SERVICE, made)
    # Another process may have been faster.
    return rows.pseudonym(turn.connection, SERVICE, rider.platform, rider.rider_id) or made.pseudonym


def is_account(pseudonym: str) -> bool:
    """Say whether a pseudonym is that of a rider."""
    return pseudonym.startswith(_RIDER)


def accounts_of(turn: Turn, pseudonyms: tuple[str, ...]) -> tuple[RiderKey, ...]:
    """Return the riders' accounts of pseudonyms."""
    return tuple(
        RiderKey(platform, rider_id)
        for one in pseudonyms
        if is_account(one)
        for platform, rider_id in rows.accounts_of(turn.connection, SERVICE, one)
    )
