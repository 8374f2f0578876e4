"""The base map out of a drawn street map."""

import math
from pathlib import Path

import numpy as np
import pytest
import shapely

from geo.earth import DEGREE_M
from geo.osm.read import read_osm
from maps.page.basemap import Backdrop
from maps.page.surroundings import street_area
from maps.style import nice_breaks, ramp


@pytest.fixture(scope="module")
def helsinki(helsinki_pbf: Path) -> Backdrop:
    network, places = read_osm(helsinki_pbf)
    return Backdrop.build(network, places)


def test_all_kinds_of_ground_are_there(helsinki: Backdrop) -> None:
    keys = {layer.key for layer in helsinki.layers}
    assert keys == {"water", "green", "buildings", "path", "minor", "middle", "major"}
    for layer in helsinki.layers:
        assert layer.from_zoom <= layer.to_zoom
        assert np.all(np.diff(layer.ptr) >= 2)
        assert np.all(np.diff(layer.owner) >= 0)


def test_each_zoom_draws_a_kind_at_most_once(helsinki: Backdrop) -> None:
    for zoom in range(3, 20):
        shown = [layer.key for layer in helsinki.layers if layer.from_zoom <= zoom <= layer.to_zoom]
        assert len(shown) == len(set(shown))


def test_simplified_streets_stay_where_they_are(helsinki_pbf: Path, helsinki: Backdrop) -> None:
    network, _ = read_osm(helsinki_pbf)
    streets = shapely.union_all(
        [shapely.LineString(network.edge_lonlat(e)) for e in range(len(network.edge_u))]
    )
    for layer in helsinki.layers:
        if layer.key in ("minor", "middle", "major") and layer.from_zoom >= 14:
            worst = max(streets.distance(shapely.Point(p)) for p in layer.lonlat[::25])
            assert worst * DEGREE_M < 0.5


def test_names_read_upright_and_keep_apart(helsinki: Backdrop) -> None:
    assert helsinki.labels
    by_name: dict[str, list[tuple[float, float]]] = {}
    for label in helsinki.labels:
        assert -math.pi / 2 <= label.angle_rad <= math.pi / 2
        by_name.setdefault(label.name, []).append(label.lonlat)
    for spots in by_name.values():
        for i, (x, y) in enumerate(spots):
            for u, v in spots[:i]:
                scale = math.cos(math.radians(y))
                assert math.hypot((x - u) * scale, y - v) * DEGREE_M > 690


def test_bounds_cut_the_map(helsinki_pbf: Path, helsinki: Backdrop) -> None:
    network, places = read_osm(helsinki_pbf)
    west, south, east, north = network.bounds
    half = (west, south, (west + east) / 2, (south + north) / 2)
    part = Backdrop.build(network, places, bounds=half)
    assert 0 < sum(len(x.lonlat) for x in part.layers) < sum(len(x.lonlat) for x in helsinki.layers)


def test_outline_holds_every_street_and_little_else(helsinki_pbf: Path, helsinki: Backdrop) -> None:
    network, _ = read_osm(helsinki_pbf)
    outline = shapely.union_all([shapely.Polygon(ring) for ring in helsinki.area])
    assert bool(shapely.contains_xy(outline, network.geom_lonlat).all())
    west, south, east, north = network.bounds
    assert outline.area < 1.15 * (east - west) * (north - south)
    assert helsinki.extent == pytest.approx(network.bounds, abs=0.0005)


def test_outline_leaves_out_the_empty_corner() -> None:
    """Streets along two sides of a square of 4 km: the corner between them is not of the map."""
    along = np.linspace(0.0, 0.04, 400)
    points = np.concatenate([np.c_[along, np.zeros(400)], np.c_[np.zeros(400), along]])
    (ring,) = street_area(points, (0.0, 0.0, 0.04, 0.04))
    outline = shapely.Polygon(ring)
    assert not outline.contains(shapely.Point(0.03, 0.03))
    assert outline.contains(shapely.Point(0.02, 0.0005))
    assert street_area(np.empty((0, 2)), (0.0, 0.0, 1.0, 1.0)) == ()


def test_streets_that_go_on_and_names_to_search_for(helsinki_pbf: Path, helsinki: Backdrop) -> None:
    network, places = read_osm(helsinki_pbf)
    west, south, east, north = network.bounds
    assert helsinki.exits
    for one in helsinki.exits:
        near = min(one.lonlat[0] - west, east - one.lonlat[0], one.lonlat[1] - south, north - one.lonlat[1])
        assert near * DEGREE_M < 130
    names = [one.name for one in helsinki.names]
    assert "Mannerheimintie" in names
    assert set(names[: names.index("Mannerheimintie") + 1]) <= set(network.names)
    streets = [one.name for one in helsinki.names if one.kind == 0]
    assert len(streets) == len(set(streets)) == len(set(network.edge_name[network.edge_name >= 0].tolist()))
    assert any(name and name in names for name in places.poi_name)


def test_breaks_are_round_rising_and_few() -> None:
    rng = np.random.default_rng(1)
    breaks = nice_breaks(rng.gamma(1, 40, 5000).tolist(), 6)
    assert 3 <= len(breaks) <= 5
    assert breaks == sorted(set(breaks))
    assert nice_breaks([0.0, 0.0]) == []
    assert nice_breaks([7.3]) == [7.0]


def test_ramps_run_from_light_to_dark() -> None:
    def light(color: str) -> float:
        red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for name in ("viridis", "inferno", "cividis"):
        shades = [light(color) for color in ramp(name, 6)]
        assert shades == sorted(shades, reverse=True)
