"""The database: one engine, transactions that write or read, and the way to the newest tables.

No clock is read here: every instant of a row comes from the caller.
"""

import contextlib
import errno
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, cast

import alembic.command
import alembic.config
import alembic.util
import orjson
import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.sql.dml import UpdateBase

from api.store import places, scope, tables
from geo.errors import InputError, YiluError

__all__ = ["PENDING", "Database", "StoreUnavailable", "psycopg_address", "reraised"]

LOG = logging.getLogger("yilu.store")
Dialect = Literal["sqlite", "postgresql"]
MIGRATIONS = Path(__file__).parent / "migrations"
SQLITE_WAIT_MS = 5_000
LOG_BYTES = 64_000_000
POOL_SIZE = 8
POOL_WAIT_S = 5.0
CONNECT_S = 3
# A host that died is noticed within some five seconds, on both ends.
KEEPALIVE = {"keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 3}
_KEEPALIVE_SERVER = "-c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3"
# A process that stands still in a transaction (its machine sleeps) keeps its rows locked, and its line alive:
# whoever wants them is told to come again, and at last the database ends that transaction.
_STUCK = "-c lock_timeout=2s -c idle_in_transaction_session_timeout=60s"
# SQLSTATE classes: 08 connection, 53 resources (disk, memory, connections), 57P0x shut down or starting,
# 58 system error, 25006 a read-only standby, 40 lost against another transaction, 55P03 lock not available.
_AWAY = ("08", "53", "57P", "58", "25006", "40", "55P03")
_SQLITE_AWAY = frozenset({"BUSY", "LOCKED", "FULL", "IOERR", "CANTOPEN", "PROTOCOL", "READONLY", "NOMEM"})
PENDING = "yilu_notifications"
_WRITES = "yilu_writes"
UNSCOPED = "yilu_unscoped"


class StoreUnavailable(YiluError):  # noqa: N818 - what it is, not that it is an error
    """The database cannot answer now: away, full or locked. Nothing of the transaction was kept.

    Attributes
    ----------
    retry_after_s : int
        When to ask again.
    """

    def __init__(self, reason: str, retry_after_s: int) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Database:
    """One database, shared by all threads of a process.

    Parameters
    ----------
    url : str
        ``sqlite:///FILE`` or ``postgresql://USER@HOST/NAME``.

    Raises
    ------
    InputError
        When the address is none of these.
    """

    def __init__(self, url: str) -> None:
        self.url = _checked_url(url)
        self.dialect = cast(Dialect, self.url.get_backend_name())
        options = _sqlite_options() if self.dialect == "sqlite" else _postgresql_options()
        self.engine = sa.create_engine(
            self.url,
            pool_pre_ping=True,
            pool_size=POOL_SIZE,
            pool_timeout=POOL_WAIT_S,
            json_serializer=_json_text,
            json_deserializer=orjson.loads,
            **options,
        )
        self._writing = self.engine.execution_options(**{_WRITES: True})
        self._heard: dict[str, list[Callable[[str], None]]] = {}
        self._hearing = threading.Lock()
        self._announcer: psycopg.Connection[tuple[object, ...]] | None = None
        if self.dialect == "sqlite":
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        sa.event.listen(self.engine, "before_execute", _only_scoped)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Give a connection whose changes are all kept at the end, or none of them.

        On SQLite the one writer waits its turn from the beginning (``BEGIN IMMEDIATE``); on PostgreSQL it is
        ``READ COMMITTED``, with row locks where they are asked for.

        Raises
        ------
        StoreUnavailable
            When the database is away, full or locked.
        """
        with reraised():
            with self._writing.begin() as connection:
                pending: list[tuple[str, str]] = []
                connection.info[PENDING] = pending
                yield connection
            self.deliver(pending)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection for queries; on SQLite they never wait for the writer.

        Raises
        ------
        StoreUnavailable
            When the database is away.
        """
        with reraised(), self.engine.connect() as connection:
            yield connection

    def migrate(self, revision: str = "head") -> None:
        """Bring the tables to the newest form, or to an older `revision` on the way there.

        Several processes may start at once: one migrates, the others wait and find it done.

        Raises
        ------
        InputError
            When the database was written by a newer Yilu.
        StoreUnavailable
            When the database is away.
        """
        config = alembic.config.Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with reraised(), self._writing.execution_options(**{UNSCOPED: True}).begin() as connection:
            if self.dialect == "postgresql":
                # However long another one takes to migrate.
                connection.execute(sa.text("SET LOCAL lock_timeout = 0"))
                connection.execute(
                    sa.text("SELECT pg_advisory_xact_lock(hashtextextended('yilu migrate', 0))")
                )
            config.attributes["connection"] = connection
            try:
                alembic.command.upgrade(config, revision)
            except alembic.util.CommandError as error:
                raise InputError(f"the database {self.shown} was written by a newer Yilu: {error}") from None
            places.add_place_column(connection)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()
        with self._hearing:
            if self._announcer is not None:
                self._announcer.close()
            self._announcer = None

    @property
    def shown(self) -> str:
        """The address without its password."""
        return self.url.render_as_string(hide_password=True)

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database."""
        return Path(str(self.url.database)) if self.dialect == "sqlite" else None

    def hear(self, channel: str, heard: Callable[[str], None]) -> Callable[[], None]:
        """Call `heard` with what is notified within this process; returns how to stop. For SQLite."""
        with self._hearing:
            self._heard.setdefault(channel, []).append(heard)

        def stop() -> None:
            with self._hearing:
                self._heard[channel].remove(heard)

        return stop

    def deliver(self, pending: list[tuple[str, str]]) -> None:
        """Hand what a transaction notified to those who hear it, after its end.

        On PostgreSQL too: in the transaction itself it would make all writers commit one after the other,
        each waiting for the disk alone. What is not told, because the database or this process is gone,
        others find when they look.
        """
        if self.dialect == "postgresql":
            if pending:
                self._announce(pending)
            return
        for channel, payload in pending:
            with self._hearing:
                listeners = list(self._heard.get(channel, ()))
            for heard in listeners:
                heard(payload)

    def _announce(self, pending: list[tuple[str, str]]) -> None:
        with self._hearing:
            try:
                for told in pending:
                    if self._announcer is None:
                        address, options = psycopg_address(self.url)
                        self._announcer = psycopg.connect(address, autocommit=True, **options)
                    self._announcer.execute("SELECT pg_notify(%s, %s)", told)
            except psycopg.Error:
                LOG.info("others were not told of a change; they look for it")
                if self._announcer is not None:
                    self._announcer.close()
                self._announcer = None


def _json_text(value: object) -> str:
    # Figures of the matching may be of a NumPy type.
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def _checked_url(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except ArgumentError:
        raise InputError(
            "the database address must look like sqlite:///FILE or postgresql://HOST/NAME"
        ) from None
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"postgresql+psycopg", "sqlite"}:
        raise InputError(
            f"the database address begins with {parsed.drivername}: it must be sqlite or postgresql"
        )
    if parsed.drivername == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise InputError("the database address must name a file, such as sqlite:///yilu.db")
    return parsed


def _sqlite_options() -> Mapping[str, Any]:
    return {"connect_args": {"timeout": SQLITE_WAIT_MS / 1000}}


def _postgresql_options() -> Mapping[str, Any]:
    arguments = {"connect_timeout": CONNECT_S, "options": f"{_KEEPALIVE_SERVER} {_STUCK}", **KEEPALIVE}
    return {"isolation_level": "READ COMMITTED", "connect_args": arguments}


def psycopg_address(url: sa.URL) -> tuple[str, Mapping[str, Any]]:
    """Return the address and the options of a connection outside of the pool."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return address, _postgresql_options()["connect_args"]


def _prepare_sqlite(connection: sqlite3.Connection, record: object) -> None:
    # Python's driver would begin transactions by itself, and late: a reader that turns writer may lose.
    connection.isolation_level = None
    cursor = connection.cursor()
    # The wait comes first: to turn to WAL asks for a lock.
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_WAIT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # What was acknowledged is on the disk, also when the plug is pulled.
    cursor.execute("PRAGMA synchronous = FULL")
    # What a long reader made the log grow to is given back when it has gone.
    cursor.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _only_scoped(
    connection: sa.Connection, statement: sa.Executable, many: object, one: object, options: Mapping[str, Any]
) -> None:
    """Refuse what `scope` did not make: a query that forgets its tenant fails in the first test."""
    if not isinstance(statement, sa.Select | UpdateBase | sa.CompoundSelect) or UNSCOPED in options:
        return
    if scope.MARK not in statement.get_execution_options() and _touches_tables(statement):
        raise RuntimeError("a statement over the tables was not made by api.store.scope")


def _touches_tables(statement: sa.Executable) -> bool:
    parts = sa.sql.visitors.iterate(cast(Any, statement))
    return any(isinstance(part, sa.Table) and part.metadata is tables.metadata for part in parts)


@contextlib.contextmanager
def reraised() -> Iterator[None]:
    """Turn what a driver raises when its database is away into `StoreUnavailable`."""
    try:
        yield
    except PoolTimeoutError:
        raise StoreUnavailable("the database answers too slowly: all connections are in use", 1) from None
    except DBAPIError as error:
        found = _unavailable(error)
        if found is None:
            raise
        raise found from error


def _unavailable(error: DBAPIError) -> StoreUnavailable | None:
    """Return what `error` means for the caller; None when it is a fault of the statement."""
    origin: Any = error.orig
    if isinstance(origin, sqlite3.Error):
        # SQLITE_IOERR_WRITE and its kin: what kind of trouble stands first.
        name = getattr(origin, "sqlite_errorname", "").removeprefix("SQLITE_").partition("_")[0]
        if name not in _SQLITE_AWAY:
            return None
        busy = name in {"BUSY", "LOCKED"}
        reason = {
            "FULL": "its disk is full",
            "BUSY": "another process writes",
            "LOCKED": "another process writes",
        }
        return StoreUnavailable(
            f"the database cannot be used now: {reason.get(name, 'its file cannot be read or written')}",
            1 if busy else 30,
        )
    state = getattr(origin, "sqlstate", None) or ""
    if state.startswith("40"):
        return StoreUnavailable("another transaction was faster", 1)
    if state.startswith("53100"):
        return StoreUnavailable("the database cannot be used now: its disk is full", 30)
    if error.connection_invalidated or state.startswith(_AWAY) or (not state and _lost(origin)):
        return StoreUnavailable("the database cannot be reached now", 5)
    return None


def _lost(origin: object) -> bool:
    return isinstance(origin, psycopg.OperationalError) or getattr(origin, "errno", 0) == errno.ECONNRESET
