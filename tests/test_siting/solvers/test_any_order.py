"""The same problem in another order has the same answer: the same sites, not only the same objective."""

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siting.problems.define import MaxCover, PCenter, PMedian, Problem, SetCover, SitingResult, StationPlan
from siting.problems.highs import Limits
from siting.solvers.exact import solve_exact
from siting.solvers.solve import solve

FloatArray = npt.NDArray[np.float64]
SOME = settings(max_examples=10, deadline=None)
N, M = 14, 9


def tied(seed: int) -> tuple[FloatArray, FloatArray]:
    """Return a case with many ties: times are 1, 2 or 3, weights 1 or 2."""
    rng = np.random.default_rng(seed)
    return rng.integers(1, 4, (N, M)).astype(np.float64), rng.integers(1, 3, N).astype(np.float64)


def problems(weight: FloatArray) -> list[Problem]:
    price = np.tile([1.0, 2.0], M)[:M]
    holds = np.full(M, weight.sum() / 2)
    group = np.arange(N) % 3
    share = np.full(3, 0.2)
    return [
        MaxCover(weight=weight, limit_s=1, sites=2),
        MaxCover(weight=weight, limit_s=1, sites=3, capacity=holds / 3, kept=(1,)),
        MaxCover(weight=weight, limit_s=2, site_cost=price, budget=3, group=group, group_share=share),
        PMedian(weight=weight, sites=3),
        PMedian(weight=weight, sites=3, capacity=holds, kept=(2,)),
        PCenter(weight=weight, sites=2),
        PCenter(weight=weight, sites=4, capacity=holds),
        SetCover(weight=weight, limit_s=2, site_cost=price),
        SetCover(weight=weight, limit_s=2, capacity=holds),
        StationPlan(
            weight=np.column_stack([weight, weight[::-1]]),
            limit_s=2,
            option_site=np.repeat(np.arange(M), 2),
            option_cost=np.tile([1.0, 1.5], M),
            option_open=np.tile([[True, False], [True, True]], (M, 1)),
            option_capacity=np.tile([5.0, 5.0], M),
            budget=4,
            existing_site=(3, 1),
            close_cost=np.array([0.5, 0.2]),
            move_saving=np.array([0.0, 0.6]),
        ),
    ]


def shuffled(problem: Problem, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Problem:
    place = np.argsort(columns)
    changes: dict[str, object] = {
        "weight": problem.weight[rows],
        "kept": tuple(int(place[s]) for s in problem.kept),
    }
    for name in ("site_cost", "capacity"):
        if getattr(problem, name, None) is not None:
            changes[name] = getattr(problem, name)[columns]
    if getattr(problem, "group", None) is not None:
        changes["group"] = getattr(problem, "group")[rows]  # noqa: B009 - not all problems have one
    if isinstance(problem, StationPlan):
        options = np.random.default_rng(0).permutation(len(problem.option_site))
        changes["option_site"] = place[problem.option_site[options]]
        for name in ("option_cost", "option_open", "option_capacity"):
            changes[name] = getattr(problem, name)[options]
        changes["existing_site"] = tuple(int(place[s]) for s in problem.existing_site[::-1])
        for name in ("close_cost", "move_saving"):
            changes[name] = getattr(problem, name)[::-1]
    return dataclasses.replace(problem, **changes)  # type: ignore[arg-type]


def same(one: SitingResult, two: SitingResult, cost: FloatArray, columns: npt.NDArray[np.int64]) -> None:
    assert one.objective == two.objective
    assert one.bound == two.bound
    # twins that nothing tells apart may stand for each other
    mine = sorted(tuple(sorted(cost[:, s])) for s in one.chosen)
    theirs = sorted(tuple(sorted(cost[:, columns[s]])) for s in two.chosen)
    assert mine == theirs


@SOME
@given(st.integers(0, 10_000))
def test_points_sites_and_options_may_come_in_any_order(seed: int) -> None:
    cost, weight = tied(seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(N), rng.permutation(M)
    twins = len(np.unique(cost, axis=1).T) < M
    for problem in problems(weight):
        other = shuffled(problem, rows, columns)
        one = solve(problem, cost, np.random.default_rng(5))
        two = solve(other, cost[np.ix_(rows, columns)], np.random.default_rng(5))
        same(one, two, cost, columns)
        if not twins:
            assert set(one.chosen) == {int(columns[s]) for s in two.chosen}, type(problem).__name__
    plain = problems(weight)[0]
    exact = solve_exact(plain, cost)
    again = solve_exact(shuffled(plain, rows, columns), cost[np.ix_(rows, columns)])
    if not twins:
        assert set(exact.chosen) == {int(columns[s]) for s in again.chosen}


def test_large_searches_do_not_depend_on_the_order_either() -> None:
    rng = np.random.default_rng(4)
    points, sites = rng.uniform(0, 100, (600, 2)), rng.uniform(0, 100, (60, 2))
    cost = np.round(np.abs(points[:, None] - sites[None]).sum(axis=2))
    weight = rng.uniform(1, 9, 600)
    rows, columns = rng.permutation(600), rng.permutation(60)
    holds = np.full(60, weight.sum() / 6)
    for problem in (
        MaxCover(weight=weight, limit_s=15, sites=7),
        MaxCover(weight=weight, limit_s=15, sites=7, capacity=holds / 3),
        PMedian(weight=weight, sites=8, capacity=holds),
        SetCover(weight=weight, limit_s=30),
    ):
        one = solve(problem, cost, np.random.default_rng(5))
        two = solve(shuffled(problem, rows, columns), cost[np.ix_(rows, columns)], np.random.default_rng(5))
        assert set(one.chosen) == {int(columns[s]) for s in two.chosen}
        assert one.objective == two.objective


@pytest.mark.parametrize("limit", [None, 20.0])
def test_a_time_limit_changes_no_proven_answer(limit: float | None) -> None:
    cost, weight = tied(11)
    for problem in problems(weight):
        result = solve(problem, cost, np.random.default_rng(0), Limits(time_limit_s=limit))
        assert result.objective == pytest.approx(solve_exact(problem, cost).objective)
