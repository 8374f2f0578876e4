"""Offline base map: streets, water, green and buildings out of our own OSM data, simplified by zoom."""

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geo.earth import DEGREE_M
from geo.errors import InputError
from geo.places import Places
from geo.rings import Rings
from geo.streets import StreetNetwork
from maps.packing import pack_lines
from maps.page.surroundings import PlaceName, StreetExit, searchable_names, street_area, street_exits
from maps.style import BASE_STYLE

__all__ = ["Backdrop", "BackdropLayer", "StreetLabel"]

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]

_MAJOR = ("motorway", "trunk", "primary")
_MIDDLE = ("secondary", "tertiary")
_PATH = ("footway", "path", "steps", "corridor", "bridleway", "platform", "elevator")
_ZOOMS = {
    # key: (coarse from, fine from), zooms of the page; None: no coarse version
    "major": (3, 14),
    "middle": (11, 14),
    "minor": (13, 14),
    "path": (None, 16),
    "water": (3, 14),
    "green": (10, 14),
    "buildings": (None, 15),
}
_FINE_M, _COARSE_M = 1.5, 15.0
"""Tolerances of the simplification: half a pixel at zoom 16 and at zoom 13."""
_DENSE_M = 100.0
_LAST_ZOOM = 19
_LABEL_EVERY_M = 700.0
_LABEL_ZOOM = {1: 15, 2: 13, 3: 12}
"""First zoom of the names of minor, middle and major streets."""
_STRAIGHT_M, _STRAIGHT_LEAST_M = 6.0, 30.0
"""A piece is straight within 6 m; names want at least 30 m."""


@dataclasses.dataclass(frozen=True, eq=False)
class BackdropLayer:
    """One kind of lines or areas, drawn between two zooms.

    Attributes
    ----------
    key : str
        ``water``, ``green``, ``buildings``, ``path``, ``minor``, ``middle`` or ``major``.
    area : bool
    from_zoom, to_zoom : int
        Both included.
    ptr : int64 (n + 1,)
    lonlat : float64 (m, 2)
        Line or ring ``i`` is ``lonlat[ptr[i]:ptr[i + 1]]``.
    owner : int32 (n,)
        Polygon of each ring, never falling (even-odd filling); for lines their number.
    """

    key: str
    area: bool
    from_zoom: int
    to_zoom: int
    ptr: Int64Array
    lonlat: FloatArray
    owner: Int32Array

    def __post_init__(self) -> None:
        if self.key not in BASE_STYLE:
            raise InputError(f"backdrop layer {self.key!r} is not known, allowed: {', '.join(BASE_STYLE)}")
        if len(self.ptr) != len(self.owner) + 1 or self.ptr[-1] != len(self.lonlat):
            raise InputError("a backdrop layer needs one owner a line and a pointer to its positions")


@dataclasses.dataclass(frozen=True, slots=True)
class StreetLabel:
    """One place where a street's name may be written."""

    name: str
    lonlat: tuple[float, float]
    angle_rad: float
    """On the screen, clockwise from east, within a quarter turn so that the name reads upright."""
    from_zoom: int
    room_deg: float
    """Length of the straight piece it lies along, in degrees of longitude."""


@dataclasses.dataclass(frozen=True, eq=False)
class Backdrop:
    """All that is drawn under the data. Bounds: west, south, east, north.

    ``area`` holds outlines, (n, 2) rings of degrees, of where there are streets; ``names`` what the page can
    be searched for.
    """

    bounds: tuple[float, float, float, float]
    layers: tuple[BackdropLayer, ...] = ()
    labels: tuple[StreetLabel, ...] = ()
    area: tuple[FloatArray, ...] = ()
    exits: tuple[StreetExit, ...] = ()
    names: tuple[PlaceName, ...] = ()

    @staticmethod
    def build(
        network: StreetNetwork,
        places: Places | None = None,
        *,
        bounds: tuple[float, float, float, float] | None = None,
    ) -> "Backdrop":
        """Make the base map of a city.

        Parameters
        ----------
        network
            Its edges give the streets and their names.
        places
            Water, green and buildings; None draws streets only.
        bounds
            Draw only what meets this box (west, south, east, north); by default the network's own.
        """
        box = bounds or network.bounds
        layers: list[BackdropLayer] = []
        if places is not None:
            for key, rings in (
                ("water", places.water),
                ("green", places.green),
                ("buildings", places.buildings),
            ):
                layers += _area_layers(key, rings, box)
        group = (
            _groups(network.classes)[network.edge_class] if len(network.edge_class) else np.empty(0, np.int64)
        )
        lines = _lines(network.geom_ptr, network.geom_lonlat)
        inside = shapely.intersects(lines, shapely.box(*box)) if len(lines) else np.empty(0, np.bool_)
        for number, key in enumerate(("path", "minor", "middle", "major")):
            layers += _line_layers(key, lines[(group == number) & inside], box)
        fine = shapely.segmentize(lines, _degrees(_DENSE_M)) if len(lines) else lines
        area = street_area(shapely.get_coordinates(fine), box)
        large = np.where(inside & (group >= 2), group, 0) if len(group) else group
        return Backdrop(
            box,
            tuple(layers),
            _labels(network, group, lines, inside),
            area,
            street_exits(network, large, area),
            searchable_names(network, places, box),
        )

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """West, south, east, north of where there are streets."""
        if not self.area:
            return self.bounds
        points = np.concatenate(self.area)
        (west, south), (east, north) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        return (west, south, east, north)

    def page_surroundings(self) -> dict[str, Any]:
        """Give the edge of the map, the streets that leave it, and the names to search for."""
        names = {
            "geo": pack_lines([[one.lonlat] for one in self.names]),
            "words": [one.name for one in self.names],
            "kind": [one.kind for one in self.names],
        }
        return {
            "area": pack_lines(list(self.area)) if self.area else None,
            "exits": [
                [one.name, round(one.lonlat[0], 5), round(one.lonlat[1], 5), round(one.angle_rad, 3)]
                for one in self.exits
            ],
            "names": names if self.names else None,
        }

    def page_layers(self) -> list[dict[str, Any]]:
        """Give the layers as the page reads them, in drawing order."""
        return [
            {
                "key": layer.key,
                "poly": layer.area,
                "from": layer.from_zoom,
                "to": layer.to_zoom,
                "style": BASE_STYLE[layer.key],
                "geo": pack_lines((layer.ptr, layer.lonlat), owner=layer.owner if layer.area else None),
            }
            for layer in self.layers
            if len(layer.owner)
        ]

    def page_labels(self) -> list[list[Any]]:
        """Give the street names as the page reads them, the most important first."""
        return [
            [
                label.name,
                round(label.lonlat[0], 5),
                round(label.lonlat[1], 5),
                round(label.angle_rad, 3),
                label.from_zoom,
                round(label.room_deg, 5),
            ]
            for label in self.labels
        ]


def _groups(classes: tuple[str, ...]) -> Int64Array:
    """Give the drawing group of each class: path 0, minor 1, middle 2, major 3."""

    def group(name: str) -> int:
        root = name.removesuffix("_link")
        if root in _MAJOR:
            return 3
        if root in _MIDDLE:
            return 2
        return 0 if root in _PATH else 1

    return np.array([group(name) for name in classes], np.int64)


def _lines(ptr: Int64Array, lonlat: FloatArray) -> npt.NDArray[np.object_]:
    if len(ptr) < 2:
        return np.empty(0, object)
    owner = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
    return np.asarray(shapely.linestrings(lonlat, indices=owner))


def _degrees(metres: float) -> float:
    return metres / DEGREE_M


def _line_layers(
    key: str, lines: npt.NDArray[np.object_], box: tuple[float, float, float, float]
) -> list[BackdropLayer]:
    if not len(lines):
        return []
    merged = np.asarray(shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines))))
    coarse_from, fine_from = _ZOOMS[key]
    layers = []
    for from_zoom, to_zoom, metres in (
        (coarse_from, fine_from - 1, _COARSE_M),
        (fine_from, _LAST_ZOOM, _FINE_M),
    ):
        if from_zoom is None:
            continue
        simple = np.asarray(shapely.simplify(merged, _degrees(metres)))
        simple = simple[_z_order(shapely.centroid(simple), box)]
        points, owner = shapely.get_coordinates(simple, return_index=True)
        ptr = np.searchsorted(owner, np.arange(len(simple) + 1)).astype(np.int64)
        layers.append(
            BackdropLayer(key, False, from_zoom, to_zoom, ptr, points, np.arange(len(simple), dtype=np.int32))
        )
    return layers


def _area_layers(key: str, rings: Rings, box: tuple[float, float, float, float]) -> list[BackdropLayer]:
    if not len(rings):
        return []
    west, south, east, north = box
    sizes = np.diff(rings.ptr)
    starts = rings.ptr[:-1]
    low = np.minimum.reduceat(rings.lonlat, starts)
    high = np.maximum.reduceat(rings.lonlat, starts)
    seen = (
        (low[:, 0] <= east)
        & (high[:, 0] >= west)
        & (low[:, 1] <= north)
        & (high[:, 1] >= south)
        & (sizes >= 4)
    )
    coarse_from, fine_from = _ZOOMS[key]
    layers = []
    for from_zoom, to_zoom, metres in (
        (coarse_from, fine_from - 1, _COARSE_M),
        (fine_from, _LAST_ZOOM, _FINE_M),
    ):
        if from_zoom is None:
            continue
        large = np.all(high - low >= _degrees(metres), axis=1) & seen
        pieces, owners = [], []
        for index in np.flatnonzero(large):
            line = shapely.simplify(shapely.linestrings(rings.ring(int(index))), _degrees(metres / 2))
            points = shapely.get_coordinates(line)
            if len(points) >= 4:
                pieces.append(points)
                owners.append(int(rings.polygon[index]))
        if pieces:
            ptr = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]).astype(np.int64)
            layers.append(
                BackdropLayer(
                    key, True, from_zoom, to_zoom, ptr, np.concatenate(pieces), np.array(owners, np.int32)
                )
            )
    return layers


def _z_order(points: npt.NDArray[np.object_], box: tuple[float, float, float, float]) -> Int64Array:
    """Order along a Z-curve: neighbours in the file are neighbours on the ground, so steps stay short."""
    west, south, east, north = box
    xy = shapely.get_coordinates(points)
    span = max(east - west, north - south, 1e-9)
    cell = np.clip((xy - (west, south)) / span * 1023, 0, 1023).astype(np.int64)
    code = np.zeros(len(xy), np.int64)
    for bit in range(10):
        code |= ((cell[:, 0] >> bit) & 1) << (2 * bit) | ((cell[:, 1] >> bit) & 1) << (2 * bit + 1)
    return np.lexsort((xy[:, 1], xy[:, 0], code)).astype(np.int64)


def _labels(
    network: StreetNetwork, group: Int64Array, lines: npt.NDArray[np.object_], inside: npt.NDArray[np.bool_]
) -> tuple[StreetLabel, ...]:
    """Names on the longest straight pieces of each street, at least 700 m apart, large streets first."""
    edges = np.flatnonzero((network.edge_name >= 0) & inside & (group > 0))
    edges = edges[np.argsort(network.edge_name[edges], kind="stable")]
    cuts = np.flatnonzero(np.diff(network.edge_name[edges])) + 1
    spots: list[tuple[int, float, StreetLabel]] = []
    for street in np.split(edges, cuts) if len(edges) else []:
        rank = int(np.bincount(group[street]).argmax())
        merged = shapely.line_merge(shapely.multilinestrings(lines[street]))
        points, owner = shapely.get_coordinates(
            shapely.get_parts(shapely.simplify(merged, _degrees(_STRAIGHT_M))), return_index=True
        )
        starts = np.flatnonzero(owner[1:] == owner[:-1])
        scale = math.cos(math.radians(float(points[0, 1])))
        steps = (points[starts + 1] - points[starts]) * (scale * DEGREE_M, DEGREE_M)
        lengths = np.hypot(steps[:, 0], steps[:, 1])
        taken: list[tuple[float, float]] = []
        for piece in np.argsort(-lengths, kind="stable"):
            if lengths[piece] < _STRAIGHT_LEAST_M:
                break
            lon, lat = ((points[starts[piece]] + points[starts[piece] + 1]) / 2).tolist()
            near = [math.hypot((lon - x) * scale, lat - y) * DEGREE_M < _LABEL_EVERY_M for x, y in taken]
            if any(near):
                continue
            taken.append((lon, lat))
            angle = math.atan2(-steps[piece, 1], steps[piece, 0])
            if angle > math.pi / 2:
                angle -= math.pi
            elif angle <= -math.pi / 2:
                angle += math.pi
            length = float(lengths[piece])
            name = network.names[int(network.edge_name[street[0]])]
            label = StreetLabel(name, (lon, lat), angle, _LABEL_ZOOM[rank], length / DEGREE_M / scale)
            spots.append((-rank, -length, label))
    return tuple(label for _, _, label in sorted(spots, key=lambda s: (s[0], s[1], s[2].name, s[2].lonlat)))
