"""The city at a glance: each sees what is theirs, and of others nothing that few stand behind."""

import datetime
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice
from live_service import Service
from tiny_study import place
from towns import NOW, place_in, some_riders

from geo.travel import travel_times_s
from routing.emergency import soonest_s

TOWN = lattice(6)


def many(service: Service, who: str, count: int) -> None:
    lon, lat = place("A")
    at = service.clock.now.isoformat()
    riders = [{"rider_id": f"{who}{n}", "at": at, "lon": lon, "lat": lat, "stops": []} for n in range(count)]
    service.ask(who, "PUT", "/v1/riders", json={"datum": "wgs84", "riders": riders})


def city(service: Service, who: str, **query: str) -> Any:  # noqa: ANN401
    return service.ask(who, "GET", "/v1/city", params=query)


def test_each_sees_what_is_theirs(service: Service) -> None:
    service.riders("red", "A", "F")
    service.riders("blue", "J")
    task = service.task("office", "lamp", task={"grid_code": "G1"})
    lon, lat = place("B")
    raised = {"name": "fire", "lon": lon, "lat": lat, "policy": {"phase_riders": [1], "phase_wait_s": 45}}
    emergency = service.ask("office", "POST", "/v1/emergencies?datum=wgs84", 201, json=raised)
    red, blue, office = (city(service, who) for who in ("red", "blue", "office"))
    assert {one["rider_id"] for one in red["riders"]} == {"r0", "r1"}
    assert [one["rider_id"] for one in blue["riders"]] == ["r0"]
    assert [one["id"] for one in office["tasks"]] == [task["id"]]
    assert (office["tasks"][0]["open"], office["counts"]["tasks"]) == (1, {"offered": 1})
    # Nobody is left to be asked: that is told, too.
    service.task("bureau", "again", task={"skills": ["nobody has it"]})
    assert city(service, "bureau")["tasks"][0]["unmatched"] == "skill"
    (offer,) = red["offers"]
    assert (offer["id"], offer["lon"]) == (task["id"], round(lon, 6))
    assert (blue["offers"], blue["alerts"], blue["tasks"]) == ([], [], [])
    (alert,) = red["alerts"]
    assert alert["id"] == emergency["id"]
    service.ask("red", "POST", f"/v1/alerts/{alert['alert_id']}/accept", json={})
    after = city(service, "red")
    assert [one["called"] for one in after["riders"]].count(True) == 1
    (seen,) = city(service, "office")["emergencies"]
    assert (seen["alerted"], seen["accepted"], seen["phase"], seen["phases"]) == (1, 1, 0, 1)
    for who in ("office", "grid", "bureau"):
        told = json.dumps(city(service, who))
        assert city(service, who)["riders"] == []
        assert not any(word in told for word in ('"r0"', '"red"', alert["alert_id"], offer["offer_id"]))
    assert [one["task_id"] for one in city(service, "bureau")["tasks"]] == ["again"]
    assert city(service, "bureau")["emergencies"] == []
    assert len(city(service, "grid")["tasks"]) == 1
    assert city(service, "grid2")["tasks"] == []
    mine = city(service, "r0")
    assert {one["rider_id"] for one in (*mine["riders"], *mine["offers"], *mine["alerts"])} == {"r0"}
    assert mine["minutes"] is None
    assert city(service, "r9")["riders"] == []


def test_publishers_learn_nothing_that_few_stand_behind(service: Service) -> None:
    many(service, "red", 9)
    alone = city(service, "office")
    assert alone["counts"]["riders"] is None
    assert {one["minutes"] for one in alone["minutes"]["cells"]} == {None}
    assert min(one["minutes"] for one in city(service, "red")["minutes"]["cells"] if one["minutes"]) <= 2
    many(service, "blue", 4)
    # What has been worked out is kept for a while.
    service.app.state.anywhere.clear()
    together = city(service, "office")
    assert together["counts"]["riders"] == 10
    assert together["minutes"]["riders"] == 10
    assert any(one["minutes"] for one in together["minutes"]["cells"])
    assert city(service, "blue")["counts"]["riders"] == 4


def test_the_datum_of_the_answer(service: Service) -> None:
    service.riders("red", "A")
    service.task("office")
    plain, shifted = city(service, "red"), city(service, "red", datum="gcj02")
    for name in ("riders", "offers"):
        assert abs(plain[name][0]["lon"] - shifted[name][0]["lon"]) > 0.001
    assert abs(plain["minutes"]["cells"][0]["lat"] - shifted["minutes"]["cells"][0]["lat"]) > 0.0005
    assert plain["bounds"][0] < shifted["bounds"][0]
    assert datetime.datetime.fromisoformat(plain["at"]) == service.clock.now


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), wanted=st.integers(1, 4))
def test_how_soon_is_the_nth_soonest_of_all_riders(seed: int, wanted: int) -> None:
    rng = np.random.default_rng(seed)
    riders = some_riders(TOWN, rng, 5, everything=True)
    places = np.array([place_in(TOWN, rng) for _ in range(6)])
    found = soonest_s(TOWN, riders, places, wanted, NOW, 600.0)
    for at, lonlat in enumerate(places):
        each = []
        for rider in riders:
            here, there = (
                TOWN.snap(np.array([one]), rider.mode, 500.0) for one in (rider.lonlat, tuple(lonlat))
            )
            seconds = float(travel_times_s(TOWN, rider.mode, here, there)[0, 0])
            walk_s = float(here.walk_ms[0] + there.walk_ms[0]) / 1000
            wait_s = max(rider.available_s - NOW, 0.0)
            whole = wait_s + walk_s + (seconds - walk_s) * rider.speed_factor
            each.append(whole if seconds <= 600.0 and whole <= 600.0 else np.inf)
        assert found[at] == pytest.approx(sorted(each)[wanted - 1])


def test_a_task_that_waits_because_all_have_been_asked(service: Service) -> None:
    service.riders("red", "A")
    task = service.task("office")
    service.ask("red", "POST", f"/v1/offers/{task['offers'][0]['offer_id']}/decline", json={})
    assert city(service, "office")["tasks"][0]["unmatched"] == "asked"
