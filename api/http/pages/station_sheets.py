"""Pages of one station: what the code on the wall opens, and the sheet to hang there."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse

from api.forms import Identifier, Language
from api.http.deps import Clock, Served
from api.http.language import preferred
from api.http.pages.plain import plain_page
from api.http.public import public_root
from api.http.stations.endpoints import shown_station
from api.http.stations.said import Believed, Counted
from api.study.finished import FinishedStudy
from maps.texts import Wording, catalogue
from routing.civic import HeadCount, StationCondition

__all__ = ["router"]

router = APIRouter(prefix="/stations", include_in_schema=False)
StationId = Annotated[Identifier, Path()]
AskedLang = Annotated[Language | None, Query()]


def _words(
    served: FinishedStudy, hours: str, facilities: tuple[str, ...], lang: Language
) -> dict[str, object]:
    """Return hours and facilities as people say them; what the catalogue does not know stays as it is."""
    say, texts = Wording.of(lang, served.study.k), catalogue(lang)
    named = [texts.text(f"facility.{one}") if f"facility.{one}" in texts else one for one in facilities]
    return {"hours": say.opening(hours), "facilities": list(dict.fromkeys(named))}


@router.get("/{station_id}")
def station(
    served: Served, believed: Believed, counted: Counted, clock: Clock, request: Request,
    station_id: StationId, lang: AskedLang = None,
) -> HTMLResponse:  # fmt: skip
    """Whether it is open, what is there, and the way."""
    said = believed.get(station_id, ()), counted.get(station_id)
    return _answer("station", served, said, clock, request, station_id, lang)


@router.get("/{station_id}/poster")
def poster(
    served: Served, believed: Believed, counted: Counted, clock: Clock, request: Request,
    station_id: StationId, lang: AskedLang = None,
) -> HTMLResponse:  # fmt: skip
    """Sheet for the wall: name, hours, what is there, and the code."""
    said = believed.get(station_id, ()), counted.get(station_id)
    return _answer("poster", served, said, clock, request, station_id, lang)


def _answer(
    name: str, served: Served, said: tuple[tuple[StationCondition, ...], HeadCount | None], clock: Clock,
    request: Request, station_id: str, lang: Language | None,
) -> HTMLResponse:  # fmt: skip
    spoken = lang or preferred(request.headers.get("accept-language", ""))
    believed, heads = said
    root = public_root(request)
    told = shown_station(served, station_id, clock(), "wgs84", believed, spoken, root, heads)
    made = plain_page(
        f"{name}.html",
        lang=spoken,
        station=told,
        text=catalogue(spoken).text,
        # Words are kept of the stations of this address alone, and of those that stand.
        own=told.existing and "study" not in request.path_params,
        **_words(served, told.opening_hours, told.facilities, spoken),
    )
    headers = {
        "content-security-policy": made.policy, "content-language": spoken, "vary": "accept-language",
        # What is open now is not so later.
        "cache-control": "no-store",
    }  # fmt: skip
    return HTMLResponse(made.html, headers=headers)
