"""The checker by the hour: its search agrees with the kernel, and what the slowest hour proves holds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_streets import random_places, random_ways

from geo.streets.build import build_network
from geo.travel import HourlyStreets, travel_times_by_hour_s
from routing.model import Policy, Rider, Stop
from routing.proof import Checker
from routing.proof.reference_paths import ReferencePaths

MONDAY_S = 1_759_680_000.0
"""Monday 6 October 2025, 0:00 in Shanghai."""


@settings(derandomize=True, max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), hour=st.integers(0, 167))
def test_two_searches_by_the_hour_agree(seed: int, hour: int) -> None:
    network = build_network(random_ways(seed))
    rng = np.random.default_rng([seed, 7])
    factor = rng.uniform(0.25, 2.0, (4, 2 * len(network)))
    streets = HourlyStreets(network, "bike", factor, rng.integers(0, 4, 168), "Asia/Shanghai")
    sources, targets = random_places(network, seed + 1, 3), random_places(network, seed + 2, 4)
    depart_s = np.full(len(sources), MONDAY_S + 3600.0 * hour + 1234.0)
    found = travel_times_by_hour_s(streets, sources, targets, depart_s)
    paths = ReferencePaths(network, "bike", Policy(), streets)
    for number in range(len(sources)):
        for other in range(len(targets)):
            here, there = sources.take([number]), targets.take([other])
            leave_s = depart_s[:1] + float(here.walk_ms[0]) / 1000.0
            since_ms = float(streets.since_middle_s(leave_s)[0]) * 1000.0
            ms = paths.fastest_ms(here, there, since_ms)
            ms += float(here.walk_ms[0] + there.walk_ms[0])
            # Shares of an hour are rounded otherwise there: a millisecond a street at most.
            assert ms / 1000.0 == pytest.approx(found[number, other], abs=0.02)


@settings(derandomize=True, max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), hour=st.integers(0, 167))
def test_what_is_in_time_in_the_slowest_hour_is_in_time_by_the_hour(seed: int, hour: int) -> None:
    network = build_network(random_ways(seed, fences=False))
    rng = np.random.default_rng([seed, 8])
    factor = rng.uniform(0.25, 2.0, (3, 2 * len(network)))
    streets = HourlyStreets(network, "bike", factor, rng.integers(0, 3, 168), "Asia/Shanghai")
    slowest = network.with_times("bike", factor.max(axis=0))
    places = random_places(network, seed + 1, 5, ends=True)
    checker = Checker(slowest, Policy(), streets)
    checker.know("bike", places)
    lonlat = [(float(lon), float(lat)) for lon, lat in places.lonlat]
    stops = tuple(Stop(str(one), lonlat[one], 60.0) for one in range(1, 5))
    rider = Rider("r", lonlat[0], mode="bike", stops=stops)
    now_s = MONDAY_S + 3600.0 * hour
    starts = checker.plan(rider, now_s).starts
    if not np.isfinite(starts).all():
        return
    # Each stop is due when it is reached in the slowest hour, to the millisecond.
    due = tuple(
        Stop(stop.stop_id, stop.lonlat, 60.0, latest_s=start / 1000.0)
        for stop, start in zip(stops, starts, strict=True)
    )
    assert checker.late_by_hour(Rider("r", lonlat[0], mode="bike", stops=due), now_s) == ()
    # What was counted with the quickest hour is missed where the hour is slower.
    quick = Checker(network.with_times("bike", factor.min(axis=0)), Policy(), streets)
    quick.know("bike", places)
    sooner = quick.plan(rider, now_s).starts
    tight = tuple(
        Stop(stop.stop_id, stop.lonlat, 60.0, latest_s=start / 1000.0)
        for stop, start in zip(stops, sooner, strict=True)
    )
    missed = quick.late_by_hour(Rider("r", lonlat[0], mode="bike", stops=tight), now_s)
    if starts[-1] - sooner[-1] < 5.0:
        assert missed == ()
