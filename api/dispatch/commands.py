"""What callers may want of the live city, as functions of a turn; who may want it is checked here.

An object outside of the caller's scope is not there for them: no answer tells whether it exists.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from api.dispatch.kept.sightings import sighted
from api.dispatch.turn import Labelled, MissingError, Turn
from api.store import OutOfScopeError, Scope
from api.store.dispatch import offers as offer_rows
from api.store.dispatch import riders as rider_rows
from api.store.dispatch import tasks as task_rows
from routing.dispatch import (
    Change,
    Command,
    ConflictError,
    Decline,
    Finish,
    Lapse,
    Offer,
    Reopen,
    Return,
    RiderKey,
    Start,
    TaskState,
)
from routing.model import Rider, Task

__all__ = [
    "Answered",
    "Published",
    "RiderReport",
    "RidersPut",
    "accept",
    "answer_offer",
    "delete_riders",
    "on_task",
    "publish",
    "published_grid",
    "put_riders",
    "task_of_offer",
    "view",
]


@dataclasses.dataclass(frozen=True, slots=True)
class RiderReport:
    """What a platform says of one rider, in WGS-84."""

    rider_id: str
    at_s: float
    body: Mapping[str, Any]
    """As stored: the whole of it, what was known before and what is new."""
    lonlat: tuple[float, float]
    rider: Callable[[], Rider]
    """The whole rider; of one who has only moved it is seldom asked for."""
    moved_only: bool
    """Nothing but the position is new."""


@dataclasses.dataclass(frozen=True, slots=True)
class RidersPut:
    """What became of reports."""

    written: int
    ignored: tuple[str, ...]
    off_network: tuple[tuple[str, float], ...]


def put_riders(turn: Turn, who: Scope, platform: str, reports: Sequence[RiderReport]) -> RidersPut:
    """Take up reports of a platform's riders; older ones than those known are ignored."""
    turn.changing = True
    updates = [rider_rows.RiderUpdate(one.rider_id, one.at_s, one.body) for one in reports]
    written = rider_rows.put(turn.connection, who, platform, updates)
    turn.wrote_riders(written)
    news = set(written.written)
    # Of several reports of one rider the newest counts, as in the store; of equals the last.
    newest = {one.rider_id: one for one in sorted(reports, key=lambda one: one.at_s) if one.rider_id in news}
    board = turn.city.board
    moved: list[tuple[RiderKey, RiderReport]] = []
    put: list[tuple[RiderKey, RiderReport]] = []
    for one in newest.values():
        key = RiderKey(platform, one.rider_id)
        turn.memory.bodies[key] = one.body
        board.untold.note(key.fleet_id, sighted(one.body))
        (moved if one.moved_only and key in board else put).append((key, one))
    off = board.put([(key, one.rider()) for key, one in put], turn.now_s) if put else ()
    if moved:
        lonlat = np.array([one.lonlat for _, one in moved])
        lost = set(board.move([key for key, _ in moved], lonlat, turn.now_s))
        again = [(key, one.rider()) for key, one in moved if key in lost]
        # Off the streets, or no way on: the whole plan says which.
        off += board.put(again, turn.now_s) if again else ()
    return RidersPut(len(news), written.ignored, tuple((key.rider_id, metres) for key, metres in off))


def delete_riders(turn: Turn, who: Scope, platform: str, rider_ids: Sequence[str], at_s: float) -> int:
    """Take riders off: no task is offered to them any more; what they have accepted stays theirs."""
    turn.changing = True
    gone = rider_rows.delete(turn.connection, who, platform, rider_ids, at_s)
    turn.wrote_riders(gone)
    keys = [RiderKey(platform, rider_id) for rider_id in gone.written]
    turn.city.board.remove(keys)
    for key in keys:
        turn.memory.bodies.pop(key, None)
    return len(keys)


def published_grid(who: Scope, given: str | None) -> str | None:
    """Return the grid of what somebody publishes: grid staff need not name the only one they answer for."""
    return who.grid_codes[0] if given is None and len(who.grid_codes) == 1 else given


@dataclasses.dataclass(frozen=True, slots=True)
class Published:
    """A task as it is kept now."""

    row: task_rows.TaskRow
    state: TaskState
    new: bool = False


def publish(
    turn: Turn,
    who: Scope,
    task: Task,
    *,
    label: str,
    grid_code: str | None,
    body: Mapping[str, Any],
    never: tuple[RiderKey, ...] = (),
) -> Published:
    """Publish a task under the publisher's own name for it; the same again changes nothing.

    Riders in `never` are not asked.

    Raises
    ------
    ConflictError
        ``exists`` where the publisher has another task under that name; ``past``.
    OutOfScopeError
        Where the caller may not publish there.
    """
    tenant = str(who.tenant_id)
    row = turn.called(Labelled(who, tenant, label))
    if row is not None:
        if row.body != body:
            raise ConflictError("exists", row.status)
        return view(turn, row.task_id)
    lon, lat = task.place.lonlat
    row = task_rows.TaskRow(
        task.task_id, tenant, label, "published", grid_code, lon, lat, None, turn.now_s, 1, body, {}
    )
    if who.role == "grid_staff" and grid_code not in who.grid_codes:
        raise OutOfScopeError("a task of grid staff lies in one of their own unit grids")
    turn.changing = True
    happened = turn.city.publish(task, tenant, turn.now_s, ask=turn.memory.leading, never=never)
    turn.add(row)
    turn.record(happened)
    return dataclasses.replace(view(turn, task.task_id), new=True)


def view(turn: Turn, task_id: str) -> Published:
    """Return a task as it is after what this turn has done."""
    state = turn.state(task_id)
    if state is None:
        raise MissingError("there is no such task")
    return Published(dataclasses.replace(turn.row(task_id), version=turn.version(task_id)), state)


def on_task(
    turn: Turn,
    who: Scope,
    task_id: str,
    command: Command,
    version: int | None = None,
    body: Mapping[str, Any] | None = None,
) -> Published:
    """Carry out a publisher's command.

    Parameters
    ----------
    version : int, optional
        Of the task as the caller has read it; the command counts only while it is that.
    body : mapping, optional
        Of a changed task: its request.

    Raises
    ------
    MissingError, ConflictError
    VersionConflictError
        Where somebody else was faster.
    """
    state = turn.state(task_id)
    if state is None or not _publishes(who, turn.row(task_id)):
        raise MissingError("there is no such task")
    if version is not None and version != turn.version(task_id):
        raise task_rows.VersionConflictError("the task was changed since it was read; read it again")
    turn.changing = True
    asks_again = isinstance(command, Change | Reopen)
    run = turn.city.then_ask if asks_again and turn.memory.leading else turn.city.handle
    happened = run(task_id, command, turn.now_s)
    if body is not None:
        turn.rewrite(task_id, body)
    turn.record(happened)
    return view(turn, task_id)


def _publishes(who: Scope, row: task_rows.TaskRow) -> bool:
    if who.role == "admin":
        return True
    if who.tenant_id != row.tenant_id or who.role == "rider":
        return False
    return who.role != "grid_staff" or row.grid_code in who.grid_codes


def task_of_offer(offer_id: str) -> str | None:
    """Return the task of an offer, as its id has it; None where it is no id of an offer."""
    return offer_id.rpartition("-")[0] or None


def _offer(turn: Turn, who: Scope, offer_id: str) -> tuple[str, Offer]:
    task_id = task_of_offer(offer_id)
    state = turn.state(task_id) if task_id else None
    offer = None if state is None else state.offer(offer_id)
    if task_id is None or offer is None or not _rides(who, offer.rider):
        raise MissingError("there is no such offer")
    return task_id, offer


def _rides(who: Scope, rider: RiderKey) -> bool:
    if who.role == "admin":
        return True
    if who.role not in ("platform", "rider") or who.tenant_id != rider.platform:
        return False
    return who.role == "platform" or who.rider_id == rider.rider_id


@dataclasses.dataclass(frozen=True, slots=True)
class Answered:
    """An offer after an answer; ``conflict`` where the plan no longer allowed a yes."""

    row: offer_rows.OfferRow
    state: TaskState
    offer: Offer
    conflict: ConflictError | None = None


def accept(turn: Turn, who: Scope, offer_id: str) -> Answered:
    """Accept an offer; where the plan no longer allows it, the offer ends and the next best is asked.

    Raises
    ------
    MissingError
    ConflictError
        Where the offer is no longer open.
    """
    task_id, _ = _offer(turn, who, offer_id)
    turn.changing = True
    conflict: ConflictError | None = None
    try:
        turn.record(turn.city.accept(task_id, offer_id, turn.now_s))
    except ConflictError as error:
        if error.refused is None:
            raise
        conflict = error
        lapse = Lapse(offer_id, error.refused.binding.rule)
        run = turn.city.then_ask if turn.memory.leading else turn.city.handle
        turn.record(run(task_id, lapse, turn.now_s))
    return _answered(turn, task_id, offer_id, conflict)


def answer_offer(turn: Turn, who: Scope, command: Decline | Return | Start | Finish) -> Answered:
    """Carry out what a rider says of an offer; after a no the next best is asked at once."""
    task_id, _ = _offer(turn, who, command.offer_id)
    turn.changing = True
    asks_again = isinstance(command, Decline | Return)
    run = turn.city.then_ask if asks_again and turn.memory.leading else turn.city.handle
    turn.record(run(task_id, command, turn.now_s))
    return _answered(turn, task_id, command.offer_id)


def _answered(turn: Turn, task_id: str, offer_id: str, conflict: ConflictError | None = None) -> Answered:
    state = turn.city.tasks[task_id]
    offer = state.offer(offer_id)
    if offer is None:
        raise MissingError("there is no such offer")
    return Answered(turn.memory.offers[offer_id], state, offer, conflict)
