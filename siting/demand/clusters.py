"""Places that gather by density: weighted DBSCAN on small cells, wide chains cut to size.

DBSCAN: Ester et al., KDD 1996. What lies in one small cell is one place of more weight, so time and memory
grow with the streets of a city and not with the days of data.
"""

import numpy as np
import numpy.typing as npt
from sklearn.cluster import DBSCAN, KMeans
from threadpoolctl import threadpool_limits

__all__ = ["density_clusters"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CELL_M = 5.0


def density_clusters(
    xy_m: FloatArray, weight: FloatArray, *, near_m: float, least: float, radius_m: float
) -> IntArray:
    """Return (n,) the cluster of each place, -1 for scattered ones; the same whatever the order.

    Parameters
    ----------
    xy_m : (n, 2) local metres
    weight : (n,) what each place counts
    near_m : neighbours are at most so far apart
    least : a cluster grows from places with so much weight in their neighbourhood
    radius_m : a cluster more than twice as wide is cut, so that one point can stand for it
    """
    label = np.full(len(xy_m), -1, dtype=np.int64)
    if len(xy_m) == 0:
        return label
    cell, where = np.unique(np.floor(xy_m / CELL_M).astype(np.int64), axis=0, return_inverse=True)
    where = where.ravel()
    total = np.bincount(where, weights=weight, minlength=len(cell)).astype(np.float64)
    at_m = (cell * CELL_M).astype(np.float64)
    # scikit-learn wants a whole number of samples: weights in units of the least one (a hair more, for ties)
    share = total / least * (1 + 1e-9)
    found = DBSCAN(eps=near_m, min_samples=1).fit_predict(at_m, sample_weight=share)
    parts = 0
    of_cell = np.full(len(cell), -1, dtype=np.int64)
    for number in range(int(found.max()) + 1):
        members = np.nonzero(found == number)[0]
        for part in _split_wide(at_m[members], total[members], radius_m):
            of_cell[members[part]] = parts
            parts += 1
    return of_cell[where]


def _split_wide(xy_m: FloatArray, weight: FloatArray, radius_m: float) -> list[IntArray]:
    """Cut a chain of places that one point could not serve."""
    span = float(np.ptp(xy_m, axis=0).max())
    if span <= 2 * radius_m:
        return [np.arange(len(xy_m))]
    parts = min(len(xy_m), int(np.ceil((span / (2 * radius_m)) ** 2)))
    # one thread: sums in another order would move the centres by a hair from run to run
    with threadpool_limits(limits=1):
        found = KMeans(n_clusters=parts, n_init=3, random_state=0).fit_predict(xy_m, sample_weight=weight)
    return [np.nonzero(found == p)[0] for p in range(parts) if (found == p).any()]
