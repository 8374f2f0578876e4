"""How sure a choice is: other ways of choosing, days held out, days and riders resampled."""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from geo.errors import InfeasibleError
from siting.demand.weighted import Demand, DemandWeights
from siting.problems.define import MaxCover, SitingResult, StationPlan, nearest_chosen
from siting.problems.reach import reach_within
from siting.solvers.cover_proof import plan_of_cover, spread_idle_sites
from siting.solvers.cover_search import search_cover
from siting.solvers.exact import finish
from siting.solvers.station_plans import PlanEffort, solve_station_plan

__all__ = [
    "busiest_cells",
    "chosen_shares",
    "covered_share",
    "kmeans_centres",
    "random_choices",
    "solver_of",
    "split_days",
]

QUICK = PlanEffort(steps=40, sweeps=2, width=8, exact_cells=0, last_resort=False)
"""For resamples: many plans, none proven. Where a least share is not met, the plan nearest to it counts."""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def split_days(days: int, held_out: int) -> tuple[BoolArray, BoolArray]:
    """Return masks of training days and of the last ``held_out`` days."""
    training = np.arange(days) < days - held_out
    return training, ~training


def covered_share(weight: FloatArray, within: BoolArray) -> float:
    """Return the share (0-1) of weight that some column of ``within`` (n, k) reaches."""
    total = float(weight.sum())
    if total == 0 or within.shape[1] == 0:
        return 0.0
    return min(1.0, float(weight[within.any(axis=1)].sum()) / total)


def kmeans_centres(xy_m: FloatArray, weight: FloatArray, count: int, seed: int) -> FloatArray:
    """Return (count, 2) weighted k-means centres, best of 10 starts."""
    some = weight > 0
    distinct = len(np.unique(xy_m[some], axis=0))
    count = min(count, distinct)
    if count == 0:
        return np.empty((0, 2))
    # one thread: sums in another order would move the centres by a hair from run to run
    with threadpool_limits(limits=1):
        model = KMeans(n_clusters=count, n_init=10, random_state=seed)
        model.fit(xy_m[some], sample_weight=weight[some])
    return np.asarray(model.cluster_centers_, dtype=np.float64)


def busiest_cells(xy_m: FloatArray, weight: FloatArray, count: int, cell_m: float = 500.0) -> FloatArray:
    """Return (count, 2) weighted centres of the square cells with most weight."""
    cell = np.floor(xy_m / cell_m).astype(np.int64)
    cells, where = np.unique(cell, axis=0, return_inverse=True)
    total = np.bincount(where.ravel(), weights=weight, minlength=len(cells))
    centre = (
        np.column_stack(
            [
                np.bincount(where.ravel(), weights=weight * xy_m[:, axis], minlength=len(cells))
                for axis in (0, 1)
            ]
        )
        / np.maximum(total, 1e-12)[:, None]
    )
    order = np.lexsort((cells[:, 1], cells[:, 0], -total))
    return np.asarray(centre[order[: min(count, int((total > 0).sum()))]])


def random_choices(sites: int, count: int, draws: int, rng: np.random.Generator) -> IntArray:
    """Return (draws, count) sites drawn without replacement."""
    return np.array([rng.choice(sites, count, replace=False) for _ in range(draws)], dtype=np.int64)


Solver = Callable[[FloatArray, np.random.Generator], SitingResult]
"""Solves the problem of the study for another demand, (n, 24) weighted rider-minutes a day."""


def solver_of(problem: MaxCover | StationPlan, cost_s: FloatArray, result: SitingResult) -> Solver:
    """Return what solves the problem of a study again for other demand: sooner, and without a proof.

    Budget, hours, closing, moving and least shares stay as they are; a plan starts from its answer.

    Parameters
    ----------
    problem : what was solved
    cost_s : (n, m) seconds
    result : its answer
    """
    if isinstance(problem, MaxCover) and problem.group is None:
        cover: MaxCover = problem
        reach = reach_within(cost_s, cover.limit_s)

        def search(weight: FloatArray, rng: np.random.Generator) -> SitingResult:
            drawn = dataclasses.replace(cover, weight=weight.sum(axis=1))
            answer = search_cover(drawn, reach, rng, rounds=30)
            near = nearest_chosen(cost_s, answer.chosen, drawn.limit_s)
            found = finish(answer.chosen, near, answer.covered, answer.covered)
            return spread_idle_sites(drawn, cost_s, found)

        return search
    plan = problem if isinstance(problem, StationPlan) else plan_of_cover(problem, cost_s.shape[1])
    start = result.options or result.chosen

    def improve(weight: FloatArray, _: np.random.Generator) -> SitingResult:
        hourly = weight if plan.weight.shape[1] > 1 else weight.sum(axis=1, keepdims=True)
        drawn = dataclasses.replace(plan, weight=hourly)
        return solve_station_plan(drawn, cost_s, effort=QUICK, start=start)

    return improve


def chosen_shares(
    demand: Demand,
    weights: DemandWeights,
    training: BoolArray,
    solve: Solver,
    *,
    sites: int,
    riders: int,
    draws: int,
    rng: np.random.Generator,
) -> FloatArray | None:
    """Return (sites,) how often (0-1) each site is chosen when days and riders are drawn with replacement.

    The bootstrap of Efron, Annals of Statistics 7 (1979), over the two units that differ from one
    month to the next. Draws whose demand allows no choice are left out; None where none allows any.

    Parameters
    ----------
    demand, weights : layers and what they count
    training : (days,) the days that the choice saw
    solve : the problem of the study
    sites : number of sites
    riders : number of riders, who are drawn
    draws : number of resamples
    rng : of the draws
    """
    times = np.zeros(sites)
    counted = 0
    days = np.nonzero(training)[0]
    for _ in range(draws):
        day_times = np.bincount(rng.choice(days, len(days)), minlength=len(training)).astype(np.float64)
        rider_times = np.bincount(rng.integers(0, riders, riders), minlength=riders).astype(np.float64)
        weight = demand.weight(weights, day_times, rider_times)
        try:
            answer = solve(weight, rng)
        except InfeasibleError:
            continue
        counted += 1
        times[list(answer.chosen)] += 1
    return times / counted if counted else None
