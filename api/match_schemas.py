"""The forms of a match request and its answer.

They mirror ``routing.riders``, ``tasks``, ``policy`` and ``results``.
"""

import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from api.schemas import Identifier, Lat, Lon, Schema, Way
from api.studytables import Mode
from geo.datum import Datum

__all__ = [
    "ChangeOut",
    "LateStopOut",
    "MatchOut",
    "MatchRequest",
    "MatchResponse",
    "OffNetworkOut",
    "PolicyIn",
    "RefusedOut",
    "RiderIn",
    "RunnerUpOut",
    "StopIn",
    "StopKind",
    "StopSlackOut",
    "TaskIn",
    "TaskKindName",
    "VisitIn",
]

MAX_RIDERS = 20_000
MAX_TASKS = 500
MAX_STOPS = 200

# Wide enough for any plan, narrow enough that no sum of times leaves the calendar.
FIRST = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
LAST = datetime.datetime(2200, 1, 1, tzinfo=datetime.UTC)
Instant = Annotated[AwareDatetime, Field(ge=FIRST, le=LAST)]
StopKind = Literal["pickup", "dropoff", "task", "rest", "other"]
TaskKindName = Literal[
    "rubbish", "hazard", "blocked_exit", "furniture", "visit", "notice", "patrol", "food_safety", "errand",
    "first_response",
]  # fmt: skip
Seconds = Annotated[float, Field(ge=0, le=86_400, description="Seconds.")]
Word = Annotated[str, Field(min_length=1, max_length=40)]
Words = Annotated[tuple[Word, ...], Field(max_length=50)]


class StopIn(Schema):
    """A promised stop. It is never dropped, moved in the order, or made late."""

    stop_id: Identifier
    lon: Lon
    lat: Lat
    service_s: Seconds = 0.0
    earliest: Annotated[Instant | None, Field(description="Service cannot start before.")] = None
    due: Annotated[Instant | None, Field(description="Service must have started by then.")] = None
    kind: StopKind = "dropoff"
    load_change: Annotated[
        int, Field(ge=-1_000, le=1_000, description="Parcels taken up (positive) or handed over.")
    ] = 0


class RiderIn(Schema):
    """A rider where he is now, with his remaining stops in the order he promised."""

    rider_id: Identifier
    lon: Lon
    lat: Lat
    mode: Mode = "ebike"
    stops: Annotated[tuple[StopIn, ...], Field(max_length=MAX_STOPS)] = ()
    speed_factor: Annotated[float, Field(ge=1, le=10, description="Network times are multiplied by it.")] = (
        1.0
    )
    skills: Words = ()
    status: Literal["busy", "on_break", "public_benefit", "off"] = "busy"
    shift_start: Instant | None = None
    shift_end: Instant | None = None
    worked_since_break_s: Seconds = 0.0
    worked_today_s: Seconds = 0.0
    available_at: Annotated[Instant | None, Field(description="When he can leave; null: now.")] = None
    capacity: Annotated[int | None, Field(ge=0, le=1_000, description="Parcels; null: no limit.")] = None
    load: Annotated[int, Field(ge=0, le=1_000)] = 0
    platform: Annotated[str, Field(max_length=40)] = ""
    contribution: Annotated[float, Field(ge=0, le=1e9, description="Points earned by tasks.")] = 0.0
    extra_last_hour_s: Seconds = 0.0


class VisitIn(Schema):
    """One place where something is done."""

    lon: Lon
    lat: Lat
    service_s: Seconds = 0.0
    earliest: Instant | None = None
    latest: Annotated[Instant | None, Field(description="Service must have started by then.")] = None


class TaskIn(Schema):
    """A task: a visit, or with `dropoff` a pick-up and a drop-off."""

    task_id: Identifier
    place: VisitIn
    dropoff: VisitIn | None = None
    kind: TaskKindName = "visit"
    skills: Words = ()
    modes: Annotated[tuple[Mode, ...], Field(min_length=1, max_length=4)] = ("ebike", "bike", "car", "foot")
    priority: Annotated[int, Field(ge=-1_000, le=1_000)] = 0
    people: Annotated[int, Field(ge=1, le=50)] = 1
    load: Annotated[int, Field(ge=0, le=1_000)] = 0
    platforms: Words = ()


class PolicyIn(Schema):
    """What may differ from the standing rules; what is left out stays as it is."""

    max_extra_s: Seconds | None = None
    max_extra_per_hour_s: Seconds | None = None
    slack_kept_s: Seconds | None = None
    fairness_s_per_point: Seconds | None = None
    yuan_per_minute: Annotated[float | None, Field(ge=0, le=1_000)] = None
    yuan_per_km: Annotated[float | None, Field(ge=0, le=1_000)] = None
    points_per_minute: Annotated[float | None, Field(ge=0, le=1_000)] = None
    points_per_km: Annotated[float | None, Field(ge=0, le=1_000)] = None
    walk_to_street_m: Annotated[float | None, Field(ge=1, le=2_000)] = None


class MatchRequest(Schema):
    """Riders with their plans, and tasks. Only these riders are considered, and nothing is kept."""

    datum: Annotated[Datum, Field(description="Datum of every position in the request.")]
    answer_datum: Annotated[Datum | None, Field(description="Datum of the answer; null: the same.")] = None
    now: Instant
    riders: Annotated[tuple[RiderIn, ...], Field(max_length=MAX_RIDERS)]
    tasks: Annotated[tuple[TaskIn, ...], Field(min_length=1, max_length=MAX_TASKS)]
    policy: PolicyIn = PolicyIn()


class StopSlackOut(Schema):
    """A promised stop before and after; slack null: without a due time."""

    stop_id: str
    start_before: AwareDatetime
    start_after: AwareDatetime
    slack_before_s: float | None
    slack_after_s: float | None


class RunnerUpOut(Schema):
    """The second best rider."""

    rider_id: str
    extra_s: float
    difference_s: float


class MatchOut(Schema):
    """One rider for one task, with price and proof."""

    task_id: str
    rider_id: str
    place: Annotated[
        int, Field(description="The task comes before this stop (0-based); after all: their number.")
    ]
    dropoff_place: int | None
    arrival: AwareDatetime
    start: AwareDatetime
    leave: AwareDatetime
    extra_s: float
    extra_m: float
    yuan: float
    points: float
    stops: list[StopSlackOut]
    way: Way
    runner_up: RunnerUpOut | None


class ChangeOut(Schema):
    """The smallest single change that would allow the match."""

    what: str
    seconds: Annotated[float | None, Field(description="Metres for a place, people for people.")]
    subject: str
    rider_id: str | None
    text: str


class RefusedOut(Schema):
    """A task without a rider, and why."""

    task_id: str
    rule: str
    subject: str
    by_s: float | None
    reason: str
    rider_id: Annotated[str | None, Field(description="Who came nearest to doing it.")]
    change: ChangeOut


class LateStopOut(Schema):
    """A stop that is late without any task."""

    rider_id: str
    stop_id: str
    late_s: float


class OffNetworkOut(Schema):
    """A rider left out: his position or a stop lies on no street."""

    rider_id: str
    nearest_street_m: float | None


class MatchResponse(Schema):
    """The matches hold together, also where one rider got several tasks."""

    datum: Datum
    matches: list[MatchOut]
    refused: list[RefusedOut]
    late_before: list[LateStopOut]
    off_network: list[OffNetworkOut]
