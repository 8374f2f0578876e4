"""What is kept of riders whose platform tells no plan: where they have been lately, and where they stopped.

It lies in the rider's own row and goes with it: positions of the last quarter of an hour, and the last
`MOST_PAST` stops of four weeks. No answer shows it; only offers to riders of the same platform come of it.
Once a platform tells the rider's plan, it is dropped.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from api.dispatch.turn import Turn
from api.store import SERVICE
from api.store.dispatch import riders as rider_rows
from geo.earth import near_metres
from geo.localtime import DAY_S
from routing.foretelling import RECENT_S, SeenRider

__all__ = ["forget_old", "sighted", "with_seen"]

KEY: Final = "seen"
APART_S: Final = 10.0
"""Positions closer in time than this are not kept: 90 of them are a quarter of an hour."""
STAND_M: Final = 50.0
STOP_S: Final = 120.0
"""Whoever stays so long within so many metres stops there; a red light is shorter."""
PAST_S: Final = 28 * DAY_S
MOST_PAST: Final = 100


@dataclasses.dataclass(frozen=True, slots=True)
class _Kept:
    """Rows of (epoch s, lon, lat), rising; ``stand``: since when and where the rider has been standing."""

    recent: list[list[float]] = dataclasses.field(default_factory=list)
    past: list[list[float]] = dataclasses.field(default_factory=list)
    stand: list[float] | None = None

    def since(self, now_s: float) -> "_Kept":
        """Return what is not too old."""
        stand = self.stand if self.stand is not None and self.stand[0] >= now_s - PAST_S else None
        return _Kept(
            [row for row in self.recent if row[0] >= now_s - RECENT_S],
            [row for row in self.past if row[0] >= now_s - PAST_S][-MOST_PAST:],
            stand,
        )


def with_seen(body: dict[str, Any]) -> dict[str, Any]:
    """Return a rider's new body, in which stands what was seen before, with what is seen now."""
    if "stops" in body:
        body.pop(KEY, None)
        return body
    at_s, lon, lat = body["at_s"], body["lon"], body["lat"]
    kept = _Kept(**body.get(KEY, {})).since(at_s)
    here = [at_s, lon, lat]
    stand = kept.stand if kept.stand is not None and _apart_m(kept.stand, here) < STAND_M else here
    past = kept.past
    if at_s - stand[0] >= STOP_S and (not past or past[-1] != stand):
        past = [*past, stand][-MOST_PAST:]
    recent = kept.recent
    if not recent or at_s - recent[-1][0] >= APART_S:
        recent = [*recent, here]
    return {**body, KEY: {"recent": recent, "past": past, "stand": stand}}


def _apart_m(a: list[float], b: list[float]) -> float:
    return near_metres((a[1], a[2]), (b[1], b[2]))


def sighted(body: Mapping[str, Any]) -> SeenRider | None:
    """Return what was seen of a rider who told no plan; None: they told one."""
    if "stops" in body:
        return None
    kept = body.get(KEY, {})
    here = [body["at_s"], body["lon"], body["lat"]]
    recent = np.array([*(row for row in kept.get("recent", ()) if row[0] < here[0]), here])
    past = np.array(kept.get("past", ()), np.float64).reshape(-1, 3)
    return SeenRider(recent[:, 0], recent[:, 1:], past[:, 0], past[:, 1:])


def forget_old(turn: Turn) -> None:
    """Forget of riders who report no more what is too old to be kept."""
    old: dict[str, list[rider_rows.RiderUpdate]] = {}
    for key, body in turn.memory.bodies.items():
        if KEY not in body or body["at_s"] >= turn.now_s - RECENT_S:
            continue
        left = dataclasses.asdict(_Kept(**body[KEY]).since(turn.now_s))
        if left == body[KEY]:
            continue
        rest = {name: value for name, value in body.items() if name != KEY}
        news = {**rest, KEY: left} if left["past"] or left["stand"] else rest
        old.setdefault(key.platform, []).append(rider_rows.RiderUpdate(key.rider_id, body["at_s"], news))
        turn.memory.bodies[key] = news
    for platform, updates in old.items():
        rider_rows.put(turn.connection, SERVICE, platform, updates)
