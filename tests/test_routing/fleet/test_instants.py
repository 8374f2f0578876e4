"""Instants in columns are those of one by one."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.fleet.mode_fleet import as_ms, instants_ms


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(
        st.one_of(
            st.sampled_from([math.inf, -math.inf, 0.0, -0.0, 0.0005, 0.0015, 1_772_640_000.0005]),
            st.floats(-1e10, 1e10, allow_nan=False),
        ),
        max_size=20,
    )
)
def test_many_are_as_one_by_one(given_s: list[float]) -> None:
    np.testing.assert_array_equal(
        instants_ms(np.array(given_s, np.float64)), np.array([as_ms(one) for one in given_s], np.int64)
    )
