"""What went wrong with services that do the same, each case small and in own words."""

import contextlib
import datetime
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import ANY

import httpx2
import pytest
from live_service import NOON, Service
from page_visits import running
from receiver import Trusting
from store_rows import event
from tiny_study import place

from api.dispatch import webhooks
from api.dispatch.webhooks import check_address
from api.http import live
from api.http.access import auth
from api.store import SERVICE, Database, Scope
from api.store.access import keys, tenants
from api.store.dispatch import events as stored
from api.store.dispatch import webhooks as hooks
from api.store.numbers import Numbers
from api.store.session import POOL_SIZE, POOL_WAIT_S
from geo.errors import InputError


@pytest.fixture
def service(folder: Path, tmp_path: Path) -> Iterator[tuple[Service, str]]:
    service = Service(folder, f"sqlite:///{tmp_path / 'yilu.db'}")
    with running(service.app) as address:
        service.at(address)
        yield service, address
        service.client.close()


def test_a_stream_ends_with_the_key_that_opened_it(
    service: tuple[Service, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Yuzu 955, pubky-homeserver 492: whoever was signed out went on reading for hours."""
    monkeypatch.setattr(live, "RECHECKED_S", 0.1)
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.2)
    monkeypatch.setattr("api.http.routes.events.HEARTBEAT_S", 0.2)
    monkeypatch.setattr(auth, "CACHED_S", 0.0)
    city, address = service
    wanted = keys.NewKey("office", "planner")
    with city.database.transaction() as connection:
        made, secret = keys.create(connection, SERVICE, wanted, NOON.timestamp())
    got: list[str] = []
    opened, ended = threading.Event(), threading.Event()

    def read() -> None:
        headers = {"authorization": f"Bearer {secret}"}
        with (
            httpx2.Client(timeout=20) as client,
            client.stream("GET", f"{address}/v1/events/stream", headers=headers) as answer,
        ):
            for line in answer.iter_lines():
                got.append(line)
                opened.set()
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    assert opened.wait(20)
    city.task("office", "before")
    end = time.monotonic() + 20
    while "event: task_published" not in got:
        assert time.monotonic() < end
        time.sleep(0.02)
    with city.database.transaction() as connection:
        keys.revoke(connection, SERVICE, made.key_id, NOON.timestamp())
    assert ended.wait(20)
    city.task("office", "after")
    assert got.count("event: task_published") == 1


@pytest.mark.parametrize(
    "address",
    [
        # Translated by a router on the way: 127.0.0.1 and 10.0.0.1 in other clothes.
        "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1",
        # To many machines at once, and to those of a site.
        "224.0.0.1", "ff0e::1", "fec0::1", "::ffff:10.0.0.1",
    ],
)  # fmt: skip
def test_no_private_address_in_other_clothes(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spoo 270: a translated address counts as global, and leads inside."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    told = [(family, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: told)
    with pytest.raises(InputError, match="reachable from the internet"):
        check_address("https://platform.example/yilu", private=False)


class Pointing(Trusting):
    """Sends whoever comes on to another address."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.location = where

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        super().take(body, headers)
        return 307


def _with_hook(folder: Path, url: str) -> Database:
    """Return a store with one event that one address has not had."""
    database = Database(f"sqlite:///{folder / 'yilu.db'}")
    database.migrate()
    secret = "whsec_" + "A" * 43 + "="
    hook = hooks.Webhook("w1", "office", url, secret, [], "active", 0, 0, None, 1.0)
    with database.transaction() as connection:
        tenants.add(connection, SERVICE, tenants.Tenant("office", "Office", "office", 0.0))
        hooks.add(connection, Scope("office", "planner"), hook)
        stored.append(connection, SERVICE, [event(1)])
    return database


def test_a_name_that_leads_elsewhere_after_it_was_checked_is_not_followed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A name may be answered anew between the look and the call: what was looked at is what is called."""
    asked: list[tuple[str, int]] = []

    def refuse(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        asked.append(address)
        raise ConnectionRefusedError

    told = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, 443)) for number in ("1.1.1.1", "8.8.8.8")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: told)
    monkeypatch.setattr(socket, "create_connection", refuse)
    database = _with_hook(tmp_path, "https://rebound.example/e")
    sender = webhooks.Sender(database, lambda: Numbers(b"n" * 32), lambda: 9.0, datetime.UTC, private=False)
    with httpx2.Client() as client:
        sender.send_due(client)
    database.close()
    assert asked == [("1.1.1.1", 443), ("8.8.8.8", 443)]


def test_a_weak_tag_is_the_tag_that_a_proxy_made_weak(service: tuple[Service, str]) -> None:
    """Labs 1751, hapi 3956: a proxy that compresses turns "1" into W/"1", and nobody could write any more."""
    city, _ = service
    task = city.task("office", "tagged")
    tag = city.headers["etag"]
    path = f"/v1/tasks/{task['id']}/withdraw"
    city.ask("office", "POST", path, 412, json={}, headers={"if-match": 'W/"99"'})
    city.ask("office", "POST", path, 200, json={}, headers={"if-match": f"W/{tag}"})


def test_readers_who_say_nothing_leave_the_database_to_others(service: tuple[Service, str]) -> None:
    """Agent_about_answer 58: each open stream kept a connection, until none was left."""
    city, address = service
    headers = {"authorization": f"Bearer {city.keys['office']}"}
    opened = POOL_SIZE * 3
    with httpx2.Client(timeout=20) as client, contextlib.ExitStack() as lines:
        for _ in range(opened):
            answer = lines.enter_context(client.stream("GET", f"{address}/v1/events/stream", headers=headers))
            assert answer.status_code == 200
        began = time.monotonic()
        for number in range(5):
            city.task("office", f"beside-{number}")
        assert time.monotonic() - began < POOL_WAIT_S
        assert f"yilu_event_streams {opened}.0" in city.ask("admin", "GET", "/metrics")
    end = time.monotonic() + 20
    while "yilu_event_streams 0.0" not in city.ask("admin", "GET", "/metrics"):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_events_do_not_follow_where_an_address_points(tmp_path: Path) -> None:
    """Formbricks 7877: an address that was looked at sent the events on to one that nobody had."""
    with Trusting() as inside, Pointing(inside.url) as outside, httpx2.Client() as client:
        database = _with_hook(tmp_path, outside.url)
        sender = webhooks.Sender(
            database, lambda: Numbers(b"n" * 32), lambda: 9.0, datetime.UTC, private=True
        )
        sender.send_due(client)
        with database.reading() as connection:
            kept = hooks.get(connection, SERVICE, "w1")
        database.close()
    assert (outside.ids, inside.ids) == ([ANY], [])
    assert kept is not None
    assert (kept.state, kept.next_seq) == ("failing", 0)


@pytest.mark.parametrize("windows", [[], [[]], [["2026-03-04T12:00:00+08:00"]]])
def test_a_window_that_is_none_is_told_by_its_place(
    service: tuple[Service, str], windows: list[list[str]]
) -> None:
    """VROOM 880: an empty list of windows was an error without a place, and the plan lost."""
    city, _ = service
    lon, lat = place("A")
    stop = {"stop_id": "s", "lon": lon, "lat": lat, "windows": windows}
    rider = {"rider_id": "r0", "at": NOON.isoformat(), "lon": lon, "lat": lat, "stops": [stop]}
    body = {"datum": "wgs84", "riders": [rider]}
    told = city.ask("red", "PUT", "/v1/riders", 422, json=body)
    assert "/riders/0/stops/0/windows" in json.dumps(told)
    # Nothing of it was kept.
    assert city.ask("red", "GET", "/v1/riders")["riders"] == []


def test_a_task_never_makes_a_stop_miss_its_windows(service: tuple[Service, str]) -> None:
    """What is promised by windows is promised as much as by a due time; it was taken in and not looked at."""
    city, _ = service
    lon, lat = place("A")
    minute = [(NOON + datetime.timedelta(seconds=s)).isoformat() for s in (0, 5)]
    stop = {"stop_id": "s", "lon": lon, "lat": lat, "windows": [minute]}
    rider = {"rider_id": "r0", "at": NOON.isoformat(), "lon": lon, "lat": lat, "stops": [stop]}
    city.ask("red", "PUT", "/v1/riders", json={"datum": "wgs84", "riders": [rider]})
    # On the way there is no room for a minute's work.
    task = city.task("office", "between", "J")
    offers = task["offers"]
    assert all(one["status"] == "open" for one in offers)
    after = [offer["after_stop_id"] for offer in city.ask("red", "GET", "/v1/offers")["offers"]]
    assert after == ["s"] * len(after)
