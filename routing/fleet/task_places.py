"""Places of tasks snapped to the streets of each mode, and kept while several searches ask for them."""

import contextlib
import dataclasses
from collections.abc import Hashable, Iterator, Sequence

import numpy as np

from geo.arrays import FloatArray
from geo.streets import Snapped, StreetNetwork, after_each_other
from routing.fleet.kernels.tables import TaskColumns
from routing.fleet.threads import in_two_threads
from routing.model.tasks import Task

__all__ = ["TaskPlaces", "TaskTable", "snapped"]

MANY_PLACES = 5_000
"""From so many on, two threads look for their streets."""


@dataclasses.dataclass(frozen=True, eq=False)
class TaskTable:
    """Tasks in columns with their snapped places."""

    columns: TaskColumns
    places: Snapped


class TaskPlaces:
    """Snaps places of tasks, those at hand only once a mode.

    Parameters
    ----------
    network : StreetNetwork
    walk_m : float
        The longest walk to a street.
    """

    def __init__(self, network: StreetNetwork, walk_m: float) -> None:
        self._network = network
        self._walk_m = walk_m
        self._at_hand: tuple[dict[tuple[float, float], int], dict[str, Snapped]] = {}, {}
        self.kept: dict[Hashable, TaskTable] | None = None
        """What is made of the places at hand, to be looked up too; None where none are."""

    @contextlib.contextmanager
    def at_hand(self, tasks: Sequence[Task]) -> Iterator[None]:
        """Snap the places of `tasks` for every mode once; inside of the block they are looked up."""
        visits = [v for task in tasks for v in (task.place, task.dropoff) if v is not None]
        outer, kept = self._at_hand, self.kept
        self.kept = {} if kept is None else kept
        if not all(visit.lonlat in outer[0] for visit in visits):
            distinct = dict.fromkeys(visit.lonlat for visit in visits)
            self._at_hand = {lonlat: row for row, lonlat in enumerate(distinct)}, {}
        try:
            yield
        finally:
            self._at_hand, self.kept = outer, kept

    def share(self, other: "TaskPlaces") -> None:
        """Look up the places that another one for the same streets has at hand now."""
        self._at_hand, self.kept = other._at_hand, other.kept

    def snapped(self, mode: str, lonlat: Sequence[tuple[float, float]]) -> Snapped:
        """Return places on the streets of a mode, looked up where all of them are at hand."""
        row_of, known = self._at_hand
        if not all(place in row_of for place in lonlat):
            return self._snap(mode, lonlat)
        if mode not in known:
            known[mode] = self._snap(mode, list(row_of))
        return known[mode].take([row_of[place] for place in lonlat])

    def _snap(self, mode: str, lonlat: Sequence[tuple[float, float]]) -> Snapped:
        at = np.array(lonlat, np.float64).reshape(-1, 2)
        return self._network.snap(at, mode, self._walk_m)


def snapped(network: StreetNetwork, lonlat: FloatArray, mode: str, walk_m: float) -> Snapped:
    """Snap places to the streets of a mode as `StreetNetwork.snap` does, those of a city in two threads."""
    parts: list[Snapped] = [network.snap(lonlat[:0], mode, walk_m)] * 2

    def part(thread: int, first: int, last: int) -> None:
        found = network.snap(lonlat[first:last], mode, walk_m)
        known = parts[thread]
        parts[thread] = found if not len(known) else after_each_other([known, found])

    in_two_threads("snap", part, len(lonlat), MANY_PLACES)
    return parts[0] if len(parts[0]) == len(lonlat) else after_each_other(parts)
