"""``POST /v1/matches`` and ``yilu match``: one door, stateless, with price, proof and reasons."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from tiny_study import place

from api.cli.commands import yilu
from api.http.app import create_app
from api.settings import Settings
from geo.datum import from_wgs84, to_wgs84

NOW = "2026-03-04T12:00:00+08:00"
DUE = "2026-03-04T12:10:00+08:00"
MATCHES = "/v1/matches"
ALERTS = "/v1/alerts"


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(folder, settings=Settings())) as client:
        yield client


def _at(letter: str, datum: str = "wgs84") -> dict[str, float]:
    lon, lat = from_wgs84([place(letter)], datum)[0]
    return {"lon": round(float(lon), 7), "lat": round(float(lat), 7)}


def _request(datum: str = "wgs84", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """One rider at A on their way to C by B, another one far away at J, and a task near B."""
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


def test_a_task_off_the_network_is_refused_alone_as_among_others(client: TestClient) -> None:
    far = {"lon": 116.5, "lat": 39.9, "service_s": 30}
    request = _request()
    request["tasks"] = [{"task_id": "lost", "place": far}]
    answer = client.post(MATCHES, json=request)
    assert answer.status_code == 200
    (alone,) = answer.json()["refused"]
    assert (alone["rule"], alone["by_m"]) == ("place", None)
    assert alone["reason"] == "the task is more than 2 km from every street; the policy allows 100 m"
    request["tasks"] += _request()["tasks"]
    body = client.post(MATCHES, json=request).json()
    assert [match["task_id"] for match in body["matches"]] == ["t1"]
    assert body["refused"] == [alone]


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
    answer = client.post(MATCHES, json=twice)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems#bad-input"
    assert "same rider_id" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("where", "name"),
    [
        ("/tasks/0/place", "the window of task t1"),
        ("/tasks/0/dropoff", "the drop-off window of task t1"),
        ("/riders/0/stops/0", "the window of stop s1 of rider near"),
        ("/riders/0", "the shift of rider near"),
    ],
)
def test_a_window_that_ends_before_it_begins_is_told_in_local_time(
    client: TestClient, where: str, name: str
) -> None:
    request = _request()
    request["tasks"][0]["dropoff"] = _at("C")
    utc = {"first": "2026-03-04T04:10:00Z", "last": NOW}
    part: Any = request
    for step in where.strip("/").split("/"):
        part = part[int(step) if step.isdigit() else step]
    keys = {"stops": ("earliest", "due"), "riders": ("shift_start", "shift_end")}
    first, last = keys["stops" if "stops" in where else where.split("/")[1]] if "rider" in where else (
        "earliest", "latest",
    )  # fmt: skip
    part |= {first: utc["first"], last: utc["last"]}
    answer = client.post(MATCHES, json=request)
    assert answer.status_code == 422
    told = f"{name} ends at {NOW}, before it begins at {DUE}"
    assert answer.json()["detail"] == told
    assert answer.json()["errors"] == [{"pointer": where, "detail": told}]


def test_the_command_answers_like_the_service(client: TestClient, folder: Path) -> None:
    text = json.dumps(_request())
    result = CliRunner().invoke(yilu, ["match", "--study", str(folder)], input=text)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == client.post(MATCHES, json=_request()).json()


def test_the_command_refuses_in_one_sentence(folder: Path) -> None:
    request = _request()
    request["tasks"][0]["place"] |= {"earliest": DUE, "latest": NOW}
    result = CliRunner().invoke(yilu, ["match", "--study", str(folder)], input=json.dumps(request))
    assert result.exit_code == 2
    assert result.stderr.startswith("yilu: the window of task t1 ends at 2026-03-04T12:00:00+08:00")
    assert "Traceback" not in result.output


def test_the_window_of_an_alert_is_told_where_the_caller_sent_it(client: TestClient) -> None:
    request = _emergency([])
    request["task"]["place"] |= {"earliest": DUE, "latest": NOW}
    answer = client.post(ALERTS, json=request)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/task/place")


def test_reasons_come_in_the_language_of_the_caller(client: TestClient, folder: Path) -> None:
    request = _request(policy={"max_extra_s": 5})
    request["tasks"][0]["skills"] = ["aid"]
    said: dict[str, Any] = {}
    for accepted, lang in {
        "zh-CN,zh;q=0.9,en;q=0.8": "zh", "en-GB": "en", "fr, *;q=0.1": "en", "": "en",
        "en;q=0.2, zh;q=0.3": "zh", "zh;q=0, en;q=x": "en", "*, en;q=0": "zh",
    }.items():  # fmt: skip
        answer = client.post(MATCHES, json=request, headers={"accept-language": accepted})
        assert answer.headers["content-language"] == lang, accepted
        assert answer.headers["vary"] == "accept-language"
        said.setdefault(lang, answer.json())
        assert answer.json() == said[lang]
    english, chinese = said["en"]["refused"][0], said["zh"]["refused"][0]
    assert english["reason"] == "rider near lacks the skill aid"
    assert chinese["reason"] == "骑手near没有技能aid"
    assert [one["rule"] for one in english["also"]] == ["max_extra"]
    assert english["change"]["text"] == (
        "no single change is enough: rider near lacks the skill aid; it takes 26 s more than one task may"
    )
    assert chinese["change"]["text"] == (
        "任何单项更改都不够：骑手near没有技能aid；所需时间比单个任务的上限多26秒"
    )
    spoken = {"reason": "", "change": {**english["change"], "text": ""}, "also": []}
    assert english | spoken == chinese | spoken
    command = ["match", "--study", str(folder), "--lang", "zh"]
    result = CliRunner().invoke(yilu, command, input=json.dumps(request))
    assert json.loads(result.stdout) == said["zh"]


def test_all_riders_off_the_streets_are_not_told_as_none(client: TestClient) -> None:
    request = _request()
    lon, lat = place("F")
    for at, rider in enumerate(request["riders"]):
        rider |= {"lon": lon, "lat": lat - 0.0045 * (2 + at), "stops": []}
    (refused,) = client.post(MATCHES, json=request).json()["refused"]
    assert (refused["rule"], refused["subject"], refused["rider_id"]) == ("position", "near", "near")
    assert "all riders who may be asked (2)" in refused["reason"]
    assert "nearest is rider near, 1,0" in refused["reason"]
    assert "is the datum right?" in refused["reason"]
    for rider in request["riders"]:
        rider |= {"lon": 116.5, "lat": 39.9}
    body = client.post(MATCHES, json={**request, "questions": [{"task_id": "t1", "rider_id": "far"}]})
    assert " inf " not in body.text
    assert "more than 2 km" in body.json()["refused"][0]["reason"]
    assert "more than 2 km" in body.json()["answers"][0]["refused"]["reason"]
    request["tasks"][0]["platforms"] = ["x"]
    assert client.post(MATCHES, json=request).json()["refused"][0]["rule"] == "platform"
    none = client.post(MATCHES, json={**_request(), "riders": []}).json()["refused"][0]
    assert (none["rule"], none["reason"]) == ("people", "there is no rider")


def test_the_change_told_opens_the_match(client: TestClient) -> None:
    request = _request(policy={"max_extra_s": 5})
    change = client.post(MATCHES, json=request).json()["refused"][0]["change"]
    request["policy"]["max_extra_s"] += change["by_s"]
    assert client.post(MATCHES, json=request).json()["matches"][0]["rider_id"] == change["rider_id"]


def test_two_places_that_fail_only_together_are_explained(client: TestClient) -> None:
    """Each place alone is cheap, one after the other it takes more than one task may."""
    request = _request(policy={"max_extra_s": 5})
    request["riders"] = [{"rider_id": "r", **_at("B")}]
    request["tasks"] = [{"task_id": "p", "place": _at("B"), "dropoff": _at("G"), "kind": "errand", "load": 1}]
    (refused,) = client.post(MATCHES, json=request).json()["refused"]
    assert (refused["rule"], refused["change"]["what"], refused["rider_id"]) == (
        "max_extra",
        "max_extra",
        "r",
    )
    request["policy"]["max_extra_s"] += refused["change"]["by_s"]
    (match,) = client.post(MATCHES, json=request).json()["matches"]
    assert (match["place"], match["dropoff_place"]) == (0, 0)


@pytest.mark.parametrize(
    ("rider", "task", "rule", "change"),
    [
        ({"capacity": 2, "load": 1}, {"load": 3}, "capacity", {"what": "capacity", "by": 2}),
        ({}, {"skills": ["aid"]}, "skill", {"what": "skill", "subject": "aid"}),
        ({}, {"modes": ["foot"]}, "mode", {"what": "mode", "subject": "ebike"}),
        ({"status": "on_break"}, {}, "status", {"what": "status", "subject": "on_break"}),
        ({"shift_end": "2026-03-04T12:00:20+08:00"}, {}, "shift", {"what": "shift"}),
        ({"worked_since_break_s": 14_400}, {}, "break", {"what": "break"}),
        ({"worked_today_s": 43_200}, {}, "day", {"what": "day"}),
        ({"extra_last_hour_s": 900}, {}, "hour_budget", {"what": "hour_budget"}),
    ],
)
def test_each_rule_holds_through_the_service(
    client: TestClient, rider: dict[str, Any], task: dict[str, Any], rule: str, change: dict[str, Any]
) -> None:
    request = _request()
    request["riders"] = [{"rider_id": "r", **_at("A"), **rider}]
    request["tasks"][0] |= task
    if "load" in task:
        request["tasks"][0]["dropoff"] = _at("C")
    (refused,) = client.post(MATCHES, json=request).json()["refused"]
    assert (refused["rule"], refused["rider_id"]) == (rule, "r")
    assert refused["change"] | change == refused["change"]
    if change.get("subject") is None and "by" not in change:
        assert refused["change"]["by_s"] > 0
    request["riders"][0] = {"rider_id": "r", **_at("A"), "status": "public_benefit", "skills": ["aid"]}
    request["tasks"][0] |= {"modes": ["ebike"]}
    assert client.post(MATCHES, json=request).json()["matches"]


def test_pay_points_and_fairness(client: TestClient) -> None:
    rates = {"yuan_per_minute": 0.6, "yuan_per_km": 2, "points_per_minute": 3, "points_per_km": 5}
    request = _request(policy=rates)
    request["riders"] = [
        {"rider_id": "gave", **_at("A"), "contribution": 50},
        {"rider_id": "rested", **_at("A"), "contribution": 10},
    ]
    (match,) = client.post(MATCHES, json=request).json()["matches"]
    assert match["rider_id"] == "gave"
    minutes, km = match["extra_s"] / 60, match["extra_m"] / 1000
    assert km > 0
    assert match["yuan"] == pytest.approx(0.6 * minutes + 2 * km, abs=0.006)
    assert match["points"] == pytest.approx(3 * minutes + 5 * km, abs=0.006)
    request["policy"] |= {"fairness_s_per_point": 1.0}
    (fair,) = client.post(MATCHES, json=request).json()["matches"]
    assert fair["rider_id"] == "rested"
    assert fair["extra_s"] == match["extra_s"]
    assert fair["runner_up"]["difference_s"] == 40.0


def test_no_answer_about_a_task_tells_of_another_platform(client: TestClient) -> None:
    request = _request()
    request["riders"] = [
        {"rider_id": "own", **_at("J"), "platform": "x"},
        {"rider_id": "secret", **_at("B"), "platform": "y"},
    ]
    request["tasks"][0]["platforms"] = ["x"]
    answer = client.post(MATCHES, json=request)
    assert answer.json()["matches"][0]["rider_id"] == "own"
    assert "secret" not in answer.text
    for change in ({"policy": {"max_extra_s": 1}}, {"riders": request["riders"][1:]}):
        answer = client.post(MATCHES, json=request | change)
        assert answer.json()["refused"]
        assert "secret" not in answer.text
    # The runner-up of a task that is open to all is of the same platform too.
    open_to_all = request | {"tasks": _request()["tasks"]}
    answer = client.post(MATCHES, json=open_to_all)
    assert answer.json()["matches"][0]["rider_id"] == "secret"
    assert answer.json()["matches"][0]["runner_up"] is None
    asked = [{"task_id": "t1", "rider_id": "secret"}]
    unknown = client.post(MATCHES, json=request | {"questions": [{"task_id": "t1", "rider_id": "nobody"}]})
    hidden = client.post(MATCHES, json=request | {"questions": asked})
    assert (hidden.status_code, hidden.json()["type"]) == (422, "/problems#bad-input")
    assert hidden.json() | {"detail": ""} == unknown.json() | {"detail": ""}
    alerts = client.post(ALERTS, json=_emergency(request["riders"], platforms=["x"]))
    assert [alert["rider_id"] for alert in alerts.json()["alerts"]] == ["own"]
    assert "secret" not in alerts.text


def test_any_rider_may_be_asked_about(client: TestClient) -> None:
    request = _request(questions=[{"task_id": "t1", "rider_id": name} for name in ("near", "far", "lost")])
    request["riders"][1] |= {"status": "off"}
    request["riders"].append({"rider_id": "lost", "lon": 116.5, "lat": 39.9})
    near, far, lost = client.post(MATCHES, json=request).json()["answers"]
    assert near == {"task_id": "t1", "rider_id": "near", "allowed": True, "refused": None}
    assert (far["allowed"], far["refused"]["rule"], far["refused"]["change"]["what"]) == (
        False, "status", "status",
    )  # fmt: skip
    assert lost["refused"]["rule"] == "position"


def _emergency(riders: list[dict[str, Any]], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    task = {"task_id": "e", "place": {**_at("C"), "service_s": 600}, "kind": "first_response", **more}
    return {"datum": "wgs84", "now": NOW, "riders": riders, "task": task}


def test_an_emergency_alerts_the_soonest_capable_riders_in_phases(client: TestClient) -> None:
    places = {"a": "B", "b": "D", "c": "A", "d": "J", "e": "F", "untrained": "C"}
    riders = [
        {"rider_id": name, **_at(letter), "skills": [] if name == "untrained" else ["aid"]}
        for name, letter in places.items()
    ]
    riders[0]["stops"] = [{"stop_id": "s", **_at("A"), "due": DUE}]
    body = client.post(ALERTS, json=_emergency(riders, skills=["aid"])).json()
    assert [alert["phase"] for alert in body["alerts"]] == [0, 0, 0, 1, 1]
    assert [alert["travel_s"] for alert in body["alerts"]] == sorted(a["travel_s"] for a in body["alerts"])
    assert "untrained" not in {alert["rider_id"] for alert in body["alerts"]}
    assert {alert["acceptance"] for alert in body["alerts"]} == {0.32}
    assert body["probability"] == pytest.approx(1 - 0.68**5, abs=1e-4)
    assert body["drill"] is False
    (late,) = next(alert for alert in body["alerts"] if alert["rider_id"] == "a")["late_stops"]
    assert late["stop_id"] == "s"
    changed = _emergency(riders, skills=["aid"]) | {
        "policy": {"phase_riders": [1, 1], "acceptance": 0.5, "within_s": 60},
        "acceptance": {"a": 1.0},
        "drill": True,
    }
    body = client.post(ALERTS, json=changed).json()
    assert (len(body["alerts"]), body["drill"], body["within_s"]) == (2, True, 60)
    sure = next(alert for alert in body["alerts"] if alert["rider_id"] == "a")
    assert body["probability"] == (1.0 if sure["phase"] == 0 and sure["arrives_s"] <= 60 else 0.0)
    nobody = client.post(ALERTS, json=_emergency([])).json()
    assert (nobody["probability"], nobody["soonest_s"], nobody["alerts"]) == (0.0, None, [])
    strange = client.post(ALERTS, json=changed | {"acceptance": {"z": 1.0}})
    assert (strange.status_code, strange.json()["type"]) == (422, "/problems#bad-input")
    lost = _emergency(riders)
    lost["task"]["place"] = {"lon": 121.4, "lat": 31.2}
    beyond = client.post(ALERTS, json=lost).json()
    assert (beyond["alerts"], [one["code"] for one in beyond["warnings"]]) == ([], ["far"])
    assert beyond["street_m"] > 900_000


def _two_tasks() -> dict[str, Any]:
    """Anybody may do the first task; only "near" may do the second, and its hour has room for one."""
    request = _request()
    request["riders"] = [
        {"rider_id": "near", **_at("A"), "skills": ["aid"]},
        {"rider_id": "other", **_at("F")},
    ]
    place = {**_at("B"), "service_s": 60}
    request["tasks"] = [
        {"task_id": "t1", "place": {**place, "latest": DUE}},
        {"task_id": "t2", "place": place, "skills": ["aid"]},
    ]
    request["policy"] = {"max_extra_per_hour_s": 150}
    return request


def test_the_order_decides_one_by_one_and_not_together(client: TestClient) -> None:
    request = _two_tasks()
    in_order = client.post(MATCHES, json={**request, "assignment": "in_order"}).json()
    assert [one["task_id"] for one in in_order["matches"]] == ["t1"]
    assert in_order["matches"][0]["rider_id"] == "near"
    assert client.post(MATCHES, json={**request, "assignment": "in_order"}).json() == in_order
    together = client.post(MATCHES, json=request).json()
    assert {one["task_id"]: one["rider_id"] for one in together["matches"]} == {"t1": "other", "t2": "near"}
    assert together["refused"] == []


def test_parallel_requests_on_one_network_answer_as_one_by_one(folder: Path) -> None:
    """Many threads search the same network at once: each has memory of its own."""
    letters = "ABCDEFGHIJ"
    requests = []
    for n, letter in enumerate(letters * 4):
        request = _request()
        request["tasks"][0]["place"] |= _at(letter)
        request["riders"][1] |= _at(letters[(n * 7) % len(letters)])
        requests.append(request)
    with TestClient(create_app(folder, settings=Settings())) as client:
        alone = [client.post(MATCHES, json=request).json() for request in requests]
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda request: client.post(MATCHES, json=request).json(), requests))
    assert found == alone
    assert sum(len(one["matches"]) for one in alone) > len(requests) / 2
