"""Cut-throughs that no map shows: riders get from one street to another sooner than the network allows.

Where a rider left the streets the matched path breaks, or it is laid on a way round that would ask for an
impossible speed. Each such place is a leg: the last point on the street before, the first one after, and the
points between. Legs whose middles lie together are explained by one straight link between two places on
streets: the one that lies nearest to their points and fits best to the time that they took. A link is
proposed when legs of many riders on several days support it, the map has no street of any kind along it, and
it saves time against the network.
"""

import dataclasses
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN

from geo.inner_ways.trodden import Trodden, spread
from geo.localtime import day_number, local_s
from geo.travel import travel_times_s

__all__ = ["CutThroughs", "find_cut_throughs"]

TOO_FAST: Final = 0.6
"""A street ridden in less than this share of the rider's usual time was not ridden."""
LEG_S: Final = 180.0
LEG_M: Final = (30.0, 700.0)
LEAST_MPS: Final = 1.5
TOGETHER_M: Final = 70.0
LINK_M: Final = (15.0, 400.0)
STEP_M: Final = 12.0
ENDS: Final = 70
"""Places on streets tried for either end of a link."""
SAVES_S: Final = 45.0
ROUND: Final = 2.0
"""The way round takes at least so many times as long as the link."""
NEAR_M, MOST_OFF_M, MOST_ODD_M = 12.0, 25.0, 90.0
LEAST_DAYS: Final = 2
A_BUNCH: Final = 200
"""Legs of a bunch to which links are fitted, spread evenly over all; support is counted over all."""
MOST_LINKS: Final = 4
"""Links looked for in one bunch of legs."""


class CutThroughs(NamedTuple):
    """Links that seem to be there, those ridden most first. Raw: the k rule applies to what is told.

    Attributes
    ----------
    lonlat : float64 (c, 2, 2)
        Both ends, on streets, WGS-84 degrees.
    riders, days, passes : int64 (c,)
    saved_s : float64 (c,)
        What the way round by the network takes longer than the link, at the pace of the riders.
    """

    lonlat: NDArray[np.float64]
    riders: NDArray[np.int64]
    days: NDArray[np.int64]
    passes: NDArray[np.int64]
    saved_s: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class _Legs:
    """Ways off the streets: points ``first`` to ``last`` of the traces, both on streets."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]

    def take(self, rows: NDArray[np.generic]) -> "_Legs":
        return _Legs(self.first[rows], self.last[rows])


def find_cut_throughs(trodden: Trodden, k: int) -> CutThroughs:
    """Return links that the map lacks.

    Parameters
    ----------
    trodden : Trodden
    k : int
        Fewest riders behind a link.
    """
    legs = _legs(trodden)
    found: list[tuple[NDArray[np.float64], int, int, int, float]] = []
    if len(legs.first) >= k:
        xy = (trodden.xy_m[legs.first] + trodden.xy_m[legs.last]) / 2.0
        bunch = DBSCAN(eps=TOGETHER_M, min_samples=min(k, 5)).fit(xy).labels_
        for number in range(int(bunch.max(initial=-1)) + 1):
            mine = legs.take(bunch == number)
            for _ in range(MOST_LINKS):
                if _riders(trodden, mine) < k:
                    break
                ends, of_link, saved_s = _best_link(trodden, mine)
                if ends is None or _riders(trodden, mine.take(of_link)) < k:
                    break
                used = mine.take(of_link)
                day = day_number(local_s(trodden.traces.t_s[used.first], trodden.timezone))
                days = len(np.unique(day))
                if days >= LEAST_DAYS and not _mapped(trodden, ends):
                    lonlat = trodden.network.unproject(ends)
                    found.append((lonlat, _riders(trodden, used), days, len(used.first), saved_s))
                mine = mine.take(~of_link)
    found.sort(key=lambda one: (-one[3], one[0].tolist()))
    none = np.empty(0, np.int64)
    if not found:
        return CutThroughs(np.empty((0, 2, 2)), none, none, none, np.empty(0))
    return CutThroughs(*(np.array(column) for column in zip(*found, strict=True)))


def _riders(trodden: Trodden, legs: _Legs) -> int:
    return len(np.unique(trodden.traces.rider[legs.first]))


def _legs(trodden: Trodden) -> _Legs:
    """Return the breaks of the matched paths, and the ways round that nobody can have ridden so fast."""
    ridden, traces = trodden.ridden, trodden.traces
    if not len(ridden.directed):
        return _Legs(np.empty(0, np.int64), np.empty(0, np.int64))
    row = np.flatnonzero((np.diff(ridden.piece) != 0) & (np.diff(ridden.rider) == 0))
    spans = [(row, row + 1, ridden.leave_s[row], ridden.enter_s[row + 1])]
    took = ridden.leave_s - ridden.enter_s
    fast = ridden.whole & (took < TOO_FAST * trodden.pace[ridden.rider] * trodden.plain_s[ridden.directed])
    change = np.diff(np.r_[False, fast, False].astype(np.int8))
    low, high = np.flatnonzero(change == 1), np.flatnonzero(change == -1) - 1
    spans.append((low, high, ridden.enter_s[low], ridden.leave_s[high]))
    rider = np.concatenate([ridden.rider[one[0]] for one in spans])
    start, end = (np.concatenate([one[side] for one in spans]) for side in (2, 3))
    line = trodden.line(traces.rider, traces.t_s)
    first = np.searchsorted(line, trodden.line(rider, start), side="right") - 1
    last = np.searchsorted(line, trodden.line(rider, end))
    good = (first >= 0) & (last < len(line))
    first, last = first[good], last[good]
    rider = rider[good]
    took_s = (traces.t_s[last] - traces.t_s[first]).astype(np.float64)
    far = np.hypot(*(trodden.xy_m[last] - trodden.xy_m[first]).T)
    good = (traces.rider[first] == rider) & (traces.rider[last] == rider) & (took_s > 0) & (took_s <= LEG_S)
    good &= (far >= LEG_M[0]) & (far <= LEG_M[1]) & (far >= LEAST_MPS * took_s)
    pairs = np.unique(np.column_stack([first[good], last[good]]), axis=0)
    return _Legs(pairs[:, 0], pairs[:, 1])


def _ends(trodden: Trodden, legs: _Legs) -> NDArray[np.float64]:
    """Return places (n, 2) on streets of the mode, metres, near to where legs begin and end."""
    network = trodden.network
    at = np.concatenate([trodden.xy_m[legs.first], trodden.xy_m[legs.last]])
    low, high = at.min(axis=0) - 20.0, at.max(axis=0) + 20.0
    xy = network.project(network.geom_lonlat)
    edge = np.repeat(np.arange(len(network)), np.diff(network.geom_ptr))
    one = np.flatnonzero((edge[:-1] == edge[1:]) & network.usable(trodden.mode)[edge[:-1]])
    box = np.minimum(xy[one], xy[one + 1]), np.maximum(xy[one], xy[one + 1])
    one = one[((box[0] <= high) & (box[1] >= low)).all(axis=1)]
    if not len(one):
        return np.empty((0, 2))
    length = np.hypot(*(xy[one + 1] - xy[one]).T)
    count = np.maximum(np.ceil(length / STEP_M).astype(np.int64), 1) + 1
    part, owner = spread(np.zeros(len(one), np.int64), count)
    share = (part / (count[owner] - 1))[:, None]
    places = xy[one[owner]] * (1 - share) + xy[one[owner] + 1] * share
    places = np.unique(np.round(places, 1), axis=0)
    away = np.min(np.hypot(*(places[:, None] - at[None]).transpose(2, 0, 1)), axis=1)
    return places[np.argsort(away, kind="stable")[:ENDS]] if len(places) > ENDS else places


def _best_link(trodden: Trodden, legs: _Legs) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_], float]:
    """Return the ends (2, 2) in metres of the link that explains most legs, which legs, and what it saves."""
    none = np.zeros(len(legs.first), np.bool_)
    places = _ends(trodden, legs)
    if len(places) < 2:
        return None, none, 0.0
    p, q = (side.ravel() for side in np.meshgrid(*(2 * [np.arange(len(places))]), indexing="ij"))
    length = np.hypot(*(places[q] - places[p]).T)
    able = (p < q) & (length >= LINK_M[0]) & (length <= LINK_M[1])
    p, q, length = p[able], q[able], length[able]
    snapped = trodden.network.snap(trodden.network.unproject(places), trodden.mode)
    way_s = travel_times_s(trodden.network, trodden.mode, snapped, snapped, 3600.0, threads=1)
    way_s = np.minimum(np.minimum(way_s, way_s.T), 3600.0)
    speed, pace = _speed(trodden), float(np.median(trodden.pace))
    saved = pace * way_s[p, q] - length / speed
    able = (saved >= SAVES_S) & (pace * way_s[p, q] >= ROUND * length / speed)
    p, q, saved = p[able], q[able], saved[able]
    if not len(p):
        return None, none, 0.0
    some = legs.take(np.arange(0, len(legs.first), -(-len(legs.first) // A_BUNCH)))
    off, odd = _fit(trodden, some, places[p], places[q], speed)
    fits = (off <= MOST_OFF_M) & (odd <= MOST_ODD_M)
    cost = np.where(fits, off + 0.3 * odd, MOST_OFF_M + 0.3 * MOST_ODD_M).sum(axis=1)
    best = int(np.argmin(cost))
    ends = np.stack([places[p[best]], places[q[best]]])
    off, odd = _fit(trodden, legs, ends[:1], ends[1:], speed)
    return ends, (off[0] <= MOST_OFF_M) & (odd[0] <= MOST_ODD_M), float(saved[best])


def _speed(trodden: Trodden) -> float:
    """Metres a second of the riders on streets where nothing holds them up."""
    directed = trodden.ridden.directed
    length = trodden.network.edge_length_m[directed >> 1]
    plain = trodden.plain_s[directed] * trodden.pace[trodden.ridden.rider]
    good = np.isfinite(plain) & (plain > 0)
    return float(length[good].sum() / plain[good].sum()) if good.any() else 4.0


def _fit(
    trodden: Trodden, legs: _Legs, p: NDArray[np.float64], q: NDArray[np.float64], speed: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how well each link explains each leg: metres, (links, legs) each.

    First how far the points of a leg lie from the way by the link (the mean); then how much longer or shorter
    that way is than what was ridden in the time.
    """
    xy, t = trodden.xy_m, trodden.traces.t_s
    a, b = xy[legs.first], xy[legs.last]
    ahead = np.hypot(*(a[None] - p[:, None]).transpose(2, 0, 1)) + np.hypot(
        *(b[None] - q[:, None]).transpose(2, 0, 1)
    )
    back = np.hypot(*(a[None] - q[:, None]).transpose(2, 0, 1)) + np.hypot(
        *(b[None] - p[:, None]).transpose(2, 0, 1)
    )
    length = np.hypot(*(q - p).T)[:, None]
    odd = np.abs(np.minimum(ahead, back) + length - speed * (t[legs.last] - t[legs.first])[None])
    point, owner = spread(legs.first + 1, legs.last)
    off = np.zeros((len(p), len(legs.first)))
    inner = np.bincount(owner, minlength=len(legs.first))
    first, second = (
        np.where((ahead <= back)[..., None], p[:, None], q[:, None]),
        np.where((ahead <= back)[..., None], q[:, None], p[:, None]),
    )
    for number in range(len(point)):
        leg, place = owner[number], xy[point[number]]
        corners = (np.broadcast_to(a[leg], p.shape), first[:, leg], second[:, leg],
                   np.broadcast_to(b[leg], p.shape))  # fmt: skip
        away = [_away(place, corners[side], corners[side + 1]) for side in range(3)]
        off[:, leg] += np.min(away, axis=0) / inner[leg]
    return off, odd


def _away(
    place: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return metres (n,) from one place to each straight piece."""
    way = end - start
    square = np.maximum((way * way).sum(axis=1), 1e-9)
    part = np.clip(((place - start) * way).sum(axis=1) / square, 0.0, 1.0)
    return np.hypot(*(start + part[:, None] * way - place).T)


def _mapped(trodden: Trodden, ends: NDArray[np.float64]) -> bool:
    """Whether the map has a street of any kind along most of a link."""
    network = trodden.network
    length = float(np.hypot(*(ends[1] - ends[0])))
    share = np.linspace(0.0, 1.0, max(5, int(length / 8.0)))[:, None]
    xy = ends[0] + share * (ends[1] - ends[0])
    points = xy[np.minimum(np.hypot(*(xy - ends[0]).T), np.hypot(*(xy - ends[1]).T)) > NEAR_M]
    if not len(points):
        return False
    near = np.zeros(len(points), np.bool_)
    lonlat = network.unproject(points)
    for mode in {"foot", trodden.mode}:
        near |= network.snap(lonlat, mode, NEAR_M, fragments=True).ok
    return bool(near.mean() > 0.6)
