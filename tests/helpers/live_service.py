"""The live service with a client, a standing clock and a key for everybody, for tests over HTTP."""

import datetime
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI
from fastapi.testclient import TestClient
from migrated import migrated
from tiny_study import place

from api.http.access.auth import Access
from api.http.app import create_app
from api.settings import Settings
from api.store import SERVICE, Database
from api.store.access import keys, tenants

__all__ = ["NOON", "Clock", "Service", "said_of"]

TENANTS = {"red": "platform", "blue": "platform", "office": "office", "bureau": "office"}
NOON = datetime.datetime(2026, 3, 4, 12, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime.datetime:
        return self.now


class Service:
    """One application with a client, a clock and a key for everybody."""

    def __init__(self, folder: Path, url: str, **settings: Any) -> None:  # noqa: ANN401
        self.clock, self.database = Clock(), migrated(url)
        self.keys: dict[str, str] = {}
        with self.database.transaction() as connection:
            for name, kind in TENANTS.items():
                tenant = tenants.Tenant(name, name.title(), kind, 0.0)  # type: ignore[arg-type]
                tenants.add(connection, SERVICE, tenant)
            for name, wanted in {
                "red": keys.NewKey("red", "platform"),
                "blue": keys.NewKey("blue", "platform"),
                "office": keys.NewKey("office", "planner"),
                "bureau": keys.NewKey("bureau", "planner"),
                "grid": keys.NewKey("office", "grid_staff", grid_codes=("G1",)),
                "grid2": keys.NewKey("office", "grid_staff", grid_codes=("G2",)),
                "r0": keys.NewKey("red", "rider", rider_id="r0"),
                "r9": keys.NewKey("red", "rider", rider_id="r9"),
                "admin": keys.NewKey("office", "admin"),
            }.items():
                self.keys[name] = keys.create(connection, SERVICE, wanted, NOON.timestamp())[1]
        given = Settings(rate_per_s=1e6, rate_burst=1_000_000, **settings)
        access = Access(given, self.database, dev=False)
        self.use(create_app(folder, settings=given, access=access, clock=self.clock))

    def key(self, tenant: str, rider_id: str) -> str:
        """Return a new key of a rider."""
        wanted = keys.NewKey(tenant, "rider", rider_id=rider_id)
        with self.database.transaction() as connection:
            return keys.create(connection, SERVICE, wanted, NOON.timestamp())[1]

    def beside(self, folder: Path) -> "Service":
        """Return another process of the same city, in this one: same database, keys and clock."""
        other = Service.__new__(Service)
        other.clock, other.keys = self.clock, self.keys
        other.database = Database(self.database.url.render_as_string(hide_password=False))
        given = Settings(rate_per_s=1e6, rate_burst=1_000_000)
        access = Access(given, other.database, dev=False)
        other.use(create_app(folder, settings=given, access=access, clock=other.clock))
        return other

    def use(self, app: FastAPI) -> None:
        """Ask this application from now on."""
        self.app, self.client = app, TestClient(app)

    def at(self, address: str) -> None:
        """Ask the same application over a socket from now on."""
        self.client = httpx2.Client(base_url=address, timeout=60)  # type: ignore[assignment]

    def ask(self, who: str, method: str, path: str, expect: int = 200, **more: Any) -> Any:  # noqa: ANN401
        headers = {"authorization": f"Bearer {self.keys[who]}", **more.pop("headers", {})}
        answer = self.client.request(method, path, headers=headers, **more)
        assert answer.status_code == expect, answer.text
        self.headers = answer.headers
        return answer.json() if answer.content and "json" in answer.headers["content-type"] else answer.text

    def riders(self, who: str, *letters: str) -> Any:  # noqa: ANN401
        told = []
        for number, letter in enumerate(letters):
            lon, lat = place(letter)
            rider = {"rider_id": f"r{number}", "at": self.clock.now.isoformat(), "lon": lon, "lat": lat}
            told.append(rider | {"stops": []})
        return self.ask(who, "PUT", "/v1/riders", json={"datum": "wgs84", "riders": told})

    def task(self, who: str, name: str = "lamp", letter: str = "B", expect: int = 201, **more: Any) -> Any:  # noqa: ANN401
        lon, lat = place(letter)
        latest = (self.clock.now + datetime.timedelta(hours=1)).isoformat()
        visit = {"lon": lon, "lat": lat, "service_s": 60, "latest": latest}
        body = {"task_id": name, "place": visit, "kind": "hazard", **more.pop("task", {})}
        return self.ask(who, "POST", "/v1/tasks?datum=wgs84", expect, json=body, **more)


def said_of(answer: Any, names: Mapping[str, str]) -> str:  # noqa: ANN401
    """Return what an answer says, without what the caller sent: address, ids in sentences of Open311."""
    text = re.sub(r'"instance": ?"[^"]*"', "", answer.text)
    return re.sub("|".join(f"'{re.escape(name)}'" for name in names.values()), "ID", text)
