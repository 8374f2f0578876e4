"""What somebody wants to happen to a task. Time and verdicts come with the command; nothing is looked up."""

import dataclasses
from typing import TypeAlias

from routing.dispatch.events import RiderKey, Terms
from routing.model import Refused, Task

__all__ = [
    "Accept",
    "Change",
    "Command",
    "Decline",
    "Elapse",
    "Finish",
    "Lapse",
    "MakeOffers",
    "Proposal",
    "Publish",
    "Reopen",
    "Return",
    "Start",
    "Unmatched",
    "Verify",
    "Withdraw",
]


@dataclasses.dataclass(frozen=True, slots=True)
class Proposal:
    """A rider who could do the task, and on which terms."""

    rider: RiderKey
    terms: Terms


@dataclasses.dataclass(frozen=True, slots=True)
class Publish:
    """Put a task up."""

    task: Task
    publisher: str
    never: tuple[RiderKey, ...] = ()
    """Riders who are not asked, such as those who reported what is to be looked at."""


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """Give a task other contents, under the same id."""

    task: Task


@dataclasses.dataclass(frozen=True, slots=True)
class Withdraw:
    """Take a task back."""

    reason: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class MakeOffers:
    """Ask riders, best first; those beyond what the task still needs are not asked."""

    proposals: tuple[Proposal, ...]
    offer_for_s: float
    """How long an offer stands; never beyond the end of the task's window."""
    words: tuple[str, ...] = ()
    """What tells the offers of a task apart, one a proposal and without a hyphen; none: their numbers."""


@dataclasses.dataclass(frozen=True, slots=True)
class Unmatched:
    """Nobody could be asked, because of a rule."""

    rule: str


@dataclasses.dataclass(frozen=True, slots=True)
class Accept:
    """A rider says yes. The verdict is that of their plan as it is now: terms, or why it no longer works."""

    offer_id: str
    verdict: Terms | Refused


@dataclasses.dataclass(frozen=True, slots=True)
class Decline:
    """A rider says no."""

    offer_id: str
    reason: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Lapse:
    """The rider's plan has changed so that the offer no longer works, by a rule."""

    offer_id: str
    rule: str


@dataclasses.dataclass(frozen=True, slots=True)
class Return:
    """A rider who had accepted gives the task back before it is done."""

    offer_id: str
    reason: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Start:
    """A rider begins."""

    offer_id: str


@dataclasses.dataclass(frozen=True, slots=True)
class Finish:
    """A rider has done it."""

    offer_id: str
    note: str = ""
    photo: str = ""
    there: bool | None = None
    """Of a look: whether what was reported is there; None: not said."""


@dataclasses.dataclass(frozen=True, slots=True)
class Verify:
    """The publisher has looked: it is done."""

    note: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Reopen:
    """It is not done, or said to be and is not; the window now ends at ``latest_s``."""

    reason: str
    latest_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class Elapse:
    """Time has passed: what has run out is closed."""


Command: TypeAlias = (
    Publish
    | Change
    | Withdraw
    | MakeOffers
    | Unmatched
    | Accept
    | Decline
    | Lapse
    | Return
    | Start
    | Finish
    | Verify
    | Reopen
    | Elapse
)
