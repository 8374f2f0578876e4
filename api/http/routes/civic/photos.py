"""``/v1/photos``: pictures for reports and results, written anew before they are kept."""

import os
from typing import Annotated

import anyio
import sqlalchemy as sa
from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.civic.reports import codec
from api.civic.reports.forms import PhotoOut
from api.civic.reports.photos import LARGEST_BYTES, Photo, written_anew
from api.dispatch.desk import Desk, MissingError, Turn
from api.forms import ServiceId
from api.http.deps import Ids
from api.http.live import Live, carried_out
from api.http.problems.errors import TooLargeError
from api.http.routes.civic.shared import AnyCaller, OpenCaller
from api.store import SERVICE, StoreUnavailable
from api.store.civic import matters as matter_rows
from api.store.civic import photos as rows
from api.store.digests import digest_of

__all__ = ["kept", "router"]

router = APIRouter(prefix="/v1/photos", tags=["reports"])
MOST_UNUSED = 2_000
"""Photos that were sent and not used: more are not taken."""
_AT_ONCE = anyio.CapacityLimiter(max(1, (os.cpu_count() or 1) // 2))
"""Each that is unpacked takes up to 100 MB for a moment."""
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_KINDS = ("image/jpeg", "image/png", "image/webp")
_BODY = {"requestBody": {"required": True, "content": dict.fromkeys(_KINDS, _BINARY)}}
PhotoId = Annotated[ServiceId, Path(alias="id", description="`photo` of the photo.")]
Token = Annotated[
    str | None,
    Header(alias="report-token", max_length=100, description="`token` of the report that it belongs to."),
]


@router.post("", status_code=201, summary="Send a photo", openapi_extra=_BODY)
async def post(live: Live, caller: OpenCaller, ids: Ids, request: Request) -> PhotoOut:
    """Return a name for it, good for one report, result or look within a day.

    JPEG, PNG or WebP up to 10 MB. Only its pixels are kept, at most 1,600 on a side: no place, no time, no
    device.
    """
    body = await request.body()
    if len(body) > LARGEST_BYTES:
        raise TooLargeError(f"the photo may have at most {LARGEST_BYTES} bytes")
    photo_id = ids()
    photo = await kept(live, body, photo_id)
    return PhotoOut(photo=photo_id, width=photo.width, height=photo.height, bytes=len(photo.body))


async def kept(live: Desk, body: bytes, photo_id: str) -> Photo:
    """Write a photo anew and keep it, for one use.

    Raises
    ------
    InputError
        When it is no picture.
    StoreUnavailable
        When too many were sent that nothing uses yet.
    """

    def unused() -> int:
        with live.database.reading() as connection:
            return rows.unused(connection, SERVICE)

    if await run_in_threadpool(unused) >= MOST_UNUSED:
        raise StoreUnavailable("too many photos have been sent that nothing uses yet", 600)
    photo = await anyio.to_thread.run_sync(written_anew, body, limiter=_AT_ONCE)

    def work(turn: Turn) -> None:
        turn.changing = True
        row = rows.PhotoRow(photo_id, None, False, turn.now_s, photo.digest, photo.body)
        rows.add(turn.connection, SERVICE, row)

    await carried_out(live, work)
    return photo


def _sent_with(connection: sa.Connection, report: matter_rows.ReportRow, photo_id: str) -> bool:
    row = matter_rows.get(connection, SERVICE, report.matter_id)
    reports = () if row is None else codec.matter_state_of(row.state).reports
    return any((one.report_id, one.photo) == (report.report_id, photo_id) for one in reports)


@router.get(
    "/{id}",
    summary="One photo",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": _BINARY}}},
)
async def one(live: Live, caller: AnyCaller, photo_id: PhotoId, token: Token = None) -> Response:
    """Show results to everybody, what was reported to its office and to who sent it."""

    def read() -> rows.PhotoRow | None:
        with live.database.reading() as connection:
            found = rows.get_public(connection, SERVICE, photo_id)
            if found is None and caller is not None:
                found = rows.get(connection, caller.scope, photo_id)
            if found is None and token is not None:
                photo = rows.get(connection, SERVICE, photo_id)
                report = matter_rows.by_token(connection, SERVICE, digest_of(token))
                found = photo if report is not None and _sent_with(connection, report, photo_id) else None
            return found

    found = await run_in_threadpool(read)
    if found is None:
        raise MissingError("there is no such photo")
    headers = {"content-disposition": "inline; filename=photo.jpg", "etag": f'"{found.digest}"'}
    return Response(found.body, media_type="image/jpeg", headers=headers)
