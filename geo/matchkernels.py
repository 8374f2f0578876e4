"""Kernels of map matching: candidates, bounded searches in metres, Viterbi, and the way back to a path.

A state of the hidden Markov model is a candidate edge ridden along (even) or against (odd) its direction.
Lengths are integer centimetres inside the searches, so that a key and a node fit into one 64-bit word.
"""

import numpy as np
from numpy.typing import NDArray

from geo.jit import kernel

__all__ = ["FAR", "KEPT", "LOST", "THINNED", "lay_points", "match_rider", "nearest_m"]

FAR = np.uint32(0xFFFFFFFF)
"""Not reached, or not allowed."""
OFF_STREET = 3.0
LOST, KEPT, THINNED = 0, 1, 2
"""What became of a point: on no street, part of the model, or near the one before and laid on the path later."""

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


@kernel
def _candidates(
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
def _search(
    source: int, limit: int, most_m: float, wanted: int, graph: Graph, space: Space, stamp: int
) -> int:
    """Cheapest ways (cm) from a node until `wanted` marked nodes are settled; return how many nodes were touched.

    Ways that cost more than `limit` or are longer than `most_m` are left out.
    """
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
        if mark[u] == stamp:
            wanted -= 1
            if wanted == 0:
                break
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
def _clean(space: Space, n_touched: int) -> None:
    dist, _, _, touched, _, _, _ = space
    for i in range(n_touched):
        dist[touched[i]] = FAR


@kernel
def _emission(away: float, sigma: float) -> float:
    """Log density of a distance: normal near the street, exponential beyond 3 sigma (outliers)."""
    z = away / sigma
    return -0.5 * z * z if z <= 3.0 else 4.5 - 3.0 * z


@kernel
def _step(
    k: int,
    before: int,
    gap_m: float,
    beta: float,
    beam: float,
    reach_cm: int,
    most_m: float,
    break_cost: float,
    u_turn_m: float,
    slack_m: float,
    edge: NDArray[np.int32],
    offset: NDArray[np.float64],
    count: NDArray[np.int32],
    score: NDArray[np.float64],
    back: NDArray[np.int16],
    graph: Graph,
    space: Space,
    stamp: int,
    entries: NDArray[np.int64],
) -> tuple[bool, int]:
    """Best way from the states of kept point `before` to those of `k`; (any way found, next stamp).

    Ways longer than `most_m` are too fast to be true. At `break_cost` a state may also begin a new piece; `back` is
    then below 0 and names the best state before.
    """
    _, _, out_edge, _, ends, length, factor = graph
    dist, _, root, _, _, mark, metres = space
    best, best_state = -np.inf, 0
    for s in range(2 * count[before]):
        if score[before, s] > best:
            best, best_state = score[before, s], s
    # Sources in the order of the node that they run to: one search serves all that share it.
    sources = 0
    for s in range(2 * count[before]):
        if score[before, s] >= best - beam:
            d = 2 * edge[before, s >> 1] + (s & 1)
            key = (np.int64(ends[d]) << 8) | s
            j = sources - 1
            while j >= 0 and entries[j] > key:
                entries[j + 1] = entries[j]
                j -= 1
            entries[j + 1] = key
            sources += 1
    targets = 2 * count[k]
    wanted = 0
    for j in range(targets):
        f = 2 * edge[k, j >> 1] + (j & 1)
        score[k, j] = -np.inf
        back[k, j] = -1
        if factor[f] < np.inf and mark[ends[f ^ 1]] != stamp:
            mark[ends[f ^ 1]] = stamp
            wanted += 1
    found = False
    i = 0
    while i < sources:
        node = entries[i] >> 8
        last = i
        room = -np.inf
        while last < sources and entries[last] >> 8 == node:
            s = entries[last] & 255
            d = 2 * edge[before, s >> 1] + (s & 1)
            rest = length[d >> 1] - offset[before, s >> 1] if s & 1 == 0 else offset[before, s >> 1]
            room = max(room, gap_m + beta * (beam - best + score[before, s]) - rest * factor[d])
            last += 1
        limit = max(reach_cm, np.int64(100.0 * room))
        touched = 0
        if limit >= 0:
            touched = _search(node, limit, most_m, wanted, graph, space, stamp)
        for a in range(i, last):
            s = entries[a] & 255
            d = 2 * edge[before, s >> 1] + (s & 1)
            o = offset[before, s >> 1]
            rest = length[d >> 1] - o if d & 1 == 0 else o
            for j in range(targets):
                f = 2 * edge[k, j >> 1] + (j & 1)
                if factor[f] == np.inf:
                    continue
                q = offset[k, j >> 1]
                ahead = q - o if d & 1 == 0 else o - q
                if f == d and ahead >= -slack_m:
                    ridden = max(0.0, ahead)
                    way = ridden * factor[d]
                elif f == d ^ 1:
                    # Turning round on the street: no need to ride to its end first.
                    ridden = abs(ahead)
                    way = ridden * max(factor[d], factor[f]) + u_turn_m
                else:
                    tail = ends[f ^ 1]
                    if touched == 0 or dist[tail] == FAR:
                        continue
                    into = q if f & 1 == 0 else length[f >> 1] - q
                    ridden = rest + metres[tail] + into
                    way = rest * factor[d] + 0.01 * dist[tail] + into * factor[f]
                    if root[tail] >= 0 and out_edge[root[tail]] == d ^ 1:
                        way += u_turn_m
                if ridden > most_m:
                    continue
                value = score[before, s] - abs(way - gap_m) / beta
                if value > score[k, j]:
                    score[k, j] = value
                    back[k, j] = s
                    found = True
        if touched:
            _clean(space, touched)
        i = last
    for j in range(targets):
        price = factor[2 * edge[k, j >> 1] + (j & 1)]
        if price < np.inf:
            value = best - break_cost - (0.0 if price == 1.0 else u_turn_m / beta)
            if value > score[k, j]:
                score[k, j] = value
                back[k, j] = -2 - best_state
    return found, stamp + 1


@kernel
def match_rider(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    t: NDArray[np.int64],
    sigma: float,
    beta_base: float,
    beta_share: float,
    most: int,
    beam: float,
    break_cost: float,
    correlation_s: float,
    max_gap_s: float,
    max_speed_mps: float,
    u_turn_m: float,
    graph: Graph,
    grid: Grid,
    space: Space,
    stamp: int,
    kept: NDArray[np.int32],
    chosen_edge: NDArray[np.int32],
    chosen_offset: NDArray[np.float64],
    chosen_away: NDArray[np.float64],
    chain: NDArray[np.int32],
    path_start: NDArray[np.int64],
    role: NDArray[np.int8],
) -> tuple[int, NDArray[np.int32], int]:
    """Match the points of one rider.

    Returns (kept points, path of directed edges, next stamp). For kept point ``k``: `kept` is its row, `chosen_edge`
    its directed edge, `chosen_offset` metres from ``u``, `chain` the number of its unbroken piece, and `path_start` the
    position in the path of its directed edge.
    """
    n = len(x)
    out_ptr, out_head, out_edge, out_cost, ends, length, factor = graph
    dist, parent, root, touched, heap, mark, metres = space
    edge = np.empty((n, most), np.int32)
    offset = np.empty((n, most))
    away = np.empty((n, most))
    count = np.zeros(n, np.int32)
    score = np.empty((n, 2 * most))
    back = np.empty((n, 2 * most), np.int16)
    entries = np.empty(2 * most + 1, np.int64)
    radius = 4.0 * sigma + 10.0
    thin = 4.0 * sigma * sigma
    slack = 2.0 * sigma
    off_street = OFF_STREET * sigma
    k = 0
    skipped = 0
    for i in range(n):
        fresh = k == 0
        if not fresh:
            p = kept[k - 1]
            dx, dy = x[i] - x[p], y[i] - y[p]
            gap = np.sqrt(dx * dx + dy * dy)
            passed = float(t[i] - t[p])
            if passed > max_gap_s and gap * gap >= thin:
                fresh = True
            elif gap * gap < thin and i < n - 1 and t[i + 1] - t[i] <= max_gap_s:
                role[i] = THINNED
                continue
            elif gap > 4.0 * sigma + max_speed_mps * max(passed, 1.0) and skipped < 3:
                skipped += 1
                continue
        m = _candidates(x[i], y[i], radius, most, grid, edge[k], offset[k], away[k])
        near = np.inf
        for c in range(m):
            near = min(near, away[k, c])
        if near > off_street:
            continue
        count[k] = m
        weight = 1.0
        if not fresh:
            # Errors of neighbouring fixes are alike: together they say little more than one of them.
            weight = min(1.0, max(0.1, float(t[i] - t[kept[k - 1]]) / correlation_s))
            beta = beta_base + beta_share * gap
            most_m = 4.0 * sigma + 20.0 + max_speed_mps * max(float(t[i] - t[kept[k - 1]]), 1.0)
            ok, stamp = _step(
                k, k - 1, gap, beta, beam, 0, most_m, break_cost, u_turn_m, slack, edge, offset, count, score,
                back, graph, space, stamp, entries,
            )  # fmt: skip
            if not ok:
                far = np.int64(100.0 * (2.0 * gap + 800.0))
                ok, stamp = _step(
                    k, k - 1, gap, beta, beam, far, most_m, np.inf, u_turn_m, slack, edge, offset, count,
                    score, back, graph, space, stamp, entries,
                )  # fmt: skip
            if not ok:
                if skipped < 3:
                    skipped += 1
                    continue
                fresh = True
        if fresh:
            for s in range(2 * m):
                back[k, s] = -1
                score[k, s] = 0.0 if factor[2 * edge[k, s >> 1] + (s & 1)] == 1.0 else -u_turn_m / beta_base
                if factor[2 * edge[k, s >> 1] + (s & 1)] == np.inf:
                    score[k, s] = -np.inf
        for s in range(2 * m):
            score[k, s] += weight * _emission(away[k, s >> 1], sigma)
        kept[k] = i
        role[i] = KEPT
        skipped = 0
        k += 1
    # Backwards: the best last state of each piece, then its ancestors.
    state = np.empty(k, np.int16)
    for i in range(k - 1, -1, -1):
        after = back[i + 1, state[i + 1]] if i < k - 1 else -1
        if after >= 0:
            state[i] = after
        elif after < -1:
            state[i] = -2 - after
        else:
            top = 0
            for s in range(1, 2 * count[i]):
                if score[i, s] > score[i, top]:
                    top = s
            state[i] = top
    pieces = 0
    for i in range(k):
        chain[i] = pieces - 1 if i > 0 and back[i, state[i]] >= 0 else pieces
        pieces = chain[i] + 1
    # Forwards: the edges between one kept point and the next.
    path = np.empty(4 * k + 64, np.int32)
    used = 0
    for i in range(k):
        c = state[i] >> 1
        f = 2 * edge[i, c] + (state[i] & 1)
        chosen_edge[i], chosen_offset[i], chosen_away[i] = f, offset[i, c], away[i, c]
        if i > 0 and chain[i] == chain[i - 1]:
            d = chosen_edge[i - 1]
            ahead = chosen_offset[i] - chosen_offset[i - 1]
            if d & 1:
                ahead = -ahead
            if f == d and ahead >= -slack:
                path_start[i] = used - 1
                continue
            node, tail = ends[d], ends[f ^ 1] if f != d ^ 1 else ends[d]
            mark[tail] = stamp
            n_touched = _search(node, np.int64(FAR) - 1, np.inf, 1, graph, space, stamp)
            stamp += 1
            size = 0
            at = tail
            while parent[at] >= 0:
                size += 1
                at = ends[out_edge[parent[at]] ^ 1]
            if used + size + 1 > len(path):
                larger = np.empty(2 * (used + size + 1), np.int32)
                larger[:used] = path[:used]
                path = larger
            at = tail
            for j in range(size - 1, -1, -1):
                path[used + j] = out_edge[parent[at]]
                at = ends[out_edge[parent[at]] ^ 1]
            used += size
            _clean(space, n_touched)
        if used + 1 > len(path):
            larger = np.empty(2 * used + 2, np.int32)
            larger[:used] = path[:used]
            path = larger
        path[used] = f
        path_start[i] = used
        used += 1
    return k, path[:used].copy(), stamp


@kernel
def nearest_m(
    x: NDArray[np.float64], y: NDArray[np.float64], radius: float, grid: Grid
) -> NDArray[np.float64]:
    """Metres from each point to the nearest usable street, infinite beyond `radius`."""
    out = np.full(len(x), np.inf)
    edge, offset, away = np.empty(1, np.int32), np.empty(1), np.empty(1)
    for i in range(len(x)):
        if _candidates(x[i], y[i], radius, 1, grid, edge, offset, away):
            out[i] = away[0]
    return out


@kernel
def _onto_edge(x: float, y: float, e: int, geom_ptr: NDArray[np.int64], grid: Grid) -> tuple[float, float]:
    """Return (metres from ``u``, metres away) of the nearest place on an edge."""
    xy, along, _, _, _, _, _, _, _, _, _ = grid
    best, metres = np.inf, 0.0
    for g in range(geom_ptr[e], geom_ptr[e + 1] - 1):
        dx, dy = xy[g + 1, 0] - xy[g, 0], xy[g + 1, 1] - xy[g, 1]
        px, py = x - xy[g, 0], y - xy[g, 1]
        square = dx * dx + dy * dy
        part = 0.0
        if square > 0.0:
            part = min(1.0, max(0.0, (px * dx + py * dy) / square))
        d = (px - part * dx) ** 2 + (py - part * dy) ** 2
        if d < best:
            best, metres = d, along[g] + part * (along[g + 1] - along[g])
    return metres, np.sqrt(best)


@kernel
def lay_points(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    t: NDArray[np.int64],
    role: NDArray[np.int8],
    kept: NDArray[np.int32],
    chain: NDArray[np.int32],
    chosen_offset: NDArray[np.float64],
    path_start: NDArray[np.int64],
    path: NDArray[np.int32],
    graph: Graph,
    grid: Grid,
    geom_ptr: NDArray[np.int64],
    directed: NDArray[np.int32],
    offset: NDArray[np.float64],
    away: NDArray[np.float64],
    enter_s: NDArray[np.float64],
    span_m: NDArray[np.float64],
) -> None:
    """Lay the thinned points on the path between their neighbours; tell when and how far each edge was ridden."""
    length = graph[5]
    for at in range(len(path)):
        e = path[at] >> 1
        span_m[at, 0] = 0.0 if path[at] & 1 == 0 else length[e]
        span_m[at, 1] = length[e] - span_m[at, 0]
    for k in range(len(kept)):
        a = kept[k]
        at = path_start[k]
        o = chosen_offset[k]
        if k == 0 or chain[k - 1] != chain[k]:
            span_m[at, 0] = o
        elif path_start[k - 1] == at - 1 and path[at - 1] == path[at] ^ 1:
            # Turned round between the two points, at the farther one of them.
            far = max(o, chosen_offset[k - 1]) if path[at - 1] & 1 == 0 else min(o, chosen_offset[k - 1])
            span_m[at - 1, 1] = span_m[at, 0] = far
        if k == len(kept) - 1 or chain[k + 1] != chain[k]:
            span_m[at, 1] = o
        first = path_start[k]
        inner = k + 1 < len(kept) and chain[k + 1] == chain[k]
        last = path_start[k + 1] if inner else first
        until = kept[k + 1] if k + 1 < len(kept) else len(x)
        if k == 0 or chain[k - 1] != chain[k]:
            enter_s[first] = t[a]
        leave = float(t[a])
        for i in range(a + 1, until):
            if role[i] != THINNED:
                continue
            leave = float(t[i])
            away[i] = np.inf
            # A rider who waits has few edges between two kept points; the first ones are the likely ones.
            for at in range(first, min(last, first + 8) + 1):
                metres, d = _onto_edge(x[i], y[i], path[at] >> 1, geom_ptr, grid)
                if d < away[i]:
                    directed[i], offset[i], away[i] = path[at], metres, d
        if not inner or last == first:
            continue
        # Even speed from the last point near this one to the next kept one.
        e = path[first] >> 1
        if last == first + 1 and path[first] == path[last] ^ 1:
            rest = abs(chosen_offset[k + 1] - o)
            total = rest
        else:
            rest = length[e] - o if path[first] & 1 == 0 else o
            e = path[last] >> 1
            total = rest + (chosen_offset[k + 1] if path[last] & 1 == 0 else length[e] - chosen_offset[k + 1])
        for at in range(first + 1, last):
            total += length[path[at] >> 1]
        gone = rest
        span = float(t[kept[k + 1]]) - leave
        for at in range(first + 1, last + 1):
            enter_s[at] = leave + span * (gone / total if total > 0.0 else 0.0)
            gone += length[path[at] >> 1]
