"""A study for other programs: GeoJSON and GeoPackage."""
