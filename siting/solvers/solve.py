"""One door to all siting solvers: a problem and a cost matrix in, a `SitingResult` with its gap out."""

import numpy as np

from siting.problems.define import (
    CostArray,
    MaxCover,
    PCenter,
    PMedian,
    Problem,
    SetCover,
    SitingResult,
    StationPlan,
)
from siting.problems.highs import Limits
from siting.solvers.capacitated import CapacitatedEffort, solve_capacitated
from siting.solvers.center import prove_p_center
from siting.solvers.cover_proof import Effort, prove_max_cover
from siting.solvers.median import prove_p_median
from siting.solvers.set_cover import prove_set_cover
from siting.solvers.station_plans import PlanEffort, solve_station_plan

__all__ = ["CapacitatedEffort", "Effort", "Limits", "PlanEffort", "solve"]


def solve(
    problem: Problem,
    cost_s: CostArray,
    rng: np.random.Generator,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> SitingResult:
    """Solve a siting problem with the method that suits it, proven as far as the limits allow.

    Parameters
    ----------
    problem : `MaxCover`, `PMedian`, `SetCover`, `PCenter` or `StationPlan`
    cost_s : (n, m) travel times in seconds, inf where a site is out of reach
    rng : source of every random draw: same seed, same answer
    limits : gap that is good enough, nodes and seconds for branch and bound

    Returns
    -------
    SitingResult
        With objective, bound, gap and status; `siting.solvers.verify.verify` checks it from raw input.

    Raises
    ------
    InputError
        When the matrix does not belong to the problem.
    InfeasibleError
        When no choice satisfies the constraints: the sentence says which and by how much.
    """
    match problem:
        case MaxCover():
            return prove_max_cover(problem, cost_s, rng, limits)
        case PMedian() | PCenter() | SetCover() if problem.capacity is not None:
            return solve_capacitated(problem, cost_s, limits)
        case PMedian():
            return prove_p_median(problem, cost_s, rng, limits)
        case PCenter():
            return prove_p_center(problem, cost_s, rng, limits)
        case SetCover():
            return prove_set_cover(problem, cost_s, rng, limits)
        case StationPlan():
            return solve_station_plan(problem, cost_s, limits)
