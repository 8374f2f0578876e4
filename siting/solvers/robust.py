"""Places that fail least in the worst scenario: maximal covering with the least largest regret.

The regret of a plan in a scenario is the share of its weight that the best plan for it alone covers and this
one does not (P. Kouvelis and G. Yu, Robust Discrete Optimization, 1997). Small problems are one mixed-integer
program. Larger ones are searched with prices on the scenarios: for every mix of them the best cover of the
mixed weight bounds the largest regret from below, and is a plan to try; the prices rise where plans fail.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from siting.problems.define import MaxCover, SitingResult
from siting.problems.highs import Limits, LinearModel
from siting.solvers.solve import solve

__all__ = ["RobustCover", "robust_cover"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Regrets = Callable[[tuple[int, ...]], FloatArray]

EXACT_PAIRS = 40_000
"""Pairs of demand point and site up to which one program is tried."""
MIXES = 12
STEP = 6.0


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class RobustCover:
    """A choice of sites with its regrets.

    Attributes
    ----------
    chosen : open sites, ascending
    regret : (s,) share (0-1) of the weight of each scenario that the best plan for it alone covers beyond
        this one; no less than it truly is
    largest : the largest of them
    bound : no choice has a smaller largest regret
    alone : the best plan found for each scenario
    """

    chosen: tuple[int, ...]
    regret: FloatArray
    largest: float
    bound: float
    alone: tuple[SitingResult, ...]


def robust_cover(
    problem: MaxCover,
    weights: FloatArray,
    cost_s: FloatArray,
    rng: np.random.Generator,
    limits: Limits = Limits(gap=1e-6),  # noqa: B008 - frozen
    exact_pairs: int = EXACT_PAIRS,
) -> RobustCover:
    """Choose sites so that the largest regret over scenarios is least.

    Parameters
    ----------
    problem : MaxCover
        Without capacities and groups; its own weight plays no part.
    weights : (s, n)
        Rider-minutes of each demand point in each scenario; every scenario has some.
    cost_s : (n, m)
        Seconds.
    rng : numpy.random.Generator
    limits : Limits
        Of each program.
    exact_pairs : int
        Problems with more pairs in reach are searched.

    Returns
    -------
    RobustCover
        The same for the same seed.
    """
    share = weights / weights.sum(axis=1, keepdims=True)
    within = cost_s <= problem.limit_s
    alone = tuple(solve(dataclasses.replace(problem, weight=one), cost_s, rng, limits) for one in share)
    best = np.array([max(one.bound, one.objective) for one in alone])
    found = np.array([one.objective for one in alone])

    def regrets(chosen: tuple[int, ...]) -> FloatArray:
        covered = within[:, list(chosen)].any(axis=1)
        return np.asarray(np.maximum(best - share @ covered, 0.0))

    tried = [one.chosen for one in alone]
    bound = 0.0
    if int(within.sum()) <= exact_pairs:
        chosen, bound = _program(problem, share, within, found, limits)
        tried += [] if chosen is None else [chosen]
    else:
        mixed, bound = _mixes(problem, share, cost_s, (found, regrets), rng, limits)
        tried += mixed
    chosen = min(tried, key=lambda one: (float(regrets(one).max()), one))
    regret = regrets(chosen)
    largest = float(regret.max())
    return RobustCover(chosen, regret, largest, float(min(max(bound, 0.0), largest)), alone)


def _program(
    problem: MaxCover, share: FloatArray, within: BoolArray, found: FloatArray, limits: Limits
) -> tuple[tuple[int, ...] | None, float]:
    """Return the choice of the one program, None where the limits ended it, and its bound."""
    n, m = within.shape
    model = LinearModel()
    lower = np.zeros(m)
    lower[list(problem.kept)] = 1.0
    x = model.add_columns(m, 0.0, lower, 1.0, whole=True)
    z = model.add_columns(n)
    worst = model.add_columns(1, 1.0, 0.0, 1.0)
    if problem.sites is not None:
        model.add_rows("sites", 1, [(np.zeros(m, np.int64), x, 1.0)], upper=problem.sites)
    if problem.site_cost is not None and problem.budget is not None:
        model.add_rows("budget", 1, [(np.zeros(m, np.int64), x, problem.site_cost)], upper=problem.budget)
    i, j = np.nonzero(within)
    model.add_rows("_cover", n, [(np.arange(n), z, 1.0), (i, x[j], -1.0)], upper=0.0)
    scenario, point = np.nonzero(share)
    count = len(share)
    parts = [
        (scenario, z[point], share[scenario, point]),
        (np.arange(count), np.repeat(worst, count), np.ones(count)),
    ]
    model.add_rows("_regret", count, list(parts), lower=found)
    outcome = model.minimise(limits)
    if outcome.values is None:
        return None, float(outcome.bound)
    return tuple(np.flatnonzero(outcome.values[x] > 0.5).tolist()), float(outcome.bound)


def _mixes(
    problem: MaxCover,
    share: FloatArray,
    cost_s: FloatArray,
    judge: tuple[FloatArray, Regrets],
    rng: np.random.Generator,
    limits: Limits,
) -> tuple[list[tuple[int, ...]], float]:
    """Return the best covers of mixes of the scenarios, and the best bound of these."""
    found, regrets = judge
    price = np.zeros(len(share))
    tried, bound = [], 0.0
    for number in range(MIXES):
        mix = np.exp(price - price.max())
        mix /= mix.sum()
        answer = solve(dataclasses.replace(problem, weight=mix @ share), cost_s, rng, limits)
        bound = max(bound, float(mix @ found) - max(answer.bound, answer.objective))
        tried.append(answer.chosen)
        regret = regrets(answer.chosen)
        price += STEP / np.sqrt(number + 1.0) * regret / max(float(regret.max()), 1e-9)
    return tried, bound
