"""OpenStreetMap files, place names and OSMnx graphs into a street network and places."""
