"""Riders of the live city on its streets: read, followed, and set aside when nothing is heard of them."""

import contextlib
import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from api.dispatch import codec
from api.dispatch.kept.sightings import sighted
from api.dispatch.turn import Memory
from api.store.dispatch import riders as rider_rows
from routing.dispatch import City, RiderKey
from routing.model import Rider

__all__ = ["lay_riders", "lay_riders_on", "set_silent_aside", "take_up_riders", "undisturbed"]

RiderOf = Callable[[str, Mapping[str, Any]], Rider]
LAID_AT_ONCE: Final = 2_500
"""Riders put on the streets in one go when the city is read."""
LOOK_S: Final = 30.0
"""How often riders are looked for of whom nothing was heard."""


def take_up_riders(
    memory: Memory, city: City, rows: Iterable[rider_rows.RiderRow], rider_of: RiderOf, now_s: float
) -> None:
    """Take up what other processes have written of riders."""
    put, gone = [], []
    for row in rows:
        key = RiderKey(row.tenant_id, row.rider_id)
        if row.body is None:
            gone.append(key)
            memory.bodies.pop(key, None)
        elif memory.bodies.get(key) != row.body:
            memory.bodies[key] = row.body
            city.board.untold.note(key.fleet_id, sighted(row.body))
            put.append((key, rider_of(row.rider_id, row.body)))
    city.board.remove(gone)
    city.board.put(put, now_s)


def lay_riders(memory: Memory, city: City, rider_of: RiderOf, now_s: float) -> None:
    """Put all riders on the streets of a city, but for those of whom nothing was heard for long.

    Ways are computed without the interpreter: while those of some riders are, the next are read.
    """
    known = [one for one in memory.bodies.items() if not _is_silent(one[1], city, now_s)]
    apart = {key for key, _ in known if city.board.knows(key)}
    with ThreadPoolExecutor(1, "yilu-lay") as laying:
        done: list[Future[Any]] = []
        for first in range(0, len(known), LAID_AT_ONCE):
            part = known[first : first + LAID_AT_ONCE]
            table, others = codec.table_of_riders([one for one in part if one[0] not in apart], rider_of)
            others += [(key, rider_of(key.rider_id, body)) for key, body in part if key in apart]
            done.append(laying.submit(city.board.lay, table, now_s))
            done.append(laying.submit(city.board.put, others, now_s))
        for one in done:
            one.result()
    for key, body in known:
        city.board.untold.note(key.fleet_id, sighted(body))


def lay_riders_on(memory: Memory, city: City, rider_of: RiderOf, now_s: float) -> None:
    """Lay the city on streets that have changed; whoever stood off the streets may stand on one now."""
    city.board.lay_on(memory.network, now_s)
    off = [
        (key, rider_of(key.rider_id, body))
        for key, body in memory.bodies.items()
        if city.board.rider(key) is None and not _is_silent(body, city, now_s)
    ]
    city.board.put(off, now_s)


def set_silent_aside(memory: Memory, city: City, now_s: float) -> None:
    """Take riders off the streets of whom nothing was heard for long; their next report brings them back.

    What they have accepted stays theirs. Looked at every `LOOK_S`.
    """
    if memory.looked_s <= now_s < memory.looked_s + LOOK_S:
        return
    memory.looked_s = now_s
    city.board.remove(key for key, body in memory.bodies.items() if _is_silent(body, city, now_s))


def _is_silent(body: Mapping[str, Any], city: City, now_s: float) -> bool:
    return bool(body["at_s"] < now_s - city.rules.silent_for_s)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Look for no garbage among a million new objects while they are made: that takes as long.

    Where what was there before has been put out of its sight for good, the new objects are too.
    """
    collects, settled = gc.isenabled(), gc.get_freeze_count() > 0
    gc.disable()
    try:
        yield
    finally:
        if settled:
            # What was read before is garbage by now.
            gc.unfreeze()
            gc.collect()
            gc.freeze()
        if collects:
            gc.enable()
