"""How far things lie from the map of a city, and whether swapping lon and lat would bring them onto it."""

import dataclasses

import numpy as np

from geo.arrays import BoolArray, FloatArray
from geo.earth import DEGREE_M
from geo.streets.contraction import great_circle_m
from geo.streets.network import StreetNetwork
from geo.streets.snapping import WALK_MPS, Snapped

__all__ = ["Extent", "snap_far"]

NEAR_M = 1_000.0
"""What lies so near to the streets of the map is not outside: its edge is seldom that of the city."""


@dataclasses.dataclass(frozen=True, slots=True)
class Extent:
    """The box about all streets of a map, WGS-84 degrees."""

    west: float
    south: float
    east: float
    north: float

    @staticmethod
    def of(network: StreetNetwork) -> "Extent":
        """Return the box of a street network."""
        return Extent(*network.bounds)

    def away_m(self, lonlat: FloatArray) -> FloatArray:
        """Return (n,) metres between each position, (n, 2) degrees, and the box; 0 within it."""
        lon, lat = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2).T
        nearest_lat = np.clip(lat, self.south, self.north)
        east = (lon - np.clip(lon, self.west, self.east)) * np.cos(np.radians((lat + nearest_lat) / 2))
        return np.asarray(DEGREE_M * np.hypot(east, lat - nearest_lat))

    def outside(self, lonlat: FloatArray) -> BoolArray:
        """Return (n,) whether each position is farther from the box than `NEAR_M`."""
        return np.asarray(self.away_m(lonlat) > NEAR_M)

    def away_km(self, place: tuple[float, float]) -> float:
        """Return the kilometres between one place and the box."""
        return float(self.away_m(np.array([place]))[0]) / 1000

    def swapped(self, place: tuple[float, float]) -> bool:
        """Return whether a place, (lon, lat) degrees, lies outside, but on the map once these are swapped."""
        both = np.array([place, place[::-1]])
        outside = self.outside(both)
        return bool(outside[0] and not outside[1])


def snap_far(network: StreetNetwork, place: FloatArray, mode: str, among: BoolArray | None = None) -> Snapped:
    """Snap one place to the nearest corner of a street, however far it is: by great circle.

    The plane of a map, in which `StreetNetwork.snap` measures, holds for the map and little beyond.

    Parameters
    ----------
    network : StreetNetwork
    place : float64 (2,)
        WGS-84 degrees.
    mode : str
        One of `MODES`.
    among : bool (E,), optional
        Only these edges.

    Returns
    -------
    Snapped
        One row; refused where the mode may use none of the edges.
    """
    streets = network.connected(mode) if among is None else network.connected(mode) & among
    if not streets.any():
        streets = network.usable(mode) if among is None else network.usable(mode) & among
    if not streets.any():
        return network.snap(place, mode, NEAR_M, among)
    corners = np.flatnonzero(np.repeat(streets, np.diff(network.geom_ptr)))
    away_m = great_circle_m(network.geom_lonlat[corners], np.broadcast_to(place, (len(corners), 2)))
    corner = network.geom_lonlat[[corners[int(np.argmin(away_m))]]]
    foot = network.snap(corner, mode, NEAR_M, among)
    walk_m = great_circle_m(foot.lonlat, np.asarray(place, np.float64).reshape(1, 2))
    walk_ms = np.round(walk_m / WALK_MPS * 1000).astype(np.int64)
    return Snapped(foot.edge, foot.offset_m, foot.lonlat, walk_m, walk_ms)
