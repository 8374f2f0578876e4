"""Streets as single segments, and where they run through an area."""

from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.arrays import FloatArray, Int32Array, Int64Array
from geo.mapways import Streets

__all__ = ["M_PER_DEGREE", "Segments", "Spans", "length_m", "segments_near", "spans_inside"]

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

    def near(self, west: float, south: float, east: float, north: float) -> Int64Array:
        """Rows whose box may touch the given one."""
        low = np.floor((np.array([west, south]) - self.origin) / CELL_DEGREES).astype(np.int64) - 1
        high = np.floor((np.array([east, north]) - self.origin) / CELL_DEGREES).astype(np.int64) + 1
        rows = np.arange(max(low[1], 0), high[1] + 1) * self.columns
        first = np.searchsorted(self.cell, rows + max(low[0], 0))
        last = np.searchsorted(self.cell, rows + min(high[0], self.columns - 1) + 1)
        short = [np.arange(a, b) for a, b in zip(first.tolist(), last.tolist(), strict=True) if b > a]
        found = np.concatenate([*short, np.arange(len(self.cell), len(self.at))])
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
    return Segments(
        at=at,
        way=(np.searchsorted(streets.way_ptr, at, side="right") - 1).astype(np.int32),
        ends=streets.node_lonlat[np.column_stack([streets.way_ref[at], streets.way_ref[at + 1]])],
        cell=cell[streets.way_ref[short]].astype(np.int64),
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


def length_m(segments: Segments, row: int) -> float:
    """Length of one segment."""
    delta = segments.ends[row, 1] - segments.ends[row, 0]
    return float(np.hypot(delta[0] * np.cos(np.radians(segments.ends[row, 0, 1])), delta[1]) * M_PER_DEGREE)
