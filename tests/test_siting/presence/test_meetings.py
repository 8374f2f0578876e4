"""Dates that meet most different riders, held against trying all choices."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siting.presence import FreeTimes, meetings
from siting.presence.meetings import _options

MONDAY = 1_772_380_800  # Monday 2 March 2026, 0:00 in Shanghai
ZONE = "Asia/Shanghai"


def _rests(rows: list[tuple[int, float, float]]) -> FreeTimes:
    """(rider, begin, end) in hours of the week."""
    rider, start, end = (np.array(column) for column in zip(*rows, strict=True))
    at = [MONDAY + np.round(3600 * part).astype(np.int64) for part in (start, end)]
    return FreeTimes(rider.astype(np.int64), *at)


def test_a_rest_holds_the_date_and_the_way_there_and_back() -> None:
    # From 13:00 to 14:10 on Monday, five minutes away: 13:30 fits (from 13:05 to 14:05), 13:00 does not.
    site, slot, met = _options(_rests([(4, 13.0, 14 + 1 / 6)]), np.array([[300.0, np.inf]]), ZONE)
    assert (site.tolist(), slot.tolist(), met.tolist()) == ([0], [27], [[True]])
    nothing = _options(_rests([(4, 13.0, 13.6)]), np.array([[300.0, 0.0]]), ZONE)
    assert nothing[0].tolist() == [1]
    assert nothing[1].tolist() == [26]


@settings(derandomize=True, deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(20, 24), st.sampled_from([0.5, 1.0])), min_size=1, max_size=9
    ),
    st.integers(1, 2),
)
def test_no_choice_of_dates_meets_more_riders(rows: list[tuple[int, int, float]], dates: int) -> None:
    rests = _rests([(rider, start / 2, start / 2 + long) for rider, start, long in rows])
    way_s = np.where((np.arange(len(rows))[:, None] + np.arange(2)) % 3 == 0, np.inf, 0.0)
    _, _, met = _options(rests, way_s, ZONE)
    told = meetings(rests, way_s, ("S01", "S02"), ZONE, dates=dates, k=1, seed=1)
    best = max(
        (
            int(met[:, list(pick)].any(axis=1).sum())
            for pick in itertools.combinations(range(met.shape[1]), dates)
        ),
        default=int(met.any(axis=1).sum()),
    )
    if met.shape[1] == 0:
        assert told.dates == ()
    else:
        assert told.riders == best
        assert told.gap == pytest.approx(0.0, abs=1e-6)


def test_people_are_counted_and_not_visits() -> None:
    # Three riders come on Monday and Tuesday at 13:00; two others on Friday only.
    rows = [(rider, 24 * day + 13.0, 24 * day + 13.5) for day in (0, 1) for rider in (0, 1, 2)]
    rows += [(rider, 96 + 13.0, 96 + 13.5) for rider in (3, 4)]
    told = meetings(_rests(rows), np.zeros((8, 1)), ("S01",), ZONE, dates=2, k=1, seed=1)
    assert told.riders == 5
    assert {date.weekday for date in told.dates} in ({0, 4}, {1, 4})


def test_fewer_than_k_riders_are_not_told() -> None:
    rows = [(rider, 13.0, 13.5) for rider in range(12)] + [(rider, 37.0, 37.5) for rider in range(12, 15)]
    told = meetings(_rests(rows), np.zeros((15, 1)), ("S01",), ZONE, dates=2, k=10, seed=1)
    # 15 in all and 12 on Monday would tell of the 3 on Tuesday.
    assert [date.riders for date in told.dates] == [12]
    assert told.riders == 12


def test_a_date_of_fewer_than_k_riders_is_none() -> None:
    """That somebody rests there and then is told by the date itself, whatever stands behind it."""
    alone = [(0, 24.0 * day + 13.0, 24.0 * day + 14.0) for day in range(5)]
    told = meetings(_rests(alone), np.zeros((5, 1)), ("S01",), ZONE, dates=4, k=10, seed=1)
    assert told.dates == ()
    assert told.riders is None
    rows = alone + [(rider, 13.0, 13.5) for rider in range(12)]
    told = meetings(_rests(rows), np.zeros((len(rows), 1)), ("S01",), ZONE, dates=4, k=10, seed=1)
    assert [(date.weekday, date.half_hour, date.riders) for date in told.dates] == [(0, 26, 12)]
