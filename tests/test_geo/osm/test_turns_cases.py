"""Turn restrictions as users of other routers met them."""

from pathlib import Path

import pytest
from osm_xml import Node, Relation, Way, write_osm

from geo.osm.read import read_raw

STREET = {"highway": "residential"}
NODES: list[Node] = [(1, 0, 0), (2, 100, 0), (3, 200, 0), (4, 100, 100), (5, 100, -100)]


@pytest.mark.parametrize(
    ("kind", "turns"),
    [
        ("no_entry", [(1, 3), (2, 3), (4, 3)]),
        ("no_exit", [(3, 1), (3, 2), (3, 4)]),
        ("only_straight_on", [(1, 3), (2, 3), (4, 3)]),
    ],
)
def test_a_restriction_of_several_streets_binds_each(
    tmp_path: Path, kind: str, turns: list[tuple[int, int]]
) -> None:
    """OSRM #4241, GraphHopper #2647: only the first of several streets was heeded, or none."""
    ways: list[Way] = [(1, [1, 2], STREET), (2, [4, 2], STREET), (3, [2, 3], STREET), (4, [5, 2], STREET)]
    several, one = ("to", "from") if kind == "no_exit" else ("from", "to")
    members = [("w", way, several) for way in (1, 2, 4)] + [("w", 3, one), ("n", 2, "via")]
    relations: list[Relation] = [(1, members, {"type": "restriction", "restriction": kind})]
    raw = read_raw(write_osm(tmp_path / "a.osm", NODES, ways, relations))
    found = {(int(raw.way_id[a]), int(raw.way_id[b])) for a, _, b in raw.restrictions.tolist()}
    assert found == set(turns)
