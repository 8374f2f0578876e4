"""A synthetic fleet in columns: how it was made, what phones reported, and what really happened."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from geo.datum import DATUMS
from geo.errors import InputError
from geo.streets.raw import MODES
from geo.synthetic.gps import Movement
from geo.synthetic.phones import PHONES
from geo.travel.many_paths import TripPaths

__all__ = ["EVENTS", "FleetOptions", "Orders", "Points", "SyntheticFleet", "TrueStays"]

EVENTS = ("", "accepted", "arrived", "picked_up", "delivered", "online", "offline")
"""What a platform may write beside a point: the last thing that happened since the point before."""


@dataclass(frozen=True)
class FleetOptions:
    """What kind of fleet to make.

    Attributes
    ----------
    riders, days : int
        1 to 100,000 riders, 1 to 366 days.
    first_day : datetime.date
    timezone : str
        Shifts follow its local time.
    seed : int
        All chance comes from it.
    interval_s : int
        Seconds between two points, 1 to 600.
    noise_m : (float, float)
        Each rider's phone has an own noise between these two standard deviations, metres along each axis.
    mode : str
        One of `geo.streets.network.MODES`.
    datum : str or tuple of str
        Datum of the platform files, or one for each platform: ``wgs84``, ``gcj02``, ``bd09``.
    platforms : tuple of str
        Riders are assigned to them.
    silent_events : tuple of str
        Platforms that report positions only, no events.
    broken_share : float
        Part of the rows, 0 to 0.5, that are spoiled (see `geo.synthetic.gps.break_rows`).
    gaps_an_hour : float
        Tunnels and switched-off phones: gaps of 1-5 min, 0 to 10 an hour.
    radius_m : float
        The fleet works within this distance (300 m to 200 km) of the densest quarter of the map.
    phones : tuple of str
        Kinds of `geo.synthetic.phones.PHONES`, dealt out to the riders; with others than plain ones the
        files hold a column of the accuracy.
    traffic : float
        Strength of traffic by street and hour that no map shows, 0 (none) to 1.
    """

    riders: int = 200
    days: int = 4
    first_day: date = date(2026, 3, 2)
    timezone: str = "Asia/Shanghai"
    seed: int = 1
    interval_s: int = 20
    noise_m: tuple[float, float] = (5.0, 15.0)
    mode: str = "ebike"
    datum: str | tuple[str, ...] = "wgs84"
    platforms: tuple[str, ...] = ("blue", "yellow")
    silent_events: tuple[str, ...] = ()
    broken_share: float = 0.002
    gaps_an_hour: float = 0.15
    radius_m: float = 5000.0
    phones: tuple[str, ...] = ("plain",)
    traffic: float = 0.0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("riders", 1, 100_000), ("days", 1, 366), ("interval_s", 1, 600), ("seed", 0, 2**63 - 1),
            ("broken_share", 0, 0.5), ("gaps_an_hour", 0, 10), ("radius_m", 300, 200_000),
            ("traffic", 0, 1),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name} must be {low} to {high}, not {value}")
        if not 0 <= self.noise_m[0] <= self.noise_m[1] <= 200:
            raise InputError(f"noise_m must be two rising numbers from 0 to 200 m, not {self.noise_m}")
        if self.mode not in MODES:
            raise InputError(f"mode must be one of {', '.join(MODES)}, not {self.mode!r}")
        if not self.phones or set(self.phones) - set(PHONES):
            raise InputError(f"phones must be one or more of {', '.join(PHONES)}, not {self.phones}")
        if not self.platforms:
            raise InputError("platforms must name at least one platform")
        for datum in self.datums:
            if datum not in DATUMS:
                raise InputError(f"datum must be one of {', '.join(DATUMS)}, not {datum!r}")
        if len(self.datums) != len(self.platforms):
            raise InputError(f"datum must be one name or {len(self.platforms)} names, one a platform")

    @property
    def datums(self) -> tuple[str, ...]:
        """Datum of each platform."""
        return (self.datum,) * len(self.platforms) if isinstance(self.datum, str) else self.datum


@dataclass(frozen=True)
class Points:
    """Rows of the platform files: riders in order, then time, apart from the spoiled rows.

    Attributes
    ----------
    rider : int32 (n,)
        Index into `SyntheticFleet.rider_ids`.
    t_s : int64 (n,)
        Epoch seconds as reported.
    lonlat : float64 (n, 2)
        Degrees in the datum of the rider's platform.
    event : int8 (n,)
        Index into EVENTS.
    broken : int8 (n,)
        Index into `geo.synthetic.gps.BROKEN`: truth, not written to files.
    accuracy_m : float32 (n,), optional
        As the phone says it, where some phones are not plain.
    """

    rider: NDArray[np.int32]
    t_s: NDArray[np.int64]
    lonlat: NDArray[np.float64]
    event: NDArray[np.int8]
    broken: NDArray[np.int8]
    accuracy_m: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class TrueStays:
    """Every stop that happened, by rider and start; positions in WGS-84.

    Attributes
    ----------
    rider : int32 (s,)
    start_s, end_s : float64 (s,)
    lonlat : float64 (s, 2)
    kind : int8 (s,)
        Index into `geo.stays.KINDS`.
    order : int32 (s,)
        Row of `Orders`, -1 for none.
    """

    rider: NDArray[np.int32]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    lonlat: NDArray[np.float64]
    kind: NDArray[np.int8]
    order: NDArray[np.int32]


@dataclass(frozen=True)
class Orders:
    """Orders, by rider and time; instants are epoch seconds, positions (lon, lat) in WGS-84.

    Attributes
    ----------
    rider : int32 (o,)
    restaurant, home : float64 (o, 2)
    placed_s, accepted_s, arrived_s, picked_s, reached_s, dropped_s, due_s : float64 (o,)
        `arrived_s` at the restaurant, `reached_s` at the door's street; `due_s` is the promise.
    """

    rider: NDArray[np.int32]
    restaurant: NDArray[np.float64]
    home: NDArray[np.float64]
    placed_s: NDArray[np.float64]
    accepted_s: NDArray[np.float64]
    arrived_s: NDArray[np.float64]
    picked_s: NDArray[np.float64]
    reached_s: NDArray[np.float64]
    dropped_s: NDArray[np.float64]
    due_s: NDArray[np.float64]


@dataclass(frozen=True)
class SyntheticFleet:
    """Points as platforms would hand them over, and what really happened.

    Attributes
    ----------
    options : FleetOptions
    rider_ids : tuple of str
        Codes as a platform would write them.
    rider_platform : int16 (r,)
        Index into `options.platforms`.
    points : Points
    stays : TrueStays
    orders : Orders
    movement : geo.synthetic.gps.Movement
        True position at every moment.
    trips : TripPaths
        Directed edges of each trip; `trip_rider`, `trip_start_s`, `trip_end_s` tell whose and when.
    shift_rider, shift_start_s, shift_end_s : int32, float64, float64
        From going online to going offline.
    """

    options: FleetOptions
    rider_ids: tuple[str, ...]
    rider_platform: NDArray[np.int16]
    points: Points
    stays: TrueStays
    orders: Orders
    movement: Movement
    trips: TripPaths
    trip_rider: NDArray[np.int32]
    trip_start_s: NDArray[np.float64]
    trip_end_s: NDArray[np.float64]
    shift_rider: NDArray[np.int32]
    shift_start_s: NDArray[np.float64]
    shift_end_s: NDArray[np.float64]
