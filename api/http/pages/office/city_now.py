"""``/live``: the city now, as far as the reader may see it; the same as ``/v1/city`` tells."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.http.pages.frame.live_part import LivePart
from api.http.pages.frame.route import PageRoute
from api.http.pages.frame.visit import PageVisit, visit_of
from api.http.routes import overview
from api.overview.forms import CityMinutes, CityOut

__all__ = ["router"]

router = APIRouter(prefix="/live", include_in_schema=False, route_class=PageRoute)
CityVisit = Annotated[PageVisit, Depends(visit_of("platform", "planner", "grid_staff"))]
DRAWN = 500
"""So many riders, and places of how soon somebody can be there, are drawn at most."""
SOON_MIN = (3, 6, 10)
"""Classes of minutes on the map; what takes longer, or is out of reach, is the last one."""


async def _now(visit: PageVisit) -> CityOut:
    return await overview.city(
        visit.live, visit.me, visit.zone, lambda: visit.now, visit.served, visit.request, "wgs84"
    )


def _marks(now: CityOut) -> list[dict[str, Any]]:
    marks: list[dict[str, Any]] = []
    if now.minutes is not None and _shares(now.minutes):
        cells = now.minutes.cells[:: max(1, len(now.minutes.cells) // DRAWN)]
        marks += [{"at": [one.lon, one.lat], "kind": f"soon{_soon(one.minutes)}"} for one in cells]
    marks += [{"at": [one.lon, one.lat], "kind": "rider"} for one in now.riders[:DRAWN]]
    marks += [
        {"at": [one.lon, one.lat], "kind": "task", "text": one.task_id, "href": f"/tasks/{one.id}"}
        for one in now.tasks
    ]
    marks += [{"at": [one.lon, one.lat], "kind": "alert"} for one in now.emergencies]
    marks += [{"at": [one.lon, one.lat], "kind": "alert"} for one in now.alerts]
    return marks


def _soon(minutes: int | None) -> int:
    """Return the class of a place: 0 for the soonest."""
    return sum(minutes is None or minutes > limit for limit in SOON_MIN)


def _shares(minutes: CityMinutes | None) -> list[tuple[int, float]]:
    """Return which share of the city somebody can be in within so many minutes."""
    # Where too few riders stand behind it to tell, nothing is drawn that would look like bad news.
    if minutes is None or all(one.minutes is None for one in minutes.cells):
        return []
    every = [_soon(one.minutes) for one in minutes.cells]
    return [(limit, sum(one <= at for one in every) / len(every)) for at, limit in enumerate(SOON_MIN)]


def _part(visit: PageVisit, now: CityOut, marks: list[dict[str, Any]]) -> LivePart:
    return visit.part(
        "live_now", "/live/now", news="/news?moves=true",
        now=now, marks=marks, drawn=DRAWN, shares=_shares(now.minutes),
    )  # fmt: skip


@router.get("")
async def start(visit: CityVisit) -> Response:
    """Show the city, and fetch it anew when something happens in it."""
    now = await _now(visit)
    marks = _marks(now)
    # Later readings bring other marks; the map stays where its reader has moved it.
    west, south, east, north = now.bounds
    content = {"marks": marks, "box": [[west, south], [east, north]]}
    return visit.page(
        "live",
        part=_part(visit, now, marks),
        content=content,
        now=now,
        soon=SOON_MIN if _shares(now.minutes) else (),
    )


@router.get("/now")
async def changed(visit: CityVisit) -> Response:
    """Show what has changed since the page was read."""
    now = await _now(visit)
    return _part(visit, now, _marks(now)).response()
