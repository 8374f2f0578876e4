"""The next best places of a station lose least of all candidates, and their shares ask for the gate."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siting.demand.asked import Asked
from siting.evaluation.alternatives import TOLD, next_best
from siting.evaluation.compare import Days, rest_share
from siting.plans.plan import Plan
from siting.plans.served import served_share
from siting.stations.candidates import Candidates, CandidateSites
from siting.stations.kinds import KINDS, ExistingStation

NONE = CandidateSites(np.empty((0, 2)), (), ())


def _plan(seed: int, old: int, candidates: int) -> tuple[Plan, Days]:
    rng = np.random.default_rng(seed)
    n = 25
    weight = rng.gamma(0.6, 400, n)[:, None] * rng.dirichlet(np.ones(24), n)
    plan = Plan(
        existing=(ExistingStation("old", (116.0, 39.0)),) * old,
        candidates=Candidates(np.zeros((candidates, 2)), ("",) * candidates, ("own",) * candidates, NONE, ()),
        lonlat=np.zeros((old + candidates, 2)),
        cost_s=rng.uniform(0, 1000, (n, old + candidates)),
        chosen=(*range(old), old, old + 1),
        kinds=KINDS,
        limit_s=250,
    ).with_runs(weight)
    return plan, Days(np.ones(3, dtype=np.bool_), weight, weight)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(0, 2))
def test_told_are_the_places_that_lose_least(seed: int, old: int) -> None:
    """With so few candidates that all are tried: the best of a plain trial of each."""
    plan, days = _plan(seed, old, 7)
    found = next_best(plan, days, Asked(10))
    for station in plan.added:
        trials = []
        for site in range(old, len(plan.lonlat)):
            if site in plan.chosen:
                continue
            others = tuple(s for s in plan.chosen if s != station)
            left = ~(plan.cost_s[:, others] <= 250).any(axis=1)
            if not (left & (plan.cost_s[:, site] <= 250)).any():
                continue
            swapped = dataclasses.replace(
                plan, chosen=tuple(sorted((*others, site))), run=plan.run | {site: plan.run[station]}
            )
            trials.append(rest_share(days.rest, served_share(swapped.in_business(), days.weight)))
        best = sorted(trials, reverse=True)[:TOLD]
        assert [one.served for one in found if one.station == station] == pytest.approx(best)


def test_nobody_in_reach_is_no_alternative() -> None:
    plan, days = _plan(1, 1, 4)
    cost_s = plan.cost_s.copy()
    cost_s[:, 3:] = np.inf
    assert next_best(dataclasses.replace(plan, cost_s=cost_s), days, Asked(10)) == ()
