"""What has been said of the stations of a study, from the store; nothing where the service has none."""

import collections
import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from api.forms import Station
from api.http.access.auth import Access
from api.http.deps import Clock, Served
from api.http.shelf import Shelf
from api.http.stations.places import StationsByPlace, kept_place
from api.store import SERVICE, Database
from api.store.civic import stations as rows
from api.store.civic.stations import StationPlace
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
    joined_weeks,
    told_week,
    week_span_s,
    whole_weeks,
)

__all__ = [
    "KEPT_S",
    "RULES",
    "Believed",
    "Counted",
    "ToldVisits",
    "station_words",
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


def _words(access: Access, study: str, stations: Sequence[Station], now_s: float) -> list[StationWord]:
    if access.database is None:
        return []
    longest_s = max(RULES.lasts_s.values())
    with access.database.reading() as connection:
        found = rows.words_since(connection, SERVICE, study, now_s - longest_s)
    return station_words(found, stations)


def station_words(found: Sequence[rows.StationEvent], stations: Sequence[Station]) -> list[StationWord]:
    """Return what was said, by pseudonyms, of the stations that stand today where it was said of.

    What was said of a station that is no longer there is said of none.
    """
    if not found:
        return []
    standing = StationsByPlace(stations)
    return [
        StationWord(number, f"{one.tenant_id}/{one.reporter}", one.office, one.kind, one.at_s, one.people,
                    one.seats_free)
        for one in found
        if (number := standing.id_at(one.place)) is not None
    ]  # fmt: skip


async def _said(request: Request, clock: Clock, served: Served) -> tuple[list[StationWord], float]:
    now_s = clock().timestamp()
    study = study_name_of(request)
    access = request.app.state.access
    return await run_in_threadpool(_words, access, study, served.stations, now_s), now_s


Said = Annotated[tuple[list[StationWord], float], Depends(_said)]


def _believed(said: Said) -> Mapping[str, tuple[StationCondition, ...]]:
    return conditions(*said, RULES)


def _counted(said: Said) -> Mapping[str, HeadCount]:
    return head_counts(*said, RULES)


Believed = Annotated[Mapping[str, tuple[StationCondition, ...]], Depends(_believed)]
"""Ask for it in a handler: what is believed of each station now."""
Counted = Annotated[Mapping[str, HeadCount], Depends(_counted)]
"""Ask for it in a handler: what was counted at each station a moment ago."""


@dataclasses.dataclass(frozen=True, slots=True)
class ToldVisits:
    """Visits by station and week, of at least k riders each."""

    weeks: tuple[WeekOfVisits, ...]
    gone: tuple[tuple[StationPlace, WeekOfVisits], ...]
    """At places where no station of the study stands any more."""


def told_visits(
    database: Database | None, study: str, now_s: float, zone: datetime.tzinfo, stations: Sequence[Station]
) -> ToldVisits:
    """Return visits of whole weeks that are over, at the stations that stand where riders checked in.

    Parameters
    ----------
    database : Database or None
    study : str
        Name under which it is shown.
    now_s : float
        Epoch seconds.
    zone : tzinfo
        Of the city.
    stations : sequence of Station
        Of the study as it is shown now.
    """
    if database is None:
        return ToldVisits((), ())
    standing = StationsByPlace(stations)
    told: dict[tuple[str, datetime.date], WeekOfVisits] = {}
    gone: list[tuple[StationPlace, WeekOfVisits]] = []
    with database.reading() as connection:
        for monday in whole_weeks(now_s, KEPT_S, zone):
            counted = rows.counted_visits(connection, SERVICE, study, *week_span_s(monday, zone))
            for place, figures in counted.items():
                number = standing.id_at(place)
                week = told_week(number or place.station_name, monday, figures, RULES.k)
                if number is None:
                    gone.append((place, week))
                else:
                    before = told.get((number, monday))
                    told[number, monday] = week if before is None else joined_weeks(before, week)
    return ToldVisits(
        tuple(told[key] for key in sorted(told)),
        tuple(sorted(gone, key=lambda one: (one[0].station_name, one[0].lon or 0.0, one[1].monday))),
    )


def visits_for_studies(shelf: Shelf, database: Database, now_s: float) -> list[StationVisits]:
    """Return what is told of check-ins at the stations of all studies that are shown.

    Each study's weeks stand apart, as planners are told them: from weeks counted across studies
    these could be subtracted.
    """
    found: list[StationVisits] = []
    for name, served in shelf.all():
        zone, stations = zone_of(served.meta.timezone), served.stations
        told = told_visits(database, name or "", now_s, zone, stations)
        by_number = {one.station_id: kept_place(one, stations) for one in stations}
        at = [(by_number[week.station_id], week) for week in told.weeks] + list(told.gone)
        weeks: dict[StationPlace, list[tuple[str, int, int]]] = collections.defaultdict(list)
        for place, week in at:
            if week.visits is not None and week.riders is not None:
                weeks[place].append((week.monday.isoformat(), week.visits, week.riders))
        found += [
            StationVisits(place.station_name, (place.lon, place.lat), tuple(seen), place.name_is_own)
            for place, seen in weeks.items()
            if place.lon is not None and place.lat is not None
        ]
    return found
