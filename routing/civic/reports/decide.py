"""What a command does to a matter: events, or why not. Pure: state, command and instant in, events out.

A command that has been carried out already gives no events and no error, so it may be sent twice.
"""

import math
from collections.abc import Callable

from geo.errors import YiluError
from routing.civic.reports import commands as co
from routing.civic.reports import events as ev
from routing.civic.reports.merging import belongs
from routing.civic.reports.rules import ReportRules
from routing.civic.reports.state import MatterState

__all__ = ["MatterConflictError", "decide"]


class MatterConflictError(YiluError):
    """A command that does not fit the state.

    ``code`` is one of the rows below; sentences for people are made of it in the text catalogue.

    ================== ====================================================================
    ``unknown_matter`` there is no such matter
    ``unknown_look``   the matter has no such task
    ``exists``         a report with this id is there already, with other contents
    ``elsewhere``      the report is too far away, too late or of another kind
    ``not_yours``      the office is not responsible, or was not asked
    ``not_reporter``   only who has reported the matter may say so
    ``own_report``     who has reported it cannot be the one who looks
    ``said``           the office has said that it is done, or will not act (``stage``)
    ``not_said``       the office has not said so
    ``look_open``      somebody is asked to look already
    ``look_over``      the look is over
    ``private``        nobody is sent to a place that nobody may see
    ``past``           the instant is over
    ================== ====================================================================
    """

    def __init__(self, code: str, stage: str = "") -> None:
        super().__init__(f"{code} {stage}".strip())
        self.code, self.stage = code, stage


def decide(
    state: MatterState | None, command: co.Command, now_s: float, rules: ReportRules
) -> tuple[ev.Event, ...]:
    """Return what a command makes happen.

    Parameters
    ----------
    state : MatterState, optional
        None: the matter is not known.
    command : Command
    now_s : float
        Epoch seconds.
    rules : ReportRules

    Returns
    -------
    tuple of Event
        Empty where the command has been carried out before, or nothing is due.

    Raises
    ------
    MatterConflictError
        Where the command does not fit the state.
    InputError
        Where a report is of a kind that the rules do not know.
    """
    if isinstance(command, co.Open):
        return _open(state, command, now_s, rules)
    if state is None:
        raise MatterConflictError("unknown_matter")
    return _DECIDERS[type(command)](state, command, now_s, rules)


def _open(
    state: MatterState | None, command: co.Open, now_s: float, rules: ReportRules
) -> tuple[ev.Event, ...]:
    report = command.report
    due_s = rules.due_s(report.kind, now_s)
    if state is None:
        return (ev.MatterOpened(command.matter_id, report, command.office, due_s),)
    known = next((one for one in state.reports if one.report_id == report.report_id), None)
    if known is not None:
        if known == report:
            return ()
        raise MatterConflictError("exists", state.stage)
    if not belongs(state, report, rules):
        raise MatterConflictError("elsewhere", state.stage)
    # Nobody is sent any more where a report says that it is a person's home.
    missed = _look_over(state) if report.private and not state.shown else ()
    # Who reports it after the office's word says that the word is not true.
    again = state.said and report.made_s > state.said_s
    reopened = (ev.MatterReopened("reported", due_s),) if again else ()
    return (*missed, ev.ReportJoined(report), *reopened)


def _look_over(state: MatterState) -> tuple[ev.Event, ...]:
    look = state.open_look
    return (ev.LookMissed(look.task_id),) if look is not None else ()


def _responsible(state: MatterState, office: str) -> None:
    if office != state.office:
        raise MatterConflictError("not_yours", state.stage)


def _acting(state: MatterState) -> None:
    if not state.acting:
        raise MatterConflictError("said", state.stage)


def _accept(state: MatterState, command: co.AcceptMatter, *_: object) -> tuple[ev.Event, ...]:
    if state.accepted and state.office == command.office and not state.asked:
        return ()
    _acting(state)
    if command.office not in (state.office, state.asked):
        raise MatterConflictError("not_yours", state.stage)
    return (ev.MatterAccepted(command.office),)


def _ask_handover(state: MatterState, command: co.AskHandover, *_: object) -> tuple[ev.Event, ...]:
    _acting(state)
    _responsible(state, command.office)
    if command.to in (state.asked, state.office):
        return ()
    return (ev.HandoverAsked(command.to, command.reason),)


def _refuse_handover(state: MatterState, command: co.RefuseHandover, *_: object) -> tuple[ev.Event, ...]:
    if not command.office or command.office != state.asked:
        raise MatterConflictError("not_yours", state.stage)
    return (ev.HandoverRefused(command.office, command.reason),)


def _ask_for_look(
    state: MatterState, command: co.AskForLook, now_s: float, rules: ReportRules
) -> tuple[ev.Event, ...]:
    _responsible(state, command.office)
    if state.private:
        raise MatterConflictError("private", state.stage)
    if state.closed or state.said == "declined":
        raise MatterConflictError("said", state.stage)
    if state.open_look is not None:
        if state.open_look.latest_s == command.latest_s:
            return ()
        raise MatterConflictError("look_open", state.stage)
    if command.latest_s < now_s:
        raise MatterConflictError("past", state.stage)
    task_id = f"{state.matter_id}-look-{len(state.looks) + 1}"
    return (ev.LookWanted(task_id, command.latest_s),)


def _report_look(
    state: MatterState, command: co.ReportLook, now_s: float, rules: ReportRules
) -> tuple[ev.Event, ...]:
    look = state.look(command.task_id)
    if look is None:
        raise MatterConflictError("unknown_look", state.stage)
    if look.there is not None and (look.looker, look.there) == (command.looker, command.there):
        return ()
    # Word of it may come late: it counts as long as nobody was sent after them.
    late = look.missed and look is state.looks[-1]
    if look != state.open_look and not late:
        raise MatterConflictError("look_over", state.stage)
    if command.looker in state.reporters:
        raise MatterConflictError("own_report", state.stage)
    looked = ev.Looked(command.task_id, command.looker, command.there, command.note, command.photo)
    if state.said != "fixed" or state.closed:
        return (looked,)
    if command.there:
        return (looked, ev.MatterReopened("seen", rules.due_s(state.kind, now_s)))
    return (looked, ev.MatterClosed("confirmed", command.looker))


def _start(state: MatterState, command: co.StartWork, *_: object) -> tuple[ev.Event, ...]:
    _responsible(state, command.office)
    _acting(state)
    return () if state.started else (ev.WorkStarted(),)


def _fix(state: MatterState, command: co.Fix, now_s: float, rules: ReportRules) -> tuple[ev.Event, ...]:
    _responsible(state, command.office)
    if state.said == "fixed" and state.result == command.result:
        return ()
    _acting(state)
    return (ev.MatterFixed(command.result, command.photo, now_s),)


def _decline(
    state: MatterState, command: co.DeclineMatter, now_s: float, rules: ReportRules
) -> tuple[ev.Event, ...]:
    _responsible(state, command.office)
    if state.said == "declined" and state.result == command.reason:
        return ()
    _acting(state)
    # Nobody need go there any more.
    return (*_look_over(state), ev.MatterDeclined(command.reason, now_s))


def _reporter(state: MatterState, reporter: str) -> None:
    if reporter not in state.reporters:
        raise MatterConflictError("not_reporter", state.stage)


def _confirm(state: MatterState, command: co.Confirm, *_: object) -> tuple[ev.Event, ...]:
    _reporter(state, command.reporter)
    if state.closed:
        return ()
    if state.said != "fixed":
        raise MatterConflictError("not_said", state.stage)
    return (*_look_over(state), ev.MatterClosed("confirmed", command.reporter))


def _dispute(
    state: MatterState, command: co.Dispute, now_s: float, rules: ReportRules
) -> tuple[ev.Event, ...]:
    _reporter(state, command.reporter)
    if not state.said:
        if state.round > 1:
            return ()
        raise MatterConflictError("not_said", state.stage)
    if now_s > state.said_s + rules.dispute_within_s:
        raise MatterConflictError("past", state.stage)
    return (ev.MatterReopened("disputed", rules.due_s(state.kind, now_s), command.reason),)


def _hide(state: MatterState, command: co.Hide, *_: object) -> tuple[ev.Event, ...]:
    if state.private == command.reason:
        return ()
    return (*_look_over(state), ev.MatterHidden(command.reason))


def _show(state: MatterState, command: co.Show, *_: object) -> tuple[ev.Event, ...]:
    _responsible(state, command.office)
    return (ev.MatterShown(),) if state.private else ()


def _tick(state: MatterState, command: co.Tick, now_s: float, rules: ReportRules) -> tuple[ev.Event, ...]:
    look = state.open_look
    late = look is not None and look.latest_s < now_s
    found: list[ev.Event] = [ev.LookMissed(look.task_id)] if look is not None and late else []
    if state.acting:
        return (*found, *_levels(state, now_s, rules))
    waits = look is not None and not late
    if state.said == "fixed" and not state.closed and not waits and now_s > state.said_s + rules.unopposed_s:
        found.append(ev.MatterClosed("unopposed"))
    return tuple(found)


def _levels(state: MatterState, now_s: float, rules: ReportRules) -> tuple[ev.Event, ...]:
    """All levels that are due: a clock that was stopped for days makes up for it."""
    found: list[ev.Event] = []
    level, next_s = state.level, state.next_level_s
    while next_s < now_s and level < len(rules.levels):
        level += 1
        next_s = next_s + rules.level_every_s if level < len(rules.levels) else math.inf
        found.append(ev.MatterEscalated(level, rules.levels[level - 1], next_s))
    return tuple(found)


_DECIDERS: dict[type, Callable[..., tuple[ev.Event, ...]]] = {
    co.AcceptMatter: _accept,
    co.AskHandover: _ask_handover,
    co.RefuseHandover: _refuse_handover,
    co.AskForLook: _ask_for_look,
    co.ReportLook: _report_look,
    co.StartWork: _start,
    co.Fix: _fix,
    co.DeclineMatter: _decline,
    co.Confirm: _confirm,
    co.Dispute: _dispute,
    co.Hide: _hide,
    co.Show: _show,
    co.Tick: _tick,
}
