"""Bodies are read beside the event loop; what is wrong with them is told by pointer."""

import json
import threading
from typing import Any

import pydantic_core
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import ValidationError

from api.http.access.auth import Access
from api.http.offload import bodies
from api.http.offload.bodies import LargeBodyRoute
from api.http.problems import errors
from api.http.problems.fields import field_text
from api.matching.forms import MatchRequest
from api.settings import Settings

NOW = "2026-03-04T12:00:00+08:00"
TASK = {"task_id": "t", "place": {"lon": 1.0, "lat": 2.0}}
RIDER = {"rider_id": "r", "lon": 1.0, "lat": 2.0}


def body(riders: list[Any], **more: object) -> dict[str, Any]:
    return {"datum": "wgs84", "now": NOW, "riders": riders, "tasks": [TASK], **more}


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.state.access, app.state.desk = Access(Settings(), None, dev=True), None
    errors.install(app)
    app.router.route_class = LargeBodyRoute

    @app.post("/count")
    def count(body: MatchRequest) -> int:
        return len(body.riders)

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize("coding", ["utf-8", "utf-16", "utf-8-sig"])
def test_any_unicode_is_read(client: TestClient, coding: str) -> None:
    sent = json.dumps(body([RIDER])).encode(coding)
    answer = client.post("/count", content=sent, headers={"content-type": "application/json"})
    assert answer.json() == 1


def test_it_is_read_in_another_thread_than_the_loop(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    read = pydantic_core.from_json

    def noted(text: bytes) -> object:
        threads.append(threading.get_ident())
        return read(text)

    monkeypatch.setattr(bodies, "from_json", noted)
    with client:
        assert client.portal is not None
        loop = client.portal.call(threading.get_ident)
        assert client.post("/count", json=body([RIDER])).json() == 1
    assert threads
    assert loop not in threads


@pytest.mark.parametrize(
    "sent",
    [
        body([{}]),
        body([RIDER, {**RIDER, "rider_id": ""}, {**RIDER, "lon": 500, "stops": [{"stop_id": "s"}]}]),
        body([RIDER], colour="red"),
        [],
        1,
        None,
    ],
)
def test_what_is_wrong_is_told_by_pointer(client: TestClient, sent: object) -> None:
    told = client.post("/count", content=json.dumps(sent), headers={"content-type": "application/json"})
    with pytest.raises(ValidationError) as refused:
        MatchRequest.model_validate(sent)
    expected = [
        ("".join(f"/{part}" for part in one["loc"]) or "/", field_text(one, MatchRequest, one["loc"], "en"))
        for one in refused.value.errors()
    ]
    assert told.status_code == 422
    assert [(one["pointer"], one["detail"]) for one in told.json()["errors"]] == expected


def test_too_many_riders_are_told_without_a_word_about_each(client: TestClient) -> None:
    told = client.post("/count", json=body([None] * 20_001)).json()
    assert [one["pointer"] for one in told["errors"]] == ["/riders"]
    assert "20000" in told["errors"][0]["detail"]


def test_no_list_of_nonsense_takes_the_memory_of_the_machine(client: TestClient) -> None:
    nonsense = [1] * 300_000
    told = client.post("/count", json=body([{**RIDER, "stops": nonsense}])).json()
    assert told["detail"].startswith("/riders/0/stops/0")
    told = client.post("/count", json=body(nonsense)).json()
    assert [one["pointer"] for one in told["errors"]] == ["/riders"]


@pytest.mark.parametrize("spoiled", [b"{", b'{"datum": }', b'{"now": "x",}', b"x", b'{"a": 1} 2'])
def test_what_is_no_json_is_told_by_line(client: TestClient, spoiled: bytes) -> None:
    told = client.post("/count", content=spoiled, headers={"content-type": "application/json"})
    assert told.status_code == 422
    assert "line 1" in told.json()["errors"][0]["detail"]
