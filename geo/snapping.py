"""Snapping: the nearest point of a street that a mode may use.

A point inside a compound belongs to the streets of that compound, a point outside to the streets
outside: a fence is not crossed to save three metres (the complaint behind OSRM #7005 and #3386).
"""

import dataclasses

import numpy as np

from geo.arrays import BoolArray, FloatArray, Int32Array, Int64Array
from geo.errors import InputError

__all__ = ["WALK_MPS", "Snapped"]

WALK_MPS = 1.2
"""Speed on foot between a place and the street."""


@dataclasses.dataclass(frozen=True, eq=False)
class Snapped:
    """Places on the streets, one row for each point asked for.

    Attributes
    ----------
    edge : int32 (n,)
        Edge of the network, -1 where the point was refused.
    offset_m : float64 (n,)
        Metres along the edge from its ``u`` end.
    lonlat : float64 (n, 2)
        Foot point on the street, WGS-84 degrees; the point asked for where refused.
    walk_m : float64 (n,)
        Metres from the point to the street; infinite where no street is near.
    walk_ms : int64 (n,)
        The same as milliseconds on foot; 0 where refused.
    """

    edge: Int32Array
    offset_m: FloatArray
    lonlat: FloatArray
    walk_m: FloatArray
    walk_ms: Int64Array

    def __post_init__(self) -> None:
        n = len(self.edge)
        shapes = (self.offset_m.shape, self.walk_m.shape, self.walk_ms.shape, self.lonlat.shape)
        if shapes != ((n,), (n,), (n,), (n, 2)):
            raise InputError("the columns of snapped places must have one row for each place")

    def __len__(self) -> int:
        return len(self.edge)

    @property
    def ok(self) -> BoolArray:
        """Which points stand on a street."""
        return np.asarray(self.edge >= 0)

    def take(self, index: Int64Array | Int32Array | BoolArray | list[int] | slice) -> "Snapped":
        """Return the rows of `index` (positions, a mask or a slice)."""
        return Snapped(
            self.edge[index],
            self.offset_m[index],
            self.lonlat[index],
            self.walk_m[index],
            self.walk_ms[index],
        )
