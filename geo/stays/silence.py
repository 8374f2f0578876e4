"""Silences as stays: phones that report only on movement say nothing while their rider rests.

A silence longer than a stay may hold, at one place (at most 100 m between the points before and after it), is
a stay of its own; a stay that ends or begins there is part of it. Such stays carry the sign `SILENT`, because
nobody saw the rider stand: a figure that rests on them says so.

This holds for phones that are silent at rest. One that reports while its rider stands, and then no more, was
switched off: in the made fleets all such silences are time off shift, and a third would pass for rest.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.earth import RADIUS_M
from geo.traces.read import Traces

__all__ = ["join_silences"]

_ONE_PLACE_M: Final = 100.0
#: Points of coming and going between a stay and the silence beside it.
_BETWEEN_POINTS: Final = 3
_BETWEEN_S: Final = 120
#: A step that takes longer than this, or than three times the usual one, is a silence.
_AWAKE_S: Final = 120.0
_AWAKE_TIMES: Final = 3.0
_STANDING_MPS: Final = 0.5
_MUCH_MORE: Final = 3.0


def _apart_m(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    step = np.radians(b - a) * RADIUS_M
    step[:, 0] *= np.cos(np.radians(a[:, 1]))
    return np.hypot(step[:, 0], step[:, 1])


def _silent_at_rest(traces: Traces, max_silence_s: int) -> NDArray[np.bool_]:
    """Return which riders' phones are silent at one place for much longer than they report there."""
    count = len(traces.pseudonyms)
    same = traces.rider[1:] == traces.rider[:-1]
    rider, dt = traces.rider[1:][same], np.diff(traces.t_s)[same].astype(np.float64)
    step_m = _apart_m(traces.lonlat[:-1][same], traces.lonlat[1:][same])
    order = np.lexsort((dt, rider))
    ptr = np.searchsorted(rider, np.arange(count + 1))
    usual = np.full(count, np.inf)
    some = np.diff(ptr) > 0
    usual[some] = dt[order[(ptr[:-1] + ptr[1:])[some] // 2]]
    silent = dt > np.maximum(_AWAKE_S, _AWAKE_TIMES * usual[rider])
    quiet = silent & (dt <= max_silence_s) & (step_m <= _ONE_PLACE_M)
    standing = ~silent & (step_m <= _STANDING_MPS * dt)
    quiet_s, standing_s = (
        np.bincount(rider[rows], weights=dt[rows], minlength=count) for rows in (quiet, standing)
    )
    much: NDArray[np.bool_] = quiet_s > _MUCH_MORE * standing_s
    return much


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
    if len(gap):
        gap = gap[_silent_at_rest(traces, max_silence_s)[rider[gap]]]
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
