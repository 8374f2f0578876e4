"""How sure a choice is: other ways of choosing, days held out, days and riders resampled."""

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from siting.demand.weighted import Demand, DemandWeights
from siting.problems.define import MaxCover
from siting.problems.reach import Reach
from siting.solvers.cover_search import search_cover

__all__ = [
    "busiest_cells",
    "chosen_shares",
    "covered_share",
    "kmeans_centres",
    "random_choices",
    "split_days",
]

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


def chosen_shares(
    demand: Demand,
    weights: DemandWeights,
    training: BoolArray,
    reach: Reach,
    problem: MaxCover,
    *,
    riders: int,
    draws: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Return (m,) how often (0-1) each site is chosen when days and riders are drawn with replacement.

    The bootstrap of Efron, Annals of Statistics 7 (1979), over the two units that differ from one
    month to the next.
    """
    times = np.zeros(reach.m)
    days = np.nonzero(training)[0]
    for _ in range(draws):
        day_times = np.bincount(rng.choice(days, len(days)), minlength=len(training)).astype(np.float64)
        rider_times = np.bincount(rng.integers(0, riders, riders), minlength=riders).astype(np.float64)
        weight = np.zeros(reach.n)
        for name, layer in demand.layers():
            part = layer.minutes * day_times[layer.day] * rider_times[layer.rider]
            weight += getattr(weights, name) * np.bincount(layer.point, weights=part, minlength=reach.n)
        drawn = MaxCover(weight=weight, limit_s=problem.limit_s, sites=problem.sites, kept=problem.kept)
        times[list(search_cover(drawn, reach, rng, rounds=30).chosen)] += 1
    return times / max(1, draws)
