"""Several studies in one service, each under its name."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_service import Service
from tiny_study import place, write_study

from api.cli.commands import _named_studies
from api.http.app import create_app
from api.store import SERVICE, jobs
from geo.errors import InputError


def other_city(folder: Path, city: str) -> Path:
    made = write_study(folder)
    file = made / "data" / "study.json"
    meta = json.loads(file.read_text(encoding="utf-8"))
    meta["cities"] = dict.fromkeys(meta["cities"], city)
    file.write_text(json.dumps(meta), encoding="utf-8")
    return made


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(write_study(tmp_path / "out"), f"sqlite:///{tmp_path / 'yilu.db'}")
    access, settings = service.app.state.access, service.app.state.settings
    named = {"porto": other_city(tmp_path / "porto", "Porto")}
    service.use(
        create_app(tmp_path / "out", named=named, settings=settings, access=access, clock=service.clock)
    )
    with service.client:
        yield service
    service.database.close()


def cities(service: Service) -> dict[str | None, str]:
    shown = service.client.get("/v1/studies/shown").json()["studies"]
    return {one["name"]: one["cities"]["en"] for one in shown}


def test_each_city_under_its_name(service: Service) -> None:
    assert cities(service) == {None: "Town", "porto": "Porto"}
    assert service.client.get("/healthz").json()["city"] == "Town"
    assert service.client.get("/s/porto/healthz").json()["city"] == "Porto"
    assert "Porto" in service.client.get("/s/porto/").text
    assert 'href="../../docs"' in service.client.get("/s/porto/").text
    assert service.client.get("/s/porto", follow_redirects=False).headers["location"].endswith("/s/porto/")
    for path in ("map", "reports/docx", "layers/sites.geojson", "v1/grids"):
        assert service.client.get(f"/s/porto/{path}").content == service.client.get(f"/{path}").content
        assert service.client.get(f"/s/lisbon/{path}").status_code == 404
    lon, lat = place("F")
    asked: dict[str, str | float] = {"lon": lon, "lat": lat, "datum": "wgs84"}
    near = service.client.get("/s/porto/v1/stations/nearest", params=asked)
    assert near.json()["station_id"] == "E01"
    assert near.headers["cache-control"] == "no-store"
    body = {"datum": "wgs84", "now": "2026-03-04T12:00:00+08:00", "riders": [], "tasks": [
        {"task_id": "t", "place": {"lon": lon, "lat": lat}}
    ]}  # fmt: skip
    assert service.client.post("/s/porto/v1/matches", json=body).status_code == 401
    assert service.ask("red", "POST", "/s/porto/v1/matches", json=body)["matches"] == []
    # The live city is one.
    service.ask("red", "GET", "/s/porto/v1/riders", 404)


def test_a_result_is_published_under_a_name(service: Service, tmp_path: Path) -> None:
    for number, city in enumerate(("Lisbon", "Braga")):
        other_city(tmp_path / "out" / "jobs" / f"j{number}" / "out", city)
        params = {"source": "upload", "title": "T", "city": city}
        job = jobs.Job(f"j{number}", "office", city, "study", "done", None, params, float(number))
        with service.database.transaction() as connection:
            jobs.add(connection, SERVICE, job)
    assert (
        service.ask("office", "POST", "/v1/studies/j0/publish", json={"name": "coast"})["published"]
        == "coast"
    )
    assert cities(service) == {None: "Town", "porto": "Porto", "coast": "Lisbon"}
    assert service.client.get("/s/coast/healthz").json()["city"] == "Lisbon"
    service.ask("office", "POST", "/v1/studies/j1/publish", json={"name": "coast"})
    assert service.client.get("/s/coast/healthz").json()["city"] == "Braga"
    service.ask("office", "POST", "/v1/studies/j0/publish", 409, json={"name": "porto"})
    for name in ("../x", "A b", "", "-a"):
        service.ask("office", "POST", "/v1/studies/j0/publish", 422, json={"name": name})
    service.ask("red", "POST", "/v1/studies/j0/publish", 403, json={"name": "red"})
    service.ask("office", "POST", "/v1/studies/j1/publish", json={"name": None})
    assert service.client.get("/s/coast/healthz").status_code == 404
    queued = jobs.Job("j2", "office", "C", "study", "registered", None, params, 9.0)
    with service.database.transaction() as connection:
        jobs.add(connection, SERVICE, queued)
    service.ask("office", "POST", "/v1/studies/j2/publish", 409, json={"name": "new"})


def test_names_on_the_command_line() -> None:
    assert _named_studies(("porto=out/p", "a-b=x=y")) == {"porto": Path("out/p"), "a-b": Path("x=y")}
    for wrong in (("porto",), ("=x",), ("A=x",), ("a=x", "a=y"), ("a/b=x",), ("porto=",)):
        with pytest.raises(InputError, match="NAME=DIR"):
            _named_studies(wrong)
