"""OpenStreetMap files, place names and OSMnx graphs into a street network and places."""

from geo.osm.change_file import KnownNode, NewLink, known_nodes, osm_change
from geo.osm.describe import Description, describe
from geo.osm.osmnx import to_osmnx, write_graphml
from geo.osm.read import read_osm, read_place

__all__ = [
    "Description",
    "KnownNode",
    "NewLink",
    "describe",
    "known_nodes",
    "osm_change",
    "read_osm",
    "read_place",
    "to_osmnx",
    "write_graphml",
]
