"""Kernel that tells whether p sites can reach every point: depth-first, pruned by weights on points.

For any weights on the points still open, p sites can only be enough if the p heaviest sites weigh as much as
all points together. The weights are moved by multiplicative updates (Freund and Schapire, Games and
Economic Behavior 29 (1999)), which lead to the bound of the linear relaxation.
"""

import numpy as np
import numpy.typing as npt

from geo.jit import kernel

__all__ = ["cover_all"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
PtrArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@kernel
def _refuted(
    site_ptr: PtrArray,
    site_point: IntArray,
    times: IntArray,
    out: BoolArray,
    mass: FloatArray,
    sum_: FloatArray,
    k: int,
    steps: int,
    rate: float,
) -> bool:
    """Tell whether the weights show that k more sites are too few; leave out sites that cannot be among them.

    ``mass`` (n,) comes in and leaves as the weights of points, ``out`` (m,) as the sites left out, ``sum_``
    (m,) as the weight of each site.
    """
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
def cover_all(
    site_ptr: PtrArray,
    site_point: IntArray,
    point_ptr: PtrArray,
    point_site: IntArray,
    kept: IntArray,
    p: int,
    most_nodes: int,
    chosen: BoolArray,
) -> int:
    """Return 1 if p sites with all kept ones reach every point (then ``chosen`` says which), 0 if none do.

    -1: not known after ``most_nodes`` nodes.
    """
    n, m = len(point_ptr) - 1, len(site_ptr) - 1
    times = np.zeros(n, dtype=np.int32)
    chosen[:] = False
    for q in range(len(kept)):
        chosen[kept[q]] = True
        for r in range(site_ptr[kept[q]], site_ptr[kept[q] + 1]):
            times[site_point[r]] += 1
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
            left = 0
            for i in range(n):
                if times[i] == 0:
                    left += 1
            if left == 0:
                return 1
            if d < depth_most:
                steps = 400 if d == 0 else 40
                rate = 0.1 if d == 0 else 0.07
                if not _refuted(
                    site_ptr, site_point, times, out[d], mass[d], sum_, depth_most - d, steps, rate
                ):
                    fewest = m + 1
                    point = -1
                    for i in range(n):
                        if times[i] == 0:
                            c = 0
                            for q in range(point_ptr[i], point_ptr[i + 1]):
                                if not out[d, point_site[q]]:
                                    c += 1
                            if c < fewest:
                                fewest = c
                                point = i
                    keys = np.empty(fewest)
                    names = np.empty(fewest, dtype=np.int32)
                    c = 0
                    for q in range(point_ptr[point], point_ptr[point + 1]):
                        j = point_site[q]
                        if not out[d, j]:
                            keys[c] = -sum_[j]
                            names[c] = j
                            c += 1
                    rank = np.argsort(keys)
                    for q in range(fewest):
                        tries[d, q] = names[rank[q]]
                    size[d] = fewest
            fresh = False
        if place[d] < size[d]:
            j = tries[d, place[d]]
            place[d] += 1
            chosen[j] = True
            for r in range(site_ptr[j], site_ptr[j + 1]):
                times[site_point[r]] += 1
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
                for r in range(site_ptr[j], site_ptr[j + 1]):
                    times[site_point[r]] -= 1
    return 0
