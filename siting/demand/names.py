"""What to call a place: its compound, a named place of the map nearby, or its street."""

import dataclasses
import re
import unicodedata

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from geo.places import Places
from siting.travel_times import Ways

__all__ = ["MapNames", "name_places", "proper_name"]

_LABEL = re.compile(
    r"[\W\d_]*[a-z]?[\W\d_]*"  # 41, 2-1, A, B2
    r"|第?(?:地[上下面])?[东南西北中内外大小左右前后正侧边]*[\W\d一二三四五六七八九十]*[a-z]?"
    r"(?:号|栋|座|楼|幢|单元|院|区|门|口|大门|号楼|号院|号门|入口|出口"
    r"|公寓|宿舍|宿舍楼|停车场|车库|公厕|厕所|卫生间|岗亭|门岗|传达室)*"
    r"|(?:(?:no|gate|entrance|exit|building|block|tower|north|south|east|west|main|side"
    r"|parking|car park|toilets?)\b[\W\d]*)+[a-z]?"
)
"""What tells doors and buildings of one place apart: 41, 西南2, 3号楼, A座, 停车场, North Gate."""

FloatArray = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class MapNames:
    """The names that the map knows."""

    places: Places
    compounds: tuple[str, ...]
    """Name of each compound, as numbered by ``ways.compound_of``."""


def proper_name(name: str) -> str:
    """Return a name by which a place can be found; empty for labels such as 41, 西南2 or 3号楼."""
    plain = unicodedata.normalize("NFKC", name).strip().casefold()
    return "" if _LABEL.fullmatch(plain) else name.strip()


def name_places(lonlat: FloatArray, names: MapNames, ways: Ways, near_m: float = 60.0) -> tuple[str, ...]:
    """Return a name for each place, empty where the map knows no proper one.

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
    rows = np.array([r for r in range(len(places)) if proper_name(places.best_name(r))], dtype=np.int64)
    near = np.full(len(lonlat), -1)
    if len(rows):
        away, found = cKDTree(ways.project(places.poi_lonlat[rows])).query(ways.project(lonlat))
        near = np.where(away <= near_m, rows[found], -1)
    return tuple(
        (proper_name(names.compounds[inside]) if inside >= 0 else "")
        or (places.best_name(place) if place >= 0 else "")
        or street
        for inside, place, street in zip(compound, near.tolist(), streets, strict=True)
    )
