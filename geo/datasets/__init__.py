"""Files of places and areas as offices keep them: vector layers, GeoJSON, tables of CSV and Excel."""

from geo.datasets.angles import angle_of
from geo.datasets.tables import TABLE_ENDINGS, Heading, PlaceTable, Row, cell_text, read_table
from geo.datasets.vector import LAYER_ENDINGS, numbered, read_layer, to_degrees

__all__ = [
    "LAYER_ENDINGS",
    "TABLE_ENDINGS",
    "Heading",
    "PlaceTable",
    "Row",
    "angle_of",
    "cell_text",
    "numbered",
    "read_layer",
    "read_table",
    "to_degrees",
]
