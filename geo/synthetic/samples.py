"""Inputs cut from a synthetic fleet: riders under way at one moment, badly placed stations, civic tasks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.streets.network import StreetNetwork, mode_bit
from geo.synthetic.made_fleet import SyntheticFleet

__all__ = ["TASK_KINDS", "CivicTasks", "Snapshot", "Stations", "civic_tasks", "existing_stations", "snapshot"]

TASK_KINDS = ("hazard", "visit", "notice", "patrol", "emergency")
#: Seconds at the place and seconds until it must be done, for each kind.
TASK_SERVICE_S = (90.0, 300.0, 60.0, 180.0, 240.0)
TASK_WINDOW_S = (3600.0, 7200.0, 4 * 3600.0, 3 * 3600.0, 480.0)
TASK_WEIGHT = (0.35, 0.2, 0.2, 0.2, 0.05)
AWAY_M = 450.0


@dataclass(frozen=True)
class Snapshot:
    """Riders on shift at one moment and the stops they still have to make, in order; WGS-84, epoch seconds.

    Attributes
    ----------
    at_s : float
    rider : int32 (r,)
        Index into `SyntheticFleet.rider_ids`.
    lonlat : float64 (r, 2)
        Where each of them is.
    shift_start_s, shift_end_s, worked_s : float64 (r,)
        Shift, and seconds of work since the last rest of 20 min or the start.
    stop_ptr : int64 (r + 1,)
        Stops of each rider: ``stop_ptr[i]`` to ``stop_ptr[i + 1]``.
    stop_lonlat : float64 (s, 2)
    stop_service_s : float64 (s,)
        Time at the stop; what is left of it where the rider is there now.
    stop_due_s : float64 (s,)
        Latest time to be done with the service; infinite for pick-ups.
    stop_kind : int8 (s,)
        1 pick-up, 2 drop-off (index into `geo.stays.KINDS`).
    stop_order : int32 (s,)
        Row of `SyntheticFleet.orders`.
    """

    at_s: float
    rider: NDArray[np.int32]
    lonlat: NDArray[np.float64]
    shift_start_s: NDArray[np.float64]
    shift_end_s: NDArray[np.float64]
    worked_s: NDArray[np.float64]
    stop_ptr: NDArray[np.int64]
    stop_lonlat: NDArray[np.float64]
    stop_service_s: NDArray[np.float64]
    stop_due_s: NDArray[np.float64]
    stop_kind: NDArray[np.int8]
    stop_order: NDArray[np.int32]


@dataclass(frozen=True)
class Stations:
    """Existing stations: names, lonlat (n, 2) WGS-84, open_h and close_h (n,) hours of the local day."""

    names: tuple[str, ...]
    lonlat: NDArray[np.float64]
    open_h: NDArray[np.float64]
    close_h: NDArray[np.float64]


@dataclass(frozen=True)
class CivicTasks:
    """Micro-tasks of a city, one row each.

    Attributes
    ----------
    lonlat : float64 (n, 2)
        WGS-84 degrees.
    kind : int8 (n,)
        Index into TASK_KINDS.
    service_s : float64 (n,)
    earliest_s, latest_s : float64 (n,)
        Epoch seconds between which the service must begin.
    """

    lonlat: NDArray[np.float64]
    kind: NDArray[np.int8]
    service_s: NDArray[np.float64]
    earliest_s: NDArray[np.float64]
    latest_s: NDArray[np.float64]


def snapshot(fleet: SyntheticFleet, at_s: float) -> Snapshot:
    """Freeze the fleet at one moment.

    Parameters
    ----------
    fleet : SyntheticFleet
    at_s : float
        Epoch second. A rider on a true rest is on shift too: the rider has no stops then.

    Returns
    -------
    Snapshot
        Riders by number; none where nobody is on shift.
    """
    on = (fleet.shift_start_s <= at_s) & (at_s <= fleet.shift_end_s)
    rider, start, end = fleet.shift_rider[on], fleet.shift_start_s[on], fleet.shift_end_s[on]
    orders = fleet.orders
    known = np.flatnonzero((orders.accepted_s <= at_s) & (at_s < orders.dropped_s))
    picks = known[orders.picked_s[known] > at_s]
    of_rider = np.r_[orders.rider[picks], orders.rider[known]]
    order = np.r_[picks, known].astype(np.int32)
    kind = np.r_[np.full(len(picks), 1), np.full(len(known), 2)].astype(np.int8)
    begin = np.where(kind == 1, orders.arrived_s[order], orders.reached_s[order])
    done = np.where(kind == 1, orders.picked_s[order], orders.dropped_s[order])
    sort = np.lexsort((begin, of_rider))
    sort = sort[np.isin(of_rider[sort], rider)]
    of_rider, order, kind = of_rider[sort], order[sort], kind[sort]
    begin, done = begin[sort], done[sort]
    place = np.where((kind == 1)[:, None], orders.restaurant[order], orders.home[order])
    return Snapshot(
        at_s=at_s,
        rider=rider,
        lonlat=np.array([fleet.movement.at(int(r), at_s) for r in rider], np.float64).reshape(-1, 2),
        shift_start_s=start,
        shift_end_s=end,
        worked_s=at_s - _last_break_s(fleet, rider, start, at_s),
        stop_ptr=np.r_[np.searchsorted(of_rider, rider), len(of_rider)].astype(np.int64),
        stop_lonlat=place.reshape(-1, 2),
        stop_service_s=done - np.maximum(begin, at_s),
        stop_due_s=np.where(kind == 1, np.inf, orders.due_s[order]),
        stop_kind=kind,
        stop_order=order,
    )


def _last_break_s(
    fleet: SyntheticFleet, rider: NDArray[np.int32], start_s: NDArray[np.float64], at_s: float
) -> NDArray[np.float64]:
    """End of each rider's last rest of 20 min, or the start of the shift."""
    stays = fleet.stays
    rests = (stays.kind == 0) & (stays.end_s <= at_s) & (stays.end_s - stays.start_s >= 1200.0)
    last = np.zeros(fleet.options.riders)
    np.maximum.at(last, stays.rider[rests], stays.end_s[rests])
    return np.maximum(last[rider], start_s)


def _street_points(
    network: StreetNetwork, mode: str, count: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Points beside streets of the largest part that the mode may use, each metre as likely."""
    edges = np.flatnonzero((network.components(mode) == 0) & (network.edge_private & mode_bit(mode) == 0))
    if len(edges) == 0:
        raise InputError(f"the map has no street for {mode}")
    weight = np.cumsum(network.edge_length_m[edges])
    chosen = edges[np.minimum(np.searchsorted(weight, rng.random(count) * weight[-1]), len(edges) - 1)]
    share = rng.random(count)
    lonlat = np.empty((count, 2))
    for i, edge in enumerate(chosen.tolist()):
        rows = slice(network.geom_ptr[edge], network.geom_ptr[edge + 1])
        at = share[i] * network.edge_length_m[edge]
        for k in range(2):
            lonlat[i, k] = np.interp(at, network.geom_along_m[rows], network.geom_lonlat[rows, k])
    return network.unproject(network.project(lonlat) + rng.uniform(-10.0, 10.0, (count, 2)))


def existing_stations(network: StreetNetwork, fleet: SyntheticFleet, count: int, seed: int) -> Stations:
    """Place stations as cities did: far from where riders rest, open 08:00-18:00 (riders work until 22:00).

    Parameters
    ----------
    network : StreetNetwork
    fleet : SyntheticFleet
        Its true rests are avoided.
    count : int
        1 or more; names are "Station 1" and so on.
    seed : int

    Returns
    -------
    Stations
        Each as far from any rest as the map allows, 450 m where it does, and apart from one another.
    """
    if count < 1:
        raise InputError(f"the number of stations must be 1 or more, not {count}")
    rng = np.random.default_rng([seed, 11])
    lonlat = _street_points(network, fleet.options.mode, max(400, 20 * count), rng)
    xy = network.project(lonlat)
    rests = np.unique(fleet.stays.lonlat[fleet.stays.kind == 0], axis=0)
    away = np.full(len(xy), AWAY_M)
    if len(rests):
        rest_xy = network.project(rests)
        away = np.array([min(AWAY_M, float(np.hypot(*(rest_xy - point).T).min())) for point in xy])
    chosen: list[int] = []
    for apart in (500.0, 250.0, 0.0):
        for k in np.argsort(-away, kind="stable").tolist():
            if len(chosen) == count:
                break
            if k not in chosen and all(np.hypot(*(xy[k] - xy[j])) >= apart for j in chosen):
                chosen.append(k)
    return Stations(
        names=tuple(f"Station {k + 1}" for k in range(len(chosen))),
        lonlat=lonlat[chosen],
        open_h=np.full(len(chosen), 8.0),
        close_h=np.full(len(chosen), 18.0),
    )


def civic_tasks(network: StreetNetwork, mode: str, count: int, at_s: float, seed: int) -> CivicTasks:
    """Scatter micro-tasks over the streets: hazards, visits, notices, patrols and a few emergencies.

    Parameters
    ----------
    network : StreetNetwork
    mode : str
        Tasks lie beside streets that it may use.
    count : int
        0 or more.
    at_s : float
        Epoch second at which they become known; each must be done within the time of its kind.
    seed : int

    Returns
    -------
    CivicTasks
    """
    if count < 0:
        raise InputError(f"the number of tasks must be 0 or more, not {count}")
    rng = np.random.default_rng([seed, 12])
    kind = rng.choice(len(TASK_KINDS), count, p=TASK_WEIGHT).astype(np.int8)
    window = np.array(TASK_WINDOW_S)[kind]
    return CivicTasks(
        lonlat=_street_points(network, mode, count, rng),
        kind=kind,
        service_s=np.round(np.array(TASK_SERVICE_S)[kind] * rng.uniform(0.7, 1.5, count)),
        earliest_s=np.full(count, at_s),
        latest_s=at_s + np.round(window * rng.uniform(0.8, 1.2, count)),
    )
