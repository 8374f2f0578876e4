"""What changes in a fleet, kept apart so that it can go back to it."""

from typing import NamedTuple

from routing.fleet.kernels.tables import Columns
from routing.fleet.roster import Roster

__all__ = ["FleetState", "copied"]


def copied(columns: Columns) -> Columns:
    """Return the same columns in memory of their own."""
    return columns._replace(**{name: getattr(columns, name).copy() for name in columns._fields})


class FleetState(NamedTuple):
    """What changes in a fleet; see `Fleet.snapshot` in `routing.fleet.fleet`."""

    columns: dict[str, tuple[int, list[int], Columns]]
    """Of each mode: stops a row has room for, free rows, columns."""
    where: dict[str, tuple[str, int]]
    riders: Roster
    id_of: dict[str, dict[int, str]]
    unreachable: dict[str, bool]
    ordered: bool
