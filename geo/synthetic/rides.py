"""Synthetic riders on real streets: visits and paths become a movement with waits, gates and red lights."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.jit import kernel

__all__ = ["RideStreets", "RideVisits", "Rides", "ride"]

WALK_MPS = 1.2
GATE, TRAFFIC = 3, 4


class RideStreets(NamedTuple):
    """What a ride needs to know of the network, as arrays.

    Attributes
    ----------
    edge_u, edge_v : int32 (E,)
    length_m : float64 (E,)
    cost_ms : uint32 (2E,)
        Riding time of each directed edge (2 * edge + direction) by the mode.
    geom_ptr : int64 (E + 1,)
    geom_lonlat : float64 (G, 2)
    geom_m : float64 (G,)
        Metres from the start of the edge.
    gate_s : float32 (E,)
        Typical wait of a ride that comes onto the edge from outside of its compound, 0 for none.
    compound : int32 (E,)
    signal : bool (N,)
        Junctions with a traffic light.
    hidden_s : float32 (E,)
        Typical wait where nobody mapped a gate: rides that end on the edge wait at its entry, 0 for none.
    slow : float32 (168, g), group : int16 (E,)
        Traffic by hour of the week and group of streets, see `geo.synthetic.traffic`.
    ahead_s : int
        Seconds that local time is ahead of UTC.
    gate_slow : float32 (168,)
        How many times as long as usual gates take, by hour of the week.
    """

    edge_u: NDArray[np.int32]
    edge_v: NDArray[np.int32]
    length_m: NDArray[np.float64]
    cost_ms: NDArray[np.uint32]
    geom_ptr: NDArray[np.int64]
    geom_lonlat: NDArray[np.float64]
    geom_m: NDArray[np.float64]
    gate_s: NDArray[np.float32]
    compound: NDArray[np.int32]
    signal: NDArray[np.bool_]
    hidden_s: NDArray[np.float32]
    slow: NDArray[np.float32]
    group: NDArray[np.int16]
    ahead_s: int
    gate_slow: NDArray[np.float32]


class RideVisits(NamedTuple):
    """Visits one after another, and the paths to them.

    Attributes
    ----------
    first, dwell_s, until_s : (v,)
        As in `geo.synthetic.shifts.Itinerary`.
    door, roof, foot, walk_m, offset_m : (v, 2), (v,), (v, 2), (v,), (v,)
        Place of each visit (lon, lat), whether it is indoors, its foot point on the street (lon, lat),
        the metres between both and the metres of the foot point along its edge.
    pace : (v,) float64
        Factor on the riding time of the mode (1.1: ten percent slower).
    path_ptr, path : (v + 1,) int64, int32
        Directed edges ridden from the previous visit to each visit; empty: there at once.
    draw : (v,) int64
        Number from which waits on the way to each visit are drawn: the same number, the same luck.
    """

    first: NDArray[np.bool_]
    dwell_s: NDArray[np.float64]
    until_s: NDArray[np.float64]
    door: NDArray[np.float64]
    roof: NDArray[np.bool_]
    foot: NDArray[np.float64]
    walk_m: NDArray[np.float64]
    offset_m: NDArray[np.float64]
    pace: NDArray[np.float64]
    path_ptr: NDArray[np.int64]
    path: NDArray[np.int32]
    draw: NDArray[np.int64]


@dataclass(frozen=True)
class Rides:
    """What happened.

    Attributes
    ----------
    arrive_s, leave_s : float64 (v,)
        Epoch seconds of parking at and riding off from each visit.
    t_s, lonlat, indoors, visit : float64 (k,), float64 (k, 2), bool (k,), int32 (k,)
        Rows of the movement; the visit that they lead to or belong to.
    stop_visit, stop_kind, stop_start_s, stop_end_s, stop_lonlat
        Gates (3) and traffic (4) met on the way.
    """

    arrive_s: NDArray[np.float64]
    leave_s: NDArray[np.float64]
    t_s: NDArray[np.float64]
    lonlat: NDArray[np.float64]
    indoors: NDArray[np.bool_]
    visit: NDArray[np.int32]
    stop_visit: NDArray[np.int32]
    stop_kind: NDArray[np.int8]
    stop_start_s: NDArray[np.float64]
    stop_end_s: NDArray[np.float64]
    stop_lonlat: NDArray[np.float64]


@kernel
def _uniform(seed: np.uint64, a: int, b: int) -> float:
    """Uniform number in [0, 1) that depends on the arguments only (splitmix64)."""
    z = seed + np.uint64(a) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(b) * np.uint64(0xD1B54A32D192ED03)
    for _ in range(2):
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) / 9007199254740992.0


@kernel
def _lognormal(seed: np.uint64, a: int, b: int, median: float, sigma: float) -> float:
    z = -2.0
    for k in range(4):
        z += _uniform(seed, a, b + k)
    return float(median * np.exp(sigma * 1.7320508 * z))


class _Record(NamedTuple):
    """Memory of the answer, see `Rides`."""

    arrive: NDArray[np.float64]
    leave: NDArray[np.float64]
    t_out: NDArray[np.float64]
    pos_out: NDArray[np.float64]
    roof_out: NDArray[np.bool_]
    visit_out: NDArray[np.int32]
    stop_visit: NDArray[np.int32]
    stop_kind: NDArray[np.int8]
    stop_time: NDArray[np.float64]
    stop_pos: NDArray[np.float64]


@kernel
def _ride(visits: RideVisits, streets: RideStreets, seed: np.uint64, record: _Record) -> tuple[int, int]:
    """Write rows and stops of all visits; return how many of each.

    One loop: the clock runs on from row to row.
    """
    first, dwell_s, until_s, door, roof, foot, walk_m, offset_m, pace, path_ptr, path, draw = visits
    edge_u, edge_v, length_m, cost_ms, geom_ptr, geom, geom_m, gate_s, compound, signal, hidden_s = streets[
        :11
    ]
    slow, group, ahead_s, gate_slow = streets[11:]
    arrive, leave, t_out, pos_out, roof_out, visit_out = record[:6]
    stop_visit, stop_kind, stop_time, stop_pos = record[6:]
    k = 0
    stops = 0
    for v in range(len(first)):
        if first[v]:
            arrive[v] = until_s[v] - dwell_s[v]
            t = arrive[v]
        else:
            t = leave[v - 1]
            a, b = path_ptr[v], path_ptr[v + 1]
            own = draw[v]
            for i in range(a, b):
                d = path[i]
                e = d >> 1
                start = 0.0 if d & 1 == 0 else length_m[e]
                end = length_m[e] - start
                if i == a:
                    start = offset_m[v - 1]
                if i == b - 1:
                    end = offset_m[v]
                # Day 0 of the epoch was a Thursday.
                hour = (int(t + ahead_s) // 3600 + 72) % len(slow)
                per_m = cost_ms[d] / 1000.0 / max(length_m[e], 0.1) * pace[v] * slow[hour, group[e]]
                p, q = geom_ptr[e], geom_ptr[e + 1]
                at = start
                if end >= start:
                    for j in range(p, q):
                        if start < geom_m[j] < end:
                            t += (geom_m[j] - at) * per_m
                            at = geom_m[j]
                            t_out[k], pos_out[k, 0], pos_out[k, 1] = t, geom[j, 0], geom[j, 1]
                            roof_out[k], visit_out[k] = False, v
                            k += 1
                    t += (end - at) * per_m
                else:
                    for j in range(q - 1, p - 1, -1):
                        if end < geom_m[j] < start:
                            t += (at - geom_m[j]) * per_m
                            at = geom_m[j]
                            t_out[k], pos_out[k, 0], pos_out[k, 1] = t, geom[j, 0], geom[j, 1]
                            roof_out[k], visit_out[k] = False, v
                            k += 1
                    t += (at - end) * per_m
                if i == b - 1:
                    break
                node = edge_v[e] if d & 1 == 0 else edge_u[e]
                corner = q - 1 if d & 1 == 0 else p
                t_out[k], pos_out[k, 0], pos_out[k, 1] = t, geom[corner, 0], geom[corner, 1]
                roof_out[k], visit_out[k] = False, v
                k += 1
                following = path[i + 1] >> 1
                wait = 0.0
                kind = TRAFFIC
                if gate_s[following] > 0 and compound[following] != compound[e]:
                    if _uniform(seed, own, 8 * i) < 0.8:
                        usual = gate_s[following] * gate_slow[hour]
                        wait = min(600.0, max(40.0, _lognormal(seed, own, 8 * i + 1, usual, 0.5)))
                        kind = GATE
                elif hidden_s[following] > 0 and i + 1 == b - 1 and hidden_s[e] == 0:
                    if _uniform(seed, own, 8 * i) < 0.7:
                        wait = min(
                            480.0, max(40.0, _lognormal(seed, own, 8 * i + 1, hidden_s[following], 0.5))
                        )
                        kind = GATE
                elif signal[node] and _uniform(seed, own, 8 * i) < 0.45:
                    wait = 5.0 + 70.0 * _uniform(seed, own, 8 * i + 1)
                elif _uniform(seed, own, 8 * i) > 0.998:
                    wait = 45.0 + 195.0 * _uniform(seed, own, 8 * i + 1)
                if wait > 0.0:
                    stop_visit[stops], stop_kind[stops] = v, kind
                    stop_time[stops, 0], stop_time[stops, 1] = t, t + wait
                    stop_pos[stops, 0], stop_pos[stops, 1] = geom[corner, 0], geom[corner, 1]
                    stops += 1
                    t += wait
                    t_out[k], pos_out[k, 0], pos_out[k, 1] = t, geom[corner, 0], geom[corner, 1]
                    roof_out[k], visit_out[k] = False, v
                    k += 1
            arrive[v] = t
        walk = walk_m[v] / 1.2
        if not first[v]:
            t_out[k], pos_out[k, 0], pos_out[k, 1] = t, foot[v, 0], foot[v, 1]
            roof_out[k], visit_out[k] = False, v
            k += 1
            t += walk
        t_out[k], pos_out[k, 0], pos_out[k, 1] = t, door[v, 0], door[v, 1]
        roof_out[k], visit_out[k] = roof[v], v
        k += 1
        leave[v] = max(until_s[v], arrive[v] + max(dwell_s[v], 2.0 * walk + 15.0))
        t_out[k], pos_out[k, 0], pos_out[k, 1] = leave[v] - walk, door[v, 0], door[v, 1]
        roof_out[k], visit_out[k] = False, v
        k += 1
        t_out[k], pos_out[k, 0], pos_out[k, 1] = leave[v], foot[v, 0], foot[v, 1]
        roof_out[k], visit_out[k] = False, v
        k += 1
    return k, stops


def ride(visits: RideVisits, streets: RideStreets, seed: int) -> Rides:
    """Ride all visits one after another; red lights and gates are drawn from the seed."""
    span = np.diff(streets.geom_ptr)
    count, path = len(visits.first), visits.path
    rows = int((span[path >> 1] + 2).sum() + 5 * count)
    most = len(path) + 1
    record = _Record(
        np.zeros(count),
        np.zeros(count),
        np.empty(rows),
        np.empty((rows, 2)),
        np.zeros(rows, np.bool_),
        np.empty(rows, np.int32),
        np.empty(most, np.int32),
        np.empty(most, np.int8),
        np.empty((most, 2)),
        np.empty((most, 2)),
    )
    k, stops = _ride(visits, streets, np.uint64(seed), record)
    time = record.stop_time[:stops]
    return Rides(
        record.arrive,
        record.leave,
        record.t_out[:k],
        record.pos_out[:k],
        record.roof_out[:k],
        record.visit_out[:k],
        record.stop_visit[:stops],
        record.stop_kind[:stops],
        time[:, 0],
        time[:, 1],
        record.stop_pos[:stops],
    )
