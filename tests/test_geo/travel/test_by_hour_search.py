"""Times by the hour against a plain Dijkstra that looks the hour up for every street; nobody overtakes."""

import heapq
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_streets import random_places, random_ways

from geo.errors import InputError
from geo.streets.build import build_network
from geo.streets.mode_graph import NO
from geo.streets.network import StreetNetwork
from geo.streets.snapping import Snapped
from geo.travel.by_hour import HourlyStreets, travel_times_by_hour_s
from geo.travel.times import travel_times_s

MONDAY_S = 1_759_680_000.0
"""Monday 6 October 2025, 0:00 in Shanghai."""
HOUR_S = 3600.0


def hourly(network: StreetNetwork, seed: int, most: float = 2.0) -> HourlyStreets:
    rng = np.random.default_rng([seed, 7])
    factor = rng.uniform(0.25, most, (4, 2 * len(network)))
    return HourlyStreets(network, "bike", factor, rng.integers(0, 4, 168), "Asia/Shanghai")


class Slow:
    """Whole milliseconds, exact fractions, a heap."""

    def __init__(self, streets: HourlyStreets) -> None:
        self.streets, self.network = streets, streets.network
        self.graph = streets.network.graph("bike")
        self.tables = [
            streets.network.with_times("bike", factor).graph("bike").directed_cost_ms.tolist()
            for factor in streets.factor
        ]

    def cost(self, directed: int, at_ms: int) -> int:
        hour, into = divmod(at_ms, 3_600_000)
        one, two = (int(self.tables[self.streets.row[(hour + more) % 168]][directed]) for more in (0, 1))
        share = Fraction(into * (2**48 // 3_600_000) // 2**18, 2**30)
        return math.floor(one + (two - one) * share)

    def part(self, directed: int, offset_m: float, at_ms: int) -> int:
        cost, length = self.cost(directed, at_ms), float(self.network.edge_length_m[directed // 2])
        along = math.floor(cost * (min(max(offset_m / length, 0.0), 1.0) if length > 0 else 0.0) + 0.5)
        return cost - along if directed % 2 else along

    def left(self, directed: int, offset_m: float, at_ms: int) -> int:
        return at_ms + self.cost(directed, at_ms) - self.part(directed, offset_m, at_ms)

    def open(self, edge: int) -> list[int]:
        return [d for d in (2 * edge, 2 * edge + 1) if edge >= 0 and self.tables[0][d] != NO]

    def arrivals(self, source: Snapped, targets: Snapped, depart_ms: int) -> list[float]:
        graph, edge = self.graph, int(source.edge[0])
        street_ms = depart_ms + int(source.walk_ms[0])
        here = float(source.offset_m[0])
        heap = [
            (self.left(d, here, street_ms) + int(graph.depart_extra_ms[k]), int(graph.depart_state[k]))
            for d in self.open(edge)
            for k in range(graph.depart_ptr[d], graph.depart_ptr[d + 1])
        ]
        heapq.heapify(heap)
        at: dict[int, int] = {}
        while heap:
            now, state = heapq.heappop(heap)
            if state in at:
                continue
            at[state] = now
            for arc in range(graph.indptr[state], graph.indptr[state + 1]):
                runs = int(graph.arc_edge[arc])
                ms = int(graph.arc_extra_ms[arc]) + (self.cost(runs, now) if runs >= 0 else 0)
                heapq.heappush(heap, (now + ms, int(graph.head[arc])))
        out = []
        for to, there, walk in zip(
            targets.edge.tolist(), targets.offset_m, targets.walk_ms.tolist(), strict=True
        ):
            best = math.inf
            for d in self.open(to):
                for k in range(graph.arrive_ptr[d], graph.arrive_ptr[d + 1]):
                    if int(graph.arrive_state[k]) in at:
                        ms = at[int(graph.arrive_state[k])] + int(graph.arrive_extra_ms[k])
                        best = min(best, ms + self.part(d, there, ms))
                if to == edge and (there - here) * (1 - 2 * (d % 2)) >= 0:
                    run = self.part(d, there, street_ms) - self.part(d, here, street_ms)
                    best = min(best, street_ms + run)
            out.append((best + walk - depart_ms) / 1000.0)
        return out


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), hour=st.integers(0, 167), second=st.integers(0, 3599))
def test_the_search_is_a_dijkstra_that_looks_the_hour_up(seed: int, hour: int, second: int) -> None:
    network = build_network(random_ways(seed))
    streets = hourly(network, seed)
    sources, targets = random_places(network, seed + 1, 3), random_places(network, seed + 2, 5)
    depart_s = np.full(len(sources), MONDAY_S + hour * HOUR_S + second)
    found = travel_times_by_hour_s(streets, sources, targets, depart_s)
    slow = Slow(streets)
    since_ms = ((hour - 0.5) * HOUR_S + second) % (168 * HOUR_S) * 1000.0
    for number in range(len(sources)):
        expected = slow.arrivals(sources.take([number]), targets, int(since_ms))
        assert found[number].tolist() == expected


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), hour=st.integers(0, 167))
def test_nobody_who_sets_out_later_arrives_sooner(seed: int, hour: int) -> None:
    network = build_network(random_ways(seed))
    # Streets of kilometres, hours long: without a bound on their falls some let others overtake.
    streets = hourly(network, seed, most=60.0)
    rng = np.random.default_rng(seed)
    one = random_places(network, seed + 1, 1)
    sources, targets = one.take(np.zeros(30, np.int64)), random_places(network, seed + 2, 5)
    depart_s = (
        MONDAY_S + hour * HOUR_S + np.sort(np.append(rng.uniform(0, 7200, 15), rng.integers(1790, 1810, 15)))
    )
    depart_s = np.round(depart_s, 3)
    arrive_s = depart_s[:, None] + travel_times_by_hour_s(
        streets, sources, targets, depart_s.astype(np.float64)
    )
    reached = np.isfinite(arrive_s).all(axis=0)
    assert (np.diff(arrive_s[:, reached], axis=0) > -1e-3).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), hour=st.integers(0, 167))
def test_by_the_hour_nothing_takes_longer_than_where_each_street_has_its_slowest_hour(
    seed: int, hour: int
) -> None:
    network = build_network(random_ways(seed))
    streets = hourly(network, seed)
    sources, targets = random_places(network, seed + 1, 3), random_places(network, seed + 2, 5)
    first_s = MONDAY_S + hour * HOUR_S + 1000.0
    depart_s = first_s + np.array([0.0, 2000.0, 5000.0])
    found = travel_times_by_hour_s(streets, sources, targets, depart_s)
    most = travel_times_s(network.with_times("bike", streets.factor.max(axis=0)), "bike", sources, targets)
    reached = np.isfinite(most)
    assert np.array_equal(reached, np.isfinite(found))
    # A part of a street is rounded by itself, at both ends.
    assert (found[reached] <= most[reached] + 0.002).all()


def test_hours_that_are_alike_are_one_network() -> None:
    network = build_network(random_ways(5, fences=False))
    factor = np.full((1, 2 * len(network)), 1.5)
    streets = HourlyStreets(network, "ebike", factor, np.zeros(168, np.int64), "Asia/Shanghai")
    places = random_places(network, 3, 6)
    by_hour = travel_times_by_hour_s(streets, places, places, np.full(6, MONDAY_S))
    assert np.array_equal(
        by_hour, travel_times_s(network.with_times("ebike", factor[0]), "ebike", places, places)
    )


def test_every_hour_needs_a_row() -> None:
    network = build_network(random_ways(5))
    with pytest.raises(InputError, match="a row, 0 to 0, for each of 168 hours"):
        HourlyStreets(
            network, "bike", np.ones((1, 2 * len(network))), np.ones(168, np.int64), "Asia/Shanghai"
        )


def test_streets_that_are_shut_now_are_shut_at_every_hour() -> None:
    network = build_network(random_ways(5, fences=False))
    streets = hourly(network, 5)
    other = network.with_speeds("bike", np.full(len(network), 1.0))
    assert streets.on(network) is streets
    assert streets.on(other).network is other
    assert streets.on(other) is streets.on(other)
    assert streets.on(other).factor is streets.factor
