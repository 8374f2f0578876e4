"""Streets as single segments, and where they run through an area."""

from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.arrays import FloatArray, Int32Array, Int64Array
from geo.mapways import Streets

__all__ = ["M_PER_DEGREE", "Segments", "Spans", "Walks", "length_m", "segments_near", "spans_inside"]

M_PER_DEGREE = 111_195.0
CELL_DEGREES = 0.004
"""Segments are sorted into cells of this size; the few longer ones are kept apart."""

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
    long_boxes : float64 (4, long)
        West, south, east and north end of each long segment.
    origin : float64 (2,)
        South-west corner of the cells.
    columns : int
        Cells from west to east.
    """

    at: Int32Array
    way: Int32Array
    ends: FloatArray
    cell: Int64Array
    long_boxes: FloatArray
    origin: FloatArray
    columns: int

    def near(self, west: float, south: float, east: float, north: float) -> Int64Array:
        """Rows whose box may touch the given one."""
        low = np.floor((np.array([west, south]) - self.origin) / CELL_DEGREES).astype(np.int64) - 1
        high = np.floor((np.array([east, north]) - self.origin) / CELL_DEGREES).astype(np.int64) + 1
        rows = np.arange(max(low[1], 0), high[1] + 1) * self.columns
        first = np.searchsorted(self.cell, rows + max(low[0], 0))
        last = np.searchsorted(self.cell, rows + min(high[0], self.columns - 1) + 1)
        short = [np.arange(a, b) for a, b in zip(first.tolist(), last.tolist(), strict=True) if b > a]
        west_x, south_y, east_x, north_y = self.long_boxes
        far = (east_x >= west) & (west_x <= east) & (north_y >= south) & (south_y <= north)
        found = np.concatenate([*short, len(self.cell) + np.flatnonzero(far)])
        one, two = self.ends[found, 0].T, self.ends[found, 1].T
        touches = (np.maximum(one[0], two[0]) >= west) & (np.minimum(one[0], two[0]) <= east)
        touches &= (np.maximum(one[1], two[1]) >= south) & (np.minimum(one[1], two[1]) <= north)
        return np.asarray(found[touches])


def segments_near(streets: Streets, boxes: FloatArray) -> Segments:
    """Segments in and around the cells that a box (b, 4: west, south, east, north) touches.

    Long segments are kept wherever they are.
    """
    origin = boxes[:, :2].min(axis=0) - 2 * CELL_DEGREES
    size = np.floor((boxes[:, 2:].max(axis=0) - origin) / CELL_DEGREES).astype(np.int64) + 3
    marked = np.zeros((size[1], size[0]), dtype=np.bool_)
    cells = np.floor((boxes - np.tile(origin, 2)) / CELL_DEGREES).astype(np.int64)
    for west, south, east, north in cells.tolist():
        marked[south - 1 : north + 2, west - 1 : east + 2] = True
    # Cell of every node first: most of a large map lies in no box at all.
    column, row = (
        np.where(np.isnan(part), -1, (part - start) // CELL_DEGREES).astype(np.int32)
        for part, start in zip(streets.node_lonlat.T, origin, strict=True)
    )
    within = (column >= 0) & (column < size[0]) & (row >= 0) & (row < size[1])
    cell = np.where(within, row * size[0] + column, -1)
    wanted = within & marked.ravel()[cell]
    last = np.zeros(len(streets.way_ref), dtype=np.bool_)
    last[streets.way_ptr[1:] - 1] = True
    known = ~np.isnan(streets.node_lonlat[:, 0])
    jump = np.abs(np.diff(streets.node_lonlat[streets.way_ref], axis=0)).max(axis=1) > CELL_DEGREES
    usable = ~last[:-1] & known[streets.way_ref[:-1]] & known[streets.way_ref[1:]]
    short = np.flatnonzero(usable & ~jump & wanted[streets.way_ref[:-1]])
    short = short[np.argsort(cell[streets.way_ref[short]], kind="stable")]
    at = np.concatenate([short, np.flatnonzero(usable & jump)]).astype(np.int32)
    ends = streets.node_lonlat[np.column_stack([streets.way_ref[at], streets.way_ref[at + 1]])]
    long_ends = ends[len(short) :]
    return Segments(
        at=at,
        way=(np.searchsorted(streets.way_ptr, at, side="right") - 1).astype(np.int32),
        ends=ends,
        cell=cell[streets.way_ref[short]].astype(np.int64),
        long_boxes=np.concatenate([long_ends.min(axis=1).T, long_ends.max(axis=1).T]),
        origin=origin,
        columns=int(size[0]),
    )


def spans_inside(area: BaseGeometry, segments: Segments) -> dict[int, Spans]:
    """For each segment (row) that enters the area, the stretches inside."""
    rows = segments.near(*area.bounds)
    if not len(rows):
        return {}
    lines = shapely.linestrings(segments.ends[rows])
    shapely.prepare(area)
    hit = shapely.intersects(area, lines)
    rows, lines = rows[hit], lines[hit]
    whole = shapely.contains_properly(area, lines)
    parts: dict[int, Spans] = {row: [(0.0, 1.0)] for row in rows[whole].tolist()}
    pieces, owner = shapely.get_parts(shapely.intersection(lines[~whole], area), return_index=True)
    lines, rows = lines[~whole][owner], rows[~whole][owner]
    is_line = (shapely.get_dimensions(pieces) == 1) & (shapely.length(pieces) > 0)
    pieces, lines, rows = pieces[is_line], lines[is_line], rows[is_line]
    length = shapely.length(lines)
    ends = [shapely.line_locate_point(lines, shapely.get_point(pieces, i)) / length for i in (0, -1)]
    for row, *span in zip(rows.tolist(), ends[0].tolist(), ends[1].tolist(), strict=True):
        parts.setdefault(row, []).append((min(span), max(span)))
    return {row: sorted(parts[row]) for row in sorted(parts)}


class Walks:
    """Walking along a street from junction to junction, over the ends of its ways."""

    def __init__(self, streets: Streets) -> None:
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
            delta = (there - here) * M_PER_DEGREE
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


def length_m(segments: Segments, rows: Int64Array | list[int]) -> FloatArray:
    """Length of each segment of `rows`."""
    ends = segments.ends[rows]
    delta = (ends[:, 1] - ends[:, 0]) * M_PER_DEGREE
    return np.asarray(np.hypot(delta[:, 0] * np.cos(np.radians(ends[:, 0, 1])), delta[:, 1]))
