"""What is said of a station in a sentence, and its fields as forms."""

import datetime
from collections.abc import Iterable
from typing import Literal, cast

from api.forms import ConditionOut, Language, MapLinksOut, OccupancyOut, Station, instant_of
from geo.localtime import HOUR_S
from geo.map_links import map_links
from maps.texts import catalogue
from routing.civic import HeadCount, StationCondition
from siting.stations import parse_hours

__all__ = ["believed_out", "links_out", "occupancy_out", "opening_text", "opens_next"]

QUARTER_S = 900.0
"""Words of riders are told by the quarter of an hour: who says something to the second was there then."""
SOON_S = HOUR_S
"""Closing is told in minutes when it is so near."""
AHEAD_DAYS = 14
DAY = datetime.timedelta(days=1)


def opening_text(
    when: datetime.datetime,
    is_open: bool,
    changes: datetime.datetime | None,
    believed: Iterable[StationCondition],
    lang: Language,
    heads: HeadCount | None = None,
) -> str:
    """Return one sentence, such as "open until 22:00, closes in 20 minutes; reported as full".

    Parameters
    ----------
    when : datetime
        Local time.
    is_open : bool
    changes : datetime, optional
        When it closes, or where it is shut when it opens again; None: not for a year (two weeks where shut).
    believed : iterable of StationCondition
    lang : {"zh", "en"}
    heads : HeadCount, optional
        What was counted there a moment ago.
    """
    say = catalogue(lang).text
    what = "open_until" if is_open else "shut_until"
    if changes is None:
        told = say("station.open_all" if is_open else "station.shut")
    elif changes.date() == when.date() or (is_open and changes - when < DAY):
        told = say(f"station.{what}", time=f"{changes:%H:%M}")
    else:
        told = say(f"station.{what}_day", day=changes.date().isoformat(), time=f"{changes:%H:%M}")
    left_s = (changes - when).total_seconds() if changes is not None else SOON_S
    mark, comma = ("；", "，") if lang == "zh" else ("; ", ", ")
    if is_open and left_s < SOON_S:
        told += comma + say("station.closes_in", minutes=max(1, int(left_s // 60)))
    counted = [] if heads is None else _counted(heads, when.tzinfo, lang)
    return mark.join([told, *(say(f"station.reported_{one.condition}") for one in believed), *counted])


def _counted(heads: HeadCount, zone: datetime.tzinfo | None, lang: Language) -> list[str]:
    """Return what was counted, with its time."""
    say, facts = catalogue(lang).text, []
    if heads.people is not None:
        facts.append(say("station.people", n=heads.people))
    elif heads.few_below is not None:
        facts.append(say("station.people_few", k=heads.few_below))
    if heads.seats_free is not None:
        facts.append(say("station.seats_free" if heads.seats_free else "station.seats_none"))
    comma = "，" if lang == "zh" else ", "
    return [
        say("station.counted", time=f"{instant_of(_counted_s(heads), zone):%H:%M}", what=comma.join(facts))
    ]


def _counted_s(heads: HeadCount) -> float:
    return heads.at_s if heads.by_office else heads.at_s // QUARTER_S * QUARTER_S


def occupancy_out(heads: HeadCount | None, zone: datetime.tzinfo | None) -> OccupancyOut | None:
    """Return what was counted at a station as a form."""
    if heads is None:
        return None
    return OccupancyOut(
        people=heads.people,
        fewer_than=heads.few_below,
        seats_free=heads.seats_free,
        at=instant_of(_counted_s(heads), zone),
        by_office=heads.by_office,
    )


def opens_next(station: Station, when: datetime.datetime, country: str | None) -> datetime.datetime | None:
    """Return when a station that is shut at local time `when` opens; None: not within two weeks."""
    hours = parse_hours(station.opening_hours)
    wall = when.replace(hour=0, minute=0, second=0, microsecond=0)
    now_min = when.hour * 60 + when.minute
    for ahead in range(AHEAD_DAYS + 1):
        day = when.date() + ahead * DAY
        if station.closed_from is not None and day >= station.closed_from:
            return None
        for start, _ in hours.on_day(day, country):
            if ahead or start > now_min:
                return wall + datetime.timedelta(days=ahead, minutes=start)
    return None


def believed_out(believed: Iterable[StationCondition], zone: datetime.tzinfo | None) -> list[ConditionOut]:
    """Return what is believed of a station as a form."""
    return [
        ConditionOut(
            condition=cast(Literal["shut", "dirty", "full"], one.condition),
            since=instant_of(one.from_s if one.by_office else one.from_s // QUARTER_S * QUARTER_S, zone),
            until=instant_of(
                one.until_s if one.by_office else -(-one.until_s // QUARTER_S) * QUARTER_S, zone
            ),
            by_office=one.by_office,
        )
        for one in believed
    ]


def links_out(station: Station) -> MapLinksOut:
    """Return the links that open a station in a map app."""
    links = map_links(station.lonlat, station.name)
    return MapLinksOut(geo=links.geo, amap=links.amap, baidu=links.baidu)
