"""How much of what was found rests on the silence of phones."""

import numpy as np

from geo.stays.detect import StayPoints
from geo.stays.signs import SILENT

__all__ = ["silent_share"]


def silent_share(stays: StayPoints, kind: str, k: int) -> float | None:
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
