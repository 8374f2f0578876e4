"""Streets learn from reports: enough people, or an office, shut a street for a while, for everybody."""

import datetime
import time
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from live_service import Service
from migrated import newest
from postgres import Cluster
from tiny_study import TOWN, place


def between(first: str, second: str) -> dict[str, float]:
    (lon_a, lat_a), (lon_b, lat_b) = TOWN.lonlat([first, second]).tolist()
    return {"lon": (lon_a + lon_b) / 2, "lat": (lat_a + lat_b) / 2}


def nearest_s(service: Service) -> float:
    lon, lat = place("A")
    answer = service.client.get(f"/v1/stations/nearest?lon={lon}&lat={lat}&datum=wgs84")
    assert answer.status_code == 200, answer.text
    return float(answer.json()["travel_s"])


def closures(service: Service) -> list[Any]:
    found: list[Any] = service.client.get("/v1/overrides").json()["closures"]
    return found


def report(service: Service, rider: str | None, says: str = "closed") -> None:
    body = {"kind": "street_order", **between("A", "B"), "street": {"thing": "street", "says": says}}
    if rider is None:
        answer = service.client.post("/v1/reports?datum=wgs84", json=body)
        assert answer.status_code == 201, answer.text
    else:
        service.ask("red", "POST", "/v1/reports?datum=wgs84", 201, json={**body, "rider_id": rider})


def test_an_offices_word_shuts_a_street_for_everybody_until_it_is_open_again(service: Service) -> None:
    service.riders("red", "A")
    before_s = nearest_s(service)
    free = service.task("office", "before", letter="B")
    service.ask("office", "POST", f"/v1/tasks/{free['id']}/withdraw", json={})
    said = {"thing": "street", "says": "closed", **between("A", "B")}
    shown = service.ask("office", "POST", "/v1/overrides?datum=wgs84", 201, json=said)["closures"]
    assert [(one["condition"], one["street"], one["by_office"]) for one in shown] == [
        ("closed", "North Street", True)
    ]
    assert closures(service) == shown
    assert nearest_s(service) > before_s * 1.4
    held = service.task("office", "during", letter="B")
    (offer,) = service.ask("red", "GET", "/v1/offers")["offers"]
    assert offer["id"] == held["id"]
    assert held["offers"][0]["arrival"] > free["offers"][0]["arrival"]
    service.ask("office", "POST", "/v1/overrides?datum=wgs84", 201, json={**said, "says": "open"})
    assert closures(service) == []
    assert nearest_s(service) == before_s


def test_enough_different_people_shut_a_street_and_it_opens_by_itself(service: Service) -> None:
    before_s = nearest_s(service)
    for _ in range(4):
        report(service, "r1")
        report(service, None)
    assert closures(service) == []
    report(service, "r2")
    (shown,) = closures(service)
    assert (shown["by_office"], shown["thing"]) == (False, "street")
    assert datetime.datetime.fromisoformat(shown["until"]).minute == 0
    assert nearest_s(service) > before_s
    service.clock.now += datetime.timedelta(hours=24, seconds=1)
    assert closures(service) == []
    assert nearest_s(service) == before_s


def test_a_closure_survives_a_restart(folder: Path, tmp_path: Path) -> None:
    service = Service(folder, f"sqlite:///{tmp_path / 'yilu.db'}")
    with service.client:
        said = {"thing": "street", "says": "flooded", **between("A", "B")}
        service.ask("grid", "POST", "/v1/overrides?datum=wgs84", 201, json=said)
        shut_s = nearest_s(service)
    service.client = TestClient(service.app)
    with service.client:
        service.riders("red", "A")
        assert [one["condition"] for one in closures(service)] == ["flooded"]
        assert nearest_s(service) == shut_s
    service.database.close()


def test_what_is_nowhere_is_refused(service: Service) -> None:
    said = {"thing": "stair", "says": "closed", **between("A", "B")}
    problem = service.ask("office", "POST", "/v1/overrides?datum=wgs84", 422, json=said)
    assert problem["detail"] == "there is no stair within 30 m of the place"
    both = {**said, "thing": "street", "says": "dark", "towards": between("B", "C")}
    assert "towards" in service.ask("office", "POST", "/v1/overrides?datum=wgs84", 422, json=both)["detail"]


def test_two_processes_that_share_a_city_see_the_same_streets(folder: Path, cluster: Cluster) -> None:
    first = Service(folder, newest(cluster))
    second = first.beside(folder)
    with first.client, second.client:
        before_s = nearest_s(second)
        said = {"thing": "street", "says": "closed", **between("A", "B")}
        first.ask("office", "POST", "/v1/overrides?datum=wgs84", 201, json=said)
        until_s = time.monotonic() + 30
        while not closures(second):
            assert time.monotonic() < until_s, "the other process does not hear of it"
            time.sleep(0.05)
        assert nearest_s(second) == nearest_s(first) > before_s
        # One that begins later knows it from the start.
        third = first.beside(folder)
        with third.client:
            assert nearest_s(third) == nearest_s(first)
        report(second, "r1", "open")
        made = second.client.get("/v1/board").json()
        assert len(made["matters"]) == len(made["closures"]) == 1
        assert first.client.get("/v1/board").json() == made
    first.database.close()
    second.database.close()
    third.database.close()
