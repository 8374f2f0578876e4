"""Points of interest, buildings, water and green from small maps."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from osm_xml import Node, Relation, Tags, Way, write_osm

from geo.errors import InputError
from geo.osm.read import read_osm
from geo.places import Places
from geo.rings import Rings

STREET: Way = (1, [1, 2], {"highway": "residential"})
ENDS: list[Node] = [(1, -50, -50), (2, 50, -50)]
SQUARE: list[Node] = [(11, 0, 0), (12, 20, 0), (13, 20, 10), (14, 0, 10)]
RING = [11, 12, 13, 14, 11]


def places_of(
    tmp_path: Path, nodes: list[Node], ways: list[Way] | None = None, relations: list[Relation] | None = None
) -> Places:
    path = write_osm(tmp_path / "a.osm", [*ENDS, *SQUARE, *nodes], [STREET, *(ways or [])], relations or [])
    return read_osm(path)[1]


def kinds_of(places: Places) -> list[str]:
    return [places.kinds[kind] for kind in places.poi_kind]


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"amenity": "restaurant"}, "restaurant"),
        ({"amenity": "fast_food", "shop": "bakery"}, "fast_food"),
        ({"shop": "mall"}, "mall"),
        ({"shop": "department_store"}, "mall"),
        ({"shop": "shoes"}, "shop"),
        ({"office": "union"}, "office"),
        ({"office": "government"}, "government"),
        ({"amenity": "toilets"}, "toilets"),
        ({"amenity": "community_centre"}, "community_centre"),
        ({"tourism": "hostel"}, "hotel"),
        ({"railway": "subway_entrance"}, "subway_entrance"),
        ({"amenity": "bench"}, None),
        ({"amenity": "bench", "shop": "kiosk"}, "convenience"),
        ({"shop": "no"}, None),
        ({"leisure": "park"}, "park"),
    ],
)
def test_kinds(tmp_path: Path, tags: Tags, kind: str | None) -> None:
    places = places_of(tmp_path, [(5, 10, 10, tags)])
    assert kinds_of(places) == ([] if kind is None else [kind])


def test_names_in_three_columns(tmp_path: Path) -> None:
    tags = {"amenity": "cafe", "name": "Caf\u00e9, 100%", "name:zh": "咖啡馆", "name:en": "Coffee"}
    places = places_of(tmp_path, [(5, 10, 30, tags), (6, 0, 0, {"amenity": "bank", "name": "工商银行"})])
    assert places.poi_name == ("Caf\u00e9, 100%", "工商银行")
    assert [places.best_name(0, "zh"), places.best_name(0, "en"), places.best_name(1, "en")] == [
        "咖啡馆",
        "Coffee",
        "工商银行",
    ]
    assert places.poi_lonlat[0] * 111_195 == pytest.approx([10, 30], abs=0.02)


def test_area_becomes_a_point_at_its_centre(tmp_path: Path) -> None:
    places = places_of(tmp_path, [], [(2, RING, {"shop": "supermarket", "building": "retail"})])
    assert kinds_of(places) == ["supermarket"]
    assert places.poi_lonlat[0] * 111_195 == pytest.approx([10, 5], abs=0.02)
    assert len(places.buildings) == 1
    assert not places.building_home.any()


@pytest.mark.parametrize("value", ["apartments", "residential", "dormitory", "house"])
def test_homes(tmp_path: Path, value: str) -> None:
    places = places_of(tmp_path, [], [(2, RING, {"building": value})])
    assert places.building_home.tolist() == [True]
    assert places.of("home").tolist() == [True]


def test_plain_building_on_residential_land_is_a_home(tmp_path: Path) -> None:
    land: list[Node] = [(21, -90, -90), (22, 90, -90), (23, 90, 90), (24, -90, 90)]
    estate: Way = (3, [21, 22, 23, 24, 21], {"landuse": "residential"})
    places = places_of(tmp_path, land, [(2, RING, {"building": "yes"}), estate])
    assert places.building_home.tolist() == [True]
    assert kinds_of(places) == ["home"]
    shop = places_of(tmp_path, land, [(2, RING, {"building": "yes", "shop": "clothes"}), estate])
    assert shop.building_home.tolist() == [False]
    assert kinds_of(shop) == ["shop"]


def test_gates_and_entrances(tmp_path: Path) -> None:
    nodes: list[Node] = [
        (5, 0, 0, {"barrier": "gate"}),
        (6, 1, 0, {"entrance": "main"}),
        (7, 2, 0, {"entrance": "no"}),
        (8, 3, 0, {"barrier": "bollard"}),
        (9, 4, 0, {"barrier": "lift_gate", "entrance": "yes"}),
    ]
    places = places_of(tmp_path, nodes)
    assert [places.gate_kinds[kind] for kind in places.gate_kind] == ["gate", "entrance", "lift_gate"]


def test_water_green_and_what_is_cut_off(tmp_path: Path) -> None:
    ways: list[Way] = [
        (2, RING, {"natural": "water"}),
        (3, RING, {"leisure": "park"}),
        (4, [11, 12, 13], {"natural": "water"}),
        (5, [11, 12, 99, 11], {"landuse": "forest"}),
    ]
    places = places_of(tmp_path, [], ways)
    assert (len(places.water), len(places.green)) == (1, 1)


def test_multipolygon_keeps_its_hole(tmp_path: Path) -> None:
    hole: list[Node] = [(31, 5, 2), (32, 15, 2), (33, 15, 8), (34, 5, 8)]
    ways: list[Way] = [
        (2, [11, 12, 13], {}),
        (3, [13, 14, 11], {"source": "survey"}),
        (4, [31, 32, 33, 34, 31], {}),
    ]
    members = [("w", 2, "outer"), ("w", 3, "outer"), ("w", 4, "inner")]
    relations: list[Relation] = [(1, members, {"type": "multipolygon", "building": "apartments"})]
    places = places_of(tmp_path, hole, ways, relations)
    assert len(places.buildings) == 1
    assert len(places.buildings.polygon) == 2
    assert places.buildings.shape(0).area * 111_195**2 == pytest.approx(200 - 60, rel=0.01)
    assert places.building_home.tolist() == [True]


def test_save_and_load(tmp_path: Path) -> None:
    ways: list[Way] = [
        (2, RING, {"building": "house"}),
        (3, RING, {"landuse": "residential", "access": "private"}),
    ]
    places = places_of(tmp_path, [(5, 0, 0, {"amenity": "cafe", "name": "茶"})], ways)
    places.save(tmp_path / "saved")
    again = Places.load(tmp_path / "saved")
    assert again.poi_name == places.poi_name
    np.testing.assert_array_equal(again.buildings.lonlat, places.buildings.lonlat)
    np.testing.assert_array_equal(again.of("cafe"), places.of("cafe"))


def test_uneven_columns_are_refused(tmp_path: Path) -> None:
    places = places_of(tmp_path, [(5, 0, 0, {"amenity": "cafe"})])
    values = {name: getattr(places, name) for name in places.__dataclass_fields__}
    with pytest.raises(InputError, match="1 rows"):
        Places(**{**values, "poi_name": ()})
    with pytest.raises(InputError, match="building_home"):
        Places(**{**values, "building_home": np.ones(3, dtype=np.bool_)})


BOXES = st.lists(
    st.tuples(st.floats(-170, 170), st.floats(-80, 80), st.floats(1e-4, 1), st.floats(1e-4, 1)),
    min_size=1,
    max_size=6,
)


@given(BOXES)
def test_centroids_and_boxes_equal_shapely(boxes: list[tuple[float, float, float, float]]) -> None:
    shapes = [shapely.box(x, y, x + w, y + h) for x, y, w, h in boxes]
    rings = Rings(
        np.arange(len(boxes) + 1, dtype=np.int64) * 5,
        np.concatenate([shapely.get_coordinates(shape) for shape in shapes]),
        np.arange(len(boxes), dtype=np.int32),
    )
    expected = np.array([(shape.centroid.x, shape.centroid.y) for shape in shapes])
    np.testing.assert_allclose(rings.centroids(), expected, atol=1e-9)
    low, high = rings.boxes()
    np.testing.assert_allclose(np.hstack([low, high]), [shape.bounds for shape in shapes])
    kept = rings.take(np.arange(len(boxes)) % 2 == 0)
    assert len(kept) == (len(boxes) + 1) // 2
