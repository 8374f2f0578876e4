"""The curve of coverage against money never falls, whatever the search finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siting.evaluation.compare import budget_curve, rising
from siting.plans.plan import Plan
from siting.problems.define import MaxCover
from siting.problems.reach import reach_within
from siting.results import BudgetPoint
from siting.solvers.cover_search import search_cover
from siting.stations.candidates import Candidates, CandidateSites
from siting.stations.kinds import KINDS, ExistingStation

NONE = CandidateSites(np.empty((0, 2)), (), ())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 2), st.integers(1, 6))
def test_more_money_never_serves_less(seed: int, old: int, new: int) -> None:
    rng = np.random.default_rng(seed)
    n, candidates = 40, 12
    cost_s = rng.uniform(0, 1000, (n, old + candidates))
    weight = rng.gamma(0.6, 400, n)[:, None] * rng.dirichlet(np.ones(24), n)
    problem = MaxCover(weight=weight.sum(axis=1), limit_s=250, sites=old + new, kept=tuple(range(old)))
    reach = reach_within(cost_s, 250)
    plan = Plan(
        existing=(ExistingStation("old", (116.0, 39.0)),) * old,
        candidates=Candidates(np.zeros((candidates, 2)), ("",) * candidates, ("own",) * candidates, NONE, ()),
        lonlat=np.zeros((old + candidates, 2)),
        cost_s=cost_s,
        chosen=search_cover(problem, reach, rng, rounds=5).chosen,
        kinds=KINDS,
        limit_s=250,
    )
    curve = budget_curve(plan, problem, weight, reach, np.random.default_rng(seed))
    assert curve
    cost, share = [p.cost_yuan for p in curve], [p.served_share or 0.0 for p in curve]
    assert cost == sorted(set(cost))
    assert share == sorted(set(share))
    assert all(0 <= p.gap <= 1 for p in curve)


def test_what_costs_more_and_serves_no_more_is_left_out() -> None:
    found = ((300.0, 3, 0.6), (100.0, 1, 0.4), (200.0, 2, 0.3), (300.0, 4, 0.7), (400.0, 5, 0.7))
    points = [BudgetPoint(cost, sites, share, 0.0) for cost, sites, share in found]
    assert [(p.cost_yuan, p.served_share) for p in rising(points)] == [(100.0, 0.4), (300.0, 0.7)]
    assert [p.sites for p in rising(points)] == pytest.approx([1, 4])
