"""From one rider's report to another rider's points spent elsewhere, over HTTP alone, on both databases.

The way as a whole is gone on the streets of the demo, the centre of Helsinki, and through a socket.
"""

import datetime
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from live_service import Service
from migrated import newest
from page_visits import picture, running, token_of
from postgres import Cluster
from tiny_study import write_study

from api.statements import read_statement
from api.store import SERVICE
from api.store.civic import ledger
from geo.errors import InputError
from geo.osm.read import read_osm

HOLE = (24.9455, 60.1687)
"""Aleksanterinkatu, between the railway station and the cathedral."""
WEST, EAST, NORTH = (24.9392, 60.1690), (24.9510, 60.1692), (24.9395, 60.1765)
STATIONS = {
    "A": (24.9402, 60.1705), "B": (24.9417, 60.1680), "J": (24.9367, 60.1642), "X": (24.9406, 60.1780),
}  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return newest(cast(Cluster, request.getfixturevalue("cluster")))
    return f"sqlite:///{tmp_path / 'yilu.db'}"


@pytest.fixture
def service(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    made = Service(write_study(tmp_path_factory.mktemp("study") / "out"), url)
    with made.client:
        yield made
    made.database.close()


@pytest.fixture
def demo(url: str, tmp_path_factory: pytest.TempPathFactory, helsinki_pbf: Path) -> Iterator[Service]:
    """The streets of the demo, served through a socket."""
    network, _ = read_osm(helsinki_pbf)
    folder = tmp_path_factory.mktemp("demo") / "out"
    made = Service(write_study(folder, network=network, where=STATIONS.__getitem__), url)
    with running(made.app) as address:
        made.at(address)
        with made.client:
            yield made
    made.database.close()


def rider(service: Service, who: str, rider_id: str, *places: tuple[float, float], due_min: float) -> None:
    """Report a rider at the first place with a stop at each other, due in so many minutes."""
    due = (service.clock.now + datetime.timedelta(minutes=due_min)).isoformat()
    (lon, lat), *stops = places
    told = {
        "rider_id": rider_id, "at": service.clock.now.isoformat(), "lon": lon, "lat": lat,
        "stops": [
            {"stop_id": f"{rider_id}-{k}", "lon": x, "lat": y, "service_s": 30, "due": due}
            for k, (x, y) in enumerate(stops)
        ],
    }  # fmt: skip
    answer = service.ask(who, "PUT", "/v1/riders", json={"datum": "wgs84", "riders": [told]})
    assert answer == {"written": 1, "ignored": [], "off_network": [], "warnings": []}


def key_by_page(service: Service, tenant: str, rider_id: str) -> str:
    """Have the administrator make a rider's key on the page: there is no other door for it."""
    client = service.client
    client.cookies.clear()

    def held() -> dict[str, str]:
        # A client of plain HTTP keeps them to itself, as they are for TLS alone.
        return {"cookie": "; ".join(f"{one.name}={one.value}" for one in client.cookies.jar)}

    form = {"form_token": token_of(client.get("/sign-in").text), "key": service.keys["admin"]}
    assert client.post("/sign-in", data=form, headers=held()).status_code == 303
    form = {"form_token": token_of(client.get("/admin", headers=held()).text)}
    form |= {"tenant": tenant, "role": "rider", "detail": rider_id}
    page = client.post("/admin/keys", data=form, headers=held())
    client.cookies.clear()
    found = re.search(r'class="secret">([^<]+)<', page.text)
    assert found is not None, page.text
    return found[1]


def test_from_a_report_to_points_spent_elsewhere(demo: Service) -> None:
    service, ask = demo, demo.ask
    ask("admin", "PUT", "/v1/offices/office", json={"title": "Street office"})
    ask("office", "PUT", "/v1/catalogue/rice", json={
        "sort": "goods", "title": "Rice, 5 kg", "points": 5, "communities": ["North", "South"]
    })  # fmt: skip
    ask("office", "POST", "/v1/catalogue/rice/stock", 201, json={"name": "delivery-1", "pieces": 1})
    # Of three one passes there; of the others one has no minute to spare, and one is the reporter.
    rider(service, "blue", "b1", WEST, EAST, due_min=20)
    rider(service, "blue", "b2", NORTH, WEST, due_min=4)
    rider(service, "red", "r0", HOLE, due_min=20)

    # A rider reports, with a photo.
    photo = ask("r0", "POST", "/v1/photos", 201, content=picture())["photo"]
    told = {"kind": "appearance", "lon": HOLE[0], "lat": HOLE[1], "note": "rubbish", "photo": photo}
    report = ask("r0", "POST", "/v1/reports?datum=wgs84", 201, json=told)
    matter = f"/v1/matters/{report['matter_id']}"
    assert ask("office", "GET", matter)["reports"][0]["photo"] == photo
    assert service.client.get(f"/v1/photos/{photo}").status_code == 404
    assert ask("office", "GET", f"/v1/photos/{photo}")

    # The office has somebody look: who passes is asked, and nobody else.
    ask("office", "POST", f"{matter}/accept", json={})
    latest = (service.clock.now + datetime.timedelta(hours=1)).isoformat()
    looking = ask("office", "POST", f"{matter}/look", json={"latest": latest})
    (offer,) = ask("blue", "GET", "/v1/offers?wait_s=20")["offers"]
    assert ask("red", "GET", "/v1/offers")["offers"] == []
    assert offer["rider_id"] == "b1"
    service.keys["helper"] = key_by_page(service, "blue", "b1")
    task = looking["looks"][0]["task"]
    assert offer["after_stop_id"] == ""
    ask("helper", "POST", f"/v1/offers/{offer['offer_id']}/accept", json={})
    assert ask("blue", "GET", "/v1/riders/b1")["stops"] == [task, "b1-0"]
    ask("helper", "GET", f"/v1/offers/{offer['offer_id']}/statement", 409)
    service.clock.now += datetime.timedelta(minutes=5)
    seen = {"note": "a heap of it", "there": True}
    ask("helper", "POST", f"/v1/offers/{offer['offer_id']}/finish", json=seen)
    ask("office", "POST", f"/v1/tasks/{task}/verify", json={})

    # The time it took is certified, and checked without asking.
    given = ask("blue", "GET", f"/v1/offers/{offer['offer_id']}/statement")
    keys = service.client.get("/v1/statements/keys").json()
    now_s = service.clock.now.timestamp()
    time = read_statement(given["statement"], keys, "blue", "yilu", now_s)
    assert (time.task_id, time.rider_id) == (task, "b1")
    assert time.until_s == int(service.clock.now.timestamp())
    with pytest.raises(InputError, match="Audience"):
        read_statement(given["statement"], keys, "somebody else", "yilu", now_s)

    # The office acts, the reporter agrees, the board says so.
    ask("office", "POST", f"{matter}/start", json={})
    result = ask("office", "POST", "/v1/photos", 201, content=picture())["photo"]
    ask("office", "POST", f"{matter}/fix", json={"result": "swept", "photo": result})
    ask("r0", "POST", f"/v1/reports/{report['report_id']}/confirm", json={})
    (shown,) = service.client.get("/v1/board").json()["matters"]
    assert (shown["stage"], shown["result"], shown["photo"]) == ("closed", "swept", result)
    assert service.client.get(f"/v1/photos/{result}").headers["content-type"] == "image/jpeg"
    steps = [one["step"] for one in ask("r0", "GET", f"/v1/reports/{report['report_id']}")["steps"]]
    assert steps == [
        "matter_opened", "matter_accepted", "look_wanted", "looked", "work_started", "matter_fixed",
        "matter_closed",
    ]  # fmt: skip

    # Points are booked, and spent in another community; the same purchase twice counts once.
    before = ask("helper", "GET", "/v1/riders/me/points")
    made = [one for one in ask("blue", "GET", "/v1/events")["events"] if one["kind"] == "offer_made"]
    assert before["points"] == offer["points"] == made[0]["body"]["terms"]["points"]
    assert before["entries"][0]["about"] == task
    wanted = {"name": "rice-1", "item": "rice", "community": "South"}
    ask("helper", "POST", "/v1/riders/me/purchases", 201, json=wanted)
    ask("helper", "POST", "/v1/riders/me/purchases", 201, json=wanted)
    after = ask("helper", "GET", "/v1/riders/me/points")
    assert (after["points"], after["items"]) == (before["points"] - 5, [{"item": "rice", "pieces": 1}])
    assert service.client.get("/v1/catalogue").json()["items"][0]["left"] == 0
    refused = ask("helper", "POST", "/v1/riders/me/purchases", 409, json={**wanted, "name": "rice-2"})
    assert refused["code"] == "not_enough"
    # Whose report led to a fix has a bonus.
    reporter = ask("r0", "GET", "/v1/riders/me/points")
    assert [(one["kind"], one["about"]) for one in reporter["entries"]] == [("feedback", report["matter_id"])]
    score = ask("r0", "GET", "/v1/riders/me/score")
    assert score["score"] == reporter["points"]
    assert "led to a fix" in score["lines"][0]["text"]
    check_ledger(service)


def check_ledger(service: Service) -> None:
    with service.database.reading() as connection:
        assert set(ledger.sums(connection, SERVICE).values()) == {0}
        assert ledger.wrong_balances(connection, SERVICE) == []


def test_who_changes_platforms_keeps_points_and_nobody_has_less_than_none(service: Service) -> None:
    ask: Any = service.ask
    account = ask("r0", "GET", "/v1/riders/me/points")["account"]
    ask("office", "POST", "/v1/ledger/training", 201, json={"course": "aid", "account": account, "credit": 3})
    ask("office", "POST", "/v1/ledger/drills", 201, json={"drill": "flood", "account": account})
    ask("office", "POST", "/v1/ledger/drills", 201, json={"drill": "flood", "account": account})
    code = ask("r0", "POST", "/v1/riders/me/moving-code", 201)["code"]
    service.keys["new"] = service.key("blue", "b5")
    moved = ask("new", "POST", "/v1/riders/me/moved", json={"code": code})
    assert (moved["account"], moved["training"], moved["drills"]) == (account, 3, 1)
    ask("new", "POST", "/v1/riders/me/moved", 422, json={"code": code})
    other = ask("r9", "GET", "/v1/riders/me/points")["account"]
    refused = ask("new", "POST", "/v1/riders/me/time", 409, json={
        "name": "t1", "account": other, "time_s": 60
    })  # fmt: skip
    assert refused["code"] == "not_enough"
    ask("new", "POST", "/v1/riders/me/time", 422, json={"name": "t1", "account": account, "time_s": 60})
    ask("admin", "POST", "/v1/ledger/payouts", 409, json={"name": "p1", "account": account, "yuan": 0.5})
    entry = moved["entries"][-1]["key"]
    ask("admin", "POST", "/v1/ledger/corrections", 201, json={"key": entry, "note": "another person"})
    again = {"key": entry, "note": "again"}
    assert ask("admin", "POST", "/v1/ledger/corrections", 409, json=again)["code"] == "corrected"
    assert ask("new", "GET", "/v1/riders/me/points")["training"] == 0
    assert ask("blue", "GET", "/v1/riders/b5/score")["score"] == 5.0
    check_ledger(service)


def test_a_task_that_was_not_done_after_all_is_taken_back(service: Service) -> None:
    service.riders("red", "A")
    made = service.task("office")
    offer = made["offers"][0]["offer_id"]
    service.ask("red", "POST", f"/v1/offers/{offer}/accept", json={})
    service.ask("red", "POST", f"/v1/offers/{offer}/finish", json={})
    service.ask("office", "POST", f"/v1/tasks/{made['id']}/verify", json={})
    had = service.ask("r0", "GET", "/v1/riders/me/points")
    assert had["points"] > 0
    latest = (service.clock.now + datetime.timedelta(hours=1)).isoformat()
    service.ask(
        "office", "POST", f"/v1/tasks/{made['id']}/reopen", json={"reason": "still out", "latest": latest}
    )
    left = service.ask("r0", "GET", "/v1/riders/me/points")
    assert (left["points"], left["yuan"], left["time_s"]) == (0, 0.0, 0)
    assert [one["kind"] for one in left["entries"]] == ["correction", "task"]
    service.ask("r0", "GET", f"/v1/offers/{offer}/statement", 409)
    check_ledger(service)
