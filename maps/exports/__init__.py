"""A study for other programs: GeoJSON and GeoPackage."""

from maps.exports.geodata import write_geojson, write_gpkg

__all__ = ["write_geojson", "write_gpkg"]
