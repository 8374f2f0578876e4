"""Capacities, least shares and wide covers at size: within their bound, never better than the exact model."""

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from geo.errors import InfeasibleError
from siting.problems.define import MaxCover, PCenter, PMedian, SetCover, SitingResult, StationPlan
from siting.problems.highs import Limits, LimitsEndedError
from siting.problems.reach import reach_within
from siting.solvers import station_plans
from siting.solvers.capacitated import CapacitatedEffort, solve_capacitated
from siting.solvers.capacity_cuts import CapacityCuts, CoverDemand
from siting.solvers.cover_proof import Effort, prove_max_cover
from siting.solvers.exact import solve_exact
from siting.solvers.kernels.center_feasibility import cover_all
from siting.solvers.kernels.transport import transport
from siting.solvers.set_cover import prove_set_cover
from siting.solvers.solve import solve
from siting.solvers.station_plans import PlanEffort, solve_station_plan
from siting.solvers.verify import verify

FloatArray = npt.NDArray[np.float64]
SOME = settings(max_examples=12, deadline=None)
# no plain model: what is tested is the search and its bound
BARE = CapacitatedEffort(steps=150, exact_pairs=0, timed_pairs=0)


def town(seed: int, n: int, m: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    points, sites = rng.uniform(0, 100, (n, 2)), rng.uniform(0, 100, (m, 2))
    cost = np.round(np.abs(points[:, None] - sites[None]).sum(axis=2))
    return cost, rng.integers(0, 20, n).astype(np.float64)


@SOME
@given(st.integers(0, 10_000))
def test_transport_is_the_cheapest(seed: int) -> None:
    cost, weight = town(seed, 12, 4)
    rng = np.random.default_rng(seed)
    cost[rng.random(cost.shape) < 0.15] = np.inf
    holds = rng.uniform(0.3, 0.9, 4) * weight.sum()
    here = np.empty(cost.shape)
    total, lost = transport(cost, weight, holds, here)
    pairs = np.argwhere(np.isfinite(cost))
    point, site = np.zeros((12, len(pairs))), np.zeros((4, len(pairs)))
    for k, (i, j) in enumerate(pairs):
        point[i, k], site[j, k] = 1, 1
    flow = linprog(-np.ones(len(pairs)), A_ub=np.r_[point, site], b_ub=np.r_[weight, holds])
    assert lost == pytest.approx(weight.sum() + float(flow.fun or 0.0), abs=1e-5)
    assert (here.sum(axis=0) <= holds + 1e-6).all()
    if lost < 1e-6:
        price = [cost[i, j] for i, j in pairs]
        best = linprog(price, A_ub=site, b_ub=holds, A_eq=point, b_eq=weight)
        assert total == pytest.approx(best.fun, abs=1e-4)


@SOME
@given(st.integers(0, 10_000), st.integers(0, 2))
def test_models_with_capacities_hold_their_bound(seed: int, kind: int) -> None:
    cost, weight = town(seed, 25, 10)
    rng = np.random.default_rng(seed)
    holds = rng.uniform(0.25, 0.6, 10) * weight.sum()
    price = rng.integers(1, 6, 10).astype(np.float64)
    problem = (
        PMedian(weight=weight, sites=4, capacity=holds, kept=(seed % 10,)),
        SetCover(weight=weight, limit_s=70, capacity=holds, site_cost=price),
        PCenter(weight=weight, sites=4, capacity=holds),
    )[kind]
    try:
        exact = solve_exact(problem, cost)
    except InfeasibleError:
        with pytest.raises(InfeasibleError):
            solve_capacitated(problem, cost, effort=BARE)
        return
    try:
        quick = solve_capacitated(problem, cost, effort=BARE)
    except InfeasibleError:
        # the search may miss what only a few choices satisfy; the plain model then finds them (below)
        quick = exact
    assert verify(problem, cost, quick) == ()
    assert quick.objective >= exact.objective - 1e-6
    assert quick.bound <= exact.objective + 1e-6
    assert solve(problem, cost, rng, Limits(time_limit_s=20)).objective == pytest.approx(exact.objective)


@SOME
@given(st.integers(0, 10_000), st.booleans())
def test_covers_with_capacities_and_least_shares_hold_their_bound(seed: int, capacitated: bool) -> None:
    cost, weight = town(seed, 30, 12)
    holds = np.random.default_rng(seed).uniform(0.1, 0.3, 12) * weight.sum() if capacitated else None
    problem = MaxCover(
        weight=weight,
        limit_s=25,
        sites=4,
        capacity=holds,
        group=np.arange(30) % 3,
        group_share=np.array([0.3, 0.2, 0.1]),
    )
    bare = Effort(plain_pairs=0)
    try:
        exact = solve_exact(problem, cost)
    except InfeasibleError:
        with pytest.raises(InfeasibleError, match="least share of a group"):
            prove_max_cover(problem, cost, np.random.default_rng(0), effort=bare)
        return
    quick = prove_max_cover(problem, cost, np.random.default_rng(0), effort=bare)
    assert verify(problem, cost, quick) == ()
    assert quick.objective <= exact.objective + 1e-6
    assert quick.bound >= exact.objective - 1e-6
    assert quick.objective >= 0.85 * exact.objective


@SOME
@given(st.integers(0, 10_000), st.booleans())
def test_cuts_settle_covers_with_capacities(seed: int, money: bool) -> None:
    """The bound is below the plain model's optimum; a choice is found at that price and none below it."""
    cost, weight = town(seed, 20, 9)
    rng = np.random.default_rng(seed)
    holds = rng.uniform(0.2, 0.5, 9) * weight.sum()
    price = rng.integers(1, 6, 9).astype(np.float64) if money else np.ones(9)
    limit = max(60.0, float(cost.min(axis=1).max()))
    forced = np.arange(9) == seed % 9
    problem = SetCover(weight=weight, limit_s=limit, capacity=holds, site_cost=price, kept=(seed % 9,))
    cuts = CapacityCuts(reach_within(cost, limit), CoverDemand(weight, holds, price, forced), np.inf)
    try:
        least = solve_exact(problem, cost).objective
    except InfeasibleError:
        assert cuts.choice(float(price.sum()))[0] is None
        return
    assert cuts.bound() <= least + 1e-6
    chosen, known = cuts.choice(least)
    assert known
    assert chosen is not None
    here = np.empty((20, int(chosen.sum())))
    within = np.ascontiguousarray(np.where(cost[:, chosen] <= limit, 0.0, np.inf))
    assert transport(within, weight, holds[chosen], here)[1] <= 1e-5
    assert price[chosen].sum() <= least + 1e-6
    assert cuts.choice(least - 1.0) == (None, True)
    # a search by swaps may miss what there is, but serves everything with what it finds
    for count in range(1, 9):
        swapped = cuts.search(count, np.inf)
        assert swapped is None or (swapped.sum() == count and swapped[forced].all())
        if swapped is not None:
            assert money or count >= least
            here = np.empty((20, count))
            within = np.ascontiguousarray(np.where(cost[:, swapped] <= limit, 0.0, np.inf))
            assert transport(within, weight, holds[swapped], here)[1] <= 1e-5


@SOME
@given(st.integers(0, 10_000), st.booleans())
def test_with_time_capacitated_covers_and_centers_are_proven(seed: int, center: bool) -> None:
    cost, weight = town(seed, 20, 9)
    holds = np.random.default_rng(seed).uniform(0.3, 0.6, 9) * weight.sum()
    far = max(60.0, float(cost.min(axis=1).max()))
    problem = (
        PCenter(weight=weight, sites=4, capacity=holds)
        if center
        else SetCover(weight=weight, limit_s=far, capacity=holds)
    )
    cuts_only = CapacitatedEffort(steps=30, exact_pairs=0)
    try:
        exact = solve_exact(problem, cost)
    except InfeasibleError:
        return
    found = solve_capacitated(problem, cost, Limits(time_limit_s=60.0), cuts_only)
    assert found.objective == pytest.approx(exact.objective)
    assert found.bound == pytest.approx(exact.objective)
    assert verify(problem, cost, found) == ()


@SOME
@given(st.integers(0, 10_000), st.booleans())
def test_set_covering_equals_the_plain_model(seed: int, money: bool) -> None:
    cost, weight = town(seed, 60, 25)
    price = np.random.default_rng(seed).integers(1, 9, 25).astype(np.float64) if money else None
    kept = (seed % 25,)
    problem = SetCover(weight=weight, limit_s=float(cost.min(axis=1).max()), site_cost=price, kept=kept)
    fast = prove_set_cover(problem, cost, np.random.default_rng(0))
    assert fast.objective == pytest.approx(solve_exact(problem, cost).objective)
    assert fast.status == "optimal"
    assert verify(problem, cost, fast) == ()


@SOME
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_the_search_for_a_cover_agrees_with_the_plain_model(seed: int, sites: int) -> None:
    cost, _ = town(seed, 25, 12)
    limit = float(cost.min(axis=1).max())
    reach = reach_within(cost, limit)
    chosen = np.zeros(12, dtype=np.bool_)
    known = cover_all(reach, np.empty(0, dtype=np.int32), sites, 10_000, chosen)
    least = solve_exact(SetCover(weight=np.ones(25), limit_s=limit), cost).objective
    assert known == int(least <= sites)
    if known:
        assert chosen.sum() <= sites
        assert (cost[:, chosen] <= limit).any(axis=1).all()


@SOME
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_p_median_with_points_out_of_reach_equals_the_plain_model(seed: int, sites: int) -> None:
    cost, weight = town(seed, 20, 10)
    cost[cost > 80] = np.inf
    problem = PMedian(weight=weight, sites=sites)
    center = PCenter(weight=weight, sites=sites)
    try:
        exact = solve_exact(problem, cost)
    except InfeasibleError:
        for one in (problem, center):
            with pytest.raises(InfeasibleError, match=r"reach no site|number of sites by"):
                solve(one, cost, np.random.default_rng(0))
        return
    fast = solve(problem, cost, np.random.default_rng(0))
    assert fast.objective == pytest.approx(exact.objective)
    assert verify(problem, cost, fast) == ()
    assert verify(center, cost, solve(center, cost, np.random.default_rng(0))) == ()


def test_what_stands_in_the_way_is_named_at_size_too() -> None:
    cost, weight = town(1, 200, 40)
    weight += 1.0
    short = np.full(40, weight.sum() / 80)
    for problem in (
        PMedian(weight=weight, sites=40, capacity=short),
        SetCover(weight=weight, limit_s=200, capacity=short),
        PCenter(weight=weight, sites=40, capacity=short),
    ):
        with pytest.raises(InfeasibleError, match=rf"capacity .* by {weight.sum() / 2:.6g}"):
            solve(problem, cost, np.random.default_rng(0))
    cost[:3] = np.inf
    plain = (
        PMedian(weight=weight, sites=5),
        PCenter(weight=weight, sites=5),
        SetCover(weight=weight, limit_s=200),
        SetCover(weight=weight, limit_s=200, capacity=short * 4),
    )
    for problem in plain:
        with pytest.raises(InfeasibleError, match="3 of 200 demand points"):
            solve(problem, cost, np.random.default_rng(0))


def test_more_money_never_serves_less_when_it_starts_from_the_plan_of_less() -> None:
    cost, weight = town(8, 150, 30)
    problem = StationPlan(
        weight=weight[:, None] * np.random.default_rng(0).uniform(0, 1, (150, 6)),
        limit_s=20,
        option_site=np.repeat(np.arange(30), 2),
        option_cost=np.tile([2.0, 3.0], 30),
        option_open=np.tile([[True] * 3 + [False] * 3, [True] * 6], (30, 1)),
        option_capacity=np.tile([40.0, 40.0], 30),
    )
    weak = PlanEffort(steps=30, sweeps=1, width=4, exact_cells=0)
    start: tuple[int, ...] = ()
    served = []
    for budget in np.arange(4.0, 16.0, 1.0):
        answer = solve_station_plan(
            dataclasses.replace(problem, budget=float(budget)), cost, effort=weak, start=start
        )
        start = answer.options
        served.append(answer.objective)
    assert served == sorted(served)


def test_a_short_time_limit_still_gives_an_answer_with_its_gap() -> None:
    cost, weight = town(9, 1500, 120)
    holds = np.full(120, weight.sum() / 12)
    soon = Limits(time_limit_s=0.3)
    for problem in (
        MaxCover(weight=weight, limit_s=12, sites=15),
        MaxCover(weight=weight, limit_s=12, sites=15, capacity=holds),
        PMedian(weight=weight, sites=15),
        PMedian(weight=weight, sites=20, capacity=holds),
        PCenter(weight=weight, sites=15),
        SetCover(weight=weight, limit_s=30),
        SetCover(weight=weight, limit_s=40, capacity=holds),
    ):
        result = solve(problem, cost, np.random.default_rng(0), soon)
        assert verify(problem, cost, result) == ()
        assert result.gap < 0.8


def test_a_time_limit_never_makes_a_bound_too_good() -> None:
    cost, weight = town(21, 60, 14)
    weight += 1.0
    holds = np.full(14, weight.sum() / 4)
    for capacity in (None, holds):
        problem = PCenter(weight=weight, sites=5, capacity=capacity)
        best = solve_exact(problem, cost).objective
        for seconds in (0.0, 0.02, 0.1, 0.4):
            for call in (solve_exact, solve_capacitated):
                try:
                    result = call(problem, cost, Limits(time_limit_s=seconds))
                except InfeasibleError as error:
                    assert isinstance(error, LimitsEndedError)  # noqa: PT017 - no answer is allowed, too
                    continue
                assert result.bound <= best <= result.objective
            result = solve(problem, cost, np.random.default_rng(0), Limits(time_limit_s=seconds))
            assert result.bound <= best <= result.objective


def test_the_last_resort_of_least_shares_looks_at_no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It once got 300 s: a slower machine gave another plan, and each resample waited as long."""
    asked: list[Limits] = []

    def exact(problem: StationPlan, cost_s: FloatArray, limits: Limits) -> SitingResult:
        asked.append(limits)
        return solve_exact(problem, cost_s, limits)

    monkeypatch.setattr(station_plans, "solve_exact", exact)
    plan = StationPlan(
        weight=np.ones((2, 1)),
        limit_s=1,
        option_site=np.arange(2),
        option_cost=np.ones(2),
        option_open=np.ones((2, 1), dtype=np.bool_),
        new_sites=1,
        group=np.arange(2),
        group_share=np.array([0.5, 0.5]),
    )
    cost_s = np.where(np.eye(2, dtype=np.bool_), 0.0, 9.0)
    effort = PlanEffort(exact_cells=0)
    with pytest.raises(InfeasibleError, match="the number of new sites by 1, or the least share of a group"):
        solve_station_plan(plan, cost_s, effort=effort)
    assert [(one.time_limit_s, one.node_limit) for one in asked] == [(None, 500)]
    monkeypatch.setattr(station_plans, "_LAST_CELLS", 1)
    with pytest.raises(LimitsEndedError):
        solve_station_plan(plan, cost_s, effort=effort)
    near = solve_station_plan(plan, cost_s, effort=dataclasses.replace(effort, last_resort=False))
    assert len(near.chosen) == 1
