"""Snapping: the nearest point of a street that a mode may use.

A point inside a compound belongs to the streets of that compound, a point outside to the streets
outside: a fence is not crossed to save three metres (the complaint behind OSRM #7005 and #3386).
Fragments of streets that lead nowhere come last, as in OSRM (tiny components) and Valhalla (reachability).
"""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.arrays import BoolArray, FloatArray, Int32Array, Int64Array
from geo.errors import InputError
from geo.jit import kernel

__all__ = [
    "WALK_MPS",
    "Fences",
    "SegmentGrid",
    "Snapped",
    "StreetIndex",
    "after_each_other",
    "nearest_edges",
    "segment_grid",
]

WALK_MPS = 1.2
"""Speed on foot between a place and the street."""
MEASURED_M = 2_000.0
"""How far away a refused point is still measured."""
ROUNDED_M = 1e-3
"""By so much a cell may be misjudged."""


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
        Metres from the point to the street, also where refused; infinite beyond 2 km.
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


def after_each_other(parts: Sequence[Snapped]) -> Snapped:
    """Return the rows of several tables of places one behind the other."""
    return Snapped(
        np.concatenate([part.edge for part in parts]),
        np.concatenate([part.offset_m for part in parts]),
        np.concatenate([part.lonlat for part in parts]),
        np.concatenate([part.walk_m for part in parts]),
        np.concatenate([part.walk_ms for part in parts]),
    )


BOXES = 512
"""Columns and rows of the raster that says where any outline may be."""


class Fences:
    """Outlines that points may lie in.

    Parameters
    ----------
    polygons : object (n,)
        Shapely polygons, degrees.
    """

    def __init__(self, polygons: NDArray[np.object_]) -> None:
        self._tree, self._area = shapely.STRtree(polygons), shapely.area(polygons)
        bounds: FloatArray = shapely.bounds(polygons).reshape(-1, 4)
        self._low = bounds[:, :2].min(axis=0, initial=np.inf)
        self._high = bounds[:, 2:].max(axis=0, initial=-np.inf)
        self._size = np.maximum((self._high - self._low) / BOXES, 1e-12)
        self._boxed = np.zeros((BOXES + 1, BOXES + 1), np.bool_)
        first, last = self._cell(bounds[:, :2]), self._cell(bounds[:, 2:])
        for (left, bottom), (right, top) in zip(first.tolist(), last.tolist(), strict=True):
            self._boxed[left : right + 1, bottom : top + 1] = True

    def _cell(self, lonlat: FloatArray) -> Int64Array:
        """Cells of the raster (n, 2); the last ones hold what lies on its upper edge."""
        return np.asarray(np.minimum((lonlat - self._low) / self._size, BOXES)).astype(np.int64)

    def around(self, lonlat: FloatArray) -> Int32Array:
        """Return the number (n,) of the smallest outline around each point (n, 2), -1 outside of all."""
        found = np.full(len(lonlat), -1, np.int32)
        # Most points of a city lie near no outline: only the others become objects.
        near = np.flatnonzero(((lonlat >= self._low) & (lonlat <= self._high)).all(axis=1))
        near = near[self._boxed[tuple(self._cell(lonlat[near]).T)]]
        if len(near):
            point, inside = self._tree.query(shapely.points(lonlat[near]), predicate="intersects")
            order = np.argsort(-self._area[inside], kind="stable")
            found[near[point[order]]] = inside[order]
        return found


@dataclasses.dataclass(frozen=True, eq=False)
class SegmentGrid:
    """Segments of all streets by square cells, for finding the nearest one.

    Attributes
    ----------
    low_m : float64 (2,)
        South-west corner, metres of the network's plane.
    cell_m : float
    columns, rows : int
    ptr, segment : int32 (columns * rows + 1,), int32
        Segments that touch each cell; segment ``g`` runs from point ``g`` to point ``g + 1``.
    """

    low_m: FloatArray
    cell_m: float
    columns: int
    rows: int
    ptr: Int32Array
    segment: Int32Array


@kernel
def _fill_cells(
    xy_m: FloatArray,
    last_of_edge: BoolArray,
    low_m: FloatArray,
    cell_m: float,
    columns: int,
    rows: int,
    ptr: Int32Array,
    segment: Int32Array,
) -> int:
    """Count (where `segment` is empty) or list the cells that the box of each segment touches."""
    counting = len(segment) == 0
    total = 0
    for g in range(len(xy_m) - 1):
        if last_of_edge[g]:
            continue
        left = int((min(xy_m[g, 0], xy_m[g + 1, 0]) - low_m[0]) / cell_m)
        right = int((max(xy_m[g, 0], xy_m[g + 1, 0]) - low_m[0]) / cell_m)
        bottom = int((min(xy_m[g, 1], xy_m[g + 1, 1]) - low_m[1]) / cell_m)
        top = int((max(xy_m[g, 1], xy_m[g + 1, 1]) - low_m[1]) / cell_m)
        for row in range(bottom, min(top, rows - 1) + 1):
            for column in range(left, min(right, columns - 1) + 1):
                cell = row * columns + column
                if counting:
                    ptr[cell + 1] += 1
                else:
                    segment[ptr[cell]] = g
                    ptr[cell] += 1
                total += 1
    return total


def segment_grid(xy_m: FloatArray, geom_ptr: Int64Array, cell_m: float = 60.0) -> SegmentGrid:
    """Put every segment of the edges ``xy_m[geom_ptr[e]:geom_ptr[e + 1]]`` into cells."""
    if not len(xy_m):
        return SegmentGrid(np.zeros(2), cell_m, 1, 1, np.zeros(2, np.int32), np.empty(0, np.int32))
    low_m = xy_m.min(axis=0)
    span = xy_m.max(axis=0) - low_m
    # No more than a few cells for each segment, however wide and empty the map is.
    cell_m = max(cell_m, float(np.sqrt(span[0] * span[1] / (4.0 * len(xy_m)))), float(span.max()) / 30_000)
    columns, rows = (int(value) + 1 for value in span / cell_m)
    last = np.zeros(len(xy_m), np.bool_)
    last[geom_ptr[1:] - 1] = True
    ptr = np.zeros(columns * rows + 1, np.int32)
    none = np.empty(0, np.int32)
    total = _fill_cells(xy_m, last, low_m, cell_m, columns, rows, ptr, none)
    ptr = np.cumsum(ptr, dtype=np.int32)
    segment = np.empty(total, np.int32)
    if total:
        _fill_cells(xy_m, last, low_m, cell_m, columns, rows, ptr[:-1].copy(), segment)
    return SegmentGrid(low_m, cell_m, columns, rows, ptr, segment)


class _Wanted(NamedTuple):
    """Points in the plane, the zone of each, whether all zones count, and how far is looked."""

    point_m: FloatArray
    zone: Int32Array
    any_zone: bool
    max_m: float


class _Streets(NamedTuple):
    """Points and segments of all edges; which edges count, and their zones."""

    xy_m: FloatArray
    segment_edge: Int32Array
    usable: BoolArray
    edge_zone: Int32Array


class _Cells(NamedTuple):
    """`SegmentGrid` as the kernels take it."""

    low_m: FloatArray
    cell_m: float
    columns: int
    rows: int
    ptr: Int32Array
    cell_segment: Int32Array


class _Found(NamedTuple):
    """The answer: segment, place on it from 0 to 1, metres away."""

    out_segment: Int32Array
    out_part: FloatArray
    out_m: FloatArray


@kernel
def nearest_edges(
    wanted: _Wanted,
    streets: _Streets,
    grid: _Cells,
    found: _Found,
) -> None:
    """Find the nearest usable segment of each point whose `out_segment` is still -1.

    Cells are visited in growing squares until no closer one can exist. `out_part` is the place on the
    segment from 0 to 1. Unless `any_zone`, only edges whose zone is that of the point count.
    """
    point_m, zone, any_zone, max_m = wanted
    xy_m, segment_edge, usable, edge_zone = streets
    low_m, cell_m, columns, rows, ptr, cell_segment = grid
    out_segment, out_part, out_m = found
    for i in range(len(point_m)):
        if out_segment[i] >= 0:
            continue
        x, y = point_m[i, 0], point_m[i, 1]
        centre_x = int(np.floor((x - low_m[0]) / cell_m))
        centre_y = int(np.floor((y - low_m[1]) / cell_m))
        best = max_m * max_m
        furthest = int(np.ceil(max_m / cell_m)) + 1
        in_x, in_y = x - low_m[0] - centre_x * cell_m, y - low_m[1] - centre_y * cell_m
        inner = min(in_x, cell_m - in_x, in_y, cell_m - in_y) - ROUNDED_M
        for radius in range(furthest + 1):
            reach = max(0.0, (radius - 1) * cell_m + inner)
            if reach * reach > best:
                break
            for row in range(max(0, centre_y - radius), min(rows - 1, centre_y + radius) + 1):
                beyond_y = max((row - centre_y) * cell_m - in_y, in_y - (row - centre_y + 1) * cell_m)
                beyond_y = max(beyond_y - ROUNDED_M, 0.0)
                whole = row == centre_y - radius or row == centre_y + radius
                step = 1 if whole or radius == 0 else 2 * radius
                for column in range(centre_x - radius, centre_x + radius + 1, step):
                    if column < 0 or column >= columns:
                        continue
                    beyond_x = max(
                        (column - centre_x) * cell_m - in_x, in_x - (column - centre_x + 1) * cell_m
                    )
                    beyond_x = max(beyond_x - ROUNDED_M, 0.0)
                    if beyond_x * beyond_x + beyond_y * beyond_y > best:
                        continue
                    cell = row * columns + column
                    for k in range(ptr[cell], ptr[cell + 1]):
                        g = cell_segment[k]
                        edge = segment_edge[g]
                        if not usable[edge] or (not any_zone and edge_zone[edge] != zone[i]):
                            continue
                        dx, dy = xy_m[g + 1, 0] - xy_m[g, 0], xy_m[g + 1, 1] - xy_m[g, 1]
                        square = dx * dx + dy * dy
                        part = 0.0
                        if square > 0:
                            part = ((x - xy_m[g, 0]) * dx + (y - xy_m[g, 1]) * dy) / square
                            part = min(1.0, max(0.0, part))
                        off_x = x - xy_m[g, 0] - part * dx
                        off_y = y - xy_m[g, 1] - part * dy
                        away = off_x * off_x + off_y * off_y
                        # Ties go to the lower segment, so that the order of cells does not matter.
                        if away < best or (away == best and (out_segment[i] < 0 or g < out_segment[i])):
                            best = away
                            out_segment[i] = g
                            out_part[i] = part
                            out_m[i] = np.sqrt(away)


@dataclasses.dataclass(frozen=True, eq=False)
class StreetIndex:
    """All that is needed to find the nearest street.

    Attributes
    ----------
    xy_m, lonlat : float64 (G, 2)
        Points of all edges, in the plane and on the globe.
    along_m : float64 (G,)
        Metres from the start of the edge.
    segment_edge, edge_zone : int32 (G,), int32 (E,)
        Edge of each segment; zone (compound) of each edge.
    grid : SegmentGrid
    """

    xy_m: FloatArray
    lonlat: FloatArray
    along_m: FloatArray
    segment_edge: Int32Array
    edge_zone: Int32Array
    grid: SegmentGrid

    def nearest(
        self,
        lonlat: FloatArray,
        xy_m: FloatArray,
        zone: Int32Array,
        choices: list[BoolArray],
        max_m: float,
    ) -> Snapped:
        """Snap points to the first of `choices` (masks of edges, each wider than the one before) in reach.

        Of one choice, edges of the point's own zone come before all others within `max_m`.
        """
        count = len(lonlat)
        segment, part, walk_m = np.full(count, -1, np.int32), np.zeros(count), np.full(count, np.inf)
        usable = choices[-1]
        if not usable.any():
            return Snapped(segment, part, lonlat, walk_m, np.zeros(count, np.int64))
        for choice, any_zone in itertools.product(choices, (False, True)):
            if (segment >= 0).all():
                break
            self._search(xy_m, zone, any_zone, max_m, choice, segment, part, walk_m)
        refused = np.flatnonzero(segment < 0)
        if len(refused):
            ignored, far_m = segment[refused], walk_m[refused]
            far = max(max_m, MEASURED_M)
            self._search(xy_m[refused], zone[refused], True, far, usable, ignored, part[refused], far_m)
            walk_m[refused] = far_m
        ok = segment >= 0
        at = np.maximum(segment, 0)
        foot = self.lonlat[at] + part[:, None] * (self.lonlat[at + 1] - self.lonlat[at])
        offset_m = self.along_m[at] + part * (self.along_m[at + 1] - self.along_m[at])
        edge = self.segment_edge[at]
        edge[~ok], offset_m[~ok], foot[~ok] = -1, 0.0, lonlat[~ok]
        walk_ms = np.round(np.where(ok, walk_m, 0.0) / WALK_MPS * 1000).astype(np.int64)
        return Snapped(edge, offset_m, foot, walk_m, walk_ms)

    def _search(
        self,
        xy_m: FloatArray,
        zone: Int32Array,
        any_zone: bool,
        max_m: float,
        usable: BoolArray,
        segment: Int32Array,
        part: FloatArray,
        away_m: FloatArray,
    ) -> None:
        grid = self.grid
        # Masks that are kept cannot be written to: one form for all.
        usable = usable.view()
        usable.setflags(write=False)
        cells = _Cells(grid.low_m, grid.cell_m, grid.columns, grid.rows, grid.ptr, grid.segment)
        streets = _Streets(self.xy_m, self.segment_edge, usable, self.edge_zone)
        nearest_edges(_Wanted(xy_m, zone, any_zone, max_m), streets, cells, _Found(segment, part, away_m))
