"""Closed compounds: which areas count, where they begin, and what stays public."""

from pathlib import Path

import numpy as np
import pytest
from osm_xml import Node, Relation, Tags, Way, write_osm

from geo.osm.read import read_osm, read_raw
from geo.streets.network import StreetNetwork
from geo.streets.raw import ALL_MODES, RawWays
from geo.travel.times import travel_times_s

# A square of 200 m by 200 m; street 1 runs west to east through its middle, street 2 south of it.
CORNERS: list[Node] = [(91, -100, -100), (92, 100, -100), (93, 100, 100), (94, -100, 100)]
OUTLINE = [91, 92, 93, 94, 91]
RESIDENTIAL = {"highway": "residential"}
GATE = {"barrier": "lift_gate"}
ESTATE = {"landuse": "residential", "name": "花园小区"}


def through(west: Tags, east: Tags) -> list[Node]:
    """Nodes of a street through the square, the second and the last but one at the outline."""
    return [(1, -300, 0), (2, -100, 0, west), (3, 0, 0), (4, 100, 0, east), (5, 300, 0)]


def estate(
    tmp_path: Path,
    nodes: list[Node],
    area: Tags = ESTATE,
    street: Tags = RESIDENTIAL,
    more: list[Way] | None = None,
    relations: list[Relation] | None = None,
) -> Path:
    refs = [node[0] for node in nodes if node[0] < 10]
    ways: list[Way] = [(1, refs, street), (50, OUTLINE, area), *(more or [])]
    return write_osm(tmp_path / "estate.osm", [*nodes, *CORNERS], ways, relations or [])


def inner_length_m(raw: RawWays) -> float:
    at = np.flatnonzero(raw.ref_compound >= 0)
    ends = raw.node_lonlat[np.column_stack([raw.way_ref[at], raw.way_ref[at + 1]])] * 111_195
    return float(np.hypot(*(ends[:, 1] - ends[:, 0]).T).sum())


def test_gates_on_the_outline_close_an_estate(tmp_path: Path) -> None:
    raw = read_raw(estate(tmp_path, through(GATE, GATE)))
    assert raw.compounds.names == ("花园小区",)
    assert raw.compounds.kind == ("residential",)
    assert np.isnan(raw.compounds.gate_delay_s).all()
    assert inner_length_m(raw) == pytest.approx(200, abs=0.5)
    inside = np.array(
        [(raw.ref_compound[a:b] >= 0).any() for a, b in zip(raw.way_ptr, raw.way_ptr[1:], strict=False)]
    )
    assert raw.way_private[inside].tolist() == [ALL_MODES]
    assert raw.way_private[~inside].tolist() == [0, 0]
    assert (raw.node_id > 0).all(), "the gates are there: no node is put in"


def test_no_gates_no_compound(tmp_path: Path) -> None:
    assert len(read_raw(estate(tmp_path, through({}, {}))).compounds) == 0


@pytest.mark.parametrize(
    "tags",
    [
        *({"access": value} for value in ("destination", "delivery", "permissive", "yes", "forestry")),
        *({"barrier": value} for value in ("gate", "kerb", "retaining_wall", "bollard", "no")),
        *({"gated": "no"}, {"residential": "apartments"}),
    ],
)
@pytest.mark.parametrize("kind", [ESTATE, {"amenity": "hospital"}, {"landuse": "industrial"}])
def test_tags_that_close_nothing_lose_nothing(tmp_path: Path, kind: Tags, tags: Tags) -> None:
    path = estate(tmp_path, through({}, {}), {**kind, **tags})
    network, places = read_osm(path)
    assert len(places.compounds) == 0
    assert network.edge_length_m.sum() == pytest.approx(600, rel=0.01)


def test_a_corner_at_the_other_end_of_the_world(tmp_path: Path) -> None:
    far = 80 * 111_195.0
    nodes: list[Node] = [*through(GATE, GATE), (80, far, far), (81, far, far + 300), (82, far + 300, far)]
    more: list[Way] = [
        (60, [91, 92, 80, 91], {**ESTATE, "access": "private"}),
        (61, [80, 81, 82, 80], {**ESTATE, "access": "private"}),
        (2, [5, 80, 81], RESIDENTIAL),
    ]
    network, places = read_osm(estate(tmp_path, nodes, more=more))
    assert len(places.compounds) == 2, "the estate, and the one that is far away but whole"
    assert network.edge_length_m.max() < 1000, "the street between them has a node in the wrong place"


def test_gates_of_other_streets_do_not_count(tmp_path: Path) -> None:
    """Back yards beside the street have gates; the street itself has none."""
    yards: list[Node] = [(21, -105, 8, GATE), (22, -105, 20), (23, 105, 8, GATE), (24, 105, 20)]
    joins: list[Node] = [(6, -105, 0), (7, 105, 0)]
    nodes: list[Node] = [(1, -300, 0), joins[0], (3, 0, 0), joins[1], (5, 300, 0), *yards]
    ways: list[Way] = [
        (1, [1, 6, 3, 7, 5], RESIDENTIAL),
        *((2, [6, 21, 22], {"highway": "service"}), (3, [7, 23, 24], {"highway": "service"})),
        (50, OUTLINE, ESTATE),
    ]
    raw = read_raw(write_osm(tmp_path / "yards.osm", [*nodes, *CORNERS], ways))
    assert len(raw.compounds) == 0


def test_half_of_the_entries_must_be_gates(tmp_path: Path) -> None:
    assert len(read_raw(estate(tmp_path, through(GATE, {}))).compounds) == 1
    extra: list[Node] = [(6, 0, 300), (7, 0, 150)]
    more: list[Way] = [(2, [3, 7, 6], RESIDENTIAL)]
    assert len(read_raw(estate(tmp_path, [*through(GATE, {})[:5], *extra], more=more)).compounds) == 0


@pytest.mark.parametrize(
    ("area", "count"),
    [
        ({**ESTATE, "access": "private"}, 1),
        ({**ESTATE, "gated": "yes"}, 1),
        ({**ESTATE, "barrier": "wall"}, 1),
        ({"amenity": "university", "access": "customers"}, 1),
        ({"leisure": "park", "access": "private"}, 0),
        ({"landuse": "grass"}, 0),
    ],
)
def test_closed_by_its_tags(tmp_path: Path, area: Tags, count: int) -> None:
    raw = read_raw(estate(tmp_path, through({}, {}), area))
    assert len(raw.compounds) == count
    # No gate is mapped: the street is cut 4 m inside the outline, at nodes of our own.
    assert inner_length_m(raw) == pytest.approx(200 * count, abs=10)


@pytest.mark.parametrize("access", ["yes", "permissive", "public"])
def test_open_by_its_tags(tmp_path: Path, access: str) -> None:
    assert len(read_raw(estate(tmp_path, through(GATE, GATE), {**ESTATE, "access": access})).compounds) == 0


def test_crossing_in_mid_segment_gets_a_node(tmp_path: Path) -> None:
    nodes: list[Node] = [(1, -300, 0), (2, 0, 0), (3, 300, 0)]
    raw = read_raw(estate(tmp_path, nodes, {**ESTATE, "access": "private"}))
    own = raw.node_id < 0
    assert own.sum() == 2
    assert raw.node_gate[own].all()
    assert np.abs(raw.node_lonlat[own, 0] * 111_195) == pytest.approx([96, 96], abs=0.5)
    assert inner_length_m(raw) == pytest.approx(192, abs=1)
    _, places = read_osm(estate(tmp_path, nodes, {**ESTATE, "access": "private"}))
    assert [places.gate_kinds[kind] for kind in places.gate_kind] == ["crossing", "crossing"]
    assert sorted(places.gate_lonlat[:, 0] * 111_195) == pytest.approx([-96, 96], abs=0.5)


@pytest.mark.parametrize("x_m", [-112, -88])
def test_gate_beside_the_outline_is_where_it_begins(tmp_path: Path, x_m: float) -> None:
    nodes: list[Node] = [(1, -300, 0), (2, x_m, 0, GATE), (3, 0, 0)]
    raw = read_raw(estate(tmp_path, nodes))
    assert len(raw.compounds) == 1
    assert (raw.node_id > 0).all()
    assert inner_length_m(raw) == pytest.approx(-x_m, abs=0.5)


def test_street_along_the_outline_stays_outside(tmp_path: Path) -> None:
    nodes: list[Node] = [(1, -300, 0), (2, -100, 0, GATE), (3, 0, 0)]
    raw = read_raw(estate(tmp_path, nodes, more=[(2, [91, 2, 94, 93], RESIDENTIAL)]))
    assert len(raw.compounds) == 1
    assert inner_length_m(raw) == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize(
    ("street", "private"),
    [
        ({"highway": "tertiary"}, False),
        ({"highway": "service", "access": "yes"}, False),
        ({"highway": "residential", "tunnel": "yes"}, False),
        ({"highway": "service", "access": "permissive"}, True),
        ({"highway": "unclassified"}, True),
    ],
)
def test_what_stays_public_inside(tmp_path: Path, street: Tags, private: bool) -> None:
    raw = read_raw(estate(tmp_path, through({}, {}), {**ESTATE, "access": "private"}, street))
    assert (inner_length_m(raw) > 0) == private


def test_main_road_that_ends_at_gates_is_not_a_through_road(tmp_path: Path) -> None:
    campus = {"amenity": "university", "name": "大学"}
    raw = read_raw(estate(tmp_path, through(GATE, GATE), campus, {"highway": "tertiary"}))
    assert raw.compounds.kind == ("university",)
    assert inner_length_m(raw) == pytest.approx(200, abs=0.5)


def campus(tmp_path: Path, main: Tags) -> StreetNetwork:
    """A closed campus with a street through it, a side street inside and a long way round."""
    nodes: list[Node] = [
        *through({}, {}),
        (6, 0, 60),
        (11, -300, -400),
        (12, 300, -400),
    ]
    more: list[Way] = [(2, [3, 6], RESIDENTIAL), (3, [1, 11, 12, 5], RESIDENTIAL)]
    ways: list[Way] = [(1, [1, 2, 3, 4, 5], main), (50, OUTLINE, {**ESTATE, "access": "private"}), *more]
    path = write_osm(tmp_path / "campus.osm", [*nodes, *CORNERS], ways)
    network, _ = read_osm(path, gate_delay_s=360)
    return network


def seconds(network: StreetNetwork, a: tuple[float, float], b: tuple[float, float]) -> float:
    one, two = (network.snap(np.array([p]) / 111_195, "ebike", max_m=30) for p in (a, b))
    return float(travel_times_s(network, "ebike", one, two)[0, 0])


def test_no_route_cuts_through_a_compound(tmp_path: Path) -> None:
    network = campus(tmp_path, RESIDENTIAL)
    pace = 3.6 / 15
    assert seconds(network, (-300, 0), (300, 0)) == pytest.approx(1400 * pace, rel=0.01)
    into = seconds(network, (-300, 0), (0, 0))
    assert into == pytest.approx(300 * pace + 360, rel=0.01)
    assert seconds(network, (0, 0), (-300, 0)) == pytest.approx(300 * pace, rel=0.02)


def test_open_through_road_does_not_block_traffic(tmp_path: Path) -> None:
    network = campus(tmp_path, {"highway": "tertiary"})
    pace = 3.6 / 15
    assert seconds(network, (-300, 0), (300, 0)) == pytest.approx(600 * pace, rel=0.01)
    assert seconds(network, (-300, 0), (0, 50)) == pytest.approx(350 * pace + 360, rel=0.02)


def test_compound_inside_a_compound_belongs_to_the_larger(tmp_path: Path) -> None:
    inner: list[Node] = [(81, -20, -20), (82, 20, -20), (83, 20, 20), (84, -20, 20)]
    more: list[Way] = [(60, [81, 82, 83, 84, 81], {"amenity": "kindergarten", "access": "private"})]
    nodes: list[Node] = [*through(GATE, GATE), *inner]
    raw = read_raw(estate(tmp_path, nodes, more=more))
    assert raw.compounds.kind == ("residential",)


def test_compound_from_a_relation_with_a_hole(tmp_path: Path) -> None:
    hole: list[Node] = [(81, -40, -40), (82, 40, -40), (83, 40, 40), (84, -40, 40)]
    more: list[Way] = [(60, [81, 82, 83, 84, 81], {}), (61, [91, 92, 93], {}), (62, [91, 94, 93], {})]
    members = [("w", 61, "outer"), ("w", 62, "outer"), ("w", 60, "inner")]
    relations: list[Relation] = [(1, members, {"type": "multipolygon", **ESTATE, "access": "private"})]
    nodes: list[Node] = [*through({}, {}), *hole]
    raw = read_raw(estate(tmp_path, nodes, {}, more=more, relations=relations))
    assert len(raw.compounds) == 1
    assert raw.compounds.polygons[0].area * 111_195**2 == pytest.approx(200**2 - 80**2, rel=0.01)
    assert inner_length_m(raw) == pytest.approx(120, abs=20)


def test_turn_restriction_survives_the_cut(tmp_path: Path) -> None:
    nodes: list[Node] = [*through(GATE, GATE), (10, -200, 0), (11, -200, 100)]
    ways: list[Way] = [
        (1, [1, 10, 2, 3, 4, 5], {**RESIDENTIAL, "oneway": "yes"}),
        (2, [10, 11], RESIDENTIAL),
        (50, OUTLINE, ESTATE),
    ]
    turn: list[Relation] = [
        (
            1,
            [("w", 2, "from"), ("n", 10, "via"), ("w", 1, "to")],
            {"type": "restriction", "restriction": "no_left_turn"},
        )
    ]
    raw = read_raw(write_osm(tmp_path / "a.osm", [*nodes, *CORNERS], ways, turn))
    ((start, via, end),) = raw.restrictions.tolist()
    assert (raw.way_id[start], raw.node_id[via], raw.way_id[end]) == (2, 10, 1)
    assert via in raw.way_ref[raw.way_ptr[end] : raw.way_ptr[end + 1]]
