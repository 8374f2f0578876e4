"""Transactions, a database that is away, full or locked, and a process that is killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from postgres import find_binaries, running_cluster

from api.store import SERVICE, Database, StoreUnavailable, session
from api.store.dispatch import events, tasks
from api.store.processes import Leadership, Listener, notify
from geo.errors import InputError

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://localhost/x", "must be sqlite or postgresql"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("yilu.db", "must look like"),
    ],
)
def test_another_address_is_refused(url: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Database(url)


def test_the_password_is_not_shown() -> None:
    database = Database("postgresql://yilu:secret@localhost/yilu")
    assert "secret" not in database.shown
    assert database.url.drivername == "postgresql+psycopg"


def test_sqlite_is_set_for_the_pulled_plug(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'yilu.db'}")
    with database.reading() as connection:
        read = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")}  # fmt: skip
    assert read == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    database.close()


def test_a_locked_database_is_unavailable_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.store.session.SQLITE_WAIT_MS", 50)
    path = tmp_path / "yilu.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another process writes") as told, database.transaction():
        pass
    assert told.value.retry_after_s == 1
    with database.reading() as connection:
        assert events.after(connection, SERVICE, 0, 9) == []
    other.execute("ROLLBACK")
    other.close()
    with database.transaction():
        pass
    database.close()


def test_a_full_disk_is_unavailable_and_nothing_is_kept(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'yilu.db'}")
    database.migrate()

    def fill(rows: int) -> None:
        with database.transaction() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            # As a disk that has room for four pages more.
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}")
            happened = events.Event(1.0, "k", None, None, None, None, {"text": "x" * 4000})
            events.append(connection, SERVICE, [happened] * rows)

    with pytest.raises(StoreUnavailable, match="disk is full") as told:
        fill(50)
    assert told.value.retry_after_s == 30
    fill(1)
    with database.reading() as connection:
        assert len(events.after(connection, SERVICE, 0, 99)) == 1
    database.close()


def test_a_database_that_went_away_comes_back_without_a_restart() -> None:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL (initdb, pg_ctl) is not installed")
    # A cluster of its own: others are still at work on the shared one.
    with running_cluster(binaries) as cluster:
        database = Database(cluster.url(cluster.create()))
        database.migrate()
        lead, second = Leadership(database, "matching"), Leadership(database, "matching")
        assert lead.try_lead()
        assert not second.try_lead()
        again = threading.Event()
        with Listener(database, ["events"], lambda *_: None, again.set):
            assert again.wait(10)
            again.clear()
            cluster.stop("immediate")
            for _ in range(2):
                with pytest.raises(StoreUnavailable, match="cannot be reached"), database.transaction():
                    pass
            assert not lead.try_lead()
            cluster.start()
            assert again.wait(20)
        with database.transaction() as connection:
            assert len(events.append(connection, SERVICE, [_plain(1)])) == 1
        assert second.try_lead()
        second.release()
        database.close()


def _plain(number: int) -> events.Event:
    return events.Event(1.0, "k", None, None, None, None, {"number": number})


def test_who_leads_alone_and_who_follows(database: Database) -> None:
    one, other, third = (Leadership(database, name) for name in ("matching", "matching", "webhooks"))
    assert [one.try_lead(), other.try_lead(), third.try_lead(), one.try_lead()] == [True, False, True, True]
    # Whoever gives the lead back has given it back when the call returns, however often.
    for _ in range(20):
        one.release()
        took, lost = other.try_lead(), one.try_lead()
        assert (took, lost) == (True, False)
        one, other = other, one
    for leader in (one, other, third):
        leader.release()


LEADER = """
import sys, time
from api.store import Database
from api.store.processes import Leadership
lead = Leadership(Database(sys.argv[1]), "matching")
assert lead.try_lead()
print("leads", flush=True)
time.sleep(60)
"""


def test_the_lead_is_lost_by_death_and_taken_within_five_seconds(url: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LEADER, url], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "leads\n"
    database = Database(url)
    lead = Leadership(database, "matching")
    assert not lead.try_lead()
    process.kill()
    process.wait()
    process.stdout.close()
    died = time.monotonic()
    while not lead.try_lead():
        assert time.monotonic() - died < 5
        time.sleep(0.05)
    lead.release()
    database.close()


def test_what_is_notified_is_heard_when_it_is_kept_and_not_otherwise(database: Database) -> None:
    heard: list[tuple[str, str]] = []
    there, ready = threading.Event(), threading.Event()

    def hear(channel: str, payload: str) -> None:
        heard.append((channel, payload))
        there.set()

    def lose() -> None:
        with database.transaction() as connection:
            notify(connection, "events", "lost")
            raise ZeroDivisionError

    with Listener(database, ["events"], hear, ready.set):
        assert ready.wait(10)
        with pytest.raises(ZeroDivisionError):
            lose()
        with database.transaction() as connection:
            notify(connection, "other", "x")
            notify(connection, "events", "7")
            assert heard == []
        assert there.wait(10)
    assert heard == [("events", "7")]


def test_the_log_of_sqlite_is_given_back_when_a_long_reader_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LOG_BYTES", 100_000)
    database = Database(f"sqlite:///{tmp_path / 'yilu.db'}")
    log = tmp_path / "yilu.db-wal"

    def write(count: int) -> None:
        for _ in range(count):
            with database.transaction() as connection:
                connection.execute(sa.text("INSERT INTO words VALUES (hex(randomblob(20000)))"))

    with database.transaction() as connection:
        connection.execute(sa.text("CREATE TABLE words (word TEXT)"))
    with database.reading() as connection:
        # Nothing that came after it may leave the log before this reader.
        connection.execute(sa.text("SELECT count(*) FROM words")).scalar_one()
        write(200)
        assert log.stat().st_size > 5_000_000
    write(3)
    assert log.stat().st_size <= 200_000
    database.close()


def test_a_killed_writer_loses_nothing_that_it_acknowledged(url: str) -> None:
    database, said = Database(url), 0
    writer = [sys.executable, str(ROOT / "tests" / "helpers" / "event_writer.py"), url]
    for life in range(10):
        process = subprocess.Popen(
            [*writer, str(said)], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=_environment()
        )
        assert process.stdout is not None
        numbers = [int(process.stdout.readline()) for _ in range(5 + life)]
        process.send_signal(signal.SIGKILL)
        process.wait()
        numbers += [int(line) for line in process.stdout.read().splitlines() if line]
        process.stdout.close()
        with database.reading() as connection:
            kept = [row.event.body["number"] for row in events.after(connection, SERVICE, 0, 100_000)]
            labels = {row.task_id for row in tasks.page(connection, SERVICE, None, 100_000)}
        assert set(numbers) <= set(kept)
        assert len(kept) == len(set(kept))
        assert labels == {f"t{number}" for number in kept}
        said = max(kept)
    assert said >= 95
    database.close()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'helpers'}"}
