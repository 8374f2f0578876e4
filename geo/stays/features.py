"""What can be known of a stay before its kind is: its length, what stands near, who else stays there.

Nothing in here asks for more than traces, a map and, where given, order events.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.earth import DEGREE_M
from geo.localtime import DAY_S, HOUR_S, local_s
from geo.places import Places
from geo.stays.detect import StayPoints
from geo.stays.signs import CLOSES, OPENS
from geo.streets.network import StreetNetwork

__all__ = ["FAR_M", "FOOD", "LEISURE", "StayFeatures", "stay_features"]

FAR_M: Final = 500.0
#: Kinds of places where orders are picked up, and where riders like to sit.
FOOD: Final = ("restaurant", "fast_food", "cafe", "food_court", "marketplace", "bakery", "bar", "pub")
LEISURE: Final = ("park", "mall", "supermarket", "cinema", "convenience", "community_centre", "shelter")
_SAME_PLACE_M = 40.0
_HOME_M = 100.0
_SOON_S = 180


@dataclass(frozen=True, slots=True, eq=False)
class StayFeatures:
    """Columns of one length, a row a stay; distances in metres are cut at `FAR_M`."""

    duration_s: NDArray[np.float64]
    hour: NDArray[np.float64]
    """Local hour of the middle, 0-24."""
    food_m: NDArray[np.float64]
    leisure_m: NDArray[np.float64]
    home_m: NDArray[np.float64]
    """To a building or place where people live."""
    gate_m: NDArray[np.float64]
    junction_m: NDArray[np.float64]
    """To a junction of three or more streets."""
    street_m: NDArray[np.float64]
    visits: NDArray[np.float64]
    """Other stays within 40 m."""
    visitors: NDArray[np.float64]
    """Other riders that stay within 40 m."""
    usual_s: NDArray[np.float64]
    """Median length of the other stays within 40 m; NaN where there is none."""
    habit_s: NDArray[np.float64]
    """Median length of this rider's other stays within 40 m; NaN where there is none."""
    next_m: NDArray[np.float64]
    """To this rider's next stay, where it begins within 3 min."""
    own_home: NDArray[np.bool_]
    """Within 100 m of where this rider's sessions begin and end."""


def _nearest(points_m: NDArray[np.float64], xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(points_m) == 0:
        return np.full(len(xy_m), FAR_M)
    away, _ = cKDTree(points_m).query(xy_m, distance_upper_bound=FAR_M)
    return np.minimum(away, FAR_M)


def _company(
    stays: StayPoints, xy_m: NDArray[np.float64], duration_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Other stays at the same place: how many, of how many riders, and how long they last."""
    n = len(stays)
    visits, visitors, usual = np.zeros(n), np.zeros(n), np.full(n, np.nan)
    if n == 0:
        return visits, visitors, usual
    tree = cKDTree(xy_m)
    # Popular places hold thousands of stays: cut space into cells once, and ask each cell's middle.
    cell = np.floor(xy_m / 20.0).astype(np.int64)
    cells, index = np.unique(cell, axis=0, return_inverse=True)
    order = np.argsort(index, kind="stable")
    ends = np.cumsum(np.bincount(index, minlength=len(cells)))
    near = tree.query_ball_point((cells + 0.5) * 20.0, _SAME_PLACE_M, return_sorted=True)
    for c, others in enumerate(near):
        mine = order[ends[c - 1] if c else 0 : ends[c]]
        found = np.asarray(others, np.int64)
        lengths = np.sort(duration_s[found])
        riders = np.unique(stays.rider[found])
        inside = np.isin(mine, found)
        visits[mine] = len(found) - inside
        visitors[mine] = len(riders) - np.isin(stays.rider[mine], riders)
        if len(found) > 1:
            # Leaving one value out moves the median by half a rank at most.
            usual[mine] = np.median(lengths)
            if len(found) <= 8:
                for k in mine[inside].tolist():
                    usual[k] = np.median(duration_s[found[found != k]])
    return visits, visitors, usual


def _own_homes(stays: StayPoints, xy_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a stay is where most of this rider's sessions begin and end."""
    home = np.zeros(len(stays), np.bool_)
    edge = np.flatnonzero(stays.signs & (OPENS | CLOSES))
    ends = np.searchsorted(stays.rider[edge], np.unique(stays.rider[edge]), side="right")
    begin = 0
    for end in ends.tolist():
        at = xy_m[edge[begin:end]]
        rider = int(stays.rider[edge[begin]])
        begin = end
        if len(at) < 2:
            continue
        near = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1)) <= _HOME_M
        votes = near.sum(axis=1)
        if votes.max() < 2:
            continue
        centre = np.median(at[near[int(np.argmax(votes))]], axis=0)
        own = slice(*np.searchsorted(stays.rider, [rider, rider + 1]).tolist())
        home[own] = np.hypot(*(xy_m[own] - centre).T) <= _HOME_M
    return home


def _habits(
    stays: StayPoints, xy_m: NDArray[np.float64], duration_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Median length of this rider's other stays at the place, NaN where there is none."""
    usual = np.full(len(stays), np.nan)
    if len(stays) == 0:
        return usual
    # One tree for all riders: riders are laid far apart along a third axis.
    apart = np.column_stack([xy_m, stays.rider * (10.0 * _SAME_PLACE_M)])
    pairs = cKDTree(apart).query_pairs(_SAME_PLACE_M, output_type="ndarray")
    if len(pairs) == 0:
        return usual
    both = np.concatenate([pairs, pairs[:, ::-1]])
    order = np.lexsort((duration_s[both[:, 1]], both[:, 0]))
    own, lengths = both[order, 0], duration_s[both[order, 1]]
    rows, first, counts = np.unique(own, return_index=True, return_counts=True)
    usual[rows] = (lengths[first + (counts - 1) // 2] + lengths[first + counts // 2]) / 2.0
    return usual


def _to_next(stays: StayPoints, xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
    away = np.full(len(stays), FAR_M)
    soon = (stays.rider[1:] == stays.rider[:-1]) & (stays.start_s[1:] - stays.end_s[:-1] <= _SOON_S)
    rows = np.flatnonzero(soon)
    away[rows] = np.minimum(np.hypot(*(xy_m[rows + 1] - xy_m[rows]).T), FAR_M)
    return away


def stay_features(
    stays: StayPoints, places: Places | None, network: StreetNetwork | None, timezone: str
) -> StayFeatures:
    """Gather what is known about each stay; without a map all distances are `FAR_M`."""
    n = len(stays)
    duration = stays.duration_s.astype(np.float64)
    if network is not None:
        project = network.project
    else:
        centre = stays.lonlat.mean(axis=0) if n else np.zeros(2)
        scale = DEGREE_M * np.array([np.cos(np.radians(centre[1])), 1.0])

        def project(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
            return (lonlat - centre) * scale

    xy = project(stays.lonlat)
    far = np.full(n, FAR_M)
    food = leisure = homes = gates = junction = street = far
    if places is not None:
        food = _nearest(project(places.poi_lonlat[places.of(*FOOD)]), xy)
        leisure = _nearest(project(places.poi_lonlat[places.of(*LEISURE)]), xy)
        homes = _nearest(project(places.poi_lonlat[places.of("home")]), xy)
        barrier = [k for k, name in enumerate(places.gate_kinds) if name != "entrance"]
        gates = _nearest(project(places.gate_lonlat[np.isin(places.gate_kind, barrier)]), xy)
    if network is not None and n:
        degree = np.bincount(np.r_[network.edge_u, network.edge_v], minlength=len(network.node_lonlat))
        junction = _nearest(project(network.node_lonlat[degree >= 3]), xy)
        gates = np.minimum(gates, _nearest(project(network.node_lonlat[network.node_gate]), xy))
        walk = network.snap(stays.lonlat, "ebike", max_m=FAR_M, fragments=True).walk_m
        street = np.where(np.isfinite(walk), np.minimum(walk, FAR_M), FAR_M)
    middle = (stays.start_s + stays.end_s) // 2
    hour = local_s(middle, timezone) % DAY_S / HOUR_S
    visits, visitors, usual = _company(stays, xy, duration)
    return StayFeatures(
        duration_s=duration,
        hour=hour,
        food_m=food,
        leisure_m=leisure,
        home_m=homes,
        gate_m=gates,
        junction_m=junction,
        street_m=street,
        visits=visits,
        visitors=visitors,
        usual_s=usual,
        habit_s=_habits(stays, xy, duration),
        next_m=_to_next(stays, xy),
        own_home=_own_homes(stays, xy),
    )
