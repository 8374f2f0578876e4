"""A rider's points: what they have, how they came by them, what they buy."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.civic.points import spending
from api.civic.points.forms import BuyIn
from api.dispatch.desk import Turn
from api.http.pages.frame.forms import Posted, read_form
from api.http.pages.frame.render import see_other
from api.http.pages.frame.route import PageRoute, told
from api.http.pages.frame.visit import PageVisit, visit_of
from api.http.routes.civic import ledger, rewards
from geo.errors import YiluError
from routing.dispatch import RiderKey

__all__ = ["router"]

router = APIRouter(prefix="/points", include_in_schema=False, route_class=PageRoute)
PointsVisit = Annotated[PageVisit, Depends(visit_of("rider"))]
LISTED = 30


@router.get("")
async def mine(visit: PointsVisit) -> Response:
    """Show balances, entries and the catalogue."""
    return await _account(visit)


async def _account(visit: PageVisit, error: str | None = None, status: int = 200) -> Response:
    live, civic = visit.live, visit.civic
    now_s = visit.now.timestamp()
    account = await ledger.mine(live, visit.me, civic, visit.zone, None, LISTED)
    score = await ledger.my_score(live, visit.me, civic, visit.zone, visit.visitor.lang, now_s)
    items = (await rewards.listed(live, now_s)).items
    titles = {one.item: one.title for one in items}
    return visit.page(
        "points", status, account=account, score=score, items=items, titles=titles, error=error,
        once=secrets.token_hex(8),
    )  # fmt: skip


@router.post("/buy")
async def buy(visit: PointsVisit, fields: Posted) -> Response:
    """Buy a piece; sent twice, it is bought once."""
    try:
        asked = read_form(
            BuyIn,
            {
                "name": fields.get("once", ""),
                "item": fields.get("item", ""),
                "community": fields.get("community", ""),
            },
        )
        who, civic = visit.who, visit.civic
        rider = RiderKey(str(who.tenant_id), str(who.rider_id))

        def work(turn: Turn) -> spending.Booked:
            return spending.buy(
                turn, rider, civic.ids, name=asked.name, item_id=asked.item, community=asked.community
            )

        await visit.commanded(("points.buy", asked.item), work)
    except YiluError as error:
        return await _account(visit, told(error, visit.visitor.lang), 409)
    return see_other("/points")
