"""Who reaches whom: sparse lists both ways, in CSR form, from a cost matrix and a limit.

The demand points each site reaches (``site_ptr``, ``site_point``) and the sites that reach each point
(``point_ptr``, ``point_site``).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geo.jit import kernel

__all__ = ["Reach", "reach_at_all", "reach_from_rows", "reach_within"]

IntArray = npt.NDArray[np.int32]
PtrArray = npt.NDArray[np.int64]


class Reach(NamedTuple):
    """Which site reaches which point, both ways; a named tuple because numba takes those as they are."""

    site_ptr: PtrArray
    """(m + 1,) Where the points of each site begin in ``site_point``."""
    site_point: IntArray
    """(pairs,) Points by site, ascending."""
    point_ptr: PtrArray
    """(n + 1,) Where the sites of each point begin in ``point_site``."""
    point_site: IntArray
    """(pairs,) Sites by point, ascending."""

    @property
    def n(self) -> int:
        """Number of demand points."""
        return len(self.point_ptr) - 1

    @property
    def m(self) -> int:
        """Number of sites."""
        return len(self.site_ptr) - 1


def reach_within(cost_s: npt.NDArray[np.float64] | npt.NDArray[np.float32], limit_s: float) -> Reach:
    """Return who reaches whom within ``limit_s`` (closed) from an (n, m) cost matrix."""
    n, m = cost_s.shape
    limit_s = float(limit_s)
    point_ptr = np.zeros(n + 1, dtype=np.int64)
    _count(cost_s, limit_s, point_ptr)
    point_site = np.empty(int(point_ptr[-1]), dtype=np.int32)
    _fill(cost_s, limit_s, point_ptr, point_site)
    return reach_from_rows(point_ptr, point_site, m)


def reach_at_all(cost_s: npt.NDArray[np.float64] | npt.NDArray[np.float32]) -> Reach:
    """Return who reaches whom in any finite time."""
    return reach_within(cost_s, float(np.finfo(cost_s.dtype).max))


def reach_from_rows(point_ptr: PtrArray, point_site: IntArray, m: int) -> Reach:
    """Complete the lists of each point with the lists of each site."""
    site_ptr = np.zeros(m + 1, dtype=np.int64)
    site_ptr[1:] = np.cumsum(np.bincount(point_site, minlength=m))
    site_point = np.empty(len(point_site), dtype=np.int32)
    _transpose(point_ptr, point_site, site_ptr[:-1].copy(), site_point)
    return Reach(site_ptr, site_point, point_ptr, point_site)


@kernel
def _count(cost_s: npt.NDArray[np.floating], limit_s: float, ptr: PtrArray) -> None:
    for i in range(cost_s.shape[0]):
        k = 0
        for j in range(cost_s.shape[1]):
            if cost_s[i, j] <= limit_s:
                k += 1
        ptr[i + 1] = ptr[i] + k


@kernel
def _fill(cost_s: npt.NDArray[np.floating], limit_s: float, ptr: PtrArray, out: IntArray) -> None:
    for i in range(cost_s.shape[0]):
        k = ptr[i]
        for j in range(cost_s.shape[1]):
            if cost_s[i, j] <= limit_s:
                out[k] = j
                k += 1


@kernel
def _transpose(point_ptr: PtrArray, point_site: IntArray, cursor: PtrArray, out: IntArray) -> None:
    for i in range(len(point_ptr) - 1):
        for q in range(point_ptr[i], point_ptr[i + 1]):
            j = point_site[q]
            out[cursor[j]] = i
            cursor[j] += 1
