"""Ferries belong to the network: how long they take, and who changes boats where."""

from pathlib import Path

import numpy as np
import pytest
from osm_xml import Node, Way, write_osm

from geo.errors import InputError
from geo.osm import read_osm
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
