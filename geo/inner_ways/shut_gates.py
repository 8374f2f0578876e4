"""Gates that the map says are open and riders go round: shut in fact, or so it seems.

A trip leads from one halt of a rider to the next. Where the best way by the map goes through a gate and the
rider took another one that is clearly longer, the gate was missed; where they rode up to it and turned round,
they were turned away. A gate is proposed when riders missed it on several days and hardly anybody passed. A
trip speaks of one gate only: of those on its best way, the one that most trips missed.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.inner_ways.trodden import Trodden, rows_between
from geo.localtime import day_number, local_s
from geo.privacy import riders_in_groups
from geo.streets import mode_bit
from geo.travel.many_paths import TripPaths

__all__ = ["ShutGates", "find_shut_gates"]

PASSED_SHARE: Final = 0.1
"""Above this share of passes among passes and misses a gate is open."""
LONGER, LONGER_S = 1.1, 30.0
"""A way is clearly longer when it takes so many times as long and so many seconds more."""
LEAST_DAYS: Final = 2
LONGEST_TRIP_S: Final = 3600.0
SEEN: Final = 0.8
"""Share of a trip that must have been matched to streets."""
OFTEN: Final = 0.2
"""A gate passed more often than by this share of the trips beside it is not looked at."""
A_GATE: Final = 200
"""Trips looked at for one gate, spread evenly over those that may have missed it."""


class ShutGates(NamedTuple):
    """Gates that seem shut, those that most trips missed first. Raw: the k rule applies to what is told.

    Attributes
    ----------
    node : int64 (g,)
        Of the network.
    riders, days, missed, turned, passed : int64 (g,)
        Riders who missed it and on how many days; trips that missed it, turns before it, and passes of the
        trips whose best way leads through it.
    longer_s : float64 (g,)
        Median of what the map's best way would have been shorter.
    """

    node: NDArray[np.int64]
    riders: NDArray[np.int64]
    days: NDArray[np.int64]
    missed: NDArray[np.int64]
    turned: NDArray[np.int64]
    passed: NDArray[np.int64]
    longer_s: NDArray[np.float64]


class _Trips(NamedTuple):
    """Trips between halts: the halt each begins and ends at, and what was ridden in between."""

    here: NDArray[np.int64]
    there: NDArray[np.int64]
    rider: NDArray[np.int64]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]

    def take(self, rows: NDArray[np.generic]) -> "_Trips":
        return _Trips._make(column[rows] for column in self)


def find_shut_gates(trodden: Trodden, k: int) -> ShutGates:
    """Return the gates of the map that riders go round.

    Parameters
    ----------
    trodden : Trodden
    k : int
        Fewest riders who must have missed a gate; a gate that so many passed is open.
    """
    none = np.empty(0, np.int64)
    nothing = ShutGates(none, none, none, none, none, none, np.empty(0))
    gates, trips = _candidates(trodden), _trips(trodden)
    if not len(gates) or not len(trips.here):
        return nothing
    gates, near = _near(trodden, trips, gates)
    trips, paths = _routed(trodden, trips.take(near))
    trip, gate, longer_s, passed = _missed(trodden, trips, paths, gates)
    day = day_number(local_s(trips.start_s[trip].astype(np.int64), trodden.timezone))
    chosen: list[tuple[int, int, int, int, float]] = []
    left = np.ones(len(trip), np.bool_)
    while left.any():
        riders = riders_in_groups(gate[left], trips.rider[trip[left]], len(gates))
        often = np.bincount(gate[left], minlength=len(gates))
        able = (riders >= k) & (passed <= PASSED_SHARE * (passed + often))
        if not able.any():
            break
        worst = int(np.argmax(np.where(able, often, -1)))
        mine = left & (gate == worst)
        days = len(np.unique(day[mine]))
        if days >= LEAST_DAYS:
            lost_s = float(np.median(longer_s[mine]))
            chosen.append((worst, int(riders[worst]), days, int(mine.sum()), lost_s))
            left &= ~np.isin(trip, trip[mine])
        left &= gate != worst
    if not chosen:
        return nothing
    number, who, days_of, times, lost = (np.array(column) for column in zip(*chosen, strict=True))
    return ShutGates(
        gates[number], who, days_of, times, _turned(trodden, gates[number]), passed[number], lost
    )


def _candidates(trodden: Trodden) -> NDArray[np.int64]:
    """Return the gate nodes that the mode may pass."""
    network, bit = trodden.network, mode_bit(trodden.mode)
    usable = network.usable(trodden.mode)
    ends = np.concatenate([network.edge_u[usable], network.edge_v[usable]])
    degree = np.bincount(ends, minlength=len(network.node_id))
    return np.flatnonzero(network.node_gate & (network.node_blocked & bit == 0) & (degree >= 2))


def _trips(trodden: Trodden) -> _Trips:
    halts = trodden.halts
    start, end = halts.end_s[:-1].astype(np.float64), halts.start_s[1:].astype(np.float64)
    good = (np.diff(halts.rider) == 0) & (end - start >= 60.0) & (end - start <= LONGEST_TRIP_S)
    here = np.flatnonzero(good)
    return _Trips(here, here + 1, halts.rider[here].astype(np.int64), start[here], end[here])


def _near(
    trodden: Trodden, trips: _Trips, gates: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the gates that few trips pass of those whose way may lead there, and some trips for each."""
    network = trodden.network
    passes = np.bincount(trodden.head[trodden.follows], minlength=len(network.node_id))
    xy, at = trodden.halts_xy_m, network.project(network.node_lonlat[gates])
    a, b = xy[trips.here], xy[trips.there]
    most_m = 1.4 * np.hypot(*(a - b).T) + 200.0
    seldom, kept = [], [np.empty(0, np.int64)]
    for gate, place in zip(gates.tolist(), at, strict=True):
        mine = np.flatnonzero(np.hypot(*(a - place).T) + np.hypot(*(b - place).T) <= most_m)
        if passes[gate] <= OFTEN * len(mine):
            seldom.append(gate)
            kept.append(mine[:: max(1, -(-len(mine) // A_GATE))])
    return np.array(seldom, np.int64), np.unique(np.concatenate(kept))


def _routed(trodden: Trodden, trips: _Trips) -> tuple[_Trips, TripPaths]:
    """Return the trips between halts on streets, and their best ways by the map."""
    used, number = np.unique(np.concatenate([trips.here, trips.there]), return_inverse=True)
    snapped = trodden.network.snap(trodden.halts.lonlat[used], trodden.mode)
    kept, paths = trodden.best_ways(snapped, *np.split(number, 2))
    return trips.take(kept), paths


def _missed(
    trodden: Trodden, trips: _Trips, paths: TripPaths, gates: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return trip, gate, seconds where the best way leads through the gate and the rider went a longer way.

    The last column holds how many trips each gate passed of those whose best way leads through it.
    """
    network, ridden = trodden.network, trodden.ridden
    edges = paths.edges.astype(np.int64)
    size = np.diff(paths.ptr)
    trip = np.repeat(np.arange(len(size)), size)
    head = np.where(edges & 1 == 1, network.edge_u[edges >> 1], network.edge_v[edges >> 1])
    best_s, some = trodden.seconds_of(paths), size > 0
    line = trodden.line(ridden.rider, ridden.enter_s)
    low = np.maximum(np.searchsorted(line, trodden.line(trips.rider, trips.start_s)) - 1, 0)
    row, owner = rows_between(low, np.searchsorted(line, trodden.line(trips.rider, trips.end_s)))
    overlap = np.minimum(ridden.leave_s[row], trips.end_s[owner]) - np.maximum(
        ridden.enter_s[row], trips.start_s[owner]
    )
    overlap = np.where(ridden.rider[row] == trips.rider[owner], np.maximum(overlap, 0.0), 0.0)
    plain_s = np.nan_to_num(trodden.plain_s[ridden.directed[row]])
    count = len(trips.here)
    # Of a street on which the trip begins or ends, no more than its time allows: the halt lies on it too.
    whole = overlap >= ridden.leave_s[row] - ridden.enter_s[row] - 1e-6
    part_s = np.where(whole, plain_s, np.minimum(plain_s, overlap / trodden.pace[trips.rider[owner]]))
    way_s = np.bincount(owner, part_s, count)
    seen_s = np.bincount(owner, overlap, count)
    known = some & (seen_s >= SEEN * (trips.end_s - trips.start_s))
    known &= way_s >= LONGER * best_s + LONGER_S
    nodes = len(network.node_id)
    # Whoever rides up to a gate and stops or turns round does not pass it.
    on = trodden.follows[row] & (overlap > 0.0) & (ridden.leave_s[row] < trips.end_s[owner])
    went = np.unique(owner[on] * nodes + trodden.head[row[on]])
    inner = np.ones(len(edges), np.bool_)
    inner[paths.ptr[1:][some] - 1] = False
    number = np.full(nodes, -1)
    number[gates] = np.arange(len(gates))
    on_way = inner & (number[head] >= 0)
    through = np.isin(trip * nodes + head, went)
    passed = np.bincount(number[head[on_way & through]], minlength=len(gates))
    at = np.flatnonzero(on_way & ~through & known[trip])
    longer_s = np.asarray((way_s - best_s)[trip[at]], np.float64)
    return trip[at].astype(np.int64), number[head[at]].astype(np.int64), longer_s, passed.astype(np.int64)


def _turned(trodden: Trodden, gates: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how often somebody rode up to each gate and turned round without a halt."""
    ridden = trodden.ridden
    turns = np.flatnonzero((np.diff(ridden.piece) == 0) & (ridden.directed[1:] == ridden.directed[:-1] ^ 1))
    turns = turns[np.isin(trodden.head[turns], gates)]
    halts = trodden.halts
    last = (
        np.searchsorted(trodden.halts_line, trodden.line(ridden.rider[turns], ridden.leave_s[turns + 1])) - 1
    )
    row = np.maximum(last, 0)
    if len(halts):
        halted = (last >= 0) & (halts.rider[row] == ridden.rider[turns])
        halted &= halts.end_s[row] >= ridden.enter_s[turns]
        turns = turns[~halted]
    return np.array([int((trodden.head[turns] == gate).sum()) for gate in gates.tolist()], np.int64)
