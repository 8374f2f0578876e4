"""The figures of a study that ask to be published, told by demand points, hours and days.

Whoever computes a figure says here, under the figure's path, what it counts; `siting.published` withholds
what the gate (`geo.privacy.Figures`) does not let through. What nobody asked for is withheld.
"""

import copy
from typing import Final

import numpy as np
import numpy.typing as npt

from geo.privacy import Figures
from siting.demand.weighted import Demand, DemandLayer, DemandWeights

__all__ = ["RANK", "Asked", "thousandths"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

RANK: Final = {
    "total": 0, "plan": 1, "station": 2, "grid": 3, "spot": 4, "other": 5, "station_hour": 6,
    "spot_hour": 7, "cell": 8, "alternative": 9
}  # fmt: skip
"""What is withheld first where several figures tell too much together: the highest number."""
_SECONDS: Final = 3600
"""Shares of an hour count in whole seconds."""
_WEIGHT: Final = 1000
"""Weights of layers count in whole thousandths."""
_SHARE: Final = 1000
"""Shares of demand count in whole thousandths."""


def thousandths(share: FloatArray) -> IntArray:
    """Return (n, 24) shares (0-1) as whole thousandths: how often the rows of each cell count.

    What is not quite nothing or not quite all stays so, for there is somebody on both sides of it.
    """
    out = np.clip(np.rint(_SHARE * share), 1, _SHARE - 1).astype(np.int64)
    out[share <= 1e-6] = 0
    out[share >= 1 - 1e-6] = _SHARE
    return out


class Asked:
    """Figures of one study with what they count.

    Parameters
    ----------
    k
        Fewest riders behind a published figure.
    """

    def __init__(self, k: int) -> None:
        self.k = k
        self.figures = Figures(k)
        self._demand: Demand | None = None
        self._stays: dict[str, int] = {}
        self._at: dict[str, tuple[IntArray, IntArray]] = {}
        """Rows of each layer by demand point, and where each point begins."""
        self._days: BoolArray | IntArray | None = None
        self._plain: set[str] = set()

    def on(self, days: BoolArray | IntArray) -> "Asked":
        """Return the same figures, where what is asked for from now on counts some days only.

        ``days`` is (days,) which count; for `minutes` also how often each does.
        """
        out = copy.copy(self)
        out._days = days
        return out

    def plain(self, path: str) -> None:
        """Declare a number that follows from the plan alone, such as 0 of a station that closes."""
        self._plain.add(path)

    def shown(self) -> frozenset[str]:
        """Return the paths of all that may be published together."""
        return self.figures.shown() | self._plain

    def of_demand(self, demand: Demand) -> None:
        """Declare whose demand the figures tell of; before that nothing can be asked for."""
        self._demand = demand
        for name, layer in demand.layers():
            self.figures.rows(name, layer.rider)

    def minutes(
        self,
        path: str,
        layer: str,
        points: BoolArray | IntArray | None,
        rank: str,
        *,
        hours: npt.NDArray[np.bool_] | FloatArray | None = None,
        nobody: bool = False,
    ) -> None:
        """Ask for minutes of one layer.

        Parameters
        ----------
        path : name of the figure
        layer : ``rest``, ``due_break`` or ``passing``
        points : (n,) which demand points count, or how often; (n, 24) how often each hour of them; None for
            all
        rank : one of `RANK`
        hours : (24,) which hours count, or which share of each
        nobody : whether it may be shown when nobody stands behind it
        """
        if self._demand is None:
            return
        rows = self._layer(layer)
        times = np.ones(len(rows.point), dtype=np.int64)
        if points is not None:
            times = _times(points, rows)
        if hours is not None:
            times = (
                times * np.round(_SECONDS * np.asarray(hours, dtype=np.float64)).astype(np.int64)[rows.hour]
            )
        if self._days is not None:
            times = times * self._days[rows.day]
        self.figures.add(path, layer, times != 0, times, rank=RANK[rank], nobody=nobody)

    def by_hour(self, path: str, layer: str, points: BoolArray | IntArray, rank: str) -> None:
        """Ask for the minutes of each hour of the day, under ``path/0`` to ``path/23``.

        ``points`` is (n,) which demand points count, or (n, 24) how often each hour of them.
        """
        if self._demand is None:
            return
        rows = self._layer(layer)
        inside = np.asarray(points if points.ndim == 1 else points.any(axis=1), dtype=np.bool_)
        mine = self._rows(layer, inside)
        times = np.ones(len(mine), dtype=np.int64)
        if points.ndim == 2:
            times = points[rows.point[mine], rows.hour[mine]].astype(np.int64)
        hour = rows.hour[mine]
        for number in np.unique(hour[times != 0]).tolist():
            now = (hour == number) & (times != 0)
            self.figures.add(f"{path}/{number}", layer, mine[now], times[now], rank=RANK[rank])

    def share(
        self,
        path: str,
        layer: str,
        part: BoolArray | IntArray,
        whole: BoolArray | None,
        rank: str,
    ) -> None:
        """Ask for a share: it tells the part, the whole and what is left, of whom there may be nobody.

        ``part`` and ``whole`` as in `minutes`; in which unit each counts makes no difference.
        """
        self.minutes(path, layer, part, rank, nobody=True)
        self.minutes(path, layer, whole, rank)

    def weighted(self, path: str, weights: DemandWeights, points: BoolArray | IntArray, rank: str) -> None:
        """Ask for the weighted minutes of all layers as the choice counts; ``points`` as in `minutes`."""
        if self._demand is None:
            return
        parts = []
        for name, layer in self._demand.layers():
            weight = round(_WEIGHT * getattr(weights, name))
            times = weight * _times(points, layer)
            if self._days is not None:
                times = times * self._days[layer.day]
            parts.append((name, times != 0, times))
        self.figures.add_mixed(path, parts, rank=RANK[rank], nobody=True)

    def rests(
        self, path: str, events: BoolArray, rank: str, *, by_hour: bool = False, nobody: bool = False
    ) -> None:
        """Ask for the minutes of some rests, (e,) a mask; ``by_hour`` as `by_hour` does."""
        if self._demand is None or self._demand.rest.event is None:
            return
        rows = self._demand.rest
        mine = np.nonzero(events[rows.event])[0]
        if not by_hour:
            self.figures.add(path, "rest", mine, rank=RANK[rank], nobody=nobody)
            return
        hour = rows.hour[mine]
        for number in np.unique(hour).tolist():
            self.figures.add(f"{path}/{number}", "rest", mine[hour == number], rank=RANK[rank])

    def of_stays(self, kind: str, rider: IntArray) -> None:
        """Declare the stays of one kind: (s,) the rider of each, in the order in which they are counted."""
        self._stays[kind] = len(rider)
        self.figures.rows(f"stay {kind}", rider)

    def stays(self, path: str, kind: str, rows: IntArray | BoolArray, rank: str) -> None:
        """Ask for a figure of some stays of one kind: their number, or whatever is computed of them alone."""
        if kind in self._stays:
            self.figures.add(path, f"stay {kind}", rows, rank=RANK[rank])

    def all_stays(self, path: str) -> None:
        """Ask for the number of all stays, and under ``path_by_kind/KIND`` for that of each kind."""
        parts = [(f"stay {kind}", np.arange(count), None) for kind, count in self._stays.items()]
        self.figures.add_mixed(path, parts, rank=RANK["total"])
        for kind, count in self._stays.items():
            self.stays(f"{path}_by_kind/{kind}", kind, np.arange(count), "total")

    def riders(self, path: str, layer: str, points: BoolArray | None, within: str | None) -> None:
        """Ask for how many riders have a part in a layer at some demand points."""
        if self._demand is None:
            return
        rows = self._layer(layer)
        if points is not None:
            mine = self._rows(layer, points)
        elif self._days is not None:
            mine = np.nonzero(self._days[rows.day] != 0)[0]
        else:
            mine = np.arange(len(rows.point))
        self.figures.add_riders(path, rows.rider[mine], within)

    def _rows(self, layer: str, points: BoolArray) -> IntArray:
        """Return the rows of a layer at some demand points, without a look at all the others."""
        if layer not in self._at:
            point = self._layer(layer).point
            order = np.argsort(point, kind="stable")
            self._at[layer] = order, np.searchsorted(point[order], np.arange(len(points) + 1))
        order, cuts = self._at[layer]
        inside = np.nonzero(points)[0]
        size = cuts[inside + 1] - cuts[inside]
        first = np.repeat(cuts[inside] - np.cumsum(size) + size, size)
        mine = np.sort(order[first + np.arange(len(first))])
        return mine if self._days is None else mine[self._days[self._layer(layer).day[mine]] != 0]

    def _layer(self, name: str) -> DemandLayer:
        assert self._demand is not None  # noqa: S101 - callers look
        layer: DemandLayer = getattr(self._demand, name)
        return layer


def _times(points: BoolArray | IntArray, layer: DemandLayer) -> IntArray:
    """Return (rows,) how often each row of a layer counts."""
    times = np.asarray(points, dtype=np.int64)
    return times[layer.point] if times.ndim == 1 else times[layer.point, layer.hour]
