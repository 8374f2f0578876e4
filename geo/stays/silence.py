"""Silences as stays: phones that report only on movement say nothing while their rider rests.

A silence longer than a stay may hold, at one place (at most 100 m between the points before and after it), is
a stay of its own; a stay that ends or begins there is part of it. Such stays carry the sign `SILENT`, because
nobody saw the rider stand: a figure that rests on them says so.
"""

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from geo.earth import RADIUS_M
from geo.stays.signs import SILENT
from geo.traces.read import Traces

if TYPE_CHECKING:
    from geo.stays.detect import StayPoints

__all__ = ["join_silences", "silent_share"]

_ONE_PLACE_M: Final = 100.0
#: Points of coming and going between a stay and the silence beside it.
_BETWEEN_POINTS: Final = 3
_BETWEEN_S: Final = 120


def _apart_m(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    step = np.radians(b - a) * RADIUS_M
    step[:, 0] *= np.cos(np.radians(a[:, 1]))
    return np.hypot(step[:, 0], step[:, 1])


def join_silences(
    traces: Traces,
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    where: NDArray[np.float64],
    max_gap_s: int,
    max_silence_s: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Add silences at one place to the stays.

    Parameters
    ----------
    traces
        Points by rider and time.
    first, last, where
        (n,) rows of the first and last point of each stay, ascending, and (n, 2) its place.
    max_gap_s, max_silence_s
        Silences between these lengths are meant, the longer one included.

    Returns
    -------
    first, last, silent
        The same for all stays, and whether one holds such a silence.
    """
    t_s, lonlat, rider = traces.t_s, traces.lonlat, traces.rider
    long = np.diff(t_s)
    gap = np.flatnonzero((long > max_gap_s) & (long <= max_silence_s) & (rider[1:] == rider[:-1]))
    gap = gap[_apart_m(lonlat[gap], lonlat[gap + 1]) <= _ONE_PLACE_M].astype(np.int64)
    if not len(gap):
        return first, last, np.zeros(len(first), np.bool_)
    a, b = np.r_[first, gap], np.r_[last, gap + 1]
    at = np.concatenate([where, (lonlat[gap] + lonlat[gap + 1]) / 2])
    silent = np.r_[np.zeros(len(first), np.bool_), np.ones(len(gap), np.bool_)]
    order = np.lexsort((b, a))
    a, b, at, silent = a[order], b[order], at[order], silent[order]
    joined = (
        (rider[a[1:]] == rider[a[:-1]])
        & (silent[1:] | silent[:-1])
        & (a[1:] - b[:-1] <= _BETWEEN_POINTS)
        & (t_s[a[1:]] - t_s[b[:-1]] <= _BETWEEN_S)
        & (_apart_m(at[:-1], at[1:]) <= _ONE_PLACE_M)
    )
    begin = np.flatnonzero(np.r_[True, ~joined])
    return a[begin], np.maximum.reduceat(b, begin), np.logical_or.reduceat(silent, begin)


def silent_share(stays: "StayPoints", kind: str, k: int) -> float | None:
    """Return the share of the minutes of one kind that lie in stays with a silence.

    Parameters
    ----------
    stays
        Classified stays.
    kind
        One of `geo.stays.KINDS`.
    k
        Least number of riders behind a published figure.

    Returns
    -------
    float or None
        None where there are no such stays, or where it would tell of fewer than `k` riders: of those with
        such a stay, or of those with another.
    """
    chosen = stays.of_kind(kind)
    silent = chosen.signs & SILENT > 0
    riders = [len(np.unique(chosen.rider[part])) for part in (silent, ~silent)]
    total = int(chosen.duration_s.sum())
    if total == 0 or any(0 < n < k for n in riders):
        return None
    return int(chosen.duration_s[silent].sum()) / total
