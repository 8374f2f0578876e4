"""``POST /v1/matches`` and ``yilu match``: one door, stateless, with price, proof and reasons."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from tiny_study import place, write_study

from api.app import create_app
from api.cli import yilu
from api.settings import Settings
from geo.datum import from_wgs84, to_wgs84

NOW = "2026-03-04T12:00:00+08:00"
DUE = "2026-03-04T12:10:00+08:00"
MATCHES = "/v1/matches"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study") / "out")


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(folder, settings=Settings())) as client:
        yield client


def _at(letter: str, datum: str = "wgs84") -> dict[str, float]:
    lon, lat = from_wgs84([place(letter)], datum)[0]
    return {"lon": round(float(lon), 7), "lat": round(float(lat), 7)}


def _request(datum: str = "wgs84", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """One rider at A on his way to C by B, another one far away at J, and a task near B."""
    return {
        "datum": datum,
        "now": NOW,
        "riders": [
            {
                "rider_id": "near",
                **_at("A", datum),
                "stops": [{"stop_id": "s1", **_at("C", datum), "service_s": 60, "due": DUE}],
            },
            {"rider_id": "far", **_at("J", datum)},
        ],
        "tasks": [{"task_id": "t1", "place": {**_at("B", datum), "service_s": 30}, "kind": "hazard"}],
        **more,
    }


def test_the_rider_on_the_way_is_chosen_and_nothing_is_late(client: TestClient) -> None:
    body = client.post(MATCHES, json=_request()).json()
    (match,) = body["matches"]
    assert (match["task_id"], match["rider_id"], match["place"]) == ("t1", "near", 0)
    # On the way: only the service itself is lost.
    assert match["extra_s"] == pytest.approx(30.0, abs=0.1)
    assert match["extra_m"] == pytest.approx(0.0, abs=0.1)
    (stop,) = match["stops"]
    assert stop["slack_before_s"] - stop["slack_after_s"] == pytest.approx(30.0, abs=0.1)
    assert stop["slack_after_s"] > 0
    assert match["start"].endswith("+08:00")
    assert match["runner_up"]["rider_id"] == "far"
    ends = match["way"]["geometry"]["coordinates"]
    assert ends[0] == pytest.approx(place("A"), abs=1e-6)
    assert ends[-1] == pytest.approx(place("C"), abs=1e-6)
    assert body["refused"] == []


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_the_answer_comes_in_the_datum_asked_for(client: TestClient, datum: str) -> None:
    plain = client.post(MATCHES, json=_request()).json()["matches"][0]
    body = client.post(MATCHES, json=_request(datum)).json()
    assert body["datum"] == datum
    way = to_wgs84(body["matches"][0]["way"]["geometry"]["coordinates"], datum)
    assert way[0].tolist() == pytest.approx(plain["way"]["geometry"]["coordinates"][0], abs=1e-6)
    mixed = client.post(MATCHES, json=_request(datum, answer_datum="wgs84")).json()
    assert mixed["datum"] == "wgs84"
    way = mixed["matches"][0]["way"]["geometry"]["coordinates"]
    assert way[0] == pytest.approx(plain["way"]["geometry"]["coordinates"][0], abs=1e-6)


def test_a_refusal_names_the_rule_and_the_smallest_change(client: TestClient) -> None:
    request = _request(policy={"max_extra_s": 5})
    body = client.post(MATCHES, json=request).json()
    assert body["matches"] == []
    (refused,) = body["refused"]
    assert refused["rule"] == "max_extra"
    assert refused["by_s"] == pytest.approx(25.0, abs=0.1)
    assert refused["reason"]
    assert refused["change"]["what"] == "max_extra"
    assert refused["rider_id"] == "near"


def test_no_stop_is_made_late(client: TestClient) -> None:
    request = _request()
    request["riders"] = request["riders"][:1]
    request["riders"][0]["stops"][0]["due"] = "2026-03-04T12:01:50+08:00"
    (match,) = client.post(MATCHES, json=request).json()["matches"]
    # Before the stop there is no room for 30 s: the task goes behind it.
    assert match["place"] == 1
    assert match["stops"][0]["start_before"] == match["stops"][0]["start_after"]
    request["tasks"][0]["place"]["latest"] = "2026-03-04T12:01:20+08:00"
    body = client.post(MATCHES, json=request).json()
    assert body["matches"] == []
    assert (body["refused"][0]["rule"], body["refused"][0]["subject"]) == ("late", "s1")


def test_nothing_is_kept_between_two_requests(client: TestClient) -> None:
    client.post(MATCHES, json=_request())
    request = _request()
    request["riders"] = []
    body = client.post(MATCHES, json=request).json()
    assert body["matches"] == []
    assert "near" not in json.dumps(body)


def test_a_request_whose_tasks_lie_off_the_network_is_refused(client: TestClient) -> None:
    far = {"lon": 116.5, "lat": 39.9, "service_s": 30}
    request = _request()
    request["tasks"] = [{"task_id": "lost", "place": far}]
    answer = client.post(MATCHES, json=request)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems#off-network"
    assert "task lost lies on no street within 100 m" in answer.json()["detail"]
    # Beside a good task it is refused alone.
    request["tasks"] += _request()["tasks"]
    body = client.post(MATCHES, json=request).json()
    assert [match["task_id"] for match in body["matches"]] == ["t1"]
    assert [(refused["task_id"], refused["rule"]) for refused in body["refused"]] == [("lost", "place")]


def test_a_rider_off_the_network_is_named(client: TestClient) -> None:
    request = _request()
    request["riders"].append({"rider_id": "lost", "lon": 116.5, "lat": 39.9})
    body = client.post(MATCHES, json=request).json()
    assert [rider["rider_id"] for rider in body["off_network"]] == ["lost"]
    assert len(body["matches"]) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"datum": "mars"}, "/datum"),
        ({"now": "2026-03-04T12:00:00"}, "/now"),
        ({"now": "9999-12-31T23:59:59Z"}, "/now"),
        ({"tasks": []}, "/tasks"),
        ({"extra": 1}, "/extra"),
        ({"riders": [{"rider_id": "a", "lon": 200, "lat": 0}]}, "/riders/0/lon"),
        ({"riders": [{"rider_id": "a\n", "lon": 0, "lat": 0}]}, "/riders/0/rider_id"),
        ({"riders": [{"rider_id": "a", "lon": 0, "lat": 0, "mode": "tank"}]}, "/riders/0/mode"),
        ({"policy": {"max_extra_s": -1}}, "/policy/max_extra_s"),
    ],
)
def test_what_is_not_allowed_is_named(client: TestClient, change: dict[str, Any], words: str) -> None:
    answer = client.post(MATCHES, json=_request() | change)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == words


def test_contradictions_are_named(client: TestClient) -> None:
    twice = _request()
    twice["riders"][1]["rider_id"] = "near"
    window = _request()
    window["tasks"][0]["place"] |= {"earliest": DUE, "latest": NOW}
    for request, words in ((twice, "same rider_id"), (window, "ends at")):
        answer = client.post(MATCHES, json=request)
        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems#bad-input"
        assert words in answer.json()["detail"]


def test_the_command_answers_like_the_service(client: TestClient, folder: Path) -> None:
    text = json.dumps(_request())
    result = CliRunner().invoke(yilu, ["match", "--study", str(folder)], input=text)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == client.post(MATCHES, json=_request()).json()


def test_the_command_refuses_in_one_sentence(folder: Path) -> None:
    request = _request()
    request["tasks"][0]["place"] = {"lon": 116.5, "lat": 39.9}
    result = CliRunner().invoke(yilu, ["match", "--study", str(folder)], input=json.dumps(request))
    assert result.exit_code == 2
    assert result.stderr.startswith("yilu: task t1 lies on no street within 100 m")
    assert "Traceback" not in result.output
