"""Pieces of one stay: a phone that drifts, or a rider who walks about, is at one place all the time.

Two rules, on stays as `geo.stays.detect` finds them:

- Of a phone that drifts, stays in a row that are at most 3 min apart are pieces of one where their middles
  lie at most 100 m apart and no further than 2.6 times their points scatter. That a phone drifts is told by
  itself: 6% of its stays, and four at least, go on within 60 m and 1.7 times the scatter. Who rides from door
  to door leaves tight clusters; of the stays of plain phones about 1% do so.
- Four or more stays that follow within a minute of one another and all lie within 100 m are one walk about a
  place, from 10 min on.

Of all other neighbours only rests are joined, after their kinds are known (`geo.stays.rests`): a door and the
next one are two drop-offs.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.earth import RADIUS_M
from geo.jit import kernel

__all__ = ["join_pieces"]

_BETWEEN_S: Final = 180
#: Such pieces tell that a phone drifts.
_NEAR_M: Final = 60.0
_NEAR_SCATTERS: Final = 1.7
_PIECES: Final = 4
_SHARE_OF_PIECES: Final = 0.06
#: Of a phone that drifts.
_WIDE_M: Final = 100.0
_WIDE_SCATTERS: Final = 2.6
#: Walking about.
_AT_ONCE_S: Final = 60
_ROUNDS: Final = 4
_LONG_S: Final = 600


@kernel
def _gathered(
    a: int, b: int, lonlat: NDArray[np.float64], x0: float, y0: float, kx: float, ky: float
) -> tuple[int, float, float, float]:
    """Return number, sums of x and y and of their squares, metres from (x0, y0), of the points a to b."""
    sx = sy = ss = 0.0
    for i in range(a, b + 1):
        x, y = (lonlat[i, 0] - x0) * kx, (lonlat[i, 1] - y0) * ky
        sx += x
        sy += y
        ss += x * x + y * y
    return b - a + 1, sx, sy, ss


@kernel
def _pieces(
    rider: NDArray[np.int32],
    t_s: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    near_m: float,
    scatters: float,
    joined: NDArray[np.bool_],
) -> None:
    """Mark each stay that goes on from the one before it."""
    ky = np.radians(1.0) * RADIUS_M
    k = 0
    while k < len(first):
        a, r = first[k], rider[first[k]]
        x0, y0 = lonlat[a, 0], lonlat[a, 1]
        kx = ky * np.cos(np.radians(y0))
        n, sx, sy, ss = _gathered(a, last[k], lonlat, x0, y0, kx, ky)
        end = last[k]
        k += 1
        while k < len(first) and rider[first[k]] == r and t_s[first[k]] - t_s[end] <= _BETWEEN_S:
            m, ux, uy, us = _gathered(first[k], last[k], lonlat, x0, y0, kx, ky)
            away2 = (sx / n - ux / m) ** 2 + (sy / n - uy / m) ** 2
            spread2 = max(0.0, ss / n - (sx / n) ** 2 - (sy / n) ** 2)
            spread2 += max(0.0, us / m - (ux / m) ** 2 - (uy / m) ** 2)
            if away2 > near_m * near_m or away2 > scatters * scatters * spread2:
                break
            inside = True
            for i in range(end + 1, first[k]):
                x, y = (lonlat[i, 0] - x0) * kx, (lonlat[i, 1] - y0) * ky
                inside = inside and (x - sx / n) ** 2 + (y - sy / n) ** 2 <= _WIDE_M * _WIDE_M
            if not inside:
                break
            joined[k] = True
            n, sx, sy, ss = n + m, sx + ux, sy + uy, ss + us
            end = last[k]
            k += 1


@kernel
def _rounds(
    rider: NDArray[np.int32],
    t_s: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    joined: NDArray[np.bool_],
) -> None:
    """Mark pieces of a walk about one place: several that follow at once, all within 100 m of one another."""
    ky = np.radians(1.0) * RADIUS_M
    middle = np.empty((len(first), 2))
    for k in range(len(first)):
        for axis in range(2):
            middle[k, axis] = lonlat[first[k] : last[k] + 1, axis].mean()
    k = 0
    while k < len(first):
        kx = ky * np.cos(np.radians(middle[k, 1]))
        e = k + 1
        near = True
        while e < len(first) and near:
            near = rider[first[e]] == rider[first[k]] and t_s[first[e]] - t_s[last[e - 1]] <= _AT_ONCE_S
            for i in range(k, e):
                x, y = (middle[e, 0] - middle[i, 0]) * kx, (middle[e, 1] - middle[i, 1]) * ky
                near = near and x * x + y * y <= _WIDE_M * _WIDE_M
            if near:
                e += 1
        if e - k >= _ROUNDS and t_s[last[e - 1]] - t_s[first[k]] >= _LONG_S:
            joined[k + 1 : e] = True
        k = e


def join_pieces(
    rider: NDArray[np.int32],
    t_s: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    riders: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Join stays that are pieces of one.

    Parameters
    ----------
    rider, t_s, lonlat
        Points by rider and time.
    first, last
        (n,) rows of the first and last point of each stay, ascending.
    riders
        Number of riders.

    Returns
    -------
    first, last
        The same for what are stays now.
    """
    if len(first) == 0:
        return first, last
    joined = np.zeros(len(first), np.bool_)
    _pieces(rider, t_s, lonlat, first, last, _NEAR_M, _NEAR_SCATTERS, joined)
    whose = rider[first]
    pieces = np.bincount(whose[joined], minlength=riders)
    drifts = (pieces >= _PIECES) & (pieces >= _SHARE_OF_PIECES * np.bincount(whose, minlength=riders))
    joined[:] = False
    if drifts.any():
        _pieces(rider, t_s, lonlat, first, last, _WIDE_M, _WIDE_SCATTERS, joined)
        joined &= drifts[whose]
    _rounds(rider, t_s, lonlat, first, last, joined)
    begin = np.flatnonzero(~joined)
    return first[begin], last[np.r_[begin[1:] - 1, len(last) - 1]]
