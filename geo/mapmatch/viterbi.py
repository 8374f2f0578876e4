"""Kernels of map matching: Viterbi, and the way back to a path.

A state of the hidden Markov model is a candidate edge ridden along (even) or against (odd) its direction.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.jit import kernel
from geo.mapmatch.transitions import FAR, Graph, Grid, Space, Want, candidates, cheapest_ways, clean

__all__ = ["KEPT", "LOST", "THINNED", "Decoded", "Model", "Track", "match_rider"]

OFF_STREET = 3.0
STAY_S = 120.0
ASTRAY_S = 90.0
NEAR_BEAM, NEAR_LOSS = 15.0, 6.0
LOST, KEPT, THINNED = 0, 1, 2
"""A point is on no street, or part of the model, or near the one before and laid on the path later."""


@kernel
def _emission(away: float, sigma: float) -> float:
    """Log density of a distance: normal near the street, exponential beyond 3 sigma (outliers)."""
    z = away / sigma
    return -0.5 * z * z if z <= 3.0 else 4.5 - 3.0 * z


@kernel
def mark_stays(
    x: NDArray[np.float64], y: NDArray[np.float64], t: NDArray[np.int64], radius: float, least_s: float
) -> NDArray[np.bool_]:
    """Tell which points belong to a stay but do not begin it (sliding anchor, Li et al. 2008)."""
    n = len(x)
    still = np.zeros(n, np.bool_)
    i = 0
    while i < n:
        j = i + 1
        while j < n and (x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2 <= radius * radius:
            j += 1
        if t[j - 1] - t[i] >= least_s:
            still[i + 1 : j] = True
            i = j
        else:
            i += 1
    return still


class _Reach(NamedTuple):
    """How far a step looks: states below the best, centimetres at least, price of a new piece."""

    beam: float
    reach_cm: int
    break_cost: float


class _Costs(NamedTuple):
    """What a way costs: scale of detours, longest way, a turn round, metres ridden back by error."""

    beta: float
    most_m: float
    u_turn_m: float
    slack_m: float


class _States(NamedTuple):
    """Candidates (k, most) of the kept points and the states (k, 2 * most) made of them."""

    edge: NDArray[np.int32]
    offset: NDArray[np.float64]
    candidates: NDArray[np.int32]
    score: NDArray[np.float64]
    back: NDArray[np.int16]


class _Order(NamedTuple):
    """Memory in which the sources of a step are sorted."""

    entries: NDArray[np.int64]
    group_at: NDArray[np.int64]
    group_top: NDArray[np.float64]
    want: Want


@kernel
def _wanted(want: Want, wanted: int, node: int, useful_cm: int) -> int:
    """Insert a node that matters up to so many centimetres; return how many there are."""
    nodes, limits = want
    j = 0
    while j < wanted and nodes[j] != node:
        j += 1
    if j == wanted:
        wanted += 1
    elif limits[j] >= useful_cm:
        return wanted
    while j > 0 and limits[j - 1] < useful_cm:
        nodes[j], limits[j] = nodes[j - 1], limits[j - 1]
        j -= 1
    nodes[j], limits[j] = node, useful_cm
    return wanted


@kernel
def _step(
    k: int,
    gap_m: float,
    reach: _Reach,
    costs: _Costs,
    states: _States,
    memory: tuple[Graph, Space, _Order],
    stamp: int,
) -> tuple[bool, int]:
    """Best way from the states of the kept point before to those of `k`; (any way found, next stamp).

    Ways longer than `most_m` are too fast to be true. At `break_cost` a state may also begin a new piece;
    `back` is then below 0 and names the best state before.
    One loop: the searches of one step bound each other.
    """
    before = k - 1
    beam, reach_cm, break_cost = reach
    beta, most_m, u_turn_m, slack_m = costs
    edge, offset, count, score, back = states
    graph, space, order = memory
    entries, group_at, group_top, want = order
    _, _, out_edge, _, ends, length, factor = graph
    dist, _, root, _, _, _, metres = space
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
    for j in range(targets):
        score[k, j] = -np.inf
        back[k, j] = -1
    found = False
    # The groups in the order of their best source: what it reaches bounds the searches of the others.
    groups = 0
    i = 0
    while i < sources:
        last = i
        top = -np.inf
        while last < sources and entries[last] >> 8 == entries[i] >> 8:
            top = max(top, score[before, entries[last] & 255])
            last += 1
        j = groups - 1
        while j >= 0 and group_top[j] < top:
            group_top[j + 1], group_at[j + 1] = group_top[j], group_at[j]
            j -= 1
        group_top[j + 1], group_at[j + 1] = top, i
        groups += 1
        i = last
    for g in range(groups):
        i = group_at[g]
        node = entries[i] >> 8
        last = i
        room = -np.inf
        while last < sources and entries[last] >> 8 == node:
            s = entries[last] & 255
            d = 2 * edge[before, s >> 1] + (s & 1)
            rest = length[d >> 1] - offset[before, s >> 1] if s & 1 == 0 else offset[before, s >> 1]
            room = max(room, gap_m + beta * (beam - best + score[before, s]) - rest * factor[d])
            last += 1
        limit = max(reach_cm, int(100.0 * room))
        wanted = 0
        for j in range(targets):
            f = 2 * edge[k, j >> 1] + (j & 1)
            if factor[f] == np.inf:
                continue
            useful = limit
            if score[k, j] > -np.inf:
                # Up to where a way from one of these sources is better than what was found before.
                q = offset[k, j >> 1]
                into = (q if f & 1 == 0 else length[f >> 1] - q) * factor[f]
                useful = -1
                for a in range(i, last):
                    s = entries[a] & 255
                    d = 2 * edge[before, s >> 1] + (s & 1)
                    o = offset[before, s >> 1]
                    rest = (length[d >> 1] - o if d & 1 == 0 else o) * factor[d]
                    better = score[before, s] - score[k, j]
                    if better > 0.0:
                        useful = max(useful, int(100.0 * (gap_m + beta * better - rest - into)) + 1)
                useful = min(useful, limit)
            if useful >= 0:
                wanted = _wanted(want, wanted, ends[f ^ 1], useful)
        touched = 0
        if wanted > 0:
            touched = cheapest_ways(node, most_m, want, wanted, graph, space, stamp)
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
            clean(space, touched)
    for j in range(targets):
        price = factor[2 * edge[k, j >> 1] + (j & 1)]
        if price < np.inf:
            value = best - break_cost - (0.0 if price == 1.0 else u_turn_m / beta)
            if value > score[k, j]:
                score[k, j] = value
                back[k, j] = -2 - best_state
    return found, stamp + 1


class Track(NamedTuple):
    """Points of one rider in the plane (m), and their epoch seconds."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    t: NDArray[np.int64]


class Model(NamedTuple):
    """Numbers of the hidden Markov model, see `geo.mapmatch.matcher.MatchOptions`."""

    sigma: float
    beta_base: float
    beta_share: float
    most: int
    beam: float
    break_cost: float
    correlation_s: float
    max_gap_s: float
    max_speed_mps: float
    u_turn_m: float


class Decoded(NamedTuple):
    """Memory of the answer (n,); `role` is of each point, the others are of the kept ones."""

    kept: NDArray[np.int32]
    chosen_edge: NDArray[np.int32]
    chosen_offset: NDArray[np.float64]
    chosen_away: NDArray[np.float64]
    chain: NDArray[np.int32]
    path_start: NDArray[np.int64]
    role: NDArray[np.int8]


@kernel
def match_rider(
    track: Track,
    model: Model,
    graph: Graph,
    grid: Grid,
    space: Space,
    stamp: int,
    chosen: Decoded,
) -> tuple[int, NDArray[np.int32], int]:
    """Match the points of one rider.

    One loop forwards and two back: which points are kept depends on all before them.
    Returns (kept points, path of directed edges, next stamp). For kept point ``k``: `kept` is its row,
    `chosen_edge` its directed edge, `chosen_offset` metres from ``u``, `chain` the number of its unbroken
    piece, and `path_start` the position in the path of its directed edge.
    """
    x, y, t = track
    sigma, beta_base, beta_share, most, beam, break_cost = model[:6]
    correlation_s, max_gap_s, max_speed_mps, u_turn_m = model[6:]
    kept, chosen_edge, chosen_offset, chosen_away, chain, path_start, role = chosen
    n = len(x)
    _, _, out_edge, _, ends, _, factor = graph
    parent = space[1]
    edge = np.empty((n, most), np.int32)
    offset = np.empty((n, most))
    away = np.empty((n, most))
    count = np.zeros(n, np.int32)
    score = np.empty((n, 2 * most))
    back = np.empty((n, 2 * most), np.int16)
    states = _States(edge, offset, count, score, back)
    sorting = 2 * most + 1
    want = (np.empty(sorting, np.int32), np.empty(sorting, np.int64))
    order = _Order(np.empty(sorting, np.int64), np.empty(sorting, np.int64), np.empty(sorting), want)
    memory = (graph, space, order)
    radius = 4.0 * sigma + 10.0
    thin = 4.0 * sigma * sigma
    slack = 2.0 * sigma
    off_street = OFF_STREET * sigma
    stay_m = 4.0 * sigma + 20.0
    still = mark_stays(x, y, t, stay_m, STAY_S)
    k = 0
    skipped, astray, on_street = 0, 0, 0
    silent = False
    for i in range(n):
        fresh = k == 0
        if not fresh:
            p = kept[k - 1]
            dx, dy = x[i] - x[p], y[i] - y[p]
            gap = np.sqrt(dx * dx + dy * dy)
            passed = float(t[i] - t[p])
            silent = silent or t[i] - t[i - 1] > max_gap_s
            silent = silent or (astray > 1 and t[i] - t[on_street] > ASTRAY_S)
            if silent and gap * gap >= thin:
                fresh = True
            elif (gap * gap < thin or (still[i] and gap < stay_m)) and (
                i < n - 1 and t[i + 1] - t[i] <= max_gap_s
            ):
                role[i] = THINNED
                astray, on_street = 0, i
                silent = silent and gap * gap >= thin
                continue
            elif gap > 4.0 * sigma + max_speed_mps * max(passed, 1.0) and skipped < 3:
                skipped += 1
                continue
        m = candidates(x[i], y[i], radius, most, grid, edge[k], offset[k], away[k])
        near = np.inf
        for c in range(m):
            near = min(near, away[k, c])
        if near > off_street:
            astray += 1
            continue
        count[k] = m
        weight = 1.0
        if not fresh:
            # Errors of neighbouring fixes are alike: together they say little more than one of them.
            weight = min(1.0, max(0.1, float(t[i] - t[kept[k - 1]]) / correlation_s))
            beta = beta_base + beta_share * gap
            most_m = 4.0 * sigma + 20.0 + max_speed_mps * max(float(t[i] - t[kept[k - 1]]), 1.0)
            # First look near by; farther only where nothing likely is found there.
            top = -np.inf
            for s in range(2 * count[k - 1]):
                top = max(top, score[k - 1, s])
            costs = _Costs(beta, most_m, u_turn_m, slack)
            near_by = _Reach(min(beam, NEAR_BEAM), 0, np.inf)
            ok, stamp = _step(k, gap, near_by, costs, states, memory, stamp)
            likely = -np.inf
            for s in range(2 * m):
                likely = max(likely, score[k, s] + weight * _emission(away[k, s >> 1], sigma))
            if likely < top - NEAR_LOSS:
                wider = _Reach(beam, 0, break_cost)
                ok, stamp = _step(k, gap, wider, costs, states, memory, stamp)
            if not ok:
                far = int(100.0 * (2.0 * gap + 800.0))
                farther = _Reach(beam, far, np.inf)
                ok, stamp = _step(k, gap, farther, costs, states, memory, stamp)
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
        silent, astray, on_street = False, 0, i
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
            want[0][0], want[1][0] = tail, int(FAR) - 1
            n_touched = cheapest_ways(node, np.inf, want, 1, graph, space, stamp)
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
            clean(space, n_touched)
        if used + 1 > len(path):
            larger = np.empty(2 * used + 2, np.int32)
            larger[:used] = path[:used]
            path = larger
        path[used] = f
        path_start[i] = used
        used += 1
    return k, path[:used].copy(), stamp
