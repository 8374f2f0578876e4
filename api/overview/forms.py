"""The form of the city at a glance."""

from typing import Literal

from pydantic import AwareDatetime

from api.dispatch.emergency_forms import AlertStatus
from api.dispatch.forms import OfferStatus, TaskStatus
from api.forms import Mode, Schema
from api.matching.forms import RuleName, TaskKindName
from geo.datum import Datum

__all__ = [
    "CityAlert",
    "CityCell",
    "CityCounts",
    "CityEmergency",
    "CityMinutes",
    "CityOffer",
    "CityOut",
    "CityRider",
    "CityTask",
]


class CityRider(Schema):
    """A rider, for their platform."""

    rider_id: str
    lon: float
    lat: float
    mode: Mode
    status: str
    stops: int
    called: bool


class CityTask(Schema):
    """A task that is not over, for its publisher."""

    id: str
    task_id: str
    status: TaskStatus
    kind: TaskKindName
    lon: float
    lat: float
    people: int
    open: int
    taken: int
    unmatched: RuleName | Literal["asked"] | None


class CityOffer(Schema):
    """An offer that waits for an answer or is being done, for the rider's platform."""

    offer_id: str
    id: str
    rider_id: str
    status: OfferStatus
    lon: float
    lat: float
    expires: AwareDatetime


class CityEmergency(Schema):
    """An emergency that goes on, for whoever raised it."""

    id: str
    name: str
    drill: bool
    lon: float
    lat: float
    people: int
    phase: int
    phases: int
    next_phase: AwareDatetime | None
    alerted: int
    accepted: int
    arrived: int


class CityAlert(Schema):
    """An alert of an emergency that goes on, for the rider's platform."""

    alert_id: str
    id: str
    rider_id: str
    status: AlertStatus
    drill: bool
    phase: int
    lon: float
    lat: float


class CityCell(Schema):
    """A place, and how soon somebody can be there."""

    lon: float
    lat: float
    minutes: int | None


class CityMinutes(Schema):
    """How soon riders can be anywhere, from where they are now."""

    riders: int
    cell_m: int
    within_min: int
    cells: list[CityCell]


class CityCounts(Schema):
    """How much is going on, within the caller's sight."""

    riders: int | None
    tasks: dict[TaskStatus, int]
    offers: dict[OfferStatus, int]


class CityOut(Schema):
    """What a caller may see of the city now."""

    at: AwareDatetime
    role: Literal["platform", "planner", "grid_staff", "rider", "admin"]
    datum: Datum
    bounds: tuple[float, float, float, float]
    counts: CityCounts
    riders: list[CityRider]
    tasks: list[CityTask]
    offers: list[CityOffer]
    emergencies: list[CityEmergency]
    alerts: list[CityAlert]
    minutes: CityMinutes | None
