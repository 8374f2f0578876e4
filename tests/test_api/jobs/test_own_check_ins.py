"""A study that runs in the service counts what the service recorded: check-ins of k riders and more."""

import dataclasses
import datetime
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from job_studies import STUDY
from live_service import Service
from tiny_map import write_city
from tiny_study import TOWN, place, write_study

from api.study.studyfile.check_ins import StationVisits, with_own_check_ins
from api.study.studyfile.given_places import given_places
from api.study.studyfile.read import load_study_file
from siting.stations import ExistingStation

EXISTING = '[existing]\nfile = "stations.csv"\ndatum = "wgs84"\n'
LIST = "name,lon,lat,opening_hours\nOurs,{},{},Mo-Su 08:00-18:00\nFar away,116.31,39.985,24/7\n"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    folder = write_study(tmp_path / "out")
    made = Service(folder, f"sqlite:///{tmp_path / 'yilu.db'}", jobs_dir=tmp_path / "jobs")
    with made.client:
        yield made
    made.database.close()


def ran(service: Service, city: Path) -> dict[str, dict[str, object]]:
    """Run a study in the service; returns the judgement of each station that stands."""
    lon, lat = place("B")
    files = {"study.toml": STUDY + EXISTING, "city.osm": city.read_text(encoding="utf-8")}
    files |= {"stations.csv": LIST.format(lon + 1e-4, lat)}
    parts = [("files", (path, text.encode())) for path, text in files.items()]
    made = service.ask("office", "POST", "/v1/studies/upload", 201, data={"name": "own"}, files=parts)
    path, end = f"/v1/studies/{made['study_id']}", time.monotonic() + 180
    while (seen := service.ask("office", "GET", path))["state"] != "done":
        assert seen["state"] in ("queued", "running"), seen
        assert time.monotonic() < end
        time.sleep(0.2)
    result = service.ask("office", "GET", f"{path}/files/data/result.json")
    told = result if isinstance(result, dict) else json.loads(result)
    report = service.ask("office", "GET", f"{path}/files/report.html")
    assert "Check-ins" in report
    assert "this service recorded" in report
    names = {one["site_id"]: one["name"] for one in told["sites"]}
    return {names[one["site_id"]]: one for one in told["audit"]}


def test_a_study_in_the_service_counts_the_services_own_check_ins(service: Service, tmp_path: Path) -> None:
    def check_in(station: str, rider: str) -> None:
        path = f"/v1/stations/{station}/check-ins"
        service.ask("red", "POST", path, 204, json={"rider_id": rider})

    for _ in range(2):
        for number in range(12):
            check_in("E01", f"v{number}")
        service.clock.now += datetime.timedelta(days=1)
    for number in range(9):
        check_in("E02", f"v{number}")
    # Of the week that follows there are too few to be told.
    service.clock.now += datetime.timedelta(days=5)
    check_in("E01", "v0")
    service.clock.now += datetime.timedelta(days=7)
    city = write_city(tmp_path / "city.osm")
    found = ran(service, city)
    assert (found["Ours"]["check_ins_a_day"], found["Ours"]["check_in_weeks"]) == (pytest.approx(24 / 7), 1)
    assert (found["Far away"]["check_ins_a_day"], found["Far away"]["check_in_weeks"]) == (None, 0)


def test_a_file_that_the_study_names_counts_instead(tmp_path: Path) -> None:
    lon, lat = place("B")
    (tmp_path / "stations.csv").write_text(
        f"name,lon,lat,opening_hours\nEast,{lon},{lat},24/7\n", encoding="utf-8"
    )
    (tmp_path / "seen.csv").write_text("name,visits,riders\nEast,70,20\n", encoding="utf-8")
    (tmp_path / "city.osm").write_text("", encoding="utf-8")
    own = [
        StationVisits("East", (lon, lat), (("2026-03-02", 140, 20),)),
        StationVisits("Elsewhere", (10.0, 53.5), (("2026-03-02", 140, 20),)),
    ]
    for more, a_day in (("", 20.0), ('check_ins = "seen.csv"\n', 10.0)):
        (tmp_path / "study.toml").write_text(STUDY + EXISTING + more, encoding="utf-8")
        given = given_places(load_study_file(tmp_path / "study.toml"), TOWN.network(), None, own)
        assert [one.check_ins_a_day for one in given.existing] == [a_day]
        # Stations of another city that the service shows are no matter of this one.
        assert "Elsewhere" not in "".join(note.text("en") for note in given.notes)


HERE = (116.3, 39.9)
M = 1 / 111_195


@pytest.mark.parametrize(
    ("name", "metres", "counts"),
    [
        ("East", 0, True),
        ("east ", 290, True),
        ("East", 310, False),
        ("Other", 29, True),
        ("Other", 31, False),
    ],
)
def test_a_station_is_known_again(name: str, metres: float, counts: bool) -> None:
    stations = (ExistingStation("West", (116.2, 39.9)), ExistingStation("East", HERE))
    told = StationVisits(name, (HERE[0], HERE[1] + metres * M), (("2026-03-02", 70, 20),))
    (west, east), notes = with_own_check_ins([told], stations, 10)
    assert west.check_ins_a_day is None
    assert east.check_ins_a_day == (10.0 if counts else None)
    (said,) = [note.text("en") for note in notes]
    assert ("none of the list stands there any more" in said) != counts
    assert counts or name in said
    assert with_own_check_ins([told], (), 10) == ((), [])
    few = dataclasses.replace(told, weeks=(("2026-03-02", 70, 9),))
    assert with_own_check_ins([few], stations, 10) == (stations, [])


def test_weeks_of_several_studies_stand_side_by_side() -> None:
    """One Monday told by two studies is one week; weeks below the study's own k are none."""
    stations = (ExistingStation("East", HERE),)
    told = [
        StationVisits("East", HERE, (("2026-03-02", 70, 20), ("2026-03-09", 140, 30), ("2026-03-16", 7, 11))),
        StationVisits("East", HERE, (("2026-03-02", 35, 15),)),
    ]
    ((east,), notes) = with_own_check_ins(told, stations, 12)
    assert (east.check_ins_a_day, east.check_in_weeks) == ((70 + 35 + 140) / 2 / 7, 2)
    assert "12" in notes[0].text("en")
    assert "12" in notes[0].text("zh")
