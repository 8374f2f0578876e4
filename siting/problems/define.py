"""Siting problems as data: what is to be served, what may be chosen, and within which limits.

A problem never holds the travel times. It meets them in a solver as a cost matrix ``cost_s`` of
shape (n demand points, m sites), in seconds, ``inf`` where a site is out of reach. Solvers live in
`siting.solvers.exact`, `siting.solvers.cover_search` and `siting.solvers.cover_proof`; all of them answer
with a `SitingResult`.

Weights are rider-minutes (any non-negative unit works). Demand is divisible: under a capacity, the
minutes of one demand point may be split between several sites. Limits are closed: a site at exactly
``limit_s`` seconds reaches the point. ``kept`` sites are always chosen and count towards ``sites``.
"""

import dataclasses
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from geo.errors import InputError

__all__ = [
    "Flow",
    "MaxCover",
    "PCenter",
    "PMedian",
    "Problem",
    "SetCover",
    "SitingResult",
    "StationPlan",
    "check_cost",
    "nearest_chosen",
]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
CostArray: TypeAlias = npt.NDArray[np.float64] | npt.NDArray[np.float32]


def _floats(owner: str, name: str, values: object, dims: int) -> FloatArray:
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.ndim != dims:
        raise InputError(f"{owner}: {name} has {array.ndim} dimensions, {dims} expected.")
    if not np.isfinite(array).all() or (array < 0).any():
        raise InputError(f"{owner}: {name} must be finite and not negative.")
    return array


def _optional(owner: str, name: str, values: object | None, size: int | None = None) -> FloatArray | None:
    if values is None:
        return None
    array = _floats(owner, name, values, 1)
    if size is not None and len(array) != size:
        raise InputError(f"{owner}: {name} has {len(array)} values, {size} expected.")
    return array


def _positive(owner: str, name: str, value: float | None) -> None:
    if value is not None and not value >= 0:
        raise InputError(f"{owner}: {name} is {value}, it must be 0 or more.")


def _indices(owner: str, name: str, values: tuple[int, ...]) -> tuple[int, ...]:
    out = tuple(sorted({int(v) for v in values}))
    if out and out[0] < 0:
        raise InputError(f"{owner}: {name} holds {out[0]}, sites count from 0.")
    return out


def _groups(
    owner: str, n: int, group: object | None, share: object | None
) -> tuple[IntArray | None, FloatArray | None]:
    if group is None and share is None:
        return None, None
    if group is None or share is None:
        raise InputError(f"{owner}: group and group_share are given together or not at all.")
    labels = np.ascontiguousarray(group, dtype=np.int64)
    shares = _floats(owner, "group_share", share, 1)
    if labels.shape != (n,):
        raise InputError(f"{owner}: group has shape {labels.shape}, ({n},) expected.")
    if (shares > 1).any():
        raise InputError(f"{owner}: group_share must lie in 0-1.")
    if n and (labels.min() < -1 or labels.max() >= len(shares)):
        raise InputError(f"{owner}: group must lie in -1-{len(shares) - 1} (-1: in no group).")
    return labels, shares


def _set(target: object, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(target, name, value)


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class MaxCover:
    """Maximal covering: serve as much weight as possible within ``limit_s``.

    Church and ReVelle, "The maximal covering location problem", Papers in Regional Science 32 (1974).

    Attributes
    ----------
    weight : (n,) rider-minutes of each demand point
    limit_s : farthest travel time that counts as served, closed
    sites : most sites that may be open, kept ones included; None for no such limit
    kept : sites that are open in any case
    site_cost, budget : (m,) yuan a site and the most all open sites may cost; both or none
    capacity : (m,) rider-minutes a site can serve; None for unlimited
    group, group_share : (n,) group of each point (-1: none) and (g,) least share of each group's
        weight that must be served (equity between unit grids)

    Raises
    ------
    InputError
        When a value is out of range or shapes do not agree.
    """

    weight: FloatArray
    limit_s: float
    sites: int | None = None
    kept: tuple[int, ...] = ()
    site_cost: FloatArray | None = None
    budget: float | None = None
    capacity: FloatArray | None = None
    group: IntArray | None = None
    group_share: FloatArray | None = None

    def __post_init__(self) -> None:
        owner = "maximal covering"
        weight = _floats(owner, "weight", self.weight, 1)
        group, share = _groups(owner, len(weight), self.group, self.group_share)
        _positive(owner, "limit_s", self.limit_s)
        _positive(owner, "sites", self.sites)
        _positive(owner, "budget", self.budget)
        if (self.site_cost is None) != (self.budget is None):
            raise InputError(f"{owner}: site_cost and budget are given together or not at all.")
        if self.sites is None and self.budget is None:
            raise InputError(f"{owner}: give sites, a budget, or both.")
        cost = _optional(owner, "site_cost", self.site_cost)
        capacity = _optional(owner, "capacity", self.capacity, None if cost is None else len(cost))
        kept = _indices(owner, "kept", self.kept)
        _set(
            self, weight=weight, group=group, group_share=share, site_cost=cost, capacity=capacity, kept=kept
        )


def _check_sites(owner: str, problem: "PMedian | PCenter") -> None:
    if problem.sites < 1:
        raise InputError(f"{owner}: sites is {problem.sites}, it must be 1 or more.")
    _set(
        problem,
        weight=_floats(owner, "weight", problem.weight, 1),
        capacity=_optional(owner, "capacity", problem.capacity),
        kept=_indices(owner, "kept", problem.kept),
    )


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class PMedian:
    """Least total weighted travel time (weight x seconds) with ``sites`` open, every point served.

    Hakimi, "Optimum locations of switching centers", Operations Research 12 (1964).

    Attributes
    ----------
    weight : (n,) rider-minutes
    sites : most sites that may be open, kept ones included
    kept : sites that are open in any case
    capacity : (m,) rider-minutes a site can serve; None for unlimited
    """

    weight: FloatArray
    sites: int
    kept: tuple[int, ...] = ()
    capacity: FloatArray | None = None

    def __post_init__(self) -> None:
        _check_sites("p-median", self)


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class SetCover:
    """Cheapest sites such that every demand point is served within ``limit_s``.

    Toregas et al., "The location of emergency service facilities", Operations Research 19 (1971).

    Attributes
    ----------
    weight : (n,) rider-minutes; matters under a capacity only, every point must be served
    limit_s : farthest travel time that counts as served, closed
    site_cost : (m,) yuan; None counts sites (each costs 1)
    kept : sites that are open, and paid, in any case
    capacity : (m,) rider-minutes a site can serve; None for unlimited
    """

    weight: FloatArray
    limit_s: float
    site_cost: FloatArray | None = None
    kept: tuple[int, ...] = ()
    capacity: FloatArray | None = None

    def __post_init__(self) -> None:
        owner = "set covering"
        _positive(owner, "limit_s", self.limit_s)
        cost = _optional(owner, "site_cost", self.site_cost)
        _set(
            self,
            weight=_floats(owner, "weight", self.weight, 1),
            site_cost=cost,
            capacity=_optional(owner, "capacity", self.capacity, None if cost is None else len(cost)),
            kept=_indices(owner, "kept", self.kept),
        )


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class PCenter:
    """Least longest travel time (seconds) with ``sites`` open, every point served.

    Minieka, "The m-center problem", SIAM Review 12 (1970). Attributes as in `PMedian`; ``weight``
    matters under a capacity only.
    """

    weight: FloatArray
    sites: int
    kept: tuple[int, ...] = ()
    capacity: FloatArray | None = None

    def __post_init__(self) -> None:
        _check_sites("p-center", self)


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class StationPlan:
    """Stations of several kinds with their opening hours: most rest served by hour within a budget.

    An option is one way to run one site: a kind with one shift pattern. At most one option a site is
    chosen, so places, kinds and hours are decided together.

    Attributes
    ----------
    weight : (n, h) rider-minutes of each demand point in each hour (or block of hours)
    limit_s : farthest travel time that counts as served, closed
    option_site : (o,) the site each option stands on
    option_cost : (o,) yuan; for an existing station usually what keeping or changing it costs
    option_open : (o, h) whether it is open
    option_capacity : (o,) rider-minutes it can serve in each hour; None for unlimited
    budget : most that chosen options, closures and moves may cost; None for no limit
    sites : most stations that may be open; None for no limit
    new_sites : most stations that may be open where none stands today; None for no limit
    kept : sites that must have an option chosen
    existing_site : (e,) sites with a station today
    close_cost : (e,) yuan to pay where an existing site gets no option
    move_saving : (e,) yuan saved on a new site when the equipment of a closed existing one moves
        there (each closed station moves at most once, each new site takes at most one)
    group, group_share : as in `MaxCover`, over the weight of all hours
    """

    weight: FloatArray
    limit_s: float
    option_site: IntArray
    option_cost: FloatArray
    option_open: npt.NDArray[np.bool_]
    option_capacity: FloatArray | None = None
    budget: float | None = None
    sites: int | None = None
    new_sites: int | None = None
    kept: tuple[int, ...] = ()
    existing_site: tuple[int, ...] = ()
    close_cost: FloatArray | None = None
    move_saving: FloatArray | None = None
    group: IntArray | None = None
    group_share: FloatArray | None = None

    def __post_init__(self) -> None:
        owner = "station plan"
        weight = _floats(owner, "weight", self.weight, 2)
        group, share = _groups(owner, len(weight), self.group, self.group_share)
        for name in ("limit_s", "budget", "sites", "new_sites"):
            _positive(owner, name, getattr(self, name))
        site = np.ascontiguousarray(self.option_site, dtype=np.int64)
        if site.ndim != 1 or (site < 0).any():
            raise InputError(f"{owner}: option_site must be one row of sites that count from 0.")
        open_ = np.ascontiguousarray(self.option_open, dtype=np.bool_)
        if open_.shape != (len(site), weight.shape[1]):
            raise InputError(
                f"{owner}: option_open has shape {open_.shape}, {(len(site), weight.shape[1])} expected."
            )
        existing = tuple(int(s) for s in self.existing_site)
        if len(set(existing)) != len(existing):
            raise InputError(f"{owner}: existing_site names a site twice.")
        size = len(existing)
        zero = np.zeros(size)
        kept = _indices(owner, "kept", self.kept)
        missing = sorted(set(kept) - set(site.tolist()))
        if missing:
            raise InputError(f"{owner}: kept site {missing[0]} has no option.")
        _set(
            self,
            weight=weight,
            group=group,
            group_share=share,
            option_site=site,
            option_open=open_,
            option_cost=_optional(owner, "option_cost", self.option_cost, len(site)),
            option_capacity=_optional(owner, "option_capacity", self.option_capacity, len(site)),
            existing_site=existing,
            kept=kept,
            close_cost=zero
            if self.close_cost is None
            else _optional(owner, "close_cost", self.close_cost, size),
            move_saving=zero
            if self.move_saving is None
            else _optional(owner, "move_saving", self.move_saving, size),
        )


Problem: TypeAlias = MaxCover | PMedian | SetCover | PCenter | StationPlan


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Flow:
    """Who is served where, one row a (demand point, hour, site): columns of equal length."""

    demand: IntArray
    hour: IntArray
    site: IntArray
    amount: FloatArray
    """Rider-minutes."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class SitingResult:
    """The answer to one problem.

    Attributes
    ----------
    chosen : open sites, ascending
    options : chosen options, ascending (station plans only, else empty)
    moved : (closed existing site, new site) pairs whose equipment moves (station plans only)
    assignment : (n,) site that serves each point, -1 where none does; under a capacity the site
        that serves most of it
    flow : the split under a capacity, None without one
    objective : in the unit of the problem (weight served, weight x seconds, yuan or seconds)
    bound : no feasible choice can be better than this
    gap : abs(bound - objective) / max(abs(objective), abs(bound)), 0 when proven optimal
    status : ``optimal`` (gap within 1e-6) or ``feasible``
    """

    chosen: tuple[int, ...]
    assignment: npt.NDArray[np.int64]
    objective: float
    bound: float
    gap: float
    status: str
    options: tuple[int, ...] = ()
    moved: tuple[tuple[int, int], ...] = ()
    flow: Flow | None = None


def check_cost(problem: Problem, cost_s: CostArray) -> None:
    """Refuse a cost matrix that does not belong to the problem.

    Raises
    ------
    InputError
        When there is no demand point, the shape is wrong, a value is negative or not a number, the
        problem names sites that the matrix does not have, or keeps more sites than may be open.
    """
    n = len(problem.weight)
    if n == 0:
        raise InputError("there is no demand point to serve: give at least one.")
    if cost_s.ndim != 2 or cost_s.shape[0] != n:
        raise InputError(f"the cost matrix has shape {cost_s.shape}, ({n}, sites) expected.")
    m = cost_s.shape[1]
    # min() carries NaN along, so that no mask of the size of the matrix is needed
    if cost_s.size and not cost_s.min() >= 0:
        raise InputError("the cost matrix holds a negative value or one that is not a number.")
    for name in ("site_cost", "capacity"):
        values = getattr(problem, name, None)
        if values is not None and len(values) != m:
            raise InputError(f"{name} has {len(values)} values, the cost matrix has {m} sites.")
    named = set(problem.kept)
    if isinstance(problem, StationPlan):
        named |= set(problem.option_site.tolist()) | set(problem.existing_site)
    if named and max(named) >= m:
        raise InputError(f"site {max(named)} is named, but the cost matrix has only {m} sites (0-{m - 1}).")
    sites = getattr(problem, "sites", None)
    if sites is not None and len(problem.kept) > sites:
        raise InputError(
            f"{len(problem.kept)} sites are kept, but at most {sites} may be open: keep fewer, or ask for at"
            f" least {len(problem.kept)}."
        )
    if sites is not None and not isinstance(problem, StationPlan) and sites > m:
        raise InputError(f"{sites} sites are asked for, but there are only {m} candidates (allowed: 1-{m}).")


def nearest_chosen(cost_s: CostArray, chosen: tuple[int, ...], limit_s: float = np.inf) -> IntArray:
    """Return the nearest chosen site of each point within ``limit_s`` (lowest index on ties), -1 if none."""
    n = cost_s.shape[0]
    if not chosen or n == 0:
        return np.full(n, -1, dtype=np.int64)
    columns = np.asarray(sorted(chosen), dtype=np.int64)
    part = cost_s[:, columns]
    best = part.argmin(axis=1)
    value = part[np.arange(n), best]
    served = (value <= limit_s) & np.isfinite(value)
    return np.where(served, columns[best], -1).astype(np.int64)
