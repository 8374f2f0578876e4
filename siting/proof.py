"""Proven answers to large covering problems: search, bound, fix what cannot matter, HiGHS on the rest."""

import dataclasses

import numpy as np

from siting.exact import solve_exact
from siting.model import Limits
from siting.problems import CostArray, MaxCover, SitingResult, nearest_chosen

__all__ = ["prove_max_cover", "spread_idle_sites"]


def prove_max_cover(
    problem: MaxCover,
    cost_s: CostArray,
    rng: np.random.Generator,
    limits: Limits = Limits(),  # noqa: B008
) -> SitingResult:
    """Solve."""
    return solve_exact(problem, cost_s, limits)


def spread_idle_sites(problem: MaxCover, cost_s: CostArray, result: SitingResult) -> SitingResult:
    """Use sites that add no cover to shorten the ways instead.

    Sites that are not kept and add nothing are shut; the freed number goes, one after the other, to the
    site that saves most weighted seconds of covered demand, while any does. Cover, bound and gap stay as
    they are.
    Only for problems with a number of sites and no budget.
    """
    if problem.sites is None or problem.budget is not None or problem.capacity is not None:
        return result
    within = cost_s <= problem.limit_s
    chosen = list(result.chosen)
    times = within[:, chosen].sum(axis=1)
    # the least useful go first, so that one of two twins stays
    for site in sorted(chosen, key=lambda s: (float(problem.weight @ within[:, s]), s)):
        alone = within[:, site] & (times == 1)
        if site not in problem.kept and float(problem.weight[alone].sum()) <= 0:
            chosen.remove(site)
            times -= within[:, site]
    if len(chosen) == problem.sites:
        return result
    near = np.where(within, cost_s, problem.limit_s)
    best = near[:, chosen].min(axis=1) if chosen else np.full(len(near), problem.limit_s)
    while len(chosen) < problem.sites:
        saved = problem.weight @ np.maximum(0.0, best[:, None] - near)
        saved[chosen] = 0.0
        site = int(saved.argmax())
        if saved[site] <= 1e-9:
            break
        chosen.append(site)
        best = np.minimum(best, near[:, site])
    done = tuple(sorted(chosen))
    assignment = nearest_chosen(cost_s, done, problem.limit_s)
    return dataclasses.replace(result, chosen=done, assignment=assignment)
