"""What riders do with their points, and what offices book: functions of a turn."""

import dataclasses
from collections.abc import Callable

from api.civic.people import is_account, person_of
from api.civic.points.booking import corrected
from api.dispatch.turn import MissingError, Turn
from api.store import SERVICE, OutOfScopeError, Scope
from api.store.civic import ledger as rows
from api.store.civic import people as people_rows
from api.store.civic import rewards as item_rows
from api.store.digests import digest_of
from geo.errors import InputError
from geo.localtime import DAY_S
from routing.civic import (
    Entry,
    LedgerError,
    drill,
    payout,
    spend,
    stocked,
    time_taken,
    training,
)
from routing.dispatch import RiderKey

__all__ = [
    "Booked",
    "add_stock",
    "buy",
    "correct",
    "give_code",
    "give_time",
    "note_drill",
    "note_training",
    "pay_out",
    "put_item",
    "take_code",
]

CODE_S = 30 * DAY_S
"""For so long a code for another account is good."""


@dataclasses.dataclass(frozen=True, slots=True)
class Booked:
    """An entry as it stands in the ledger."""

    entry: Entry
    new: bool


def _booked(turn: Turn, entry: Entry) -> Booked:
    """Book an entry under its name; the same again is the one that stands there.

    Raises
    ------
    LedgerError
    """
    known = rows.entry(turn.connection, SERVICE, entry.key)
    if known is not None:
        if dataclasses.replace(known, at_s=entry.at_s) != entry:
            raise LedgerError("exists")
        return Booked(known, new=False)
    turn.changing = True
    rows.book(turn.connection, SERVICE, entry)
    return Booked(entry, new=True)


def _item(turn: Turn, item_id: str) -> item_rows.ItemRow:
    row = item_rows.get(turn.connection, SERVICE, item_id)
    if row is None:
        raise MissingError("there is no such item")
    return row


def buy(
    turn: Turn, rider: RiderKey, ids: Callable[[], str], *, name: str, item_id: str, community: str
) -> Booked:
    """Buy one piece of an item, under the rider's own name for the purchase.

    Raises
    ------
    MissingError, LedgerError
    InputError
        If the item is not handed out in the community.
    """
    row = _item(turn, item_id)
    who = person_of(turn, rider, ids)
    entry = spend(f"{who}:{name}", who, row.item, community, turn.now_s)
    known = rows.entry(turn.connection, SERVICE, entry.key)
    if known is None and row.ended_s is not None and row.ended_s <= turn.now_s:
        raise MissingError("there is no such item")
    if known is not None and (known.about, known.community) == (item_id, community):
        # Also where its price has changed since.
        return Booked(known, new=False)
    return _booked(turn, entry)


def put_item(turn: Turn, who: Scope, row: item_rows.ItemRow) -> item_rows.ItemRow:
    """Add an item to the catalogue of an office, or change it.

    Raises
    ------
    OutOfScopeError
        Where it is that of another office.
    """
    turn.changing = True
    known = item_rows.get(turn.connection, SERVICE, row.item_id)
    if known is not None and who.role == "admin":
        row = dataclasses.replace(row, tenant_id=known.tenant_id)
    if not item_rows.put(turn.connection, who, row):
        raise OutOfScopeError("the item is that of another office")
    return row


def add_stock(turn: Turn, who: Scope, item_id: str, name: str, pieces: int) -> Booked:
    """Book pieces that have come in."""
    row = _item(turn, item_id)
    if who.role != "admin" and row.tenant_id != who.tenant_id:
        raise MissingError("there is no such item")
    return _booked(turn, stocked(f"{item_id}:{name}", row.item, pieces, turn.now_s))


def _account(turn: Turn, name: str) -> str:
    """Return an account by the name that its rider told."""
    if not is_account(name) or not people_rows.accounts_of(turn.connection, SERVICE, name):
        raise InputError("account is not that of a rider: riders find theirs in GET /v1/riders/me/points")
    return name


def give_time(
    turn: Turn, rider: RiderKey, ids: Callable[[], str], *, name: str, to: str, seconds: int
) -> Booked:
    """Give somebody seconds of the time bank for time that they gave."""
    taker, giver = person_of(turn, rider, ids), _account(turn, to)
    if taker == giver:
        raise InputError("account is your own: time is given to somebody else")
    return _booked(turn, time_taken(f"{taker}:{name}", taker, giver, seconds, turn.now_s))


def note_training(turn: Turn, course: str, credit: int, account: str) -> Booked:
    """Book the credits of a course that somebody has passed."""
    return _booked(turn, training(_account(turn, account), course, credit, turn.now_s))


def note_drill(turn: Turn, name: str, account: str) -> Booked:
    """Book that somebody took part in a drill."""
    return _booked(turn, drill(_account(turn, account), name, turn.now_s))


def pay_out(turn: Turn, name: str, account: str, fen: int) -> Booked:
    """Book backing that was paid out in money."""
    return _booked(turn, payout(name, _account(turn, account), fen, turn.now_s))


def correct(turn: Turn, key: str, note: str) -> Booked:
    """Book the counter-entry of an entry."""
    return Booked(corrected(turn, key, note), new=True)


def give_code(turn: Turn, rider: RiderKey, ids: Callable[[], str]) -> tuple[str, float]:
    """Return a code by which the rider's account at another platform becomes that of the same person."""
    who, code = person_of(turn, rider, ids), ids() + ids()
    expires_s = turn.now_s + CODE_S
    turn.changing = True
    people_rows.add_code(turn.connection, SERVICE, digest_of(code), who, expires_s)
    return code, expires_s


def take_code(turn: Turn, rider: RiderKey, code: str, ids: Callable[[], str]) -> str:
    """Say whose account this is; what was booked under it before goes with it.

    Raises
    ------
    InputError
        When the code is not good, or this account has bookings of its own.
    """
    mine = person_of(turn, rider, ids)
    if rows.entries_of(turn.connection, SERVICE, f"rider:{mine}", limit=1):
        raise InputError("this account has points of its own already: ask the city's office to join the two")
    turn.changing = True
    who = people_rows.take_code(turn.connection, SERVICE, digest_of(code), turn.now_s)
    if who is None:
        turn.changing = False
        raise InputError("the code is not good: make a new one with the old account, it holds for 30 days")
    people_rows.repoint(turn.connection, SERVICE, rider.platform, rider.rider_id, who)
    return who
