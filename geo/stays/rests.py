"""Rests that follow one another at one place are one rest."""

from typing import Final

import numpy as np

from geo.earth import RADIUS_M
from geo.stays.detect import KINDS, StayPoints

__all__ = ["join_rests"]

_BETWEEN_S: Final = 180
_NEAR_M: Final = 60.0
_JOINED: Final = (KINDS.index("rest"), KINDS.index("off_shift"))


def join_rests(stays: StayPoints) -> StayPoints:
    """Join neighbouring stays of a rider that are both rests, or both off shift.

    Neighbours are at most 3 min and 60 m apart. Stays of other kinds stand for an order, a gate or a red
    light each, and are left.

    Parameters
    ----------
    stays
        Of all kinds, by rider and time.

    Returns
    -------
    StayPoints
        The same minutes in fewer stays; a joined one lies at the mean of its points.
    """
    if len(stays) == 0:
        return stays
    step = np.radians(np.diff(stays.lonlat, axis=0)) * RADIUS_M
    step[:, 0] *= np.cos(np.radians(stays.lonlat[:-1, 1]))
    joined = (
        (stays.rider[1:] == stays.rider[:-1])
        & (stays.kind[1:] == stays.kind[:-1])
        & np.isin(stays.kind[1:], _JOINED)
        & (stays.start_s[1:] - stays.end_s[:-1] <= _BETWEEN_S)
        & (np.hypot(step[:, 0], step[:, 1]) <= _NEAR_M)
    )
    if not joined.any():
        return stays
    begin = np.flatnonzero(np.r_[True, ~joined])
    points = np.add.reduceat(stays.n_points.astype(np.int64), begin)
    weighted = np.add.reduceat(stays.lonlat * stays.n_points[:, None], begin, axis=0)
    out = stays.take(begin)
    alone = points == out.n_points
    lonlat = np.where(alone[:, None], out.lonlat, weighted / points[:, None])
    return StayPoints(
        rider=out.rider,
        start_s=out.start_s,
        end_s=stays.end_s[np.r_[begin[1:] - 1, len(stays) - 1]],
        lonlat=lonlat,
        n_points=points.astype(np.int32),
        kind=out.kind,
        signs=np.bitwise_or.reduceat(stays.signs, begin),
        pseudonyms=stays.pseudonyms,
    )
