"""Figures of a study by site, cell, unit grid and street, and what each of them counts."""

import dataclasses

import numpy as np
import numpy.typing as npt
import shapely

from geo.privacy import riders_in_groups, suppress
from siting.columns import GridColumns
from siting.demand.asked import Asked, thousandths
from siting.demand.hourly import hourly_figures
from siting.demand.weighted import Demand, DemandLayer, distinct_riders
from siting.inputs import StudySettings
from siting.results import DemandCell, GridFigures, KindFigures, LayerFigures
from siting.stations.hours import shortest_pattern, span_text
from siting.stations.kinds import StationKind
from siting.travel_times import Ways

__all__ = [
    "NEAREST_S",
    "Allocation",
    "Covered",
    "Marked",
    "allocated",
    "demand_cells",
    "grid_figures",
    "grid_of",
    "kind_and_hours",
    "kind_figures",
    "layer_figures",
    "nearest_stations",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Allocation:
    """What one chosen site serves: its demand points, alone and shared."""

    nearest: BoolArray
    """(n,) points for which it is the nearest chosen site within the limit."""
    only: BoolArray
    """(n,) points that no other chosen site reaches within the limit."""


def allocated(cost_s: FloatArray, limit_s: float) -> tuple[Allocation, ...]:
    """Return what each column of an (n, sites) matrix serves; ties go to the first column."""
    if cost_s.shape[1] == 0:
        return ()
    within = cost_s <= limit_s
    nearest = cost_s.argmin(axis=1)
    served = within.any(axis=1)
    alone = within.sum(axis=1) == 1
    return tuple(Allocation(served & (nearest == s), within[:, s] & alone) for s in range(cost_s.shape[1]))


def kind_and_hours(
    minutes_by_hour: FloatArray, kinds: tuple[StationKind, ...]
) -> tuple[StationKind, tuple[int, int]]:
    """Return the cheapest kind and shift pattern that serve the demand of one site.

    A pattern serves it when at most 5% of the minutes fall outside its hours, a kind when its seats hold
    the busiest hour. Where none does, the one that serves most minutes is returned.
    """
    total = float(minutes_by_hour.sum())
    options = []
    for kind in kinds:
        served_by_hour = np.minimum(minutes_by_hour, kind.minutes_an_hour)
        pattern = shortest_pattern(served_by_hour, kind.patterns)
        inside = np.arange(pattern[0], pattern[1]) % 24
        options.append((kind, pattern, float(served_by_hour[inside].sum())))
    enough = [o for o in options if o[2] >= 0.95 * total]
    if enough:
        kind, pattern, _ = min(enough, key=lambda o: (o[0].cost_yuan(o[1]), o[0].name))
    else:
        kind, pattern, _ = max(options, key=lambda o: (o[2], -o[0].cost_yuan(o[1]), o[0].name))
    return kind, pattern


def demand_cells(demand: Demand, ways: Ways, cell_m: float, asked: Asked) -> tuple[DemandCell, ...]:
    """Return rest demand and due breaks by square cells of ``cell_m``, and ask to publish them.

    Cells without any figure to show are left out.
    """
    k = asked.k
    xy = ways.project(demand.lonlat)
    cell = np.floor(xy / cell_m).astype(np.int64)
    cells, label = np.unique(cell, axis=0, return_inverse=True)
    label = label.ravel()
    days = len(demand.days)
    riders = distinct_riders(demand.rest, label, len(cells))
    rest = _cells_by_hour(demand.rest, label, len(cells), days, k)
    due = _cells_by_hour(demand.due_break, label, len(cells), days, k)
    due_riders = distinct_riders(demand.due_break, label, len(cells))
    members = np.argsort(label, kind="stable")
    cuts = np.searchsorted(label[members], np.arange(len(cells) + 1))
    out: list[DemandCell] = []
    for c, (cx, cy) in enumerate(cells.tolist()):
        if riders[c] < k and due_riders[c] < k:
            continue
        corners = np.array([[cx, cy], [cx + 1, cy], [cx + 1, cy + 1], [cx, cy + 1], [cx, cy]]) * cell_m
        ring = tuple((round(float(x), 6), round(float(y), 6)) for x, y in ways.unproject(corners))
        centre = ways.unproject((np.array([[cx, cy]]) + 0.5) * cell_m)[0]
        cell_id = f"C{len(out) + 1:05d}"
        inside = members[cuts[c] : cuts[c + 1]]
        mask = np.zeros(len(label), dtype=np.bool_)
        mask[inside] = True
        asked.riders(f"cells/{cell_id}/riders", "rest", mask, "riders")
        asked.by_hour(f"cells/{cell_id}/rest_min_by_hour", "rest", mask, "cell")
        asked.by_hour(f"cells/{cell_id}/due_break_min_by_hour", "due_break", mask, "cell")
        out.append(
            DemandCell(
                cell_id=cell_id,
                ring=ring,
                centre=(round(float(centre[0]), 6), round(float(centre[1]), 6)),
                riders=int(riders[c]) if riders[c] >= k else None,
                rest_min_by_hour=rest[c],
                due_break_min_by_hour=due[c],
            )
        )
    return tuple(out)


def _cells_by_hour(
    layer: DemandLayer, label: IntArray, cells: int, days: int, k: int
) -> list[tuple[float | None, ...]]:
    slot = label[layer.point] * 24 + layer.hour
    minutes = np.bincount(slot, weights=layer.minutes, minlength=cells * 24) / max(1, days)
    shown = suppress(minutes, riders_in_groups(slot, layer.rider, cells * 24), k)
    return [tuple(shown[24 * c : 24 * c + 24]) for c in range(cells)]


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Marked:
    """Places with their ids."""

    lonlat: FloatArray
    """(p, 2) degrees."""
    ids: tuple[str, ...]


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Covered:
    """What a plan does for each demand point."""

    served: FloatArray
    """(n, 24) share (0-1) of each point and hour."""
    in_reach: BoolArray
    """(n,) whether a station of the plan is near enough."""


def _share(layer: DemandLayer, rows: BoolArray, part: FloatArray) -> float | None:
    """Return the share of the minutes of some rows that ``part`` (rows of the layer, 0-1) makes up."""
    whole = float(layer.minutes[rows].sum())
    return None if whole == 0 else min(1.0, float((layer.minutes * part)[rows].sum()) / whole)


def grid_figures(
    grids: GridColumns,
    demand: Demand,
    covered: Covered,
    today: FloatArray,
    marked: tuple[Marked, Marked],
    asked: Asked,
) -> tuple[GridFigures, ...]:
    """Return figures by unit grid, ordered by code, and ask to publish them.

    Grids without demand and sites keep their row.

    Parameters
    ----------
    grids : unit grids
    demand : demand points and layers of the days that count
    covered : what the plan does for them
    today : (n, 24) which share of each point and hour the stations of today serve
    marked : stations and pick-up points of the plan
    asked : where figures ask to be published, on the days of ``demand``
    """
    codes, polygons = grids.codes, grids.polygons
    shapes = np.array(polygons, dtype=object)
    tree = shapely.STRtree(shapes)
    inside = _members(tree, demand.lonlat, len(shapes))
    sites, pickups = marked
    at_site = _members(tree, sites.lonlat, len(shapes))
    at_pickup = _members(tree, pickups.lonlat, len(shapes))
    days, rest = len(demand.days), demand.rest
    served, reached = covered.served[rest.point, rest.hour], covered.in_reach[rest.point].astype(np.float64)
    before = today[rest.point, rest.hour]
    served_times, today_times = thousandths(covered.served), thousandths(today)
    out = []
    for g in sorted(range(len(codes)), key=lambda g: codes[g]):
        mask = np.zeros(len(demand.lonlat), dtype=np.bool_)
        mask[inside[g]] = True
        _, total = hourly_figures(rest, mask, days, asked.k)
        rows = mask[rest.point]
        riders = len(np.unique(rest.rider[rows]))
        path = f"grids/{codes[g]}"
        asked.riders(f"{path}/riders", "rest", mask, "layers/rest/riders")
        asked.minutes(f"{path}/rest_min_a_day", "rest", mask, "grid")
        asked.share(f"{path}/served_share", "rest", mask[:, None] * served_times, mask, "grid")
        asked.share(f"{path}/in_reach_share", "rest", mask & covered.in_reach, mask, "grid")
        asked.share(f"{path}/served_today_share", "rest", mask[:, None] * today_times, mask, "other")
        out.append(
            GridFigures(
                code=codes[g],
                name=grids.names[g],
                rings=_rings(polygons[g]),
                riders=riders if riders >= asked.k else None,
                rest_min_a_day=total,
                served_share=_share(rest, rows, served),
                in_reach_share=_share(rest, rows, reached),
                site_ids=tuple(sites.ids[s] for s in at_site[g]),
                pickup_ids=tuple(pickups.ids[s] for s in at_pickup[g]),
                served_today_share=_share(rest, rows, before),
            )
        )
    return tuple(out)


NEAREST_S = 3600.0
"""A station farther than an hour from a grid serves it no more than none."""


def nearest_stations(
    grids: GridColumns, ways: Ways, mode: str, stations: Marked
) -> dict[str, tuple[str, float | None]]:
    """Return for each code the station that is reached soonest from the middle of the grid, and seconds.

    The middle is taken to its nearest street; what riders do there plays no part.
    """
    nothing: tuple[str, float | None] = ("", None)
    if not grids.codes or not stations.ids:
        return dict.fromkeys(grids.codes, nothing)
    middles = shapely.get_coordinates(shapely.point_on_surface(np.array(grids.polygons, dtype=object)))
    seconds = ways.seconds(mode, middles, stations.lonlat, NEAREST_S)
    soonest = seconds.argmin(axis=1)
    out = {}
    for code, at, row in zip(grids.codes, soonest.tolist(), seconds, strict=True):
        out[code] = (stations.ids[at], round(float(row[at]), 1)) if np.isfinite(row[at]) else nothing
    return out


def grid_of(polygons: tuple[shapely.Geometry, ...], lonlat: FloatArray) -> IntArray:
    """Return (n,) the unit grid each place lies in, the first one on shared borders, -1 for none."""
    out = np.full(len(lonlat), -1, dtype=np.int64)
    tree = shapely.STRtree(np.array(polygons, dtype=object))
    for g, members in enumerate(_members(tree, lonlat, len(polygons))):
        out[members] = g
    return out


def _members(tree: shapely.STRtree, lonlat: FloatArray, grids: int) -> list[list[int]]:
    """Return the points of each grid; a point on a shared border belongs to the first grid."""
    out: list[list[int]] = [[] for _ in range(grids)]
    if len(lonlat) == 0 or grids == 0:
        return out
    point, grid = tree.query(shapely.points(lonlat), predicate="intersects")
    first: dict[int, int] = {}
    for p, g in zip(point.tolist(), grid.tolist(), strict=True):
        first[p] = min(g, first.get(p, g))
    for p, g in sorted(first.items()):
        out[g].append(p)
    return out


def _rings(shape: shapely.Geometry) -> tuple[tuple[tuple[float, float], ...], ...]:
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"]
    return tuple(tuple((round(float(x), 6), round(float(y), 6)) for x, y in p.exterior.coords) for p in parts)


def layer_figures(
    demand: Demand, settings: StudySettings, covered: Covered, asked: Asked
) -> tuple[LayerFigures, ...]:
    """Return each layer of demand for itself: weight, minutes a day, and what the plan serves and reaches.

    Asks to publish them; passing riders are a part of the riders of the traces, as all others.
    """
    out = []
    for name, layer in demand.layers():
        rows = np.ones(len(layer.point), dtype=np.bool_)
        total = float(layer.minutes.sum())
        served = covered.served[layer.point, layer.hour]
        reached = covered.in_reach[layer.point].astype(np.float64)
        riders = len(np.unique(layer.rider))
        enough = riders >= settings.k
        asked.riders(f"layers/{name}/riders", name, None, "riders")
        asked.minutes(f"layers/{name}/min_a_day", name, None, "total")
        asked.share(f"layers/{name}/served_share", name, thousandths(covered.served), None, "plan")
        asked.share(f"layers/{name}/in_reach_share", name, covered.in_reach, None, "plan")
        out.append(
            LayerFigures(
                name=name,
                weight=getattr(settings.weights, name),
                limit_s=settings.passing_limit_s if name == "passing" else settings.limit_s,
                riders=riders if enough else None,
                min_a_day=total / max(1, len(demand.days)) if enough else None,
                served_share=_share(layer, rows, served),
                in_reach_share=_share(layer, rows, reached),
            )
        )
    return tuple(out)


def kind_figures(kinds: tuple[StationKind, ...]) -> tuple[KindFigures, ...]:
    """Return the kinds of stations as the study counted with them."""
    return tuple(
        KindFigures(
            name=kind.name,
            seats=kind.seats,
            fixed_yuan=kind.fixed_yuan,
            hour_yuan=kind.hour_yuan,
            opening_hours=tuple(span_text(*pattern) for pattern in kind.patterns),
            facilities=kind.facilities,
            assumed=kind.assumed,
        )
        for kind in kinds
    )
