"""Times as platforms write them, to epoch seconds.

Understood: epoch seconds, milliseconds, microseconds or nanoseconds (by size, or as declared); dates as
``2026-03-02 08:05[:30[.5]]`` or with ``/``, ``.`` or ``T``, one-digit months, days and hours too;
``20260302080530`` and ``20260302T080530``; ``2026年3月2日 上午8:05`` and ``08时05分30秒``;
``Mon Mar 02 08:05:30 CST 2026`` (China Standard Time where the zone declared lies in Asia);
``03/02/2026 8:05 PM`` once it is known which comes first; ``03-02 08:05:30`` with the year declared (LaDe);
serial days of Excel; each with ``Z``, ``UTC``, ``GMT``, ``+08:00``, ``+0800`` or ``+08`` behind it, or else
as local time of the declared zone. Fractions are cut off.

A local time that the clock change skips, or repeats, is refused: either reading may be an hour wrong.
"""

import re
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.errors import InputError
from geo.localtime import offset_of_local
from geo.sentences import Sentence
from geo.traces.time_texts import (
    BAD,
    DAY_FIRST,
    LOCAL,
    MONTH_FIRST,
    OK,
    WHICH_FIRST,
    parse_all,
    scale_all,
)

__all__ = [
    "TIME_FORMATS",
    "TIME_UNITS",
    "ArrowArray",
    "ArrowType",
    "epoch_seconds",
    "field_order",
]

ArrowArray: TypeAlias = Any
"""A pyarrow array, which has no types of its own."""
ArrowType: TypeAlias = Any
"""The type of its values."""
TIME_FORMATS: Final = ("auto", "mdy", "dmy", "excel")
TIME_UNITS: Final = {"auto": 0, "s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}

_EXCEL_EPOCH_DAYS: Final = -25_569.0  # serial 0 is 1899-12-30

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
_MONTHS: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_WEEKDAY: Final = r"(?i)^\s*(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+"
_IN_WORDS: Final = rf"(?i)\b(?:{_MONTHS})|[ap]\.m\."
_LOOKED_AT: Final = 100
_CHINA: Final = "Asia/"
"""Where CST is China Standard Time; elsewhere it may be Central or Cuba Standard Time, and is not read."""
_SCIENTIFIC: Final = r"^\s*(\d)(?:[.,](\d*))?[eE]\+?(\d{1,2})\s*$"


def _in_ascii(text: ArrowArray) -> ArrowArray:
    text = pc.utf8_normalize(text, form="NFKC")
    for pattern, plain in _CHINESE:
        text = pc.replace_substring_regex(text, pattern=pattern, replacement=plain)
    return text


def _in_numbers(text: ArrowArray, china: bool) -> ArrowArray:
    """Write dates with English names of months as numbers; a year has four digits, a day one or two."""
    text = pc.replace_substring_regex(text, pattern=_WEEKDAY, replacement="")
    # As JavaScript says a zone once more: GMT+0800 (China Standard Time).
    text = pc.replace_substring_regex(text, pattern=r"\s*\([^()]*\)\s*$", replacement="")
    if china:
        text = pc.replace_substring_regex(text, pattern=r"\bCST\b", replacement="+0800")
    # As ctime and Java put the year last: Mar 02 09:05:06 +0800 2026.
    text = pc.replace_substring_regex(
        text, pattern=rf"(?i)^((?:{_MONTHS})[a-z]* +\d{{1,2}}) +([\d:.]+)(.*?) +(\d{{4}})\s*$",
        replacement=r"\1 \4 \2\3",
    )  # fmt: skip
    for number, name in enumerate(_MONTHS.split("|"), 1):
        month = rf"(?i)\b{name}[a-z]*\.?"
        for pattern, plain in (
            (rf"{month}[ /-]*(\d{{1,2}})(?:st|nd|rd|th)?,?[ /-]+(\d{{4}})\b,?", rf"\2-{number:02}-\1"),
            (rf"\b(\d{{1,2}})(?:st|nd|rd|th)?[ /.-]*{month}[ ,/-]*(\d{{4}})\b,?", rf"\2-{number:02}-\1"),
        ):
            text = pc.replace_substring_regex(text, pattern=pattern, replacement=plain)
    return pc.replace_substring_regex(text, pattern=r"(?i)\b([ap])\.m\.", replacement=r"\1m")


def _buffers(text: ArrowArray) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    buffers = text.buffers()
    offsets = np.frombuffer(buffers[1], dtype=np.int64)[text.offset : text.offset + len(text) + 1]
    data = np.frombuffer(buffers[2], dtype=np.uint8) if buffers[2] else np.zeros(1, np.uint8)
    return offsets, data


def _flat(text: ArrowArray) -> ArrowArray:
    text = pc.fill_null(text.cast(pa.large_string()), "")
    return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text


def _from_text(
    column: ArrowArray, unit: int, year: int | None, order: int, china: bool = True
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    text = _flat(column)
    n = len(text)
    if n and str(text[0]).startswith('="'):
        text = _flat(pc.replace_substring_regex(text, pattern='^="(.*)"$', replacement=r"\1"))
    offsets, data = _buffers(text)
    if n and offsets[-1] > offsets[0] and data[offsets[0] : offsets[-1]].max() >= _NON_ASCII:
        offsets, data = _buffers(_flat(_in_ascii(text)))
    t_s, code = np.empty(n, np.int64), np.empty(n, np.uint8)
    parse_all(data, offsets, unit, year or 0, order, t_s, code)
    bad = np.flatnonzero(code == BAD)
    if len(bad) and bool(
        pc.any(pc.match_substring_regex(text.take(pa.array(bad[:_LOOKED_AT])), _IN_WORDS)).as_py()
    ):
        offsets, data = _buffers(_flat(_in_numbers(text.take(pa.array(bad)), china)))
        again_s, again = np.empty(len(bad), np.int64), np.empty(len(bad), np.uint8)
        parse_all(data, offsets, unit, year or 0, order, again_s, again)
        t_s[bad], code[bad] = again_s, again
    _read_scientific(text, unit, t_s, code)
    return t_s, code


def _read_scientific(text: ArrowArray, unit: int, t_s: NDArray[np.int64], code: NDArray[np.uint8]) -> None:
    """Read epochs such as 1.772400300E+09; what has lost its seconds (1.7724E+12) is unparsable."""
    bad = np.flatnonzero(code == BAD)
    if not len(bad):
        return
    texts = text.take(pa.array(bad))
    if not pc.any(pc.match_substring_regex(texts.slice(0, _LOOKED_AT), _SCIENTIFIC)).as_py():
        return
    for at, one in zip(bad.tolist(), texts.to_pylist(), strict=True):
        found = re.match(_SCIENTIFIC, one)
        if found is None:
            continue
        left = int(found[3]) - len(found[2] or "")
        value = int(found[1] + (found[2] or "")) * 10.0**left
        per_s = unit or (1 if value < 1e11 else 1_000 if value < 1e14 else 10**6 if value < 1e17 else 10**9)
        if 10.0**left <= per_s:
            t_s[at], code[at] = int(value // per_s), OK


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
        raise InputError(Sentence.of("trace_strptime", pattern=pattern)) from error
    missing = np.isnat(values)
    t_s = np.where(missing, np.datetime64(0, "s"), values).astype("datetime64[s]").astype(np.int64)
    return t_s, np.where(missing, BAD, OK if aware else LOCAL).astype(np.uint8)


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
    return t_s, np.where(good_days, LOCAL, BAD).astype(np.uint8)


def field_order(column: ArrowArray) -> str | None:
    """Tell dates such as 03/02/2026 apart by their values.

    Returns
    -------
    str or None
        ``mdy`` or ``dmy`` by the values above 12; ``unclear`` where there are such dates and no such value,
        or values that contradict; None where there is no such date.
    """
    fields, code = _from_text(column, 0, None, 0)
    pairs = fields[code == WHICH_FIRST]
    if len(pairs) == 0:
        return None
    month_first = bool((pairs % 100 > 12).any())
    day_first = bool((pairs // 100 > 12).any())
    if month_first == day_first:
        return "unclear"
    return "mdy" if month_first else "dmy"


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
        code = np.where(missing, BAD, OK if aware else LOCAL).astype(np.uint8)
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
        scale_all(values, scale, t_s, code)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        order = MONTH_FIRST if form == "mdy" else DAY_FIRST if form == "dmy" else 0
        china = where is None or where.key.startswith(_CHINA)
        t_s, code = _from_text(column, scale, year, order, china)
        code[code == WHICH_FIRST] = BAD
    else:
        return np.zeros(len(column), np.int64), np.full(len(column), BAD, np.uint8)
    local = np.flatnonzero(code == LOCAL)
    if len(local):
        if where is None:
            raise InputError(Sentence.of("trace_no_zone", file=file))
        offset, codes = offset_of_local(t_s[local], where)
        t_s[local] -= offset
        code[local] = codes
    return t_s, code
