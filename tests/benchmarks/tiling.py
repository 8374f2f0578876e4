"""Larger maps out of a real one: copies side by side, sewn together by streets along the seams."""

import pathlib
import tempfile

import numpy as np
import osmium

__all__ = ["tiled_map"]

THROUGH = frozenset({"residential", "tertiary", "secondary", "primary", "unclassified", "living_street"})
SEAMS = 40
"""Streets across each seam, at most."""


def tiled_map(source: pathlib.Path, columns: int, rows: int) -> pathlib.Path:
    """Write `columns` x `rows` copies of a map into the temporary folder, once; returns the file."""
    target = (
        pathlib.Path(tempfile.gettempdir()) / f"yilu-{source.name.split('.')[0]}-{columns}x{rows}.osm.pbf"
    )
    if target.exists():
        return target
    nodes, ways = _read(source)
    ids = np.array([number for number, *_ in nodes])
    lonlat = np.array([(lon, lat) for _, lon, lat, _ in nodes])
    order = {int(number): row for row, number in enumerate(ids)}
    west, east = np.quantile(lonlat[:, 0], [0.002, 0.998])
    south, north = np.quantile(lonlat[:, 1], [0.002, 0.998])
    refs = [[order[ref] for ref in way if ref in order] for way, _ in ways]
    through = {
        ref
        for way, (_, tags) in zip(refs, ways, strict=True)
        if tags.get("highway") in THROUGH
        for ref in way
    }
    inner = np.array(sorted(through))
    sides = [_seam(lonlat, inner, axis, high) for axis in (0, 1) for high in (False, True)]
    draft = target.with_name(f"draft-{target.name}")
    draft.unlink(missing_ok=True)
    writer = osmium.SimpleWriter(str(draft))
    size = len(nodes)
    for tile in range(columns * rows):
        shift = ((tile % columns) * (east - west), (tile // columns) * (north - south))
        for row, (_, lon, lat, tags) in enumerate(nodes):
            place = (lon + shift[0], lat + shift[1])
            writer.add_node(
                osmium.osm.mutable.Node(id=1 + tile * size + row, location=place, tags=tags, version=1)
            )
    number = 0
    for tile in range(columns * rows):
        first = 1 + tile * size
        tile_ways = [([first + ref for ref in way], tags) for way, (_, tags) in zip(refs, ways, strict=True)]
        for near, far, step, fits in (
            (sides[1], sides[0], 1, (tile + 1) % columns),
            (sides[3], sides[2], columns, tile // columns + 1 < rows),
        ):
            if fits:
                pairs = [
                    (first + near[cut], first + step * size + far[cut]) for cut in near.keys() & far.keys()
                ]
                tile_ways += [(list(pair), {"highway": "residential"}) for pair in sorted(pairs)]
        for way, tags in tile_ways:
            if len(way) > 1:
                number += 1
                writer.add_way(osmium.osm.mutable.Way(id=number, nodes=way, tags=tags, version=1))
    writer.close()
    draft.rename(target)
    return target


def _read(
    source: pathlib.Path,
) -> tuple[list[tuple[int, float, float, dict[str, str]]], list[tuple[list[int], dict[str, str]]]]:
    nodes, ways = [], []
    for item in osmium.FileProcessor(str(source)):
        if isinstance(item, osmium.osm.Node):
            nodes.append((item.id, item.location.lon, item.location.lat, dict(item.tags)))
        elif isinstance(item, osmium.osm.Way):
            ways.append(([node.ref for node in item.nodes], dict(item.tags)))
    return nodes, ways


def _seam(lonlat: np.ndarray, inner: np.ndarray, axis: int, high: bool) -> dict[int, int]:
    """Return the outermost street node in each slice along one side of the map."""
    other = lonlat[inner, 1 - axis]
    low, top = np.quantile(lonlat[:, 1 - axis], [0.002, 0.998])
    cut = np.floor((other - low) / (top - low) * SEAMS).astype(int)
    outwards = lonlat[inner, axis] * (1 if high else -1)
    found: dict[int, int] = {}
    for at in np.argsort(outwards, kind="stable").tolist():
        if 0 <= cut[at] < SEAMS:
            found[int(cut[at])] = int(inner[at])
    return found
