"""Several windows of one visit: from the first to the last, with what is closed in between."""

import itertools
import math
from collections.abc import Iterable, Sequence

from geo.errors import InputError

__all__ = ["Span", "check_closed", "open_from", "spans_of"]

Span = tuple[float, float]
"""Epoch seconds. A window is closed at both ends, what lies between two windows is open at both."""


def spans_of(windows: Iterable[Span]) -> tuple[float, float, tuple[Span, ...]]:
    """Return the first and the last instant of some windows, and the spans between them.

    Parameters
    ----------
    windows : iterable of (earliest, latest)
        Epoch seconds, closed, in any order; those that touch or overlap count as one.

    Returns
    -------
    earliest_s, latest_s : float
    closed_s : tuple of (float, float)
        In order: the end of one window and the begin of the next.

    Raises
    ------
    InputError
        Without any window, or where one ends before it begins.
    """
    joined: list[list[float]] = []
    for first, last in sorted(windows):
        if not first <= last:
            raise InputError(f"A window ends at {last} before it begins at {first}.")
        if joined and first <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    if not joined:
        raise InputError("There is no window; allowed are one or more.")
    closed = tuple((before[1], after[0]) for before, after in itertools.pairwise(joined))
    return joined[0][0], joined[-1][1], closed


def check_closed(what: str, window: Span, closed_s: Sequence[Span]) -> None:
    """Refuse spans that are not finite, in order and apart."""
    ends = [end for span in closed_s for end in span]
    if not all(map(math.isfinite, ends)) or any(a > b for a, b in itertools.pairwise(ends)):
        raise InputError(f"closed_s of {what} is {tuple(closed_s)}; allowed are spans in order of time.")
    if closed_s and not window[0] <= window[1]:
        raise InputError(f"{what} has closed spans but its window is {window}.")


def open_from(closed_s: Sequence[Span], at_s: float) -> float:
    """Return the first instant from `at_s` on that lies in no closed span."""
    return next((last for first, last in closed_s if first < at_s < last), at_s)
