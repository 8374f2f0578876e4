"""The front of coverage, money and the worst grid: held against all plans there are, on small cases."""

import dataclasses
import itertools
import os

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from siting.plans import pareto
from siting.plans.choice import PlanModel
from siting.plans.pareto import NAMES, Front, Judge, JudgedPlan, plan_front, thrifty
from siting.problems.define import StationPlan
from siting.problems.highs import Limits
from siting.solvers.plan_programs import (
    Counted,
    Ends,
    best_plan,
    bound_of_cost,
    bound_of_served,
    bound_of_worst,
    plan_cost,
)
from siting.stations.kinds import KINDS

LIMIT_S = 100.0
FULL = os.environ.get("YILU_PROOF") == "full"


def made(seed: int, mode: str = "keep", roomy: bool = True, budget: float | None = None) -> Judge:
    """A town of 7 points, 1 station and 3 candidates; each may be run in 2 ways; 3 grids."""
    rng = np.random.default_rng(seed)
    n, m = 7, 4
    rest = np.zeros((n, 24))
    rest[:, [10, 20]] = rng.integers(0, 30, (n, 2))
    rest[:3, 10] += 1
    due = np.zeros((n, 24))
    due[:, 10] = rng.integers(0, 10, n)
    cost_s = np.where(rng.random((n, m)) < 0.45, rng.uniform(10, LIMIT_S, (n, m)), np.inf)
    day, evening = np.zeros(24, dtype=np.bool_), np.zeros(24, dtype=np.bool_)
    day[8:18], evening[8:23] = True, True
    site = np.repeat(np.arange(m), 2)
    seats = 1000.0 if roomy else 25.0
    problem = StationPlan(
        weight=rest + 0.5 * due,
        limit_s=LIMIT_S,
        option_site=site,
        option_cost=rng.integers(3, 9, 2 * m) + np.tile([0.0, 4.0], m),
        option_open=np.array([day, evening] * m),
        option_capacity=np.full(2 * m, seats),
        budget=budget,
        new_sites=2,
        kept=(0,) if mode == "keep" else (),
        existing_site=(0,),
        close_cost=np.array([1.0]),
        move_saving=np.array([2.0 if mode == "may_move" else 0.0]),
    )
    kinds = (None, *([KINDS[0]] * (2 * m - 1)))
    model = PlanModel(problem, kinds, ((8, 18), (8, 23)) * m)
    group = np.array([0, 0, 0, 1, 1, 2, -1])
    counted_rest = np.where(rest.sum(axis=1, keepdims=True) > 0, rest, 0.0)
    for g in (1, 2):
        # a grid without any rest does not count
        if rest[group == g].sum() == 0:
            group[group == g] = -1
    if (group == 1).sum() == 0:
        group[group == 2] = 1
    return Judge(model, cost_s, Counted(group, counted_rest))


def all_plans(judge: Judge) -> list[JudgedPlan]:
    """Every plan that keeps to the problem."""
    problem = judge.problem
    out = []
    for ways in itertools.product((None, 0, 1), repeat=4):
        options = tuple(2 * s + way for s, way in enumerate(ways) if way is not None)
        if 0 in problem.kept and ways[0] is None:
            continue
        if problem.new_sites is not None and sum(way is not None for way in ways[1:]) > problem.new_sites:
            continue
        plan = judge.judge(options)
        if problem.budget is None or plan.cost <= problem.budget + 1e-6:
            out.append(plan)
    return out


def worth(plan: JudgedPlan) -> tuple[float, float, float]:
    return plan.served, plan.cost, plan.worst


CASES = st.tuples(st.integers(0, 10_000), st.sampled_from(["keep", "may_close", "may_move"]))


@settings(derandomize=True, deadline=None, max_examples=25)
@given(CASES, st.sampled_from([None, 18.0, 12.0]))
def test_ends_are_the_lexicographic_best_of_all_plans_and_proven(
    case: tuple[int, str], budget: float | None
) -> None:
    judge = made(*case, budget=budget)
    plans = all_plans(judge)
    front = plan_front(judge)
    ends = {name: worth(front.points[front.names[name]]) for name in NAMES}
    best = {
        "coverage": min((-p.served, p.cost, -p.worst) for p in plans),
        "fairest": min((-p.worst, -p.served, p.cost) for p in plans),
    }
    served, cost, worst = ends["coverage"]
    assert (-served, cost, -worst) == pytest.approx(best["coverage"], abs=1e-6)
    served, cost, worst = ends["fairest"]
    assert (-worst, -served, cost) == pytest.approx(best["fairest"], abs=1e-6)
    today = judge.judge((0,))
    need = min(today.served, max(p.served for p in plans))
    served, cost, worst = ends["cheapest"]
    assert (cost, -served, -worst) == pytest.approx(
        min((p.cost, -p.served, -p.worst) for p in plans if p.served >= need - 1e-9), abs=1e-6
    )
    assert all(gap <= 1e-6 for gap in front.gaps.values())


def no_plan_beats(front: Front, plans: list[JudgedPlan]) -> None:
    for point in front.points:
        for plan in plans:
            better = (plan.served - point.served, point.cost - plan.cost, plan.worst - point.worst)
            assert not (min(better) > -1e-9 and max(better) > 1e-6), (point, plan)


@settings(derandomize=True, deadline=None, max_examples=15)
@given(CASES)
def test_no_plan_beats_a_point_of_the_front(case: tuple[int, str]) -> None:
    judge = made(*case)
    front = plan_front(judge)
    no_plan_beats(front, all_plans(judge))
    assert len(front.points) <= pareto.MOST_POINTS
    assert [p.served for p in front.points] == sorted((p.served for p in front.points), reverse=True)


@settings(derandomize=True, deadline=None, max_examples=15)
@given(CASES)
def test_where_seats_are_short_bounds_hold_and_no_point_beats_another(case: tuple[int, str]) -> None:
    """Who sits is decided by the way there, not by the plan: proofs may be missing, wrong they are never."""
    judge = made(*case, roomy=False)
    plans = all_plans(judge)
    front = plan_front(judge)
    for name, of in (("coverage", [p.served for p in plans]), ("fairest", [p.worst for p in plans])):
        end = front.points[front.names[name]]
        told = end.served if name == "coverage" else end.worst
        assert told <= max(of) + 1e-9
        assert max(of) <= told / (1 - front.gaps[name]) + 1e-5 if front.gaps[name] < 1 else told == 0
    assert not any(a.beats(b) for a, b in itertools.permutations(front.points, 2))


@settings(derandomize=True, deadline=None, max_examples=8 if FULL else 4)
@given(CASES)
def test_the_search_for_large_studies_keeps_its_bounds(case: tuple[int, str]) -> None:
    judge = made(*case)
    plans = all_plans(judge)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pareto, "EXACT_CELLS", 0)
        front = plan_front(judge)
    ends = {name: front.points[front.names[name]] for name in NAMES}
    most, fair = max(p.served for p in plans), max(p.worst for p in plans)
    assert ends["coverage"].served >= most * (1 - front.gaps["coverage"]) - 1e-6
    assert ends["fairest"].worst >= fair * (1 - front.gaps["fairest"]) - 1e-5
    need = min(judge.judge((0,)).served, ends["coverage"].served)
    least = min(p.cost for p in plans if p.served >= need - 1e-9)
    assert ends["cheapest"].cost * (1 - front.gaps["cheapest"]) <= least + 1e-5
    assert not any(a.beats(b) for a, b in itertools.permutations(front.points, 2))
    # so small a town the search gets right
    assert ends["coverage"].served == pytest.approx(most, abs=1e-6)


def test_the_same_front_for_the_same_study_in_any_order() -> None:
    judge = made(3, "may_move")
    first, again = plan_front(judge), plan_front(made(3, "may_move"))
    assert first.points == again.points
    assert (first.names, first.gaps) == (again.names, again.gaps)
    rows = np.array([4, 2, 6, 0, 5, 1, 3])
    problem = dataclasses.replace(judge.problem, weight=judge.problem.weight[rows])
    counted = Counted(judge.counted.group[rows], judge.counted.rest[rows])
    model = dataclasses.replace(judge.model, problem=problem)
    shuffled = plan_front(Judge(model, judge.cost_s[rows], counted))
    assert [worth(p) for p in shuffled.points] == [worth(p) for p in first.points]


@settings(derandomize=True, deadline=None, max_examples=20)
@given(CASES, st.booleans())
def test_a_thrifty_plan_costs_less_and_serves_no_less(case: tuple[int, str], roomy: bool) -> None:
    judge = made(*case, roomy=roomy)
    for plan in all_plans(judge)[:30]:
        near = judge.judge(thrifty(judge, plan.options))
        assert near.cost <= plan.cost
        assert near.served >= plan.served
        assert near.worst >= plan.worst
        assert near.options in {one.options for one in all_plans(judge)}


@settings(derandomize=True, deadline=None, max_examples=20)
@given(CASES)
def test_the_quick_bound_of_the_worst_grid_holds(case: tuple[int, str]) -> None:
    for roomy, budget in ((True, None), (False, 15.0)):
        judge = made(*case, roomy=roomy, budget=budget)
        most = max((p.worst for p in all_plans(judge)), default=0.0)
        for entries in (150_000, 0):
            bound, sites = bound_of_worst(judge.problem, judge.cost_s, judge.counted, Limits(), entries)
            assert bound >= most - 1e-6
            if sites:
                # those sites reach what the bound says of every grid: a plan may start from them
                near = np.asarray((judge.cost_s[:, list(sites)] <= judge.problem.limit_s).any(axis=1))
                reached = judge.counted.shares(
                    np.repeat(near[:, None], judge.problem.weight.shape[1], axis=1)
                )
                assert reached.min() >= bound - 1e-6
            served = max((p.served for p in all_plans(judge)), default=0.0)
            found = bound_of_served(judge.problem, judge.cost_s, Limits(), entries)
            assert found / judge.problem.weight.sum() >= served - 1e-6


@settings(derandomize=True, deadline=None, max_examples=20)
@given(CASES, st.sampled_from([0.05, 0.5, 1.0]))
def test_no_plan_that_serves_enough_is_cheaper_than_the_bound_of_money(
    case: tuple[int, str], part: float
) -> None:
    for roomy, budget in ((True, None), (False, 15.0)):
        judge = made(*case, roomy=roomy, budget=budget)
        plans = all_plans(judge)
        need = part * max((p.served for p in plans), default=0.0)
        enough = [p for p in plans if p.served >= need - 1e-12]
        if not enough:
            continue
        least = min(p.cost for p in enough)
        weight = judge.problem.weight.sum()
        bounds = [
            bound_of_cost(judge.problem, judge.cost_s, need * weight, Limits(), entries)[0]
            for entries in (150_000, 0)
        ]
        assert bounds[1] <= bounds[0] + 1e-6 <= least + 2e-6
        relaxed = min(p.cost for p in plans if could_serve(judge, p.options) >= need * weight * (1 - 1e-9))
        assert bounds[0] == pytest.approx(relaxed, rel=2e-4, abs=1e-4)


def could_serve(judge: Judge, options: tuple[int, ...]) -> float:
    """What some options serve at most: each alone in an hour, and all that is in reach of their sites."""
    problem = judge.problem
    assert problem.option_capacity is not None
    within = judge.cost_s <= problem.limit_s
    near = within[:, [problem.option_site[o] for o in options]].any(axis=1)
    total = 0.0
    for hour in range(24):
        alone = sum(
            min(problem.option_capacity[o], problem.weight[within[:, problem.option_site[o]], hour].sum())
            for o in options
            if problem.option_open[o, hour]
        )
        total += min(float(alone), problem.weight[near, hour].sum())
    return total


@settings(derandomize=True, deadline=None, max_examples=20)
@given(CASES)
def test_money_is_counted_as_the_programme_counts_it(case: tuple[int, str]) -> None:
    judge = made(*case)
    most = best_plan(judge.problem, judge.cost_s, judge.counted, "served")
    assert most is not None
    cheapest = best_plan(judge.problem, judge.cost_s, judge.counted, "cost", Ends(served=most[1] - 1e-6))
    assert cheapest is not None
    assert plan_cost(judge.problem, cheapest[0]) == pytest.approx(cheapest[1], abs=1e-4)
