"""Who may do what: each role on each address, of its own tenant and of others; and nobody learns of others.

A route without a row fails. `a` allowed, `1` no key (401), `3` not with this role (403), `4` not there (404).
"""

import io
import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from live_service import Service, said_of
from PIL import Image
from tiny_map import write_city
from tiny_study import place, write_study

from api.http.pages.frame.route import PageRoute
from api.jobs.runner import out_folder
from api.store import SERVICE, jobs

ROLES = ("nobody", "red", "blue", "office", "bureau", "grid", "grid2", "r0", "r9", "admin")
"""No key; platform asked, another; its office, another; staff of its grid, another; rider, another; admin."""
TABLE = {
    "GET /docs": "aaaaaaaaaa",
    "GET /openapi.json": "aaaaaaaaaa",
    "GET /": "aaaaaaaaaa",
    "GET /healthz": "aaaaaaaaaa",
    "GET /readyz": "aaaaaaaaaa",
    "GET /metrics": "133333333a",
    "GET /map": "aaaaaaaaaa",
    # This study has none.
    "GET /match-map": "4444444444",
    "GET /problems": "aaaaaaaaaa",
    "GET /reports/{form}": "aaaaaaaaaa",
    "GET /layers/sites.{form}": "aaaaaaaaaa",
    "GET /layers/edits.{form}": "aaaaaaaaaa",
    "GET /v1/grids": "aaaaaaaaaa",
    "GET /v1/meetings": "aaaaaaaaaa",
    "GET /v1/blind-spots": "aaaaaaaaaa",
    "GET /v1/stations/nearest": "aaaaaaaaaa",
    "GET /v1/stations/break": "aaaaaaaaaa",
    "GET /v1/stations/{station_id}": "aaaaaaaaaa",
    "GET /v1/stations/{station_id}/qr.svg": "aaaaaaaaaa",
    "GET /v1/stations/visits": "133aa3333a",
    "POST /v1/stations/{station_id}/reports": "1aaaaaaaaa",
    "POST /v1/stations/{station_id}/check-ins": "1aa3333aaa",
    "GET /stations/{station_id}": "aaaaaaaaaa",
    "GET /stations/{station_id}/poster": "aaaaaaaaaa",
    # What a study publishes, for a GIS; a key changes nothing yet.
    "GET /ogc": "aaaaaaaaaa",
    "GET /ogc/": "aaaaaaaaaa",
    "GET /ogc/conformance": "aaaaaaaaaa",
    "GET /ogc/api": "aaaaaaaaaa",
    "GET /ogc/collections": "aaaaaaaaaa",
    "GET /ogc/collections/{name}": "aaaaaaaaaa",
    "GET /ogc/collections/{name}/queryables": "aaaaaaaaaa",
    "GET /ogc/collections/{name}/items": "aaaaaaaaaa",
    "GET /ogc/collections/{name}/items/": "aaaaaaaaaa",
    "GET /ogc/collections/{name}/items/{feature_id:path}": "aaaaaaaaaa",
    "POST /v1/matches": "1aaaaaa33a",
    "POST /v1/alerts": "1aaaaaa33a",
    "POST /v1/slots": "1aaaaaa33a",
    "POST /v1/vroom": "1aaaaaa33a",
    "GET /v1/riders": "1aa333333a",
    "PUT /v1/riders": "1aa333333a",
    "GET /v1/riders/{rider_id}": "1a43333334",
    "GET /v1/riders/{rider_id}/break": "1a43333a44",
    "DELETE /v1/riders/{rider_id}": "1a43333334",
    "GET /v1/tasks": "1aaaaaa33a",
    "POST /v1/tasks": "1aaaaa433a",
    "GET /v1/tasks/{id}": "144a4a433a",
    "PUT /v1/tasks/{id}": "144a4a433a",
    "POST /v1/tasks/{id}/verify": "144a4a433a",
    "POST /v1/tasks/{id}/reopen": "144a4a433a",
    "POST /v1/tasks/{id}/withdraw": "144a4a433a",
    "GET /v1/offers": "1aa3333aaa",
    "GET /v1/offers/{offer_id}": "1a43333a4a",
    "POST /v1/offers/{offer_id}/accept": "1a43333a4a",
    "POST /v1/offers/{offer_id}/start": "1a43333a4a",
    "POST /v1/offers/{offer_id}/finish": "1a43333a4a",
    "POST /v1/offers/{offer_id}/return": "1a43333a4a",
    "POST /v1/offers/{offer_id}/decline": "1a43333a4a",
    "GET /v1/events": "1aaaaaaaaa",
    "GET /v1/events/stream": "1aaaaaaaaa",
    "GET /v1/webhooks": "1aaaa3333a",
    "POST /v1/webhooks": "1aaaa3333a",
    "POST /v1/webhooks/{webhook_id}/replay": "144a43333a",
    "POST /v1/webhooks/{webhook_id}/secret": "144a43333a",
    # Its owner has removed it when the admin comes.
    "DELETE /v1/webhooks/{webhook_id}": "144a433334",
    "GET /v1/audit": "133333333a",
    "GET /v1/city": "1aaaaaaaaa",
    "GET /v1/emergencies": "133aaaa33a",
    "POST /v1/emergencies": "133aaaa33a",
    "GET /v1/emergencies/{id}": "133a4a433a",
    "GET /v1/alerts": "1aa3333aaa",
    "GET /v1/alerts/{alert_id}": "1a43333a4a",
    "POST /v1/alerts/{alert_id}/accept": "1a43333a4a",
    "POST /v1/alerts/{alert_id}/arrive": "1a43333a4a",
    "POST /v1/alerts/{alert_id}/decline": "1a43333a4a",
    "POST /v1/emergencies/{id}/close": "133a4a433a",
    "GET /v1/studies": "133aa3333a",
    "GET /v1/studies/shown": "aaaaaaaaaa",
    "POST /v1/studies": "133aa3333a",
    "POST /v1/studies/upload": "133aa3333a",
    "GET /v1/studies/{study_id}": "133a43333a",
    "GET /v1/studies/{study_id}/stream": "133a43333a",
    "GET /v1/studies/{study_id}/files": "133a43333a",
    "GET /v1/studies/{study_id}/files/{path:path}": "133a43333a",
    "POST /v1/studies/{study_id}/publish": "133a43333a",
    "POST /v1/studies/{study_id}/start": "133a43333a",
    "POST /v1/studies/{study_id}/cancel": "133a43333a",
    # Its owner has removed it when the admin comes.
    "DELETE /v1/studies/{study_id}": "133a433334",
    "GET /v1/report-kinds": "aaaaaaaaaa",
    "GET /v1/reports": "1aa3333aaa",
    # A platform has to say for whom of its riders.
    "POST /v1/reports": "a22aaaaaaa",
    "GET /v1/reports/{id}": "4a44444a4a",
    "POST /v1/reports/{id}/confirm": "4a44444a4a",
    "POST /v1/reports/{id}/dispute": "4a44444a4a",
    "POST /v1/photos": "2222222222",
    "GET /v1/photos/{id}": "444a44444a",
    "GET /v1/board": "aaaaaaaaaa",
    "GET /v1/board.geojson": "aaaaaaaaaa",
    "GET /v1/offices": "aaaaaaaaaa",
    "PUT /v1/offices/{office}": "133333333a",
    "GET /v1/matters": "133aaaa33a",
    "GET /v1/matters/{id}": "133a44433a",
    "POST /v1/matters/{id}/accept": "133a44433a",
    "POST /v1/matters/{id}/pass-on": "133a44433a",
    "POST /v1/matters/{id}/refuse": "133a44433a",
    "POST /v1/matters/{id}/look": "133a44433a",
    "POST /v1/matters/{id}/start": "133a44433a",
    "POST /v1/matters/{id}/fix": "133a44433a",
    "POST /v1/matters/{id}/decline": "133a44433a",
    "POST /v1/matters/{id}/hide": "133a44433a",
    "POST /v1/matters/{id}/show": "133a44433a",
    # An admin is nobody's rider.
    "GET /v1/riders/me/points": "1333333aa2",
    "GET /v1/riders/me/score": "1333333aa2",
    "GET /v1/riders/{rider_id}/score": "1aa333333a",
    "POST /v1/riders/me/purchases": "1333333442",
    "POST /v1/riders/me/time": "1333333222",
    "POST /v1/riders/me/moving-code": "1333333aa2",
    "POST /v1/riders/me/moved": "1333333222",
    # The task is not verified.
    "GET /v1/offers/{offer_id}/statement": "1a43333a4a",
    "GET /v1/statements/keys": "aaaaaaaaaa",
    "GET /v1/catalogue": "aaaaaaaaaa",
    "GET /v1/overrides": "aaaaaaaaaa",
    "POST /v1/overrides": "133aaaa33a",
    "PUT /v1/catalogue/{item}": "133a43333a",
    "POST /v1/catalogue/{item}/stock": "133a43333a",
    "POST /v1/ledger/training": "1332233332",
    "POST /v1/ledger/drills": "1332233332",
    "POST /v1/ledger/payouts": "1333333332",
    "POST /v1/ledger/corrections": "133333333a",
    # Apps of others: whoever may read the board.
    "GET /open311/v2/services.{form}": "aaaaaaaaaa",
    "GET /open311/v2/services/{code}.{form}": "aaaaaaaaaa",
    "GET /open311/v2/requests.{form}": "aaaaaaaaaa",
    "POST /open311/v2/requests.{form}": "aaaaaaaaaa",
    "GET /open311/v2/requests/{request_id}.{form}": "aaaaaaaaaa",
    "GET /open311/v2/servicerequestupdates.{form}": "aaaaaaaaaa",
    "POST /open311/v2/servicerequestupdates.{form}": "4444444444",
    "GET /open311/v2/tokens/{token}.{form}": "aaaaaaaaaa",
}
# What a study shows under a name it shows to the same readers as the one without.
ONE_STUDY = {
    "/healthz", "/readyz", "/metrics", "/map", "/match-map", "/problems", "/reports/{form}", "/", "/v1/grids",
    "/v1/meetings", "/v1/blind-spots", "/layers/sites.{form}", "/layers/edits.{form}",
    "/v1/stations/nearest", "/v1/matches", "/v1/alerts", "/v1/slots", "/v1/vroom",
}  # fmt: skip
TABLE |= {
    f"{method} /s/{{study}}{path}": row
    for (method, _, path), row in ((call.partition(" "), row) for call, row in TABLE.items())
    if path.startswith(("/ogc", "/stations", "/v1/stations"))
    or (path in ONE_STUDY and (method, path) != ("GET", "/v1/alerts"))
}
STUDY = """
title = "Small town"
city = "Town"
timezone = "Asia/Shanghai"
language = "en"
seed = 3
held_out_days = 1
[map]
file = "city.osm"
[synthetic]
riders = 12
days = 2
datum = "gcj02"
"""
STATUS = {"2": {422}, "1": {401}, "3": {403}, "4": {404}, "a": {200, 201, 204, 302, 307, 409}}
LABEL, RIDER = "label-of-the-office", "r0"


def routes_of(routes: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    for route in routes:
        if isinstance(route, PageRoute):
            continue
        if isinstance(route, APIRoute) or hasattr(route, "methods"):
            for method in sorted((route.methods or {"GET"}) - {"HEAD", "OPTIONS"}):
                yield method, route.path
        elif hasattr(route, "original_router"):
            for method, path in routes_of(route.original_router.routes):
                yield method, route.include_context.prefix + path


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("matrix")
    url = f"sqlite:///{folder / 'yilu.db'}"
    for tenant in ("office", "bureau"):
        mine = folder / "studies" / tenant / "spring"
        mine.mkdir(parents=True)
        (mine / "study.toml").write_text(STUDY, encoding="utf-8")
        write_city(mine / "city.osm")
    made = Service(
        write_study(folder / "out"), url, webhooks_private=True,
        studies=folder / "studies", jobs_dir=folder / "jobs", open_burst=1_000,
    )  # fmt: skip
    with made.client:
        yield made


def send(service: Service, who: str, call: str, names: dict[str, str], **more: Any) -> Any:  # noqa: ANN401
    method, _, path = call.partition(" ")
    headers = {} if who == "nobody" else {"authorization": f"Bearer {service.keys[who]}"}
    form = "geojson" if "layers" in path else "json" if "open311" in path else "docx"
    fixed = {"form": form, "path": "map.html", "station_id": "E01", "name": "stations", "feature_id": "E01"}
    called = {**fixed, **names, **more.pop("names", {})}
    if path.startswith("/v1/emergencies"):
        called["id"] = called["emergency_id"]
    if path.startswith("/v1/studies"):
        # Each study is in the state in which the call would do something.
        called["study_id"] = called.get(path.rpartition("/")[2], called["study_id"])
        if method == "DELETE":
            called["study_id"] = called["gone_id"]
    named = {"/v1/matters": "matter_id", "/v1/reports": "report_id", "/v1/photos": "photo"}
    own = next((name for start, name in named.items() if path.startswith(start)), "id")
    called["id"] = called[own]
    path = path.replace(":path}", "}").format(**called)
    return service.client.request(method, path, headers=headers, follow_redirects=False, **more)


def body_of(service: Service, who: str, call: str) -> dict[str, Any]:
    """What each call is sent: good enough that only the key is in the way."""
    lon, lat = place("B")
    there, now = {"lon": lon, "lat": lat}, service.clock.now.isoformat()
    rider = {"rider_id": "r8", "at": now, **there}
    task = {"task_id": LABEL, "place": there, "kind": "hazard", "grid_code": "G1"}
    one = {"datum": "wgs84", "now": now, "riders": [{"rider_id": "r8", **there, "stops": []}]}
    plain = {"task_id": "t", "place": there, "kind": "first_response"}
    hours = [{"earliest": now, "latest": now}]
    bodies: dict[str, Any] = {
        "PUT /v1/riders": {"datum": "wgs84", "riders": [rider]},
        "POST /v1/tasks": {**task, "task_id": f"mine-of-{who}"},
        "PUT /v1/tasks/{id}": task,
        "POST /v1/tasks/{id}/reopen": {"reason": "again", "latest": now},
        "POST /v1/webhooks": {"url": "http://127.0.0.1:9/x"},
        "POST /v1/matches": {**one, "tasks": [plain]},
        "POST /v1/alerts": {**one, "task": plain},
        "POST /v1/slots": {**one, "task": plain, "windows": hours},
        "POST /v1/vroom": {
            "vehicles": [{"id": 1, "start": [lon, lat]}],
            "jobs": [{"id": 1, "location": [lon, lat]}],
        },
    }
    spring = "office/spring" if who == "admin" else "spring"
    bodies |= {
        "POST /v1/emergencies": {"name": f"mine-of-{who}", **there, "policy": {"phase_riders": [1]}},
        "POST /v1/studies": {"name": f"spring-{who}", "folder": spring, "start": False},
        "POST /v1/studies/{study_id}/publish": {"name": "town"},
    }  # fmt: skip
    bodies |= {
        "POST /v1/reports": {"kind": "appearance", **there},
        "POST /v1/reports/{id}/dispute": {"reason": "still there"},
        "PUT /v1/offices/{office}": {"title": "Street office"},
        "POST /v1/matters/{id}/pass-on": {"office": "office", "reason": "theirs"},
        "POST /v1/matters/{id}/refuse": {"reason": "not ours"},
        "POST /v1/matters/{id}/decline": {"reason": "not ours"},
        "POST /v1/matters/{id}/look": {"latest": now},
        "POST /v1/matters/{id}/fix": {"result": "done"},
        "POST /v1/matters/{id}/hide": {"reason": "home"},
        "POST /v1/overrides": {"thing": "street", "says": "open", **there},
        "POST /v1/riders/me/purchases": {"name": "n", "item": "nothing", "community": "North"},
        "POST /v1/riders/me/time": {"name": "n", "account": "p-nobody", "time_s": 60},
        "POST /v1/riders/me/moved": {"code": "none"},
        "PUT /v1/catalogue/{item}": {"sort": "goods", "title": "Rice", "points": 5},
        "POST /v1/catalogue/{item}/stock": {"name": "n", "pieces": 1},
        "POST /v1/ledger/training": {"course": "c", "account": "p-nobody", "credit": 1},
        "POST /v1/ledger/drills": {"drill": "d", "account": "p-nobody"},
        "POST /v1/ledger/payouts": {"name": "n", "account": "p-nobody", "yuan": 1.0},
        "POST /v1/ledger/corrections": {"key": "none", "note": "wrong"},
    }
    placed = ("reports", "overrides", "emergencies", "tasks", "PUT /v1/tasks/{id}")
    query: dict[str, Any] = {"datum": "wgs84"} if call.removeprefix("POST /v1/") in placed else {}
    if who in {"red", "blue", "admin"}:
        bodies["POST /v1/stations/{station_id}/check-ins"] = {"rider_id": "r7"}
    speaks_for = {"rider_id": "r7"} if who in {"red", "blue"} else {}
    bodies["POST /v1/stations/{station_id}/reports"] = {"says": "fine", **speaks_for}
    if call.endswith(("/v1/stations/nearest", "/v1/stations/break")):
        query = {**there, "datum": "wgs84"}
    sent: dict[str, Any] = {"params": query}
    if call == "POST /v1/studies/upload":
        files = [("files", ("study.toml", STUDY.encode())), ("files", ("city.osm", b"<osm/>"))]
        return {"data": {"name": f"sent-{who}", "start": "false"}, "files": files}
    if call.startswith("POST /open311"):
        told = {"service_request_id": "none", "status": "fixed", "lat": str(lat), "long": str(lon)}
        sent["data"] = {"service_code": "appearance", **told}
    elif not call.startswith(("GET", "DELETE")):
        sent["json"] = bodies.get(call.replace("/s/{study}", ""), {})
    return sent


@pytest.fixture(scope="module")
def names(service: Service) -> dict[str, str]:
    """What there is to reach: red's rider is asked for the office's task; the office has a webhook."""
    service.riders("red", "A")
    task = service.task("office", LABEL, task={"grid_code": "G1"})
    (offer,) = service.ask("red", "GET", "/v1/offers")["offers"]
    hook = service.ask("office", "POST", "/v1/webhooks", 201, json={"url": "http://127.0.0.1:9/x"})
    lon, lat = place("B")
    raised = {"name": LABEL, "lon": lon, "lat": lat, "grid_code": "G1", "policy": {"phase_riders": [1]}}
    emergency = service.ask("office", "POST", "/v1/emergencies?datum=wgs84", 201, json=raised)
    (alert,) = service.ask("red", "GET", "/v1/alerts")["alerts"]
    service.ask("admin", "PUT", "/v1/offices/office", json={"title": "Street office"})
    service.ask("office", "PUT", "/v1/catalogue/rice", json={"sort": "goods", "title": "Rice", "points": 5})
    picture = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(picture, "PNG")
    photo = service.ask("r0", "POST", "/v1/photos", 201, content=picture.getvalue())["photo"]
    told = {"kind": "roads", "lon": lon, "lat": lat, "photo": photo}
    report = service.ask("r0", "POST", "/v1/reports?datum=wgs84", 201, json=told)
    return {
        "matter_id": report["matter_id"], "report_id": report["report_id"], "photo": photo,
        "office": "office", "item": "rice", "code": "roads", "request_id": report["matter_id"],
        "token": report["report_id"],
        "id": task["id"], "offer_id": offer["offer_id"], "rider_id": RIDER, "webhook_id": hook["webhook_id"],
        "secret": hook["secret"], "emergency_id": emergency["id"], "alert_id": alert["alert_id"],
        **studies_of(service),
    }  # fmt: skip


def studies_of(service: Service) -> dict[str, str]:
    """Studies of the office: one that is done and shown, and one in each state that a call needs."""
    states = {"study_id": "done", "start": "running", "cancel": "registered", "gone_id": "registered"}
    names = {}
    with service.database.transaction() as connection:
        for name, state in states.items():
            names[name] = f"study-{name}"
            params = {"source": "upload", "title": LABEL, "city": "Town"}
            job = jobs.Job(names[name], "office", name, "study", state, None, params, 0.0)  # type: ignore[arg-type]
            jobs.add(connection, SERVICE, job)
    settings = service.app.state.settings
    shutil.copytree(service.app.state.served.folder, out_folder(settings.jobs_dir, names["study_id"]))
    service.ask("office", "POST", f"/v1/studies/{names['study_id']}/publish", json={"name": "town"})
    return {**names, "study": "town"}


def test_every_route_has_a_row(service: Service) -> None:
    # Pages have a matrix of their own; what they load is the same for everybody.
    loaded = {"GET /pages/static/{digest}/{name}", "GET /pages/base.json"}
    assert {f"{method} {path}" for method, path in routes_of(service.app.routes)} - loaded == set(TABLE)


OF_OFFICES = {
    "POST /v1/reports",
    "GET /v1/board",
    "GET /v1/board.geojson",
    "GET /v1/offices",
    "GET /v1/catalogue",
    "GET /v1/reports",
}
OTHERS = (
    "id", "offer_id", "webhook_id", "emergency_id", "alert_id", "study_id", "cancel", "report_id", "photo",
)  # fmt: skip
FORBIDDEN = dict.fromkeys(("blue", "bureau", "grid2", "r9"), OTHERS)


def leaks(who: str, text: str, names: dict[str, str]) -> set[str]:
    """Words of others in an answer."""
    words = {names[name] for name in FORBIDDEN.get(who, ())} | {names["secret"]}
    if who in FORBIDDEN:
        words |= {LABEL, "office" if who != "grid2" else names["id"]}
    if who not in {"red", "r0", "admin", "blue", "r9"}:
        words |= {f'"{RIDER}"', '"red"'}
    return {word for word in words if word in text}


# Those who may not come first: what they try changes nothing.
ORDER = ("nobody", "blue", "bureau", "grid2", "r9", "grid", "r0", "red", "office", "admin")


@pytest.mark.parametrize("call", TABLE)
def test_the_matrix(service: Service, names: dict[str, str], call: str) -> None:
    wrong = {}
    for who in ORDER:
        expected = TABLE[call][ROLES.index(who)]
        if call.endswith("/stream") and expected == "a":
            continue
        answer = send(service, who, call, names, **body_of(service, who, call))
        if answer.status_code not in STATUS[expected]:
            wrong[who] = (expected, answer.status_code, answer.text[:200])
        told = answer.text
        if answer.headers.get("content-type", "").startswith("application/problem"):
            # What was asked for is repeated; nothing else may tell of it.
            told = json.dumps({k: v for k, v in answer.json().items() if k != "instance"})
        # The document speaks of offices and riders in general; offices that take reports are known to all.
        public = call in OF_OFFICES or "open311" in call or call.endswith(("/ogc/api", "/ogc/collections"))
        known = {"office"} if public else set()
        # The token of a report is what was asked with.
        known |= {names["token"]} if "{token}" in call else set()
        found = leaks(who, told, names) - known
        found = set() if call == "GET /openapi.json" else found
        assert not found, (who, call, found)
    assert wrong == {}


def test_numbers_of_events_tell_nothing_of_others(service: Service, names: dict[str, str]) -> None:
    mine = [one["seq"] for one in service.ask("red", "GET", "/v1/events")["events"]]
    theirs = [one["seq"] for one in service.ask("office", "GET", "/v1/events")["events"]]
    assert mine
    assert theirs
    assert not set(mine) & set(theirs)
    for seq in mine:
        service.ask("office", "GET", "/v1/events", 422, params={"after": seq})
    # Reading on from each of one's own gives exactly the rest.
    for n, seq in enumerate(theirs):
        rest = service.ask("office", "GET", "/v1/events", params={"after": seq})["events"]
        assert [one["seq"] for one in rest] == theirs[n + 1 :]
    assert not any(one.isdecimal() for one in itertools.chain(mine, theirs))


def test_one_answer_for_what_is_not_ones_own_and_for_what_is_not_there(
    service: Service, names: dict[str, str]
) -> None:
    """Not the least difference tells that there is something."""
    # What the table has as gone for the admin is gone, whichever calls this process has made before.
    for who, call in (
        ("red", "DELETE /v1/riders/{rider_id}"),
        ("office", "DELETE /v1/webhooks/{webhook_id}"),
        ("admin", "DELETE /v1/studies/{study_id}"),
    ):
        assert send(service, who, call, names).status_code in (204, 404)
    # Everybody may read a catalogue: whose its items are is no secret.
    hidden = {call: row for call, row in TABLE.items() if call != "PUT /v1/catalogue/{item}"}
    for call in (call for call, row in hidden.items() if "4" in row and "{" in call):
        for who in (role for role, sign in zip(ROLES, TABLE[call], strict=True) if sign == "4"):
            sent = body_of(service, who, call)
            real = send(service, who, call, names, **sent)
            made_up = {**dict.fromkeys(names, "0" * 24 + "-1"), "study": names["study"]}
            none = send(service, who, call, made_up, **sent)
            assert real.status_code == none.status_code == 404, (who, call)
            assert said_of(real, names) == said_of(none, made_up), (who, call)


def test_every_command_is_on_record_and_refused_ones_too(service: Service, names: dict[str, str]) -> None:
    service.ask("blue", "POST", f"/v1/tasks/{names['id']}/verify", 404, json={})
    service.ask("r9", "GET", "/v1/tasks", 403)
    page = service.ask("admin", "GET", "/v1/audit", params={"limit": 1000})
    acts = page["acts"]
    done = {(one["action"], one["outcome"]) for one in acts}
    assert ("task.publish", "done") in done
    assert ("webhook.add", "done") in done
    assert ("task.verify", "not_found") in done
    assert ("GET /v1/tasks", "forbidden") in done
    published = next(
        one for one in reversed(acts) if one["action"] == "task.publish" and one["outcome"] == "done"
    )
    assert (published["tenant_id"], published["object_id"]) == ("office", names["id"])
    assert published["key_id"]
    assert published["request_id"]
    seen: list[Any] = []
    cursor = None
    for _ in range(len(acts)):
        more = {"limit": 7} | ({"after": cursor} if cursor else {})
        part = service.ask("admin", "GET", "/v1/audit", params=more)
        seen += part["acts"]
        cursor = part["next"]
        if cursor is None:
            break
    assert seen[-len(acts) :] == acts[-len(seen) :]


def test_keys_that_are_not_good_are_limited_by_address(tmp_path: Path) -> None:
    made = Service(write_study(tmp_path / "out"), f"sqlite:///{tmp_path / 'yilu.db'}")
    with made.client as client:
        statuses = [
            client.get("/v1/tasks", headers={"authorization": f"Bearer yl_{n:012d}_{'A' * 43}"}).status_code
            for n in range(40)
        ]
        assert set(statuses[:30]) == {401}
        assert 429 in statuses[30:]
        made.database.close()
