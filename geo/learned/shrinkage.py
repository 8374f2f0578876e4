"""Credibility: how far a thin mean may move away from what is believed already.

H. Bühlmann and E. Straub, "Glaubwürdigkeit für Schadensätze", Bulletin of the Swiss Association of Actuaries
70 (1970): a group's own mean counts ``w / (w + s / t)``, where ``w`` is its weight, ``s`` the variance within
groups (of weight 1) and ``t`` the variance between them. Here every group is held against what is expected
of it, so its mean is shrunk towards 1.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Shrunk", "shrunk_ratios"]


class Shrunk(NamedTuple):
    """Ratio of each group, between 1 and its own mean.

    Attributes
    ----------
    key : int64 (g,)
        Rising.
    ratio, own : float64 (g,)
        Shrunk, and as observed.
    riders : int64 (g,)
        How many riders stand behind it.
    """

    key: NDArray[np.int64]
    ratio: NDArray[np.float64]
    own: NDArray[np.float64]
    riders: NDArray[np.int64]


def shrunk_ratios(
    key: NDArray[np.int64],
    rider: NDArray[np.int64],
    observed: NDArray[np.float64],
    expected: NDArray[np.float64],
) -> Shrunk:
    """Return for each group the ratio of what was observed to what was expected, shrunk towards 1.

    Parameters
    ----------
    key : int64 (n,)
        Group of each row, 0 or more.
    rider : int64 (n,)
        Whose row it is: rows of one rider in one group are one observation, for they are alike.
    observed, expected : float64 (n,)
        Such as seconds; expected above 0. Their sums are the weights.

    Returns
    -------
    Shrunk
    """
    if not len(key):
        return Shrunk(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, np.int64))
    riders = int(rider.max()) + 1
    pair, row_of = np.unique(key * riders + rider, return_inverse=True)
    weight = np.bincount(row_of, expected)
    mean = np.bincount(row_of, observed) / weight
    groups, group = np.unique(pair // riders, return_inverse=True)
    weight_of = np.bincount(group, weight)
    own = np.bincount(group, weight * mean) / weight_of
    count = np.bincount(group)
    free = int((count - 1).sum())
    within = float((weight * (mean - own[group]) ** 2).sum()) / free if free else 0.0
    between = float((weight_of * (own - 1.0) ** 2).sum()) - len(groups) * within
    between = max(between, 0.0) / float(weight_of.sum())
    if between == 0.0 or not free:
        # Nothing tells the groups from each other, or nothing tells by how much riders differ.
        credible = np.zeros(len(groups))
    else:
        credible = weight_of / (weight_of + within / between)
    return Shrunk(groups, 1.0 + credible * (own - 1.0), own, count)
