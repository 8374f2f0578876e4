"""Zones of a planner, such as those in which no station may stand: polygons of a file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely
import shapely.geometry

from geo.datasets import numbered, read_layer
from geo.datum import Datum, to_wgs84
from geo.errors import InputError, read_each
from geo.grids import refuse_no_degrees
from geo.sentences import Sentence

__all__ = ["read_zones", "to_wgs84_zones"]


def read_zones(
    path: Path, datum: Datum, layer: str | None = None, crs: str | None = None
) -> tuple[shapely.Geometry, ...]:
    """Read polygons.

    Parameters
    ----------
    path : Path
        Polygons or multipolygons, as `geo.datasets.read_layer` takes them.
    datum : str
        ``wgs84``, ``gcj02`` or ``bd09``: that of the positions in the file.
    layer : str, optional
        Of files with several layers.
    crs : str, optional
        Of files that do not name theirs.

    Returns
    -------
    tuple of shapely geometries
        (lon, lat) in WGS-84 degrees.

    Raises
    ------
    InputError
        For a file that cannot be read, and for features that are no valid polygons in degrees, all at once.
    """
    features = read_layer(path, layer=layer, crs=crs)
    if not features:
        raise InputError(Sentence.of("zone_lacking", file=path.name))
    unit = next(numbered(features))[0]
    rows = ((number, feature) for _, number, feature in numbered(features))
    zones = read_each(path.name, rows, _polygon, unit)
    return to_wgs84_zones(zones, datum)


def to_wgs84_zones(zones: Sequence[shapely.Geometry], datum: Datum) -> tuple[shapely.Geometry, ...]:
    """Return the zones in WGS-84."""
    return tuple(shapely.transform(np.array(zones, dtype=object), lambda lonlat: to_wgs84(lonlat, datum)))


def _polygon(feature: object) -> shapely.Geometry:
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
        raise InputError(Sentence.of("polygon_needed"))
    refuse_no_degrees(zone)
    return shapely.force_2d(zone)
