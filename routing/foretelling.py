"""Where a rider who told no plan is expected to stop next, in the words of matching."""

import dataclasses
from typing import Final

import numpy as np

from geo.arrays import FloatArray
from geo.learned import Habits, NextStops, Seen, next_stops
from geo.localtime import HOUR_S
from geo.streets import StreetNetwork
from routing.model import ExpectedRider, ExpectedStop, Policy, Rider

__all__ = ["AHEAD_S", "RECENT_S", "Foretold", "SeenRider", "foretell"]

RECENT_S: Final = 900.0
"""Positions older than this say nothing of the ride that is going on."""
AHEAD_S: Final = 600.0
LATELY_S: Final = 4 * HOUR_S
"""A stop longer ago than this is none that the next one follows."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class SeenRider:
    """What was seen of one rider; WGS-84, epoch seconds, rising.

    Attributes
    ----------
    t_s, lonlat : float64 (n,), (n, 2)
        Positions of the last quarter of an hour; the last one is where the rider is.
    past_t_s, past_lonlat : float64 (m,), (m, 2)
        When they arrived at stops before, and where.
    """

    t_s: FloatArray
    lonlat: FloatArray
    past_t_s: FloatArray
    past_lonlat: FloatArray


@dataclasses.dataclass(frozen=True, eq=False)
class Foretold:
    """One rider and what is foretold; without `rider`: the position lies on no street, `off_m` away from one.

    ``habits`` are those of the rider's platform.
    """

    rider_id: str
    mode: str
    rider: ExpectedRider | None
    stops: NextStops
    seen: Seen
    habits: Habits
    off_m: float | None = None

    @property
    def off(self) -> bool:
        """Whether the rider is left out."""
        return self.rider is None


def foretell(
    network: StreetNetwork, rider: Rider, number: int, seen: SeenRider, habits: Habits, policy: Policy
) -> Foretold:
    """Foretell the next stops of one rider.

    Parameters
    ----------
    network : StreetNetwork
    rider : Rider
        Where ``seen`` saw them last.
    number : int
        Of the rider in ``habits``; -1: not among them.
    seen : SeenRider
    habits : Habits
        Of this rider and others of the same platform.
    policy : Policy
    """
    now_s = float(seen.t_s[-1])
    here = seen.lonlat[-1:]
    lately = (seen.past_t_s > now_s - LATELY_S) & (seen.past_t_s < now_s)
    before_last, last = (-1, -1, *habits.place_at(seen.past_lonlat[lately][-2:]).tolist())[-2:]
    recent = seen.t_s >= now_s - RECENT_S
    told = Seen(number, before_last, last, seen.t_s[recent], seen.lonlat[recent])
    street = network.snap(here, rider.mode, policy.walk_to_street_m)
    stops = next_stops(network, rider.mode, habits, told)
    if not street.ok[0]:
        away = float(street.walk_m[0])
        off_m = round(away, 3) if away < np.inf else None
        return Foretold(rider.rider_id, rider.mode, None, stops, told, habits, off_m)
    # As told, so that whoever checks the answer finds the same sums.
    expected = tuple(
        ExpectedStop((round(lon, 7), round(lat, 7)), round(chance, 6))
        for (lon, lat), chance in zip(stops.lonlat.tolist(), stops.probability.tolist(), strict=True)
    )
    # Nothing foretold, nothing that could be over.
    holds_until_s = now_s + (stops.holds_s if expected else AHEAD_S)
    one = ExpectedRider(rider, expected, holds_until_s)
    return Foretold(rider.rider_id, rider.mode, one, stops, told, habits)
