"""``/v1/stations``: where a rider can rest now, when the break falls due, and what is said of stations."""

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import AwareDatetime

from api.dispatch.desk import Turn
from api.forms import Identifier, Language, Mode, NearestStation, Position, Station
from api.http.access.auth import Caller, require
from api.http.deps import Clock, Lang, Served
from api.http.live import Live, Zone, commanded
from api.http.problems.errors import NotThereError
from api.http.public import public_root
from api.http.stations.codes import qr_svg
from api.http.stations.forms import (
    BreakAnswer,
    CheckInIn,
    GoneWeekOut,
    StationConditions,
    StationOut,
    StationReportIn,
    VisitsOut,
    WeekOut,
)
from api.http.stations.nearest import StationQuery, nearest_station, open_at
from api.http.stations.next_break import BreakQuery, best_break
from api.http.stations.places import StationsByPlace, kept_place
from api.http.stations.said import (
    KEPT_S,
    RULES,
    Believed,
    Counted,
    station_words,
    study_name_of,
    told_visits,
)  # fmt: skip
from api.http.stations.wording import believed_out, links_out, occupancy_out, opening_text, opens_next
from api.store import SERVICE, Scope
from api.store.civic import stations as rows
from api.study.finished import FinishedStudy
from geo.datum import Datum, place_from_wgs84, place_to_wgs84
from geo.errors import InputError
from geo.localtime import zone as zone_of
from routing.civic import HeadCount, StationCondition, WeekOfVisits, conditions
from routing.model import Policy
from siting.stations import country_of

__all__ = ["router", "said_router", "shown_station"]

router = APIRouter(prefix="/v1/stations", tags=["stations"])
said_router = APIRouter(prefix="/v1/stations", tags=["station_reports"])
Lon = Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False, description="Degrees east.")]
Lat = Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False, description="Degrees north.")]
AskedDatum = Annotated[Datum, Query(description="Datum of lon and lat, and of every position in the answer.")]
Facilities = Annotated[
    list[Annotated[str, Query(max_length=40)]] | None,
    Query(max_length=10, description="The station must have all of these, such as hot_water."),
]
StationId = Annotated[Identifier, Path(description="The station's identifier in the study.")]
Reporter = Annotated[Caller, Depends(require("platform", "rider", "planner", "grid_staff"))]
Visitor = Annotated[Caller, Depends(require("platform", "rider"))]
Planner = Annotated[Caller, Depends(require("planner"))]


@dataclasses.dataclass(frozen=True, slots=True)
class _Here:
    """Where the rider is, how they move, and when that is."""

    lonlat: tuple[float, float]
    datum: Datum
    mode: Mode
    when: datetime.datetime
    facilities: tuple[str, ...]


def _here(
    clock: Clock,
    lon: Lon,
    lat: Lat,
    datum: AskedDatum,
    mode: Annotated[Mode, Query(description="How the rider moves; legal directions only.")] = "ebike",
    at: Annotated[
        AwareDatetime | None, Query(description="Open at this time (ISO 8601 with an offset); none: now.")
    ] = None,
    facility: Facilities = None,
) -> _Here:
    return _Here((lon, lat), datum, mode, at or clock(), tuple(facility or ()))


Here = Annotated[_Here, Depends(_here)]
Suggested = Annotated[
    bool, Query(description="Also consider stations that the study suggests and that are not built yet.")
]


@router.get("/nearest", summary="The nearest open station")
def nearest(
    served: Served,
    believed: Believed,
    counted: Counted,
    lang: Lang,
    here: Here,
    suggested: Suggested = False,
) -> NearestStation:
    """By travel time on the street network, among the stations that are open until one gets there.

    Those that riders or an office report as shut are passed by.
    """
    query = StationQuery(here.lonlat, here.datum, here.mode, here.when, here.facilities, suggested)
    return nearest_station(served, query, believed, lang, counted)


@router.get("/break", summary="When the break falls due, and where to take it")
def pause(
    served: Served,
    believed: Believed,
    lang: Lang,
    here: Here,
    working_since: Annotated[AwareDatetime | None, Query()] = None,
    next_lon: Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False)] = None,
    next_lat: Annotated[float | None, Query(ge=-90, le=90, allow_inf_nan=False)] = None,
) -> BreakAnswer:
    """Say when 20 minutes of rest fall due, and which open stations cost least on the way to the next stop.

    A station counts where it is open for the whole break from the moment one gets there.
    """
    if (next_lon is None) != (next_lat is None):
        raise InputError("next_lon and next_lat are one place: send both, or none")
    places = [here.lonlat] + ([] if next_lon is None or next_lat is None else [(next_lon, next_lat)])
    plain = [place_to_wgs84(place, here.datum) for place in places]
    policy, due = Policy(), None
    if working_since is not None:
        if working_since > here.when:
            raise InputError("working_since lies after the time that is asked about")
        due = working_since + datetime.timedelta(seconds=policy.continuous_work_s)
    query = BreakQuery(
        plain[0], here.datum, here.mode, here.when, due, policy.break_s,
        plain[1] if len(plain) > 1 else None, here.facilities,
    )  # fmt: skip
    return best_break(served, query, believed, lang)


def _station(served: FinishedStudy, station_id: str) -> Station:
    found = next((one for one in served.stations if one.station_id == station_id), None)
    if found is None:
        raise NotThereError(f"this study has no station {station_id}")
    return found


def shown_station(
    served: FinishedStudy, station_id: str, when: datetime.datetime, datum: Datum,
    believed: tuple[StationCondition, ...], lang: Language, root: str, heads: HeadCount | None = None,
) -> StationOut:  # fmt: skip
    """Return one station as it is at a moment.

    Raises
    ------
    NotThereError
        When the study has none of that id.
    """
    station, country = _station(served, station_id), country_of(served.meta.timezone)
    when = when.astimezone(zone_of(served.meta.timezone))
    stands = station.existing and (station.closed_from is None or when.date() < station.closed_from)
    opened = open_at(station, when, country) if stands else None
    opens = opens_next(station, when, country) if stands and opened is None else None
    closes = None if opened is None else opened.closes
    changes = closes if opened is not None else opens
    lon, lat = place_from_wgs84(station.lonlat, datum)
    return StationOut(
        station_id=station.station_id,
        name=station.name,
        position=Position(lon=round(lon, 7), lat=round(lat, 7)),
        datum=datum,
        kind=station.kind,
        existing=station.existing,
        plan=station.plan,
        closed_from=station.closed_from,
        opening_hours=station.opening_hours,
        is_open=opened is not None,
        open_until=closes,
        opens=opens,
        facilities=station.facilities,
        street=station.street,
        text=opening_text(when, opened is not None, changes, believed, lang, heads),
        reported=believed_out(believed, when.tzinfo),
        occupancy=occupancy_out(heads, when.tzinfo),
        links=links_out(station),
        page=f"{root}/stations/{station.station_id}",
    )


@router.get("/{station_id}", summary="One station now")
def one(
    served: Served, believed: Believed, counted: Counted, clock: Clock, lang: Lang, request: Request,
    station_id: StationId,
    datum: Annotated[Datum, Query(description="Datum of the position in the answer.")] = "wgs84",
) -> StationOut:  # fmt: skip
    """Return whether it is open, until when or from when, what is there, and what is said of it."""
    root, heads = public_root(request), counted.get(station_id)
    return shown_station(served, station_id, clock(), datum, believed.get(station_id, ()), lang, root, heads)


@router.get(
    "/{station_id}/qr.svg",
    summary="The code for the wall",
    response_class=Response,
    responses={200: {"description": "The code.", "content": {"image/svg+xml": {}}}},
)
def code(served: Served, request: Request, station_id: StationId) -> Response:
    """QR code of the station's page, as SVG; `YILU_PUBLIC_URL` is the address in it."""
    station = _station(served, station_id)
    return Response(
        qr_svg(f"{public_root(request)}/stations/{station.station_id}"), media_type="image/svg+xml"
    )


def _reporter(scope: Scope, rider_id: str | None) -> str:
    """Return who of the tenant speaks: a platform (or an admin) may speak for one of its riders."""
    if rider_id is not None and scope.role in ("platform", "admin"):
        return f"rider:{rider_id}"
    if rider_id is not None and scope.role == "rider" and rider_id != scope.rider_id:
        raise InputError("a rider speaks for themselves: leave rider_id out")
    if rider_id is not None and scope.role != "rider":
        raise InputError("only a platform speaks for riders: leave rider_id out")
    if scope.role == "platform":
        raise InputError("a platform says which of its riders it is: send rider_id")
    return scope.holder


def _keep(
    turn: Turn, caller: Caller, event: rows.StationEvent, stations: Sequence[Station], replaces_s: float
) -> None:
    """Keep what was said in the place of what the reporter said of the same station, whatever its number."""
    standing = StationsByPlace(stations)
    rows.put(
        turn.connection,
        caller.scope,
        event,
        replaces_s,
        lambda place: standing.id_at(place) == event.station_id,
    )
    rows.forget(turn.connection, SERVICE, turn.now_s - KEPT_S)


def _conditions(
    turn: Turn, event: rows.StationEvent, stations: Sequence[Station], zone: datetime.tzinfo
) -> StationConditions:
    since_s, station_id = turn.now_s - max(RULES.lasts_s.values()), event.station_id
    found = rows.words_since(turn.connection, SERVICE, event.study, since_s)
    believed = conditions(station_words(found, stations), turn.now_s, RULES).get(station_id, ())
    return StationConditions(station_id=station_id, reported=believed_out(believed, zone))


@said_router.get("/visits", summary="Check-ins by station and week")
def weeks(served: Served, request: Request, clock: Clock, caller: Planner) -> VisitsOut:
    """Whole weeks that are over, each station and week apart; figures of fewer than k riders are null.

    A visit belongs to the station that stands now where the rider checked in: within 30 m, or within 300 m
    by a name of its own. What was counted where no station stands any more is told apart, and counted to no
    other.

    A study that runs in this service takes them by itself; elsewhere `check_ins` in its table `[existing]`
    names a file with this answer.
    """
    zone = zone_of(served.meta.timezone)
    database, now_s = request.app.state.access.database, clock().timestamp()
    found = told_visits(database, study_name_of(request), now_s, zone, served.stations)
    names = {one.station_id: one.name for one in served.stations}
    told = [
        WeekOut(
            station_id=week.station_id,
            name=names.get(week.station_id, week.station_id),
            monday=week.monday,
            visits=week.visits,
            riders=week.riders,
        )
        for week in found.weeks
    ]
    return VisitsOut(
        k=RULES.k, weeks=told, no_longer_there=[_gone_out(place, week) for place, week in found.gone]
    )


def _gone_out(place: rows.StationPlace, week: WeekOfVisits) -> GoneWeekOut:
    stood = None if place.lon is None or place.lat is None else Position(lon=place.lon, lat=place.lat)
    return GoneWeekOut(
        name=place.station_name,
        position=stood,
        monday=week.monday,
        visits=week.visits,
        riders=week.riders,
    )


@said_router.post(
    "/{station_id}/reports", status_code=201, summary="Say that a station is shut, dirty or full"
)
async def report_station(
    live: Live, caller: Reporter, clock: Clock, zone: Zone, served: Served, request: Request,
    station_id: StationId, said: StationReportIn,
) -> StationConditions:  # fmt: skip
    """Two riders, or an office, are believed, for as long as such a thing lasts; `fine` takes it back."""
    station, study, now_s = _station(served, station_id), study_name_of(request), clock().timestamp()
    reporter = _reporter(caller.scope, said.rider_id)
    office = not reporter.startswith("rider:")
    event = rows.StationEvent(
        study,
        station.station_id,
        str(caller.scope.tenant_id),
        reporter,
        office,
        said.says,
        now_s,
        kept_place(station, served.stations),
        said.people,
        said.seats_free,
    )

    def work(turn: Turn) -> StationConditions:
        # Of each reporter the last word alone is kept.
        _keep(turn, caller, event, served.stations, 0.0)
        return _conditions(turn, event, served.stations, zone)

    return await commanded(live, caller, ("station.report", station_id), work)


@said_router.post("/{station_id}/check-ins", status_code=204, summary="Check in at a station")
async def check_in(
    live: Live, caller: Visitor, clock: Clock, zone: Zone, served: Served, request: Request,
    station_id: StationId, said: CheckInIn,
) -> Response:  # fmt: skip
    """Count a visit, once a rider and day; who it was is never told."""
    station, study, now = _station(served, station_id), study_name_of(request), clock()
    reporter = _reporter(caller.scope, said.rider_id)
    if not reporter.startswith("rider:"):
        raise InputError("who checks in is a rider: send rider_id")
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    event = rows.StationEvent(
        study,
        station.station_id,
        str(caller.scope.tenant_id),
        reporter,
        False,
        rows.CHECK_IN,
        now.timestamp(),
        kept_place(station, served.stations),
    )

    def work(turn: Turn) -> None:
        _keep(turn, caller, event, served.stations, midnight.timestamp())

    await commanded(live, caller, ("station.check_in", station_id), work)
    return Response(status_code=204)
