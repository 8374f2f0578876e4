"""``/v1/riders/me/...``: a rider's points, score and purchases; statements of benefit time."""

import datetime
from collections.abc import Callable
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Request
from fastapi.concurrency import run_in_threadpool

from api.civic.people import person_of
from api.civic.points import benefit_statements as statements
from api.civic.points import spending
from api.civic.points.forms import (
    BuyIn,
    CodeIn,
    CodeOut,
    EntryKind,
    EntryOut,
    KeySet,
    OwnedItem,
    PointsAccount,
    PostingOut,
    ScoreLineOut,
    ScoreOut,
    StatementOut,
    TimeIn,
)
from api.civic.wording import score_text
from api.dispatch import codec
from api.dispatch.commands import task_of_offer
from api.dispatch.desk import Desk, MissingError, Turn
from api.forms import Identifier, Language, ServiceId, instant_of
from api.http.access.auth import Caller, require
from api.http.deps import Lang
from api.http.live import Cursor, Limit, Live, PlatformCaller, RiderCaller, Zone, carried_out, commanded
from api.http.repeats import RepeatableRoute
from api.http.routes.civic.shared import CivicSide, Now
from api.settings import Settings
from api.store import SERVICE
from api.store.civic import ledger
from api.store.civic import people as people_rows
from api.store.civic import rewards as catalogue
from api.store.dispatch import events as stored
from api.store.dispatch import offers as offer_rows
from api.store.dispatch import tasks as task_rows
from geo.errors import InputError
from routing.civic import Entry, ScoreRules, contribution
from routing.dispatch import ConflictError, RiderKey

__all__ = ["entry_out", "router"]

router = APIRouter(prefix="/v1", tags=["points"], route_class=RepeatableRoute)
MeCaller = Annotated[Caller, Depends(require("rider"))]
OfferId = Annotated[ServiceId, Path(description="`offer_id` of the offer.")]


def _me(caller: Caller) -> RiderKey:
    who = caller.scope
    if who.rider_id is None or who.tenant_id is None:
        raise InputError("this is for a rider's own key")
    return RiderKey(who.tenant_id, who.rider_id)


async def _account_of(live: Desk, rider: RiderKey, ids: Callable[[], str]) -> str:
    """Return the pseudonym behind a rider's account; made where nothing was ever booked."""

    def known() -> str | None:
        with live.database.reading() as connection:
            return people_rows.pseudonym(connection, SERVICE, rider.platform, rider.rider_id)

    found = await run_in_threadpool(known)
    if found is not None:
        return found

    def made(turn: Turn) -> str:
        turn.changing = True
        return person_of(turn, rider, ids)

    return await carried_out(live, made)


def entry_out(entry: Entry, account: str, zone: datetime.tzinfo) -> EntryOut:
    """Return an entry as far as it is about an account."""
    changes = [
        PostingOut(unit=one.unit, amount=one.amount) for one in entry.postings if one.account == account
    ]
    return EntryOut(
        key=entry.key,
        at=instant_of(entry.at_s, zone),
        kind=cast(EntryKind, entry.kind),
        about=entry.about,
        community=entry.community,
        note=entry.note,
        changes=changes,
    )


@router.get("/riders/me/points", summary="My points, and how I came by them")
async def mine(
    live: Live, caller: MeCaller, civic: CivicSide, zone: Zone, after: Cursor = None, limit: Limit = 100
) -> PointsAccount:
    """Return balances and entries, the newest first: they stay when the account at the platform ends."""
    who = await _account_of(live, _me(caller), civic.ids)
    before = _number(after)

    def read() -> PointsAccount:
        account = f"rider:{who}"
        with live.database.reading() as connection:
            held = ledger.balances(connection, SERVICE, account)
            found = ledger.entries_of(connection, SERVICE, account, before, limit)
        return PointsAccount(
            account=who,
            points=held.get("points", 0),
            yuan=held.get("fen", 0) / 100,
            time_s=held.get("seconds", 0),
            training=held.get("training", 0),
            drills=held.get("drill", 0),
            items=[OwnedItem(item=item, pieces=n) for item, n in sorted(catalogue.owned(held).items())],
            entries=[entry_out(entry, account, zone) for _, entry in found],
            next=str(found[-1][0]) if len(found) == limit else None,
        )

    return await run_in_threadpool(read)


def _number(after: str | None) -> int | None:
    if after is None:
        return None
    if not (after.isascii() and after.isdecimal() and len(after) <= 18):
        raise InputError("after is not the `next` of a page before")
    return int(after)


async def _score(
    live: Desk, rider: RiderKey, rules: ScoreRules, now_s: float, lang: Language, zone: datetime.tzinfo
) -> ScoreOut:
    def read() -> ScoreOut:
        with live.database.reading() as connection:
            who = people_rows.pseudonym(connection, SERVICE, rider.platform, rider.rider_id)
            if who is None:
                return ScoreOut(score=0.0, lines=[])
            found = ledger.entries_of(connection, SERVICE, f"rider:{who}")
        score = contribution((entry for _, entry in reversed(found)), who, now_s, rules)
        lines = [
            ScoreLineOut(
                key=line.key, at=instant_of(line.at_s, zone), score=round(line.score, 3),
                text=score_text(line.said, lang),
            )
            for line in score.lines
        ]  # fmt: skip
        return ScoreOut(score=round(score.total, 3), lines=lines)

    return await run_in_threadpool(read)


@router.get("/riders/me/score", summary="My contribution score, line by line")
async def my_score(
    live: Live, caller: MeCaller, civic: CivicSide, zone: Zone, lang: Lang, now_s: Now
) -> ScoreOut:
    """Return what each task, bonus, course and drill of the last 90 days adds."""
    return await _score(live, _me(caller), civic.rules.score, now_s, lang, zone)


@router.get("/riders/{rider_id}/score", summary="A rider's contribution score, line by line")
async def score_of(
    live: Live, caller: PlatformCaller, civic: CivicSide, zone: Zone, lang: Lang, now_s: Now,
    rider_id: Annotated[Identifier, Path(description="The platform's own name of the rider.")],
) -> ScoreOut:  # fmt: skip
    """Let a platform give orders first to those who help: `contribution` in the plans that it sends."""
    rider = RiderKey(str(caller.scope.tenant_id), rider_id)
    return await _score(live, rider, civic.rules.score, now_s, lang, zone)


async def _do(
    live: Desk,
    caller: Caller,
    zone: datetime.tzinfo,
    verb: str,
    work: Callable[[Turn, RiderKey], spending.Booked],
    ids: Callable[[], str],
) -> EntryOut:
    rider = _me(caller)
    done = await commanded(live, caller, (f"points.{verb}", None), lambda turn: work(turn, rider))
    who = await _account_of(live, rider, ids)
    return entry_out(done.entry, f"rider:{who}", zone)


@router.post("/riders/me/purchases", status_code=201, summary="Buy something with points")
async def buy(live: Live, caller: MeCaller, civic: CivicSide, zone: Zone, request: BuyIn) -> EntryOut:
    """Take a piece out of stock and the points from the account, both or neither.

    Points from anywhere buy everywhere in the city. The same purchase under the same `name` counts once.
    """

    def work(turn: Turn, rider: RiderKey) -> spending.Booked:
        return spending.buy(
            turn, rider, civic.ids, name=request.name, item_id=request.item, community=request.community
        )

    return await _do(live, caller, zone, "buy", work, civic.ids)


@router.post("/riders/me/time", status_code=201, summary="Give time of the time bank")
async def give_time(live: Live, caller: MeCaller, civic: CivicSide, zone: Zone, request: TimeIn) -> EntryOut:
    """Move time to the account of somebody who gave it; nobody has less than none."""

    def work(turn: Turn, rider: RiderKey) -> spending.Booked:
        return spending.give_time(
            turn, rider, civic.ids, name=request.name, to=request.account, seconds=request.time_s
        )

    return await _do(live, caller, zone, "give_time", work, civic.ids)


@router.post("/riders/me/moving-code", status_code=201, summary="A code to take my points along")
async def moving_code(live: Live, caller: MeCaller, civic: CivicSide, zone: Zone) -> CodeOut:
    """Return a code, good once within 30 days, for the rider's account at another platform."""
    rider = _me(caller)
    code, expires_s = await commanded(
        live, caller, ("points.code", None), lambda turn: spending.give_code(turn, rider, civic.ids)
    )
    return CodeOut(code=code, expires=instant_of(expires_s, zone))


@router.post("/riders/me/moved", summary="Take my points along")
async def moved(live: Live, caller: MeCaller, civic: CivicSide, zone: Zone, request: CodeIn) -> PointsAccount:
    """Say with the old account's code that this one is that of the same person."""
    rider = _me(caller)
    await commanded(
        live,
        caller,
        ("points.move", None),
        lambda turn: spending.take_code(turn, rider, request.code, civic.ids),
    )
    return await mine(live, caller, civic, zone)


@router.get("/offers/{offer_id}/statement", summary="Certified public-benefit time of a task")
async def statement(
    live: Live, caller: RiderCaller, zone: Zone, request: Request, offer_id: OfferId
) -> StatementOut:
    """Return what a verified task took from the rider, signed (JWS, EdDSA).

    A platform checks it without asking, by the keys of `GET /v1/statements/keys`, and does not count the time
    as lateness.
    """
    settings: Settings = request.app.state.settings

    def made() -> StatementOut:
        with live.database.reading() as connection:
            row = offer_rows.get(connection, caller.scope, offer_id)
            name = task_of_offer(offer_id)
            task = None if row is None or name is None else task_rows.get(connection, SERVICE, name)
            if task is None or name is None:
                raise MissingError("there is no such offer")
            offer = codec.state_of(task.state).offer(offer_id)
            events = stored.of_task(connection, SERVICE, name)
            time = None if offer is None else statements.benefit_time(name, offer, events, settings.issuer)
            if time is None:
                raise ConflictError("not_done", task.status)
        text = statements.signer(live.database).sign(time)
        return StatementOut(
            statement=text,
            issuer=time.issuer,
            platform=time.platform,
            since=instant_of(time.from_s, zone),
            until=instant_of(time.until_s, zone),
        )

    return await run_in_threadpool(made)


@router.get("/statements/keys", summary="Public keys to check statements with")
async def statement_keys(live: Live) -> KeySet:
    """Return a key set (RFC 7517); keep it, and check statements offline."""

    def read() -> KeySet:
        return KeySet.model_validate(statements.signer(live.database).key_set())

    return await run_in_threadpool(read)
