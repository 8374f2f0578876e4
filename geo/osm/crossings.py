"""Streets as single segments, and where they run through an area."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.arrays import BoolArray, FloatArray, Int32Array, Int64Array
from geo.earth import DEGREE_M
from geo.jit import kernel
from geo.osm.columns import StreetColumns

__all__ = ["Segments", "Spans", "Walks", "length_m", "segments_near", "spans_inside"]

CELL_DEGREES = 0.002
"""Segments are sorted into cells of this size; the few longer ones are kept apart."""
DENSE_CELLS = 50_000_000
"""So many cells are a table; more are a list of those in use."""
BATCH = 65_536
"""So many pairs of area and segment are geometries at one time."""

Spans = list[tuple[float, float]]
"""Stretches of a segment as shares 0..1 of its length."""


class Segments(NamedTuple):
    """Segments of streets, sorted by the cell of their first end; the long ones last.

    Attributes
    ----------
    at : int32 (s,)
        Position in ``way_ref`` where the segment begins.
    way : int32 (s,)
        Way it belongs to.
    ends : float64 (s, 2, 2)
        First and last position, (lon, lat).
    cell : int64 (short,)
        Cell of each short segment, rising.
    origin : float64 (2,)
        South-west corner of the cells.
    columns : int
        Cells from west to east.
    """

    at: Int32Array
    way: Int32Array
    ends: FloatArray
    cell: Int64Array
    origin: FloatArray
    columns: int

    def near(self, boxes: FloatArray) -> tuple[Int32Array, Int32Array]:
        """Pairs (box, row) of the segments whose own box touches one of the boxes (b, 4)."""
        none = np.empty(0, np.int32)
        columns = (boxes, self.origin, self.columns, self.cell, self.ends)
        found = _near(*columns, none, none)
        owner, rows = np.empty(found, np.int32), np.empty(found, np.int32)
        if found:
            _near(*columns, owner, rows)
        return owner, rows


@kernel
def _near(
    boxes: FloatArray,
    origin: FloatArray,
    columns: int,
    cell: Int64Array,
    ends: FloatArray,
    owner: Int32Array,
    rows: Int32Array,
) -> int:
    """Count (where `rows` is empty) or list the segments near each box; see `Segments`."""
    found, short = 0, len(cell)
    for box in range(len(boxes)):
        west, south, east, north = boxes[box]
        left = max(int((west - origin[0]) / CELL_DEGREES) - 1, 0)
        right = min(int((east - origin[0]) / CELL_DEGREES) + 1, columns - 1)
        low = max(int((south - origin[1]) / CELL_DEGREES) - 1, 0)
        high = int((north - origin[1]) / CELL_DEGREES) + 1
        # One row of cells after the other, then the long segments.
        for line in range(low, high + 2):
            first, last = short, len(ends)
            if line <= high:
                first = int(np.searchsorted(cell, line * columns + left))
                last = int(np.searchsorted(cell, line * columns + right + 1))
            for row in range(first, last):
                one, two = ends[row, 0], ends[row, 1]
                if max(one[0], two[0]) < west or min(one[0], two[0]) > east:
                    continue
                if max(one[1], two[1]) < south or min(one[1], two[1]) > north:
                    continue
                if len(rows):
                    owner[found], rows[found] = box, row
                found += 1
    return found


def segments_near(streets: StreetColumns, boxes: FloatArray) -> Segments:
    """Segments in and around the cells that a box (b, 4: west, south, east, north) touches.

    Long segments are kept wherever they are.
    """
    origin = boxes[:, :2].min(axis=0) - 2 * CELL_DEGREES
    size = np.floor((boxes[:, 2:].max(axis=0) - origin) / CELL_DEGREES).astype(np.int64) + 3
    # Cell of every node first: most of a large map lies in no box at all.
    column, row = (
        np.where(np.isnan(part), -1, (part - start) // CELL_DEGREES).astype(np.int64)
        for part, start in zip(streets.node_lonlat.T, origin, strict=True)
    )
    within = (column >= 0) & (column < size[0]) & (row >= 0) & (row < size[1])
    cell = np.where(within, row * size[0] + column, -1)
    cells = np.floor((boxes - np.tile(origin, 2)) / CELL_DEGREES).astype(np.int64)
    wanted = within & _in_cells(cell, cells + np.array([-1, -1, 2, 2]), int(size[0]), int(size[1]))
    last = np.zeros(len(streets.way_ref), dtype=np.bool_)
    last[streets.way_ptr[1:] - 1] = True
    known = ~np.isnan(streets.node_lonlat[:, 0])
    jump = np.abs(np.diff(streets.node_lonlat[streets.way_ref], axis=0)).max(axis=1) > CELL_DEGREES
    usable = ~last[:-1] & known[streets.way_ref[:-1]] & known[streets.way_ref[1:]]
    short = np.flatnonzero(usable & ~jump & wanted[streets.way_ref[:-1]])
    short = short[np.argsort(cell[streets.way_ref[short]], kind="stable")]
    at = np.concatenate([short, np.flatnonzero(usable & jump)]).astype(np.int32)
    ends = streets.node_lonlat[np.column_stack([streets.way_ref[at], streets.way_ref[at + 1]])]
    return Segments(
        at=at,
        way=(np.searchsorted(streets.way_ptr, at, side="right") - 1).astype(np.int32),
        ends=ends,
        cell=cell[streets.way_ref[short]].astype(np.int64),
        origin=origin,
        columns=int(size[0]),
    )


def _in_cells(cell: Int64Array, boxes: Int64Array, columns: int, rows: int) -> BoolArray:
    """Mask of the cells that lie in one of the boxes (west, south, east, north; the last two exclusive)."""
    if columns * rows <= DENSE_CELLS:
        marked = np.zeros((rows, columns), dtype=np.bool_)
        for west, south, east, north in boxes.tolist():
            marked[south:north, west:east] = True
        return np.asarray(marked.ravel()[cell])
    # Areas far apart, such as by a node in the wrong place: no table of everything between them.
    lists = [
        np.add.outer(np.arange(south, north) * columns, np.arange(west, east)).ravel()
        for west, south, east, north in boxes.tolist()
    ]
    return np.isin(cell, np.concatenate(lists))


def spans_inside(areas: Sequence[BaseGeometry], segments: Segments) -> list[dict[int, Spans]]:
    """For each area: the segments (rows) that enter it, and of each the stretches inside."""
    shapes = np.array(areas, dtype=object)
    shapely.prepare(shapes)
    found: list[dict[int, Spans]] = [{} for _ in areas]
    owner, rows = segments.near(shapely.bounds(shapes))
    for first in range(0, len(rows), BATCH):
        part = slice(first, first + BATCH)
        for number, row, low, high in _spans(shapes, segments, owner[part], rows[part]):
            found[number].setdefault(row, []).append((low, high))
    return [{row: sorted(spans[row]) for row in sorted(spans)} for spans in found]


def _spans(
    shapes: NDArray[np.object_], segments: Segments, owner: Int32Array, rows: Int32Array
) -> Iterator[tuple[int, int, float, float]]:
    """Stretches (area, row, low, high) inside of the areas, for pairs of area and row."""
    lines = shapely.linestrings(segments.ends[rows])
    hit = shapely.intersects(shapes[owner], lines)
    owner, rows, lines = owner[hit], rows[hit], lines[hit]
    whole = shapely.contains_properly(shapes[owner], lines)
    for number, row in zip(owner[whole].tolist(), rows[whole].tolist(), strict=True):
        yield number, row, 0.0, 1.0
    owner, rows, lines = owner[~whole], rows[~whole], lines[~whole]
    pieces, pair = shapely.get_parts(shapely.intersection(lines, shapes[owner]), return_index=True)
    is_line = (shapely.get_dimensions(pieces) == 1) & (shapely.length(pieces) > 0)
    pieces, pair = pieces[is_line], pair[is_line]
    lines, length = lines[pair], shapely.length(lines[pair])
    one, two = (shapely.line_locate_point(lines, shapely.get_point(pieces, i)) / length for i in (0, -1))
    low, high = np.minimum(one, two).tolist(), np.maximum(one, two).tolist()
    yield from zip(owner[pair].tolist(), rows[pair].tolist(), low, high, strict=True)


class Walks:
    """Walking along a street from junction to junction, over the ends of its ways."""

    def __init__(self, streets: StreetColumns) -> None:
        self.streets = streets
        first, last = streets.way_ptr[:-1], streets.way_ptr[1:] - 1
        self._ends = np.concatenate([first, last])
        self._ends = self._ends[np.argsort(streets.way_ref[self._ends], kind="stable")]
        self._end_nodes = streets.way_ref[self._ends]
        nodes = len(streets.node_id)
        # A node in the middle of a way has two segments there, at its end one.
        self._degree = 2 * np.bincount(streets.way_ref, minlength=nodes)
        self._degree -= np.bincount(self._end_nodes, minlength=nodes)
        self._is_first = np.zeros(len(streets.way_ref), dtype=np.bool_)
        self._is_first[first] = True
        self._is_last = np.zeros(len(streets.way_ref), dtype=np.bool_)
        self._is_last[last] = True

    def meets_gate(self, at: int, lonlat: FloatArray, reach_m: float) -> bool:
        """Whether a gate stands within reach of a point on segment `at`, no junction between them."""
        return self._along(at, -1, lonlat, reach_m) or self._along(at + 1, 1, lonlat, reach_m)

    def _along(self, at: int, step: int, lonlat: FloatArray, reach_m: float) -> bool:
        """Walk from a point to position `at` of ``way_ref`` and onwards in the direction `step`."""
        here, gone_m = lonlat, 0.0
        while True:
            node = int(self.streets.way_ref[at])
            there = self.streets.node_lonlat[node]
            delta = (there - here) * DEGREE_M
            gone_m += float(np.hypot(delta[0] * np.cos(np.radians(here[1])), delta[1]))
            if not gone_m <= reach_m:
                return False
            if self.streets.node_gate[node]:
                return True
            if self._degree[node] != 2:
                return False
            if self._is_last[at] if step > 0 else self._is_first[at]:
                low, high = np.searchsorted(self._end_nodes, np.array([node, node + 1], dtype=np.int32))
                others = [int(end) for end in self._ends[low:high] if end != at]
                if not others:
                    return False
                at = others[0]
                step = 1 if self._is_first[at] else -1
            at, here = at + step, there
            # A step of no length would go round a closed way for ever.
            gone_m += 0.01


def length_m(segments: Segments) -> FloatArray:
    """Length of each segment."""
    ends = segments.ends
    delta = (ends[:, 1] - ends[:, 0]) * DEGREE_M
    return np.asarray(np.hypot(delta[:, 0] * np.cos(np.radians(ends[:, 0, 1])), delta[:, 1]))
