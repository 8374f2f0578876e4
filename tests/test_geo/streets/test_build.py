"""From ways to a network: what is joined, kept, refused, saved."""

import dataclasses
import pathlib

import numpy as np
import pytest
import shapely
from ascii_map import ascii_map

from geo.errors import InputError
from geo.streets.build import build_network
from geo.streets.network import MODES, Compounds, RawWays, StreetNetwork
from geo.travel.isochrones import isochrone
from geo.travel.times import find_path, reach_from, travel_times_s

LINE = "A---B---C---D"


def test_segments_between_junctions_become_one_edge() -> None:
    network = ascii_map(LINE, {"ABCD": {"name": "Main"}}).network()
    assert len(network) == 1
    assert network.edge_length_m[0] == pytest.approx(300.0, abs=0.01)
    assert len(network.edge_lonlat(0)) == 4
    assert network.geom_along_m == pytest.approx([0, 100, 200, 300], abs=0.01)


def test_alike_ways_are_joined_and_others_are_not() -> None:
    assert len(ascii_map(LINE, {"AB": {}, "BCD": {}}).network()) == 1
    assert len(ascii_map(LINE, {"AB": {}, "BCD": {"name": "Other"}}).network()) == 2
    assert len(ascii_map(LINE, {"AB": {}, "BCD": {"speed": 2.0}}).network()) == 2
    assert len(ascii_map(LINE, {"AB": {"oneway": True}, "BCD": {}}).network()) == 2
    assert len(ascii_map(LINE, {"AB": {}, "DCB": {}}).network()) == 2


@pytest.mark.parametrize("tags", [{"gate": True}, {"blocked": "car"}])
def test_gates_and_barriers_keep_their_node(tags: dict[str, object]) -> None:
    assert len(ascii_map(LINE, {"ABCD": {}}, nodes={"B": tags}).network()) == 2


def test_a_ring_without_junction_is_one_edge() -> None:
    network = ascii_map("A-B\n| |\nD-C", {"ABCDA": {}}).network()
    assert len(network) == 1
    assert network.edge_u[0] == network.edge_v[0]
    places = network.snap(ascii_map("A-B\n| |\nD-C", {"ABCDA": {}}).lonlat("AC"), "ebike")
    times = travel_times_s(network, "ebike", places, places)
    assert times[0, 1] == pytest.approx(100 / 4, abs=0.01)


def test_missing_nodes_leave_out_their_segments_only() -> None:
    raw = ascii_map(LINE, {"ABCD": {}}).raw
    lonlat = raw.node_lonlat.copy()
    lonlat[0] = np.nan
    network = build_network(dataclasses.replace(raw, node_lonlat=lonlat))
    assert network.edge_length_m.sum() == pytest.approx(200.0, abs=0.01)


def test_an_empty_map_gives_an_empty_network(tmp_path: pathlib.Path) -> None:
    raw = ascii_map(LINE, {"AB": {"modes": ""}}).raw
    network = build_network(raw)
    assert len(network) == 0
    assert np.isnan(network.bounds).all()
    for mode in MODES:
        assert network.graph(mode).n_states == 0
        assert len(network.components(mode)) == 0
    assert not network.snap(np.array([[116.3, 39.9]]), "ebike").ok.any()
    network.save(tmp_path / "net")
    assert len(StreetNetwork.load(tmp_path / "net")) == 0


def test_projecting_there_and_back_is_exact() -> None:
    town = ascii_map(LINE, {"ABCD": {}})
    network = town.network()
    assert np.abs(network.unproject(network.project(town.lonlat("AD"))) - town.lonlat("AD")).max() < 1e-12
    assert np.ptp(network.project(town.lonlat("AD"))[:, 0]) == pytest.approx(300.0, abs=0.01)


def test_saved_compounds_names_and_delays_come_back(tmp_path: pathlib.Path) -> None:
    town = ascii_map(
        "A---B\n|\nC",
        {"AB": {"name": "中关村大街"}, "AC": {}},
        compounds={"花园": {"fence": "ABC", "delay_s": 40.0}},
    )
    network = town.network(gate_delay_s=77.0)
    network.save(tmp_path / "net")
    network.save(tmp_path / "net")
    loaded = StreetNetwork.load(tmp_path / "net")
    assert loaded.names == ("中关村大街",)
    assert loaded.compounds.names == ("花园",)
    assert loaded.compounds.gate_delay_s.tolist() == [40.0]
    assert loaded.compounds.polygons[0].equals(network.compounds.polygons[0])
    assert loaded.gate_delay_s == 77.0
    assert [p.name for p in tmp_path.iterdir()] == ["net"]


def test_a_folder_without_a_network_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InputError, match="no saved street network"):
        StreetNetwork.load(tmp_path)
    (tmp_path / "meta.json").write_text('{"version": 0}')
    with pytest.raises(InputError, match="read the map again"):
        StreetNetwork.load(tmp_path)


def _raw(**changes: object) -> RawWays:
    raw = ascii_map(LINE, {"ABCD": {}}).raw
    return dataclasses.replace(raw, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"way_ref": np.array([0, 1, 2, 9], np.int32)}, "way_ref must be 0 to 3"),
        ({"way_ptr": np.array([0, 3], np.int64)}, "way_ptr must rise from 0 to 4"),
        ({"way_private": np.array([16], np.uint8)}, "way_private must be 0 to 15"),
        ({"way_access": np.array([[1], [1]], np.int64)}, "way_access must be uint8"),
        ({"way_speed_mps": np.zeros((4, 1), np.float32)}, "speed of ebike must be above 0"),
        ({"ref_compound": np.array([0, -1, -1, -1], np.int32)}, "ref_compound must be -1 to -1"),
        ({"node_lonlat": np.full((4, 2), 95.0)}, "latitude of a node must be -90 to 90"),
    ],
)
def test_columns_that_do_not_fit_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _raw(**changes)


def test_other_bad_values_are_refused() -> None:
    town = ascii_map(LINE, {"ABCD": {}})
    with pytest.raises(InputError, match="gate delay"):
        town.network(gate_delay_s=-1.0)
    with pytest.raises(InputError, match="gate delay"):
        Compounds(("A",), (shapely.box(0, 0, 1, 1),), np.array([-5.0]), ("x",))
    network = town.network()
    places = network.snap(town.lonlat("AB"), "ebike")
    with pytest.raises(InputError, match="time limit"):
        travel_times_s(network, "ebike", places, places, -1.0)
    with pytest.raises(InputError, match="one place"):
        reach_from(network, "ebike", places, places)
    with pytest.raises(InputError, match="one place"):
        find_path(network, "ebike", places, places)
    with pytest.raises(InputError, match="above 0 m/s"):
        network.with_speeds("ebike", np.zeros(1))
    with pytest.raises(InputError, match="each of the 1 edges"):
        network.with_speeds("ebike", np.ones(2))


def test_threads_give_the_same_matrix() -> None:
    town = ascii_map(
        "A---B---C\n|   |   |\nD---E---F", {"ABC": {}, "DEF": {"oneway": True}, "AD": {}, "BE": {}, "CF": {}}
    )
    network = town.network()
    west, south, east, north = network.bounds
    points = np.random.default_rng(3).uniform((west, south), (east, north), (40, 2))
    places = network.snap(points, "car")
    one = travel_times_s(network, "car", places, places, threads=1)
    np.testing.assert_array_equal(travel_times_s(network, "car", places, places, threads=3), one)
    np.testing.assert_array_equal(travel_times_s(network, "car", places, places), one)


def test_an_area_within_reach_follows_the_one_way_street() -> None:
    town = ascii_map("A-------B-------C", {"ABC": {"oneway": True}})
    network = town.network()
    origin = network.snap(town.lonlat("B"), "ebike")
    near, far = isochrone(network, "ebike", origin, [10.0, 20.0])
    assert near.area < far.area
    west, middle, east = (shapely.Point(*p) for p in town.lonlat(["ABBB", "B", "BBBC"]))
    assert far.contains(west)
    assert far.contains(middle)
    assert not far.contains(east)
    (onward,) = isochrone(network, "ebike", origin, [20.0], towards=False)
    assert onward.contains(east)
    assert not onward.contains(west)
    # 20 s at 4 m/s, and 40 m beside the street at both ends.
    span = np.ptp(network.project(np.array(far.exterior.coords))[:, 0])
    assert span == pytest.approx(80 + 40 + 40, abs=3)


def test_an_area_covers_exactly_the_places_reached_in_time() -> None:
    town = ascii_map(
        "A---B---C\n|   |   |\nD---E---F", {"ABC": {}, "DEF": {"oneway": True}, "AD": {}, "BE": {}, "CF": {}}
    )
    network = town.network()
    lines = [shapely.LineString(network.edge_lonlat(edge)) for edge in range(len(network))]
    shares = np.linspace(0.02, 0.98, 25)
    points = shapely.get_coordinates([line.interpolate(shares, normalized=True) for line in lines])
    places = network.snap(points, "ebike", 1.0)
    origin = network.snap(town.lonlat(["AB"]), "ebike", 1.0)
    times = travel_times_s(network, "ebike", places, origin)[:, 0]
    (area,) = isochrone(network, "ebike", origin, [30.0])
    inside = shapely.covers(area, shapely.points(points))
    assert inside[times <= 30].all()
    # Nothing counts that is more than 40 m beside a reached street.
    plane = network.project(points)
    away = np.hypot(*(plane[:, None] - plane[None, times <= 30]).transpose(2, 0, 1)).min(axis=1)
    assert away[inside].max() < 40 + 5
    assert not inside[away > 40 + 5].any()


def test_a_replaced_network_does_not_share_graphs_that_no_longer_fit() -> None:
    """`dataclasses.replace` closes the only street: the graph made before must not serve the new network."""
    network = ascii_map("A--B", {"AB": {}}).network()
    assert network.usable("foot").all()
    before = network.graph("foot")
    closed = dataclasses.replace(network, edge_access=np.zeros_like(network.edge_access))
    assert not closed.usable("foot").any()
    assert closed.graph("foot") is not before
    assert network.graph("foot") is before
