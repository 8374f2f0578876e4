"""Covers under capacities, proven: a cover by sites alone, and cuts where what they hold is too little.

Who serves whom is left out (Benders 1962). A choice x of sites serves everything exactly if for every set S
of points the sites that reach S hold enough for it: the sum over sites of min(capacity, demand of S in reach)
x is no less than the demand of S (maximum flow, minimum cut: Ford and Fulkerson 1956). Sets that are broken
are found by a flow, for shares of sites too, and HiGHS solves the rest.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from siting.problems.deadline import monotonic_s
from siting.problems.highs import Limits, LinearModel, Outcome
from siting.problems.reach import Reach
from siting.solvers.dominance import undominated, worth_comparing

__all__ = ["CapacityCuts", "CoverDemand"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

# linear programmes, and whole ones, before the cuts are no longer worth their time
_LINEAR, _WHOLE = 12, 80
# gap at which a choice is looked at: to hold yet more takes thirty times as long as the next cut
_ROUGH = 1.0
# units of flow in all: capacities of scipy's flows are whole numbers of 32 bits
_UNITS = 2.0**30
# swaps of a search without any cut that is new, and entries of its tables of swaps, beyond which it ends
_SWAPS, _TABLE = 300, 4_000_000
# swaps for which a site that was moved stays
_STAYS = 8
# so many points that no site reaches are as bad as a cut with nothing
_PER_SITE = 100.0


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class CoverDemand:
    """What is to be served, and what sites hold and cost.

    Attributes
    ----------
    weight : (n,) minutes
    holds, price : (m,) minutes that a site can serve, and its price
    forced : (m,) sites that are open in any case
    """

    weight: FloatArray
    holds: FloatArray
    price: FloatArray
    forced: BoolArray


class CapacityCuts:
    """Cuts found so far for one problem; they hold whatever the price or the number of sites.

    Parameters
    ----------
    reach : every point must be reached by some site
    demand : what is to be served
    deadline : `monotonic_s` at which to stop
    """

    def __init__(self, reach: Reach, demand: CoverDemand, deadline: float) -> None:
        self._demand, self._deadline = demand, deadline
        self._within = scipy.sparse.csr_array(
            (np.ones(len(reach.point_site)), reach.point_site, reach.point_ptr), shape=(reach.n, reach.m)
        )
        self._point = np.repeat(np.arange(reach.n), np.diff(reach.point_ptr))
        self._site = reach.point_site.astype(np.int64)
        rows = np.arange(reach.n)
        if worth_comparing(reach.n, reach.m):
            dense = self._within.toarray() > 0
            # a site that is dominated may be needed for what it holds, so only points are left out
            rows = undominated(dense, np.ones(reach.m, dtype=np.bool_))[0]
        self._cover = self._within[rows].tocoo()
        self._cuts: list[tuple[FloatArray, float]] = []
        self._shares = demand.forced.astype(np.float64)
        self._add(np.ones(reach.n, dtype=np.bool_))

    def _add(self, group: BoolArray) -> bool:
        """Add the cut of a set of points; return whether there was a set."""
        need = float(self._demand.weight[group].sum())
        if need <= 0:
            return False
        reached = self._within.T @ np.where(group, self._demand.weight, 0.0)
        self._cuts.append((np.minimum(self._demand.holds, reached), need))
        return True

    def cut_off(self, shares: FloatArray) -> bool:
        """Add the cuts that shares of sites break most; return whether there are any.

        Parameters
        ----------
        shares : (m,) 0-1
        """
        demand, (n, m) = self._demand, self._within.shape
        total = float(demand.weight.sum())
        if total <= 0:
            return False
        scale = _UNITS / total
        use = shares[self._site] > 1e-9
        point, site = self._point[use], self._site[use]
        source, sink = n + m, n + m + 1
        tail = np.concatenate([np.full(n, source), point, n + np.arange(m)])
        head = np.concatenate([np.arange(n), n + site, np.full(m, sink)])
        minutes = [
            demand.weight,
            demand.weight[point] * shares[site],
            np.minimum(demand.holds, total) * shares,
        ]
        # arcs a little too wide: rounding must not make a cut of a choice that serves everything
        units = np.ceil(np.concatenate(minutes) * scale)
        units[:n] = np.floor(demand.weight * scale)
        shape = (n + m + 2, n + m + 2)
        arcs = scipy.sparse.csr_array((units.astype(np.int32), (tail, head)), shape=shape)
        flow = maximum_flow(arcs, source, sink).flow
        left = scipy.sparse.csr_array(arcs - flow)
        left.data = np.maximum(left.data, 0)
        left.eliminate_zeros()
        group = np.zeros(n + m + 2, dtype=np.bool_)
        group[breadth_first_order(left, source, return_predecessors=False)] = True
        if not self._add(group[:n]):
            return False
        row, need = self._cuts[-1]
        if row @ shares < need * (1 - 1e-7):
            return True
        self._cuts.pop()
        return False

    def _solve(self, objective: FloatArray, most: float | None, whole: bool, gap: float) -> Outcome | None:
        model = LinearModel()
        m = len(objective)
        x = model.add_columns(m, objective, self._demand.forced.astype(np.float64), 1.0, whole=whole)
        point, site = self._cover.coords
        model.add_rows("_cover", self._cover.shape[0], [(point, x[site], 1.0)], lower=1.0)
        for row, need in self._cuts:
            at = np.nonzero(row > 0)[0]
            part = (np.zeros(len(at), dtype=np.int64), x[at], row[at] / need)
            model.add_rows("_room", 1, [part], lower=1.0)
        if most is not None:
            price = self._demand.price
            model.add_rows("_most", 1, [(np.zeros(m, dtype=np.int64), x, price)], upper=most + 1e-6)
        left = None if self._deadline == np.inf else max(0.1, self._deadline - monotonic_s())
        return model.minimise_or_none(Limits(gap, left))

    def bound(self) -> float:
        """Return a price below which shares of sites cannot serve everything; inf where none can."""
        low = 0.0
        for _ in range(_LINEAR):
            outcome = self._solve(self._demand.price, None, whole=False, gap=0.0)
            if outcome is None:
                return np.inf
            if not outcome.optimal or outcome.values is None:
                break
            low, self._shares = max(low, outcome.bound), outcome.values
            if monotonic_s() >= self._deadline or not self.cut_off(outcome.values):
                break
        return low

    def search(self, count: int, until: float) -> BoolArray | None:
        """Look for ``count`` sites that serve everything by swaps of two; None where none are found.

        Starts from the sites that the last linear programme opens most. What is short of a cut is made small;
        cuts and points that stay broken count for more and more (breakout: Morris, AAAI 1993), and what
        serves no cut too little is asked of the flow, which finds the next one.
        """
        forced, m = self._demand.forced, len(self._shares)
        rows = self._cover.toarray().astype(np.float32)
        if len(rows) * m > _TABLE or not int(forced.sum()) <= count < m:
            return None
        chosen = np.zeros(m, dtype=np.bool_)
        chosen[np.argsort(-(self._shares + forced), kind="stable")[:count]] = True
        lack = np.ones(len(rows), dtype=np.float32)
        heavy = np.ones(len(self._cuts))
        rests = np.where(forced, np.inf, 0.0)
        for turn in range(_SWAPS):
            if monotonic_s() >= until:
                break
            cuts = np.array([row / need for row, need in self._cuts]).reshape(-1, m)
            heavy = np.append(heavy, np.ones(len(cuts) - len(heavy)))
            short = 1.0 - cuts @ chosen
            times = rows @ chosen.astype(np.float32)
            if not (short > 1e-9).any() and times.min(initial=1.0) > 0:
                if not self.cut_off(chosen.astype(np.float64)):
                    return chosen
                continue
            out, into = (np.nonzero(side & (rests <= turn))[0] for side in (chosen, ~chosen))
            if not len(out) or not len(into) or len(cuts) * len(out) * len(into) > _TABLE:
                break
            # rows are what is shut, columns what is opened
            worse = np.zeros((len(out), len(into)))
            for weight, row, now in zip(_PER_SITE * heavy, cuts, short, strict=True):
                worse += weight * np.maximum(0.0, (now + row[out])[:, None] - row[into])
            alone, bare = rows[:, out] * (times == 1)[:, None], times == 0
            worse += (lack @ alone)[:, None] - lack[bare] @ rows[bare][:, into]
            worse -= (alone * lack[:, None]).T @ rows[:, into]
            k, j = np.unravel_index(int(np.argmin(worse)), worse.shape)
            now = _PER_SITE * float(heavy @ np.maximum(0.0, short)) + float(lack[bare].sum())
            if worse[k, j] + float(lack[bare].sum()) > now - 1e-9:
                heavy[short > 1e-9] += 1.0
                lack[bare] += 1.0
            chosen[out[k]], chosen[into[j]] = False, True
            rests[[out[k], into[j]]] = turn + _STAYS
            rests[forced] = np.inf
        return None

    def choice(self, most: float) -> tuple[BoolArray | None, bool]:
        """Return sites at a price of ``most`` that serve everything, and whether that is known.

        What they hold together is made large, so that the first choice often serves everything.
        """
        holds = np.minimum(self._demand.holds, float(self._demand.weight.sum()))
        objective = -holds / max(1e-9, float(holds.mean()))
        for _ in range(_WHOLE):
            outcome = self._solve(objective, most, whole=True, gap=_ROUGH)
            if outcome is None:
                return None, True
            if outcome.values is None:
                return None, False
            chosen = outcome.values > 0.5
            if not self.cut_off(chosen.astype(np.float64)):
                return chosen, True
            if monotonic_s() >= self._deadline:
                break
        return None, False
