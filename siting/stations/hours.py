"""Opening hours: reading them, writing them, and which pattern serves a station's demand.

The OSM key ``opening_hours`` is read by the library opening-hours; what offices write in words is brought to
that form first (`office_hours`). Times are local; a span is closed at its start and open at its end.
"""

import dataclasses
import datetime
import functools
import re

import numpy as np
import numpy.typing as npt
import opening_hours

from geo.errors import InputError
from geo.localtime import WEEKDAYS
from geo.privacy import masked
from geo.sentences import Sentence
from siting.stations.day_kinds import FESTIVALS, country_of, day_kind, festivals_of
from siting.stations.office_hours import WORKDAYS, office_to_osm

__all__ = ["OpeningHours", "clock", "open_by_hour", "parse_hours", "shortest_pattern", "span_text"]

DAY_MIN = 24 * 60
WEEKS = 52
MONDAY = datetime.datetime(2001, 1, 1)  # noqa: DTZ001  (opening hours are local)
"""A common year that begins on a Monday stands for any year; rules that name their own year are not in it."""
DAY = datetime.timedelta(days=1)
_UNKNOWN = re.compile(r"\b(sunrise|sunset|dawn|dusk|SH|easter)\b", re.IGNORECASE)
_FESTIVAL = re.compile("春节|除夕|元旦|清明|劳动节|五一|端午|中秋|国庆|黄金周|寒暑假|寒假|暑假")
_FESTIVAL_RULE = re.compile(rf'PH\b.* "({"|".join(FESTIVALS)})"')
"""A rule of one festival: a comment says which of the public holidays are meant."""
_SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_SPANS = re.compile(rf"{_SPAN.pattern}(?:,\s*{_SPAN.pattern})*")
_RULES = re.compile(r'((?:"[^"]*"|[^";])*)(?:;|$)')


@dataclasses.dataclass(frozen=True, slots=True)
class OpeningHours:
    """When a station is open."""

    text: str
    """In the OSM form."""

    def week_share(self) -> npt.NDArray[np.float64]:
        """Return (7, 1440) in which share of the weeks of a year each minute is open; no public holidays."""
        return _week_share(self.text)

    def minutes(self) -> npt.NDArray[np.bool_]:
        """Return (7, 1440) whether it is open in each minute of the week, in most weeks of the year."""
        return self.week_share() > 0.5

    def on_day(self, day: datetime.date, country: str | None) -> tuple[tuple[int, int], ...]:
        """Return the open spans of one local day, (start, end) minutes within 0-1440.

        Parameters
        ----------
        day : datetime.date
            A local day; a span of the evening before that ends on it is part of it.
        country : str, optional
            ISO code of the country whose public holidays count.
        """
        evening, night = _nights_apart(self.text)
        start = datetime.datetime.combine(day, datetime.time())
        spans = _between(_dated(evening, day, country), start, start + DAY)
        if night is not None:
            spans += _between(_dated(night, day - DAY, country), start - DAY, start)
        return _joined(spans)

    def closes(self, when: datetime.datetime, country: str | None) -> tuple[bool, datetime.datetime | None]:
        """Return whether it is open at local time `when`, and when it closes; None: not within a year."""
        now, first = when.hour * 60 + when.minute, when.date()
        end = next((last for start, last in self.on_day(first, country) if start <= now < last), None)
        if end is None:
            return False, None
        # Minutes are added on the clock on the wall: it closes at 22:00 on the day the clock changes too.
        wall = when.replace(hour=0, minute=0, second=0, microsecond=0)
        if end == DAY_MIN and self.text == "24/7":
            return True, None
        for ahead in range(1, 367):
            if end < DAY_MIN:
                return True, wall + datetime.timedelta(days=ahead - 1, minutes=end)
            spans = self.on_day(first + ahead * DAY, country)
            end = spans[0][1] if spans and spans[0][0] == 0 else 0
        return True, None


def _between(text: str, start: datetime.datetime, end: datetime.datetime) -> list[tuple[int, int]]:
    """Return the open spans between two moments, in minutes from the first."""
    minute = datetime.timedelta(minutes=1)
    return [
        (round((first - start) / minute), round((last - start) / minute))
        for first, last, state, _ in _parsed(text).intervals(start, end)
        if state == opening_hours.State.OPEN
    ]


def _joined(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return the spans in order, those that touch or overlap as one."""
    out: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return tuple(out)


@functools.lru_cache(maxsize=4096)
def _parsed(text: str) -> opening_hours.OpeningHours:
    return opening_hours.OpeningHours(text)


@functools.lru_cache(maxsize=4096)
def _nights_apart(text: str) -> tuple[str, str | None]:
    """Return the rules up to midnight, and those of the hours after it, which belong to the evening before.

    The library opens the morning after a day that a later rule shuts; apart, both days follow their rules.
    """
    if not any(_after_midnight(match) for match in _SPAN.finditer(text)):
        return text, None
    evening = _SPAN.sub(lambda match: f"{match[1]}:{match[2]}-24:00" if _past(match) else match[0], text)
    rules = [match.strip() for match in _RULES.findall(text) if match.strip()]
    night = "; ".join(_night_rule(rule) for rule in rules)
    return (evening, night) if _is_osm(evening) and _is_osm(night) else (text, None)


def _night_rule(rule: str) -> str:
    if re.search(r"\b(off|closed)\b", rule):
        return rule
    if _SPANS.search(rule) is None:
        return "off" if rule == "24/7" else f"{rule} off"
    return _SPANS.sub(
        lambda spans: ",".join(filter(None, map(_after_midnight, _SPAN.finditer(spans[0])))) or "off", rule
    )


def _past(match: re.Match[str]) -> bool:
    """Whether a span reaches midnight or goes beyond."""
    start, end = (60 * int(match[k]) + int(match[k + 1]) for k in (1, 3))
    return end <= start or end > DAY_MIN


def _after_midnight(match: re.Match[str]) -> str:
    """Return the part of a span that lies after midnight, as a span of that day; empty without one."""
    end = (60 * int(match[3]) + int(match[4])) % DAY_MIN
    return f"00:00-{clock(end)}" if _past(match) and end else ""


@functools.lru_cache(maxsize=4096)
def _week_share(text: str) -> npt.NDArray[np.float64]:
    evening, night = _nights_apart(text)
    last = MONDAY + 7 * WEEKS * DAY
    year = np.zeros(WEEKS * 7 * DAY_MIN, dtype=np.bool_)
    for start, end in _between(evening, MONDAY, last):
        year[start:end] = True
    for start, end in [] if night is None else _between(night, MONDAY, last):
        year[np.arange(start + DAY_MIN, end + DAY_MIN) % len(year)] = True
    share = np.asarray(year.reshape(WEEKS, 7, DAY_MIN).mean(axis=0))
    share.flags.writeable = False
    return share


def _dated(text: str, day: datetime.date, country: str | None) -> str:
    """Return the rules as they hold on one day: PH and working days as the weekday on which they fall."""
    if country is None or not ("PH" in text or WORKDAYS in text):
        return text
    kind, name = day_kind(day, country), WEEKDAYS[day.weekday()]
    rules = [match.strip() for match in _RULES.findall(text) if match.strip()]
    if kind == "working_weekend":
        rules += [rule.replace("Mo-Fr", name) for rule in rules if WORKDAYS in rule]
    if kind == "holiday":
        named = festivals_of(day, country)
        told = ((rule, _FESTIVAL_RULE.fullmatch(rule)) for rule in rules)
        rules = [rule for rule, festival in told if festival is None or festival[1] in named]
        rules = [re.sub(r"\bPH\b", name, rule) for rule in rules]
    return "; ".join(rules)


@functools.lru_cache(maxsize=4096)
def parse_hours(text: str) -> OpeningHours:
    """Read opening hours, in the OSM form or in the words of offices.

    Raises
    ------
    InputError
        When a part of the text is not understood, or it is never open.
    """
    clean = re.sub("[—–~]", "-", text.replace("：", ":").replace("；", ";")).strip().rstrip(";").strip()
    unknown = _UNKNOWN.search(clean)
    if unknown is not None:
        raise InputError(Sentence.of("hours_word", value=masked(text), word=masked(unknown.group())))
    if not _is_osm(clean):
        osm = office_to_osm(text)
        if osm is None or not _is_osm(osm):
            festival = _FESTIVAL.search(text)
            if festival is not None:
                raise InputError(Sentence.of("hours_festival", value=masked(text), word=festival.group()))
            raise InputError(Sentence.of("hours", value=masked(text)))
        clean = osm
    if not _week_share(clean).any():
        raise InputError(Sentence.of("hours_never", value=masked(text)))
    return OpeningHours(clean)


def _is_osm(text: str) -> bool:
    try:
        _parsed(text)
    except opening_hours.ParserError:  # type: ignore[attr-defined]  # not in its stub
        return False
    return True


def clock(minute: int) -> str:
    """Return ``HH:MM`` of a minute of the day."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def span_text(start_hour: int, end_hour: int) -> str:
    """Return the OSM text of one daily span of whole hours; 0-24 is ``24/7``."""
    if (start_hour, end_hour) == (0, 24):
        return "24/7"
    return f"Mo-Su {clock(start_hour * 60)}-{clock(end_hour * 60)}"


def open_by_hour(
    hours: OpeningHours, days: tuple[str, ...] = (), timezone: str | None = None
) -> npt.NDArray[np.float64]:
    """Return (24,) the share of each local hour that it is open.

    Parameters
    ----------
    hours : OpeningHours
    days : tuple of str
        Local days, ISO, that are looked at: where the hours name public holidays or working days, the mean
        is over these days as they are; else, and without days, it is over the year.
    timezone : str, optional
        IANA name; its country tells the public holidays.
    """
    country = None if timezone is None else country_of(timezone)
    if days and country is not None and ("PH" in hours.text or WORKDAYS in hours.text):
        return _open_on(hours, days, country)
    return np.asarray(hours.week_share().reshape(7, 24, 60).mean(axis=(0, 2)))


@functools.lru_cache(maxsize=4096)
def _open_on(hours: OpeningHours, days: tuple[str, ...], country: str) -> npt.NDArray[np.float64]:
    minutes = np.zeros(DAY_MIN)
    for day in days:
        for start, end in hours.on_day(datetime.date.fromisoformat(day), country):
            minutes[start:end] += 1
    share = np.asarray(minutes.reshape(24, 60).mean(axis=1) / len(days))
    share.flags.writeable = False
    return share


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
