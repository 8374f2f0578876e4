"""Shrunk ratios lie between 1 and the group's own mean, and more rides pull them towards it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.learned.shrinkage import shrunk_ratios

rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 6), st.floats(0.5, 300.0), st.floats(1.0, 200.0)),
    min_size=1,
    max_size=40,
)


@settings(derandomize=True, deadline=None)
@given(rows)
def test_between_what_is_expected_and_the_own_mean(found: list[tuple[int, int, float, float]]) -> None:
    key, rider, observed, expected = (np.array(column) for column in zip(*found, strict=True))
    shrunk = shrunk_ratios(key, rider, observed, expected)
    for number, group in enumerate(shrunk.key.tolist()):
        mine = key == group
        own = observed[mine].sum() / expected[mine].sum()
        assert np.isclose(shrunk.own[number], own)
        assert min(1.0, own) - 1e-9 <= shrunk.ratio[number] <= max(1.0, own) + 1e-9
        assert shrunk.riders[number] == len(np.unique(rider[mine]))


@settings(derandomize=True, deadline=None)
@given(rows, st.permutations(range(40)))
def test_the_order_of_the_rows_does_not_matter(
    found: list[tuple[int, int, float, float]], order: list[int]
) -> None:
    mixed = [found[place] for place in order if place < len(found)]
    one, other = (
        shrunk_ratios(*(np.array(column) for column in zip(*some, strict=True))) for some in (found, mixed)
    )
    assert np.allclose(one.ratio, other.ratio)


def test_many_riders_are_believed_and_one_is_not() -> None:
    rng = np.random.default_rng(3)
    # Group 0: 50 riders take twice as long; group 1: 50 riders take as long as expected; group 2: one rider.
    key = np.r_[np.zeros(50), np.ones(50), 2].astype(np.int64)
    rider = np.r_[np.arange(50), np.arange(50), 0].astype(np.int64)
    expected = np.full(101, 30.0)
    observed = expected * np.r_[rng.normal(2.0, 0.4, 50), rng.normal(1.0, 0.4, 50), 3.0]
    ratio = shrunk_ratios(key, rider, observed, expected).ratio
    assert 1.85 < ratio[0] < 2.15
    assert 0.85 < ratio[1] < 1.15
    assert 1.0 < ratio[2] < 2.9


def test_nothing_is_learned_from_nothing_or_from_one_rider() -> None:
    none = np.empty(0, np.int64)
    assert len(shrunk_ratios(none, none, np.empty(0), np.empty(0)).key) == 0
    alone = shrunk_ratios(np.zeros(3, np.int64), np.zeros(3, np.int64), np.full(3, 90.0), np.full(3, 10.0))
    assert alone.ratio.tolist() == [1.0]
