"""The life of tasks and offers: commands in, events out, states as folds; and the board that holds offers."""

from routing.dispatch.alerts import (
    AlertClosed,
    AlertCommand,
    AlertEvent,
    AlertState,
    AnswerAlert,
    Arrive,
    Arrived,
    CloseAlert,
    PassTime,
    PhaseOpened,
    RaiseAlert,
    Responder,
    decide_alert,
    evolve_alert,
    fold_alert,
)
from routing.dispatch.board import Board
from routing.dispatch.city import City, Happened
from routing.dispatch.commands import (
    Change,
    Command,
    Decline,
    Finish,
    Lapse,
    Reopen,
    Return,
    Start,
    Verify,
    Withdraw,
)
from routing.dispatch.decide import ConflictError
from routing.dispatch.duty import Duty, after_report, break_due_s
from routing.dispatch.events import Event, RiderKey, Terms
from routing.dispatch.rules import DispatchRules
from routing.dispatch.state import OFFER_STATUSES, TASK_STATUSES, Offer, TaskState, evolve, fold

__all__ = [
    "OFFER_STATUSES",
    "TASK_STATUSES",
    "AlertClosed",
    "AlertCommand",
    "AlertEvent",
    "AlertState",
    "AnswerAlert",
    "Arrive",
    "Arrived",
    "Board",
    "Change",
    "City",
    "CloseAlert",
    "Command",
    "ConflictError",
    "Decline",
    "DispatchRules",
    "Duty",
    "Event",
    "Finish",
    "Happened",
    "Lapse",
    "Offer",
    "PassTime",
    "PhaseOpened",
    "RaiseAlert",
    "Reopen",
    "Responder",
    "Return",
    "RiderKey",
    "Start",
    "TaskState",
    "Terms",
    "Verify",
    "Withdraw",
    "after_report",
    "break_due_s",
    "decide_alert",
    "evolve",
    "evolve_alert",
    "fold",
    "fold_alert",
]
