"""Local time against the standard library, one instant at a time."""

import zoneinfo
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from geo.localtime import (
    AMBIGUOUS,
    NONEXISTENT,
    ONCE,
    day_number,
    hour_of_day,
    local_s,
    offset_of_local,
    zone,
)

# Lord Howe Island changes its clock by half an hour, in the middle of an hour of UTC.
ZONES = ("Asia/Shanghai", "Asia/Kathmandu", "Europe/Helsinki", "America/St_Johns", "Australia/Lord_Howe")
FROM_S, TO_S = 1_500_000_000, 1_900_000_000
HOWE_CHANGES_S = int(datetime(2026, 4, 4, 15, 0, tzinfo=UTC).timestamp())

instants = st.one_of(st.integers(FROM_S, TO_S), st.integers(HOWE_CHANGES_S - 7200, HOWE_CHANGES_S + 7200))


@settings(derandomize=True, deadline=None)
@given(st.lists(instants, min_size=1, max_size=20), st.sampled_from(ZONES), st.integers(0, 6))
def test_hours_and_days_are_those_of_the_standard_library(t_s: list[int], name: str, starts_h: int) -> None:
    local = local_s(np.array(t_s), name)
    for k, instant in enumerate(t_s):
        wall = datetime.fromtimestamp(instant, zone(name)).replace(tzinfo=UTC)
        assert int(local[k]) == int(wall.timestamp())
        assert int(hour_of_day(local)[k]) == wall.hour
        day = int(day_number(local, starts_h)[k])
        assert day == wall.date().toordinal() - 719_163 - (wall.hour < starts_h)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.integers(FROM_S, TO_S), min_size=1, max_size=20), st.sampled_from(ZONES))
def test_a_wall_time_leads_back_to_each_instant_that_shows_it(t_s: list[int], name: str) -> None:
    local = local_s(np.array(t_s), name)
    ahead, code = offset_of_local(local, zone(name))
    assert set(code.tolist()) <= {ONCE, AMBIGUOUS}
    back = local - ahead
    assert [int(b) for b, c in zip(back, code, strict=True) if c == ONCE] == [
        t for t, c in zip(t_s, code, strict=True) if c == ONCE
    ]


@pytest.mark.parametrize(
    ("wall", "code"),
    [((2026, 3, 29, 3, 30), NONEXISTENT), ((2026, 10, 25, 3, 30), AMBIGUOUS), ((2026, 6, 1, 3, 30), ONCE)],
)
def test_times_at_a_clock_change_are_told_apart(wall: tuple[int, int, int, int, int], code: int) -> None:
    wall_s = int(datetime(*wall, tzinfo=UTC).timestamp())
    assert offset_of_local(np.array([wall_s]), zoneinfo.ZoneInfo("Europe/Helsinki"))[1].tolist() == [code]


def test_no_time_at_all_is_no_fault() -> None:
    assert len(local_s(np.zeros(0, np.int64), "Asia/Shanghai")) == 0


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc", ""])
def test_an_unknown_zone_is_named(name: str) -> None:
    with pytest.raises(InputError, match="is not known: give an IANA name such as Asia/Shanghai"):
        zone(name)
