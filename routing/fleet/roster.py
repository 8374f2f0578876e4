"""The riders of a fleet by id; those of a table become objects when somebody asks for them."""

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from geo.arrays import FloatArray, Int64Array, UInt8Array
from routing.model.planned_riders import PlannedRiders, numbers_of
from routing.model.riders import STATUSES, Rider

__all__ = ["FactsByRow", "RiderFacts", "Roster"]


class RiderFacts(NamedTuple):
    """What riders may still do today, in columns."""

    extra_last_hour_s: FloatArray
    worked_today_s: FloatArray
    shift_end_s: FloatArray
    status: UInt8Array
    """Row of `STATUSES`."""

    def take(self, rows: Int64Array) -> "RiderFacts":
        """Return some rows."""
        return RiderFacts(
            self.extra_last_hour_s[rows], self.worked_today_s[rows], self.shift_end_s[rows], self.status[rows]
        )


def _codes(status: Sequence[str]) -> UInt8Array:
    return np.array([STATUSES.index(one) for one in status], np.uint8)


def _facts(riders: Sequence[Rider]) -> RiderFacts:
    return RiderFacts(
        numbers_of(riders, "extra_last_hour_s"),
        numbers_of(riders, "worked_today_s"),
        numbers_of(riders, "shift_end_s"),
        _codes([one.status for one in riders]),
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
        status = np.zeros(len(ids), np.uint8)
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
            parts.append((places, RiderFacts(*columns, _codes([of.status[row] for row in rows]))))
        for places, facts in parts:
            spent_s[places], worked_s[places], ends_s[places], status[places] = facts
        return RiderFacts(spent_s, worked_s, ends_s, status)

    def copy(self) -> "Roster":
        """Return another with the same riders."""
        other = Roster()
        other._made, other._rows, other._moved = dict(self._made), dict(self._rows), dict(self._moved)
        return other


class FactsByRow:
    """What riders may still do today by rows of a fleet: who asks of one task asks again of the next."""

    def __init__(self) -> None:
        self._known: dict[str, RiderFacts] = {}

    def of(self, mode: str, ids: Mapping[int, str], roster: Roster) -> RiderFacts:
        """Return the facts of all rows of a mode; `ids` says whose they are."""
        if mode not in self._known:
            rows = np.fromiter(ids, np.int64, len(ids))
            at = np.zeros(int(rows.max(initial=-1)) + 1, np.int64)
            at[rows] = np.arange(len(rows))
            self._known[mode] = roster.limits(ids.values()).take(at)
        return self._known[mode]

    def spend(self, mode: str, row: int, extra_last_hour_s: float) -> None:
        """Note what a rider has given within the hour."""
        if mode in self._known:
            self._known[mode].extra_last_hour_s[row] = extra_last_hour_s

    def clear(self) -> None:
        """Forget all: riders came or went."""
        self._known.clear()
