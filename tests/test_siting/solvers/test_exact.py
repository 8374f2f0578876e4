"""HiGHS models against brute force on small cases, every answer checked by the verifier."""

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from geo.errors import InfeasibleError, InputError
from siting.problems.define import MaxCover, PCenter, PMedian, Problem, SetCover, StationPlan
from siting.solvers.exact import solve_exact
from siting.solvers.solve import solve
from siting.solvers.station_plans import PlanEffort, solve_station_plan
from siting.solvers.verify import verify

FloatArray = npt.NDArray[np.float64]
SMALL = settings(max_examples=20, deadline=None)


def case(seed: int, n: int = 7, m: int = 5) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 20, (n, m)).astype(np.float64)
    cost[rng.random((n, m)) < 0.1] = np.inf
    return cost, rng.integers(0, 9, n).astype(np.float64)


def subsets(m: int, most: int, kept: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    rest = [s for s in range(m) if s not in kept]
    return [
        tuple(sorted((*kept, *extra)))
        for k in range(most - len(kept) + 1)
        for extra in itertools.combinations(rest, k)
    ]


def most_served(cost: FloatArray, weight: FloatArray, capacity: FloatArray, limit: float) -> float:
    """Return the largest divisible flow from points to the given sites (columns of cost)."""
    pairs = np.argwhere(cost <= limit)
    if len(pairs) == 0:
        return 0.0
    rows = np.zeros((cost.shape[0] + cost.shape[1], len(pairs)))
    for k, (i, j) in enumerate(pairs):
        rows[i, k] = 1
        rows[cost.shape[0] + j, k] = 1
    answer = linprog(-np.ones(len(pairs)), A_ub=rows, b_ub=np.r_[weight, capacity])
    return -float(answer.fun or 0.0)


@SMALL
@given(st.integers(0, 10_000), st.integers(1, 4), st.booleans())
def test_max_cover_matches_brute_force(seed: int, sites: int, keep: bool) -> None:
    cost, weight = case(seed)
    kept = (seed % 5,) if keep else ()
    problem = MaxCover(weight=weight, limit_s=6, sites=sites, kept=kept)
    result = solve_exact(problem, cost)
    best = max(weight[(cost[:, list(s)] <= 6).any(axis=1)].sum() for s in subsets(5, sites, kept))
    assert result.objective == pytest.approx(best)
    assert result.status == "optimal"
    assert verify(problem, cost, result) == ()


@SMALL
@given(st.integers(0, 10_000))
def test_max_cover_with_budget_and_equity_matches_brute_force(seed: int) -> None:
    cost, weight = case(seed)
    price = np.random.default_rng(seed + 1).integers(1, 9, 5).astype(np.float64)
    group = np.array([0, 0, 0, 1, 1, 1, -1])
    share = np.array([0.3, 0.5])
    problem = MaxCover(weight=weight, limit_s=6, site_cost=price, budget=11, group=group, group_share=share)
    best = -1.0
    for s in subsets(5, 5):
        covered = (cost[:, list(s)] <= 6).any(axis=1)
        fair = all(
            weight[covered & (group == g)].sum() >= share[g] * weight[group == g].sum() - 1e-9 for g in (0, 1)
        )
        if price[list(s)].sum() <= 11 and fair:
            best = max(best, float(weight[covered].sum()))
    if best < 0:
        with pytest.raises(InfeasibleError, match="relax"):
            solve_exact(problem, cost)
        return
    result = solve_exact(problem, cost)
    assert result.objective == pytest.approx(best)
    assert verify(problem, cost, result) == ()


@SMALL
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_capacitated_cover_matches_brute_force(seed: int, sites: int) -> None:
    cost, weight = case(seed, 5, 4)
    capacity = np.random.default_rng(seed + 2).integers(1, 12, 4).astype(np.float64)
    problem = MaxCover(weight=weight, limit_s=8, sites=sites, capacity=capacity)
    result = solve_exact(problem, cost)
    best = max(most_served(cost[:, list(s)], weight, capacity[list(s)], 8) for s in subsets(4, sites))
    assert result.objective == pytest.approx(best, abs=1e-6)
    assert verify(problem, cost, result) == ()


@SMALL
@given(st.integers(0, 10_000), st.integers(1, 4), st.booleans())
def test_p_median_and_p_center_match_brute_force(seed: int, sites: int, keep: bool) -> None:
    cost, weight = case(seed)
    kept = (seed % 5,) if keep else ()
    median = PMedian(weight=weight, sites=sites, kept=kept)
    center = PCenter(weight=weight, sites=sites, kept=kept)
    nearest = [cost[:, list(s)].min(axis=1) for s in subsets(5, sites, kept) if s]
    usable = [t for t in nearest if np.isfinite(t).all()]
    if not usable:
        for problem in (median, center):
            with pytest.raises(InfeasibleError):
                solve_exact(problem, cost)
        return
    by_median, by_center = solve_exact(median, cost), solve_exact(center, cost)
    assert by_median.objective == pytest.approx(min(weight @ t for t in usable))
    assert by_center.objective == pytest.approx(min(t.max() for t in usable))
    assert verify(median, cost, by_median) == ()
    assert verify(center, cost, by_center) == ()


@SMALL
@given(st.integers(0, 10_000))
def test_set_cover_matches_brute_force(seed: int) -> None:
    cost, weight = case(seed)
    price = np.random.default_rng(seed + 1).integers(1, 9, 5).astype(np.float64)
    problem = SetCover(weight=weight, limit_s=9, site_cost=price)
    costs = [price[list(s)].sum() for s in subsets(5, 5) if (cost[:, list(s)] <= 9).any(axis=1).all()]
    if not costs:
        with pytest.raises(InfeasibleError, match="demand points not served"):
            solve_exact(problem, cost)
        return
    result = solve_exact(problem, cost)
    assert result.objective == pytest.approx(min(costs))
    assert verify(problem, cost, result) == ()


@SMALL
@given(st.integers(0, 10_000))
def test_capacitated_median_cover_and_center_match_brute_force(seed: int) -> None:
    cost, weight = case(seed, 4, 4)
    capacity = np.random.default_rng(seed + 2).integers(4, 20, 4).astype(np.float64)
    fits = [s for s in subsets(4, 4) if s]
    median = PMedian(weight=weight, sites=3, capacity=capacity)

    def transport(s: tuple[int, ...]) -> float:
        part = cost[:, list(s)]
        pairs = np.argwhere(np.isfinite(part))
        if len(pairs) == 0:
            return np.inf
        equal = np.zeros((4, len(pairs)))
        below = np.zeros((len(s), len(pairs)))
        for k, (i, j) in enumerate(pairs):
            equal[i, k] = 1
            below[j, k] = weight[i]
        price = [weight[i] * part[i, j] for i, j in pairs]
        answer = linprog(price, A_ub=below, b_ub=capacity[list(s)], A_eq=equal, b_eq=np.ones(4))
        return float(answer.fun or 0.0) if answer.status == 0 else np.inf

    best = min(transport(s) for s in fits if len(s) <= 3)
    if np.isfinite(best):
        result = solve_exact(median, cost)
        assert result.objective == pytest.approx(best, abs=1e-5)
        assert verify(median, cost, result) == ()
    else:
        with pytest.raises(InfeasibleError):
            solve_exact(median, cost)
    total = weight.sum()
    if (cost.min(axis=1) > 12).any():
        return
    cover = SetCover(weight=weight, limit_s=12, capacity=capacity)
    enough = [
        k
        for k, s in ((len(s), s) for s in fits)
        if most_served(cost[:, list(s)], weight, capacity[list(s)], 12) > total - 1e-6
        and (cost[:, list(s)].min(axis=1) <= 12).all()
    ]
    if enough:
        answer = solve_exact(cover, cost)
        assert answer.objective == min(enough)
        assert verify(cover, cost, answer) == ()
        center = PCenter(weight=weight, sites=4, capacity=capacity)
        assert verify(center, cost, solve_exact(center, cost)) == ()


def plan(seed: int, capacitated: bool, new_sites: int | None = None) -> tuple[StationPlan, FloatArray]:
    """Four sites with two options each, two hours; site 0 stands today and may close or move."""
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 12, (5, 4)).astype(np.float64)
    weight = rng.integers(0, 9, (5, 2)).astype(np.float64)
    problem = StationPlan(
        weight=weight,
        limit_s=6,
        option_site=np.repeat(np.arange(4), 2),
        option_cost=rng.integers(1, 6, 8).astype(np.float64),
        option_open=np.tile([[True, False], [True, True]], (4, 1)),
        option_capacity=rng.integers(2, 12, 8).astype(np.float64) if capacitated else None,
        budget=9,
        sites=3,
        new_sites=new_sites,
        existing_site=(0,),
        close_cost=np.array([1.0]),
        move_saving=np.array([2.0]),
        group=np.array([0, 0, 1, 1, -1]),
        group_share=np.array([0.2, 0.2]),
    )
    return problem, cost


def best_plan(problem: StationPlan, cost: FloatArray) -> float:
    best = -1.0
    for choice in itertools.product((-1, 0, 1), repeat=4):
        options = [2 * s + k for s, k in enumerate(choice) if k >= 0]
        sites = [o // 2 for o in options]
        new = sum(s > 0 for s in sites)
        if len(sites) > 3 or (problem.new_sites is not None and new > problem.new_sites):
            continue
        spent = float(problem.option_cost[options].sum())
        if 0 not in sites:
            spent += 1.0 - (2.0 if sites else 0.0)
        if spent > 9:
            continue
        # equity under a capacity is checked by a flow with the least shares as rows
        pairs = [
            (i, h, k)
            for i in range(5)
            for h in range(2)
            for k, o in enumerate(options)
            if problem.option_open[o, h] and cost[i, o // 2] <= 6
        ]
        value = _flow_value(problem, options, pairs)
        best = max(best, value)
    return best


def _flow_value(problem: StationPlan, options: list[int], pairs: list[tuple[int, int, int]]) -> float:
    weight, group, share = problem.weight, problem.group, problem.group_share
    assert group is not None
    assert share is not None
    need = [share[g] * weight[group == g].sum() for g in (0, 1)]
    if not pairs:
        return 0.0 if max(need) <= 0 else -1.0
    rows, right = [], []
    for i in range(5):
        for h in range(2):
            rows.append([float((a, b) == (i, h)) for a, b, _ in pairs])
            right.append(weight[i, h])
    if problem.option_capacity is not None:
        for k, o in enumerate(options):
            for h in range(2):
                rows.append([float((b, c) == (h, k)) for _, b, c in pairs])
                right.append(problem.option_capacity[o])
    for g in (0, 1):
        rows.append([-float(group[a] == g) for a, _, _ in pairs])
        right.append(-need[g])
    answer = linprog(-np.ones(len(pairs)), A_ub=np.array(rows), b_ub=np.array(right))
    return -float(answer.fun or 0.0) if answer.status == 0 else -1.0


@SMALL
@given(st.integers(0, 10_000), st.booleans(), st.sampled_from([None, 0, 1, 2]))
def test_station_plan_matches_brute_force(seed: int, capacitated: bool, new_sites: int | None) -> None:
    problem, cost = plan(seed, capacitated, new_sites)
    best = best_plan(problem, cost)
    if best < 0:
        with pytest.raises(InfeasibleError):
            solve_exact(problem, cost)
        return
    result = solve_exact(problem, cost)
    assert result.objective == pytest.approx(best, abs=1e-5)
    assert verify(problem, cost, result) == ()


def test_infeasible_says_which_constraint_and_by_how_much() -> None:
    cost = np.array([[1.0, 9.0], [9.0, 1.0], [9.0, 9.0]])
    with pytest.raises(InfeasibleError, match=r"demand points not served\) by 1\b"):
        solve_exact(SetCover(weight=np.ones(3), limit_s=2), cost)
    short = PMedian(weight=np.ones(3), sites=2, capacity=np.array([1.0, 1.5]))
    with pytest.raises(InfeasibleError, match=r"capacity \(rider-minutes\) by 0\.5\b"):
        solve_exact(short, cost)
    tight = MaxCover(weight=np.ones(3), limit_s=2, kept=(0, 1), site_cost=np.array([3.0, 4.0]), budget=5)
    with pytest.raises(InfeasibleError, match=r"the budget \(yuan\) by 2\b"):
        solve_exact(tight, cost)


@pytest.mark.parametrize("make", [MaxCover, PMedian, PCenter])
def test_more_kept_than_sites_and_no_demand_are_one_sentence_each(make: Callable[..., Problem]) -> None:
    limit = {"limit_s": 5.0} if make is MaxCover else {}
    rng = np.random.default_rng(0)
    for ask in (solve_exact, lambda problem, cost: solve(problem, cost, rng)):
        with pytest.raises(InputError, match=r"2 sites are kept, but at most 1 may be open: keep fewer"):
            ask(make(weight=np.ones(3), sites=1, kept=(1, 2), **limit), np.ones((3, 4)))
        with pytest.raises(InputError, match="there is no demand point to serve"):
            ask(make(weight=np.empty(0), sites=1, **limit), np.empty((0, 4)))


def test_no_demand_is_one_sentence_for_covers_and_plans_too() -> None:
    none = np.empty((0, 2))
    plan_of_none = StationPlan(
        weight=none, limit_s=5, option_site=np.array([0]), option_cost=np.ones(1),
        option_open=np.ones((1, 2), dtype=np.bool_), budget=3,
    )  # fmt: skip
    for problem in (SetCover(weight=np.empty(0), limit_s=5), plan_of_none):
        with pytest.raises(InputError, match="there is no demand point to serve"):
            solve(problem, none, np.random.default_rng(0))


def test_the_number_of_new_sites_counts_new_ones_only() -> None:
    # four stations far from demand stand today; three new places serve two minutes each
    cost = np.full((3, 7), 99.0)
    cost[[0, 1, 2], [4, 5, 6]] = 1.0
    for sites in (1, 2, 3):
        problem = StationPlan(
            weight=np.full((3, 1), 2.0),
            limit_s=5,
            option_site=np.arange(7),
            option_cost=np.ones(7),
            option_open=np.ones((7, 1), dtype=np.bool_),
            budget=100.0,
            new_sites=sites,
            existing_site=(0, 1, 2, 3),
            close_cost=np.zeros(4),
        )
        effort = PlanEffort(exact_cells=0)
        for result in (solve_exact(problem, cost), solve_station_plan(problem, cost, effort=effort)):
            assert sum(s >= 4 for s in result.chosen) == sites
            assert result.objective == 2.0 * sites
            assert result.bound < 2.0 * sites + 1e-6
            assert verify(problem, cost, result) == ()
            tighter = dataclasses.replace(problem, new_sites=sites - 1)
            assert any("new sites are chosen" in word for word in verify(tighter, cost, result))


def test_more_sites_than_candidates_is_one_sentence() -> None:
    with pytest.raises(InputError, match=r"5 sites are asked for, but there are only 2 candidates"):
        solve_exact(MaxCover(weight=np.ones(1), limit_s=1, sites=5), np.ones((1, 2)))


def test_a_matrix_that_is_not_of_this_problem_is_refused() -> None:
    problem = MaxCover(weight=np.ones(3), limit_s=1, sites=1)
    for bad in (np.ones((2, 2)), np.full((3, 2), -1.0), np.full((3, 2), np.nan)):
        with pytest.raises(InputError, match="cost matrix"):
            solve_exact(problem, bad)
    with pytest.raises(InputError, match="only 2 sites"):
        solve_exact(MaxCover(weight=np.ones(3), limit_s=1, sites=1, kept=(7,)), np.ones((3, 2)))


@SMALL
@given(st.integers(0, 10_000))
def test_more_sites_or_budget_or_hours_never_serve_less(seed: int) -> None:
    cost, weight = case(seed)
    served = [solve_exact(MaxCover(weight=weight, limit_s=6, sites=k), cost).objective for k in range(1, 5)]
    assert served == sorted(served)
    price = np.array([1.0, 2.0, 3.0, 2.0, 1.0])
    by_budget = [
        solve_exact(MaxCover(weight=weight, limit_s=6, site_cost=price, budget=b), cost).objective
        for b in (1, 3, 5, 9)
    ]
    assert by_budget == sorted(by_budget)


@SMALL
@given(st.integers(0, 10_000))
def test_the_order_of_input_does_not_matter(seed: int) -> None:
    cost, weight = case(seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(7), rng.permutation(5)
    one = solve_exact(MaxCover(weight=weight, limit_s=6, sites=2), cost)
    two = solve_exact(MaxCover(weight=weight[rows], limit_s=6, sites=2), cost[np.ix_(rows, columns)])
    assert one.objective == pytest.approx(two.objective)
