"""Paths of many trips at once: one search for each place that many trips share, not one for each trip."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.jit import kernel
from geo.streets.mode_graph import NO
from geo.streets.network import StreetNetwork
from geo.streets.snapping import Snapped
from geo.travel.ends import Seeds, run_ms, seeds
from geo.travel.search import Adjacency, Workspace, adjacency, reset, search_tree
from geo.travel.workspace import borrow_workspace, return_workspace

__all__ = ["TripPaths", "route_trips"]

FIRST_LIMIT_MS = 20 * 60 * 1000
NO_LIMIT_MS = int(NO) - 1


@dataclass(frozen=True)
class TripPaths:
    """Directed edges (2 * edge + against) of trips, the first and the last one ridden in part.

    Attributes
    ----------
    ptr : int64 (t + 1,)
        Trip ``i`` has the edges ``ptr[i]`` to ``ptr[i + 1]``.
    edges : int32
    found : bool (t,)
        False where no legal path exists, or none was asked for.
    ms : int64 (t,)
        Milliseconds with both walks, 0 where there is no path.
    """

    ptr: NDArray[np.int64]
    edges: NDArray[np.int32]
    found: NDArray[np.bool_]
    ms: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> "TripPaths":
        """Return the trips of `rows`."""
        count = np.diff(self.ptr)[rows]
        ptr = np.r_[0, np.cumsum(count)].astype(np.int64)
        source = np.repeat(self.ptr[rows] - ptr[:-1], count) + np.arange(ptr[-1])
        return TripPaths(ptr, self.edges[source], self.found[rows], self.ms[rows])


class _Groups(NamedTuple):
    """Trips that share a place, their root: its other ends are ``other[ptr[g]:ptr[g + 1]]``."""

    ptr: NDArray[np.int64]
    root: NDArray[np.int32]
    back: NDArray[np.bool_]
    """Whether the trips end at the root."""
    other: NDArray[np.int32]
    apart: bool
    """Each trip is a group of its own."""


class _Places(NamedTuple):
    """Places on edges, and the length of each edge."""

    edge: NDArray[np.int32]
    offset_m: NDArray[np.float64]
    walk_ms: NDArray[np.int64]
    length_m: NDArray[np.float64]


class _Graph(NamedTuple):
    """Adjacency in both directions and what they are made of."""

    forward: Adjacency
    backward: Adjacency
    rev_arc: NDArray[np.int32]
    arc_edge: NDArray[np.int32]
    directed_cost_ms: NDArray[np.uint32]


@kernel
def _trace_back(
    state: int,
    back: bool,
    parent_arc: NDArray[np.int32],
    graph: _Graph,
    way: NDArray[np.int32],
    m: int,
) -> tuple[int, int]:
    """Append the edges from a state to the root of the search; return (edges so far, state at the root)."""
    rev_arc, arc_edge = graph.rev_arc, graph.arc_edge
    head, indptr = graph.forward.head, graph.forward.indptr
    while parent_arc[state] >= 0:
        arc = parent_arc[state]
        if back:
            # What lies nearer to the root of a backward search comes later on the trip.
            arc = rev_arc[arc]
            state = head[arc]
        else:
            state = np.searchsorted(indptr, arc, "right") - 1
        if arc_edge[arc] >= 0:
            way[m] = arc_edge[arc]
            m += 1
    return m, state


@kernel
def _route_groups(
    span: tuple[int, int],
    groups: _Groups,
    places: _Places,
    graph: _Graph,
    leaves: Seeds,
    reaches: Seeds,
    memory: tuple[Workspace, NDArray[np.int32]],
    out: NDArray[np.int64],
) -> NDArray[np.int32]:
    """Return the edges of each trip of a span of groups one after the other.

    Fills `out` (2, trips) with how many each has (0: no path) and its milliseconds.

    One loop over the groups: every step of it writes to the paths that grow.
    """
    group_ptr, group_root, group_back, other, apart = groups
    edge, offset_m, walk_ms, length_m = places
    directed_cost_ms = graph.directed_cost_ms
    space, parent_arc = memory
    dist = space.dist
    path = np.empty(1024, np.int32)
    used = 0
    way = np.empty(len(dist) + 4, np.int32)
    none_state, none_ms = np.empty(0, np.int32), np.empty(0, np.uint32)
    for g in range(span[0], span[1]):
        root, back = group_root[g], group_back[g]
        a, b = group_ptr[g], group_ptr[g + 1]
        # The search begins near the root: where trips leave it, or (backward) where they reach it.
        near_ptr, near_state, near_ms, near_edge = reaches if back else leaves
        far_ptr, far_state, far_ms, far_edge = leaves if back else reaches
        near = slice(near_ptr[root], near_ptr[root + 1])
        first_used = used
        for attempt in range(2):
            # A second search writes the paths of all trips anew: they stand in the order of the trips.
            used = first_used
            limit = FIRST_LIMIT_MS if attempt == 0 else NO_LIMIT_MS
            target_state, target_ms = none_state, none_ms
            if b - a == 1:
                # A lone trip may stop at its target.
                far = slice(far_ptr[other[a]], far_ptr[other[a] + 1])
                target_state, target_ms = far_state[far], far_ms[far]
            arcs = graph.backward if back else graph.forward
            n, _ = search_tree(
                arcs, near_state[near], near_ms[near], target_state, target_ms, limit, space, parent_arc
            )
            missing = False
            for t in range(a, b):
                place = other[t]
                best = np.int64(NO_LIMIT_MS)
                state, last = -1, -1
                if edge[place] == edge[root]:
                    source, target = (place, root) if back else (root, place)
                    e = edge[root]
                    for d in range(2 * e, 2 * e + 2):
                        if directed_cost_ms[d] == NO:
                            continue
                        run = run_ms(directed_cost_ms, d, offset_m[target], length_m[e])
                        run -= run_ms(directed_cost_ms, d, offset_m[source], length_m[e])
                        ahead = (
                            offset_m[target] >= offset_m[source]
                            if d & 1 == 0
                            else offset_m[target] <= offset_m[source]
                        )
                        if ahead and run + walk_ms[place] + walk_ms[root] < best:
                            best, state, last = run + walk_ms[place] + walk_ms[root], -1, d
                for i in range(far_ptr[place], far_ptr[place + 1]):
                    if dist[far_state[i]] == NO:
                        continue
                    ms = np.int64(dist[far_state[i]]) + np.int64(far_ms[i])
                    # Of equals that which ends on the street longer: no turn at its end into nothing of it.
                    # Not of trips that share a search: made fleets of a seed stay as they are.
                    if ms < best or (
                        apart and ms == best and state >= 0 and dist[far_state[i]] < dist[state]
                    ):
                        best, state, last = ms, int(far_state[i]), int(far_edge[i])
                if last < 0:
                    missing = True
                    continue
                way[0] = last
                m = 1
                if state >= 0:
                    m, state = _trace_back(state, back, parent_arc, graph, way, m)
                    for i in range(near_ptr[root], near_ptr[root + 1]):
                        if near_state[i] == state and near_ms[i] == dist[state]:
                            way[m] = near_edge[i]
                            m += 1
                            break
                out[0, t], out[1, t] = m, best
                if used + m > len(path):
                    larger = np.empty(2 * (used + m), np.int32)
                    larger[:used] = path[:used]
                    path = larger
                for i in range(m):
                    path[used + i] = way[i] if back else way[m - 1 - i]
                used += m
            reset(dist, space.touched, n)
            if not missing:
                break
    return path[:used].copy()


def route_trips(
    network: StreetNetwork,
    mode: str,
    places: Snapped,
    source: NDArray[np.int32],
    target: NDArray[np.int32],
    wanted: NDArray[np.bool_],
    threads: int = 2,
    *,
    apart: bool = False,
) -> TripPaths:
    """Find the fastest legal path of every wanted trip.

    Parameters
    ----------
    network : StreetNetwork
    mode : str
    places : Snapped
        All of them on streets.
    source, target : int32 (t,)
        Rows of `places`.
    wanted : bool (t,)
        Trips to route; the others come back without edges.
    threads : int
        Groups of trips are shared among so many threads; the answer does not depend on it.
    apart : bool
        A search for each trip, which ends where the trip does: for few trips, or short ones.

    Returns
    -------
    TripPaths
    """
    graph = network.graph(mode)
    trips = np.flatnonzero(wanted)
    uses_source = np.bincount(source[trips], minlength=len(places))
    uses_target = np.bincount(target[trips], minlength=len(places))
    back = (uses_target[target[trips]] > uses_source[source[trips]]) & (not apart)
    root = np.where(back, target[trips], source[trips])
    order = np.lexsort((back, root))
    trips, back, root = trips[order], back[order], root[order]
    new = np.ones(len(trips), np.bool_)
    if not apart:
        new[1:] = (root[1:] != root[:-1]) | (back[1:] != back[:-1])
    starts = np.flatnonzero(new)
    group_ptr = np.r_[starts, len(trips)].astype(np.int64)
    other = np.where(back, source[trips], target[trips]).astype(np.int32)
    leaves = seeds(graph, network.edge_length_m, places, towards=False)
    reaches = seeds(graph, network.edge_length_m, places, towards=True)
    groups = _Groups(group_ptr, root[starts].astype(np.int32), back[starts], other, apart)
    at = _Places(places.edge, places.offset_m, places.walk_ms, network.edge_length_m)
    arrays = _Graph(
        adjacency(graph, towards=False),
        adjacency(graph, towards=True),
        graph.rev_arc,
        graph.arc_edge,
        graph.directed_cost_ms,
    )

    out = np.zeros((2, len(trips)), np.int64)

    def work(first: int, last: int) -> NDArray[np.int32]:
        # Each writes to the trips of its own groups.
        space = borrow_workspace(network, mode)
        memory = (space, np.empty(graph.n_states, np.int32))
        edges = _route_groups((first, last), groups, at, arrays, leaves, reaches, memory, out)
        return_workspace(network, mode, space)
        return edges

    parts = max(1, min(threads, len(starts)))
    bounds = np.linspace(0, len(starts), parts + 1).astype(int).tolist()
    if parts == 1:
        edges = work(*bounds)
    else:
        with ThreadPoolExecutor(parts) as pool:
            edges = np.concatenate(list(pool.map(work, bounds[:-1], bounds[1:])))
    count, total_ms = out
    ptr = np.r_[0, np.cumsum(count)].astype(np.int64)
    grouped = TripPaths(ptr, edges, count > 0, total_ms)
    ordered = grouped.take(np.argsort(trips, kind="stable"))
    full, full_ms = np.zeros((2, len(source)), np.int64)
    full[trips], full_ms[trips] = count, total_ms
    return TripPaths(np.r_[0, np.cumsum(full)].astype(np.int64), ordered.edges, full > 0, full_ms)
