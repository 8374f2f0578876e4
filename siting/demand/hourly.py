"""Demand inside a mask, or a share of it, hour by hour, less what fewer than k riders stand behind."""

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from geo.privacy import riders_in_groups, suppress
from siting.demand.weighted import Demand, DemandLayer, DemandWeights

__all__ = ["HourRiders", "hour_riders", "hourly_figures", "known_hours", "riders_behind"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def hourly_figures(
    layer: DemandLayer, inside: BoolArray | FloatArray, days: int, k: int
) -> tuple[tuple[float | None, ...], float | None]:
    """Return (24 minutes a day, their total) of the points inside; None behind fewer than k riders.

    ``inside`` is (n,) which points, or (n, 24) which share (0-1) of each point and hour.
    """
    part = inside[layer.point] if inside.ndim == 1 else inside[layer.point, layer.hour]
    rows = part > 0
    hour, rider, minutes = layer.hour[rows], layer.rider[rows], layer.minutes[rows] * part[rows]
    total = np.bincount(hour, weights=minutes, minlength=24) / max(1, days)
    whole = suppress(np.array([total.sum()]), np.array([len(np.unique(rider))]), k)[0]
    return tuple(suppress(total, riders_in_groups(hour, rider, 24), k)), whole


def riders_behind(layer: DemandLayer, inside: BoolArray, hours: BoolArray | None = None) -> int:
    """Return how many riders rested at the points inside, in the given hours of the day."""
    rows = inside[layer.point]
    if hours is not None:
        rows = rows & hours[layer.hour]
    return len(np.unique(layer.rider[rows]))


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class HourRiders:
    """Who rests where in which hour of the day: for advice on hours, one of fewer than k riders is unknown.

    Columns of equal length, each (demand point, hour, rider) once.
    """

    point: IntArray
    hour: IntArray
    rider: IntArray
    k: int

    def near(self, group: IntArray, groups: int) -> BoolArray:
        """Return (groups, 24) which hours are known; ``group`` (n,) is that of each demand point, or -1."""
        mine = group[self.point]
        inside = mine >= 0
        cell = mine[inside] * 24 + self.hour[inside]
        riders = riders_in_groups(cell, self.rider[inside], 24 * groups)
        return np.asarray(riders.reshape(groups, 24) >= self.k)

    def within(self, reach: BoolArray) -> BoolArray:
        """Return (s, 24) which hours are known at each site; ``reach`` (n, s) says who reaches it."""
        out = np.zeros((reach.shape[1], 24), dtype=np.bool_)
        sites = csr_array(reach.T.astype(np.int64))
        span = int(self.rider.max(initial=0)) + 1
        for hour in np.unique(self.hour).tolist():
            now = self.hour == hour
            ones = np.ones(int(now.sum()), dtype=np.int64)
            who = csr_array((ones, (self.point[now], self.rider[now])), shape=(len(reach), span))
            out[:, hour] = np.diff((sites @ who).indptr) >= self.k
        return out


def hour_riders(demand: Demand, weights: DemandWeights, k: int) -> HourRiders:
    """Return who stands behind the hours of a demand: who rests, or all others where rest does not count."""
    layers = [layer for name, layer in demand.layers() if getattr(weights, name) > 0 and len(layer.point) > 0]
    if weights.rest > 0:
        # what is published by the hour is rest
        layers = [demand.rest]
    columns = [
        np.concatenate([getattr(layer, name) for layer in layers] or [np.empty(0, dtype=np.int64)])
        for name in ("point", "hour", "rider")
    ]
    point, hour, rider = np.unique(np.array(columns, dtype=np.int64), axis=1)
    return HourRiders(point, hour, rider, k)


def known_hours(layer: DemandLayer, inside: BoolArray, k: int) -> BoolArray:
    """Return (24,) in which hours at least k riders rested at the points inside."""
    rows = inside[layer.point]
    who = HourRiders(layer.point[rows], layer.hour[rows], layer.rider[rows], k)
    return np.asarray(who.near(np.where(inside, 0, -1), 1)[0], dtype=np.bool_)
