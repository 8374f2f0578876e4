"""When the 20-minute break falls due, and where the rider is then.

National recommended standard on food-delivery platform service management (December 2025; DOMAIN, "Work and
rest"): after more than 4 h of continuous work no new orders for 20 min, counted from the end of the order
in hand.

Work of a rider begins with the first point. It is broken by a stay of kind rest or off shift of at least 20
min, or by a silence of at least 20 min in the trace (phone or app off). The break falls due when 4 h are
full, or with the end of the first drop-off after that, where one ends within 45 min (the order in hand). It
is then taken as if held: if the rider works on, the next 4 h count from 20 min after it.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.jit import kernel
from geo.localtime import zone
from geo.stays.detect import KINDS, StayPoints
from geo.traces.points import Traces, Tracks

__all__ = ["BREAK_S", "CONTINUOUS_WORK_S", "DueBreaks", "due_breaks"]

CONTINUOUS_WORK_S: Final = 4 * 3600
BREAK_S: Final = 20 * 60
_ORDER_IN_HAND_S = 45 * 60
_REST, _DROPOFF, _OFF_SHIFT = KINDS.index("rest"), KINDS.index("dropoff"), KINDS.index("off_shift")


@dataclass(frozen=True, slots=True, eq=False)
class DueBreaks:
    """Breaks that fall due, in columns, by rider and then by time."""

    rider: NDArray[np.int32]
    """(n,) index into the pseudonyms of the traces."""
    t_s: NDArray[np.int64]
    """(n,) epoch second at which the break falls due."""
    lonlat: NDArray[np.float64]
    """(n, 2) WGS-84 degrees: where the rider is then, between two points on the straight line."""
    worked_s: NDArray[np.int64]
    """(n,) seconds of continuous work until then, at least 4 h."""

    def __len__(self) -> int:
        return len(self.t_s)


class _Stays(NamedTuple):
    """Stays by rider: first and last second, kind."""

    stay_ptr: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    kind: NDArray[np.int8]


class _Breaks(NamedTuple):
    """Memory of the answer: rider, second, place, seconds worked."""

    rider: NDArray[np.int32]
    due: NDArray[np.int64]
    where: NDArray[np.float64]
    worked: NDArray[np.int64]


@kernel
def _due(
    tracks: Tracks,
    stays: _Stays,
    work_s: int,
    break_s: int,
    out: _Breaks,
) -> int:
    ptr, t, lonlat = tracks
    stay_ptr, start, end, kind = stays
    rider, due, where, worked = out
    found = 0
    for r in range(len(ptr) - 1):
        a, b = ptr[r], ptr[r + 1]
        if a == b:
            continue
        since = t[a]
        s = stay_ptr[r]
        i = a
        while i < b:
            # A break begins here?
            while s < stay_ptr[r + 1] and end[s] <= t[i] and not (start[s] <= t[i] <= end[s]):
                s += 1
            if s < stay_ptr[r + 1] and start[s] <= t[i] <= end[s]:
                rests = kind[s] == _REST or kind[s] == _OFF_SHIFT
                if rests and end[s] - start[s] >= break_s:
                    since = max(since, end[s])
            if i > a and t[i] - t[i - 1] >= break_s:
                since = max(since, t[i])
            if t[i] - since >= work_s:
                when = since + work_s
                q = s
                while q > stay_ptr[r] and end[q - 1] >= when:
                    q -= 1
                while q < stay_ptr[r + 1] and start[q] <= when + _ORDER_IN_HAND_S:
                    if (kind[q] == _REST or kind[q] == _OFF_SHIFT) and end[q] - start[q] >= break_s:
                        break
                    if kind[q] == _DROPOFF and when <= end[q] <= when + _ORDER_IN_HAND_S:
                        when = end[q]
                        break
                    q += 1
                k = i
                while k < b - 1 and t[k] < when:
                    k += 1
                while k > a and t[k - 1] >= when:
                    k -= 1
                rider[found], due[found] = r, when
                worked[found] = when - since
                if k > a and t[k] > when:
                    f = (when - t[k - 1]) / (t[k] - t[k - 1])
                    for c in range(2):
                        where[found, c] = lonlat[k - 1, c] + f * (lonlat[k, c] - lonlat[k - 1, c])
                else:
                    where[found, 0], where[found, 1] = lonlat[k, 0], lonlat[k, 1]
                found += 1
                since = when + break_s
            i += 1
    return found


def due_breaks(
    traces: Traces,
    stays: StayPoints,
    timezone: str,
    work_s: int = CONTINUOUS_WORK_S,
    break_s: int = BREAK_S,
) -> DueBreaks:
    """Find when and where breaks fall due.

    Parameters
    ----------
    traces
        Points by rider and time.
    stays
        Classified stays of the same riders.
    timezone
        IANA zone of the city; checked only, the rule knows no hour of day.
    work_s, break_s
        4 h and 20 min by the standard.

    Returns
    -------
    DueBreaks
        One row for each break that falls due.

    Raises
    ------
    InputError
        If stays and traces are not of the same riders, stays have no kind yet, or a length is out of its
        range.
    """
    zone(timezone)
    if stays.pseudonyms != traces.pseudonyms:
        raise InputError("stays and traces must be of the same riders")
    if len(stays) and stays.kind.min() < 0:
        raise InputError("the stays must be classified before breaks can be counted")
    if not (600 <= work_s <= 86_400 and 60 <= break_s <= work_s):
        raise InputError(
            f"work of {work_s} s and a break of {break_s} s: allowed are 600 to 86,400 s and 60 s to the work"
        )
    span = np.diff(traces.rider_ptr) > 0
    firsts, lasts = traces.rider_ptr[:-1][span], traces.rider_ptr[1:][span] - 1
    most = int(((traces.t_s[lasts] - traces.t_s[firsts]) // work_s + 1).sum()) if span.any() else 0
    most = min(most, len(traces))
    rider, due = np.empty(most, np.int32), np.empty(most, np.int64)
    where, worked = np.empty((most, 2)), np.empty(most, np.int64)
    stay_ptr = np.searchsorted(stays.rider, np.arange(len(traces.pseudonyms) + 1)).astype(np.int64)
    tracks = Tracks(traces.rider_ptr, traces.t_s, traces.lonlat)
    spans = _Stays(stay_ptr, stays.start_s, stays.end_s, stays.kind)
    found = _due(tracks, spans, work_s, break_s, _Breaks(rider, due, where, worked))
    return DueBreaks(rider[:found].copy(), due[:found].copy(), where[:found].copy(), worked[:found].copy())
