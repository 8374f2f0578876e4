"""Times as platforms write them, to epoch seconds: one numba pass over the bytes of a column.

Understood: epoch seconds, milliseconds, microseconds or nanoseconds (by size, or as declared); dates as
``2026-03-02 08:05[:30[.5]]`` or with ``/``, ``.`` or ``T``, one-digit months, days and hours too;
``20260302080530`` and ``20260302T080530``; ``2026年3月2日 上午8:05`` and ``08时05分30秒``;
``03/02/2026 8:05 PM`` once it is known which comes first; ``03-02 08:05:30`` with the year declared (LaDe);
serial days of Excel; each with ``Z``, ``UTC``, ``GMT``, ``+08:00``, ``+0800`` or ``+08`` behind it, or else
as local time of the declared zone. Fractions are cut off.

A local time that the clock change skips, or repeats, is refused: either reading may be an hour wrong.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.errors import InputError
from geo.jit import kernel

__all__ = [
    "TIME_FORMATS",
    "TIME_UNITS",
    "ArrowArray",
    "epoch_seconds",
    "field_order",
    "local_offset_s",
    "zone",
]

ArrowArray: TypeAlias = Any
"""A pyarrow array, which has no types of its own."""
TIME_FORMATS: Final = ("auto", "mdy", "dmy", "excel")
TIME_UNITS: Final = {"auto": 0, "s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}

# Codes of `geo.traces.formats.REASONS`; kept apart so that the parser needs nothing of the readers.
_OK, _BAD, _AMBIGUOUS, _NONEXISTENT = 0, 1, 2, 3
_LOCAL = 4
_WHICH_FIRST = 5
_MONTH_FIRST, _DAY_FIRST = 1, 2
_EXCEL_EPOCH_DAYS: Final = -25_569.0  # serial 0 is 1899-12-30
_COMPACT_FROM, _COMPACT_TO = 19_700_101_000_000, 21_001_231_235_959
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
        raise InputError(f"unknown time zone {name!r}: give an IANA name such as Asia/Shanghai") from error


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
        return year, month, day, at, _OK
    year = year0
    if digits == 4:
        year, at = _number(data, at, end, 4)
        if at >= end or not _is_date_mark(data[at]):
            return 0, 0, 0, at, _BAD
        at += 1
    elif digits == 0 or digits > 2:
        return 0, 0, 0, at, _BAD
    first = at
    month, at = _number(data, at, end, 2)
    if at == first or at >= end or not _is_date_mark(data[at]):
        return 0, 0, 0, at, _BAD
    at += 1
    first = at
    day, at = _number(data, at, end, 2)
    if at == first:
        return 0, 0, 0, at, _BAD
    if digits != 4 and at < end and _is_date_mark(data[at]):
        # The year stands last: which of the two before it is the month?
        first = at + 1
        year, at = _number(data, first, end, 4)
        if at - first != 4:
            return 0, 0, 0, at, _BAD
        if order == _DAY_FIRST:
            month, day = day, month
        elif order != _MONTH_FIRST:
            return year, month, day, at, _WHICH_FIRST
    elif digits != 4 and year0 == 0:
        return 0, 0, 0, at, _BAD
    return year, month, day, at, _OK


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
        if at - first != 2:
            return -1, at, 0
        if at < end and data[at] == 58:
            first = at + 1
            second, at = _number(data, first, end, 2)
            if at - first != 2:
                return -1, at, 0
            if at < end and (data[at] == 46 or data[at] == 44):
                at += 1
                while at < end and 48 <= data[at] <= 57:
                    at += 1
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
        return total, _LOCAL
    if (data[at] == 90 or data[at] == 122) and at + 1 == end:
        return total, _OK
    if at + 3 <= end:
        a, b, c = data[at] | 32, data[at + 1] | 32, data[at + 2] | 32
        if (a == 117 and b == 116 and c == 99) or (a == 103 and b == 109 and c == 116):
            at += 3
            if at == end:
                return total, _OK
    if data[at] == 43 or data[at] == 45:
        sign = 1 if data[at] == 43 else -1
        first = at + 1
        off_hour, at = _number(data, first, end, 2)
        if at - first != 2:
            return 0, _BAD
        off_minute = 0
        if at < end:
            if data[at] == 58:
                at += 1
            first = at
            off_minute, at = _number(data, first, end, 2)
            if at - first != 2 or at != end:
                return 0, _BAD
        if off_hour > 15 or off_minute > 59:
            return 0, _BAD
        return total - sign * (off_hour * 3600 + off_minute * 60), _OK
    return 0, _BAD


@kernel
def _local(year: int, month: int, day: int, second_of_day: int) -> tuple[int, int]:
    if year < 1 or not (1 <= month <= 12 and 1 <= day <= _month_days(year, month)):
        return 0, _BAD
    return _days(year, month, day) * 86400 + second_of_day, _LOCAL


@kernel
def _compact(value: int) -> tuple[int, int]:
    """Return (seconds, code) of 20260302080530."""
    day, clock = value // 1_000_000, value % 1_000_000
    hour, minute, second = clock // 10_000, clock // 100 % 100, clock % 100
    if hour > 23 or minute > 59 or second > 60:
        return 0, _BAD
    return _local(day // 10_000, day // 100 % 100, day % 100, hour * 3600 + minute * 60 + second)


@kernel
def _parse_one(
    data: NDArray[np.uint8], at: int, end: int, unit: int, year0: int, order: int
) -> tuple[int, int]:
    """Return (seconds, code): code _OK for an instant, _LOCAL for local time, _BAD, or _WHICH_FIRST."""
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
            return 0, _BAD
        value_f = 0.0
        for k in range(start, stop):
            value_f = value_f * 10.0 + (data[k] - 48)
        whole = _scaled(value_f, unit)
        if negative:
            whole = -whole - (1.0 if stop < end else 0.0)
        return int(whole), _OK
    if negative:
        return 0, _BAD
    year, month, day, at, code = _date(data, start, end, digits, year0, order)
    if code == _BAD or at >= end or (data[at] != 32 and data[at] != 84 and data[at] != 116):
        return 0, _BAD
    at += 1
    while at < end and data[at] == 32:
        at += 1
    clock_s, at, _ = _clock(data, at, end)
    if clock_s < 0:
        return 0, _BAD
    if code == _WHICH_FIRST:
        # First and second field, for the caller to see which can be a month.
        return month * 100 + day, _WHICH_FIRST
    total, good = _local(year, month, day, clock_s)
    if good == _BAD:
        return 0, _BAD
    while at < end and data[at] == 32:
        at += 1
    return _offset(data, at, end, total)


@kernel
def _parse_all(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    unit: int,
    year0: int,
    order: int,
    t_s: NDArray[np.int64],
    code: NDArray[np.uint8],
) -> None:
    for i in range(len(t_s)):
        if offsets[i + 1] == offsets[i]:
            t_s[i], code[i] = 0, _BAD
        else:
            t_s[i], code[i] = _parse_one(data, offsets[i], offsets[i + 1], unit, year0, order)


@kernel
def _scale_all(
    values: NDArray[np.float64], unit: int, t_s: NDArray[np.int64], code: NDArray[np.uint8]
) -> None:
    for i in range(len(values)):
        v = values[i]
        if not np.isfinite(v) or abs(v) > 9.2e18:
            t_s[i], code[i] = 0, _BAD
        elif unit == 0 and _COMPACT_FROM <= v <= _COMPACT_TO:
            # As milliseconds these are years beyond 2594.
            t_s[i], code[i] = _compact(int(v))
        else:
            t_s[i], code[i] = int(_scaled(v, unit)), _OK


#: What Chinese offices write, to what the kernel reads.
_CHINESE: Final = (
    ("星期[一二三四五六日天]|周[一二三四五六日天]|礼拜[一二三四五六日天]", " "),
    ("上午|凌晨|清晨|早上|早晨", " AM "),
    ("下午|傍晚|晚上|中午", " PM "),
    ("年|月", "-"),
    ("日|号", " "),
    ("时|点|分", ":"),
    ("秒", ""),
    (r"\s*:\s*$", ""),
    (r"\s+", " "),
)
_NON_ASCII: Final = 128


def _in_ascii(text: ArrowArray) -> ArrowArray:
    text = pc.utf8_normalize(text, form="NFKC")
    for pattern, plain in _CHINESE:
        text = pc.replace_substring_regex(text, pattern=pattern, replacement=plain)
    return text


def _buffers(text: ArrowArray) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    buffers = text.buffers()
    offsets = np.frombuffer(buffers[1], dtype=np.int64)[text.offset : text.offset + len(text) + 1]
    data = np.frombuffer(buffers[2], dtype=np.uint8) if buffers[2] else np.zeros(1, np.uint8)
    return offsets, data


def _flat(text: ArrowArray) -> ArrowArray:
    text = pc.fill_null(text.cast(pa.large_string()), "")
    return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text


def _from_text(
    column: ArrowArray, unit: int, year: int | None, order: int
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    text = _flat(column)
    n = len(text)
    if n and str(text[0]).startswith('="'):
        text = _flat(pc.replace_substring_regex(text, pattern='^="(.*)"$', replacement=r"\1"))
    offsets, data = _buffers(text)
    if n and offsets[-1] > offsets[0] and data[offsets[0] : offsets[-1]].max() >= _NON_ASCII:
        offsets, data = _buffers(_flat(_in_ascii(text)))
    t_s, code = np.empty(n, np.int64), np.empty(n, np.uint8)
    _parse_all(data, offsets, unit, year or 0, order, t_s, code)
    return t_s, code


def _from_pattern(column: ArrowArray, pattern: str) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Read times by a pattern of strptime."""
    import pandas as pd

    texts = ["" if v is None else str(v).strip() for v in column.to_pylist()]
    try:
        # Texts are taken one by one where offsets differ, so they are brought to UTC at once.
        aware = "%z" in pattern or "%Z" in pattern
        times = pd.to_datetime(pd.Series(texts, dtype="str"), format=pattern, errors="coerce", utc=aware)
        values = times.dt.tz_localize(None).to_numpy() if aware else times.to_numpy()
    except (ValueError, AttributeError) as error:
        raise InputError(f"the time_format {pattern!r} is not a pattern of strptime") from error
    missing = np.isnat(values)
    t_s = np.where(missing, np.datetime64(0, "s"), values).astype("datetime64[s]").astype(np.int64)
    return t_s, np.where(missing, _BAD, _OK if aware else _LOCAL).astype(np.uint8)


def _from_serials(column: ArrowArray) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Read serial days of Excel, local time; whole seconds, since binary fractions of a day miss them."""
    values = column
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        good = pc.fill_null(pc.match_substring_regex(column, r"^\s*\d{1,6}([.,]\d+)?\s*$"), False)
        text = pc.utf8_trim_whitespace(pc.if_else(good, column, pa.scalar(None, column.type)))
        values = pc.replace_substring(text, pattern=",", replacement=".").cast(pa.float64())
    days = np.asarray(pc.fill_null(values.cast(pa.float64(), safe=False), np.nan), np.float64)
    good_days = np.isfinite(days) & (days > 0) & (days < 1e6)
    t_s = np.where(good_days, np.round((days + _EXCEL_EPOCH_DAYS) * 86_400, 0), 0).astype(np.int64)
    return t_s, np.where(good_days, _LOCAL, _BAD).astype(np.uint8)


def field_order(column: ArrowArray) -> str | None:
    """Tell dates such as 03/02/2026 apart by their values.

    Returns
    -------
    str or None
        ``mdy`` or ``dmy`` by the values above 12; ``unclear`` where there are such dates and no such value,
        or values that contradict; None where there is no such date.
    """
    fields, code = _from_text(column, 0, None, 0)
    pairs = fields[code == _WHICH_FIRST]
    if len(pairs) == 0:
        return None
    month_first = bool((pairs % 100 > 12).any())
    day_first = bool((pairs // 100 > 12).any())
    if month_first == day_first:
        return "unclear"
    return "mdy" if month_first else "dmy"


def _block_offsets(blocks: NDArray[np.int64], where: ZoneInfo, local: bool) -> tuple[list[int], list[int]]:
    offsets, codes = [], []
    for block in blocks.tolist():
        try:
            wall = datetime(1970, 1, 1) + timedelta(seconds=block * _BLOCK_S)  # noqa: DTZ001
            if not local:
                offset = wall.replace(tzinfo=UTC).astimezone(where).utcoffset()
                offsets.append(int(offset.total_seconds()) if offset else 0)
                codes.append(_OK)
                continue
            early, late = wall.replace(tzinfo=where, fold=0), wall.replace(tzinfo=where, fold=1)
            first, second = early.utcoffset(), late.utcoffset()
            exists = early.astimezone(UTC).astimezone(where).replace(tzinfo=None) == wall
        except OverflowError:
            offsets.append(0)
            codes.append(_BAD)
            continue
        offsets.append(int(first.total_seconds()) if first else 0)
        codes.append(_OK if first == second else _AMBIGUOUS if exists else _NONEXISTENT)
    return offsets, codes


def _resolve(
    t_s: NDArray[np.int64], where: ZoneInfo, local: bool
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    # Sorted traces have long runs in one block, so looking at runs is cheaper than at all points.
    block = t_s // _BLOCK_S
    starts = np.flatnonzero(np.r_[True, block[1:] != block[:-1]])
    distinct, run_index = np.unique(block[starts], return_inverse=True)
    index = np.repeat(run_index, np.diff(np.r_[starts, len(block)]))
    offsets, codes = _block_offsets(distinct, where, local)
    return np.asarray(offsets, np.int64)[index], np.asarray(codes, np.uint8)[index]


def local_offset_s(t_s: NDArray[np.int64], where: ZoneInfo) -> NDArray[np.int64]:
    """Return for each instant, epoch seconds, the seconds that local time is ahead of UTC."""
    if len(t_s) == 0:
        return np.zeros(0, np.int64)
    return _resolve(t_s, where, local=False)[0]


def epoch_seconds(
    column: ArrowArray,
    *,
    unit: str,
    where: ZoneInfo | None,
    year: int | None,
    file: str,
    form: str = "auto",
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Turn one column of a file into epoch seconds.

    Parameters
    ----------
    column
        pyarrow array: numbers, text, dates or timestamps.
    unit
        One of `TIME_UNITS`, for plain numbers.
    where
        Zone of local times; None if none was declared.
    year
        Year of dates without one.
    file
        Name for the error.
    form
        One of `TIME_FORMATS`, or a pattern of strptime.

    Returns
    -------
    tuple
        (n,) int64 seconds, and (n,) codes: 0 good, 1 unparsable, 2 ambiguous local time, 3 nonexistent
        local time.

    Raises
    ------
    InputError
        If there are local times and no zone was declared.
    """
    kind = column.type
    scale = TIME_UNITS[unit]
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        if pa.types.is_date(kind):
            column = column.cast(pa.timestamp("s"))
        per_s = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[column.type.unit]
        missing = np.asarray(column.is_null())
        ticks = np.asarray(pc.fill_null(column.cast(pa.int64()), 0), dtype=np.int64)
        t_s = ticks // per_s
        aware = pa.types.is_timestamp(kind) and kind.tz is not None
        code = np.where(missing, _BAD, _OK if aware else _LOCAL).astype(np.uint8)
    elif form == "excel":
        t_s, code = _from_serials(column)
    elif "%" in form:
        t_s, code = _from_pattern(column, form)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        if pa.types.is_integer(kind) and column.null_count == 0 and scale <= 1:
            whole = np.asarray(column.cast(pa.int64(), safe=False), dtype=np.int64)
            if scale == 1 or len(whole) == 0 or max(-int(whole.min()), int(whole.max())) < 10**11:
                return whole, np.zeros(len(whole), np.uint8)
        values = np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), np.nan), dtype=np.float64)
        t_s, code = np.empty(len(values), np.int64), np.empty(len(values), np.uint8)
        _scale_all(values, scale, t_s, code)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        order = _MONTH_FIRST if form == "mdy" else _DAY_FIRST if form == "dmy" else 0
        t_s, code = _from_text(column, scale, year, order)
        code[code == _WHICH_FIRST] = _BAD
    else:
        return np.zeros(len(column), np.int64), np.full(len(column), _BAD, np.uint8)
    local = np.flatnonzero(code == _LOCAL)
    if len(local):
        if where is None:
            raise InputError(f"{file}: the times carry no zone; name the time zone of the traces")
        offset, codes = _resolve(t_s[local], where, local=True)
        t_s[local] -= offset
        code[local] = codes
    return t_s, code
