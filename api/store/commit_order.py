"""Numbers that a reader can follow without missing any, though transactions end in another order.

PostgreSQL gives numbers when rows are written, not when they are committed: a reader that has seen 7 may
never see 6, which was committed later. So whoever is about to take numbers first holds a shared advisory lock
that names the last number given by then, until its transaction ends; all numbers it takes are greater. A
reader goes no further than the smallest number so held. Writers never wait for each other, nor for readers.

On SQLite there is one writer, and numbers are committed in their order.
"""

import sqlalchemy as sa

__all__ = ["EVENTS", "RIDERS", "begin_numbering", "safe_until"]

RIDERS, EVENTS = "riders_seq", "events_seq_seq"
_CLASS = {RIDERS: 0x5E71, EVENTS: 0x5E72}
"""The upper 16 bits of the advisory lock; the lower 48 are the number."""
_LAST = "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {sequence}"


def begin_numbering(connection: sa.Connection, sequence: str) -> None:
    """Announce that this transaction is about to take numbers of a sequence."""
    if connection.dialect.name == "postgresql":
        lock = f"SELECT pg_advisory_xact_lock_shared(({_CLASS[sequence]}::bigint << 48) | ({_LAST}))"
        connection.execute(sa.text(lock.format(sequence=sequence)))


def safe_until(connection: sa.Connection, sequence: str) -> int | None:
    """Return the number up to which all rows are there or never will be; None: no bound.

    Ask before the rows are read, in a statement of its own: a lock let go before the question belongs to a
    transaction that the next statement sees.
    """
    if connection.dialect.name != "postgresql":
        return None
    # In this order: numbers up to the first answer were taken under locks that the second sees.
    last = int(connection.execute(sa.text(_LAST.format(sequence=sequence))).scalar_one())
    # A lock on a bigint shows as its two halves, with objsubid 1.
    held = sa.text(
        "SELECT min(((classid::bigint & 65535) << 32) | objid::bigint) FROM pg_locks"
        " WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND classid::bigint >> 16 = :class"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    smallest = connection.execute(held, {"class": _CLASS[sequence]}).scalar_one()
    return last if smallest is None else min(last, int(smallest))
