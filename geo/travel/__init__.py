"""Travel times, paths and isochrones on a street network."""
