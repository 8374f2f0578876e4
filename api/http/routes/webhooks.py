"""``/v1/webhooks``: where a tenant wants its events sent."""

import base64
import dataclasses
import secrets
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, Field

from api.dispatch.desk import Desk, MissingError
from api.dispatch.webhooks import check_address
from api.forms import Schema, instant_of
from api.http.deps import Clock, Ids
from api.http.live import Live, PublisherCaller, Zone
from api.http.repeats import RepeatableRoute
from api.store import Scope
from api.store import events as stored
from api.store import webhooks as hooks

__all__ = ["router"]

router = APIRouter(prefix="/v1/webhooks", tags=["events"], route_class=RepeatableRoute)
HookId = Annotated[str, Path(max_length=64, description="`webhook_id` of the webhook.")]


class WebhookIn(Schema):
    """An address for events."""

    url: Annotated[str, Field(min_length=8, max_length=500, description="Answers 2xx when it has the event.")]
    kinds: Annotated[
        tuple[Annotated[str, Field(max_length=40)], ...],
        Field(max_length=50, description="Kinds of events that are sent; none: all."),
    ] = ()


class WebhookOut(Schema):
    """An address, and how it fares."""

    webhook_id: str
    url: str
    kinds: list[str]
    state: Literal["active", "failing", "disabled"]
    failures: Annotated[int, Field(description="In a row, since the last success.")]
    last: Annotated[int, Field(description="Number of the last event that arrived.")]
    retry_at: AwareDatetime | None
    secret: Annotated[str | None, Field(description="For the signature; shown once, when it is made.")] = None


class WebhookList(Schema):
    """The caller's webhooks."""

    webhooks: list[WebhookOut]


class ReplayIn(Schema):
    """From where events are sent again."""

    after: Annotated[int, Field(ge=0, description="Only events after this number.")]


def _out(webhook: hooks.Webhook, zone: Zone, secret: str | None = None) -> WebhookOut:
    return WebhookOut(
        webhook_id=webhook.webhook_id,
        url=webhook.url,
        kinds=list(webhook.kinds),
        state=webhook.state,
        failures=webhook.failures,
        last=webhook.next_seq,
        retry_at=None if webhook.retry_at_s is None else instant_of(webhook.retry_at_s, zone),
        secret=secret,
    )


@router.post("", status_code=201, summary="Have events sent to an address")
async def post(
    live: Live, caller: PublisherCaller, zone: Zone, clock: Clock, ids: Ids, http: Request, request: WebhookIn
) -> WebhookOut:
    """Send what happens from now on, signed as Standard Webhooks has it, again until it arrives.

    The events of a task arrive in their order, each at least once: tell them apart by `webhook-id`.
    """
    private = bool(http.app.state.settings.webhooks_private)
    await run_in_threadpool(check_address, request.url, private=private)
    now_s = clock().timestamp()

    def add() -> hooks.Webhook:
        with live.database.transaction() as connection:
            made = hooks.Webhook(
                webhook_id=ids(),
                tenant_id=str(caller.scope.tenant_id),
                url=request.url,
                secret="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
                kinds=list(request.kinds),
                state="active",
                failures=0,
                next_seq=stored.last_seq(connection, caller.scope),
                retry_at_s=None,
                created_s=now_s,
            )
            hooks.add(connection, caller.scope, made)
        return made

    made = await run_in_threadpool(add)
    return _out(made, zone, made.secret)


@router.get("", summary="List webhooks")
async def page(live: Live, caller: PublisherCaller, zone: Zone) -> WebhookList:
    """Return the caller's webhooks with their state; secrets are not shown again."""

    def read() -> list[hooks.Webhook]:
        with live.database.reading() as connection:
            return hooks.list_all(connection, caller.scope)

    return WebhookList(webhooks=[_out(one, zone) for one in await run_in_threadpool(read)])


@router.post("/{webhook_id}/replay", summary="Send events again, or switch a webhook on")
async def replay(
    live: Live, caller: PublisherCaller, zone: Zone, webhook_id: HookId, request: ReplayIn
) -> WebhookOut:
    """Go on after an event of the past; a webhook that was switched off is active again."""
    return _out(await run_in_threadpool(_again, live, caller.scope, webhook_id, request.after), zone)


def _again(live: Desk, who: Scope, webhook_id: str, after: int) -> hooks.Webhook:
    with live.database.transaction() as connection:
        known = hooks.load_for_update(connection, who, webhook_id)
        if known is None:
            raise MissingError("there is no such webhook")
        again = dataclasses.replace(known, next_seq=after, state="active", failures=0, retry_at_s=None)
        hooks.save(connection, who, again)
    return again


@router.delete("/{webhook_id}", status_code=204, summary="Send no more events there")
async def delete(live: Live, caller: PublisherCaller, webhook_id: HookId) -> Response:
    """Forget an address and its secret."""

    def remove() -> bool:
        with live.database.transaction() as connection:
            return hooks.remove(connection, caller.scope, webhook_id)

    if not await run_in_threadpool(remove):
        raise MissingError("there is no such webhook")
    return Response(status_code=204)
