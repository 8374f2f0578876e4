"""The riders of a fleet by id; those of a table become objects when somebody asks for them."""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from geo.arrays import FloatArray
from routing.model.planned_riders import PlannedRiders, numbers_of
from routing.model.riders import Rider

__all__ = ["RiderFacts", "Roster"]


class RiderFacts(NamedTuple):
    """What riders may still do today, in columns."""

    extra_last_hour_s: FloatArray
    worked_today_s: FloatArray
    shift_end_s: FloatArray
    status: list[str]


def _facts(riders: Sequence[Rider]) -> RiderFacts:
    return RiderFacts(
        numbers_of(riders, "extra_last_hour_s"),
        numbers_of(riders, "worked_today_s"),
        numbers_of(riders, "shift_end_s"),
        [one.status for one in riders],
    )


class Roster:
    """Who is in a fleet, as they stand now."""

    def __init__(self) -> None:
        self._made: dict[str, Rider] = {}
        self._rows: dict[str, tuple[PlannedRiders, int]] = {}
        self._moved: dict[str, tuple[float, float]] = {}
        """Positions since; written into a rider when somebody asks for them."""

    def enter(self, riders: Sequence[Rider], rows: Iterable[int]) -> None:
        """Take in riders of a sequence; of a table only where they stand in it."""
        if isinstance(riders, PlannedRiders):
            rows = list(rows)
            ids = riders.riders.ids
            named = [ids[row] for row in rows]
            self._rows.update(zip(named, zip(itertools.repeat(riders), rows, strict=False), strict=True))
            for rider_id in named if self._made else ():
                self._made.pop(rider_id, None)
            for rider_id in named if self._moved else ():
                self._moved.pop(rider_id, None)
            return
        for row in rows:
            self[riders[row].rider_id] = riders[row]

    def __getitem__(self, rider_id: str) -> Rider:
        found = self._made.get(rider_id)
        if found is None:
            table, row = self._rows[rider_id]
            found = self._made[rider_id] = table[row]
        if rider_id in self._moved:
            found = dataclasses.replace(found, lonlat=self._moved.pop(rider_id))
            self._made[rider_id] = found
        return found

    def __setitem__(self, rider_id: str, rider: Rider) -> None:
        self._made[rider_id] = rider
        self._moved.pop(rider_id, None)

    def move(self, rider_id: str, lonlat: tuple[float, float]) -> None:
        """Give a rider another position: another object, to whoever asks."""
        self._moved[rider_id] = lonlat

    def __delitem__(self, rider_id: str) -> None:
        self._moved.pop(rider_id, None)
        self._made.pop(rider_id, None)
        self._rows.pop(rider_id, None)

    def limits(self, rider_ids: Iterable[str]) -> RiderFacts:
        """Return what riders may still do today."""
        ids = list(rider_ids)
        made = [self._made.get(rider_id) for rider_id in ids]
        if all(made):
            return _facts([one for one in made if one is not None])
        spent_s, worked_s, ends_s = np.empty((3, len(ids)))
        status = [""] * len(ids)
        of_table: dict[int, list[int]] = {}
        mine = []
        for at, (rider_id, one) in enumerate(zip(ids, made, strict=True)):
            if one is None:
                of_table.setdefault(id(self._rows[rider_id][0]), []).append(at)
            else:
                mine.append((at, one))
        parts = [([at for at, _ in mine], _facts([one for _, one in mine]))]
        for places in of_table.values():
            of = self._rows[ids[places[0]]][0].riders
            rows = [self._rows[ids[at]][1] for at in places]
            columns = (of.extra_last_hour_s[rows], of.worked_today_s[rows], of.shift_end_s[rows])
            parts.append((places, RiderFacts(*columns, [of.status[row] for row in rows])))
        for places, facts in parts:
            spent_s[places], worked_s[places], ends_s[places] = facts[:3]
            for at, one_status in zip(places, facts.status, strict=True):
                status[at] = one_status
        return RiderFacts(spent_s, worked_s, ends_s, status)

    def copy(self) -> "Roster":
        """Return another with the same riders."""
        other = Roster()
        other._made, other._rows, other._moved = dict(self._made), dict(self._rows), dict(self._moved)
        return other
