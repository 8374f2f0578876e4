"""Seeded inputs of the siting benchmark."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from siting.problems.define import MaxCover, StationPlan
from siting.stations.kinds import KINDS

__all__ = ["city_plan", "cover_case", "like_or_library", "or_library"]

FloatArray = npt.NDArray[np.float64]


def or_library(folder: Path, number: int) -> tuple[int, FloatArray, float]:
    """Return p, the matrix and the known optimum of one OR-Library p-median instance (Beasley 1985)."""
    rows = [line.split() for line in (folder / f"pmed{number}.txt").read_text().splitlines() if line.strip()]
    n, _, p = (int(v) for v in rows[0])
    graph = np.zeros((n, n))
    for u, v, c in rows[1:]:
        # an edge given twice: the last one counts, for both directions
        graph[int(u) - 1, int(v) - 1] = graph[int(v) - 1, int(u) - 1] = float(c)
    known = {
        words[0].replace(".txt", ""): float(words[-1])
        for line in (folder / "pmedopt.txt").read_text().splitlines()
        if (words := line.split()) and words[0].startswith("pmed") and len(words) > 1
    }
    return p, np.asarray(dijkstra(csr_array(graph))), known[f"pmed{number}"]


def like_or_library(n: int, seed: int) -> FloatArray:
    """Return the matrix of an instance made as OR-Library's: connected, n^2 / 50 edges of lengths 1-100."""
    rng = np.random.default_rng(seed)
    graph = np.zeros((n, n))
    order = rng.permutation(n)
    ends = [(int(order[k]), int(order[rng.integers(0, k)])) for k in range(1, n)]
    while len(ends) < n * n // 50:
        u, v = (int(x) for x in rng.integers(0, n, 2))
        if u != v:
            ends.append((u, v))
    for u, v in ends:
        graph[u, v] = graph[v, u] = float(rng.integers(1, 101))
    return np.asarray(dijkstra(csr_array(graph)))


def _town(n: int, m: int) -> tuple[FloatArray, npt.NDArray[np.float32]]:
    """Return weights and Manhattan metres of points and sites about 40 centres in a 15 km square."""
    rng = np.random.default_rng(0)
    centres = rng.uniform(0, 15_000, (40, 2))
    near = int(0.7 * n)
    points = np.r_[
        centres[rng.integers(0, 40, near)] + rng.normal(0, 700, (near, 2)),
        rng.uniform(0, 15_000, (n - near, 2)),
    ]
    weight = rng.integers(1, 50, n).astype(np.float64)
    sites = np.r_[
        centres[rng.integers(0, 40, m // 2)] + rng.normal(0, 900, (m // 2, 2)),
        rng.uniform(0, 15_000, (m - m // 2, 2)),
    ]
    metres = np.empty((n, m), dtype=np.float32)
    # few rows at a time: what this takes would be more than what the solver takes
    for i in range(0, n, 100):
        metres[i : i + 100] = np.abs(points[i : i + 100, None, :] - sites[None]).sum(axis=2)
    return weight, metres


def cover_case(n: int, m: int, sites: int) -> tuple[MaxCover, npt.NDArray[np.float32]]:
    """Return maximal covering within 1,000 m."""
    weight, metres = _town(n, m)
    return MaxCover(weight=weight, limit_s=1000.0, sites=sites), metres


def city_plan(
    n: int, m: int, budget: float, capacitated: bool
) -> tuple[StationPlan, npt.NDArray[np.float32]]:
    """Return a plan of 24 hours and three kinds with all shift patterns; rest at noon and at night."""
    weight, metres = _town(n, m)
    rng = np.random.default_rng(1)
    hour = np.arange(24)
    shape = np.exp(-(((hour - 14.5) / 2.0) ** 2)) + 0.6 * np.exp(-(((hour - 21) / 1.5) ** 2)) + 0.05
    minutes = weight[:, None] * shape * rng.uniform(0.5, 1.5, (n, 24))
    minutes *= 0.4 * 864_000 / minutes.sum() * (n / 2000)
    options = [(site, kind, span) for site in range(m) for kind in KINDS for span in kind.patterns]
    open_ = np.zeros((len(options), 24), dtype=np.bool_)
    for row, (_, _, (start, end)) in enumerate(options):
        open_[row, np.arange(start, end) % 24] = True
    plan = StationPlan(
        weight=minutes,
        limit_s=1000.0,
        option_site=np.array([site for site, _, _ in options]),
        option_cost=np.array([kind.cost_yuan(span) for _, kind, span in options]),
        option_open=open_,
        option_capacity=np.array([kind.minutes_an_hour for _, kind, _ in options]) if capacitated else None,
        budget=budget,
    )
    return plan, metres
