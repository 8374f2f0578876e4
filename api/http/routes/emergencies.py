"""``/v1/emergencies`` and the alerts of riders: raised, answered, closed, and looked back on."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.dispatch.commands import published_grid
from api.dispatch.desk import Desk, MissingError, Turn
from api.dispatch.emergencies import (
    Called,
    Raised,
    alert_state_of,
    answer_alert,
    close,
    raise_emergency,
)
from api.dispatch.emergency_forms import (
    AlertForRider,
    AlertList,
    CloseIn,
    EmergencyOut,
    EmergencyPage,
    EmergencyRaiseIn,
)
from api.dispatch.emergency_translate import alert_out, asked_emergency, emergency_out
from api.dispatch.forms import AnswerIn
from api.dispatch.readings import alert_of, open_alerts_of
from api.forms import Identifier
from api.http.access.auth import Caller, require
from api.http.deps import Ids, Lang, Served
from api.http.live import (
    AnswerDatum,
    Cursor,
    Limit,
    Live,
    News,
    RiderCaller,
    Zone,
    cursor_of,
    position_of,
)
from api.http.repeats import OnceRoute, answered, json_answer
from api.store.dispatch import emergencies as rows
from api.store.rows import PageEnd
from geo.datum import Datum

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["emergencies"], route_class=OnceRoute)
OfficerCaller = Annotated[Caller, Depends(require("planner", "grid_staff"))]
EmergencyId = Annotated[str, Path(alias="id", max_length=64, description="`id` of the emergency.")]
AlertId = Annotated[str, Path(max_length=80, description="`alert_id` of the alert.")]
InDatum = Annotated[Datum, Query(description="Datum of the positions in the request and the answer.")]
WAIT_S = 60.0


def _shown(zone: Zone, served: Served, lang: Lang) -> Callable[[Raised, Datum], EmergencyOut]:
    return lambda done, datum: emergency_out(done, datum, zone, served.network, lang)


Shown = Annotated[Callable[[Raised, Datum], EmergencyOut], Depends(_shown)]


@router.post(
    "/emergencies",
    status_code=201,
    response_model=EmergencyOut,
    summary="Raise an emergency, or a drill",
    responses={200: {"model": EmergencyOut, "description": "The same emergency was raised before."}},
)
async def post(
    live: Live, caller: OfficerCaller, shown: Shown, ids: Ids, request: EmergencyRaiseIn,
    datum: InDatum,
) -> Response:  # fmt: skip
    """Alert the soonest capable riders of all platforms, phase by phase while too few have accepted.

    Nobody's plan is changed: in such time lateness does not count, and each alert names the stops that would
    be late. The same emergency again under the same name is answered as it stands now (200).
    """
    who = caller.scope
    task, policy = await run_in_threadpool(asked_emergency, request, datum, ids())
    grid = published_grid(who, request.grid_code)
    body = request.model_dump(mode="json") | {"datum": datum}

    def work(turn: Turn) -> Raised:
        return raise_emergency(
            turn, who, task, policy, label=request.name, grid_code=grid, drill=request.drill, body=body
        )

    def told(done: Raised) -> Response:
        place = {"location": f"/v1/emergencies/{done.row.emergency_id}"}
        return json_answer(shown(done, datum), 201 if done.new else 200, place)

    return await answered(live, caller, ("emergency.raise", None), work, told)


@router.get("/emergencies", summary="List emergencies")
async def page(
    live: Live, caller: OfficerCaller, shown: Shown, after: Cursor = None, limit: Limit = 100,
    datum: AnswerDatum = "wgs84",
) -> EmergencyPage:  # fmt: skip
    """Emergencies that the caller has raised, in the order in which they were."""
    position = position_of(after)

    def read() -> list[rows.EmergencyRow]:
        with live.database.reading() as connection:
            return rows.page(connection, caller.scope, position, limit)

    found = await run_in_threadpool(read)
    listed = [shown(Raised(row, alert_state_of(row.state)), datum) for row in found]
    last = PageEnd(found[-1].created_s, found[-1].emergency_id) if len(found) == limit else None
    return EmergencyPage(emergencies=listed, next=cursor_of(last))


@router.get("/emergencies/{id}", summary="One emergency, and how it went")
async def one(
    live: Live, caller: OfficerCaller, shown: Shown, emergency_id: EmergencyId, datum: AnswerDatum = "wgs84"
) -> EmergencyOut:
    """Return how many were alerted, have accepted and are there, against what the plan promised."""

    def read() -> rows.EmergencyRow | None:
        with live.database.reading() as connection:
            return rows.get(connection, caller.scope, emergency_id)

    row = await run_in_threadpool(read)
    if row is None:
        raise MissingError("there is no such emergency")
    return shown(Raised(row, alert_state_of(row.state)), datum)


@router.post("/emergencies/{id}/close", response_model=EmergencyOut, summary="Say that an emergency is over")
async def end(
    live: Live, caller: OfficerCaller, shown: Shown, emergency_id: EmergencyId, request: CloseIn,
    datum: AnswerDatum = "wgs84",
) -> Response:  # fmt: skip
    """Riders who were alerted, and those on the way, are told through their platforms."""

    def work(turn: Turn) -> Raised:
        return close(turn, caller.scope, emergency_id, request.reason)

    def told(done: Raised) -> Response:
        return json_answer(shown(done, datum))

    return await answered(live, caller, ("emergency.close", emergency_id), work, told)


@router.get("/alerts", summary="List alerts, or wait for one")
async def alerts(
    live: Live, caller: RiderCaller, zone: Zone, request: Request,
    rider_id: Annotated[Identifier | None, Query(description="Of one rider; null: all of them.")] = None,
    wait_s: Annotated[float, Query(ge=0, le=WAIT_S, description="Wait so long for the first one.")] = 0.0,
    datum: AnswerDatum = "wgs84",
) -> AlertList:  # fmt: skip
    """Alerts of emergencies that go on.

    With `wait_s` the answer comes as soon as there is one (long poll).
    """
    who = caller.scope
    mine = who.rider_id if who.role == "rider" else rider_id
    news: News = request.app.state.news
    found = await news.until_some(partial(open_alerts_of, live.database, who, mine), wait_s)
    return AlertList(alerts=[alert_out(one, datum, zone) for one in found])


@router.get("/alerts/{alert_id}", summary="One alert")
async def alert(
    live: Live, caller: RiderCaller, zone: Zone, alert_id: AlertId, datum: AnswerDatum = "wgs84"
) -> AlertForRider:
    """Return an alert, also of an emergency that is over."""
    found = await run_in_threadpool(alert_of, live.database, caller.scope, alert_id)
    if found is None:
        raise MissingError("there is no such alert")
    return alert_out(found, datum, zone)


async def _said(
    live: Desk, caller: Caller, zone: Zone, datum: Datum, alert_id: str, said: Literal["yes", "no", "there"]
) -> Response:
    def work(turn: Turn) -> Called:
        return answer_alert(turn, caller.scope, alert_id, said)

    def told(done: Called) -> Response:
        return json_answer(alert_out(done, datum, zone))

    verb = {"yes": "accept", "no": "decline", "there": "arrive"}[said]
    return await answered(live, caller, (f"alert.{verb}", alert_id), work, told)


@router.post("/alerts/{alert_id}/accept", response_model=AlertForRider, summary="Say yes to an alert")
async def yes(
    live: Live, caller: RiderCaller, zone: Zone, alert_id: AlertId, request: AnswerIn,
    datum: AnswerDatum = "wgs84",
) -> Response:  # fmt: skip
    """Go there at once. When enough are coming the others are released."""
    return await _said(live, caller, zone, datum, alert_id, "yes")


@router.post("/alerts/{alert_id}/decline", response_model=AlertForRider, summary="Say no to an alert")
async def no(
    live: Live, caller: RiderCaller, zone: Zone, alert_id: AlertId, request: AnswerIn,
    datum: AnswerDatum = "wgs84",
) -> Response:  # fmt: skip
    """Say that the rider does not come, or no longer: then somebody else is alerted when the time is up."""
    return await _said(live, caller, zone, datum, alert_id, "no")


@router.post("/alerts/{alert_id}/arrive", response_model=AlertForRider, summary="Say that the rider is there")
async def there(
    live: Live, caller: RiderCaller, zone: Zone, alert_id: AlertId, request: AnswerIn,
    datum: AnswerDatum = "wgs84",
) -> Response:  # fmt: skip
    """Note the arrival; the time counts for the look back."""
    return await _said(live, caller, zone, datum, alert_id, "there")
