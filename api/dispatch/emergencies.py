"""Emergencies on the live city: commands as functions of a turn, phases that open by the desk's clock.

The life of an emergency is in `routing.dispatch`; whom to alert is decided when it is raised, on the
fleet as it is then. What is written goes with the turn's transaction.
"""

import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import ConfigDict, Field, TypeAdapter

from api.dispatch.turn import MissingError, Turn
from api.store import SERVICE, OutOfScopeError, Scope
from api.store.dispatch import emergencies as rows
from api.store.dispatch import events as stored
from routing.dispatch import (
    AlertClosed,
    AlertCommand,
    AlertEvent,
    AlertState,
    AnswerAlert,
    Arrive,
    Arrived,
    CloseAlert,
    ConflictError,
    PassTime,
    PhaseOpened,
    RaiseAlert,
    Responder,
    RiderKey,
    decide_alert,
    evolve_alert,
)
from routing.emergency import AlertPlan, alert_plan
from routing.model import EmergencyPolicy, Task

__all__ = [
    "Called",
    "Raised",
    "alert_events_of",
    "alert_id",
    "alert_state_of",
    "answer_alert",
    "answering",
    "close",
    "find_alert",
    "follow",
    "open_phases",
    "raise_emergency",
    "raises",
    "remember_open",
    "rides",
]

Said = Literal["yes", "no", "there"]
# As for tasks: JSON knows no window without an end.
_CONFIG = ConfigDict(ser_json_inf_nan="strings")
_STATE = TypeAdapter(tuple[AlertState], config=_CONFIG)
_EVENT = TypeAdapter(tuple[Annotated[AlertEvent, Field(discriminator="kind")]], config=_CONFIG)
_NOTICES = ("alert_sent", "alert_over")
"""They tell a rider's platform what the emergency's own events mean for the rider; no part of the fold."""


@dataclasses.dataclass(frozen=True, slots=True)
class Raised:
    """An emergency as it is kept now."""

    row: rows.EmergencyRow
    state: AlertState
    new: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Called:
    """One rider's alert."""

    alert_id: str
    row: rows.EmergencyRow
    state: AlertState
    responder: Responder

    @property
    def planned(self) -> Mapping[str, Any]:
        """What the plan said of this rider."""
        listed: list[Mapping[str, Any]] = self.row.body["plan"]["alerts"]
        return listed[_number(self.state, self.responder.rider)]


def alert_state_of(kept: object) -> AlertState:
    """Return the state that the store kept."""
    return _STATE.validate_python((kept,))[0]


def _state_json(state: AlertState) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads(_STATE.dump_json((state,)))[0])


def alert_id(row: rows.EmergencyRow, state: AlertState, rider: RiderKey) -> str:
    """Return the name of a rider's alert."""
    return f"{row.emergency_id}-{_word(row, _number(state, rider))}"


def _number(state: AlertState, rider: RiderKey) -> int:
    return next(n for n, one in enumerate(state.responders) if one.rider == rider)


def _word(row: rows.EmergencyRow, number: int) -> str:
    """Return what tells an alert from the others of an emergency; not how many there are."""
    # Emergencies of before have none.
    return str(row.body["plan"]["alerts"][number].get("word", number))


def answering(state: AlertState) -> frozenset[RiderKey]:
    """Return the riders who are on their way, or there, as long as it goes on."""
    return frozenset() if state.closed else frozenset(one.rider for one in state.coming)


def rides(who: Scope, rider: RiderKey) -> bool:
    """Say whether a caller may see and answer the alerts of a rider."""
    if who.role == "admin":
        return True
    if who.role not in ("platform", "rider") or who.tenant_id != rider.platform:
        return False
    return who.role == "platform" or who.rider_id == rider.rider_id


# -- events as the store keeps them
# -------------------------------------------------------------------------------------------------


def _row_of(emergency_id: str, publisher: str, event: AlertEvent, now_s: float) -> stored.Event:
    """Return an event for the store: riders stand where the publisher does not see them."""
    body = cast(dict[str, Any], json.loads(_EVENT.dump_json((event,)))[0])
    kind, rider = body.pop("kind"), body.pop("rider", None)
    private: dict[str, Any] | None = None
    if kind == "alert_raised":
        # No platform is named: nobody but the service reads who all could be alerted.
        private = {"responders": body.pop("responders")}
    return stored.Event(
        now_s,
        kind,
        emergency_id,
        publisher,
        None if rider is None else rider["platform"],
        None if rider is None else rider["rider_id"],
        body,
        private,
    )


def alert_events_of(events: Iterable[stored.EventRow]) -> list[AlertEvent]:
    """Return the events of one emergency as the service reads them, in their order."""
    found = []
    for row in events:
        event = row.event
        if event.kind in _NOTICES:
            continue
        body = {**event.body, "kind": event.kind, **(event.platform_body or {})}
        if event.rider_id is not None:
            body["rider"] = {"platform": event.platform_tenant_id, "rider_id": event.rider_id}
        found.append(_EVENT.validate_python((body,))[0])
    return found


def _notices(
    row: rows.EmergencyRow, before: AlertState | None, event: AlertEvent, now_s: float
) -> list[stored.Event]:
    """Tell each rider concerned, through their platform, what an event of the whole means for them."""
    if before is None:
        return []
    if isinstance(event, PhaseOpened):
        kind, concerned = "alert_sent", [one for one in before.responders if one.phase == event.phase]
    elif isinstance(event, AlertClosed):
        kind, concerned = (
            "alert_over",
            [one for one in before.responders if one.status in ("accepted", "arrived")],
        )
    else:
        return []
    notices = []
    for one in concerned:
        name = alert_id(row, before, one.rider)
        called = Called(name, row, before, one)
        body: dict[str, Any] = {"drill": before.drill}
        private: dict[str, Any] = {"alert_id": name}
        if kind == "alert_sent":
            body |= {"phase": one.phase, "travel_s": one.travel_s}
            private |= {
                "task": _state_json(before)["task"],
                "late_stops": called.planned["late_stops"],
            }
        notices.append(
            stored.Event(
                now_s,
                kind,
                row.emergency_id,
                before.publisher,
                one.rider.platform,
                one.rider.rider_id,
                body,
                private,
            )
        )
    return notices


# -- commands
# -------------------------------------------------------------------------------------------------


def raise_emergency(
    turn: Turn,
    who: Scope,
    task: Task,
    policy: EmergencyPolicy,
    *,
    label: str,
    grid_code: str | None,
    drill: bool,
    body: Mapping[str, Any],
) -> Raised:
    """Alert the soonest riders, phase by phase; the same again under the same name changes nothing.

    Raises
    ------
    ConflictError
        ``exists`` where the publisher has another emergency under that name.
    OutOfScopeError
        Where the caller may not raise one there.
    """
    tenant = str(who.tenant_id)
    # The service looks: whoever may not see it may not take its name either.
    known = rows.by_label(turn.connection, SERVICE, tenant, label)
    if known is not None:
        if known.body["request"] != body or not raises(who, known):
            raise ConflictError("exists", known.status)
        return Raised(known, alert_state_of(known.state))
    if who.role == "grid_staff" and grid_code not in who.grid_codes:
        raise OutOfScopeError("an emergency of grid staff lies in one of their own unit grids")
    plan = alert_plan(turn.city.board.fleet, task, turn.now_s, policy=policy, drill=drill)
    responders = tuple(Responder(RiderKey.of(one.rider_id), one.phase, one.travel_s) for one in plan.alerts)
    events = decide_alert(None, RaiseAlert(task, tenant, responders, policy.phase_wait_s, drill), turn.now_s)
    kept = {"request": dict(body), "plan": _plan_json(plan, turn.memory.word)}
    row = rows.EmergencyRow(task.task_id, tenant, label, "open", grid_code, turn.now_s, 1, kept, {})
    state = _noted(turn, row, None, events)
    row = dataclasses.replace(row, state=_state_json(state))
    rows.insert(turn.connection, who, row)
    remember_open(turn, row.emergency_id, state)
    return Raised(row, state, new=True)


def _plan_json(plan: AlertPlan, word: Callable[[], str]) -> dict[str, Any]:
    """Return what the plan promised; nothing infinite, which JSON does not know."""
    return {
        "within_s": plan.within_s,
        "probability": plan.probability,
        "soonest_s": plan.soonest_s if math.isfinite(plan.soonest_s) else None,
        "alerts": [
            {
                "word": word(),
                "arrives_s": one.arrives_s,
                "late_stops": [
                    [stop_id, late_s if math.isfinite(late_s) else None] for stop_id, late_s in one.late_stops
                ],
            }
            for one in plan.alerts
        ],
    }


def close(turn: Turn, who: Scope, emergency_id: str, reason: str) -> Raised:
    """End an emergency; whoever has not answered, or is on the way, is told."""
    row = rows.load_for_update(turn.connection, SERVICE, emergency_id)
    if row is None or not raises(who, row):
        raise MissingError("there is no such emergency")
    return _carry_out(turn, row, CloseAlert(reason))


def answer_alert(turn: Turn, who: Scope, alert: str, said: Said) -> Called:
    """Carry out what a rider says of their alert.

    Raises
    ------
    MissingError
        Where there is none for this caller, or the rider's phase has not opened.
    ConflictError
        Where it is over, or enough others are coming.
    """
    row = rows.load_for_update(turn.connection, SERVICE, alert.rpartition("-")[0])
    called = None if row is None else find_alert(who, row, alert)
    if row is None or called is None:
        raise MissingError("there is no such alert")
    rider = called.responder.rider
    command = Arrive(rider) if said == "there" else AnswerAlert(rider, said == "yes")
    done = _carry_out(turn, row, command)
    now = done.state.responder(rider)
    return Called(alert, done.row, done.state, now or called.responder)


def find_alert(who: Scope, row: rows.EmergencyRow, alert: str) -> Called | None:
    """Return a rider's alert; None where there is none for this caller, or it has not been sent."""
    state, word = alert_state_of(row.state), alert.rpartition("-")[2]
    named = (one for number, one in enumerate(state.responders) if _word(row, number) == word)
    responder = next(named, None)
    if responder is None or responder.status == "waiting" or not rides(who, responder.rider):
        return None
    return Called(alert, row, state, responder)


def raises(who: Scope, row: rows.EmergencyRow) -> bool:
    """Say whether a caller may see and close an emergency."""
    if who.role == "admin":
        return True
    if who.tenant_id != row.tenant_id or who.role not in ("planner", "grid_staff"):
        return False
    return who.role == "planner" or row.grid_code in who.grid_codes


def _carry_out(turn: Turn, row: rows.EmergencyRow, command: AlertCommand) -> Raised:
    before = alert_state_of(row.state)
    events = decide_alert(before, command, turn.now_s)
    if not events:
        return Raised(row, before)
    state = _noted(turn, row, before, events)
    status = "closed" if state.closed else "open"
    saved = rows.save(
        turn.connection, SERVICE, dataclasses.replace(row, status=status, state=_state_json(state))
    )
    remember_open(turn, row.emergency_id, state)
    return Raised(saved, state)


def _noted(
    turn: Turn, row: rows.EmergencyRow, before: AlertState | None, events: Iterable[AlertEvent]
) -> AlertState:
    """Note events for the store, and return what they lead to."""
    state = before
    for event in events:
        turn.happened.append(_row_of(row.emergency_id, row.tenant_id, event, turn.now_s))
        turn.happened += _notices(row, state, event, turn.now_s)
        state = evolve_alert(state, event)
        if isinstance(event, Arrived) and state.drill:
            for follower in turn.memory.followers:
                follower.drilled(turn, row.emergency_id, event.rider)
    if state is None:
        raise ValueError("nothing has happened")
    return state


# -- time
# -------------------------------------------------------------------------------------------------


def remember_open(turn: Turn, emergency_id: str, state: AlertState) -> None:
    """Keep in mind when the next phase opens, and who is asked for no task meanwhile."""
    turn.city.board.call_away(emergency_id, answering(state))
    due_s = state.next_phase_s
    if due_s is None:
        turn.memory.phases.pop(emergency_id, None)
    else:
        turn.memory.phases[emergency_id] = due_s


def open_phases(turn: Turn) -> None:
    """Open the phases that are due; for the process that leads."""
    for emergency_id in [name for name, due_s in turn.memory.phases.items() if due_s <= turn.now_s]:
        row = rows.load_for_update(turn.connection, SERVICE, emergency_id)
        if row is None:
            turn.memory.phases.pop(emergency_id, None)
            continue
        remember_open(turn, emergency_id, _carry_out(turn, row, PassTime()).state)


def follow(turn: Turn, emergency_id: str) -> None:
    """Take up what another process has written of an emergency."""
    row = rows.get(turn.connection, SERVICE, emergency_id)
    if row is not None:
        remember_open(turn, emergency_id, alert_state_of(row.state))
