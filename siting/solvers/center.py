"""Fast proven answers to p-center problems: thresholds, covers, dominance.

The answer is one of the given times; whether p sites cover everything within a time is a covering question.
After dominated points and sites are removed most are settled by the covering search (yes) or by the weights
of `siting.solvers.kernels.center_feasibility` (no); HiGHS is asked where neither does (Toregas and ReVelle,
Geographical Analysis 5 (1973)).
"""

import numpy as np

from siting.problems.deadline import monotonic_s
from siting.problems.define import CostArray, MaxCover, PCenter, PMedian, SitingResult, nearest_chosen
from siting.problems.highs import Limits, LimitsEndedError, LinearModel, infeasible
from siting.problems.order import any_order
from siting.problems.reach import reach_at_all, reach_within
from siting.solvers.cover_search import search_cover
from siting.solvers.dominance import undominated
from siting.solvers.exact import finish
from siting.solvers.kernels.center_feasibility import cover_all
from siting.solvers.set_cover import least_cover, refuse_unreached

__all__ = ["any_cover", "prove_p_center"]

# points up to which dominated ones are looked for
_DENSE = 3000
# nodes of the search for a cover before HiGHS is asked
_NODES = 20_000


@any_order
def prove_p_center(
    problem: PCenter,
    cost_s: CostArray,
    rng: np.random.Generator,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> SitingResult:
    """Solve a p-center problem without capacities, to optimality where the limits allow.

    Parameters
    ----------
    problem : what is to be served
    cost_s : (n, m) seconds, inf where a site is out of reach
    rng : source of the search
    limits : seconds for the whole problem; nodes for HiGHS, a threshold

    Raises
    ------
    InputError
        When the matrix does not belong to the problem.
    InfeasibleError
        When some point is out of reach, or the number of sites does not suffice at any time.
    """
    if len(cost_s) == 0:
        return finish(problem.kept, np.empty(0, dtype=np.int64), 0.0, 0.0)
    deadline = np.inf if limits.time_limit_s is None else monotonic_s() + limits.time_limit_s
    refuse_unreached(reach_at_all(cost_s))
    least = cost_s.min(axis=1).max()
    times = np.unique(cost_s[np.isfinite(cost_s) & (cost_s >= least)])
    low, high = 0, len(times)
    # thresholds before this place are proven too short
    sure = 0
    best: tuple[int, ...] = ()
    while low < high:
        middle = (low + high) // 2
        found, known = _within(problem, cost_s, float(times[middle]), rng, limits, deadline)
        if found:
            best = found
            # the cover that was found may be better than asked for
            radius = float(cost_s[:, list(found)].min(axis=1).max())
            high = int(np.searchsorted(times, radius))
        else:
            low = middle + 1
            if known:
                sure = middle + 1
    if not best:
        best = any_cover(problem, cost_s, rng, limits)
    radius = float(cost_s[:, list(best)].min(axis=1).max())
    bound = min(radius, float(times[min(sure, len(times) - 1)]))
    return finish(best, nearest_chosen(cost_s, best), radius, bound)


def any_cover(
    problem: PCenter | PMedian, cost_s: CostArray, rng: np.random.Generator, limits: Limits
) -> tuple[int, ...]:
    """Return as many sites as are allowed that reach every point at all."""
    reach = reach_at_all(cost_s)
    chosen, bound = least_cover(reach, np.ones(reach.m), problem.kept, rng, limits)
    if len(chosen) <= problem.sites:
        return chosen
    over = int(np.ceil(bound - 1e-6)) - problem.sites
    if over > 0:
        raise infeasible([("sites", over)], or_more=[] if over == len(chosen) - problem.sites else ["sites"])
    raise LimitsEndedError


def _within(
    problem: PCenter,
    cost_s: CostArray,
    limit_s: float,
    rng: np.random.Generator,
    limits: Limits,
    deadline: float,
) -> tuple[tuple[int, ...], bool]:
    """Return sites that cover every point within the limit, and whether it is known if there are any."""
    m = cost_s.shape[1]
    kept = np.zeros(m, dtype=np.bool_)
    kept[list(problem.kept)] = True
    within = np.asarray(cost_s <= limit_s)
    rows, columns = (
        undominated(within, kept) if len(within) <= _DENSE else (np.arange(len(within)), np.arange(m))
    )
    part = np.where(within[np.ix_(rows, columns)], 0.0, np.inf)
    cover = MaxCover(
        weight=np.ones(len(rows)),
        limit_s=0.0,
        sites=min(problem.sites, len(columns)),
        kept=tuple(np.nonzero(kept[columns])[0].tolist()),
    )
    lists = reach_within(part, 0.0)
    answer = search_cover(cover, lists, rng, rounds=40, enough=float(len(rows)))
    if answer.covered >= len(rows):
        return tuple(sorted(columns[list(answer.chosen)].tolist())), True
    if monotonic_s() >= deadline:
        return (), False
    inside = np.zeros(len(columns), dtype=np.bool_)
    first = np.array(cover.kept, dtype=np.int32)
    known = cover_all(lists, first, problem.sites, _NODES, inside)
    if known >= 0:
        return (tuple(sorted(columns[inside].tolist())) if known else ()), True
    left = None if deadline == np.inf else deadline - monotonic_s()
    if left is not None and left <= 0.1:
        return (), False
    model = LinearModel()
    x = model.add_columns(len(columns), 1.0, kept[columns].astype(np.float64), 1.0, whole=True)
    i, j = np.nonzero(part == 0.0)
    model.add_rows("_cover", len(rows), [(i, x[j], 1.0)], lower=1.0)
    model.add_rows("_sites", 1, [(np.zeros(len(x), dtype=np.int64), x, 1.0)], upper=problem.sites)
    outcome = model.minimise_or_none(Limits(time_limit_s=left, node_limit=limits.node_limit))
    if outcome is None:
        return (), True
    if outcome.values is None:
        return (), False
    return tuple(sorted(columns[outcome.values[x] > 0.5].tolist())), True
