"""Requests in VROOM's JSON about the tiny town."""

from typing import Any

from fastapi.testclient import TestClient
from tiny_study import TOWN, place

VROOM = "/v1/vroom"
Json = dict[str, Any]
NETWORK = TOWN.network()


def pos(letter: str) -> list[float]:
    return [round(one, 7) for one in place(letter)]


def post(client: TestClient, request: Json, **more: Any) -> Json:  # noqa: ANN401 - of the client
    answer = client.post(VROOM, json=request, **more)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    assert body["code"] == 0
    return body


def steps_of(body: Json, route: int = 0) -> list[tuple[str, int | None]]:
    return [(step["type"], step.get("id")) for step in body["routes"][route]["steps"]]
