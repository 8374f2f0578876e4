"""Riders and their plans: what the caller knows, and what the words mean everywhere in this room.

Time
    Instants are epoch seconds; windows are closed at both ends. Inside, every instant and duration is an
    integer of milliseconds, rounded once (half to even) when it enters, so sums are exact and ties are ties.
Plan
    A plan is the rider's position followed by their remaining stops in the order the rider promised. The
    order is never changed and no stop is dropped. The rider leaves their position at ``max(now, available_s,
    shift_start_s)``.
    At stop k the rider arrives after the leg, waits until ``earliest_s`` if the rider is early, starts the
    service, and leaves ``service_s`` later::

        arrival[k] = leave[k-1] + leg[k];  start[k] = max(arrival[k], earliest[k]);  leave[k] = start[k] +
        service[k]

    Where a stop has several windows, a start that would fall between two of them moves to the later one.
    ``latest_s`` is then the end of the last window.
Leg
    walk out of the place left + network + walk into the place reached. The network part is the fastest
    legal way in the rider's mode (gates included) times their speed factor. The factor is kept in whole
    thousandths and the product is rounded up to a millisecond: a slow rider is never promised too early,
    and the order of ways stays the same, so what is fastest for one rider is fastest for all of that mode.
Late
    A stop is late by ``start - latest_s`` when that is positive. ``latest_s`` is the due instant.
Slack
    The slack of a stop in a report is ``latest_s - start`` (negative: late). The slack that an insertion
    may use is the forward time slack (Savelsbergh 1992, ORSA J. Computing 4:146): the largest delay of the
    arrival at stop k after which neither k nor any later stop is worse than allowed. Waiting at a stop
    absorbs delay before it reaches the next.
Allowed
    A stop that is late already, before any insertion, may not get one millisecond later (slack 0), and it is
    reported. A stop that is in time may come as late as ``latest_s`` less the slack that the policy keeps
    for it, but where the plan itself keeps less, it may not get later. The same holds for the end of the
    plan: the shift's end, the day's hours and the break that falls due may be met or left as they are,
    never made worse.
Dead end
    A plan may not end, because of a task, where no legal way leads on to more of the city or back to where
    the rider came from; before a stop that the rider promised in there, a task may stand.
Extra
    The extra time of a task is what it takes from the rider: by how much later the rider arrives at the stop
    after
    it (detour + waiting for the task's window + service), before later waiting absorbs any of it; at the
    end of a plan:
    from leaving the last stop to leaving the task.
"""

import dataclasses
import math

from geo.errors import InputError
from geo.streets import MODES
from routing.model.checks import (
    check_between,
    check_choice,
    check_lonlat,
    check_name,
    check_window,
    fine_place,
)
from routing.model.windows import Span, check_closed

__all__ = ["STATUSES", "STOP_KINDS", "Rider", "Stop"]

STATUSES = ("busy", "on_break", "public_benefit", "off")
"""``busy``: at work, with or without orders. ``public_benefit``: in time reserved for public tasks."""
STOP_KINDS = ("pickup", "dropoff", "task", "rest", "other")


@dataclasses.dataclass(frozen=True, slots=True)
class Stop:
    """One promised stop of a plan.

    Raises `InputError` for an empty id, a place outside of WGS-84, a negative service or a window that ends
    before it begins.
    """

    stop_id: str
    lonlat: tuple[float, float]
    """(lon, lat) in WGS-84 degrees."""
    service_s: float = 0.0
    """Seconds at the stop, 0 to 86,400."""
    earliest_s: float = -math.inf
    """Epoch seconds before which service cannot start; -inf: none."""
    latest_s: float = math.inf
    """Epoch seconds at which service must have started (due); inf: none."""
    kind: str = "dropoff"
    """One of `STOP_KINDS`."""
    load_change: int = 0
    """Parcels taken up (positive) or handed over (negative)."""
    closed_s: tuple[Span, ...] = ()
    """Spans between several windows, open at both ends: service does not start within them."""

    def __post_init__(self) -> None:
        # Requests bring tens of thousands: the words of a refusal are put together for what is wrong only.
        if (
            self.stop_id
            and fine_place(self.lonlat)
            and 0.0 <= self.service_s <= 86_400.0
            and self.earliest_s <= self.latest_s
            and self.kind in STOP_KINDS
            and not self.closed_s
        ):
            return
        check_name("stop_id", self.stop_id)
        check_lonlat(f"Place of stop {self.stop_id}", self.lonlat)
        check_between(f"service_s of stop {self.stop_id}", self.service_s, 0.0, 86_400.0)
        check_window(f"Window of stop {self.stop_id}", self.earliest_s, self.latest_s)
        check_choice(f"kind of stop {self.stop_id}", self.kind, STOP_KINDS)
        check_closed(f"stop {self.stop_id}", (self.earliest_s, self.latest_s), self.closed_s)


@dataclasses.dataclass(frozen=True, slots=True)
class Rider:
    """One rider with their position, their remaining stops and what the rules ask about them.

    Raises `InputError` where a value is outside of the range in its description.
    """

    rider_id: str
    lonlat: tuple[float, float]
    """Position now, (lon, lat) in WGS-84 degrees."""
    mode: str = "ebike"
    """One of `geo.streets.network.MODES`."""
    stops: tuple[Stop, ...] = ()
    """Remaining stops in their promised order, at most 200; stop ids differ."""
    speed_factor: float = 1.0
    """1 to 10: network times are multiplied by it (1.2 = a fifth slower). Kept in whole thousandths."""
    skills: frozenset[str] = frozenset()
    status: str = "busy"
    """One of `STATUSES`."""
    shift_start_s: float = -math.inf
    shift_end_s: float = math.inf
    """Epoch seconds, closed; infinite: not known."""
    worked_since_break_s: float = 0.0
    """Seconds of continuous work up to now."""
    worked_today_s: float = 0.0
    """Seconds of work today up to now."""
    available_s: float = -math.inf
    """Epoch seconds from when the rider can leave the position (service or break in hand); -inf: now."""
    capacity: int | None = None
    """Parcels the rider can carry; None: no limit."""
    load: int = 0
    """Parcels on board now."""
    platform: str = ""
    contribution: float = 0.0
    """Points earned by tasks in the period over which fairness is judged, >= 0."""
    extra_last_hour_s: float = 0.0
    """Extra seconds already given to tasks in the last hour, >= 0."""

    def __post_init__(self) -> None:
        check_name("rider_id", self.rider_id)
        name = self.rider_id
        if not self._in_range():
            check_lonlat(f"Position of rider {name}", self.lonlat)
            check_choice(f"mode of rider {name}", self.mode, MODES)
            check_choice(f"status of rider {name}", self.status, STATUSES)
            check_between(f"speed_factor of rider {name}", self.speed_factor, 1.0, 10.0)
            check_window(f"Shift of rider {name}", self.shift_start_s, self.shift_end_s)
            for what in ("worked_since_break_s", "worked_today_s", "contribution", "extra_last_hour_s"):
                check_between(f"{what} of rider {name}", getattr(self, what), 0.0, 1e9)
        if math.isnan(self.available_s) or self.available_s == math.inf:
            raise InputError(
                f"available_s of rider {name} is {self.available_s}; allowed are epoch seconds or -inf."
            )
        if len(self.stops) > 200:
            raise InputError(f"Rider {name} has {len(self.stops)} stops; allowed are 0 to 200.")
        if len({stop.stop_id for stop in self.stops}) != len(self.stops):
            raise InputError(f"Rider {name} has two stops with the same stop_id; they must differ.")
        if self.capacity is not None and not 0 <= self.load <= self.capacity:
            raise InputError(
                f"load of rider {name} is {self.load}; allowed is 0 to capacity {self.capacity}."
            )

    def _in_range(self) -> bool:
        """Whether all numbers are in their ranges, without the words for what is not."""
        return (
            fine_place(self.lonlat)
            and self.mode in MODES
            and self.status in STATUSES
            and 1.0 <= self.speed_factor <= 10.0
            and self.shift_start_s <= self.shift_end_s
            and 0.0 <= self.worked_since_break_s <= 1e9
            and 0.0 <= self.worked_today_s <= 1e9
            and 0.0 <= self.contribution <= 1e9
            and 0.0 <= self.extra_last_hour_s <= 1e9
        )
