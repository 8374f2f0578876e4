"""The streets that a rider will pass in the next minutes, each with its probability, from predicted stops."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.learned.habits import Habits
from geo.learned.next_stops import NextStops, Seen
from geo.streets import Snapped, StreetNetwork
from geo.travel import find_path

__all__ = ["PassedStreets", "passed_streets"]

WAYS: Final = 12
"""Ways to so many of the likeliest stops are followed."""
THEN: Final = (3, 4)
"""Of how many of them, and to how many stops, the way on is followed."""
STOP_S: Final = 180.0
"""A stop in between lasts so long: pick-ups and drop-offs of made fleets, whose medians are 270 and 130 s."""


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
    network: StreetNetwork, mode: str, habits: Habits, seen: Seen, told: NextStops, within_s: float
) -> PassedStreets:
    """Return which streets are passed within some seconds.

    Parameters
    ----------
    network : StreetNetwork
    mode : str
    habits : Habits
    seen : Seen
        As it was given to `next_stops`.
    told : NextStops
        What that returned.
    within_s : float

    Returns
    -------
    PassedStreets
        The ways are the fastest ones; what is left to unknown stops passes no street.
    """
    found: dict[int, float] = {}
    here = network.snap(seen.lonlat[-1:], mode)
    places = network.snap(told.lonlat, mode)
    for at in range(min(WAYS, len(places))):
        chance, place = float(told.probability[at]), places.take([at])
        arrived_s = _follow(network, mode, here, place, within_s, chance, found)
        if arrived_s is None or arrived_s + STOP_S >= within_s or at >= THEN[0]:
            continue
        lon, lat = told.lonlat[at].tolist()
        prior, _ = habits.prior(seen.rider, seen.last, int(told.place[at]), (lon, lat))
        left_s = within_s - arrived_s - STOP_S
        then = np.argsort(-prior, kind="stable")[: THEN[1]]
        ends = network.snap(habits.lonlat[then], mode)
        for number, share in enumerate(prior[then].tolist()):
            _follow(network, mode, place, ends.take([number]), left_s, chance * share, found)
    directed = np.array(sorted(found), np.int64)
    probability = np.array([found[one] for one in directed.tolist()], np.float64)
    order = np.argsort(-probability, kind="stable")
    return PassedStreets(directed[order], np.minimum(probability[order], 1.0))


def _follow(
    network: StreetNetwork,
    mode: str,
    here: Snapped,
    there: Snapped,
    within_s: float,
    chance: float,
    found: dict[int, float],
) -> float | None:
    """Add the streets of one way as far as time allows; return when it ends, in seconds."""
    path = find_path(network, mode, here, there)
    if path is None:
        return None
    took_s = network.graph(mode).directed_cost_ms[path.directed_edges] / 1000.0
    if not len(took_s):
        return path.time_s
    first = int(path.directed_edges[0])
    share = float(here.offset_m[0] / network.edge_length_m[first >> 1])
    enter_s = np.cumsum(took_s) - took_s - took_s[0] * (share if first % 2 == 0 else 1.0 - share)
    for one in np.unique(path.directed_edges[enter_s < within_s]).tolist():
        found[one] = found.get(one, 0.0) + chance
    return path.time_s
