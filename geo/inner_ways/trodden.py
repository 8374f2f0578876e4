"""What inner ways are learned from: matched streets, the points beside them, and where riders halted."""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.mapmatch import Traversals
from geo.rings import spans
from geo.stays import KINDS, StayPoints
from geo.streets import Snapped, StreetNetwork
from geo.streets.mode_graph import NO
from geo.traces import Traces
from geo.travel.many_paths import TripPaths, route_trips

__all__ = ["Trodden", "rows_between"]

HALTS = tuple(KINDS.index(kind) for kind in ("rest", "pickup", "dropoff", "off_shift"))
FEWEST_RIDES = 20
"""Riders with fewer whole streets are taken to ride as the others do."""
PACES = (0.2, 3.0)


@dataclass(frozen=True, eq=False)
class Trodden:
    """Traces of one city, matched.

    Attributes
    ----------
    network : StreetNetwork
        With class speeds.
    mode : str
    traces : Traces
    ridden : Traversals
        Of these traces.
    stays : StayPoints
        Likewise, with their kinds.
    timezone : str
        Of the city.
    """

    network: StreetNetwork
    mode: str
    traces: Traces
    ridden: Traversals
    stays: StayPoints
    timezone: str

    @functools.cached_property
    def xy_m(self) -> NDArray[np.float64]:
        """Points (n, 2) in plane metres."""
        return self.network.project(self.traces.lonlat)

    @functools.cached_property
    def plain_s(self) -> NDArray[np.float64]:
        """Seconds (2E,) that the network says for each directed edge, NaN where the mode may not go."""
        cost = self.network.graph(self.mode).directed_cost_ms
        return np.where(cost == NO, np.nan, cost / 1000.0)

    @functools.cached_property
    def head(self) -> NDArray[np.int64]:
        """Node (p,) at the end of each traversal."""
        edge, against = self.ridden.directed >> 1, self.ridden.directed & 1 == 1
        ends = np.where(against, self.network.edge_u[edge], self.network.edge_v[edge])
        return np.asarray(ends, np.int64)

    @functools.cached_property
    def follows(self) -> NDArray[np.bool_]:
        """Whether (p,) each traversal leads straight on into the next row: no break, no turn round."""
        out = np.zeros(len(self.ridden.directed), np.bool_)
        out[:-1] = (np.diff(self.ridden.piece) == 0) & (
            self.ridden.directed[1:] >> 1 != self.ridden.directed[:-1] >> 1
        )
        return out

    @functools.cached_property
    def pace(self) -> NDArray[np.float64]:
        """How many times as long as the network says each rider (r,) takes where nothing holds them up."""
        ridden, riders = self.ridden, len(self.traces.pseudonyms)
        length_m = self.network.edge_length_m[ridden.directed >> 1]
        ratio = (ridden.leave_s - ridden.enter_s) / self.plain_s[ridden.directed]
        good = ridden.whole & (length_m > 20.0) & (ratio > PACES[0]) & (ratio < PACES[1])
        ratio, rider = ratio[good], ridden.rider[good]
        order = np.lexsort((ratio, rider))
        ratio, ptr = ratio[order], np.searchsorted(rider[order], np.arange(riders + 1))
        usual = float(np.median(ratio)) if len(ratio) else 1.0
        some = np.diff(ptr) >= FEWEST_RIDES
        middle = np.minimum((ptr[:-1] + ptr[1:]) // 2, max(len(ratio) - 1, 0))
        return np.where(some, ratio[middle], usual) if len(ratio) else np.ones(riders)

    @functools.cached_property
    def halts(self) -> StayPoints:
        """Rests, counters, doors and time off, by rider and start."""
        found = self.stays.take(np.isin(self.stays.kind, HALTS))
        return found.take(np.lexsort((found.start_s, found.rider)))

    @functools.cached_property
    def segments_m(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Both ends (s, 2) of each straight piece of the streets of the mode, plane metres."""
        network = self.network
        xy = network.project(network.geom_lonlat)
        edge = np.repeat(np.arange(len(network)), np.diff(network.geom_ptr))
        one = np.flatnonzero((edge[:-1] == edge[1:]) & network.usable(self.mode)[edge[:-1]])
        return xy[one], xy[one + 1]

    def from_street_m(self, points: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return metres from some of the points to the nearest street of the mode."""
        new = np.unique(points[np.isnan(self._from_street_m[points])])
        snapped = self.network.snap(self.traces.lonlat[new], self.mode, fragments=True)
        self._from_street_m[new] = np.minimum(snapped.walk_m, 1000.0)
        return self._from_street_m[points]

    @functools.cached_property
    def _from_street_m(self) -> NDArray[np.float64]:
        return np.full(len(self.traces), np.nan)

    def line(self, rider: NDArray[np.integer], t_s: NDArray[np.number]) -> NDArray[np.float64]:
        """Lay the time of all riders on one line, one rider after the other: rising with both."""
        zero, span = self._times
        return np.asarray(rider * span + (t_s - zero), np.float64)

    @functools.cached_property
    def _times(self) -> tuple[float, float]:
        """The first instant of all, and how far apart two riders lie on the line: days lie between them."""
        times = self.traces.t_s
        zero, last = (float(times.min()), float(times.max())) if len(times) else (0.0, 0.0)
        return zero, last - zero + 4 * 86_400.0

    @functools.cached_property
    def points_line(self) -> NDArray[np.float64]:
        """Place (n,) of each point on the line."""
        return self.line(self.traces.rider, self.traces.t_s)

    @functools.cached_property
    def halts_line(self) -> NDArray[np.float64]:
        """Place (h,) on the line at which each halt begins."""
        return self.line(self.halts.rider, self.halts.start_s)

    @functools.cached_property
    def halts_xy_m(self) -> NDArray[np.float64]:
        """Halts (h, 2) in plane metres."""
        return self.network.project(self.halts.lonlat)

    @functools.cached_property
    def speed_mps(self) -> float:
        """Metres a second of the riders on streets where nothing holds them up."""
        directed = self.ridden.directed
        length = self.network.edge_length_m[directed >> 1]
        plain = self.plain_s[directed] * self.pace[self.ridden.rider]
        good = np.isfinite(plain) & (plain > 0)
        return float(length[good].sum() / plain[good].sum()) if good.any() else 4.0

    def best_ways(
        self, snapped: Snapped, here: NDArray[np.int64], there: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], TripPaths]:
        """Return which trips between snapped places have both ends on streets, and their best ways."""
        on = np.cumsum(snapped.ok) - 1
        kept = np.flatnonzero(snapped.ok[here] & snapped.ok[there])
        start, end = on[here[kept]].astype(np.int32), on[there[kept]].astype(np.int32)
        places, wanted = snapped.take(snapped.ok), np.ones(len(kept), np.bool_)
        return kept, route_trips(self.network, self.mode, places, start, end, wanted)

    def seconds_of(self, paths: TripPaths) -> NDArray[np.float64]:
        """Return the seconds (t,) that the network says for ways; 0 where there is none.

        Of the streets at both ends some part only is ridden, of which the half is taken.
        """
        size = np.diff(paths.ptr)
        trip = np.repeat(np.arange(len(size)), size)
        way_s = np.bincount(trip, self.plain_s[paths.edges], len(size)).astype(np.float64)
        some = size > 0
        way_s[some] -= self.plain_s[paths.edges[paths.ptr[:-1][some]]] / 2
        way_s[some] -= self.plain_s[paths.edges[paths.ptr[1:][some] - 1]] / 2
        return way_s


def rows_between(
    first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers from each ``first`` to each ``last`` (not in it), and to which pair each belongs."""
    size = np.maximum(last - first, 0)
    return spans(first, size), np.repeat(np.arange(len(first)), size)
