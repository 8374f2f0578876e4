"""A new study numbers its stations otherwise: words and visits stay where they were said and made."""

import datetime
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from live_service import Service
from tiny_study import place, write_study

from api.http.app import create_app

Json = dict[str, Any]
Change = Callable[[list[Json]], None]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(write_study(tmp_path / "first"), f"sqlite:///{tmp_path / 'yilu.db'}")
    yield made
    made.database.close()


def show(service: Service, folder: Path, change: Change) -> Service:
    """Start the service on a new study in the place of the one without a name."""
    file = write_study(folder) / "data" / "stations.json"
    rows = json.loads(file.read_text(encoding="utf-8"))
    change(rows)
    file.write_text(json.dumps(rows), encoding="utf-8")
    after = service.beside(folder)
    access, settings = after.app.state.access, after.app.state.settings
    after.use(create_app(folder, settings=settings, access=access, clock=service.clock))
    return after


def renumber(rows: list[Json]) -> None:
    """E01 and E02 change numbers, and the list has E01 a few metres from where it had it."""
    rows[0]["station_id"], rows[1]["station_id"] = "E02", "E01"
    rows[0]["lonlat"][0] += 1e-4
    rows.sort(key=lambda row: str(row["station_id"]))


def take_down(rows: list[Json]) -> None:
    """The station at B is gone; its number is now that of the one at J."""
    del rows[0]
    rows[0]["station_id"] = "E01"


def check_in(service: Service, station: str, rider: str) -> None:
    path = f"/v1/stations/{station}/check-ins"
    service.ask("red", "POST", path, 204, json={"rider_id": rider})


def say(service: Service, who: str, station: str, **said: object) -> Json:
    found: Json = service.ask(who, "POST", f"/v1/stations/{station}/reports", 201, json=said)
    return found


def told(service: Service, station: str) -> tuple[list[str], int | None]:
    found = service.ask("office", "GET", f"/v1/stations/{station}")
    occupancy = found["occupancy"]
    return [one["condition"] for one in found["reported"]], occupancy and occupancy["seats_free"]


def visits(service: Service) -> Json:
    found: Json = service.ask("office", "GET", "/v1/stations/visits")
    return found


def test_numbers_change_and_places_do_not(service: Service, tmp_path: Path) -> None:
    with service.client:
        for number in range(12):
            check_in(service, "E01", f"r{number}")
        say(service, "office", "E01", says="full", seats_free=3)
        say(service, "r0", "E01", says="dirty")
    after = show(service, tmp_path / "second", renumber)
    with after.client:
        assert told(after, "E02") == (["full"], 1)
        assert told(after, "E01") == ([], None)
        # The same rider of the same place: one word, and one visit a day.
        say(after, "r0", "E02", says="dirty")
        after.ask("r0", "POST", "/v1/stations/E02/check-ins", 204, json={})
        assert told(after, "E02")[0] == ["full"]
        # Of the place that has the number now nothing was said.
        say(after, "r0", "E01", says="full")
        assert told(after, "E02")[0] == ["full"]
        service.clock.now += datetime.timedelta(days=7)
        found = visits(after)
        assert [(one["station_id"], one["name"], one["visits"]) for one in found["weeks"]] == [
            ("E02", "Near, by day", 11)
        ]
        # Of r0, alone at the place as the new list has it, nothing is told.
        assert found["no_longer_there"] == []
    after.database.close()


def test_visits_of_a_station_that_is_gone_are_told_and_counted_to_no_other(
    service: Service, tmp_path: Path
) -> None:
    with service.client:
        for number in range(12):
            check_in(service, "E01", f"v{number}")
        check_in(service, "E02", "v1")
        say(service, "office", "E01", says="full", seats_free=3)
    after = show(service, tmp_path / "second", take_down)
    with after.client:
        assert told(after, "E01") == ([], None)
        service.clock.now += datetime.timedelta(days=7)
        found = visits(after)
        assert [(one["station_id"], one["visits"]) for one in found["weeks"]] == [("E01", None)]
        lon, lat = place("B")
        assert found["no_longer_there"] == [
            {"name": "Near, by day", "position": {"lon": lon, "lat": lat}, "monday": "2026-03-02",
             "visits": 12, "riders": 12}
        ]  # fmt: skip
    after.database.close()


def test_the_database_of_an_older_yilu_is_placed_by_the_study_that_is_shown(
    service: Service, tmp_path: Path
) -> None:
    with service.client:
        for number in range(12):
            check_in(service, "E01", f"v{number}")
        check_in(service, "E02", "v1")
    with service.database.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE station_events SET station_name = NULL, name_is_own = NULL, lon = NULL, lat = NULL"
        )
        connection.exec_driver_sql("UPDATE station_events SET station_id = 'E77' WHERE station_id = 'E02'")
    again = show(service, tmp_path / "same", lambda rows: None)
    with again.client:
        pass
    again.database.close()
    after = show(service, tmp_path / "second", renumber)
    with after.client:
        service.clock.now += datetime.timedelta(days=7)
        found = visits(after)
        assert [(one["station_id"], one["visits"]) for one in found["weeks"]] == [("E02", 12)]
        (lost,) = found["no_longer_there"]
        assert (lost["name"], lost["position"], lost["visits"]) == ("E77", None, None)
    after.database.close()
