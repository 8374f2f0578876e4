"""Where a rider usually goes next: places of past stops, and how often one followed another.

Places are squares of a grid in which riders stopped. Five ways to guess the next place stand side by side:
what this rider did after the last two places and after the last one (Markov chains of order two and one),
where the rider stops at all, what all riders did after this place, and places of all riders by their
distance. They are mixed by weights that held-out stops ask for (deleted interpolation: F. Jelinek, R. Mercer,
"Interpolated estimation of Markov source parameters from sparse data", 1980), and so is the chance that the
next stop is at none of the places. What has no data leaves its weight to the others, which is the back-off.
"""

import dataclasses
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.earth import DEGREE_M
from geo.localtime import HOUR_S

__all__ = ["CELL_M", "PARTS", "Habits", "PastStops", "learn_habits"]

CELL_M: Final = 100.0
"""Side of the squares: a court with its gate, a row of shops."""
APART_S: Final = 4 * HOUR_S
"""After so long without a stop, the next one follows none."""
PARTS: Final = ("two before", "one before", "own places", "all riders", "distance")
WEIGHTS: Final = (0.10, 0.20, 0.15, 0.15, 0.30, 0.10)
"""Of the parts and of a new place, where there are too few stops to ask for them."""
LEAST_STOPS: Final = 100
"""Held-out stops below which the weights are not asked for."""
MOST_STOPS: Final = 1500
HELD: Final = 0.25
ROUNDS: Final = 25
LEG_M: Final = np.array([250.0, 500.0, 800.0, 1200.0, 1800.0, 2600.0, 4000.0])
"""Ends of the classes of distance between two stops."""


class PastStops(NamedTuple):
    """Where riders stopped. Raw, as traces: what is learned of it stays with who owns the riders.

    Attributes
    ----------
    rider : int64 (n,)
        Numbered from 0.
    t_s : float64 (n,)
        Epoch seconds of arriving.
    lonlat : float64 (n, 2)
        WGS-84 degrees.
    """

    rider: NDArray[np.int64]
    t_s: NDArray[np.float64]
    lonlat: NDArray[np.float64]

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "PastStops":
        """Return some of them."""
        return PastStops(self.rider[rows], self.t_s[rows], self.lonlat[rows])


class _Followers(NamedTuple):
    """Counts of what followed: the followers of context ``key[i]`` are rows ``ptr[i]`` to ``ptr[i + 1]``."""

    key: NDArray[np.int64]
    ptr: NDArray[np.int64]
    place: NDArray[np.int64]
    seen: NDArray[np.float64]

    def of(self, key: int, places: int) -> NDArray[np.float64] | None:
        """Return the shares (places,) of what followed a context; None where nothing is known."""
        at = int(np.searchsorted(self.key, key))
        if at == len(self.key) or self.key[at] != key:
            return None
        rows = slice(int(self.ptr[at]), int(self.ptr[at + 1]))
        out = np.zeros(places)
        out[self.place[rows]] = self.seen[rows]
        return np.asarray(out / out.sum())


@dataclasses.dataclass(frozen=True, eq=False)
class Habits:
    """What is known of riders' stops.

    Attributes
    ----------
    lonlat : float64 (p, 2)
        Middle of the stops at each place.
    stops : float64 (p,)
        How many there were, of all riders.
    weights : float64 (6,)
        Of the `PARTS` and of a place that is not known.
    """

    lonlat: NDArray[np.float64]
    stops: NDArray[np.float64]
    weights: NDArray[np.float64]
    _cell: NDArray[np.int64]
    _tables: tuple[_Followers, _Followers, _Followers, _Followers]
    _busy: NDArray[np.bool_]
    _legs: NDArray[np.float64]
    _grid: "_Grid"

    def __len__(self) -> int:
        return len(self.stops)

    def place_at(self, lonlat: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the place of each position (n, 2); -1 where nobody stopped in its square."""
        if not len(self):
            return np.full(len(lonlat), -1)
        cell = self._grid.cell(lonlat)
        at = np.minimum(np.searchsorted(self._cell, cell), len(self._cell) - 1)
        return np.where(self._cell[at] == cell, at, -1)

    def parts(
        self, rider: int, before: int, last: int, start: tuple[float, float]
    ) -> list[NDArray[np.float64] | None]:
        """Return what each of the `PARTS` says of the next place: shares (p,), or None.

        Parameters
        ----------
        rider : int
            -1: nobody known.
        before, last : int
            The places of the last stop but one and of the last one; -1: none, or not known.
        start : (float, float)
            From where the rider left, degrees.
        """
        p = len(self)
        two, one, own, everybody = self._tables
        chain = last >= 0
        found = [
            two.of((rider * p + before) * p + last, p) if chain and before >= 0 and rider >= 0 else None,
            one.of(rider * p + last, p) if chain and rider >= 0 else None,
            own.of(rider, p) if rider >= 0 else None,
            everybody.of(last, p) if chain else None,
            self._by_distance(last, start),
        ]
        return [_without(shares, last) for shares in found]

    def prior(
        self, rider: int, before: int, last: int, start: tuple[float, float]
    ) -> tuple[NDArray[np.float64], float]:
        """Return the probability of each place to be the next stop (p,), and that it is none of them."""
        rows, known = _stacked(self.parts(rider, before, last, start), len(self))
        weights = self.weights * known
        weights /= weights.sum()
        return weights[:-1] @ rows, float(weights[-1])

    def _by_distance(self, last: int, start: tuple[float, float]) -> NDArray[np.float64] | None:
        if not len(self):
            return None
        away = np.searchsorted(LEG_M, _metres(self.lonlat, np.array(start)))
        legs = self._legs.mean(axis=0) if last < 0 else self._legs[int(self._busy[last])]
        weight = self.stops * legs[self._busy.astype(np.int64), away]
        total = weight.sum()
        return weight / total if total > 0 else None


@dataclasses.dataclass(frozen=True)
class _Grid:
    """Squares about a latitude."""

    lat: float

    def cell(self, lonlat: NDArray[np.float64]) -> NDArray[np.int64]:
        east = np.floor(lonlat[:, 0] * DEGREE_M * np.cos(np.radians(self.lat)) / CELL_M).astype(np.int64)
        north = np.floor(lonlat[:, 1] * DEGREE_M / CELL_M).astype(np.int64)
        return np.asarray((north << 24) + east)


def _metres(lonlat: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return metres as the crow flies, good enough within a city."""
    east = (lonlat[..., 0] - other[..., 0]) * np.cos(np.radians(other[..., 1]))
    return np.asarray(np.hypot(east, lonlat[..., 1] - other[..., 1]) * DEGREE_M)


def _without(shares: NDArray[np.float64] | None, last: int) -> NDArray[np.float64] | None:
    """Leave out the place where the rider stopped last: whoever goes on goes elsewhere."""
    if shares is None or last < 0 or shares[last] == 0.0:
        return shares
    rest = shares.copy()
    rest[last] = 0.0
    total = rest.sum()
    return rest / total if total > 0 else None


def _stacked(
    found: list[NDArray[np.float64] | None], places: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (parts, p) shares, and (parts + 1,) whether there are any; a new place is always possible."""
    rows = np.array([np.zeros(places) if one is None else one for one in found]).reshape(len(found), places)
    return rows, np.array([*(one is not None for one in found), True], np.float64)


def _followers(key: NDArray[np.int64], place: NDArray[np.int64]) -> _Followers:
    size = int(place.max(initial=0)) + 1
    pair, count = np.unique(key * size + place, return_counts=True)
    contexts, first = np.unique(pair // size, return_index=True)
    return _Followers(contexts, np.append(first, len(pair)), pair % size, count.astype(np.float64))


class _Steps(NamedTuple):
    """Stops that follow others: whose, the two places before (-1: none), where, when; -1: no known place."""

    rider: NDArray[np.int64]
    before: NDArray[np.int64]
    last: NDArray[np.int64]
    place: NDArray[np.int64]
    t_s: NDArray[np.float64]
    start: NDArray[np.float64]


def _steps(stops: PastStops, place: NDArray[np.int64]) -> _Steps:
    """Join stops at one place that follow each other, and say what came before each."""
    same = np.zeros(len(place), np.bool_)
    same[1:] = (place[1:] == place[:-1]) & (stops.rider[1:] == stops.rider[:-1]) & (place[1:] >= 0)
    rider, t_s, place = stops.rider[~same], stops.t_s[~same], place[~same]
    lonlat = stops.lonlat[~same]
    follows = np.zeros(len(place), np.bool_)
    follows[1:] = (rider[1:] == rider[:-1]) & (np.diff(t_s) < APART_S)
    last = np.where(follows, np.roll(place, 1), -1)
    before = np.where(follows & np.roll(follows, 1), np.roll(place, 2), -1)
    rows = np.flatnonzero(follows)
    return _Steps(rider[rows], before[rows], last[rows], place[rows], t_s[rows], lonlat[rows - 1])


def learn_habits(stops: PastStops) -> Habits:
    """Learn where riders stop and what follows what.

    Parameters
    ----------
    stops : PastStops
        In any order. All riders should belong to one owner, for each is judged by the others too.

    Returns
    -------
    Habits
        The same for the same stops.
    """
    order = np.lexsort((stops.t_s, stops.rider))
    stops = stops.take(order)
    if not len(stops.t_s):
        return _counted(stops, np.array(WEIGHTS))
    cut = float(np.quantile(stops.t_s, 1.0 - HELD))
    early = stops.t_s < cut
    seen = _counted(stops.take(early), np.array(WEIGHTS))
    held = _steps(stops, seen.place_at(stops.lonlat))
    rows = np.flatnonzero(held.t_s >= cut)
    weights = np.array(WEIGHTS)
    if len(rows) >= LEAST_STOPS and len(seen):
        rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_STOPS)).astype(np.int64)]
        weights = _asked_for(seen, held, rows)
    return _counted(stops, weights)


def _asked_for(seen: Habits, held: _Steps, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the weights that make the held-out stops most likely (expectation maximisation)."""
    chance = np.zeros((len(rows), len(PARTS) + 1))
    known = np.zeros_like(chance)
    for at, row in enumerate(rows.tolist()):
        place = int(held.place[row])
        lon, lat = held.start[row].tolist()
        found = seen.parts(int(held.rider[row]), int(held.before[row]), int(held.last[row]), (lon, lat))
        known[at, :-1] = [one is not None for one in found]
        known[at, -1] = 1.0
        if place < 0:
            chance[at, -1] = 1.0
        else:
            chance[at, :-1] = [0.0 if one is None else one[place] for one in found]
    weights = np.array(WEIGHTS)
    for _ in range(ROUNDS):
        mine = weights * known
        mine /= mine.sum(axis=1, keepdims=True)
        mine *= chance
        total = mine.sum(axis=1, keepdims=True)
        explained = total[:, 0] > 0
        # One of each as if seen: no weight falls to nothing.
        weights = (mine[explained] / total[explained]).sum(axis=0) + 1.0
        # A part that is seldom known counts by how good it was where it was.
        weights /= known.sum(axis=0) + len(weights)
        weights /= weights.sum()
    return weights


def _counted(stops: PastStops, weights: NDArray[np.float64]) -> Habits:
    grid = _Grid(round(float(stops.lonlat[:, 1].mean()), 1) if len(stops.t_s) else 0.0)
    cell, place, count = np.unique(grid.cell(stops.lonlat), return_inverse=True, return_counts=True)
    p = len(cell)
    middle = np.stack([np.bincount(place, stops.lonlat[:, axis], p) for axis in (0, 1)], axis=1)
    steps = _steps(stops, place)
    chain = steps.before >= 0
    two = (steps.rider * p + steps.before) * p + steps.last
    tables = (
        _followers(two[chain], steps.place[chain]),
        _followers(steps.rider * p + steps.last, steps.place),
        _followers(stops.rider, place),
        _followers(steps.last, steps.place),
    )
    lonlat = middle / np.maximum(count, 1)[:, None]
    busy = _busy(count)
    legs = _leg_weights(lonlat, count, busy, steps)
    return Habits(lonlat, count.astype(np.float64), weights, cell, tables, busy, legs, grid)


def _busy(count: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the places where most stops are: those that hold half of them. Shops are, doors are not."""
    order = np.argsort(-count, kind="stable")
    before = np.cumsum(count[order]) - count[order]
    busy = np.zeros(len(count), np.bool_)
    busy[order[before < count.sum() / 2]] = True
    return busy


def _leg_weights(
    lonlat: NDArray[np.float64], count: NDArray[np.int64], busy: NDArray[np.bool_], steps: _Steps
) -> NDArray[np.float64]:
    """Return how much likelier stops follow each other than at random.

    By whether the last place and the next one are busy, and by the class of distance between them: (2, 2, 8).
    """
    classes = len(LEG_M) + 1
    asked = np.unique(np.linspace(0, len(steps.last) - 1, min(len(steps.last), 300)).astype(np.int64))

    def kind(last: NDArray[np.int64], then: NDArray[np.int64]) -> NDArray[np.int64]:
        away = np.searchsorted(LEG_M, _metres(lonlat[then], lonlat[last]))
        return np.asarray(busy[last] * 2 * classes + busy[then] * classes + away)

    ridden = np.bincount(kind(steps.last, steps.place), minlength=4 * classes) + 0.5
    everywhere = np.arange(len(count))[None, :] + 0 * asked[:, None]
    chance = np.bincount(
        kind(steps.last[asked][:, None] + 0 * everywhere, everywhere).ravel(),
        np.tile(count, len(asked)),
        4 * classes,
    )
    chance = chance / max(chance.sum(), 1.0) + 1.0 / classes / 100.0
    return np.asarray((ridden / ridden.sum() / chance).reshape(2, 2, classes))
