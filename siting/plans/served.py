"""What a plan serves: one meaning of *served* and one of *in reach* for all that a study says.

*In reach* is rest demand within the time limit of a station of the plan. *Served* is what of it finds a
station open in that hour, with a free seat: the largest flow from demand to seats, hour by hour, in which the
shortest ways take the seats first. All layers of demand that carry weight sit on the same seats, and each
cell (demand point and hour) shares what it gets among its layers alike.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from siting.demand.hourly import HourRiders
from siting.plans.figures import kind_and_hours
from siting.solvers.kernels.service import Pairs, pairs_within, serve_nearest
from siting.stations.hours import open_by_hour
from siting.stations.kinds import ExistingStation, StationKind

__all__ = [
    "Run",
    "Running",
    "Service",
    "known_need",
    "needs",
    "open_hours",
    "run_by_need",
    "running",
    "seats_of",
    "serve_demand",
    "served_share",
    "station_kind",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Run = tuple[StationKind, tuple[int, int]]


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Running:
    """Stations in business, s of them.

    Attributes
    ----------
    pairs : who reaches which within the limit
    in_reach : (n,) which demand points reach any
    room : (24, s) rider-minutes that each holds in each hour, 0 where it is shut
    """

    pairs: Pairs
    in_reach: BoolArray
    room: FloatArray


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Service:
    """Who is served: shares (0-1) of the demand of each cell (demand point and hour)."""

    pairs: Pairs
    by_pair: FloatArray
    """(24, q)."""
    total: FloatArray
    """(n, 24)."""

    def by_station(self, station: int) -> FloatArray:
        """Return (n, 24) the share that one station serves."""
        mine = self.pairs.of_station[self.pairs.station_ptr[station] : self.pairs.station_ptr[station + 1]]
        out = np.zeros_like(self.total)
        out[self.pairs.point[mine]] = self.by_pair[:, mine].T
        return out


def open_hours(run: Run) -> BoolArray:
    """Return (24,) the hours of a daily span."""
    out = np.zeros(24, dtype=np.bool_)
    out[np.arange(*run[1]) % 24] = True
    return out


def station_kind(station: ExistingStation, kinds: tuple[StationKind, ...]) -> StationKind:
    """Return the kind of a station of today, the first one where the planner's kinds do not have it."""
    return next((kind for kind in kinds if kind.name == station.kind), kinds[0])


def seats_of(
    station: ExistingStation,
    kinds: tuple[StationKind, ...],
    run: Run | None = None,
    days: tuple[str, ...] = (),
    timezone: str | None = None,
) -> FloatArray:
    """Return (24,) rider-minutes that a station of today holds in each hour, with its own hours or others.

    An hour is open when the station is open in at least half of it, over all days of the week; over the local
    days of the study where its hours name public holidays.
    """
    is_open = open_by_hour(station.hours, days, timezone) >= 0.5 if run is None else open_hours(run)
    return np.where(is_open, station_kind(station, kinds).minutes_an_hour, 0.0)


def running(cost_s: FloatArray, limit_s: float, seats: Sequence[FloatArray]) -> Running:
    """Return stations in business: (n, s) seconds and, for each, (24,) rider-minutes it holds an hour."""
    room = np.array(seats, dtype=np.float64).reshape(-1, 24).T
    in_reach = np.asarray((cost_s <= limit_s).any(axis=1))
    return Running(pairs_within(cost_s, limit_s), in_reach, np.ascontiguousarray(room))


def needs(cost_s: FloatArray, limit_s: float, weight: FloatArray) -> FloatArray:
    """Return (s, 24) the demand that each column is the nearest for within the limit."""
    s = cost_s.shape[1]
    if s == 0:
        return np.empty((0, 24))
    nearest = _nearest(cost_s, limit_s)
    inside = nearest >= 0
    columns = [np.bincount(nearest[inside], weights=weight[inside, h], minlength=s) for h in range(24)]
    return np.column_stack(columns)


def run_by_need(
    cost_s: FloatArray,
    limit_s: float,
    weight: FloatArray,
    ways: tuple[tuple[StationKind, ...], HourRiders | None],
    first: int,
) -> list[Run]:
    """Return the kind and hours that the demand of each column from ``first`` on needs.

    ``ways`` are the kinds, and who stands behind the hours: an hour of fewer than k riders needs nothing, for
    the hours of a station are published. None knows all hours.
    """
    kinds, riders = ways
    need = needs(cost_s, limit_s, weight)
    if riders is not None and cost_s.shape[1]:
        need = np.where(riders.near(_nearest(cost_s, limit_s), cost_s.shape[1]), need, 0.0)
    return [kind_and_hours(one, kinds) for one in need[first:]]


def known_need(
    weight: FloatArray, cost_s: FloatArray, limit_s: float, riders: HourRiders | None
) -> FloatArray | None:
    """Return (s, 24) demand in reach of each site, 0 in hours of fewer than k riders; None: all are known."""
    if riders is None:
        return None
    reach = cost_s <= limit_s
    return np.where(riders.within(reach), reach.T.astype(np.float64) @ weight, 0.0)


def _nearest(cost_s: FloatArray, limit_s: float) -> IntArray:
    """Return (n,) the nearest column within the limit, -1 for none."""
    nearest = cost_s.argmin(axis=1)
    return np.where(cost_s[np.arange(len(cost_s)), nearest] <= limit_s, nearest, -1)


def serve_demand(stations: Running, weight: FloatArray) -> Service:
    """Serve (n, 24) weighted rider-minutes."""
    by_pair = np.zeros((24, len(stations.pairs.point)))
    return Service(stations.pairs, by_pair, _serve(stations, weight, by_pair))


def served_share(stations: Running, weight: FloatArray) -> FloatArray:
    """Return (n, 24) which share of each cell is served; `serve_demand` without who serves it."""
    return _serve(stations, weight, np.empty((0, 0)))


def _serve(stations: Running, weight: FloatArray, by_pair: FloatArray) -> FloatArray:
    total = np.zeros((24, len(weight)))
    serve_nearest(stations.pairs, np.ascontiguousarray(weight.T), stations.room, by_pair, total)
    return np.ascontiguousarray(total.T)
