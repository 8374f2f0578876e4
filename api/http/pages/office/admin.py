"""Administration: tenants, keys (made, shown once, replaced, revoked), and who did what to which."""

import secrets
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from api.dispatch import acts
from api.dispatch.desk import Turn
from api.http.live import cursor_of, position_of
from api.http.pages.frame.forms import CHOOSE, FILL_IN, Fields, FieldsError, Posted, number
from api.http.pages.frame.render import see_other
from api.http.pages.frame.route import PageRoute, told
from api.http.pages.frame.visit import PageVisit, visit_of
from api.store.access import audit, idempotency, keys, tenants
from api.store.rows import PageEnd
from api.store.tables import ROLES, TENANT_KINDS
from geo.errors import InputError
from geo.localtime import DAY_S

__all__ = ["router"]

router = APIRouter(prefix="/admin", include_in_schema=False, route_class=PageRoute)
AdminVisit = Annotated[PageVisit, Depends(visit_of())]
KeyId = Annotated[str, Path(max_length=64)]
LISTED = 100
DAYS = (0, 36_500)
"""For which a key may be good; 0: until it is revoked."""


def _on_record(turn: Turn, visit: PageVisit, action: str, object_id: str | None) -> None:
    me = visit.me
    turn.acts.append(acts.entry(me.scope, me.key_id, me.request_id, action, object_id, acts.DONE, turn.now_s))


@router.get("")
async def start(visit: AdminVisit) -> Response:
    """Show tenants and keys."""
    return await _overview(visit, {})


async def _overview(visit: PageVisit, values: Any, error: str | None = None, status: int = 200) -> Response:  # noqa: ANN401
    def read() -> tuple[list[tenants.Tenant], list[keys.ApiKey]]:
        with visit.live.database.reading() as connection:
            return tenants.list_all(connection, visit.who), keys.list_all(connection, visit.who)

    listed, made = await visit.read(read)
    now_s = visit.now.timestamp()
    made.sort(key=lambda one: (not one.usable(now_s), -one.created_s))
    return visit.page(
        "admin",
        status,
        tenants=listed,
        keys=made,
        usable={one.key_id for one in made if one.usable(now_s)},
        roles=ROLES,
        kinds=TENANT_KINDS,
        once=secrets.token_hex(12),
        values=values,
        error=error,
    )


@router.post("/tenants")
async def add_tenant(visit: AdminVisit, fields: Posted) -> Response:
    """Add a tenant."""
    name, kind = fields.get("tenant_id", ""), fields.get("kind", "")
    made = tenants.Tenant(name, fields.get("name", name)[:100], kind, visit.now.timestamp())  # type: ignore[arg-type]

    def work(turn: Turn) -> None:
        tenants.add(turn.connection, visit.who, made)
        _on_record(turn, visit, "tenant.add", name)

    try:
        if not _is_id(name):
            raise FieldsError({"tenant_id": "1 to 40 letters, digits, dots, hyphens or underscores"})
        if kind not in TENANT_KINDS:
            raise FieldsError({"kind": CHOOSE})
        await visit.carried_out(work)
    except InputError as error:
        return await _overview(visit, fields, told(error, visit.visitor.lang), 422)
    return see_other("/admin")


def _is_id(name: str) -> bool:
    plain = name.replace("_", "").replace("-", "").replace(".", "")
    return 1 <= len(name) <= 40 and plain.isascii() and plain.isalnum() and name[0].isalnum()


async def _shown_once(
    visit: PageVisit, fields: Fields, make: Callable[[Turn], tuple[keys.ApiKey, str]], action: str
) -> Response:
    """Make a key and show it; the form sent again makes no second one."""
    once, who = f"page-{fields.get('once', '')}"[:100], visit.who
    tenant = str(who.tenant_id)

    def work(turn: Turn) -> tuple[keys.ApiKey, str]:
        begun = idempotency.begin(turn.connection, who, tenant, once, action, turn.now_s)
        if begun.state != "new":
            raise InputError("this form was sent before; its key was shown then")
        try:
            key, text = make(turn)
        except InputError:
            idempotency.release(turn.connection, who, tenant, once)
            raise
        idempotency.finish(turn.connection, who, tenant, once, idempotency.KeptAnswer(200, {}, b""))
        _on_record(turn, visit, action, key.key_id)
        return key, text

    try:
        key, text = await visit.carried_out(work)
    except InputError as error:
        return await _overview(visit, fields, told(error, visit.visitor.lang), 422)
    # Shown in the answer itself: the key is kept nowhere to be shown a second time.
    return visit.page("admin_key", key=key, text=text)


@router.post("/keys")
async def create(visit: AdminVisit, fields: Posted) -> Response:
    """Make a key."""
    role, detail = fields.get("role", ""), fields.get("detail", "")
    try:
        days = number(fields, "days", 0.0, DAYS)
        if role not in ROLES:
            raise FieldsError({"role": CHOOSE})
        if not detail and role in ("rider", "grid_staff"):
            raise FieldsError({"detail": FILL_IN})
        if "tenant" not in fields:
            raise FieldsError({"tenant": CHOOSE})
    except InputError as error:
        return await _overview(visit, fields, told(error, visit.visitor.lang), 422)
    wanted = keys.NewKey(
        fields["tenant"],
        role,  # type: ignore[arg-type]
        fields.get("name", "")[:100],
        tuple(detail.replace(",", " ").split()) if role == "grid_staff" else (),
        detail or None if role == "rider" else None,
        visit.now.timestamp() + days * DAY_S if days > 0 else None,
    )
    return await _shown_once(
        visit,
        fields,
        lambda turn: keys.create(turn.connection, visit.who, wanted, turn.now_s),
        "key.create",
    )


@router.post("/keys/{key_id}/rotate")
async def rotate(visit: AdminVisit, fields: Posted, key_id: KeyId) -> Response:
    """Make a key like another one, which ends after some days."""
    try:
        overlap_s = number(fields, "days", 1.0, DAYS) * DAY_S
    except InputError as error:
        return await _overview(visit, fields, told(error, visit.visitor.lang), 422)
    return await _shown_once(
        visit,
        fields,
        lambda turn: keys.rotate(turn.connection, visit.who, key_id, overlap_s, turn.now_s),
        "key.rotate",
    )


@router.post("/keys/{key_id}/revoke")
async def revoke(visit: AdminVisit, fields: Posted, key_id: KeyId) -> Response:
    """End a key now, and the sessions that it has opened."""

    def work(turn: Turn) -> None:
        keys.revoke(turn.connection, visit.who, key_id, turn.now_s)
        _on_record(turn, visit, "key.revoke", key_id)

    try:
        await visit.carried_out(work)
    except InputError as error:
        return await _overview(visit, {}, told(error, visit.visitor.lang), 422)
    return see_other("/admin")


@router.get("/audit")
async def record(visit: AdminVisit, after: Annotated[str | None, Query(max_length=400)] = None) -> Response:
    """Show who did what to which, the newest first."""
    position = position_of(after)
    before = None if position is None else int(min(position.created_s, 2.0**62))

    def read() -> list[audit.EntryRow]:
        with visit.live.database.reading() as connection:
            return audit.page(connection, visit.who, before, LISTED)

    rows = await visit.read(read)
    last = PageEnd(float(rows[-1].seq), "") if len(rows) == LISTED else None
    return visit.page("admin_audit", entries=[row.entry for row in rows], next=cursor_of(last))
