"""What went wrong in other services with webhooks, stores and migrations, made small; each with its issue.

Others of their kind are tried where the thing itself is: readers that wait for a writer (lionagi 2757) and
the database of a newer version (codex-lb 1256) beside this file, numbers committed in another order
(kamu-cli 1398) in `test_rows.py`, requests that race under one key (idempot-js 181) in
`http/test_repeats.py`, Retry-After of a rate (flask-limiter 47) in `http/test_auth.py`.
"""

import concurrent.futures
import datetime
import itertools
import threading
import time
from collections.abc import Iterator

import httpx2 as httpx
import pytest
import sqlalchemy as sa
from store_rows import event

from api.dispatch import webhooks
from api.dispatch.webhooks import Sender
from api.store import SERVICE, Database, Scope
from api.store.access import tenants
from api.store.dispatch import events as stored
from api.store.dispatch import webhooks as hooks
from api.store.numbers import Numbers

NOW = 1_700_000_000.0
SECRET = "whsec_" + "A" * 43 + "="


@pytest.fixture
def waiting(database: Database) -> Database:
    """A store with an event that an address has not had."""
    with database.transaction() as connection:
        hook = hooks.Webhook("w1", "office", "http://127.0.0.1:9/e", SECRET, [], "active", 0, 0, None, NOW)
        hooks.add(connection, Scope("office", "planner"), hook)
        stored.append(connection, SERVICE, [event(1)])
    return database


def sender(database: Database, now_s: float) -> Sender:
    return Sender(database, lambda: Numbers(b"n" * 32), lambda: now_s, datetime.UTC, private=True)


def kept(database: Database) -> hooks.Webhook:
    with database.reading() as connection:
        found = hooks.get(connection, SERVICE, "w1")
    assert found is not None
    return found


def test_what_is_sent_again_is_signed_anew_under_the_same_id(waiting: Database) -> None:
    """A last try with the first signature is five minutes old, and refused for it (better-auth 8844)."""
    asked: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(503, content=iter(()))

    with httpx.Client(transport=httpx.MockTransport(refuse)) as client:
        sender(waiting, NOW).send_due(client)
        sender(waiting, NOW + 600.0).send_due(client)
    first, again = [one.headers for one in asked]
    assert first["webhook-id"] == again["webhook-id"]
    assert int(again["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 600
    assert first["webhook-signature"] != again["webhook-signature"]


def test_a_receiver_that_is_gone_is_asked_no_more(waiting: Database) -> None:
    """Standard Webhooks: 410 means that the address wants no more; one must not knock for a day."""
    with httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(410, content=iter(())))
    ) as client:
        sender(waiting, NOW).send_due(client)
    assert (kept(waiting).state, kept(waiting).next_seq, kept(waiting).retry_at_s) == ("disabled", 0, None)


def test_an_answer_that_never_ends_does_not_hold_up_the_others(
    waiting: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit for each piece of an answer is none for the whole of it."""
    monkeypatch.setattr(webhooks, "ANSWER_S", 0.3)
    gone_on = threading.Event()

    def trickling() -> Iterator[bytes]:
        for number in itertools.count():
            if number == 200:
                gone_on.set()
                return
            time.sleep(0.05)
            yield b"."

    answer = httpx.Response(200, content=trickling())
    with httpx.Client(transport=httpx.MockTransport(lambda _: answer)) as client:
        sender(waiting, NOW).send_due(client)
    assert not gone_on.is_set()
    assert (kept(waiting).state, kept(waiting).next_seq) == ("active", 1)


def test_two_that_start_at_once_migrate_once(empty_url: str) -> None:
    """Replicas (aegra 565, rhesis 2545): those that start together race for the version table."""
    many = [Database(empty_url) for _ in range(3)]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(Database.migrate, many))
    with many[0].reading() as connection:
        rows = connection.execute(sa.text("SELECT count(*) FROM alembic_version")).scalar_one()
    assert rows == 1
    for one in many:
        one.close()


def test_who_reads_first_and_writes_then_waits_for_the_other_writer(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that turns from reader to writer fails at once, whatever it may wait (jentic-one 529)."""
    # Longer than any pause of a busy machine: what is looked for would fail at once.
    monkeypatch.setattr("api.store.session.SQLITE_WAIT_MS", 60_000)
    many = [Database(url) for _ in range(2)]
    together = threading.Barrier(2, timeout=30)

    def both(at: int) -> None:
        together.wait()
        with many[at].transaction() as connection:
            assert tenants.get(connection, SERVICE, f"new{at}") is None
            time.sleep(0.1)
            tenants.add(connection, SERVICE, tenants.Tenant(f"new{at}", "New", "platform", 0.0))

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(both, range(2)))
    with many[0].reading() as connection:
        assert all(tenants.get(connection, SERVICE, f"new{at}") is not None for at in range(2))
    for one in many:
        one.close()
