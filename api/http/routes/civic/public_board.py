"""``/v1/board``: what everybody may see of street reports: no person, and no words of reporters."""

import dataclasses
import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from api.civic.closures import closures_now
from api.civic.reports import codec
from api.civic.reports.forms import BoardFeatures, BoardMatter, BoardPage, OfficeOut, Offices, Stage
from api.civic.reports.translate import board_feature, board_matter, rounded_entry
from api.dispatch.desk import Desk
from api.http.live import AnswerDatum, Cursor, Limit, Live, Zone, cursor_of, position_of
from api.http.routes.civic.shared import CivicSide, Now, titles_of
from api.store import SERVICE
from api.store.civic import matters as rows
from api.store.civic import offices as office_rows
from api.store.rows import PageEnd
from geo.datum import Datum
from geo.errors import InputError

__all__ = ["BoardQuery", "board", "router"]

router = APIRouter(prefix="/v1", tags=["board"])
Stages = Annotated[list[Stage] | None, Query(alias="stage", description="Only these; none: all.")]
KindNames = Annotated[
    list[Annotated[str, Query(max_length=40)]] | None,
    Query(alias="kind", max_length=50, description="Only these kinds; none: all."),
]
BoxText = Annotated[
    str | None,
    Query(
        alias="bbox",
        max_length=100,
        description="west,south,east,north in WGS-84 degrees: only what lies inside.",
    ),
]


def _box(text: str | None) -> rows.Box | None:
    if text is None:
        return None
    parts = text.split(",")
    try:
        west, south, east, north = (float(part) for part in parts)
    except ValueError:
        west, south, east, north = 200.0, 0.0, 0.0, 0.0
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise InputError("bbox must be west,south,east,north in degrees, such as 116.2,39.8,116.5,40.0")
    return rows.Box(west, south, east, north)


@dataclasses.dataclass(frozen=True, slots=True)
class BoardQuery:
    """Which part of the board is asked for, as the address says it."""

    stages: Stages = None
    kinds: KindNames = None
    bbox: str | None = None
    after: str | None = None


def _board_query(
    stages: Stages = None, kinds: KindNames = None, bbox: BoxText = None, after: Cursor = None
) -> BoardQuery:
    return BoardQuery(stages, kinds, bbox, after)


AskedBoard = Annotated[BoardQuery, Depends(_board_query)]


def _found(
    live: Desk, query: BoardQuery, limit: int, now_s: float, datum: Datum, zone: datetime.tzinfo
) -> tuple[list[BoardMatter], str | None]:
    position = position_of(query.after)
    only = rows.MatterFilter(query.stages or (), query.kinds or (), _box(query.bbox))
    with live.database.reading() as connection:
        found = rows.page_of_board(connection, SERVICE, position, limit, only)
        titles = titles_of(connection)
    entries = [rounded_entry(codec.matter_state_of(row.state), now_s) for row in found]
    last = PageEnd(found[-1].opened_s, found[-1].matter_id) if len(found) == limit else None
    return [board_matter(one, datum, zone, titles) for one in entries if one is not None], cursor_of(last)


@router.get("/board", summary="The public board")
async def board(
    live: Live, civic: CivicSide, zone: Zone, now_s: Now, query: AskedBoard, limit: Limit = 100,
    datum: AnswerDatum = "wgs84",
) -> BoardPage:  # fmt: skip
    """Return matters with their stage, office, time limit and result, and the streets that are shut now."""
    shown, last = await run_in_threadpool(_found, live, query, limit, now_s, datum, zone)
    shut = await run_in_threadpool(closures_now, civic.streets, now_s, datum, zone)
    return BoardPage(datum=datum, matters=shown, closures=shut, next=last)


class GeoJson(JSONResponse):
    """An answer as GeoJSON (RFC 7946)."""

    media_type = "application/geo+json"


@router.get("/board.geojson", summary="The public board for a map", response_class=GeoJson)
async def geojson(
    live: Live, zone: Zone, now_s: Now, query: AskedBoard, limit: Limit = 1_000
) -> BoardFeatures:  # fmt: skip
    """Return the same as GeoJSON, in WGS-84."""
    shown, last = await run_in_threadpool(_found, live, query, limit, now_s, "wgs84", zone)
    return BoardFeatures(features=[board_feature(one) for one in shown], next=last)


@router.get("/offices", summary="The offices that take reports")
async def listed(live: Live) -> Offices:
    """Return what they are called, and the kinds of reports that each is asked first for."""

    def read() -> list[office_rows.OfficeRow]:
        with live.database.reading() as connection:
            return office_rows.list_all(connection, SERVICE)

    found = await run_in_threadpool(read)
    return Offices(
        offices=[OfficeOut(office=row.tenant_id, title=row.title, kinds=list(row.kinds)) for row in found]
    )
