"""Demand: nothing is lost between stays and demand points, local hours are right."""

import zoneinfo
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from geo.localtime import local_s
from siting.demand.weighted import (
    DemandWeights,
    Events,
    build_demand,
    by_hour,
    distinct_riders,
    open_compounds,
    split_by_hour,
)

NONE = Events(np.empty((0, 2)), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))


def events(seed: int, count: int = 30) -> Events:
    rng = np.random.default_rng(seed)
    start = 1_772_400_000 + rng.integers(0, 3 * 86400, count)
    lonlat = np.array([116.3, 39.9]) + rng.uniform(0, 0.01, (count, 2))
    return Events(lonlat, rng.integers(0, 7, count), start, start + rng.integers(0, 9000, count))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 200_000))
def test_splitting_by_hour_keeps_every_minute(start: int, length: int) -> None:
    _, hour, minutes = split_by_hour(np.array([start]), np.array([start + length]))
    assert minutes.sum() == pytest.approx(length / 60)
    assert (np.diff(hour) == 1).all()
    assert (minutes <= 60).all()
    assert hour[0] == start // 3600


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 4_000_000_000), st.sampled_from(["Asia/Shanghai", "Europe/Helsinki", "Asia/Kathmandu"]))
def test_local_time_agrees_with_datetime(t_s: int, timezone: str) -> None:
    clock = datetime.fromtimestamp(t_s, zoneinfo.ZoneInfo(timezone))
    local = int(local_s(np.array([t_s]), timezone)[0])
    assert (local // 3600 % 24, local // 60 % 60) == (clock.hour, clock.minute)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_demand_is_the_same_in_any_order_and_loses_nothing(seed: int) -> None:
    some = events(seed)
    order = np.random.default_rng(seed + 1).permutation(len(some.rider))
    shuffled = Events(some.lonlat[order], some.rider[order], some.start_s[order], some.end_s[order])
    one, two = (
        build_demand(e, NONE, NONE, timezone="Asia/Shanghai", project=lambda p: p * 100_000.0)
        for e in (some, shuffled)
    )
    for a, b in zip(
        (one.lonlat, one.rest.point, one.rest.rider, one.rest.day, one.rest.hour, one.rest.minutes),
        (two.lonlat, two.rest.point, two.rest.rider, two.rest.day, two.rest.hour, two.rest.minutes),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)
    assert one.rest.minutes.sum() == pytest.approx((some.end_s - some.start_s).sum() / 60)
    a_day = by_hour(one.rest, len(one.lonlat), np.ones(len(one.days)))
    assert a_day.sum() * len(one.days) == pytest.approx(one.rest.minutes.sum())


def test_layers_are_weighed_apart() -> None:
    some, due = events(1), events(2)
    demand = build_demand(some, due, NONE, timezone="Asia/Shanghai", project=lambda p: p * 100_000.0)
    days = np.ones(len(demand.days), dtype=np.bool_)
    rest = demand.weight(DemandWeights(1.0, 0.0, 0.0), days).sum()
    both = demand.weight(DemandWeights(1.0, 0.5, 0.0), days).sum()
    assert both - rest == pytest.approx(0.5 * demand.due_break.minutes.sum() / len(demand.days))


def test_riders_behind_a_group_are_counted_once() -> None:
    demand = build_demand(events(3), NONE, NONE, timezone="Asia/Shanghai", project=lambda p: p * 100_000.0)
    whole = distinct_riders(demand.rest, np.zeros(len(demand.lonlat), dtype=np.int64), 1)
    assert whole[0] == len(np.unique(demand.rest.rider))
    compound = np.where(np.arange(len(demand.lonlat)) < 5, 0, -1)
    inside = len(np.unique(demand.rest.rider[demand.rest.point < 5]))
    assert open_compounds(demand.rest, compound, 2, inside).tolist() == [True, False, False]
    assert not open_compounds(demand.rest, compound, 2, inside + 1).any()


def test_no_rest_and_unknown_zone_are_one_sentence() -> None:
    with pytest.raises(InputError, match="no rest stay"):
        build_demand(NONE, NONE, NONE, timezone="Asia/Shanghai", project=lambda p: p)
    with pytest.raises(InputError, match="IANA"):
        local_s(np.array([0]), "Mars/Olympus")
    with pytest.raises(InputError, match="0-1000"):
        DemandWeights(rest=-1)


def test_a_fragment_of_a_day_joins_the_day_beside_it() -> None:
    hour = 3600
    start = 1_772_420_400 + np.array([0, 24 * hour, 24 * hour])
    some = Events(
        np.tile([[116.3, 39.9]], (3, 1)),
        np.arange(3),
        start,
        start + np.array([5 * hour, 5 * hour, 17 * hour + 600]),
    )
    demand = build_demand(some, NONE, NONE, timezone="Asia/Shanghai", project=lambda p: p * 100_000.0)
    assert demand.rest.minutes.sum() == pytest.approx((some.end_s - some.start_s).sum() / 60)
    assert int(demand.rest.day.max()) == len(demand.days) - 1
    assert len(demand.days) == 2


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_no_layer_moves_the_points_or_days_of_another(seed: int) -> None:
    rest, due, flow = events(seed), events(seed + 1, 10), events(seed + 2, 50)
    late = Events(flow.lonlat, flow.rider, flow.start_s + 9 * 86400, flow.end_s + 9 * 86400)

    def built(due_break: Events, passing: Events) -> tuple[list[str], list[tuple[float, ...]]]:
        demand = build_demand(
            rest, due_break, passing, timezone="Asia/Shanghai", project=lambda p: p * 100_000.0, cell_m=200
        )
        weight = demand.weight(DemandWeights(1.0, 0.0, 0.0), np.ones(len(demand.days), dtype=np.bool_))
        some = weight.sum(axis=1) > 0
        rows = np.column_stack([demand.lonlat, weight])[some]
        return list(demand.days), [tuple(row) for row in rows.tolist()]

    alone = built(due, NONE)
    assert built(due, late) == alone
    # due breaks tell of days on which nobody rested, but move no point
    assert [row[:2] for row in built(NONE, NONE)[1]] == [row[:2] for row in alone[1]]


def test_passing_riders_have_points_of_their_own() -> None:
    rest, flow = events(4), events(4)
    demand = build_demand(rest, NONE, flow, timezone="Asia/Shanghai", project=lambda p: p * 100_000.0)
    passing = demand.only_passing()
    assert passing[demand.passing.point].all()
    assert not passing[demand.rest.point].any()
    assert demand.passing.minutes.sum() == pytest.approx((flow.end_s - flow.start_s).sum() / 60)
    assert passing.sum() * 2 == len(passing)
