"""Fast proven answers to p-center problems: thresholds, greedy covers, dominance, then HiGHS.

The answer is one of the given times; whether p sites cover everything within a time is a covering question.
Most are settled by the covering search (yes) or by its Lagrangian bound (no); the few at the edge go to HiGHS
after dominated points and sites are removed (Toregas and ReVelle, Geographical Analysis 5 (1973)).
"""

import numpy as np
import numpy.typing as npt

from geo.errors import InfeasibleError
from siting.exact import finish, solve_exact
from siting.model import Limits, LinearModel
from siting.problems import CostArray, MaxCover, PCenter, SitingResult, check_cost, nearest_chosen
from siting.reach import reach_within
from siting.search import bound_cover, search_cover

__all__ = ["prove_p_center", "undominated"]

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


def undominated(within: BoolArray, kept: BoolArray) -> tuple[IntArray, IntArray]:
    """Return the points and sites that matter for covering every point with few sites.

    A point matters if no other point is reached by a subset of its sites, a site if no other site
    reaches a superset of its points; kept sites always stay. Of equals the first stays.
    """
    rows, columns = np.arange(within.shape[0]), np.arange(within.shape[1])
    while True:
        part = within[np.ix_(rows, columns)]
        keep_row = _minimal(part)
        part = part[keep_row]
        keep_column = _minimal(~part.T) | kept[columns]
        if keep_row.all() and keep_column.all():
            return rows, columns
        rows, columns = rows[keep_row], columns[keep_column]


def _minimal(sets: BoolArray) -> BoolArray:
    """Return which rows contain no other row; of equal rows the first counts."""
    if len(sets) == 0:
        return np.zeros(0, dtype=np.bool_)
    dense = sets.astype(np.float32)
    size = dense.sum(axis=1)
    common = dense @ dense.T
    inside = common >= size[:, None]
    # inside[a, b]: row a is a subset of row b; b goes, unless they are equal and b is the first of them
    equal = inside & inside.T
    number = np.arange(len(sets))
    drops = inside & (~equal | (number[:, None] < number[None, :]))
    np.fill_diagonal(drops, False)
    return np.asarray(~drops.any(axis=0), dtype=np.bool_)


def prove_p_center(
    problem: PCenter,
    cost_s: CostArray,
    rng: np.random.Generator,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> SitingResult:
    """Solve a p-center problem to optimality.

    Problems with capacities go to the plain exact model.

    Parameters
    ----------
    problem : what is to be served
    cost_s : (n, m) seconds
    rng : source of the search
    limits : for HiGHS, a threshold

    Raises
    ------
    InputError
        When the matrix does not belong to the problem.
    InfeasibleError
        When some point is out of reach, or the number of sites does not suffice at any time.
    """
    check_cost(problem, cost_s)
    if problem.capacity is not None or len(cost_s) == 0 or len(problem.kept) > problem.sites:
        return solve_exact(problem, cost_s, limits)
    reach = cost_s.min(axis=1)
    if not np.isfinite(reach).all():
        lost = int((~np.isfinite(reach)).sum())
        raise InfeasibleError(
            f"No choice satisfies all constraints; {lost} of {len(cost_s)} demand points reach no site."
        )
    times = np.unique(cost_s[np.isfinite(cost_s) & (cost_s >= reach.max())])
    low, high = 0, len(times)
    best: tuple[int, ...] = ()
    while low < high:
        middle = (low + high) // 2
        found = _within(problem, cost_s, float(times[middle]), rng, limits)
        if found is None:
            low = middle + 1
        else:
            best = found
            # the cover that was found may be better than asked for
            radius = float(cost_s[:, list(found)].min(axis=1).max())
            high = int(np.searchsorted(times, radius))
    if not best:
        # even the longest time is too short for so few sites: the exact model says by how much
        return solve_exact(problem, cost_s, limits)
    radius = float(cost_s[:, list(best)].min(axis=1).max())
    return finish(best, nearest_chosen(cost_s, best), radius, radius)


def _within(
    problem: PCenter, cost_s: CostArray, limit_s: float, rng: np.random.Generator, limits: Limits
) -> tuple[int, ...] | None:
    """Return sites that cover every point within the limit, None when so few cannot."""
    m = cost_s.shape[1]
    kept = np.zeros(m, dtype=np.bool_)
    kept[list(problem.kept)] = True
    rows, columns = undominated(np.asarray(cost_s <= limit_s), kept)
    part = np.where(cost_s[np.ix_(rows, columns)] <= limit_s, 0.0, np.inf)
    cover = MaxCover(
        weight=np.ones(len(rows)),
        limit_s=0.0,
        sites=min(problem.sites, len(columns)),
        kept=tuple(np.nonzero(kept[columns])[0].tolist()),
    )
    lists = reach_within(part, 0.0)
    answer = search_cover(cover, lists, rng, rounds=40, enough=float(len(rows)))
    if answer.covered >= len(rows):
        return tuple(sorted(columns[list(answer.chosen)].tolist()))
    if bound_cover(cover, lists, answer.covered, steps=300).bound < len(rows) - 1e-6:
        return None
    model = LinearModel()
    x = model.add_columns(len(columns), 1.0, kept[columns].astype(np.float64), 1.0, whole=True)
    i, j = np.nonzero(part == 0.0)
    model.add_rows("_cover", len(rows), [(i, x[j], 1.0)], lower=1.0)
    model.add_rows("_sites", 1, [(np.zeros(len(x), dtype=np.int64), x, 1.0)], upper=problem.sites)
    outcome = model.minimise_or_none(limits)
    if outcome is None:
        return None
    if outcome.values is None:
        raise InfeasibleError("The limits ended the search before any choice was found; allow more.")
    return tuple(sorted(columns[outcome.values[x] > 0.5].tolist()))
