"""The forms of a match request and its answer.

They mirror ``routing.model.riders``, ``tasks``, ``policy`` and ``results``.
"""

import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from api.forms import Identifier, Lat, Lon, Mode, Schema, Way
from api.matching.expected_forms import ExpectedMatchOut, PredictionOut
from geo.datum import Datum

__all__ = [
    "AlertOut",
    "AlertRequest",
    "AlertResponse",
    "AnswerOut",
    "BrokenOut",
    "ChangeOut",
    "ChangeWhat",
    "EmergencyIn",
    "LateStopOut",
    "MatchOut",
    "MatchRequest",
    "MatchResponse",
    "MissedStopOut",
    "OffNetworkOut",
    "PolicyIn",
    "QuestionIn",
    "RefusedOut",
    "RiderIn",
    "RouteOut",
    "RuleName",
    "RunnerUpOut",
    "SeenIn",
    "SentPart",
    "StepOut",
    "StepPart",
    "StopIn",
    "StopKind",
    "StopSlackOut",
    "TaskIn",
    "TaskKindName",
    "UnplannedRiderIn",
    "VisitIn",
    "WarningOut",
    "Windows",
]

MAX_RIDERS = 20_000
MAX_TASKS = 500
MAX_STOPS = 200
MAX_QUESTIONS = 200
MAX_UNPLANNED = 500
MAX_RECENT = 100
MAX_HISTORY = 500

# Wide enough for any plan, narrow enough that no sum of times leaves the calendar.
FIRST = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
LAST = datetime.datetime(2200, 1, 1, tzinfo=datetime.UTC)
Instant = Annotated[AwareDatetime, Field(ge=FIRST, le=LAST)]
Windows = Annotated[tuple[tuple[Instant, Instant], ...], Field(min_length=1, max_length=10)]
StepPart = Literal["stop", "visit", "pickup", "dropoff"]
StopKind = Literal["pickup", "dropoff", "task", "rest", "other"]
TaskKindName = Literal[
    "rubbish", "hazard", "blocked_exit", "furniture", "visit", "notice", "patrol", "food_safety", "errand",
    "first_response",
]  # fmt: skip
ChangeWhat = Literal[
    "due", "start", "longer", "latest", "max_extra", "hour_budget", "shift", "day", "break", "skill", "mode",
    "status", "capacity", "place", "people", "none",
]  # fmt: skip
RuleName = Literal[
    "late", "window", "max_extra", "hour_budget", "shift", "day", "break", "skill", "mode", "status",
    "capacity", "platform", "place", "position", "unreachable", "dead_end", "people",
]  # fmt: skip
SentPart = Literal["riders", "stops", "tasks", "unplanned", "vehicles", "jobs", "shipments"]
"""Kinds of positions in a request; the last three are VROOM's."""
Seconds = Annotated[float, Field(ge=0, le=86_400, description="Seconds.")]
Word = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00]+$")]
Words = Annotated[tuple[Word, ...], Field(max_length=50)]


class StopIn(Schema):
    """A promised stop. It is never dropped, moved in the order, or made late."""

    stop_id: Identifier
    lon: Lon
    lat: Lat
    service_s: Seconds = 0.0
    earliest: Annotated[Instant | None, Field(description="Service cannot start before.")] = None
    due: Annotated[Instant | None, Field(description="Service must have started by then.")] = None
    windows: Annotated[
        Windows | None, Field(description="Several windows, instead of `earliest` and `due`.")
    ] = None
    kind: StopKind = "dropoff"
    load_change: Annotated[
        int, Field(ge=-1_000, le=1_000, description="Parcels taken up (positive) or handed over.")
    ] = 0


class RiderIn(Schema):
    """A rider where the rider is now, with their remaining stops in the order the rider promised."""

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
    available_at: Annotated[Instant | None, Field(description="When they can leave; null: now.")] = None
    capacity: Annotated[int | None, Field(ge=0, le=1_000, description="Parcels; null: no limit.")] = None
    load: Annotated[int, Field(ge=0, le=1_000)] = 0
    platform: Annotated[str, Field(max_length=40)] = ""
    contribution: Annotated[float, Field(ge=0, le=1e9, description="Points earned by tasks.")] = 0.0
    extra_last_hour_s: Seconds = 0.0


class SeenIn(Schema):
    """Where a rider was, and when."""

    at: Instant
    lon: Lon
    lat: Lat


class UnplannedRiderIn(Schema):
    """A rider whose plan nobody tells, with the last minutes and, for habits, where they stopped before."""

    rider_id: Identifier
    lon: Lon
    lat: Lat
    recent: Annotated[
        tuple[SeenIn, ...],
        Field(max_length=MAX_RECENT, description="Positions of the last quarter of an hour before `now`."),
    ] = ()
    history: Annotated[
        tuple[SeenIn, ...],
        Field(
            max_length=MAX_HISTORY,
            description="Past stops: orders taken up and handed over, rests. Used for this answer alone.",
        ),
    ] = ()
    mode: Mode = "ebike"
    speed_factor: Annotated[float, Field(ge=1, le=10)] = 1.0
    skills: Words = ()
    status: Literal["busy", "on_break", "public_benefit", "off"] = "busy"
    shift_end: Instant | None = None
    worked_since_break_s: Seconds = 0.0
    worked_today_s: Seconds = 0.0
    platform: Annotated[str, Field(max_length=40)] = ""
    contribution: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    extra_last_hour_s: Seconds = 0.0


class VisitIn(Schema):
    """One place where something is done."""

    lon: Lon
    lat: Lat
    service_s: Seconds = 0.0
    earliest: Instant | None = None
    latest: Annotated[Instant | None, Field(description="Service must have started by then.")] = None
    windows: Annotated[
        Windows | None, Field(description="Several windows, instead of `earliest` and `latest`.")
    ] = None


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
    """What may differ from the standing rules; what is left out stays as it is.

    The labour rules (breaks, hours of the day, e-bike speed) are not among it: no request may loosen them.
    """

    max_extra_s: Seconds | None = None
    max_extra_per_hour_s: Seconds | None = None
    slack_kept_s: Seconds | None = None
    fairness_s_per_point: Seconds | None = None
    yuan_per_minute: Annotated[float | None, Field(ge=0, le=1_000)] = None
    yuan_per_km: Annotated[float | None, Field(ge=0, le=1_000)] = None
    points_per_minute: Annotated[float | None, Field(ge=0, le=1_000)] = None
    points_per_km: Annotated[float | None, Field(ge=0, le=1_000)] = None
    walk_to_street_m: Annotated[float | None, Field(ge=1, le=2_000)] = None
    harm_probability_max: Annotated[float | None, Field(ge=0, le=1)] = None
    harm_delay_s: Seconds | None = None


class QuestionIn(Schema):
    """A question: why not this rider for this task."""

    task_id: Identifier
    rider_id: Identifier


class MatchRequest(Schema):
    """Riders with their plans, and tasks. Only these riders are considered, and nothing is kept."""

    datum: Annotated[Datum, Field(description="Datum of every position in the request.")]
    answer_datum: Annotated[Datum | None, Field(description="Datum of the answer; null: the same.")] = None
    now: Instant
    riders: Annotated[tuple[RiderIn, ...], Field(max_length=MAX_RIDERS)]
    unplanned: Annotated[
        tuple[UnplannedRiderIn, ...],
        Field(
            max_length=MAX_UNPLANNED,
            description="Riders without a plan; asked for what nobody in `riders` can do, one task each.",
        ),
    ] = ()
    tasks: Annotated[tuple[TaskIn, ...], Field(min_length=1, max_length=MAX_TASKS)]
    policy: PolicyIn = PolicyIn()
    assignment: Annotated[
        Literal["in_order", "together"],
        Field(
            description="together: as many tasks as possible, weighted by priority, then the least extra"
            " time; in_order: by priority, due instant and id, each on the plans that earlier ones left."
        ),
    ] = "together"
    geometry: Annotated[bool, Field(description="Whether each match tells its way.")] = True
    late_before: Annotated[
        Literal["named", "all"],
        Field(
            description="named: late stops are told of the riders whom the answer names; all: of all, which"
            " takes longer, because the ways of all plans must be found."
        ),
    ] = "named"
    questions: Annotated[
        tuple[QuestionIn, ...],
        Field(max_length=MAX_QUESTIONS, description="Answered for the plans as they are sent."),
    ] = ()


class StopSlackOut(Schema):
    """A promised stop before and after; slack null: without a due time."""

    stop_id: str
    start_before: AwareDatetime
    start_after: AwareDatetime
    slack_before_s: float | None
    slack_after_s: float | None


class StepOut(Schema):
    """One stop of a final plan: a promised one, or that of a task."""

    stop_id: Annotated[str, Field(description="Of a task's stop: a name that the plan did not have.")]
    task_id: Annotated[str | None, Field(description="The task it belongs to; null: a promised stop.")]
    part: StepPart
    lon: float
    lat: float
    arrival: AwareDatetime
    start: AwareDatetime
    leave: AwareDatetime
    wait_s: Annotated[float, Field(description="From arrival to start.")]
    slack_s: Annotated[
        float | None, Field(description="How much later it could start; null: without a due time.")
    ]
    load: Annotated[int, Field(description="Parcels on board when it is left.")]


class RouteOut(Schema):
    """The final plan of a rider who got one task or more, in the order in which it is ridden."""

    rider_id: str
    leave: Annotated[AwareDatetime, Field(description="When the rider leaves the position sent.")]
    steps: list[StepOut]


class RunnerUpOut(Schema):
    """The second best rider of the same platform."""

    rider_id: str
    extra_s: float
    difference_s: float


class MatchOut(Schema):
    """One rider for one task, with price and proof. All times are those of the rider's final plan."""

    task_id: str
    rider_id: str
    place: Annotated[
        int,
        Field(description="The task comes before this promised stop (0-based); after all: their number."),
    ]
    dropoff_place: Annotated[int | None, Field(description="The same for the drop-off of a pair.")]
    arrival: AwareDatetime
    start: AwareDatetime
    leave: AwareDatetime
    extra_s: float
    extra_m: float
    yuan: float
    points: float
    stops: list[StopSlackOut]
    way: Way | None
    runner_up: RunnerUpOut | None


class ChangeOut(Schema):
    """The smallest single change that would allow the match, enough alone.

    It is judged on the final plans of the answer: no task that was given is given to somebody else for it.
    """

    what: Annotated[
        ChangeWhat,
        Field(
            description="`due` of a stop; the task's windows open sooner (`start`), those before the last "
            "close later (`longer`), the last closes later (`latest`); "
            "`max_extra`, `hour_budget`: more time for tasks; `shift`, `day`, `break`: later by; `skill`, "
            "`mode`, `status`, `capacity`; `place`: nearer to a street; `people`: fewer; `none` is enough."
        ),
    ]
    by_s: Annotated[float | None, Field(description="Seconds, for a change of time.")]
    by_m: Annotated[float | None, Field(description="Metres, for a place.")]
    by: Annotated[int | None, Field(description="People, or parcels of capacity.")]
    subject: Annotated[
        str | None, Field(description="The stop, skill, mode or status; `pickup` or `dropoff` of a task.")
    ]
    rider_id: Annotated[str | None, Field(description="Who could then do it.")]
    text: str


class BrokenOut(Schema):
    """A rule that stands in the way."""

    rule: RuleName
    subject: Annotated[str | None, Field(description="The stop, skill, mode or status it is about.")]
    by_s: Annotated[float | None, Field(description="Seconds by which the limit would have to give way.")]
    by_m: Annotated[float | None, Field(description="Metres too far from a street.")]
    by: Annotated[int | None, Field(description="Parcels for which there is no room.")]
    reason: Annotated[str, Field(description="In the language of `Accept-Language`, zh or en.")]


class RefusedOut(BrokenOut):
    """A task without a rider, and why."""

    task_id: str
    rider_id: Annotated[str | None, Field(description="Who came nearest to doing it.")]
    also: Annotated[list[BrokenOut], Field(description="What else is broken at the place that came nearest.")]
    change: ChangeOut


class AnswerOut(Schema):
    """Whether a rider may do a task, and what keeps them from it."""

    task_id: str
    rider_id: str
    allowed: bool
    refused: RefusedOut | None


class LateStopOut(Schema):
    """A stop that is late without any task."""

    rider_id: str
    stop_id: str
    late_s: float


class OffNetworkOut(Schema):
    """A rider left out: their position or a stop lies on no street."""

    rider_id: str
    nearest_street_m: float | None


class WarningOut(Schema):
    """What in the request looks wrong, though it was answered as it stands."""

    code: Literal["datum", "far", "swapped"]
    text: str
    declared: Datum | None = None
    likely: Datum | None = None
    median_m: dict[Datum, float] | None = None
    positions: Annotated[
        list[SentPart] | None, Field(description="Which positions it is about; null: all, or the place.")
    ] = None


class MatchResponse(Schema):
    """The matches hold together, also where one rider got several tasks."""

    datum: Datum
    matches: list[MatchOut]
    routes: Annotated[
        list[RouteOut], Field(description="The final plan of every rider who got a task, ready to be ridden.")
    ]
    refused: list[RefusedOut]
    late_before: Annotated[
        list[LateStopOut],
        Field(description="Stops that are late without any task, of the riders whom `late_before` asks for."),
    ]
    off_network: list[OffNetworkOut]
    warnings: list[WarningOut]
    answers: Annotated[list[AnswerOut], Field(description="To the questions, in their order.")]
    expected: Annotated[
        list[ExpectedMatchOut], Field(description="Tasks for riders without a plan: likely, not proven.")
    ]
    predictions: Annotated[
        list[PredictionOut], Field(description="Where each of `unplanned` is expected to go.")
    ]


class EmergencyIn(Schema):
    """What may differ from the standing rules of an emergency; what is left out stays as it is."""

    acceptance: Annotated[
        float | None, Field(ge=0, le=1, description="Chance that one alerted rider accepts [0.32].")
    ] = None
    answer_s: Annotated[Seconds | None, Field(description="From an alert to its answer.")] = None
    phase_riders: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1_000)], ...] | None, Field(min_length=1, max_length=20)
    ] = None
    phase_wait_s: Annotated[Seconds | None, Field(description="Then the next phase is alerted.")] = None
    within_s: Annotated[Seconds | None, Field(description="The x of P(somebody is there within x).")] = None
    horizon_s: Annotated[Seconds | None, Field(description="Nobody farther away is alerted.")] = None


class AlertRequest(Schema):
    """Riders with their plans, and one emergency. Nothing is kept, and no plan is changed."""

    datum: Annotated[Datum, Field(description="Datum of every position in the request.")]
    now: Annotated[Instant, Field(description="When the emergency was reported.")]
    riders: Annotated[tuple[RiderIn, ...], Field(max_length=MAX_RIDERS)]
    task: TaskIn
    policy: EmergencyIn = EmergencyIn()
    acceptance: dict[Identifier, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict,
        max_length=MAX_RIDERS,
        description="By rider id, where it is known; others as in the policy.",
    )
    drill: Annotated[bool, Field(description="Marks the answer; the plan is the same.")] = False


class MissedStopOut(Schema):
    """A stop that a responder would be late for."""

    stop_id: str
    late_s: Annotated[float | None, Field(description="Null: no legal way leads on to it.")]


class AlertOut(Schema):
    """One rider to alert."""

    rider_id: str
    phase: Annotated[int, Field(description="0 for the first.")]
    alerted_s: Annotated[float, Field(description="Seconds after the report.")]
    travel_s: float
    arrives_s: Annotated[float, Field(description="Seconds after the report, when they accept.")]
    acceptance: float
    late_stops: Annotated[
        list[MissedStopOut], Field(description="Stops that would be late if they went and then drove on.")
    ]


class AlertResponse(Schema):
    """Whom to alert: the soonest capable riders in phases, the next one only when nobody has accepted."""

    task_id: str
    drill: bool
    within_s: float
    probability: Annotated[float, Field(description="That somebody is there `within_s` after the report.")]
    soonest_s: Annotated[float | None, Field(description="If the soonest accepts; null: nobody is near.")]
    street_m: float | None
    alerts: list[AlertOut]
    off_network: list[OffNetworkOut]
    warnings: list[WarningOut]
