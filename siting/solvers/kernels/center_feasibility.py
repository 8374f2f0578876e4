"""Kernel that tells whether p sites can reach every point: depth-first, pruned by weights on points.

For any weights on the points still open, p sites can only be enough if the p heaviest sites weigh as much as
all points together. The weights are moved by multiplicative updates (Freund and Schapire, Games and
Economic Behavior 29 (1999)), which lead to the bound of the linear relaxation.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geo.jit import kernel
from siting.problems.reach import Reach

__all__ = ["cover_all"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]


class _Node(NamedTuple):
    """The arrays of one node of the search."""

    times: IntArray
    """(n,) How many chosen sites reach each point."""
    mass: FloatArray
    """(n,) Weight of each point."""
    out: BoolArray
    """(m,) Sites that are left out."""
    sum_: FloatArray
    """(m,) Weight of each site: that of the points it reaches and no chosen one does."""


@kernel
def _refuted(reach: Reach, node: _Node, k: int, steps: int, rate: float) -> bool:
    """Tell whether the weights show that k more sites are too few; leave out sites that cannot be among them.

    Moves the weights ``steps`` times at this ``rate``.
    """
    site_ptr, site_point = reach.site_ptr, reach.site_point
    times, mass, out, sum_ = node
    n, m = len(mass), len(sum_)
    count = np.zeros(n, dtype=np.int32)
    for _ in range(steps):
        total = 0.0
        left = 0
        for i in range(n):
            if times[i] == 0:
                total += mass[i]
                left += 1
        scale = left / total
        total = float(left)
        for i in range(n):
            mass[i] *= scale
        for j in range(m):
            v = 0.0
            if not out[j]:
                for q in range(site_ptr[j], site_ptr[j + 1]):
                    i = site_point[q]
                    if times[i] == 0:
                        v += mass[i]
            sum_[j] = v
        rank = np.argsort(-sum_)
        top = 0.0
        for q in range(min(k - 1, m)):
            top += sum_[rank[q]]
        last = sum_[rank[k - 1]] if k <= m else 0.0
        if top + last < total * (1.0 - 1e-9):
            return True
        # with such a site and the best k - 1 others, still too few
        least = total * (1.0 - 1e-9) - top
        for j in range(m):
            if sum_[j] < least:
                out[j] = True
        count[:] = 0
        for q in range(min(k, m)):
            j = rank[q]
            if not out[j]:
                for r in range(site_ptr[j], site_ptr[j + 1]):
                    count[site_point[r]] += 1
        for i in range(n):
            if times[i] == 0:
                mass[i] = max(1e-6, mass[i] * np.exp(rate * (1 - count[i])))
    return False


@kernel
def _add(reach: Reach, j: int, change: int, times: IntArray) -> None:
    """Change how many chosen sites reach each point of site j."""
    for r in range(reach.site_ptr[j], reach.site_ptr[j + 1]):
        times[reach.site_point[r]] += change


@kernel
def _sites_to_try(reach: Reach, node: _Node, tries: IntArray) -> int:
    """Fill in the sites of the open point that the fewest can reach, the heaviest first; return how many."""
    point_ptr, point_site = reach.point_ptr, reach.point_site
    times, _, out, sum_ = node
    fewest = len(out) + 1
    point = -1
    for i in range(len(times)):
        if times[i] == 0:
            c = 0
            for q in range(point_ptr[i], point_ptr[i + 1]):
                if not out[point_site[q]]:
                    c += 1
            if c < fewest:
                fewest = c
                point = i
    keys = np.empty(fewest)
    names = np.empty(fewest, dtype=np.int32)
    c = 0
    for q in range(point_ptr[point], point_ptr[point + 1]):
        j = point_site[q]
        if not out[j]:
            keys[c] = -sum_[j]
            names[c] = j
            c += 1
    rank = np.argsort(keys)
    for q in range(fewest):
        tries[q] = names[rank[q]]
    return fewest


@kernel
def cover_all(reach: Reach, kept: IntArray, p: int, most_nodes: int, chosen: BoolArray) -> int:
    """Return 1 if p sites with all kept ones reach every point (then ``chosen`` says which), 0 if none do.

    -1: not known after ``most_nodes`` nodes. ``chosen`` (m,) may come in as it is.
    """
    n, m = len(reach.point_ptr) - 1, len(reach.site_ptr) - 1
    times = np.zeros(n, dtype=np.int32)
    chosen[:] = False
    for q in range(len(kept)):
        chosen[kept[q]] = True
        _add(reach, kept[q], 1, times)
    depth_most = p - len(kept)
    mass = np.ones((depth_most + 1, n))
    out = np.zeros((depth_most + 1, m), dtype=np.bool_)
    tries = np.empty((depth_most + 1, m), dtype=np.int32)
    size = np.zeros(depth_most + 1, dtype=np.int64)
    place = np.zeros(depth_most + 1, dtype=np.int64)
    sum_ = np.empty(m)
    nodes = 0
    d = 0
    fresh = True
    while d >= 0:
        if fresh:
            nodes += 1
            if nodes > most_nodes:
                return -1
            size[d] = 0
            place[d] = 0
            if times.all():
                return 1
            if d < depth_most:
                steps = 400 if d == 0 else 40
                rate = 0.1 if d == 0 else 0.07
                node = _Node(times, mass[d], out[d], sum_)
                if not _refuted(reach, node, depth_most - d, steps, rate):
                    size[d] = _sites_to_try(reach, node, tries[d])
            fresh = False
        if place[d] < size[d]:
            j = tries[d, place[d]]
            place[d] += 1
            chosen[j] = True
            _add(reach, j, 1, times)
            out[d + 1] = out[d]
            out[d + 1, j] = True
            mass[d + 1] = mass[d]
            # the next ones of this point need not try this site again
            out[d, j] = True
            d += 1
            fresh = True
        else:
            d -= 1
            if d >= 0:
                j = tries[d, place[d] - 1]
                chosen[j] = False
                _add(reach, j, -1, times)
    return 0
