"""The life of tasks and offers: commands in, events out, states as folds; and the board that holds offers."""

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
from routing.dispatch.events import Event, RiderKey, Terms
from routing.dispatch.rules import DispatchRules
from routing.dispatch.state import OFFER_STATUSES, TASK_STATUSES, Offer, TaskState, evolve, fold

__all__ = [
    "OFFER_STATUSES",
    "TASK_STATUSES",
    "Board",
    "Change",
    "City",
    "Command",
    "ConflictError",
    "Decline",
    "DispatchRules",
    "Event",
    "Finish",
    "Happened",
    "Lapse",
    "Offer",
    "Reopen",
    "Return",
    "RiderKey",
    "Start",
    "TaskState",
    "Terms",
    "Verify",
    "Withdraw",
    "evolve",
    "fold",
]
