"""``/v1/webhooks``: where a tenant wants its events sent."""

import dataclasses
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, Field

from api.dispatch.desk import Desk, MissingError, Turn
from api.dispatch.webhooks import check_address, new_secret, rotated
from api.forms import Schema, ServiceId, instant_of
from api.http.deps import Ids
from api.http.live import HookCaller, Live, Zone, commanded
from api.http.repeats import OnceRoute, answered, json_answer
from api.store.dispatch import events as stored
from api.store.dispatch import webhooks as hooks
from geo.localtime import DAY_S

__all__ = ["router"]

router = APIRouter(prefix="/v1/webhooks", tags=["events"], route_class=OnceRoute)
HookId = Annotated[ServiceId, Path(description="`webhook_id` of the webhook.")]


class WebhookIn(Schema):
    """An address for events."""

    url: Annotated[
        str,
        Field(
            min_length=8,
            max_length=500,
            pattern=r"^[\x21-\x7e]*$",
            description="Answers 2xx when it has the event.",
        ),
    ]
    kinds: Annotated[
        tuple[Annotated[str, Field(max_length=40, pattern=r"^[a-z_]*$")], ...],
        Field(max_length=50, description="Kinds of events that are sent; none: all."),
    ] = ()


class WebhookOut(Schema):
    """An address, and how it fares."""

    webhook_id: str
    url: str
    kinds: list[str]
    state: Literal["active", "failing", "disabled"]
    failures: Annotated[int, Field(description="In a row, since the last success.")]
    last: Annotated[str, Field(description="`seq` of the last event that arrived.")]
    retry_at: AwareDatetime | None
    secret: Annotated[
        str | None, Field(description="For the signature; shown once, when it is made or replaced.")
    ] = None


class WebhookList(Schema):
    """The caller's webhooks."""

    webhooks: list[WebhookOut]


class ReplayIn(Schema):
    """From where events are sent again."""

    after: Annotated[
        str | None,
        Field(max_length=40, description="Only events after this `seq` or `last`; null: all."),
    ] = None


class RotateIn(Schema):
    """For how long the secret so far goes on."""

    overlap_s: Annotated[
        float, Field(ge=0, le=7 * DAY_S, description="So long the secret so far signs too.")
    ] = DAY_S


def _out(live: Desk, webhook: hooks.Webhook, zone: Zone, secret: str | None = None) -> WebhookOut:
    return WebhookOut(
        webhook_id=webhook.webhook_id,
        url=webhook.url,
        kinds=list(webhook.kinds),
        state=webhook.state,
        failures=webhook.failures,
        last=live.numbers.word(webhook.tenant_id, webhook.next_seq),
        retry_at=None if webhook.retry_at_s is None else instant_of(webhook.retry_at_s, zone),
        secret=secret,
    )


@router.post("", status_code=201, response_model=WebhookOut, summary="Have events sent to an address")
async def post(
    live: Live, caller: HookCaller, zone: Zone, ids: Ids, http: Request, request: WebhookIn
) -> Response:
    """Send what happens from now on, signed as Standard Webhooks has it, again until it arrives.

    The events of a task arrive in their order, each at least once: tell them apart by `webhook-id`.
    """
    private = bool(http.app.state.settings.webhooks_private)
    await run_in_threadpool(check_address, request.url, private=private)

    def add(turn: Turn) -> hooks.Webhook:
        made = hooks.Webhook(
            webhook_id=ids(),
            tenant_id=str(caller.scope.tenant_id),
            url=request.url,
            secret=new_secret(),
            kinds=list(request.kinds),
            state="active",
            failures=0,
            next_seq=stored.last_seq(turn.connection, caller.scope),
            retry_at_s=None,
            created_s=turn.now_s,
        )
        hooks.add(turn.connection, caller.scope, made)
        return made

    def told(made: hooks.Webhook) -> Response:
        return json_answer(_out(live, made, zone, made.secret), 201)

    return await answered(live, caller, ("webhook.add", None), add, told)


@router.get("", summary="List webhooks")
async def page(live: Live, caller: HookCaller, zone: Zone) -> WebhookList:
    """Return the caller's webhooks with their state; secrets are not shown again."""

    def read() -> list[hooks.Webhook]:
        with live.database.reading() as connection:
            return hooks.list_all(connection, caller.scope)

    return WebhookList(webhooks=[_out(live, one, zone) for one in await run_in_threadpool(read)])


@router.post(
    "/{webhook_id}/replay", response_model=WebhookOut, summary="Send events again, or switch a webhook on"
)
async def replay(
    live: Live, caller: HookCaller, zone: Zone, webhook_id: HookId, request: ReplayIn
) -> Response:
    """Go on after an event of the past; a webhook that was switched off is active again."""
    who = caller.scope

    def again(turn: Turn) -> hooks.Webhook:
        known = hooks.load_for_update(turn.connection, who, webhook_id)
        if known is None:
            raise MissingError("there is no such webhook")
        seq = 0 if request.after is None else live.numbers.seq(known.tenant_id, request.after)
        on = dataclasses.replace(known, next_seq=seq, state="active", failures=0, retry_at_s=None)
        hooks.save(turn.connection, who, on)
        return on

    def told(on: hooks.Webhook) -> Response:
        return json_answer(_out(live, on, zone))

    return await answered(live, caller, ("webhook.replay", webhook_id), again, told)


@router.post("/{webhook_id}/secret", response_model=WebhookOut, summary="Replace the secret of a webhook")
async def rotate(
    live: Live, caller: HookCaller, zone: Zone, webhook_id: HookId, request: RotateIn
) -> Response:
    """Return a new secret, shown once. For `overlap_s` every message bears a signature of each.

    Standard Webhooks has them in one header, with blanks between: a receiver takes the message where one of
    them is right, so that it may change its secret at any moment meanwhile.
    """
    who = caller.scope

    def again(turn: Turn) -> hooks.Webhook:
        known = hooks.load_for_update(turn.connection, who, webhook_id)
        if known is None:
            raise MissingError("there is no such webhook")
        now = rotated(known, new_secret(), turn.now_s, request.overlap_s)
        hooks.save(turn.connection, who, now)
        return now

    def told(now: hooks.Webhook) -> Response:
        return json_answer(_out(live, now, zone, now.secret))

    return await answered(live, caller, ("webhook.rotate", webhook_id), again, told)


@router.delete("/{webhook_id}", status_code=204, summary="Send no more events there")
async def delete(live: Live, caller: HookCaller, webhook_id: HookId) -> Response:
    """Forget an address and its secret."""

    def remove(turn: Turn) -> None:
        if not hooks.remove(turn.connection, caller.scope, webhook_id):
            raise MissingError("there is no such webhook")

    await commanded(live, caller, ("webhook.remove", webhook_id), remove)
    return Response(status_code=204)
