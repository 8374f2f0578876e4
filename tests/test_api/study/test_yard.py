"""A rider in a yard that no street leads out of still finds the station round the corner."""

import datetime
import json
from pathlib import Path

from ascii_map import ascii_map
from fastapi.testclient import TestClient
from tiny_study import place, write_study

from api.http.app import create_app
from api.settings import Settings

# X-Y is a yard 50 m from the street, joined to nothing.
TOWN = ascii_map(
    """
    A-------B-------C-------D
    |                       |
    F    X--Y               J

    """,
    {"ABCD": {}, "AF": {}, "DJ": {}, "XY": {}},
)
NOON = datetime.datetime(2026, 3, 4, 12, 0, tzinfo=datetime.UTC)


def test_out_of_a_yard_one_walks_to_the_next_street(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "out")
    TOWN.network().save(folder / "data" / "network")
    stations = json.loads((folder / "data" / "stations.json").read_text(encoding="utf-8"))
    lon, lat = place("D", TOWN)
    for row in stations:
        row["lonlat"] = [lon, lat]
        row["opening_hours"] = "24/7"
    (folder / "data" / "stations.json").write_text(json.dumps(stations), encoding="utf-8")
    x_lon, x_lat = place("Y", TOWN)
    with TestClient(create_app(folder, settings=Settings(), clock=lambda: NOON)) as client:
        answer = client.get("/v1/stations/nearest", params={"lon": x_lon, "lat": x_lat, "datum": "wgs84"})
    assert answer.status_code == 200, answer.text
    assert 40 < answer.json()["walk_m"] < 100
