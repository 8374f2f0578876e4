"""Proven answers to large covering problems: search, bound, fix what cannot matter, HiGHS on the rest.

The bound's reduced costs show sites that no better choice can open (or shut): Balas and Zemel's
reduced-cost fixing as used for covering by Beasley, Naval Research Logistics 37 (1990). Demand points that
the remaining sites reach alike are one. What is left is a tenth of the model, proven by HiGHS.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from siting.problems.deadline import monotonic_s
from siting.problems.define import CostArray, MaxCover, SitingResult, StationPlan, check_cost, nearest_chosen
from siting.problems.highs import Limits, LinearModel
from siting.problems.order import InOrder, any_order
from siting.problems.reach import Reach, reach_from_rows
from siting.solvers.cover_search import CoverAnswer, CoverBound, bound_cover, search_cover
from siting.solvers.exact import finish, solve_exact
from siting.solvers.station_plans import solve_station_plan

__all__ = ["Effort", "plan_of_cover", "prove_max_cover", "spread_idle_sites"]

# pairs of point and site from which on the bound moves patiently
_MANY = 500_000
# a site that the bound opens less often, and is not among so many times as many as it opens, is not searched
_SELDOM = 1e-3
_CORE = 14

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class Effort:
    """How much is spent before HiGHS, and when HiGHS is not asked at all.

    Attributes
    ----------
    rounds : kicks of the search on the whole problem, and again on what is left after fixing
    steps : subgradient steps of the bound
    core_rounds : kicks on the sites that the bound likes, where what is left is too much for HiGHS
    most_entries : entries of the reduced model up to which HiGHS is asked to close the gap
    plain_pairs : pairs of point and site up to which covers with capacities or groups go to the plain model
    """

    rounds: int = 60
    steps: int = 1200
    core_rounds: int = 300
    most_entries: int = 150_000
    plain_pairs: int = 20_000


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class _Left:
    """What is left of a covering problem after fixing."""

    sites: IntArray
    """Sites that may still be opened, by their number in the whole problem."""
    always: BoolArray
    """Of those, the ones that must be."""
    reach: Reach
    weight: FloatArray


def prove_max_cover(
    problem: MaxCover,
    cost_s: CostArray,
    rng: np.random.Generator,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    effort: Effort = Effort(),
) -> SitingResult:
    """Solve a covering problem of any size to a proven gap, to optimality where the limits allow.

    Parameters
    ----------
    problem : with capacities or groups it is solved as a plan of one hour
    cost_s : (n, m) seconds
    rng : source of the kicks
    limits : gap that is good enough; nodes and seconds for HiGHS
    effort : search and bound

    Raises
    ------
    InputError, InfeasibleError
        As `siting.solvers.exact.solve_exact`.
    """
    if problem.capacity is not None or problem.group is not None:
        return _as_plan(problem, cost_s, limits, effort)
    check_cost(problem, cost_s)
    ordered = InOrder(problem, cost_s)
    inner = ordered.problem
    answer, bound = cover_with_bound(inner, ordered.reach_within(inner.limit_s), rng, limits, effort)
    near = ordered.columns_of(answer.chosen)
    place = nearest_chosen(near, tuple(range(near.shape[1])), inner.limit_s)
    assignment = np.where(place >= 0, np.array([*answer.chosen, -1], dtype=np.int64)[place], -1)
    served = float(inner.weight[assignment >= 0].sum())
    return ordered.restored(finish(answer.chosen, assignment, served, max(served, bound)))


@any_order
def _as_plan(problem: MaxCover, cost_s: CostArray, limits: Limits, effort: Effort) -> SitingResult:
    """Solve a cover with capacities or groups: small ones exactly, others as a plan of one hour."""
    pairs = int((cost_s <= problem.limit_s).sum())
    if pairs <= effort.plain_pairs and limits.time_limit_s is None:
        return solve_exact(problem, cost_s, limits)
    result = solve_station_plan(plan_of_cover(problem, cost_s.shape[1]), cost_s, limits)
    assignment = result.assignment
    if problem.capacity is None:
        assignment = nearest_chosen(cost_s, result.chosen, problem.limit_s)
    return dataclasses.replace(result, assignment=assignment, options=())


def plan_of_cover(problem: MaxCover, m: int) -> StationPlan:
    """Return a cover of m sites as a plan of one hour; options have the numbers of the sites."""
    return StationPlan(
        weight=problem.weight[:, None],
        limit_s=problem.limit_s,
        option_site=np.arange(m),
        option_cost=np.zeros(m) if problem.site_cost is None else problem.site_cost,
        option_open=np.ones((m, 1), dtype=np.bool_),
        option_capacity=problem.capacity,
        budget=problem.budget,
        sites=problem.sites,
        kept=problem.kept,
        group=problem.group,
        group_share=problem.group_share,
    )


def cover_with_bound(
    problem: MaxCover, reach: Reach, rng: np.random.Generator, limits: Limits, effort: Effort
) -> tuple[CoverAnswer, float]:
    """Return the best choice found and a bound that no choice exceeds."""
    begin = monotonic_s()
    answer = search_cover(problem, reach, rng, rounds=effort.rounds)
    patient = len(reach.point_site) > _MANY
    bound = bound_cover(problem, reach, answer.covered, steps=effort.steps, patient=patient)
    unit = _unit(problem.weight)
    if _near(answer.covered, bound.bound, limits.gap, unit):
        return answer, _tight(answer.covered, bound.bound, unit)
    left = _fix(problem, reach, bound, answer.covered, unit, effort.most_entries)
    small = left is not None and len(left.reach.point_site) <= effort.most_entries
    ground = left if small and left is not None else _core(problem, reach, bound)
    better = _search_on(problem, ground, bound, rng, effort.rounds if small else effort.core_rounds)
    if better.covered > answer.covered:
        answer = better
        left = _fix(problem, reach, bound, answer.covered, unit, effort.most_entries)
    if _near(answer.covered, bound.bound, limits.gap, unit):
        return answer, _tight(answer.covered, bound.bound, unit)
    if left is None or len(left.reach.point_site) > effort.most_entries:
        return answer, bound.bound
    if limits.time_limit_s is not None:
        rest = max(0.1, limits.time_limit_s - (monotonic_s() - begin))
        limits = dataclasses.replace(limits, time_limit_s=rest)
    return _close(problem, left, answer, bound.bound, limits, unit)


def _unit(weight: FloatArray) -> float:
    """Return the step between possible covers: 1 for whole weights, 0 for others."""
    return 1.0 if bool((weight == np.round(weight)).all()) else 0.0


def _tight(covered: float, bound: float, unit: float) -> float:
    return covered if unit and bound < covered + unit - 1e-6 else bound


def _near(covered: float, bound: float, gap: float, unit: float) -> bool:
    return _tight(covered, bound, unit) - covered <= max(gap, 1e-9) * abs(bound)


def _search_on(
    problem: MaxCover, left: _Left, bound: CoverBound, rng: np.random.Generator, rounds: int
) -> CoverAnswer:
    """Search among some of the sites, from those that the bound opens most and from none."""
    inner = _inner(problem, left)
    often = bound.often[left.sites]
    better = max(
        (search_cover(inner, left.reach, rng, rounds=rounds, often=start) for start in (often, None)),
        key=lambda found: found.covered,
    )
    return CoverAnswer(tuple(left.sites[list(better.chosen)].tolist()), better.covered)


def _core(problem: MaxCover, reach: Reach, bound: CoverBound) -> _Left:
    """Keep the sites that the bound opens now and then and those that it nearly opens.

    A kick of the search among them takes a tenth of the time or less. What is left out here may well be in
    a better choice, so nothing is proven by it.
    """
    use = bound.often > _SELDOM
    use[np.argsort(-bound.reduced, kind="stable")[: _CORE * max(1, int(bound.often.sum()))]] = True
    use[list(problem.kept)] = True
    return _part(problem, reach, use, np.zeros(reach.m, dtype=np.bool_))


def _fix(
    problem: MaxCover, reach: Reach, bound: CoverBound, covered: float, unit: float, most_entries: int
) -> _Left | None:
    """Drop sites that no better choice opens; None where too much is left for HiGHS in any case.

    A choice that is better by less than the step between covers is none, hence ``unit``.
    """
    target = covered + max(unit, 1e-7 * covered) - 1e-6 * max(1.0, unit)
    out = bound.bound + np.minimum(0.0, bound.reduced) < target
    always = bound.bound - np.maximum(0.0, bound.reduced) < target
    out &= ~always
    kept = list(problem.kept)
    out[kept], always[kept] = False, True
    # points that look alike are seldom more than nine of ten: looking at more is not worth the memory
    if int(np.diff(reach.site_ptr)[~out].sum()) > 10 * most_entries:
        return None
    return _part(problem, reach, ~out, always)


def _part(problem: MaxCover, reach: Reach, use: BoolArray, always: BoolArray) -> _Left:
    """Return the problem with some of its sites; demand points that these reach alike are one."""
    sites = np.nonzero(use)[0]
    number = np.full(reach.m, -1, dtype=np.int32)
    number[sites] = np.arange(len(sites), dtype=np.int32)
    entry = number[reach.point_site]
    inside = entry >= 0
    point = np.repeat(np.arange(reach.n, dtype=np.int32), np.diff(reach.point_ptr))[inside]
    entry = entry[inside]
    # two random signatures of 63 bits for each site: equal sums mean equal sets but for one case in 10^37
    draw = np.random.default_rng(0).integers(1, 2**62, (2, len(sites)), dtype=np.uint64)
    signature = np.zeros((reach.n, 2), dtype=np.uint64)
    for k in range(2):
        np.add.at(signature[:, k], point, draw[k][entry])
    count = np.bincount(point, minlength=reach.n)
    some = np.nonzero(count > 0)[0]
    _, first, label = np.unique(signature[some], axis=0, return_index=True, return_inverse=True)
    weight = np.bincount(label.ravel(), weights=problem.weight[some], minlength=len(first))
    order = np.argsort(first)
    rows = some[first[order]]
    ptr = np.zeros(len(rows) + 1, dtype=np.int64)
    ptr[1:] = np.cumsum(count[rows])
    stays = np.zeros(reach.n, dtype=np.bool_)
    stays[rows] = True
    lists = reach_from_rows(ptr, entry[stays[point]].astype(np.int32), len(sites))
    return _Left(sites, always[sites], lists, np.asarray(weight[order], dtype=np.float64))


def _inner(problem: MaxCover, left: _Left) -> MaxCover:
    cost = None if problem.site_cost is None else problem.site_cost[left.sites]
    number = np.full(int(left.sites.max(initial=-1)) + 1, -1, dtype=np.int64)
    number[left.sites] = np.arange(len(left.sites))
    return MaxCover(
        weight=left.weight,
        limit_s=problem.limit_s,
        sites=problem.sites,
        kept=tuple(int(number[s]) for s in problem.kept),
        site_cost=cost,
        budget=problem.budget,
    )


def _close(
    problem: MaxCover, left: _Left, answer: CoverAnswer, bound: float, limits: Limits, unit: float
) -> tuple[CoverAnswer, float]:
    """Solve what is left with HiGHS; choices outside of it are no better than ``answer``."""
    reach, m = left.reach, len(left.sites)
    model = LinearModel()
    x = model.add_columns(m, 0.0, left.always.astype(np.float64), 1.0, whole=True)
    z = model.add_columns(reach.n, -left.weight)
    rows = np.repeat(np.arange(reach.n), np.diff(reach.point_ptr))
    parts: list[tuple[IntArray, IntArray, float | FloatArray]]
    parts = [(np.arange(reach.n), z, 1.0), (rows, x[reach.point_site], -1.0)]
    model.add_rows("_cover", reach.n, list(parts), upper=0.0)
    zero = np.zeros(m, dtype=np.int64)
    if problem.sites is not None:
        model.add_rows("sites", 1, [(zero, x, 1.0)], upper=problem.sites)
    if problem.site_cost is not None and problem.budget is not None:
        model.add_rows("budget", 1, [(zero, x, problem.site_cost[left.sites])], upper=problem.budget)
    outcome = model.minimise(limits)
    if outcome.values is not None:
        chosen = np.nonzero(outcome.values[x] > 0.5)[0]
        inside = np.zeros(m, dtype=np.bool_)
        inside[chosen] = True
        times = np.bincount(rows, weights=inside[reach.point_site], minlength=reach.n)
        covered = float(left.weight[times > 0].sum())
        if covered > answer.covered:
            answer = CoverAnswer(tuple(left.sites[chosen].tolist()), covered)
    closed = max(answer.covered, min(bound, -outcome.bound))
    return answer, _tight(answer.covered, closed, unit)


def spread_idle_sites(problem: MaxCover, cost_s: CostArray, result: SitingResult) -> SitingResult:
    """Use sites that add no cover to shorten the ways instead.

    Sites that are not kept and add nothing are shut; the freed number goes, one after the other, to the
    site that saves most weighted seconds of covered demand, while any does. Cover, bound and gap stay as
    they are. Only for problems with a number of sites and no budget.
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
