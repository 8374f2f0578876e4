"""A matter's state: the fold of its events. Its stage is read off its facts, so the two cannot disagree."""

import dataclasses
import math
from collections.abc import Iterable

from routing.civic.reports import events as ev

__all__ = ["OVER", "STAGES", "Look", "MatterState", "evolve", "fold"]

STAGES = ("reported", "accepted", "looking", "working", "fixed", "declined", "closed")
OVER = STAGES[4:]
"""Stages in which the office has nothing more to do."""
"""``reported``: the office asked is responsible and has not yet taken it on."""


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """A task by which somebody goes and sees."""

    task_id: str
    latest_s: float
    looker: str = ""
    there: bool | None = None
    """None: nobody has been there (yet)."""
    missed: bool = False
    """Its time is over without anybody there."""


@dataclasses.dataclass(frozen=True, slots=True)
class MatterState:
    """One matter, all who reported it and the office responsible."""

    matter_id: str
    reports: tuple[ev.Report, ...]
    """The first one says where the matter is."""
    office: str
    """Responsible."""
    due_s: float
    next_level_s: float
    """Epoch seconds at which the next level is told if nobody has acted; inf: all have been."""
    accepted: bool = False
    asked: str = ""
    """The office that was asked to take it on and has not answered."""
    looks: tuple[Look, ...] = ()
    started: bool = False
    said: str = ""
    """``fixed`` or ``declined``; empty: the office has said neither."""
    said_s: float = -math.inf
    result: str = ""
    """The office's words: what was done, or why nothing is."""
    result_photo: str = ""
    closed: str = ""
    """``confirmed`` or ``unopposed``; empty: not over."""
    level: int = 0
    """How many levels have been told."""
    round: int = 1
    private: str = ""
    """One of `PRIVATE_REASONS`; empty: anybody may see it."""
    shown: bool = False
    """The office has said that anybody may see it: later reports do not hide it, or anybody could."""

    @property
    def first(self) -> ev.Report:
        """The report that opened it."""
        return self.reports[0]

    @property
    def kind(self) -> str:
        """Name of its kind."""
        return self.first.kind

    @property
    def reporters(self) -> tuple[str, ...]:
        """Pseudonyms of all who reported it, each once, in order."""
        return tuple(dict.fromkeys(report.reporter for report in self.reports))

    @property
    def open_look(self) -> Look | None:
        """The look that nobody has had yet."""
        return next((look for look in self.looks if look.there is None and not look.missed), None)

    def look(self, task_id: str) -> Look | None:
        """Return a look by the id of its task, None where there is none."""
        return next((look for look in self.looks if look.task_id == task_id), None)

    @property
    def acting(self) -> bool:
        """Whether the office still has to act."""
        return not self.said

    @property
    def stage(self) -> str:
        """One of `STAGES`."""
        if self.closed:
            return "closed"
        if self.said:
            return self.said
        if self.open_look is not None:
            return "looking"
        if self.started:
            return "working"
        return "accepted" if self.accepted else "reported"

    def left_s(self, now_s: float) -> float | None:
        """Return the seconds the office has left, negative when overdue; None when it has acted."""
        return self.due_s - now_s if self.acting else None


def _begin(event: ev.MatterOpened) -> MatterState:
    report = event.report
    return MatterState(
        event.matter_id, (report,), event.office, event.due_s, event.due_s, private=report.private
    )


def _latest_s(state: MatterState, task_id: str) -> float:
    look = state.look(task_id)
    return look.latest_s if look is not None else math.inf


def _with_look(state: MatterState, changed: Look) -> MatterState:
    looks = tuple(changed if look.task_id == changed.task_id else look for look in state.looks)
    return dataclasses.replace(state, looks=looks)


def evolve(state: MatterState | None, event: ev.Event) -> MatterState:
    """Return the state after an event.

    Parameters
    ----------
    state : MatterState, optional
        None before the matter was opened.
    event : Event

    Returns
    -------
    MatterState

    Raises
    ------
    ValueError
        When the first event is not that of opening: the store has lost one.
    """
    if isinstance(event, ev.MatterOpened):
        return _begin(event)
    if state is None:
        raise ValueError(f"{event.kind} comes before the matter was opened")
    match event:
        case ev.ReportJoined(report):
            private = state.private or ("" if state.shown else report.private)
            return dataclasses.replace(state, reports=(*state.reports, report), private=private)
        case ev.HandoverAsked(office):
            return dataclasses.replace(state, asked=office)
        case ev.HandoverRefused():
            return dataclasses.replace(state, asked="")
        case ev.MatterAccepted(office):
            return dataclasses.replace(state, office=office, accepted=True, asked="")
        case ev.LookWanted(task_id, latest_s):
            return dataclasses.replace(state, looks=(*state.looks, Look(task_id, latest_s)))
        case ev.Looked(task_id, looker, there):
            return _with_look(state, Look(task_id, _latest_s(state, task_id), looker, there))
        case ev.LookMissed(task_id):
            return _with_look(state, Look(task_id, _latest_s(state, task_id), missed=True))
        case ev.WorkStarted():
            return dataclasses.replace(state, started=True, accepted=True)
        case ev.MatterFixed(result, photo, said_s):
            return dataclasses.replace(
                state, said="fixed", said_s=said_s, result=result, result_photo=photo, accepted=True, asked=""
            )
        case ev.MatterDeclined(reason, said_s):
            return dataclasses.replace(state, said="declined", said_s=said_s, result=reason, asked="")
        case ev.MatterClosed(how):
            return dataclasses.replace(state, closed=how)
        case ev.MatterReopened(_, due_s):
            return dataclasses.replace(
                state,
                due_s=due_s,
                next_level_s=due_s,
                said="",
                said_s=-math.inf,
                result="",
                result_photo="",
                closed="",
                started=False,
                level=0,
                round=state.round + 1,
            )
        case ev.MatterEscalated(level, _, next_s):
            return dataclasses.replace(state, level=level, next_level_s=next_s)
        case ev.MatterHidden(reason):
            return dataclasses.replace(state, private=reason, shown=False)
        case ev.MatterShown():
            return dataclasses.replace(state, private="", shown=True)


def fold(events: Iterable[ev.Event]) -> MatterState | None:
    """Return the state after all events of one matter, None where there are none."""
    state: MatterState | None = None
    for event in events:
        state = evolve(state, event)
    return state
