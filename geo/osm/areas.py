"""Closed ways and multipolygon relations of a map file as rings of positions."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.arrays import BoolArray, FloatArray, Int32Array, Int64Array
from geo.errors import InputError
from geo.osm.opl import OplFile, Relation

__all__ = ["Areas", "Rings", "read_areas", "spans"]

AREA_KEYS = (
    *("building", "landuse", "amenity", "leisure", "natural"),
    *("waterway", "shop", "office", "tourism", "barrier"),
)
"""A closed way or multipolygon with one of these keys is an area."""

POLYGON_RELATIONS = frozenset({"multipolygon", "site", "building"})


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


@dataclass(frozen=True, eq=False)
class Areas:
    """Areas of a map file: ids, tags as OPL text, and rings (polygon ``i`` is area ``i``)."""

    id: Int64Array
    texts: tuple[str, ...]
    rings: Rings

    def __len__(self) -> int:
        return len(self.id)


def read_areas(file: OplFile) -> Areas:
    """Collect closed ways and multipolygons that have a key of `AREA_KEYS` and are whole in the file.

    An area of which the file lacks a node or a member way (it reaches outside the extract) is left out.
    """
    ref_ptr, ref = file.ways.ref_ptr, file.ways.ref
    lengths = np.diff(ref_ptr)
    ways = np.flatnonzero((lengths >= 4) & (np.diff(file.ways.tag_ptr) > 0) & ~file.ways.street)
    ways = ways[ref[ref_ptr[ways]] == ref[ref_ptr[ways + 1] - 1]]
    node_rows = file.find(ref[spans(ref_ptr[ways], lengths[ways])])
    starts = np.cumsum(lengths[ways]) - lengths[ways]
    whole = np.minimum.reduceat(node_rows, starts) >= 0 if len(ways) else np.zeros(0, np.bool_)
    kept_rows = node_rows[np.repeat(whole, lengths[ways])]
    ways = ways[whole]

    extra = _multipolygons(file)
    ids = [file.ways.id[ways], np.array([relation.id for relation, _ in extra], dtype=np.int64)]
    ring_rows = [kept_rows] + [ring for _, rings in extra for ring in rings]
    extra_lengths = [len(ring) for _, rings in extra for ring in rings]
    ring_lengths = [lengths[ways], np.array(extra_lengths, dtype=np.int64)]
    polygon = [len(ways) + i for i, (_, rings) in enumerate(extra) for _ in rings]
    return Areas(
        id=np.concatenate(ids),
        texts=tuple(file.ways.texts(ways)) + tuple(_text(relation.tags) for relation, _ in extra),
        rings=Rings(
            np.concatenate([[0], np.cumsum(np.concatenate(ring_lengths))]).astype(np.int64),
            file.lonlat(np.concatenate(ring_rows)),
            np.concatenate([np.arange(len(ways)), polygon]).astype(np.int32),
        ),
    )


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


def _text(tags: dict[str, str]) -> str:
    """Tags in OPL notation again, escaped where a value holds a separator."""
    return ",".join(f"{_escape(key)}={_escape(value)}" for key, value in tags.items())


def _escape(text: str) -> str:
    return "".join(f"%{ord(c):x}%" if c in "%,= @\n" else c for c in text)


def _multipolygons(file: OplFile) -> list[tuple[Relation, list[Int64Array]]]:
    """Relations whose member ways close to rings, all inside the file; rings as rows of nodes."""
    wanted = [
        relation
        for relation in file.relations
        if relation.tags.get("type") in POLYGON_RELATIONS and any(key in relation.tags for key in AREA_KEYS)
    ]
    if not wanted:
        return []
    order = np.argsort(file.ways.id, kind="stable")
    sorted_ids = file.ways.id[order]
    found = []
    for relation in wanted:
        refs = [ref for kind, ref, role in relation.members if kind == "w" and role != "entrance"]
        members = np.array(refs, dtype=np.int64)
        if not len(members) or not len(sorted_ids):
            continue
        at = np.minimum(np.searchsorted(sorted_ids, members), len(sorted_ids) - 1)
        if (sorted_ids[at] != members).any():
            continue
        rings = _close([file.ways.refs(int(order[i])) for i in at])
        rows = [file.find(ring) for ring in rings]
        if rows and all(len(row) >= 4 and (row >= 0).all() for row in rows):
            found.append((relation, rows))
    return found


def _close(pieces: list[Int64Array]) -> list[Int64Array]:
    """Join pieces end to end into closed rings; an empty list where some piece stays open."""
    rings, ends = [], defaultdict(list)
    for number, piece in enumerate(pieces):
        if len(piece) > 1:
            ends[int(piece[0])].append(number)
            ends[int(piece[-1])].append(number)
    free = {number for number, piece in enumerate(pieces) if len(piece) > 1}
    while free:
        number = min(free)
        free.remove(number)
        ring = pieces[number]
        while ring[0] != ring[-1]:
            follow = next((n for n in ends[int(ring[-1])] if n in free), None)
            if follow is None:
                return []
            free.remove(follow)
            piece = pieces[follow]
            ring = np.concatenate([ring, (piece if piece[0] == ring[-1] else piece[::-1])[1:]])
        rings.append(ring)
    return rings
