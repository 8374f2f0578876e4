"""Tasks within metres: one contract for the box and great circle, and for PostGIS."""

import math
import random

import pytest
from postgres import Cluster
from store_rows import task

from api.store import SERVICE, Database, places
from api.store.dispatch import tasks
from geo.earth import RADIUS_M

CENTRES = [(116.33, 39.99), (0.0, 0.0), (179.995, -18.0), (-179.999, 51.9), (24.9, 89.9)]


def _distance_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Angle between two vectors from the middle of the Earth: no formula of the store's."""
    a, b = (
        (math.cos(math.radians(lat)) * math.cos(math.radians(lon)),
         math.cos(math.radians(lat)) * math.sin(math.radians(lon)), math.sin(math.radians(lat)))
        for lon, lat in (one, other)
    )  # fmt: skip
    cross = math.dist(
        (0, 0, 0), (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    )
    return RADIUS_M * math.atan2(cross, sum(x * y for x, y in zip(a, b, strict=True)))


@pytest.mark.parametrize("centre", CENTRES)
def test_who_is_within_so_many_metres(database: Database, centre: tuple[float, float]) -> None:
    pick = random.Random(1)
    spots: dict[str, tuple[float, float]] = {}
    for number in range(150):
        away = pick.uniform(0, 3_000), pick.uniform(0, 2 * math.pi)
        lat = centre[1] + math.degrees(away[0] * math.sin(away[1]) / RADIUS_M)
        lat = max(-90.0, min(90.0, lat))
        wide = max(math.cos(math.radians(lat)), 1e-4)
        lon = centre[0] + math.degrees(away[0] * math.cos(away[1]) / RADIUS_M / wide)
        spots[f"t{number:03d}"] = ((lon + 180) % 360 - 180, lat)
    with database.transaction() as connection:
        for name, (lon, lat) in spots.items():
            tasks.insert(connection, SERVICE, task(name, lon=lon, lat=lat))
        for within_m in (0.0, 120.0, 1_000.0, 2_500.0):
            found = {row.task_id for row in tasks.near(connection, SERVICE, *centre, within_m, 999)}
            apart = {name: _distance_m(spot, centre) for name, spot in spots.items()}
            # Sphere and spheroid differ by 0.6 percent at most; who stands on that border may be either.
            slack = 0.006 * within_m if places.has_place_column(connection) else 1e-3
            assert {name for name, metres in apart.items() if metres <= within_m - slack} <= found
            assert found <= {name for name, metres in apart.items() if metres <= within_m + slack}


def test_with_postgis_the_database_measures_by_itself(cluster: Cluster, contract_url: str) -> None:
    if not cluster.has_postgis():
        pytest.skip("PostGIS is not installed")
    database = Database(contract_url)
    with database.reading() as connection:
        assert places.has_place_column(connection)
        connection.exec_driver_sql("SET enable_seqscan = off")
        asked = (
            "EXPLAIN SELECT task_id FROM tasks WHERE ST_DWithin(place, ST_MakePoint(1, 2)::geography, 500)"
        )
        plan = "\n".join(row[0] for row in connection.exec_driver_sql(asked))
    assert "ix_tasks_place" in plan
    database.close()
