"""Closed rings of positions in columns, several to a polygon where it has holes."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.arrays import BoolArray, FloatArray, Int32Array, Int64Array
from geo.errors import InputError

__all__ = ["Rings", "even_odd", "spans"]


def spans(starts: Int64Array, lengths: Int64Array) -> Int64Array:
    """Positions ``start .. start + length - 1`` of every span, one after the other."""
    total = int(lengths.sum())
    shift = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
    return np.asarray(shift + np.arange(total), dtype=np.int64)


def even_odd(rings: Iterable[FloatArray]) -> BaseGeometry:
    """Polygon or multipolygon of rings filled by the even-odd rule, repaired where a ring crosses itself."""
    polygons = [shapely.Polygon(ring) for ring in rings]
    if len(polygons) == 1 and polygons[0].is_valid:
        return polygons[0]
    shape: BaseGeometry = shapely.Polygon()
    for polygon in polygons:
        part = shapely.make_valid(polygon)
        shape = part if shape.is_empty else shape.symmetric_difference(part)
    parts = [g for g in shapely.get_parts(shape) if g.geom_type in ("Polygon", "MultiPolygon")]
    if len(parts) == 1:
        return parts[0]
    return shapely.union_all(parts)


@dataclass(frozen=True, eq=False)
class Rings:
    """Closed rings; those with the same `polygon` belong together and fill by the even-odd rule (holes).

    Attributes
    ----------
    ptr : int64 (r + 1,)
        Ring ``i`` is ``lonlat[ptr[i]:ptr[i + 1]]``; its last position equals the first.
    lonlat : float64 (ptr[-1], 2)
        WGS-84 degrees.
    polygon : int32 (r,)
        Polygon that the ring belongs to, rising from 0.
    """

    ptr: Int64Array
    lonlat: FloatArray
    polygon: Int32Array

    def __post_init__(self) -> None:
        if len(self.ptr) != len(self.polygon) + 1 or self.ptr[-1] != len(self.lonlat):
            raise InputError("rings need one polygon number each and a pointer to their positions")

    def __len__(self) -> int:
        """Count the polygons."""
        return int(self.polygon[-1]) + 1 if len(self.polygon) else 0

    @staticmethod
    def empty() -> "Rings":
        """No rings at all."""
        return Rings(np.zeros(1, np.int64), np.empty((0, 2)), np.empty(0, np.int32))

    def ring(self, index: int) -> FloatArray:
        """Positions (k, 2) of one ring."""
        return self.lonlat[self.ptr[index] : self.ptr[index + 1]]

    def take(self, polygons: BoolArray) -> "Rings":
        """Keep the polygons where the mask is true, numbered anew."""
        keep = polygons[self.polygon] if len(self.polygon) else np.zeros(0, np.bool_)
        number = np.cumsum(polygons) - 1
        lengths = np.diff(self.ptr)[keep]
        return Rings(
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            self.lonlat[spans(self.ptr[:-1][keep], lengths)],
            number[self.polygon[keep]].astype(np.int32),
        )

    def boxes(self) -> tuple[FloatArray, FloatArray]:
        """South-west and north-east corner (p, 2) of each polygon."""
        if not len(self.polygon):
            return np.empty((0, 2)), np.empty((0, 2))
        low, high = (f.reduceat(self.lonlat, self.ptr[:-1], axis=0) for f in (np.minimum, np.maximum))
        first = np.flatnonzero(np.diff(self.polygon, prepend=-1))
        return np.minimum.reduceat(low, first, axis=0), np.maximum.reduceat(high, first, axis=0)

    def measures(self) -> tuple[FloatArray, FloatArray]:
        """Signed area (r,), in square degrees, and centroid (r, 2) of each ring."""
        if not len(self.polygon):
            return np.empty(0), np.empty((0, 2))
        lengths = np.diff(self.ptr)
        origin = self.lonlat[self.ptr[:-1]]
        local = self.lonlat - np.repeat(origin, lengths, axis=0)
        follow = np.roll(local, -1, axis=0)
        follow[self.ptr[1:] - 1] = local[self.ptr[1:] - 1]
        cross = local[:, 0] * follow[:, 1] - follow[:, 0] * local[:, 1]
        area = np.add.reduceat(cross, self.ptr[:-1]) / 2
        moment = np.add.reduceat((local + follow) * cross[:, None], self.ptr[:-1], axis=0)
        mean = np.add.reduceat(local, self.ptr[:-1], axis=0) / lengths[:, None]
        flat = np.abs(area) < 1e-16
        centre = np.where(flat[:, None], mean, moment / (6 * np.where(flat, 1.0, area))[:, None])
        return area, origin + centre

    def centroids(self) -> FloatArray:
        """Centroid (p, 2) of the largest ring of each polygon."""
        area, centre = self.measures()
        order = np.lexsort((-np.abs(area), self.polygon))
        first = np.searchsorted(self.polygon[order], np.arange(len(self)))
        return np.asarray(centre[order[first]])

    def shape(self, polygon: int) -> BaseGeometry:
        """One polygon as a valid shapely geometry, (lon, lat)."""
        return even_odd([self.ring(row) for row in self.of(polygon)])

    def of(self, polygon: int) -> range:
        """Rings of one polygon."""
        # The same type on both sides, or the column would be copied for each call.
        first, last = np.searchsorted(self.polygon, np.array([polygon, polygon + 1], dtype=np.int32))
        return range(int(first), int(last))
