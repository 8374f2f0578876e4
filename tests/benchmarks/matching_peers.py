"""What others can do about one task: assembled searches with a numpy scan, tables, and re-solved routes.

All get the plans with their leg times and answer an easier question (no rules but slack and due instants).
The matrices that VROOM and OR-Tools need are given to them and not counted.

networkx is given the same streets in three ways: as the graph of junctions that our own searches use; as the
same multigraph, the only kind that OSMnx hands out; and with a node at every point of a street, as maps come
where nobody simplifies them (pyrosm, or OSMnx told not to; also the peer that DESIGN names).
"""

import dataclasses
import functools
import importlib
import json
import pathlib
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import networkx as nx
import numpy as np
from fleets import NOW, SERVICE_S
from harness import Row, compare, skipped
from numpy.typing import NDArray
from peers import RESOLVE, OsrmTables, PeerProcess, peers_python
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.streets.mode_graph import NO
from geo.streets.network import StreetNetwork
from geo.travel.times import travel_times_s
from routing.fleet.fleet import Fleet
from routing.model.riders import Rider
from routing.model.tasks import Task

__all__ = ["assembled", "on_public_streets", "sampled"]

BENCH = "matching"
LIMIT_MS = 900_000.0
"""Radius that the bounded searches of peers are given: 15 min."""
OSRM_STOPS = 4_000
RESOLVED = 50

Subjects = dict[str, Callable[[], object]]
Listed = list[tuple[int, bool, int, float, float]]


class _Slots:
    """Positions and stops of all plans, one row each, snapped to states of the network."""

    def __init__(self, fleet: Fleet, tasks: list[Task]) -> None:
        mode_fleet = fleet.mode_fleets["ebike"]
        c, self.graph, width = mode_fleet.c, mode_fleet.graph, mode_fleet.width
        rows = np.flatnonzero(c.stops >= 0)
        self.used = np.concatenate([np.arange(r * width, r * width + c.stops[r] + 1) for r in rows.tolist()])
        first = self.used % width == 0
        self.state = self._states(c.edge[self.used])
        self.leg, self.room = c.leg[self.used].astype(np.float64), c.room[self.used].astype(np.float64)
        self.at_end = np.append(first[1:], True)
        self.following = np.append(self.state[1:], 0)
        self.tasks = self._states(fleet.table("ebike", tasks).columns.edge).tolist()
        self.lonlat = c.lonlat[self.used]
        self.places = c.edge[self.used], c.offset_m[self.used]

    def list_by(self, node: NDArray[np.int64]) -> Listed:
        """Return the rows for `scan_plainly`, their places told by the nodes of some graph."""
        columns = node, self.at_end, np.append(node[1:], 0), self.leg, self.room
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def _states(self, edge: NDArray[np.int32]) -> NDArray[np.int64]:
        at = np.minimum(self.graph.departures.ptr[2 * edge], len(self.graph.departures.state) - 1)
        return self.graph.departures.state[at].astype(np.int64)

    def scan(self, to: NDArray[np.float64], on: NDArray[np.float64]) -> int:
        """Row of the least extra time that keeps the slack."""
        extra = to[self.state] + SERVICE_S * 1000 + np.where(self.at_end, 0.0, on[self.following] - self.leg)
        extra[extra > self.room] = np.inf
        return int(np.argmin(extra))


def scan_plainly(listed: Listed, to: dict[int, float], on: dict[int, float]) -> int:
    """The same in a Python loop over the plans, from the tables as networkx gives them."""
    best, best_row = np.inf, -1
    for row, (state, at_end, following, leg, room) in enumerate(listed):
        if state in to and (at_end or following in on):
            extra = to[state] + SERVICE_S * 1000 + (0.0 if at_end else on[following] - leg)
            if extra < best and extra <= room:
                best, best_row = extra, row
    return best_row


class _PointGraph:
    """The streets open to e-bikes with a node at every point of their lines."""

    def __init__(self, network: StreetNetwork) -> None:
        self.network = network
        points, edges = len(network.geom_lonlat), len(network.edge_u)
        edge = np.repeat(np.arange(edges), np.diff(network.geom_ptr))
        self.node = len(network.node_id) + np.arange(points)
        self.node[network.geom_ptr[:-1]], self.node[network.geom_ptr[1:] - 1] = network.edge_u, network.edge_v
        before = np.flatnonzero(edge[1:] == edge[:-1])
        part = (network.geom_along_m[before + 1] - network.geom_along_m[before]) / np.maximum(
            network.edge_length_m[edge[before]], 1e-9
        )
        cost = network.graph("ebike").directed_cost_ms.reshape(-1, 2)[edge[before]].astype(np.int64)
        self.streets = nx.DiGraph()
        for way, (tail, head) in enumerate(((before, before + 1), (before + 1, before))):
            use = cost[:, way] != NO
            ms = np.rint(cost[use, way] * part[use]).astype(np.int64)
            arcs = zip(self.node[tail[use]].tolist(), self.node[head[use]].tolist(), ms.tolist(), strict=True)
            self.streets.add_weighted_edges_from(arcs, weight="ms")
        self.turned = self.streets.reverse()

    def nearest(self, edge: NDArray[np.int32], offset_m: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the nearest node along its street for each place."""
        along, ptr = self.network.geom_along_m, self.network.geom_ptr
        rows = [
            ptr[e] + int(np.argmin(np.abs(along[ptr[e] : ptr[e + 1]] - at)))
            for e, at in zip(edge.tolist(), offset_m.tolist(), strict=True)
        ]
        return self.node[rows]


def on_public_streets(network: StreetNetwork, tasks: list[Task]) -> list[Task]:
    """Tasks on two-way streets open to all: there one state stands for the place, to it and from it."""
    edge = network.snap(np.array([task.place.lonlat for task in tasks]), "ebike").edge
    graph = network.graph("ebike")
    both = (graph.directed_cost_ms.reshape(-1, 2)[edge] != NO).all(axis=1)
    first = np.minimum(graph.depart_ptr[2 * edge], len(graph.depart_state) - 1)
    public = graph.state_layer[graph.depart_state[first]] == 0
    return [task for task, good in zip(tasks, (both & public & (edge >= 0)).tolist(), strict=True) if good]


def assembled(fleet: Fleet, tasks: list[Task]) -> tuple[Subjects, list[str]]:
    """Return searches of general tools followed by one numpy scan each, and the names of absent ones."""
    slots = _Slots(fleet, tasks)
    graph, n = slots.graph, len(slots.graph.state_x)
    forward = csr_array((graph.cost + 1e-9, graph.head, graph.indptr), shape=(n, n))
    backward = csr_array((graph.rev_cost + 1e-9, graph.rev_head, graph.rev_indptr), shape=(n, n))
    tail = np.repeat(np.arange(n), np.diff(graph.indptr))
    points = _PointGraph(fleet.network)
    at_points = points.nearest(*slots.places)
    table = fleet.table("ebike", tasks).columns
    streets = nx.DiGraph()
    arcs = zip(tail.tolist(), graph.head.tolist(), graph.cost.tolist(), strict=True)
    streets.add_weighted_edges_from(arcs, weight="ms")
    turned = streets.reverse()

    def scipy_limit() -> None:
        for task in slots.tasks:
            to = dijkstra(backward, indices=task, limit=LIMIT_MS)
            slots.scan(to, dijkstra(forward, indices=task, limit=LIMIT_MS))

    def networkx_cutoff() -> None:
        for task in slots.tasks:
            vectors = []
            for one in (turned, streets):
                found = nx.single_source_dijkstra_path_length(one, task, cutoff=LIMIT_MS, weight="ms")
                vector = np.full(n, np.inf)
                vector[list(found)] = list(found.values())
                vectors.append(vector)
            slots.scan(*vectors)

    def networkx_plain(back: nx.DiGraph, forth: nx.DiGraph, places: list[int], listed: Listed) -> None:
        for task in places:
            to, on = (
                nx.single_source_dijkstra_path_length(one, task, cutoff=LIMIT_MS, weight="ms")
                for one in (back, forth)
            )
            scan_plainly(listed, to, on)

    listed = slots.list_by(slots.state)
    # OSMnx hands out multigraphs, and most leave them so.
    multi = nx.MultiDiGraph(streets)

    subjects: Subjects = {
        "scipy limit 15 min + numpy": scipy_limit,
        "networkx cutoff 15 min + numpy": networkx_cutoff,
        "networkx cutoff 15 min + loop over plans": functools.partial(
            networkx_plain, turned, streets, slots.tasks, listed
        ),
        "networkx multigraph, as of OSMnx, cutoff 15 min + loop over plans": functools.partial(
            networkx_plain, multi.reverse(), multi, slots.tasks, listed
        ),
        "networkx with a node at every point, cutoff 15 min + loop over plans": functools.partial(
            networkx_plain,
            points.turned,
            points.streets,
            points.nearest(table.edge, table.offset_m).tolist(),
            slots.list_by(at_points),
        ),
    }
    if find_spec("routingkit_cch") is None:
        return subjects, ["routingkit-cch"]
    import routingkit_cch as rk

    order = rk.compute_order_inertial(
        n, tail.tolist(), graph.head.tolist(), graph.state_y.tolist(), graph.state_x.tolist()
    )
    cch = rk.CCH(order, tail.tolist(), graph.head.tolist(), False)
    metric = rk.CCHMetric(cch, graph.cost.tolist())
    pinned = sorted(set(slots.state.tolist()))
    to_task, from_task = rk.CCHManyToOne(metric, pinned), rk.CCHOneToMany(metric, pinned)

    def routingkit() -> None:
        for task in slots.tasks:
            vectors = []
            for times in (to_task.distances_to(task), from_task.distances_from(task)):
                vector = np.full(n, np.inf)
                vector[pinned] = np.nan_to_num(np.array(times, np.float64), nan=np.inf)
                vectors.append(vector)
            slots.scan(*vectors)

    subjects["routingkit-cch pinned + numpy"] = routingkit
    return subjects, []


def sampled(
    source: pathlib.Path, case: str, fleet: Fleet, riders: list[Rider], task: Task, ours: Callable[[], object]
) -> Iterator[Row]:
    """Measure peers that are too slow for the whole fleet on a part of it, scaled by its share; one task."""
    size = len(riders)
    yield from _osrm(source, case, fleet, task, ours)
    near = _nearest(riders, task)
    named = f"{case} ({{}}; scaled from {len(near)} of {size} riders)"
    yield from _vroom(
        named.format("plans re-solved in one problem"), fleet, near, task, ours, size / len(near)
    )
    yield from _ortools(named.format("each plan re-solved"), fleet, near, task, ours, size / len(near))


def _beside(
    case: str, ours: Callable[[], object], peer: str, call: Callable[[], object], factor: float, version: str
) -> list[Row]:
    """Ours and a peer in turn, one call a round; the peer's times are scaled."""
    calls = 20

    def ours_often() -> None:
        for _ in range(calls):
            ours()

    scale = {"yilu": 1e3 / calls, peer: 1e3 * factor}
    rows = compare(
        BENCH, case, {"yilu": ours_often, peer: call}, metric="time a task", unit="ms", scale=scale
    )
    return [rows[0], dataclasses.replace(rows[1], version=version or rows[1].version)]


def _osrm(source: pathlib.Path, case: str, fleet: Fleet, task: Task, ours: Callable[[], object]) -> list[Row]:
    slots = _Slots(fleet, [task])
    named = f"{case} (tables to and from all stops; scaled from {OSRM_STOPS} of {len(slots.used)} places)"
    if peers_python() is None:
        return [skipped(BENCH, named, "osrm-bindings", "no environment of its own: make bench-peers")]
    try:
        with OsrmTables(source, slots.lonlat[:OSRM_STOPS], np.array([task.place.lonlat])) as osrm:
            factor = max(len(slots.used) / OSRM_STOPS, 1.0)
            return _beside(named, ours, "osrm-bindings Table", osrm.ask, factor, osrm.version)
    except RuntimeError as error:
        return [skipped(BENCH, named, "osrm-bindings", str(error))]


def _nearest(riders: list[Rider], task: Task) -> list[Rider]:
    away = np.hypot(*(np.array([rider.lonlat for rider in riders]) - np.array(task.place.lonlat)).T)
    return [riders[at] for at in np.argsort(away, kind="stable")[:RESOLVED].tolist()]


def _legs_s(fleet: Fleet, places: list[tuple[float, float]]) -> NDArray[np.int64]:
    """Seconds between places, in whole seconds; far where there is no way."""
    at = fleet.network.snap(np.array(places), "ebike")
    times = travel_times_s(fleet.network, "ebike", at, at)
    return np.where(np.isfinite(times), times, 86_400.0).astype(np.int64)


def _due_s(rider: Rider) -> list[int]:
    """Seconds from now until each stop is due, a minute of grace for rounding."""
    return [max(round(stop.latest_s - NOW), 0) + 60 for stop in rider.stops]


def _vroom(
    case: str, fleet: Fleet, riders: list[Rider], task: Task, ours: Callable[[], object], factor: float
) -> list[Row]:
    if find_spec("vroom") is None:
        return [skipped(BENCH, case, "pyvroom", "not installed")]
    vroom = importlib.import_module("vroom")

    places = [p for r in riders for p in (r.lonlat, *(s.lonlat for s in r.stops))] + [task.place.lonlat]
    matrix = _legs_s(fleet, places).astype(np.uint32)

    def call() -> None:
        problem = vroom.Input()
        problem.set_durations_matrix("car", matrix)
        row, number = 0, 0
        for mine, rider in enumerate(riders):
            # Their stops stay their: they ask for a skill that the rider alone has.
            problem.add_vehicle(vroom.Vehicle(mine, start=row, profile="car", skills={mine + 1}))
            for place, due in enumerate(_due_s(rider), 1):
                number += 1
                window = [vroom.TimeWindow(0, due)]
                stop = vroom.Job(
                    number,
                    location=row + place,
                    default_service=int(SERVICE_S),
                    skills={mine + 1},
                    time_windows=window,
                )
                problem.add_job(stop)
            row += len(rider.stops) + 1
        problem.add_job(vroom.Job(number + 1, location=row, default_service=int(SERVICE_S)))
        problem.solve(exploration_level=0, nb_threads=2)

    return _beside(case, ours, "pyvroom", call, factor, "")


def _ortools(
    case: str, fleet: Fleet, riders: list[Rider], task: Task, ours: Callable[[], object], factor: float
) -> list[Row]:
    python = peers_python()
    if python is None:
        return [skipped(BENCH, case, "ortools", "no environment of its own: make bench-peers")]
    given = []
    for rider in riders:
        places = [rider.lonlat, *(stop.lonlat for stop in rider.stops), task.place.lonlat]
        legs = _legs_s(fleet, places)
        legs[1:] += int(SERVICE_S)
        legs = np.pad(legs, ((0, 1), (0, 1)))
        given.append({"leg": legs.tolist(), "due": _due_s(rider)})
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "plans.json"
        file.write_text(json.dumps(given))
        try:
            with PeerProcess(python, RESOLVE, str(file)) as peer:
                return _beside(case, ours, "ortools", peer.ask, factor, peer.version)
        except RuntimeError:
            return [skipped(BENCH, case, "ortools", "not installed in the environment of peers")]
