"""Travel kernels of this room: a mode's graph turned round, and the leg between two snapped places.

All times are integer milliseconds. The search itself is `geo.travel.search`.
"""

import numpy as np

from geo.arrays import Int32Array, UInt32Array
from geo.jit import kernel
from geo.streets import ModeGraph, StreetNetwork
from geo.travel import (
    Adjacency,
    Goal,
    Targets,
    Touch,
    Workspace,
    new_workspace,
    reset,
    shortest_times,
    time_towards,
)
from routing.fleet.kernels.context import KernelContext
from routing.fleet.kernels.tables import (
    FAR_MS,
    NO,
    Columns,
    Graph,
    Ms,
    Place,
    PlaceColumns,
    TaskColumns,
    Work,
)

__all__ = [
    "clear",
    "direct_run",
    "graph_of",
    "hold",
    "network_leg",
    "place_of",
    "point_leg",
    "reached",
    "scaled",
    "spread",
    "work_for",
]


def graph_of(network: StreetNetwork, mode: str) -> Graph:
    """Return the arrays of `network` for `mode` as the kernels take them; made once for each network."""
    key = f"matching:{mode}"
    if key not in network._cache:
        network._cache[key] = _graph_of(network, mode)
    made: Graph = network._cache[key]
    return made


def _graph_of(network: StreetNetwork, mode: str) -> Graph:
    graph: ModeGraph = network.graph(mode)
    edges = len(network.edge_u)
    xy = network.project(network.node_lonlat)[graph.state_node]
    return Graph(
        graph.indptr,
        graph.head,
        graph.cost_ms,
        graph.rev_indptr,
        graph.rev_head,
        graph.rev_cost_ms,
        graph.directed_cost_ms,
        Touch(graph.depart_ptr, graph.depart_state, graph.depart_extra_ms),
        Touch(graph.arrive_ptr, graph.arrive_state, graph.arrive_extra_ms),
        *_by_state(graph.n_states, graph.depart_ptr, graph.depart_state, graph.depart_extra_ms),
        *_by_state(graph.n_states, graph.arrive_ptr, graph.arrive_state, graph.arrive_extra_ms),
        np.ascontiguousarray(xy[:, 0]),
        np.ascontiguousarray(xy[:, 1]),
        _components(graph, edges),
        _fastest(network, graph.directed_cost_ms),
        bool((graph.state_layer != 0).any()),
    )


def _by_state(
    states: int, ptr: Int32Array, state: Int32Array, extra: UInt32Array
) -> tuple[Int32Array, Int32Array, UInt32Array]:
    """Turn a table from directed edges to states round."""
    of_edge = np.repeat(np.arange(len(ptr) - 1, dtype=np.int32), np.diff(ptr))
    order = np.argsort(state, kind="stable")
    counts = np.bincount(state, minlength=states)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32), of_edge[order], extra[order]


def _components(graph: ModeGraph, edges: int) -> Int32Array:
    """Label the edges that are joined, whatever the direction."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    tails = np.repeat(np.arange(graph.n_states), np.diff(graph.indptr))
    departing = np.repeat(np.arange(2 * edges) // 2, np.diff(graph.depart_ptr)) + graph.n_states
    arriving = np.repeat(np.arange(2 * edges) // 2, np.diff(graph.arrive_ptr)) + graph.n_states
    rows = np.concatenate([tails, departing, arriving])
    columns = np.concatenate([graph.head, graph.depart_state, graph.arrive_state])
    size = graph.n_states + edges
    links = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(size, size))
    label = connected_components(links, directed=False)[1][graph.n_states :].astype(np.int32)
    usable = (graph.directed_cost_ms != NO).reshape(-1, 2).any(axis=1)
    return np.where(usable, label, -1).astype(np.int32)


def _fastest(network: StreetNetwork, directed: UInt32Array) -> float:
    """Return the greatest length in the plane a millisecond over all edges that the mode may use."""
    xy = network.project(network.geom_lonlat)
    step = np.hypot(*np.diff(xy, axis=0).T) if len(xy) > 1 else np.zeros(0)
    along = np.concatenate([[0.0], np.cumsum(step)])
    length = along[network.geom_ptr[1:] - 1] - along[network.geom_ptr[:-1]]
    cost = directed.astype(np.float64).reshape(-1, 2)
    cost[directed.reshape(-1, 2) == NO] = np.inf
    speed = length / np.maximum(cost.min(axis=1), 1.0) if len(length) else np.zeros(1)
    return float(max(speed.max(), 1e-6)) * 1.001


def work_for(network: StreetNetwork, mode: str) -> Work:
    """Return clean memory for one thread."""
    graph = network.graph(mode)
    space = new_workspace(graph)
    widest = 2 * int(max(np.diff(graph.depart_ptr).max(initial=1), np.diff(graph.arrive_ptr).max(initial=1)))
    return Work(
        space.dist,
        space.dist.copy(),
        space.dist.copy(),
        space.link,
        space.ring,
        space.touched,
        space.touched.copy(),
        space.touched.copy(),
        np.empty(widest, np.int32),
        np.empty(widest, np.uint32),
        np.empty(widest, np.int32),
        np.empty(widest, np.uint32),
    )


@kernel
def hold(graph: Graph, c: Columns, work: Work) -> KernelContext:
    """Put together what kernels take from Python; to be made anew when an array is replaced."""
    return KernelContext(graph, c, work)


@kernel
def scaled(ms: Ms, factor: Ms) -> Ms:
    """Network time at a speed factor in thousandths, rounded up."""
    return (np.int64(ms) * factor + 999) // 1000


@kernel
def part_of(directed: UInt32Array, d: Ms, from_u: Ms, from_v: Ms, leaving: bool) -> Ms:
    """Time on directed edge `d` between a place on it and its end (`leaving`) or its start."""
    run = from_u if (d & 1) == 0 else from_v
    return np.int64(directed[d]) - run if leaving else np.int64(run)


@kernel
def place_of(table: Columns | TaskColumns | PlaceColumns, i: Ms) -> Place:
    """Place of a slot, a task, or a row of places."""
    return Place(
        np.int64(table.edge[i]),
        np.int64(table.from_u[i]),
        np.int64(table.from_v[i]),
        np.float64(table.offset_m[i]),
        np.float64(table.x[i]),
        np.float64(table.y[i]),
    )


@kernel
def leg_seeds(
    directed: UInt32Array, ends: Touch, edge: Ms, from_u: Ms, from_v: Ms, leaving: bool, work: Work
) -> int:
    """Write the seeds of trips that start on an edge (`leaving`), or of the search back from its end there.

    Takes the departures of the graph, or its arrivals. Returns how many.
    """
    return leg_ends(directed, ends, edge, from_u, from_v, leaving, (work.seed_state, work.seed_ms))


@kernel
def leg_ends(
    directed: UInt32Array,
    ends: Touch,
    edge: Ms,
    from_u: Ms,
    from_v: Ms,
    leaving: bool,
    out: tuple[Int32Array, UInt32Array],
) -> int:
    """Write the states where trips from an edge begin (`leaving`) or trips to it end, with their times."""
    n = 0
    for d in range(2 * edge, 2 * edge + 2):
        if directed[d] == NO:
            continue
        part = part_of(directed, d, from_u, from_v, leaving)
        for i in range(ends.ptr[d], ends.ptr[d + 1]):
            out[0][n] = ends.state[i]
            out[1][n] = part + ends.ms[i]
            n += 1
    return n


@kernel
def spread(graph: Graph, edge: Ms, from_u: Ms, from_v: Ms, radius: Ms, work: Work) -> tuple[int, int]:
    """Search to a place and from it, up to a radius; returns how many states each reached.

    `work` is left for the caller to read and to clean with `clear`.
    """
    directed, state, ms = graph.directed, work.seed_state, work.seed_ms
    n = leg_seeds(directed, graph.arrivals, edge, from_u, from_v, False, work)
    arcs = Adjacency(graph.rev_indptr, graph.rev_head, graph.rev_cost)
    space = Workspace(work.dist_to, work.link, work.ring, work.touched_to)
    n_to = shortest_times(arcs, state[:n], ms[:n], int(radius), space)
    n = leg_seeds(directed, graph.departures, edge, from_u, from_v, True, work)
    arcs = Adjacency(graph.indptr, graph.head, graph.cost)
    space = Workspace(work.dist_from, work.link, work.ring, work.touched_from)
    n_from = shortest_times(arcs, state[:n], ms[:n], int(radius), space)
    return n_to, n_from


@kernel
def clear(work: Work, n_to: int, n_from: int) -> None:
    """Clean the memory after `spread`."""
    reset(work.dist_to, work.touched_to, n_to)
    reset(work.dist_from, work.touched_from, n_from)


@kernel
def direct_run(along: bool, against: bool, ahead_m: float, along_ms: Ms, against_ms: Ms) -> Ms:
    """Time between two places of one edge that is open `along` or `against`; `NO` where the end lies behind.

    The end lies `ahead_m` further from the edge's first node; `along_ms` and `against_ms` are the two runs.
    """
    best = np.int64(NO)
    if along and ahead_m >= 0:
        best = np.int64(along_ms)
    if against and ahead_m <= 0:
        best = min(best, np.int64(against_ms))
    return best


@kernel
def reached(
    directed: UInt32Array, ends: Touch, dist: UInt32Array, edge: Ms, from_u: Ms, from_v: Ms, leaving: bool
) -> Ms:
    """Least network time between a place on an edge and where a search began, `NO` if not reached.

    After a search back: from the place (`leaving`), with the departures of the graph; after a search forward:
    to the place, with its arrivals.
    """
    best = np.int64(NO)
    for d in range(2 * edge, 2 * edge + 2):
        if directed[d] == NO:
            continue
        part = part_of(directed, d, from_u, from_v, leaving)
        for i in range(ends.ptr[d], ends.ptr[d + 1]):
            at = dist[ends.state[i]]
            if at != NO:
                best = min(best, np.int64(at) + ends.ms[i] + part)
    return best


@kernel
def point_leg(graph: Graph, a: Place, b: Place, most: Ms, work: Work) -> Ms:
    """Fastest network time from one place to another, `NO` where there is none of at most `most`."""
    directed = graph.directed
    if a.edge < 0 or b.edge < 0 or graph.component[a.edge] != graph.component[b.edge]:
        return np.int64(NO)
    best: Ms = np.int64(NO)
    if a.edge == b.edge:
        along, against = directed[2 * a.edge] != NO, directed[2 * a.edge + 1] != NO
        ahead_m = b.offset_m - a.offset_m
        best = direct_run(along, against, ahead_m, b.from_u - a.from_u, b.from_v - a.from_v)
        if best == 0:
            return best
    n = leg_seeds(directed, graph.departures, a.edge, a.from_u, a.from_v, True, work)
    ends = work.target_state, work.target_ms
    n_ends = leg_ends(directed, graph.arrivals, b.edge, b.from_u, b.from_v, False, ends)
    targets = Targets(ends[0][:n_ends], ends[1][:n_ends])
    arcs = Adjacency(graph.indptr, graph.head, graph.cost)
    space = Workspace(work.dist_leg, work.link, work.ring, work.touched_leg)
    goal = Goal(b.x, b.y, graph.state_x, graph.state_y, graph.fastest)
    limit = min(best - 1, np.int64(most))
    n, row = time_towards(arcs, work.seed_state[:n], work.seed_ms[:n], targets, limit, space, goal)
    if row >= 0:
        best = np.int64(space.dist[targets.state[row]]) + np.int64(targets.ms[row])
    reset(space.dist, space.touched, n)
    return best if best <= most else np.int64(NO)


@kernel
def network_leg(graph: Graph, c: Columns, i: Ms, j: Ms, work: Work) -> Ms:
    """Fastest network time from slot i to slot j, `NO` where there is no way."""
    return point_leg(graph, place_of(c, i), place_of(c, j), FAR_MS, work)
