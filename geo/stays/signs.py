"""What a trace itself says about a stay: whether a session begins or ends there, and order events."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.jit import kernel
from geo.traces.read import Traces

__all__ = ["CLOSES", "DELIVERED", "OPENS", "PICKED", "SHIFT", "SILENT", "TALKS", "read_signs"]

OPENS: Final = 1
"""First stay after a silence of 2 h, or of the trace, hardly any riding before it."""
CLOSES: Final = 2
PICKED: Final = 4
"""A pick-up was reported at its end, or arrival at the shop during it."""
DELIVERED: Final = 8
SHIFT: Final = 16
"""The rider went offline at its start or online at its end."""
TALKS: Final = 32
"""The platform reports orders of this rider at all."""
SILENT: Final = 64
"""Holds a long silence at one place, see `geo.stays.silence`: its length is not observed point by point."""

_SESSION_GAP_S = 2 * 3600
_EDGE_POINTS = 3
# An event stands at the first point after it happened, so it may come one point late.
_LATE_S = 90
_EARLY_S = 20

#: What platforms call the moments of an order.
_WORDS: Final = (
    ("arrived", "arrive", "arrived_pickup", "到店", "已到店"),
    ("picked_up", "pickup", "picked", "取餐", "已取餐", "取货"),
    ("delivered", "dropoff", "dropped", "completed", "finished", "送达", "已送达", "完成"),
    ("online", "login", "start_work", "上线", "开工"),
    ("offline", "logout", "end_work", "下线", "收工"),
)
_ARRIVED, _PICKED, _DELIVERED, _ONLINE, _OFFLINE = 1, 2, 3, 4, 5


@kernel
def _read(
    ptr: NDArray[np.int64],
    rider: NDArray[np.int32],
    t: NDArray[np.int64],
    meaning: NDArray[np.int8],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    talks: NDArray[np.bool_],
    signs: NDArray[np.uint8],
) -> None:
    for k in range(len(first)):
        r = rider[first[k]]
        a, b = ptr[r], ptr[r + 1]
        i, j = first[k], last[k]
        start, end = t[i], t[j]
        sign = 0
        for p in range(max(a, i - _EDGE_POINTS), i + 1):
            if p == a or t[p] - t[p - 1] >= _SESSION_GAP_S:
                sign |= OPENS
        for p in range(j, min(b, j + _EDGE_POINTS + 1)):
            if p == b - 1 or t[p + 1] - t[p] >= _SESSION_GAP_S:
                sign |= CLOSES
        if talks[r]:
            sign |= TALKS
        arrived = picked = delivered = inside = False
        p = i
        while p > a and t[p - 1] >= start - _LATE_S:
            p -= 1
        while p < b and t[p] <= end + _LATE_S:
            what = meaning[p]
            if what == _ARRIVED and start - 30 <= t[p] <= end:
                arrived = True
            elif what == _PICKED and t[p] >= start + _EARLY_S:
                picked = True
            elif what == _DELIVERED and t[p] >= start + _EARLY_S:
                delivered = True
                inside = inside or t[p] <= end
            elif (what == _OFFLINE and t[p] <= end) or (what == _ONLINE and t[p] >= start):
                sign |= SHIFT
            p += 1
        if picked or (arrived and not inside):
            sign |= PICKED
        elif delivered:
            sign |= DELIVERED
        signs[k] = sign


def read_signs(traces: Traces, first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the signs of each stay, given the rows of its first and last point."""
    meaning_of = np.zeros(len(traces.events), np.int8)
    for code, event in enumerate(traces.events):
        for code_of, words in enumerate(_WORDS, 1):
            if event.strip().casefold() in words:
                meaning_of[code] = code_of
    meaning: NDArray[np.int8] = meaning_of[traces.event]
    talks = np.zeros(len(traces.pseudonyms), np.bool_)
    talks[np.unique(traces.rider[(meaning == _PICKED) | (meaning == _DELIVERED)])] = True
    signs = np.zeros(len(first), np.uint8)
    _read(traces.rider_ptr, traces.rider, traces.t_s, meaning, first, last, talks, signs)
    return signs
