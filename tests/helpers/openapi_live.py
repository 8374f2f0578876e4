"""One hour of the live service, call by call, as the examples of the OpenAPI document."""

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from loopback import served
from openapi_civic import civic_examples
from openapi_examples import NOON, at

from api.http.access.auth import open_access
from api.http.app import create_app
from api.settings import Settings
from api.store import SERVICE, Database, scope
from api.store.tables import jobs as jobs_table
from api.store.tables import secrets_table

Json = dict[str, Any]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the example of Standard Webhooks
STATEMENT_KEY = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
"""
"""The secret key of RFC 8037, appendix A.1."""
METRICS = re.compile(r"(# HELP )?yilu_(tasks|offers|riders)[ {]")
"""Figures that are the same every time."""

__all__ = ["live_examples"]


@contextmanager
def _service(folder: Path) -> Iterator[tuple[httpx2.Client, Database]]:
    settings = Settings(webhooks_private=True, studies=folder.parent / "studies")
    names = (f"k3v{number}" for number in itertools.count(1))
    app = create_app(folder, settings=settings, clock=lambda: NOON, ids=lambda: next(names))
    app.state.access = open_access(settings, folder, "127.0.0.1", NOON.timestamp(), dev=True)
    database = app.state.access.database
    with database.transaction() as connection:
        # The same words for the same numbers every time.
        statement = scope.insert(secrets_table, SERVICE, None)
        connection.execute(statement, {"name": "event numbers", "value": b"example" * 4})
        connection.execute(statement, {"name": "statement key", "value": STATEMENT_KEY})
    with served(app) as url, httpx2.Client(base_url=url, timeout=30) as client:
        yield client, database
    app.state.access.database.close()


def _stream(client: httpx2.Client, path: str, messages: int) -> str:
    text = ""
    with client.stream("GET", path) as answer:
        for piece in answer.iter_text():
            text += piece
            if text.count("\n\n") > messages:
                break
    return "\n\n".join(text.split("\n\n")[: messages + 1]) + "\n\n"


class _Recorder:
    """Makes calls and keeps what was sent and answered, by method and path as the document writes it."""

    def __init__(self, client: httpx2.Client, database: Database) -> None:
        self.client, self.database = client, database
        self.kept: dict[str, Json] = {}
        self.sent = 0

    def call(
        self,
        call: str,
        body: Json | None = None,
        query: str = "",
        headers: dict[str, str] | None = None,
        **names: str,
    ) -> Any:  # noqa: ANN401
        method, path = call.split()
        self.sent += 1
        more: Json = {"json": body} if "files" not in (body or {}) else _form(body or {})
        path = path.replace("{path:path}", "{path}").format(**names)
        sent = {"x-request-id": f"q-{self.sent}", **(headers or {})}
        answer = self.client.request(method, path + query, headers=sent, **more)
        answer.raise_for_status()
        kind = answer.headers.get("content-type", "").partition(";")[0] or None
        told = answer.json() if kind and kind.endswith("json") else answer.text or None
        self.keep(call, body, answer.status_code, kind if told is not None else None, told)
        return told

    def keep(self, call: str, body: Json | None, status: int, kind: str | None, told: object) -> None:
        one = {"request": body, "status": status, "media_type": kind, "response": told}
        self.kept.setdefault(call, one)


def live_examples(folder: Path) -> dict[str, Json]:
    """Return each call of the live service with an answer, in the order of a task's life.

    Parameters
    ----------
    folder : Path
        Of a finished study on the drawn town, without a database.
    """
    with _service(folder) as (client, database):
        made = _Recorder(client, database)
        _riders(made.call)
        task = _first_task(made.call)
        _second_task(made.call)
        other = _verified(made.call)
        events = made.call("GET /v1/events", query="?limit=3")["events"]
        told = _stream(client, f"/v1/events/stream?after={events[0]['seq']}", 2)
        made.keep("GET /v1/events/stream", None, 200, "text/event-stream", told)
        figures = client.get("/metrics").text.splitlines()
        shown = [line for line in figures if METRICS.match(line)]
        made.keep("GET /metrics", None, 200, "text/plain", "\n".join(shown) + "\n")
        made.call("POST /v1/tasks/{id}/reopen", {"reason": "still out", "latest": _at(60)}, id=task)
        _webhooks(made, events[0]["seq"])
        made.call("GET /v1/riders/{rider_id}/break", rider_id="r-17")
        made.call("POST /v1/stations/{station_id}/reports", {"says": "dirty"}, station_id="E01")
        made.call("POST /v1/stations/{station_id}/check-ins", {"rider_id": "r-17"}, station_id="E01")
        made.call("GET /v1/stations/visits")
        civic_examples(made.call, made.keep, client, database, other)
        _emergency(made.call)
        _studies(made, folder.parent / "studies", folder / "jobs")
        made.call("GET /v1/audit", query="?limit=3")
        made.call("DELETE /v1/riders/{rider_id}", rider_id="r-4")
        return made.kept


def _at(minutes: int) -> str:
    return NOON.replace(hour=12 + minutes // 60, minute=minutes % 60).isoformat()


def _riders(call: Callable[..., Any]) -> None:
    stop = {"stop_id": "order-88", **at("C"), "service_s": 60, "due": _at(10)}
    riders = [
        {"rider_id": "r-17", "at": _at(0), **at("A"), "stops": [stop], "worked_today_s": 7200},
        {"rider_id": "r-4", "at": _at(0), **at("J"), "stops": []},
        {"rider_id": "r-9", "at": _at(0), "lon": at("E")["lon"], "lat": at("E")["lat"] + 0.005, "stops": []},
    ]
    call("PUT /v1/riders", {"datum": "wgs84", "riders": riders})
    call("GET /v1/riders", query="?limit=2")
    call("GET /v1/riders/{rider_id}", rider_id="r-17")


def _task(letter: str, name: str) -> Json:
    return {
        "task_id": name,
        "place": {**at(letter), "service_s": 30, "latest": _at(30)},
        "kind": "furniture",
    }


def _first_task(call: Callable[..., Any]) -> str:
    task = call("POST /v1/tasks", _task("B", "lamp-7"), "?datum=wgs84")
    call("GET /v1/tasks", query="?status=offered")
    call("GET /v1/tasks/{id}", id=task["id"])
    (offer,) = call("GET /v1/offers", query="?wait_s=10")["offers"]
    call("GET /v1/offers/{offer_id}", **offer)
    call("POST /v1/offers/{offer_id}/accept", {}, **offer)
    call("POST /v1/offers/{offer_id}/start", {}, **offer)
    done = {"note": "The lamp is out, the pole stands.", "photo": "photo-8"}
    call("POST /v1/offers/{offer_id}/finish", done, **offer)
    call("POST /v1/tasks/{id}/verify", {"note": "thank you"}, id=task["id"])
    return str(task["id"])


def _verified(call: Callable[..., Any]) -> str:
    """Return the offer of a task that stays verified."""
    task = call("POST /v1/tasks", _task("G", "bench-4"), "?datum=wgs84")
    offer = task["offers"][0]
    call("POST /v1/offers/{offer_id}/accept", {}, **offer)
    call("POST /v1/offers/{offer_id}/finish", {}, **offer)
    call("POST /v1/tasks/{id}/verify", {}, id=task["id"])
    return str(offer["offer_id"])


def _second_task(call: Callable[..., Any]) -> None:
    task = call("POST /v1/tasks", _task("I", "bin-2"), "?datum=wgs84")
    offer = task["offers"][0]["offer_id"]
    call("POST /v1/offers/{offer_id}/accept", {}, offer_id=offer)
    call("POST /v1/offers/{offer_id}/return", {"reason": "flat tyre"}, offer_id=offer)
    call("POST /v1/tasks/{id}/withdraw", {"reason": "has been emptied"}, id=task["id"])
    other = call("POST /v1/tasks", _task("G", "sign-3"), "?datum=wgs84")
    offer = other["offers"][0]["offer_id"]
    call("POST /v1/offers/{offer_id}/decline", {"reason": "too far for me"}, offer_id=offer)
    call("PUT /v1/tasks/{id}", _task("H", "sign-3"), "?datum=wgs84", id=other["id"])


def _webhooks(made: _Recorder, mark: str) -> None:
    body = {"url": "https://blue.example/yilu", "kinds": ["offer_made", "offer_closed"]}
    hook = made.call("POST /v1/webhooks", body)
    made.kept["POST /v1/webhooks"]["response"] = {**hook, "secret": SECRET}
    made.call("GET /v1/webhooks")
    made.call("POST /v1/webhooks/{webhook_id}/replay", {"after": mark}, **hook)
    renewed = made.call("POST /v1/webhooks/{webhook_id}/secret", {"overlap_s": 86_400}, **hook)
    made.kept["POST /v1/webhooks/{webhook_id}/secret"]["response"] = {**renewed, "secret": SECRET}
    made.call("DELETE /v1/webhooks/{webhook_id}", **hook)


def _emergency(call: Callable[..., Any]) -> None:
    body = {"name": "cardiac-12", **at("D"), "people": 1, "policy": {"phase_riders": [2], "phase_wait_s": 45}}
    raised = call("POST /v1/emergencies", body, "?datum=wgs84")
    call("GET /v1/emergencies", query="?limit=10")
    first, second = call("GET /v1/alerts")["alerts"]
    call("GET /v1/alerts/{alert_id}", alert_id=first["alert_id"])
    call("POST /v1/alerts/{alert_id}/decline", {}, alert_id=second["alert_id"])
    call("POST /v1/alerts/{alert_id}/accept", {}, alert_id=first["alert_id"])
    call("POST /v1/alerts/{alert_id}/arrive", {}, alert_id=first["alert_id"])
    call("GET /v1/emergencies/{id}", id=raised["id"])
    call("GET /v1/city")
    call("POST /v1/emergencies/{id}/close", {"reason": "the ambulance is there"}, id=raised["id"])


STUDY = """
title = "Rest stations"
city = "Small town"
timezone = "Asia/Shanghai"
language = "en"
held_out_days = 1
[map]
file = "city.osm"
[synthetic]
riders = 12
days = 2
datum = "wgs84"
"""


def _form(body: Json) -> Json:
    """A form as it is written in the document, sent with the contents of its files."""
    contents = {"study.toml": STUDY.encode(), "city.osm": b"<osm/>"}
    files = [("files", (name, contents[name])) for name in body["files"]]
    return {"data": {name: value for name, value in body.items() if name != "files"}, "files": files}


def _studies(made: _Recorder, root: Path, jobs: Path) -> None:
    """A study that has run is put there as it would be: to run one takes minutes and the figures change."""
    there = root / "spring"
    there.mkdir(parents=True, exist_ok=True)
    (there / "study.toml").write_text(STUDY, encoding="utf-8")
    (there / "city.osm").write_text("<osm/>", encoding="utf-8")
    call = made.call
    first = call("POST /v1/studies", {"name": "spring", "folder": "spring", "start": False})["study_id"]
    sent = {"name": "summer", "start": "false", "files": ["study.toml", "city.osm"]}
    second = call("POST /v1/studies/upload", sent)["study_id"]
    ran = {"state": "done", "started_s": NOON.timestamp() - 90, "ended_s": NOON.timestamp() - 5}
    _set(made.database, first, **ran)
    out = jobs / first / "out"
    out.mkdir(parents=True)
    (out / "map.html").write_text("<!doctype html>", encoding="utf-8")
    call("GET /v1/studies")
    call("GET /v1/studies/shown")
    call("GET /v1/studies/{study_id}", study_id=first)
    told = _stream(made.client, f"/v1/studies/{first}/stream", 1)
    made.keep("GET /v1/studies/{study_id}/stream", None, 200, "text/event-stream", told)
    call("GET /v1/studies/{study_id}/files", study_id=first)
    call("GET /v1/studies/{study_id}/files/{path}", study_id=first, path="map.html")
    call("POST /v1/studies/{study_id}/publish", {"name": "spring"}, study_id=first)
    _set(made.database, second, state="running")
    call("POST /v1/studies/{study_id}/cancel", study_id=second)
    call("DELETE /v1/studies/{study_id}", study_id=second)
    _set(made.database, first, state="cancelled")
    call("POST /v1/studies/{study_id}/start", study_id=first)


def _set(database: Database, study_id: str, **values: object) -> None:
    with database.transaction() as connection:
        statement = scope.update(jobs_table, SERVICE).where(jobs_table.c.job_id == study_id)
        connection.execute(statement.values(**values))
