"""``POST /v1/slots``: every window answers as a match request with that window alone does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tiny_study import place, write_study

from api.http.app import create_app
from api.settings import Settings

NOW = "2026-03-04T12:00:00+08:00"
SLOTS = "/v1/slots"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = write_study(tmp_path_factory.mktemp("study") / "out")
    with TestClient(create_app(folder, settings=Settings())) as client:
        yield client


def _at(letter: str) -> dict[str, float]:
    lon, lat = place(letter)
    return {"lon": lon, "lat": lat}


def _request(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    stop = {"stop_id": "s1", **_at("C"), "service_s": 60, "due": "2026-03-04T12:03:00+08:00"}
    later = {"stop_id": "s2", **_at("J"), "service_s": 60, "earliest": "2026-03-04T12:40:00+08:00"}
    return {
        "datum": "wgs84",
        "now": NOW,
        "riders": [
            {"rider_id": "a", **_at("A"), "stops": [stop, later]},
            {"rider_id": "b", **_at("J"), "shift_end": "2026-03-04T12:30:00+08:00"},
        ],
        "task": {"task_id": "t", "place": {**_at("B"), "service_s": 30}, "kind": "visit"},
        "policy": {"max_extra_s": 900},
        **more,
    }


def _alone(client: TestClient, request: dict[str, Any], slot: dict[str, Any], of: str) -> dict[str, Any]:
    task = request["task"] | {of: request["task"][of] | {key: slot[key] for key in ("earliest", "latest")}}
    asked = {key: request[key] for key in ("datum", "now", "riders", "policy")} | {"tasks": [task]}
    body: dict[str, Any] = client.post("/v1/matches", json=asked).json()
    return body


@pytest.mark.parametrize("of", ["place", "dropoff"])
def test_every_slot_is_what_a_match_with_that_window_is(client: TestClient, of: str) -> None:
    request = _request(day="2026-03-04", every_min=10, of=of)
    if of == "dropoff":
        request["task"] |= {"dropoff": {**_at("G"), "service_s": 20}, "kind": "errand", "load": 1}
    body = client.post(SLOTS, json=request).json()
    # From noon to midnight, six in an hour.
    assert len(body["slots"]) == 72
    assert (body["slots"][0]["earliest"], body["slots"][-1]["latest"]) == (NOW, "2026-03-05T00:00:00+08:00")
    offers = [slot["offer"] for slot in body["slots"]]
    assert any(offers)
    assert not all(offers)
    for slot in body["slots"][:10]:
        alone = _alone(client, request, slot, of)
        if slot["offer"] is None:
            assert alone["refused"] == [slot["refused"]]
            continue
        (match,) = alone["matches"]
        assert slot["refused"] is None
        assert slot["offer"] == {key: match[key] for key in slot["offer"]}
    extras = [offer["extra_s"] if offer else float("inf") for offer in offers]
    assert body["cheapest"] == extras.index(min(extras))


def test_given_windows_come_back_in_their_order_and_language(client: TestClient) -> None:
    windows = [
        {"earliest": "2026-03-04T14:00:00+08:00", "latest": "2026-03-04T14:10:00+08:00"},
        {"earliest": "2026-03-04T04:00:00Z", "latest": "2026-03-04T04:05:00Z"},
    ]
    request = _request(windows=windows)
    request["riders"][0]["shift_end"] = "2026-03-04T13:00:00+08:00"
    answer = client.post(SLOTS, json=request, headers={"accept-language": "zh"})
    late, early = answer.json()["slots"]
    assert (late["offer"], early["offer"] is not None, answer.json()["cheapest"]) == (None, True, 1)
    assert early["earliest"] == NOW
    assert answer.headers["content-language"] == "zh"
    assert late["refused"]["reason"].startswith("所需时间比单个任务的上限多")


def test_nobody_on_the_streets_and_nobody_at_all(client: TestClient) -> None:
    request = _request(day="2026-03-04", every_min=240)
    request["riders"] = [{"rider_id": "lost", "lon": 116.5, "lat": 39.9}]
    body = client.post(SLOTS, json=request).json()
    assert body["off_network"] == [{"rider_id": "lost", "nearest_street_m": None}]
    assert {slot["refused"]["rule"] for slot in body["slots"]} == {"position"}
    assert body["cheapest"] is None
    body = client.post(SLOTS, json={**request, "riders": []}).json()
    assert {slot["refused"]["rule"] for slot in body["slots"]} == {"people"}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({}, "/windows"),
        ({"day": "2026-03-04", "windows": [{"earliest": NOW, "latest": NOW}]}, "/windows"),
        ({"windows": [{"earliest": "2026-03-04T12:30:00+08:00", "latest": NOW}]}, "/windows/0"),
        ({"windows": []}, "/windows"),
        ({"day": "2026-03-03"}, "/day"),
        ({"day": "2026-03-04", "of": "dropoff"}, "/of"),
        ({"day": "2026-03-04", "every_min": 1}, "/every_min"),
        (
            {"day": "2026-03-04", "task": {"task_id": "t", "place": {**_at("B"), "latest": NOW}}},
            "/task/place",
        ),
    ],
)
def test_what_is_not_allowed_is_named(client: TestClient, change: dict[str, Any], pointer: str) -> None:
    answer = client.post(SLOTS, json=_request() | change)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    several = _request(day="2026-03-04")
    several["task"]["people"] = 2
    assert client.post(SLOTS, json=several).json()["type"] == "/problems#bad-input"
