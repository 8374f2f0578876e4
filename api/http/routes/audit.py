"""``GET /v1/audit``: who did what to which, for admins."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, Field

from api.forms import Schema, instant_of
from api.http.live import AdminCaller, Cursor, Limit, Live, Zone, cursor_of, position_of
from api.store.access import audit
from api.store.rows import PageEnd

__all__ = ["router"]

router = APIRouter(prefix="/v1/audit", tags=["service"])


class ActOut(Schema):
    """One act, done or refused."""

    at: AwareDatetime
    tenant_id: Annotated[str | None, Field(description="Whose key it was; null: no good key.")]
    key_id: Annotated[str | None, Field(description="By which key; null: none, or at the console.")]
    role: Annotated[str | None, Field(description="Role of the key.")]
    action: Annotated[str, Field(description="What was to be done: `task.publish`, or method and address.")]
    object_kind: Annotated[str, Field(description="Kind of the object; `call`: refused before it was one.")]
    object_id: Annotated[str | None, Field(description="Which object; null: none was made.")]
    outcome: Annotated[str, Field(description="`done`, or why it was refused.")]
    request_id: Annotated[str | None, Field(description="`X-Request-ID` of the call.")]


class ActPage(Schema):
    """Acts, the newest first; `next` asks for the page after."""

    acts: list[ActOut]
    next: str | None


@router.get("", summary="Who did what to which")
async def page(
    live: Live, caller: AdminCaller, zone: Zone, after: Cursor = None, limit: Limit = 100
) -> ActPage:
    """Return every command, refused ones too, the newest first."""
    position = position_of(after)
    before = None if position is None else int(min(position.created_s, 2.0**62))

    def read() -> list[audit.EntryRow]:
        with live.database.reading() as connection:
            return audit.page(connection, caller.scope, before, limit)

    rows = await run_in_threadpool(read)
    last = PageEnd(float(rows[-1].seq), "") if len(rows) == limit else None
    shown = [
        ActOut(
            at=instant_of(one.at_s, zone),
            tenant_id=one.tenant_id,
            key_id=one.key_id,
            role=one.role,
            action=one.action,
            object_kind=one.object_kind,
            object_id=one.object_id,
            outcome=one.outcome,
            request_id=one.request_id,
        )
        for one in (row.entry for row in rows)
    ]
    return ActPage(acts=shown, next=cursor_of(last))
