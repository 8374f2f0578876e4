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
    Descent,
    MedianDual,
    NearSites,
    Ranking,
    bound_median,
    greedy_median,
    iterate_median,
    near_sites,
)
from siting.solvers.set_cover import refuse_unreached

__all__ = ["prove_p_median"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Status = npt.NDArray[np.int8]

# pairs of point and site, for each point, that HiGHS settles faster than branching does
_PER_POINT = 2.0
# steps of the bound at a node, and of one that tells which site to branch on
_STEPS, _TRIAL_STEPS = 80, 20
# sites among which the one to branch on is chosen
_TRIED = 10
# what branching on a site is worth at least, so that none counts for nothing
_LIFT = 0.1


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


def _memory(n: int, room: int) -> NearSites:
    return NearSites(np.empty(n + 1, np.int64), np.empty(room, np.int32), np.empty(room), np.empty(n))


class MedianTree:
    """Branch and bound over sites; the best choice and its bound are kept up to date."""

    def __init__(self, problem: PMedian, value: FloatArray, limits: Limits, random: RandomState) -> None:
        self.limits, self.random = limits, random
        n, self.m = value.shape
        self.p = min(problem.sites, self.m)
        order = np.argsort(value, axis=1, kind="stable").astype(np.int32)
        self.ranking = Ranking(order, np.take_along_axis(value, order, axis=1))
        self.by_site = np.ascontiguousarray(value.T)
        self.is_kept = np.zeros(self.m, dtype=np.bool_)
        self.is_kept[list(problem.kept)] = True
        self.is_open = self.is_kept.copy()
        self.whole = bool((value == np.round(value)).all())
        self.total = np.inf
        self.low = -np.inf
        self.price = self.ranking.ranked[:, min(self.m - 1, max(1, self.m // (2 * self.p)))].copy()
        self.often = np.zeros(self.m)
        self.nodes = 0
        self.memory = _memory(n, n * min(self.m, 64))
        # what opening (row 0) and shutting each site lifted the bound by, in all, and how often
        self.lift, self.lifted = np.zeros((2, self.m)), np.zeros((2, self.m))
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
        greedy_median(self.by_site, self.ranking, self.p, self.is_open, float(self.by_site.max()) + 1)
        self.total = self._search(self.is_open, 3)
        status = self.is_kept.astype(np.int8)
        self.low = self._bound(status, self.price, self.often, steps, 1.0, self._everything())[0]
        guess = np.zeros(self.m, dtype=np.bool_)
        guess[np.argsort(np.where(self.is_kept, -2.0, -self.often), kind="stable")[: self.p]] = True
        for trial in (guess, self.is_open.copy()):
            if not self.done(self.low) and not self.late():
                self._take(trial, rounds)
        if not self.done(self.low) and not self.late():
            self.low = max(self.low, self._bound(status, self.price, self.often, steps, 0.3)[0])

    def _everything(self) -> NearSites:
        """Return all sites of each point: what the bound needs where its multipliers may go far."""
        order, ranked = self.ranking
        n = len(order)
        return NearSites(
            np.arange(n + 1, dtype=np.int64) * self.m, order.ravel(), ranked.ravel(), np.full(n, np.inf)
        )

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
        self,
        status: Status,
        price: FloatArray,
        often: FloatArray,
        steps: int,
        step: float,
        near: NearSites | None = None,
    ) -> tuple[float, float, float, FloatArray]:
        """Bound what is below a node; ``price`` and ``often`` become those of its best step."""
        while near is None:
            if near_sites(self.ranking, status, price, self.memory):
                near = self.memory
            else:
                self.memory = _memory(len(price), 2 * len(self.memory.site))
        dual = MedianDual(price, np.zeros(self.m), often)
        descent = Descent(steps, step, self.total - self._unit())
        low, edge, after = bound_median(near, self.by_site, self.p, status, descent, dual)
        return float(low), float(edge), float(after), dual.worth

    def branch(self) -> None:
        """Explore until the gap is closed or the limits are used up; ``low`` is the bound that was proven."""
        # depth first with the likelier branch on top; bounds of open nodes hold where the limits end
        stack = [(self.low, self.is_kept.astype(np.int8), self.price, self.often, -1)]
        proven = np.inf
        while stack:
            parent, status, price, often, branched = stack.pop()
            if self.done(parent) or self.late():
                proven = min(proven, parent)
                continue
            self.nodes += 1
            price, often, status = price.copy(), often.copy(), status.copy()
            low, edge, after, worth = self._bound(status, price, often, _STEPS, 0.25)
            self._learn(status, branched, low - parent)
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
            site = self._branching_site(status, low, price, often)
            for value_of in (-1, 1) if often[site] >= 0.5 else (1, -1):
                child = status.copy()
                child[site] = value_of
                stack.append((low, child, price, often, site))
        self.low = max(self.low, min(proven, self.total))

    def _learn(self, status: Status, site: int, lift: float) -> None:
        """Note what a site lifted the bound by when it was opened or shut; none is asked for by -1."""
        if site >= 0:
            row = 0 if status[site] > 0 else 1
            self.lift[row, site] += max(0.0, min(lift, self.total - self.low))
            self.lifted[row, site] += 1

    def _branching_site(self, status: Status, low: float, price: FloatArray, often: FloatArray) -> int:
        """Return the site among the likeliest that lifts the bound most, opened times shut.

        Lifts are those of nodes before; a site that was never branched on is tried both ways with few steps
        (Achterberg, Koch and Martin, Operations Research Letters 33 (2005)).
        """
        free = np.nonzero(status == 0)[0]
        tried = free[np.argsort(-often[free], kind="stable")[:_TRIED]]
        for site in tried[self.lifted[:, tried].min(axis=0) == 0].tolist():
            for value_of in (1, -1):
                child = status.copy()
                child[site] = value_of
                found = self._bound(child, price.copy(), often.copy(), _TRIAL_STEPS, 0.25)[0]
                self._learn(child, site, found - low)
        lift = np.maximum(_LIFT, self.lift[:, tried] / self.lifted[:, tried])
        return int(tried[np.argmax(lift[0] * lift[1])])

    def _total(self, trial: BoolArray) -> float:
        return float(self.by_site[trial].min(axis=0).sum())

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
        use = self.by_site[sites] - price <= room[:, None]
        if int(use.sum()) > _PER_POINT * len(price):
            return None
        point, place = np.nonzero(use.T)
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
        y = model.add_columns(len(point), self.by_site[sites[place], point])
        pair = np.arange(len(point))
        model.add_rows("_serve", self.by_site.shape[1], [(point, y, 1.0)], lower=1.0)
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
    total = float(tree.by_site[tree.is_open].min(axis=0).sum())
    low = total if tree.whole and total - tree.low < 1.0 - 1e-6 else min(tree.low, total)
    return finish(answer, assignment, total, low)
