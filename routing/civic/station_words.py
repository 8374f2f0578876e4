"""What riders and offices say of a station: shut, dirty, full, room again; and who was there.

What the words add up to is computed anew from all of them at any instant. Persons are pseudonyms; what comes
out names nobody and counts nobody, but for visits, told where enough different riders stand behind them.
"""

import collections
import dataclasses
import datetime
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from routing.model.checks import check_between, check_choice, check_name

__all__ = [
    "HeadCount",
    "StationCondition",
    "StationRules",
    "StationWord",
    "WeekOfVisits",
    "conditions",
    "head_counts",
    "joined_weeks",
    "told_week",
    "week_span_s",
    "whole_weeks",
]

CONDITIONS = ("shut", "dirty", "full")
MOST_COUNTED = 1_000
SAYINGS = (*CONDITIONS, "fine")
LASTS_S: Mapping[str, float] = MappingProxyType({"shut": 4 * 3_600.0, "dirty": 12 * 3_600.0, "full": 1_800.0})
"""Our defaults: a full room is soon another one, a dirty one waits for the next cleaning."""


@dataclasses.dataclass(frozen=True, slots=True)
class StationRules:
    """When words are believed, and what is told of visits.

    Raises `InputError` where a value is outside of the range in its description.
    """

    people: int = 2
    """Different people who must say so (our default), 1 to 100; of an office one is enough."""
    lasts_s: Mapping[str, float] = dataclasses.field(default_factory=lambda: LASTS_S)
    """Seconds for which a word counts, 60 s to 7 days."""
    k: int = 10
    """Nothing is told of fewer riders."""

    def __post_init__(self) -> None:
        check_between("people", self.people, 1, 100)
        check_between("k", self.k, 1, 1_000)
        for condition in CONDITIONS:
            check_between(f"lasts_s of {condition}", self.lasts_s[condition], 60.0, 7 * 86_400.0)


@dataclasses.dataclass(frozen=True, slots=True)
class StationWord:
    """What somebody says of a station.

    Raises `InputError` where a value is outside of the range in its description.
    """

    station_id: str
    by: str
    """Pseudonym of a person, or name of an office."""
    office: bool
    says: str
    """One of `CONDITIONS`, or ``fine``: it is open, clean, and there is room."""
    made_s: float
    """Epoch seconds."""
    people: int | None = None
    """How many were there, 0 to 1,000; None: not counted."""
    seats_free: int | None = None
    """How many seats were free, 0 to 1,000; None: not counted."""

    def __post_init__(self) -> None:
        for name, count in (("people", self.people), ("seats_free", self.seats_free)):
            if count is not None:
                check_between(name, count, 0, MOST_COUNTED)
        check_name("station of a word", self.station_id)
        check_name("who says it", self.by)
        check_choice("says", self.says, SAYINGS)


@dataclasses.dataclass(frozen=True, slots=True)
class StationCondition:
    """What is believed of a station now: dated, without names or numbers."""

    condition: str
    """One of `CONDITIONS`."""
    from_s: float
    until_s: float
    """If nobody says it again."""
    by_office: bool


@dataclasses.dataclass(frozen=True, slots=True)
class HeadCount:
    """What somebody counted at a station a moment ago, as they say."""

    at_s: float
    by_office: bool
    people: int | None
    """None: not counted, or fewer than `few_below`."""
    few_below: int | None
    """There were people, but fewer than this (k); None: as many as told, or not counted."""
    seats_free: int | None
    """0: none; 1: at least one; None: not counted. With more, whoever knows the seats could count people."""


@dataclasses.dataclass(frozen=True, slots=True)
class WeekOfVisits:
    """Visits of one station in one whole week, told only where enough riders stand behind them."""

    station_id: str
    monday: datetime.date
    visits: int | None
    """At most one a rider and day; None: fewer than k riders."""
    riders: int | None


def conditions(
    words: Iterable[StationWord], now_s: float, rules: StationRules
) -> dict[str, tuple[StationCondition, ...]]:
    """Return what is believed of each station at `now_s`; stations of which nothing is are left out.

    The last word of a person counts while it lasts, and takes back their earlier ones. The last word of an
    office decides: earlier words of others do not count against it. Without one, as many must say so as
    `people`, more than say that all is fine.

    Parameters
    ----------
    words : iterable of StationWord
        In any order; later ones than `now_s` are not looked at.
    now_s : float
        Epoch seconds.
    rules : StationRules
    """
    by_station: dict[str, list[StationWord]] = collections.defaultdict(list)
    for word in words:
        if word.made_s <= now_s:
            by_station[word.station_id].append(word)
    found = {name: _believed(said, now_s, rules) for name, said in sorted(by_station.items())}
    return {name: believed for name, believed in found.items() if believed}


def head_counts(words: Iterable[StationWord], now_s: float, rules: StationRules) -> dict[str, HeadCount]:
    """Return what was counted last at each station, for as long as a full room is believed to be full.

    A count is shown as reported, with its time: the last one is nearest to what one will find. No number is
    told of fewer people than k, and of free seats only whether there is one: the seats of a station are
    known, so that each free one less is one head more.

    Parameters
    ----------
    words : iterable of StationWord
        In any order; later ones than `now_s` are not looked at.
    now_s : float
        Epoch seconds.
    rules : StationRules
    """
    last: dict[str, StationWord] = {}
    for word in words:
        counted = word.people is not None or word.seats_free is not None
        if counted and now_s - rules.lasts_s["full"] < word.made_s <= now_s:
            before = last.get(word.station_id)
            if before is None or (word.made_s, word.office, word.by) > (
                before.made_s, before.office, before.by
            ):  # fmt: skip
                last[word.station_id] = word
    return {name: _counted(word, rules.k) for name, word in sorted(last.items())}


def _counted(word: StationWord, k: int) -> HeadCount:
    few = word.people is not None and word.people < k
    seats_free = None if word.seats_free is None else min(word.seats_free, 1)
    return HeadCount(word.made_s, word.office, None if few else word.people, k if few else None, seats_free)


def _believed(words: list[StationWord], now_s: float, rules: StationRules) -> tuple[StationCondition, ...]:
    # Of two words in one instant the later in the alphabet counts, whatever order they came in.
    words = sorted(words, key=lambda word: (word.made_s, word.says, word.by))
    office = next((word for word in reversed(words) if word.office), None)
    if office is not None:
        words = [word for word in words if not word.office and word.made_s > office.made_s]
    last = {word.by: word for word in words}
    no = [word.made_s for word in last.values() if word.says == "fine"]
    believed = []
    for condition in CONDITIONS:
        lasts_s = rules.lasts_s[condition]
        yes = sorted(word.made_s for word in last.values() if word.says == condition)
        # Riders who find it otherwise are as good a reason to doubt an office's word as to believe a new one.
        of_office = office is not None and office.says == condition and office.made_s > now_s - lasts_s
        if _enough(yes, no, now_s, lasts_s, rules.people):
            fresh = [made_s for made_s in yes if made_s > now_s - lasts_s]
            ends = (made_s + lasts_s for made_s in fresh)
            until_s = next(end for end in ends if not _enough(yes, no, end, lasts_s, rules.people))
            believed.append(StationCondition(condition, fresh[rules.people - 1], until_s, False))
        elif office is not None and of_office and _fresh(no, now_s, lasts_s) < rules.people:
            until_s = office.made_s + lasts_s
            believed.append(StationCondition(condition, office.made_s, until_s, True))
    return tuple(believed)


def _fresh(made_s: list[float], now_s: float, lasts_s: float) -> int:
    return sum(one > now_s - lasts_s for one in made_s)


def _enough(yes: list[float], no: list[float], now_s: float, lasts_s: float, people: int) -> bool:
    said = _fresh(yes, now_s, lasts_s)
    return said >= people and said > _fresh(no, now_s, lasts_s)


def whole_weeks(now_s: float, kept_s: float, zone: datetime.tzinfo) -> tuple[datetime.date, ...]:
    """Return the Mondays of the weeks that are over and wholly within what is kept, the first one first.

    A week of which days are forgotten already is none: its figures would fall from one answer to the next, by
    the visits of single riders.

    Parameters
    ----------
    now_s : float
        Epoch seconds.
    kept_s : float
        Nothing older than this is kept.
    zone : tzinfo
        Of the city: its days and weeks count.
    """
    week = datetime.timedelta(days=7)
    today = datetime.datetime.fromtimestamp(now_s, zone).date()
    monday = today - datetime.timedelta(days=today.weekday()) - week
    found = []
    while week_span_s(monday, zone)[0] >= now_s - kept_s:
        found.append(monday)
        monday -= week
    return tuple(reversed(found))


def week_span_s(monday: datetime.date, zone: datetime.tzinfo) -> tuple[float, float]:
    """Return where a week of the city begins and ends, in epoch seconds."""
    ends = (monday, monday + datetime.timedelta(days=7))
    start, end = (datetime.datetime.combine(day, datetime.time(), zone).timestamp() for day in ends)
    return start, end


def told_week(station_id: str, monday: datetime.date, counted: tuple[int, int], k: int) -> WeekOfVisits:
    """Return one station in one week that is over, without its figures where fewer than k riders came.

    Weeks never overlap and have no sum beside them, so that no two answers can be subtracted from each other.

    Parameters
    ----------
    station_id : str
    monday : date
    counted : tuple of int
        Visits, at most one a rider and day; riders.
    k : int
    """
    visits, riders = counted
    return WeekOfVisits(station_id, monday, *((visits, riders) if riders >= k else (None, None)))


def joined_weeks(one: WeekOfVisits, other: WeekOfVisits) -> WeekOfVisits:
    """Return two parts of one week at one station, counted apart because its entry changed meanwhile.

    Only what may be told of each part is told: counted together anew, the difference would tell of a part
    of few riders. Visits add up; `riders` is the larger part, as some may be in both.

    Parameters
    ----------
    one, other : WeekOfVisits
    """
    visits = [part.visits for part in (one, other) if part.visits is not None]
    riders = [part.riders for part in (one, other) if part.riders is not None]
    if not visits or not riders:
        return one
    return dataclasses.replace(one, visits=sum(visits), riders=max(riders))
