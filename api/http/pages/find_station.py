"""Find a station: the nearest one open now, the way there, and the list of all."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.forms import Identifier, Mode, NearestStation, Station
from api.http.access.auth import check_role
from api.http.pages.frame.forms import Posted, read_form
from api.http.pages.frame.render import see_other
from api.http.pages.frame.route import PageRoute, told
from api.http.pages.frame.visit import AnyVisit, PageVisit
from api.http.problems.errors import NotThereError
from api.http.stations.endpoints import check_in, report_station
from api.http.stations.forms import CheckInIn, StationReportIn
from api.http.stations.nearest import StationQuery, nearest_station
from api.http.stations.said import Believed, Counted
from api.store import Role
from geo.errors import YiluError

__all__ = ["router"]

router = APIRouter(include_in_schema=False, route_class=PageRoute)
SOON_S = 20 * 60.0
Coordinate = Annotated[str, Query(max_length=40)]
StationId = Annotated[Identifier, Path()]
SPEAK: tuple[Role, ...] = ("rider", "planner", "grid_staff")
"""Whose word on a station counts; a platform speaks through its own systems."""
MODES = ("ebike", "bike", "foot", "car")


@router.get("/stations")
async def find(
    visit: AnyVisit,
    believed: Believed,
    counted: Counted,
    at_lon: Coordinate = "",
    at_lat: Coordinate = "",
    mode: Mode = "ebike",
    facility: Annotated[list[str] | None, Query(max_length=10)] = None,
) -> Response:
    """Ask where the reader is, or say where the nearest open station is."""
    wanted = tuple(facility or ())
    found: NearestStation | None = None
    error: str | None = None
    if at_lon or at_lat:
        try:
            place = _degrees(at_lon, 180.0), _degrees(at_lat, 90.0)
            query = StationQuery(place, "wgs84", mode, visit.now, wanted, suggested=False)
            lang = visit.visitor.lang
            found = await visit.read(nearest_station, visit.served, query, believed, lang, counted)
        except YiluError as refused:
            error = told(refused, visit.visitor.lang)
        except ValueError:
            error = visit.say("map.need")
    closes_s = None
    if found is not None and found.open_until is not None:
        closes_s = (found.open_until - visit.now).total_seconds()
    known = visit.visitor.texts
    return visit.page(
        "stations",
        error=error,
        found=found,
        soon=closes_s is not None and closes_s <= SOON_S,
        mode=mode,
        modes=MODES,
        wanted=wanted,
        values={"at_lon": at_lon, "at_lat": at_lat},
        stations=_standing(visit),
        facilities=sorted({one for station in visit.served.stations for one in station.facilities}),
        name_of=lambda one: known.text(f"facility.{one}") if f"facility.{one}" in known else one,
        content=_map_of(found, at_lon, at_lat),
        marks=[{"at": list(one.lonlat), "kind": "station", "text": one.name} for one in _standing(visit)],
    )


def _degrees(text: str, most: float) -> float:
    value = float(text)
    if not -most <= value <= most:
        raise ValueError(text)
    return value


def _station(visit: PageVisit, station_id: str) -> Station:
    found = next((one for one in _standing(visit) if one.station_id == station_id), None)
    if found is None:
        raise NotThereError(f"this study has no station {station_id!r}")
    return found


@router.get("/stations/{station_id}/say")
async def ask(
    visit: AnyVisit, station_id: StationId, done: Annotated[str, Query(pattern="^[a-z_]{0,10}$")] = ""
) -> Response:
    """Ask how it is at a station; riders check in here too."""
    station = _station(visit, station_id)
    return visit.page(
        "station_say", station=station, speaks=visit.visitor.role in SPEAK, done=done, values={}
    )


@router.post("/stations/{station_id}/say")
async def say(visit: AnyVisit, fields: Posted, station_id: StationId) -> Response:
    """Keep what somebody found there, or that they were there."""
    check_role(visit.me, SPEAK)
    station, says = _station(visit, station_id), fields.get("says", "")
    clock, zone = visit.request.app.state.clock, visit.zone
    given = visit.live, visit.me, clock, zone, visit.served, visit.request, station.station_id
    try:
        if says == "here":
            await check_in(*given, CheckInIn())
        else:
            counts = {name: fields[name] for name in ("people", "seats_free") if fields.get(name, "").strip()}
            await report_station(*given, read_form(StationReportIn, {"says": says, **counts}))
    except YiluError as error:
        shown = told(error, visit.visitor.lang)
        return visit.page(
            "station_say", 422, station=station, speaks=True, done="", error=shown, values=fields
        )
    return see_other(f"/stations/{station.station_id}/say?done={says}")


def _standing(visit: PageVisit) -> list[Station]:
    """Return the stations of today by name."""
    day = visit.now.astimezone(visit.zone).date()
    there = [one for one in visit.served.stations if one.existing]
    return sorted(
        (one for one in there if one.closed_from is None or day < one.closed_from), key=lambda one: one.name
    )


def _map_of(found: NearestStation | None, lon: str, lat: str) -> dict[str, Any]:
    if found is None:
        return {"marks": []}
    there = [found.position.lon, found.position.lat]
    return {
        "marks": [
            {"at": [float(lon), float(lat)], "kind": "here"},
            {"at": there, "kind": "station", "text": found.name},
        ],
        "lines": [[list(point) for point in found.way.geometry.coordinates]],
    }
