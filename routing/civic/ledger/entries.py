"""Entries of the ledger: every one moves amounts between accounts and sums to zero in each unit.

Amounts are whole numbers, so that sums are exact. Accounts are ``rider:PSEUDONYM`` and ``stock:ITEM``, never
below zero, and ``city:NAME``, where amounts come from and go to. What a person has is tied to the pseudonym,
not to the account at a platform, so that it stays when that account ends.
"""

import dataclasses
from collections.abc import Callable

from geo.errors import InputError, YiluError
from routing.model.checks import check_choice, check_name

__all__ = [
    "UNITS",
    "Entry",
    "LedgerError",
    "Posting",
    "checked",
    "item_unit",
    "rider_account",
    "stock_account",
]

UNITS = ("points", "fen", "seconds", "training", "drill")
"""Points; fen (0.01 yuan) of backing for what helping costs; seconds of the time bank; training credits;
drills taken part in. Pieces of a catalogue item have the unit ``item:ID``."""
KINDS = ("task", "feedback", "training", "drill", "time", "spend", "stock", "payout", "correction")
_HOLDERS = ("rider", "stock", "city")


class LedgerError(YiluError):
    """An entry that cannot be booked.

    ``code``: ``exists`` (the key is taken by another entry), ``not_enough`` (the account ``account`` would be
    below zero), ``unknown`` (there is no entry or item of that name), ``corrected`` (it has been corrected
    already), ``correction`` (a correction cannot be corrected).
    """

    def __init__(self, code: str, account: str = "") -> None:
        super().__init__(f"{code} {account}".strip())
        self.code, self.account = code, account


def rider_account(pseudonym: str) -> str:
    """Return the account of a person."""
    check_name("pseudonym", pseudonym)
    return f"rider:{pseudonym}"


def stock_account(item_id: str) -> str:
    """Return the account of what is left of a catalogue item."""
    check_name("item", item_id)
    return f"stock:{item_id}"


def item_unit(item_id: str) -> str:
    """Return the unit in which pieces of a catalogue item are counted."""
    check_name("item", item_id)
    return f"item:{item_id}"


@dataclasses.dataclass(frozen=True, slots=True)
class Posting:
    """One account's part of an entry.

    Raises `InputError` for an unknown sort of account or unit, or an amount of zero.
    """

    account: str
    unit: str
    amount: int
    """Whole; positive: the account gets it."""

    def __post_init__(self) -> None:
        holder, _, name = self.account.partition(":")
        check_choice("sort of account", holder, _HOLDERS)
        check_name("name of an account", name)
        if not self.unit.startswith("item:"):
            check_choice("unit", self.unit, UNITS)
        if self.amount == 0 or not isinstance(self.amount, int):
            raise InputError(f"amount of {self.account} is {self.amount!r}; it must be whole and not 0.")


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """What is booked at once, under a key of its own.

    Raises `InputError` where the postings do not sum to zero in each unit, or name an account twice.
    """

    key: str
    """Booked once: the same entry sent again changes nothing."""
    kind: str
    """One of ``task``, ``feedback``, ``training``, ``drill``, ``time``, ``spend``, ``stock``, ``payout``,
    ``correction``."""
    at_s: float
    """Epoch seconds."""
    postings: tuple[Posting, ...]
    about: str = ""
    """Task, report, course, drill or item; of a correction, the key of the entry that it corrects."""
    community: str = ""
    """Where it happened; points are worth the same in every community of the city."""
    note: str = ""

    def __post_init__(self) -> None:
        check_name("key of an entry", self.key)
        check_choice(f"kind of entry {self.key}", self.kind, KINDS)
        if not self.postings:
            raise InputError(f"Entry {self.key} has no postings; at least two are needed.")
        places = [(posting.account, posting.unit) for posting in self.postings]
        if len(set(places)) != len(places):
            raise InputError(f"Entry {self.key} names an account twice in one unit.")
        sums: dict[str, int] = {}
        for posting in self.postings:
            sums[posting.unit] = sums.get(posting.unit, 0) + posting.amount
        wrong = sorted(unit for unit, total in sums.items() if total)
        if wrong:
            raise InputError(f"Entry {self.key} does not sum to zero in {', '.join(wrong)}.")


def checked(entry: Entry, known: Entry | None, balance: Callable[[str, str], int]) -> bool:
    """Return whether an entry is to be booked; False: it is booked already.

    Parameters
    ----------
    entry : Entry
    known : Entry, optional
        What is booked under this key.
    balance : callable
        Balance of (account, unit) now. Whoever keeps the ledger in a store locks these accounts meanwhile.

    Raises
    ------
    LedgerError
        ``exists`` or ``not_enough``.
    """
    if known is not None:
        if known == entry:
            return False
        raise LedgerError("exists")
    for posting in entry.postings:
        bound = posting.amount < 0 and not posting.account.startswith("city:")
        if bound and balance(posting.account, posting.unit) + posting.amount < 0:
            raise LedgerError("not_enough", posting.account)
    return True
