"""Set covering with a proven gap at any size: greedy covers, a Lagrangian bound, reduced costs, HiGHS.

Bound and greedy covers on reduced costs after Caprara, Fischetti and Toth, Operations Research 47 (1999).
Where every site costs the same, a covering search looks for one site less and
`siting.solvers.kernels.center_feasibility` proves that there is none.
"""

import numpy as np
import numpy.typing as npt
import scipy.sparse

from geo.errors import InfeasibleError
from geo.sentences import Sentence
from siting.problems.deadline import monotonic_s
from siting.problems.define import CostArray, MaxCover, SetCover, SitingResult, nearest_chosen
from siting.problems.highs import Limits, LinearModel
from siting.problems.order import any_order
from siting.problems.reach import Reach, reach_within
from siting.solvers.cover_search import search_cover
from siting.solvers.dominance import undominated, worth_comparing
from siting.solvers.exact import finish
from siting.solvers.kernels.center_feasibility import cover_all
from siting.solvers.kernels.cover import CoverState, CoverTask, greedy_cover

__all__ = ["least_cover", "prove_set_cover"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

# nodes of the search for a cover with one site less
_NODES = 1000
# entries of the reach lists up to which that search is worth its time
_ENTRIES = 100_000


@any_order
def prove_set_cover(
    problem: SetCover,
    cost_s: CostArray,
    rng: np.random.Generator,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> SitingResult:
    """Solve a set covering problem without capacities to a proven gap.

    Parameters
    ----------
    problem : what is to be covered
    cost_s : (n, m) seconds
    rng : source of the kicks
    limits : gap that is good enough, seconds, nodes of HiGHS

    Raises
    ------
    InputError, InfeasibleError
        As `siting.solvers.solve.solve`.
    """
    reach = reach_within(cost_s, problem.limit_s)
    price = np.ones(reach.m) if problem.site_cost is None else problem.site_cost
    refuse_unreached(reach, problem.limit_s)
    chosen, bound = least_cover(reach, price, problem.kept, rng, limits)
    total = float(price[list(chosen)].sum())
    return finish(chosen, nearest_chosen(cost_s, chosen, problem.limit_s), total, min(total, bound))


def refuse_unreached(reach: Reach, limit_s: float = np.inf) -> None:
    """Refuse when some points can be served by no site within the limit."""
    lost = int((np.diff(reach.point_ptr) == 0).sum())
    if lost:
        if np.isinf(limit_s):
            raise InfeasibleError(Sentence.of("infeasible_reach", lost=lost, count=reach.n))
        raise InfeasibleError(
            Sentence.of("infeasible_within", lost=lost, count=reach.n, limit=f"{limit_s:g}")
        )


def least_cover(
    reach: Reach, price: FloatArray, kept: tuple[int, ...], rng: np.random.Generator, limits: Limits
) -> tuple[tuple[int, ...], float]:
    """Return cheap sites that reach every point, and a bound below which no such choice costs.

    Every point must be reached by some site.
    """
    if not worth_comparing(reach.n, reach.m):
        return _least_cover(reach, price, kept, rng, limits)
    within = np.zeros((reach.n, reach.m), dtype=np.bool_)
    within[np.repeat(np.arange(reach.n), np.diff(reach.point_ptr)), reach.point_site] = True
    forced = np.zeros(reach.m, dtype=np.bool_)
    forced[list(kept)] = True
    rows, columns = undominated(within, forced, price)
    left = reach_within(np.where(within[np.ix_(rows, columns)], 0.0, np.inf), 0.0)
    inside = tuple(np.nonzero(forced[columns])[0].tolist())
    chosen, bound = _least_cover(left, price[columns], inside, rng, limits)
    return tuple(columns[list(chosen)].tolist()), bound


def _least_cover(
    reach: Reach, price: FloatArray, kept: tuple[int, ...], rng: np.random.Generator, limits: Limits
) -> tuple[tuple[int, ...], float]:
    """Return cheap sites that reach every point and a bound; of a problem that dominance has made small."""
    deadline = np.inf if limits.time_limit_s is None else monotonic_s() + limits.time_limit_s
    rows = scipy.sparse.csr_array(
        (np.ones(len(reach.point_site)), reach.point_site, reach.point_ptr), shape=(reach.n, reach.m)
    )
    forced = np.zeros(reach.m, dtype=np.bool_)
    forced[list(kept)] = True
    best = _greedy(reach, rows, price, price, forced)
    total = float(price[best].sum())
    equal = bool((price == price[:1]).all() and (price[:1] > 0).all())
    bound, saved, found = _bound(reach, rows, price, forced, best, deadline)
    if float(price[found].sum()) < total - 1e-9:
        best, total = found, float(price[found].sum())
    whole = bool((price == np.round(price)).all())

    def near() -> bool:
        return total - bound < max(1.0 - 1e-6 if whole else 1e-9 * total, limits.gap * total)

    if not near() and equal:
        best = _fewer(reach, best, kept, rng, bound / float(price[0]), deadline)
        total = float(price[best].sum())
    if not near() and equal and len(reach.point_site) <= _ENTRIES:
        best, bound = _prove_fewest(reach, best, float(price[0]), bound, kept)
        total = float(price[best].sum())
    if not near() and monotonic_s() < deadline:
        best, bound = _close(rows, price, forced, best, bound, saved, limits, deadline)
        total = float(price[best].sum())
    if whole and total - bound < 1.0 - 1e-6:
        bound = total
    return tuple(np.nonzero(best)[0].tolist()), min(bound, total)


def _greedy(
    reach: Reach, rows: scipy.sparse.csr_array, guide: FloatArray, price: FloatArray, forced: BoolArray
) -> BoolArray:
    """Cover by most points for the (guiding) price, then drop what is not needed, the dearest first."""
    times, is_open = np.zeros(reach.n, dtype=np.int32), np.zeros(reach.m, dtype=np.bool_)
    task = CoverTask(np.ones(reach.n), np.maximum(guide, 1e-9), np.inf, reach.m)
    first = np.nonzero(forced)[0].astype(np.int32)
    greedy_cover(reach, task, first, True, CoverState(times, is_open, np.zeros(reach.m)))
    for j in np.lexsort((np.arange(reach.m), -price)).tolist():
        mine = reach.site_point[reach.site_ptr[j] : reach.site_ptr[j + 1]]
        if is_open[j] and not forced[j] and (times[mine] > 1).all():
            is_open[j] = False
            times[mine] -= 1
    return is_open


def _fewer(
    reach: Reach,
    best: BoolArray,
    kept: tuple[int, ...],
    rng: np.random.Generator,
    least: float,
    deadline: float,
) -> BoolArray:
    """Look for covers with one site less until none is found."""
    rounds = 60 if len(reach.point_site) <= _ENTRIES else 10
    while (fewer := int(best.sum()) - 1) >= max(1.0, len(kept), least - 1e-6) and monotonic_s() < deadline:
        task = MaxCover(weight=np.ones(reach.n), limit_s=0.0, sites=fewer, kept=kept)
        found = search_cover(task, reach, rng, rounds=rounds, enough=float(reach.n))
        if found.covered < reach.n - 0.5:
            break
        best = np.zeros(reach.m, dtype=np.bool_)
        best[list(found.chosen)] = True
    return best


def _bound(
    reach: Reach,
    rows: scipy.sparse.csr_array,
    price: FloatArray,
    forced: BoolArray,
    best: BoolArray,
    deadline: float,
    steps: int = 500,
) -> tuple[float, FloatArray, BoolArray]:
    """Relax "each point is covered": return the bound, the reduced costs there, the best cover on the way."""
    total = float(price[best].sum())
    columns = rows.T.tocsr()
    # each point starts with the least share of a site's price
    share_of = (price / np.maximum(1, np.diff(reach.site_ptr)))[reach.point_site]
    price_of_cover = np.minimum.reduceat(share_of, reach.point_ptr[:-1]) if reach.n else np.empty(0)
    low, low_net = -np.inf, price.copy()
    way = np.zeros(reach.n)
    step, idle = 1.0, 0
    for turn in range(steps):
        net = price - columns @ price_of_cover
        share = ((net < 0) | forced).astype(np.float64)
        value = float(price_of_cover.sum() + (net * share).sum())
        if value > low:
            low, low_net, idle = value, net, 0
        else:
            idle += 1
            if idle >= 15:
                step, idle = 0.7 * step, 0
        if turn % 50 == 49:
            trial = _greedy(reach, rows, np.maximum(net, 0.0) + 1e-3 * price, price, forced)
            if price[trial].sum() < total - 1e-9:
                best, total = trial, float(price[trial].sum())
        way = 0.7 * way + 0.3 * (1.0 - rows @ share)
        norm = float(way @ way)
        if norm < 1e-12 or step < 1e-4 or total - low < 1e-9 * total or monotonic_s() >= deadline:
            break
        price_of_cover = np.maximum(0.0, price_of_cover + step * (1.02 * total - value) / norm * way)
    return low, low_net, best


def _prove_fewest(
    reach: Reach, best: BoolArray, unit: float, bound: float, kept: tuple[int, ...]
) -> tuple[BoolArray, float]:
    """Search depth-first for covers with fewer sites; return the best and the bound that is proven."""
    chosen = np.zeros(reach.m, dtype=np.bool_)
    first = np.array(kept, dtype=np.int32)
    while (fewer := int(best.sum()) - 1) >= len(kept):
        known = cover_all(reach, first, fewer, _NODES, chosen)
        if known == 0:
            return best, unit * float(best.sum())
        if known < 0:
            break
        best = chosen.copy()
    return best, bound


def _close(
    rows: scipy.sparse.csr_array,
    price: FloatArray,
    forced: BoolArray,
    best: BoolArray,
    bound: float,
    saved: FloatArray,
    limits: Limits,
    deadline: float,
) -> tuple[BoolArray, float]:
    """Solve what reduced costs leave with HiGHS; choices outside of it are no cheaper than ``best``."""
    total = float(price[best].sum())
    # with whole prices, what is better is better by 1 at least
    whole = bool((price == np.round(price)).all())
    target = total - 1.0 + 1e-6 if whole else total + 1e-9
    sites = np.nonzero((bound + np.maximum(0.0, saved) <= target) | forced)[0]
    if not len(sites):
        return best, total
    part = rows[:, sites].tocoo()
    model = LinearModel()
    x = model.add_columns(len(sites), price[sites], forced[sites].astype(np.float64), 1.0, whole=True)
    point, place = part.coords
    model.add_rows("_cover", rows.shape[0], [(point, x[place], 1.0)], lower=1.0)
    left = None if deadline == np.inf else max(0.1, deadline - monotonic_s())
    outcome = model.minimise_or_none(Limits(limits.gap, left, limits.node_limit))
    if outcome is None:
        return best, total
    if outcome.values is not None:
        trial = np.zeros(len(price), dtype=np.bool_)
        trial[sites[outcome.values[x] > 0.5]] = True
        if price[trial].sum() < total:
            best, total = trial, float(price[trial].sum())
    return best, max(bound, min(total, outcome.bound))
