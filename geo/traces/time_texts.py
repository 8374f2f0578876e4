"""Text of times to numbers: one numba pass over the bytes of a column. See `geo.traces.instants`."""

import numpy as np
from numpy.typing import NDArray

from geo.jit import kernel
from geo.localtime import ONCE, OUT_OF_RANGE

__all__ = ["BAD", "DAY_FIRST", "LOCAL", "MONTH_FIRST", "OK", "WHICH_FIRST", "parse_all", "scale_all"]

# Codes of `geo.traces.formats.REASONS`; kept apart so that the parser needs nothing of the readers.
# What local times come to (`geo.localtime`) has the codes 0 to 3.
OK, BAD = ONCE, OUT_OF_RANGE
LOCAL, WHICH_FIRST = 4, 5
MONTH_FIRST, DAY_FIRST = 1, 2
_COMPACT_FROM, _COMPACT_TO = 19_700_101_000_000, 21_001_231_235_959


@kernel
def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant, days_from_civil)."""
    y = year - 1 if month <= 2 else year
    era = y // 400
    yoe = y - era * 400
    doy = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    doe = yoe * 365 + yoe // 4 - yoe // 100 + doy
    return era * 146097 + doe - 719468


@kernel
def _month_days(year: int, month: int) -> int:
    if month == 2:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 29 if leap else 28
    return 30 if month in (4, 6, 9, 11) else 31


@kernel
def _scaled(value: float, unit: int) -> float:
    """Seconds of an epoch number; unit 0 tells s, ms, us and ns apart by size (1e11 s is the year 5138)."""
    if unit == 0:
        size = abs(value)
        unit = 1 if size < 1e11 else 1_000 if size < 1e14 else 1_000_000 if size < 1e17 else 1_000_000_000
    return float(np.floor(value / unit))


@kernel
def _number(data: NDArray[np.uint8], at: int, end: int, most: int) -> tuple[int, int]:
    value, start = 0, at
    while at < end and at - start < most and 48 <= data[at] <= 57:
        value = value * 10 + (data[at] - 48)
        at += 1
    return value, at


@kernel
def _is_date_mark(byte: int) -> bool:
    return byte == 45 or byte == 47 or byte == 46  # - / .


@kernel
def _half_day(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Return 1 for AM, 2 for PM, 0 for neither, and the place behind it and its spaces."""
    half = 0
    if at + 1 < end and (data[at + 1] | 32) == 109:
        half = 1 if (data[at] | 32) == 97 else 2 if (data[at] | 32) == 112 else 0
    if half:
        at += 2
        while at < end and data[at] == 32:
            at += 1
    return half, at


@kernel
def _date(
    data: NDArray[np.uint8], at: int, end: int, digits: int, year0: int, order: int
) -> tuple[int, int, int, int, int]:
    """Return (year, month, day, place behind it, code) of a date that begins with so many digits."""
    if digits == 8:
        year, at = _number(data, at, end, 4)
        month, at = _number(data, at, end, 2)
        day, at = _number(data, at, end, 2)
        return year, month, day, at, OK
    year = year0
    if digits == 4:
        year, at = _number(data, at, end, 4)
        if at >= end or not _is_date_mark(data[at]):
            return 0, 0, 0, at, BAD
        at += 1
    elif digits == 0 or digits > 2:
        return 0, 0, 0, at, BAD
    first = at
    month, at = _number(data, at, end, 2)
    if at == first or at >= end or not _is_date_mark(data[at]):
        return 0, 0, 0, at, BAD
    at += 1
    first = at
    day, at = _number(data, at, end, 2)
    if at == first:
        return 0, 0, 0, at, BAD
    if digits != 4 and at < end and _is_date_mark(data[at]):
        # The year stands last: which of the two before it is the month?
        first = at + 1
        year, at = _number(data, first, end, 4)
        if at - first != 4:
            return 0, 0, 0, at, BAD
        if order == DAY_FIRST:
            month, day = day, month
        elif order != MONTH_FIRST:
            return year, month, day, at, WHICH_FIRST
    elif digits != 4 and year0 == 0:
        return 0, 0, 0, at, BAD
    return year, month, day, at, OK


@kernel
def _clock(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, int, int]:
    """Return (second of the day or -1, place behind it, digits of a clock without colons or 0)."""
    half, at = _half_day(data, at, end)
    first = at
    while at < end and at - first < 7 and 48 <= data[at] <= 57:
        at += 1
    digits = at - first
    minute = second = 0
    if digits == 6 and (at >= end or data[at] != 58):
        hour, at = _number(data, first, end, 2)
        minute, at = _number(data, at, end, 2)
        second, at = _number(data, at, end, 2)
    else:
        hour, at = _number(data, first, end, 2)
        if at == first or at >= end or data[at] != 58:
            return -1, at, 0
        first = at + 1
        minute, at = _number(data, first, end, 2)
        short = at - first < 2
        if at == first:
            return -1, at, 0
        if at < end and data[at] == 58:
            # 5:5:7 is how programs write that do not pad; 5:5 alone may be half of 5:50.
            short = False
            first = at + 1
            second, at = _number(data, first, end, 2)
            if at == first:
                return -1, at, 0
            if at < end and (data[at] == 46 or data[at] == 44):
                at += 1
                while at < end and 48 <= data[at] <= 57:
                    at += 1
        if short:
            return -1, at, 0
    while at < end and data[at] == 32:
        at += 1
    if half == 0:
        half, at = _half_day(data, at, end)
    if half == 2 and hour < 12:
        hour += 12
    elif half == 1 and hour == 12:
        hour = 0
    elif half == 1 and hour > 12:
        return -1, at, 0
    if hour > 23 or minute > 59 or second > 60:
        return -1, at, 0
    return hour * 3600 + minute * 60 + second, at, digits


@kernel
def _offset(data: NDArray[np.uint8], at: int, end: int, total: int) -> tuple[int, int]:
    """Return (seconds, code) for what stands behind date and clock: nothing, Z, UTC, GMT or an offset."""
    if at == end:
        return total, LOCAL
    if (data[at] == 90 or data[at] == 122) and at + 1 == end:
        return total, OK
    if at + 3 <= end:
        a, b, c = data[at] | 32, data[at + 1] | 32, data[at + 2] | 32
        if (a == 117 and b == 116 and c == 99) or (a == 103 and b == 109 and c == 116):
            at += 3
            if at == end:
                return total, OK
    if data[at] == 43 or data[at] == 45:
        sign = 1 if data[at] == 43 else -1
        first = at + 1
        off_hour, at = _number(data, first, end, 2)
        if at - first != 2:
            return 0, BAD
        off_minute = 0
        if at < end:
            if data[at] == 58:
                at += 1
            first = at
            off_minute, at = _number(data, first, end, 2)
            if at - first != 2 or at != end:
                return 0, BAD
        if off_hour > 15 or off_minute > 59:
            return 0, BAD
        return total - sign * (off_hour * 3600 + off_minute * 60), OK
    return 0, BAD


@kernel
def _local(year: int, month: int, day: int, second_of_day: int) -> tuple[int, int]:
    if year < 1 or not (1 <= month <= 12 and 1 <= day <= _month_days(year, month)):
        return 0, BAD
    return _days(year, month, day) * 86400 + second_of_day, LOCAL


@kernel
def _compact(value: int) -> tuple[int, int]:
    """Return (seconds, code) of 20260302080530."""
    day, clock = value // 1_000_000, value % 1_000_000
    hour, minute, second = clock // 10_000, clock // 100 % 100, clock % 100
    if hour > 23 or minute > 59 or second > 60:
        return 0, BAD
    return _local(day // 10_000, day // 100 % 100, day % 100, hour * 3600 + minute * 60 + second)


@kernel
def _parse_one(
    data: NDArray[np.uint8], at: int, end: int, unit: int, year0: int, order: int
) -> tuple[int, int]:
    """Return (seconds, code): code OK for an instant, LOCAL for local time, BAD, or WHICH_FIRST."""
    while at < end and data[at] <= 32:
        at += 1
    while end > at and data[end - 1] <= 32:
        end -= 1
    negative = at < end and data[at] == 45
    start = at + 1 if negative else at
    stop = start
    while stop < end and 48 <= data[stop] <= 57:
        stop += 1
    digits = stop - start
    if digits == 14 and not negative and unit == 0 and stop == end:
        value, _ = _number(data, start, end, 14)
        return _compact(value)
    number = digits >= 1 and (stop == end or data[stop] == 46)
    for k in range(stop + 1, end):
        # Two points, as in 2.3.2026, are a date.
        number = number and 48 <= data[k] <= 57
    if number:
        if digits > 19:
            return 0, BAD
        value_f = 0.0
        for k in range(start, stop):
            value_f = value_f * 10.0 + (data[k] - 48)
        whole = _scaled(value_f, unit)
        if negative:
            whole = -whole - (1.0 if stop < end else 0.0)
        return int(whole), OK
    if negative:
        return 0, BAD
    year, month, day, at, code = _date(data, start, end, digits, year0, order)
    if code == BAD or at >= end or (data[at] != 32 and data[at] != 84 and data[at] != 116):
        return 0, BAD
    at += 1
    while at < end and data[at] == 32:
        at += 1
    clock_s, at, _ = _clock(data, at, end)
    if clock_s < 0:
        return 0, BAD
    if code == WHICH_FIRST:
        # First and second field, for the caller to see which can be a month.
        return month * 100 + day, WHICH_FIRST
    total, good = _local(year, month, day, clock_s)
    if good == BAD:
        return 0, BAD
    while at < end and data[at] == 32:
        at += 1
    return _offset(data, at, end, total)


@kernel
def _plain_clock(data: NDArray[np.uint8], at: int) -> int:
    """Return the second of the day of ??????????? 08:05:30 (19 bytes), or -1 where the clock is none."""
    if data[at + 13] != 58 or data[at + 16] != 58:
        return -1
    total = 0
    for k, most in ((11, 23), (14, 59), (17, 59)):
        tens, ones = int(data[at + k]) - 48, int(data[at + k + 1]) - 48
        value = tens * 10 + ones
        if not (0 <= tens <= 9 and 0 <= ones <= 9 and value <= most):
            return -1
        total = total * 60 + value
    return total


@kernel
def _same_day(data: NDArray[np.uint8], one: int, other: int) -> bool:
    """Return whether two texts begin with the same 11 bytes, without a letter (AM, PM) before the last."""
    same = True
    for k in range(11):
        same = same and data[one + k] == data[other + k] and (k == 10 or data[one + k] < 65)
    return same


@kernel
def parse_all(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    unit: int,
    year0: int,
    order: int,
    t_s: NDArray[np.int64],
    code: NDArray[np.uint8],
) -> None:
    """Fill (n,) seconds and codes from the bytes of a text column and its (n + 1,) offsets.

    Of a text such as 2026-03-02 08:05:30 only the clock is read where the day is that of the last such text.
    """
    day_at, midnight = -1, 0
    for i in range(len(t_s)):
        at, end = offsets[i], offsets[i + 1]
        if end == at:
            t_s[i], code[i] = 0, BAD
            continue
        clock_s = _plain_clock(data, at) if end - at == 19 else -1
        if clock_s >= 0 and day_at >= 0 and _same_day(data, day_at, at):
            t_s[i], code[i] = midnight + clock_s, LOCAL
            continue
        t_s[i], code[i] = _parse_one(data, at, end, unit, year0, order)
        if clock_s >= 0 and code[i] == LOCAL:
            day_at, midnight = at, t_s[i] - clock_s


@kernel
def scale_all(
    values: NDArray[np.float64], unit: int, t_s: NDArray[np.int64], code: NDArray[np.uint8]
) -> None:
    """Fill (n,) seconds and codes from (n,) epoch numbers of a unit, see `_scaled`."""
    for i in range(len(values)):
        v = values[i]
        if not np.isfinite(v) or abs(v) > 9.2e18:
            t_s[i], code[i] = 0, BAD
        elif unit == 0 and _COMPACT_FROM <= v <= _COMPACT_TO:
            # As milliseconds these are years beyond 2594.
            t_s[i], code[i] = _compact(int(v))
        else:
            t_s[i], code[i] = int(_scaled(v, unit)), OK
