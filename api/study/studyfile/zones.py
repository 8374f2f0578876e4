"""Zones of a planner, such as those in which no station may stand: polygons from GeoJSON."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely
import shapely.geometry

from geo.datum import Datum, to_wgs84
from geo.errors import InputError
from geo.geojson import read_features

__all__ = ["read_zones", "to_wgs84_zones"]


def read_zones(path: Path, datum: Datum) -> tuple[shapely.Geometry, ...]:
    """Read polygons.

    Parameters
    ----------
    path : Path
        A GeoJSON FeatureCollection of polygons or multipolygons.
    datum : str
        ``wgs84``, ``gcj02`` or ``bd09``: that of the positions in the file.

    Returns
    -------
    tuple of shapely geometries
        (lon, lat) in WGS-84 degrees.

    Raises
    ------
    InputError
        For a file that cannot be read, and for a feature that is no valid polygon in degrees.
    """
    features = read_features(path)
    if not features:
        raise InputError(f"{path.name}: a GeoJSON FeatureCollection with at least one polygon is needed")
    return to_wgs84_zones([_polygon(path, number, f) for number, f in enumerate(features, 1)], datum)


def to_wgs84_zones(zones: Sequence[shapely.Geometry], datum: Datum) -> tuple[shapely.Geometry, ...]:
    """Return the zones in WGS-84."""
    return tuple(shapely.transform(np.array(zones, dtype=object), lambda lonlat: to_wgs84(lonlat, datum)))


def _polygon(path: Path, number: int, feature: object) -> shapely.Geometry:
    try:
        zone = shapely.geometry.shape(feature["geometry"] if isinstance(feature, dict) else None)
    except (KeyError, TypeError, ValueError, AttributeError, shapely.GEOSException):
        zone = None
    if (
        zone is None
        or zone.geom_type not in ("Polygon", "MultiPolygon")
        or zone.is_empty
        or not zone.is_valid
    ):
        raise InputError(f"{path.name}, feature {number}: a valid polygon is needed")
    west, south, east, north = zone.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise InputError(
            f"{path.name}, feature {number}: positions must be (lon, lat), -180 to 180 and -90 to 90 degrees"
        )
    return shapely.force_2d(zone)
