"""Where a suggested station may stand if its room cannot be had, and what the plan serves then."""

import dataclasses

import numpy as np

from geo.arrays import FloatArray
from siting.demand.asked import Asked, thousandths
from siting.evaluation.compare import Days, rest_share
from siting.plans.plan import Plan
from siting.plans.served import served_share

__all__ = ["NextBest", "next_best"]

TRIED, TOLD = 6, 3
"""Places of most demand in reach that are tried for each station, and those of them that are told."""


@dataclasses.dataclass(frozen=True, slots=True)
class NextBest:
    """One candidate in the place of a station of the plan."""

    station: int
    site: int
    """Both in the numbering of the plan."""
    served: float
    """Share of rest demand on training days."""


def next_best(plan: Plan, days: Days, asked: Asked) -> tuple[NextBest, ...]:
    """Return for each new station the candidates that lose least in its place, at most three.

    The other stations stay as they are, and the candidate is run as the station would be. Those that reach
    most of what the others leave are served in full; what is told is what is served.

    Parameters
    ----------
    plan : with the runs of its stations
    days : demand of the training days
    asked : where the shares ask to be published, under ``alternatives/0/served_share`` and on
    """
    weight = days.weight.sum(axis=1)
    old = len(plan.existing)
    out: list[NextBest] = []
    for station in plan.added:
        others = [site for site in plan.chosen if site != station]
        left = ~(plan.cost_s[:, others] <= plan.limit_s).any(axis=1)
        reached = weight[left] @ (plan.cost_s[left] <= plan.limit_s)
        reached[:old] = 0.0
        reached[list(plan.chosen)] = 0.0
        # a millionth apart is the same: sums of floats in another order must not choose
        order = np.lexsort((np.arange(len(reached)), -np.round(reached, 6)))
        tried: list[tuple[float, int, FloatArray]] = []
        for site in order[:TRIED].tolist():
            if reached[site] <= 0:
                break
            chosen = tuple(sorted((*others, site)))
            run = {at: way for at, way in plan.run.items() if at != station} | {site: plan.run[station]}
            share = served_share(dataclasses.replace(plan, chosen=chosen, run=run).in_business(), days.weight)
            tried.append((rest_share(days.rest, share), site, share))
        for served, site, share in sorted(tried, key=lambda one: (-round(one[0], 9), one[1]))[:TOLD]:
            path = f"alternatives/{len(out)}/served_share"
            asked.on(days.mask).share(path, "rest", thousandths(share), None, "alternative")
            out.append(NextBest(station, site, served))
    return tuple(out)
