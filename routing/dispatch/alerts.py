"""The life of an emergency's alerts: phases that open while too few have accepted, answers, arrivals.

As for tasks: commands go in, events come out, the state is their fold. Whom to alert, and in which phase, is
decided before (`routing.emergency.alert_plan`); a drill goes the same way and is marked.
"""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

from routing.dispatch.decide import ConflictError
from routing.dispatch.events import RiderKey
from routing.model import Task

__all__ = [
    "AlertClosed",
    "AlertCommand",
    "AlertEvent",
    "AlertState",
    "AnswerAlert",
    "Arrive",
    "CloseAlert",
    "PassTime",
    "PhaseOpened",
    "RaiseAlert",
    "Responder",
    "decide_alert",
    "evolve_alert",
    "fold_alert",
]


@dataclasses.dataclass(frozen=True, slots=True)
class Responder:
    """A rider who may be alerted, and how soon they could be there."""

    rider: RiderKey
    phase: int
    travel_s: float
    status: str = "waiting"
    """``waiting`` (their phase has not opened), ``alerted``, ``accepted``, ``declined``, ``arrived`` or
    ``released`` (enough others have accepted, or it is over)."""
    answered_s: float | None = None
    arrived_s: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class AlertState:
    """One emergency."""

    task: Task
    publisher: str
    drill: bool
    raised_s: float
    phase_wait_s: float
    responders: tuple[Responder, ...]
    phase: int = -1
    """The last phase that has opened."""
    phase_opened_s: float = 0.0
    closed: str = ""
    """Why it is over; empty: it goes on."""

    @property
    def coming(self) -> tuple[Responder, ...]:
        """Those who have accepted, and those who have arrived."""
        return tuple(one for one in self.responders if one.status in ("accepted", "arrived"))

    @property
    def last_phase(self) -> int:
        """Number of the last phase that could open; -1 where nobody can be alerted."""
        return max((one.phase for one in self.responders), default=-1)

    @property
    def next_phase_s(self) -> float | None:
        """When the next phase opens if nobody answers; None where there is none, or enough are coming."""
        if self.closed or self.phase >= self.last_phase or len(self.coming) >= self.task.people:
            return None
        return self.phase_opened_s + self.phase_wait_s

    def phase_due_s(self, now_s: float) -> float | None:
        """Return `next_phase_s`, or now where a phase has opened "in the future".

        The clock was set back since; who calls for help does not wait until it has caught up.
        """
        due_s = self.next_phase_s
        return now_s if due_s is not None and now_s < self.phase_opened_s else due_s

    def responder(self, rider: RiderKey) -> Responder | None:
        """Return one responder, None where they are not among those who may be alerted."""
        return next((one for one in self.responders if one.rider == rider), None)


@dataclasses.dataclass(frozen=True, slots=True)
class AlertRaised:
    """Somebody has called for help."""

    task: Task
    publisher: str
    drill: bool
    at_s: float
    phase_wait_s: float
    responders: tuple[Responder, ...]
    kind: Literal["alert_raised"] = "alert_raised"


@dataclasses.dataclass(frozen=True, slots=True)
class PhaseOpened:
    """The riders of a phase are alerted."""

    phase: int
    at_s: float
    kind: Literal["alert_phase_opened"] = "alert_phase_opened"


@dataclasses.dataclass(frozen=True, slots=True)
class AlertAnswered:
    """A rider has said yes or no."""

    rider: RiderKey
    accepted: bool
    at_s: float
    kind: Literal["alert_answered"] = "alert_answered"


@dataclasses.dataclass(frozen=True, slots=True)
class Arrived:
    """A rider is there."""

    rider: RiderKey
    at_s: float
    kind: Literal["alert_arrived"] = "alert_arrived"


@dataclasses.dataclass(frozen=True, slots=True)
class Released:
    """A rider need not answer, or come, any more."""

    rider: RiderKey
    kind: Literal["alert_released"] = "alert_released"


@dataclasses.dataclass(frozen=True, slots=True)
class AlertClosed:
    """It is over."""

    reason: str
    kind: Literal["alert_closed"] = "alert_closed"


AlertEvent: TypeAlias = AlertRaised | PhaseOpened | AlertAnswered | Arrived | Released | AlertClosed


@dataclasses.dataclass(frozen=True, slots=True)
class RaiseAlert:
    """Alert these riders, phase by phase."""

    task: Task
    publisher: str
    responders: tuple[Responder, ...]
    phase_wait_s: float
    drill: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class AnswerAlert:
    """A rider says yes or no."""

    rider: RiderKey
    accept: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Arrive:
    """A rider says that they are there."""

    rider: RiderKey


@dataclasses.dataclass(frozen=True, slots=True)
class CloseAlert:
    """The duty officer ends it."""

    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class PassTime:
    """Time has passed: the next phase opens when it is due."""


AlertCommand: TypeAlias = RaiseAlert | AnswerAlert | Arrive | CloseAlert | PassTime


def decide_alert(state: AlertState | None, command: AlertCommand, now_s: float) -> tuple[AlertEvent, ...]:
    """Return what a command makes happen; a command carried out before gives no events.

    Parameters
    ----------
    state : AlertState, optional
        None before the alert was raised.
    command : AlertCommand
    now_s : float
        Epoch seconds.

    Raises
    ------
    ConflictError
        ``exists``, ``unknown_task``, ``unknown_offer`` (a rider who was not alerted), ``ended``, ``closed``
        (a rider who has been released, or has answered otherwise) or ``not_accepted``.
    """
    if isinstance(command, RaiseAlert):
        if state is not None:
            raise ConflictError("exists", state.closed)
        responders = tuple(dataclasses.replace(one, status="waiting") for one in command.responders)
        raised = AlertRaised(
            command.task, command.publisher, command.drill, now_s, command.phase_wait_s, responders
        )
        return (raised, PhaseOpened(0, now_s)) if responders else (raised,)
    if state is None:
        raise ConflictError("unknown_task")
    decider: Callable[[AlertState, AlertCommand, float], tuple[AlertEvent, ...]] = _DECIDERS[type(command)]
    return decider(state, command, now_s)


def _alerted(state: AlertState, rider: RiderKey) -> Responder:
    found = state.responder(rider)
    if found is None or found.status == "waiting":
        raise ConflictError("unknown_offer")
    return found


def _answer(state: AlertState, command: AnswerAlert, now_s: float) -> tuple[AlertEvent, ...]:
    one = _alerted(state, command.rider)
    said = {"accepted": True, "arrived": True, "declined": False}.get(one.status)
    if said == command.accept:
        return ()
    if state.closed:
        raise ConflictError("ended", state.closed)
    if one.status == "released" or said is False:
        raise ConflictError("closed", one.status)
    # Who has said yes may still say no until they are there: somebody else must be found.
    if one.status == "arrived":
        raise ConflictError("closed", one.status)
    answered = AlertAnswered(command.rider, command.accept, now_s)
    if not command.accept or len(state.coming) + 1 < state.task.people:
        return (answered,)
    return (answered, *_release(state, command.rider))


def _release(state: AlertState, but: RiderKey | None = None) -> tuple[AlertEvent, ...]:
    return tuple(
        Released(one.rider) for one in state.responders if one.status == "alerted" and one.rider != but
    )


def _arrive(state: AlertState, command: Arrive, now_s: float) -> tuple[AlertEvent, ...]:
    one = _alerted(state, command.rider)
    if one.status == "arrived":
        return ()
    if state.closed:
        raise ConflictError("ended", state.closed)
    if one.status != "accepted":
        raise ConflictError("not_accepted", one.status)
    return (Arrived(command.rider, now_s),)


def _close(state: AlertState, command: CloseAlert, now_s: float) -> tuple[AlertEvent, ...]:
    if state.closed:
        return ()
    return (*_release(state), AlertClosed(command.reason or "closed"))


def _pass_time(state: AlertState, command: PassTime, now_s: float) -> tuple[AlertEvent, ...]:
    due_s, phase, opened = state.phase_due_s(now_s), state.phase, []
    # After a pause several phases may be due; each opens when it was due, not later.
    while due_s is not None and due_s <= now_s and phase < state.last_phase:
        phase += 1
        opened.append(PhaseOpened(phase, due_s))
        due_s += state.phase_wait_s
    return tuple(opened)


_DECIDERS: dict[type, Callable[..., tuple[AlertEvent, ...]]] = {
    AnswerAlert: _answer,
    Arrive: _arrive,
    CloseAlert: _close,
    PassTime: _pass_time,
}


def evolve_alert(state: AlertState | None, event: AlertEvent) -> AlertState:
    """Return the state after an event; raise ValueError where the first is not that of raising."""
    if isinstance(event, AlertRaised):
        return AlertState(
            event.task, event.publisher, event.drill, event.at_s, event.phase_wait_s, event.responders
        )
    if state is None:
        raise ValueError(f"{event.kind} comes before the alert was raised")
    match event:
        case PhaseOpened():
            opened = dataclasses.replace(state, phase=event.phase, phase_opened_s=event.at_s)
            return _with(opened, lambda one: one.phase == event.phase, status="alerted")
        case AlertAnswered():
            status = "accepted" if event.accepted else "declined"
            return _with(state, _is(event.rider), status=status, answered_s=event.at_s)
        case Arrived():
            return _with(state, _is(event.rider), status="arrived", arrived_s=event.at_s)
        case Released():
            return _with(state, _is(event.rider), status="released")
        case AlertClosed():
            return dataclasses.replace(state, closed=event.reason)


def _is(rider: RiderKey) -> Callable[[Responder], bool]:
    return lambda one: one.rider == rider


def _with(state: AlertState, which: Callable[[Responder], bool], **changes: object) -> AlertState:
    responders = tuple(
        dataclasses.replace(one, **changes) if which(one) else one  # type: ignore[arg-type]
        for one in state.responders
    )
    return dataclasses.replace(state, responders=responders)


def fold_alert(events: Iterable[AlertEvent]) -> AlertState | None:
    """Return the state after all events of one alert, None where there are none."""
    state: AlertState | None = None
    for event in events:
        state = evolve_alert(state, event)
    return state
