"""The way between places, for the small maps."""

import dataclasses

import numpy as np

from geo.arrays import FloatArray
from geo.streets import StreetNetwork
from geo.travel import find_path

__all__ = ["WayShown", "way_between"]

WALK_M = 200.0


@dataclasses.dataclass(frozen=True, slots=True)
class WayShown:
    """A way as a page shows it; positions in WGS-84."""

    lonlat: list[list[float]]
    length_m: float
    time_s: float
    streets: tuple[str, ...]


def way_between(network: StreetNetwork, mode: str, places: FloatArray) -> WayShown | None:
    """Return the legal way from place to place.

    Parameters
    ----------
    network : StreetNetwork
    mode : str
    places : float64 (n, 2)
        Longitude and latitude, WGS-84; from the first to the last.

    Returns
    -------
    WayShown or None
        None where there is none.
    """
    ends = network.snap(places, mode, max_m=WALK_M)
    if not ends.ok.all():
        return None
    points: list[list[float]] = []
    length_m = time_s = 0.0
    streets: list[str] = []
    for at in range(len(places) - 1):
        path = find_path(network, mode, ends.take(np.array([at])), ends.take(np.array([at + 1])))
        if path is None:
            return None
        points += np.round(np.asarray(path.lonlat), 6).tolist()
        length_m, time_s = length_m + float(path.length_m), time_s + float(path.time_s)
        streets += [name for name, _ in path.steps if name]
    return WayShown(points, length_m, time_s, tuple(dict.fromkeys(streets)))
