"""``GET /v1/stations/nearest``: where a rider can rest now, and the way there."""

import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from api.forms import Mode, NearestStation
from api.http.deps import Clock, Served
from api.http.nearest import StationQuery, nearest_station
from geo.datum import Datum

__all__ = ["router"]

router = APIRouter(prefix="/v1/stations", tags=["stations"])


def _asked(
    clock: Clock,
    lon: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False, description="Degrees east.")],
    lat: Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False, description="Degrees north.")],
    datum: Annotated[Datum, Query(description="Datum of lon and lat, and of every position in the answer.")],
    mode: Annotated[Mode, Query(description="How the rider moves; legal directions only.")] = "ebike",
    at: Annotated[
        AwareDatetime | None, Query(description="Open at this time (ISO 8601 with an offset); none: now.")
    ] = None,
    facility: Annotated[
        list[Annotated[str, Query(max_length=40)]] | None,
        Query(max_length=10, description="The station must have all of these, such as hot_water."),
    ] = None,
    suggested: Annotated[
        bool, Query(description="Also consider stations that the study suggests and that are not built yet.")
    ] = False,
) -> StationQuery:
    when: datetime.datetime = at or clock()
    return StationQuery((lon, lat), datum, mode, when, tuple(facility or ()), suggested)


@router.get("/nearest", summary="The nearest open station")
def nearest(served: Served, query: Annotated[StationQuery, Depends(_asked)]) -> NearestStation:
    """By travel time on the street network, among the stations that are open when asked for."""
    return nearest_station(served, query)
