"""What has been said of the stations of a study, from the store; nothing where the service has none."""

import datetime
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from api.http.access.auth import Access
from api.http.deps import Clock
from api.store import SERVICE
from api.store.civic import stations as rows
from geo.localtime import DAY_S
from routing.civic import (
    CheckIn,
    HeadCount,
    StationCondition,
    StationRules,
    StationWord,
    WeekOfVisits,
    conditions,
    head_counts,
    visits,
)

__all__ = ["KEPT_S", "RULES", "Believed", "Counted", "station_word_of", "study_name_of", "visits_of"]

RULES = StationRules()
KEPT_S = 8 * 7 * DAY_S
"""Visits and words older than this are removed: eight whole weeks are told at the most."""


def study_name_of(request: Request) -> str:
    """Return the name of the study that a request is about; empty: the one without."""
    return str(request.path_params.get("study") or "")


def _words(access: Access, study: str, now_s: float) -> list[StationWord]:
    if access.database is None:
        return []
    longest_s = max(RULES.lasts_s.values())
    with access.database.reading() as connection:
        found = rows.since(connection, SERVICE, study, now_s - longest_s, visits=False)
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


def visits_of(access: Access, study: str, now_s: float, zone: datetime.tzinfo) -> tuple[WeekOfVisits, ...]:
    """Return visits by station and week, of at least k riders each."""
    if access.database is None:
        return ()
    with access.database.reading() as connection:
        found = rows.since(connection, SERVICE, study, now_s - KEPT_S, visits=True)
    seen = [CheckIn(one.station_id, f"{one.tenant_id}/{one.reporter}", one.at_s) for one in found]
    return visits(seen, now_s, zone, RULES)
