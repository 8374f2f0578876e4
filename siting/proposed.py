"""Gates and inner ways as they may be shown: waits at gates, and edits of the map for a planner to confirm.

Behind every row stand k riders. Nothing of it changes the map by itself.
"""

import dataclasses

__all__ = ["GateDelay", "InnerWays", "MapEdit"]

Line = tuple[tuple[float, float], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class GateDelay:
    """How long riders wait at one gate on the way in."""

    gate_id: str
    """``G01``, the longest wait first."""
    lonlat: tuple[float, float]
    compound: str
    """Name of what is entered; empty: unnamed, or no compound."""
    riders: int
    passes: int
    wait_s: float
    """Median, shrunk towards that of all gates where few riders tell."""
    default_s: float
    """What the study takes for it."""
    by_hour: tuple[float | None, ...]
    """(24,) the same by local hour; None where fewer than k riders passed in it."""


@dataclasses.dataclass(frozen=True, slots=True)
class MapEdit:
    """One proposed edit of the map, with its evidence."""

    edit_id: str
    """``W01`` of ways, ``B01`` of gates; those with most evidence first."""
    kind: str
    """``cut_through``: the map lacks a way; ``shut_gate``: the map has a gate open that seems shut."""
    line: Line
    """Both ends of the way, on streets, as a straight line; or the gate."""
    node_ids: tuple[int | None, ...]
    """OpenStreetMap node at each of them, None where there is none."""
    compound: str
    """Name of what the gate leads into, where the map has one."""
    riders: int
    days: int
    passes: int
    """Of the way; of a gate: trips that went round it."""
    seconds: float
    """What the way saves a pass against the way by the map; of a gate: what going round takes longer."""


@dataclasses.dataclass(frozen=True, slots=True)
class InnerWays:
    """What the traces teach of gates and inner ways."""

    gates: tuple[GateDelay, ...]
    edits: tuple[MapEdit, ...]
