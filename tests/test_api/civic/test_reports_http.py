"""Street reports over HTTP: who is told what, what becomes of a report, and nobody learns who made it."""

import concurrent.futures
import datetime
import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from live_service import Service
from migrated import newest
from postgres import Cluster
from tiny_study import place

from api.civic.reports import codec
from api.store import SERVICE
from api.store.civic import matters as rows
from api.store.dispatch import events as stored
from routing.civic import fold_matter


def report(
    service: Service, who: str | None = "r0", expect: int = 201, letter: str = "B", **more: object
) -> Any:  # noqa: ANN401
    lon, lat = place(letter)
    body = {"kind": "appearance", "lon": lon, "lat": lat, "note": "rubbish before the gate", **more}
    if who is not None:
        return service.ask(who, "POST", "/v1/reports?datum=wgs84", expect, json=body)
    answer = service.client.post("/v1/reports?datum=wgs84", json=body)
    assert answer.status_code == expect, answer.text
    return answer.json()


def told(service: Service, made: Any) -> list[str]:  # noqa: ANN401
    answer = service.client.get(f"/v1/reports/{made['report_id']}", headers={"report-token": made["token"]})
    assert answer.status_code == 200, answer.text
    return [one["step"] for one in answer.json()["steps"]]


def board(service: Service, **params: Any) -> list[Any]:  # noqa: ANN401
    answer = service.client.get("/v1/board", params=params)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["matters"]
    return found


def later(service: Service, seconds: float) -> None:
    """Let time pass; the desk looks when it is asked for something."""
    service.clock.now += datetime.timedelta(seconds=seconds)
    service.task("bureau", f"tick-{service.clock.now.timestamp()}")


def test_a_report_goes_its_way_and_its_reporter_is_told_each_step(service: Service) -> None:
    made = report(service, None)
    assert (made["stage"], made["office"], made["joined"]) == ("reported", "bureau", False)
    matter = made["matter_id"]
    (shown,) = board(service)
    assert (shown["matter_id"], shown["stage"], shown["overdue"]) == (matter, "reported", False)
    assert service.ask("office", "GET", "/v1/matters")["matters"] == []
    (mine,) = service.ask("bureau", "GET", "/v1/matters")["matters"]
    assert (mine["people"], mine["reports"][0]["note"]) == (1, "rubbish before the gate")
    path = f"/v1/matters/{matter}"
    service.ask("office", "POST", f"{path}/accept", 404, json={})
    # Nobody of that name, and no office: a platform's tenant would never be asked.
    for unknown in ("nobody", "red"):
        asked = {"office": unknown, "reason": "your street"}
        assert "is not known" in service.ask("bureau", "POST", f"{path}/pass-on", 422, json=asked)["detail"]
    service.ask("bureau", "POST", f"{path}/pass-on", json={"office": "office", "reason": "your street"})
    assert [one["matter_id"] for one in service.ask("office", "GET", "/v1/matters")["matters"]] == [matter]
    assert service.ask("bureau", "GET", path)["office"] == "bureau"
    taken = service.ask("office", "POST", f"{path}/accept", json={})
    assert (taken["office"], taken["stage"], taken["asked"]) == ("office", "accepted", None)
    problem = service.ask("bureau", "POST", f"{path}/start", 404, json={})
    assert problem["title"]
    service.ask("office", "POST", f"{path}/start", json={})
    fixed = service.ask("office", "POST", f"{path}/fix", json={"result": "swept"})
    assert fixed["stage"] == "fixed"
    assert board(service)[0]["result"] == "swept"
    answer = service.client.post(
        f"/v1/reports/{made['report_id']}/dispute", headers={"report-token": made["token"]},
        json={"reason": "still there"},
    )  # fmt: skip
    assert answer.json()["stage"] == "accepted"
    service.ask("office", "POST", f"{path}/fix", json={"result": "swept again"})
    answer = service.client.post(
        f"/v1/reports/{made['report_id']}/confirm", headers={"report-token": made["token"]}, json={}
    )
    assert answer.json()["stage"] == "closed"
    assert told(service, made) == [
        "matter_opened", "handover_asked", "matter_accepted", "work_started", "matter_fixed",
        "matter_reopened", "matter_fixed", "matter_closed",
    ]  # fmt: skip
    with service.database.reading() as connection:
        row = rows.get(connection, SERVICE, matter)
        events = codec.matter_events_of(stored.of_task(connection, SERVICE, matter))
    assert row is not None
    assert fold_matter(event for _, event in events) == codec.matter_state_of(row.state)


def test_the_second_report_joins_and_both_are_told(service: Service) -> None:
    first = report(service, "r0")
    other = report(service, "blue", rider_id="r7", note="so much rubbish")
    assert (other["joined"], other["matter_id"]) == (True, first["matter_id"])
    assert report(service, "r0", kind="roads")["joined"] is False
    assert report(service, "r0", letter="J")["joined"] is False
    service.clock.now += datetime.timedelta(days=1, seconds=1)
    assert report(service, "r0")["joined"] is False
    service.ask("bureau", "POST", f"/v1/matters/{first['matter_id']}/accept", json={})
    for who, name in (("red", first["report_id"]), ("blue", other["report_id"])):
        heard = [
            one["body"]
            for one in service.ask(who, "GET", "/v1/events")["events"]
            if one["kind"] == "report_told" and one["body"]["report_id"] == name
        ]
        assert [one["step"] for one in heard][-1] == "matter_accepted"
    assert len(service.ask("r0", "GET", "/v1/reports")["reports"]) == 4
    assert [one["report_id"] for one in service.ask("blue", "GET", "/v1/reports")["reports"]] == [
        other["report_id"]
    ]
    service.ask("blue", "GET", f"/v1/reports/{first['report_id']}", 404)
    (mine,) = [
        one
        for one in service.ask("bureau", "GET", "/v1/matters")["matters"]
        if one["matter_id"] == first["matter_id"]
    ]
    assert (mine["people"], len(mine["reports"])) == (2, 2)


def test_nobody_learns_who_reported_it(service: Service) -> None:
    made = report(service, "r0", note="call 13800001234")
    with service.database.reading() as connection:
        (kept,) = connection.execute(sa.text("SELECT * FROM people")).mappings()
    person = next(value for value in kept.values() if str(value).startswith("p-"))
    everybody = json.dumps([board(service), service.client.get("/v1/board.geojson").json()])
    offices = json.dumps([service.ask("bureau", "GET", p) for p in ("/v1/matters", "/v1/events")])
    for word in ('"r0"', '"red"', person, made["report_id"], "13800001234"):
        assert word not in everybody
    for word in ('"r0"', '"red"', "reporter", person):
        assert word not in offices
    assert "13800001234" in offices
    (shown,) = board(service)
    assert datetime.datetime.fromisoformat(shown["reported"]).minute == 0
    service.clock.now += datetime.timedelta(minutes=17, seconds=5)
    report(service, "r0", letter="J")
    assert {datetime.datetime.fromisoformat(one["reported"]).second for one in board(service)} == {0}
    assert {datetime.datetime.fromisoformat(one["due"]).minute for one in board(service)} == {0}


def test_what_nobody_may_see_stays_off_the_board(service: Service) -> None:
    made = report(service, None, private="home")
    seen = report(service, None, letter="J")
    assert [one["matter_id"] for one in board(service)] == [seen["matter_id"]]
    path = f"/v1/matters/{made['matter_id']}"
    latest = (service.clock.now + datetime.timedelta(hours=1)).isoformat()
    refused = service.ask("bureau", "POST", f"{path}/look", 409, json={"latest": latest})
    assert (refused["code"], refused["status_now"]) == ("private", "reported")
    service.ask("bureau", "POST", f"{path}/show", json={})
    assert len(board(service)) == 2
    service.ask("bureau", "POST", f"/v1/matters/{seen['matter_id']}/hide", json={"reason": "minor"})
    assert [one["matter_id"] for one in board(service)] == [made["matter_id"]]


def test_what_is_overdue_goes_up_and_what_nobody_opposes_is_over(service: Service) -> None:
    made = report(service, None, kind="emergency")
    later(service, 2 * 3600 + 1)
    assert told(service, made) == ["matter_opened", "matter_escalated"]
    later(service, 86_400)
    assert told(service, made)[-1] == "matter_escalated"
    later(service, 5 * 86_400)
    steps = told(service, made)
    assert steps.count("matter_escalated") == 3
    assert board(service)[0]["level"] == 3
    assert board(service)[0]["overdue"]
    service.ask("bureau", "POST", f"/v1/matters/{made['matter_id']}/fix", json={"result": "done"})
    later(service, 3 * 86_400 + 1)
    assert told(service, made)[-1] == "matter_closed"
    later(service, 30 * 86_400)
    assert told(service, made)[-1] == "matter_closed"


def test_a_look_is_a_task_and_its_verification_moves_the_report_on(service: Service) -> None:
    service.riders("red", "A", "C")
    service.riders("blue", "F")
    made = report(service, "r0")
    path = f"/v1/matters/{made['matter_id']}"
    latest = (service.clock.now + datetime.timedelta(hours=1)).isoformat()
    looking = service.ask("bureau", "POST", f"{path}/look", json={"latest": latest})
    assert (looking["stage"], len(looking["looks"])) == ("looking", 1)
    task = service.ask("bureau", "GET", f"/v1/tasks/{looking['looks'][0]['task']}")
    assert len(task["offers"]) == 1
    # The nearest rider has reported it: another one is asked.
    assert service.ask("r0", "GET", "/v1/offers")["offers"] == []
    asked = {who: service.ask(who, "GET", "/v1/offers")["offers"] for who in ("red", "blue")}
    ((who, offer),) = [(who, one) for who, offers in asked.items() for one in offers]
    assert (who, offer["rider_id"]) != ("red", "r0")
    service.ask(who, "POST", f"/v1/offers/{offer['offer_id']}/accept", json={})
    service.ask(
        who, "POST", f"/v1/offers/{offer['offer_id']}/finish", json={"note": "nothing left", "there": False}
    )
    assert service.ask("bureau", "GET", f"/v1/tasks/{task['id']}")["offers"][0]["there"] is False
    service.ask("bureau", "POST", f"/v1/tasks/{task['id']}/verify", json={})
    seen = service.ask("bureau", "GET", path)
    assert (seen["stage"], seen["looks"][0]["there"]) == ("reported", False)
    assert told(service, made) == ["matter_opened", "look_wanted", "looked"]
    text = json.dumps(service.ask("bureau", "GET", "/v1/events"))
    assert "never" not in text
    assert "looker" not in text


def test_a_look_that_nobody_needs_any_more_is_called_off(service: Service) -> None:
    service.riders("red", "A")
    made = report(service, None)
    path = f"/v1/matters/{made['matter_id']}"
    latest = (service.clock.now + datetime.timedelta(hours=1)).isoformat()
    looking = service.ask("bureau", "POST", f"{path}/look", json={"latest": latest})
    service.ask("bureau", "POST", f"{path}/decline", json={"reason": "not ours to act"})
    assert service.ask("bureau", "GET", f"/v1/tasks/{looking['looks'][0]['task']}")["status"] == "withdrawn"
    assert told(service, made)[-2:] == ["look_missed", "matter_declined"]


def test_bad_reports_get_one_sentence(service: Service) -> None:
    assert "allowed are utilities" in report(service, None, 422, kind="graffiti")["detail"]
    assert "rider_id" in report(service, "red", 422)["detail"]
    assert "rider_id" in report(service, None, 422, rider_id="r0")["detail"]
    assert "no such photo" in report(service, None, 422, photo="nothing")["detail"]
    assert board(service) == []
    for _ in range(16):
        report(service, None)
    answer = service.client.post("/v1/reports?datum=wgs84", json={})
    assert answer.status_code in (422, 429)
    service.ask("admin", "PUT", "/v1/offices/nobody", 422, json={"title": "Nobody"})
    service.ask("office", "PUT", "/v1/offices/office", 403, json={"title": "Mine"})


def test_offices_are_asked_by_kind_and_place(service: Service) -> None:
    lon, lat = place("B")
    ring = [
        [lon - 0.0005, lat - 0.0005], [lon + 0.0005, lat - 0.0005], [lon + 0.0005, lat + 0.0005],
        [lon - 0.0005, lat + 0.0005], [lon - 0.0005, lat - 0.0005],
    ]  # fmt: skip
    area = {"type": "Polygon", "coordinates": [ring]}
    service.ask("admin", "PUT", "/v1/offices/office", json={"title": "Street Office", "area": area})
    service.ask("admin", "PUT", "/v1/offices/bureau", json={"title": "Roads", "kinds": ["roads"]})
    listed = service.client.get("/v1/offices").json()["offices"]
    assert {one["title"] for one in listed} == {"Street Office", "Roads"}
    assert report(service, None)["office"] == "Street Office"
    assert report(service, None, kind="roads", letter="J")["office"] == "Roads"
    refused = report(service, None, 422, letter="J")
    assert "no office of this city" in refused["detail"]
    twisted = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    service.ask("admin", "PUT", "/v1/offices/office", 422, json={"title": "Street Office", "area": twisted})
    # What the office's own staff tell is its own business first.
    assert report(service, "office", letter="J")["office"] == "Street Office"


def test_two_processes_open_one_matter_for_all_who_report_it_at_once(folder: Path, cluster: Cluster) -> None:
    first = Service(folder, newest(cluster))
    second = first.beside(folder)
    with first.client, second.client, concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: report((first, second)[n % 2], "red", rider_id=f"r{n}"), range(16)))
        assert len({one["matter_id"] for one in made}) == 1
        assert [one["joined"] for one in made].count(False) == 1
        (mine,) = second.ask("bureau", "GET", "/v1/matters")["matters"]
        assert (mine["people"], len(mine["reports"])) == (16, 16)
        # Two offices' words at once: one counts, the other is told that it came late.
        path = f"/v1/matters/{mine['matter_id']}/fix"
        told = list(
            pool.map(
                lambda n: (first, second)[n % 2].client.post(
                    path, json={"result": f"done {n}"},
                    headers={"authorization": f"Bearer {first.keys['bureau']}"},
                ).status_code,
                range(6),
            )
        )  # fmt: skip
        assert sorted(told) == [200, 409, 409, 409, 409, 409]
    first.database.close()
    second.database.close()
