"""Times between places on streets and the ends of these."""

import numpy as np

from geo.arrays import FloatArray, Int64Array, UInt32Array
from geo.jit import kernel
from geo.travel import part_ms
from routing.fleet.kernels.tables import NO

__all__ = ["fill_runs"]


@kernel
def fill_runs(
    offset_m: FloatArray, length_m: FloatArray, cost_ms: UInt32Array, along: Int64Array, against: Int64Array
) -> None:
    """Write the milliseconds to places from the ends of their streets, where each begins and ends.

    `cost_ms` (n, 2) is what the whole street takes along and against.
    """
    for q in range(len(offset_m)):
        forth, back = np.int64(cost_ms[q, 0]), np.int64(cost_ms[q, 1])
        if forth == NO:
            forth = np.int64(0)
        if back == NO:
            back = np.int64(0)
        along[q] = part_ms(forth, 0, offset_m[q], length_m[q])
        against[q] = part_ms(back, 1, offset_m[q], length_m[q])
