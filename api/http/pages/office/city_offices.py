"""Which offices take reports, for administrators: how they are called, which kinds, and where."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.civic.reports.forms import OfficeIn, OfficeOut
from api.civic.reports.offices import name_office
from api.dispatch.desk import Turn
from api.http.pages.frame.forms import CHOOSE, Fields, FieldsError, Posted, read_form
from api.http.pages.frame.render import see_other
from api.http.pages.frame.route import PageRoute, told
from api.http.pages.frame.visit import PageVisit, visit_of
from api.open311 import services
from api.store import SERVICE
from api.store.access import tenants
from api.store.civic import offices as rows
from geo.errors import YiluError

__all__ = ["router"]

router = APIRouter(prefix="/admin/offices", include_in_schema=False, route_class=PageRoute)
AdminVisit = Annotated[PageVisit, Depends(visit_of())]
LARGEST_AREA = 200_000
"""Characters of an area's outline."""


@router.get("")
async def listed(visit: AdminVisit, office: Annotated[str, Query(max_length=64)] = "") -> Response:
    """Show them, with the form for a new one or for `office`."""
    return await _offices(visit, office, None)


async def _offices(
    visit: PageVisit, chosen: str, sent: Fields | None, error: str | None = None, status: int = 200
) -> Response:
    def read() -> tuple[list[rows.OfficeRow], list[tenants.Tenant]]:
        with visit.live.database.reading() as connection:
            return rows.list_all(connection, SERVICE), tenants.list_all(connection, SERVICE)

    named, everybody = await visit.read(read)
    known = {row.tenant_id: row for row in named}
    values: dict[str, Any] = {"office": chosen, "title": "", "kinds": [], "area": ""}
    if sent is not None:
        values = {**values, **sent, "kinds": sent.all("kinds")}
    elif chosen in known:
        row = known[chosen]
        area = "" if row.area is None else json.dumps(row.area)
        values = {"office": chosen, "title": row.title, "kinds": list(row.kinds), "area": area}
    kinds = services(visit.civic.rules.reports.kinds, visit.visitor.lang)
    return visit.page(
        "offices",
        status,
        offices=named,
        tenants=[one for one in everybody if one.kind == "office"],
        kinds=[(one["service_code"], one["service_name"]) for one in kinds],
        names={one["service_code"]: one["service_name"] for one in kinds},
        values=values,
        error=error,
    )


@router.post("")
async def put(visit: AdminVisit, fields: Posted) -> Response:
    """Name an office, or say otherwise what it takes."""
    office, kinds = fields.get("office", ""), fields.all("kinds")
    try:
        if not await visit.read(_is_office, visit, office):
            raise FieldsError({"office": CHOOSE})
        if not visit.civic.rules.reports.kinds.keys() >= set(kinds):
            raise FieldsError({"kinds": CHOOSE})
        asked = read_form(OfficeIn, {
            "title": fields.get("title", ""), "kinds": kinds,
            "area": _area(fields.get("area", "")),
        })  # fmt: skip

        def work(turn: Turn) -> OfficeOut:
            return name_office(turn, visit.who, visit.civic.rules, office, asked)

        await visit.commanded(("office.put", office), work)
    except YiluError as error:
        return await _offices(visit, office, fields, told(error, visit.visitor.lang), 422)
    return see_other("/admin/offices")


def _is_office(visit: PageVisit, name: str) -> bool:
    with visit.live.database.reading() as connection:
        found = tenants.get(connection, SERVICE, name)
    return found is not None and found.kind == "office"


def _area(text: str) -> Any:  # noqa: ANN401
    """Return an outline as it was pasted; a feature or a collection of one stands for its geometry."""
    if not text:
        return None
    bad = FieldsError({"area": "a GeoJSON Polygon or MultiPolygon in WGS-84 that does not cross itself"})
    if len(text) > LARGEST_AREA:
        raise bad
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise bad from None
    match found:
        case {"type": "FeatureCollection", "features": [{"geometry": geometry}]}:
            found = geometry
        case {"type": "Feature", "geometry": geometry}:
            found = geometry
    if not isinstance(found, dict):
        raise bad
    return found
