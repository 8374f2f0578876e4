"""What went wrong with services that do the same, each case small and in own words."""

import datetime
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from live_service import NOON, Service
from page_visits import running
from store_rows import event
from tiny_study import write_study

from api.dispatch import webhooks
from api.dispatch.webhooks import check_address
from api.http import live
from api.http.access import auth
from api.store import SERVICE, Database, Scope
from api.store.access import keys, tenants
from api.store.dispatch import events as stored
from api.store.dispatch import webhooks as hooks
from api.store.numbers import Numbers
from geo.errors import InputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study") / "out")


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
    monkeypatch.setattr(webhooks.socket, "getaddrinfo", lambda *_, **__: told)
    with pytest.raises(InputError, match="reachable from the internet"):
        check_address("https://platform.example/yilu", private=False)


def test_a_name_that_leads_elsewhere_after_it_was_checked_is_not_followed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A name may be answered anew between the look and the call: what was looked at is what is called."""
    asked: list[tuple[str, int]] = []

    def refuse(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        asked.append(address)
        raise ConnectionRefusedError

    told = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, 443)) for number in ("1.1.1.1", "8.8.8.8")]
    monkeypatch.setattr(webhooks.socket, "getaddrinfo", lambda *_, **__: told)
    monkeypatch.setattr(socket, "create_connection", refuse)
    database = Database(f"sqlite:///{tmp_path / 'yilu.db'}")
    database.migrate()
    secret = "whsec_" + "A" * 43 + "="
    hook = hooks.Webhook("w1", "office", "https://rebound.example/e", secret, [], "active", 0, 0, None, 1.0)
    with database.transaction() as connection:
        tenants.add(connection, SERVICE, tenants.Tenant("office", "Office", "office", 0.0))
        hooks.add(connection, Scope("office", "planner"), hook)
        stored.append(connection, SERVICE, [event(1)])
    sender = webhooks.Sender(database, lambda: Numbers(b"n" * 32), lambda: 9.0, datetime.UTC, private=False)
    with httpx2.Client() as client:
        sender.send_due(client)
    database.close()
    assert asked == [("1.1.1.1", 443), ("8.8.8.8", 443)]
