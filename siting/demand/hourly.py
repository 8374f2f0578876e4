"""Demand inside a mask, or a share of it, hour by hour, less what fewer than k riders stand behind."""

import numpy as np
import numpy.typing as npt

from geo.privacy import suppress
from siting.demand.weighted import DemandLayer

__all__ = ["hourly_figures", "riders_behind"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


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
    riders = np.zeros(24, dtype=np.int64)
    if len(rider):
        pairs = np.unique(hour * (int(rider.max()) + 1) + rider)
        riders = np.bincount(pairs // (int(rider.max()) + 1), minlength=24)
    whole = suppress(np.array([total.sum()]), np.array([len(np.unique(rider))]), k)[0]
    return tuple(suppress(total, riders, k)), whole


def riders_behind(layer: DemandLayer, inside: BoolArray, hours: BoolArray | None = None) -> int:
    """Return how many riders rested at the points inside, in the given hours of the day."""
    rows = inside[layer.point]
    if hours is not None:
        rows = rows & hours[layer.hour]
    return len(np.unique(layer.rider[rows]))
