"""The nearest station from beside a street that leads on only against one-ways: one walks to the next."""

import dataclasses
import datetime
from pathlib import Path

import numpy as np
import pytest
from ascii_map import ascii_map
from tiny_study import write_study

from api.forms import Station, way_of
from api.http.problems.errors import NoStationError
from api.http.stations.nearest import StationQuery, nearest_station
from api.study.finished import FinishedStudy, load_finished
from geo.errors import OffNetworkError
from geo.osm.read import read_osm
from geo.travel import HourlyStreets

# One column is 25 m. All streets beside P lead to C only, from where a vehicle can go nowhere but back.
TOWN = ascii_map(
    """
    A---------------B---------------C
    |
    |
    D---------------E---------------F
    """,
    {"ABC": {"oneway": True, "contraflow": "foot"}, "AD": {}, "DEF": {}},
)
NOON = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC)


@pytest.fixture
def served(tmp_path: Path) -> FinishedStudy:
    lon, lat = TOWN.lonlat(["A"])[0]
    station = Station(
        station_id="S", name="S", lonlat=(float(lon), float(lat)), kind="micro", existing=True,
        opening_hours="24/7", facilities=(), street="", plan="stay", closed_from=None,
    )  # fmt: skip
    whole = load_finished(write_study(tmp_path / "study"))
    return dataclasses.replace(whole, network=TOWN.network(), stations=(station,))


def ask(served: FinishedStudy, letter: str, mode: str = "ebike") -> StationQuery:
    lon, lat = TOWN.lonlat([letter])[0]
    return StationQuery((float(lon), float(lat)), "wgs84", mode, NOON, (), suggested=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("letter", ["B", "C"])
def test_one_walks_to_the_next_street_that_leads_to_a_station(served: FinishedStudy, letter: str) -> None:
    found = nearest_station(served, ask(served, letter))
    # Three rows are 75 m.
    assert found.walk_m == pytest.approx(75.0, abs=1.0)
    assert found.station_id == "S"
    assert found.travel_s > 75.0 / 1.2


def test_a_street_that_leads_there_is_taken_as_it_is(served: FinishedStudy) -> None:
    assert nearest_station(served, ask(served, "E")).walk_m == 0.0


def test_on_foot_a_one_way_is_no_hindrance(served: FinishedStudy) -> None:
    assert nearest_station(served, ask(served, "C", "foot")).walk_m == 0.0


def test_too_far_to_walk_is_refused_with_the_reason(served: FinishedStudy) -> None:
    line = ascii_map("A---------------B---------------C", {"ABC": {"oneway": True}})
    a, c = ((float(lon), float(lat)) for lon, lat in line.lonlat(["A", "C"]))
    station = served.stations[0].model_copy(update={"lonlat": a})
    alone = dataclasses.replace(served, network=line.network(), stations=(station,))
    with pytest.raises(NoStationError, match="against one-ways"):
        nearest_station(alone, dataclasses.replace(ask(served, "C"), lonlat=c))


def test_anywhere_in_a_real_city_a_station_is_found(served: FinishedStudy, helsinki_pbf: Path) -> None:
    """Also above a service tunnel, beside a fragment of street, or beside a one-way."""
    network, _ = read_osm(helsinki_pbf)
    west, south, east, north = network.bounds
    edges = np.flatnonzero(network.connected("ebike"))
    middle = network.edge_lonlat(int(edges[len(edges) // 2]))[0]
    station = served.stations[0].model_copy(update={"lonlat": (float(middle[0]), float(middle[1]))})
    city = dataclasses.replace(served, network=network, stations=(station,))
    found = 0
    for lon, lat in np.random.default_rng(7).uniform((west, south), (east, north), (200, 2)).tolist():
        query = StationQuery((lon, lat), "wgs84", "ebike", NOON, (), suggested=False)
        try:
            found += nearest_station(city, query).station_id == "S"
        except OffNetworkError:
            away_m = network.snap(np.array([[lon, lat]]), "ebike", 2_000.0, fragments=True).walk_m[0]
            assert away_m > 100.0, (lon, lat)
    assert found > 180


def test_by_the_hour_the_way_takes_longer_at_noon_than_at_night(served: FinishedStudy) -> None:
    network = served.network
    row = np.where(np.arange(168) % 24 == 12, 1, 0)
    factor = np.stack([np.ones(2 * len(network)), np.full(2 * len(network), 3.0)])
    by_hour = dataclasses.replace(served, hours=HourlyStreets(network, "ebike", factor, row, "UTC"))
    noon = dataclasses.replace(ask(served, "F"), when=NOON.replace(minute=30))
    night = dataclasses.replace(noon, when=NOON.replace(hour=2))
    constant = nearest_station(served, noon)
    assert nearest_station(by_hour, night).travel_s == constant.travel_s
    assert nearest_station(by_hour, noon).travel_s > 2.5 * constant.travel_s
    # Nothing was learned of who walks.
    walker = dataclasses.replace(noon, mode="foot")
    assert nearest_station(by_hour, walker) == nearest_station(served, walker)


def test_a_street_that_goes_on_is_named_once() -> None:
    """A piece without a name parted Mannerheimintie into two."""
    names = ["Mannerheimintie", "Mannerheimintie", "Bulevardi", "Mannerheimintie"]
    way = way_of([(24.93, 60.17), (24.94, 60.17)], names)
    assert way.properties.streets == ["Mannerheimintie", "Bulevardi", "Mannerheimintie"]
