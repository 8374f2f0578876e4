"""When a rider's break falls due, and which open station is on the way to the next stop."""

import dataclasses
import datetime
import math
from collections.abc import Mapping, Sequence

import numpy as np

from api.forms import Language, Mode, Position
from api.http.problems.errors import NoStationError
from api.http.stations.forms import BreakAnswer, BreakStation
from api.http.stations.nearest import WALK_M, Opened, open_at, times_at_s
from api.http.stations.wording import believed_out, links_out, opening_text
from api.study.finished import FinishedStudy
from geo.arrays import FloatArray
from geo.datum import Datum, place_from_wgs84
from geo.errors import OffNetworkError
from geo.localtime import zone
from maps.texts import catalogue
from routing.civic import StationCondition
from siting.stations import country_of

__all__ = ["BreakQuery", "best_break"]

MOST = 3
"""Stations that are told."""


@dataclasses.dataclass(frozen=True, slots=True)
class BreakQuery:
    """What is known of a rider's break.

    Parameters
    ----------
    lonlat : tuple of float
        Where the rider is, WGS-84.
    datum : Datum
        Of the answer.
    mode : Mode
    when : datetime
        Now.
    due : datetime, optional
        When the break falls due; None: not known.
    break_s : float
        How long it is.
    next_lonlat : tuple of float, optional
        The next stop, WGS-84.
    facilities : tuple of str
    """

    lonlat: tuple[float, float]
    datum: Datum
    mode: Mode
    when: datetime.datetime
    due: datetime.datetime | None
    break_s: float
    next_lonlat: tuple[float, float] | None = None
    facilities: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class _Choice:
    opened: Opened
    arrival: datetime.datetime
    travel_s: float
    extra_s: float
    """NaN where no next stop is known, or no way leads on."""
    in_time: bool

    @property
    def order(self) -> tuple[bool, bool, float, float]:
        """In time first; then what costs least on the way, then what is nearest."""
        no_way = math.isnan(self.extra_s)
        return (not self.in_time, no_way, 0.0 if no_way else self.extra_s, self.travel_s)


def best_break(
    served: FinishedStudy,
    query: BreakQuery,
    believed: Mapping[str, tuple[StationCondition, ...]],
    lang: Language,
) -> BreakAnswer:
    """Find the stations that are open for the whole break when the rider gets there.

    Parameters
    ----------
    served : FinishedStudy
    query : BreakQuery
    believed : mapping of station id to conditions
        Those that are believed to be shut or full are passed by.
    lang : {"zh", "en"}

    Raises
    ------
    OffNetworkError
        When the rider or the next stop stands further from any street of the mode than the allowed walk.
    NoStationError
        When no station is open for so long.
    """
    where = zone(served.meta.timezone)
    query = dataclasses.replace(
        query,
        when=query.when.astimezone(where),
        due=None if query.due is None else query.due.astimezone(where),
    )
    choices = sorted(_choices(served, query, believed), key=lambda one: one.order)
    if not choices:
        raise NoStationError("no station that can be reached is open for the whole break")
    due_in_s = None if query.due is None else (query.due - query.when).total_seconds()
    return BreakAnswer(
        datum=query.datum,
        break_due=query.due,
        due_in_s=due_in_s,
        break_s=query.break_s,
        text=_due_text(query, due_in_s, lang),
        stations=[_out(one, query, believed, lang) for one in choices[:MOST]],
    )


def _choices(
    served: FinishedStudy, query: BreakQuery, believed: Mapping[str, tuple[StationCondition, ...]]
) -> list[_Choice]:
    wanted = set(query.facilities)
    stations = [
        station
        for station in served.stations
        if station.existing
        and wanted <= set(station.facilities)
        and not {"shut", "full"} & {one.condition for one in believed.get(station.station_id, ())}
    ]
    if not stations:
        return []
    travel_s, extra_s = _times(served, query, [station.lonlat for station in stations])
    country = country_of(served.meta.timezone)
    rest = datetime.timedelta(seconds=query.break_s)
    choices = []
    for station, there_s, more_s in zip(stations, travel_s.tolist(), extra_s.tolist(), strict=True):
        if not math.isfinite(there_s):
            continue
        arrival = query.when + datetime.timedelta(seconds=round(there_s, 1))
        if station.closed_from is not None and arrival.date() >= station.closed_from:
            continue
        opened = open_at(station, arrival, country)
        if opened is None or (opened.closes is not None and opened.closes < arrival + rest):
            continue
        in_time = query.due is None or arrival <= query.due
        choices.append(_Choice(opened, arrival, there_s, more_s, in_time))
    return choices


def _times(
    served: FinishedStudy, query: BreakQuery, places: Sequence[tuple[float, float]]
) -> tuple[FloatArray, FloatArray]:
    """Return seconds to each place, and how many more the way to the next stop over it takes (NaN: none)."""
    network, mode = served.network, query.mode
    here = network.snap(np.array([query.lonlat]), mode, max_m=WALK_M)
    if not here.ok[0]:
        raise OffNetworkError(f"the position lies on no street for {mode} within {WALK_M:.0f} m")
    there = network.snap(np.array(places), mode)
    leave_s = query.when.timestamp()
    travel_s = np.asarray(times_at_s(served, mode, here, there, leave_s)[0])
    if query.next_lonlat is None:
        return travel_s, np.full(len(places), np.nan)
    stop = network.snap(np.array([query.next_lonlat]), mode, max_m=WALK_M)
    if not stop.ok[0]:
        raise OffNetworkError(f"the next stop lies on no street for {mode} within {WALK_M:.0f} m")
    straight_s = float(times_at_s(served, mode, here, stop, leave_s)[0, 0])
    rested_s = leave_s + np.where(np.isfinite(travel_s), travel_s, 0.0) + query.break_s
    on_s = times_at_s(served, mode, there, stop, rested_s)[:, 0]
    over_s = travel_s + on_s
    known = np.isfinite(over_s) & math.isfinite(straight_s)
    return travel_s, np.where(known, np.where(known, over_s, 0.0) - straight_s, np.nan)


def _minutes(seconds: float) -> str:
    return f"{max(seconds, 0.0) / 60:.0f}"


def _due_text(query: BreakQuery, due_in_s: float | None, lang: Language) -> str:
    say, length = catalogue(lang).text, _minutes(query.break_s)
    if query.due is None or due_in_s is None:
        return say("station.break_unknown")
    if due_in_s <= 0:
        return say("station.break_overdue", length=length)
    return say("station.break_due", length=length, minutes=_minutes(due_in_s), time=f"{query.due:%H:%M}")


def _out(
    one: _Choice,
    query: BreakQuery,
    believed: Mapping[str, tuple[StationCondition, ...]],
    lang: Language,
) -> BreakStation:
    station, said = one.opened.station, believed.get(one.opened.station.station_id, ())
    say = catalogue(lang).text
    parts = [
        say("station.away", minutes=_minutes(one.travel_s))
        if math.isnan(one.extra_s)
        else say("station.on_the_way", extra=f"{one.extra_s:.0f}"),
        opening_text(one.arrival, True, one.opened.closes, said, lang),
    ]
    if query.due is not None and not one.in_time:
        late_s = (one.arrival - query.due).total_seconds()
        parts.append(say("station.too_late", minutes=_minutes(late_s)))
    lon, lat = place_from_wgs84(station.lonlat, query.datum)
    return BreakStation(
        station_id=station.station_id,
        name=station.name,
        position=Position(lon=round(lon, 7), lat=round(lat, 7)),
        arrival=one.arrival,
        in_time=one.in_time,
        travel_s=round(one.travel_s, 1),
        extra_s=None if math.isnan(one.extra_s) else round(one.extra_s, 1),
        open_until=one.opened.closes,
        facilities=station.facilities,
        text=("；" if lang == "zh" else "; ").join(parts),
        reported=believed_out(said, query.when.tzinfo),
        links=links_out(station),
    )
