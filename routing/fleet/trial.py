"""One rider of a fleet apart, column for column: what would become of the plan is tried out there."""

import contextlib
from collections.abc import Iterator

from routing.fleet.fleet import Fleet
from routing.fleet.mode_fleet import ROW_COLUMNS, SLOT_COLUMNS

__all__ = ["Trial"]

LINKS = frozenset({"following", "previous"})
"""Columns that say where a slot stands in the lists of its street; they are made anew."""


class Trial:
    """A fleet beside a fleet, with room for one rider; its memory is kept from trial to trial."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._alone = Fleet(fleet.network, fleet.policy)
        # The same bits for the same names.
        self._alone.skills, self._alone.platforms = fleet.skills, fleet.platforms

    @contextlib.contextmanager
    def of(self, rider_id: str) -> Iterator[Fleet]:
        """Yield a fleet that holds one rider as the rider stands now; the real one does not change.

        Raises
        ------
        InputError
            If the rider is not in the fleet, or another trial is going on.
        """
        mode_fleet, row = self._fleet.row_of(rider_id)
        alone = self._alone
        alone.share_places(self._fleet)
        copy = alone.mode_fleet(mode_fleet.mode)
        stops = int(mode_fleet.c.stops[row])
        copy.reserve(1, stops)
        here, first = copy.take_row(), row * mode_fleet.width
        slots = slice(here * copy.width, here * copy.width + stops + 1)
        for name in SLOT_COLUMNS:
            if name not in LINKS:
                getattr(copy.c, name)[slots] = getattr(mode_fleet.c, name)[first : first + stops + 1]
        for name in ROW_COLUMNS:
            getattr(copy.c, name)[here] = getattr(mode_fleet.c, name)[row]
        copy.c.least_factor[0] = copy.c.factor[here]
        copy.c.most_cap[0] = copy.c.cap[here]
        reached = copy.adopt(here, int(mode_fleet.c.long_leg[0]))
        alone.enter(self._fleet.rider(rider_id), copy.mode, here, reached=reached)
        try:
            yield alone
        finally:
            alone.remove([rider_id])
