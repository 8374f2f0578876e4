"""The forms of requests and answers: strict on the way in, documented on the way out."""

import datetime
import enum
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from geo.datum import Datum
from geo.errors import InputError
from siting.stations import parse_hours

__all__ = [
    "ConditionOut",
    "GridSummary",
    "Health",
    "Language",
    "LayerFormat",
    "LineString",
    "MapLinksOut",
    "Mode",
    "NearestStation",
    "OccupancyOut",
    "PointedError",
    "Position",
    "Ready",
    "ReportFormat",
    "ServiceId",
    "Station",
    "StudyMeta",
    "Way",
    "epoch_s_of",
    "instant_of",
    "way_of",
]

Mode = Literal["ebike", "bike", "car", "foot"]
Language = Literal["zh", "en"]
StationPlan = Literal["new", "stay", "close", "move"]
Lon = Annotated[float, Field(ge=-180, le=180, description="Degrees east.")]
Lat = Annotated[float, Field(ge=-90, le=90, description="Degrees north.")]
ServiceId = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[0-9A-Za-z_-]+$")]
"""A name that the service gave."""
Identifier = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


class PointedError(InputError):
    """Input that contradicts itself, with the JSON pointers to where it does."""

    def __init__(self, places: Mapping[str, str]) -> None:
        """Take what is wrong by pointer; the first is told in the sentence."""
        super().__init__(next(iter(places.values())))
        self.places = dict(places)


class Schema(BaseModel):
    """What all forms share: no unknown field, no infinity, nothing changed after the check."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ReportFormat(enum.StrEnum):
    """Forms of the report."""

    DOCX = "docx"
    XLSX = "xlsx"
    HTML = "html"


class LayerFormat(enum.StrEnum):
    """Forms of the layer of stations."""

    GEOJSON = "geojson"
    GPKG = "gpkg"


class EditFormat(enum.StrEnum):
    """Forms of the proposed edits of the map."""

    GEOJSON = "geojson"
    OSC = "osc"


class Position(Schema):
    """A place in the datum that the caller asked for."""

    lon: Lon
    lat: Lat


class LineString(Schema):
    """GeoJSON geometry (RFC 7946), [lon, lat] in degrees."""

    type: Literal["LineString"] = "LineString"
    coordinates: list[tuple[float, float]]


class WayProperties(Schema):
    """What is said about a way."""

    streets: list[str]


class Way(Schema):
    """A way on the streets as a GeoJSON feature."""

    type: Literal["Feature"] = "Feature"
    geometry: LineString
    properties: WayProperties


def instant_of(epoch_s: float, zone: datetime.tzinfo | None) -> datetime.datetime:
    """Return an instant as it is told: to the millisecond, in the time of the request."""
    return datetime.datetime.fromtimestamp(round(epoch_s, 3), zone)


def epoch_s_of(instant: str) -> float:
    """Return an instant as JSON has it in epoch seconds."""
    return datetime.datetime.fromisoformat(instant).timestamp()


def way_of(lonlat: Sequence[Sequence[float]], streets: Iterable[str] = ()) -> Way:
    """Return a way as GeoJSON, to a centimetre; points and names that repeat the one before are left out."""
    points = [(round(lon, 7), round(lat, 7)) for lon, lat in lonlat]
    kept = [point for k, point in enumerate(points) if k == 0 or point != points[k - 1]]
    # A line has two points, also where nobody has to move.
    line = kept if len(kept) > 1 else kept * 2
    # a street goes on behind a piece without a name
    names = [name for name, _ in itertools.groupby(streets)]
    return Way(geometry=LineString(coordinates=line), properties=WayProperties(streets=names))


def _hours(expression: str) -> str:
    parse_hours(expression)
    return expression


class StudyMeta(Schema):
    """What the service must know of the study it serves."""

    titles: dict[Language, str]
    cities: dict[Language, str]
    timezone: str
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    """The first is that of the files without a language in their name."""
    mode: Mode
    period: tuple[str, str]
    synthetic: bool
    attribution: str

    @property
    def title(self) -> str:
        """In the main language."""
        return self.titles[self.languages[0]]

    @property
    def city(self) -> str:
        """In the main language."""
        return self.cities[self.languages[0]]


class Station(Schema):
    """A rest station as the service keeps it; position in WGS-84."""

    station_id: str
    name: str
    lonlat: tuple[float, float]
    kind: str
    existing: bool
    opening_hours: Annotated[str, AfterValidator(_hours)]
    facilities: tuple[str, ...]
    street: str
    plan: StationPlan
    closed_from: datetime.date | None
    """Local day from which it is shut, where the study closes or moves it and says when."""


class Health(Schema):
    """The service is up."""

    status: Literal["ok"]
    city: str
    edges: int
    stations: int


class Ready(Schema):
    """All machine code is there: every answer is as quick as it gets."""

    status: Literal["ready"]


class GridSummary(Schema):
    """One unit grid; a figure is null where fewer than k riders stand behind it."""

    code: str
    name: str
    riders: int | None
    rest_min_a_day: float | None
    served_share: float | None
    in_reach_share: float | None
    served_today_share: float | None
    stations: int
    pickup_points: int


class MapLinksOut(Schema):
    """Addresses that open the place in a map app, each in its own datum."""

    geo: str
    amap: str | None
    baidu: str | None


class ConditionOut(Schema):
    """What is believed of a station, because enough riders or an office say so."""

    condition: Literal["shut", "dirty", "full"]
    since: AwareDatetime
    until: AwareDatetime
    by_office: bool


class OccupancyOut(Schema):
    """What somebody counted at a station within the last half hour, as reported.

    No number of fewer than ten people is told. `seats_free` is 1 where at least one seat was free, else 0:
    the seats of a station are known, so a number of free ones would be a number of people.
    """

    people: int | None
    fewer_than: int | None
    seats_free: int | None
    at: AwareDatetime
    by_office: bool


class NearestStation(Schema):
    """The nearest open station and the way there."""

    station_id: str
    name: str
    position: Position
    datum: Datum
    kind: str
    existing: bool
    plan: StationPlan
    closed_from: datetime.date | None
    opening_hours: str
    open_until: Annotated[
        AwareDatetime | None, Field(description="Local time of closing; null: does not close.")
    ]
    facilities: tuple[str, ...]
    street: str
    travel_s: Annotated[float, Field(description="Seconds, with the walks at both ends.")]
    length_m: Annotated[float, Field(description="Metres on the streets.")]
    walk_m: Annotated[float, Field(description="Metres on foot at both ends.")]
    way: Way
    closes_in_s: float | None
    text: str
    reported: list[ConditionOut]
    occupancy: OccupancyOut | None
    links: MapLinksOut
