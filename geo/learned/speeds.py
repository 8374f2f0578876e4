"""Travel times learned from rides: for each directed edge and hour of the week, a factor on the network's.

Levels follow each other from coarse to fine; each one says by how much a group takes longer than the levels
before it expect, shrunk towards "not at all" where few rides tell (`geo.learned.shrinkage`). What an edge
lacks it so takes from its street, its class, the city.
"""

import dataclasses
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geo.learned.ridden import RiddenStreets
from geo.learned.shrinkage import shrunk_ratios
from geo.localtime import HOURS_A_WEEK
from geo.streets import StreetNetwork

__all__ = ["LEAST_FACTOR", "MOST_FACTOR", "LearnedTimes", "learn_times"]

LEAST_FACTOR, MOST_FACTOR = 0.25, 8.0
"""No street is believed to take less or more than so many times what the network says."""
MOST_RATIO: Final = 10.0
"""A single ride that took more times as long as the network says counts as this much."""
LEVELS: Final = (
    ("city", 1),
    ("city", 48),
    ("city", HOURS_A_WEEK),
    ("class", 1),
    ("class", 48),
    ("street", 1),
    ("edge", 1),
    ("street", 48),
    ("edge", 48),
)
"""What is told apart, and in how many slots of the week: 48 are hours of working days and of weekends."""


def _slot(hour: NDArray[np.int64], slots: int) -> NDArray[np.int64]:
    if slots == 1:
        return np.zeros_like(hour)
    if slots == HOURS_A_WEEK:
        return hour
    return np.where(hour < 5 * 24, 0, 24) + hour % 24


@dataclasses.dataclass(frozen=True, eq=False)
class Level:
    """One level: ``key = place * slots + slot``, rising, with the factor and the riders of each."""

    name: str
    slots: int
    key: NDArray[np.int64]
    factor: NDArray[np.float64]
    own: NDArray[np.float64]
    riders: NDArray[np.int64]


@dataclasses.dataclass(frozen=True, eq=False)
class LearnedTimes:
    """Factors on the times of a network; only groups of k riders have one of their own (`learn_times`).

    Attributes
    ----------
    place : mapping of str to int64 (2E,)
        The number of the city, class, street and edge of each directed edge.
    levels : tuple of Level
    hour_weight : float64 (168,)
        Share of the riding time in each hour of the week; their sum is 1.
    riders, rides : int
        Behind all of it.
    """

    place: dict[str, NDArray[np.int64]]
    levels: tuple[Level, ...]
    hour_weight: NDArray[np.float64]
    riders: int
    rides: int

    def factor(self, hour: int | None = None) -> NDArray[np.float64]:
        """Return the factor of each directed edge (2E,) in an hour of the week; None: of the whole week."""
        if hour is not None:
            return self._bounded(self._at(hour))
        hours = np.flatnonzero(self.hour_weight).tolist()
        mean = sum(
            (self.hour_weight[one] * self._at(one) for one in hours), np.zeros(len(self.place["city"]))
        )
        return self._bounded(mean if hours else np.ones_like(mean))

    def by_hour(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the factors (48, 2E) of the hours of working days and of weekends, and the row of each hour.

        Hours of the week that share a row are weighted by the riding in them. `slowest` is nowhere less.
        """
        hour = np.arange(HOURS_A_WEEK)
        row = _slot(hour, 48)
        weight = self.hour_weight + 1e-9
        table = np.zeros((48, len(self.place["city"])))
        for one in hour.tolist():
            table[row[one]] += weight[one] * self.factor(one)
        return (table / np.bincount(row, weight)[:, None]).astype(np.float32), row

    def slowest(self) -> NDArray[np.float64]:
        """Return the largest factor that each directed edge (2E,) has in any hour of the week.

        A plan that keeps its dues by these keeps them by the hour, too: where nobody overtakes, what takes
        no longer at any instant never arrives later.
        """
        out = np.full(len(self.place["city"]), LEAST_FACTOR)
        for hour in range(HOURS_A_WEEK):
            np.maximum(out, self.factor(hour), out=out)
        return out

    def of_rides(self, directed: NDArray[np.int64], hour: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the factor of each ride (n,) by its directed edge and hour of the week."""
        out = np.ones(len(directed))
        for level in self.levels:
            out *= _found(level, self.place[level.name][directed] * level.slots + _slot(hour, level.slots))
        return self._bounded(out)

    def _at(self, hour: int) -> NDArray[np.float64]:
        out = np.ones(len(self.place["city"]))
        for level in self.levels:
            slot = int(_slot(np.array([hour]), level.slots)[0])
            now = level.key % level.slots == slot
            place = self.place[level.name]
            table = np.ones(int(place.max(initial=0)) + 1)
            table[level.key[now] // level.slots] = level.factor[now]
            out *= table[place]
        return out

    @staticmethod
    def _bounded(factor: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(factor, LEAST_FACTOR, MOST_FACTOR)


def _found(level: Level, key: NDArray[np.int64]) -> NDArray[np.float64]:
    if not len(level.key):
        return np.ones(len(key))
    at = np.minimum(np.searchsorted(level.key, key), len(level.key) - 1)
    return np.where(level.key[at] == key, level.factor[at], 1.0)


def learn_times(network: StreetNetwork, rides: RiddenStreets, k: int = 1) -> LearnedTimes:
    """Learn how long streets take.

    Parameters
    ----------
    network : StreetNetwork
        The one to which the rides were compared.
    rides : RiddenStreets
    k : int
        Groups of fewer riders are left to the levels before: no factor stands on fewer than k riders.

    Returns
    -------
    LearnedTimes
        The same for the same rides, in whatever order riders stand.
    """
    place = _places(network)
    took_s = np.minimum(rides.took_s, MOST_RATIO * rides.plain_s)
    expected_s = rides.plain_s.copy()
    levels = []
    for name, slots in LEVELS:
        key = place[name][rides.directed] * slots + _slot(rides.hour, slots)
        shrunk = shrunk_ratios(key, rides.rider, took_s, expected_s)
        kept = shrunk.riders >= k
        columns: list[Any] = [column[kept] for column in shrunk]
        level = Level(name, slots, *columns)
        if name == "city" and slots == 1:
            # The city's own mean is nobody's special case: it is taken as it is.
            level = dataclasses.replace(level, factor=level.own)
        expected_s *= _found(level, key)
        levels.append(level)
    weight = np.bincount(rides.hour, took_s, HOURS_A_WEEK).astype(np.float64)
    return LearnedTimes(
        place=place,
        levels=tuple(levels),
        hour_weight=weight / weight.sum() if weight.sum() > 0 else weight,
        riders=len(np.unique(rides.rider)),
        rides=len(rides.row),
    )


def _places(network: StreetNetwork) -> dict[str, NDArray[np.int64]]:
    """Return the numbers of city, class, street (by name, else by way) and edge of each directed edge."""
    edges = len(network)
    way = np.unique(network.edge_way_id, return_inverse=True)[1]
    named = network.edge_name >= 0
    street = np.where(named, network.edge_name, len(network.names) + way)
    return {
        "city": np.zeros(2 * edges, np.int64),
        "class": np.repeat(network.edge_class.astype(np.int64), 2),
        # A street is slow towards the centre in the morning and out of it in the evening.
        "street": np.repeat(street.astype(np.int64), 2) * 2 + np.tile(np.array([0, 1]), edges),
        "edge": np.arange(2 * edges, dtype=np.int64),
    }
