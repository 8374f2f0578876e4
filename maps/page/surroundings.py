"""What tells readers where they are: how far streets reach, where large ones go on, and names."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from geo.earth import DEGREE_M
from geo.places import Places
from geo.streets import StreetNetwork

__all__ = ["MOST_NAMES", "PlaceName", "StreetExit", "searchable_names", "street_area", "street_exits"]

FloatArray = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]

_CELLS = 200
"""The longer side of a map is this many cells at the most when its outline is drawn."""
_LEAST_CELL_M = 100.0
_GAP_CELLS = 3.0
"""Gaps of six cells between streets (rivers, parks) belong to the map."""
_SPARE_M = 20.0
_LEAST_PART = 0.02
_EDGE_M = 60.0
_MOST_EXITS = 30
_EXITS_APART_M, _SAME_NAME_APART_M = 120.0, 400.0
MOST_NAMES = 20_000
"""Names that a page can be searched for: streets first, then compounds, then places; about 0.5 MB."""


class StreetExit(NamedTuple):
    """Where a large street leaves the map."""

    name: str
    lonlat: tuple[float, float]
    angle_rad: float
    """On the screen, clockwise from east."""


class PlaceName(NamedTuple):
    """Something with a name."""

    name: str
    lonlat: tuple[float, float]
    kind: int
    """0 a street, 1 a compound, 2 another place."""


def street_area(points: FloatArray, box: Box) -> tuple[FloatArray, ...]:
    """Return the outlines, (n, 2) rings of degrees, of where a map has streets; none without streets.

    Parameters
    ----------
    points : (m, 2) float64
        Positions on streets, (lon, lat).
    box : tuple of float
        West, south, east, north: nothing reaches farther.
    """
    west, south, east, north = box
    inside = points[
        (points[:, 0] >= west) & (points[:, 0] <= east) & (points[:, 1] >= south) & (points[:, 1] <= north)
    ]
    if not len(inside):
        return ()
    scale = np.array([DEGREE_M * math.cos(math.radians((south + north) / 2)), DEGREE_M])
    corner, size = np.array([west, south]) * scale, np.array([east - west, north - south]) * scale
    cell = max(_LEAST_CELL_M, float(size.max()) / _CELLS)
    found = np.unique(np.floor((inside * scale - corner) / cell).astype(np.int64), axis=0)
    low = found * cell + corner
    squares = shapely.box(low[:, 0], low[:, 1], low[:, 0] + cell, low[:, 1] + cell)
    grown = shapely.buffer(shapely.union_all(squares), _GAP_CELLS * cell, join_style="mitre")
    shape = shapely.buffer(grown, -(_GAP_CELLS - 0.25) * cell, join_style="mitre")
    spare = _SPARE_M
    shape = shapely.intersection(shape, shapely.box(*(corner - spare), *(corner + size + spare)))
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    least = _LEAST_PART * max((part.area for part in parts), default=0.0)
    rings = [
        shapely.get_coordinates(shapely.simplify(shapely.Polygon(part.exterior), cell / 4)) / scale
        for part in parts
        if part.area >= least
    ]
    return tuple(sorted(rings, key=lambda ring: (-len(ring), ring[0].tolist())))


def street_exits(
    network: StreetNetwork, large: npt.NDArray[np.int64], area: tuple[FloatArray, ...]
) -> tuple[StreetExit, ...]:
    """Return where large streets end at the edge of the map: those of the highest rank first.

    Parameters
    ----------
    network : StreetNetwork
    large : (edges,) int64
        Rank of each edge, 0 where it is no large street.
    area : tuple of (n, 2) float64
        As :func:`street_area` gives it.
    """
    if not area or not len(large):
        return ()
    scale = np.array([DEGREE_M * math.cos(math.radians(float(area[0][:, 1].mean()))), DEGREE_M])
    edge = shapely.multilinestrings([shapely.linestrings(ring * scale) for ring in area])
    degree = np.bincount(np.r_[network.edge_u, network.edge_v], minlength=1)
    found: list[tuple[int, str, StreetExit, FloatArray]] = []
    for number in np.flatnonzero(large > 0).tolist():
        line = np.asarray(network.edge_lonlat(number), np.float64) * scale
        for node, end, before in (
            (int(network.edge_u[number]), line[0], line[1]),
            (int(network.edge_v[number]), line[-1], line[-2]),
        ):
            if degree[node] != 1 or shapely.Point(end).distance(edge) > _EDGE_M:
                continue
            name = network.names[int(network.edge_name[number])] if network.edge_name[number] >= 0 else ""
            step = end - before
            lon, lat = (end / scale).tolist()
            angle = math.atan2(-float(step[1]), float(step[0]))
            found.append((-int(large[number]), name, StreetExit(name, (lon, lat), angle), end))
    kept: list[tuple[StreetExit, FloatArray]] = []
    for _, _, one, end in sorted(found, key=lambda row: (row[0], not row[1], row[1], row[2].lonlat)):
        apart = [
            math.dist(end, other) >= (_SAME_NAME_APART_M if one.name == known.name else _EXITS_APART_M)
            for known, other in kept
        ]
        if len(kept) < _MOST_EXITS and all(apart):
            kept.append((one, end))
    return tuple(one for one, _ in kept)


def searchable_names(network: StreetNetwork, places: Places | None, box: Box) -> tuple[PlaceName, ...]:
    """Return what can be searched for on a map, each name once about every hundred metres.

    A second name (English, Chinese) follows the first after a tab.
    """
    out: dict[tuple[str, int, int, int], PlaceName] = {}
    west, south, east, north = box

    def add(name: str, lon: float, lat: float, kind: int) -> None:
        near = (name, kind, 0, 0) if kind == 0 else (name, kind, round(lon * 1000), round(lat * 1000))
        if name.strip() and west <= lon <= east and south <= lat <= north:
            out.setdefault(near, PlaceName(name, (lon, lat), kind))

    named = np.flatnonzero(network.edge_name >= 0)
    lengths = np.asarray(network.edge_length_m)[named]
    for number in named[np.lexsort((named, -lengths, network.edge_name[named]))].tolist():
        line = network.edge_lonlat(number)
        middle = line[len(line) // 2] if len(line) > 2 else (line[0] + line[-1]) / 2
        add(network.names[int(network.edge_name[number])], float(middle[0]), float(middle[1]), 0)
    if places is not None:
        for name, shape in zip(places.compounds.names, places.compounds.polygons, strict=True):
            point = shapely.point_on_surface(shape)
            add(name, point.x, point.y, 1)
        for index, own in enumerate(places.poi_name):
            others = {places.poi_name_zh[index], places.poi_name_en[index]} - {"", own}
            name = "\t".join([own, *sorted(others)] if own else sorted(others))
            lon, lat = places.poi_lonlat[index].tolist()
            add(name, lon, lat, 2)
    return tuple(sorted(out.values(), key=lambda one: (one.kind, one.name, one.lonlat))[:MOST_NAMES])
