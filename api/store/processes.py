"""Several processes on one city: telling each other that something changed, and one that leads.

On PostgreSQL: LISTEN and NOTIFY, and an advisory lock of a session, which is let go when its process dies. On
SQLite one process serves: it hears itself, and a lock on a file beside the database keeps others out.
"""

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psycopg
import sqlalchemy as sa

from api.store.session import PENDING, Database, StoreUnavailable, psycopg_address

__all__ = ["Leadership", "Listener", "notify"]

_POLL_S = 0.5
_RETRY_S = 1.0


def notify(connection: sa.Connection, channel: str, payload: str) -> None:
    """Tell all processes something when this transaction is kept; it is told by nobody when it is not.

    Nobody may rely on it: a process that dies at that moment tells nothing. So look now and then.

    Parameters
    ----------
    payload : str
        At most 7,999 bytes; a number to read on from, not the thing itself.
    """
    connection.info[PENDING].append((channel, payload))


class Listener:
    """Hears what is notified, in a thread of its own.

    Parameters
    ----------
    database : Database
    channels : sequence of str
    heard : callable
        Gets channel and payload.
    reconnected : callable
        Called whenever listening begins, the first time too: what was told before was not heard, so read on
        from the last number known.
    """

    def __init__(
        self,
        database: Database,
        channels: Sequence[str],
        heard: Callable[[str, str], None],
        reconnected: Callable[[], None] = lambda: None,
    ) -> None:
        self._database, self._channels = database, tuple(channels)
        self._heard, self._reconnected = heard, reconnected
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._stops: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        if self._database.dialect == "sqlite":
            for channel in self._channels:
                self._stops.append(self._database.hear(channel, self._told(channel)))
            self._reconnected()
        else:
            self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        for stop in self._stops:
            stop()
        if self._thread is not None:
            self._thread.join()

    def _told(self, channel: str) -> Callable[[str], None]:
        return lambda payload: self._heard(channel, payload)

    def _run(self) -> None:
        while not self._stopped.is_set():
            # A database that is away comes back: try again until then.
            with contextlib.suppress(psycopg.OperationalError):
                self._listen()
            self._stopped.wait(_RETRY_S)

    def _listen(self) -> None:
        address, options = psycopg_address(self._database.url)
        with psycopg.connect(address, autocommit=True, **options) as connection:
            for channel in self._channels:
                connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
            self._reconnected()
            while not self._stopped.is_set():
                for told in connection.notifies(timeout=_POLL_S):
                    self._heard(told.channel, told.payload)


class Leadership:
    """The right of one process to do what only one may do; lost when the process dies.

    Parameters
    ----------
    database : Database
    name : str
        What is led, such as ``matching``.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database, self._name = database, name
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._file: IO[str] | None = None

    def try_lead(self) -> bool:
        """Take the lead if nobody has it; see whether a leader still is. Ask before each round of work.

        A leader whose connection is lost leads no more from the moment it asks; what it writes before is held
        by versions and row locks, as every write is.
        """
        if self._database.file is not None:
            return self._lock_file(self._database.file)
        try:
            return self._lock_session()
        except psycopg.OperationalError:
            self.release()
            return False

    def _lock_session(self) -> bool:
        if self._connection is not None:
            self._connection.execute("SELECT 1")
            return True
        address, options = psycopg_address(self._database.url)
        connection = psycopg.connect(address, autocommit=True, **options)
        try:
            key = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
            row = connection.execute(key, (f"yilu lead {self._name}",)).fetchone()
            if row is not None and row[0]:
                self._connection = connection
        finally:
            if self._connection is not connection:
                connection.close()
        return self._connection is not None

    def _lock_file(self, database: Path) -> bool:
        if self._file is not None:
            return True
        path = database.with_name(f"{database.name}.{self._name}.lock")
        try:
            file = path.open("a")
        except OSError as error:
            raise StoreUnavailable(f"{path.name}: cannot be written ({error.strerror})", 30) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        os.set_inheritable(file.fileno(), False)
        self._file = file
        return True

    def release(self) -> None:
        """Give the lead back."""
        if self._connection is not None:
            # The server clears a closed session away in its own time; the next leader need not wait for it.
            with contextlib.suppress(psycopg.Error):
                self._connection.execute("SELECT pg_advisory_unlock_all()")
            self._connection.close()
            self._connection = None
        if self._file is not None:
            self._file.close()
            self._file = None
