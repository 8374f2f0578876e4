"""Turn restrictions over ways: drawn cases, map files, and a reference that walks every drive."""

import heapq
import itertools
from pathlib import Path

import numpy as np
import pytest
from ascii_map import AsciiMap, ascii_map
from hypothesis import given, settings
from hypothesis import strategies as st
from osm_xml import Node, Relation, Way, write_osm

from geo.osm.read import read_raw
from geo.streets.build import build_network
from geo.streets.network import StreetNetwork
from geo.streets.turn_bans import flat, unflat
from geo.travel import find_path
from geo.travel.times import travel_times_s

DUAL = """
A---B---C---D
    |   |
E---F---G---H
"""
ROADS: dict[str, dict[str, object]] = {
    "ABCD": {"oneway": True},
    "HGFE": {"oneway": True},
    "CG": {},
    "BF": {},
}


def car_s(town: AsciiMap, start: str, end: str) -> float:
    network = town.network()
    places = network.snap(town.lonlat([start, end]), "car", 5.0)
    return float(travel_times_s(network, "car", places.take([0]), places.take([1]))[0, 0])


def test_no_u_turn_over_the_link_of_a_dual_carriageway() -> None:
    free = ascii_map(DUAL, ROADS)
    town = ascii_map(DUAL, ROADS, drives=[("ABFE", "no")])
    # One link further instead, and who comes by the link from elsewhere may still go there.
    assert car_s(town, "AB", "FE") > car_s(free, "AB", "FE") + 20
    assert car_s(town, "BF", "FE") == pytest.approx(car_s(free, "BF", "FE"), abs=0.01)
    assert car_s(town, "AB", "BF") == pytest.approx(car_s(free, "AB", "BF"), abs=0.01)


CROSS = """
    C   D
    |   |
A---X-Y-Z---B
    |   |
    E   F
"""
STREETS: dict[str, dict[str, object]] = {
    "AX": {}, "XYZ": {}, "ZB": {}, "CX": {}, "EX": {}, "DZ": {}, "FZ": {},
}  # fmt: skip


def test_only_over_a_way_forbids_the_other_exits() -> None:
    free = ascii_map(CROSS, STREETS)
    town = ascii_map(CROSS, STREETS, drives=[("AXYZB", "only")])
    assert car_s(town, "A", "B") == pytest.approx(car_s(free, "A", "B"), abs=0.01)
    assert car_s(town, "A", "D") > car_s(free, "A", "D") + 1
    assert car_s(town, "C", "D") == pytest.approx(car_s(free, "C", "D"), abs=0.01)


def test_a_way_that_is_several_edges() -> None:
    streets = {**STREETS, "YW": {}}
    drawing = CROSS.replace("    |   |\n    E   F", "    | | |\n    E W F")
    free = ascii_map(drawing, streets)
    town = ascii_map(drawing, streets, drives=[("AXYZD", "no")])
    assert car_s(town, "A", "B") == pytest.approx(car_s(free, "A", "B"), abs=0.01)
    # Turning round in the dead end W makes it another drive.
    assert car_s(town, "A", "D") == pytest.approx(car_s(free, "A", "D") + 2 * 12.5 * 0.5 * 2, abs=0.01)


GRID = """
A---B---C
|   |   |
D---E---F
|   |   |
G---H---J
"""
LINKS = ("AB", "BC", "DE", "EF", "GH", "HJ", "AD", "BE", "CF", "DG", "EH", "FJ")
NEXT = {node: [link.replace(node, "") for link in LINKS if node in link] for node in "ABCDEFGHJ"}


@st.composite
def drives_on_the_grid(draw: st.DrawFn) -> tuple[str, str]:
    nodes = [draw(st.sampled_from("ABCDEFGHJ"))]
    for _ in range(draw(st.integers(3, 5))):
        nodes.append(draw(st.sampled_from([n for n in NEXT[nodes[-1]] if n not in nodes[-2:-1]])))
    return "".join(nodes), draw(st.sampled_from(["no", "no", "only"]))


def slow_ms(
    network: StreetNetwork, mode: str, source: int, forbidden: set[tuple[int, ...]]
) -> dict[int, float]:
    """Least time to the start of every directed edge after driving all of `source`; remembers the drive."""
    cost = network.graph(mode).directed_cost_ms
    tail = np.stack([network.edge_u, network.edge_v], axis=1).ravel()
    head = tail.reshape(-1, 2)[:, ::-1].ravel()
    longest = max(map(len, forbidden), default=1)
    best: dict[int, float] = {}
    heap: list[tuple[float, tuple[int, ...]]] = [(0.0, (source,))]
    seen: set[tuple[int, ...]] = set()
    while heap:
        ms, drive = heapq.heappop(heap)
        if drive in seen:
            continue
        seen.add(drive)
        onward = [d for d in range(len(tail)) if tail[d] == head[drive[-1]]]
        if mode == "car":
            onward.remove(drive[-1] ^ 1)
        for d in onward or [drive[-1] ^ 1]:
            longer = (*drive, d)
            if any(longer[-len(f) :] == f for f in forbidden):
                continue
            best[d] = min(best.get(d, np.inf), ms + float(cost[drive[-1]]))
            heapq.heappush(heap, (ms + float(cost[drive[-1]]), longer[-longest:]))
    return best


@settings(max_examples=40, deadline=None)
@given(
    drives=st.lists(drives_on_the_grid(), min_size=1, max_size=4),
    source=st.integers(0, 23),
    mode=st.sampled_from(["car", "ebike", "foot"]),
)
def test_equals_a_search_that_remembers_its_drive(
    drives: list[tuple[str, str]], source: int, mode: str
) -> None:
    ways = {link: {"speed": 1.0 + number} for number, link in enumerate(LINKS)}
    network = ascii_map(GRID, ways, drives=drives, bound="car ebike").network()
    reference = slow_ms(network, mode, source, set(network.drives_banned(mode)))
    graph = network.graph(mode)
    states = range(graph.depart_ptr[source], graph.depart_ptr[source + 1])
    dist = np.full(graph.n_states, np.inf)
    heap = [
        (float(graph.directed_cost_ms[source]) + float(graph.depart_extra_ms[k]), int(graph.depart_state[k]))
        for k in states
    ]
    while heap:
        ms, state = heapq.heappop(heap)
        if ms >= dist[state]:
            continue
        dist[state] = ms
        for arc in range(graph.indptr[state], graph.indptr[state + 1]):
            heapq.heappush(heap, (ms + float(graph.cost_ms[arc]), int(graph.head[arc])))
    for d in range(len(graph.directed_cost_ms)):
        arriving = graph.arrive_state[graph.arrive_ptr[d] : graph.arrive_ptr[d + 1]]
        assert dist[arriving].min(initial=np.inf) == reference.get(d, np.inf)


NODES: list[Node] = [
    *((1, 0, 0), (2, 100, 0), (3, 200, 0), (4, 0, -30), (5, 100, -30), (6, 200, -30)),
    *((7, 100, -15), (8, 300, 0)),
]
ONE_WAY = {"highway": "primary", "oneway": "yes"}
LINK = {"highway": "primary_link"}
WAYS: list[Way] = [
    *((1, [1, 2, 3], ONE_WAY), (2, [6, 5, 4], ONE_WAY), (3, [2, 7], LINK), (4, [7, 5], LINK)),
    (5, [3, 8], {"highway": "residential"}),
]
OVER = [("w", 1, "from"), ("w", 3, "via"), ("w", 4, "via"), ("w", 2, "to")]
BACK = [("w", 2, "from"), ("w", 4, "via"), ("w", 3, "via"), ("w", 1, "to")]


@pytest.mark.parametrize(
    ("members", "tags", "drives"),
    [
        (OVER, {"restriction": "no_u_turn"}, [[1, 2, 7, 5, 4]]),
        (OVER, {"restriction": "only_left_turn"}, [[1, 2, 7, 5, 4]]),
        (OVER, {"restriction": "no_u_turn", "except": "motorcar; bicycle"}, []),
        # The other way round, in the wrong order, or over what is no street.
        (BACK, {"restriction": "no_u_turn"}, [[6, 5, 7, 2, 3]]),
        ([OVER[0], OVER[2], OVER[1], OVER[3]], {"restriction": "no_u_turn"}, []),
        ([OVER[0], ("w", 99, "via"), OVER[3]], {"restriction": "no_u_turn"}, []),
        ([OVER[0], ("w", 5, "via"), OVER[3]], {"restriction": "no_u_turn"}, []),
    ],
)  # fmt: skip
def test_relations_over_ways(
    tmp_path: Path, members: list[tuple[str, int, str]], tags: dict[str, str], drives: list[list[int]]
) -> None:
    relations: list[Relation] = [(1, members, {"type": "restriction", **tags})]
    raw = read_raw(write_osm(tmp_path / "a.osm", NODES, WAYS, relations))
    found = [raw.node_id[raw.drive_node[a:b]].tolist() for a, b in itertools.pairwise(raw.drive_ptr.tolist())]
    assert found == drives
    assert raw.drive_only.tolist() == [tags["restriction"].startswith("only")] * len(drives)
    network = build_network(raw)
    # Of "only" the two other exits are forbidden: back, and on against the street.
    assert len(network.drives_banned("car")) == len(drives) * (2 if raw.drive_only.any() else 1)


def test_a_saved_network_keeps_them(tmp_path: Path) -> None:
    network = ascii_map(DUAL, ROADS, drives=[("ABFE", "no")]).network()
    network.save(tmp_path / "net")
    assert StreetNetwork.load(tmp_path / "net").drives_banned("car") == network.drives_banned("car")
    assert unflat(*flat([(1, 2, 3), (4, 5, 6, 7)])) == ((1, 2, 3), (4, 5, 6, 7))


def test_a_car_does_not_turn_round_in_the_street_behind_a_ban() -> None:
    """OSRM #102: the banned left turn was made by going on, turning round in mid-street and coming back."""
    town = ascii_map(
        """
              G
              |
        A-----B-----C-----D
              |           |
              F           E
        """,
        {"AB": {}, "BG": {}, "BCD": {}, "BF": {}, "DE": {}},
        restrictions=[("AB", "B", "BG", "no")],
    )
    network = town.network()
    places = network.snap(town.lonlat(["AB", "BG"]), "car")
    way = find_path(network, "car", places.take([0]), places.take([1]))
    assert way is not None
    # Only the ends of dead ends let a car turn.
    assert np.isclose(way.lonlat, town.letters["F"], atol=1e-7).all(axis=1).any()
