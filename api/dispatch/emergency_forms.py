"""The forms of emergencies and of the alerts that riders get."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from api.dispatch.forms import PlaceOut
from api.forms import Identifier, Lat, Lon, Mode, Schema
from api.matching.forms import EmergencyIn, MissedStopOut, Seconds, WarningOut, Words
from geo.datum import Datum

__all__ = [
    "AlertForRider",
    "AlertList",
    "CloseIn",
    "ComingOut",
    "EmergencyOut",
    "EmergencyPage",
    "EmergencyRaiseIn",
    "PhaseOut",
    "SummaryOut",
]

AlertStatus = Literal["alerted", "accepted", "declined", "arrived", "released"]


class EmergencyRaiseIn(Schema):
    """An emergency, now. `name` is the publisher's own name for it, one emergency for each."""

    name: Identifier
    lon: Lon
    lat: Lat
    service_s: Seconds = 600.0
    people: Annotated[int, Field(ge=1, le=50)] = 1
    skills: Words = ()
    modes: Annotated[tuple[Mode, ...], Field(min_length=1, max_length=4)] = ("ebike", "bike", "car", "foot")
    grid_code: Annotated[str | None, Field(max_length=40)] = None
    drill: bool = False
    policy: EmergencyIn = EmergencyIn()


class PhaseOut(Schema):
    """Riders who are alerted together."""

    phase: int
    alerted: int
    opened: bool


class ComingOut(Schema):
    """Somebody who has said yes; not who."""

    status: Literal["accepted", "arrived"]
    accepted: AwareDatetime
    expected: AwareDatetime
    arrived: AwareDatetime | None


class SummaryOut(Schema):
    """What became of the alerts, against what the plan promised; seconds after the emergency was raised."""

    alerted: int
    accepted: int
    declined: int
    arrived: int
    first_accepted_s: float | None
    first_arrived_s: float | None
    within_s: float
    probability: float
    soonest_s: float | None
    in_time: bool | None


class EmergencyOut(Schema):
    """An emergency as its publisher sees it."""

    id: str
    name: str
    status: Literal["open", "closed"]
    reason: str
    drill: bool
    grid_code: str | None
    raised: AwareDatetime
    datum: Datum
    place: PlaceOut
    people: int
    skills: list[str]
    next_phase: AwareDatetime | None
    phases: list[PhaseOut]
    coming: list[ComingOut]
    summary: SummaryOut
    warnings: list[WarningOut]


class EmergencyPage(Schema):
    """Emergencies in the order in which they were raised; `next` asks for the page after."""

    emergencies: list[EmergencyOut]
    next: str | None


class AlertForRider(Schema):
    """An alert as the rider and their platform see it."""

    alert_id: str
    id: str
    rider_id: str
    status: AlertStatus
    drill: bool
    closed: str
    raised: AwareDatetime
    datum: Datum
    place: PlaceOut
    people: int
    travel_s: float
    late_stops: list[MissedStopOut]
    answered: AwareDatetime | None
    arrived: AwareDatetime | None


class AlertList(Schema):
    """Alerts of emergencies that go on."""

    alerts: list[AlertForRider]


class CloseIn(Schema):
    """Why it is over."""

    reason: Annotated[str, Field(max_length=1_000)] = ""
