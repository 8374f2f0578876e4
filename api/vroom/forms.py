"""VROOM's JSON (version 1.14) as forms: what maps, and what is refused by name because it does not."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from api.forms import Lat, Lon, Schema
from api.matching.forms import RuleName, WarningOut

__all__ = [
    "MAX_ORDERS",
    "PartType",
    "StepType",
    "VroomBreak",
    "VroomCosts",
    "VroomJob",
    "VroomReason",
    "VroomRequest",
    "VroomResponse",
    "VroomRoute",
    "VroomRouteStep",
    "VroomShipment",
    "VroomShipmentPart",
    "VroomStep",
    "VroomSummary",
    "VroomUnassigned",
    "VroomVehicle",
    "VroomViolation",
]

MAX_VEHICLES = 500
MAX_ORDERS = 500
MAX_STEPS = 150
"""Below the 200 stops of a plan, so that something can be inserted."""
LAST_S = 7_258_118_400
"""The year 2200: wide enough for relative and absolute seconds."""


def _refuse(why: str) -> Callable[[object], object]:
    def check(value: object) -> object:
        if value not in (None, 0):
            raise PydanticCustomError("unmapped", "{why}", {"why": f"not mapped here: {why}"})
        return value

    return check


StepType = Literal["start", "job", "pickup", "delivery", "break", "end"]
PartType = Literal["job", "pickup", "delivery"]
Id = Annotated[int, Field(ge=0, le=2**63 - 1)]
Text = Annotated[str, Field(max_length=200)]
Place = tuple[Lon, Lat]
Second = Annotated[int, Field(ge=0, le=LAST_S)]
Window = tuple[Second, Second]
Windows = Annotated[tuple[Window, ...], Field(min_length=1, max_length=10)]
Span = Annotated[int, Field(ge=0, le=86_400)]
Amounts = Annotated[tuple[Annotated[int, Field(ge=0, le=10**9)], ...], Field(max_length=10)]
Skills = Annotated[tuple[Annotated[int, Field(ge=0, le=10**9)], ...], Field(max_length=50)]
Priority = Annotated[int, Field(ge=0, le=100)]
Matrix = Annotated[
    object,
    AfterValidator(
        _refuse(
            "a matrix says how long a way takes, not which way it is, so it cannot be shown to keep to"
            " streets the vehicle may use; leave it out: times come from the streets, and `speed_factor`"
            " slows a vehicle"
        )
    ),
]
Index = Annotated[
    object,
    AfterValidator(
        _refuse("a place in a matrix; leave it out: times come from the streets between places as [lon, lat]")
    ),
]
ByType = Annotated[dict[Text, Span], Field(max_length=50)]
Unit = Annotated[int, Field(ge=0, le=10**6)]
BreakLoad = Annotated[object, AfterValidator(_refuse("a limit on the load during a break"))]
OldAmount = Annotated[object, AfterValidator(_refuse("`amount` of a job; use `delivery` or `pickup`"))]
Multiple = Annotated[object, AfterValidator(_refuse("several matrices or request files"))]


class VroomStep(Schema):
    """One given step of a vehicle; steps keep their order."""

    type: StepType
    id: Id | None = None
    service_at: Second | None = None
    service_after: Second | None = None
    service_before: Second | None = None


class VroomBreak(Schema):
    """A break, taken where the vehicle is after the step before it."""

    id: Id
    time_windows: Windows
    service: Span = 0
    description: Text | None = None
    max_load: BreakLoad = None


class VroomCosts(Schema):
    """What a vehicle costs; a task goes where it costs least."""

    fixed: Unit = 0
    per_hour: Unit = 3600
    per_km: Unit = 0
    per_task_hour: Unit = 0


class VroomVehicle(Schema):
    """A vehicle with what it may do, and the steps that it keeps."""

    id: Id
    profile: Literal["car", "bike", "bicycle", "ebike", "foot"] = "car"
    description: Text | None = None
    start: Place
    end: Place | None = None
    capacity: Amounts | None = None
    skills: Skills = ()
    time_window: Window | None = None
    breaks: Annotated[tuple[VroomBreak, ...], Field(max_length=5)] = ()
    speed_factor: Annotated[float, Field(ge=0.1, le=1)] = 1.0
    max_tasks: Annotated[int | None, Field(ge=0, le=10_000)] = None
    steps: Annotated[tuple[VroomStep, ...], Field(max_length=MAX_STEPS)] = ()
    start_index: Index = None
    end_index: Index = None
    costs: VroomCosts = VroomCosts()
    type: Text = ""
    max_travel_time: Annotated[int | None, Field(ge=0, le=10**7)] = None
    max_distance: Annotated[int | None, Field(ge=0, le=10**8)] = None


class VroomJob(Schema):
    """A job at one place."""

    id: Id
    description: Text | None = None
    location: Place
    service: Span = 0
    delivery: Amounts | None = None
    pickup: Amounts | None = None
    skills: Skills = ()
    priority: Priority = 0
    time_windows: Windows | None = None
    location_index: Index = None
    setup: Span = 0
    setup_per_type: ByType = Field(default_factory=dict)
    service_per_type: ByType = Field(default_factory=dict)
    amount: OldAmount = None


class VroomShipmentPart(Schema):
    """The pick-up or the delivery of a shipment."""

    id: Id
    description: Text | None = None
    location: Place
    service: Span = 0
    time_windows: Windows | None = None
    location_index: Index = None
    setup: Span = 0
    setup_per_type: ByType = Field(default_factory=dict)
    service_per_type: ByType = Field(default_factory=dict)


class VroomShipment(Schema):
    """Freight from one place to another, by one vehicle."""

    pickup: VroomShipmentPart
    delivery: VroomShipmentPart
    amount: Amounts | None = None
    skills: Skills = ()
    priority: Priority = 0


class VroomOptions(Schema):
    """What vroom-express takes beside a request."""

    g: bool = False


class VroomRequest(Schema):
    """Vehicles, jobs and shipments as VROOM takes them."""

    vehicles: Annotated[tuple[VroomVehicle, ...], Field(min_length=1, max_length=MAX_VEHICLES)]
    jobs: Annotated[tuple[VroomJob, ...], Field(max_length=20_000)] = ()
    shipments: Annotated[tuple[VroomShipment, ...], Field(max_length=20_000)] = ()
    options: VroomOptions = VroomOptions()
    matrices: Matrix = None
    matrix: Matrix = None
    distribute_options: Multiple = None


class VroomViolation(Schema):
    """A given step, or a route, that breaks a rule already."""

    cause: Literal["delay", "load", "skills", "max_tasks", "max_travel_time", "max_distance"]
    duration: int | None = None


class VroomRouteStep(Schema):
    """One step of a route."""

    type: StepType
    id: int | None = None
    description: str | None = None
    location: tuple[float, float] | None = None
    arrival: int
    duration: int
    setup: int = 0
    service: int
    waiting_time: int
    load: list[int]
    distance: int | None = None
    violations: list[VroomViolation]


class VroomRoute(Schema):
    """The route of one vehicle."""

    vehicle: int
    description: str | None = None
    cost: int
    setup: int = 0
    service: int
    duration: int
    waiting_time: int
    priority: int
    delivery: list[int]
    pickup: list[int]
    distance: int | None = None
    geometry: str | None = None
    steps: list[VroomRouteStep]
    violations: list[VroomViolation]


class VroomReason(Schema):
    """What stood in the way of a task; VROOM itself has no such field."""

    rule: RuleName
    subject: str | None = None
    by_s: float | None = None
    by_m: float | None = None
    text: str


class VroomUnassigned(Schema):
    """A job, or one part of a shipment, that no vehicle got."""

    id: int
    type: PartType
    description: str | None = None
    location: tuple[float, float]
    reason: VroomReason


class VroomSummary(Schema):
    """Sums over all routes."""

    cost: int
    routes: int
    unassigned: int
    setup: int = 0
    service: int
    duration: int
    waiting_time: int
    priority: int
    delivery: list[int]
    pickup: list[int]
    distance: int | None = None
    violations: list[VroomViolation]


class VroomResponse(Schema):
    """The answer in VROOM's form."""

    code: Literal[0] = 0
    summary: VroomSummary
    unassigned: list[VroomUnassigned]
    routes: list[VroomRoute]
    warnings: list[WarningOut]
