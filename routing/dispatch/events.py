"""What has happened to a task: the only thing that is kept for good; states are folds of it."""

import dataclasses
from typing import Literal, TypeAlias

from geo.errors import InputError
from routing.model import Task

__all__ = [
    "Event",
    "OfferAccepted",
    "OfferClosed",
    "OfferDone",
    "OfferMade",
    "OfferStarted",
    "RiderKey",
    "TaskChanged",
    "TaskExpired",
    "TaskPublished",
    "TaskReopened",
    "TaskUnmatched",
    "TaskVerified",
    "TaskWithdrawn",
    "Terms",
]


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class RiderKey:
    """A rider of one platform; two platforms may use the same rider id.

    Raises `InputError` for an empty part, or a platform with a slash in it.
    """

    platform: str
    rider_id: str

    def __post_init__(self) -> None:
        if not self.platform or "/" in self.platform or not self.rider_id:
            raise InputError("A rider has a platform (without a slash) and an id, both not empty.")

    @property
    def fleet_id(self) -> str:
        """The rider's name in the fleet, which holds riders of all platforms."""
        return f"{self.platform}/{self.rider_id}"

    @staticmethod
    def of(fleet_id: str) -> "RiderKey":
        """Return the key whose `fleet_id` this is."""
        platform, _, rider_id = fleet_id.partition("/")
        return RiderKey(platform, rider_id)


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """What a rider is told of a task before they answer. Epoch seconds, metres, yuan."""

    arrival_s: float
    start_s: float
    leave_s: float
    extra_s: float
    """What it takes from the rider: see `routing.model.riders`, "Extra"."""
    extra_m: float
    yuan: float
    points: float
    after_stop_id: str = ""
    """The stop of the plan that the task follows; empty: it comes next."""
    dropoff_after_stop_id: str = ""
    """The same for the drop-off of a pair; empty also where it follows the pick-up."""
    begins_s: float | None = None
    """Of a task for several people: the instant at which all of them begin."""


@dataclasses.dataclass(frozen=True, slots=True)
class TaskPublished:
    """A task has been put up."""

    task: Task
    publisher: str
    never: tuple[RiderKey, ...] = ()
    """Riders who are not asked."""
    kind: Literal["task_published"] = "task_published"


@dataclasses.dataclass(frozen=True, slots=True)
class TaskChanged:
    """The task has other contents; nobody had accepted the old ones."""

    task: Task
    kind: Literal["task_changed"] = "task_changed"


@dataclasses.dataclass(frozen=True, slots=True)
class TaskUnmatched:
    """Nobody can do it as plans stand; it stays published and is tried again. Told once for each rule."""

    rule: str
    """The binding rule, one of `routing.model.results.RULES`; ``asked``: all who could do it have been asked,
    or have offers open that it would break."""
    kind: Literal["task_unmatched"] = "task_unmatched"


@dataclasses.dataclass(frozen=True, slots=True)
class OfferMade:
    """A rider has been asked, until an instant."""

    offer_id: str
    rider: RiderKey
    terms: Terms
    made_s: float
    expires_s: float
    kind: Literal["offer_made"] = "offer_made"


@dataclasses.dataclass(frozen=True, slots=True)
class OfferAccepted:
    """The rider does it, on the terms that held when they accepted."""

    offer_id: str
    rider: RiderKey
    terms: Terms
    accepted_s: float
    kind: Literal["offer_accepted"] = "offer_accepted"


@dataclasses.dataclass(frozen=True, slots=True)
class OfferClosed:
    """An offer that will not be done, and why.

    ============== ============================================================================
    ``declined``   the rider said no
    ``expired``    no answer until it ran out
    ``overtaken``  enough others have accepted, or the task has changed, ended or been withdrawn
    ``lapsed``     the rider's plan has changed so that a stop would be late
    ``returned``   the rider had accepted, and gives the task back
    ============== ============================================================================
    """

    offer_id: str
    rider: RiderKey
    outcome: Literal["declined", "expired", "overtaken", "lapsed", "returned"]
    reason: str = ""
    kind: Literal["offer_closed"] = "offer_closed"


@dataclasses.dataclass(frozen=True, slots=True)
class OfferStarted:
    """The rider has begun."""

    offer_id: str
    rider: RiderKey
    kind: Literal["offer_started"] = "offer_started"


@dataclasses.dataclass(frozen=True, slots=True)
class OfferDone:
    """The rider has finished."""

    offer_id: str
    rider: RiderKey
    note: str = ""
    photo: str = ""
    """Name under which the shell keeps the photo; empty: none."""
    there: bool | None = None
    """Of a look: whether what was reported is there; None: not said."""
    kind: Literal["offer_done"] = "offer_done"


@dataclasses.dataclass(frozen=True, slots=True)
class TaskVerified:
    """The publisher has seen that it is done."""

    note: str = ""
    kind: Literal["task_verified"] = "task_verified"


@dataclasses.dataclass(frozen=True, slots=True)
class TaskReopened:
    """It was not done, or not well: everything begins again, with other riders first."""

    reason: str
    latest_s: float
    """The task's window now ends at this instant."""
    kind: Literal["task_reopened"] = "task_reopened"


@dataclasses.dataclass(frozen=True, slots=True)
class TaskWithdrawn:
    """The publisher no longer wants it."""

    reason: str = ""
    kind: Literal["task_withdrawn"] = "task_withdrawn"


@dataclasses.dataclass(frozen=True, slots=True)
class TaskExpired:
    """Its window has closed before enough riders had accepted."""

    kind: Literal["task_expired"] = "task_expired"


Event: TypeAlias = (
    TaskPublished
    | TaskChanged
    | TaskUnmatched
    | OfferMade
    | OfferAccepted
    | OfferClosed
    | OfferStarted
    | OfferDone
    | TaskVerified
    | TaskReopened
    | TaskWithdrawn
    | TaskExpired
)
