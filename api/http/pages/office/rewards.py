"""The catalogue for offices: what points buy, what it costs, where it is handed out, how many are left."""

import datetime
import secrets
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from api.civic.points import spending
from api.civic.points.forms import ItemIn, ItemName, ItemSort, StockIn
from api.dispatch.desk import Turn
from api.http.pages.frame.forms import Fields, FieldsError, Posted, read_form, whole_number
from api.http.pages.frame.render import see_other
from api.http.pages.frame.route import PageRoute, told
from api.http.pages.frame.visit import PageVisit, visit_of
from api.store import SERVICE
from api.store.civic import rewards as rows
from geo.errors import YiluError

__all__ = ["router"]

router = APIRouter(prefix="/catalogue", include_in_schema=False, route_class=PageRoute)
OfficeVisit = Annotated[PageVisit, Depends(visit_of("planner"))]
ItemId = Annotated[ItemName, Path()]


@router.get("")
async def listed(visit: OfficeVisit, item: Annotated[str, Query(max_length=40)] = "") -> Response:
    """Show what is on offer, with the form for a new item or for `item`."""
    return await _catalogue(visit, item, None)


async def _catalogue(
    visit: PageVisit, chosen: str, sent: Fields | None, error: str | None = None, status: int = 200
) -> Response:
    now_s = visit.now.timestamp()

    def read() -> tuple[list[rows.ItemRow], dict[str, int]]:
        with visit.live.database.reading() as connection:
            return rows.on_offer(connection, SERVICE, now_s), rows.stock(connection, SERVICE)

    items, left = await visit.read(read)
    values: dict[str, Any] = dict.fromkeys(("item", "sort", "title", "points", "communities", "ends"), "")
    known = next((one for one in items if one.item_id == chosen), None)
    if sent is not None:
        values |= sent
    elif known is not None:
        ends = (
            None if known.ended_s is None else datetime.datetime.fromtimestamp(known.ended_s - 1, visit.zone)
        )
        values = {
            "item": known.item_id, "sort": known.sort, "title": known.title, "points": known.points,
            "communities": "\n".join(known.communities),
            "ends": "" if ends is None else ends.date().isoformat(),
        }  # fmt: skip
    who = visit.who
    return visit.page(
        "catalogue",
        status,
        items=items,
        left=left,
        mine={one.item_id for one in items if who.role == "admin" or one.tenant_id == who.tenant_id},
        sorts=get_args(ItemSort),
        values=values,
        once=secrets.token_hex(8),
        error=error,
    )


@router.post("")
async def put(visit: OfficeVisit, fields: Posted) -> Response:
    """Put an item into the catalogue, or change it."""
    try:
        name = _name(fields.get("item", ""))
        asked = read_form(ItemIn, {
            "sort": fields.get("sort", ""), "title": fields.get("title", ""),
            "points": whole_number(fields, "points"), "ends": _ends(visit, fields.get("ends", "")),
            "communities": _communities(fields.get("communities", "")),
        })  # fmt: skip

        def work(turn: Turn) -> rows.ItemRow:
            ends_s = None if asked.ends is None else asked.ends.timestamp()
            row = rows.ItemRow(
                name, str(visit.who.tenant_id), asked.sort, asked.title, asked.points, asked.communities,
                turn.now_s, ends_s,
            )  # fmt: skip
            return spending.put_item(turn, visit.who, row)

        await visit.commanded(("catalogue.put", name), work)
    except YiluError as error:
        return await _catalogue(visit, "", fields, told(error, visit.visitor.lang), 422)
    return see_other("/catalogue")


def _name(text: str) -> str:
    plain = text.replace("_", "").replace("-", "")
    if not (plain.isascii() and plain.isalnum() and len(text) <= 40):
        raise FieldsError({"item": "1 to 40 letters, digits, hyphens or underscores"})
    return text


def _communities(text: str) -> list[str]:
    """Return names written one a line, or with commas of either script between them."""
    parts = text.replace("，", "\n").replace("、", "\n").replace(",", "\n").splitlines()
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _ends(visit: PageVisit, text: str) -> datetime.datetime | None:
    """Return the end of the last day on which an item is on offer."""
    if not text:
        return None
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise FieldsError({"ends": "a day such as 2026-12-31"}) from None
    return datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(), visit.zone)


@router.post("/{item}/stock")
async def stock(visit: OfficeVisit, fields: Posted, item: ItemId) -> Response:
    """Book pieces that have come in; the form sent twice books them once."""
    try:
        name = fields.get("name") or f"page-{fields.get('once', '')}"
        asked = read_form(StockIn, {"name": name, "pieces": whole_number(fields, "pieces")})

        def work(turn: Turn) -> spending.Booked:
            return spending.add_stock(turn, visit.who, item, asked.name, asked.pieces)

        await visit.commanded(("catalogue.stock", item), work)
    except YiluError as error:
        return await _catalogue(visit, "", None, told(error, visit.visitor.lang), 422)
    return see_other("/catalogue")
