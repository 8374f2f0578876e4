"""The next stops of a rider who told no plan: habit, corrected by where the rider has been riding lately.

Whoever rides to a place nears it, by streets: from the start of a ride to a place by way of where the rider
is now takes hardly longer than straight on (J. Krumm, E. Horvitz, "Predestination", UbiComp 2006). So each
place loses probability by the seconds that the ride so far would have been a detour on the way to it.
"""

import dataclasses
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.learned.habits import Habits
from geo.streets import Snapped, StreetNetwork
from geo.travel import travel_times_s

__all__ = ["MOST_STOPS_TOLD", "NextStops", "Seen", "next_stops", "ride_start"]

DETOUR_S: Final = 20.0
"""A detour of so many seconds makes a place e times less likely. Chosen on a made fleet of seed 5, of 5 to
120 s, by whether probabilities came true; no figure that is told is of that fleet."""
ELSEWHERE: Final = 0.5
"""The same for a place that is not known. Ours: of such places half may lie ahead."""
STAND_M, STAND_S = 30.0, 60.0
"""Whoever is so near to where they were so long before stands."""
FARTHEST_S: Final = 2400.0
MOST_STOPS_TOLD: Final = 100
LEAST: Final = 0.001
"""Less likely places are not told; their probability is that of none of them."""
OVER: Final = 0.1
"""A prediction holds until so large a part of it has come to an end."""


@dataclasses.dataclass(frozen=True, eq=False)
class Seen:
    """What is known of a rider lately.

    Attributes
    ----------
    rider : int
        As numbered in the habits; -1: nobody known.
    before, last : int
        Places of the last two stops; -1: none, or not known.
    t_s, lonlat : float64 (n,), (n, 2)
        Positions of the last minutes, rising; at least one. WGS-84 degrees.
    """

    rider: int
    before: int
    last: int
    t_s: NDArray[np.float64]
    lonlat: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class NextStops:
    """Where a rider may stop next, the likeliest first.

    Attributes
    ----------
    place : int64 (s,)
        Of the habits.
    lonlat : float64 (s, 2)
    probability : float64 (s,)
    away_s : float64 (s,)
        Seconds from the latest position.
    elsewhere : float
        Probability of a place that is none of them.
    holds_s : float
        Seconds until the rider has arrived with a probability of a tenth, if all probabilities are right.
    """

    place: NDArray[np.int64]
    lonlat: NDArray[np.float64]
    probability: NDArray[np.float64]
    away_s: NDArray[np.float64]
    elsewhere: float
    holds_s: float


def ride_start(t_s: NDArray[np.float64], lonlat: NDArray[np.float64], network: StreetNetwork) -> int:
    """Return from which of the positions (rising) on the rider has not stood; the last one: stands."""
    xy = network.project(lonlat)
    later = np.searchsorted(t_s, t_s + STAND_S, side="left")
    start = 0
    for at, until in enumerate(later.tolist()):
        if until < len(t_s) and np.hypot(*(xy[until] - xy[at])) < STAND_M:
            start = until
    return start


def next_stops(network: StreetNetwork, mode: str, habits: Habits, seen: Seen) -> NextStops:
    """Predict the next stop of one rider.

    Parameters
    ----------
    network : StreetNetwork
    mode : str
    habits : Habits
        Of this rider and others of the same owner.
    seen : Seen

    Returns
    -------
    NextStops
        Without habits, or off the streets: none, and `elsewhere` 1.
    """
    begin = ride_start(seen.t_s, seen.lonlat, network)
    ends = network.snap(seen.lonlat[[begin, -1]], mode)
    if not len(habits) or not ends.ok.all():
        return _nothing()
    last, before = seen.last, seen.before
    standing = begin == len(seen.t_s) - 1
    if standing and (here := int(habits.place_at(seen.lonlat[-1:])[0])) >= 0 and here != last:
        # The stop that is going on is the last one.
        last, before = here, last
    lon, lat = (seen.lonlat[begin] if last < 0 else habits.lonlat[last]).tolist()
    prior, elsewhere = habits.prior(seen.rider, before, last, (lon, lat))
    chosen = np.flatnonzero(prior > LEAST / 100)
    places = network.snap(habits.lonlat[chosen], mode)
    away_s = travel_times_s(network, mode, ends, places, FARTHEST_S)
    likely = prior[chosen] * np.isfinite(away_s[1])
    if not standing:
        likely, elsewhere = _moved(network, mode, ends, away_s, likely, elsewhere)
    total = likely.sum() + elsewhere
    if total <= 0.0:
        return _nothing()
    return _most_likely(habits, chosen, likely / total, away_s[1])


def _moved(
    network: StreetNetwork,
    mode: str,
    ends: Snapped,
    away_s: NDArray[np.float64],
    likely: NDArray[np.float64],
    elsewhere: float,
) -> tuple[NDArray[np.float64], float]:
    """Weigh places by the detour that the ride so far would have been."""
    so_far_s = float(travel_times_s(network, mode, ends.take([0]), ends.take([1]), FARTHEST_S)[0, 0])
    if not np.isfinite(so_far_s):
        return likely, elsewhere
    with np.errstate(invalid="ignore"):
        detour_s = np.maximum(so_far_s + away_s[1] - away_s[0], 0.0)
    # From the start it may be out of reach, though it is not from here.
    detour_s = np.where(np.isfinite(detour_s), detour_s, 0.0)
    return likely * np.exp(-detour_s / DETOUR_S), elsewhere * ELSEWHERE


def _most_likely(
    habits: Habits, chosen: NDArray[np.int64], probability: NDArray[np.float64], away_s: NDArray[np.float64]
) -> NextStops:
    order = np.lexsort((chosen, -probability))[:MOST_STOPS_TOLD]
    order = order[probability[order] >= LEAST]
    likelihood, away = probability[order], away_s[order]
    by_time = np.argsort(away, kind="stable")
    over = np.flatnonzero(np.cumsum(likelihood[by_time]) >= OVER)
    holds_s = float(away[by_time][over[0]]) if len(over) else 0.0
    place = chosen[order]
    return NextStops(
        place, habits.lonlat[place], likelihood, away, max(1.0 - float(likelihood.sum()), 0.0), holds_s
    )


def _nothing() -> NextStops:
    none = np.empty(0)
    return NextStops(np.empty(0, np.int64), np.empty((0, 2)), none, none, 1.0, 0.0)
