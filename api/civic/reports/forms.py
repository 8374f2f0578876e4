"""The forms of reports, matters and the board."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from api.dispatch.forms import NO_NUL, Note
from api.forms import Identifier, Lat, Lon, Schema
from api.matching.forms import Instant
from geo.datum import Datum

__all__ = [
    "Board",
    "BoardFeature",
    "BoardFeatures",
    "BoardMatter",
    "ClosureLine",
    "ClosureOut",
    "Closures",
    "DisputeIn",
    "FixIn",
    "HandoverIn",
    "HideIn",
    "KindOut",
    "Kinds",
    "LookIn",
    "LookOut",
    "MatterOut",
    "MatterPage",
    "OfficeIn",
    "OfficeOut",
    "Offices",
    "PhotoOut",
    "PrivateReason",
    "ReasonedIn",
    "ReportIn",
    "ReportOfMatter",
    "ReportOut",
    "ReportPage",
    "Stage",
    "Step",
    "StreetIn",
    "WordIn",
]

Stage = Literal["reported", "accepted", "looking", "working", "fixed", "declined", "closed"]
PrivateReason = Literal["home", "minor", "person"]
StepName = Literal[
    "matter_opened", "report_joined", "handover_asked", "handover_refused", "matter_accepted", "look_wanted",
    "looked", "look_missed", "work_started", "matter_fixed", "matter_declined", "matter_closed",
    "matter_reopened", "matter_escalated", "matter_hidden", "matter_shown",
]  # fmt: skip
Thing = Literal["street", "gate", "stair"]
Saying = Literal["closed", "flooded", "dark", "open"]
Kind = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[0-9A-Za-z_-]+$")]
LongNote = Annotated[str, Field(max_length=4_000, pattern=NO_NUL)]
PhotoName = Annotated[str, Field(max_length=80, pattern=r"^[0-9A-Za-z_-]*$")]
OfficeName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


class TowardsIn(Schema):
    """A place beyond the closure."""

    lon: Lon
    lat: Lat


class StreetIn(Schema):
    """What a report says of the nearest street, gate or stair."""

    thing: Thing
    says: Saying
    towards: TowardsIn | None = None


class WordIn(StreetIn):
    """What an office says of a street, a gate or a stair."""

    lon: Lon
    lat: Lat


class BoardPoint(Schema):
    """GeoJSON geometry."""

    type: Literal["Point"] = "Point"
    coordinates: tuple[float, float]


class ClosureLine(Schema):
    """GeoJSON geometry of a street."""

    type: Literal["LineString"] = "LineString"
    coordinates: list[tuple[float, float]]


class ClosureOut(Schema):
    """A street, gate or stair that is shut or slow now."""

    thing: Thing
    condition: Literal["closed", "flooded", "dark"]
    street: str
    geometry: ClosureLine | BoardPoint
    one_way: bool
    since: AwareDatetime
    until: AwareDatetime
    by_office: bool


class Closures(Schema):
    """What matching, alerts and the nearest station go by now."""

    datum: Datum
    closures: list[ClosureOut]


class BoardMatter(Schema):
    """What everybody may see of a matter; instants are whole hours: nobody's way can be told from them."""

    matter_id: str
    kind: str
    lon: float
    lat: float
    reported: AwareDatetime
    stage: Stage
    office: str
    due: AwareDatetime
    overdue: bool
    level: int
    result: str
    photo: str | None


class Board(Schema):
    """The public board, the newest first."""

    datum: Datum
    matters: list[BoardMatter]
    closures: list[ClosureOut]
    next: str | None


class ReportIn(Schema):
    """A street report."""

    kind: Kind
    lon: Lon
    lat: Lat
    note: LongNote = ""
    photo: PhotoName = ""
    private: PrivateReason | None = None
    street: StreetIn | None = None
    rider_id: Identifier | None = None


class Step(Schema):
    """One step of a matter, as its reporters are told."""

    at: AwareDatetime
    step: StepName
    text: str


class ReportOut(Schema):
    """A report, and what has become of it."""

    report_id: str
    token: Annotated[str | None, Field(description="Opens this report without a key; shown once.")] = None
    matter_id: str
    joined: bool
    kind: str
    stage: Stage
    office: str
    due: AwareDatetime
    left_s: float | None
    private: PrivateReason | None
    result: str
    steps: list[Step]


class ReportPage(Schema):
    """Reports of one's own."""

    reports: list[ReportOut]
    next: str | None


class DisputeIn(Schema):
    """Why it is not done."""

    reason: Note


class PhotoOut(Schema):
    """A photo that may be used once."""

    photo: str
    width: int
    height: int
    bytes: int


class KindOut(Schema):
    """One kind of report."""

    kind: str
    group: Literal["component", "event"]
    name: str
    text: str
    act_within_s: float
    round_the_clock: bool


class Kinds(Schema):
    """What may be reported."""

    kinds: list[KindOut]


class BoardFeature(Schema):
    """A matter as a GeoJSON feature."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: BoardPoint
    properties: BoardMatter


class BoardFeatures(Schema):
    """The board as GeoJSON."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[BoardFeature]
    next: str | None


class ReportOfMatter(Schema):
    """One report as the office reads it; who made it is not told."""

    report_id: str
    made: AwareDatetime
    lon: float
    lat: float
    note: str
    photo: str | None


class LookOut(Schema):
    """A look that was asked for."""

    task: str
    latest: AwareDatetime
    there: bool | None
    missed: bool


class MatterOut(Schema):
    """A matter as its offices see it."""

    matter_id: str
    version: int
    kind: str
    stage: Stage
    office: str
    asked: str | None
    opened: AwareDatetime
    updated: AwareDatetime
    due: AwareDatetime
    left_s: float | None
    level: int
    round: int
    private: PrivateReason | None
    grid_code: str | None
    lon: float
    lat: float
    datum: Datum
    reports: list[ReportOfMatter]
    people: int
    looks: list[LookOut]
    result: str
    photo: str | None


class MatterPage(Schema):
    """Matters of one's own office, and those that it is asked to take on."""

    matters: list[MatterOut]
    next: str | None


class ReasonedIn(Schema):
    """A command with its reason, which the reporters read."""

    reason: Annotated[str, Field(min_length=1, max_length=1_000, pattern=NO_NUL)]


class HandoverIn(Schema):
    """Who should take it on, and why."""

    office: OfficeName
    reason: Annotated[str, Field(min_length=1, max_length=1_000, pattern=NO_NUL)]


class LookIn(Schema):
    """Until when somebody shall have been there."""

    latest: Instant


class FixIn(Schema):
    """What was done: for everybody."""

    result: Annotated[str, Field(min_length=1, max_length=1_000, pattern=NO_NUL)]
    photo: PhotoName = ""


class HideIn(Schema):
    """Why nobody may see it."""

    reason: PrivateReason


class OfficeIn(Schema):
    """An office that takes reports."""

    title: Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL)]
    kinds: Annotated[tuple[Kind, ...], Field(max_length=50)] = ()
    area: Annotated[
        dict[str, Any] | None,
        Field(description="GeoJSON Polygon or MultiPolygon in WGS-84; null: everywhere."),
    ] = None


class OfficeOut(Schema):
    """An office, for everybody."""

    office: str
    title: str
    kinds: list[str]


class Offices(Schema):
    """The offices of the city."""

    offices: list[OfficeOut]
