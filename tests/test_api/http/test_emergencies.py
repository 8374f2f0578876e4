"""Emergencies over HTTP: phases by the clock, answers, arrivals, and nobody learns what is not theirs."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from live_service import Service
from tiny_study import place

from api.dispatch.emergencies import alert_events_of, alert_state_of
from api.http.app import create_app
from api.store import SERVICE
from api.store.dispatch import emergencies as rows
from api.store.dispatch import events as stored
from routing.dispatch import fold_alert

PHASES = {"phase_riders": [1, 2], "phase_wait_s": 45}


def call(service: Service, who: str = "office", name: str = "e1", expect: int = 201, **more: Any) -> Any:  # noqa: ANN401
    lon, lat = place("B")
    body = {"name": name, "lon": lon, "lat": lat, "policy": PHASES, **more}
    return service.ask(who, "POST", "/v1/emergencies?datum=wgs84", expect, json=body)


def kinds(service: Service, who: str) -> list[str]:
    return [one["kind"] for one in service.ask(who, "GET", "/v1/events")["events"]]


def later(service: Service, seconds: float) -> None:
    """Let time pass; the desk looks when it is asked for something."""
    service.clock.now += datetime.timedelta(seconds=seconds)
    service.ask("red", "PUT", "/v1/riders", json={"datum": "wgs84", "riders": [
        {"rider_id": "off", "at": service.clock.now.isoformat(), "lon": 0.0, "lat": 0.0, "status": "off"}
    ]})  # fmt: skip


def test_phases_open_until_somebody_comes(service: Service) -> None:
    service.riders("red", "A", "E")
    service.riders("blue", "J")
    made = call(service)
    assert (made["status"], made["summary"]["alerted"]) == ("open", 1)
    assert [(one["alerted"], one["opened"]) for one in made["phases"]] == [(1, True), (2, False)]
    assert made["summary"]["probability"] > 0
    (first,) = service.ask("red", "GET", "/v1/alerts")["alerts"]
    assert (first["rider_id"], first["status"]) == ("r0", "alerted")
    assert service.ask("blue", "GET", "/v1/alerts")["alerts"] == []
    assert kinds(service, "blue") == []
    later(service, 46)
    assert len(service.ask("red", "GET", "/v1/alerts")["alerts"]) == 2
    (other,) = service.ask("blue", "GET", "/v1/alerts")["alerts"]
    assert service.ask("blue", "GET", f"/v1/alerts/{other['alert_id']}") == other
    service.ask("red", "GET", f"/v1/alerts/{other['alert_id']}", 404)
    taken = service.ask("blue", "POST", f"/v1/alerts/{other['alert_id']}/accept", json={})
    assert taken["status"] == "accepted"
    again = service.ask("blue", "POST", f"/v1/alerts/{other['alert_id']}/accept", json={})
    assert again == taken
    released = service.ask("red", "GET", f"/v1/alerts/{first['alert_id']}")
    assert released["status"] == "released"
    service.ask("red", "POST", f"/v1/alerts/{first['alert_id']}/accept", 409, json={})
    service.clock.now += datetime.timedelta(seconds=100)
    service.ask("blue", "POST", f"/v1/alerts/{other['alert_id']}/arrive", json={})
    seen = service.ask("office", "GET", f"/v1/emergencies/{made['id']}")
    summary = seen["summary"]
    assert (summary["alerted"], summary["accepted"], summary["arrived"]) == (3, 1, 1)
    assert (summary["first_accepted_s"], summary["first_arrived_s"], summary["in_time"]) == (
        46.0,
        146.0,
        True,
    )
    (coming,) = seen["coming"]
    assert coming["status"] == "arrived"
    done = service.ask("office", "POST", f"/v1/emergencies/{made['id']}/close", json={"reason": "over"})
    assert (done["status"], done["reason"]) == ("closed", "over")
    assert service.ask("blue", "GET", "/v1/alerts")["alerts"] == []
    assert service.ask("blue", "GET", f"/v1/alerts/{other['alert_id']}")["closed"] == "over"
    assert kinds(service, "blue") == ["alert_sent", "alert_answered", "alert_arrived", "alert_over"]
    assert kinds(service, "office") == [
        "alert_raised", "alert_phase_opened", "alert_sent", "alert_phase_opened", "alert_sent", "alert_sent",
        "alert_answered", "alert_released", "alert_released", "alert_arrived", "alert_closed", "alert_over",
    ]  # fmt: skip


def test_the_publisher_learns_nobody_and_platforms_nothing_of_each_other(service: Service) -> None:
    service.riders("red", "A")
    service.riders("blue", "J")
    made = call(service, policy=PHASES | {"phase_riders": [2]})
    (mine,) = service.ask("red", "GET", "/v1/alerts")["alerts"]
    service.ask("red", "POST", f"/v1/alerts/{mine['alert_id']}/accept", json={})
    told = json.dumps(
        [service.ask("office", "GET", path) for path in ("/v1/events", "/v1/emergencies")] + [made]
    )
    for word in ('"red"', '"blue"', '"r0"', "responders", "late_stops", "alert_id"):
        assert word not in told
    for who in ("red", "blue"):
        text = json.dumps(service.ask(who, "GET", "/v1/events"))
        assert "responders" not in text
        assert f'"{"blue" if who == "red" else "red"}"' not in text
    sent = service.ask("red", "GET", "/v1/events")["events"][0]
    assert sent["rider_id"] == "r0"
    assert sent["body"]["alert_id"] == mine["alert_id"]
    assert sent["body"]["task"]["kind"] == "first_response"


def test_who_may_do_what(service: Service) -> None:
    service.riders("red", "A", "F")
    for who in ("red", "r0"):
        call(service, who, expect=403)
        service.ask(who, "GET", "/v1/emergencies", 403)
    made = call(service, grid_code="G2")
    call(service, "grid", "g", expect=404, grid_code="G2")
    own = call(service, "grid", "own")
    assert own["grid_code"] == "G1"
    assert [one["id"] for one in service.ask("grid", "GET", "/v1/emergencies")["emergencies"]] == [own["id"]]
    service.ask("grid", "GET", f"/v1/emergencies/{made['id']}", 404)
    service.ask("grid", "POST", f"/v1/emergencies/{made['id']}/close", 404, json={})
    grid_sees = {one["id"] for one in service.ask("grid", "GET", "/v1/events")["events"]}
    assert grid_sees == {own["id"]}
    for who in ("office", "grid"):
        service.ask(who, "GET", "/v1/alerts", 403)
    later(service, 46)
    mine = service.ask("r0", "GET", "/v1/alerts")["alerts"]
    assert {one["rider_id"] for one in mine} == {"r0"}
    theirs = [one for one in service.ask("red", "GET", "/v1/alerts")["alerts"] if one["rider_id"] != "r0"]
    assert theirs
    service.ask("r0", "POST", f"/v1/alerts/{theirs[0]['alert_id']}/accept", 404, json={})
    for name in ("x", "x-0", f"{made['id']}-99", f"{made['id']}-00", f"{made['id']}-"):
        service.ask("red", "GET", f"/v1/alerts/{name}", 404)


def test_the_same_again_and_what_is_refused(service: Service) -> None:
    service.riders("red", "A")
    made = call(service, drill=True)
    assert made["drill"]
    assert call(service, expect=200, drill=True)["id"] == made["id"]
    problem = call(service, expect=409)
    assert problem["code"] == "exists"
    far = call(service, name="far", lon=0.0, lat=0.0)
    assert (far["phases"], [one["code"] for one in far["warnings"]]) == ([], ["far"])
    assert "outside of the map" in far["warnings"][0]["text"]
    assert made["warnings"] == []
    lon, lat = place("B")
    swapped = call(service, name="swapped", expect=422, lon=lat, lat=lon)
    (wrong,) = swapped["errors"]
    assert wrong == {"pointer": "/lat", "detail": "allowed is -90 to 90; lon and lat look swapped"}
    nobody = call(service, name="skilled", skills=["surgery"])
    assert (nobody["phases"], nobody["next_phase"], nobody["summary"]["soonest_s"]) == ([], None, None)


def test_after_a_restart_the_phases_go_on_and_the_state_is_the_fold(folder: Path, tmp_path: Path) -> None:
    service = Service(folder, f"sqlite:///{tmp_path / 'yilu.db'}")
    with service.client:
        service.riders("red", "A", "E")
        made = call(service)
    service.client = TestClient(service.app)
    with service.client:
        later(service, 46)
        alerts = service.ask("red", "GET", "/v1/alerts")["alerts"]
        assert len(alerts) == 2
        service.ask("red", "POST", f"/v1/alerts/{alerts[0]['alert_id']}/decline", json={})
        service.ask("red", "POST", f"/v1/alerts/{alerts[1]['alert_id']}/accept", json={})
        service.ask("office", "POST", f"/v1/emergencies/{made['id']}/close", json={})
    with service.database.reading() as connection:
        row = rows.get(connection, SERVICE, made["id"])
        events = stored.of_task(connection, SERVICE, made["id"])
    assert row is not None
    assert row.status == "closed"
    assert fold_alert(alert_events_of(events)) == alert_state_of(row.state)
    service.database.close()


def test_who_comes_to_an_emergency_is_asked_for_no_task_meanwhile(folder: Path, tmp_path: Path) -> None:
    service = Service(folder, f"sqlite:///{tmp_path / 'yilu.db'}")
    with service.client:
        service.riders("red", "A")
        made = call(service)
        (alert,) = service.ask("red", "GET", "/v1/alerts")["alerts"]
        # Who has only been alerted may still say no.
        first = service.task("office", "one")
        assert len(first["offers"]) == 1
        service.ask("red", "POST", f"/v1/alerts/{alert['alert_id']}/accept", json={})
        assert service.task("office", "two")["offers"] == []
        service.ask("red", "POST", f"/v1/alerts/{alert['alert_id']}/arrive", json={})
    service.use(create_app(folder, settings=service.app.state.settings, access=service.app.state.access,
                           clock=service.clock))  # fmt: skip
    with service.client:
        assert service.task("office", "three")["offers"] == []
        service.ask("office", "POST", f"/v1/emergencies/{made['id']}/close", json={})
        assert len(service.task("office", "four")["offers"]) == 1
        assert service.task("office", "five")["offers"] == []
        later(service, 20)
        tasks = {one["task_id"]: one for one in service.ask("office", "GET", "/v1/tasks")["tasks"]}
        assert sum(len(one["offers"]) for one in tasks.values()) >= 2
    service.database.close()


def test_the_name_of_an_alert_does_not_tell_how_many_there_are(service: Service) -> None:
    service.riders("red", "A", "E", "F")
    call(service, policy={"phase_riders": [3], "phase_wait_s": 45})
    words = [one["alert_id"].rpartition("-")[2] for one in service.ask("red", "GET", "/v1/alerts")["alerts"]]
    assert len(set(words)) == 3
    assert all(len(word) >= 16 for word in words)


def test_who_comes_to_a_drill_has_it_on_record_and_nobody_else(service: Service) -> None:
    service.riders("red", "A", "E")

    def drills(who: str) -> int:
        found: int = service.ask(who, "GET", "/v1/riders/me/points")["drills"]
        return found

    def called(name: str, *, drill: bool) -> str:
        call(service, name=name, drill=drill)
        alerts = service.ask("r0", "GET", "/v1/alerts")["alerts"]
        return str(next(one["alert_id"] for one in alerts if one["status"] == "alerted"))

    alert = called("practice", drill=True)
    service.ask("r0", "POST", f"/v1/alerts/{alert}/accept", json={})
    assert drills("r0") == 0, "a word is not yet a coming"
    for _ in range(2):
        service.ask("r0", "POST", f"/v1/alerts/{alert}/arrive", json={})
        assert drills("r0") == 1
    assert service.ask("r0", "GET", "/v1/riders/me/score")["score"] == pytest.approx(5.0)
    for one in service.ask("office", "GET", "/v1/emergencies")["emergencies"]:
        service.ask("office", "POST", f"/v1/emergencies/{one['id']}/close", json={"reason": "over"})
    # What is no drill is help in need, which is not booked as practice.
    real = called("fire", drill=False)
    service.ask("r0", "POST", f"/v1/alerts/{real}/accept", json={})
    service.ask("r0", "POST", f"/v1/alerts/{real}/arrive", json={})
    assert drills("r0") == 1
