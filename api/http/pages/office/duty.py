"""The duty officer: an emergency or a drill, raised after a second look; its phases live; how it went."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from api.dispatch.commands import published_grid
from api.dispatch.desk import MissingError, Turn
from api.dispatch.emergencies import Raised, alert_state_of, close, raise_emergency
from api.dispatch.emergency_forms import CloseIn, EmergencyOut, EmergencyRaiseIn
from api.dispatch.emergency_translate import asked_emergency, emergency_out
from api.http.live import position_of
from api.http.pages.frame.forms import Fields, FieldsError, Posted, number, read_form, whole_number
from api.http.pages.frame.render import see_other
from api.http.pages.frame.route import PageRoute, told
from api.http.pages.frame.visit import PageVisit, visit_of
from api.matching.datum_check import place_warnings
from api.store.dispatch import emergencies as rows
from geo.errors import YiluError

__all__ = ["router"]

router = APIRouter(prefix="/duty", include_in_schema=False, route_class=PageRoute)
OfficerVisit = Annotated[PageVisit, Depends(visit_of("planner", "grid_staff"))]
EmergencyId = Annotated[str, Path(max_length=64)]
MOST_LISTED = 1_000
PEOPLE = (1, 50)


@router.get("")
async def listed(visit: OfficerVisit) -> Response:
    """List emergencies: those that go on, and the last that are over."""

    def read() -> list[EmergencyOut]:
        with visit.live.database.reading() as connection:
            found = rows.page(connection, visit.who, position_of(None), MOST_LISTED)
        return [_shown(visit, row) for row in found[::-1]]

    shown = await visit.read(read)
    return visit.page(
        "duty",
        going_on=[one for one in shown if one.status == "open"],
        over=[one for one in shown if one.status == "closed"][:50],
    )


def _shown(visit: PageVisit, row: rows.EmergencyRow) -> EmergencyOut:
    return emergency_out(
        Raised(row, alert_state_of(row.state)), "wgs84", visit.zone, visit.served.network, visit.visitor.lang
    )


@router.get("/new")
async def empty(visit: OfficerVisit) -> Response:
    """Show the form of a new emergency."""
    return _form(visit, {})


def _form(visit: PageVisit, values: Any, error: str | None = None, status: int = 200) -> Response:  # noqa: ANN401
    return visit.page("duty_new", status, values=values, error=error, codes=visit.who.grid_codes)


def _emergency(fields: Fields, name: str) -> EmergencyRaiseIn:
    return read_form(
        EmergencyRaiseIn,
        {
            "name": name,
            "lon": number(fields, "place_lon"),
            "lat": number(fields, "place_lat"),
            "people": whole_number(fields, "people", 1, PEOPLE),
            "skills": tuple(fields.get("skills", "").replace("，", ",").replace(",", " ").split()),
            "grid_code": fields.get("grid_code"),
            "drill": "drill" in fields,
        },
    )


@router.post("/confirm")
async def confirm(visit: OfficerVisit, fields: Posted) -> Response:
    """Show once more what will be raised: nothing has happened yet."""
    if "place_lon" not in fields or "place_lat" not in fields:
        return _form(visit, fields, visit.say("map.need"), 422)
    try:
        asked = _emergency(fields, "asked")
    except YiluError as error:
        return _form(visit, fields, told(error, visit.visitor.lang), 422)
    content = {"marks": [{"at": [asked.lon, asked.lat], "kind": "alert"}]}
    kept = {name: fields[name] for name in fields if name in EmergencyRaiseIn.model_fields or "place" in name}
    warnings = place_warnings(visit.served.network, (asked.lon, asked.lat), visit.visitor.lang)
    return visit.page(
        "duty_confirm", asked=asked, kept=kept, once=secrets.token_hex(8), content=content, warnings=warnings
    )


@router.post("")
async def post(visit: OfficerVisit, fields: Posted) -> Response:
    """Raise it; sent twice, it is raised once."""
    name = f"{visit.now.astimezone(visit.zone):%m-%d} {fields.get('once') or secrets.token_hex(8)}"[:64]
    emergency_id = visit.request.app.state.ids()
    try:
        form = _emergency(fields, name)
        task, policy = await visit.read(asked_emergency, form, "wgs84", emergency_id)
        body = form.model_dump(mode="json") | {"datum": "wgs84"}

        def work(turn: Turn) -> Raised:
            grid = published_grid(visit.who, form.grid_code)
            return raise_emergency(
                turn, visit.who, task, policy, label=form.name, grid_code=grid, drill=form.drill, body=body
            )

        done = await visit.commanded(("emergency.raise", None), work)
    except YiluError as error:
        return _form(visit, fields, told(error, visit.visitor.lang), 422)
    return see_other(f"/duty/{done.row.emergency_id}")


def _read(visit: PageVisit, emergency_id: str) -> EmergencyOut:
    with visit.live.database.reading() as connection:
        row = rows.get(connection, visit.who, emergency_id)
    if row is None:
        raise MissingError("there is no such emergency")
    return _shown(visit, row)


@router.get("/{emergency_id}")
async def one(visit: OfficerVisit, emergency_id: EmergencyId) -> Response:
    """Show an emergency as it goes, and how it went."""
    return await _emergency_page(visit, emergency_id)


async def _emergency_page(
    visit: PageVisit, emergency_id: str, error: str | None = None, reason: str = ""
) -> Response:
    found = await visit.read(_read, visit, emergency_id)
    part = visit.part("duty_now", f"/duty/{emergency_id}/now", one=found)
    content = {"marks": [{"at": [found.place.lon, found.place.lat], "kind": "alert"}]}
    status = 200 if error is None else 422
    return visit.page("duty_one", status, one=found, part=part, content=content, error=error, reason=reason)


@router.get("/{emergency_id}/now")
async def now(visit: OfficerVisit, emergency_id: EmergencyId) -> Response:
    """Show what has changed since the page was read."""
    found = await visit.read(_read, visit, emergency_id)
    return visit.part("duty_now", f"/duty/{emergency_id}/now", one=found).response()


@router.post("/{emergency_id}/close")
async def end(visit: OfficerVisit, fields: Posted, emergency_id: EmergencyId) -> Response:
    """Say that it is over."""
    try:
        reason = read_form(CloseIn, {"reason": fields.get("reason", "")}).reason
    except FieldsError as error:
        shown = told(error, visit.visitor.lang)
        return await _emergency_page(visit, emergency_id, shown, fields.get("reason", ""))
    act = ("emergency.close", emergency_id)
    await visit.commanded(act, lambda turn: close(turn, visit.who, emergency_id, reason))
    return see_other(f"/duty/{emergency_id}")
