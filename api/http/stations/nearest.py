"""The nearest open station for a rider, on the street network."""

import dataclasses
import datetime
from collections.abc import Mapping

import numpy as np

from api.forms import Language, Mode, NearestStation, Position, Station, way_of
from api.http.problems.errors import NoStationError
from api.http.stations.wording import believed_out, links_out, occupancy_out, opening_text, opens_next
from api.study.finished import FinishedStudy
from geo.arrays import FloatArray
from geo.datum import Datum, from_wgs84, place_from_wgs84, to_wgs84
from geo.errors import OffNetworkError
from geo.localtime import zone
from geo.streets import Snapped, StreetNetwork
from geo.travel import (
    REASONS,
    find_path,
    reach_to,
    travel_times_by_hour_s,
    travel_times_s,
    why_unreachable,
)
from routing.civic import HeadCount, StationCondition
from siting.stations import country_of, parse_hours

__all__ = ["Opened", "StationQuery", "nearest_station", "open_at", "times_at_s"]

WALK_M = 100.0
"""How far a rider may stand from a street."""
FARTHER_M = 500.0
"""How far one walks to a street that leads to a station, where the nearest ones do not."""


@dataclasses.dataclass(frozen=True, slots=True)
class StationQuery:
    """What a rider asks for; `lonlat` in `datum`, `when` with its time zone."""

    lonlat: tuple[float, float]
    datum: Datum
    mode: Mode
    when: datetime.datetime
    facilities: tuple[str, ...]
    suggested: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Opened:
    """A station that is open, and until when; None: for longer than a year."""

    station: Station
    closes: datetime.datetime | None


def nearest_station(
    served: FinishedStudy,
    query: StationQuery,
    believed: Mapping[str, tuple[StationCondition, ...]] | None = None,
    lang: Language = "en",
    counted: Mapping[str, HeadCount] | None = None,
) -> NearestStation:
    """Find the station with the shortest travel time among those that are open and have the facilities.

    Parameters
    ----------
    served : FinishedStudy
    query : StationQuery
    believed : mapping of station id to conditions, optional
        What is said of stations: those that are believed to be shut are passed by.
    lang : {"zh", "en"}
        Of the sentence.
    counted : mapping of station id to what was counted there, optional

    Raises
    ------
    OffNetworkError
        When the rider stands further from any street of the mode than the allowed walk.
    NoStationError
        When no station fits, or none can be reached.
    """
    where = zone(served.meta.timezone)
    when, said = query.when.astimezone(where), believed or {}
    found = _open_stations(served, query, when, said)
    here, there, seconds = _times(served, query, found)
    # One that closes while the rider is on the way is of no use.
    left_s = np.array(
        [np.inf if one.closes is None else (one.closes - when).total_seconds() for one in found]
    )
    in_time = np.isfinite(seconds) & (seconds < left_s)
    if not in_time.any():
        raise NoStationError(
            f"each of {len(found)} open stations closes before one can be there by {query.mode}"
        )
    best = int(np.argmin(np.where(in_time, seconds, np.inf)))
    path = find_path(served.network, query.mode, here, there.take(np.array([best])))
    if path is None:
        raise NoStationError(f"no open station can be reached by {query.mode} from there")
    station = found[best].station
    heads = (counted or {}).get(station.station_id)
    line = from_wgs84(np.asarray(path.lonlat), query.datum)
    lon, lat = place_from_wgs84(station.lonlat, query.datum)
    return NearestStation(
        station_id=station.station_id,
        name=station.name,
        position=Position(lon=round(lon, 7), lat=round(lat, 7)),
        datum=query.datum,
        kind=station.kind,
        existing=station.existing,
        plan=station.plan,
        closed_from=station.closed_from,
        opening_hours=station.opening_hours,
        open_until=found[best].closes,
        facilities=station.facilities,
        street=station.street,
        travel_s=round(float(seconds[best]), 1),
        length_m=round(float(path.length_m), 1),
        walk_m=round(float(path.walk_m), 1),
        way=way_of(line.tolist(), [name for name, _ in path.steps if name]),
        closes_in_s=None if np.isinf(left_s[best]) else float(left_s[best]),
        text=opening_text(when, True, found[best].closes, said.get(station.station_id, ()), lang, heads),
        reported=believed_out(said.get(station.station_id, ()), where),
        occupancy=occupancy_out(heads, where),
        links=links_out(station),
    )


def _open_stations(
    served: FinishedStudy,
    query: StationQuery,
    when: datetime.datetime,
    said: Mapping[str, tuple[StationCondition, ...]],
) -> list[Opened]:
    """Return the stations that fit and are open at local time `when`; at least one."""
    wanted = set(query.facilities)
    fitting = [
        station
        for station in served.stations
        if (query.suggested or station.existing)
        and wanted <= set(station.facilities)
        and (station.closed_from is None or when.date() < station.closed_from)
    ]
    if not fitting:
        what = f"with {', '.join(query.facilities)}" if wanted else "in this study"
        raise NoStationError(f"there is no station {what}")
    country = country_of(served.meta.timezone)
    found = [
        opened
        for station in fitting
        if (opened := open_at(station, when, country)) is not None
        and "shut" not in {one.condition for one in said.get(station.station_id, ())}
    ]
    if not found:
        raise NoStationError(_none_open(fitting, when, country))
    return found


def _none_open(fitting: list[Station], when: datetime.datetime, country: str | None) -> str:
    """Say that none is open, and which opens first."""
    told = f"none of {len(fitting)} fitting stations is open at {when:%Y-%m-%d %H:%M}"
    ahead = [(opens, one.name) for one in fitting if (opens := opens_next(one, when, country)) is not None]
    if not ahead:
        return told
    opens, name = min(ahead)
    return f"{told}; the first to open is {name}, on {opens:%Y-%m-%d} at {opens:%H:%M}"


def _times(
    served: FinishedStudy, query: StationQuery, found: list[Opened]
) -> tuple[Snapped, Snapped, FloatArray]:
    """Return the rider and the stations on the streets, and the seconds to each; to one of them at least."""
    network, at_s = served.network, query.when.timestamp()
    position = to_wgs84([query.lonlat], query.datum)
    here = network.snap(position, query.mode, max_m=WALK_M)
    if not here.ok[0]:
        raise OffNetworkError(
            f"the position {query.lonlat[0]:.6f}, {query.lonlat[1]:.6f} ({query.datum}) lies on no street"
            f" for {query.mode} within {WALK_M:.0f} m"
        )
    there = network.snap(np.array([opened.station.lonlat for opened in found]), query.mode)
    seconds = times_at_s(served, query.mode, here, there, at_s)[0]
    if not np.isfinite(seconds).any():
        # Beside streets that lead on only against one-ways one walks to the next that does not.
        other = _street_that_leads(network, query.mode, position, there)
        if other is None:
            why = _why(network, query.mode, here, there)
            raise NoStationError(f"no open station can be reached by {query.mode} from there: {why}")
        here = other
        seconds = times_at_s(served, query.mode, here, there, at_s)[0]
    return here, there, seconds


def times_at_s(
    served: FinishedStudy, mode: str, here: Snapped, there: Snapped, at_s: float | FloatArray
) -> FloatArray:
    """Return seconds from places to places (n, m), for who sets out at an instant (epoch s, one or (n,)).

    By the hour in which each street is entered where that was learned for the mode.
    """
    if served.hours is None or served.hours.mode != mode:
        return travel_times_s(served.network, mode, here, there)
    depart_s = np.broadcast_to(np.asarray(at_s, np.float64), (len(here),))
    return travel_times_by_hour_s(served.hours.on(served.network), here, there, depart_s)


def _street_that_leads(
    network: StreetNetwork, mode: Mode, position: FloatArray, there: Snapped
) -> Snapped | None:
    """Snap to the nearest street within `FARTHER_M` from which a station can be reached; None without one."""
    edges = np.flatnonzero(network.usable(mode)).astype(np.int32)
    size, none = len(edges), np.zeros(len(edges), np.int64)
    middles = Snapped(edges, network.edge_length_m[edges] / 2, np.zeros((size, 2)), np.zeros(size), none)
    leads = np.zeros(len(network), np.bool_)
    for at in np.flatnonzero(there.ok).tolist():
        # Who can reach a station from where another one stands has been found with that one.
        if not leads[there.edge[at]]:
            leads[edges] |= np.isfinite(reach_to(network, mode, middles, there.take([at])))
    found = network.snap(position, mode, FARTHER_M, among=leads)
    return found if found.ok[0] else None


def _why(network: StreetNetwork, mode: str, here: Snapped, there: Snapped) -> str:
    """Say what stands in the way to the station that is nearest to being reached."""
    found = {REASONS[code] for code in why_unreachable(network, mode, here, there)[0].tolist()}
    if "no_legal_way" in found:
        return "streets lead there, but only against one-ways, turn bans or through private places"
    if "other_component" in found:
        return "no street joins the place with a station"
    return "the stations lie on no street of that mode"


def open_at(station: Station, when: datetime.datetime, country: str | None) -> Opened | None:
    """Return the station and until when it is open; None when it is shut at local time `when`."""
    is_open, closes = parse_hours(station.opening_hours).closes(when, country)
    return Opened(station, closes) if is_open else None
