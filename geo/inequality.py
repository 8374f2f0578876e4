"""How unevenly something is shared out."""

import numpy as np
import numpy.typing as npt

__all__ = ["gini"]


def gini(share: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> float | None:
    """Return the Gini coefficient of shares, each counted by its weight.

    Half the mean difference of two shares drawn by weight, in units of their mean (Gini 1912): 0 where all
    are alike, near 1 where nearly all is with few.

    Parameters
    ----------
    share : (g,) what each has, 0 or more
    weight : (g,) how much each counts, 0 or more; None: all the same

    Returns
    -------
    float or None
        0-1; None where there is nobody, and where nobody has anything, which is no way of sharing it.
    """
    shares = np.asarray(share, dtype=np.float64)
    weights = np.ones_like(shares) if weight is None else np.asarray(weight, dtype=np.float64)
    everybody, whole = float(weights.sum()), float((shares * weights).sum())
    if everybody <= 0 or whole <= 0:
        return None
    order = np.argsort(shares, kind="stable")
    part = weights[order] / everybody
    below = np.r_[0.0, np.cumsum(shares[order] * weights[order]) / whole]
    # one less twice the area below the Lorenz curve
    return min(1.0, max(0.0, 1.0 - float((part * (below[1:] + below[:-1])).sum())))
