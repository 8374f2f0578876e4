"""Webhooks against a real receiver: signed, in order, again until they arrive, from where the owner says."""

import dataclasses
import datetime
import itertools
import time
from collections.abc import Callable

import httpx2 as httpx
from receiver import Receiver, Trusting
from standardwebhooks import Webhook as Signer
from store_rows import event

from api.dispatch.translate import event_out
from api.dispatch.webhooks import Deliveries, Sender, deliveries, message, new_secret, rotated
from api.store import SERVICE, Database, Scope
from api.store.dispatch import events as stored
from api.store.dispatch import webhooks as hooks
from api.store.numbers import Numbers

NOW = 1_700_000_000.0
OFFICE = Scope("office", "planner")
NUMBERS = Numbers(b"n" * 32)
SECRET = "whsec_" + "A" * 43 + "="


def hook(url: str) -> hooks.Webhook:
    return hooks.Webhook("w1", "office", url, SECRET, [], "active", 0, 0, None, NOW)


def happen(database: Database, *numbers: int) -> None:
    with database.transaction() as connection:
        stored.append(connection, SERVICE, [event(number) for number in numbers])


def sender(
    database: Database, now_s: float | None = None, delivered: Callable[[float], None] = lambda _: None
) -> Sender:
    clock = time.time if now_s is None else lambda: now_s
    return Sender(database, lambda: NUMBERS, clock, datetime.UTC, private=True, delivered=delivered)


def kept(database: Database) -> hooks.Webhook:
    with database.reading() as connection:
        found = hooks.get(connection, SERVICE, "w1")
    assert found is not None
    return found


def numbers(receiver: Receiver) -> list[int]:
    return [one["data"]["body"]["number"] for one in receiver.got]


def test_signed_and_in_order_and_each_once_while_nothing_fails(database: Database) -> None:
    with Receiver() as receiver, httpx.Client() as client:
        receiver.secret = SECRET
        with database.transaction() as connection:
            hooks.add(connection, OFFICE, hook(receiver.url))
        happen(database, *range(150))
        one = sender(database)
        while one.send_due(client):
            pass
        assert numbers(receiver) == list(range(150))
        assert len(set(receiver.ids)) == 150


def test_a_replay_that_comes_while_events_are_sent_counts(database: Database) -> None:
    with Receiver() as receiver, httpx.Client() as client:
        receiver.secret = SECRET
        with database.transaction() as connection:
            hooks.add(connection, OFFICE, hook(receiver.url))
        happen(database, 1, 2, 3)
        one = sender(database)
        one.send_due(client)
        happen(database, 4)

        def replay() -> None:
            receiver.during = lambda: None
            with database.transaction() as connection:
                hooks.save(connection, SERVICE, dataclasses.replace(kept(database), next_seq=0))

        receiver.during = replay
        one.send_due(client)
        one.send_due(client)
        assert numbers(receiver) == [1, 2, 3, 4, 1, 2, 3, 4]


def test_what_is_refused_is_sent_again_though_the_clock_went_back(database: Database) -> None:
    with Receiver() as receiver, httpx.Client() as client:
        receiver.secret, receiver.refuses = SECRET, True
        with database.transaction() as connection:
            hooks.add(connection, OFFICE, hook(receiver.url))
        happen(database, 1)
        ahead = sender(database, NOW + 30 * 86_400.0)
        ahead.send_due(client)
        assert kept(database).state == "failing"
        receiver.refuses = False
        sender(database).send_due(client)
        # The real clock is years ahead of NOW: what waits is due.
        assert kept(database).state == "active"
        with database.transaction() as connection:
            late = dataclasses.replace(kept(database), state="failing", failures=1, retry_at_s=9e9)
            hooks.save(connection, SERVICE, late)
        happen(database, 2)
        sender(database).send_due(client)
        assert numbers(receiver) == [1, 2]


def test_of_two_processes_one_sends(shared: Database) -> None:
    other = Database(shared.url.render_as_string(hide_password=False))
    with Receiver() as receiver:
        receiver.secret = SECRET
        with shared.transaction() as connection:
            hooks.add(connection, OFFICE, hook(receiver.url))
        senders = [sender(shared), sender(other)]
        for one in senders:
            one.start()
        for number in range(60):
            happen(shared, number)
            for one in senders:
                one.wake()
            end = time.monotonic() + 15
        while len(receiver.got) < 60 and time.monotonic() < end:
            time.sleep(0.05)
        for one in senders:
            one.stop()
    other.close()
    assert numbers(receiver) == list(range(60))
    assert all(a < b for a, b in itertools.pairwise(numbers(receiver)))


def test_an_address_that_fails_says_how_far_it_is_behind(database: Database) -> None:
    with Trusting() as receiver, httpx.Client() as client:
        receiver.refuses = True
        with database.transaction() as connection:
            hooks.add(connection, OFFICE, hook(receiver.url))
        assert deliveries(database, NOW + 90.0) == Deliveries({"active": 1}, 0.0)
        happen(database, 1, 2)
        with database.reading() as connection:
            first_s = stored.after(connection, SERVICE, 0, 1)[0].event.at_s
        lags: list[float] = []
        sender(database, first_s + 5.0, lags.append).send_due(client)
        assert deliveries(database, first_s + 90.0) == Deliveries({"failing": 1}, 90.0)
        assert lags == []
        receiver.refuses = False
        sender(database, first_s + 600.0, lags.append).send_due(client)
        assert deliveries(database, first_s + 600.0) == Deliveries({"active": 1}, 0.0)
        assert lags == [600.0, 599.0]


def test_a_replaced_secret_signs_on_beside_the_new_one_for_the_time_that_was_said() -> None:
    first = hook("https://office.example/yilu")
    second = rotated(first, new_secret(), NOW, 3_600.0)
    third = rotated(second, new_secret(), NOW + 60.0, 600.0)
    told = event_out(stored.EventRow(1, event(1)), "mark", datetime.UTC)

    def good(webhook: hooks.Webhook, at_s: float) -> list[str]:
        body, headers = message(told, webhook, at_s)
        assert all(one.startswith("v1,") for one in headers["webhook-signature"].split(" "))
        # The library's own check is asked, as a receiver that knows one secret would.
        instant = datetime.datetime.fromtimestamp(at_s, datetime.UTC).replace(tzinfo=None)
        name = headers["webhook-id"]
        signed = headers["webhook-signature"].split(" ")
        return [
            one
            for one in (first.secret, second.secret, third.secret)
            if Signer(one).sign(name, instant, body.decode()) in signed
        ]

    assert good(second, NOW + 1.0) == [first.secret, second.secret]
    assert good(second, NOW + 3_600.0) == [second.secret]
    assert good(third, NOW + 61.0) == [first.secret, second.secret, third.secret]
    assert good(third, NOW + 700.0) == [first.secret, third.secret]
    # One that has leaked ends at once, and whatever came before it.
    assert good(rotated(second, third.secret, NOW, 0.0), NOW) == [third.secret]


def test_a_receiver_may_change_its_secret_at_any_moment_meanwhile(database: Database) -> None:
    with Receiver() as receiver, httpx.Client() as client:
        with database.transaction() as connection:
            hooks.add(connection, OFFICE, hook(receiver.url))
            known = hooks.load_for_update(connection, OFFICE, "w1")
            assert known is not None
            now = rotated(known, new_secret(), time.time(), 3_600.0)
            hooks.save(connection, OFFICE, now)
        happen(database, 1)
        receiver.secret = SECRET
        sender(database).send_due(client)
        happen(database, 2)
        receiver.secret = now.secret
        sender(database).send_due(client)
        assert numbers(receiver) == [1, 2]
    assert kept(database).retired == now.retired
