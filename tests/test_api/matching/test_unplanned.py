"""Riders without a plan in ``POST /v1/matches``: what is foretold, what they are asked for, and the proof."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tiny_study import place, write_study

from api.http.app import create_app
from api.matching.forms import MatchRequest
from api.matching.proof import answer_problems
from api.matching.translate import asked_of
from api.settings import Settings
from geo.datum import from_wgs84
from geo.streets import StreetNetwork
from routing.proof import Checker

NOW = "2026-03-04T12:00:00+08:00"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def app_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = write_study(tmp_path_factory.mktemp("study") / "out")
    with TestClient(create_app(folder, settings=Settings())) as client:
        yield client


def at(letter: str, datum: str = "wgs84") -> Json:
    lon, lat = from_wgs84([place(letter)], datum)[0]
    return {"lon": round(float(lon), 7), "lat": round(float(lat), 7)}


def unplanned(rider_id: str = "r", letters: str = "ACACACAC", datum: str = "wgs84", **more: object) -> Json:
    """Somebody who always rides to and fro between the letters and left the first one a minute ago."""
    history = [
        {"at": f"2026-03-03T{8 + number:02d}:00:00+08:00", **at(letter, datum)}
        for number, letter in enumerate(letters)
    ]
    history.append({"at": "2026-03-04T11:50:00+08:00", **at("A", datum)})
    recent = [{"at": "2026-03-04T11:59:00+08:00", **at("A", datum)}]
    return {"rider_id": rider_id, **at("A", datum), "recent": recent, "history": history, **more}


def request(*riders: Json, datum: str = "wgs84", task: str = "B", **more: object) -> Json:
    tasks = [{"task_id": "t", "place": {**at(task, datum), "service_s": 30}}]
    return {"datum": datum, "now": NOW, "riders": [], "unplanned": list(riders), "tasks": tasks, **more}


@pytest.mark.parametrize("datum", ["wgs84", "gcj02"])
def test_a_rider_of_habit_is_asked_and_the_answer_holds_before_the_checker(
    app_client: TestClient, datum: str
) -> None:
    sent = request(unplanned(datum=datum), datum=datum, policy={"harm_probability_max": 0.3})
    answer = app_client.post("/v1/matches", json=sent)
    assert answer.status_code == 200
    body = answer.json()
    (match,), (foretold,) = body["expected"], body["predictions"]
    assert (match["task_id"], match["rider_id"], body["refused"]) == ("t", "r", [])
    first = foretold["stops"][0]
    assert (first["lon"], first["lat"]) == pytest.approx(
        (at("C", datum)["lon"], at("C", datum)["lat"]), abs=2e-4
    )
    assert foretold["streets"][0]["probability"] <= 0.65
    assert match["extra_s"] >= 30.0 - 1e-3
    assert match["holds_until"] > NOW
    _proves(app_client, sent, answer.text)
    worse = json.loads(answer.text)
    worse["expected"][0]["harm_probability"] = 0.0
    assert _problems(app_client, sent, json.dumps(worse)) or match["harm_probability"] == 0.0
    worse = json.loads(answer.text)
    worse["expected"][0]["extra_s"] += 5.0
    assert _problems(app_client, sent, json.dumps(worse))


def _network(client: TestClient) -> StreetNetwork:
    network = client.app.state.served.network  # type: ignore[attr-defined]
    assert isinstance(network, StreetNetwork)
    return network


def _problems(client: TestClient, sent: Json, text: str) -> list[str]:
    asked = MatchRequest.model_validate_json(json.dumps(sent))
    return answer_problems(Checker(_network(client), asked_of(asked).policy), asked, text)


def _proves(client: TestClient, sent: Json, text: str) -> None:
    assert _problems(client, sent, text) == []


def test_without_a_history_only_what_is_near_is_asked(app_client: TestClient) -> None:
    nobody = unplanned(history=[])
    near = app_client.post("/v1/matches", json=request(nobody, task="A")).json()
    assert [one["rider_id"] for one in near["expected"]] == ["r"]
    assert near["predictions"][0]["elsewhere"] == 1.0
    far = app_client.post("/v1/matches", json=request(nobody, task="J")).json()
    assert (far["expected"], [one["task_id"] for one in far["refused"]]) == ([], ["t"])


def test_nobody_is_judged_by_riders_of_another_platform(app_client: TestClient) -> None:
    mine = unplanned("mine", history=[], platform="blue")
    other = unplanned("other", platform="yellow")
    body = app_client.post("/v1/matches", json=request(mine, other)).json()
    assert [one["stops"] == [] for one in body["predictions"]] == [True, False]
    pooled = app_client.post("/v1/matches", json=request({**mine, "platform": "yellow"}, other)).json()
    assert pooled["predictions"][0]["stops"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"recent": [{"at": "2026-03-04T12:00:01+08:00", **at("A")}]}, "/unplanned/0/recent/0"),
        ({"recent": [{"at": "2026-03-04T11:40:00+08:00", **at("A")}]}, "/unplanned/0/recent/0"),
        ({"history": [{"at": "2026-03-05T11:40:00+08:00", **at("A")}]}, "/unplanned/0/history/0"),
    ],
)
def test_impossible_times_are_pointed_at(app_client: TestClient, change: Json, pointer: str) -> None:
    refused = app_client.post("/v1/matches", json=request(unplanned(**change)))
    assert refused.status_code == 422
    assert pointer in refused.text


def test_a_rider_off_the_streets_is_named(app_client: TestClient) -> None:
    body = app_client.post("/v1/matches", json=request(unplanned(lon=116.9, lat=39.5))).json()
    assert [one["rider_id"] for one in body["off_network"]] == ["r"]
    assert body["predictions"] == []
