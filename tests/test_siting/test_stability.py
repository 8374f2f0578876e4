"""Baselines and resampling: repeatable, and of the form they claim."""

import numpy as np
import pytest

from siting.demand.weighted import Demand, DemandLayer, DemandWeights
from siting.problems.define import MaxCover
from siting.solvers.exact import solve_exact
from siting.stability import (
    busiest_cells,
    chosen_shares,
    covered_share,
    kmeans_centres,
    random_choices,
    solver_of,
    split_days,
)


def test_the_last_days_are_held_out() -> None:
    training, held_out = split_days(5, 2)
    assert training.tolist() == [True, True, True, False, False]
    assert (training ^ held_out).all()


def test_baselines_find_the_two_heaps() -> None:
    rng = np.random.default_rng(0)
    xy = np.r_[rng.normal(250, 20, (50, 2)), rng.normal(5250, 20, (50, 2))]
    weight = np.ones(100)
    for centres in (kmeans_centres(xy, weight, 2, 1), busiest_cells(xy, weight, 2)):
        assert sorted(centres[:, 0].round(-2).tolist()) == pytest.approx([200.0, 5200.0], abs=100)
    np.testing.assert_array_equal(kmeans_centres(xy, weight, 2, 1), kmeans_centres(xy, weight, 2, 1))
    assert len(kmeans_centres(xy[:1], weight[:1], 5, 1)) == 1


def test_shares_and_draws() -> None:
    within = np.array([[True, False], [False, False]])
    assert covered_share(np.array([3.0, 1.0]), within) == 0.75
    draws = random_choices(10, 4, 6, np.random.default_rng(0))
    assert draws.shape == (6, 4)
    assert all(len(set(row)) == 4 for row in draws.tolist())


def test_a_site_that_every_day_needs_is_always_chosen() -> None:
    days, riders = 4, 6
    point = np.tile([0, 1], days * riders)
    day = np.repeat(np.arange(days), 2 * riders)
    rider = np.tile(np.repeat(np.arange(riders), 2), days)
    minutes = np.where(point == 0, 60.0, 5.0)
    layer = DemandLayer(point, rider, day, np.full(len(point), 12), minutes)
    none = np.empty(0, dtype=np.int64)
    empty = DemandLayer(none, none, none, none, np.empty(0))
    demand = Demand(np.zeros((2, 2)), ("a", "b", "c", "d"), layer, empty, empty)
    cost_s = np.array([[0.0, 9.0], [9.0, 0.0]])
    problem = MaxCover(weight=np.ones(2), limit_s=1, sites=1)
    solve = solver_of(problem, cost_s, solve_exact(problem, cost_s))
    shares = chosen_shares(
        demand,
        DemandWeights(),
        np.ones(days, dtype=np.bool_),
        solve,
        sites=2,
        riders=riders,
        draws=10,
        rng=np.random.default_rng(0),
    )
    assert shares.tolist() == [1.0, 0.0]
