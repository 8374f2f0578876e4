"""Fast solvers against the plain exact models and brute force: never better, equal where proven."""

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.errors import InfeasibleError
from siting.problems.define import MaxCover, PCenter, PMedian, SetCover, StationPlan
from siting.problems.highs import Limits
from siting.problems.order import InOrder, canonical_order
from siting.problems.reach import reach_within
from siting.solvers.cover_proof import Effort, prove_max_cover, spread_idle_sites
from siting.solvers.cover_search import bound_cover, search_cover
from siting.solvers.dominance import undominated
from siting.solvers.exact import solve_exact
from siting.solvers.median import MedianTree
from siting.solvers.solve import solve
from siting.solvers.station_plans import PlanEffort, solve_station_plan
from siting.solvers.verify import verify

FloatArray = npt.NDArray[np.float64]
SOME = settings(max_examples=12, deadline=None)


def town(seed: int, n: int, m: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    points, sites = rng.uniform(0, 100, (n, 2)), rng.uniform(0, 100, (m, 2))
    cost = np.round(np.abs(points[:, None] - sites[None]).sum(axis=2))
    return cost, rng.integers(1, 20, n).astype(np.float64)


@SOME
@given(st.integers(0, 10_000), st.integers(1, 6), st.booleans(), st.booleans())
def test_covering_is_proven_and_equals_the_plain_model(
    seed: int, sites: int, keep: bool, money: bool
) -> None:
    cost, weight = town(seed, 40, 15)
    kept = (seed % 15,) if keep else ()
    price = np.random.default_rng(seed).integers(1, 5, 15).astype(np.float64) if money else None
    problem = MaxCover(
        weight=weight, limit_s=20, sites=sites, kept=kept, site_cost=price, budget=9.0 if money else None
    )
    plain = solve_exact(problem, cost)
    fast = solve(problem, cost, np.random.default_rng(0))
    assert fast.status == "optimal"
    assert fast.objective == pytest.approx(plain.objective)
    assert verify(problem, cost, fast) == ()


@SOME
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_the_search_never_beats_the_proof_and_its_bound_holds(seed: int, sites: int) -> None:
    cost, weight = town(seed, 40, 15)
    problem = MaxCover(weight=weight, limit_s=20, sites=sites)
    reach = reach_within(cost, 20)
    answer = search_cover(problem, reach, np.random.default_rng(seed), rounds=5)
    best = solve_exact(problem, cost).objective
    assert answer.covered <= best + 1e-9
    assert bound_cover(problem, reach, answer.covered, steps=200).bound >= best - 1e-6
    again = search_cover(problem, reach, np.random.default_rng(seed), rounds=5)
    assert (again.chosen, again.covered) == (answer.chosen, answer.covered)
    whole = weight[(cost[:, list(answer.chosen)] <= 20).any(axis=1)].sum()
    assert answer.covered == pytest.approx(whole)


@SOME
@given(st.integers(0, 10_000), st.integers(1, 8), st.booleans())
def test_p_median_is_proven_and_equals_the_plain_model(seed: int, sites: int, keep: bool) -> None:
    cost, weight = town(seed, 25, 12)
    kept = tuple({seed % 12, (seed + 5) % 12})[:sites] if keep else ()
    problem = PMedian(weight=weight, sites=sites, kept=kept)
    fast = solve(problem, cost, np.random.default_rng(1))
    assert fast.status == "optimal"
    assert fast.objective == pytest.approx(solve_exact(problem, cost).objective)
    assert verify(problem, cost, fast) == ()


@SOME
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_the_median_bound_of_a_node_is_that_of_its_prices_and_holds(seed: int, sites: int) -> None:
    cost, weight = town(seed, 30, 15)
    value = cost * weight[:, None]
    problem = PMedian(weight=weight, sites=sites)
    tree = MedianTree(problem, value, Limits(), np.array([seed + 1], dtype=np.uint64))
    tree.start(3, 40)
    rng = np.random.default_rng(seed)
    status = np.zeros(15, dtype=np.int8)
    status[rng.permutation(15)[: 1 + sites]] = [1, *[-1] * sites]
    # prices far from those of the node: lists of near sites end too soon for them
    price = rng.uniform(0, value.max(), 30)
    low, edge, after, worth = tree._bound(status, price, np.zeros(15), 50, 0.25)
    slow = np.array([np.minimum(0.0, value[:, j] - price).sum() for j in range(15)])
    free = np.sort(slow[status == 0])
    inside = slow[status > 0].sum() + free[: sites - 1].sum()
    assert low == pytest.approx(price.sum() + inside)
    assert (edge, after) == pytest.approx((free[sites - 2], free[sites - 1]))
    # what the lists leave out is shut, or no nearer than a site that is open in any case
    assert worth[status >= 0] == pytest.approx(slow[status >= 0])
    left = value[:, status >= 0]
    inner = dataclasses.replace(problem, weight=np.ones(30), kept=(int(np.argmax(status[status >= 0])),))
    assert low <= solve_exact(inner, left).objective + 1e-6


@SOME
@given(st.integers(0, 10_000), st.integers(1, 8), st.booleans())
def test_p_center_is_proven_and_equals_the_plain_model(seed: int, sites: int, keep: bool) -> None:
    cost, weight = town(seed, 25, 12)
    kept = (seed % 12,) if keep else ()
    problem = PCenter(weight=weight, sites=sites, kept=kept)
    fast = solve(problem, cost, np.random.default_rng(1))
    assert fast.objective == solve_exact(problem, cost).objective
    assert verify(problem, cost, fast) == ()


def test_p_center_out_of_reach_says_how_many() -> None:
    cost = np.array([[1.0, 2.0], [np.inf, np.inf]])
    with pytest.raises(InfeasibleError, match="1 of 2 demand points"):
        solve(PCenter(weight=np.ones(2), sites=1), cost, np.random.default_rng(0))
    far = np.array([[1.0, np.inf], [np.inf, 1.0]])
    with pytest.raises(InfeasibleError, match="number of sites by 1"):
        solve(PCenter(weight=np.ones(2), sites=1), far, np.random.default_rng(0))


@SOME
@given(st.integers(0, 10_000))
def test_dominance_keeps_the_smallest_cover(seed: int) -> None:
    rng = np.random.default_rng(seed)
    within = rng.random((12, 8)) < 0.35
    within[:, 0] |= ~within.any(axis=1)
    rows, columns = undominated(within, np.zeros(8, dtype=np.bool_))
    cost = np.where(within, 0.0, np.inf)
    whole = solve_exact(SetCover(weight=np.ones(12), limit_s=0), cost).objective
    part = solve_exact(SetCover(weight=np.ones(len(rows)), limit_s=0), cost[np.ix_(rows, columns)]).objective
    assert whole == part


@SOME
@given(st.integers(0, 10_000))
def test_dominance_heeds_prices_and_kept_sites(seed: int) -> None:
    rng = np.random.default_rng(seed)
    within = rng.random((12, 8)) < 0.35
    within[:, 0] |= ~within.any(axis=1)
    price = rng.integers(1, 4, 8).astype(np.float64)
    kept = np.arange(8) == seed % 8
    rows, columns = undominated(within, kept, price)
    cost = np.where(within, 0.0, np.inf)
    whole = SetCover(weight=np.ones(12), limit_s=0, site_cost=price, kept=(seed % 8,))
    part = SetCover(
        weight=np.ones(len(rows)),
        limit_s=0,
        site_cost=price[columns],
        kept=(int(np.nonzero(columns == seed % 8)[0][0]),),
    )
    assert solve_exact(whole, cost).objective == solve_exact(part, cost[np.ix_(rows, columns)]).objective


def city(seed: int, n: int, m: int, capacitated: bool) -> tuple[StationPlan, FloatArray]:
    cost, weight = town(seed, n, m)
    rng = np.random.default_rng(seed)
    patterns = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [1, 1, 1, 1]], dtype=np.bool_)
    problem = StationPlan(
        weight=weight[:, None] * rng.uniform(0, 1, (n, 4)),
        limit_s=25,
        option_site=np.repeat(np.arange(m), 3),
        option_cost=np.tile([2.0, 2.0, 3.5], m),
        option_open=np.tile(patterns, (m, 1)),
        option_capacity=np.tile([15.0, 15.0, 25.0], m) if capacitated else None,
        budget=14.0,
        kept=(1,),
        existing_site=(0, 1),
        close_cost=np.array([0.5, 0.5]),
        move_saving=np.array([1.0, 1.0]),
    )
    return problem, cost


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_large_plans_stay_within_their_bound_and_below_the_exact_one(seed: int, capacitated: bool) -> None:
    problem, cost = city(seed, 20, 7, capacitated)
    exact = solve_exact(problem, cost)
    quick = solve_station_plan(problem, cost, effort=PlanEffort(steps=60, sweeps=3, width=8, exact_cells=0))
    assert verify(problem, cost, quick) == ()
    assert quick.objective <= exact.objective + 1e-6
    assert quick.bound >= exact.objective - 1e-6
    assert quick.objective >= 0.9 * exact.objective


def test_a_plan_that_cannot_pay_for_what_is_kept_says_by_how_much() -> None:
    cost = np.zeros((2, 2))
    problem = StationPlan(
        weight=np.ones((2, 1)),
        limit_s=1,
        option_site=np.array([0, 1]),
        option_cost=np.array([5.0, 6.0]),
        option_open=np.ones((2, 1), dtype=np.bool_),
        budget=4.0,
        kept=(0,),
    )
    for effort in (PlanEffort(), PlanEffort(exact_cells=0)):
        with pytest.raises(InfeasibleError, match=r"the budget \(yuan\) by 1\b"):
            solve_station_plan(problem, cost, effort=effort)


def test_idle_sites_shorten_the_ways() -> None:
    cost = np.array([[0.0, 5.0, 9.0], [5.0, 0.0, 9.0], [5.0, 9.0, 9.0]])
    problem = MaxCover(weight=np.ones(3), limit_s=6, sites=2)
    result = prove_max_cover(problem, cost, np.random.default_rng(0))
    assert result.objective == 3
    assert spread_idle_sites(problem, cost, result).chosen == (0, 1)


@SOME
@given(st.integers(0, 10_000))
def test_a_search_among_the_sites_of_the_bound_holds_its_bound(seed: int) -> None:
    cost, weight = town(seed, 40, 15)
    problem = MaxCover(weight=weight, limit_s=20, sites=4, kept=(seed % 15,))
    quick = Effort(rounds=0, steps=60, core_rounds=5, most_entries=0)
    found = prove_max_cover(problem, cost, np.random.default_rng(0), effort=quick)
    best = solve_exact(problem, cost).objective
    assert found.objective <= best + 1e-9 <= found.bound + 2e-6
    assert verify(problem, cost, found) == ()


@SOME
@given(st.integers(0, 10_000))
def test_a_matrix_read_in_order_is_the_matrix_in_order(seed: int) -> None:
    cost, weight = town(seed, 30, 12)
    problem = MaxCover(weight=weight, limit_s=20, sites=4)
    rows, columns = canonical_order(problem, cost)
    ordered = InOrder(problem, cost)
    whole = reach_within(np.ascontiguousarray(cost[np.ix_(rows, columns)]), 20.0)
    for mine, theirs in zip(ordered.reach_within(20.0), whole, strict=True):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(theirs))
    assert (ordered.columns_of((3, 1)) == cost[np.ix_(rows, columns[[3, 1]])]).all()
    assert (ordered.problem.weight == weight[rows]).all()


def test_a_large_case_is_bounded_without_branching() -> None:
    cost, weight = town(3, 1500, 150)
    problem = MaxCover(weight=weight, limit_s=8, sites=12)
    result = prove_max_cover(problem, cost, np.random.default_rng(0), effort=Effort(most_entries=0))
    assert result.gap < 0.01
    assert verify(problem, cost, result) == ()
    assert prove_max_cover(problem, cost, np.random.default_rng(0)).status == "optimal"


def orlib(folder: Path, number: int) -> tuple[int, FloatArray]:
    rows = [line.split() for line in (folder / f"pmed{number}.txt").read_text().splitlines() if line.strip()]
    n, _, p = (int(v) for v in rows[0])
    graph = np.zeros((n, n))
    for u, v, c in rows[1:]:
        # an edge given twice: the last one counts, for both directions
        graph[int(u) - 1, int(v) - 1] = graph[int(v) - 1, int(u) - 1] = float(c)
    return p, np.asarray(dijkstra(csr_array(graph)))


def test_or_library_p_median_optima(shared_data: Path) -> None:
    folder = shared_data / "pmedian"
    known = {
        words[0].replace(".txt", ""): float(words[-1])
        for line in (folder / "pmedopt.txt").read_text().splitlines()
        if (words := line.split()) and words[0].startswith("pmed") and len(words) > 1
    }
    for number in (1, 2, 5, 6, 10, 12, 15, 17, 20):
        p, cost = orlib(folder, number)
        result = solve(PMedian(weight=np.ones(len(cost)), sites=p), cost, np.random.default_rng(0))
        assert (result.objective, result.status) == (known[f"pmed{number}"], "optimal"), number


@pytest.mark.parametrize(("number", "radius"), [(1, 127), (2, 98), (3, 93), (4, 74), (5, 48), (8, 55)])
def test_or_library_p_center_optima(shared_data: Path, number: int, radius: int) -> None:
    p, cost = orlib(shared_data / "pmedian", number)
    result = solve(PCenter(weight=np.ones(len(cost)), sites=p), cost, np.random.default_rng(0))
    assert result.objective == radius


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_more_money_or_hours_never_serve_less(seed: int, capacitated: bool) -> None:
    problem, cost = city(seed, 12, 5, capacitated)
    base = solve_exact(problem, cost).objective
    richer = dataclasses.replace(problem, budget=18.0)
    assert solve_exact(richer, cost).objective >= base - 1e-6
    longer = dataclasses.replace(problem, option_open=np.ones_like(problem.option_open))
    assert solve_exact(longer, cost).objective >= base - 1e-6
    free = dataclasses.replace(problem, kept=())
    assert solve_exact(free, cost).objective >= base - 1e-6
