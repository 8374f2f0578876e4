"""Pick-up points and lockers where deliveries cluster: at compounds and towers.

Drop-offs inside one compound belong together; the others are gathered by density (DBSCAN: Ester et al.,
KDD 1996). Gates are where riders wait, whether the map knows them or not. A pick-up point saves, for
each delivery that it takes over, the wait at the gate (where it stands at one), the stay at the door beyond
a short handover, and what the ride by the point is shorter than the ride by the door, from the stop before
to the stop after; where the point lies off the way, that ride counts against it. Residents pay with a walk
there and back. A wait belongs to the delivery that the same rider makes next.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree
from sklearn.cluster import DBSCAN

from siting.demand.asked import Asked
from siting.demand.clusters import density_clusters
from siting.demand.names import proper_name
from siting.results import Gate, PickupPoint
from siting.stations.pickup_inputs import CompoundMap, DropOffs, GateWaits, PickupRules, RiderWays
from siting.travel_times import Ways

__all__ = ["PICKUP_FIGURES", "group_drop_offs", "pick_up_points"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

PICKUP_FIGURES = (
    "drop_offs_a_day", "saved_min_a_day", "walk_median_m", "walk_max_m", "residents_walk_m_a_day"
)  # fmt: skip
"""Figures of a point that stand for the deliveries which it takes over."""
TOWER_RADIUS_M = 150.0
"""A chain of towers twice as wide is cut: one pick-up point could not serve it."""
DETOUR = 1.3
"""Assumed length of residents' ways over the straight line."""
KERB_M = 40.0
"""A gate or door is served from a public street at most so far away."""
SAMPLE = 300
"""Deliveries of one compound or tower whose rides are looked up; the others save what these do on average."""
RIDE_S = 1800.0
"""Rides longer than this, from the stop before or to the stop after, are not compared."""
NEXT_S = 1200
"""A wait at a gate belongs to a delivery that begins within so many seconds."""
NEXT_M = 800.0
"""... and so near to the gate."""
APART_M = 30.0
"""Pick-up points nearer to each other than this are one, for the deliveries of both."""
SAME_GATE_M = 5.0
DOOR_M = 15.0
"""A point so near to the middle of the doors stands before them."""
SIDES = ("north", "north_east", "east", "south_east", "south", "south_west", "west", "north_west")


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class _Task:
    """What all groups share: deliveries, waits, their places in metres, seconds waited for each delivery."""

    drop_offs: DropOffs
    waits: GateWaits
    xy_m: FloatArray
    gate_s: FloatArray
    riders: RiderWays
    rules: PickupRules
    days: int
    k: int


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class _Spot:
    """One gate: where it is (metres), who waits there, and whether the map has it."""

    xy_m: FloatArray
    waits: IntArray
    in_osm: bool


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class _Group:
    """Deliveries of one compound or tower, or of two that share a pick-up point."""

    members: IntArray
    spots: tuple[_Spot, ...]
    waits: IntArray
    """All of them, also those too scattered to make a gate."""
    name: str
    fenced: bool

    def joined(self, other: "_Group") -> "_Group":
        """Return both as one; gates at one place are one gate, and the name is that of the first."""
        spots = list(self.spots)
        for spot in other.spots:
            away = [float(np.hypot(*(spot.xy_m - mine.xy_m))) for mine in spots]
            k = int(np.argmin(away)) if away else -1
            if k < 0 or away[k] > SAME_GATE_M:
                spots.append(spot)
                continue
            waits = np.union1d(spots[k].waits, spot.waits)
            spots[k] = _Spot(spots[k].xy_m, waits, spots[k].in_osm or spot.in_osm)
        return _Group(
            np.union1d(self.members, other.members),
            tuple(spots),
            np.union1d(self.waits, other.waits),
            self.name or other.name,
            self.fenced and other.fenced,
        )


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class _Found:
    """One point, and whose stays its figures count."""

    saved_min: float
    """A day."""
    point: PickupPoint
    served: IntArray
    """Deliveries that it takes over."""
    group: _Group


def group_drop_offs(xy_m: FloatArray, compound: IntArray, near_m: float, least: int) -> IntArray:
    """Return (d,) the group of each drop-off, -1 for scattered ones.

    Groups inside compounds come first, by compound; towers follow.
    """
    label = np.full(len(xy_m), -1, dtype=np.int64)
    inside = np.unique(compound[compound >= 0])
    label[compound >= 0] = np.searchsorted(inside, compound[compound >= 0])
    free = np.nonzero(compound < 0)[0]
    if len(free) == 0:
        return label
    tower = density_clusters(
        xy_m[free], np.ones(len(free)), near_m=near_m, least=least, radius_m=TOWER_RADIUS_M
    )
    label[free] = np.where(tower >= 0, tower + len(inside), -1)
    return label


def pick_up_points(
    drop_offs: DropOffs,
    waits: GateWaits,
    city: CompoundMap,
    riders: RiderWays,
    rules: PickupRules,
    *,
    days: int,
    asked: Asked,
) -> tuple[PickupPoint, ...]:
    """Suggest pick-up points, ranked by rider-minutes saved a day, and ask to publish their figures.

    Parameters
    ----------
    drop_offs, waits : stays at doors and at gates
    city : compounds and gates
    riders : streets and mode
    rules : limits
    days : days of the data
    asked : where figures ask to be published
    """
    if len(drop_offs.lonlat) == 0 or rules.most == 0:
        return ()
    ways = riders.ways
    xy = ways.project(drop_offs.lonlat)
    compound = ways.compound_of(drop_offs.lonlat)
    label = group_drop_offs(xy, compound, rules.near_m, max(5, asked.k))
    wait_xy = ways.project(waits.lonlat.reshape(-1, 2))
    after = next_drop_off(waits, wait_xy, drop_offs, xy)
    wait_label = np.where(after >= 0, label[np.maximum(after, 0)], -1)
    gate_s = np.zeros(len(xy))
    np.add.at(gate_s, after[after >= 0], waits.stay_s[after >= 0])
    task = _Task(drop_offs, waits, xy, gate_s, riders, rules, days, asked.k)
    osm_xy = ways.project(city.gates_lonlat.reshape(-1, 2))
    groups: list[_Group] = []
    for members in _worth_a_look(task, label):
        group = int(label[members[0]])
        inside = int(compound[members[0]])
        outline = city.compounds[inside][1] if inside >= 0 else None
        rows = np.nonzero(wait_label == group)[0]
        spots = _gates(xy[members], outline, rows, wait_xy, osm_xy, ways)
        name = proper_name(city.compounds[inside][0]) if inside >= 0 else ""
        groups.append(_Group(members, tuple(spots), rows, name, inside >= 0))
    out = []
    for number, one in enumerate(_apart(task, groups)[: rules.most], start=1):
        out.append(dataclasses.replace(one.point, pickup_id=f"P{number:02d}"))
        _ask(asked, out[-1].pickup_id, one)
    return tuple(out)


def _ask(asked: Asked, pickup_id: str, found: _Found) -> None:
    """Ask to publish the figures of one point: all of the deliveries that it takes over, or of its waits."""
    path = f"pickups/{pickup_id}"
    for name in PICKUP_FIGURES:
        asked.stays(f"{path}/{name}", "dropoff", found.served, "station")
    for number, spot in enumerate(found.group.spots):
        share = f"{path}/gates/{number}/share"
        asked.stays(share, "gate", spot.waits, "other")
        asked.stays(share, "gate", found.group.waits, "other")


def _apart(task: _Task, groups: list[_Group]) -> list[_Found]:
    """Return the points, those that save most first; groups with one place are joined."""
    found = [one for group in groups if (one := _best_point(task, group)) is not None]
    while True:
        found.sort(key=lambda f: (-f.saved_min, f.point.lonlat))
        xy = task.riders.ways.project(np.array([f.point.lonlat for f in found]).reshape(-1, 2))
        near = sorted(cKDTree(xy).query_pairs(APART_M)) if len(xy) else []
        if not near:
            return found
        first, second = near[0]
        both = _best_point(task, found[first].group.joined(found[second].group))
        # each joining leaves one point less, so this ends
        del found[second]
        if both is not None:
            found[first] = both


def _worth_a_look(task: _Task, label: IntArray) -> list[IntArray]:
    """Return the deliveries of the groups with most time at gates and doors, twice as many as are asked."""
    drops, rules = task.drop_offs, task.rules
    order = np.argsort(label, kind="stable")
    cuts = np.searchsorted(label[order], np.arange(int(label.max()) + 2))
    lost_s = task.gate_s + np.maximum(0.0, drops.stay_s - rules.handover_s)
    groups = []
    for group in range(int(label.max()) + 1):
        members = np.sort(order[cuts[group] : cuts[group + 1]])
        if len(np.unique(drops.rider[members])) >= task.k and len(members) >= rules.least_a_day * task.days:
            groups.append((-float(lost_s[members].sum()), group, members))
    groups.sort(key=lambda g: g[:2])
    return [members for _, _, members in groups[: 2 * rules.most]]


def next_drop_off(
    waits: GateWaits, wait_xy: FloatArray, drop_offs: DropOffs, drop_xy: FloatArray
) -> IntArray:
    """Return (w,) the delivery each wait belongs to, -1 where the rider makes none soon and near."""
    out = np.full(len(waits.rider), -1, dtype=np.int64)
    if len(waits.rider) == 0 or len(drop_offs.rider) == 0:
        return out
    order = np.lexsort((drop_offs.start_s, drop_offs.rider))
    base = min(int(drop_offs.start_s.min()), int(waits.start_s.min()))
    span = max(int(drop_offs.start_s.max()), int(waits.start_s.max())) - base + 1
    key = drop_offs.rider[order] * span + (drop_offs.start_s[order] - base)
    at = np.searchsorted(key, waits.rider * span + (waits.start_s - base))
    found = order[np.minimum(at, len(order) - 1)]
    soon = drop_offs.start_s[found] - waits.start_s
    near = np.hypot(*(drop_xy[found] - wait_xy).T) <= NEXT_M
    fits = (at < len(order)) & (drop_offs.rider[found] == waits.rider) & (soon >= 0) & (soon <= NEXT_S) & near
    out[fits] = found[fits]
    return out


def _gates(
    drop_xy: FloatArray,
    outline: shapely.Geometry | None,
    rows: IntArray,
    wait_xy: FloatArray,
    osm_xy: FloatArray,
    ways: Ways,
) -> list[_Spot]:
    """Gather the waits (``rows``) of one compound or tower into gates; gates without waits come last."""
    if outline is None:
        near_osm = _within(osm_xy, drop_xy, 40.0)
    else:
        edge = ways.project(shapely.get_coordinates(shapely.segmentize(outline.boundary, 0.0001)))
        near_osm = _within(osm_xy, edge, 25.0)
    near_osm |= _within(osm_xy, wait_xy[rows], 30.0)
    osm = np.nonzero(near_osm)[0]
    used: set[int] = set()
    spots = []
    if len(rows):
        found = DBSCAN(eps=20.0, min_samples=3).fit_predict(wait_xy[rows])
        for g in range(int(found.max()) + 1):
            members = rows[found == g]
            centre = wait_xy[members].mean(axis=0)
            known = [o for o in osm.tolist() if np.hypot(*(osm_xy[o] - centre)) <= 30.0]
            used.update(known)
            place = (
                osm_xy[min(known, key=lambda o: float(np.hypot(*(osm_xy[o] - centre))))] if known else centre
            )
            spots.append(_Spot(place, members, bool(known)))
    spots.sort(key=lambda s: (-len(s.waits), float(s.xy_m[0]), float(s.xy_m[1])))
    none = np.empty(0, dtype=np.int64)
    rest = sorted((o for o in osm.tolist() if o not in used), key=lambda o: (osm_xy[o, 0], osm_xy[o, 1]))
    return spots + [_Spot(osm_xy[o], none, True) for o in rest[:8]]


def _within(xy_m: FloatArray, others: FloatArray, near_m: float) -> BoolArray:
    if len(xy_m) == 0 or len(others) == 0:
        return np.zeros(len(xy_m), dtype=np.bool_)
    return np.asarray(cKDTree(others).query(xy_m)[0] <= near_m)


def _best_point(task: _Task, group: _Group) -> _Found | None:
    """Return the point at the gate or kerb that saves most, None when none fits."""
    members, spots = group.members, group.spots
    ways, mode, rules, k = task.riders.ways, task.riders.mode, task.rules, task.k
    doors = task.xy_m[members]
    centre = np.median(doors, axis=0)
    # at a fence the point stands at a gate; a tower has a kerb before its door, behind any gate
    places = np.array([s.xy_m for s in spots] + ([] if group.fenced and spots else [centre]))
    at_gate = np.arange(len(places)) < len(spots)
    lonlat = ways.public_kerb(mode, ways.unproject(places), KERB_M)
    fits: BoolArray = np.isfinite(lonlat[:, 0])
    # outside of every fence, or at a gate
    fits[fits] &= (ways.compound_of(lonlat[fits]) < 0) | at_gate[fits]
    kerbs = np.full(lonlat.shape, np.nan)
    kerbs[fits] = ways.project(lonlat[fits])
    door_s = np.maximum(0.0, task.drop_offs.stay_s[members] - rules.handover_s)
    walks = DETOUR * np.hypot(*(doors[:, None] - kerbs[None]).transpose(2, 0, 1))
    served_by = walks <= rules.walk_m
    ride_s = _rides_saved_s(task, members, lonlat, served_by)
    best: tuple[float, float, int] | None = None
    for p in np.nonzero(fits)[0].tolist():
        served = served_by[:, p]
        if len(np.unique(task.drop_offs.rider[members[served]])) < k:
            continue
        saved_s = float(door_s[served].sum()) + int(served.sum()) * ride_s[p]
        if at_gate[p]:
            saved_s += float(task.gate_s[members[served]].sum())
        # minutes saved first; among equals the shorter walk
        key = (saved_s / 60.0 / task.days, -float(walks[served, p].mean()), -p)
        if best is None or key > best:
            best = key
    if best is None or best[0] <= 0:
        return None
    p = -best[2]
    walk = walks[served_by[:, p], p]
    a_day = len(walk) / task.days
    gates = tuple(
        Gate(
            _point(ways.unproject(s.xy_m[None])[0]),
            len(s.waits) / len(group.waits) if len(np.unique(task.waits.rider[s.waits])) >= k else None,
            s.in_osm,
        )
        for s in spots
    )
    where = _point(lonlat[p])
    door = _point(ways.unproject(doors[np.argmin(np.hypot(*(doors - centre).T))][None])[0])
    point = PickupPoint(
        pickup_id="",
        compound=group.name,
        lonlat=where,
        kind="locker" if a_day >= rules.locker_from else "pickup_point",
        drop_offs_a_day=a_day,
        saved_min_a_day=best[0],
        walk_median_m=float(np.median(walk)),
        walk_max_m=float(walk.max()),
        residents_walk_m_a_day=float(2 * walk.sum()) / task.days,
        gates=gates,
        entry_route=ways.route(mode, where, door),
        stopping_area=_area(kerbs[p], ways),
        side=_side(kerbs[p] - centre, bool(at_gate[p])),
    )
    return _Found(best[0], point, members[served_by[:, p]], group)


def _side(from_doors_m: FloatArray, at_gate: bool) -> tuple[str, str]:
    """Return what a point stands at, and on which side of the doors."""
    east, north = from_doors_m.tolist()
    if not at_gate and np.hypot(east, north) <= DOOR_M:
        return "door", ""
    eighth = round(float(np.degrees(np.arctan2(east, north))) / 45.0) % len(SIDES)
    return "gate" if at_gate else "kerb", SIDES[eighth]


def _rides_saved_s(task: _Task, members: IntArray, lonlat: FloatArray, served_by: BoolArray) -> FloatArray:
    """Return (p,) how much shorter the ride by each place is than by the door, mean over a sample of stops.

    Seconds from the stop before to the stop after, less than 0 where the place lies off the way; 0 where
    nothing is known.
    """
    drops, ways, mode = task.drop_offs, task.riders.free_ways, task.riders.mode
    out = np.zeros(len(lonlat))
    known = members[np.isfinite(drops.before[members, 0]) & np.isfinite(drops.after[members, 0])]
    fits = np.nonzero(np.isfinite(lonlat[:, 0]))[0]
    if len(known) == 0 or len(fits) == 0:
        return out
    # in the order of time, so that the sample does not depend on the order of the rows
    known = known[np.lexsort((drops.rider[known], drops.start_s[known]))]
    known = known[np.unique(np.linspace(0, len(known) - 1, min(SAMPLE, len(known))).astype(np.int64))]
    before, after = drops.before[known], drops.after[known]
    door = drops.lonlat[known]
    # the walk to the door is part of the stay there
    by_door = (
        np.diagonal(ways.seconds(mode, before, door, RIDE_S))
        + np.diagonal(ways.seconds(mode, door, after, RIDE_S))
        - 2 * ways.walk_s(mode, door)
    )
    by_place = (
        ways.seconds(mode, before, lonlat[fits], RIDE_S) + ways.seconds(mode, lonlat[fits], after, RIDE_S).T
    )
    row_of = np.full(int(members.max()) + 1, -1)
    row_of[members] = np.arange(len(members))
    for column, p in enumerate(fits.tolist()):
        rows = np.isfinite(by_door) & np.isfinite(by_place[:, column])
        saved = np.subtract(by_door, by_place[:, column], where=rows, out=np.zeros(len(known)))
        mine = rows & served_by[row_of[known], p]
        if rows.any():
            out[p] = float(saved[mine if mine.any() else rows].mean())
    return out


def _area(kerb_m: FloatArray, ways: Ways) -> tuple[tuple[float, float], ...]:
    """Return an octagon of 6 m about the kerb where bikes stop."""
    turn = np.linspace(0, 2 * np.pi, 9)
    ring = ways.unproject(kerb_m + 6.0 * np.column_stack([np.cos(turn), np.sin(turn)]))
    return tuple(_point(p) for p in (*ring[:-1], ring[0]))


def _point(lonlat: FloatArray) -> tuple[float, float]:
    return round(float(lonlat[0]), 7), round(float(lonlat[1]), 7)
