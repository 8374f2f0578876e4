"""The streets that a rider will pass in the next minutes, each with its probability, from predicted stops."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.learned.destinations import NextStops, Seen
from geo.learned.habits import Habits
from geo.streets import StreetNetwork
from geo.travel.many_paths import route_trips

__all__ = ["PassedStreets", "passed_streets"]

THEN: Final = (6, 20)
"""Of how many of the likeliest stops, and to how many places, the way on is followed."""
STOP_S: Final = 180.0
"""A stop in between lasts so long: pick-ups and drop-offs of made fleets, whose medians are 270 and 130 s."""


SURE: Final = 0.65
"""No street is likelier than this, for a phone does not tell on which of several streets one is: of those
that were told with more on made fleets of seed 5 so many were passed."""


class PassedStreets(NamedTuple):
    """Streets, the likeliest first.

    Attributes
    ----------
    directed : int64 (s,)
        ``2 * edge + (0 along, 1 against)``.
    probability : float64 (s,)
        That it is passed, in part at least, within the time asked for.
    """

    directed: NDArray[np.int64]
    probability: NDArray[np.float64]


def passed_streets(
    network: StreetNetwork, mode: str, habits: Habits, seen: Seen, predicted: NextStops, within_s: float
) -> PassedStreets:
    """Return which streets are passed within some seconds.

    Parameters
    ----------
    network : StreetNetwork
    mode : str
    habits : Habits
    seen : Seen
        As it was given to `next_stops`.
    predicted : NextStops
        What that returned.
    within_s : float

    Returns
    -------
    PassedStreets
        The ways are the fastest ones; what is left to unknown stops passes no street.
    """
    found: dict[int, float] = {}
    here = seen.lonlat[-1:]
    _follow(network, mode, here, predicted.lonlat, within_s, predicted.probability, found)
    for at in range(min(THEN[0], len(predicted.place))):
        left = within_s - float(predicted.away_s[at]) - STOP_S
        if left <= 0.0:
            continue
        lon, lat = predicted.lonlat[at].tolist()
        prior, _ = habits.prior(seen.rider, seen.last, int(predicted.place[at]), (lon, lat))
        then = np.argsort(-prior, kind="stable")[: THEN[1]]
        chance = float(predicted.probability[at]) * prior[then]
        start = predicted.lonlat[at : at + 1]
        _follow(network, mode, start, habits.lonlat[then], left, chance, found)
    directed = np.array(sorted(found), np.int64)
    probability = np.array([found[one] for one in directed.tolist()], np.float64)
    order = np.argsort(-probability, kind="stable")
    return PassedStreets(directed[order], np.minimum(probability[order], SURE))


def _follow(
    network: StreetNetwork,
    mode: str,
    here: NDArray[np.float64],
    there: NDArray[np.float64],
    within_s: float,
    chance: NDArray[np.float64],
    found: dict[int, float],
) -> None:
    """Add the streets of the ways from one place to several as far as time allows."""
    places = network.snap(np.concatenate([here, there]), mode)
    target = np.arange(1, len(places), dtype=np.int32)
    wanted = places.ok[1:] & places.ok[0]
    ways = route_trips(network, mode, places, np.zeros_like(target), target, wanted, threads=1)
    cost_s = network.graph(mode).directed_cost_ms / 1000.0
    for at in np.flatnonzero(np.diff(ways.ptr)).tolist():
        path = ways.edges[ways.ptr[at] : ways.ptr[at + 1]].astype(np.int64)
        took_s, first = cost_s[path], int(path[0])
        share = float(places.offset_m[0] / network.edge_length_m[first >> 1])
        enter_s = np.cumsum(took_s) - took_s - took_s[0] * (share if first % 2 == 0 else 1.0 - share)
        for one in np.unique(path[enter_s < within_s]).tolist():
            found[one] = found.get(one, 0.0) + float(chance[at])
