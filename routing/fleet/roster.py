"""The riders of a fleet by id; those of a table become objects when somebody asks for them."""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence

from routing.model.planned_riders import PlannedRiders
from routing.model.riders import Rider

__all__ = ["Roster"]


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

    def limits(self, rider_ids: Iterable[str]) -> list[tuple[float, float, float, str]]:
        """Return extra time of the last hour, work of the day, end of the shift (s) and status of riders."""
        found = []
        for rider_id in rider_ids:
            one = self._made.get(rider_id)
            if one is not None:
                found.append((one.extra_last_hour_s, one.worked_today_s, one.shift_end_s, one.status))
                continue
            table, row = self._rows[rider_id]
            of = table.riders
            spent_s, worked_s = float(of.extra_last_hour_s[row]), float(of.worked_today_s[row])
            found.append((spent_s, worked_s, float(of.shift_end_s[row]), of.status[row]))
        return found

    def copy(self) -> "Roster":
        """Return another with the same riders."""
        other = Roster()
        other._made, other._rows, other._moved = dict(self._made), dict(self._rows), dict(self._moved)
        return other
