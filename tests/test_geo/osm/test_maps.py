"""Real maps: nothing crashes, and their numbers (shown with ``pytest -s``)."""

import time
from pathlib import Path

import numpy as np
import osmium
import pytest
import shapely

from geo.osm.describe import Description, describe
from geo.osm.read import read_osm, read_raw
from geo.places import Places
from geo.streets.network import StreetNetwork

MAPS = (
    "beijing-haidian-composite",
    "tsinghua-campus",
    "nanjing-xinjiekou",
    "shenzhen-longgang",
    "macau-roads",
    "puyang-county-sparse",
    "porto-centre",
    "malta-2016",
    "rhein-neckar-roads-2016",
)
COLUMNS = {"nodes": 8, "edges": 8, "km": 8, "parts": 7, "largest": 9, "gates": 7, "compounds": 11, "time": 8}
HEADING = f"{'map':28}" + "".join(name.rjust(width) for name, width in COLUMNS.items())


def check(network: StreetNetwork, places: Places) -> Description:
    """Hold what must be true of any map."""
    numbers = describe(network, places)
    assert 0 < numbers.largest_share <= 1
    assert numbers.components >= 1
    assert np.isfinite(network.geom_lonlat).all()
    assert (network.edge_length_m >= 0).all()
    inside = network.edge_compound >= 0
    usable = network.edge_access[0] | network.edge_access[1]
    assert (network.edge_private[inside] == usable[inside]).all()
    for rings in (places.buildings, places.water, places.green):
        assert np.isfinite(rings.lonlat).all()
        np.testing.assert_array_equal(rings.lonlat[rings.ptr[:-1]], rings.lonlat[rings.ptr[1:] - 1])
    west, south, east, north = network.bounds
    assert -180 <= west < east <= 180
    assert -90 <= south < north <= 90
    return numbers


def line(name: str, numbers: Description, seconds: float) -> str:
    return (
        f"{name:28}{numbers.nodes:8}{numbers.edges:8}{numbers.street_km:8.0f}{numbers.components:7}"
        f"{numbers.largest_share:9.1%}{numbers.gates:7}{numbers.compounds:11}{seconds:8.2f} s"
    )


@pytest.mark.parametrize("name", MAPS)
def test_each_shared_map(name: str, shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = time.perf_counter()
    network, places = read_osm(shared_data / "osm" / f"{name}.osm.pbf")
    seconds = time.perf_counter() - start
    numbers = check(network, places)
    with capsys.disabled():
        heading = f"\n{HEADING}" if name == MAPS[0] else ""
        print(f"{heading}\n{line(name, numbers, seconds)}", end="")  # noqa: T201 - asked for


def parts_of(ways: list[list[int]]) -> int:
    """Count the parts of ways that share a node with one another, the slow way."""
    parent: dict[int, int] = {}

    def root(node: int) -> int:
        while parent.setdefault(node, node) != node:
            node = parent[node]
        return node

    for refs in ways:
        for ref in refs[1:]:
            parent[root(ref)] = root(refs[0])
    return len({root(node) for node in list(parent)})


def test_beijing_has_369_parts(shared_data: Path) -> None:
    """All ways with a ``highway`` tag fall into 369 parts by shared nodes, whatever direction and mode.

    Two of them are squares (``area=yes``) that touch no street; the network leaves those out. A square that
    is a relation joins two more, so that it has 366.
    """
    path = shared_data / "osm" / "beijing-haidian-composite.osm.pbf"
    ways = []
    for way in osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(
        osmium.filter.KeyFilter("highway")
    ):
        assert isinstance(way, osmium.osm.Way)
        ways.append([node.ref for node in way.nodes])
    assert parts_of(ways) == 369
    network, places = read_osm(path)
    numbers = describe(network, places)
    assert numbers.components == 369 - 2 - 1
    assert numbers.street_km == pytest.approx(1107, abs=1)
    assert "road" in network.classes
    road = network.edge_class == network.classes.index("road")
    assert road.mean() > 0.3
    assert (network.edge_access[:, road].max(axis=0) > 0).all()


def test_beijing_campuses_are_closed(shared_data: Path) -> None:
    _, places = read_osm(shared_data / "osm" / "beijing-haidian-composite.osm.pbf")
    closed = set(places.compounds.names)
    assert {"清华大学", "中国农业大学东校区", "北京邮电大学"} <= closed


def test_malta_and_macau(shared_data: Path) -> None:
    malta, _ = read_osm(shared_data / "osm" / "malta-2016.osm.pbf")
    ferry = malta.edge_class == malta.classes.index("ferry")
    assert malta.edge_length_m[~ferry].sum() / 1e3 == pytest.approx(3719, rel=0.01)
    assert ferry.sum() == 10
    macau = read_raw(shared_data / "osm" / "macau-roads.osm.pbf")
    assert macau.node_id.min() >= 13_000_000_000
    one_way = (macau.way_access[0] & 4 > 0) & (macau.way_access[1] & 4 == 0)
    assert one_way.sum() > 100
    assert any("大" in name for name in macau.names)


def test_helsinki(helsinki_pbf: Path) -> None:
    network, places = read_osm(helsinki_pbf)
    numbers = check(network, places)
    assert numbers.street_km == pytest.approx(110.6, abs=2), "of it 7 km along squares that are relations"
    assert places.of("restaurant").sum() > 100
    assert numbers.turns_banned > 50
    centre = shapely.box(*network.bounds)
    assert shapely.contains_xy(centre.buffer(0.05), places.poi_lonlat).all()


def test_reading_twice_gives_the_same(helsinki_pbf: Path) -> None:
    (one, places), (two, others) = (read_osm(helsinki_pbf) for _ in range(2))
    np.testing.assert_array_equal(one.geom_lonlat, two.geom_lonlat)
    np.testing.assert_array_equal(one.edge_access, two.edge_access)
    np.testing.assert_array_equal(places.poi_lonlat, others.poi_lonlat)
    assert places.poi_name == others.poi_name
