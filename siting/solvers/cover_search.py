"""Heuristics for what is too large for the plain model: greedy, interchange, kicks, and a bound.

Every answer carries a gap: the bound is Lagrangian and holds for every feasible choice. Effort is
counted in rounds and steps, not in seconds, so that the same seed gives the same answer.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from geo.errors import InputError
from siting.problems.define import MaxCover
from siting.problems.highs import infeasible
from siting.problems.reach import Reach
from siting.solvers.kernels.cover import (
    CoverDual,
    CoverState,
    CoverTask,
    Kicks,
    Knapsack,
    Pace,
    RandomState,
    greedy_cover,
    iterate_cover,
    lagrangian_cover,
)

__all__ = ["CoverAnswer", "CoverBound", "bound_cover", "search_cover"]

FloatArray = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class CoverAnswer:
    """Open sites, ascending, and the weight they cover."""

    chosen: tuple[int, ...]
    covered: float


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class CoverBound:
    """No choice covers more than ``bound``.

    ``reduced`` (m,) is how much the bound falls (at most) when a site with a negative value is
    opened, or one with a positive value is shut; ``price_of_cover`` (n,) are the multipliers and
    ``often`` (m,) the shares in which the bound opens each site.
    """

    bound: float
    reduced: FloatArray
    price_of_cover: FloatArray
    often: FloatArray


def _terms(problem: MaxCover, m: int) -> tuple[CoverTask, npt.NDArray[np.int32]]:
    """Return what a covering problem without capacities and groups asks for, and the kept sites."""
    if problem.capacity is not None or problem.group is not None:
        raise InputError("the covering search takes no capacities and no groups; use the exact solver.")
    price = np.zeros(m) if problem.site_cost is None else problem.site_cost
    budget = 0.0 if problem.budget is None else problem.budget
    most = m if problem.sites is None else problem.sites
    kept = np.array(problem.kept, dtype=np.int32)
    if len(kept) > most:
        raise infeasible([("sites", len(kept) - most)])
    over = float(price[kept].sum()) - budget
    if over > 1e-9:
        raise infeasible([("budget", over)])
    return CoverTask(problem.weight, price, budget, most), kept


def _seed_state(rng: np.random.Generator) -> RandomState:
    return np.array([rng.integers(1, 2**63)], dtype=np.uint64)


def search_cover(
    problem: MaxCover,
    reach: Reach,
    rng: np.random.Generator,
    *,
    rounds: int = 200,
    kick: int = 3,
    enough: float = np.inf,
    often: FloatArray | None = None,
) -> CoverAnswer:
    """Cover as much weight as greedy, interchange and ``rounds`` kicks of ``kick`` sites find.

    Parameters
    ----------
    problem : without capacities and groups
    reach : who reaches whom within ``problem.limit_s``
    rng : source of the kicks
    rounds, kick : effort
    enough : stop when this much is covered
    often : (m,) shares of a bound; the search then starts from the sites it opens most

    Raises
    ------
    InputError
        When the problem has capacities or groups.
    InfeasibleError
        When the kept sites alone break the number of sites or the budget.
    """
    task, kept = _terms(problem, reach.m)
    state = CoverState(
        np.zeros(reach.n, dtype=np.int32), np.zeros(reach.m, dtype=np.bool_), np.zeros(reach.m)
    )
    starts = [(kept, False)] if problem.budget is None else [(kept, False), (kept, True)]
    if often is not None:
        starts = [(_most_often(often, kept, task), False)]
    values = [greedy_cover(reach, task, first, ratio, state) for first, ratio in starts]
    if len(values) == 2 and values[0] > values[1]:
        greedy_cover(reach, task, kept, False, state)
    kicks = Kicks(rounds, kick, enough)
    covered, best = iterate_cover(reach, task, kept, kicks, _seed_state(rng), state, max(values))
    return CoverAnswer(tuple(np.nonzero(best)[0].tolist()), float(covered))


def _most_often(often: FloatArray, kept: npt.NDArray[np.int32], task: CoverTask) -> npt.NDArray[np.int32]:
    """Return the kept sites and those with the largest shares above a half, while sites and budget last."""
    _, price, budget, most = task
    out = kept.tolist()
    spent = float(price[kept].sum())
    for j in np.argsort(-often, kind="stable").tolist():
        if len(out) >= most or often[j] < 0.5:
            break
        if j not in out and spent + price[j] <= budget + 1e-9:
            out.append(j)
            spent += float(price[j])
    return np.array(out, dtype=np.int32)


def bound_cover(
    problem: MaxCover,
    reach: Reach,
    least: float,
    *,
    steps: int = 800,
    patient: bool = False,
    start: FloatArray | None = None,
) -> CoverBound:
    """Bound the cover from above; ``least`` is the weight of a choice that is known.

    With a budget and a number of sites, each is relaxed in turn, and the lower bound holds. Where points
    are very many, ``patient`` steps (a tenth as long at first, directions twice as smooth) come as near
    in half as many.
    """
    task, _ = _terms(problem, reach.m)
    is_kept = np.zeros(reach.m, dtype=np.bool_)
    is_kept[list(problem.kept)] = True
    knapsacks = []
    if problem.budget is not None:
        knapsacks.append(Knapsack(task.price, task.budget, is_kept))
    if problem.sites is not None:
        knapsacks.append(Knapsack(np.ones(reach.m), float(task.most), is_kept))
    if not knapsacks:
        raise InputError("a covering bound needs a number of sites or a budget.")
    pace = Pace(steps, 0.1, 0.03) if patient else Pace(steps, 1.0, 0.07)
    found = []
    for knapsack in knapsacks:
        multipliers = problem.weight * 0.5 if start is None else start.copy()
        dual = CoverDual(multipliers, np.zeros(reach.m), np.zeros(reach.m))
        bound, theta = lagrangian_cover(reach, problem.weight, knapsack, least, pace, dual)
        reduced = dual.value - theta * knapsack.price
        found.append(CoverBound(float(bound), reduced, dual.price_of_cover, dual.often))
    return min(found, key=lambda one: one.bound)
