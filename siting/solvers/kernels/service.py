"""Kernel of the service of a plan: who is served where in each hour, the nearest first.

Demand is laid out (hours, points), stations are numbered 0 to s - 1.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geo.jit import kernel

__all__ = ["Pairs", "pairs_within", "serve_nearest"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
PtrArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Pairs(NamedTuple):
    """Every demand point with every station that it reaches within the limit, the shortest way first."""

    point: IntArray
    """(q,) Demand point of each pair."""
    station: IntArray
    """(q,) Station of each pair."""
    point_ptr: PtrArray
    """(n + 1,) Where the pairs of each point begin in ``of_point``."""
    of_point: IntArray
    """(q,) Pairs by point, the shortest way first."""
    station_ptr: PtrArray
    """(s + 1,) Where the pairs of each station begin in ``of_station``."""
    of_station: IntArray
    """(q,) Pairs by station, the shortest way first."""


def pairs_within(cost_s: FloatArray, limit_s: float) -> Pairs:
    """Return the pairs within ``limit_s`` (closed) of an (n, s) matrix; ties go to the first point."""
    n, s = cost_s.shape
    rows, columns = np.nonzero(cost_s <= limit_s)
    # they come by point, then by station, and so do ties in a stable order
    order = np.argsort(cost_s[rows, columns], kind="stable")
    point: IntArray = rows[order].astype(np.dtype("int32"))
    station: IntArray = columns[order].astype(np.dtype("int32"))
    by_point, by_station = (_by_number(one, size) for one, size in ((point, n), (station, s)))
    ends = [np.r_[0, np.cumsum(np.bincount(one, minlength=size))] for one, size in ((point, n), (station, s))]
    return Pairs(
        point,
        station,
        ends[0].astype(np.int64),
        by_point,
        ends[1].astype(np.int64),
        by_station,
    )


@kernel
def _by_number(number: IntArray, size: int) -> IntArray:
    """Return the places of numbers below ``size`` in ascending order, equal ones as they come."""
    slot = np.zeros(size + 1, dtype=np.int64)
    for e in range(len(number)):
        slot[number[e] + 1] += 1
    for k in range(size):
        slot[k + 1] += slot[k]
    out = np.empty(len(number), dtype=np.int32)
    for e in range(len(number)):
        out[slot[number[e]]] = e
        slot[number[e]] += 1
    return out


@kernel
def serve_nearest(
    pairs: Pairs, weight: FloatArray, room: FloatArray, by_pair: FloatArray, total: FloatArray
) -> None:
    """Fill which share (0-1) of each point and hour is served, and by which station.

    The shortest ways take the seats first. Where that leaves somebody without a seat whom another division of
    the seats would give one, augmenting paths (Ford and Fulkerson 1956) change it: most is served.
    Demand of no weight takes no seat; it counts as served where a station in reach has room left.

    Parameters
    ----------
    weight : (h, n) rider-minutes
    room : (h, s) rider-minutes that each station holds in each hour, 0 where it is shut
    by_pair : (h, q) filled only if it is not empty
    total : (h, n) filled with the sum over the stations
    """
    hours, n = weight.shape
    stations = room.shape[1]
    point, station = pairs.point, pairs.station
    here = np.zeros(len(point))
    for h in range(hours):
        here[:] = 0.0
        seats = room[h].copy()
        left = weight[h].copy()
        for e in range(len(point)):
            i, k = point[e], station[e]
            if left[i] > 1e-9 and seats[k] > 1e-9:
                amount = min(left[i], seats[k])
                here[e] += amount
                left[i] -= amount
                seats[k] -= amount
        # what cannot lead to a free seat never will: whole sets of stations are looked at once only
        dead = np.zeros(stations, dtype=np.bool_)
        for k in range(stations):
            dead[k] = room[h, k] <= 0.0
        _make_room(pairs, here, left, seats, dead)
        for i in range(n):
            total[h, i] = 1.0 - left[i] / weight[h, i] if weight[h, i] > 0.0 else 0.0
        for e in range(len(point)):
            i = point[e]
            share = 0.0
            if weight[h, i] > 0.0:
                share = here[e] / weight[h, i]
            elif total[h, i] == 0.0 and seats[station[e]] > 1e-7:
                share = 1.0
                total[h, i] = 1.0
            if by_pair.size > 0:
                by_pair[h, e] = share


@kernel
def _make_room(pairs: Pairs, here: FloatArray, left: FloatArray, seats: FloatArray, dead: BoolArray) -> None:
    """Push unserved demand along paths point - station - point - ... - station with a free seat."""
    point, station, point_ptr, of_point, station_ptr, of_station = pairs
    into = np.empty(len(seats), dtype=np.int64)
    out_of = np.empty(len(seats), dtype=np.int64)
    queue = np.empty(len(seats), dtype=np.int64)
    seen = np.zeros(len(seats), dtype=np.bool_)
    for i in range(len(left)):
        while left[i] > 1e-7:
            tail = 0
            for q in range(point_ptr[i], point_ptr[i + 1]):
                e = of_point[q]
                k = station[e]
                if not dead[k]:
                    seen[k] = True
                    into[k], out_of[k] = e, -1
                    queue[tail] = k
                    tail += 1
            head, goal = 0, -1
            while head < tail:
                k = queue[head]
                head += 1
                if seats[k] > 1e-7:
                    goal = k
                    break
                for q in range(station_ptr[k], station_ptr[k + 1]):
                    e = of_station[q]
                    if here[e] <= 1e-7:
                        continue
                    other = point[e]
                    for r in range(point_ptr[other], point_ptr[other + 1]):
                        f = of_point[r]
                        to = station[f]
                        if not seen[to] and not dead[to]:
                            seen[to] = True
                            into[to], out_of[to] = f, e
                            queue[tail] = to
                            tail += 1
            for q in range(tail):
                seen[queue[q]] = False
            if goal < 0:
                for q in range(tail):
                    dead[queue[q]] = True
                break
            amount = min(left[i], seats[goal])
            k = goal
            while out_of[k] >= 0:
                amount = min(amount, here[out_of[k]])
                k = station[out_of[k]]
            seats[goal] -= amount
            k = goal
            while out_of[k] >= 0:
                here[into[k]] += amount
                here[out_of[k]] -= amount
                k = station[out_of[k]]
            here[into[k]] += amount
            left[i] -= amount
