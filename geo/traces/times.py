"""Times as platforms write them, to epoch seconds: one numba pass over the bytes of a column.

Understood: epoch seconds, milliseconds, microseconds or nanoseconds (by size, or as declared); dates as
``2026-03-02 08:05[:30[.5]]`` or with ``/`` or ``T``, one-digit months, days and hours too;
``20260302080530``; ``03-02 08:05:30`` with the year declared (LaDe); each with ``Z``, ``+08:00``,
``+0800`` or ``+08`` behind it, or else as local time of the declared zone. Fractions are cut off.

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

__all__ = ["TIME_UNITS", "ArrowArray", "epoch_seconds", "local_offset_s", "zone"]

ArrowArray: TypeAlias = Any
"""A pyarrow array, which has no types of its own."""
TIME_UNITS: Final = {"auto": 0, "s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}

# Codes of `geo.traces.formats.REASONS`; kept apart so that the parser needs nothing of the readers.
_OK, _BAD, _AMBIGUOUS, _NONEXISTENT = 0, 1, 2, 3
_LOCAL = 4
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
def _parse_one(data: NDArray[np.uint8], at: int, end: int, unit: int, year0: int) -> tuple[int, int]:
    """Return (seconds, code): code _OK for an instant, _LOCAL for local time, _BAD."""
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
    compact = digits == 14 and stop == end and not negative and unit == 0
    if not compact and digits >= 1 and (stop == end or data[stop] == 46):
        if digits > 19:
            return 0, _BAD
        for k in range(stop + 1, end):
            if not 48 <= data[k] <= 57:
                return 0, _BAD
        value = 0.0
        for k in range(start, stop):
            value = value * 10.0 + (data[k] - 48)
        whole = _scaled(value, unit)
        if negative:
            whole = -whole - (1.0 if stop < end else 0.0)
        return int(whole), _OK
    if negative:
        return 0, _BAD
    hour = minute = second = 0
    if compact:
        year, at = _number(data, start, end, 4)
        month, at = _number(data, at, end, 2)
        day, at = _number(data, at, end, 2)
        hour, at = _number(data, at, end, 2)
        minute, at = _number(data, at, end, 2)
        second, at = _number(data, at, end, 2)
    else:
        year, at = year0, start
        if digits == 4:
            year, at = _number(data, start, end, 4)
            if at >= end or (data[at] != 45 and data[at] != 47):
                return 0, _BAD
            at += 1
        elif year0 == 0 or digits == 0 or digits > 2:
            return 0, _BAD
        first = at
        month, at = _number(data, at, end, 2)
        if at == first or at >= end or (data[at] != 45 and data[at] != 47):
            return 0, _BAD
        at += 1
        first = at
        day, at = _number(data, at, end, 2)
        if at == first or at >= end or (data[at] != 32 and data[at] != 84 and data[at] != 116):
            return 0, _BAD
        at += 1
        while at < end and data[at] == 32:
            at += 1
        first = at
        hour, at = _number(data, at, end, 2)
        if at == first or at >= end or data[at] != 58:
            return 0, _BAD
        at += 1
        first = at
        minute, at = _number(data, at, end, 2)
        if at - first != 2:
            return 0, _BAD
        if at < end and data[at] == 58:
            first = at + 1
            second, at = _number(data, first, end, 2)
            if at - first != 2:
                return 0, _BAD
            if at < end and (data[at] == 46 or data[at] == 44):
                at += 1
                while at < end and 48 <= data[at] <= 57:
                    at += 1
    if not (1 <= month <= 12 and 1 <= day <= _month_days(year, month) and hour < 24 and minute < 60):
        return 0, _BAD
    if second > 60 or year < 1:
        return 0, _BAD
    total = _days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
    while at < end and data[at] == 32:
        at += 1
    if at == end:
        return total, _LOCAL
    if (data[at] == 90 or data[at] == 122) and at + 1 == end:
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
def _parse_all(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    unit: int,
    year0: int,
    t_s: NDArray[np.int64],
    code: NDArray[np.uint8],
) -> None:
    for i in range(len(t_s)):
        if offsets[i + 1] == offsets[i]:
            t_s[i], code[i] = 0, _BAD
        else:
            t_s[i], code[i] = _parse_one(data, offsets[i], offsets[i + 1], unit, year0)


@kernel
def _scale_all(
    values: NDArray[np.float64], unit: int, t_s: NDArray[np.int64], code: NDArray[np.uint8]
) -> None:
    for i in range(len(values)):
        v = values[i]
        if not np.isfinite(v) or abs(v) > 9.2e18:
            t_s[i], code[i] = 0, _BAD
        else:
            t_s[i], code[i] = int(_scaled(v, unit)), _OK


def _from_text(
    column: ArrowArray, unit: int, year: int | None
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    text = pc.fill_null(column.cast(pa.large_string()), "")
    if isinstance(text, pa.ChunkedArray):
        text = text.combine_chunks()
    buffers = text.buffers()
    n = len(text)
    offsets = np.frombuffer(buffers[1], dtype=np.int64)[text.offset : text.offset + n + 1]
    data = np.frombuffer(buffers[2], dtype=np.uint8) if buffers[2] else np.zeros(1, np.uint8)
    t_s, code = np.empty(n, np.int64), np.empty(n, np.uint8)
    _parse_all(data, offsets, unit, year or 0, t_s, code)
    return t_s, code


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
    column: ArrowArray, *, unit: str, where: ZoneInfo | None, year: int | None, file: str
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
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        if pa.types.is_integer(kind) and column.null_count == 0 and scale <= 1:
            whole = np.asarray(column.cast(pa.int64(), safe=False), dtype=np.int64)
            if scale == 1 or len(whole) == 0 or max(-int(whole.min()), int(whole.max())) < 10**11:
                return whole, np.zeros(len(whole), np.uint8)
        values = np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), np.nan), dtype=np.float64)
        t_s, code = np.empty(len(values), np.int64), np.empty(len(values), np.uint8)
        _scale_all(values, scale, t_s, code)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        t_s, code = _from_text(column, scale, year)
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
