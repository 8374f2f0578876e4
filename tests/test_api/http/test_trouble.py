"""The database goes and comes back, the disk is full, clocks jump, reports come twice and out of order."""

import datetime
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from live_service import Service
from migrated import newest
from postgres import Cluster
from tiny_study import place

from api.store import SERVICE
from api.store.access import idempotency
from api.store.dispatch import riders as rider_rows


def until(true: Callable[[], bool], seconds: float = 20.0) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not come to pass"
        time.sleep(0.05)
    return time.monotonic() - began


def status_of(service: Service, method: str, path: str, body: object = None) -> tuple[int, dict[str, str]]:
    headers = {"authorization": f"Bearer {service.keys['office']}"}
    answer = service.client.request(method, path, headers=headers, json=body)
    return answer.status_code, dict(answer.headers)


def test_the_database_goes_and_comes_back(folder: Path, cluster: Cluster) -> None:
    """503 with a word when to come again, nothing half done, and it goes on by itself."""
    made = Service(folder, newest(cluster))
    with made.client:
        made.riders("red", "A", "F")
        before = made.task("office")
        lon, lat = place("G")
        body = {"task_id": "during", "place": {"lon": lon, "lat": lat}, "kind": "hazard"}
        cluster.stop("immediate")
        try:
            for call in (
                ("POST", "/v1/tasks?datum=wgs84", body),
                ("GET", "/v1/tasks"),
                ("GET", "/v1/events"),
            ):
                began = time.monotonic()
                status, headers = status_of(made, *call)
                assert status == 503, call
                assert int(headers["retry-after"]) > 0
                assert time.monotonic() - began < 15.0
            assert made.client.get("/healthz").status_code == 200
        finally:
            cluster.start()
        took_s = until(lambda: status_of(made, "GET", "/v1/tasks")[0] == 200)
        until(lambda: status_of(made, "POST", "/v1/tasks?datum=wgs84", body)[0] in (200, 201))
        offer = before["offers"][0]["offer_id"]
        assert made.ask("red", "POST", f"/v1/offers/{offer}/accept", json={})["status"] == "accepted"
        labels = [one["task_id"] for one in made.ask("office", "GET", "/v1/tasks")["tasks"]]
        assert sorted(labels) == ["during", "lamp"]
        desk = made.app.state.desk
        made.clock.now += datetime.timedelta(seconds=3)
        until(lambda: bool(desk.memory.leading))
        assert took_s < 10.0
    made.database.close()


def test_a_full_disk_refuses_and_loses_nothing(folder: Path, tmp_path: Path) -> None:
    made = Service(folder, f"sqlite:///{tmp_path / 'yilu.db'}")
    limit = {"pages": 0}

    def bound(connection: sa.Connection) -> None:
        if limit["pages"]:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {limit['pages']}")

    with made.client:
        made.riders("red", "A", "F")
        first = made.task("office")
        with made.database.reading() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        sa.event.listen(made.database.engine, "begin", bound, insert=True)
        limit["pages"] = int(pages) + 4
        kept, lon_lat = [], place("G")
        status = 201
        headers: dict[str, str] = {}
        for number in range(200):
            there = {"lon": lon_lat[0], "lat": lon_lat[1]}
            body = {"task_id": f"t{number}", "place": there, "kind": "hazard"}
            status, headers = status_of(made, "POST", "/v1/tasks?datum=wgs84", body)
            if status == 503:
                break
            assert status == 201
            kept.append(f"t{number}")
        assert status == 503
        assert int(headers["retry-after"]) > 0
        # What is there can be read.
        tasks = made.ask("office", "GET", "/v1/tasks", params={"limit": 1000})["tasks"]
        assert {one["task_id"] for one in tasks} == {"lamp", *kept}
        limit["pages"] = 1_000_000
        until(lambda: status_of(made, "POST", "/v1/tasks?datum=wgs84", body)[0] == 201)
        offer = first["offers"][0]["offer_id"]
        made.ask("red", "POST", f"/v1/offers/{offer}/accept", json={})
    made.database.close()


def test_clocks_jump(service: Service) -> None:
    """Forward: what is over by the new clock ends. Back: nothing stands still, nothing is asked twice."""
    service.riders("red", "A", "F")
    task = service.task("office")
    first = task["offers"][0]["offer_id"]
    # Not so far that the riders, who report no more, are taken for silent.
    service.clock.now += datetime.timedelta(minutes=14)
    until(
        lambda: (
            [o["offer_id"] for o in service.ask("red", "GET", "/v1/offers")["offers"]] not in ([], [first])
        )
    )
    (second,) = service.ask("red", "GET", "/v1/offers")["offers"]
    service.clock.now -= datetime.timedelta(minutes=45)
    assert service.riders("red", "B") == {"written": 0, "ignored": ["r0"], "off_network": [], "warnings": []}
    answer = service.ask("red", "POST", f"/v1/offers/{second['offer_id']}/accept", json={})
    assert answer["status"] == "accepted"
    later = service.task("office", "later")
    assert later["status"] in ("offered", "published")
    offers = service.ask("office", "GET", f"/v1/tasks/{task['id']}")["offers"]
    assert sorted(one["status"] for one in offers) == ["accepted", "expired"]


def test_a_task_that_waits_is_tried_again_after_the_clock_is_set_back(service: Service) -> None:
    task = service.task("office")
    assert task["status"] == "published"
    service.clock.now -= datetime.timedelta(minutes=45)
    service.riders("red", "A")
    service.clock.now += datetime.timedelta(minutes=2)
    until(lambda: service.ask("red", "GET", "/v1/offers")["offers"] != [])


def test_reports_twice_and_out_of_order(service: Service) -> None:
    now = service.clock.now
    shuffled = [3, 1, 4, 1, 5, 2, 5]
    for number in shuffled:
        lon, lat = place("ABCDEF"[number])
        at = (now + datetime.timedelta(seconds=number)).isoformat()
        rider = {"rider_id": "r0", "at": at, "lon": lon, "lat": lat}
        service.ask("red", "PUT", "/v1/riders", json={"datum": "wgs84", "riders": [rider, rider]})
    seen = service.ask("red", "GET", "/v1/riders/r0")
    assert (seen["lon"], seen["lat"]) == pytest.approx(place("F"), abs=1e-6)


def test_what_is_older_than_a_day_is_forgotten(service: Service) -> None:
    service.riders("red", "A")
    service.task("office", headers={"idempotency-key": "k1"})
    service.ask("red", "DELETE", "/v1/riders/r0", 204)

    def left() -> tuple[int, int]:
        with service.database.reading() as connection:
            counted = [
                connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()  # noqa: S608
                for name in ("idempotency", "riders")
            ]
        return int(counted[0]), int(counted[1])

    assert left() == (1, 1)
    service.clock.now += datetime.timedelta(days=1, minutes=1)
    until(lambda: left() == (0, 0))
    assert idempotency.KEPT_S == 86_400
    with service.database.reading() as connection:
        assert rider_rows.read_all(connection, SERVICE)[0] == []


def test_at_the_end_the_database_is_closed(folder: Path, tmp_path: Path) -> None:
    made = Service(folder, f"sqlite:///{tmp_path / 'yilu.db'}")
    with made.client:
        made.task("office")
    assert made.database.engine.pool.checkedin() == 0  # type: ignore[attr-defined]
