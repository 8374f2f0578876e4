"""One order for every input: the same problem, however its points and sites are sorted, has the same answer.

Points and sites are sorted by what they are (weights, prices, times to each other), told apart by hashes
refined in turns (Weisfeiler and Leman 1968). Hashes are added modulo 2^64, so that no rounding depends on
the order. Twins that nothing tells apart stay in the order they came in.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import numpy as np
import numpy.typing as npt

from geo.jit import kernel
from siting.problems.define import CostArray, Flow, Problem, SitingResult, StationPlan, check_cost
from siting.problems.reach import Reach, reach_from_rows, reach_within

__all__ = ["InOrder", "any_order", "canonical_order"]

IntArray = npt.NDArray[np.int64]
Hash = npt.NDArray[np.uint64]
ProblemKind = TypeVar("ProblemKind", bound=Problem)
Solver = TypeVar("Solver", bound=Callable[..., SitingResult])


@kernel
def _mix(x: np.uint64) -> np.uint64:
    """Return a well mixed hash of 64 bits (splitmix64, Steele, Lea and Flood 2014)."""
    z = np.uint64(x) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel
def _refine(bits: Hash, point: Hash, site: Hash, to_point: Hash, to_site: Hash) -> None:
    """Add up the hashes of all pairs of each point and each site; ``bits`` (n, m) tells times apart."""
    for i in range(bits.shape[0]):
        total = np.uint64(0)
        for j in range(bits.shape[1]):
            h = _mix(_mix(np.uint64(bits[i, j]) ^ point[i]) ^ site[j])
            total += h
            to_site[j] += h
        to_point[i] = total


def _hash(values: npt.NDArray[np.generic]) -> Hash:
    """Return one hash a row of a numeric array."""
    table = np.ascontiguousarray(values, dtype=np.float64).reshape(len(values), -1) + 0.0
    out = np.zeros(len(table), dtype=np.uint64)
    for column in table.T:
        out = _mixed(out ^ np.ascontiguousarray(column).view(np.uint64))
    return out


def _mixed(x: Hash) -> Hash:
    z = x + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)


def _option_hash(problem: StationPlan) -> Hash:
    holds = problem.option_capacity
    parts = [problem.option_cost, np.zeros(len(problem.option_site)) if holds is None else holds]
    return _hash(np.column_stack([*parts, problem.option_open]))


def _marks(problem: Problem, n: int, m: int) -> tuple[Hash, Hash]:
    """Return what points and sites are by themselves."""
    point = [np.asarray(problem.weight).reshape(n, -1)]
    group, share = getattr(problem, "group", None), getattr(problem, "group_share", None)
    if group is not None and share is not None:
        # a group is told apart by its share and its size, not by its number
        size = np.bincount(group[group >= 0], minlength=len(share))
        own = np.where(group >= 0, 1.0 + share[group] + 2.0 * size[group], 0.0)
        point.append(own.reshape(n, 1))
    kept = np.zeros(m)
    kept[list(problem.kept)] = 1.0
    site = [kept]
    for name in ("site_cost", "capacity"):
        values = getattr(problem, name, None)
        if values is not None:
            site.append(values)
    marks = _hash(np.column_stack(site))
    if isinstance(problem, StationPlan):
        extra = np.zeros((m, 3))
        for e, s in enumerate(problem.existing_site):
            close = 0.0 if problem.close_cost is None else problem.close_cost[e]
            saving = 0.0 if problem.move_saving is None else problem.move_saving[e]
            extra[s] = (1.0, close, saving)
        marks = marks ^ _mixed(_hash(extra))
        np.add.at(marks, problem.option_site, _option_hash(problem))
    return _hash(np.concatenate(point, axis=1)), marks


def canonical_order(problem: Problem, cost_s: CostArray) -> tuple[IntArray, IntArray]:
    """Return the points and the sites in the order that belongs to what they are.

    Parameters
    ----------
    problem : any siting problem
    cost_s : (n, m) seconds
    """
    n, m = cost_s.shape
    point, site = _marks(problem, n, m)
    cost = np.ascontiguousarray(cost_s)
    bits = cast("Hash", cost.view(np.uint32 if cost.dtype == np.float32 else np.uint64))
    for _ in range(2):
        to_point, to_site = np.zeros(n, dtype=np.uint64), np.zeros(m, dtype=np.uint64)
        _refine(bits, point, site, to_point, to_site)
        point, site = _mixed(point ^ to_point), _mixed(site ^ to_site)
    return np.argsort(point, kind="stable"), np.argsort(site, kind="stable")


def _place(order: IntArray) -> IntArray:
    out = np.empty(len(order), dtype=np.int64)
    out[order] = np.arange(len(order))
    return out


def _sorted_problem(problem: Problem, rows: IntArray, columns: IntArray) -> tuple[Problem, IntArray]:
    """Return the problem in another order, and the order of its options."""
    place = _place(columns)
    changes: dict[str, Any] = {
        "weight": problem.weight[rows],
        "kept": tuple(sorted(int(place[s]) for s in problem.kept)),
    }
    for name in ("site_cost", "capacity"):
        values = getattr(problem, name, None)
        if values is not None:
            changes[name] = values[columns]
    group = getattr(problem, "group", None)
    share = getattr(problem, "group_share", None)
    if group is not None and share is not None:
        # groups are numbered as they are met
        seen, first = np.unique(group[rows], return_index=True)
        met = seen[np.argsort(first)]
        met = met[met >= 0]
        order = np.r_[met, np.setdiff1d(np.arange(len(share)), met)].astype(np.int64)
        number = np.append(_place(order), -1)
        changes["group"], changes["group_share"] = number[group[rows]], share[order]
    options = np.empty(0, dtype=np.int64)
    if isinstance(problem, StationPlan):
        options = np.lexsort((_option_hash(problem), place[problem.option_site]))
        changes["option_site"] = place[problem.option_site[options]]
        for name in ("option_cost", "option_open", "option_capacity"):
            values = getattr(problem, name)
            changes[name] = None if values is None else values[options]
        old = np.argsort(place[list(problem.existing_site)], kind="stable")
        changes["existing_site"] = tuple(int(place[problem.existing_site[e]]) for e in old)
        for name in ("close_cost", "move_saving"):
            values = getattr(problem, name)
            changes[name] = None if values is None else values[old]
    return dataclasses.replace(problem, **changes), options


def _restored(result: SitingResult, rows: IntArray, columns: IntArray, options: IntArray) -> SitingResult:
    """Return the answer in the numbers of the caller."""
    assignment = np.full(len(rows), -1, dtype=np.int64)
    served = result.assignment >= 0
    assignment[rows[served]] = columns[result.assignment[served]]
    flow = result.flow
    if flow is not None:
        demand, site = rows[flow.demand], columns[flow.site]
        order = np.lexsort((site, flow.hour, demand))
        flow = Flow(demand[order], flow.hour[order], site[order], flow.amount[order])
    return dataclasses.replace(
        result,
        chosen=tuple(sorted(int(columns[s]) for s in result.chosen)),
        assignment=assignment,
        options=tuple(sorted(int(options[o]) for o in result.options)),
        moved=tuple(sorted((int(columns[a]), int(columns[b])) for a, b in result.moved)),
        flow=flow,
    )


# rows of the matrix that are put in order at a time
_BLOCK = 100


class InOrder(Generic[ProblemKind]):
    """A problem in the order that belongs to it, and its matrix read in that order without a copy of it.

    For solvers that need who reaches whom rather than all times: `any_order` copies the matrix.

    Parameters
    ----------
    problem : without options
    cost_s : (n, m) seconds
    """

    def __init__(self, problem: ProblemKind, cost_s: CostArray) -> None:
        self._cost_s = cost_s
        self._rows, self._columns = canonical_order(problem, cost_s)
        self.problem = cast("ProblemKind", _sorted_problem(problem, self._rows, self._columns)[0])
        """The problem in that order."""

    def reach_within(self, limit_s: float) -> Reach:
        """Return who reaches whom within ``limit_s`` (closed)."""
        parts = [
            reach_within(
                cast("CostArray", np.ascontiguousarray(self._cost_s[rows][:, self._columns])), limit_s
            )
            for rows in np.array_split(self._rows, max(1, len(self._rows) // _BLOCK))
        ]
        counts = np.concatenate([np.diff(part.point_ptr) for part in parts])
        ptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])
        return reach_from_rows(ptr, np.concatenate([part.point_site for part in parts]), len(self._columns))

    def columns_of(self, chosen: tuple[int, ...]) -> CostArray:
        """Return the seconds to some sites, (n, sites)."""
        return self._cost_s[np.ix_(self._rows, self._columns[list(chosen)])]

    def restored(self, result: SitingResult) -> SitingResult:
        """Return the answer in the numbers of the caller."""
        return _restored(result, self._rows, self._columns, np.empty(0, dtype=np.int64))


def any_order(solver: Solver) -> Solver:
    """Make a solver's answer independent of the order of points, sites and options.

    The solver's first arguments are ``problem`` and ``cost_s``; a keyword ``start`` is a tuple of options in
    the numbers of the caller.
    """

    @functools.wraps(solver)
    def sorted_first(problem: Problem, cost_s: CostArray, *args: object, **kwargs: object) -> SitingResult:
        check_cost(problem, cost_s)
        rows, columns = canonical_order(problem, cost_s)
        inner, options = _sorted_problem(problem, rows, columns)
        start = kwargs.get("start")
        if isinstance(start, tuple):
            place = _place(options)
            kwargs["start"] = tuple(sorted(int(place[o]) for o in start))
        cost = cast("CostArray", np.ascontiguousarray(cost_s[np.ix_(rows, columns)]))
        return _restored(solver(inner, cost, *args, **kwargs), rows, columns, options)

    return cast("Solver", sorted_first)
