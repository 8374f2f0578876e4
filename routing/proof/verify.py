"""Independent checker: recomputes a plan from raw input. It shares no code with the search kernels.

Legs come from `routing.proof.reference_paths`. `replay` knows nothing of maps: it takes any leg times, so
that it can also check published pick-up and delivery solutions.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np

from geo.errors import InputError
from geo.streets import Snapped, StreetNetwork
from geo.travel import HourlyStreets
from routing.model.policy import Policy
from routing.model.results import Match
from routing.model.riders import Rider
from routing.model.tasks import Task
from routing.proof.reference_paths import ReferencePaths

__all__ = ["Checker", "Replay", "Visited", "replay"]

SETTLED_MS = 1
"""Plans may be told in floating seconds: instants that differ by a millisecond are the same."""
POCKET_M = 500.0
"""From where less than so much of the streets can be reached, one cannot go on."""


@dataclasses.dataclass(frozen=True, slots=True)
class Visited:
    """One visit of a route, in any unit of time."""

    name: str
    earliest: float
    latest: float
    service: float
    load: float = 0.0
    after: str | None = None
    """The visit that must have been made before this one (the pick-up of a drop-off)."""
    closed: tuple[tuple[float, float], ...] = ()
    """Between several windows, in order: from the end of one to the begin of the next."""


@dataclasses.dataclass(frozen=True, slots=True)
class Replay:
    """Instants of a replayed route and what is wrong with it."""

    starts: tuple[float, ...]
    leaves: tuple[float, ...]
    problems: tuple[str, ...]


def replay(
    visits: Sequence[Visited],
    legs: Sequence[float],
    leave: float,
    *,
    load: float = 0.0,
    capacity: float = math.inf,
    tolerance: float = 0.0,
) -> Replay:
    """Drive a route visit by visit.

    Parameters
    ----------
    visits : sequence of Visited
    legs : sequence of float
        Time to each visit from the one before it (or from the start).
    leave : float
        When the start is left.
    load, capacity : float
        On board at the start, and at most.
    tolerance : float
        By how much a latest time may be missed.

    Returns
    -------
    Replay
        Starts and leaves of all visits; one sentence for each visit that is late, overloaded or out of order.
    """
    starts, leaves, problems = [], [], []
    seen: set[str] = set()
    for visit, leg in zip(visits, legs, strict=True):
        start = max(leave + leg, visit.earliest)
        for shuts, opens in visit.closed:
            if shuts < start < opens:
                start = opens
        if start > visit.latest + tolerance:
            problems.append(f"{visit.name} starts {start - visit.latest} late")
        if visit.after is not None and visit.after not in seen:
            problems.append(f"{visit.name} comes before {visit.after}")
        if visit.name in seen:
            problems.append(f"{visit.name} is visited twice")
        seen.add(visit.name)
        load += visit.load
        if load > capacity or load < 0:
            problems.append(f"load is {load} after {visit.name}, allowed is 0 to {capacity}")
        leave = start + visit.service
        starts.append(start)
        leaves.append(leave)
    return Replay(tuple(starts), tuple(leaves), tuple(problems))


class Checker:
    """Recomputes legs, plans and matches on a network, for one policy.

    Parameters
    ----------
    network : StreetNetwork
    policy : Policy
    hours : HourlyStreets, optional
        Times by the hour: plans are driven with what each street takes when it is entered (`late_by_hour`).
    """

    def __init__(self, network: StreetNetwork, policy: Policy, hours: HourlyStreets | None = None) -> None:
        self._network = network
        self._hours = hours
        self._by_hour: dict[str, ReferencePaths] = {}
        self._policy = policy
        self._ways: dict[str, ReferencePaths] = {}
        self._places: dict[tuple[str, tuple[float, float]], Snapped] = {}
        self._legs: dict[tuple[str, tuple[float, float], tuple[float, float]], float] = {}

    def know(self, mode: str, places: Snapped) -> None:
        """Take places that are on the streets already as they are, instead of snapping them."""
        for at, (lon, lat) in enumerate(places.lonlat.tolist()):
            self._places[mode, (lon, lat)] = places.take([at])

    def ways(self, mode: str) -> ReferencePaths:
        """Return the reference paths of a mode."""
        if mode not in self._ways:
            self._ways[mode] = ReferencePaths(self._network, mode, self._policy)
        return self._ways[mode]

    def leg_ms(self, mode: str, start: tuple[float, float], end: tuple[float, float], factor: float) -> float:
        """Milliseconds from one place to another, both walks and the speed factor included; inf: no way."""
        key, ways = (mode, start, end), self.ways(mode)
        if key not in self._legs:
            self._legs[key] = ways.fastest_ms(self._place(mode, start), self._place(mode, end))
        walks = float(self._place(mode, start).walk_ms[0] + self._place(mode, end).walk_ms[0])
        whole = round(factor * 1000)
        return walks + math.ceil(self._legs[key] * whole / 1000) if self._legs[key] < math.inf else math.inf

    def _place(self, mode: str, lonlat: tuple[float, float]) -> Snapped:
        key = (mode, lonlat)
        if key not in self._places:
            place = self._network.snap(np.array([lonlat]), mode, self._policy.walk_to_street_m)
            if place.edge[0] < 0:
                raise InputError(f"The place {lonlat} is {place.walk_m[0]:.0f} m from every street.")
            self._places[key] = place
        return self._places[key]

    def plan(self, rider: Rider, now_s: float) -> Replay:
        """Replay a rider's plan from scratch, in milliseconds; late stops are listed as problems."""
        places = [rider.lonlat, *(stop.lonlat for stop in rider.stops)]
        legs = [self.leg_ms(rider.mode, a, b, rider.speed_factor) for a, b in itertools.pairwise(places)]
        visits = [
            Visited(
                s.stop_id,
                s.earliest_s * 1000,
                s.latest_s * 1000,
                round(s.service_s * 1000),
                s.load_change,
                closed=tuple((shuts * 1000, opens * 1000) for shuts, opens in s.closed_s),
            )
            for s in rider.stops
        ]
        capacity = math.inf if rider.capacity is None else rider.capacity
        return replay(
            visits,
            legs,
            self.leaving_ms(rider, now_s),
            load=rider.load,
            capacity=capacity,
            tolerance=SETTLED_MS,
        )

    def late_by_hour(self, rider: Rider, now_s: float) -> tuple[str, ...]:
        """Return the stops of a plan that are late if every street takes what it takes by the hour.

        Not those that the plan as counted (`plan`) has late already.
        """
        if self._hours is None:
            return ()
        if rider.mode not in self._by_hour:
            self._by_hour[rider.mode] = ReferencePaths(self._network, rider.mode, self._policy, self._hours)
        paths = self._by_hour[rider.mode]
        lonlats = [rider.lonlat, *(stop.lonlat for stop in rider.stops)]
        places = [self._place(rider.mode, lonlat) for lonlat in lonlats]
        counted = self.plan(rider, now_s).starts
        leave, late = self.leaving_ms(rider, now_s), []
        legs = itertools.pairwise(places)
        for (here, there), stop, told in zip(legs, rider.stops, counted, strict=True):
            on_street_s = (leave + float(here.walk_ms[0])) / 1000.0
            since_ms = float(self._hours.since_middle_s(np.array([on_street_s]))[0]) * 1000.0
            ride = paths.fastest_ms(here, there, since_ms) * round(rider.speed_factor * 1000) / 1000
            walk = float(here.walk_ms[0] + there.walk_ms[0])
            start = max(leave + walk + math.ceil(ride), stop.earliest_s * 1000)
            for shuts, opens in stop.closed_s:
                if shuts * 1000 < start < opens * 1000:
                    start = opens * 1000
            if start > stop.latest_s * 1000 + SETTLED_MS >= told:
                late.append(stop.stop_id)
            leave = start + round(stop.service_s * 1000)
        return tuple(late)

    @staticmethod
    def leaving_ms(rider: Rider, now_s: float) -> float:
        """When the rider leaves their position."""
        return round(max(now_s, rider.available_s, rider.shift_start_s) * 1000)

    def match(self, before: Rider, match: Match, task: Task, now_s: float) -> tuple[str, ...]:
        """Check one match against the rider as the rider was before it.

        Parameters
        ----------
        before : Rider
            With their plan before this match (after earlier ones of the same request).
        match : Match
        task : Task
        now_s : float

        Returns
        -------
        tuple of str
            Sentences, empty when every promise holds: order kept, nothing later than allowed, windows,
            rules, times told.
        """
        where = [match.place]
        if task.dropoff is not None:
            if match.dropoff_place is None:
                return ("the match of a pair has no place for its drop-off",)
            where.append(match.dropoff_place + 1)
        problems = self.insertion(before, match.plan, task, where, now_s, match.extra_s)
        return problems or tuple(self._wrong_figures(match, where, now_s))

    def insertion(
        self, before: Rider, after: Rider, task: Task, where: Sequence[int], now_s: float, extra_s: float
    ) -> tuple[str, ...]:
        """Check a plan with a task in it against the same plan without.

        Parameters
        ----------
        before, after : Rider
        task : Task
        where : sequence of int
            Numbers of the task's stops in the plan `after`.
        now_s : float
            Epoch seconds at which both plans hold.
        extra_s : float
            What the task is said to take from the rider.

        Returns
        -------
        tuple of str
            Sentences, empty when the order is kept, nothing is later than allowed, the task within its
            windows, every rule kept and the extra time as told.
        """
        problems = list(self._same_plan(before, after, where))
        if problems:
            return tuple(problems)
        old, new = self.plan(before, now_s), self.plan(after, now_s)
        problems += self._no_later(before, old, new, where)
        problems += self._task_itself(task, after, new, where, now_s)
        problems += self._rules(before, task, old, new, after, where, now_s, extra_s)
        problems += self._way_out(before, after, where)
        recomputed_ms = self._extra_ms(new, where, now_s, after)
        if abs(recomputed_ms / 1000 - extra_s) > 0.002:
            problems.append(f"the task takes {recomputed_ms / 1000} s, not {extra_s} s as told")
        return tuple(problems)

    def _same_plan(self, before: Rider, after: Rider, where: Sequence[int]) -> Iterable[str]:
        if not all(0 <= at < len(after.stops) for at in where):
            yield f"places {list(where)} are not all in the plan"
        elif tuple(after.stops[at] for at in _kept(len(after.stops), where)) != before.stops:
            yield "a promised stop was moved, dropped or changed"
        for what in ("rider_id", "lonlat", "mode", "speed_factor"):
            if getattr(before, what) != getattr(after, what):
                yield f"the plan is of another rider: {what} differs"

    def _no_later(self, before: Rider, old: Replay, new: Replay, where: Sequence[int]) -> Iterable[str]:
        keep = self._policy.slack_kept_s * 1000
        now = (new.starts[at] for at in _kept(len(new.starts), where))
        for stop, was, start in zip(before.stops, old.starts, now, strict=True):
            allowed = max(stop.latest_s * 1000 - keep, was)
            if not start <= allowed + SETTLED_MS:
                yield f"stop {stop.stop_id} starts {(start - allowed) / 1000:.3f} s later than allowed"

    def _task_itself(
        self, task: Task, after: Rider, new: Replay, where: Sequence[int], now_s: float
    ) -> Iterable[str]:
        visits = [task.place] if task.dropoff is None else [task.place, task.dropoff]
        for visit, at in zip(visits, where, strict=True):
            stop, start = after.stops[at], new.starts[at]
            if stop.lonlat != visit.lonlat or stop.service_s != visit.service_s:
                yield "the task's stop is not at its place or not as long as it must be"
            if (
                start < visit.earliest_s * 1000 - SETTLED_MS
                or start > visit.latest_s * 1000 + SETTLED_MS
                or math.isinf(start)
                or any(
                    shuts * 1000 + SETTLED_MS < start < opens * 1000 - SETTLED_MS
                    for shuts, opens in visit.closed_s
                )
            ):
                yield "the task is done outside of its window"
            if start < now_s * 1000 - SETTLED_MS:
                yield "the task begins in the past"

    def _way_out(self, before: Rider, after: Rider, where: Sequence[int]) -> Iterable[str]:
        """Find a plan that ends where the rider cannot go on, unless it did before."""
        if where[-1] + 1 < len(after.stops):
            return
        last = before.stops[-1].lonlat if before.stops else before.lonlat
        here, there = self._place(after.mode, after.stops[-1].lonlat), self._place(after.mode, last)
        ways = self.ways(after.mode)
        lost = not ways.leads_on(here, POCKET_M) and ways.leads_on(there, POCKET_M)
        if lost and math.isinf(ways.fastest_ms(here, there)):
            yield "the plan ends where no legal way leads out of"

    def _wrong_figures(self, match: Match, where: Sequence[int], now_s: float) -> Iterable[str]:
        """Compare the times that a match tells with those recomputed."""
        new, after = self.plan(match.plan, now_s), match.plan
        if abs(new.starts[where[0]] / 1000 - match.start_s) > 0.002:
            yield f"the task starts at {new.starts[where[0]] / 1000}, not at {match.start_s} as told"
        kept = _kept(len(new.starts), where)
        if len(match.stops) != len(kept):
            yield f"slacks of {len(match.stops)} stops are told, the plan had {len(kept)}"
            return
        for row, at in zip(match.stops, kept, strict=True):
            due = after.stops[at].latest_s
            slack = due - new.starts[at] / 1000
            if abs(row.start_after_s - new.starts[at] / 1000) > 0.002 or (
                due < math.inf and abs(row.slack_after_s - slack) > 0.002
            ):
                yield f"slack of {row.stop_id} is {slack}, not {row.slack_after_s} as told"

    def _extra_ms(self, new: Replay, where: Sequence[int], now_s: float, after: Rider) -> float:
        """Delays that the inserted places bring to the arrivals after them, in all."""
        places = [after.lonlat, *(stop.lonlat for stop in after.stops)]
        leave = (self.leaving_ms(after, now_s), *new.leaves)
        inserted = {at + 1 for at in where}
        total = 0.0
        at = 0
        while at + 1 < len(places):
            if at + 1 not in inserted:
                at += 1
                continue
            end = at + 1
            while end in inserted:
                end += 1
            if end == len(places):
                total += leave[end - 1] - max(leave[at], now_s * 1000)
            else:
                through = leave[end - 1] + self.leg_ms(
                    after.mode, places[end - 1], places[end], after.speed_factor
                )
                total += max(
                    through
                    - leave[at]
                    - self.leg_ms(after.mode, places[at], places[end], after.speed_factor),
                    0.0,
                )
            at = end
        return total

    def _rules(
        self,
        before: Rider,
        task: Task,
        old: Replay,
        new: Replay,
        after: Rider,
        where: Sequence[int],
        now_s: float,
        extra_s: float,
    ) -> Iterable[str]:
        policy = self._policy
        if not task.skills <= before.skills:
            yield "a skill is missing"
        if before.mode not in task.modes:
            yield "the mode is not allowed"
        if before.status not in policy.statuses:
            yield "the status is not allowed"
        if task.platforms and before.platform not in task.platforms:
            yield "the platform is not allowed"
        budget = min(policy.max_extra_s, max(policy.max_extra_per_hour_s - before.extra_last_hour_s, 0.0))
        if extra_s > budget + 0.002:
            yield f"the task takes {extra_s} s, allowed are {budget} s"
        yield from (text for text in new.problems if text.startswith("load"))
        leaving = self.leaving_ms(before, now_s)
        hours = min(before.shift_end_s, now_s + policy.day_work_s - before.worked_today_s) * 1000
        due = (now_s + policy.continuous_work_s - before.worked_since_break_s) * 1000
        old_end = old.leaves[-1] if old.leaves else leaving
        old_start = dict(zip((stop.stop_id for stop in before.stops), old.starts, strict=True))
        for at, (stop, start, leave) in enumerate(zip(after.stops, new.starts, new.leaves, strict=True)):
            if stop.kind == "rest" and stop.service_s >= policy.break_s and at not in where:
                if start > max(due, old_start[stop.stop_id]) + SETTLED_MS:
                    yield "the break begins too late"
                due = leave + policy.continuous_work_s * 1000
            elif at in where and leave > due + SETTLED_MS:
                yield "the task is done after the break falls due"
        if new.leaves and new.leaves[-1] > max(min(hours, due), old_end) + SETTLED_MS:
            yield "the plan ends after the shift, the day's hours or the break that falls due"

    def path(self, mode: str, directed_edges: Sequence[int]) -> tuple[str, ...]:
        """Check that a way is legal: directions, barriers, turns, private streets at its ends only.

        Returns
        -------
        tuple of str
            One sentence for each illegal traversal.
        """
        return tuple(self.ways(mode).illegal([int(d) for d in directed_edges]))


def _kept(count: int, inserted: Sequence[int]) -> list[int]:
    return [at for at in range(count) if at not in set(inserted)]
