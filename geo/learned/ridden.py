"""Ridden streets: what of the traversals tells how long streets take, and trips made of it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.localtime import hour_of_week, local_s
from geo.mapmatch import Traversals
from geo.stays import KINDS, StayPoints
from geo.streets import StreetNetwork
from geo.streets.mode_graph import NO

__all__ = ["RiddenStreets", "Trips", "rides_of", "trips_of"]

LONGEST_S = 600.0
"""Whoever is longer on one street did something else than ride."""
FASTEST_MPS = 16.0
TRIP_S = 120.0
"""Shorter trips are mostly error of the clock and of the phone."""
HALTS = tuple(KINDS.index(kind) for kind in ("rest", "pickup", "dropoff", "off_shift"))
GATES = (KINDS.index("gate"),)
_NO_S = np.empty(0)


class RiddenStreets(NamedTuple):
    """Streets ridden from end to end, without halts.

    Attributes
    ----------
    directed, rider, piece : int64 (n,)
        As of `Traversals`; rows of one piece that follow each other were ridden without a break.
    hour : int64 (n,)
        Of the week, 0: Monday, 0:00 to 1:00, local time.
    enter_s, took_s : float64 (n,)
        Epoch seconds; seconds.
    plain_s : float64 (n,)
        Seconds that the network says.
    row : int64 (n,)
        Row of the traversals.
    """

    directed: NDArray[np.int64]
    rider: NDArray[np.int64]
    piece: NDArray[np.int64]
    hour: NDArray[np.int64]
    enter_s: NDArray[np.float64]
    took_s: NDArray[np.float64]
    plain_s: NDArray[np.float64]
    row: NDArray[np.int64]

    def take(self, rows: NDArray[np.bool_]) -> "RiddenStreets":
        """Return some of them."""
        return RiddenStreets._make(column[rows] for column in self)


class Trips(NamedTuple):
    """Rides one after the other without a break; trip ``i`` has rows ``first[i]`` to ``last[i]`` (not in it).

    ``rider`` int64 (t,), ``start_s``, ``took_s`` float64 (t,): whose, when, how long.
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    rider: NDArray[np.int64]
    start_s: NDArray[np.float64]
    took_s: NDArray[np.float64]

    def total(self, column: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of a column of the rides for each trip."""
        sums = np.append(0.0, np.cumsum(column))
        return np.asarray(sums[self.last] - sums[self.first])


def rides_of(
    network: StreetNetwork, mode: str, ridden: Traversals, stays: StayPoints, timezone: str
) -> RiddenStreets:
    """Return what tells of riding: whole streets, the legal way, at a possible speed, without a halt.

    Rests, counters and doors are halts; lights and traffic are riding, and so are gates that the network does
    not know. At compounds, where it adds a delay of its own, a wait at the gate is a halt too.

    Parameters
    ----------
    network : StreetNetwork
        With the speeds to which the rides are compared.
    mode : str
        How the riders travel.
    ridden : Traversals
    stays : StayPoints
        Of the same traces.
    timezone : str
        Of the city.
    """
    cost_ms = network.graph(mode).directed_cost_ms[ridden.directed]
    took_s = ridden.leave_s - ridden.enter_s
    edge = ridden.directed >> 1
    length_m = network.edge_length_m[edge]
    good = ridden.whole & (cost_ms != NO) & (length_m > 1.0) & (took_s > 0.0) & (took_s < LONGEST_S)
    good &= length_m < FASTEST_MPS * np.maximum(took_s, 1e-9)
    good &= ~_within(ridden, stays, HALTS)
    fenced = network.edge_compound[edge] >= 0
    fenced[:-1] |= fenced[1:] & (ridden.piece[1:] == ridden.piece[:-1])
    good &= ~(fenced & _within(ridden, stays, GATES))
    row = np.flatnonzero(good)
    return RiddenStreets(
        directed=ridden.directed[row],
        rider=ridden.rider[row],
        piece=ridden.piece[row],
        hour=hour_of_week(local_s(ridden.enter_s[row].astype(np.int64), timezone)),
        enter_s=ridden.enter_s[row],
        took_s=took_s[row],
        plain_s=cost_ms[row] / 1000.0,
        row=row,
    )


def _within(ridden: Traversals, stays: StayPoints, kinds: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which traversals lie, in part at least, in a stay of these kinds."""
    chosen = np.flatnonzero(np.isin(stays.kind, kinds))
    if not len(chosen) or not len(ridden.directed):
        return np.zeros(len(ridden.directed), np.bool_)
    chosen = chosen[np.lexsort((stays.start_s[chosen], stays.rider[chosen]))]
    zero = float(min(ridden.enter_s.min(), float(stays.start_s.min())))
    span = float(max(ridden.leave_s.max(), float(stays.end_s.max()))) - zero + 1.0
    # One line of time for all riders, one after the other.
    line = stays.rider[chosen] * span
    start, end = line + stays.start_s[chosen] - zero, line + stays.end_s[chosen] - zero
    line = ridden.rider * span
    before = np.searchsorted(start, line + ridden.leave_s - zero, side="left") - 1
    return np.asarray((before >= 0) & (end[np.maximum(before, 0)] > line + ridden.enter_s - zero))


def trips_of(rides: RiddenStreets) -> Trips:
    """Return the trips of two minutes or more: rows of the traversals that follow each other."""
    rows = len(rides.row)
    begins = np.ones(rows, np.bool_)
    begins[1:] = (np.diff(rides.row) != 1) | (np.diff(rides.piece) != 0)
    first = np.flatnonzero(begins)
    trips = Trips(
        first, np.append(first[1:], rows)[: len(first)], rides.rider[first], rides.enter_s[first], _NO_S
    )
    took_s = trips.total(rides.took_s)
    long = took_s >= TRIP_S
    return Trips._make((*(column[long] for column in trips[:4]), took_s[long]))
