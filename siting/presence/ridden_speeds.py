"""How fast riders are on each class of streets, and how much of the streets a plan reaches by such times."""

import numpy as np

from geo.arrays import FloatArray
from geo.learned import RiddenStreets
from geo.privacy import riders_in_groups
from geo.streets import EBIKE_PROMISE_MPS, MODES, StreetNetwork
from geo.travel import travel_times_s
from siting.observed import ClassSpeed

__all__ = ["class_speeds", "streets_in_reach"]


def class_speeds(network: StreetNetwork, mode: str, rides: RiddenStreets, k: int) -> tuple[ClassSpeed, ...]:
    """Return the speeds of each class that k riders rode on: means only, of which none tells another."""
    edge = rides.directed >> 1
    length_m = network.edge_length_m[edge]
    speed = network.edge_speed_mps[MODES.index(mode)].astype(np.float64)
    if mode == "ebike":
        speed = np.minimum(speed, EBIKE_PROMISE_MPS)
    count, of_class = len(network.classes), network.edge_class[edge].astype(np.int64)
    # The hours of the working days, and a last column for what is not one of them.
    slot = of_class * 25 + np.where(rides.hour < 5 * 24, rides.hour % 24, 24)
    metres = np.bincount(slot, length_m, 25 * count).reshape(count, 25)
    took_s = np.bincount(slot, rides.took_s, 25 * count).reshape(count, 25)
    plain_s = np.bincount(of_class, length_m / speed[edge], count)
    in_class = riders_in_groups(of_class, rides.rider, count)
    in_slot = riders_in_groups(slot, rides.rider, 25 * count)
    out = []
    for number, name in enumerate(network.classes):
        if in_class[number] < k:
            continue
        kept = np.flatnonzero(in_slot[25 * number : 25 * number + 24] >= k)
        hours = [(float(metres[number, h] / took_s[number, h]), h) for h in kept.tolist()]
        slowest, at = min(hours) if hours else (None, None)
        total_m = metres[number].sum()
        out.append(
            ClassSpeed(
                name=name,
                class_kmh=3.6 * float(total_m / plain_s[number]),
                kmh=3.6 * float(total_m / took_s[number].sum()),
                slowest_hour=at,
                slowest_kmh=None if slowest is None else 3.6 * slowest,
            )
        )
    return tuple(out)


def streets_in_reach(network: StreetNetwork, mode: str, sites: FloatArray, limit_s: float) -> float:
    """Return the share (0-1) of street kilometres whose middle is within the limit of a station."""
    edges = np.flatnonzero(network.usable(mode))
    places, stations = network.snap(network.middle_lonlat(edges), mode), network.snap(sites, mode)
    best_s = travel_times_s(network, mode, places, stations, limit_s).min(axis=1)
    length_m = network.edge_length_m[edges]
    return float(length_m[best_s <= limit_s].sum() / length_m.sum())
