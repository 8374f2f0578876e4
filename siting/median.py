"""Fast answers to p-median problems: greedy, interchange, kicks, a Lagrangian bound, and proof.

Interchange with the gains of Whitaker (INFOR 21, 1983) and Resende and Werneck (EJOR 174, 2007), on sites
sorted by distance from each point, so that a pass looks only at sites nearer than the second nearest
open one. Bound by relaxing "each point is served" (Cornuejols, Fisher and Nemhauser 1977).
"""

import numpy as np
import numpy.typing as npt

from geo.jit import kernel
from siting.cover import random_below
from siting.exact import finish, solve_exact
from siting.model import Limits
from siting.problems import CostArray, PMedian, SitingResult, check_cost, nearest_chosen

__all__ = ["prove_p_median"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]
State = npt.NDArray[np.uint64]
Status = npt.NDArray[np.int8]


@kernel
def _two_nearest(
    order: IntArray,
    cost: FloatArray,
    is_open: BoolArray,
    first: IntArray,
    near: FloatArray,
    next_: FloatArray,
) -> None:
    """Fill the nearest open site of each point, the time to it, and the time to the second nearest."""
    n, m = cost.shape
    for i in range(n):
        found = 0
        near[i] = np.inf
        next_[i] = np.inf
        for q in range(m):
            j = order[i, q]
            if is_open[j]:
                if found == 0:
                    first[i] = j
                    near[i] = cost[i, j]
                    found = 1
                else:
                    next_[i] = cost[i, j]
                    break


@kernel
def _greedy(
    cost: FloatArray, order: IntArray, weight: FloatArray, p: int, is_open: BoolArray, far: float
) -> None:
    """Open the site that saves most until p are open."""
    n, m = cost.shape
    near = np.full(n, far)
    for i in range(n):
        for j in range(m):
            if is_open[j] and cost[i, j] < near[i]:
                near[i] = cost[i, j]
    count = 0
    for j in range(m):
        if is_open[j]:
            count += 1
    gain = np.empty(m)
    while count < p:
        gain[:] = 0.0
        for i in range(n):
            for q in range(m):
                j = order[i, q]
                if cost[i, j] >= near[i]:
                    break
                gain[j] += weight[i] * (near[i] - cost[i, j])
        best = -1
        for j in range(m):
            if not is_open[j] and (best < 0 or gain[j] > gain[best]):
                best = j
        is_open[best] = True
        count += 1
        for i in range(n):
            if cost[i, best] < near[i]:
                near[i] = cost[i, best]


@kernel
def _improve(
    cost: FloatArray,
    order: IntArray,
    weight: FloatArray,
    is_kept: BoolArray,
    is_open: BoolArray,
    first: IntArray,
    near: FloatArray,
    next_: FloatArray,
    slot: IntArray,
    gain: FloatArray,
    extra: FloatArray,
) -> None:
    """Make the best swap of an open site for a shut one while it saves anything."""
    n, m = cost.shape
    loss = np.empty(extra.shape[1])
    while True:
        chosen = np.nonzero(is_open)[0]
        p = len(chosen)
        for k in range(p):
            slot[chosen[k]] = k
        loss[:] = 0.0
        gain[:] = 0.0
        extra[:, :] = 0.0
        for i in range(n):
            w, a, b = weight[i], near[i], next_[i]
            k = slot[first[i]]
            loss[k] += w * (b - a)
            for q in range(m):
                j = order[i, q]
                v = cost[i, j]
                if v >= b:
                    break
                if v < a:
                    gain[j] += w * (a - v)
                    extra[j, k] += w * (b - a)
                else:
                    extra[j, k] += w * (b - v)
        best = 1e-7
        best_in = -1
        best_out = -1
        for j in range(m):
            if is_open[j]:
                continue
            for k in range(p):
                if is_kept[chosen[k]]:
                    continue
                profit = gain[j] - loss[k] + extra[j, k]
                if profit > best:
                    best = profit
                    best_in = j
                    best_out = chosen[k]
        if best_in < 0:
            return
        is_open[best_out] = False
        is_open[best_in] = True
        _two_nearest(order, cost, is_open, first, near, next_)


@kernel
def _iterate(
    cost: FloatArray,
    order: IntArray,
    weight: FloatArray,
    is_kept: BoolArray,
    is_open: BoolArray,
    rounds: int,
    enough: float,
    state: State,
) -> float:
    """Improve, then kick and improve ``rounds`` times; leave the best set in ``is_open``."""
    n, m = cost.shape
    p = 0
    free = 0
    for j in range(m):
        if is_open[j]:
            p += 1
            if not is_kept[j]:
                free += 1
    first = np.zeros(n, dtype=np.int32)
    near = np.empty(n)
    next_ = np.empty(n)
    slot = np.zeros(m, dtype=np.int32)
    gain = np.empty(m)
    extra = np.empty((m, p))
    best = is_open.copy()
    total = np.inf
    for turn in range(rounds + 1):
        if turn > 0 and free > 0 and p < m:
            for _ in range(min(free, 2 + random_below(state, 3))):
                out = random_below(state, m)
                while not is_open[out] or is_kept[out]:
                    out = (out + 1) % m
                into = random_below(state, m)
                while is_open[into]:
                    into = (into + 1) % m
                is_open[out] = False
                is_open[into] = True
        _two_nearest(order, cost, is_open, first, near, next_)
        if p < m:
            _improve(cost, order, weight, is_kept, is_open, first, near, next_, slot, gain, extra)
        value = 0.0
        for i in range(n):
            value += weight[i] * near[i]
        if value <= total:
            total = value
            best[:] = is_open
        else:
            is_open[:] = best
        if total <= enough:
            break
    is_open[:] = best
    return total


@kernel
def _bound(
    cost: FloatArray,
    order: IntArray,
    weight: FloatArray,
    p: int,
    status: Status,
    best_known: float,
    steps: int,
    step: float,
    price: FloatArray,
    worth: FloatArray,
    often: FloatArray,
) -> tuple[float, float, float]:
    """Bound the total from below; return it, the worth of the last site it opens and of the next one.

    ``status`` (m,) is 1 for sites that are open, -1 for sites that stay shut, 0 for free ones. ``price`` (n,)
    comes in filled and leaves as the best multipliers, ``worth`` (m,) as the (negative) sum each site
    brings there, ``often`` (m,) as the smoothed share of steps that open it.
    """
    n, m = cost.shape
    lam = price.copy()
    rho = np.empty(m)
    slope = np.empty(n)
    way = np.zeros(n)
    is_in = np.zeros(m, dtype=np.bool_)
    best = -np.inf
    edge = 0.0
    after = 0.0
    idle = 0
    for _ in range(steps):
        rho[:] = 0.0
        bound = 0.0
        for i in range(n):
            bound += lam[i]
            for q in range(m):
                j = order[i, q]
                v = weight[i] * cost[i, j] - lam[i]
                if v >= 0.0:
                    break
                rho[j] += v
        rank = np.argsort(np.where(status > 0, -np.inf, np.where(status < 0, np.inf, rho)))
        is_in[:] = False
        for q in range(p):
            is_in[rank[q]] = True
            bound += rho[rank[q]]
        norm = 0.0
        for i in range(n):
            slope[i] = 1.0
            for q in range(m):
                j = order[i, q]
                if weight[i] * cost[i, j] - lam[i] >= 0.0:
                    break
                if is_in[j]:
                    slope[i] -= 1.0
            way[i] = 0.7 * way[i] + 0.3 * slope[i]
            norm += way[i] * way[i]
        for j in range(m):
            often[j] = 0.95 * often[j] + (0.05 if is_in[j] else 0.0)
        if bound > best:
            best = bound
            edge = rho[rank[p - 1]]
            after = rho[rank[p]] if p < m else np.inf
            price[:] = lam
            worth[:] = rho
            idle = 0
        else:
            idle += 1
            if idle >= 15:
                step *= 0.75
                idle = 0
        if norm < 1e-9 or step < 1e-5 or best >= best_known:
            break
        t = step * max(best_known - bound, 1e-9) / norm
        for i in range(n):
            lam[i] = max(0.0, lam[i] + t * way[i])
    return best, edge, after


def prove_p_median(
    problem: PMedian,
    cost_s: CostArray,
    rng: np.random.Generator,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    *,
    rounds: int = 60,
    steps: int = 600,
) -> SitingResult:
    """Solve a p-median problem to a proven gap, to optimality where the limits allow.

    Search, bound, reduced-cost fixing, then branch and bound on sites with the same bound. Problems with
    capacities, with points out of reach of some site or without weight go to the plain exact model.

    Parameters
    ----------
    problem : what is to be served
    cost_s : (n, m) seconds
    rng : source of the kicks
    limits : gap that is good enough, and nodes; seconds are for HiGHS only
    rounds : kicks of the search
    steps : subgradient steps of the first bound

    Raises
    ------
    InputError, InfeasibleError
        As `siting.exact.solve_exact`.
    """
    check_cost(problem, cost_s)
    cost = np.ascontiguousarray(cost_s, dtype=np.float64)
    weight = problem.weight
    odd = not np.isfinite(cost).all() or bool((weight <= 0).any()) or len(weight) == 0
    if problem.capacity is not None or odd or len(problem.kept) > problem.sites:
        return solve_exact(problem, cost_s, limits)
    tree = _Tree(problem, cost, limits, np.array([rng.integers(1, 2**63)], dtype=np.uint64))
    tree.start(rounds, steps)
    if not tree.done(tree.low):
        tree.branch()
    answer = tuple(np.nonzero(tree.is_open)[0].tolist())
    assignment = nearest_chosen(cost_s, answer)
    value = float(weight @ cost[np.arange(len(weight)), assignment])
    low = value if tree.whole and value - tree.low < 1.0 - 1e-6 else min(tree.low, value)
    return finish(answer, assignment, value, low)


class _Tree:
    """Branch and bound over sites; the best choice and its bound are kept up to date."""

    def __init__(self, problem: PMedian, cost: FloatArray, limits: Limits, state: State) -> None:
        self.cost, self.weight, self.limits, self.state = cost, problem.weight, limits, state
        n, self.m = cost.shape
        self.p = min(problem.sites, self.m)
        self.order = np.argsort(cost, axis=1, kind="stable").astype(np.int32)
        self.is_kept = np.zeros(self.m, dtype=np.bool_)
        self.is_kept[list(problem.kept)] = True
        self.is_open = self.is_kept.copy()
        self.whole = bool((self.weight == np.round(self.weight)).all() and (cost == np.round(cost)).all())
        self.total = np.inf
        self.low = -np.inf
        self.price = (
            self.weight * cost[np.arange(n), self.order[:, min(self.m - 1, max(1, self.m // (2 * self.p)))]]
        )
        self.often = np.zeros(self.m)
        self.nodes = 0

    def done(self, low: float) -> bool:
        """Tell whether nothing above this bound is better enough to matter."""
        unit = 1.0 - 1e-6 if self.whole else 0.0
        return self.total - low < max(unit, 1e-9 * abs(self.total), self.limits.gap * abs(self.total))

    def start(self, rounds: int, steps: int) -> None:
        """Search and bound before any branching."""
        _greedy(self.cost, self.order, self.weight, self.p, self.is_open, float(self.cost.max()) + 1.0)
        self.total = self._search(self.is_open, 3)
        status = self.is_kept.astype(np.int8)
        self.low = self._bound(status, self.price, self.often, steps, 1.0)[0]
        guess = np.zeros(self.m, dtype=np.bool_)
        guess[np.argsort(np.where(self.is_kept, -2.0, -self.often), kind="stable")[: self.p]] = True
        for trial in (guess, self.is_open.copy()):
            if not self.done(self.low):
                self._take(trial, rounds)
        if not self.done(self.low):
            self.low = max(self.low, self._bound(status, self.price, self.often, steps, 0.3)[0])

    def _search(self, is_open: BoolArray, rounds: int) -> float:
        enough = self.low + (1.0 if self.whole else 0.0) - 1e-6
        task = (self.cost, self.order, self.weight, self.is_kept, is_open, rounds, enough, self.state)
        return float(_iterate(*task))

    def _take(self, trial: BoolArray, rounds: int) -> None:
        found = self._search(trial, rounds)
        if found < self.total:
            self.total, self.is_open = found, trial

    def _bound(
        self, status: Status, price: FloatArray, often: FloatArray, steps: int, step: float
    ) -> tuple[float, float, float, FloatArray]:
        worth = np.zeros(self.m)
        task = (
            self.cost,
            self.order,
            self.weight,
            self.p,
            status,
            self.total,
            steps,
            step,
            price,
            worth,
            often,
        )
        low, edge, after = _bound(*task)
        return float(low), float(edge), float(after), worth

    def branch(self) -> None:
        """Explore until the gap is closed or the nodes are used up; ``low`` is the bound that was proven."""
        # depth first with the likelier branch on top; bounds of open nodes hold where the nodes end
        stack = [(self.low, self.is_kept.astype(np.int8), self.price, self.often)]
        proven = np.inf
        while stack:
            parent, status, price, often = stack.pop()
            if self.done(parent):
                proven = min(proven, parent)
                continue
            if self.limits.node_limit is not None and self.nodes >= self.limits.node_limit:
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
                value = float(self.weight @ self.cost[:, trial].min(axis=1))
                if value < self.total:
                    self.total, self.is_open = value, trial
                proven = min(proven, value)
                continue
            site = int(free[np.argmin(np.abs(often[free] - 0.5))])
            for value_of in (-1, 1) if often[site] >= 0.5 else (1, -1):
                child = status.copy()
                child[site] = value_of
                stack.append((low, child, price, often))
        self.low = max(self.low, min(proven, self.total))

    def _fix(
        self, status: Status, low: float, edge: float, after: float, worth: FloatArray
    ) -> npt.NDArray[np.int64]:
        """Settle sites that cannot change in any better choice below this node; return the free ones."""
        unit = 1.0 - 1e-6 if self.whole else 1e-9 * abs(self.total)
        target = self.total - unit
        free = status == 0
        status[free & (low + worth - edge > target)] = -1
        status[free & (low + after - worth > target)] = 1
        return np.nonzero(status == 0)[0]
