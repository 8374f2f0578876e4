"""The synthetic fleet: repeatable, legal, and true to what it says about itself."""

import gzip
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from ascii_map import ascii_map
from lattice import lattice

from geo.datum import to_wgs84
from geo.errors import InputError
from geo.osm.read import read_osm
from geo.stays.detect import KINDS
from geo.streets.mode_graph import NO
from geo.streets.network import StreetNetwork
from geo.synthetic.make import (
    BROKEN,
    EVENTS,
    FleetOptions,
    SyntheticFleet,
    civic_tasks,
    existing_stations,
    make_fleet,
    snapshot,
    write_fleet_csv,
    write_fleet_parquet,
)

REST, PICKUP, DROPOFF, GATE, TRAFFIC, OFF_SHIFT = range(6)
OPTIONS = FleetOptions(riders=12, days=2, interval_s=10, broken_share=0.01, datum=("wgs84", "gcj02"))


@pytest.fixture(scope="module")
def town() -> StreetNetwork:
    return lattice(16)


@pytest.fixture(scope="module")
def fleet(town: StreetNetwork) -> SyntheticFleet:
    return make_fleet(town, None, OPTIONS)


def test_same_seed_gives_the_same_bytes(town: StreetNetwork, fleet: SyntheticFleet, tmp_path: Path) -> None:
    again = make_fleet(lattice(16), None, OPTIONS)
    for name, one in (("a", fleet), ("b", again)):
        write_fleet_csv(one, tmp_path / f"{name}.csv.gz")
        write_fleet_parquet(one, tmp_path / f"{name}.parquet")
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_another_seed_gives_another_fleet(town: StreetNetwork, fleet: SyntheticFleet) -> None:
    other = make_fleet(town, None, FleetOptions(riders=12, days=2, interval_s=10, seed=2))
    assert other.rider_ids != fleet.rider_ids
    assert not np.array_equal(other.points.lonlat[:100], fleet.points.lonlat[:100])


def test_every_trip_is_connected_and_legal(town: StreetNetwork, fleet: SyntheticFleet) -> None:
    assert fleet.trips.found.all()
    edges, ptr = fleet.trips.edges, fleet.trips.ptr
    assert (town.graph("ebike").directed_cost_ms[edges] != NO).all()
    ends = np.stack([town.edge_u, town.edge_v], axis=1)
    begin, end = ends[edges >> 1, edges & 1], ends[edges >> 1, 1 - (edges & 1)]
    inner = np.ones(len(edges), np.bool_)
    inner[ptr[:-1][np.diff(ptr) > 0]] = False
    joint = np.flatnonzero(inner)
    np.testing.assert_array_equal(begin[joint], end[joint - 1])


def test_stops_follow_one_another_and_orders_are_picked_up_first(fleet: SyntheticFleet) -> None:
    stays, orders = fleet.stays, fleet.orders
    same = stays.rider[1:] == stays.rider[:-1]
    assert (stays.start_s[1:] >= stays.end_s[:-1] - 1e-6)[same].all()
    assert set(np.unique(stays.kind)) == set(range(6))
    assert (orders.placed_s < orders.accepted_s).all()
    assert (orders.accepted_s <= orders.arrived_s).all()
    assert (orders.arrived_s < orders.picked_s).all()
    assert (orders.picked_s <= orders.reached_s).all()
    assert (orders.reached_s < orders.dropped_s).all()
    assert (orders.dropped_s + 600 < orders.due_s).all()


def test_points_lie_about_the_true_position(fleet: SyntheticFleet) -> None:
    points = fleet.points
    sound = np.flatnonzero(points.broken == 0)[::37]
    shifted = fleet.rider_platform[points.rider[sound]] == 1
    wgs84 = points.lonlat[sound].copy()
    assert np.abs(to_wgs84(wgs84[shifted], "gcj02") - wgs84[shifted]).max() > 1e-3
    wgs84[shifted] = to_wgs84(wgs84[shifted], "gcj02")
    true = np.array([fleet.movement.at(int(points.rider[i]), float(points.t_s[i])) for i in sound])
    error_m = (wgs84 - true) * [85_000, 111_195]
    assert 5 < error_m.std() < 20
    assert np.abs(error_m).max() < 150


def test_reported_times_rise_and_spoiled_rows_are_known(fleet: SyntheticFleet) -> None:
    points = fleet.points
    sound = points.broken == 0
    rider, t_s = points.rider[sound], points.t_s[sound]
    assert (np.diff(t_s)[rider[1:] == rider[:-1]] > 0).all()
    share = np.bincount(points.broken, minlength=len(BROKEN)) / len(points.broken)
    np.testing.assert_allclose(share[1:], np.array([0.4, 0.3, 0.15, 0.15]) * 0.01, rtol=0.25)
    twin = np.flatnonzero(points.broken == BROKEN.index("duplicate"))
    np.testing.assert_array_equal(points.t_s[twin], points.t_s[twin - 1])
    np.testing.assert_array_equal(points.lonlat[twin], points.lonlat[twin - 1])
    assert (points.lonlat[points.broken == BROKEN.index("outside")] == 0).all()


def test_events_are_reported_after_they_happened(fleet: SyntheticFleet) -> None:
    points, orders = fleet.points, fleet.orders
    picked = np.flatnonzero((points.event == EVENTS.index("picked_up")) & (points.broken == 0))
    assert len(picked) > 0.8 * len(np.unique(orders.picked_s))
    for i in picked[:50]:
        gap = points.t_s[i] - orders.picked_s[orders.rider == points.rider[i]]
        assert gap[gap >= 0].min() < 300


def test_files_have_the_canonical_columns(fleet: SyntheticFleet, tmp_path: Path) -> None:
    write_fleet_csv(fleet, tmp_path / "points.csv", platform="blue", times="iso")
    table = pa_csv.read_csv(
        tmp_path / "points.csv", convert_options=pa_csv.ConvertOptions(column_types={"time": "string"})
    )
    assert table.column_names == ["rider_id", "time", "lon", "lat", "event", "platform"]
    assert set(table["platform"].to_pylist()) == {"blue"}
    assert table["time"][0].as_py().endswith("+0800")
    write_fleet_parquet(fleet, tmp_path / "points.parquet")
    assert pq.read_table(tmp_path / "points.parquet").num_rows == len(fleet.points.t_s)
    write_fleet_csv(fleet, tmp_path / "points.csv.gz")
    with gzip.open(tmp_path / "points.csv.gz", "rt") as file:
        assert file.readline().startswith('"rider_id"')
    with pytest.raises(InputError, match="platform must be one of blue, yellow"):
        write_fleet_csv(fleet, tmp_path / "x.csv", platform="green")


def test_a_snapshot_holds_the_stops_that_are_left(fleet: SyntheticFleet) -> None:
    orders = fleet.orders
    at_s = float(np.median(orders.picked_s))
    now = snapshot(fleet, at_s)
    assert len(now.rider) > 0
    assert now.stop_ptr[0] == 0
    assert now.stop_ptr[-1] == len(now.stop_order)
    assert (now.stop_service_s > 0).all()
    assert (now.worked_s >= 0).all()
    for i in range(len(now.rider)):
        stops = slice(now.stop_ptr[i], now.stop_ptr[i + 1])
        order, kind = now.stop_order[stops], now.stop_kind[stops]
        assert (orders.rider[order] == now.rider[i]).all()
        assert (orders.due_s[order[kind == DROPOFF]] == now.stop_due_s[stops][kind == DROPOFF]).all()
        for one in order[kind == PICKUP]:
            where = np.flatnonzero(order == one)
            assert kind[where].tolist() == [PICKUP, DROPOFF]
    night = snapshot(fleet, float(fleet.shift_end_s.max()) + 3600)
    assert len(night.rider) == 0
    assert night.stop_ptr.tolist() == [0]


def test_existing_stations_stand_away_from_the_rests(town: StreetNetwork, fleet: SyntheticFleet) -> None:
    stations = existing_stations(town, fleet, 3, seed=5)
    rests = town.project(np.unique(fleet.stays.lonlat[fleet.stays.kind == REST], axis=0))
    away = np.linalg.norm(town.project(stations.lonlat)[:, None] - rests[None], axis=2).min(axis=1)
    assert (away > 200).all()
    assert stations.close_h.tolist() == [18.0] * 3
    again = existing_stations(town, fleet, 3, seed=5)
    np.testing.assert_array_equal(stations.lonlat, again.lonlat)


def test_civic_tasks_lie_beside_streets_and_have_a_window(town: StreetNetwork) -> None:
    tasks = civic_tasks(town, "ebike", 40, 1_000_000.0, seed=3)
    assert town.snap(tasks.lonlat, "ebike").ok.all()
    assert (tasks.latest_s > tasks.earliest_s).all()
    assert len(np.unique(tasks.kind)) >= 3


def test_riders_rest_at_shared_places(fleet: SyntheticFleet) -> None:
    rests = fleet.stays.kind == REST
    places = np.unique(fleet.stays.lonlat[rests], axis=0)
    assert len(places) < rests.sum() / 2


def test_a_map_with_too_few_streets_is_refused_in_one_sentence() -> None:
    tiny = ascii_map("A---B", {"AB": {}}).network()
    with pytest.raises(InputError, match="needs 500 m of connected streets for ebike"):
        make_fleet(tiny, None, FleetOptions(riders=1, days=1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"riders": 0}, "riders must be 1 to 100000"),
        ({"datum": "mars"}, "datum must be one of"),
        ({"datum": ("wgs84",)}, "one name or 2 names"),
        ({"mode": "boat"}, "mode must be one of"),
        ({"noise_m": (9.0, 3.0)}, "rising numbers"),
        ({"broken_share": 0.9}, "broken_share must be 0 to 0.5"),
        ({"platforms": ()}, "at least one platform"),
    ],
)
def test_options_name_the_allowed_range(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        FleetOptions(**change)  # type: ignore[arg-type]


def test_local_time_follows_the_zone() -> None:
    options = FleetOptions(
        riders=6, days=1, interval_s=60, timezone="Europe/Helsinki", first_day=date(2026, 3, 29)
    )
    fleet = make_fleet(lattice(10, origin=(24.9, 60.17)), None, options)
    hours = (fleet.shift_start_s - 1774735200) / 3600  # midnight in Helsinki on the day the clocks go forward
    assert hours.min() > 6
    assert hours.max() < 21


def test_kinds_are_those_of_stay_points() -> None:
    assert KINDS == ("rest", "pickup", "dropoff", "gate", "traffic", "off_shift")
    assert (KINDS[REST], KINDS[PICKUP], KINDS[OFF_SHIFT]) == ("rest", "pickup", "off_shift")


def test_a_real_map_gives_a_fleet_that_works_at_its_restaurants(helsinki_pbf: Path) -> None:
    network, places = read_osm(helsinki_pbf)
    fleet = make_fleet(
        network, places, FleetOptions(riders=10, days=1, interval_s=30, timezone="Europe/Helsinki")
    )
    assert fleet.trips.found.all()
    food = places.poi_lonlat[
        np.isin(places.poi_kind, [places.kinds.index("restaurant"), places.kinds.index("cafe")])
    ]
    near = np.linalg.norm((fleet.orders.restaurant[:, None] - food[None]) * [55_000, 111_195], axis=2).min(
        axis=1
    )
    assert (near < 1.0).mean() > 0.5
