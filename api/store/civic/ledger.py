"""The ledger: entries in the order in which they were booked, and the balances that they sum to."""

import dataclasses
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from api.store import scope
from api.store.scope import Scope
from api.store.tables import ledger_balances, ledger_entries, ledger_postings
from routing.civic import Entry, Posting, checked

__all__ = [
    "balances",
    "book",
    "entries_of",
    "entry",
    "lock_accounts",
    "sums",
    "wrong_balances",
]


def book(connection: sa.Connection, who: Scope, new: Entry) -> bool:
    """Book an entry; False where it is booked already. Its accounts are locked until the transaction ends.

    Raises
    ------
    LedgerError
        ``exists`` where the key is taken by another entry; ``not_enough``.
    OutOfScopeError
        For everybody but the service.
    """
    held = lock_accounts(connection, who, [(one.account, one.unit) for one in new.postings])
    if not checked(new, entry(connection, who, new.key), lambda a, u: held.get((a, u), 0)):
        return False
    values = {name: getattr(new, name) for name in ("key", "kind", "at_s", "about", "community", "note")}
    statement = scope.insert(ledger_entries, who, who.tenant_id).returning(ledger_entries.c.seq)
    seq = connection.execute(statement, values).scalar_one()
    rows = [{"seq": seq, "place": place, **dataclasses.asdict(one)} for place, one in enumerate(new.postings)]
    connection.execute(scope.insert(ledger_postings, who, who.tenant_id), rows)
    for one in new.postings:
        mine = sa.and_(ledger_balances.c.account == one.account, ledger_balances.c.unit == one.unit)
        change = scope.update(ledger_balances, who).where(mine)
        connection.execute(change.values(amount=ledger_balances.c.amount + one.amount))
    return True


def lock_accounts(
    connection: sa.Connection, who: Scope, places: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Return the balances of (account, unit), locked in one order until this transaction ends."""
    wanted = sorted(set(places))
    make = scope.upsert(connection.dialect.name, ledger_balances, who, who.tenant_id).on_conflict_do_nothing()
    connection.execute(make, [{"account": a, "unit": u, "amount": 0} for a, u in wanted])
    here = sa.tuple_(ledger_balances.c.account, ledger_balances.c.unit).in_(wanted)
    query = scope.select(ledger_balances, who).where(here)
    query = query.order_by(ledger_balances.c.account, ledger_balances.c.unit).with_for_update()
    return {(row.account, row.unit): int(row.amount) for row in connection.execute(query)}


def entry(connection: sa.Connection, who: Scope, key: str) -> Entry | None:
    """Return the entry under a key; None where there is none in scope."""
    query = scope.select(ledger_entries, who).where(ledger_entries.c.key == key)
    return next(iter(_read(connection, who, query)), None)


def entries_of(
    connection: sa.Connection, who: Scope, account: str, before_seq: int | None = None, limit: int = 100_000
) -> list[tuple[int, Entry]]:
    """Return the entries that an account takes part in, each with its number, the newest first."""
    numbers = scope.select(ledger_postings, who, ledger_postings.c.seq)
    numbers = numbers.where(ledger_postings.c.account == account)
    query = scope.select(ledger_entries, who).where(ledger_entries.c.seq.in_(numbers))
    if before_seq is not None:
        query = query.where(ledger_entries.c.seq < before_seq)
    query = query.order_by(ledger_entries.c.seq.desc()).limit(limit)
    return _numbered(connection, who, query)


def _read(connection: sa.Connection, who: Scope, query: sa.Select[tuple[object, ...]]) -> list[Entry]:
    return [found for _, found in _numbered(connection, who, query)]


def _numbered(
    connection: sa.Connection, who: Scope, query: sa.Select[tuple[object, ...]]
) -> list[tuple[int, Entry]]:
    heads = connection.execute(query).all()
    postings: dict[int, list[Posting]] = {}
    for some in _pieces([int(head.seq) for head in heads]):
        query = scope.select(ledger_postings, who).where(ledger_postings.c.seq.in_(some))
        for row in connection.execute(query.order_by(ledger_postings.c.seq, ledger_postings.c.place)):
            postings.setdefault(row.seq, []).append(Posting(row.account, row.unit, int(row.amount)))
    return [
        (
            int(head.seq),
            Entry(
                head.key,
                head.kind,
                head.at_s,
                tuple(postings[head.seq]),
                head.about,
                head.community,
                head.note,
            ),
        )
        for head in heads
    ]


def _pieces(numbers: Sequence[int]) -> Iterable[Sequence[int]]:
    return (numbers[first : first + 500] for first in range(0, len(numbers), 500))


def balances(connection: sa.Connection, who: Scope, account: str) -> dict[str, int]:
    """Return what an account holds, by unit."""
    query = scope.select(ledger_balances, who).where(ledger_balances.c.account == account)
    return {row.unit: int(row.amount) for row in connection.execute(query)}


def sums(connection: sa.Connection, who: Scope) -> dict[str, int]:
    """Return the sum of all balances by unit: zero each, if nothing is wrong."""
    columns = (ledger_balances.c.unit, sa.func.sum(ledger_balances.c.amount).label("total"))
    query = scope.select(ledger_balances, who, *columns).group_by(ledger_balances.c.unit)
    return {row.unit: int(row.total) for row in connection.execute(query)}


def wrong_balances(connection: sa.Connection, who: Scope) -> list[tuple[str, str]]:
    """Return the (account, unit) whose balance is not the sum of postings: none, if nothing is wrong."""
    total = sa.func.sum(ledger_postings.c.amount).label("total")
    columns = (ledger_postings.c.account, ledger_postings.c.unit, total)
    query = scope.select(ledger_postings, who, *columns).group_by(*columns[:2])
    booked = {(row.account, row.unit): int(row.total) for row in connection.execute(query)}
    held = {
        (row.account, row.unit): int(row.amount)
        for row in connection.execute(scope.select(ledger_balances, who))
    }
    return sorted(
        place for place in booked.keys() | held.keys() if booked.get(place, 0) != held.get(place, 0)
    )
