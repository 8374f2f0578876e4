"""How long a directed edge takes a mode: its length, its speed, what was learned of it, and the promise."""

import numpy as np

from geo.arrays import BoolArray, FloatArray, UInt32Array
from geo.streets.mode_graph import NO

__all__ = ["EBIKE_PROMISE_MPS", "directed_cost_ms"]

EBIKE_PROMISE_MPS = 15 / 3.6
"""Delivery times of e-bikes are computed at no more than 15 km/h (national standard, December 2025)."""
LONGEST_MS = float(1 << 30)
"""No street takes longer than 12 days, so that sums of a few fit into 32 bits."""


def directed_cost_ms(
    length_m: FloatArray,
    speed_mps: FloatArray,
    allowed: BoolArray,
    factor: FloatArray | None,
    most_mps: float,
) -> UInt32Array:
    """Return milliseconds of each directed edge (2E,), `NO` where it may not be used.

    Parameters
    ----------
    length_m, speed_mps : (E,)
    allowed : bool (2E,)
    factor : (2E,) or None
        How many times as long each directed edge takes, as learned.
    most_mps : float
        Never faster, whatever was learned.
    """
    with np.errstate(divide="ignore"):
        ms = np.repeat(length_m / np.minimum(speed_mps, most_mps) * 1000, 2)
    if factor is not None:
        ms = np.maximum(ms * factor, np.repeat(length_m / most_mps * 1000, 2))
    return np.where(allowed, np.clip(np.round(ms), 1, LONGEST_MS), NO).astype(np.uint32)
