"""The riders of a request in columns, a field of their forms each: a city sends 50,000 stops."""

import dataclasses
import datetime
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from api.matching.forms import RiderIn, StopIn
from geo.arrays import FloatArray, Int64Array

__all__ = ["RIDER_INSTANTS", "STOP_INSTANTS", "SentRiders", "sent_riders"]

RIDER_INSTANTS = ("shift_start", "shift_end", "available_at")
STOP_INSTANTS = ("earliest", "due")


@dataclasses.dataclass(frozen=True, eq=False)
class SentRiders:
    """Riders and stops as they were sent, checked by their forms or by what lets the same through.

    Attributes
    ----------
    riders, stops : mapping
        By the name of a field of `RiderIn` (but for its stops) and of `StopIn`; the stops of one rider after
        those of the one before.
    rider_instants, stop_instants : mapping
        Those of the fields that are instants: epoch seconds, NaN for none.
    counts : int64 (n,)
        How many stops each rider has.
    """

    riders: Mapping[str, Sequence[Any]]
    stops: Mapping[str, Sequence[Any]]
    rider_instants: Mapping[str, FloatArray]
    stop_instants: Mapping[str, FloatArray]
    counts: Int64Array

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def owner(self) -> Int64Array:
        """Rider of each stop."""
        return np.repeat(np.arange(len(self)), self.counts)


def sent_riders(riders: Sequence[RiderIn] | SentRiders) -> SentRiders:
    """Return the riders of a request as columns, or the columns that they are."""
    if isinstance(riders, SentRiders):
        return riders
    stops = [stop for rider in riders for stop in rider.stops]
    of_riders = {
        name: list(map(operator.attrgetter(name), riders)) for name in RiderIn.model_fields if name != "stops"
    }
    of_stops = {name: list(map(operator.attrgetter(name), stops)) for name in StopIn.model_fields}
    return SentRiders(
        of_riders,
        of_stops,
        {name: _epochs(of_riders[name]) for name in RIDER_INSTANTS},
        {name: _epochs(of_stops[name]) for name in STOP_INSTANTS},
        np.array([len(rider.stops) for rider in riders], np.int64),
    )


def _epochs(instants: Sequence[datetime.datetime | None]) -> FloatArray:
    return np.array([np.nan if one is None else one.timestamp() for one in instants], np.float64)
