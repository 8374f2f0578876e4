"""Proven answers to p-median problems: search, Lagrangian bound, reduced costs, branch and bound.

What cannot be in a better answer is left out by its reduced cost (sites, and pairs of point and site); where
little is left HiGHS settles it, else a site is branched on.
"""

import numpy as np
import numpy.typing as npt

from siting.problems.deadline import monotonic_s
from siting.problems.define import CostArray, PMedian, SitingResult, nearest_chosen
from siting.problems.highs import Limits, LinearModel
from siting.problems.order import any_order
from siting.problems.reach import reach_at_all
from siting.solvers.center import any_cover
from siting.solvers.exact import finish
from siting.solvers.kernels.cover import RandomState
from siting.solvers.kernels.median import (
    MedianDual,
    Ranking,
    bound_median,
    greedy_median,
    iterate_median,
)
from siting.solvers.set_cover import refuse_unreached

__all__ = ["prove_p_median"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Status = npt.NDArray[np.int8]

# pairs of point and site, for each point, that HiGHS settles faster than branching does
_PER_POINT = 2.0


def median_values(problem: PMedian, cost_s: CostArray) -> tuple[FloatArray, float]:
    """Return weight x seconds, (n, m), and the value that stands for "out of reach".

    One point out of reach is dearer than all points served as badly as they can be, so that an answer which
    serves every point beats any that does not.
    """
    lost = ~np.isfinite(cost_s)
    out = np.where(lost, 0.0, np.asarray(cost_s, dtype=np.float64)) * problem.weight[:, None]
    never = float(np.ceil(out.max(axis=1, initial=0.0).sum())) + 1.0
    out[lost] = never
    return out, never


class MedianTree:
    """Branch and bound over sites; the best choice and its bound are kept up to date."""

    def __init__(self, problem: PMedian, value: FloatArray, limits: Limits, random: RandomState) -> None:
        self.value, self.limits, self.random = value, limits, random
        self.m = value.shape[1]
        self.p = min(problem.sites, self.m)
        order = np.argsort(value, axis=1, kind="stable").astype(np.int32)
        self.ranking = Ranking(order, np.take_along_axis(value, order, axis=1))
        self.is_kept = np.zeros(self.m, dtype=np.bool_)
        self.is_kept[list(problem.kept)] = True
        self.is_open = self.is_kept.copy()
        self.whole = bool((value == np.round(value)).all())
        self.total = np.inf
        self.low = -np.inf
        self.price = self.ranking.ranked[:, min(self.m - 1, max(1, self.m // (2 * self.p)))].copy()
        self.often = np.zeros(self.m)
        self.nodes = 0
        limit = limits.time_limit_s
        self.deadline = np.inf if limit is None else monotonic_s() + limit

    def done(self, low: float) -> bool:
        """Tell whether nothing above this bound is better enough to matter."""
        return self.total - low < max(self._unit(), self.limits.gap * abs(self.total))

    def late(self) -> bool:
        """Tell whether the limits are used up."""
        many = self.limits.node_limit is not None and self.nodes >= self.limits.node_limit
        return many or monotonic_s() >= self.deadline

    def _unit(self) -> float:
        return 1.0 - 1e-6 if self.whole else max(1e-9, 1e-9 * abs(self.total))

    def start(self, rounds: int, steps: int) -> None:
        """Search and bound before any branching."""
        greedy_median(self.value, self.ranking, self.p, self.is_open, float(self.value.max()) + 1)
        self.total = self._search(self.is_open, 3)
        status = self.is_kept.astype(np.int8)
        self.low = self._bound(status, self.price, self.often, steps, 1.0)[0]
        guess = np.zeros(self.m, dtype=np.bool_)
        guess[np.argsort(np.where(self.is_kept, -2.0, -self.often), kind="stable")[: self.p]] = True
        for trial in (guess, self.is_open.copy()):
            if not self.done(self.low) and not self.late():
                self._take(trial, rounds)
        if not self.done(self.low) and not self.late():
            self.low = max(self.low, self._bound(status, self.price, self.often, steps, 0.3)[0])

    def begin(self, chosen: tuple[int, ...]) -> None:
        """Take a choice from outside, filled up with the first sites that are shut."""
        trial = np.zeros(self.m, dtype=np.bool_)
        trial[list(chosen)] = True
        trial[np.nonzero(~trial)[0][: self.p - len(chosen)]] = True
        self._take(trial, 20)

    def _search(self, is_open: BoolArray, rounds: int) -> float:
        enough = self.low + (1.0 if self.whole else 0.0) - 1e-6
        return float(iterate_median(self.ranking, self.is_kept, is_open, rounds, enough, self.random))

    def _take(self, trial: BoolArray, rounds: int) -> None:
        found = self._search(trial, rounds)
        if found < self.total:
            self.total, self.is_open = found, trial

    def _bound(
        self, status: Status, price: FloatArray, often: FloatArray, steps: int, step: float
    ) -> tuple[float, float, float, FloatArray]:
        dual = MedianDual(price, np.zeros(self.m), often)
        low, edge, after = bound_median(self.ranking, self.p, status, self.total, steps, step, dual)
        return float(low), float(edge), float(after), dual.worth

    def branch(self) -> None:
        """Explore until the gap is closed or the limits are used up; ``low`` is the bound that was proven."""
        # depth first with the likelier branch on top; bounds of open nodes hold where the limits end
        stack = [(self.low, self.is_kept.astype(np.int8), self.price, self.often)]
        proven = np.inf
        while stack:
            parent, status, price, often = stack.pop()
            if self.done(parent) or self.late():
                proven = min(proven, parent)
                continue
            self.nodes += 1
            price, often, status = price.copy(), often.copy(), status.copy()
            low, edge, after, worth = self._bound(status, price, often, 80, 0.25)
            low = max(low, parent)
            if self.done(low):
                proven = min(proven, low)
                continue
            free = self._fix(status, low, edge, after, worth)
            inside = int((status > 0).sum())
            if inside == self.p or inside + len(free) <= self.p:
                trial = status > 0
                if inside < self.p:
                    trial[free] = True
                self._note(trial)
                proven = min(proven, self._total(trial))
                continue
            pairs = self._pairs(status, low, edge, price, worth)
            if pairs is not None:
                proven = min(proven, self._settle(status, low, *pairs))
                continue
            site = int(free[np.argmin(np.abs(often[free] - 0.5))])
            for value_of in (-1, 1) if often[site] >= 0.5 else (1, -1):
                child = status.copy()
                child[site] = value_of
                stack.append((low, child, price, often))
        self.low = max(self.low, min(proven, self.total))

    def _total(self, trial: BoolArray) -> float:
        return float(self.value[:, trial].min(axis=1).sum())

    def _note(self, trial: BoolArray) -> None:
        total = self._total(trial)
        if total < self.total:
            self.total, self.is_open = total, trial

    def _fix(
        self, status: Status, low: float, edge: float, after: float, worth: FloatArray
    ) -> npt.NDArray[np.int64]:
        """Settle sites that cannot change in any better choice below this node; return the free ones."""
        target = self.total - self._unit()
        free = status == 0
        status[free & (low + worth - edge > target)] = -1
        status[free & (low + after - worth > target)] = 1
        return np.nonzero(status == 0)[0]

    def _pairs(
        self, status: Status, low: float, edge: float, price: FloatArray, worth: FloatArray
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]] | None:
        """Return (sites, points, places of sites) a better choice can pair; None when they are many.

        Serving point i from site j lifts the bound by value - price where that is positive, and by the
        reduced cost of opening j.
        """
        sites = np.nonzero(status >= 0)[0]
        lift = np.where(status[sites] > 0, 0.0, np.maximum(0.0, worth[sites] - edge))
        room = self.total - self._unit() - low + 1e-6 - lift
        use = self.value[:, sites] - price[:, None] <= room[None, :]
        if int(use.sum()) > _PER_POINT * len(price):
            return None
        point, place = np.nonzero(use)
        return sites, point, place

    def _settle(
        self,
        status: Status,
        low: float,
        sites: npt.NDArray[np.int64],
        point: npt.NDArray[np.int64],
        place: npt.NDArray[np.int64],
    ) -> float:
        """Solve what is left below a node with HiGHS; return the bound that holds there."""
        model = LinearModel()
        x = model.add_columns(len(sites), 0.0, (status[sites] > 0).astype(np.float64), 1.0, whole=True)
        y = model.add_columns(len(point), self.value[point, sites[place]])
        pair = np.arange(len(point))
        model.add_rows("_serve", len(self.value), [(point, y, 1.0)], lower=1.0)
        model.add_rows("_open", len(pair), [(pair, y, 1.0), (pair, x[place], -1.0)], upper=0.0)
        model.add_rows("_sites", 1, [(np.zeros(len(x), dtype=np.int64), x, 1.0)], upper=self.p)
        left = None if self.deadline == np.inf else max(0.1, self.deadline - monotonic_s())
        outcome = model.minimise_or_none(Limits(time_limit_s=left))
        if outcome is None:
            return self.total
        if outcome.values is not None:
            trial = np.zeros(self.m, dtype=np.bool_)
            trial[sites[outcome.values[x] > 0.5]] = True
            self._note(trial)
        # pairs that were left out belong to no better choice
        return min(self.total, max(low, outcome.bound))


@any_order
def prove_p_median(
    problem: PMedian,
    cost_s: CostArray,
    rng: np.random.Generator,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    *,
    rounds: int = 60,
    steps: int = 600,
) -> SitingResult:
    """Solve a p-median problem without capacities to a proven gap, to optimality where the limits allow.

    Parameters
    ----------
    problem : what is to be served
    cost_s : (n, m) seconds, inf where a site is out of reach
    rng : source of the kicks
    limits : gap that is good enough, seconds, and nodes
    rounds : kicks of the search
    steps : subgradient steps of the first bound

    Raises
    ------
    InputError, InfeasibleError
        As `siting.solvers.solve.solve`.
    """
    if len(cost_s) == 0:
        return finish(problem.kept, np.empty(0, dtype=np.int64), 0.0, 0.0)
    refuse_unreached(reach_at_all(cost_s))
    value, never = median_values(problem, cost_s)
    tree = MedianTree(problem, value, limits, np.array([rng.integers(1, 2**63)], dtype=np.uint64))
    tree.start(rounds, steps)
    if tree.total >= never:
        tree.begin(any_cover(problem, cost_s, rng, limits))
    if not tree.done(tree.low):
        tree.branch()
    answer = tuple(np.nonzero(tree.is_open)[0].tolist())
    assignment = nearest_chosen(cost_s, answer)
    total = float(tree.value[:, tree.is_open].min(axis=1).sum())
    low = total if tree.whole and total - tree.low < 1.0 - 1e-6 else min(tree.low, total)
    return finish(answer, assignment, total, low)
