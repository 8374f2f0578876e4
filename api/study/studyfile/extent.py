"""How far things lie from the map of a study, and whether swapping lon and lat would bring them onto it."""

import dataclasses

import numpy as np

from geo.arrays import BoolArray, FloatArray
from geo.earth import DEGREE_M
from geo.streets import StreetNetwork

__all__ = ["NEAR_M", "Extent"]

NEAR_M = 1_000.0
"""What lies so near to the streets of the map is not outside: its edge is seldom that of the city."""
METRES_A_KM = 1_000.0


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
        return float(self.away_m(np.array([place]))[0]) / METRES_A_KM

    def swapped(self, place: tuple[float, float]) -> bool:
        """Return whether a place, (lon, lat) degrees, lies outside, but on the map once these are swapped."""
        both = np.array([place, place[::-1]])
        outside = self.outside(both)
        return bool(outside[0] and not outside[1])
