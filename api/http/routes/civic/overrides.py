"""``/v1/overrides``: streets, gates and stairs that are shut or slow now, and the word of offices."""

import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool

from api.civic.closures import closures_now, in_wgs84, word_of
from api.civic.desk import Civic
from api.civic.reports.forms import Closures, WordIn
from api.dispatch.desk import Turn
from api.http.live import AnswerDatum, Live, Zone, commanded
from api.http.repeats import RepeatableRoute
from api.http.routes.civic.shared import CivicSide, Now, OfficerCaller
from geo.datum import Datum, place_to_wgs84
from geo.errors import InputError
from routing.civic import place_words

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["board"], route_class=RepeatableRoute)
InDatum = Annotated[Datum, Query(description="Datum of the positions in the request and the answer.")]


def _now(civic: Civic, now_s: float, datum: Datum, zone: datetime.tzinfo) -> Closures:
    return Closures(datum=datum, closures=closures_now(civic.streets, now_s, datum, zone))


@router.get("/overrides", summary="Streets that are shut or slow now")
async def listed(civic: CivicSide, zone: Zone, now_s: Now, datum: AnswerDatum = "wgs84") -> Closures:
    """Return what enough people, or an office, have said; it ends by itself.

    Matching, alerts and the nearest station go by it.
    """
    return await run_in_threadpool(_now, civic, now_s, datum, zone)


@router.post("/overrides", status_code=201, summary="Say that a street is shut, or open again")
async def post(
    live: Live, caller: OfficerCaller, civic: CivicSide, zone: Zone, now_s: Now, request: WordIn,
    datum: InDatum,
) -> Closures:  # fmt: skip
    """Give the word of an office, which counts at once, and return all that holds now."""
    lonlat = place_to_wgs84((request.lon, request.lat), datum)
    street = in_wgs84(request, datum)
    name = str(caller.scope.tenant_id)
    word = word_of(street, name, lonlat, now_s, office=True)
    placed = await run_in_threadpool(place_words, civic.streets.map, [word], civic.streets.rules)
    if placed[0][1] is None:
        near_m = civic.streets.rules.near_m
        raise InputError(f"there is no {request.thing} within {near_m:.0f} m of the place")

    def work(turn: Turn) -> None:
        civic.say(turn, word_of(street, name, lonlat, turn.now_s, office=True))

    await commanded(live, caller, (f"override.{request.says}", None), work)
    return await run_in_threadpool(_now, civic, now_s, datum, zone)
