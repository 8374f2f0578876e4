"""Hidden traffic of made cities: how slow each street is in each hour of the week, which no learner is told.

Streets belong to groups with peaks of their own; each direction of a street has a lasting factor besides.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.localtime import HOURS_A_WEEK

__all__ = ["GateTraffic", "Traffic", "free_traffic", "gate_traffic", "hidden_traffic"]

GROUPS = 12
PEAKS_H = (8.5, 12.0, 18.5)
LASTING = 0.35
"""Spread (standard deviation of the logarithm) of what lasts, at full strength."""


class Traffic(NamedTuple):
    """How many times as long as in free traffic a ride takes.

    Attributes
    ----------
    slow : float32 (168, g)
        By hour of the week (0: Monday, 0:00 to 1:00, local time) and group of streets; above 0.
    group : int16 (E,)
        Group of each edge.
    lasting : float32 (2E,)
        Factor of each directed edge at any hour; above 0.
    """

    slow: NDArray[np.float32]
    group: NDArray[np.int16]
    lasting: NDArray[np.float32]


class GateTraffic(NamedTuple):
    """How many times as long as usual gates take.

    ``slow`` float32 (168,) by hour of the week, ``lasting`` float32 (E,) at the gate of each edge; above 0.
    """

    slow: NDArray[np.float32]
    lasting: NDArray[np.float32]


def gate_traffic(edges: int, strength: float, rng: np.random.Generator) -> GateTraffic:
    """Draw how long gates take; with strength 0 as long as usual. Parameters as of `hidden_traffic`."""
    of_day = np.arange(HOURS_A_WEEK) % 24 + 0.5
    slow = np.ones(HOURS_A_WEEK)
    for at_h, height in zip(PEAKS_H, rng.uniform(0.0, 1.0, len(PEAKS_H)), strict=True):
        slow += strength * height * np.exp(-0.5 * ((of_day - at_h) / 1.5) ** 2)
    lasting = np.exp(rng.normal(0.0, 2 * LASTING, edges) * strength)
    return GateTraffic(slow.astype(np.float32), lasting.astype(np.float32))


def free_traffic(edges: int) -> Traffic:
    """Return traffic that slows nobody down, for a network of so many edges."""
    return Traffic(
        np.ones((HOURS_A_WEEK, 1), np.float32), np.zeros(edges, np.int16), np.ones(2 * edges, np.float32)
    )


def hidden_traffic(
    edge_class: NDArray[np.uint8], edge_name: NDArray[np.int32], strength: float, rng: np.random.Generator
) -> Traffic:
    """Draw the traffic of a city.

    Parameters
    ----------
    edge_class, edge_name : (E,)
        Of the network; the edges of one street lie in one group.
    strength : float
        0 (free) to 1 (twice as long in the worst group and hour, as a rule).
    rng : numpy.random.Generator
        All chance comes from here.
    """
    hour = np.arange(HOURS_A_WEEK)
    weekday, of_day = hour // 24 < 5, hour % 24 + 0.5
    slow = np.ones((HOURS_A_WEEK, GROUPS))
    height = rng.uniform(0.2, 1.0, (len(PEAKS_H), GROUPS))
    shift_h = rng.uniform(-1.0, 1.0, (len(PEAKS_H), GROUPS))
    for peak, at_h in enumerate(PEAKS_H):
        bell = np.exp(-0.5 * ((of_day[:, None] - at_h - shift_h[peak]) / 1.1) ** 2)
        slow += strength * height[peak] * bell * np.where(weekday, 1.0, 0.4)[:, None]
    street = np.where(edge_name >= 0, edge_name, 0).astype(np.int64)
    of_street = rng.integers(0, GROUPS, int(street.max(initial=0)) + 1)
    of_class = rng.integers(0, GROUPS, 256)
    group = np.where(edge_name >= 0, of_street[street], of_class[edge_class])
    lasting = np.exp(rng.normal(0.25, LASTING, 2 * len(edge_class)) * strength)
    return Traffic(slow.astype(np.float32), group.astype(np.int16), lasting.astype(np.float32))
