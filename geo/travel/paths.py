"""The fastest ways between places, with geometry and street names."""

import dataclasses

import numpy as np

from geo.arrays import FloatArray, Int32Array, Int64Array
from geo.errors import InputError
from geo.streets.network import StreetNetwork
from geo.streets.snapping import Snapped, after_each_other
from geo.travel.many_paths import TripPaths, route_trips

__all__ = ["Path", "find_path", "find_paths", "ways_metres"]

IntArray = Int32Array | Int64Array

SHORTEST_STEP_M = 0.5
"""Shorter pieces (a start just beside a crossing) are no step of their own."""


@dataclasses.dataclass(frozen=True, eq=False)
class Path:
    """The fastest way between two places.

    Attributes
    ----------
    time_s : float
        With both walks and gate delays, as `travel_times_s` says.
    length_m : float
        Metres on streets.
    walk_m : float
        Metres on foot between places and streets, both ends.
    directed_edges : int32 (k,)
        ``2 * edge + against`` in the order of travel; the first and the last one in part.
    lonlat : float64 (p, 2)
        From foot point to foot point.
    steps : tuple of (street name, metres)
        Neighbouring edges of one name joined; an empty name where the street has none.
    """

    time_s: float
    length_m: float
    walk_m: float
    directed_edges: Int32Array
    lonlat: FloatArray
    steps: tuple[tuple[str, float], ...]

    @property
    def metres(self) -> float:
        """Metres in all, walks included; what `ways_metres` returns."""
        return self.length_m + self.walk_m


def find_paths(
    network: StreetNetwork, mode: str, places: Snapped, source: IntArray, target: IntArray, threads: int = 1
) -> list[Path | None]:
    """Return the fastest legal way of each of many trips.

    Parameters
    ----------
    network : StreetNetwork
    mode : str
    places : Snapped
    source, target : int (t,)
        Rows of `places`.
    threads : int

    Returns
    -------
    list of Path, optional
        None where there is no way, or an end is on no street.
    """
    trips = _trips(network, mode, places, source, target, threads)
    rows = np.flatnonzero(trips.found)
    out: list[Path | None] = [None] * len(trips.found)
    if not len(rows):
        return out
    # Trips without a way have no edges.
    first = trips.ptr[rows]
    metres, begin, end = _metres(network, places, source, target, trips)
    lonlat, points = _geometry(network, trips.edges, begin, end, first)
    length_m = np.add.reduceat(metres, first).tolist()
    walk_m = (places.walk_m[source] + places.walk_m[target]).tolist()
    names, runs = network.edge_name[trips.edges >> 1].tolist(), metres.tolist()
    cuts, at, time_s = trips.ptr.tolist(), points.tolist(), (trips.ms / 1000).tolist()
    for number, row in enumerate(rows.tolist()):
        mine = slice(cuts[row], cuts[row + 1])
        out[row] = Path(
            time_s=time_s[row],
            length_m=length_m[number],
            walk_m=walk_m[row],
            directed_edges=trips.edges[mine],
            lonlat=lonlat[at[number] : at[number + 1]],
            steps=_steps(network, names[mine], runs[mine]),
        )
    return out


def ways_metres(
    network: StreetNetwork, mode: str, places: Snapped, source: IntArray, target: IntArray, threads: int = 1
) -> FloatArray:
    """Return (t,) the metres of what `find_paths` returns, walks included; NaN where there is no way."""
    trips = _trips(network, mode, places, source, target, threads)
    out = np.full(len(trips.found), np.nan)
    if trips.found.any():
        rows = np.flatnonzero(trips.found)
        metres = np.add.reduceat(_metres(network, places, source, target, trips)[0], trips.ptr[rows])
        out[rows] = metres + (places.walk_m[source] + places.walk_m[target])[rows]
    return out


def find_path(network: StreetNetwork, mode: str, source: Snapped, target: Snapped) -> Path | None:
    """Return the fastest legal way from one place to another, or None where there is none.

    Raises
    ------
    InputError
        If `source` or `target` is not exactly one place.
    """
    for name, place in (("source", source), ("target", target)):
        if len(place) != 1:
            raise InputError(f"the {name} must be one place, not {len(place)}")
    return find_paths(network, mode, after_each_other([source, target]), np.array([0]), np.array([1]))[0]


def _trips(
    network: StreetNetwork, mode: str, places: Snapped, source: IntArray, target: IntArray, threads: int
) -> TripPaths:
    wanted = places.ok[source] & places.ok[target]
    rows = source.astype(np.int32), target.astype(np.int32)
    return route_trips(network, mode, places, *rows, wanted, threads, apart=True)


def _metres(
    network: StreetNetwork, places: Snapped, source: IntArray, target: IntArray, trips: TripPaths
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return of each edge the metres that are travelled, and the offsets between which they lie."""
    edge, against = trips.edges >> 1, trips.edges & 1 == 1
    whole = network.edge_length_m[edge]
    begin, end = np.where(against, whole, 0.0), np.where(against, 0.0, whole)
    found = trips.found
    begin[trips.ptr[:-1][found]] = places.offset_m[source[found]]
    end[trips.ptr[1:][found] - 1] = places.offset_m[target[found]]
    return np.abs(end - begin), begin, end


def _geometry(
    network: StreetNetwork, directed: Int32Array, begin: FloatArray, end: FloatArray, first: Int64Array
) -> tuple[FloatArray, Int64Array]:
    """Return the points of ways one behind the other, and where each way begins; `first`: its first edge.

    The first and the last edge of a way are cut at their offsets, and no point follows itself.
    """
    edge, against = directed >> 1, directed & 1 == 1
    cut = np.zeros(len(edge), np.bool_)
    cut[first] = cut[np.r_[first[1:], len(edge)] - 1] = True
    low, high = np.minimum(begin, end), np.maximum(begin, end)
    # All points of the edges, in the order of travel.
    count = (network.geom_ptr[edge + 1] - network.geom_ptr[edge]).astype(np.int64)
    of = np.repeat(np.arange(len(edge)), count)
    within = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    away = against | (begin > end)
    start = np.where(away, network.geom_ptr[edge + 1] - 1, network.geom_ptr[edge])
    row = start[of] + np.where(away[of], -within, within)
    along = network.geom_along_m[row]
    kept = ~cut[of] | ((along > low[of]) & (along < high[of]))
    of, row = of[kept], row[kept]
    # A cut edge has its two ends besides.
    size = np.bincount(of, minlength=len(edge)) + 2 * cut
    stop = np.cumsum(size)
    lonlat = np.empty((int(stop[-1]), 2))
    mine = np.bincount(of, minlength=len(edge))
    rank = np.arange(len(of)) - np.repeat(np.cumsum(mine) - mine, mine)
    lonlat[(stop - size + cut)[of] + rank] = network.geom_lonlat[row]
    lonlat[(stop - size)[cut]] = _points_at(network, edge[cut], begin[cut])
    lonlat[stop[cut] - 1] = _points_at(network, edge[cut], end[cut])
    new = np.ones(len(lonlat), np.bool_)
    new[1:] = np.any(lonlat[1:] != lonlat[:-1], axis=1)
    new[(stop - size)[first]] = True
    points = np.r_[0, np.cumsum(new)][np.r_[(stop - size)[first], len(lonlat)]]
    return lonlat[new], points


def _points_at(network: StreetNetwork, edge: Int32Array, offset_m: FloatArray) -> FloatArray:
    """Return the points (k, 2) of edges at offsets from ``u``, as `StreetNetwork.edge_part` does."""
    first, stop = network.geom_ptr[edge].astype(np.int64), network.geom_ptr[edge + 1].astype(np.int64)
    count = stop - first
    of = np.repeat(np.arange(len(edge)), count)
    row = np.arange(len(of)) + np.repeat(first - (np.cumsum(count) - count), count)
    passed = np.bincount(of[network.geom_along_m[row] <= offset_m[of]], minlength=len(edge))
    before = first + np.clip(passed - 1, 0, count - 2)
    here, there = network.geom_along_m[before], network.geom_along_m[before + 1]
    share = np.clip(offset_m, here, there) - here
    span = there - here
    one, other = network.geom_lonlat[before], network.geom_lonlat[before + 1]
    slope = (other - one) / np.where(span > 0, span, 1.0)[:, None]
    point = slope * share[:, None] + one
    return np.where((share >= span)[:, None], other, point)


def _steps(network: StreetNetwork, names: list[int], metres: list[float]) -> tuple[tuple[str, float], ...]:
    steps: list[tuple[str, float]] = []
    for number, run_m in zip(names, metres, strict=True):
        if run_m < SHORTEST_STEP_M:
            continue
        name = network.names[number] if number >= 0 else ""
        if steps and steps[-1][0] == name:
            steps[-1] = (name, steps[-1][1] + run_m)
        else:
            steps.append((name, run_m))
    return tuple(steps)
