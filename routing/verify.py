"""Independent checker: recomputes a plan from raw input. It shares no code with the search kernels.

Legs come from a plain heap Dijkstra over the columns of `StreetNetwork`, one state for each directed edge
and phase of the trip (leaving a private place, public streets, entering a private place). `replay` knows
nothing of maps: it takes any leg times, so that it can also check published pick-up and delivery solutions.
"""

import dataclasses
import heapq
import itertools
import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from geo.errors import InputError
from geo.gates import compound_delay_at, lone_gates
from geo.modegraph import Streets
from geo.streets import EBIKE_PROMISE_MPS, MODES, Snapped, StreetNetwork, mode_bit
from routing.policy import Policy
from routing.results import Match
from routing.riders import Rider
from routing.tasks import Task

__all__ = ["Checker", "Replay", "Visited", "check_routes", "replay"]

SETTLED_MS = 1
"""Plans may be told in floating seconds: instants that differ by a millisecond are the same."""


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


def check_routes(
    routes: Sequence[Sequence[Visited]],
    leg: Callable[[str, str], float],
    depot: str,
    *,
    close: float,
    capacity: float,
    expected: Iterable[str],
    tolerance: float = 1e-6,
) -> tuple[str, ...]:
    """Check whole routes from and to a depot (Li & Lim pick-up and delivery): everybody once, pairs together.

    Parameters
    ----------
    routes : sequence of routes
    leg : callable
        Time from one name to another.
    depot : str
        Where every route starts at time 0 and must be back at `close`.
    close, capacity : float
    expected : iterable of str
        Every name must be visited exactly once, over all routes.
    tolerance : float
        For rounding in published solutions.

    Returns
    -------
    tuple of str
        Empty when the solution is feasible.
    """
    problems: list[str] = []
    visited: list[str] = []
    for route in routes:
        names = [visit.name for visit in route]
        visited += names
        legs = [leg(a, b) for a, b in zip([depot, *names], names, strict=False)]
        done = replay(route, legs, 0.0, capacity=capacity, tolerance=tolerance)
        problems += done.problems
        if names and done.leaves[-1] + leg(names[-1], depot) > close + tolerance:
            problems.append(f"the route that ends with {names[-1]} is back after {close}")
        carried = {visit.after for visit in route if visit.after is not None}
        open_ends = [v.name for v in route if v.load > 0 and v.name not in carried]
        problems += [f"{name} is picked up and never handed over" for name in open_ends]
    wanted = set(expected)
    for name in sorted(wanted - set(visited)):
        problems.append(f"{name} is not visited")
    for name in sorted({name for name in visited if visited.count(name) > 1 or name not in wanted}):
        problems.append(f"{name} is visited more than once or not known")
    return tuple(problems)


class Checker:
    """Recomputes legs, plans and matches on a network, for one policy.

    Parameters
    ----------
    network : StreetNetwork
    policy : Policy
    """

    def __init__(self, network: StreetNetwork, policy: Policy) -> None:
        self._network = network
        self._policy = policy
        self._tables: dict[str, _Table] = {}
        self._legs: dict[tuple[str, tuple[float, float], tuple[float, float]], float] = {}

    def leg_ms(self, mode: str, start: tuple[float, float], end: tuple[float, float], factor: float) -> float:
        """Milliseconds from one place to another, both walks and the speed factor included; inf: no way."""
        key = (mode, start, end)
        if mode not in self._tables:
            self._tables[mode] = _Table(self._network, mode, self._policy)
        if key not in self._legs:
            snapped = self._network.snap(np.array([start, end]), mode, self._policy.walk_to_street_m)
            self._legs[key] = self._tables[mode].fastest_ms(snapped)
        table = self._tables[mode]
        walks = table.walk_ms(start, self._policy) + table.walk_ms(end, self._policy)
        whole = round(factor * 1000)
        return walks + math.ceil(self._legs[key] * whole / 1000) if self._legs[key] < math.inf else math.inf

    def plan(self, rider: Rider, now_s: float) -> Replay:
        """Replay a rider's plan from scratch, in milliseconds; late stops are listed as problems."""
        places = [rider.lonlat, *(stop.lonlat for stop in rider.stops)]
        legs = [self.leg_ms(rider.mode, a, b, rider.speed_factor) for a, b in itertools.pairwise(places)]
        visits = [
            Visited(
                s.stop_id, s.earliest_s * 1000, s.latest_s * 1000, round(s.service_s * 1000), s.load_change
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

    @staticmethod
    def leaving_ms(rider: Rider, now_s: float) -> float:
        """When the rider leaves his position."""
        return round(max(now_s, rider.available_s, rider.shift_start_s) * 1000)

    def match(self, before: Rider, match: Match, task: Task, now_s: float) -> tuple[str, ...]:
        """Check one match against the rider as he was before it.

        Parameters
        ----------
        before : Rider
            With his plan before this match (after earlier ones of the same request).
        match : Match
        task : Task
        now_s : float

        Returns
        -------
        tuple of str
            Sentences, empty when every promise holds: order kept, nothing later than allowed, windows,
            rules, times told.
        """
        after = match.plan
        problems = list(self._same_plan(before, match, task))
        if problems:
            return tuple(problems)
        old, new = self.plan(before, now_s), self.plan(after, now_s)
        problems += self._no_later(before, old, after, new)
        problems += self._task_itself(match, task, after, old, new, now_s)
        problems += self._rules(before, task, old, new, after, match, now_s)
        return tuple(problems)

    def _same_plan(self, before: Rider, match: Match, task: Task) -> Iterable[str]:
        places = [match.place] if task.dropoff is None else [match.place, match.dropoff_place]
        added = [(p, i) for i, p in enumerate(places) if p is not None]
        if len(added) != len(places):
            yield "the match of a pair has no place for its drop-off"
            return
        stops = list(match.plan.stops)
        for place, number in sorted(added, reverse=True):
            at = place + number
            if not 0 <= at < len(stops):
                yield f"place {place} is outside of the plan"
                return
            del stops[at]
        if tuple(stops) != before.stops:
            yield "a promised stop was moved, dropped or changed"
        if (
            match.rider_id != before.rider_id
            or match.plan.lonlat != before.lonlat
            or match.plan.mode != before.mode
        ):
            yield "the plan is of another rider, place or mode"

    def _no_later(self, before: Rider, old: Replay, after: Rider, new: Replay) -> Iterable[str]:
        starts = dict(zip((stop.stop_id for stop in after.stops), new.starts, strict=True))
        keep = self._policy.slack_kept_s * 1000
        for stop, was in zip(before.stops, old.starts, strict=True):
            now = starts[stop.stop_id]
            allowed = max(stop.latest_s * 1000 - keep, was)
            if not now <= allowed + SETTLED_MS:
                yield f"stop {stop.stop_id} starts {(now - allowed) / 1000:.3f} s later than allowed"

    def _task_itself(
        self, match: Match, task: Task, after: Rider, old: Replay, new: Replay, now_s: float
    ) -> Iterable[str]:
        visits = [task.place] if task.dropoff is None else [task.place, task.dropoff]
        where = [match.place] if match.dropoff_place is None else [match.place, match.dropoff_place + 1]
        for visit, at in zip(visits, where, strict=True):
            stop = after.stops[at]
            if stop.lonlat != visit.lonlat or stop.service_s != visit.service_s:
                yield "the task's stop is not at its place or not as long as it must be"
            if (
                not visit.earliest_s * 1000 - SETTLED_MS
                <= new.starts[at]
                <= visit.latest_s * 1000 + SETTLED_MS
            ):
                yield "the task is done outside of its window"
            if new.starts[at] < now_s * 1000 - SETTLED_MS:
                yield "the task begins in the past"
        if abs(new.starts[where[0]] / 1000 - match.start_s) > 0.002:
            yield f"the task starts at {new.starts[where[0]] / 1000}, not at {match.start_s} as told"
        told = self._extra_ms(match, old, new, now_s, after)
        if abs(told / 1000 - match.extra_s) > 0.002:
            yield f"the task takes {told / 1000} s, not {match.extra_s} s as told"
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

    def _extra_ms(self, match: Match, old: Replay, new: Replay, now_s: float, after: Rider) -> float:
        """Delays that the inserted places bring to the arrivals after them, in all."""
        places = [after.lonlat, *(stop.lonlat for stop in after.stops)]
        leave = (self.leaving_ms(after, now_s), *new.leaves)
        inserted = (
            {match.place + 1} if match.dropoff_place is None else {match.place + 1, match.dropoff_place + 2}
        )
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
        self, before: Rider, task: Task, old: Replay, new: Replay, after: Rider, match: Match, now_s: float
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
        if match.extra_s > budget + 0.002:
            yield f"the task takes {match.extra_s} s, allowed are {budget} s"
        yield from (text for text in new.problems if text.startswith("load"))
        leaving = self.leaving_ms(before, now_s)
        hours = min(before.shift_end_s, now_s + policy.day_work_s - before.worked_today_s) * 1000
        due = (now_s + policy.continuous_work_s - before.worked_since_break_s) * 1000
        old_end = old.leaves[-1] if old.leaves else leaving
        old_start = dict(zip((stop.stop_id for stop in before.stops), old.starts, strict=True))
        own = {match.place} if match.dropoff_place is None else {match.place, match.dropoff_place + 1}
        for at, (stop, start, leave) in enumerate(zip(after.stops, new.starts, new.leaves, strict=True)):
            if stop.kind == "rest" and stop.service_s >= policy.break_s and at not in own:
                if start > max(due, old_start[stop.stop_id]) + SETTLED_MS:
                    yield "the break begins too late"
                due = leave + policy.continuous_work_s * 1000
            elif at in own and leave > due + SETTLED_MS:
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
        if mode not in self._tables:
            self._tables[mode] = _Table(self._network, mode, self._policy)
        return tuple(self._tables[mode].illegal([int(d) for d in directed_edges]))


def _kept(count: int, inserted: Sequence[int]) -> list[int]:
    return [at for at in range(count) if at not in set(inserted)]


OUT, PUBLIC, IN_PRIVATE, IN_COMPOUND = range(4)


class _Table:
    """Plain Python Dijkstra for one mode; a state is (directed edge just driven, phase)."""

    def __init__(self, network: StreetNetwork, mode: str, policy: Policy) -> None:
        bit, index = mode_bit(mode), MODES.index(mode)
        self._network, self._mode, self._car = network, mode, mode == "car"
        speed = network.edge_speed_mps[index].astype(np.float64)
        if mode == "ebike":
            # As a fleet promises it: the cap of the standard, or a lower one of the policy (kept as float32).
            speed = np.minimum(speed, EBIKE_PROMISE_MPS)
            if policy.ebike_promise_mps < EBIKE_PROMISE_MPS:
                speed = np.minimum(speed, np.float32(policy.ebike_promise_mps).astype(np.float64))
        self._cost: list[float] = []
        for edge in range(len(network)):
            for side in (0, 1):
                open_ = bool(network.edge_access[side, edge] & bit)
                ms = (
                    max(float(np.round(network.edge_length_m[edge] / speed[edge] * 1000)), 1.0)
                    if open_
                    else math.inf
                )
                self._cost.append(ms)
        ends = np.stack([network.edge_u, network.edge_v], axis=1)
        self._tail = ends.ravel().tolist()
        self._head = ends[:, ::-1].ravel().tolist()
        self._private = [bool(flag & bit) for flag in network.edge_private.tolist()]
        self._compound = network.edge_compound.tolist()
        self._blocked = [bool(flag & bit) for flag in network.node_blocked.tolist()]
        self._leaving: list[list[int]] = [[] for _ in network.node_id]
        for d, cost in enumerate(self._cost):
            if cost < math.inf:
                self._leaving[self._tail[d]].append(d)
        self._banned = {(int(a), int(b)) for a, b in network.turns_banned.tolist()} if self._car else set()
        delay = np.where(
            np.isnan(network.compounds.gate_delay_s), network.gate_delay_s, network.compounds.gate_delay_s
        )
        facts = Streets(
            ends,
            np.array([0xFFFFFFFF if c == math.inf else c for c in self._cost], np.uint32),
            network.edge_private & bit != 0,
            network.edge_compound,
            network.node_blocked & bit != 0,
            network.node_gate,
            np.round(delay * 1000).astype(np.int64),
            round(network.gate_delay_s * 1000),
            network.turns_banned,
        )
        self._enter = compound_delay_at(facts).tolist()
        self._lone = lone_gates(facts).tolist()
        self._gate_ms = round(network.gate_delay_s * 1000)
        self._compound_ms = np.round(delay * 1000).tolist()
        self._kinds_at: list[set[int]] = [set() for _ in network.node_id]
        for d, cost in enumerate(self._cost):
            if cost < math.inf:
                self._kinds_at[self._tail[d]].add(self._kind(d))
                self._kinds_at[self._head[d]].add(self._kind(d))
        self._walks: dict[tuple[float, float], float] = {}

    def walk_ms(self, lonlat: tuple[float, float], policy: Policy) -> float:
        """Milliseconds on foot between a place and its street."""
        if lonlat not in self._walks:
            snapped = self._network.snap(np.array([lonlat]), self._mode, policy.walk_to_street_m)
            if snapped.edge[0] < 0:
                raise InputError(f"The place {lonlat} is {snapped.walk_m[0]:.0f} m from every street.")
            self._walks[lonlat] = float(snapped.walk_ms[0])
        return self._walks[lonlat]

    def _part(self, d: int, offset_m: float) -> float:
        """Time from the start of directed edge d to a place on it."""
        length = float(self._network.edge_length_m[d // 2])
        share = min(max(offset_m / length, 0.0), 1.0) if length > 0 else 0.0
        along = math.floor(self._cost[d] * share + 0.5)
        return self._cost[d] - along if d % 2 else along

    def _turns(self, d: int) -> list[int]:
        """Directed edges that may follow d."""
        node = self._head[d]
        if not self._car:
            return [] if self._blocked[node] else self._leaving[node]
        onward = [e for e in self._leaving[node] if e != d ^ 1]
        # A car turns round where the street ends or is shut, and nowhere else.
        shut = self._blocked[node]
        back = [d ^ 1] if (shut or not onward) and self._cost[d ^ 1] < math.inf else []
        return [e for e in ([] if shut else onward) + back if (d, e) not in self._banned]

    def _kind(self, e: int) -> int:
        if not self._private[e // 2]:
            return PUBLIC
        return IN_COMPOUND if self._compound[e // 2] >= 0 else IN_PRIVATE

    def _follow(self, d: int, phase: int, e: int) -> dict[int, float]:
        """Phases in which e may be driven after d, each with the delay at the node between them."""
        node = self._head[d]
        if self._car:
            return self._follow_by_car(d, phase, e, node)
        # What the traveller may become while standing at the node, at which price.
        price = {phase: 0.0}
        here = self._kinds_at[node]
        gate = float(self._gate_ms) if self._lone[node] else 0.0
        enter = float(self._enter[node])
        if phase == OUT and PUBLIC in here:
            price[PUBLIC] = 0.0
        if PUBLIC in price:
            if IN_PRIVATE in here:
                price[IN_PRIVATE] = gate
            if IN_COMPOUND in here:
                price[IN_COMPOUND] = enter
        elif phase == IN_PRIVATE and IN_COMPOUND in here:
            price[IN_COMPOUND] = enter
        elif phase == IN_COMPOUND and IN_PRIVATE in here:
            price[IN_PRIVATE] = 0.0
        wanted = {PUBLIC} if not self._private[e // 2] else {OUT, self._kind(e)}
        return {into: delay for into, delay in price.items() if into in wanted}

    def _follow_by_car(self, d: int, phase: int, e: int, node: int) -> dict[int, float]:
        if not self._private[e // 2]:
            return {PUBLIC: 0.0} if phase in (OUT, PUBLIC) else {}
        if phase == OUT:
            return {OUT: 0.0}
        gate = float(self._gate_ms) if self._lone[node] else 0.0
        delay = float(self._compound_ms[self._compound[e // 2]]) if self._compound[e // 2] >= 0 else gate
        if phase == PUBLIC:
            return {IN_PRIVATE: delay}
        return {IN_PRIVATE: 0.0 if self._compound[d // 2] >= 0 else delay}

    def fastest_ms(self, places: Snapped) -> float:
        """Network milliseconds from the first to the second snapped place, inf without a way."""
        a, b = int(places.edge[0]), int(places.edge[1])
        if a < 0 or b < 0:
            return math.inf
        here, there = float(places.offset_m[0]), float(places.offset_m[1])
        best = math.inf
        if a == b:
            for d, ahead in ((2 * a, there >= here), (2 * a + 1, there <= here)):
                if ahead and self._cost[d] < math.inf:
                    best = min(best, self._part(d, there) - self._part(d, here))
        heap: list[tuple[float, int, int]] = []
        for d in (2 * a, 2 * a + 1):
            if self._cost[d] < math.inf:
                phase = OUT if self._private[a] else PUBLIC
                heapq.heappush(heap, (self._cost[d] - self._part(d, here), d, phase))
        done: set[tuple[int, int]] = set()
        while heap:
            ms, d, phase = heapq.heappop(heap)
            if ms >= best:
                return best
            if (d, phase) in done:
                continue
            done.add((d, phase))
            for e in self._turns(d):
                for into, delay in self._follow(d, phase, e).items():
                    if e // 2 == b:
                        best = min(best, ms + delay + self._part(e, there))
                    paid = into == IN_PRIVATE and not self._car and self._lone[self._head[e]]
                    gate = self._gate_ms if paid else 0
                    if (e, into) not in done:
                        heapq.heappush(heap, (ms + delay + self._cost[e] + gate, e, into))
        return best

    def illegal(self, directed: list[int]) -> Iterable[str]:
        """Say what is illegal in a way."""
        for d in directed:
            if self._cost[d] == math.inf:
                yield f"edge {d // 2} is closed to {self._mode} in this direction"
        for d, e in itertools.pairwise(directed):
            if self._head[d] != self._tail[e]:
                yield f"edges {d // 2} and {e // 2} do not meet"
            elif e not in self._turns(d):
                yield f"the turn from edge {d // 2} into edge {e // 2} is not allowed"
        private = [self._private[d // 2] for d in directed]
        public = [at for at, flag in enumerate(private) if not flag]
        if public and any(private[public[0] : public[-1] + 1]):
            yield "the way cuts through a private street"
