"""Riders of a made day on the streets: they drive their plans, and what they do is told as it happens."""

import dataclasses
import datetime

import numpy as np

from api.dispatch.forms import RiderStateIn
from api.forms import instant_of
from geo.arrays import FloatArray
from geo.streets import StreetNetwork
from geo.travel import find_path

__all__ = ["Moving", "PlannedStop", "Reached"]

MODE = "ebike"


@dataclasses.dataclass(slots=True)
class PlannedStop:
    """One stop of a plan; a task's stop bears the task's id."""

    stop_id: str
    lonlat: tuple[float, float]
    service_s: float
    due_s: float | None = None
    rest: bool = False
    offer_id: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Reached:
    """A stop that was reached, and when its service begins and ends."""

    stop: PlannedStop
    at_s: float
    leave_s: float


@dataclasses.dataclass(slots=True)
class _Leg:
    stop_id: str
    began_s: float
    time_s: float
    lonlat: FloatArray
    along: FloatArray
    """Share of the way at each point, 0 to 1."""

    def at(self, now_s: float) -> tuple[float, float]:
        share = min(max((now_s - self.began_s) / self.time_s, 0.0), 1.0) if self.time_s > 0 else 1.0
        lon, lat = (float(np.interp(share, self.along, self.lonlat[:, axis])) for axis in (0, 1))
        return lon, lat


class Moving:
    """One rider.

    Parameters
    ----------
    network : StreetNetwork
    rider_id : str
    lonlat : (lon, lat)
        Where the day begins, WGS-84.
    now_s : float
        Epoch seconds.
    """

    def __init__(
        self, network: StreetNetwork, rider_id: str, lonlat: tuple[float, float], now_s: float
    ) -> None:
        self.network, self.rider_id = network, rider_id
        self.here, self.now_s, self.free_s = lonlat, now_s, now_s
        self.plan: list[PlannedStop] = []
        self._leg: _Leg | None = None

    def dispatch(self, stops: list[PlannedStop], buffers_s: list[float]) -> None:
        """Take a wave on; what is promised is the arrival as the plan stands, and a buffer."""
        at_s, here = self._ends()
        for stop, buffer_s in zip(stops, buffers_s, strict=True):
            at_s += self._time_s(here, stop.lonlat)
            if not stop.rest:
                stop.due_s = at_s + buffer_s
            at_s, here = at_s + stop.service_s, stop.lonlat
        self.plan += stops

    def order(self, stop_ids: list[str], task: PlannedStop) -> None:
        """Put a task's stop where the service has it in the plan."""
        behind = stop_ids[stop_ids.index(task.stop_id) + 1 :]
        place = next((n for n, stop in enumerate(self.plan) if stop.stop_id in behind), len(self.plan))
        self.plan.insert(place, task)

    def drop(self, stop_id: str) -> None:
        """Take a stop out of the plan."""
        self.plan = [stop for stop in self.plan if stop.stop_id != stop_id]

    def advance(self, until_s: float) -> list[Reached]:
        """Drive on to an instant; returns the stops that were reached, in order."""
        reached = []
        while self.plan and self.free_s <= until_s:
            leg = self._under_way()
            arrives_s = leg.began_s + leg.time_s
            if arrives_s > until_s:
                self.here = leg.at(until_s)
                break
            stop = self.plan.pop(0)
            self._leg, self.here = None, stop.lonlat
            self.free_s = arrives_s + stop.service_s
            reached.append(Reached(stop, arrives_s, self.free_s))
        self.now_s = until_s
        return reached

    def report(self) -> RiderStateIn:
        """Return what the platform says of the rider: own stops only."""
        stops = [
            {
                "stop_id": stop.stop_id,
                "lon": round(stop.lonlat[0], 7),
                "lat": round(stop.lonlat[1], 7),
                "service_s": stop.service_s,
                "kind": "rest" if stop.rest else "dropoff",
                "due": None if stop.due_s is None else instant_of(stop.due_s, datetime.UTC),
            }
            for stop in self.plan
            if stop.offer_id is None
        ]
        return RiderStateIn.model_validate(
            {
                "rider_id": self.rider_id,
                "at": instant_of(self.now_s, datetime.UTC),
                "lon": round(self.here[0], 7),
                "lat": round(self.here[1], 7),
                "stops": stops,
                "available_at": instant_of(max(self.free_s, self.now_s), datetime.UTC),
            }
        )

    def _under_way(self) -> _Leg:
        """Return the leg to the next stop, a new one where the next stop is another."""
        if self._leg is None or self._leg.stop_id != self.plan[0].stop_id:
            began_s = max(self.free_s, self.now_s)
            self._leg = self._leg_to(self.plan[0], began_s)
        return self._leg

    def _leg_to(self, stop: PlannedStop, began_s: float) -> _Leg:
        ends = self.network.snap(np.array([self.here, stop.lonlat]), MODE)
        path = find_path(self.network, MODE, ends.take([0]), ends.take([1]))
        if path is None:
            # Made days lie on streets that all hang together; a rider set down beside them walks on.
            return _Leg(stop.stop_id, began_s, 0.0, np.array([stop.lonlat]), np.zeros(1))
        lonlat = np.vstack([[self.here], path.lonlat, [stop.lonlat]])
        xy = self.network.project(lonlat)
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
        return _Leg(stop.stop_id, began_s, path.time_s, lonlat, along / max(float(along[-1]), 1e-9))

    def _time_s(self, here: tuple[float, float], there: tuple[float, float]) -> float:
        ends = self.network.snap(np.array([here, there]), MODE)
        path = find_path(self.network, MODE, ends.take([0]), ends.take([1]))
        return 0.0 if path is None else path.time_s

    def _ends(self) -> tuple[float, tuple[float, float]]:
        """When and where the plan as it stands ends."""
        at_s, here = max(self.free_s, self.now_s), self.here
        for stop in self.plan:
            at_s, here = at_s + self._time_s(here, stop.lonlat) + stop.service_s, stop.lonlat
        return at_s, here
