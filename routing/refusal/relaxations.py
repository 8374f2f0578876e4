"""All places in all plans judged against all rules, also those that the search never looks at.

For each rider: the cheapest allowed place, the place that the least single change would open, and the one
that comes nearest when no single change is enough. A change of time weighs its milliseconds; a change of
kind (a skill, a mode, a status, room for parcels) weighs as much as ten minutes.
"""

import dataclasses
import math

import numpy as np

from geo.arrays import FloatArray, Int64Array
from geo.jit import kernel
from geo.streets import Snapped
from geo.travel import reach_from, reach_to
from routing.fleet.fleet import Candidate, Fleet
from routing.fleet.kernels.tables import EVER, FAR_MS, Columns
from routing.fleet.mode_fleet import ModeFleet, as_ms
from routing.model.riders import STATUSES
from routing.model.tasks import Task, Visit
from routing.refusal.dead_ends import POCKET_M, STUCK_M, leads_on
from routing.refusal.judging import (
    ALLOWED,
    ALLOWED_AT,
    COLUMNS,
    LOST,
    SEVERAL,
    SIZE,
    Ask,
    Judged,
    Legs,
    RiderLimits,
    allowed_places,
    examine,
    judge,
)

__all__ = ["NearMisses", "Spot", "near_misses", "ridden_ms"]

Window = tuple[float, float]
"""Epoch seconds, closed."""
WIDE_M = 2000.0
"""So far from a street a place is still judged."""
FAR_S = FAR_MS / 1000
NEAR_S = 300.0
"""Of the nearest riders, places farther away than this are not judged."""


@dataclasses.dataclass(frozen=True, eq=False)
class Spot:
    """One pair of places in a plan, judged."""

    place: int
    dropoff_place: int
    need: Int64Array
    """Milliseconds (parcels for `ROOM`) by which each limit would have to give way."""
    late: Int64Array
    """Milliseconds by which each stop of the plan would miss its due instant, if more than allowed."""


@dataclasses.dataclass(frozen=True, eq=False)
class NearMisses:
    """The riders of one mode, judged for one task."""

    mode_fleet: ModeFleet
    over_m: float
    """Metres by which the place lies too far from the streets of the mode."""
    rows: Int64Array
    """Rows of the riders who were judged and can reach the place."""
    table: Int64Array
    ask: Ask
    legs: Legs
    limits: RiderLimits

    @property
    def allowed(self) -> list[tuple[int, int, int, int]]:
        """(row, extra ms, place, drop-off place) of the riders who may do it."""
        fine = self.rows[self.table[self.rows, ALLOWED] < LOST]
        found = self.table[fine][:, [ALLOWED, ALLOWED_AT, ALLOWED_AT + 1]]
        return [(row, *one) for row, one in zip(fine.tolist(), found.tolist(), strict=True)]

    def places(self, row: int) -> Int64Array:
        """Return (extra ms, place, drop-off place) of all that one plan allows, the cheapest first."""
        k = int(self.mode_fleet.c.stops[row]) + 1
        out = np.empty((k * (k + 1) // 2 if self.ask.pair else k, 3), np.int64)
        judged = Judged(self.mode_fleet.c, self.mode_fleet.width, self.ask, self.legs, self.limits)
        found = out[: allowed_places(judged, row, out)]
        return found[np.lexsort((found[:, 2], found[:, 1], found[:, 0]))]

    def at(self, task: Task, *, allowed_only: bool = False) -> "NearMisses":
        """Judge the same task with other windows: nothing is searched again."""
        now, end = self.ask.now, task.dropoff or task.place
        gaps, d_gaps = self.mode_fleet.gaps([task.place.closed_s, end.closed_s]).tolist()
        ask = self.ask._replace(
            earliest=max(as_ms(task.place.earliest_s), now),
            latest=as_ms(task.place.latest_s),
            gaps=gaps,
            d_earliest=max(as_ms(end.earliest_s), now),
            d_latest=as_ms(end.latest_s),
            d_gaps=d_gaps,
        )
        table = np.zeros_like(self.table)
        judging = Judged(self.mode_fleet.c, self.mode_fleet.width, ask, self.legs, self.limits)
        judge(judging, -1, allowed_only, table)
        mine = np.flatnonzero((self.mode_fleet.c.stops >= 0) & ~self.limits.skip)
        judged = mine[np.minimum(table[mine, ALLOWED], table[mine, SEVERAL]) < LOST]
        return dataclasses.replace(self, rows=judged, table=table, ask=ask)

    def candidates(self, fleet: Fleet) -> list[Candidate]:
        """Return the riders who may do it, each at their cheapest place."""
        mode, penalty, pair = self.mode_fleet.mode, self.mode_fleet.c.penalty, self.ask.pair
        return [
            Candidate(fleet.id_at(mode, row), place, extra, extra + int(penalty[row]), end if pair else None)
            for row, extra, place, end in self.allowed
        ]

    def spot(self, row: int, first: int) -> Spot:
        """Return what is broken at the places that stand in the column `first` of the table."""
        i, j = self.table[row, first : first + 2].tolist()
        need, late = np.empty(SIZE, np.int64), np.zeros(self.mode_fleet.width, np.int64)
        judged = Judged(self.mode_fleet.c, self.mode_fleet.width, self.ask, self.legs, self.limits)
        examine(judged, row, i, j, (0, 0), need, late)
        return Spot(i, j, need, late)


def near_misses(
    fleet: Fleet,
    mode_fleet: ModeFleet,
    task: Task,
    now_s: float,
    rider_id: str | None = None,
    nearest: int | None = None,
) -> NearMisses | None:
    """Judge all places in the plans of one mode.

    Parameters
    ----------
    fleet : Fleet
    mode_fleet : ModeFleet
        Of the fleet.
    task : Task
        Riders of platforms that it does not name are not looked at.
    now_s : float
        Epoch seconds.
    rider_id : str, optional
        Judge only this rider, of the same mode.
    nearest : int, optional
        Judge only so many riders, those whose way leads past the task most closely, at the places of their
        plans that are at most `NEAR_S` away.

    Returns
    -------
    NearMisses, optional
        None where the place lies more than 2 km from every street of the mode, or nobody can reach it.
    """
    # What nobody can be given is asked of everybody.
    fleet.complete()
    only = -1 if rider_id is None else fleet.row_of(rider_id)[1]
    limit_m = fleet.policy.walk_to_street_m
    visits = [task.place] if task.dropoff is None else [task.place, task.dropoff]
    places = [_snapped(fleet, mode_fleet.mode, visit) for visit in visits]
    if any(place.edge[0] < 0 for place in places) or not len(mode_fleet):
        return None
    # Rounded up, so that a limit longer by it is long enough.
    over_m = max(max(math.ceil((p.walk_m[0] - limit_m) * 100) / 100, 0.0) for p in places)
    ask = _ask(fleet, mode_fleet, task, now_s, places)
    rows = _rows(fleet, mode_fleet, task)
    if only >= 0:
        rows = rows[rows == only]
    elif nearest is not None and len(rows) > nearest:
        rows = _nearest(mode_fleet, rows, fleet.network.project(places[0].lonlat)[0], nearest)
    limits = _limits(fleet, mode_fleet, task, over_m, ask.trap, rows)
    legs = _legs_between(fleet, mode_fleet, places, rows, FAR_S if nearest is None else NEAR_S)
    if legs is None:
        return None
    table = np.zeros((len(mode_fleet.c.stops), COLUMNS), np.int64)
    judge(Judged(mode_fleet.c, mode_fleet.width, ask, legs, limits), only, False, table)
    judged = rows[np.minimum(table[rows, ALLOWED], table[rows, SEVERAL]) < LOST]
    return NearMisses(mode_fleet, over_m, judged, table, ask, legs, limits) if len(judged) else None


def _rows(fleet: Fleet, mode_fleet: ModeFleet, task: Task) -> Int64Array:
    """Rows of the riders who may be asked at all."""
    c = mode_fleet.c
    mine = c.stops >= 0
    platforms = fleet.platforms.mask(task.platforms)
    if platforms:
        mine &= (c.platform & platforms) != 0
    for rider_id in fleet.unreachable:
        its, row = fleet.row_of(rider_id)
        if its is mode_fleet:
            mine[row] = False
    return np.flatnonzero(mine)


def _nearest(mode_fleet: ModeFleet, rows: Int64Array, at: FloatArray, count: int) -> Int64Array:
    """Return the rows, in order, whose way from stop to stop passes nearest as the crow flies."""
    away_m = np.empty(len(rows))
    _passing_m(mode_fleet.c, mode_fleet.width, rows, (float(at[0]), float(at[1])), away_m)
    return np.sort(rows[np.argsort(away_m, kind="stable")[:count]])


@kernel
def _passing_m(c: Columns, width: int, rows: Int64Array, at: tuple[float, float], away_m: FloatArray) -> None:
    """Fill how near the straight lines from stop to stop of each row come to a place."""
    for n in range(len(rows)):
        base, best = rows[n] * width, np.inf
        for m in range(max(c.stops[rows[n]], 1)):
            x, y = c.x[base + m] - at[0], c.y[base + m] - at[1]
            dx, dy = 0.0, 0.0
            if m < c.stops[rows[n]]:
                dx, dy = c.x[base + m + 1] - c.x[base + m], c.y[base + m + 1] - c.y[base + m]
            square = dx * dx + dy * dy
            part = min(max(-(x * dx + y * dy) / square, 0.0), 1.0) if square > 0 else 0.0
            best = min(best, math.hypot(x + part * dx, y + part * dy))
        away_m[n] = best


def _snapped(fleet: Fleet, mode: str, visit: Visit) -> Snapped:
    """Snap a place as the fleet does, or farther than the policy allows."""
    limit_m = fleet.policy.walk_to_street_m
    place = fleet.network.snap(np.array([visit.lonlat]), mode, limit_m)
    if place.edge[0] < 0 and limit_m < WIDE_M:
        place = fleet.network.snap(np.array([visit.lonlat]), mode, WIDE_M)
    return place


def _ask(fleet: Fleet, mode_fleet: ModeFleet, task: Task, now_s: float, places: list[Snapped]) -> Ask:
    now, end = as_ms(now_s), task.dropoff or task.place
    gaps, d_gaps = mode_fleet.gaps([task.place.closed_s, end.closed_s]).tolist()
    return Ask(
        max(as_ms(task.place.earliest_s), now),
        as_ms(task.place.latest_s),
        gaps,
        as_ms(task.place.service_s),
        max(as_ms(end.earliest_s), now),
        as_ms(end.latest_s),
        d_gaps,
        as_ms(end.service_s),
        task.dropoff is not None,
        task.load,
        now,
        round(fleet.policy.max_extra_s * 1000),
        not leads_on(fleet.network, mode_fleet.mode, places[-1].edge, POCKET_M)[0],
    )


def _legs_between(
    fleet: Fleet, mode_fleet: ModeFleet, places: list[Snapped], rows: Int64Array, reach_s: float
) -> Legs | None:
    """Legs between all slots of the rows and the places of the task; None where the pair is not joined."""
    c, width = mode_fleet.c, mode_fleet.width
    counts = c.stops[rows].astype(np.int64) + 1
    first = np.cumsum(counts) - counts
    slots = np.repeat(rows * width, counts) + np.arange(counts.sum()) - np.repeat(first, counts)
    factor = np.repeat(c.factor[rows], counts).astype(np.int64)
    at = mode_fleet.snapped(slots)
    net, mode = fleet.network, mode_fleet.mode
    legs: list[Int64Array] = []
    for place in places:
        walks = at.walk_ms + place.walk_ms[0]
        for seconds in (reach_to(net, mode, at, place, reach_s), reach_from(net, mode, place, at, reach_s)):
            out = np.full(len(c.edge), -1, np.int64)
            out[slots] = ridden_ms(seconds, walks, factor)
            legs.append(out)
    between = np.full(len(c.stops), -1, np.int64)
    to, on, d_to, d_on = (*legs, *legs)[:4]
    if len(places) == 1:
        return Legs(to, on, d_to, d_on, between)
    seconds = np.repeat(reach_to(net, mode, places[0], places[1]), len(rows))
    walks = np.repeat(places[0].walk_ms + places[1].walk_ms, len(rows))
    between[rows] = ridden_ms(seconds, walks, c.factor[rows].astype(np.int64))
    return Legs(to, on, d_to, d_on, between) if (between[rows] >= 0).any() else None


def ridden_ms(seconds: FloatArray, walks: Int64Array, factor: Int64Array) -> Int64Array:
    """Return walks and network time at the speed factor, rounded up as in the fleet; -1 for none."""
    known = np.isfinite(seconds)
    net = np.rint(np.where(known, seconds, 0.0) * 1000).astype(np.int64) - walks
    return np.where(known, walks + (net * factor + 999) // 1000, -1)


def _limits(
    fleet: Fleet, mode_fleet: ModeFleet, task: Task, over_m: float, trap: bool, rows: Int64Array
) -> RiderLimits:
    """Limits of the riders in `rows`; all others are skipped."""
    c, policy = mode_fleet.c, fleet.policy
    size = len(c.stops)
    facts = fleet.limits_at(mode_fleet.mode, rows)
    spent, worked, ends = facts[:3]
    hour, shift_end, day_end = (np.zeros(size, np.int64) for _ in range(3))
    hour[rows] = np.rint(np.maximum(policy.max_extra_per_hour_s - spent, 0.0) * 1000)
    shift_end[rows] = np.where(np.isinf(ends), EVER, np.rint(np.where(np.isinf(ends), 0.0, ends) * 1000))
    day_end[rows] = c.at[rows] + np.rint((policy.day_work_s - worked) * 1000).astype(np.int64)
    kinds: Int64Array = np.zeros(size, np.int64)
    missing = fleet.skills.mask(task.skills) & ~c.skills
    while missing.any():
        kinds += missing & 1
        missing = missing >> 1
    asked = np.ones(size, np.bool_)
    asked[rows] = np.array([status in policy.statuses for status in STATUSES])[facts.status]
    kinds += ~asked
    kinds += (mode_fleet.mode not in task.modes) + (over_m > 0)
    skip = np.ones(size, np.bool_)
    skip[rows] = False
    stuck = np.zeros(size, np.bool_)
    if trap:
        last = c.edge[rows * mode_fleet.width + c.stops[rows]]
        stuck[rows] = ~leads_on(fleet.network, mode_fleet.mode, last, STUCK_M)
    return RiderLimits(hour, shift_end, day_end, kinds, skip, stuck)
