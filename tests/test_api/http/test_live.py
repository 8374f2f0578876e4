"""The live service over HTTP: from a key to a verified task, and nobody sees what is not theirs."""

import datetime
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from fastapi.testclient import TestClient
from live_service import Service
from receiver import Trusting
from tiny_study import place

from geo.datum import Datum, from_wgs84
from routing.dispatch import RiderKey

T = TypeVar("T")


def test_a_task_from_publishing_to_verification(service: Service) -> None:
    assert service.riders("red", "A", "F") == {"written": 2, "ignored": [], "off_network": [], "warnings": []}
    task = service.task("office")
    assert task["status"] == "offered"
    assert service.headers["location"] == f"/v1/tasks/{task['id']}"
    (offer,) = service.ask("red", "GET", "/v1/offers")["offers"]
    assert offer["task"]["kind"] == "hazard"
    taken = service.ask("red", "POST", f"/v1/offers/{offer['offer_id']}/accept", json={})
    assert taken["status"] == "accepted"
    rider = service.ask("red", "GET", f"/v1/riders/{offer['rider_id']}")
    assert rider["stops"] == [task["id"]]
    service.ask("red", "POST", f"/v1/offers/{offer['offer_id']}/start", json={})
    service.ask("red", "POST", f"/v1/offers/{offer['offer_id']}/finish", json={"note": "out of order"})
    seen = service.ask("office", "GET", f"/v1/tasks/{task['id']}")
    assert (seen["status"], seen["offers"][0]["note"]) == ("done", "out of order")
    done = service.ask("office", "POST", f"/v1/tasks/{task['id']}/verify", json={"note": "thanks"})
    assert done["status"] == "verified"
    kinds = [one["kind"] for one in service.ask("office", "GET", "/v1/events")["events"]]
    assert kinds == [
        "task_published", "offer_made", "offer_accepted", "offer_started", "offer_done", "task_verified"
    ]  # fmt: skip


def test_a_publisher_never_learns_who_rides_and_platforms_nothing_of_each_other(service: Service) -> None:
    service.riders("red", "A")
    service.riders("blue", "F")
    task = service.task("office")
    told = json.dumps([service.ask("office", "GET", "/v1/events"), task])
    assert '"red"' not in told
    assert '"blue"' not in told
    assert '"r0"' not in told
    seen = {who: service.ask(who, "GET", "/v1/offers")["offers"] for who in ("red", "blue")}
    assert sorted(len(offers) for offers in seen.values()) == [0, 1]
    other = "blue" if seen["red"] else "red"
    (offer,) = seen["red"] or seen["blue"]
    for path in (f"/v1/offers/{offer['offer_id']}/accept", f"/v1/offers/{offer['offer_id']}/decline"):
        body = service.ask(other, "POST", path, 404, json={})
        assert body["title"] == "There is nothing at this address"
    assert service.ask(other, "GET", "/v1/events")["events"] == []
    service.ask(other, "GET", f"/v1/tasks/{task['id']}", 404)


def test_the_same_task_again_and_another_under_its_name(service: Service) -> None:
    first = service.task("office")
    again = service.task("office", expect=200)
    assert again["id"] == first["id"]
    problem = service.task("office", letter="F", expect=409)
    assert problem["code"] == "exists"
    assert "task_id" in problem["detail"]
    zh = service.task("office", letter="F", expect=409, headers={"accept-language": "zh"})
    assert "同名任务" in zh["detail"]


def test_a_post_under_one_key_is_answered_once(service: Service) -> None:
    service.riders("red", "A")
    task = service.task("office", headers={"idempotency-key": "k1"})
    again = service.task("office", headers={"idempotency-key": "k1"})
    assert again == task
    assert service.headers["idempotency-replayed"] == "true"
    service.task("office", "bench", expect=422, headers={"idempotency-key": "k1"})
    # A refusal is not kept: what was missing may be there the next time.
    offer = task["offers"][0]["offer_id"]
    service.ask("red", "POST", f"/v1/offers/{offer}/finish", 409, json={}, headers={"idempotency-key": "f"})
    service.ask("red", "POST", f"/v1/offers/{offer}/accept", json={})
    service.ask("red", "POST", f"/v1/offers/{offer}/finish", json={}, headers={"idempotency-key": "f"})


def test_a_command_counts_only_for_the_task_that_was_read(service: Service) -> None:
    task = service.task("office")
    etag = service.headers["etag"]
    path = f"/v1/tasks/{task['id']}"
    service.riders("red", "A")
    service.clock.now += datetime.timedelta(seconds=20)
    assert service.ask("office", "GET", path)["version"] >= task["version"]
    body = {"task_id": "lamp", "place": {"lon": place("F")[0], "lat": place("F")[1]}, "kind": "hazard"}
    service.ask("office", "PUT", f"{path}?datum=wgs84", 412, json=body, headers={"if-match": '"99"'})
    fresh = service.ask("office", "GET", path)
    assert etag
    changed = service.ask(
        "office", "PUT", f"{path}?datum=wgs84", json=body, headers={"if-match": f'"{fresh["version"]}"'}
    )
    assert changed["version"] > fresh["version"]
    service.ask("office", "POST", f"{path}/withdraw", json={"reason": "no need"})
    problem = service.ask("office", "POST", f"{path}/verify", 409, json={})
    assert problem["code"] == "ended"


def test_who_is_too_late_is_told_and_the_next_best_is_asked(service: Service) -> None:
    service.riders("red", "A", "F")
    task = service.task("office")
    offer = task["offers"][0]["offer_id"]
    service.clock.now += datetime.timedelta(seconds=61)
    problem = service.ask("red", "POST", f"/v1/offers/{offer}/accept", 409, json={})
    assert (problem["code"], problem["status_now"]) == ("closed", "expired")
    (following,) = service.ask("red", "GET", "/v1/offers")["offers"]
    assert following["offer_id"] != offer


def test_an_older_report_is_ignored(service: Service) -> None:
    service.riders("red", "A")
    service.clock.now -= datetime.timedelta(minutes=1)
    assert service.riders("red", "F") == {"written": 0, "ignored": ["r0"], "off_network": [], "warnings": []}
    service.clock.now += datetime.timedelta(hours=1)
    future = service.clock.now
    service.clock.now -= datetime.timedelta(hours=1)
    rider = {"rider_id": "r9", "at": future.isoformat(), "lon": 0.0, "lat": 0.0}
    body = {"datum": "wgs84", "riders": [rider]}
    problem = service.ask("red", "PUT", "/v1/riders", 422, json=body)
    assert problem["errors"][0]["pointer"] == "/riders/0/at"


def test_pages_go_on_where_they_ended(service: Service) -> None:
    for number in range(5):
        service.task("office", f"t{number}")
        service.clock.now += datetime.timedelta(seconds=1)
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        more = {"limit": 2} | ({"after": cursor} if cursor else {})
        page = service.ask("office", "GET", "/v1/tasks", params=more)
        seen += [task["task_id"] for task in page["tasks"]]
        cursor = page["next"]
    assert seen == [f"t{number}" for number in range(5)]
    assert cursor is None
    service.ask("office", "GET", "/v1/tasks", 422, params={"after": "nonsense"})


def test_grid_staff_see_their_grids_alone(service: Service) -> None:
    service.task("office", "outside", task={"grid_code": "G2"})
    own = service.task("grid", "inside")
    assert own["grid_code"] == "G1"
    assert [task["task_id"] for task in service.ask("grid", "GET", "/v1/tasks")["tasks"]] == ["inside"]
    service.task("grid", "beyond", expect=404, task={"grid_code": "G2"})
    assert len(service.ask("office", "GET", "/v1/tasks")["tasks"]) == 2


def test_a_riders_token_sees_and_answers_their_own_offers(service: Service) -> None:
    service.riders("red", "A", "F")
    offer = service.task("office", letter="A")["offers"][0]["offer_id"]
    mine = service.ask("r0", "GET", "/v1/offers")["offers"]
    theirs = service.ask("red", "GET", "/v1/offers")["offers"]
    assert mine == [one for one in theirs if one["rider_id"] == "r0"]
    expect = 200 if mine else 404
    service.ask("r0", "POST", f"/v1/offers/{offer}/accept", expect, json={})
    service.ask("r0", "GET", "/v1/tasks", 403)
    service.ask("r0", "PUT", "/v1/riders", 403, json={"datum": "wgs84", "riders": []})


def test_metrics_are_for_admins_and_name_nobody(service: Service) -> None:
    service.riders("red", "A")
    service.task("office")
    service.ask("red", "GET", "/metrics", 403)
    text = service.ask("admin", "GET", "/metrics")
    assert 'yilu_offers{status="open"} 1.0' in text
    assert "yilu_riders 1.0" in text
    assert 'route="/v1/tasks"' in text
    assert "r0" not in text


def _figure(text: str, name: str) -> float:
    return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} "))


def test_metrics_tell_how_long_a_match_takes_and_how_far_readers_lag(folder: Path, tmp_path: Path) -> None:
    """A small life: asked after a minute, a no, a yes, all over; every figure is counted once."""
    service = Service(folder, f"sqlite:///{tmp_path / 'yilu.db'}", webhooks_private=True)

    def later(seconds: float) -> None:
        service.clock.now += datetime.timedelta(seconds=seconds)

    with service.client, Trusting() as receiver:
        service.ask("office", "POST", "/v1/webhooks", 201, json={"url": receiver.url})
        task = service.task("office")
        assert task["status"] == "published"
        service.riders("red", "A", "C")
        later(60)
        offers = _until(lambda: service.ask("red", "GET", "/v1/offers")["offers"])
        service.ask("red", "POST", f"/v1/offers/{offers[0]['offer_id']}/decline", json={})
        (offer,) = _until(lambda: service.ask("red", "GET", "/v1/offers?status=open")["offers"])
        later(20)
        for verb in ("accept", "start", "finish"):
            service.ask("red", "POST", f"/v1/offers/{offer['offer_id']}/{verb}", json={})
        service.ask("office", "POST", f"/v1/tasks/{task['id']}/verify", json={})
        last = len(service.ask("office", "GET", "/v1/events")["events"])
        _until(lambda: len(receiver.ids) == last)
        delivered = 'yilu_event_lag_seconds_count{reader="webhook"}'
        _until(lambda: _figure(service.ask("admin", "GET", "/metrics"), delivered) == last)
        text = service.ask("admin", "GET", "/metrics")
    service.database.close()
    assert _figure(text, 'yilu_match_seconds_count{stage="offered"}') == 1
    assert 60 <= _figure(text, 'yilu_match_seconds_sum{stage="offered"}') < 62
    assert _figure(text, 'yilu_match_seconds_count{stage="accepted"}') == 1
    assert _figure(text, 'yilu_match_seconds_sum{stage="accepted"}') == 80
    reached = {"open": 2, "declined": 1, "accepted": 1, "started": 1, "done": 1, "expired": 0}
    for status, count in reached.items():
        assert _figure(text, f'yilu_offers_reached_total{{status="{status}"}}') == count, status
    assert _figure(text, 'yilu_events_total{kind="task_verified"}') == 1
    assert _figure(text, 'yilu_webhooks{state="active"}') == 1
    assert _figure(text, "yilu_webhook_behind_seconds") == 0
    assert "r0" not in text
    assert "r1" not in text


def _until(found: Callable[[], T]) -> T:
    end = time.monotonic() + 20
    while not (value := found()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return value


def test_after_a_restart_everything_is_there(folder: Path, tmp_path: Path) -> None:
    service = Service(folder, f"sqlite:///{tmp_path / 'yilu.db'}")
    with service.client:
        service.riders("red", "A")
        offer = service.task("office")["offers"][0]["offer_id"]
    again = TestClient(service.app)
    service.client = again
    with again:
        assert service.ask("red", "POST", f"/v1/offers/{offer}/accept", json={})["status"] == "accepted"
    service.database.close()


def test_hours_are_counted_where_the_platform_does_not_tell_them(service: Service) -> None:
    """A morning from eight: four hours of work, a break, midnight in the city."""

    def report(**more: float | str) -> object:
        lon, lat = place("A")
        rider = {"rider_id": "r0", "at": service.clock.now.isoformat(), "lon": lon, "lat": lat, **more}
        service.ask("red", "PUT", "/v1/riders", json={"datum": "wgs84", "riders": [rider]})
        return service.ask("red", "GET", "/v1/riders/r0")["break_due"]

    def worked() -> tuple[float, float]:
        rider = service.app.state.desk.city.board.rider(RiderKey("red", "r0"))
        return rider.worked_today_s, rider.worked_since_break_s

    def pass_minutes(minutes: int, **more: float | str) -> object:
        told = None
        for _ in range(minutes // 10):
            service.clock.now += datetime.timedelta(minutes=10)
            told = report(**more)
        return told

    assert report(status="busy") == "2026-03-04T16:00:00+08:00"
    assert pass_minutes(120) == "2026-03-04T16:00:00+08:00"
    assert worked() == (7_200.0, 7_200.0), "positions alone are enough"
    assert pass_minutes(10, status="on_break") is None
    assert pass_minutes(20, status="on_break") is None
    due = pass_minutes(10, status="busy")
    assert due == (service.clock.now + datetime.timedelta(hours=4)).isoformat()
    assert worked() == (7_800.0, 0.0)
    # The platform's own figures are believed, and counted on from.
    report(worked_since_break_s=3_600, worked_today_s=10_000)
    pass_minutes(30)
    assert worked() == (11_800.0, 5_400.0)
    # An older report changes nothing.
    service.clock.now -= datetime.timedelta(minutes=15)
    report(status="off")
    assert worked() == (11_800.0, 5_400.0)
    service.clock.now += datetime.timedelta(hours=11)
    report(status="off")
    assert worked()[0] == 0.0, "a new day in the city"


def test_the_id_of_an_offer_tells_nothing_of_the_others(service: Service) -> None:
    """Nobody learns from it how many were asked before, nor finds another one by counting."""
    service.riders("red", "A", "F")
    service.riders("blue", "J")
    task = service.task("office")
    words = []
    for _ in range(3):
        (offer,) = [one for one in task["offers"] if one["status"] == "open"]
        task_id, _, word = offer["offer_id"].rpartition("-")
        assert task_id == task["id"]
        assert len(word) >= 16
        words.append(word)
        mine = next(
            who
            for who in ("red", "blue")
            if service.client.get(
                f"/v1/offers/{offer['offer_id']}", headers={"authorization": f"Bearer {service.keys[who]}"}
            ).status_code
            == 200
        )
        service.ask(mine, "POST", f"/v1/offers/{offer['offer_id']}/decline", json={})
        task = service.ask("office", "GET", f"/v1/tasks/{task['id']}")
    assert len(set(words)) == 3
    for number in range(1, 5):
        service.ask("red", "GET", f"/v1/offers/{task['id']}-{number}", 404)


def test_events_are_written_like_answers(service: Service) -> None:
    """Instants in local time, places as lon and lat, no infinite number and no name of the inside."""
    service.riders("red", "A")
    task = service.task("office")
    offer = task["offers"][0]
    service.ask("red", "POST", f"/v1/offers/{offer['offer_id']}/accept", json={})
    service.ask("red", "POST", f"/v1/offers/{offer['offer_id']}/finish", json={})
    reopen = {"reason": "still out", "latest": task["place"]["latest"]}
    service.ask("office", "POST", f"/v1/tasks/{task['id']}/reopen", json=reopen)
    for who in ("office", "red"):
        events = service.ask(who, "GET", "/v1/events")["events"]
        assert "Infinity" not in json.dumps(events)
        assert "lonlat" not in json.dumps(events)
        by_kind = {one["kind"]: one["body"] for one in events}
        assert by_kind["offer_made"]["expires"] == offer["expires"]
        assert by_kind["offer_made"]["terms"]["arrival"] == offer["arrival"]
        if who == "office":
            told = by_kind["task_published"]["task"]
            assert told["place"] == task["place"]
            assert by_kind["task_reopened"]["latest"] == reopen["latest"]
        else:
            assert by_kind["offer_made"]["task"]["place"] == task["place"]
            assert by_kind["offer_accepted"]["terms"]["after_stop_id"] == ""


def test_reports_in_another_datum_are_taken_and_doubted(service: Service) -> None:
    def told(datum: Datum) -> Any:  # noqa: ANN401
        lonlat = from_wgs84(np.array([place("ABCDFGHI"[n % 8]) for n in range(24)]), datum).tolist()
        at = service.clock.now.isoformat()
        riders = [
            {"rider_id": f"r{n}", "at": at, "lon": lon, "lat": lat, "stops": []}
            for n, (lon, lat) in enumerate(lonlat)
        ]
        return service.ask("red", "PUT", "/v1/riders", json={"datum": "wgs84", "riders": riders})

    assert told("wgs84")["warnings"] == []
    answer = told("bd09")
    assert answer["written"] == 24
    (warning,) = answer["warnings"]
    assert (warning["declared"], warning["likely"], warning["code"]) == ("wgs84", "bd09", "datum")


def test_what_is_wrong_with_a_task_is_named_as_its_publisher_named_it(service: Service) -> None:
    early = (service.clock.now - datetime.timedelta(hours=1)).isoformat()
    lon, lat = place("B")
    visit = {"lon": lon, "lat": lat, "earliest": service.clock.now.isoformat(), "latest": early}
    answer = service.task("office", expect=422, task={"place": visit})
    (error,) = answer["errors"]
    assert error["pointer"] == "/place"
    assert "task lamp" in error["detail"]
