"""Travel kernels of this room: a mode's graph turned round, and the leg between two snapped places.

All times are integer milliseconds. The spread itself is `geo.search.search`.
"""

import numpy as np

from geo.arrays import Int32Array, UInt32Array
from geo.jit import kernel
from geo.search import relax_seed, reset, workspace
from geo.streets import ModeGraph, StreetNetwork
from routing.tables import FAR_MS, NO, Columns, Graph, Ms, TaskColumns, Work

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

PLANE_M = 2.0
"""Metres by which a straight line may be misjudged: offsets are rounded to milliseconds."""


def graph_of(network: StreetNetwork, mode: str) -> Graph:
    """Return the arrays of `network` for `mode` as the kernels take them."""
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
def direct_run(
    graph: Graph,
    edge: Ms,
    start: Columns | TaskColumns,
    i: Ms,
    end: Columns | TaskColumns,
    j: Ms,
) -> Ms:
    """Time from row i of `start` to row j of `end` on their one edge, `NO` where the other lies behind."""
    best = np.int64(NO)
    ahead = end.offset_m[j] - start.offset_m[i]
    if graph.directed[2 * edge] != NO and ahead >= 0:
        best = np.int64(end.from_u[j]) - start.from_u[i]
    if graph.directed[2 * edge + 1] != NO and ahead <= 0:
        best = min(best, np.int64(end.from_v[j]) - start.from_v[i])
    return best


@kernel
def search_towards(graph: Graph, n_seeds: Ms, limit: Ms, goal_x: float, goal_y: float, work: Work) -> int:
    """As `geo.search.search`, leaving out states from which a straight line to the goal misses `limit`."""
    dist, link, ring, touched = work.dist_from, work.link, work.ring, work.touched_from
    mask = len(ring) - 1
    n_touched = 0
    waiting = 0
    taken = 0
    order = np.argsort(work.seed_ms[:n_seeds])
    cursor = np.int64(0)
    while True:
        if waiting == 0:
            if taken == n_seeds or work.seed_ms[order[taken]] > limit:
                break
            cursor = np.int64(work.seed_ms[order[taken]]) >> 10
        while taken < n_seeds and (np.int64(work.seed_ms[order[taken]]) >> 10) <= cursor:
            row = order[taken]
            n_touched, added = relax_seed(
                work.seed_state[row], np.int64(work.seed_ms[row]), limit, dist, link, ring, touched, n_touched
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
            link[state, 0] = -2
            waiting -= 1
            base = np.int64(dist[state])
            for arc in range(graph.indptr[state], graph.indptr[state + 1]):
                to = graph.head[arc]
                ms = base + np.int64(graph.cost[arc])
                if ms >= dist[to] or ms > limit:
                    continue
                if dist[to] == NO:
                    dx = graph.state_x[to] - goal_x
                    dy = graph.state_y[to] - goal_y
                    if np.sqrt(dx * dx + dy * dy) > (limit - ms) * graph.fastest + PLANE_M:
                        continue
                n_touched, added = relax_seed(to, ms, limit, dist, link, ring, touched, n_touched)
                waiting += added
            state = ring[bucket]
        cursor += 1
    return n_touched


@kernel
def ends_at(graph: Graph, dist: UInt32Array, edge: Ms, from_u: Ms, from_v: Ms) -> Ms:
    """Least network time to a place on an edge after a search from elsewhere, `NO` if not reached."""
    best = np.int64(NO)
    for side in range(2):
        d = 2 * edge + side
        if graph.directed[d] == NO:
            continue
        part = from_u if side == 0 else from_v
        for i in range(graph.arrive_ptr[d], graph.arrive_ptr[d + 1]):
            at = dist[graph.arrive_state[i]]
            if at != NO:
                best = min(best, np.int64(at) + graph.arrive_ms[i] + part)
    return best


@kernel
def starts_at(graph: Graph, dist: UInt32Array, edge: Ms, from_u: Ms, from_v: Ms) -> Ms:
    """Least network time from a place on an edge after a search back from elsewhere, `NO` if not reached."""
    best = np.int64(NO)
    for side in range(2):
        d = 2 * edge + side
        if graph.directed[d] == NO:
            continue
        rest = np.int64(graph.directed[d]) - (from_u if side == 0 else from_v)
        for i in range(graph.depart_ptr[d], graph.depart_ptr[d + 1]):
            at = dist[graph.depart_state[i]]
            if at != NO:
                best = min(best, np.int64(at) + graph.depart_ms[i] + rest)
    return best


@kernel
def network_leg(graph: Graph, places: Columns, i: Ms, j: Ms, work: Work) -> Ms:
    """Fastest network time from row i to row j of `places`, `NO` where there is no way.

    The straight line at the fastest speed gives a first limit; it grows until the way found lies within it.
    """
    edge_i, edge_j = places.edge[i], places.edge[j]
    if edge_i < 0 or edge_j < 0 or graph.component[edge_i] != graph.component[edge_j]:
        return np.int64(NO)
    best: Ms = np.int64(NO)
    if edge_i == edge_j:
        best = direct_run(graph, edge_i, places, i, places, j)
        if best == 0:
            return best
    dx, dy = places.x[i] - places.x[j], places.y[i] - places.y[j]
    straight = np.sqrt(dx * dx + dy * dy)
    limit: Ms = min(np.int64(1.35 * straight / graph.fastest) + 20_000, np.int64(FAR_MS))
    n_seeds = seeds_from(graph, edge_i, places.from_u[i], places.from_v[i], work)
    while True:
        if best <= limit:
            limit = best
        n = search_towards(graph, n_seeds, limit, places.x[j], places.y[j], work)
        found = ends_at(graph, work.dist_from, edge_j, places.from_u[j], places.from_v[j])
        reset(work.dist_from, work.touched_from, n)
        best = min(best, found)
        if best <= limit or limit >= FAR_MS:
            return best
        limit = min(limit * 2, np.int64(FAR_MS))
