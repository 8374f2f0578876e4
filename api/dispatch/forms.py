"""The forms of the live service: riders as platforms report them, tasks, offers, and what happened."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from api.forms import Identifier, Lat, Lon, Mode, Schema
from api.matching.forms import (
    MAX_STOPS,
    Instant,
    RuleName,
    Seconds,
    StopIn,
    TaskIn,
    TaskKindName,
    WarningOut,
    Words,
)
from geo.datum import Datum

__all__ = [
    "AnswerIn",
    "EventOut",
    "EventPage",
    "FinishIn",
    "OfferForRider",
    "OfferList",
    "OfferOfTask",
    "OfferStatus",
    "OfferTaskOut",
    "PlaceOut",
    "ReasonIn",
    "ReopenIn",
    "RiderOut",
    "RiderPage",
    "RiderStateIn",
    "RidersIn",
    "RidersOut",
    "TaskOut",
    "TaskPage",
    "TaskPublishIn",
    "TaskStatus",
    "VerifyIn",
]

MAX_BULK = 5_000
OfferStatus = Literal[
    "open", "accepted", "started", "done", "declined", "expired", "overtaken", "lapsed", "returned"
]
TaskStatus = Literal[
    "published", "offered", "accepted", "under_way", "done", "verified", "withdrawn", "expired"
]
NO_NUL = r"^[^\x00]*$"
"""PostgreSQL keeps no text with this character."""
Note = Annotated[str, Field(max_length=1_000, pattern=NO_NUL)]


class RiderStateIn(Schema):
    """What a platform says of one rider, as of an instant. What is null stays as it is known."""

    rider_id: Identifier
    at: Annotated[
        Instant, Field(description="When this was so; an older report than the known one is ignored.")
    ]
    lon: Lon
    lat: Lat
    stops: Annotated[
        tuple[StopIn, ...] | None,
        Field(max_length=MAX_STOPS, description="The remaining plan in its promised order; null: as known."),
    ] = None
    status: Literal["busy", "on_break", "public_benefit", "off"] | None = None
    mode: Mode | None = None
    speed_factor: Annotated[float | None, Field(ge=1, le=10)] = None
    skills: Words | None = None
    shift_start: Instant | None = None
    shift_end: Instant | None = None
    worked_since_break_s: Seconds | None = None
    worked_today_s: Seconds | None = None
    available_at: Instant | None = None
    capacity: Annotated[int | None, Field(ge=0, le=1_000)] = None
    load: Annotated[int | None, Field(ge=0, le=1_000)] = None


class RidersIn(Schema):
    """Reports of riders in bulk."""

    datum: Annotated[Datum, Field(description="Datum of every position in the request.")]
    riders: Annotated[tuple[RiderStateIn, ...], Field(min_length=1, max_length=MAX_BULK)]


class OffStreetOut(Schema):
    """A rider whose position or stop lies on no street; matching leaves the rider out."""

    rider_id: str
    nearest_street_m: float | None


class RidersOut(Schema):
    """What became of a bulk."""

    written: int
    ignored: Annotated[list[str], Field(description="Riders known from a later instant already.")]
    off_network: list[OffStreetOut]
    warnings: Annotated[
        list[WarningOut], Field(description="What looks wrong, such as another datum than the one named.")
    ]


class PlaceOut(Schema):
    """A place and when something is to be done there."""

    lon: float
    lat: float
    service_s: float
    earliest: AwareDatetime | None
    latest: AwareDatetime | None


class RiderOut(Schema):
    """A rider as the service knows them, accepted tasks in the plan."""

    rider_id: str
    at: AwareDatetime
    lon: float
    lat: float
    datum: Datum
    mode: Mode
    status: str
    stops: Annotated[list[str], Field(description="Stop ids in order; a task's stop bears the task's id.")]
    extra_last_hour_s: Annotated[float, Field(description="Extra time given to tasks within the hour.")]
    break_due: AwareDatetime | None


class RiderPage(Schema):
    """Riders by id; `next` asks for the page after."""

    riders: list[RiderOut]
    next: str | None


class TaskPublishIn(TaskIn):
    """A task to publish. `task_id` is the publisher's own name for it, one task for each."""

    grid_code: Annotated[
        str | None,
        Field(max_length=40, pattern=NO_NUL, description="Unit grid that the task belongs to; null: none."),
    ] = None


class OfferOfTask(Schema):
    """An offer as the task's publisher sees it: when somebody would come, not who."""

    offer_id: str
    status: OfferStatus
    made: AwareDatetime
    expires: AwareDatetime
    arrival: AwareDatetime
    start: AwareDatetime
    leave: AwareDatetime
    yuan: float
    reason: str
    note: str
    photo: Annotated[str | None, Field(description="Address of the photo; null: none.")]
    there: bool | None


class TaskOut(Schema):
    """A task and what has become of it."""

    id: Annotated[str, Field(description="The service's name of the task, for addresses and events.")]
    task_id: Annotated[str, Field(description="The publisher's own name.")]
    status: TaskStatus
    version: int
    grid_code: str | None
    created: AwareDatetime
    datum: Datum
    place: PlaceOut
    dropoff: PlaceOut | None
    kind: TaskKindName
    skills: list[str]
    modes: list[Mode]
    priority: int
    people: int
    load: int
    unmatched: Annotated[
        RuleName | Literal["asked"] | None,
        Field(description="Why nobody could be asked when it was last tried; `asked`: all have been."),
    ]
    offers: list[OfferOfTask]


class TaskPage(Schema):
    """Tasks in the order in which they were published; `next` asks for the page after."""

    tasks: list[TaskOut]
    next: str | None


class OfferTaskOut(Schema):
    """What a rider is told of the task."""

    kind: TaskKindName
    place: PlaceOut
    dropoff: PlaceOut | None
    people: int
    load: int


class OfferForRider(Schema):
    """An offer as the rider and their platform see it."""

    offer_id: str
    id: Annotated[str, Field(description="The task.")]
    rider_id: str
    status: OfferStatus
    made: AwareDatetime
    expires: AwareDatetime
    datum: Datum
    task: OfferTaskOut
    arrival: AwareDatetime
    start: AwareDatetime
    leave: AwareDatetime
    extra_s: float
    extra_m: float
    yuan: float
    points: Annotated[int, Field(description="Booked on the rider's account when the task is verified.")]
    after_stop_id: Annotated[str, Field(description="The task comes after this stop; empty: next.")]
    dropoff_after_stop_id: str
    begins: Annotated[AwareDatetime | None, Field(description="When several people begin together.")]
    reason: str


class OfferList(Schema):
    """Offers in the order in which they were made."""

    offers: list[OfferForRider]


class AnswerIn(Schema):
    """A rider's yes. There is nothing to fill in."""


class ReasonIn(Schema):
    """Why: shown to the other side."""

    reason: Note = ""


class FinishIn(Schema):
    """What the rider saw."""

    note: Note = ""
    photo: Annotated[
        str, Field(max_length=200, pattern=NO_NUL, description="Name of a photo that was sent before.")
    ] = ""
    there: Annotated[
        bool | None,
        Field(
            description="Of a look at a street report: whether it is there; null: not a look, or not said."
        ),
    ] = None


class VerifyIn(Schema):
    """What the publisher found."""

    note: Note = ""


class ReopenIn(Schema):
    """Why it is not done, and until when it is to be."""

    reason: Annotated[str, Field(min_length=1, max_length=1_000, pattern=NO_NUL)]
    latest: Instant


class EventOut(Schema):
    """Something that happened. Readers take what they know and pass over the rest."""

    seq: Annotated[str, Field(description="Names the event, and where to go on after it; the same for good.")]
    at: AwareDatetime
    kind: str
    id: Annotated[str | None, Field(description="The task.")]
    rider_id: Annotated[str | None, Field(description="For the rider's platform only.")]
    body: dict[str, Any]


class EventPage(Schema):
    """Events in order; ask again after `last`."""

    events: list[EventOut]
    last: Annotated[str | None, Field(description="Where to go on; null: nothing has happened yet.")]
