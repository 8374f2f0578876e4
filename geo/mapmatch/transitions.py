"""Kernels of map matching: streets near a point, and the cheapest ways from a node, bounded.

Costs are integer centimetres, so that a key and a node fit into one 64-bit word of the heap.
"""

import numpy as np
from numpy.typing import NDArray

from geo.jit import kernel

__all__ = ["FAR", "Graph", "Grid", "Space", "Want", "candidates", "cheapest_ways", "clean", "nearest_m"]

FAR = np.uint32(0xFFFFFFFF)
"""Not reached, or not allowed."""

Graph = tuple[
    NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.uint32], NDArray[np.int32],
    NDArray[np.float64], NDArray[np.float64],
]  # fmt: skip
Grid = tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.int32], NDArray[np.bool_],
    float, float, float, int, int, NDArray[np.int32], NDArray[np.int32],
]  # fmt: skip
Space = tuple[
    NDArray[np.uint32], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.uint64],
    NDArray[np.int32], NDArray[np.float32],
]  # fmt: skip

Want = tuple[NDArray[np.int32], NDArray[np.int64]]
"""Nodes to be reached and the centimetres up to which each matters, falling."""


@kernel
def candidates(
    x: float,
    y: float,
    radius: float,
    most: int,
    grid: Grid,
    edge: NDArray[np.int32],
    offset: NDArray[np.float64],
    away: NDArray[np.float64],
) -> int:
    """Write the nearest `most` edges within `radius` metres of a point; return how many."""
    xy, along, segment_edge, usable, low_x, low_y, cell, columns, rows, ptr, cell_segment = grid
    found = 0
    left = max(0, int(np.floor((x - radius - low_x) / cell)))
    right = min(columns - 1, int(np.floor((x + radius - low_x) / cell)))
    bottom = max(0, int(np.floor((y - radius - low_y) / cell)))
    top = min(rows - 1, int(np.floor((y + radius - low_y) / cell)))
    worst = 0
    limit = radius * radius
    for row in range(bottom, top + 1):
        for column in range(left, right + 1):
            at = row * columns + column
            for k in range(ptr[at], ptr[at + 1]):
                g = cell_segment[k]
                dx, dy = xy[g + 1, 0] - xy[g, 0], xy[g + 1, 1] - xy[g, 1]
                px, py = x - xy[g, 0], y - xy[g, 1]
                square = dx * dx + dy * dy
                part = 0.0
                if square > 0.0:
                    part = min(1.0, max(0.0, (px * dx + py * dy) / square))
                ex, ey = px - part * dx, py - part * dy
                d = ex * ex + ey * ey
                if d > limit:
                    continue
                e = segment_edge[g]
                if not usable[e]:
                    continue
                metres = along[g] + part * (along[g + 1] - along[g])
                slot = -1
                for i in range(found):
                    if edge[i] == e:
                        slot = i
                        break
                if slot >= 0:
                    if d < away[slot] or (d == away[slot] and metres < offset[slot]):
                        away[slot], offset[slot] = d, metres
                elif found < most:
                    edge[found], offset[found], away[found] = e, metres, d
                    found += 1
                else:
                    worst = 0
                    for i in range(1, most):
                        if away[i] > away[worst] or (away[i] == away[worst] and edge[i] > edge[worst]):
                            worst = i
                    if d < away[worst] or (d == away[worst] and e < edge[worst]):
                        edge[worst], offset[worst], away[worst] = e, metres, d
    for i in range(found):
        away[i] = np.sqrt(away[i])
    # Cells are visited in the order of the map: sort by edge, so that ties never depend on it.
    for i in range(1, found):
        e, o, d = edge[i], offset[i], away[i]
        j = i - 1
        while j >= 0 and edge[j] > e:
            edge[j + 1], offset[j + 1], away[j + 1] = edge[j], offset[j], away[j]
            j -= 1
        edge[j + 1], offset[j + 1], away[j + 1] = e, o, d
    return found


@kernel
def cheapest_ways(
    source: int, most_m: float, want: Want, wanted: int, graph: Graph, space: Space, stamp: int
) -> int:
    """Find the cheapest ways (cm) from a node to the first nodes of `want`; count nodes touched.

    Ways that cost more than the limit of each of these, or are longer than `most_m`, are left out.
    """
    node, node_cm = want
    first, limit = 0, node_cm[0]
    out_ptr, out_head, out_edge, out_cost, _, length, _ = graph
    dist, parent, root, touched, heap, mark, metres = space
    dist[source] = 0
    parent[source] = -1
    root[source] = -1
    metres[source] = 0.0
    touched[0] = source
    n_touched = 1
    heap[0] = np.uint64(source)
    size = 1
    for at in range(wanted):
        mark[node[at]] = stamp
    while size > 0:
        top = heap[0]
        d = np.int64(top >> np.uint64(32))
        u = np.int64(top & np.uint64(0xFFFFFFFF))
        size -= 1
        last = heap[size]
        i = 0
        while True:
            child = 4 * i + 1
            if child >= size:
                break
            least = child
            for j in range(child + 1, min(child + 4, size)):
                if heap[j] < heap[least]:
                    least = j
            if heap[least] < last:
                heap[i] = heap[least]
                i = least
            else:
                break
        heap[i] = last
        if d > dist[u]:
            continue
        if d > limit:
            break
        if mark[u] == stamp:
            mark[u] = -1
            # What is left has the limit of the first of it, for they come in the order of their limits.
            while first < wanted and mark[node[first]] != stamp:
                first += 1
            if first == wanted:
                break
            limit = node_cm[first]
        for arc in range(out_ptr[u], out_ptr[u + 1]):
            w = out_head[arc]
            far = d + np.int64(out_cost[arc])
            gone = metres[u] + np.float32(length[out_edge[arc] >> 1])
            if far <= limit and far < dist[w] and gone <= most_m:
                if dist[w] == FAR:
                    touched[n_touched] = w
                    n_touched += 1
                dist[w] = np.uint32(far)
                parent[w] = arc
                metres[w] = gone
                root[w] = arc if u == source else root[u]
                key = (np.uint64(far) << np.uint64(32)) | np.uint64(w)
                i = size
                size += 1
                while i > 0:
                    up = (i - 1) >> 2
                    if heap[up] > key:
                        heap[i] = heap[up]
                        i = up
                    else:
                        break
                heap[i] = key
    return n_touched


@kernel
def clean(space: Space, n_touched: int) -> None:
    """Forget the nodes that a search touched."""
    dist, _, _, touched, _, _, _ = space
    for i in range(n_touched):
        dist[touched[i]] = FAR


@kernel
def nearest_m(
    x: NDArray[np.float64], y: NDArray[np.float64], radius: float, grid: Grid
) -> NDArray[np.float64]:
    """Metres from each point to the nearest usable street, infinite beyond `radius`."""
    out = np.full(len(x), np.inf)
    edge, offset, away = np.empty(1, np.int32), np.empty(1), np.empty(1)
    for i in range(len(x)):
        if candidates(x[i], y[i], radius, 1, grid, edge, offset, away):
            out[i] = away[0]
    return out
