"""What somebody wants to happen to a matter. Time comes with the command; nothing is looked up."""

import dataclasses
from typing import TypeAlias

from routing.civic.reports.events import Report

__all__ = [
    "AcceptMatter",
    "AskForLook",
    "AskHandover",
    "Command",
    "Confirm",
    "DeclineMatter",
    "Dispute",
    "Fix",
    "Hide",
    "Open",
    "RefuseHandover",
    "ReportLook",
    "Show",
    "StartWork",
    "Tick",
]


@dataclasses.dataclass(frozen=True, slots=True)
class Open:
    """A report: opens the matter, or joins it."""

    matter_id: str
    report: Report
    office: str
    """Who was asked; of a report that joins, whoever is responsible already stays so."""


@dataclasses.dataclass(frozen=True, slots=True)
class AcceptMatter:
    """An office takes it on: the responsible one, or the one that was asked to."""

    office: str


@dataclasses.dataclass(frozen=True, slots=True)
class AskHandover:
    """The responsible office asks another to take it on."""

    office: str
    to: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class RefuseHandover:
    """The office that was asked says no."""

    office: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class AskForLook:
    """The responsible office wants somebody to go and see until an instant (epoch seconds)."""

    office: str
    latest_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class ReportLook:
    """Somebody has been there for the task."""

    task_id: str
    looker: str
    there: bool
    note: str = ""
    photo: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class StartWork:
    """The responsible office acts."""

    office: str


@dataclasses.dataclass(frozen=True, slots=True)
class Fix:
    """The responsible office says that it is done."""

    office: str
    result: str
    photo: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class DeclineMatter:
    """The responsible office will not act."""

    office: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Confirm:
    """A reporter says that it is done indeed."""

    reporter: str


@dataclasses.dataclass(frozen=True, slots=True)
class Dispute:
    """A reporter says that it is not done."""

    reporter: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Hide:
    """The responsible office, or the service itself, marks it as nobody's business."""

    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Show:
    """The responsible office has looked: there is nothing private in it."""

    office: str


@dataclasses.dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: what is overdue goes up, what nobody opposes is closed."""


Command: TypeAlias = (
    Open
    | AcceptMatter
    | AskHandover
    | RefuseHandover
    | AskForLook
    | ReportLook
    | StartWork
    | Fix
    | DeclineMatter
    | Confirm
    | Dispute
    | Hide
    | Show
    | Tick
)
