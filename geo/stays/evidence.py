"""What was found by the silence of phones."""

import numpy as np
import numpy.typing as npt

from geo.stays.detect import StayPoints
from geo.stays.signs import SILENT

__all__ = ["silent_stays"]


def silent_stays(stays: StayPoints) -> npt.NDArray[np.bool_]:
    """Return (stays,) which of them hold a silence of the phone."""
    return np.asarray(stays.signs & SILENT > 0, dtype=np.bool_)
