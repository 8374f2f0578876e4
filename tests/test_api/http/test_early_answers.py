"""What is refused before its body was read is still read by the client: over sockets, with a real server."""

import http.client
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import pytest
from live_service import Service
from loopback import served
from starlette.types import Receive, Scope, Send
from tiny_study import write_study

from api.http.access.auth import Access
from api.http.app import create_app
from api.http.middleware import Lingering
from api.settings import Settings

MEGABYTE = 1_000_000
UPLOAD = "/v1/studies/upload"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("early") / "out")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """A service that takes bodies of 1 MB, two of them at a time."""
    settings = Settings(max_body_mb=1, max_work_mb=2)
    with served(create_app(folder, settings=settings)) as url:
        yield url


def _head(method: str, path: str, length: int, *more: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: here", f"Content-Length: {length}", *more]
    return "\r\n".join([*lines, "Content-Type: application/json", "", ""]).encode()


def _connected(url: str) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def _slowly(url: str, head: bytes, size: int) -> tuple[int, dict[str, str], dict[str, object]]:
    """Send a body in pieces, all of it, and read only then; the answer, after which the connection ends."""
    with closing(_connected(url)) as there:
        there.sendall(head)
        for _ in range(8):
            time.sleep(0.02)
            there.sendall(b" " * (size // 8))
        answer = http.client.HTTPResponse(there)
        answer.begin()
        body = json.loads(answer.read())
        assert there.recv(1) == b""
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


@contextmanager
def _all_work_taken(url: str) -> Iterator[None]:
    """Hold two bodies of 1 MB in work, which are not sent to their end."""
    with closing(_connected(url)) as one, closing(_connected(url)) as other:
        for there in (one, other):
            there.sendall(_head("POST", "/v1/matches", MEGABYTE) + b"{")
        time.sleep(0.1)
        yield


@pytest.mark.parametrize("closes", ["Connection: close", "X-Kept: yes"])
def test_a_slow_sender_reads_that_its_body_is_too_large(address: str, closes: str) -> None:
    head = _head("POST", "/v1/matches", 8 * MEGABYTE, closes)
    status, headers, body = _slowly(address, head, 8 * MEGABYTE)
    assert (status, body["status"]) == (413, 413)
    assert headers["connection"] == "close"


@pytest.mark.parametrize("closes", ["Connection: close", "X-Kept: yes"])
def test_a_slow_sender_reads_when_to_come_again(address: str, closes: str) -> None:
    with _all_work_taken(address):
        head = _head("POST", "/v1/matches", MEGABYTE, closes)
        status, headers, _ = _slowly(address, head, MEGABYTE)
    assert (status, headers["retry-after"]) == (503, "1")


def test_common_clients_read_refusals(address: str) -> None:
    """httpx, and urllib, which closes its connections."""
    large = b" " * (8 * MEGABYTE)
    kind = {"content-type": "application/json"}

    def pieces() -> Iterator[bytes]:
        for _ in range(8):
            time.sleep(0.01)
            yield b" " * MEGABYTE

    with httpx2.Client(base_url=address, timeout=20) as client:
        for body in (large, pieces()):
            answer = client.post("/v1/matches", content=body, headers=kind)
            assert (answer.status_code, answer.json()["status"]) == (413, 413)
        with _all_work_taken(address):
            answer = client.post("/v1/matches", content=b" " * MEGABYTE, headers=kind)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        # And the service is well.
        assert client.get("/healthz").status_code == 200
    request = urllib.request.Request(f"{address}/v1/matches", large, kind)  # noqa: S310
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)  # noqa: S310
    with refused.value as told:
        assert (told.code, json.loads(told.read())["status"]) == (413, 413)


def test_uploads_without_a_key_or_with_another_one_are_told(folder: Path, tmp_path: Path) -> None:
    """401, 403 and 429 are said before a byte of the upload is read."""
    service = Service(folder, f"sqlite:///{tmp_path}/yilu.db")
    settings = Settings(rate_per_s=0.001, rate_burst=1)
    access = Access(settings, service.database, dev=False)
    app = create_app(folder, settings=settings, access=access, clock=service.clock)
    with served(app) as url:
        said = []
        for more in ((), (f"Authorization: Bearer {service.keys['red']}",)) * 2:
            head = _head("POST", UPLOAD, 4 * MEGABYTE, "Connection: close", *more)
            status, _, body = _slowly(url, head, 4 * MEGABYTE)
            assert body["status"] == status
            said.append(status)
    assert said == [401, 403, 401, 429]


def test_a_small_body_left_unread_does_not_cost_the_connection(address: str) -> None:
    with _all_work_taken(address), closing(_connected(address)) as there:
        for _ in range(2):
            there.sendall(_head("POST", "/v1/matches", 2_000))
            time.sleep(0.05)
            there.sendall(b" " * 2_000)
            answer = http.client.HTTPResponse(there)
            answer.begin()
            answer.read()
            assert (answer.status, answer.getheader("connection")) == (503, None)


@pytest.mark.parametrize("bounds", [{"max_bytes": 300_000}, {"max_s": 0.3}, {"silent_s": 0.1}])
def test_nobody_is_listened_to_for_ever(bounds: dict[str, float]) -> None:
    """Who goes on sending, or stops without an end, is cut off; the answer was sent before."""

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        length = (b"content-length", b"2")
        await send({"type": "http.response.start", "status": 403, "headers": [length]})
        await send({"type": "http.response.body", "body": b"no"})

    with served(Lingering(refuse, **bounds)) as url, closing(_connected(url)) as there:  # type: ignore[arg-type]
        there.sendall(_head("POST", "/", 10**12))
        answer = http.client.HTTPResponse(there)
        answer.begin()
        assert (answer.status, answer.read()) == (403, b"no")
        began_s = time.monotonic()
        with pytest.raises(ConnectionError):  # noqa: PT012 - until it is cut off
            while time.monotonic() < began_s + 10:
                if "silent_s" in bounds:
                    time.sleep(0.3)
                there.sendall(b" " * 100_000)
        assert time.monotonic() < began_s + 5
