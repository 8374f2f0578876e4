"""Short names for the array types of this package."""

import numpy as np
import numpy.typing as npt

__all__ = [
    "BoolArray",
    "Float32Array",
    "FloatArray",
    "Int32Array",
    "Int64Array",
    "Integer",
    "UInt8Array",
    "UInt32Array",
]

Integer = int | np.int64
"""A whole number inside a kernel."""

BoolArray = npt.NDArray[np.bool_]
UInt8Array = npt.NDArray[np.uint8]
UInt32Array = npt.NDArray[np.uint32]
Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]
Float32Array = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]
