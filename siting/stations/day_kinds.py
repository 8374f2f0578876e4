"""Public holidays, and in China the weekends that are moved to work for them."""

import datetime
import functools
import importlib.resources
from collections.abc import Mapping
from typing import Final, Literal

import holidays

__all__ = ["FESTIVALS", "DayKind", "country_of", "day_kind", "festivals_of", "free_and_worked_days"]

DayKind = Literal["ordinary", "holiday", "working_weekend"]
DAY = datetime.timedelta(days=1)
SATURDAY = 5
FESTIVALS: Final[Mapping[str, str]] = {
    "New Year's Day": "New Year's Day",
    "Spring Festival": "Chinese New Year",
    "Qingming": "Tomb-Sweeping Day",
    "Labour Day": "Labor Day",
    "Dragon Boat Festival": "Dragon Boat Festival",
    "Mid-Autumn Festival": "Mid-Autumn Festival",
    "National Day": "National Day",
}
"""Festivals with days off in mainland China, and how their names begin in the calendar of holidays."""


@functools.cache
def country_of(timezone: str) -> str | None:
    """Return the ISO code of the country in which a zone of the time zone database lies."""
    table = importlib.resources.files("tzdata") / "zoneinfo" / "zone.tab"
    rows = (line.split("\t") for line in table.read_text(encoding="utf-8").splitlines())
    return next((row[0] for row in rows if len(row) > 2 and row[2] == timezone), None)


@functools.cache
def free_and_worked_days(
    country: str, year: int
) -> tuple[frozenset[datetime.date], frozenset[datetime.date]]:
    """Return the holidays and the working weekends of a year; none where the country is not known."""
    try:
        found = holidays.country_holidays(country, years=year)
    except NotImplementedError:
        return frozenset(), frozenset()
    return frozenset(found), frozenset(found.weekend_workdays)


def _is_free_weekend(day: datetime.date, country: str) -> bool:
    return day.weekday() >= SATURDAY and day not in free_and_worked_days(country, day.year)[1]


def day_kind(day: datetime.date, country: str | None) -> DayKind:
    """Return what a local day is.

    Parameters
    ----------
    day : datetime.date
        A local day.
    country : str, optional
        ISO code; None knows no holidays.

    Returns
    -------
    DayKind
        ``holiday`` for public holidays and the days moved for them. In mainland China a weekend that joins
        a holiday belongs to it, as in the notices of the State Council; a weekend day on which these let
        people work is a ``working_weekend``. Years not yet announced know the statutory days only.
    """
    if country is None:
        return "ordinary"
    free, working = free_and_worked_days(country, day.year)
    if day in free:
        return "holiday"
    if day in working:
        return "working_weekend"
    if country == "CN" and _is_free_weekend(day, country):
        for step in (-DAY, DAY):
            beside = day + step
            while beside not in free_and_worked_days(country, beside.year)[0] and _is_free_weekend(
                beside, country
            ):
                beside += step
            if beside in free_and_worked_days(country, beside.year)[0]:
                return "holiday"
    return "ordinary"


@functools.cache
def _named_days(country: str, year: int) -> Mapping[datetime.date, str]:
    """Return the English names of the holidays of a year, `"; "` between those of one day."""
    try:
        return dict(holidays.country_holidays(country, years=year, language="en_US"))
    except NotImplementedError:
        return {}


def festivals_of(day: datetime.date, country: str | None) -> frozenset[str]:
    """Return which of `FESTIVALS` a local day belongs to.

    A day off belongs to the festivals of all days off in a row with it: the notices of the State Council give
    days in a row for each, and one row where two meet.
    """
    if country is None:
        return frozenset()
    found: set[str] = set()
    for step in (-DAY, DAY):
        beside = day
        while day_kind(beside, country) == "holiday":
            names = _named_days(country, beside.year).get(beside, "").split("; ")
            found |= {own for own, begins in FESTIVALS.items() if any(n.startswith(begins) for n in names)}
            beside += step
    return frozenset(found)
