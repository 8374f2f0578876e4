"""Ferries belong to the network: how long they take, and who changes boats where."""

from pathlib import Path

import numpy as np
import osmium
import pytest
from osm_xml import Node, Relation, Tags, Way, write_osm

from geo.errors import InputError
from geo.osm import read_osm
from geo.osm.read import read_raw
from geo.travel import travel_times_s

STREET = {"highway": "residential"}
RIVER: list[Node] = [(1, 0, 0), (2, 100, 0), (3, 100, 900), (4, 200, 900)]


@pytest.mark.parametrize(
    ("tags", "wait_s", "seconds"),
    [
        ({"duration": "00:10"}, 300, 900),
        ({"duration": "00:10"}, 0, 600),
        # A slow boat of 8 km/h.
        ({}, 0, 900 * 3.6 / 8),
        ({}, 600, 900 * 3.6 / 8 + 600),
        # Half of the time from one boat to the next, where it is told.
        ({"duration": "00:10", "interval": "00:08"}, 600, 840),
        ({"duration": "10 min", "interval": "PT1H"}, 600, 2400),
        ({"duration": "10 minutes", "interval": "on demand"}, 600, 1200),
    ],
)
def test_a_ferry_crosses_the_river(
    tmp_path: Path, tags: dict[str, str], wait_s: float, seconds: float
) -> None:
    ways: list[Way] = [
        *((1, [1, 2], STREET), (3, [3, 4], STREET)),
        (2, [2, 3], {"route": "ferry", "bicycle": "yes", **tags}),
    ]
    path = write_osm(tmp_path / "a.osm", RIVER, ways)
    network, _ = read_osm(path, tmp_path / "cache", ferry_wait_s=wait_s)
    for mode, pace in (("foot", 3.6 / 4.5), ("ebike", 3.6 / 15)):
        places = network.snap(network.node_lonlat[np.argsort(network.node_id)][[0, 3]], mode, 20.0)
        found = travel_times_s(network, mode, places.take([0]), places.take([1]))[0, 0]
        assert found == pytest.approx(200 * pace + seconds, rel=0.01)
    assert not network.usable("car").all(), "no word of cars"
    # Somebody at the water's edge is taken to the street, not aboard.
    shore = network.snap(np.array([[100, 40]]) / 111_195, "foot")
    assert network.edge_way_id[shore.edge].tolist() == [1]
    assert len(list((tmp_path / "cache").iterdir())) == 1
    read_osm(path, tmp_path / "cache", ferry_wait_s=wait_s + 1)
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_wait_for_a_ferry_has_a_range(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="wait for a ferry"):
        read_osm(write_osm(tmp_path / "a.osm", RIVER, [(7, [1, 2], STREET)]), ferry_wait_s=-1)


def test_nobody_changes_boats_where_they_cross(tmp_path: Path) -> None:
    """Two lines share a node in the middle of the river (Valhalla #4403)."""
    nodes: list[Node] = [
        *((1, 0, 0), (2, 100, 0), (3, 500, 900), (4, 600, 900), (5, 500, 0), (6, 600, 0), (7, 100, 900)),
        *((8, 0, 900), (9, 300, 450), (10, 200, 225), (11, 300, 100)),
    ]
    boat = {"route": "ferry"}
    streets: list[Way] = [(1, [1, 2], STREET), (2, [3, 4], STREET), (3, [5, 6], STREET), (4, [7, 8], STREET)]
    one: list[Way] = [(5, [2, 10, 9, 3], boat)]

    def joined(more: list[Way], name: str) -> set[int]:
        """Ways that can be reached on foot from the first street."""
        network, _ = read_osm(write_osm(tmp_path / name, nodes, [*streets, *one, *more]))
        part = network.components("foot")
        mine = part[network.edge_way_id == 1]
        return set(network.edge_way_id[np.isin(part, mine)].tolist())

    assert joined([(6, [5, 9, 7], boat)], "across.osm") == {1, 2, 5}
    # Where a line begins, or a street touches, boats are changed.
    assert joined([(6, [5, 9], boat), (7, [9, 7], boat)], "from.osm") == {1, 2, 3, 4, 5, 6, 7}
    assert joined([(6, [5, 9, 7], boat), (8, [9, 11], STREET)], "pier.osm") == {1, 2, 3, 4, 5, 6, 8}


LINE: list[Node] = [*RIVER, (9, 100, 300)]
"""The same river with a node on the water: two ways make the line."""


def crossed_s(path: Path, mode: str = "foot", wait_s: float = 300) -> float:
    """Return the seconds over the water from one street to the other, infinite without a boat."""
    network, _ = read_osm(path, ferry_wait_s=wait_s)
    places = network.snap(np.array([[0, 0], [200, 900]]) / 111_195, mode, 20.0)
    found = travel_times_s(network, mode, places.take([0]), places.take([1]))[0, 0]
    return float(found) - 200 * 3.6 / (4.5 if mode == "foot" else 15)


def in_both_forms(folder: Path, ways: list[Way], relations: list[Relation]) -> list[Path]:
    """Write a map as XML and as pbf."""
    xml, pbf = write_osm(folder / "a.osm", LINE, ways, relations), folder / "a.osm.pbf"
    pbf.unlink(missing_ok=True)
    with osmium.SimpleWriter(str(pbf)) as writer:
        for thing in osmium.FileProcessor(str(xml)):
            writer.add(thing)
    return [xml, pbf]


BOAT = {"type": "route", "route": "ferry"}


@pytest.mark.parametrize(
    ("tags", "of_ways", "seconds"),
    [
        # The time and the wait are those of the whole line, not of each of its ways.
        ({"duration": "00:10"}, ({}, {}), 900),
        ({"duration": "00:10", "interval": "8"}, ({}, {}), 840),
        ({}, ({}, {}), 900 * 3.6 / 8 + 300),
        ({"duration": "00:10"}, ({"source": "survey"}, {"name": "Line 2"}), 900),
        # Ways that are ferries themselves, and say less than the relation.
        ({"duration": "00:10"}, ({"route": "ferry"}, {"route": "ferry"}), 900),
        ({"duration": "00:10"}, ({"route": "ferry"}, {}), 900),
        ({"duration": "00:10", "foot": "no"}, ({"route": "ferry"}, {}), np.inf),
        ({"access": "private"}, ({}, {}), np.inf),
        # What a way says itself comes first.
        ({"foot": "no"}, ({"route": "ferry", "foot": "yes"},) * 2, 900 * 3.6 / 8 + 300),
        ({}, ({"route": "ferry", "duration": "10"}, {"route": "ferry", "duration": "5"}), 15 * 60 + 2 * 300),
        # Also where it does not say itself that it is a ferry.
        ({}, ({"duration": "10"}, {"duration": "5"}), 15 * 60 + 2 * 300),
        ({"duration": "00:10"}, ({"foot": "no"}, {}), np.inf),
        ({"foot": "no", "duration": "00:10"}, ({"foot": "yes"}, {"foot": "yes"}), 900),
        ({"duration": "00:10"}, ({"access": "private"}, {}), np.inf),
    ],
)
def test_a_line_that_is_a_relation(
    tmp_path: Path, tags: Tags, of_ways: tuple[Tags, Tags], seconds: float
) -> None:
    ways: list[Way] = [(1, [1, 2], STREET), (3, [3, 4], STREET), (5, [2, 9], of_ways[0])]
    ways.append((6, [9, 3], of_ways[1]))
    line: Relation = (7, [("w", 5, ""), ("w", 6, "forward"), ("n", 2, "stop")], {**BOAT, **tags})
    for path in in_both_forms(tmp_path, ways, [line]):
        assert crossed_s(path) == pytest.approx(seconds, rel=0.01), path.suffix


def test_vehicles_go_aboard_where_the_relation_says_so(tmp_path: Path) -> None:
    ways: list[Way] = [(1, [1, 2], STREET), (3, [3, 4], STREET), (5, [2, 9, 3], {})]
    line: Relation = (7, [("w", 5, "")], {**BOAT, "bicycle": "yes", "duration": "00:10", "name": "轮渡"})
    for path in in_both_forms(tmp_path, ways, [line]):
        assert crossed_s(path, "ebike") == pytest.approx(900, rel=0.01)
        network, _ = read_osm(path)
        assert "轮渡" in network.names
        plain: Relation = (7, line[1], {**BOAT, "opening_hours": "06:00-22:00"})
    for path in in_both_forms(tmp_path, ways, [plain]):
        assert crossed_s(path, "ebike") == np.inf, "no word of bicycles"
        assert read_raw(path).left_out["ways_open_at_certain_hours"] == 1
    own: list[Way] = [*ways[:2], (5, [2, 9, 3], {"bicycle": "yes", "duration": "00:20", "building": "no"})]
    for path in in_both_forms(tmp_path, own, [(7, line[1], BOAT)]):
        assert crossed_s(path, "ebike") == pytest.approx(1500, rel=0.01), "the way says so itself"


def test_what_is_no_boat_stays_what_it_is(tmp_path: Path) -> None:
    """A pier in the relation is a street, and its platform, a bus line and a lost way are nothing."""
    ways: list[Way] = [(1, [1, 2], STREET), (3, [3, 4], STREET), (5, [2, 9], {"highway": "pedestrian"})]
    ways.append((6, [9, 3], {}))
    pier: list[Relation] = [(7, [("w", 5, ""), ("w", 6, ""), ("w", 99, "")], {**BOAT, "duration": "00:10"})]
    for path in in_both_forms(tmp_path, ways, pier):
        assert crossed_s(path) == pytest.approx(300 * 3.6 / 4.5 + 900, rel=0.01)
    for role, tags in (
        ("platform", BOAT),
        ("", {**BOAT, "route": "bus"}),
        ("", {"route": "ferry", "type": "site"}),
    ):
        for path in in_both_forms(tmp_path, ways, [(7, [("w", 6, role)], tags)]):
            assert crossed_s(path) == np.inf
