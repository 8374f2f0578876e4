"""Tens of thousands of instants, written as most programs write them, read all at once."""

import datetime
from collections.abc import Sequence

import numpy as np
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from geo.arrays import FloatArray, Int64Array

__all__ = ["epochs_of"]

FIRST_YEAR, LAST_YEAR = 2000, 2199
"""Months of these years are at hand. Instants in them are within the bounds of the forms."""
MONTHS = np.arange(f"{FIRST_YEAR}-01", f"{LAST_YEAR + 1}-02", dtype="datetime64[M]")
FIRST_DAYS: Int64Array = MONTHS.astype("datetime64[D]").astype(np.int64)
FORM = TypeAdapter(list[AwareDatetime])
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MARKS = ((4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"))
SECONDS_END = 19
LONGEST_FRACTION = 6


def epochs_of(texts: Sequence[str | None]) -> FloatArray | None:
    """Return instants in epoch seconds, to the microsecond.

    Parameters
    ----------
    texts : sequence of str or None
        As in JSON, ``2026-03-04T12:30:00+08:00``.

    Returns
    -------
    float64 (n,), or None
        NaN where there is no text. None where a text is no instant with an offset, or is far from any plan.
    """
    missing = texts.count(None)
    if missing == len(texts):
        return np.full(missing, np.nan)
    told = [one for one in texts if one is not None]
    us = np.empty(len(told), np.int64)
    widths = set(map(len, told))
    lengths = np.fromiter(map(len, told), np.int64, len(told)) if len(widths) > 1 else None
    for width in widths:
        rows = slice(None) if lengths is None else np.flatnonzero(lengths == width)
        same = told if lengths is None else [told[row] for row in np.flatnonzero(lengths == width).tolist()]
        found = _usual(same, width)
        if found is None:
            found = _other(same)
        if found is None:
            return None
        us[rows] = found
    # As `datetime.timestamp` divides.
    seconds = us / 1e6
    if not missing:
        return seconds
    out = np.full(len(texts), np.nan)
    out[np.array([one is not None for one in texts], np.bool_)] = seconds
    return out


def _usual(texts: Sequence[str], width: int) -> Int64Array | None:
    """Return epoch microseconds of texts of one length; None: not all have the usual form."""
    if width <= SECONDS_END:
        return None
    letters = np.frombuffer("".join(texts).encode("ascii", "replace"), np.uint8).reshape(-1, width)
    at = np.ascontiguousarray(letters.T)
    zulu = bool((at[-1] == ord("Z")).all())
    end = width - (1 if zulu else 6)
    fraction = end - SECONDS_END - 1
    if fraction not in (-1, *range(1, LONGEST_FRACTION + 1)):
        return None
    marks = dict(MARKS)
    marks |= {SECONDS_END: "."} if fraction > 0 else {}
    marks |= {} if zulu else {end + 3: ":"}
    if not all((at[place] == ord(mark)).all() for place, mark in marks.items()):
        return None
    digit = at - np.uint8(ord("0"))
    if (digit[[place for place in range(width) if place not in marks and place != end]] > 9).any():
        return None

    def number(place: int) -> Int64Array:
        two: Int64Array = digit[place].astype(np.int64) * 10 + digit[place + 1]
        return two

    year, month, day = number(0) * 100 + number(2), number(5), number(8)
    hour, minute, second = number(11), number(14), number(17)
    fine = (year >= FIRST_YEAR) & (year <= LAST_YEAR) & (month >= 1) & (month <= 12)
    fine &= (hour <= 23) & (minute <= 59) & (second <= 59) & (day >= 1)
    if not fine.all():
        return None
    row = (year - FIRST_YEAR) * 12 + month - 1
    first = FIRST_DAYS[row]
    if (first + day > FIRST_DAYS[row + 1]).any():
        return None
    minutes = ((first + day - 1) * 24 + hour) * 60 + minute
    if not zulu:
        ahead, past = number(end + 1), number(end + 4)
        east, west = at[end] == ord("+"), at[end] == ord("-")
        if not ((east | west) & (ahead <= 23) & (past <= 59)).all():
            return None
        minutes -= np.where(east, 1, -1) * (ahead * 60 + past)
    us: Int64Array = (minutes * 60 + second) * 1_000_000
    for place in range(fraction):
        us += digit[SECONDS_END + 1 + place] * np.int64(10 ** (5 - place))
    return us


def _other(texts: Sequence[str]) -> Int64Array | None:
    """Return epoch microseconds of texts in any form that the forms know; None: one is no instant."""
    try:
        read = FORM.validate_python(texts)
    except ValidationError:
        return None
    if not all(FIRST_YEAR < one.year < LAST_YEAR for one in read):
        return None
    return np.array([(one - EPOCH) // datetime.timedelta(microseconds=1) for one in read], np.int64)
