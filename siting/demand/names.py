"""What to call a place: its compound, a named place of the map nearby, or its street."""

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from geo.places import Places
from siting.travel_times import Ways

__all__ = ["MapNames", "name_places"]

FloatArray = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class MapNames:
    """The names that the map knows."""

    places: Places
    compounds: tuple[str, ...]
    """Name of each compound, as numbered by ``ways.compound_of``."""


def name_places(lonlat: FloatArray, names: MapNames, ways: Ways, near_m: float = 60.0) -> tuple[str, ...]:
    """Return a name for each place, empty where the map knows none.

    Parameters
    ----------
    lonlat : (n, 2) degrees
    names : of compounds and places
    ways : streets
    near_m : a named place so near gives its name, metres
    """
    places = names.places
    if len(lonlat) == 0:
        return ()
    compound = ways.compound_of(lonlat).tolist()
    streets = ways.street(lonlat)
    rows = np.array([r for r in range(len(places)) if places.best_name(r)], dtype=np.int64)
    near = np.full(len(lonlat), -1)
    if len(rows):
        away, found = cKDTree(ways.project(places.poi_lonlat[rows])).query(ways.project(lonlat))
        near = np.where(away <= near_m, rows[found], -1)
    return tuple(
        (names.compounds[inside] if inside >= 0 else "")
        or (places.best_name(place) if place >= 0 else "")
        or street
        for inside, place, street in zip(compound, near.tolist(), streets, strict=True)
    )
