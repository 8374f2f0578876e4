"""Travel kernels of this room: a mode's graph turned round, and the leg between two snapped places.

All times are integer milliseconds. The spread itself is `geo.travel.search.search`.
"""

import numpy as np

from geo.arrays import FloatArray, Int32Array, UInt32Array
from geo.jit import kernel
from geo.streets import ModeGraph, StreetNetwork
from geo.travel import new_workspace, relax_seed, reset, shortest_times
from routing.fleet.context import KernelContext
from routing.fleet.tables import FAR_MS, NO, Columns, Graph, Ms, Work

__all__ = [
    "clear",
    "direct_run",
    "graph_of",
    "hold",
    "network_leg",
    "point_leg",
    "reached",
    "scaled",
    "spread",
    "work_for",
]

SHIFT, FREE = 10, -2
"""As in `geo.travel.search`: buckets of 2**10 ms; mark of a state in no bucket."""
PLANE_M = 2.0
"""Metres by which a straight line may be misjudged: offsets are rounded to milliseconds."""


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
        graph.depart_ptr,
        graph.depart_state,
        graph.depart_extra_ms,
        graph.arrive_ptr,
        graph.arrive_state,
        graph.arrive_extra_ms,
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
def seeds(
    directed: UInt32Array,
    ptr: Int32Array,
    state: Int32Array,
    extra: UInt32Array,
    edge: Ms,
    from_u: Ms,
    from_v: Ms,
    leaving: bool,
    work: Work,
) -> int:
    """Write the seeds of trips that start on an edge (`leaving`), or of the search back from its end there.

    Takes the departures of the graph, or its arrivals. Returns how many.
    """
    n = 0
    for d in range(2 * edge, 2 * edge + 2):
        if directed[d] == NO:
            continue
        part = part_of(directed, d, from_u, from_v, leaving)
        for i in range(ptr[d], ptr[d + 1]):
            work.seed_state[n] = state[i]
            work.seed_ms[n] = part + extra[i]
            n += 1
    return n


@kernel
def spread(graph: Graph, edge: Ms, from_u: Ms, from_v: Ms, radius: Ms, work: Work) -> tuple[int, int]:
    """Search to a place and from it, up to a radius; returns how many states each reached.

    `work` is left for the caller to read and to clean with `clear`.
    """
    directed = graph.directed
    n = seeds(
        directed,
        graph.arrive_ptr,
        graph.arrive_state,
        graph.arrive_ms,
        edge,
        from_u,
        from_v,
        False,
        work,
    )
    n_to = shortest_times(
        graph.rev_indptr,
        graph.rev_head,
        graph.rev_cost,
        work.seed_state[:n],
        work.seed_ms[:n],
        int(radius),
        work.dist_to,
        work.link,
        work.ring,
        work.touched_to,
    )
    n = seeds(
        directed,
        graph.depart_ptr,
        graph.depart_state,
        graph.depart_ms,
        edge,
        from_u,
        from_v,
        True,
        work,
    )
    n_from = shortest_times(
        graph.indptr,
        graph.head,
        graph.cost,
        work.seed_state[:n],
        work.seed_ms[:n],
        int(radius),
        work.dist_from,
        work.link,
        work.ring,
        work.touched_from,
    )
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
    directed: UInt32Array,
    ptr: Int32Array,
    state: Int32Array,
    extra: UInt32Array,
    dist: UInt32Array,
    edge: Ms,
    from_u: Ms,
    from_v: Ms,
    leaving: bool,
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
        for i in range(ptr[d], ptr[d + 1]):
            at = dist[state[i]]
            if at != NO:
                best = min(best, np.int64(at) + extra[i] + part)
    return best


@kernel
def search_towards(
    indptr: Int32Array,
    head: Int32Array,
    cost: UInt32Array,
    state_x: FloatArray,
    state_y: FloatArray,
    fastest: float,
    seed_state: Int32Array,
    seed_ms: UInt32Array,
    n_seeds: int,
    limit: Ms,
    goal_x: float,
    goal_y: float,
    dist: UInt32Array,
    link: Int32Array,
    ring: Int32Array,
    touched: Int32Array,
) -> int:
    """As `geo.travel.search.search`, without states from which a straight line to the goal misses `limit`."""
    mask = len(ring) - 1
    n_touched = 0
    waiting = 0
    taken = 0
    order = np.argsort(seed_ms[:n_seeds])
    cursor = np.int64(0)
    while True:
        if waiting == 0:
            if taken == n_seeds or seed_ms[order[taken]] > limit:
                break
            cursor = np.int64(seed_ms[order[taken]]) >> SHIFT
        while taken < n_seeds and (np.int64(seed_ms[order[taken]]) >> SHIFT) <= cursor:
            row = order[taken]
            n_touched, added = relax_seed(
                seed_state[row], np.int64(seed_ms[row]), limit, dist, link, ring, touched, n_touched
            )
            waiting += added
            taken += 1
        bucket = cursor & mask
        state = ring[bucket]
        while state >= 0:
            after = link[state, 0]
            ring[bucket] = after
            if after >= 0:
                link[after, 1] = -1
            link[state, 0] = FREE
            waiting -= 1
            base = np.int64(dist[state])
            for arc in range(indptr[state], indptr[state + 1]):
                to = head[arc]
                ms = base + np.int64(cost[arc])
                if ms > limit or ms >= dist[to]:
                    continue
                if dist[to] == NO:
                    dx = state_x[to] - goal_x
                    dy = state_y[to] - goal_y
                    reach = (limit - ms) * fastest + PLANE_M
                    if dx * dx + dy * dy > reach * reach:
                        continue
                n_touched, added = relax_seed(to, ms, limit, dist, link, ring, touched, n_touched)
                waiting += added
            state = ring[bucket]
        cursor += 1
    return n_touched


@kernel
def point_leg(
    graph: Graph,
    edge_i: Ms,
    u_i: Ms,
    v_i: Ms,
    offset_i: float,
    x_i: float,
    y_i: float,
    edge_j: Ms,
    u_j: Ms,
    v_j: Ms,
    offset_j: float,
    x_j: float,
    y_j: float,
    most: Ms,
    work: Work,
) -> Ms:
    """Fastest network time from one place to another, `NO` where there is none of at most `most`.

    The straight line at the fastest speed gives a first limit; it grows until the way found lies within it.
    """
    directed = graph.directed
    if edge_i < 0 or edge_j < 0 or graph.component[edge_i] != graph.component[edge_j]:
        return np.int64(NO)
    best: Ms = np.int64(NO)
    if edge_i == edge_j:
        best = direct_run(
            directed[2 * edge_i] != NO,
            directed[2 * edge_i + 1] != NO,
            offset_j - offset_i,
            u_j - u_i,
            v_j - v_i,
        )
        if best == 0:
            return best
    straight = np.sqrt((x_i - x_j) ** 2 + (y_i - y_j) ** 2)
    limit: Ms = min(np.int64(1.35 * straight / graph.fastest) + 20_000, np.int64(most))
    n_seeds = seeds(
        directed, graph.depart_ptr, graph.depart_state, graph.depart_ms, edge_i, u_i, v_i, True, work
    )
    dist, touched = work.dist_leg, work.touched_leg
    while True:
        if best <= limit:
            limit = best
        n = search_towards(
            graph.indptr,
            graph.head,
            graph.cost,
            graph.state_x,
            graph.state_y,
            graph.fastest,
            work.seed_state,
            work.seed_ms,
            n_seeds,
            limit,
            x_j,
            y_j,
            dist,
            work.link,
            work.ring,
            touched,
        )
        found = reached(
            directed, graph.arrive_ptr, graph.arrive_state, graph.arrive_ms, dist, edge_j, u_j, v_j, False
        )
        reset(dist, touched, n)
        best = min(best, found)
        if best <= limit:
            return best
        if limit >= most:
            return np.int64(NO)
        limit = min(limit * 2, np.int64(most))


@kernel
def network_leg(graph: Graph, c: Columns, i: Ms, j: Ms, work: Work) -> Ms:
    """Fastest network time from slot i to slot j, `NO` where there is no way."""
    return point_leg(
        graph,
        c.edge[i],
        np.int64(c.from_u[i]),
        np.int64(c.from_v[i]),
        c.offset_m[i],
        c.x[i],
        c.y[i],
        c.edge[j],
        np.int64(c.from_u[j]),
        np.int64(c.from_v[j]),
        c.offset_m[j],
        c.x[j],
        c.y[j],
        FAR_MS,
        work,
    )
