"""What reporters, the public and the matcher learn of a matter."""

import dataclasses

from routing.civic.reports import events as ev
from routing.civic.reports.rules import ReportRules
from routing.civic.reports.state import MatterState
from routing.model.results import Fact, Said
from routing.model.tasks import TASK_KINDS, Task, Visit

__all__ = ["BoardEntry", "Notice", "board_entry", "look_task", "notices"]


@dataclasses.dataclass(frozen=True, slots=True)
class Notice:
    """One step of a matter, addressed to one reporter."""

    reporter: str
    """Pseudonym."""
    matter_id: str
    said: Said
    """A sentence of the text catalogue with its facts; no other person is named in it."""


@dataclasses.dataclass(frozen=True, slots=True)
class BoardEntry:
    """What everybody may see of a matter: no person, and no words of reporters."""

    matter_id: str
    kind: str
    lonlat: tuple[float, float]
    reported_s: float
    stage: str
    office: str
    due_s: float
    """Epoch seconds at which the office must have acted, or should have."""
    left_s: float | None
    """Seconds until the office must have acted, negative when overdue; None when it has."""
    level: int
    """How many levels above have been told."""
    result: str
    """The office's words."""
    result_photo: str


def _facts(state: MatterState, event: ev.Event) -> dict[str, Fact]:
    match event:
        case ev.MatterOpened(_, _, office, due_s):
            return {"office": office, "due_s": due_s}
        case ev.ReportJoined():
            return {"office": state.office, "stage": state.stage, "due_s": state.due_s}
        case ev.HandoverAsked(office, reason) | ev.HandoverRefused(office, reason):
            return {"office": office, "reason": reason, "responsible": state.office}
        case ev.MatterAccepted(office):
            return {"office": office, "due_s": state.due_s}
        case ev.LookWanted(_, latest_s):
            return {"latest_s": latest_s}
        case ev.Looked(_, _, there):
            return {"there": int(there)}
        case ev.MatterFixed(result):
            return {"office": state.office, "result": result}
        case ev.MatterDeclined(reason):
            return {"office": state.office, "reason": reason}
        case ev.MatterClosed(how):
            return {"how": how}
        case ev.MatterReopened(why, due_s):
            return {"office": state.office, "why": why, "due_s": due_s}
        case ev.MatterEscalated(level, to):
            return {"level": level, "to": to, "office": state.office}
        case ev.MatterHidden(reason):
            return {"reason": reason}
        case ev.WorkStarted() | ev.LookMissed() | ev.MatterShown():
            return {"office": state.office}


def notices(state: MatterState, event: ev.Event) -> tuple[Notice, ...]:
    """Return who is told of an event, and what.

    Parameters
    ----------
    state : MatterState
        After the event.
    event : Event

    Returns
    -------
    tuple of Notice
        One for each reporter; of a report that joins, one to who made it.
    """
    to = (event.report.reporter,) if isinstance(event, ev.ReportJoined) else state.reporters
    said = Said.of(f"report.{event.kind}", **_facts(state, event))
    return tuple(Notice(reporter, state.matter_id, said) for reporter in to)


def board_entry(state: MatterState, now_s: float) -> BoardEntry | None:
    """Return what everybody may see of a matter at an instant, None where nobody may see it."""
    if state.private:
        return None
    return BoardEntry(
        matter_id=state.matter_id,
        kind=state.kind,
        lonlat=state.first.lonlat,
        reported_s=state.first.made_s,
        stage=state.stage,
        office=state.office,
        due_s=state.due_s,
        left_s=state.left_s(now_s),
        level=state.level,
        result=state.result,
        result_photo=state.result_photo,
    )


def look_task(state: MatterState, rules: ReportRules) -> Task | None:
    """Return the task for the matcher by which somebody has a look, None where no look is wanted."""
    look = state.open_look
    if look is None or state.private:
        return None
    kind = TASK_KINDS[rules.kind(state.kind).task_kind]
    place = Visit(state.first.lonlat, kind.service_s, latest_s=look.latest_s)
    return Task(look.task_id, place, kind=kind.name)
