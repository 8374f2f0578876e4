"""What has been said of the stations of a study, from the store; nothing where the service has none."""

import collections
import datetime
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from api.http.access.auth import Access
from api.http.deps import Clock
from api.http.shelf import Shelf
from api.store import SERVICE, Database
from api.store.civic import stations as rows
from api.study.studyfile.check_ins import StationVisits
from geo.localtime import DAY_S
from geo.localtime import zone as zone_of
from routing.civic import (
    HeadCount,
    StationCondition,
    StationRules,
    StationWord,
    WeekOfVisits,
    conditions,
    head_counts,
    told_week,
    week_span_s,
    whole_weeks,
)

__all__ = [
    "KEPT_S",
    "RULES",
    "Believed",
    "Counted",
    "station_word_of",
    "study_name_of",
    "told_visits",
    "visits_for_studies",
]

RULES = StationRules()
KEPT_S = 8 * 7 * DAY_S
"""Visits and words older than this are removed: at the most eight weeks are whole, and told."""


def study_name_of(request: Request) -> str:
    """Return the name of the study that a request is about; empty: the one without."""
    return str(request.path_params.get("study") or "")


def _words(access: Access, study: str, now_s: float) -> list[StationWord]:
    if access.database is None:
        return []
    longest_s = max(RULES.lasts_s.values())
    with access.database.reading() as connection:
        found = rows.words_since(connection, SERVICE, study, now_s - longest_s)
    return [station_word_of(one) for one in found]


def station_word_of(one: rows.StationEvent) -> StationWord:
    """Return what was said, by a pseudonym."""
    by = f"{one.tenant_id}/{one.reporter}"
    return StationWord(one.station_id, by, one.office, one.kind, one.at_s, one.people, one.seats_free)


async def _said(request: Request, clock: Clock) -> tuple[list[StationWord], float]:
    now_s = clock().timestamp()
    study = study_name_of(request)
    return await run_in_threadpool(_words, request.app.state.access, study, now_s), now_s


Said = Annotated[tuple[list[StationWord], float], Depends(_said)]


def _believed(said: Said) -> Mapping[str, tuple[StationCondition, ...]]:
    return conditions(*said, RULES)


def _counted(said: Said) -> Mapping[str, HeadCount]:
    return head_counts(*said, RULES)


Believed = Annotated[Mapping[str, tuple[StationCondition, ...]], Depends(_believed)]
"""Ask for it in a handler: what is believed of each station now."""
Counted = Annotated[Mapping[str, HeadCount], Depends(_counted)]
"""Ask for it in a handler: what was counted at each station a moment ago."""


def told_visits(
    database: Database | None, study: str, now_s: float, zone: datetime.tzinfo
) -> tuple[WeekOfVisits, ...]:
    """Return visits by station and week, of at least k riders each."""
    if database is None:
        return ()
    found: list[WeekOfVisits] = []
    with database.reading() as connection:
        for monday in whole_weeks(now_s, KEPT_S, zone):
            counted = rows.counted_visits(connection, SERVICE, study, *week_span_s(monday, zone))
            found += [told_week(name, monday, figures, RULES.k) for name, figures in counted.items()]
    return tuple(sorted(found, key=lambda week: (week.station_id, week.monday)))


def visits_for_studies(shelf: Shelf, database: Database, now_s: float) -> list[StationVisits]:
    """Return what is told of check-ins at the stations of all studies that are shown.

    Each study's weeks stand apart, as planners are told them: from weeks counted across studies
    these could be subtracted.
    """
    found: list[StationVisits] = []
    for name, served in shelf.all():
        weeks: dict[str, list[tuple[str, int, int]]] = collections.defaultdict(list)
        for week in told_visits(database, name or "", now_s, zone_of(served.meta.timezone)):
            if week.visits is not None and week.riders is not None:
                weeks[week.station_id].append((week.monday.isoformat(), week.visits, week.riders))
        found += [
            StationVisits(one.name, one.lonlat, tuple(weeks[one.station_id]))
            for one in served.stations
            if one.station_id in weeks
        ]
    return found
