"""Baselines and resampling: repeatable, and of the form they claim."""

import dataclasses

import numpy as np
import pytest

from geo.errors import InfeasibleError
from siting.demand.weighted import Demand, DemandLayer, DemandWeights
from siting.evaluation.stability import (
    busiest_cells,
    chosen_shares,
    covered_share,
    kmeans_centres,
    random_choices,
    solver_of,
    split_days,
)
from siting.problems.define import MaxCover, SitingResult, StationPlan
from siting.solvers.exact import solve_exact


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
    assert shares is not None
    assert shares.tolist() == [1.0, 0.0]


def test_what_is_resampled_is_the_plan_with_its_budget_and_hours() -> None:
    # site 0 is near to most demand, but only dear options stand there; the budget buys sites 1 and 2
    days, riders = 3, 5
    point = np.tile([0, 1, 2], days * riders)
    day = np.repeat(np.arange(days), 3 * riders)
    rider = np.tile(np.repeat(np.arange(riders), 3), days)
    layer = DemandLayer(point, rider, day, np.full(len(point), 12), np.where(point == 0, 9.0, 5.0))
    none = np.empty(0, dtype=np.int64)
    empty = DemandLayer(none, none, none, none, np.empty(0))
    demand = Demand(np.zeros((3, 2)), ("a", "b", "c"), layer, empty, empty)
    cost_s = np.where(np.eye(3, dtype=np.bool_), 0.0, 9.0)
    training = np.ones(days, dtype=np.bool_)
    open_ = np.zeros((3, 24), dtype=np.bool_)
    open_[:, 12] = True
    plan = StationPlan(
        weight=demand.weight(DemandWeights(), training),
        limit_s=1,
        option_site=np.arange(3),
        option_cost=np.array([9.0, 1.0, 1.0]),
        option_open=open_,
        budget=2.0,
        new_sites=2,
    )
    result = solve_exact(plan, cost_s)
    assert result.chosen == (1, 2)
    rng = np.random.default_rng(0)
    solve = solver_of(plan, cost_s, result)
    shares = chosen_shares(demand, DemandWeights(), training, solve, sites=3, riders=riders, draws=6, rng=rng)
    assert shares is not None
    assert shares.tolist() == [0.0, 1.0, 1.0]


def test_resamples_without_the_least_share_count_the_plan_nearest_to_it() -> None:
    """They once asked the exact model for 300 s each, and a plan that none met was told as chosen in 0.0%."""
    point, day = np.array([0, 1] * 3), np.repeat(np.arange(3), 2)
    layer = DemandLayer(point, np.arange(6), day, np.full(6, 12), np.where(point == 0, 9.0, 5.0))
    none = np.empty(0, dtype=np.int64)
    empty = DemandLayer(none, none, none, none, np.empty(0))
    demand = Demand(np.zeros((2, 2)), ("a", "b", "c"), layer, empty, empty)
    training = np.ones(3, dtype=np.bool_)
    cost_s = np.where(np.eye(2, dtype=np.bool_), 0.0, 9.0)
    plan = StationPlan(
        weight=demand.weight(DemandWeights(), training),
        limit_s=1,
        option_site=np.arange(2),
        option_cost=np.ones(2),
        option_open=np.ones((2, 24), dtype=np.bool_),
        new_sites=1,
    )
    result = solve_exact(plan, cost_s)
    floor = dataclasses.replace(plan, group=np.arange(2), group_share=np.array([0.5, 0.5]))
    rng = np.random.default_rng(0)
    solve = solver_of(floor, cost_s, result)
    shares = chosen_shares(demand, DemandWeights(), training, solve, sites=2, riders=6, draws=5, rng=rng)
    assert shares is not None
    assert shares.sum() == 1.0

    def refuse(*_: object) -> SitingResult:
        raise InfeasibleError("no choice")

    told = chosen_shares(demand, DemandWeights(), training, refuse, sites=2, riders=6, draws=5, rng=rng)
    assert told is None


def test_the_demand_of_some_days_is_theirs() -> None:
    point, day = np.array([0, 1, 0, 1]), np.array([0, 1, 2, 2])
    layer = DemandLayer(point, np.arange(4), day, np.array([8, 9, 10, 11]), np.array([1.0, 2.0, 4.0, 8.0]))
    demand = Demand(np.zeros((2, 2)), ("a", "b", "c"), layer, layer, layer)
    some = np.array([True, False, True])
    part = demand.on(some)
    assert part.days == ("a", "c")
    assert part.rest.day.tolist() == [0, 1, 1]
    np.testing.assert_allclose(
        part.weight(DemandWeights(), np.ones(2, dtype=np.bool_)), demand.weight(DemandWeights(), some)
    )
