"""Exact answers by mixed-integer programming with HiGHS (through `scipy.optimize.milp`).

The plain model of each problem, for sizes where that is enough (maximal covering: up to about
2,000 x 200 in a tenth of a second). `siting.solvers.cover_proof` solves large ones by shrinking them first.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from geo.errors import InfeasibleError
from geo.sentences import Sentence
from siting.problems.deadline import monotonic_s
from siting.problems.define import (
    CostArray,
    Flow,
    MaxCover,
    PCenter,
    PMedian,
    Problem,
    SetCover,
    SitingResult,
    StationPlan,
    nearest_chosen,
)
from siting.problems.highs import Limits, LimitsEndedError, LinearModel, Outcome, infeasible
from siting.problems.order import any_order

__all__ = [
    "Limits",
    "finish",
    "longest_service",
    "main_site",
    "pair_moves",
    "solve_exact",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@any_order
def solve_exact(problem: Problem, cost_s: CostArray, limits: Limits = Limits()) -> SitingResult:  # noqa: B008
    """Solve one problem to proven optimality, or to the given limits.

    Parameters
    ----------
    problem : what is to be served and what may be chosen
    cost_s : (n, m) travel times in seconds, inf where a site is out of reach
    limits : gap, nodes and seconds at which HiGHS may stop

    Raises
    ------
    InputError
        When the matrix does not belong to the problem.
    InfeasibleError
        When no choice satisfies the constraints (names them, and by how much), or when the limits
        end the search before any choice was found.
    """
    match problem:
        case MaxCover():
            return _max_cover(problem, cost_s, limits)
        case PMedian():
            return _p_median(problem, cost_s, limits)
        case SetCover():
            return _set_cover(problem, cost_s, limits)
        case PCenter():
            return _p_center(problem, cost_s, limits)
        case StationPlan():
            return _station_plan(problem, cost_s, limits)


def finish(
    chosen: tuple[int, ...],
    assignment: IntArray,
    objective: float,
    bound: float,
    *,
    flow: Flow | None = None,
    options: tuple[int, ...] = (),
    moved: tuple[tuple[int, int], ...] = (),
) -> SitingResult:
    """Freeze an answer: gap and status follow from objective and bound."""
    scale = max(abs(objective), abs(bound))
    gap = 0.0 if scale == 0 else abs(bound - objective) / scale
    status = "optimal" if gap <= 1e-6 else "feasible"
    if status == "optimal":
        gap, bound = 0.0, objective
    return SitingResult(
        chosen, assignment, objective, bound, gap, status, options=options, moved=moved, flow=flow
    )


def _values(outcome: Outcome) -> FloatArray:
    if outcome.values is None:
        raise LimitsEndedError
    return outcome.values


def _sites(model: LinearModel, m: int, kept: tuple[int, ...], cost: FloatArray | float) -> IntArray:
    lower = np.zeros(m)
    lower[list(kept)] = 1.0
    return model.add_columns(m, cost, lower, 1.0, whole=True)


def _at_most(
    model: LinearModel, family: str, columns: IntArray, values: float | FloatArray, most: float
) -> None:
    model.add_rows(family, 1, [(np.zeros(len(columns), dtype=np.int64), columns, values)], upper=most)


def _chosen(values: FloatArray, x: IntArray) -> tuple[int, ...]:
    return tuple(np.nonzero(values[x] > 0.5)[0].tolist())


def _flow(amount: FloatArray, i: IntArray, j: IntArray, hour: IntArray | None = None) -> Flow:
    some = amount > 1e-7
    hours = np.zeros(len(i), dtype=np.int64) if hour is None else hour
    return Flow(i[some].astype(np.int64), hours[some], j[some].astype(np.int64), amount[some])


def main_site(flow: Flow, n: int, m: int) -> IntArray:
    """Return the site that serves most of each point, -1 where none serves it."""
    out = np.full(n, -1, dtype=np.int64)
    if len(flow.demand) == 0:
        return out
    pair, where = np.unique(flow.demand * m + flow.site, return_inverse=True)
    total = np.bincount(where, weights=flow.amount)
    order = np.lexsort((pair, -total, pair // m))
    first = np.unique((pair // m)[order], return_index=True)
    out[first[0]] = (pair % m)[order][first[1]]
    return out


def _groups(
    model: LinearModel,
    group: IntArray | None,
    share: FloatArray | None,
    served: list[tuple[IntArray, IntArray, FloatArray]],
    weight: FloatArray,
) -> None:
    """Each group's served weight is at least its share; ``served`` holds (point, column, weight)."""
    if group is None or share is None:
        return
    total = np.bincount(group[group >= 0], weights=weight[group >= 0], minlength=len(share))
    parts: list[tuple[IntArray, IntArray, FloatArray]] = []
    for point, column, amount in served:
        inside = group[point] >= 0
        parts.append((group[point][inside], column[inside], amount[inside]))
    model.add_rows("share", len(share), list(parts), lower=share * total)


def _max_cover(problem: MaxCover, cost_s: CostArray, limits: Limits) -> SitingResult:
    n, m = cost_s.shape
    i, j = np.nonzero(cost_s <= problem.limit_s)
    model = LinearModel()
    x = _sites(model, m, problem.kept, 0.0)
    if problem.sites is not None:
        _at_most(model, "sites", x, 1.0, problem.sites)
    if problem.site_cost is not None and problem.budget is not None:
        _at_most(model, "budget", x, problem.site_cost, problem.budget)
    points = np.arange(n)
    if problem.capacity is None:
        z = model.add_columns(n, -problem.weight)
        model.add_rows("_cover", n, [(points, z, 1.0), (i, x[j], -1.0)], upper=0.0)
        _groups(model, problem.group, problem.group_share, [(points, z, problem.weight)], problem.weight)
        values = _values(outcome := model.minimise(limits))
        chosen = _chosen(values, x)
        assignment = nearest_chosen(cost_s, chosen, problem.limit_s)
        served = float(problem.weight[assignment >= 0].sum())
        return finish(chosen, assignment, served, max(served, -outcome.bound))
    y = model.add_columns(len(i), -1.0, 0.0, problem.weight[i])
    _capacity(model, x, y, i, j, problem.weight, problem.capacity)
    ones = np.ones(len(i))
    _groups(model, problem.group, problem.group_share, [(i, y, ones)], problem.weight)
    values = _values(outcome := model.minimise(limits))
    flow = _flow(values[y], i, j)
    served = float(flow.amount.sum())
    return finish(_chosen(values, x), main_site(flow, n, m), served, max(served, -outcome.bound), flow=flow)


def _capacity(
    model: LinearModel,
    x: IntArray,
    y: IntArray,
    i: IntArray,
    j: IntArray,
    weight: FloatArray,
    capacity: FloatArray,
) -> None:
    """Rows of divisible demand: no more than there is, no more than a site holds, none where it is shut."""
    n, m, pairs = len(weight), len(x), np.arange(len(i))
    model.add_rows("_demand", n, [(i, y, 1.0)], upper=weight)
    model.add_rows("capacity", m, [(j, y, 1.0), (np.arange(m), x, -capacity)], upper=0.0)
    model.add_rows("_open", len(i), [(pairs, y, 1.0), (pairs, x[j], -weight[i])], upper=0.0)


def _p_median(problem: PMedian, cost_s: CostArray, limits: Limits) -> SitingResult:
    n, m = cost_s.shape
    i, j = np.nonzero(np.isfinite(cost_s))
    seconds = cost_s[i, j].astype(np.float64)
    model = LinearModel()
    x = _sites(model, m, problem.kept, 0.0)
    _at_most(model, "sites", x, 1.0, problem.sites)
    y = model.add_columns(len(i), problem.weight[i] * seconds)
    _serve_all(model, x, y, i, j, problem.weight, problem.capacity, n)
    values = _values(outcome := model.minimise(limits))
    chosen = _chosen(values, x)
    if problem.capacity is None:
        assignment = nearest_chosen(cost_s, chosen)
        total = float(problem.weight @ cost_s[np.arange(n), assignment].astype(np.float64))
        return finish(chosen, assignment, total, min(total, outcome.bound))
    flow = _flow(values[y] * problem.weight[i], i, j)
    total = float((values[y] * problem.weight[i] * seconds).sum())
    return finish(chosen, main_site(flow, n, m), total, min(total, outcome.bound), flow=flow)


def _serve_all(
    model: LinearModel,
    x: IntArray,
    y: IntArray,
    i: IntArray,
    j: IntArray,
    weight: FloatArray,
    capacity: FloatArray | None,
    n: int,
) -> None:
    """Rows of full service by shares y: each point is served in whole, by open sites, within capacity."""
    pairs, m = np.arange(len(i)), len(x)
    model.add_rows("reach", n, [(i, y, 1.0)], lower=1.0, upper=1.0)
    model.add_rows("_open", len(i), [(pairs, y, 1.0), (pairs, x[j], -1.0)], upper=0.0)
    if capacity is not None:
        parts: list[tuple[IntArray, IntArray, float | FloatArray]]
        parts = [(j, y, weight[i]), (np.arange(m), x, -capacity)]
        model.add_rows("capacity", m, list(parts), upper=0.0)


def _set_cover(problem: SetCover, cost_s: CostArray, limits: Limits) -> SitingResult:
    n, m = cost_s.shape
    price = np.ones(m) if problem.site_cost is None else problem.site_cost
    i, j = np.nonzero(cost_s <= problem.limit_s)
    model = LinearModel()
    x = _sites(model, m, problem.kept, price)
    if problem.capacity is None:
        model.add_rows("reach", n, [(i, x[j], 1.0)], lower=1.0)
        values = _values(outcome := model.minimise(limits))
        chosen = _chosen(values, x)
        total = float(price[list(chosen)].sum())
        return finish(
            chosen, nearest_chosen(cost_s, chosen, problem.limit_s), total, min(total, outcome.bound)
        )
    y = model.add_columns(len(i))
    _serve_all(model, x, y, i, j, problem.weight, problem.capacity, n)
    values = _values(outcome := model.minimise(limits))
    chosen = _chosen(values, x)
    total = float(price[list(chosen)].sum())
    flow = _flow(values[y] * problem.weight[i], i, j)
    return finish(chosen, main_site(flow, n, m), total, min(total, outcome.bound), flow=flow)


def _p_center(problem: PCenter, cost_s: CostArray, limits: Limits) -> SitingResult:
    """Search the sorted distinct times for the least one at which ``sites`` are enough."""
    n = len(cost_s)
    if n == 0:
        return finish(problem.kept, np.empty(0, dtype=np.int64), 0.0, 0.0)
    reach = cost_s.min(axis=1)
    if not np.isfinite(reach).all():
        lost = int((~np.isfinite(reach)).sum())
        raise InfeasibleError(Sentence.of("infeasible_reach", lost=lost, count=n))
    floor = reach.max()
    times = np.unique(cost_s[np.isfinite(cost_s) & (cost_s >= floor)])

    deadline = np.inf if limits.time_limit_s is None else monotonic_s() + limits.time_limit_s

    def cover(limit_s: float) -> SitingResult:
        if deadline < np.inf:
            left = max(0.05, deadline - monotonic_s())
            return _least_sites(problem, cost_s, limit_s, dataclasses.replace(limits, time_limit_s=left))
        return _least_sites(problem, cost_s, limit_s, limits)

    low, high = 0, len(times) - 1
    best = cover(float(times[high]))
    if len(best.chosen) > problem.sites:
        if best.bound <= problem.sites:
            raise LimitsEndedError
        raise infeasible([("sites", len(best.chosen) - problem.sites)])
    # times before this place are proven too short
    sure = 0
    while low < high:
        middle = (low + high) // 2
        known = True
        try:
            answer: SitingResult | None = cover(float(times[middle]))
        except LimitsEndedError:
            answer, known = None, False
        except InfeasibleError:
            answer = None
        if answer is not None and len(answer.chosen) <= problem.sites:
            best, high = answer, middle
        else:
            low = middle + 1
            if known and (answer is None or answer.bound > problem.sites + 1e-6):
                sure = middle + 1
    bound = float(times[min(sure, high)])
    if problem.capacity is None:
        assignment = nearest_chosen(cost_s, best.chosen)
        radius = float(times[high])
        return finish(best.chosen, assignment, radius, min(radius, bound))
    radius = float(times[high])
    if best.flow is not None:
        radius = min(radius, longest_service(problem, cost_s, best.chosen, best.flow))
    return finish(best.chosen, best.assignment, radius, min(radius, bound), flow=best.flow)


def longest_service(problem: PCenter, cost_s: CostArray, chosen: tuple[int, ...], flow: Flow) -> float:
    """Return the longest time of a flow; points without demand count with their nearest site."""
    served = cost_s[flow.demand, flow.site].max(initial=0.0)
    bare = cost_s[np.ix_(np.nonzero(problem.weight == 0)[0], np.array(chosen, dtype=np.int64))]
    return float(max(served, bare.min(axis=1, initial=np.inf).max(initial=0.0)))


def _least_sites(problem: PCenter, cost_s: CostArray, limit_s: float, limits: Limits) -> SitingResult:
    cover = SetCover(weight=problem.weight, limit_s=limit_s, kept=problem.kept, capacity=problem.capacity)
    return _set_cover(cover, cost_s, limits)


def _station_plan(problem: StationPlan, cost_s: CostArray, limits: Limits) -> SitingResult:
    n, m = cost_s.shape
    hours = problem.weight.shape[1]
    site, o = problem.option_site, len(problem.option_site)
    i, j = np.nonzero(cost_s <= problem.limit_s)
    model = LinearModel()
    x = model.add_columns(o, 0.0, whole=True)
    kept = np.zeros(m)
    kept[list(problem.kept)] = 1.0
    model.add_rows("_kept", m, [(site, x, 1.0)], lower=kept, upper=1.0)
    if problem.sites is not None:
        _at_most(model, "sites", x, 1.0, problem.sites)
    if problem.new_sites is not None:
        new = ~np.isin(site, problem.existing_site)
        _at_most(model, "new_sites", x[new], 1.0, problem.new_sites)
    v = _money(model, problem, x, m)
    option, hour = np.nonzero(problem.option_open)
    # one column a site and hour that says "open then" keeps the cover rows short
    slot, where = np.unique(site[option] * hours + hour, return_inverse=True)
    u = model.add_columns(len(slot))
    slots = np.arange(len(slot))
    model.add_rows("_open", len(slot), [(slots, u, 1.0), (where, x[option], -1.0)], upper=0.0)
    number = np.full(m * hours, -1, dtype=np.int64)
    number[slot] = slots
    pair_hour = np.tile(np.arange(hours), len(i))
    pair_i, pair_j = np.repeat(i, hours), np.repeat(j, hours)
    good = (number[pair_j * hours + pair_hour] >= 0) & (problem.weight[pair_i, pair_hour] > 0)
    pair_i, pair_j, pair_hour = pair_i[good], pair_j[good], pair_hour[good]
    pair_slot = number[pair_j * hours + pair_hour]
    cell, row = np.unique(pair_i * hours + pair_hour, return_inverse=True)
    cells = np.arange(len(cell))
    weight = problem.weight.ravel()[cell]
    total = problem.weight.sum(axis=1)
    if problem.option_capacity is None:
        z = model.add_columns(len(cell), -weight)
        model.add_rows("_cover", len(cell), [(cells, z, 1.0), (row, u[pair_slot], -1.0)], upper=0.0)
        _groups(model, problem.group, problem.group_share, [(cell // hours, z, weight)], total)
        y = None
    else:
        amount = problem.weight[pair_i, pair_hour]
        y = model.add_columns(len(pair_i), -1.0, 0.0, amount)
        pairs = np.arange(len(pair_i))
        model.add_rows("_demand", len(cell), [(row, y, 1.0)], upper=weight)
        model.add_rows("_open", len(pairs), [(pairs, y, 1.0), (pairs, u[pair_slot], -amount)], upper=0.0)
        holds = problem.option_capacity[option]
        model.add_rows(
            "capacity",
            len(slot),
            [(pair_slot, y, 1.0), (where, x[option], -holds)],
            upper=0.0,
        )
        _groups(model, problem.group, problem.group_share, [(pair_i, y, np.ones(len(y)))], total)
    values = _values(outcome := model.minimise(limits))
    options = _chosen(values, x)
    if y is None:
        objective = covered_by_hour(problem, cost_s, options).sum()
        flow = None
        assignment = nearest_chosen(cost_s, tuple(site[list(options)].tolist()), problem.limit_s)
    else:
        flow = _flow(values[y], pair_i, pair_j, pair_hour)
        objective = flow.amount.sum()
        assignment = main_site(flow, n, m)
    closed = [s for s, moves in zip(problem.existing_site, values[v] > 0.5, strict=True) if moves]
    return finish(
        tuple(sorted(site[list(options)].tolist())),
        assignment,
        float(objective),
        max(float(objective), -outcome.bound),
        flow=flow,
        options=options,
        moved=pair_moves(problem, options, closed),
    )


def _money(model: LinearModel, problem: StationPlan, x: IntArray, m: int) -> IntArray:
    """Rows of budget, closures and moves; return the columns that say an existing station moves."""
    e = len(problem.existing_site)
    saving = problem.move_saving if problem.move_saving is not None else np.zeros(e)
    close = problem.close_cost if problem.close_cost is not None else np.zeros(e)
    v = model.add_columns(e, 0.0, 0.0, (saving > 0).astype(np.float64), whole=True)
    place = np.full(m, -1, dtype=np.int64)
    place[list(problem.existing_site)] = np.arange(e)
    owner = place[problem.option_site]
    old = owner >= 0
    if e:
        model.add_rows("_moves", e, [(np.arange(e), v, 1.0), (owner[old], x[old], 1.0)], upper=1.0)
        zero = np.zeros(e, dtype=np.int64)
        new = np.nonzero(~old)[0]
        model.add_rows(
            "_moves", 1, [(zero, v, 1.0), (np.zeros(len(new), dtype=np.int64), x[new], -1.0)], upper=0.0
        )
    if problem.budget is not None:
        # closing costs close_cost x (1 - open): the constant goes to the right-hand side
        price = problem.option_cost.copy()
        price[old] -= close[owner[old]]
        columns, values = np.r_[x, v], np.r_[price, -saving]
        _at_most(model, "budget", columns, values, problem.budget - close.sum())
    return v


def pair_moves(
    problem: StationPlan, options: tuple[int, ...], closed: list[int]
) -> tuple[tuple[int, int], ...]:
    """Pair closed stations that move with new sites, both in ascending order."""
    existing = set(problem.existing_site)
    new = sorted({int(s) for s in problem.option_site[list(options)]} - existing)
    return tuple(zip(sorted(closed), new, strict=False))


def covered_by_hour(problem: StationPlan, cost_s: CostArray, options: tuple[int, ...]) -> FloatArray:
    """Return (h,) rider-minutes within reach of a chosen option that is open, without capacities."""
    served = np.zeros(problem.weight.shape, dtype=np.bool_)
    for option in options:
        near = cost_s[:, problem.option_site[option]] <= problem.limit_s
        served |= near[:, None] & problem.option_open[option][None, :]
    return np.asarray((problem.weight * served).sum(axis=0))
