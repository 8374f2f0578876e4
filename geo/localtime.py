"""Local time of the city: the only place where epoch seconds become hours and days of a zone, and back."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.sentences import Sentence

__all__ = [
    "AMBIGUOUS",
    "DAY_S",
    "HOURS_A_WEEK",
    "HOUR_S",
    "NONEXISTENT",
    "ONCE",
    "OUT_OF_RANGE",
    "WEEKDAYS",
    "WORK_DAY_STARTS_H",
    "day_number",
    "hour_of_day",
    "hour_of_week",
    "local_offset_s",
    "local_s",
    "offset_of_local",
    "weekday",
    "zone",
]

DAY_S: Final = 86_400
HOURS_A_WEEK: Final = 168
WEEKDAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
"""As OpenStreetMap writes them, in the order of `weekday`."""
HOUR_S: Final = 3_600
WORK_DAY_STARTS_H: Final = 4
"""A working day runs from 04:00 to 04:00: a night shift belongs to the day on which it began."""

ONCE, OUT_OF_RANGE, AMBIGUOUS, NONEXISTENT = 0, 1, 2, 3
"""What a local time is: one instant, out of the calendar's range, two instants, or none."""

_BLOCK_S = 900  # every clock change of our days happens on a quarter of an hour


def zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name such as ``Asia/Shanghai``.

    Raises
    ------
    InputError
        If there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(Sentence.of("time_zone", name=name)) from error


def _naive(block: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(seconds=block * _BLOCK_S)  # noqa: DTZ001


def _ahead(block: int, where: ZoneInfo) -> tuple[int, int]:
    """Return (seconds ahead of UTC, code) of an instant."""
    try:
        offset = _naive(block).replace(tzinfo=UTC).astimezone(where).utcoffset()
    except OverflowError:
        return 0, OUT_OF_RANGE
    return int(offset.total_seconds()) if offset else 0, ONCE


def _ahead_locally(block: int, where: ZoneInfo) -> tuple[int, int]:
    """Return (seconds ahead of UTC, code) of a time on the wall."""
    try:
        wall = _naive(block)
        early, late = wall.replace(tzinfo=where, fold=0), wall.replace(tzinfo=where, fold=1)
        first, second = early.utcoffset(), late.utcoffset()
        exists = early.astimezone(UTC).astimezone(where).replace(tzinfo=None) == wall
    except OverflowError:
        return 0, OUT_OF_RANGE
    code = ONCE if first == second else AMBIGUOUS if exists else NONEXISTENT
    return int(first.total_seconds()) if first else 0, code


def _by_block(
    t_s: NDArray[np.int64], where: ZoneInfo, *, on_the_wall: bool
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    if len(t_s) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.uint8)
    # Sorted traces have long runs in one block, so looking at runs is cheaper than at all points.
    block = t_s // _BLOCK_S
    starts = np.flatnonzero(np.r_[True, block[1:] != block[:-1]])
    distinct, run_index = np.unique(block[starts], return_inverse=True)
    index = np.repeat(run_index, np.diff(np.r_[starts, len(block)]))
    ahead = _ahead_locally if on_the_wall else _ahead
    found: Iterable[tuple[int, int]] = [ahead(one, where) for one in distinct.tolist()]
    offsets, codes = zip(*found, strict=True)
    return np.asarray(offsets, np.int64)[index], np.asarray(codes, np.uint8)[index]


def local_offset_s(t_s: NDArray[np.int64], where: ZoneInfo) -> NDArray[np.int64]:
    """Return for each instant, epoch seconds, the seconds that local time is ahead of UTC."""
    return _by_block(np.asarray(t_s, np.int64), where, on_the_wall=False)[0]


def offset_of_local(
    wall_s: NDArray[np.int64], where: ZoneInfo
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return how far local times, seconds since 1970 on the wall, are ahead of UTC.

    Returns
    -------
    tuple
        (n,) int64 seconds to take off, and (n,) codes: `ONCE`, `OUT_OF_RANGE`, `AMBIGUOUS` where the clock
        change repeats that time, `NONEXISTENT` where it skips it.
    """
    return _by_block(wall_s, where, on_the_wall=True)


def local_s(t_s: NDArray[np.int64], timezone: str) -> NDArray[np.int64]:
    """Return epoch seconds shifted to local time, for `day_number` and `hour_of_day`.

    Raises
    ------
    InputError
        If there is no such zone.
    """
    t_s = np.asarray(t_s, np.int64)
    return t_s + local_offset_s(t_s, zone(timezone))


def day_number(local: NDArray[np.int64], starts_h: int = 0) -> NDArray[np.int64]:
    """Return days since 1970-01-01 of shifted seconds; a day begins at the hour ``starts_h``."""
    return np.asarray((local - starts_h * HOUR_S) // DAY_S, np.int64)


def hour_of_day(local: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the hour, 0-23, of shifted seconds."""
    return np.asarray(local // HOUR_S % 24, np.int64)


def weekday(day: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the weekday, 0: Monday, of days since 1970-01-01, which was a Thursday."""
    return np.asarray((day + 3) % 7, np.int64)


def hour_of_week(local: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the hour of the week, 0-167 from Monday 0:00, of shifted seconds."""
    return np.asarray(weekday(day_number(local)) * 24 + hour_of_day(local), np.int64)
