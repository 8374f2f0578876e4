"""Hot spots: where rests are dense, each under a name that people know.

Density clusters of the observed rests (rider-minutes a day) say what to call the places where riders rest.
They are for reading only: the choice of sites runs on fine demand points and never sees them. A hot spot
with fewer than k riders is not shown, and its outline is a circle about its middle, so that no single stay
can be read off it.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from geo.errors import InputError
from geo.localtime import local_s
from siting.demand.asked import Asked
from siting.demand.clusters import density_clusters
from siting.demand.hourly import hourly_figures
from siting.demand.names import MapNames, name_places
from siting.demand.weighted import DemandLayer, Events, distinct_riders, split_by_hour
from siting.results import HotSpot
from siting.travel_times import Ways

__all__ = ["HotSpotRules", "PlanStations", "find_hot_spots"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

INSIDE_SHARE = 0.9
"""Share of the rest minutes that the published circle holds."""


@dataclasses.dataclass(frozen=True, slots=True)
class HotSpotRules:
    """What a hot spot is.

    Attributes
    ----------
    near_m : rests at most so far apart belong together, 10-500 m
    least_min_a_day : it grows from places with so many rider-minutes of rest a day about them, 1-10000
    radius_m : a chain of rests more than twice as wide is cut, 30-2000 m
    most : hot spots to show, 0-5000
    """

    near_m: float = 40.0
    least_min_a_day: float = 30.0
    radius_m: float = 150.0
    most: int = 200

    def __post_init__(self) -> None:
        for name, low, high in (
            ("near_m", 10, 500),
            ("least_min_a_day", 1, 10_000),
            ("radius_m", 30, 2000),
            ("most", 0, 5000),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"hot spot {name} is {value}, it must lie in {low}-{high}.")


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class PlanStations:
    """The stations of a plan, and how riders get to them."""

    lonlat: FloatArray
    """(s, 2) degrees."""
    ids: tuple[str, ...]
    mode: str
    limit_s: float
    """A station is near enough within so many seconds."""


def find_hot_spots(
    rests: Events,
    map_names: MapNames,
    ways: Ways,
    rules: HotSpotRules,
    stations: PlanStations,
    *,
    timezone: str,
    days: int,
    asked: Asked,
) -> tuple[HotSpot, ...]:
    """Name the places where riders rest, most rest first, and ask to publish their figures.

    Parameters
    ----------
    rests : observed rests
    map_names : of compounds and places
    ways : streets
    rules : what a hot spot is
    stations : those of the plan
    timezone : IANA name
    days : days of the data
    asked : where figures ask to be published; a hot spot has at least its k riders
    """
    if len(rests.lonlat) == 0 or rules.most == 0:
        return ()
    xy = ways.project(rests.lonlat)
    minutes = (rests.end_s - rests.start_s) / 60.0 / max(1, days)
    label = density_clusters(
        xy, minutes, near_m=rules.near_m, least=rules.least_min_a_day, radius_m=rules.radius_m
    )
    count = int(label.max()) + 1
    layer = _layer(rests, label, timezone)
    riders = distinct_riders(layer, np.arange(count), count)
    total = np.bincount(label[label >= 0], weights=minutes[label >= 0], minlength=count)
    middle, radius = _circles(xy, minutes, label, count)
    shown = np.nonzero(riders >= asked.k)[0]
    order = shown[np.lexsort((middle[shown, 1], middle[shown, 0], -total[shown]))][: rules.most]
    centre = np.round(ways.unproject(middle[order].reshape(-1, 2)), 6)
    names = name_places(centre, map_names, ways)
    nearest = _nearest(centre, stations, ways)
    out = []
    for number, spot in enumerate(order.tolist()):
        hours, whole = hourly_figures(layer, np.arange(count) == spot, days, asked.k)
        path = f"hot_spots/H{number + 1:02d}"
        asked.figures.add_riders(f"{path}/riders", rests.rider[label == spot], "riders")
        asked.rests(f"{path}/rest_min_a_day", label == spot, "spot")
        asked.rests(f"{path}/rest_min_by_hour", label == spot, "spot_hour", by_hour=True)
        where = (float(centre[number, 0]), float(centre[number, 1]))
        out.append(
            HotSpot(
                spot_id=f"H{number + 1:02d}",
                name=names[number],
                lonlat=where,
                radius_m=float(radius[spot]),
                ring=_circle(middle[spot], float(radius[spot]), ways),
                riders=int(riders[spot]),
                rest_min_a_day=whole,
                rest_min_by_hour=hours,
                site_id=nearest[number],
            )
        )
    return tuple(out)


def _layer(rests: Events, label: IntArray, timezone: str) -> DemandLayer:
    """Return the rests of all clusters as a layer whose points are the clusters."""
    inside = np.nonzero(label >= 0)[0]
    start = local_s(rests.start_s[inside], timezone)
    row, hour, minutes = split_by_hour(start, start + (rests.end_s - rests.start_s)[inside])
    point, rider = label[inside][row], rests.rider[inside][row]
    order = np.lexsort((minutes, hour, rider, point))
    none = np.zeros(len(row), dtype=np.int64)
    return DemandLayer(point[order], rider[order], none, (hour % 24)[order], minutes[order])


def _circles(
    xy_m: FloatArray, minutes: FloatArray, label: IntArray, count: int
) -> tuple[FloatArray, FloatArray]:
    """Return the middle of each cluster to 10 m, and the radius in tens of metres about most of its rest."""
    middle, radius = np.zeros((count, 2)), np.zeros(count)
    order = np.argsort(label, kind="stable")
    cuts = np.searchsorted(label[order], np.arange(count + 1))
    for spot in range(count):
        rows = order[cuts[spot] : cuts[spot + 1]]
        weight = np.maximum(minutes[rows], 1e-9)
        middle[spot] = np.round(np.average(xy_m[rows], axis=0, weights=weight), -1)
        away = np.hypot(*(xy_m[rows] - middle[spot]).T)
        by_distance = np.lexsort((weight, away))
        share = np.cumsum(weight[by_distance]) / weight.sum()
        far = away[by_distance][min(int(np.searchsorted(share, INSIDE_SHARE)), len(rows) - 1)]
        radius[spot] = max(20.0, 10.0 * np.ceil(far / 10.0))
    return middle, radius


def _nearest(lonlat: FloatArray, stations: PlanStations, ways: Ways) -> list[str]:
    """Return the station of the plan that each hot spot is served by, empty for none within the limit."""
    if len(lonlat) == 0 or len(stations.ids) == 0:
        return [""] * len(lonlat)
    seconds = ways.seconds(stations.mode, lonlat, stations.lonlat, stations.limit_s)
    best = seconds.argmin(axis=1)
    return [
        stations.ids[site] if seconds[row, site] <= stations.limit_s else ""
        for row, site in enumerate(best.tolist())
    ]


def _circle(middle_m: FloatArray, radius_m: float, ways: Ways) -> tuple[tuple[float, float], ...]:
    turn = np.linspace(0.0, 2 * np.pi, 25)
    ring = ways.unproject(middle_m + radius_m * np.column_stack([np.cos(turn), np.sin(turn)]))
    points = [(round(float(x), 6), round(float(y), 6)) for x, y in ring]
    return (*points[:-1], points[0])
