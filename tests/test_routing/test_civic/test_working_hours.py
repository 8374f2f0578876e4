"""Limits in working hours against a clock that counts minutes."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from routing.civic.working_hours import OfficeHours

HOLIDAY = datetime.date(2026, 10, 1)
EXTRA = datetime.date(2026, 10, 3)
HOURS = OfficeHours("Asia/Shanghai", 8.5, 17.0, holidays=frozenset({HOLIDAY}), extra_days=frozenset({EXTRA}))
MONDAY_S = 1_790_553_600
"""2026-09-28 08:00 in Shanghai, a Monday."""


def slow_end(hours: OfficeHours, start_s: int, working_min: int) -> int:
    """Go on minute by minute and count those in which offices work."""
    where = datetime.timezone(datetime.timedelta(hours=8))
    at = start_s
    while working_min:
        wall = datetime.datetime.fromtimestamp(at, where)
        hour = wall.hour + wall.minute / 60
        if hours.worked(wall.date()) and hours.opens_h <= hour < hours.closes_h:
            working_min -= 1
        at += 60
    return at


@settings(derandomize=True, deadline=None, max_examples=60)
@given(start_min=st.integers(0, 8 * 24 * 60), working_min=st.integers(1, 3_000))
def test_limits_end_where_a_slow_clock_says(start_min: int, working_min: int) -> None:
    start_s = MONDAY_S + 60 * start_min
    assert HOURS.end_of(start_s, 60.0 * working_min) == slow_end(HOURS, start_s, working_min)


@pytest.mark.parametrize(
    ("evening", "due"),
    [("2026-09-29T16:00", "2026-09-30T11:30"), ("2026-09-30T16:00", "2026-10-02T11:30")],
    ids=["over night", "over a holiday"],
)
def test_four_working_hours(evening: str, due: str) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=8))
    start, end = (datetime.datetime.fromisoformat(text).replace(tzinfo=zone) for text in (evening, due))
    assert HOURS.end_of(start.timestamp(), 4 * 3600.0) == end.timestamp()


def test_a_city_that_never_works_is_refused() -> None:
    with pytest.raises(InputError, match="weekdays"):
        OfficeHours("Asia/Shanghai", weekdays=frozenset())
    with pytest.raises(InputError, match="close at"):
        OfficeHours("Asia/Shanghai", 17.0, 9.0)
