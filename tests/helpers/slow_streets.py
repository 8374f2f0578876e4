"""Slow and obvious travel times, as a reference for the kernels: networkx on every legal pair of streets.

States are (directed edge, phase), standing at the start of the edge. The phase says how private streets
are used: ``out`` by a trip that began on one, ``in`` by a trip that ends on one.
"""

import math

import networkx as nx
import numpy as np

from geo.arrays import FloatArray
from geo.streets.network import EBIKE_PROMISE_MPS, MODES, StreetNetwork, mode_bit
from geo.streets.snapping import Snapped

State = tuple[int, str]


class SlowStreets:
    """The rules of one mode on one network, read from its columns one street at a time."""

    def __init__(self, network: StreetNetwork, mode: str) -> None:
        self.network = network
        self.mode = mode
        self.bit = mode_bit(mode)
        self.cost: dict[int, int] = {}
        for edge in range(len(network)):
            speed = float(network.edge_speed_mps[MODES.index(mode), edge])
            if mode == "ebike":
                speed = min(speed, EBIKE_PROMISE_MPS)
            for against in (0, 1):
                if network.edge_access[against, edge] & self.bit:
                    ms = round(float(network.edge_length_m[edge]) / speed * 1000)
                    self.cost[2 * edge + against] = max(1, ms)
        self.banned = network.turns_banned_for(mode)
        self.graph = nx.DiGraph()
        for d in self.cost:
            for phase in ("out", "public", "in"):
                for (after, new), delay in self.next_of(d, phase):
                    self.graph.add_edge((d, phase), (after, new), weight=self.cost[d] + delay)

    def tail(self, d: int) -> int:
        return int((self.network.edge_v if d & 1 else self.network.edge_u)[d // 2])

    def head(self, d: int) -> int:
        return self.tail(d ^ 1)

    def private(self, d: int) -> bool:
        return bool(self.network.edge_private[d // 2] & self.bit)

    def compound(self, d: int) -> int:
        return int(self.network.edge_compound[d // 2])

    def blocked(self, node: int) -> bool:
        return bool(self.network.node_blocked[node] & self.bit)

    def delay_ms(self, compound: int) -> int:
        delay = self.network.compounds.gate_delay_s[compound] if compound >= 0 else math.nan
        return round(1000 * (self.network.gate_delay_s if math.isnan(delay) else float(delay)))

    def turns(self, d: int) -> list[int]:
        node = self.head(d)
        out = [after for after in self.cost if self.tail(after) == node]
        others = [after for after in out if after != d ^ 1]
        if self.blocked(node):
            out = [after for after in out if after == d ^ 1 and self.mode == "car"]
        elif self.mode == "car" and others:
            out = others
        return [after for after in out if (d, after) not in self.banned]

    def next_of(self, d: int, phase: str) -> list[tuple[State, int]]:
        if self.private(d) == (phase == "public"):
            return []
        found = []
        for after in self.turns(d):
            if phase == "out":
                found.append(((after, "out" if self.private(after) else "public"), 0))
            elif not self.private(after):
                if phase == "public":
                    found.append(((after, "public"), 0))
            else:
                found.append(((after, "in"), self.entry_ms(d, after)))
        return found

    def entry_ms(self, d: int, after: int) -> int:
        node = self.head(d)
        if self.private(d) and self.compound(d) >= 0:
            return 0
        if self.compound(after) >= 0:
            if self.mode == "car":
                return self.delay_ms(self.compound(after))
            here = [e for e in self.cost if self.tail(e) == node or self.head(e) == node]
            return max(
                self.delay_ms(self.compound(e)) for e in here if self.private(e) and self.compound(e) >= 0
            )
        if self.network.node_gate[node] and not self.leads_to_compound(node):
            return self.delay_ms(-1)
        return 0

    def leads_to_compound(self, gate: int) -> bool:
        seen: set[int] = set()
        todo = [gate]
        reached = {gate}
        while todo:
            node = todo.pop()
            for d in self.cost:
                if d // 2 in seen or not self.private(d) or node not in (self.tail(d), self.head(d)):
                    continue
                seen.add(d // 2)
                for end in (self.tail(d), self.head(d)):
                    if end not in reached and not self.network.node_gate[end]:
                        reached.add(end)
                        todo.append(end)
        return any(self.network.edge_compound[edge] >= 0 for edge in seen)

    def part_ms(self, d: int, offset_m: float) -> int:
        whole = float(self.network.edge_length_m[d // 2])
        part = math.floor(self.cost[d] * min(1.0, offset_m / whole) + 0.5)
        return self.cost[d] - part if d & 1 else part

    def times_s(self, sources: Snapped, targets: Snapped, limit_s: float = math.inf) -> FloatArray:
        out = np.full((len(sources), len(targets)), np.inf)
        for i in range(len(sources)):
            graph = self.graph.copy()
            graph.add_node("source")
            for d in self.directions(sources, i):
                rest = self.cost[d] - self.part_ms(d, sources.offset_m[i])
                for state, delay in self.next_of(d, "out" if self.private(d) else "public"):
                    self._shorter(graph, "source", state, rest + delay)
            found = nx.single_source_dijkstra_path_length(graph, "source")
            for j in range(len(targets)):
                ways = []
                for d in self.directions(targets, j):
                    part = self.part_ms(d, targets.offset_m[j])
                    phases = ("out", "in") if self.private(d) else ("public",)
                    ways += [found[d, phase] + part for phase in phases if (d, phase) in found]
                    ahead = (targets.offset_m[j] - sources.offset_m[i]) * (-1 if d & 1 else 1)
                    if sources.edge[i] == targets.edge[j] and ahead >= 0:
                        run = self.part_ms(d, targets.offset_m[j]) - self.part_ms(d, sources.offset_m[i])
                        ways.append(run)
                if ways:
                    total = min(ways) + int(sources.walk_ms[i]) + int(targets.walk_ms[j])
                    if total <= limit_s * 1000:
                        out[i, j] = total / 1000
        return out

    def directions(self, places: Snapped, row: int) -> list[int]:
        edge = int(places.edge[row])
        return [d for d in (2 * edge, 2 * edge + 1) if edge >= 0 and d in self.cost]

    @staticmethod
    def _shorter(graph: nx.DiGraph, tail: object, head: object, weight: int) -> None:
        if not graph.has_edge(tail, head) or graph[tail][head]["weight"] > weight:
            graph.add_edge(tail, head, weight=weight)
