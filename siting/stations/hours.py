"""Opening hours: reading them, writing them, and which pattern serves a station's demand.

Understood are ``24/7``, ``8:00-18:00``, and the common part of the OSM key ``opening_hours``: rules
apart by ``;``, days such as ``Mo-Fr`` or ``Sa,Su``, spans such as ``07:00-12:00,13:30-22:00`` (also
past midnight), and ``off``. Times are local; a span is closed at its start and open at its end.
"""

import dataclasses
import re

import numpy as np
import numpy.typing as npt

from geo.errors import InputError

__all__ = ["DAYS", "OpeningHours", "clock", "open_by_hour", "parse_hours", "shortest_pattern", "span_text"]

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_SPAN = re.compile(r"^(\d{1,2})(?::(\d{2}))?\s*-\s*(\d{1,2})(?::(\d{2}))?$")


@dataclasses.dataclass(frozen=True, slots=True)
class OpeningHours:
    """When a station is open, as minutes of the local day for each weekday from Monday."""

    spans: tuple[tuple[tuple[int, int], ...], ...]
    """Seven rows of (start, end) minutes within 0-1440; end may exceed 1440 past midnight."""
    text: str

    def minutes(self) -> npt.NDArray[np.bool_]:
        """Return (7, 1440) whether it is open in each minute of the week."""
        week = np.zeros(7 * 1440, dtype=np.bool_)
        for day, spans in enumerate(self.spans):
            for start, end in spans:
                week[np.arange(day * 1440 + start, day * 1440 + end) % len(week)] = True
        return week.reshape(7, 1440)


def parse_hours(text: str) -> OpeningHours:
    """Read opening hours.

    Raises
    ------
    InputError
        When the text is not in the understood form.
    """
    clean = text.strip().replace("：", ":").replace("—", "-").replace("–", "-").replace("~", "-")
    if clean in ("24/7", "24h", "24小时", "全天"):
        return OpeningHours(tuple(((0, 1440),) for _ in DAYS), "24/7")
    spans: list[tuple[tuple[int, int], ...]] = [() for _ in DAYS]
    for rule in clean.split(";"):
        if not rule.strip() or rule.strip().startswith("PH"):
            continue
        days, rest = _days(rule.strip(), text)
        times: tuple[tuple[int, int], ...] = ()
        if rest not in ("off", "closed"):
            times = tuple(_span(part.strip(), text) for part in rest.split(","))
        for day in days:
            spans[day] = times
    if not any(spans):
        raise InputError(f"opening hours {text!r} never open (form: Mo-Su 07:00-23:00, 8:00-18:00 or 24/7).")
    return OpeningHours(tuple(spans), clean)


def _days(rule: str, text: str) -> tuple[list[int], str]:
    head, _, tail = rule.partition(" ")
    if not head[:2].istitle() or head[:2] not in DAYS:
        return list(range(7)), rule
    out: list[int] = []
    for part in head.split(","):
        first, _, last = part.partition("-")
        if first == "PH":
            continue
        if first not in DAYS or (last and last not in DAYS):
            raise InputError(
                f"opening hours {text!r}: {part!r} is no weekday (allowed: Mo, Tu, We, Th, Fr, Sa, Su)."
            )
        a, b = DAYS.index(first), DAYS.index(last or first)
        out += [d % 7 for d in range(a, b + 1 if b >= a else b + 8)]
    return out, tail.strip() or "00:00-24:00"


def _span(part: str, text: str) -> tuple[int, int]:
    if part == "24/7":
        return 0, 1440
    match = _SPAN.match(part)
    if match is None:
        raise InputError(f"opening hours {text!r}: {part!r} is no span of time (form: 07:00-23:00).")
    h1, m1, h2, m2 = (int(g or 0) for g in match.groups())
    if h1 > 24 or h2 > 48 or m1 > 59 or m2 > 59:
        raise InputError(f"opening hours {text!r}: {part!r} is not within 00:00-24:00.")
    start, end = h1 * 60 + m1, h2 * 60 + m2
    return start, end if end > start else end + 1440


def clock(minute: int) -> str:
    """Return ``HH:MM`` of a minute of the day."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def span_text(start_hour: int, end_hour: int) -> str:
    """Return the OSM text of one daily span of whole hours; 0-24 is ``24/7``."""
    if (start_hour, end_hour) == (0, 24):
        return "24/7"
    return f"Mo-Su {clock(start_hour * 60)}-{clock(end_hour * 60)}"


def open_by_hour(hours: OpeningHours) -> npt.NDArray[np.float64]:
    """Return (24,) the share of each local hour that it is open, mean over the week."""
    return np.asarray(hours.minutes().reshape(7, 24, 60).mean(axis=(0, 2)))


def shortest_pattern(
    minutes_by_hour: npt.NDArray[np.float64], patterns: tuple[tuple[int, int], ...], least_share: float = 0.95
) -> tuple[int, int]:
    """Return the shortest daily span that serves ``least_share`` of the demand, else the best one."""
    total = float(minutes_by_hour.sum())
    if not patterns:
        raise InputError("a station kind needs at least one shift pattern.")

    def served(span: tuple[int, int]) -> float:
        return float(minutes_by_hour[np.arange(span[0], span[1]) % 24].sum())

    enough = [p for p in patterns if served(p) >= least_share * total]
    if enough:
        return min(enough, key=lambda p: (p[1] - p[0], p[0]))
    return max(patterns, key=lambda p: (served(p), p[0] - p[1], -p[0]))
