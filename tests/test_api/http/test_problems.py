"""Every refusal is a problem+json body (RFC 9457), and no answer leaves without its guards."""

import asyncio
import gzip
import json
import logging
import traceback
from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Message, Receive, Scope, Send

from api.http.metrics import Measured, Metrics
from api.http.middleware import BodyLimit, BoundedWork, RequestError, RequestId, SecurityHeaders
from api.http.problems import errors
from api.http.problems.errors import EVERY, NoStationError
from geo.errors import InfeasibleError, InputError, OffNetworkError, YiluError

LIMIT = 1_000


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    lon: float
    names: list[str] = []
    numbers: Annotated[tuple[int, ...], Field(min_length=1)] = (1,)


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    errors.install(app)
    app.add_middleware(Measured, metrics=Metrics())
    app.add_middleware(BodyLimit, max_bytes=LIMIT)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestId)
    known = {
        kind.__name__: kind
        for kind in (OffNetworkError, InfeasibleError, InputError, YiluError, NoStationError)
    }

    @app.get("/fail/{name}")
    def fail(name: str) -> None:
        if name in known:
            raise known[name]("one clear sentence")
        raise RuntimeError("/secret/path of the server")

    @app.post("/v1/echo")
    def echo(body: _Body) -> float:
        return body.lon

    @app.get("/number")
    def number(n: int) -> int:
        return n

    return TestClient(app, raise_server_exceptions=False)


def test_an_error_of_the_program_reaches_the_server_without_its_text() -> None:
    """The server logs what it raises: the kind of the error and where, never a text that may name a rider."""
    app = FastAPI()
    app.add_middleware(RequestId)
    phone = str(13812345677 + 1)  # as data: a traceback shows the lines of the program

    @app.get("/fail")
    def fail() -> None:
        raise KeyError(phone)

    with pytest.raises(RequestError) as told:
        TestClient(app).get("/fail")
    assert str(told.value) == "KeyError"
    assert told.value.__suppress_context__
    assert phone not in "".join(traceback.format_exception(told.value))


def test_the_log_has_the_form_of_an_address_and_not_its_values(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Ids of riders are often their telephone numbers or names."""
    with caplog.at_level(logging.INFO, logger="yilu.requests"):
        client.get("/fail/Wang")
        client.get("/nowhere/13812345678")
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "yilu.requests"]
    assert [(one["method"], one["route"]) for one in lines] == [("GET", "/fail/{name}"), ("GET", "none")]
    assert "Wang" not in caplog.text
    assert "13812345678" not in caplog.text


@pytest.mark.parametrize(
    ("name", "status", "slug"),
    [
        ("OffNetworkError", 422, "off-network"),
        ("InfeasibleError", 422, "infeasible"),
        ("InputError", 422, "bad-input"),
        ("NoStationError", 404, "no-station"),
        ("YiluError", 422, "refused"),
        ("RuntimeError", 500, "internal"),
    ],
)
def test_each_error_has_its_row(client: TestClient, name: str, status: int, slug: str) -> None:
    answer = client.get(f"/fail/{name}")
    body = answer.json()
    assert answer.status_code == body["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"/problems#{slug}"
    assert body["instance"] == f"/fail/{name}"
    assert slug in {problem.slug for problem in EVERY}
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (b'{"lon": NaN}', "/lon"),
        (b'{"lon": 1e999}', "/lon"),
        (b'{"lon": 1, "names": [1]}', "/names/0"),
        (b'{"lon": 1, "more": 2}', "/more"),
        (b"{}", "/lon"),
        (b"not json", "/"),
        (b'{"lon": 1, "names": ["a", "b" "c"]}', "/names/1"),
        (b'{"lon": 1, "na/me~s": [{"a": 1}, {"b": [1,, 2]}]}', "/na~1me~0s/1/b/1"),
        (b'{"lon": 1, "names": [], }', "/"),
        (b'{"names": ["x],{', "/names/0"),
        (b"", "/"),
    ],
)
def test_a_bad_body_names_the_place_and_never_echoes_it(
    client: TestClient, content: bytes, pointer: str
) -> None:
    answer = client.post("/v1/echo", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    body = answer.json()
    assert body["type"] == "/problems#invalid-request"
    assert body["errors"][0]["pointer"] == pointer
    assert "input" not in body["errors"][0]


@pytest.mark.parametrize(
    ("numbers", "pointers"),
    [(["x"], ["/numbers/0"]), ([], ["/numbers"]), (["x", "y"], ["/numbers/0", "/numbers/1"])],
)
def test_a_list_of_bad_items_is_not_called_empty(
    client: TestClient, numbers: list[object], pointers: list[str]
) -> None:
    told = client.post("/v1/echo", json={"lon": 1, "numbers": numbers}).json()["errors"]
    assert [one["pointer"] for one in told] == pointers


def test_broken_json_is_told_by_line_and_column(client: TestClient) -> None:
    answer = client.post(
        "/v1/echo", content=b'{\n "lon": 1,\n "names": [1,,]}', headers={"content-type": "application/json"}
    )
    told = "the body is not JSON from line 3, column 14 on: expecting value"
    assert answer.json()["errors"] == [{"pointer": "/names/1", "detail": told}]
    answer = client.post("/v1/echo", content=b'{"lon": "\xff"}', headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems#invalid-request")
    assert "must be JSON in UTF-8" in answer.json()["detail"]


def _gzipped(client: TestClient, content: bytes, coding: str = "gzip") -> Any:  # noqa: ANN401 - the client's response
    headers = {"content-type": "application/json", "content-encoding": coding}
    return client.post("/v1/echo", content=content, headers=headers)


def test_a_gzip_body_is_read_within_the_limit(client: TestClient) -> None:
    half = gzip.compress(b'{"lon": 2.5, "names": ["'), gzip.compress(b'a"]}')
    assert _gzipped(client, gzip.compress(b'{"lon": 2.5}')).json() == 2.5
    assert _gzipped(client, b"".join(half), "GZIP").json() == 2.5
    assert _gzipped(client, b'{"lon": 2.5}', "identity").json() == 2.5
    small = gzip.compress(b'{"lon": 1, "names": ["' + b"x" * LIMIT + b'"]}')
    assert len(small) < LIMIT
    assert _gzipped(client, small).json()["type"] == "/problems#too-large"
    good = gzip.compress(b'{"lon": 2.5}')
    for broken in (b"no gzip", good[:-9], good + b"rest"):
        answer = _gzipped(client, broken)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems#invalid-request")
        assert "gzip" in answer.json()["detail"]
    other = _gzipped(client, b"x", "br")
    assert (other.status_code, other.json()["type"]) == (415, "/problems#unsupported-encoding")
    assert other.headers["accept-encoding"] == "gzip"


def test_a_body_of_another_type_is_refused(client: TestClient) -> None:
    answer = client.post("/v1/echo", content=b'{"lon": 1}', headers={"content-type": "text/plain"})
    assert answer.status_code == 422
    assert "must be sent as content-type application/json, not text/plain" in answer.json()["detail"]


def test_a_bad_query_names_the_parameter(client: TestClient) -> None:
    assert client.get("/number?n=x").json()["errors"][0]["pointer"] == "n"


def test_unknown_address_and_method_are_problems_too(client: TestClient) -> None:
    assert client.get("/nowhere").json()["type"] == "/problems#not-found"
    answer = client.delete("/number")
    assert answer.json()["type"] == "/problems#method-not-allowed"
    assert answer.headers["allow"] == "GET"


def test_a_large_body_is_refused_whether_declared_or_not(client: TestClient) -> None:
    large = b'{"lon": 1, "names": ["' + b"x" * LIMIT + b'"]}'
    declared = client.post("/v1/echo", content=large)
    streamed = client.post("/v1/echo", content=iter([large[:600], large[600:]]))
    for answer in (declared, streamed):
        assert answer.status_code == 413
        assert answer.json()["type"] == "/problems#too-large"
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_in_pieces_arrives_whole(client: TestClient) -> None:
    pieces = iter([b'{"lo', b'n": 2', b".5}"])
    answer = client.post("/v1/echo", content=pieces, headers={"content-type": "application/json"})
    assert answer.json() == 2.5


def test_security_headers_are_on_every_answer(client: TestClient) -> None:
    for answer in (
        client.get("/number?n=1"),
        client.get("/nowhere"),
        client.post("/v1/echo", content=b"x" * 2_000),
    ):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.post("/v1/echo", json={"lon": 1}).headers["cache-control"] == "no-store"
    assert "cache-control" not in client.get("/number?n=1").headers


def test_the_id_of_a_request_is_echoed_and_logged(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "yilu.requests")
    for path in ("/number?n=1", "/nowhere?lon=116.39", "/fail/RuntimeError", "/fail/InputError"):
        caplog.clear()
        answer = client.get(path, headers={"x-request-id": "order/88-a"})
        assert answer.headers["x-request-id"] == "order/88-a"
        (line,) = (record.getMessage() for record in caplog.records if record.name == "yilu.requests")
        told = json.loads(line)
        assert (told["request_id"], told["method"], told["status"]) == (
            "order/88-a",
            "GET",
            answer.status_code,
        )
        assert "116.39" not in line
    too_large = client.post("/v1/echo", content=b"x" * 2_000, headers={"x-request-id": "a"})
    assert (too_large.status_code, too_large.headers["x-request-id"]) == (413, "a")
    # Without one, or with one that would spoil the log, a new one is made.
    made = [
        client.get("/number?n=1", headers=h).headers["x-request-id"] for h in ({}, {"x-request-id": "a b"})
    ]
    assert len(set(made)) == 2
    assert all(len(one) == 32 for one in made)


def test_work_beyond_the_bound_is_told_to_come_again() -> None:
    """A second body is refused while a first one is in work; one alone is always taken, whatever its size."""
    answers: list[tuple[int, dict[bytes, bytes]]] = []
    gate = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answers.append((message["status"], dict(message["headers"])))

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    app = BoundedWork(slow, max_bytes=100, largest_bytes=500)

    def post(size: bytes | None, method: str = "POST") -> Scope:
        headers = [] if size is None else [(b"content-length", size)]
        return {"type": "http", "method": method, "path": "/v1/matches", "headers": headers}

    async def run() -> None:
        first = asyncio.create_task(app(post(b"400"), receive, send))
        await asyncio.sleep(0)
        await app(post(b"1"), receive, send)
        await app(post(None), receive, send)
        assert [status for status, _ in answers] == [503, 503]
        assert answers[0][1][b"retry-after"] == b"1"
        reading = asyncio.create_task(app(post(None, "GET"), receive, send))
        gate.set()
        await asyncio.gather(first, reading)
        await app(post(b"60"), receive, send)
        assert [status for status, _ in answers] == [503, 503, 200, 200, 200]
        assert app.in_work == 0

    asyncio.run(run())
