"""To OSMnx and back, offline."""

import itertools
from pathlib import Path

import networkx
import numpy as np
import osmnx
import pytest
from osm_xml import Node, Relation, Way, write_osm

from geo.errors import InputError
from geo.osm.osmnx import from_osmnx, to_osmnx
from geo.osm.read import read_graphml, read_osm, read_place
from geo.streets.network import StreetNetwork
from geo.streets.raw import MODES
from geo.travel.times import travel_times_s

NODES: list[Node] = [(1, 0, 0), (2, 100, 0), (3, 200, 0), (4, 200, 100, {"barrier": "bollard"}), (5, 0, 100)]
WAYS: list[Way] = [
    (1, [1, 2, 3], {"highway": "residential", "name": "One", "oneway": "yes", "cycleway": "opposite"}),
    (2, [3, 4, 5], {"highway": "service", "access": "private", "name": "Two"}),
    (3, [5, 1], {"highway": "footway"}),
    (4, [2, 5], {"highway": "trunk"}),
]


@pytest.fixture
def network(tmp_path: Path) -> StreetNetwork:
    return read_osm(write_osm(tmp_path / "a.osm", NODES, WAYS))[0]


def rows(network: StreetNetwork) -> list[tuple[object, ...]]:
    """Every direction of every edge with what matters, in an order of its own."""
    out: list[tuple[object, ...]] = []
    for edge in range(len(network)):
        line = network.edge_lonlat(edge).round(9).tolist()
        speeds = network.edge_speed_mps[:, edge].round(4).tolist()
        name = network.names[network.edge_name[edge]] if network.edge_name[edge] >= 0 else ""
        for row, points in enumerate((line, line[::-1])):
            bits = int(network.edge_access[row, edge])
            if bits:
                kind = network.classes[network.edge_class[edge]]
                out.append((points, bits, int(network.edge_private[edge]), speeds, name, kind))
    return sorted(out, key=str)


def test_there_and_back(network: StreetNetwork) -> None:
    again = from_osmnx(to_osmnx(network))
    assert rows(again) == rows(network)
    assert sorted(again.node_blocked.tolist()) == sorted(network.node_blocked.tolist())
    np.testing.assert_allclose(again.edge_length_m.sum(), network.edge_length_m.sum())


def test_there_and_back_through_graphml(network: StreetNetwork, tmp_path: Path) -> None:
    path = tmp_path / "graph.graphml"
    osmnx.save_graphml(to_osmnx(network), path)
    assert rows(read_graphml(path)) == rows(network)


def test_real_map_there_and_back(helsinki_pbf: Path) -> None:
    network, _ = read_osm(helsinki_pbf)
    again = from_osmnx(to_osmnx(network))
    for row, _ in enumerate(MODES):
        metres = [
            [float(n.edge_length_m[n.edge_access[side] >> row & 1 == 1].sum()) for side in (0, 1)]
            for n in (network, again)
        ]
        assert sum(metres[0]) == pytest.approx(sum(metres[1]), rel=1e-9)


@pytest.mark.parametrize("mode", [None, *MODES])
def test_osmnx_accepts_the_graph(network: StreetNetwork, mode: str | None) -> None:
    graph = to_osmnx(network, mode)
    nodes, edges = osmnx.graph_to_gdfs(graph)
    assert len(nodes) == graph.number_of_nodes()
    assert {"osmid", "highway", "length", "oneway", "geometry"} <= set(edges.columns)
    stats = osmnx.basic_stats(graph)
    assert stats["edge_length_total"] == pytest.approx(edges["length"].sum())
    assert osmnx.nearest_nodes(graph, 0.0, 0.0) in graph if mode != "car" else True
    projected = osmnx.project_graph(graph)
    assert projected.number_of_edges() == graph.number_of_edges()


def test_osmnx_finds_the_same_time(helsinki_pbf: Path) -> None:
    network, _ = read_osm(helsinki_pbf)
    graph = to_osmnx(network, "bike")
    rng = np.random.default_rng(3)
    # Private streets, gates and barriers are ours: compare where none is on the way.
    open_nodes = [n for n, data in graph.nodes(data=True) if "blocked" not in data and "barrier" not in data]
    checked = 0
    for _ in range(30):
        start, end = (int(n) for n in rng.choice(open_nodes, 2, replace=False))
        route = osmnx.shortest_path(graph, start, end, weight="travel_time")
        if route is None:
            continue
        legs = itertools.pairwise(route)
        theirs = sum(min(edge["travel_time"] for edge in graph[u][v].values()) for u, v in legs)
        number = {int(n): i for i, n in enumerate(network.node_id)}
        places = network.node_lonlat[[number[start], number[end]]]
        one, two = network.snap(places[:1], "bike"), network.snap(places[1:], "bike")
        if max(one.walk_m[0], two.walk_m[0]) > 0.1:
            continue  # a fragment of street, left for the next real one
        ours = travel_times_s(network, "bike", one, two)[0, 0]
        assert ours >= theirs - 1.0, "ours obeys every rule theirs does, and more"
        checked += abs(ours - theirs) <= 1.0
    assert checked >= 10


def test_a_graph_made_by_osmnx(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "a.osm", NODES, WAYS)
    for simplify in (False, True):
        graph = osmnx.graph_from_xml(path, simplify=simplify, retain_all=True)
        network = from_osmnx(graph)
        assert network.edge_length_m.sum() == pytest.approx(200 + 300 + 100 + 141.4, rel=0.01)
        residential = network.edge_class == network.classes.index("residential")
        both = network.edge_access[:, residential]
        assert sorted(np.unique(both).tolist()) == [8, 15], "OSMnx keeps no cycleway tag by itself"
        assert set(network.names) == {"One", "Two"}


def test_graph_that_osmnx_saved_and_loaded(tmp_path: Path) -> None:
    graph = osmnx.graph_from_xml(write_osm(tmp_path / "a.osm", NODES, WAYS), retain_all=True)
    osmnx.save_graphml(graph, tmp_path / "g.graphml")
    assert rows(read_graphml(tmp_path / "g.graphml")) == rows(from_osmnx(graph))


def test_what_is_no_street_graph(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no street"):
        from_osmnx(networkx.MultiDiGraph(crs="epsg:4326"))
    graph = networkx.MultiDiGraph(crs="epsg:32650")
    with pytest.raises(InputError, match="WGS-84"):
        from_osmnx(graph)
    graph = networkx.MultiDiGraph(crs="epsg:4326")
    graph.add_edge(1, 2, highway="residential")
    with pytest.raises(InputError, match="longitude"):
        from_osmnx(graph)
    with pytest.raises(InputError, match="not there"):
        read_graphml(tmp_path / "missing.graphml")
    (tmp_path / "bad.graphml").write_text("<graphml>", encoding="utf-8")
    with pytest.raises(InputError, match="not a GraphML"):
        read_graphml(tmp_path / "bad.graphml")


def test_place_name_without_the_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(osmnx.settings.useful_tags_way)

    def offline(*_: object, **__: object) -> None:
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(osmnx, "graph_from_place", offline)
    with pytest.raises(InputError, match="no internet") as caught:
        read_place("Haidian, Beijing")
    assert "Haidian" in str(caught.value)
    assert osmnx.settings.useful_tags_way == before


def test_place_name_with_the_internet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = write_osm(tmp_path / "a.osm", NODES, WAYS)

    def download(query: str, **options: object) -> networkx.MultiDiGraph:
        assert query == "Somewhere"
        assert "oneway:bicycle" in osmnx.settings.useful_tags_way
        return osmnx.graph_from_xml(path, simplify=bool(options["simplify"]), retain_all=True)

    monkeypatch.setattr(osmnx, "graph_from_place", download)
    network = read_place("Somewhere", cache_dir=tmp_path)
    ebike = 1 << MODES.index("ebike")
    residential = network.edge_class == network.classes.index("residential")
    assert (network.edge_access[:, residential] & ebike > 0).all(), "the contraflow lane is heeded"


def test_relations_do_not_disturb(tmp_path: Path) -> None:
    members = [("w", 1, "from"), ("n", 3, "via"), ("w", 2, "to")]
    turn: list[Relation] = [(1, members, {"type": "restriction", "restriction": "no_u_turn"})]
    network = read_osm(write_osm(tmp_path / "a.osm", NODES, WAYS, turn))[0]
    assert rows(from_osmnx(to_osmnx(network))) == rows(network)
