"""The least largest regret: as a search of all choices finds it, and bounded where it is only searched."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siting.problems.define import MaxCover
from siting.solvers.robust import robust_cover


def _made(seed: int, points: int, sites: int, scenarios: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    cost_s = rng.uniform(0.0, 10.0, (points, sites))
    return cost_s, rng.integers(0, 9, (scenarios, points)) * rng.uniform(0.5, 2.0, (scenarios, 1)) + 0.01


def _least(
    cost_s: np.ndarray, weights: np.ndarray, count: int, kept: tuple[int, ...], limit_s: float
) -> float:
    """Try every choice."""
    share = weights / weights.sum(axis=1, keepdims=True)
    choices = [one for one in itertools.combinations(range(cost_s.shape[1]), count) if set(kept) <= set(one)]
    served = np.array([share @ (cost_s[:, list(one)] <= limit_s).any(axis=1) for one in choices])
    return float((served.max(axis=0) - served).max(axis=1).min())


cases = st.tuples(
    st.integers(0, 10_000), st.integers(2, 9), st.integers(2, 6), st.integers(1, 4), st.integers(0, 1)
)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(cases)
def test_small_problems_are_solved_exactly(case: tuple[int, int, int, int, int]) -> None:
    seed, points, sites, scenarios, keeps = case
    cost_s, weights = _made(seed, points, sites, scenarios)
    count, kept = max(1, sites // 2), tuple(range(keeps))
    problem = MaxCover(weight=np.ones(points), limit_s=3.0, sites=count, kept=kept)
    found = robust_cover(problem, weights, cost_s, np.random.default_rng(1))
    least = _least(cost_s, weights, count, kept, 3.0)
    assert found.largest == pytest.approx(least, abs=1e-5)
    assert found.bound == pytest.approx(least, abs=1e-5)
    assert len(found.chosen) <= count
    assert set(kept) <= set(found.chosen)


@settings(derandomize=True, deadline=None, max_examples=15)
@given(cases)
def test_a_search_is_bounded_on_both_sides(case: tuple[int, int, int, int, int]) -> None:
    seed, points, sites, scenarios, keeps = case
    cost_s, weights = _made(seed, points, sites, scenarios)
    count, kept = max(1, sites // 2), tuple(range(keeps))
    problem = MaxCover(weight=np.ones(points), limit_s=3.0, sites=count, kept=kept)
    found = robust_cover(problem, weights, cost_s, np.random.default_rng(1), exact_pairs=0)
    least = _least(cost_s, weights, count, kept, 3.0)
    assert found.bound - 1e-6 <= least <= found.largest + 1e-6


def test_it_fails_least_where_the_best_plan_on_the_mean_fails() -> None:
    # Site 0 serves the summer alone, site 1 the winter alone, site 2 most of either.
    within = np.array([[1, 0, 0], [1, 0, 1], [0, 1, 1], [0, 1, 0]], bool)
    cost_s = np.where(within, 1.0, np.inf)
    summer, winter = [30.0, 70.0, 0.0, 0.0], [0.0, 0.0, 7.0, 3.0]
    problem = MaxCover(weight=np.ones(4), limit_s=2.0, sites=1)
    found = robust_cover(problem, np.array([summer, winter]), cost_s, np.random.default_rng(1))
    assert found.chosen == (2,)
    assert found.regret == pytest.approx([0.3, 0.3])
    assert [one.chosen for one in found.alone] == [(0,), (1,)]
