"""``/v1/catalogue`` and ``/v1/ledger``: what points buy, and what offices book."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from fastapi.concurrency import run_in_threadpool

from api.civic.points import spending
from api.civic.points.forms import (
    CatalogueOut,
    CorrectionIn,
    DrillIn,
    EntryOut,
    ItemIn,
    ItemName,
    ItemOut,
    PayoutIn,
    StockIn,
    TrainingIn,
)
from api.dispatch.desk import Desk, Turn
from api.http.access.auth import Caller, require
from api.http.live import AdminCaller, Live, Zone, commanded
from api.http.repeats import RepeatableRoute
from api.http.routes.civic.ledger import entry_out
from api.http.routes.civic.shared import Now
from api.store import SERVICE
from api.store.civic import rewards as rows

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["points"], route_class=RepeatableRoute)
OfficeCaller = Annotated[Caller, Depends(require("planner"))]
Work = Callable[[Turn], spending.Booked]
ItemId = Annotated[ItemName, Path(description="Name of the item.")]


def _shown(row: rows.ItemRow, left: int) -> ItemOut:
    return ItemOut.model_validate(
        {
            "item": row.item_id, "office": row.tenant_id, "sort": row.sort, "title": row.title,
            "points": row.points, "communities": list(row.communities), "left": left,
        }
    )  # fmt: skip


@router.get("/catalogue", summary="What points buy")
async def listed(live: Live, now_s: Now) -> CatalogueOut:
    """Return what is on offer, and how many are left for the whole city."""

    def read() -> CatalogueOut:
        with live.database.reading() as connection:
            left = rows.stock(connection, SERVICE)
            found = rows.on_offer(connection, SERVICE, now_s)
        return CatalogueOut(items=[_shown(row, left.get(row.item_id, 0)) for row in found])

    return await run_in_threadpool(read)


def _left(live: Desk, item: str) -> int:
    with live.database.reading() as connection:
        return rows.stock(connection, SERVICE).get(item, 0)


@router.put("/catalogue/{item}", summary="Put something into the catalogue")
async def put(live: Live, caller: OfficeCaller, item: ItemId, request: ItemIn) -> ItemOut:
    """Say what it is, what it costs and where it is handed out; what was bought stays as it was bought."""

    def work(turn: Turn) -> rows.ItemRow:
        ends_s = None if request.ends is None else request.ends.timestamp()
        row = rows.ItemRow(
            item, str(caller.scope.tenant_id), request.sort, request.title, request.points,
            request.communities, turn.now_s, ends_s,
        )  # fmt: skip
        return spending.put_item(turn, caller.scope, row)

    row = await commanded(live, caller, ("catalogue.put", item), work)
    return _shown(row, await run_in_threadpool(_left, live, item))


@router.post("/catalogue/{item}/stock", status_code=201, summary="Book pieces that have come in")
async def stock(live: Live, caller: OfficeCaller, zone: Zone, item: ItemId, request: StockIn) -> EntryOut:
    """Count them once under their `name`, such as the number of the delivery."""
    done = await commanded(
        live,
        caller,
        ("catalogue.stock", item),
        lambda turn: spending.add_stock(turn, caller.scope, item, request.name, request.pieces),
    )
    return entry_out(done.entry, f"stock:{item}", zone)


async def _booked(live: Desk, caller: Caller, zone: Zone, act: str, work: Work, account: str) -> EntryOut:
    done = await commanded(live, caller, (f"ledger.{act}", account), work)
    return entry_out(done.entry, f"rider:{account}", zone)


@router.post("/ledger/training", status_code=201, summary="Book a course that was passed")
async def training(live: Live, caller: OfficeCaller, zone: Zone, request: TrainingIn) -> EntryOut:
    """Give credits to the account that the rider names; each course counts once."""
    return await _booked(
        live,
        caller,
        zone,
        "training",
        lambda turn: spending.note_training(turn, request.course, request.credit, request.account),
        request.account,
    )


@router.post("/ledger/drills", status_code=201, summary="Book that somebody took part in a drill")
async def drill(live: Live, caller: OfficeCaller, zone: Zone, request: DrillIn) -> EntryOut:
    """Note it in the account that the rider names; each drill counts once."""
    return await _booked(
        live,
        caller,
        zone,
        "drill",
        lambda turn: spending.note_drill(turn, request.drill, request.account),
        request.account,
    )


@router.post("/ledger/payouts", status_code=201, summary="Book backing that was paid out")
async def pay(live: Live, caller: AdminCaller, zone: Zone, request: PayoutIn) -> EntryOut:
    """Take it from the account: nobody has less than none."""
    fen = round(request.yuan * 100)
    return await _booked(
        live,
        caller,
        zone,
        "payout",
        lambda turn: spending.pay_out(turn, request.name, request.account, fen),
        request.account,
    )


@router.post("/ledger/corrections", status_code=201, summary="Correct an entry")
async def correct(live: Live, caller: AdminCaller, zone: Zone, request: CorrectionIn) -> EntryOut:
    """Book a counter-entry: nothing is taken out of the ledger, and what was spent stays with the city."""
    done = await commanded(
        live,
        caller,
        ("ledger.correct", request.key),
        lambda turn: spending.correct(turn, request.key, request.note),
    )
    account = next((one.account for one in done.entry.postings if one.account.startswith("rider:")), "")
    return entry_out(done.entry, account, zone)
