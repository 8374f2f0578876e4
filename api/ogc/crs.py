"""Coordinate reference systems of the OGC door: which are offered, and their axis order.

URIs as in OGC API - Features, Part 2. Positions are stored in CRS84 (lon, lat). A position in another system
has the axis order of its authority: latitude first in EPSG:4326, northing first in the Gauss-Krueger zones.
"""

import functools

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info

from geo.datum import in_mainland_china

__all__ = ["CRS84", "easting_first", "is_geographic", "offered_systems", "reprojected"]

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
_CGCS2000, _FIRST_ZONE, _FIRST_MERIDIAN = 4490, 4534, 75
"""EPSG:4534 is the 3-degree Gauss-Krueger zone about 75 E without a zone number; the next ones follow."""

Shapes = NDArray[np.object_]


def offered_systems(bounds: tuple[float, float, float, float]) -> tuple[str, ...]:
    """Return the URIs that a map with these bounds (west, south, east, north) is offered in, CRS84 first.

    In mainland China also CGCS2000, in degrees and in the 3-degree zone, as its survey offices use them.
    """
    lon, lat = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    codes = [4326, 3857]
    zone = query_utm_crs_info("WGS 84", AreaOfInterest(lon, lat, lon, lat))
    codes += [int(one.code) for one in zone[:1]]
    if in_mainland_china(np.array([(lon, lat)]))[0]:
        codes += [_CGCS2000, _FIRST_ZONE + round((lon - _FIRST_MERIDIAN) / 3)]
    return (CRS84, *(f"{_EPSG}{code}" for code in codes))


@functools.cache
def _crs(uri: str) -> pyproj.CRS:
    return pyproj.CRS("OGC:CRS84" if uri == CRS84 else f"EPSG:{uri.removeprefix(_EPSG)}")


def easting_first(uri: str) -> bool:
    """Whether the first axis of a system points east."""
    return str(_crs(uri).axis_info[0].direction) == "east"


def is_geographic(uri: str) -> bool:
    """Whether positions of a system are degrees."""
    return bool(_crs(uri).is_geographic)


@functools.cache
def _transformer(uri: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(_crs(CRS84), _crs(uri), always_xy=True)


def reprojected(shapes: Shapes, uri: str) -> Shapes:
    """Return shapes in a system, easting first (as geometry libraries want it) whatever its axis order."""
    if uri == CRS84:
        return shapes
    change = _transformer(uri).transform
    return np.asarray(shapely.transform(shapes, change, interleaved=False))
