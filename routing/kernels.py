"""Travel kernels of this room: a mode's graph turned round, and the leg between two snapped places.

All times are integer milliseconds. The spread itself is `geo.search.search`.
"""

import numpy as np

from geo.arrays import FloatArray, Int32Array, UInt32Array
from geo.jit import kernel
from geo.search import relax_seed, reset, workspace
from geo.streets import ModeGraph, StreetNetwork
from routing.tables import FAR_MS, NO, Columns, Graph, Ms, Work

__all__ = [
    "direct_run",
    "ends_at",
    "graph_of",
    "network_leg",
    "scaled",
    "seeds_from",
    "seeds_to",
    "starts_at",
    "work_for",
]

SHIFT, FREE = 10, -2
"""As in `geo.search`: buckets of 2**10 ms; mark of a state in no bucket."""
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
    of_edge = np.repeat(np.arange(2 * edges, dtype=np.int32), np.diff(graph.depart_ptr))
    order = np.argsort(graph.depart_state, kind="stable")
    counts = np.bincount(graph.depart_state, minlength=graph.n_states)
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
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        of_edge[order],
        graph.depart_extra_ms[order],
        np.ascontiguousarray(xy[:, 0]),
        np.ascontiguousarray(xy[:, 1]),
        _components(graph, edges),
        _fastest(network, graph.directed_cost_ms),
        bool((graph.state_layer != 0).any()),
    )


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
    space = workspace(graph)
    widest = 2 * int(max(np.diff(graph.depart_ptr).max(initial=1), np.diff(graph.arrive_ptr).max(initial=1)))
    return Work(
        space.dist,
        space.dist.copy(),
        space.link,
        space.ring,
        space.touched,
        space.touched.copy(),
        np.empty(widest, np.int32),
        np.empty(widest, np.uint32),
    )


@kernel
def scaled(ms: Ms, factor: Ms) -> Ms:
    """Network time at a speed factor in thousandths, rounded up."""
    return (np.int64(ms) * factor + 999) // 1000


@kernel
def seeds_from(graph: Graph, edge: Ms, from_u: Ms, from_v: Ms, work: Work) -> int:
    """Write the seeds of trips that start on an edge; return how many."""
    n = 0
    for side in range(2):
        d = 2 * edge + side
        if graph.directed[d] == NO:
            continue
        rest = np.int64(graph.directed[d]) - (from_u if side == 0 else from_v)
        for i in range(graph.depart_ptr[d], graph.depart_ptr[d + 1]):
            work.seed_state[n] = graph.depart_state[i]
            work.seed_ms[n] = rest + graph.depart_ms[i]
            n += 1
    return n


@kernel
def seeds_to(graph: Graph, edge: Ms, from_u: Ms, from_v: Ms, work: Work) -> int:
    """Write the seeds of the search back from a trip's end on an edge; return how many."""
    n = 0
    for side in range(2):
        d = 2 * edge + side
        if graph.directed[d] == NO:
            continue
        part = from_u if side == 0 else from_v
        for i in range(graph.arrive_ptr[d], graph.arrive_ptr[d + 1]):
            work.seed_state[n] = graph.arrive_state[i]
            work.seed_ms[n] = part + graph.arrive_ms[i]
            n += 1
    return n


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
def ends_at(
    directed: UInt32Array,
    ptr: Int32Array,
    state: Int32Array,
    extra: UInt32Array,
    dist: UInt32Array,
    edge: Ms,
    from_u: Ms,
    from_v: Ms,
) -> Ms:
    """Least network time to a place on an edge after a search from elsewhere, `NO` if not reached."""
    best = np.int64(NO)
    for side in range(2):
        d = 2 * edge + side
        if directed[d] == NO:
            continue
        part = from_u if side == 0 else from_v
        for i in range(ptr[d], ptr[d + 1]):
            at = dist[state[i]]
            if at != NO:
                best = min(best, np.int64(at) + extra[i] + part)
    return best


@kernel
def starts_at(
    directed: UInt32Array,
    ptr: Int32Array,
    state: Int32Array,
    extra: UInt32Array,
    dist: UInt32Array,
    edge: Ms,
    from_u: Ms,
    from_v: Ms,
) -> Ms:
    """Least network time from a place on an edge after a search back from elsewhere, `NO` if not reached."""
    best = np.int64(NO)
    for side in range(2):
        d = 2 * edge + side
        if directed[d] == NO:
            continue
        rest = np.int64(directed[d]) - (from_u if side == 0 else from_v)
        for i in range(ptr[d], ptr[d + 1]):
            at = dist[state[i]]
            if at != NO:
                best = min(best, np.int64(at) + extra[i] + rest)
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
    """As `geo.search.search`, without states from which a straight line to the goal misses `limit`."""
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
                old = np.int64(dist[to])
                if ms >= old or ms > limit:
                    continue
                new_bucket = (ms >> SHIFT) & mask
                if old == NO:
                    dx = state_x[to] - goal_x
                    dy = state_y[to] - goal_y
                    reach = (limit - ms) * fastest + PLANE_M
                    if dx * dx + dy * dy > reach * reach:
                        continue
                    touched[n_touched] = to
                    n_touched += 1
                    waiting += 1
                elif link[to, 0] == FREE:
                    waiting += 1
                else:
                    old_bucket = (old >> SHIFT) & mask
                    if old_bucket == new_bucket:
                        dist[to] = np.uint32(ms)
                        continue
                    next_one, previous = link[to, 0], link[to, 1]
                    if next_one >= 0:
                        link[next_one, 1] = previous
                    if previous >= 0:
                        link[previous, 0] = next_one
                    else:
                        ring[old_bucket] = next_one
                dist[to] = np.uint32(ms)
                first = ring[new_bucket]
                link[to, 0] = first
                link[to, 1] = -1
                if first >= 0:
                    link[first, 1] = to
                ring[new_bucket] = to
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
    n_seeds = seeds_from(graph, edge_i, u_i, v_i, work)
    dist, touched = work.dist_from, work.touched_from
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
        found = ends_at(
            directed, graph.arrive_ptr, graph.arrive_state, graph.arrive_ms, dist, edge_j, u_j, v_j
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
