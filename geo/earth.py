"""The Earth as a sphere: one radius for every distance in this house."""

import math
from typing import Final

__all__ = ["DEGREE_M", "RADIUS_M", "near_metres"]

RADIUS_M: Final = 6_371_008.8
"""Mean radius R1 of the International Union of Geodesy and Geophysics (Moritz 2000)."""
DEGREE_M: Final = math.radians(RADIUS_M)
"""Metres of a degree of latitude; times the cosine of the latitude, of a degree of longitude."""


def near_metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the metres between two near places, (lon, lat) degrees."""
    east = (a[0] - b[0]) * math.cos(math.radians((a[1] + b[1]) / 2))
    return DEGREE_M * math.hypot(east, a[1] - b[1])
