"""Cut-throughs that no map shows: riders get from one street to another sooner than the network allows.

Where a rider left the streets the matched path breaks, or it is laid on a way round that would ask for an
impossible speed. Each such place is a leg: the last point on the street before, the first one after, and the
points between; it counts where the network asks for much more time than it took. From where their middles
lie densest, legs are explained by one straight link between two places on streets: the one that lies nearest
to their points and that can be ridden in the time. A link is proposed when legs of many riders on several
days support it, the map has no street of any kind along it, and it saves time against the network.
"""

import dataclasses
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.inner_ways.trodden import Trodden, rows_between
from geo.localtime import day_number, local_s
from geo.travel import travel_times_s

__all__ = ["CutThroughs", "find_cut_throughs"]

TOO_FAST: Final = 0.6
"""A street ridden in less than this share of the rider's usual time was not ridden."""
LEG_S: Final = 180.0
LEG_M: Final = (30.0, 700.0)
LEAST_MPS: Final = 1.5
TOGETHER_M, REACH_M = 50.0, 110.0
"""Where most legs have their middle within the first, those within the second are explained together."""
LINK_M: Final = (30.0, 400.0)
STEP_M, FINE_M = 30.0, 8.0
"""Between the places tried as ends of a link, at first and then around the best."""
ENDS: Final = 60
"""Places on streets tried for either end of a link."""
SOONER, SOONER_S = 1.5, 30.0
"""A leg counts where the network asks for so many times the time that it took and so much more."""
SAVES_S, LONGEST_WAY_S = 45.0, 1800.0
"""A link saves at least the first; longer ways round, and none at all, count as the second."""
ROUND: Final = 2.0
"""The way round takes at least so many times as long as the link."""
NEAR_M, MOST_OFF_M, MOST_ODD_M = 12.0, 20.0, 60.0
ODD, FASTER = 0.2, 1.3
"""What a metre too long counts beside a metre off the way; how much faster than usual riders may be."""
OFF_STREET_M, SEEN_OFF = 6.0, 0.4
"""A point lies on a link and on no street if it is so much nearer to the link; so many legs must have one."""
BESIDE, BESIDE_S = 2, 60.0
SAME_M: Final = 60.0
"""Links whose ends lie so near to each other are one."""
LEAST_DAYS, PASSES = 2, 2
"""A link is ridden on so many days, and so many times as often as riders are asked for."""
A_BUNCH: Final = 40
"""Legs of a place to which links are fitted, spread evenly over all; support is counted over all."""
MOST_PLACES, MOST_IN_VAIN = 30, 8
"""Places looked at, the densest first; fewer where so many in a row are explained by nothing."""


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
    legs = _off_streets(trodden, _too_fast(trodden, _legs(trodden)))
    found: list[tuple[NDArray[np.float64], int, int, int, float]] = []
    vain = 0
    for _ in range(MOST_PLACES):
        if _riders(trodden, legs) < k:
            break
        middle = (trodden.xy_m[legs.first] + trodden.xy_m[legs.last]) / 2.0
        around = cKDTree(middle)
        dense = around.query_ball_point(middle, TOGETHER_M, return_length=True)
        if int(dense.max()) < k:
            break
        here = middle[int(np.argmax(dense))]
        near = np.zeros(len(middle), np.bool_)
        near[around.query_ball_point(here, REACH_M)] = True
        if near.sum() < PASSES * k or _riders(trodden, legs.take(near)) < k:
            legs = legs.take(np.hypot(*(middle - here).T) > TOGETHER_M)
            continue
        ends, of_link, saved_s = _best_link(trodden, legs.take(near))
        used = legs.take(np.flatnonzero(near)[of_link])
        if ends is None or _riders(trodden, used) < k:
            # Nothing explains what is densest here: what lies around goes.
            vain += 1
            if vain == MOST_IN_VAIN:
                break
            legs = legs.take(np.hypot(*(middle - here).T) > TOGETHER_M)
            continue
        vain = 0
        days = len(np.unique(day_number(local_s(trodden.traces.t_s[used.first], trodden.timezone))))
        found_xy = [trodden.network.project(one[0]) for one in found]
        often = len(used.first) >= PASSES * k and days >= LEAST_DAYS
        if often and not _mapped(trodden, ends) and not _same(ends, found_xy):
            lonlat = trodden.network.unproject(ends)
            found.append((lonlat, _riders(trodden, used), days, len(used.first), saved_s))
        left = np.ones(len(middle), np.bool_)
        left[np.flatnonzero(near)[of_link]] = False
        legs = legs.take(left)
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
    line = trodden.points_line
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
    return _away_from_doors(trodden, _Legs(pairs[:, 0], pairs[:, 1]))


def _away_from_doors(trodden: Trodden, legs: _Legs) -> _Legs:
    """Leave out legs with a halt: who walks to a door amid a block is near the street behind it."""
    traces, halts = trodden.traces, trodden.halts
    if not len(halts):
        return legs
    rider = traces.rider[legs.first]
    last = np.searchsorted(trodden.halts_line, trodden.line(rider, traces.t_s[legs.last])) - 1
    row = np.maximum(last, 0)
    beside = (last >= 0) & (halts.rider[row] == rider)
    return legs.take(~(beside & (halts.end_s[row] >= traces.t_s[legs.first])))


def _too_fast(trodden: Trodden, legs: _Legs) -> _Legs:
    """Return the legs that were ridden sooner than the network allows, at the pace of the rider."""
    count = len(legs.first)
    snapped = trodden.network.snap(
        trodden.traces.lonlat[np.concatenate([legs.first, legs.last])], trodden.mode, fragments=True
    )
    kept, paths = trodden.best_ways(snapped, np.arange(count), np.arange(count, 2 * count))
    legs = legs.take(kept)
    if not len(kept):
        return legs
    some = np.diff(paths.ptr) > 0
    way_s = trodden.seconds_of(paths)
    took_s = (trodden.traces.t_s[legs.last] - trodden.traces.t_s[legs.first]).astype(np.float64)
    way_s *= trodden.pace[trodden.traces.rider[legs.first]]
    # Where no way leads, the network allows none.
    sooner = ~some | ((way_s >= took_s + SOONER_S) & (way_s >= SOONER * took_s))
    return legs.take(sooner)


def _off_streets(trodden: Trodden, legs: _Legs) -> _Legs:
    """Return the legs with some point between that is on no street: the others are errors of the matching."""
    if not len(legs.first):
        return legs
    point, owner = rows_between(legs.first, legs.last + 1)
    off = trodden.from_street_m(point) > NEAR_M
    return legs.take(np.bincount(owner[off], minlength=len(legs.first)) > 0)


def _street_places(
    trodden: Trodden, at: NDArray[np.float64], reach_m: float, step_m: float
) -> NDArray[np.float64]:
    """Return places (n, 2) on streets of the mode within reach of some of ``at``, metres."""
    low, high = at.min(axis=0) - reach_m, at.max(axis=0) + reach_m
    start, end = trodden.segments_m
    one = ((np.minimum(start, end) <= high) & (np.maximum(start, end) >= low)).all(axis=1)
    start, end = start[one], end[one]
    if not len(start):
        return np.empty((0, 2))
    length = np.hypot(*(end - start).T)
    count = np.maximum(np.ceil(length / step_m).astype(np.int64), 1) + 1
    part, owner = rows_between(np.zeros(len(start), np.int64), count)
    share = (part / (count[owner] - 1))[:, None]
    places = np.unique(np.round(start[owner] * (1 - share) + end[owner] * share, 1), axis=0)
    away = np.asarray(cKDTree(at).query(places)[0], np.float64)
    order = np.argsort(away, kind="stable")
    places = places[order[away[order] <= reach_m]]
    # One place of those that lie closer together than half a step; junctions come with their streets.
    cell = np.floor(places / (step_m / 2)).astype(np.int64)
    first = np.unique(cell, axis=0, return_index=True)[1]
    return places[np.sort(first)][:ENDS]


def _best_link(trodden: Trodden, legs: _Legs) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_], float]:
    """Return the ends (2, 2) in metres of the link that explains most legs, which legs, and what it saves."""
    none = np.zeros(len(legs.first), np.bool_)
    some = legs.take(np.arange(0, len(legs.first), -(-len(legs.first) // A_BUNCH)))
    # A break is seen some time after the streets were left: an end may lie by any point of a leg.
    at = trodden.xy_m[np.unique(rows_between(some.first, some.last + 1)[0])]
    coarse = _street_places(trodden, at, STEP_M, STEP_M)
    best = _nearest_link(trodden, some, coarse, coarse)
    if best is None:
        return None, none, 0.0
    fine = [_street_places(trodden, end[None], STEP_M, FINE_M) for end in best[0]]
    ends, saved_s = _nearest_link(trodden, some, *fine) or best
    off, odd, seen = _fit(trodden, legs, ends[:1], ends[1:], trodden.speed_mps)
    fits = (off[0] <= MOST_OFF_M) & (odd[0] <= MOST_ODD_M)
    if not fits.any() or seen[0][fits].mean() < SEEN_OFF:
        return None, none, 0.0
    return ends, fits, saved_s


def _nearest_link(
    trodden: Trodden, legs: _Legs, here: NDArray[np.float64], there: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float] | None:
    """Return the ends of the link between two lots of places that fits best, and what it saves, seconds."""
    if not len(here) or not len(there):
        return None
    p, q = (side.ravel() for side in np.meshgrid(np.arange(len(here)), np.arange(len(there)), indexing="ij"))
    length = np.hypot(*(there[q] - here[p]).T)
    able = (length >= LINK_M[0]) & (length <= LINK_M[1]) & ((p < q) | (here is not there))
    p, q, length = p[able], q[able], length[able]
    one, other = (
        trodden.network.snap(trodden.network.unproject(places), trodden.mode) for places in (here, there)
    )
    way_s = travel_times_s(trodden.network, trodden.mode, one, other, LONGEST_WAY_S, threads=1)
    back_s = travel_times_s(trodden.network, trodden.mode, other, one, LONGEST_WAY_S, threads=1).T
    way_s = np.minimum(np.minimum(way_s, back_s), LONGEST_WAY_S)
    speed, pace = trodden.speed_mps, float(np.median(trodden.pace))
    saved = pace * way_s[p, q] - length / speed
    able = (saved >= SAVES_S) & (pace * way_s[p, q] >= ROUND * length / speed)
    p, q, saved = p[able], q[able], saved[able]
    if not len(p):
        return None
    off, odd, _ = _fit(trodden, legs, here[p], there[q], speed)
    fits = (off <= MOST_OFF_M) & (odd <= MOST_ODD_M)
    cost = np.where(fits, off + ODD * odd, MOST_OFF_M + ODD * MOST_ODD_M).sum(axis=1)
    best = int(np.argmin(cost))
    return np.stack([here[p[best]], there[q[best]]]), float(saved[best])


def _fit(
    trodden: Trodden, legs: _Legs, p: NDArray[np.float64], q: NDArray[np.float64], speed: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return how well each link explains each leg: (links, legs) each.

    First how many metres the points of a leg and those just before and after lie from the link or the
    streets, the mean; then how many metres the way by the link is longer than what can be ridden in the
    time; and whether some point lies on the link and on no street.
    """
    xy, t = trodden.xy_m, trodden.traces.t_s
    a, b = xy[legs.first], xy[legs.last]
    ahead = _apart(a, p) + _apart(b, q)
    back = _apart(a, q) + _apart(b, p)
    length = np.hypot(*(q - p).T)[:, None]
    # Whoever waits on the way takes longer; nobody rides much faster than usual.
    odd = np.minimum(ahead, back) + length - FASTER * speed * (t[legs.last] - t[legs.first])[None]
    point, owner = rows_between(
        np.maximum(legs.first - BESIDE, 0), np.minimum(legs.last + BESIDE + 1, len(t))
    )
    start, end = legs.first[owner], legs.last[owner]
    near = (trodden.traces.rider[point] == trodden.traces.rider[start]) & (
        (t[point] >= t[start] - BESIDE_S) & (t[point] <= t[end] + BESIDE_S)
    )
    point, owner = point[near], owner[near]
    way = q - p
    part = ((xy[point][None] - p[:, None]) * way[:, None]).sum(axis=2) / np.maximum(length**2, 1e-9)
    from_link = np.hypot(
        *(p[:, None] + np.clip(part, 0.0, 1.0)[..., None] * way[:, None] - xy[point][None]).transpose(2, 0, 1)
    )
    from_street = trodden.from_street_m(point)[None]
    heads = np.flatnonzero(np.r_[True, np.diff(owner) != 0])
    off = np.add.reduceat(np.minimum(from_link, from_street), heads, axis=1) / np.diff(
        np.r_[heads, len(owner)]
    )
    seen = np.logical_or.reduceat(
        (part > 0.0) & (part < 1.0) & (from_link + OFF_STREET_M < from_street), heads, axis=1
    )
    return off, np.maximum(odd, 0.0), seen


def _apart(some: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return metres (ends, some)."""
    return np.asarray(np.hypot(*(some[None] - ends[:, None]).transpose(2, 0, 1)))


def _same(ends: NDArray[np.float64], found_xy: list[NDArray[np.float64]]) -> bool:
    """Whether a link is told already: what does not fit it quite comes up again beside it."""
    return any(
        float(np.hypot(*(ends - way).T).max()) <= SAME_M for one in found_xy for way in (one, one[::-1])
    )


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
