"""Closed ways and multipolygon relations of a map file as rings of positions."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from geo.arrays import Int64Array
from geo.osm.files.opl import OsmColumns, Relation
from geo.rings import Rings, spans

__all__ = ["Areas", "opl_text", "read_areas", "way_rows"]

AREA_KEYS = (
    *("building", "landuse", "amenity", "leisure", "natural"),
    *("waterway", "shop", "office", "tourism", "barrier"),
)
"""A closed way or multipolygon with one of these keys is an area."""

POLYGON_RELATIONS = frozenset({"multipolygon", "site", "building"})


@dataclass(frozen=True, eq=False)
class Areas:
    """Areas of a map file: ids, tags as OPL text, and rings (polygon ``i`` is area ``i``).

    `not_whole` counts the areas that were left out since the file holds a part of them only.
    """

    id: Int64Array
    texts: tuple[str, ...]
    rings: Rings
    not_whole: int = 0

    def __len__(self) -> int:
        return len(self.id)


def read_areas(file: OsmColumns) -> Areas:
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

    extra, broken = _multipolygons(file)
    ids = [file.ways.id[ways], np.array([relation.id for relation, _ in extra], dtype=np.int64)]
    ring_rows = [kept_rows] + [ring for _, rings in extra for ring in rings]
    extra_lengths = [len(ring) for _, rings in extra for ring in rings]
    ring_lengths = [lengths[ways], np.array(extra_lengths, dtype=np.int64)]
    polygon = [len(ways) + i for i, (_, rings) in enumerate(extra) for _ in rings]
    return Areas(
        id=np.concatenate(ids),
        texts=tuple(file.ways.texts(ways)) + tuple(opl_text(relation.tags) for relation, _ in extra),
        rings=Rings(
            np.concatenate([[0], np.cumsum(np.concatenate(ring_lengths))]).astype(np.int64),
            file.lonlat(np.concatenate(ring_rows)),
            np.concatenate([np.arange(len(ways)), polygon]).astype(np.int32),
        ),
        not_whole=broken + int((~whole).sum()),
    )


def opl_text(tags: dict[str, str]) -> str:
    """Tags in OPL notation again, escaped where a value holds a separator."""
    return ",".join(f"{_escape(key)}={_escape(value)}" for key, value in tags.items())


def _escape(text: str) -> str:
    return "".join(f"%{ord(c):x}%" if c in "%,= @\n" else c for c in text)


def way_rows(file: OsmColumns, ids: Int64Array) -> Int64Array:
    """Row of each way id in the ways of the file, -1 where the file does not hold it."""
    if not len(file.ways) or not len(ids):
        return np.full(len(ids), -1)
    order = np.argsort(file.ways.id, kind="stable")
    sorted_ids = file.ways.id[order]
    at = np.minimum(np.searchsorted(sorted_ids, ids), len(sorted_ids) - 1)
    return np.where(sorted_ids[at] == ids, order[at], -1)


def _multipolygons(file: OsmColumns) -> tuple[list[tuple[Relation, list[Int64Array]]], int]:
    """Relations whose member ways close to rings inside the file, as rows of nodes; the count of others."""
    wanted = [
        relation
        for relation in file.relations
        if relation.tags.get("type") in POLYGON_RELATIONS and any(key in relation.tags for key in AREA_KEYS)
    ]
    refs = [[ref for kind, ref, role in r.members if kind == "w" and role != "entrance"] for r in wanted]
    rows = way_rows(file, np.array([ref for members in refs for ref in members], dtype=np.int64))
    found, done = [], 0
    for relation, members in zip(wanted, refs, strict=True):
        mine = rows[done : done + len(members)]
        done += len(members)
        if not len(mine) or (mine < 0).any():
            continue
        rings = _close([file.ways.refs(int(row)) for row in mine])
        nodes = [file.find(ring) for ring in rings]
        if nodes and all(len(ring) >= 4 and (ring >= 0).all() for ring in nodes):
            found.append((relation, nodes))
    return found, len(wanted) - len(found)


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
