"""Map matching: GPS points to the streets that were ridden.

A hidden Markov model (P. Newson and J. Krumm, "Hidden Markov Map Matching Through Noise and Sparseness",
GIS 2009) on our own network. What differs from the paper:

* a state is an edge with its direction, so that turning round costs;
* points closer than 2 sigma to the last one used (section 4.1 there), and those of a stay of two minutes, are
  laid on the path afterwards; points farther than 3 sigma from any street are left out;
* ways near by are tried first, and farther ones only where none of those is likely;
* emission is normal up to 3 sigma and exponential beyond, so that one bad fix does not throw a path off, and
  points that follow one another within seconds count for less, because their errors are alike;
* ways that would need an impossible speed are none; where no way is likely, or the rider was off the
  streets for a minute and a half, the path breaks;
* riding against a one-way street costs more a metre and is reported, not hidden.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.mapmatch.graph import MatchGraph, match_graph
from geo.mapmatch.lay import Onto, Ridden, lay_points
from geo.mapmatch.transitions import Space, nearest_m
from geo.mapmatch.viterbi import KEPT, Decoded, Model, Track, match_rider
from geo.streets.network import MODES, StreetNetwork

__all__ = ["MatchOptions", "Matched", "Matcher"]

SAMPLE = 400
BETA_SHARE = 0.02
MAX_SPEED_MPS = {"ebike": 20.0, "bike": 17.0, "car": 60.0, "foot": 5.0}


@dataclass(frozen=True)
class MatchOptions:
    """How to match.

    Attributes
    ----------
    mode : str
        One of `geo.streets.network.MODES`: whose streets and one-ways count.
    sigma_m : float or None
        Standard deviation of the GPS error along an axis, 1 to 100 m; None: estimated for each rider from the
        distances to the nearest street (Newson and Krumm, section 5.2), 8 to 25 m.
    candidates : int
        Streets tried for each point, 2 to 64.
    beta_m : float or None
        Scale of the difference between the way on the streets and the straight line, 1 to 500 m;
        None: 5 m + sigma / 2 + 2% of the line.
    beam : float
        States less likely than the best one by a factor exp(beam) are dropped, 5 to 1000.
    break_cost : float
        The path breaks where going on is less likely than a break by a factor exp(break_cost), 1 to 1000.
    correlation_s : float
        A point that follows sooner after the one before counts for less, in proportion, 0.1 to 600 s.
    max_gap_s : float
        A longer silence breaks the path, 1 s to a day.
    max_speed_mps : float or None
        A point that would ask for more is left out (three in a row at most, then the path breaks), and no
        way asks for more, 1 to 100 m/s; None: 20 for e-bikes, 17 for bikes, 60 for cars, 5 on foot.
    wrong_way_price : float
        A metre against a one-way street counts as so many, 1 or more; infinite forbids it.
    u_turn_m : float
        Turning round on a street counts as so many metres, 0 to 10,000.
    threads : int
        Riders are shared among so many threads; the answer does not depend on it.
    """

    mode: str = "ebike"
    sigma_m: float | None = None
    candidates: int = 8
    beta_m: float | None = None
    beam: float = 60.0
    break_cost: float = 45.0
    correlation_s: float = 10.0
    max_gap_s: float = 300.0
    max_speed_mps: float | None = None
    wrong_way_price: float = 4.0
    u_turn_m: float = 80.0
    threads: int = 2

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise InputError(f"mode must be one of {', '.join(MODES)}, not {self.mode!r}")
        for name, low, high in (
            ("sigma_m", 1, 100), ("candidates", 2, 64), ("beta_m", 1, 500), ("beam", 5, 1000),
            ("break_cost", 1, 1000), ("correlation_s", 0.1, 600),
            ("max_gap_s", 1, 86_400), ("max_speed_mps", 1, 100), ("wrong_way_price", 1, np.inf),
            ("u_turn_m", 0, 10_000), ("threads", 1, 1024),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InputError(f"{name} must be {low} to {high}, not {value}")


@dataclass(frozen=True)
class Matched:
    """Where the points lie on the streets, and the paths.

    A directed edge is ``2 * edge + (0 along, 1 against)``.

    Attributes
    ----------
    directed : int32 (n,)
        Directed edge of each point; -1 where it lies on none.
    offset_m : float64 (n,)
        Metres from the ``u`` end of the edge.
    away_m : float64 (n,)
        Metres between the point and the street, infinite where it lies on none.
    piece_ptr : int64 (p + 1,), piece_rider : int32 (p,), piece_end_s : float64 (p,)
        Unbroken pieces of paths, riders in order: rows of the next columns, whose, and when it ended.
    path : int32 (q,)
        Directed edges in the order of riding; each one begins where the one before it ends.
    enter_s : float64 (q,)
        Epoch second at which the edge was entered (for the first of a piece: of its first point).
    span_m : float64 (q, 2)
        Metres from ``u`` between which the edge was ridden: all of it, except at the ends of pieces and
        where the rider turned round on the street.
    wrong_way : bool (q,)
        Ridden against a one-way street.
    sigma_m : float64 (r,)
        Standard deviation used for each rider.
    """

    directed: NDArray[np.int32]
    offset_m: NDArray[np.float64]
    away_m: NDArray[np.float64]
    piece_ptr: NDArray[np.int64]
    piece_rider: NDArray[np.int32]
    piece_end_s: NDArray[np.float64]
    path: NDArray[np.int32]
    enter_s: NDArray[np.float64]
    span_m: NDArray[np.float64]
    wrong_way: NDArray[np.bool_]
    sigma_m: NDArray[np.float64]

    @property
    def edge(self) -> NDArray[np.int32]:
        """Edge of each point, -1 where it lies on none."""
        return np.where(self.directed < 0, np.int32(-1), self.directed >> 1)


@dataclass(frozen=True)
class _Piece:
    """Result for one rider: points, then paths with pointers that begin at 0."""

    directed: NDArray[np.int32]
    offset_m: NDArray[np.float64]
    away_m: NDArray[np.float64]
    ptr: NDArray[np.int64]
    end_s: NDArray[np.float64]
    path: NDArray[np.int32]
    enter_s: NDArray[np.float64]
    span_m: NDArray[np.float64]
    sigma_m: float


class _Spaces:
    """Memory for searches, lent to one thread at a time, with the stamp that its marks have reached."""

    def __init__(self, graph: MatchGraph, count: int) -> None:
        self._free: SimpleQueue[tuple[Space, int]] = SimpleQueue()
        for _ in range(count):
            self._free.put((graph.space(), 0))

    @contextmanager
    def lend(self) -> Iterator[tuple[Space, int, list[int]]]:
        space, stamp = self._free.get()
        reached = [stamp]
        try:
            yield space, stamp, reached
        finally:
            if reached[0] > 2**30:
                space[5].fill(-1)
                reached[0] = 0
            self._free.put((space, reached[0]))


class Matcher:
    """A network made ready for matching: build it once, match many traces; safe to share between threads.

    Parameters
    ----------
    network : StreetNetwork
    options : MatchOptions, optional

    Raises
    ------
    InputError
        If the mode may use no street.
    """

    def __init__(self, network: StreetNetwork, options: MatchOptions | None = None) -> None:
        self.network, self.options = network, options or MatchOptions()
        self._graph = match_graph(network, self.options.mode, self.options.wrong_way_price)
        self._spaces = _Spaces(self._graph, self.options.threads)

    def match(
        self, rider_ptr: NDArray[np.int64], t_s: NDArray[np.int64], lonlat: NDArray[np.float64]
    ) -> Matched:
        """Find the streets under GPS points and the path between them.

        Parameters
        ----------
        rider_ptr : int64 (r + 1,)
            Points of each rider.
        t_s : int64 (n,)
            Epoch seconds, never falling within a rider.
        lonlat : float64 (n, 2)
            WGS-84 degrees.

        Returns
        -------
        Matched
            Each rider's part depends on that rider's points only.

        Raises
        ------
        InputError
            If times fall within a rider or a position is not finite.
        """
        if len(t_s) != len(lonlat) or rider_ptr[-1] != len(t_s):
            raise InputError(
                f"rider_ptr must end at the number of points, {len(t_s)}, and lonlat have as many rows"
            )
        falls = np.flatnonzero(np.diff(t_s) < 0) + 1
        if not np.isin(falls, rider_ptr).all():
            raise InputError("times must not fall within a rider: sort the points by rider and time")
        if not np.isfinite(lonlat).all():
            raise InputError("a position to match must be finite, (lon, lat) in degrees")

        def work(rider: int) -> _Piece:
            rows = slice(rider_ptr[rider], rider_ptr[rider + 1])
            with self._spaces.lend() as (space, stamp, reached):
                piece, reached[0] = _match_one(
                    self.network, self._graph, t_s[rows], lonlat[rows], self.options, space, stamp
                )
            return piece

        riders = range(len(rider_ptr) - 1)
        if self.options.threads == 1 or len(riders) < 2:
            pieces = [work(rider) for rider in riders]
        else:
            with ThreadPoolExecutor(self.options.threads) as pool:
                pieces = list(pool.map(work, riders))
        return _joined(self.network, self.options.mode, pieces)


def _match_one(
    network: StreetNetwork,
    graph: MatchGraph,
    t_s: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    options: MatchOptions,
    space: Space,
    stamp: int,
) -> tuple[_Piece, int]:
    n = len(t_s)
    xy = network.project(lonlat)
    x, y = np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1])
    sigma = options.sigma_m or _estimate_sigma_m(x, y, graph)
    beta = options.beta_m or 5.0 + 0.5 * sigma
    share = BETA_SHARE if options.beta_m is None else 0.0
    kept, chain = np.empty(n, np.int32), np.empty(n, np.int32)
    chosen, offset, away = np.empty(n, np.int32), np.empty(n), np.empty(n)
    start, role = np.empty(n, np.int64), np.zeros(n, np.int8)
    track = Track(x, y, np.ascontiguousarray(t_s))
    model = Model(
        sigma,
        beta,
        share,
        options.candidates,
        options.beam,
        options.break_cost,
        options.correlation_s,
        options.max_gap_s,
        options.max_speed_mps or MAX_SPEED_MPS[options.mode],
        options.u_turn_m,
    )
    memory = Decoded(kept, chosen, offset, away, chain, start, role)
    k, path, stamp = match_rider(track, model, graph.graph, graph.grid, space, stamp + 1, memory)
    kept, chain, start = kept[:k], chain[:k], start[:k]
    directed, along_m, off_m = np.full(n, -1, np.int32), np.zeros(n), np.full(n, np.inf)
    directed[role == KEPT], along_m[role == KEPT], off_m[role == KEPT] = chosen[:k], offset[:k], away[:k]
    enter_s, span_m = np.empty(len(path)), np.empty((len(path), 2))
    lay_points(
        track,
        Decoded(kept, chosen[:k], offset[:k], away[:k], chain, start, role),
        path,
        graph.graph,
        graph.grid,
        network.geom_ptr,
        Onto(directed, along_m, off_m),
        Ridden(enter_s, span_m),
    )
    heads = np.flatnonzero(np.r_[True, chain[1:] != chain[:-1]]) if k else np.empty(0, np.int64)
    ends = np.r_[heads[1:] - 1, k - 1] if k else heads
    ptr = np.r_[start[heads], len(path)].astype(np.int64)
    return _Piece(
        directed, along_m, off_m, ptr, t_s[kept[ends]].astype(np.float64), path, enter_s, span_m, sigma
    ), stamp


def _estimate_sigma_m(x: NDArray[np.float64], y: NDArray[np.float64], graph: MatchGraph) -> float:
    """Median absolute deviation of the distances to the nearest street, as a standard deviation."""
    step = max(1, len(x) // SAMPLE)
    away = nearest_m(np.ascontiguousarray(x[::step]), np.ascontiguousarray(y[::step]), 60.0, graph.grid)
    away = away[np.isfinite(away)]
    return float(np.clip(1.4826 * np.median(away), 8.0, 25.0)) if len(away) else 10.0


def _joined(network: StreetNetwork, mode: str, pieces: list[_Piece]) -> Matched:
    sizes = np.cumsum([0] + [len(p.path) for p in pieces])
    path = np.concatenate([np.empty(0, np.int32)] + [p.path for p in pieces])
    allowed = (network.edge_access >> MODES.index(mode)) & 1
    return Matched(
        directed=np.concatenate([np.empty(0, np.int32)] + [p.directed for p in pieces]),
        offset_m=np.concatenate([np.empty(0)] + [p.offset_m for p in pieces]),
        away_m=np.concatenate([np.empty(0)] + [p.away_m for p in pieces]),
        piece_ptr=np.concatenate(
            [p.ptr[:-1] + size for p, size in zip(pieces, sizes, strict=False)] + [sizes[-1:]]
        ),
        piece_rider=np.repeat(np.arange(len(pieces), dtype=np.int32), [len(p.end_s) for p in pieces]),
        piece_end_s=np.concatenate([np.empty(0)] + [p.end_s for p in pieces]),
        path=path,
        enter_s=np.concatenate([np.empty(0)] + [p.enter_s for p in pieces]),
        span_m=np.concatenate([np.empty((0, 2))] + [p.span_m for p in pieces]),
        wrong_way=allowed[path & 1, path >> 1] == 0,
        sigma_m=np.array([p.sigma_m for p in pieces], np.float64),
    )
