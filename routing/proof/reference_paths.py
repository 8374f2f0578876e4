"""Fastest legal ways by a plain heap Dijkstra in Python: the checker's own reading of the streets.

Read from the columns of `StreetNetwork`, one state for each directed edge and phase of the trip: leaving a
private place, public streets, entering a private place.
"""

import heapq
import itertools
import math
from collections.abc import Iterable

import numpy as np

from geo.localtime import HOURS_A_WEEK
from geo.streets import (
    EBIKE_PROMISE_MPS,
    MODES,
    ModeStreets,
    Snapped,
    StreetNetwork,
    compound_delay_at,
    lone_gates,
    mode_bit,
)
from geo.travel import HourlyStreets
from routing.model.policy import Policy

__all__ = ["ReferencePaths"]

HOUR_MS, MOST_FALL_MS = 3_600_000, 3_590_000
OUT, PUBLIC, IN_PRIVATE, IN_COMPOUND = range(4)


class ReferencePaths:
    """Plain Python Dijkstra for one mode; a state is (directed edge just driven, phase)."""

    def __init__(
        self, network: StreetNetwork, mode: str, policy: Policy, hours: HourlyStreets | None = None
    ) -> None:
        """Take times by the hour where `hours` has those of the mode; the columns are read here again."""
        self._policy = policy
        self._hours = hours if hours is not None and hours.mode == mode else None
        self._by_row: dict[int, list[float]] = {}
        bit, index = mode_bit(mode), MODES.index(mode)
        self._network, self._mode, self._car = network, mode, mode == "car"
        speed = network.edge_speed_mps[index].astype(np.float64)
        if mode == "ebike":
            # As a fleet promises it: the cap of the standard, or a lower one of the policy (kept as float32).
            speed = np.minimum(speed, EBIKE_PROMISE_MPS)
            if policy.ebike_promise_mps < EBIKE_PROMISE_MPS:
                speed = np.minimum(speed, np.float32(policy.ebike_promise_mps).astype(np.float64))
        # What was learned of a directed edge never makes an e-bike faster than may be promised.
        learned = network.time_factor.tolist() if network.factor_mode == mode else [1.0] * (2 * len(network))
        if mode == "ebike" and policy.ebike_promise_mps < EBIKE_PROMISE_MPS:
            learned = [max(factor, 1.0) for factor in learned]
        most = EBIKE_PROMISE_MPS if mode == "ebike" else math.inf
        self._cost: list[float] = []
        for edge in range(len(network)):
            for side in (0, 1):
                open_ = bool(network.edge_access[side, edge] & bit)
                ms = math.inf
                if open_:
                    plain = network.edge_length_m[edge] / speed[edge] * 1000
                    factor = learned[2 * edge + side]
                    least = network.edge_length_m[edge] / most * 1000 if factor != 1.0 else 0.0
                    ms = max(float(np.round(max(plain * factor, least))), 1.0)
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
        self._banned = network.turns_banned_for(mode)
        self._drives = network.drives_banned(mode)
        delay = np.where(
            np.isnan(network.compounds.gate_delay_s), network.gate_delay_s, network.compounds.gate_delay_s
        )
        facts = ModeStreets(
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

    def _at(self, d: int, instant_ms: float) -> float:
        """Time of directed edge d for who enters it so long after the middle of the first hour of a week."""
        if self._hours is None or self._cost[d] == math.inf:
            return self._cost[d]
        hour, into = divmod(int(instant_ms), HOUR_MS)
        rows = (int(self._hours.row[(hour + more) % HOURS_A_WEEK]) for more in (0, 1))
        one, other = (self._row(row)[d] for row in rows)
        # Between the middles of hours along a straight line, whole milliseconds; nobody overtakes.
        other = max(other, one - MOST_FALL_MS)
        return math.floor(one + (other - one) * into / HOUR_MS)

    def _row(self, row: int) -> list[float]:
        if row not in self._by_row:
            assert self._hours is not None  # noqa: S101 - asked for with hours only
            network = self._network.with_times(self._mode, self._hours.factor[row])
            self._by_row[row] = ReferencePaths(network, self._mode, self._policy)._cost
        return self._by_row[row]

    def _part(self, d: int, offset_m: float, instant_ms: float) -> float:
        """Time from the start of directed edge d to a place on it."""
        cost = self._at(d, instant_ms)
        length = float(self._network.edge_length_m[d // 2])
        share = min(max(offset_m / length, 0.0), 1.0) if length > 0 else 0.0
        along = math.floor(cost * share + 0.5)
        return cost - along if d % 2 else along

    def _turns(self, d: int) -> list[int]:
        """Directed edges that may follow d."""
        node = self._head[d]
        if not self._car:
            return (
                [] if self._blocked[node] else [e for e in self._leaving[node] if (d, e) not in self._banned]
            )
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

    def fastest_ms(self, source: Snapped, target: Snapped, leave_ms: float = 0.0) -> float:
        """Return network milliseconds from one snapped place to another, inf without a way.

        ``leave_ms``: when the street is reached, after the middle of the first hour of a week; it matters
        with times by the hour alone.
        """
        start = leave_ms
        a, b = int(source.edge[0]), int(target.edge[0])
        if a < 0 or b < 0:
            return math.inf
        here, there = float(source.offset_m[0]), float(target.offset_m[0])
        best = math.inf
        if a == b:
            for d, ahead in ((2 * a, there >= here), (2 * a + 1, there <= here)):
                if ahead and self._cost[d] < math.inf:
                    best = min(best, self._part(d, there, start) - self._part(d, here, start))
        # What was driven, as far back as a forbidden drive reaches.
        reach = max((len(drive) for drive in self._drives), default=1) - 1
        heap: list[tuple[float, int, int, tuple[int, ...]]] = []
        for d in (2 * a, 2 * a + 1):
            if self._cost[d] < math.inf:
                phase = OUT if self._private[a] else PUBLIC
                left = self._at(d, start) - self._part(d, here, start)
                heapq.heappush(heap, (left, d, phase, (d,)[:reach]))
        done: set[tuple[int, int, tuple[int, ...]]] = set()
        while heap:
            ms, d, phase, trail = heapq.heappop(heap)
            if ms >= best:
                return best
            if (d, phase, trail) in done:
                continue
            done.add((d, phase, trail))
            for e in self._turns(d):
                if self._forbidden((*trail, e)):
                    continue
                then = (*trail, e)[-reach:] if reach else ()
                for into, delay in self._follow(d, phase, e).items():
                    if e // 2 == b:
                        best = min(best, ms + delay + self._part(e, there, start + ms + delay))
                    paid = into == IN_PRIVATE and not self._car and self._lone[self._head[e]]
                    gate = self._gate_ms if paid else 0
                    if (e, into, then) not in done:
                        ride = self._at(e, start + ms + delay)
                        heapq.heappush(heap, (ms + delay + ride + gate, e, into, then))
        return best

    def _forbidden(self, trail: tuple[int, ...]) -> bool:
        """Whether a restriction over ways forbids to end this way."""
        return any(trail[-len(drive) :] == drive for drive in self._drives)

    def leads_on(self, place: Snapped, beyond_m: float) -> bool:
        """Whether more than `beyond_m` metres of public streets can be reached from a place."""
        edge = int(place.edge[0])
        phase = OUT if self._private[edge] else PUBLIC
        seen = {(d, phase) for d in (2 * edge, 2 * edge + 1) if self._cost[d] < math.inf}
        waiting, metres, counted = list(seen), 0.0, {edge}
        while waiting and metres <= beyond_m:
            d, phase = waiting.pop()
            for e in self._turns(d):
                for into in self._follow(d, phase, e):
                    if (e, into) not in seen:
                        seen.add((e, into))
                        waiting.append((e, into))
                        if into == PUBLIC and e // 2 not in counted:
                            counted.add(e // 2)
                            metres += float(self._network.edge_length_m[e // 2])
        return metres > beyond_m

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
        for stop in range(3, len(directed) + 1):
            if self._forbidden(tuple(directed[:stop])):
                yield f"edge {directed[stop - 1] // 2} may not be entered after those before"
        private = [self._private[d // 2] for d in directed]
        public = [at for at, flag in enumerate(private) if not flag]
        if public and any(private[public[0] : public[-1] + 1]):
            yield "the way cuts through a private street"
