"""Kernel of map matching: points between those of the model are laid on the path, and streets get times."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.jit import kernel
from geo.mapmatch.transitions import Graph, Grid
from geo.mapmatch.viterbi import THINNED, Decoded, Track

__all__ = ["Onto", "Ridden", "lay_points"]


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


class Onto(NamedTuple):
    """Where each point stands: directed edge, metres from ``u``, metres away."""

    directed: NDArray[np.int32]
    offset: NDArray[np.float64]
    away: NDArray[np.float64]


class Ridden(NamedTuple):
    """When each edge of the path is entered, and (k, 2) from where to where it is ridden."""

    enter_s: NDArray[np.float64]
    span_m: NDArray[np.float64]


@kernel
def lay_points(
    track: Track,
    chosen: Decoded,
    path: NDArray[np.int32],
    graph: Graph,
    grid: Grid,
    geom_ptr: NDArray[np.int64],
    onto: Onto,
    ridden: Ridden,
) -> None:
    """Lay the thinned points on the path; tell when and how far each edge was ridden."""
    x, y, t = track
    kept, _, chosen_offset, _, chain, path_start, role = chosen
    directed, offset, away = onto
    enter_s, span_m = ridden
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
