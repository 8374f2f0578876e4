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


def _drives(
    tmp_path: Path, ways: list[Way], members: list[tuple[str, int, str]], kind: str
) -> list[list[int]]:
    nodes: list[Node] = [*NODES, (6, 200, 100)]
    relations: list[Relation] = [(1, members, {"type": "restriction", "restriction": kind})]
    raw = read_raw(write_osm(tmp_path / "a.osm", nodes, ways, relations))
    spans = zip(raw.drive_ptr[:-1].tolist(), raw.drive_ptr[1:].tolist(), strict=True)
    return [raw.node_id[raw.drive_node[first:last]].tolist() for first, last in spans]


def test_a_turn_round_a_ring_is_no_way_out(tmp_path: Path) -> None:
    """GraphHopper #3281: streets in between that form a ring were not put into their order."""
    ways: list[Way] = [
        (1, [1, 2], STREET),
        (2, [2, 3, 6], STREET),
        (3, [2, 4, 6], STREET),
        (4, [2, 5], STREET),
    ]
    for via in ((2, 3), (3, 2)):
        members = [("w", 1, "from"), *(("w", way, "via") for way in via), ("w", 4, "to")]
        ring = [3, 6, 4] if via == (2, 3) else [4, 6, 3]
        assert _drives(tmp_path, ways, members, "no_left_turn") == [[1, 2, *ring, 2, 5]]


def test_a_u_turn_over_a_link_is_read(tmp_path: Path) -> None:
    """GraphHopper #2719: no U-turn from one carriageway over a link to the other was ignored."""
    ways: list[Way] = [(1, [1, 2], STREET), (2, [2, 4], STREET), (3, [4, 6], STREET), (4, [2, 3], STREET)]
    members = [("w", 1, "from"), ("w", 2, "via"), ("w", 3, "to")]
    assert _drives(tmp_path, ways, members, "no_u_turn") == [[1, 2, 4, 6]]


def test_several_restrictions_at_one_junction_all_hold(tmp_path: Path) -> None:
    """OSRM #575: of several restrictions at one node only the first was heeded."""
    ways: list[Way] = [(1, [1, 2], STREET), (2, [4, 2], STREET), (3, [2, 3], STREET), (4, [5, 2], STREET)]
    kinds = {2: "no_left_turn", 4: "no_right_turn"}
    relations: list[Relation] = [
        (
            to,
            [("w", 1, "from"), ("n", 2, "via"), ("w", to, "to")],
            {"type": "restriction", "restriction": kind},
        )
        for to, kind in kinds.items()
    ]
    raw = read_raw(write_osm(tmp_path / "a.osm", NODES, ways, relations))
    found = {(int(raw.way_id[a]), int(raw.way_id[b])) for a, _, b in raw.restrictions.tolist()}
    assert found == {(1, 2), (1, 4)}
