"""Pairs of demand point and station come the shortest way first, ties in the order of points and stations."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from siting.solvers.kernels.service import pairs_within

COSTS = st.tuples(st.integers(0, 8), st.integers(0, 5)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, np.inf]))
)


@settings(derandomize=True, deadline=None)
@given(COSTS)
def test_pairs_are_sorted_and_found_by_point_and_station(cost_s: np.ndarray) -> None:
    pairs = pairs_within(cost_s, 3.0)
    n, s = cost_s.shape
    all_pairs = sorted((cost_s[i, k], i, k) for i in range(n) for k in range(s) if cost_s[i, k] <= 3.0)
    assert list(zip(pairs.point.tolist(), pairs.station.tolist(), strict=True)) == [
        row[1:] for row in all_pairs
    ]
    for number, ptr, of, size in (
        (pairs.point, pairs.point_ptr, pairs.of_point, n),
        (pairs.station, pairs.station_ptr, pairs.of_station, s),
    ):
        for one in range(size):
            mine = of[ptr[one] : ptr[one + 1]].tolist()
            assert mine == [e for e in range(len(number)) if number[e] == one]
