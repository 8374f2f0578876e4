"""WGS-84, GCJ-02 and BD-09, and where in the world the shift applies."""

from geo.datum.transform import (
    DATUMS,
    Datum,
    from_wgs84,
    in_mainland_china,
    place_from_wgs84,
    place_to_wgs84,
    to_wgs84,
)

__all__ = [
    "DATUMS",
    "Datum",
    "from_wgs84",
    "in_mainland_china",
    "place_from_wgs84",
    "place_to_wgs84",
    "to_wgs84",
]
