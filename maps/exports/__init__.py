"""A study for other programs: GeoJSON, GeoPackage, and its layers as rows and shapes."""

from maps.exports.geodata import Layer, study_layers, write_geojson, write_gpkg

__all__ = ["Layer", "study_layers", "write_geojson", "write_gpkg"]
