"""The ledger as a value: entries in order, and the balances that they sum to."""

import dataclasses
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from routing.civic.ledger.entries import Entry, LedgerError, Posting, checked, rider_account

__all__ = ["Book", "book", "correction"]


@dataclasses.dataclass(frozen=True, eq=False)
class Book:
    """All entries so far. Made by `post`, so that `balances` is always the sum of `entries`."""

    entries: Mapping[str, Entry] = dataclasses.field(default_factory=lambda: MappingProxyType({}))
    """By key, in the order in which they were booked."""
    balances: Mapping[tuple[str, str], int] = dataclasses.field(default_factory=lambda: MappingProxyType({}))
    """By (account, unit); accounts never named hold 0."""

    def balance(self, account: str, unit: str) -> int:
        """Return what an account holds of a unit."""
        return self.balances.get((account, unit), 0)

    def of(self, pseudonym: str) -> tuple[Entry, ...]:
        """Return the entries that a person takes part in, in order."""
        account = rider_account(pseudonym)
        return tuple(e for e in self.entries.values() if any(p.account == account for p in e.postings))

    def post(self, entry: Entry) -> "Book":
        """Return the ledger with an entry booked; the same ledger where it is booked already.

        Raises
        ------
        LedgerError
            Where the key is taken, or an account of a person or a stock would be below zero.
        """
        if not checked(entry, self.entries.get(entry.key), self.balance):
            return self
        balances = dict(self.balances)
        for posting in entry.postings:
            place = (posting.account, posting.unit)
            balances[place] = balances.get(place, 0) + posting.amount
        entries = {**self.entries, entry.key: entry}
        return Book(MappingProxyType(entries), MappingProxyType(balances))


def book(entries: Iterable[Entry]) -> Book:
    """Return the ledger of entries in the order in which they were booked.

    Raises
    ------
    LedgerError
        Where one of them could not have been booked.
    """
    ledger = Book()
    for entry in entries:
        ledger = ledger.post(entry)
    return ledger


def correction(ledger: Book, key: str, at_s: float, note: str) -> Entry:
    """Return the counter-entry of an entry: nothing is ever taken out of the ledger.

    A person gives back no more than is there: what was spent already stays with the city.

    Parameters
    ----------
    ledger : Book
    key : str
        Of the entry to correct.
    at_s : float
        Epoch seconds.
    note : str
        Why.

    Raises
    ------
    LedgerError
        ``unknown``, ``corrected``, ``correction``, or ``not_enough`` where nothing is left to give.
    """
    entry = ledger.entries.get(key)
    if entry is None:
        raise LedgerError("unknown")
    if entry.kind == "correction":
        raise LedgerError("correction")
    counter_key = f"correction:{key}"
    if counter_key in ledger.entries:
        raise LedgerError("corrected")
    postings: list[Posting] = []
    for unit in dict.fromkeys(posting.unit for posting in entry.postings):
        postings += _back(ledger, [p for p in entry.postings if p.unit == unit])
    if not postings:
        raise LedgerError("not_enough", entry.postings[0].account)
    return Entry(counter_key, "correction", at_s, tuple(postings), key, entry.community, note)


def _back(ledger: Book, postings: list[Posting]) -> list[Posting]:
    """Turn the postings of one unit round, as far as those who got something still have it."""
    amounts: dict[tuple[str, str], int] = {}
    short = 0
    for posting in postings:
        place = (posting.account, posting.unit)
        free = posting.account.startswith("city:")
        given = posting.amount if free or posting.amount < 0 else min(posting.amount, ledger.balance(*place))
        short += posting.amount - given
        amounts[place] = -given
    # What cannot be given back is missing where it came from: first at the city, then at persons.
    for place in sorted(amounts, key=lambda p: not p[0].startswith("city:")):
        less = min(short, max(amounts[place], 0))
        amounts[place] -= less
        short -= less
    return [Posting(account, unit, amount) for (account, unit), amount in amounts.items() if amount]
