"""Tables in trace files: which column is what, and their rows as columns, from CSV to GeoPackage."""
