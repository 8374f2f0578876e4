"""One rider of a fleet apart, column for column: what would become of the plan is tried out there."""

import contextlib
from collections.abc import Iterator

from routing.fleet.fleet import Fleet

__all__ = ["Trial"]


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
        here, reached = copy.adopt(mode_fleet, row)
        alone.enter(self._fleet.rider(rider_id), copy.mode, here, reached=reached)
        try:
            yield alone
        finally:
            alone.remove([rider_id])
