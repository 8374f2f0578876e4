"""Whether learned times are to be trusted: trips of riders and days that the learning did not see.

A promise is made with a quantile of these: the ratio of true to expected time that so large a share of unseen
trips stays below (split conformal prediction: V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a
Random World", 2005; J. Lei et al., JASA 113, 2018). It holds for trips that are like those held out.
"""

import dataclasses
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.learned.ridden import RiddenStreets, Trips, trips_of
from geo.learned.speeds import LearnedTimes, learn_times
from geo.localtime import day_number, local_s
from geo.streets import StreetNetwork

__all__ = ["LEAST_TRIPS", "HeldOut", "Learned", "learn"]

LEAST_TRIPS: Final = 100
HELD_RIDERS: Final = 0.25
HELD_DAYS: Final = 0.25


@dataclasses.dataclass(frozen=True, eq=False)
class HeldOut:
    """Trips of riders and days that were not learned from: median absolute percentage errors (0-1).

    ``ratio`` float64 (trips,) rising: true over expected time by learned times.
    """

    trips: int
    riders: int
    days: int
    by_class: float
    by_one_factor: float
    by_learned: float
    ratio: NDArray[np.float64]

    def promise_factor(self, share: float) -> float:
        """Return by how much expected times are multiplied so that ``share`` of unseen trips are no longer.

        Raises
        ------
        InputError
            If ``share`` is not between 0 and 1, or the trips are too few to tell.
        """
        if not 0.0 < share < 1.0:
            raise InputError(f"the share of trips must lie between 0 and 1, not {share}")
        rank = int(np.ceil((len(self.ratio) + 1) * share))
        if rank > len(self.ratio):
            raise InputError(f"{len(self.ratio)} trips are too few for a share of {share}")
        return float(self.ratio[rank - 1])


@dataclasses.dataclass(frozen=True, eq=False)
class Learned:
    """Learned times of all rides, and what is known of their error.

    ``why`` is ``better`` where they are to be used, else ``few_riders``, ``few_trips`` or ``no_better``.
    """

    times: LearnedTimes
    held_out: HeldOut | None
    why: str

    @property
    def trusted(self) -> bool:
        """Whether they are to be used in place of class speeds."""
        return self.why == "better"


def learn(network: StreetNetwork, rides: RiddenStreets, timezone: str, *, seed: int, k: int) -> Learned:
    """Learn travel times, and hold them against riders and days not seen.

    They are trusted when ``k`` riders stand on both sides, `LEAST_TRIPS` trips are held out, and the median
    error of these is smaller than by class speeds.

    Parameters
    ----------
    network : StreetNetwork
        The one to which the rides were compared.
    rides : RiddenStreets
    timezone : str
        Of the city: days are local.
    seed : int
        Which riders are held out depends on it alone.
    k : int
        Fewest riders on both sides, and behind each factor; 1 or more.
    """
    day = day_number(local_s(rides.enter_s.astype(np.int64), timezone))
    held_rider, first_held = _held(rides.rider, day, seed)
    seen = rides.take(~held_rider[rides.rider] & (day < first_held)) if len(day) else rides
    times = learn_times(network, rides, k)
    trips = trips_of(rides)
    chosen = np.asarray(held_rider[trips.rider] & (day[trips.first] >= first_held))
    riders = len(np.unique(trips.rider[chosen]))
    if riders < k or len(np.unique(seen.rider)) < k:
        return Learned(times, None, "few_riders")
    if int(chosen.sum()) < LEAST_TRIPS:
        return Learned(times, None, "few_trips")
    held = _judged(learn_times(network, seen, k), seen, rides, trips, chosen)
    held = dataclasses.replace(held, riders=riders, days=len(np.unique(day[trips.first[chosen]])))
    return Learned(times, held, "better" if held.by_learned < held.by_class else "no_better")


def _held(rider: NDArray[np.int64], day: NDArray[np.int64], seed: int) -> tuple[NDArray[np.bool_], int]:
    """Return (riders,) who are held out, and the first day that is; at least one rider and one day."""
    count = int(rider.max(initial=-1)) + 1
    held = np.zeros(count, np.bool_)
    present = np.unique(rider)
    order = np.random.default_rng(seed).permutation(present)
    held[order[: max(1, round(HELD_RIDERS * len(present)))]] = True
    days = np.unique(day)
    last = max(1, round(HELD_DAYS * len(days)))
    return held, int(days[-last]) if len(days) else 0


def _judged(
    times: LearnedTimes, seen: RiddenStreets, rides: RiddenStreets, trips: Trips, chosen: NDArray[np.bool_]
) -> HeldOut:
    took_s = trips.took_s[chosen]
    one = seen.took_s.sum() / seen.plain_s.sum()

    def error(expected_s: NDArray[np.float64]) -> float:
        return float(np.median(np.abs(expected_s / took_s - 1.0)))

    plain_s = trips.total(rides.plain_s)[chosen]
    learned_s = trips.total(rides.plain_s * times.of_rides(rides.directed, rides.hour))[chosen]
    return HeldOut(
        trips=len(took_s),
        riders=0,
        days=0,
        by_class=error(plain_s),
        by_one_factor=error(plain_s * one),
        by_learned=error(learned_s),
        ratio=np.sort(took_s / learned_s),
    )
