"""Which riders a task may be offered to at all, before any time is looked at."""

import numpy as np

from geo.arrays import Int64Array, UInt8Array
from geo.jit import kernel
from routing.fleet.kernels.tables import Ms

__all__ = ["eligible"]


@kernel
def eligible(
    ok: UInt8Array, skills: Int64Array, platform: Int64Array, row: Ms, wanted: Ms, platforms: Ms, barred: Ms
) -> bool:
    """Whether the rider of a row may be asked: on duty, with all skills, of the platforms (0: of any).

    `ok`, `skills` and `platform` are columns by row; `barred` is a row that is not asked, -1 for none.
    """
    if row == barred or ok[row] == 0 or (np.int64(wanted) & ~skills[row]) != 0:
        return False
    return bool(platforms == 0 or (platforms & platform[row]) != 0)
