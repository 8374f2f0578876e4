"""``/v1/city``: the city at a glance."""

import time

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from api.http.access.auth import Who
from api.http.deps import Clock, Served
from api.http.live import AnswerDatum, Live, Zone, carried_out
from api.overview.forms import CityMinutes, CityOut
from api.overview.sight import anywhere, read_present, read_seen, shown
from api.store import Scope

__all__ = ["router"]

router = APIRouter(prefix="/v1/city", tags=["city"])
KEPT_S = 15.0
"""How soon somebody can be anywhere is worked out so often: it takes a search for each place."""
MOST_KEPT = 64


@router.get("", summary="What goes on now")
async def city(
    live: Live, caller: Who, zone: Zone, clock: Clock, served: Served, request: Request,
    datum: AnswerDatum = "wgs84",
) -> CityOut:  # fmt: skip
    """Return what the caller may see of the city, for a map.

    A platform sees its riders, their offers and alerts; whoever publishes, the tasks and emergencies, and of
    riders only what ten or more stand behind; a rider, what is theirs.
    """
    who, now_s = caller.scope, clock().timestamp()
    present = await carried_out(live, read_present)
    read = await run_in_threadpool(read_seen, live.database, who)
    kept: dict[tuple[str, str], tuple[float, CityMinutes | None]] = request.app.state.anywhere
    name = _seen_alike(who)
    until_s, minutes = kept.get(name, (0.0, None))
    if until_s <= time.monotonic():
        minutes = await run_in_threadpool(anywhere, who, present, served.network, now_s)
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[name] = time.monotonic() + KEPT_S, minutes
    return shown(who, present, read, minutes, served.network, (datum, zone, now_s))


def _seen_alike(who: Scope) -> tuple[str, str]:
    """Return what two callers have in common who see the same riders."""
    if who.role == "platform":
        return "platform", str(who.tenant_id)
    return ("publisher", "") if who.role in ("planner", "grid_staff") else (who.role, "")
