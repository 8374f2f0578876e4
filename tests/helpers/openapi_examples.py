"""The examples of the OpenAPI document, as the service answers them on the drawn town.

``PYTHONPATH=.:tests/helpers python tests/helpers/openapi_examples.py`` writes them anew after a change.
"""

import datetime
import json
import tempfile
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from tiny_study import place, write_study

from api.http.app import create_app
from api.http.openapi import EXAMPLES, LIVE
from api.settings import Settings

FOLDER = Path(__file__).resolve().parents[2] / "api" / "http" / "openapi" / "examples"
NOON = datetime.datetime(2026, 3, 4, 12, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
Json = dict[str, Any]

__all__ = ["FOLDER", "NOON", "REQUESTS", "answer", "at"]


def at(letter: str) -> Json:
    """Longitude and latitude of a letter of the drawn town."""
    lon, lat = place(letter)
    return {"lon": round(lon, 6), "lat": round(lat, 6)}


def _place(letter: str) -> list[float]:
    return list(at(letter).values())


_HEAD = {"datum": "wgs84", "now": "2026-03-04T12:00:00+08:00"}
_STOP = {"stop_id": "order-88", **at("C"), "service_s": 60, "due": "2026-03-04T12:10:00+08:00"}
_RIDERS = [{"rider_id": "r-17", **at("A"), "stops": [_STOP]}, {"rider_id": "r-4", **at("J")}]
_TASK = {"task_id": "t-3", "place": {**at("B"), "service_s": 30}, "kind": "visit"}

REQUESTS: dict[str, Json] = {
    "health": {},
    "ready": {},
    "grids": {},
    "meetings": {},
    "blind-spots": {},
    "nearest": {**at("F"), "datum": "wgs84"},
    "break": {
        **at("F"),
        "datum": "wgs84",
        "working_since": "2026-03-04T08:30:00+08:00",
        **{f"next_{name}": value for name, value in at("I").items()},
    },
    "station": {"datum": "wgs84"},
    "matches": {
        **_HEAD,
        "riders": _RIDERS,
        "tasks": [
            _TASK,
            {"task_id": "t-4", "place": at("H"), "skills": ["first_aid"], "kind": "first_response"},
        ],
    },
    "alerts": {
        **_HEAD,
        "riders": _RIDERS,
        "task": {"task_id": "e-1", "place": {**at("D"), "service_s": 600}, "kind": "first_response"},
    },
    "slots": {
        **_HEAD,
        "riders": _RIDERS,
        "task": _TASK,
        "windows": [
            {"earliest": "2026-03-04T12:00:00+08:00", "latest": "2026-03-04T12:15:00+08:00"},
            {"earliest": "2026-03-04T14:00:00+08:00", "latest": "2026-03-04T14:15:00+08:00"},
        ],
    },
    "vroom": {
        "vehicles": [
            {
                "id": 1,
                "profile": "ebike",
                "start": _place("A"),
                "end": _place("A"),
                "capacity": [4],
                "time_window": [28800, 43200],
                "steps": [{"type": "start"}, {"type": "job", "id": 14}, {"type": "end"}],
            }
        ],
        "jobs": [
            {"id": 14, "location": _place("C"), "service": 120, "delivery": [2]},
            {"id": 15, "location": _place("X"), "service": 60, "delivery": [1]},
        ],
        "shipments": [
            {
                "pickup": {"id": 4, "location": _place("H"), "service": 60},
                "delivery": {"id": 4, "location": _place("F"), "service": 60},
                "amount": [1],
            }
        ],
    },
}


def answer(client: TestClient, method: str, path: str) -> Json:
    """Return the example of one call: what is sent and what comes back."""
    request = REQUESTS[EXAMPLES[method, path]]
    address = path.format(station_id="E01")
    sent = client.post(address, json=request) if method == "post" else client.get(address, params=request)
    return {"request": request, "response": sent.json()}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        study = write_study(Path(folder) / "out")
        with TestClient(create_app(study, settings=Settings(), clock=lambda: NOON)) as service:
            for (verb, address), name in EXAMPLES.items():
                text = json.dumps(answer(service, verb, address), indent=1, ensure_ascii=False)
                (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        # It takes what is above from here.
        from openapi_live import live_examples

        told = json.dumps(live_examples(study), indent=1, ensure_ascii=False)
        (FOLDER / f"{LIVE}.json").write_text(told + "\n", encoding="utf-8")
