"""Forms of what is asked and said about single stations and about breaks."""

import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from api.forms import ConditionOut, Identifier, MapLinksOut, OccupancyOut, Position, Schema, StationPlan
from geo.datum import Datum

__all__ = [
    "BreakAnswer",
    "BreakStation",
    "CheckInIn",
    "GoneWeekOut",
    "StationConditions",
    "StationOut",
    "StationReportIn",
    "VisitsOut",
    "WeekOut",
]


Count = Annotated[int, Field(ge=0, le=1_000)]


class StationOut(Schema):
    """One station: whether it is open now, what is there, and what is said of it."""

    station_id: str
    name: str
    position: Position
    datum: Datum
    kind: str
    existing: bool
    plan: StationPlan
    closed_from: datetime.date | None
    opening_hours: str
    is_open: bool
    open_until: AwareDatetime | None
    opens: AwareDatetime | None
    facilities: tuple[str, ...]
    street: str
    text: str
    reported: list[ConditionOut]
    occupancy: OccupancyOut | None
    links: MapLinksOut
    page: str


class StationReportIn(Schema):
    """What somebody found at a station."""

    says: Literal["shut", "dirty", "full", "fine"]
    rider_id: Identifier | None = None
    people: Count | None = None
    seats_free: Count | None = None


class CheckInIn(Schema):
    """A rider is at a station."""

    rider_id: Identifier | None = None


class StationConditions(Schema):
    """What is believed of a station after a report."""

    station_id: str
    reported: list[ConditionOut]


class WeekOut(Schema):
    """Visits of one station in one week that is over; null: fewer than k riders."""

    station_id: str
    name: str
    monday: datetime.date
    visits: int | None
    riders: int | None


class GoneWeekOut(Schema):
    """Visits of one week at a station that is no longer there; position in WGS-84."""

    name: str
    position: Position | None
    monday: datetime.date
    visits: int | None
    riders: int | None


class VisitsOut(Schema):
    """Check-ins by station and week, beside what the audit of the study found in traces."""

    k: int
    weeks: list[WeekOut]
    no_longer_there: list[GoneWeekOut]


class BreakStation(Schema):
    """A station where the break can be taken."""

    station_id: str
    name: str
    position: Position
    arrival: AwareDatetime
    in_time: bool
    travel_s: float
    extra_s: float | None
    open_until: AwareDatetime | None
    facilities: tuple[str, ...]
    text: str
    reported: list[ConditionOut]
    links: MapLinksOut


class BreakAnswer(Schema):
    """When the break falls due, and where it can be taken, the best first."""

    datum: Datum
    break_due: AwareDatetime | None
    due_in_s: float | None
    break_s: float
    text: str
    stations: Annotated[list[BreakStation], Field(max_length=5)]
