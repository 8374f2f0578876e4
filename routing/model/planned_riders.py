"""Riders in columns, made objects when somebody asks for them: a city's request brings 50,000 stops."""

import dataclasses
import itertools
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import numpy as np

from geo.arrays import BoolArray, FloatArray, Int64Array
from geo.streets import MODES
from routing.model.riders import STATUSES, STOP_KINDS, Rider
from routing.model.windows import Span

__all__ = [
    "PlannedRiders",
    "RiderColumns",
    "StopColumns",
    "as_table",
    "numbers_of",
    "rider_columns",
    "stop_columns",
]


def numbers_of(rows: Sequence[object], name: str) -> FloatArray:
    """Return an attribute of many objects as numbers."""
    return np.fromiter(map(operator.attrgetter(name), rows), np.float64, len(rows))


@dataclasses.dataclass(frozen=True, eq=False)
class RiderColumns:
    """What `Rider` says, a row a rider."""

    ids: Sequence[str]
    mode: Sequence[str]
    status: Sequence[str]
    platform: Sequence[str]
    skills: Sequence[Sequence[str] | frozenset[str]]
    shift_start_s: FloatArray
    shift_end_s: FloatArray
    available_s: FloatArray
    speed_factor: FloatArray
    worked_since_break_s: FloatArray
    worked_today_s: FloatArray
    contribution: FloatArray
    extra_last_hour_s: FloatArray
    capacity: FloatArray
    """NaN: no limit."""
    load: FloatArray
    stops: Int64Array
    """How many."""


@dataclasses.dataclass(frozen=True, eq=False)
class StopColumns:
    """What `Stop` says, a row a stop, those of one rider after those of the one before."""

    ids: Sequence[str]
    kind: Sequence[str]
    service_s: FloatArray
    earliest_s: FloatArray
    latest_s: FloatArray
    load_change: FloatArray
    closed_s: Sequence[tuple[Span, ...]]


class PlannedRiders(Sequence[Rider]):
    """Riders with their stops in columns.

    Parameters
    ----------
    riders : RiderColumns
    stops : StopColumns
    lonlat : float64 (n + stops, 2)
        WGS-84 degrees: the position of each rider, followed by their stops.
    made : callable
        Makes the rider of a row.

    Raises
    ------
    InputError
        As `Rider` and `Stop` do, where a value is outside of its range.
    """

    def __init__(
        self, riders: RiderColumns, stops: StopColumns, lonlat: FloatArray, made: Callable[[int], Rider]
    ) -> None:
        self.riders, self.stops, self.lonlat = riders, stops, lonlat
        self._make = made
        self._made: dict[int, Rider] = {}
        ends = np.cumsum(riders.stops + 1)
        self.first: Int64Array = ends - riders.stops - 1
        """Row of `lonlat` of each position; of the stops, row less the number of the rider and 1."""
        for row in np.flatnonzero(~self._fine()).tolist():
            self._make(row)

    def __len__(self) -> int:
        return len(self.riders.ids)

    @overload
    def __getitem__(self, row: int) -> Rider: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Rider]: ...
    def __getitem__(self, row: int | slice) -> Rider | Sequence[Rider]:
        if isinstance(row, slice):
            return [self[at] for at in range(*row.indices(len(self)))]
        at = range(len(self))[row]
        if at not in self._made:
            self._made[at] = self._make(at)
        return self._made[at]

    def __iter__(self) -> Iterator[Rider]:
        return map(self.__getitem__, range(len(self)))

    def _fine(self) -> BoolArray:
        """Rows of which `Rider` and `Stop` have nothing to say; of all others they are asked."""
        r, s = self.riders, self.stops
        fine = _named(r.ids)
        fine &= _among(r.mode, MODES) & _among(r.status, STATUSES)
        fine &= (r.speed_factor >= 1.0) & (r.speed_factor <= 10.0) & (r.shift_start_s <= r.shift_end_s)
        for column in (r.worked_since_break_s, r.worked_today_s, r.contribution, r.extra_last_hour_s):
            fine &= (column >= 0.0) & (column <= 1e9)
        fine &= (r.available_s < np.inf) & (r.stops <= 200)
        fine &= np.isnan(r.capacity) | ((r.load >= 0) & (r.load <= r.capacity))
        lon, lat = self.lonlat[:, 0], self.lonlat[:, 1]
        placed = (lon >= -180.0) & (lon <= 180.0) & (lat >= -90.0) & (lat <= 90.0)
        whole = (s.service_s >= 0.0) & (s.service_s <= 86_400.0) & (s.earliest_s <= s.latest_s)
        whole &= _named(s.ids) & _among(s.kind, STOP_KINDS)
        owner = np.repeat(np.arange(len(self)), r.stops)
        fine[owner[~whole]] = False
        fine[np.repeat(np.arange(len(self)), r.stops + 1)[~placed]] = False
        ends = np.cumsum(r.stops).tolist()
        # Many riders number their stops alike.
        named = [tuple(s.ids[first:last]) for first, last in itertools.pairwise([0, *ends])]
        twice = {ids for ids in set(named) if len(set(ids)) != len(ids)}
        if twice:
            fine[[ids in twice for ids in named]] = False
        for at in itertools.compress(range(len(s.ids)), s.closed_s):
            fine[owner[at]] = False
        return fine


def _named(ids: Sequence[str]) -> BoolArray:
    return np.ones(len(ids), np.bool_) if all(ids) else np.array(list(map(bool, ids)), np.bool_)


def _among(words: Sequence[str], known: Sequence[str]) -> BoolArray:
    """Return which words are known; of tens of thousands of words few differ."""
    strange = set(words) - set(known)
    if not strange:
        return np.ones(len(words), np.bool_)
    return np.array([word not in strange for word in words], np.bool_)


def rider_columns(
    riders: Sequence[Any], *, shift_start_s: FloatArray, shift_end_s: FloatArray, available_s: FloatArray
) -> RiderColumns:
    """Return the columns of riders, or of whatever names its fields as `Rider` does, but for instants."""
    return RiderColumns(
        ids=[rider.rider_id for rider in riders],
        mode=[rider.mode for rider in riders],
        status=[rider.status for rider in riders],
        platform=[rider.platform for rider in riders],
        skills=[rider.skills for rider in riders],
        shift_start_s=shift_start_s,
        shift_end_s=shift_end_s,
        available_s=available_s,
        speed_factor=numbers_of(riders, "speed_factor"),
        worked_since_break_s=numbers_of(riders, "worked_since_break_s"),
        worked_today_s=numbers_of(riders, "worked_today_s"),
        contribution=numbers_of(riders, "contribution"),
        extra_last_hour_s=numbers_of(riders, "extra_last_hour_s"),
        capacity=np.array([np.nan if one.capacity is None else one.capacity for one in riders], np.float64),
        load=numbers_of(riders, "load"),
        stops=np.array([len(rider.stops) for rider in riders], np.int64),
    )


def stop_columns(
    stops: Sequence[Any],
    *,
    earliest_s: FloatArray,
    latest_s: FloatArray,
    closed_s: Sequence[tuple[Span, ...]],
) -> StopColumns:
    """Return the columns of stops, or of whatever names its fields as `Stop` does, but for windows."""
    return StopColumns(
        ids=[stop.stop_id for stop in stops],
        kind=[stop.kind for stop in stops],
        service_s=numbers_of(stops, "service_s"),
        earliest_s=earliest_s,
        latest_s=latest_s,
        load_change=numbers_of(stops, "load_change"),
        closed_s=closed_s,
    )


def as_table(riders: Sequence[Rider]) -> PlannedRiders:
    """Return riders as a table, or the table that they are."""
    if isinstance(riders, PlannedRiders):
        return riders
    stops = [stop for rider in riders for stop in rider.stops]
    places = [place for rider in riders for place in (rider.lonlat, *(stop.lonlat for stop in rider.stops))]
    return PlannedRiders(
        rider_columns(
            riders,
            shift_start_s=numbers_of(riders, "shift_start_s"),
            shift_end_s=numbers_of(riders, "shift_end_s"),
            available_s=numbers_of(riders, "available_s"),
        ),
        stop_columns(
            stops,
            earliest_s=numbers_of(stops, "earliest_s"),
            latest_s=numbers_of(stops, "latest_s"),
            closed_s=[stop.closed_s for stop in stops],
        ),
        np.array(places, np.float64).reshape(-1, 2),
        riders.__getitem__,
    )
