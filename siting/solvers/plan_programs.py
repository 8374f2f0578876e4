"""Station plans with three aims: most served, least money, and the unit grid that is served least.

The plain mixed-integer programme of `siting.solvers.exact` for one aim at a time, with limits on the others
(the epsilon-constraint method: Haimes, Lasdon and Wismer, IEEE Trans. SMC 1 (1971)), and a bound on the worst
grid for plans of any size.
"""

import dataclasses
from typing import Literal

import numpy as np
import numpy.typing as npt

from siting.problems.define import CostArray, StationPlan
from siting.problems.highs import Limits, LinearModel

__all__ = [
    "Aim",
    "Counted",
    "Ends",
    "best_plan",
    "bound_of_cost",
    "bound_of_served",
    "bound_of_worst",
    "plan_cost",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Aim = Literal["served", "cost", "worst"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Counted:
    """What counts for the worst grid: only grids with some rest.

    Attributes
    ----------
    group : (n,) number of the grid of each demand point, -1: in none that counts
    rest : (n, h) rider-minutes of rest, a part of the weight of each cell
    """

    group: IntArray
    rest: FloatArray

    @property
    def total(self) -> FloatArray:
        """(g,) rider-minutes of rest of each grid."""
        inside = self.group >= 0
        size = int(self.group.max(initial=-1)) + 1
        return np.asarray(
            np.bincount(self.group[inside], weights=self.rest.sum(axis=1)[inside], minlength=size),
            dtype=np.float64,
        )

    def shares(self, served: FloatArray) -> FloatArray:
        """Return (g,) the served share of each grid, of (n, h) served shares of each cell."""
        inside = self.group >= 0
        total = self.total
        got = np.bincount(
            self.group[inside], weights=(self.rest * served).sum(axis=1)[inside], minlength=len(total)
        )
        return np.asarray(np.minimum(1.0, got / total))


@dataclasses.dataclass(frozen=True, slots=True)
class Ends:
    """Limits on the aims: least weight served, most yuan, least share of the worst grid."""

    served: float = 0.0
    cost: float = np.inf
    worst: float = 0.0


def plan_cost(problem: StationPlan, options: tuple[int, ...]) -> float:
    """Return yuan a year of some options, closures and moves included."""
    chosen = list(options)
    sites = set(problem.option_site[chosen].tolist())
    closed = [e for e, s in enumerate(problem.existing_site) if s not in sites]
    new = len(sites - set(problem.existing_site))
    close, saving = _money_of(problem)
    saved = np.sort(saving[closed])[::-1][:new]
    return float(problem.option_cost[chosen].sum() + close[closed].sum() - saved.sum())


def _money_of(problem: StationPlan) -> tuple[FloatArray, FloatArray]:
    zero = np.zeros(len(problem.existing_site))
    close = zero if problem.close_cost is None else problem.close_cost
    return close, zero if problem.move_saving is None else problem.move_saving


def best_plan(
    problem: StationPlan,
    cost_s: CostArray,
    counted: Counted,
    aim: Aim,
    ends: Ends = Ends(),
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> tuple[tuple[int, ...], float] | None:
    """Return the options that are best for one aim within limits on the others, and the bound of that aim.

    Seats are given out for the aim, whoever is nearer: who really sits is judged elsewhere, and the bound
    holds for every way of sitting. None where no plan keeps to the limits, or none was found.

    Parameters
    ----------
    problem : with capacities; its groups are not used
    cost_s : (n, m) seconds
    counted : grids and their rest
    aim : rider-minutes served (most), yuan (least) or the share of the worst grid (most)
    ends : limits on all three
    limits : gap and nodes for HiGHS
    """
    model = LinearModel()
    hours, m = problem.weight.shape[1], cost_s.shape[1]
    site = problem.option_site
    most_yuan = min(ends.cost, np.inf if problem.budget is None else problem.budget)
    x, closing = _option_columns(model, problem, m, most_yuan, in_money=aim == "cost")
    i, j = np.nonzero(cost_s <= problem.limit_s)
    pair_i, hour = np.repeat(i, hours), np.tile(np.arange(hours), len(i))
    slot = np.repeat(j, hours) * hours + hour
    some = problem.weight[pair_i, hour] > 0
    pair_i, hour, slot = pair_i[some], hour[some], slot[some]
    amount = problem.weight[pair_i, hour]
    y = model.add_columns(len(pair_i), -1.0 if aim == "served" else 0.0, 0.0, amount)
    cell, row = np.unique(pair_i * hours + hour, return_inverse=True)
    model.add_rows("_demand", len(cell), [(row, y, 1.0)], upper=problem.weight.ravel()[cell])
    option, when = np.nonzero(problem.option_open)
    place = site[option] * hours + when
    holds = np.inf if problem.option_capacity is None else problem.option_capacity[option]
    room = np.minimum(holds, problem.weight.sum(axis=0)[when])
    model.add_rows("_seats", m * hours, [(slot, y, 1.0), (place, x[option], -room)], upper=0.0)
    u = model.add_columns(m * hours)
    model.add_rows("_open", m * hours, [(np.arange(m * hours), u, 1.0), (place, x[option], -1.0)], upper=0.0)
    model.add_rows(
        "_open", len(y), [(np.arange(len(y)), y, 1.0), (np.arange(len(y)), u[slot], -amount)], upper=0.0
    )
    if ends.served > 0:
        _one_row(model, y, 1.0, lower=ends.served)
    total = counted.total
    t = model.add_columns(1, -1.0 if aim == "worst" else 0.0, ends.worst, 1.0)
    mine = counted.group[pair_i] >= 0
    part = counted.rest[pair_i, hour] / amount
    groups = np.arange(len(total))
    model.add_rows(
        "_grids",
        len(total),
        [(counted.group[pair_i][mine], y[mine], part[mine]), (groups, np.repeat(t, len(groups)), -total)],
        lower=0.0,
    )
    outcome = model.minimise_or_none(limits)
    if outcome is None or outcome.values is None:
        return None
    options = tuple(np.nonzero(outcome.values[x] > 0.5)[0].tolist())
    return options, outcome.bound + closing if aim == "cost" else -outcome.bound


def _option_columns(
    model: LinearModel, problem: StationPlan, m: int, most_yuan: float, *, in_money: bool
) -> tuple[IntArray, float]:
    """Add options within number and money; return their columns and what closing all of today's costs.

    The objective counts yuan beside that constant where `in_money`, else nothing.
    """
    site = problem.option_site
    close, saving = _money_of(problem)
    price, owner = _prices(problem, m)
    x = model.add_columns(len(site), price if in_money else 0.0, whole=True)
    v = model.add_columns(
        len(close), -saving if in_money else 0.0, 0.0, (saving > 0).astype(np.float64), whole=True
    )
    kept = np.zeros(m)
    kept[list(problem.kept)] = 1.0
    model.add_rows("_one way a site", m, [(site, x, 1.0)], lower=kept, upper=1.0)
    old = owner >= 0
    for most, of in ((problem.sites, np.ones(len(x), np.bool_)), (problem.new_sites, ~old)):
        if most is not None:
            _one_row(model, x[of], 1.0, upper=most)
    model.add_rows("_moves", len(v), [(np.arange(len(v)), v, 1.0), (owner[old], x[old], 1.0)], upper=1.0)
    _one_row(model, np.r_[v, x[~old]], np.r_[np.ones(len(v)), -np.ones(int((~old).sum()))], upper=0.0)
    if most_yuan < np.inf:
        _one_row(model, np.r_[x, v], np.r_[price, -saving], upper=most_yuan - close.sum())
    return x, float(close.sum())


def _one_row(
    model: LinearModel,
    columns: IntArray,
    values: float | FloatArray,
    lower: float = -np.inf,
    upper: float = np.inf,
) -> None:
    model.add_rows(
        "_", 1, [(np.zeros(len(columns), dtype=np.int64), columns, values)], lower=lower, upper=upper
    )


def _prices(problem: StationPlan, m: int) -> tuple[FloatArray, IntArray]:
    """Return the price of each option beside closing what stands there, and whose station that is, or -1."""
    place = np.full(m, -1, dtype=np.int64)
    place[list(problem.existing_site)] = np.arange(len(problem.existing_site))
    owner = place[problem.option_site]
    price = problem.option_cost.copy()
    close, _ = _money_of(problem)
    price[owner >= 0] -= close[owner[owner >= 0]]
    return price, owner


def bound_of_worst(
    problem: StationPlan, cost_s: CostArray, counted: Counted, limits: Limits, most_entries: int = 150_000
) -> tuple[float, tuple[int, ...]]:
    """Return a share that the worst grid cannot pass, whatever is built: hours and seats are let go.

    Each site is as cheap as its cheapest option, less what a move may save. Too large to be solved: what each
    grid has in reach of any site. Also the sites of the answer, none where there is none: a start.
    """
    sites = _cheapest(problem, cost_s.shape[1])
    total = counted.total
    weight = np.where(counted.group >= 0, counted.rest.sum(axis=1), 0.0)
    within = (cost_s <= problem.limit_s) & np.isfinite(sites)
    near = weight * within.any(axis=1)
    reached = np.bincount(np.maximum(counted.group, 0), weights=near, minlength=len(total))
    easy = float(min(1.0, (reached / total).min()))
    sets, size = _alike(within, weight, counted.group)
    if len(sets) == 0 or int(within[sets].sum()) > most_entries:
        return easy, ()
    model, z = _reach_model(problem, sites, within[sets], 0.0)
    t = model.add_columns(1, -1.0, 0.0, easy)
    grids = np.arange(len(total))
    model.add_rows(
        "_grids",
        len(total),
        [(counted.group[sets], z, size), (grids, np.repeat(t, len(grids)), -total)],
        lower=0.0,
    )
    outcome = model.minimise_or_none(limits)
    if outcome is None:
        return easy, ()
    values = np.zeros(len(sites)) if outcome.values is None else outcome.values[: len(sites)]
    return min(easy, max(0.0, -outcome.bound)), tuple(np.nonzero(values > 0.5)[0].tolist())


def bound_of_served(
    problem: StationPlan, cost_s: CostArray, limits: Limits, most_entries: int = 150_000
) -> float:
    """Return rider-minutes that no plan serves more than; as `bound_of_worst`, all in reach counts."""
    sites = _cheapest(problem, cost_s.shape[1])
    weight = problem.weight.sum(axis=1)
    within = (cost_s <= problem.limit_s) & np.isfinite(sites)
    easy = float(weight[within.any(axis=1)].sum())
    sets, size = _alike(within, weight, np.zeros(len(weight), dtype=np.int64))
    if len(sets) == 0 or int(within[sets].sum()) > most_entries:
        return easy
    model, _ = _reach_model(problem, sites, within[sets], -size)
    outcome = model.minimise_or_none(limits)
    # a hair above, for the sums are of floats
    return easy if outcome is None else min(easy, -outcome.bound * (1 + 1e-9))


def bound_of_cost(
    problem: StationPlan, cost_s: CostArray, need: float, limits: Limits, most_entries: int = 150_000
) -> tuple[float, tuple[int, ...]]:
    """Return yuan that no plan costs less than which serves so much, and the options of the answer.

    In an hour no more is served than the open options could each serve alone, and no more than is in reach of
    one of their sites; who takes whose seat is let go. Too many entries: what is in reach is let go, too.

    Parameters
    ----------
    need : rider-minutes to be served at least
    """
    hours, m = problem.weight.shape[1], cost_s.shape[1]
    model = LinearModel()
    most_yuan = np.inf if problem.budget is None else problem.budget
    x, closing = _option_columns(model, problem, m, most_yuan, in_money=True)
    within = cost_s <= problem.limit_s
    near = within.T.astype(np.float64) @ problem.weight
    holds = np.inf if problem.option_capacity is None else problem.option_capacity[:, None]
    alone = np.where(problem.option_open, np.minimum(holds, near[problem.option_site]), 0.0)
    option, hour = np.nonzero(alone)
    served = model.add_columns(hours, 0.0, 0.0, problem.weight.sum(axis=0))
    every = np.arange(hours)
    model.add_rows(
        "_alone", hours, [(every, served, 1.0), (hour, x[option], -alone[option, hour])], upper=0.0
    )
    # a hair of room, for sums of floats
    _one_row(model, served, 1.0, lower=need * (1 - 1e-9))
    sets, _ = _alike(within, problem.weight.sum(axis=1), np.zeros(len(within), dtype=np.int64))
    if 0 < int(within[sets].sum()) <= most_entries:
        _, label = np.unique(np.packbits(within, axis=1), axis=0, return_inverse=True)
        of_label = np.full(int(label.max()) + 1, -1, dtype=np.int64)
        of_label[label.ravel()[sets]] = np.arange(len(sets))
        owner = of_label[label.ravel()]
        size = np.zeros((len(sets), hours))
        np.add.at(size, owner[owner >= 0], problem.weight[owner >= 0])
        used = model.add_columns(m, 0.0, 0.0, 1.0)
        model.add_rows("_site", m, [(np.arange(m), used, 1.0), (problem.option_site, x, -1.0)], upper=0.0)
        z = model.add_columns(len(sets), 0.0, 0.0, 1.0)
        i, j = np.nonzero(within[sets])
        model.add_rows("_reach", len(sets), [(np.arange(len(sets)), z, 1.0), (i, used[j], -1.0)], upper=0.0)
        k, when = np.nonzero(size)
        model.add_rows("_near", hours, [(every, served, 1.0), (when, z[k], -size[k, when])], upper=0.0)
    outcome = model.minimise_or_none(limits)
    if outcome is None:
        return 0.0, ()
    options = () if outcome.values is None else tuple(np.nonzero(outcome.values[x] > 0.5)[0].tolist())
    return max(0.0, outcome.bound + closing - 1e-6 * (1.0 + abs(outcome.bound))), options


def _cheapest(problem: StationPlan, m: int) -> FloatArray:
    """Return (m,) the price of each site by its cheapest option, inf where it has none."""
    price, _ = _prices(problem, m)
    out = np.full(m, np.inf)
    np.minimum.at(out, problem.option_site, price)
    return out


def _alike(within: npt.NDArray[np.bool_], weight: FloatArray, group: IntArray) -> tuple[IntArray, FloatArray]:
    """Return one point of each set that the same sites reach, in one group, with the weight of the set."""
    rows = np.nonzero((group >= 0) & (weight > 0) & within.any(axis=1))[0]
    keys = np.column_stack([group[rows], np.packbits(within[rows], axis=1)]).astype(np.int64)
    _, first, label = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    size = np.bincount(label.ravel(), weights=weight[rows], minlength=len(first)).astype(np.float64)
    return rows[first], size


def _reach_model(
    problem: StationPlan, sites: FloatArray, within: npt.NDArray[np.bool_], worth: float | FloatArray
) -> tuple[LinearModel, IntArray]:
    """Return a model of sites within number and budget, and its columns that say which sets are in reach."""
    close, saving = _money_of(problem)
    m = len(sites)
    model = LinearModel()
    low = np.zeros(m)
    low[list(problem.kept)] = 1.0
    x = model.add_columns(m, 0.0, low, np.isfinite(sites).astype(np.float64), whole=True)
    new = np.ones(m, dtype=np.bool_)
    new[list(problem.existing_site)] = False
    for most, of in ((problem.sites, np.ones(m, np.bool_)), (problem.new_sites, new)):
        if most is not None:
            _one_row(model, x[of], 1.0, upper=most)
    if problem.budget is not None:
        finite = np.isfinite(sites)
        _one_row(model, x[finite], sites[finite], upper=problem.budget - close.sum() + saving.sum())
    z = model.add_columns(len(within), worth)
    i, j = np.nonzero(within)
    model.add_rows("_reach", len(within), [(np.arange(len(within)), z, 1.0), (i, x[j], -1.0)], upper=0.0)
    return model, z
