"""OSM files of all kinds into `RawWays`: small cases, broken files, and a slow obvious reader beside ours."""

import bz2
import gzip
from pathlib import Path

import numpy as np
import osmium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from osm_xml import Node, Relation, Way, write_osm

from geo.errors import InputError
from geo.osm.describe import describe
from geo.osm.files.opl import Selection, parse_tags, scan_opl
from geo.osm.read import read_osm, read_raw
from geo.osm.rules.access import WAY_KEYS, way_rule
from geo.streets.raw import RawWays

LINE: list[Node] = [(1, 0, 0), (2, 100, 0), (3, 200, 0)]
STREET = {"highway": "residential", "name": "中山路"}


def way_of(raw: RawWays, way_id: int) -> int:
    (found,) = np.flatnonzero(raw.way_id == way_id)
    return int(found)


def nodes_of(raw: RawWays, way: int) -> list[int]:
    return [int(n) for n in raw.node_id[raw.way_ref[raw.way_ptr[way] : raw.way_ptr[way + 1]]]]


def test_one_street(tmp_path: Path) -> None:
    raw = read_raw(write_osm(tmp_path / "a.osm", LINE, [(7, [1, 2, 3], STREET)]))
    assert raw.way_id.tolist() == [7]
    assert nodes_of(raw, 0) == [1, 2, 3]
    assert raw.names[raw.way_name[0]] == "中山路"
    assert raw.classes[raw.way_class[0]] == "residential"
    assert raw.node_lonlat[1] == pytest.approx([100 / 111_195, 0], abs=1e-7)
    assert raw.ref_compound.tolist() == [-1, -1, -1]


@pytest.mark.parametrize("suffix", [".osm", ".osm.gz", ".osm.bz2", ".osm.pbf", ".pbf", ".opl"])
def test_every_format_gives_the_same(tmp_path: Path, suffix: str) -> None:
    plain = write_osm(tmp_path / "plain.osm", LINE, [(7, [1, 2, 3], STREET)])
    path = tmp_path / f"other{suffix}"
    if suffix == ".osm.gz":
        path.write_bytes(gzip.compress(plain.read_bytes()))
    elif suffix == ".osm.bz2":
        path.write_bytes(bz2.compress(plain.read_bytes()))
    else:
        with osmium.SimpleWriter(str(path)) as writer:
            osmium.apply(str(plain), writer)
    one, two = read_raw(plain), read_raw(path)
    np.testing.assert_array_equal(one.node_lonlat, two.node_lonlat)
    np.testing.assert_array_equal(one.way_ref, two.way_ref)
    assert one.names == two.names


def test_negative_and_unsorted_ids(tmp_path: Path) -> None:
    nodes: list[Node] = [(9_000_000_000, 0, 0), (-5, 100, 0), (4, 200, 0), (-70, 300, 0)]
    path = write_osm(
        tmp_path / "a.osm", nodes, [(-1, [9_000_000_000, -5, 4], STREET), (-2, [4, -70], STREET)]
    )
    raw = read_raw(path)
    assert nodes_of(raw, way_of(raw, -1)) == [9_000_000_000, -5, 4]
    x_m = raw.node_lonlat[raw.way_ref[raw.way_ptr[way_of(raw, -1)] :], 0] * 111_195
    assert x_m[:3] == pytest.approx([0, 100, 200], abs=0.1)


def test_ways_before_nodes(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "a.osm", LINE, [(7, [1, 2, 3], STREET)])
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("<way"))
    path.write_text("\n".join([*lines[:2], *lines[start:-1], *lines[2:start], lines[-1]]), encoding="utf-8")
    assert not np.isnan(read_raw(path).node_lonlat).any()


def test_a_missing_node_costs_only_its_segments(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "a.osm", [*LINE, (4, 300, 0)], [(7, [1, 2, 99, 3, 4], STREET)])
    raw = read_raw(path)
    assert np.isnan(raw.node_lonlat[raw.node_id == 99]).all()
    network, _ = read_osm(path)
    assert network.edge_length_m.sum() == pytest.approx(200, rel=1e-2)


def test_relations_reach_outside(tmp_path: Path) -> None:
    relations = [
        (
            1,
            [("w", 7, "outer"), ("w", 8, "outer"), ("r", 5, "")],
            {"type": "multipolygon", "landuse": "grass"},
        ),
        (
            2,
            [("w", 7, "from"), ("n", 99, "via"), ("w", 8, "to")],
            {"type": "restriction", "restriction": "no_u_turn"},
        ),
        (3, [], {"type": "multipolygon", "natural": "water"}),
        (4, [("n", 1, "")], {}),
    ]
    network, places = read_osm(write_osm(tmp_path / "a.osm", LINE, [(7, [1, 2, 3], STREET)], relations))
    assert len(network.turns_banned) == len(places.green) == len(places.water) == 0


def test_short_and_broken_ways(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "a.osm", LINE, [(7, [1, 2], STREET), (8, [1], STREET), (9, [], STREET)])
    assert read_raw(path).way_id.tolist() == [7]


def test_names_with_separators_and_fallbacks(tmp_path: Path) -> None:
    ways: list[Way] = [
        (1, [1, 2], {"highway": "residential", "name": "A, B=C @ 100% 路 %20%"}),
        (2, [1, 2], {"highway": "residential", "name:en": "Only English"}),
        (3, [1, 2], {"highway": "residential", "ref": "G4"}),
        (4, [1, 2], {"highway": "residential"}),
    ]
    raw = read_raw(write_osm(tmp_path / "a.osm", LINE, ways))
    names = [raw.names[i] if i >= 0 else "" for i in raw.way_name.tolist()]
    assert names == ["A, B=C @ 100% 路 %20%", "Only English", "G4", ""]


def test_barriers_and_gates(tmp_path: Path) -> None:
    nodes: list[Node] = [
        (1, 0, 0),
        (2, 100, 0, {"barrier": "bollard"}),
        (3, 200, 0, {"barrier": "lift_gate"}),
    ]
    raw = read_raw(
        write_osm(tmp_path / "a.osm", [*nodes, (4, 9, 9, {"barrier": "gate"})], [(7, [1, 2, 3], STREET)])
    )
    assert raw.node_blocked.tolist() == [0, 4, 0]
    assert raw.node_gate.tolist() == [False, False, True]


TURN = [("w", 1, "from"), ("n", 2, "via"), ("w", 2, "to")]


@pytest.mark.parametrize(
    ("members", "tags", "count", "only"),
    [
        (TURN, {"restriction": "no_left_turn"}, 1, False),
        (TURN, {"restriction": "only_straight_on"}, 1, True),
        (TURN, {"restriction": "no_left_turn", "except": "bicycle;psv"}, 1, False),
        (TURN, {"restriction": "no_left_turn", "except": "bicycle;motorcar"}, 0, False),
        (TURN, {"restriction:motorcar": "no_left_turn"}, 1, False),
        (TURN, {"restriction:hgv": "no_left_turn"}, 0, False),
        (TURN, {"restriction": "give_way"}, 0, False),
        ([("w", 1, "from"), ("w", 2, "via"), ("w", 1, "to")], {"restriction": "no_u_turn"}, 0, False),
        ([*TURN, ("w", 3, "to")], {"restriction": "no_exit"}, 2, False),
        ([("w", 1, "from"), ("n", 2, "via"), ("w", 1, "to")], {"restriction": "no_u_turn"}, 0, False),
        ([("w", 4, "from"), ("n", 2, "via"), ("w", 3, "to")], {"restriction": "no_left_turn"}, 0, False),
        ([("w", 5, "from"), ("n", 2, "via"), ("w", 3, "to")], {"restriction": "no_left_turn"}, 1, False),
        ([("w", 77, "from"), *TURN[1:]], {"restriction": "no_left_turn"}, 0, False),
    ],
)
def test_turn_restrictions(
    tmp_path: Path, members: list[tuple[str, int, str]], tags: dict[str, str], count: int, only: bool
) -> None:
    nodes: list[Node] = [*LINE, (4, 100, 100), (5, 50, 90), (6, 150, 90)]
    # Ways 4 and 5 pass node 2: a restriction from way 4 could mean either side, way 5 is one-way.
    passing = {**STREET, "oneway": "yes"}
    ways: list[Way] = [
        *((1, [1, 2], STREET), (2, [2, 3], STREET), (3, [2, 4], STREET)),
        *((4, [5, 2, 6], STREET), (5, [5, 2, 6], passing)),
    ]
    relations: list[Relation] = [(1, members, {"type": "restriction", **tags})]
    raw = read_raw(write_osm(tmp_path / "a.osm", nodes, ways, relations))
    assert len(raw.restrictions) == count
    assert raw.restriction_only.all() == only or not count
    assert len(raw.drive_only) == 0
    for start, via, end in raw.restrictions.tolist():
        assert raw.way_id[start] in (1, 5)
        assert raw.node_id[via] == 2
        assert raw.way_id[end] in (2, 3)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("missing.osm.pbf", None, "not there"),
        ("empty.osm.pbf", b"", "is empty"),
        ("broken.osm.pbf", b"\x00\x00\x00\x0d this is no map", "cannot be read"),
        ("broken.osm", b"<osm version='0.6'><node id='1' lat=", "cannot be read"),
        ("broken.osm.gz", b"no gzip", "cannot be read"),
        ("notes.txt", b"hello", "ending"),
        ("nothing.osm", b"<osm version='0.6'></osm>", "no street"),
    ],
)
def test_bad_files_say_why(tmp_path: Path, name: str, content: bytes | None, sentence: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=sentence) as caught:
        read_osm(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_streets_without_nodes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="positions of none"):
        read_osm(write_osm(tmp_path / "a.osm", [], [(7, [1, 2, 3], STREET)]))


@pytest.mark.parametrize(
    ("nodes", "refs"),
    [([(1, 0, 0), (2, 0, 0)], [1, 2]), (LINE, [1, 1]), (LINE, [1, 99, 3]), ([*LINE, (4, 2e7, 0)], [1, 4])],
)
def test_streets_of_no_length(tmp_path: Path, nodes: list[Node], refs: list[int]) -> None:
    with pytest.raises(InputError, match="no street of any length"):
        read_osm(write_osm(tmp_path / "a.osm", nodes, [(7, refs, STREET)]))


def test_a_node_that_is_not_on_earth_is_a_missing_node(tmp_path: Path) -> None:
    nodes: list[Node] = [*LINE, (4, 0, 95 * 111_195.0), (5, 300, 0)]
    path = tmp_path / "a.opl"
    text = "n{0} v1 x{1} y{2}\n"
    lines = [text.format(n[0], n[1] / 111_195, n[2] / 111_195) for n in nodes]
    path.write_text("".join([*lines, "w7 v1 Thighway=residential Nn1,n2,n4,n3,n5\n"]), encoding="utf-8")
    network, _ = read_osm(path)
    assert network.edge_length_m.sum() == pytest.approx(200, rel=1e-2)


def test_truncated_pbf(tmp_path: Path, helsinki_pbf: Path) -> None:
    path = tmp_path / "cut.osm.pbf"
    path.write_bytes(helsinki_pbf.read_bytes()[:-1000])
    with pytest.raises(InputError, match="cannot be read"):
        read_raw(path)


def test_second_reading_comes_from_the_cache(tmp_path: Path, helsinki_pbf: Path) -> None:
    network, places = read_osm(helsinki_pbf, cache_dir=tmp_path)
    (folder,) = tmp_path.iterdir()
    stamp = (folder / "complete").stat().st_mtime_ns
    again, same_places = read_osm(helsinki_pbf, cache_dir=tmp_path)
    assert (folder / "complete").stat().st_mtime_ns == stamp
    np.testing.assert_array_equal(network.edge_length_m, again.edge_length_m)
    np.testing.assert_array_equal(places.poi_lonlat, same_places.poi_lonlat)
    np.testing.assert_array_equal(places.buildings.lonlat, same_places.buildings.lonlat)
    assert places.poi_name == same_places.poi_name
    assert places.kinds == same_places.kinds
    assert [p.wkt for p in places.compounds.polygons] == [p.wkt for p in same_places.compounds.polygons]


def test_cache_depends_on_content_and_parameters(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "a.osm", LINE, [(7, [1, 2, 3], STREET)])
    cache = tmp_path / "cache"
    read_osm(path, cache_dir=cache)
    read_osm(path, cache_dir=cache, gate_delay_s=60)
    assert len(list(cache.iterdir())) == 2
    write_osm(path, LINE, [(7, [1, 2], STREET)])
    network, _ = read_osm(path, cache_dir=cache)
    assert len(list(cache.iterdir())) == 3
    assert network.edge_length_m.sum() == pytest.approx(100, rel=1e-2)


def test_damaged_cache_is_written_anew(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "a.osm", LINE, [(7, [1, 2, 3], STREET)])
    cache = tmp_path / "cache"
    network, _ = read_osm(path, cache_dir=cache)
    (folder,) = cache.iterdir()
    (folder / "places" / "places.json").unlink()
    again, places = read_osm(path, cache_dir=cache)
    np.testing.assert_array_equal(network.edge_length_m, again.edge_length_m)
    assert len(places) == 0
    assert (folder / "complete").is_file()


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8)
TAGS = st.dictionaries(st.sampled_from(sorted([*WAY_KEYS, "name", "junk", "x"])) | TEXT, TEXT, max_size=5)
IDS = st.integers(-(10**12), 10**12).filter(lambda n: n != 0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    nodes=st.dictionaries(IDS, st.tuples(st.integers(-1_799_999_999, 1_799_999_999), TAGS), max_size=6),
    ways=st.dictionaries(IDS, st.tuples(st.lists(IDS, max_size=6), TAGS), max_size=5),
)
def test_scan_equals_osmium_in_python(
    tmp_path: Path,
    nodes: dict[int, tuple[int, dict[str, str]]],
    ways: dict[int, tuple[list[int], dict[str, str]]],
) -> None:
    path = tmp_path / "random.opl"
    path.unlink(missing_ok=True)
    with osmium.SimpleWriter(osmium.io.File(str(path), "opl,add_metadata=none")) as writer:
        for ident, (x, tags) in nodes.items():
            location = osmium.osm.Location(x / 1e7, x / 4e7)
            writer.add_node(osmium.osm.mutable.Node(id=ident, location=location, tags=tags))
        for ident, (refs, tags) in ways.items():
            writer.add_way(osmium.osm.mutable.Way(id=ident, nodes=refs, tags=tags))
    wanted = Selection(frozenset({"highway"}), WAY_KEYS | {"name"}, drop=frozenset({"junk"}))
    file = scan_opl(path, wanted, wanted)
    expected = {}
    for node in osmium.FileProcessor(str(path), osmium.osm.NODE):
        assert isinstance(node, osmium.osm.Node)
        expected[node.id] = (node.location.x, node.location.y)
    assert (
        dict(
            zip(
                file.node_id.tolist(),
                zip(file.node_x.tolist(), file.node_y.tolist(), strict=True),
                strict=True,
            )
        )
        == expected
    )
    kept = {}
    for way in osmium.FileProcessor(str(path), osmium.osm.WAY):
        assert isinstance(way, osmium.osm.Way)
        tags = {tag.k: tag.v for tag in way.tags}
        if "highway" in tags or "junk" not in tags:
            shown = {key: value for key, value in tags.items() if "highway" in tags and key in wanted.keep}
            kept[way.id] = (shown, [node.ref for node in way.nodes])
    texts = list(file.ways.texts())
    ours = {
        ident: (parse_tags(texts[row]) if texts[row] else {}, file.ways.refs(row).tolist())
        for row, ident in enumerate(file.ways.id.tolist())
    }
    assert ours == kept


@settings(max_examples=200, deadline=None)
@given(TAGS)
def test_rules_hold_for_any_tags(tags: dict[str, str]) -> None:
    rule = way_rule({**tags, "highway": "residential"})
    if rule is not None:
        usable = rule.forward | rule.backward
        assert usable
        assert rule.private & ~usable == 0
        for mode, speed in enumerate(rule.speed_mps):
            assert (speed > 0) == bool(usable >> mode & 1)


@pytest.mark.parametrize(
    ("tags", "modes"),
    [
        ({"restriction": "no_left_turn"}, 7),
        ({"restriction:bicycle": "no_left_turn"}, 3),
        ({"restriction": "no_left_turn", "except": "bicycle; motorcar"}, 0),
        ({"restriction": "no_left_turn", "hour_on": "07:00", "hour_off": "09:00"}, 0),
    ],
)
def test_turn_restrictions_keep_their_modes(tmp_path: Path, tags: dict[str, str], modes: int) -> None:
    ways: list[Way] = [(1, [1, 2], STREET), (2, [2, 3], STREET)]
    relations: list[Relation] = [(1, TURN, {"type": "restriction", **tags})]
    path = write_osm(tmp_path / "a.osm", LINE, ways, relations)
    assert read_raw(path).restriction_modes.tolist() == [modes][: bool(modes)]
    network, _ = read_osm(path)
    assert network.turn_modes.tolist() == [modes][: bool(modes)]


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_deleted_is_no_street(tmp_path: Path, packed: bool) -> None:
    nodes: list[Node] = [*LINE, (4, 300, 0), (5, 400, 0)]
    ways: list[Way] = [(i, [i, i + 1], STREET) for i in (1, 2, 3, 4)]
    path = write_osm(tmp_path / "a.osm", nodes, ways, [(9, TURN, {"type": "restriction"})])
    text = path.read_text(encoding="utf-8")
    for old, new in (
        ('<way id="1" version="1"', '<way id="1" version="1" visible="false"'),
        ('<way id="2" version="1"', '<way action=\'delete\' id="2" version="1"'),
        ('<node id="5" version="1"', '<node id="5" version="1" visible="false"'),
        ('<relation id="9" version="1"', '<relation id="9" version="1" action="delete"'),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    if packed:
        path = tmp_path / "a.osm.gz"
        path.write_bytes(gzip.compress(text.encode()))
    raw = read_raw(path)
    assert raw.way_id.tolist() == [3, 4]
    network, _ = read_osm(path)
    assert network.edge_length_m.sum() == pytest.approx(100, rel=1e-2), "way 4 has lost a node"


def test_a_deleted_relation_binds_nobody(tmp_path: Path) -> None:
    ways: list[Way] = [(1, [1, 2], STREET), (2, [2, 3], STREET)]
    ban: list[Relation] = [(9, TURN, {"type": "restriction", "restriction": "no_exit"})]
    path = write_osm(tmp_path / "a.osm", LINE, ways, ban)
    assert len(read_raw(path).restrictions) == 1
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('<relation id="9"', '<relation id="9" visible="false"'), encoding="utf-8")
    assert len(read_raw(path).restrictions) == 0


@pytest.mark.parametrize("kind", ["closed way", "relation"])
def test_a_square_may_be_crossed_along_its_outline(tmp_path: Path, kind: str) -> None:
    nodes: list[Node] = [(1, 0, 0), (2, 100, 0), (3, 200, 0), (4, 200, 80), (5, 100, 80), (6, 300, 80)]
    ways: list[Way] = [(1, [1, 2], STREET), (2, [2, 6], STREET)]
    square = {"highway": "pedestrian", "name": "广场"}
    relations: list[Relation] = []
    if kind == "relation":
        # The way in the middle touches no street, only its neighbours.
        ways += [(3, [2, 3], {}), (4, [3, 4, 5], {}), (5, [5, 2], {})]
        members = [("w", 3, "outer"), ("w", 4, "outer"), ("w", 5, ""), ("w", 77, "outer")]
        relations = [(9, members, {"type": "multipolygon", **square})]
    else:
        ways.append((3, [2, 3, 4, 5, 2], {**square, "area": "yes"}))
    path = write_osm(tmp_path / "a.osm", nodes, ways, relations)
    network, _ = read_osm(path)
    assert network.edge_length_m.sum() == pytest.approx(100 + np.hypot(200, 80) + 2 * 180, rel=0.01)
    assert network.components("foot").max() == 0
    assert set(network.names) == {"中山路", "广场"}
    assert len(np.flatnonzero(network.usable("car"))) == 2


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    nodes: list[Node] = [*LINE, (4, 300, 0), (5, 0, 900), (6, 90, 900), (7, 0, 990), (11, 300, 500)]
    nodes += [(8, 300, 50, {"barrier": "gate", "opening_hours": "06:00-22:00"})]
    nodes += [(9, 300, 60, {"barrier": "gate", "foot": "yes", "foot:conditional": "no @ (20:00-08:00)"})]
    nodes += [(10, 300, 70, {"shop": "books", "opening_hours": "09:00-18:00"})]
    ways: list[Way] = [
        (1, [1, 2], {**STREET, "access:conditional": "no @ (22:00-06:00)"}),
        (2, [2, 3], {**STREET, "maxspeed:conditional": "30 @ (07:00-17:00)"}),
        (3, [3, 99], {"highway": "construction"}),
        (4, [3, 99], {"highway": "service", "access": "no"}),
        (5, [3], STREET),
        (6, [5, 6, 7, 5], {"highway": "pedestrian", "area": "yes"}),
        (8, [3, 99, 4], STREET),
        (9, [1, 98, 97, 1], {"landuse": "grass"}),
        (10, [1, 3], {"route": "ferry", "access": "no", "bicycle:conditional": "yes @ (08:00-18:00)"}),
        # Parks and bridges have hours (GraphHopper #2949), gates too (OsmAnd #7576); a pier may lead nowhere.
        (11, [4, 8, 9, 10], {"highway": "footway", "opening_hours": "06:00-22:00"}),
        (12, [4, 10], {"highway": "footway", "opening_hours": "24/7", "seasonal": "no"}),
        (13, [4, 11], {"route": "ferry", "opening_hours": "Apr-Oct"}),
        # Of one direction, or of one kind of vehicle.
        (14, [1, 2], {**STREET, "motor_vehicle:forward:conditional": "no @ (07:00-09:00)"}),
        (15, [1, 2], {**STREET, "oneway:motor_vehicle:conditional": "yes @ (07:00-09:00)"}),
        (16, [1, 2], {**STREET, "maxspeed:motorcar:conditional": "30 @ (22:00-06:00)"}),
        (17, [1, 2], {**STREET, "maxspeed:hgv:conditional": "30 @ (22:00-06:00)"}),
    ]
    relations: list[Relation] = [
        (1, TURN, {"type": "restriction", "restriction": "no_exit", "hour_on": "7:00"}),
        (2, TURN, {"type": "restriction", "restriction:hgv": "no_exit"}),
        (3, [*TURN[:2], ("w", 77, "to")], {"type": "restriction", "restriction": "no_exit"}),
        (4, TURN, {"type": "restriction", "restriction": "no_exit"}),
        (5, [("w", 66, "outer")], {"type": "multipolygon", "natural": "water"}),
        (6, [("w", 6, "outer"), ("w", 65, "outer")], {"type": "multipolygon", "highway": "pedestrian"}),
    ]
    path = write_osm(tmp_path / "a.osm", nodes, ways, relations)
    network, places = read_osm(path, tmp_path / "cache")
    expected = {
        "ways_of_unknown_class": 1,
        "ways_closed_to_everybody": 2,
        "ways_with_conditional_access": 4,
        "ways_with_conditional_speed": 2,
        "ways_open_at_certain_hours": 2,
        "ways_of_fewer_than_two_nodes": 1,
        "squares_beside_no_street": 1,
        "nodes_without_position": 1,
        "gates_open_at_certain_hours": 2,
        "ferries_that_end_at_no_street": 1,
        "turn_restrictions_at_certain_hours": 1,
        "turn_restrictions_of_others": 1,
        "turn_restrictions_not_on_these_streets": 1,
        "areas_not_whole": 3,
    }
    assert describe(network, places).left_out == expected
    again, _ = read_osm(path, tmp_path / "cache")
    assert dict(again.left_out) == expected
