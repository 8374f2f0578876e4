"""Drifting and walking about within 100 m is one stay; doors near each other stay what they are."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_traces import T0, ride, traces_of

from geo.earth import DEGREE_M
from geo.stays import KINDS, StayPoints, find_stay_points
from geo.stays.drift import join_pieces
from geo.stays.rests import join_rests

REST, DROPOFF = KINDS.index("rest"), KINDS.index("dropoff")
Rows = list[tuple[int, float, float]]


def drifting(start: int, end: int, x: float, seed: int, scatter_m: float = 25.0) -> Rows:
    """A phone indoors, a point in 20 s, whose error wanders within two minutes and stays within 70 m."""
    rng = np.random.default_rng(seed)
    out, east, north = [], 0.0, 0.0
    keep = np.exp(-20 / 120)
    for t in range(start, end, 20):
        east, north = (
            float(np.clip(keep * e + scatter_m * np.sqrt(1 - keep**2) * rng.normal(), -50, 50))
            for e in (east, north)
        )
        out.append((t, x + east, north))
    return out


def circling(start: int, end: int, x: float, radius_m: float, period_s: float) -> Rows:
    turn = [2 * np.pi * (t - start) / period_s for t in range(start, end, 10)]
    return [
        (start + 10 * k, x + radius_m * float(np.cos(a)), radius_m * float(np.sin(a)))
        for k, a in enumerate(turn)
    ]


def doors(start: int, stays: int, apart_m: float) -> Rows:
    """Two minutes at each door, and 40 s from one to the next."""
    rng = np.random.default_rng(1)
    rows: Rows = []
    for k in range(stays):
        rows += [
            (start + 160 * k + t, apart_m * k + float(rng.normal(0, 4)), float(rng.normal(0, 4)))
            for t in range(0, 130, 10)
        ]
        rows.append((start + 160 * k + 140, apart_m * (k + 0.5), 0.0))
    return rows


def test_a_phone_that_drifts_for_hours_is_at_one_place() -> None:
    rows: Rows = []
    for k in range(4):
        rows += ride(4000 * k, 4000 * k + 390, 3000.0 * k, speed=5.0) + drifting(
            4000 * k + 400, 4000 * k + 4000, 3000.0 * k + 1950.0, seed=k
        )
    pieces = find_stay_points(traces_of(rows), joined=False)
    stays = find_stay_points(traces_of(rows))
    assert len(pieces) > 12
    assert len(stays) == 4
    assert (stays.duration_s > 3300).all()
    assert np.abs(stays.lonlat[:, 0] * DEGREE_M - [1950 + 3000 * k for k in range(4)]).max() < 25


@pytest.mark.parametrize(("radius_m", "period_s"), [(30.0, 200.0), (40.0, 300.0), (45.0, 400.0)])
def test_walking_about_a_place_for_an_hour_is_one_stay(radius_m: float, period_s: float) -> None:
    rows = ride(0, 390, -2000) + circling(400, 4000, 300.0, radius_m, period_s)
    stays = find_stay_points(traces_of(rows))
    assert len(stays) == 1
    assert stays.duration_s[0] > 3200


def test_doors_near_each_other_stay_apart() -> None:
    traces = traces_of(ride(0, 390, -2400) + doors(400, 8, 65.0))
    assert len(find_stay_points(traces)) == len(find_stay_points(traces, joined=False)) == 8


def _reference(
    t: list[int], xy: np.ndarray, spans: list[tuple[int, int]], near_m: float, scatters: float
) -> list[bool]:
    """Write down the rule of pieces in words: which stays go on from the one before."""
    out, members = [False], list(range(spans[0][0], spans[0][1] + 1))
    for (_, before), (a, b) in itertools.pairwise(spans):
        mine = list(range(a, b + 1))
        apart = np.hypot(*(xy[members].mean(axis=0) - xy[mine].mean(axis=0)))
        scatter = np.sqrt(sum(xy[rows].var(axis=0).sum() for rows in (members, mine)))
        between = xy[before + 1 : a] - xy[members].mean(axis=0)
        goes_on = bool(
            t[a] - t[before] <= 180
            and apart <= near_m
            and apart <= scatters * scatter
            and (np.hypot(*between.T) <= 100).all()
        )
        out.append(goes_on)
        members = members + mine if goes_on else mine
    return out


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    gaps=st.lists(st.integers(10, 200), min_size=1, max_size=8),
    jumps=st.lists(st.integers(0, 90), min_size=8, max_size=8),
    scatter_m=st.integers(2, 40),
    seed=st.integers(0, 99),
)
def test_pieces_are_joined_as_the_rule_says(
    gaps: list[int], jumps: list[int], scatter_m: int, seed: int
) -> None:
    """One phone with so many pieces that it drifts, then stays under test; all rows are stays or between."""
    from geo.stays.drift import _pieces

    rng = np.random.default_rng(seed)
    t, xy, spans, at, x = [0], [[0.0, 0.0]], [], 0, 0.0
    for gap, jump in zip([0, *gaps], [0, *jumps], strict=False):
        x += jump
        first = len(t)
        for k in range(6):
            t.append(at + gap + 15 * k)
            xy.append((np.array([x, 0.0]) + rng.normal(0, scatter_m, 2)).tolist())
        at = t[-1]
        spans.append((first, len(t) - 1))
    places = np.array(xy)
    lonlat = places / DEGREE_M
    joined = np.zeros(len(spans), np.bool_)
    rider = np.zeros(len(t), np.int32)
    begin, end = (np.array(column, np.int64) for column in zip(*spans, strict=True))
    _pieces(rider, np.array(t), lonlat, begin, end, 60.0, 1.7, joined)
    assert joined.tolist() == _reference(t, places, spans, 60.0, 1.7)


def test_stays_of_nobody_and_of_two_people_are_not_joined() -> None:
    nothing = np.zeros(0, np.int64)
    first, last = join_pieces(np.zeros(0, np.int32), nothing, np.zeros((0, 2)), nothing, nothing, 0)
    assert len(first) == len(last) == 0
    two = traces_of(drifting(0, 2000, 0.0, 3), drifting(2000, 4000, 0.0, 4))
    stays = find_stay_points(two)
    assert set(stays.rider.tolist()) == {0, 1}


def _stays(*rows: tuple[int, int, int, float, int]) -> StayPoints:
    rider, start, end, x, kind = zip(*rows, strict=True)
    return StayPoints(
        rider=np.array(rider, np.int32),
        start_s=T0 + np.array(start),
        end_s=T0 + np.array(end),
        lonlat=np.column_stack([np.array(x) / DEGREE_M, np.zeros(len(x))]),
        n_points=np.full(len(x), 10, np.int32),
        kind=np.array(kind, np.int8),
        signs=np.arange(len(x)).astype(np.uint8),
        pseudonyms=("a", "b"),
    )


def test_rests_next_to_each_other_are_one_rest_and_drop_offs_are_not() -> None:
    stays = _stays(
        (0, 0, 600, 0.0, REST), (0, 700, 1300, 40.0, REST), (0, 1480, 1900, 70.0, REST),
        (0, 2100, 2400, 70.0, REST), (0, 2500, 2600, 70.0, DROPOFF), (0, 2650, 2800, 90.0, DROPOFF),
        (1, 2810, 3000, 90.0, DROPOFF), (1, 3100, 3300, 0.0, REST), (1, 3350, 3500, 61.0, REST),
    )  # fmt: skip
    joined = join_rests(stays)
    assert (joined.start_s - T0).tolist() == [0, 2100, 2500, 2650, 2810, 3100, 3350]
    assert (joined.end_s - T0).tolist() == [1900, 2400, 2600, 2800, 3000, 3300, 3500]
    assert joined.n_points[0] == 30
    assert joined.lonlat[0, 0] * DEGREE_M == pytest.approx((0 + 40 + 70) / 3)
    assert joined.signs[0] == 0 | 1 | 2
    assert join_rests(replace(stays, kind=np.full(9, DROPOFF, np.int8))).start_s.tolist() == (
        stays.start_s.tolist()
    )
