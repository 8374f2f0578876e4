"""Stays and due breaks of a study as events in one order, whatever the order of the input."""

import numpy as np
import numpy.typing as npt

from geo.stays import KINDS
from siting.columns import DueBreakColumns, StayColumns
from siting.demand.weighted import BREAK_MIN, Events

__all__ = ["due_events", "stay_events", "stops_beside"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def stay_rows(stays: StayColumns, kind: str) -> IntArray:
    """Return the rows of the stays of one kind, in the order of `stay_events`."""
    rows = np.nonzero(stays.kind == KINDS.index(kind))[0]
    # one order whatever the order of the input, so that sums and ties come out the same
    order = np.lexsort((stays.lonlat[rows, 0], stays.end_s[rows], stays.start_s[rows], stays.rider[rows]))
    return rows[order]


def stay_events(stays: StayColumns, kind: str) -> Events:
    """Return the stays of one kind."""
    rows = stay_rows(stays, kind)
    return Events(
        np.asarray(stays.lonlat, dtype=np.float64)[rows].reshape(-1, 2),
        stays.rider[rows].astype(np.int64),
        stays.start_s[rows].astype(np.int64),
        stays.end_s[rows].astype(np.int64),
    )


def due_events(breaks: DueBreakColumns | None) -> Events:
    """Return the breaks that fall due, 20 minutes each; none where the study has none."""
    none = np.empty(0, dtype=np.int64)
    if breaks is None:
        return Events(np.empty((0, 2)), none, none, none)
    start = breaks.t_s.astype(np.int64)
    lonlat = np.asarray(breaks.lonlat, dtype=np.float64).reshape(-1, 2)
    return Events(lonlat, breaks.rider.astype(np.int64), start, start + int(60 * BREAK_MIN))


def stops_beside(stays: StayColumns, drops: Events) -> tuple[FloatArray, FloatArray]:
    """Return where the rider of each delivery stopped before and after it, NaN for nowhere."""
    visit = np.nonzero(~np.isin(stays.kind, [KINDS.index("gate"), KINDS.index("traffic")]))[0]
    visit = visit[np.lexsort((stays.start_s[visit], stays.rider[visit]))]
    rider, start = stays.rider[visit].astype(np.int64), stays.start_s[visit].astype(np.int64)
    lonlat = np.asarray(stays.lonlat, dtype=np.float64)[visit]
    base = int(start.min(initial=0))
    span = int(start.max(initial=0)) - base + 1
    at = np.searchsorted(rider * span + (start - base), drops.rider * span + (drops.start_s - base))
    out = []
    for step in (-1, 1):
        row = np.clip(at + step, 0, max(0, len(visit) - 1))
        known = (row == at + step) & (rider[row] == drops.rider)
        out.append(np.where(known[:, None], lonlat[row], np.nan))
    return out[0], out[1]
