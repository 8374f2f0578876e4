"""The tables of a study file: each key with its meaning, unit and range."""

import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from api.forms import Language, Mode
from geo.datum import Datum
from geo.errors import InputError
from geo.localtime import zone
from geo.sentences import Sentence

__all__ = [
    "ExistingTable",
    "ForbiddenTable",
    "GridTable",
    "MapTable",
    "MatchTable",
    "OwnSitesTable",
    "SitingTable",
    "StationKindTable",
    "StudyFile",
    "SyntheticTable",
    "TraceTable",
    "WeightTable",
]

TraceDatum = Literal["wgs84", "gcj02", "bd09", "auto"]
TraceColumn = Literal[
    "rider_id",
    "time",
    "date",
    "lon",
    "lat",
    "lonlat",
    "polyline",
    "event",
    "platform",
    "accuracy",
    "hdop",
    "valid",
]


def _zone(name: str) -> str:
    try:
        zone(name)
    except InputError:
        raise InputError(Sentence.of("study_zone")) from None
    return name


def _listed(value: object) -> object:
    """Let one name stand where a list of names is asked for."""
    return [value] if isinstance(value, str) else value


TimeZone = Annotated[str, AfterValidator(_zone)]
Text = (
    Annotated[str, Field(min_length=1, max_length=200)]
    | dict[Language, Annotated[str, Field(min_length=1, max_length=200)]]
)
"""One text for all languages, or one for each."""
Files = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, str_strip_whitespace=True)


class MapTable(_Table):
    """``[map]``: the street map."""

    file: Annotated[str, Field(min_length=1)] | None = None
    """``.osm.pbf``, ``.osm``, ``.osm.gz``, ``.osm.bz2``, or ``.graphml`` of OSMnx (streets only)."""
    place: Annotated[str, Field(min_length=2)] | None = None
    """Instead of a file: a name that OpenStreetMap knows, such as ``海淀区, 北京市``; streets only."""
    attribution: str = "© OpenStreetMap contributors, ODbL 1.0"

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.file is None) == (self.place is None):
            raise InputError(Sentence.of("study_file_or_place"))
        return self


class TraceTable(_Table):
    """``[[traces]]``: trace files of one form. The datum has no default: it must be known or asked for."""

    files: Files
    datum: TraceDatum | dict[str, TraceDatum]
    """One for all rows, or one for each platform; ``auto`` finds it and reports its evidence."""
    timezone: TimeZone | None = None
    """Zone of local times without an offset; none: that of the city."""
    platform: str = ""
    """Name of the platform where the files have no such column."""
    columns: dict[TraceColumn, str | Annotated[int, Field(ge=1, le=10_000)]] = Field(default_factory=dict)
    """From our names to those of the files, or to positions from 1; well-known names need none."""
    kind: Literal[
        "auto",
        "csv",
        "parquet",
        "gpx",
        "plt",
        "goal",
        "lade_orders",
        "xlsx",
        "json",
        "geojson",
        "gpkg",
        "kml",
        "nmea",
        "feather",
    ] = "auto"
    rider: Annotated[str, Field(min_length=1, max_length=200)] = "auto"
    """Whose a file without a column of riders is: ``file``, ``folder`` or a pattern with ``{rider}``."""
    sheet: str | None = None
    """Of workbooks with several sheets of traces."""
    layer: str | None = None
    """Of GeoPackages with several layers."""
    time_format: Annotated[str, Field(min_length=1, max_length=60)] = "auto"
    """``mdy``, ``dmy``, ``excel``, or a pattern of strptime."""
    lonlat_format: Literal["auto", "lon,lat", "lat,lon"] = "auto"
    """Order in a column that holds both."""
    position_unit: Literal["auto", "degrees", "e5", "e6", "e7", "ddmm"] = "auto"
    interval_s: Annotated[float | None, Field(gt=0, le=3_600)] = None
    """Between the points of a column of polylines."""
    encoding: str = "auto"
    separator: Annotated[str, Field(min_length=1, max_length=4)] = "auto"
    time_unit: Literal["auto", "s", "ms", "us", "ns"] = "auto"
    year: Annotated[int | None, Field(ge=2000, le=2100)] = None
    """Of dates that are written without one."""
    max_speed_mps: Annotated[float, Field(ge=1, le=400)] = 40.0
    """Faster than this between two points is an error of the phone."""
    max_accuracy_m: Annotated[float, Field(ge=1, le=100_000)] = 100.0
    """Of files with a column of the accuracy: positions that are less exact are refused."""


class SyntheticTable(_Table):
    """``[synthetic]``: a seeded fleet on the real map instead of trace files."""

    riders: Annotated[int, Field(ge=1, le=20_000)] = 150
    days: Annotated[int, Field(ge=1, le=60)] = 6
    first_day: datetime.date = datetime.date(2026, 3, 2)
    interval_s: Annotated[int, Field(ge=1, le=600)] = 20
    """Seconds between two points of a rider."""
    noise_m: tuple[Annotated[float, Field(ge=0, le=200)], Annotated[float, Field(ge=0, le=200)]] = (5.0, 15.0)
    """Least and most GPS noise of a phone, standard deviation in metres."""
    broken_share: Annotated[float, Field(ge=0, le=0.5)] = 0.002
    """Share of the rows that are spoiled, as in real files."""
    datum: Datum
    """Of the files that are written and read back, as platforms of the city would hand them over."""
    existing_stations: Annotated[int, Field(ge=0, le=500)] = 4
    """Stations that stand away from where riders rest, as they often do."""
    traffic: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Strength of traffic by street and hour that the map does not show."""


class _PlaceFile(_Table):
    """A file of places, in one of many formats."""

    file: Annotated[str, Field(min_length=1)]
    datum: Datum
    layer: str | None = None
    """Layer or sheet, of files with several that fit."""
    crs: str | None = None
    """Such as ``EPSG:4547``, of files in metres that do not name theirs."""


class ExistingTable(_PlaceFile):
    """``[existing]``: the stations that stand today, from CSV, Excel, GeoJSON, GeoPackage or Shapefile."""

    columns: dict[Literal["name", "lon", "lat", "opening_hours", "kind", "facilities"], str] = Field(
        default_factory=dict
    )
    check_ins: str | None = None
    """Check-ins by station and week, which count in the audit: the answer of ``GET /v1/stations/visits``, or
    a table with name, visits and riders. None: those that the service recorded which runs the study."""


class WeightTable(_Table):
    """``[siting.weights]``: what one rider-minute of each layer of demand counts."""

    rest: Annotated[float, Field(ge=0, le=1_000)] = 1.0
    due_break: Annotated[float, Field(ge=0, le=1_000)] = 0.5
    passing: Annotated[float, Field(ge=0, le=1_000)] = 0.0


class ForbiddenTable(_PlaceFile):
    """``[siting.forbidden]``: polygons in which no station may stand: a vector file, or a table with WKT."""


class OwnSitesTable(_PlaceFile):
    """``[siting.own_sites]``: the planner's own list of rooms; they are never too close to others."""

    columns: dict[Literal["name", "lon", "lat"], str] = Field(default_factory=dict)


class StationKindTable(_Table):
    """``[[station_kinds]]``: one kind of station with what it costs a year."""

    name: Literal["micro", "standard", "hub24"]
    seats: Annotated[int, Field(ge=1, le=1_000)]
    fixed_yuan: Annotated[float, Field(ge=0, le=1e9)]
    hour_yuan: Annotated[float, Field(ge=0, le=1e9)]
    """For each hour of the day that it is open."""
    patterns: Annotated[
        tuple[tuple[Annotated[int, Field(ge=0, le=23)], Annotated[int, Field(ge=1, le=47)]], ...],
        Field(min_length=1),
    ]
    """Allowed daily spans of local hours, such as ``[[8, 22], [0, 24]]``."""
    facilities: tuple[str, ...] = ()


class SitingTable(_Table):
    """``[siting]``: what is to be chosen."""

    sites: Annotated[int, Field(ge=1, le=5_000)] = 8
    """How many new stations at most, whatever becomes of the existing ones."""
    limit_min: Annotated[float, Field(ge=0.5, le=60)] = 5.0
    """A rest counts as served within so many minutes on the way."""
    weights: WeightTable = WeightTable()
    spacing_m: Annotated[float, Field(ge=0, le=5_000)] = 60.0
    """Least distance between two candidates."""
    walk_m: Annotated[float, Field(ge=5, le=500)] = 100.0
    """Longest walk from the street to the door."""
    cell_m: Annotated[float, Field(ge=10, le=1_000)] = 50.0
    """Side of the cells that make demand points."""
    publish_cell_m: Annotated[float, Field(ge=50, le=5_000)] = 250.0
    """Side of the cells in which demand is published."""
    draws: Annotated[int, Field(ge=0, le=1_000)] = 40
    """Resamples of days and riders that show how sure each site is."""
    flows: bool = True
    """Match the traces to the streets and show who passes where; the slowest stage on large files."""
    learned_times: bool = True
    """Take travel times from the traces where they are better than class speeds; needs ``flows``."""
    pickups: Annotated[int, Field(ge=0, le=1_000)] = 20
    """Most pick-up points to suggest."""
    own_sites: OwnSitesTable | None = None
    forbidden: ForbiddenTable | None = None
    passing_limit_s: Annotated[float, Field(ge=5, le=600)] = 60.0
    """A rider who passes reaches a station without a detour within so many seconds."""
    hot_spots: Annotated[int, Field(ge=0, le=5_000)] = 200
    """Most hot spots to name; they have no part in the choice."""
    hot_spot_min: Annotated[float, Field(ge=1, le=10_000)] = 30.0
    """A hot spot grows from places with so many rider-minutes of rest a day within 40 m."""
    budget_yuan: Annotated[float, Field(gt=0)] | None = None
    """A year, for all stations: places, kinds and hours are chosen together, ``sites`` new ones at most."""
    existing_stations: Literal["keep", "may_close", "may_move"] = "keep"
    """What may become of the stations of today; all but ``keep`` needs a budget."""
    closed_from: datetime.date | None = None
    """Local day from which the stations that the plan closes or moves are shut; none: they stand for now."""
    close_yuan: Annotated[float, Field(ge=0, le=1e9)] = 10_000.0
    """A year, for closing one of them."""
    move_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of its fixed cost that a moved station saves at the new place."""
    least_grid_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the rest in every unit grid in which k riders rest that must be served, not only in reach."""
    robust: bool = False
    """Choose places that fall least behind in the worst season or part of the week."""
    plan: Literal["coverage", "cheapest", "fairest", "balanced"] = "coverage"
    """Which plan of the front of coverage, cost and fairness is taken."""

    @model_validator(mode="after")
    def _budgeted(self) -> Self:
        if self.existing_stations != "keep" and self.budget_yuan is None:
            raise InputError(Sentence.of("study_budget", given=self.existing_stations))
        if self.plan != "coverage" and self.least_grid_share > 0:
            raise InputError(Sentence.of("study_two_plans", plan=self.plan))
        if self.robust and (self.plan != "coverage" or self.budget_yuan is not None or self.least_grid_share):
            raise InputError(Sentence.of("study_robust"))
        if self.existing_stations == "keep" and self.closed_from is not None:
            raise InputError(Sentence.of("study_closed_from"))
        return self


class GridTable(_Table):
    """``[grids]``: unit grids from a vector file or a table with a column of WKT, or hexagons."""

    file: str | None = None
    datum: Datum | None = None
    """Of the file."""
    layer: str | None = None
    """Of files with several layers."""
    crs: str | None = None
    """Of files in metres that do not name theirs."""
    code_field: str | None = None
    name_field: str | None = None
    h3_resolution: Annotated[int, Field(ge=6, le=11)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.file is None) == (self.h3_resolution is None):
            raise InputError(Sentence.of("study_grids"))
        if self.file is not None and self.datum is None:
            raise InputError(Sentence.of("study_grids_datum"))
        return self


class MatchTable(_Table):
    """``[matching]``: a sample of civic tasks put to the riders on shift at one moment, and the promises."""

    tasks: Annotated[int, Field(ge=0, le=2_000)] = 40
    at: datetime.time = datetime.time(12, 0)
    """Local time on the last day."""
    promise_share: Annotated[float, Field(ge=0.5, le=0.99)] = 0.95
    """With learned times, matching counts with times that so large a share of trips does not exceed."""


class StudyFile(_Table):
    """One study, as its file says it."""

    title: Text
    city: Text
    timezone: TimeZone
    language: Language = "zh"
    languages: tuple[Language, ...] = ()
    """More languages: their files carry the language in the name, such as ``map.en.html``."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 1
    mode: Mode = "ebike"
    k: Annotated[int, Field(ge=1, le=1_000)] = 10
    """Least number of riders behind a published figure."""
    held_out_days: Annotated[int, Field(ge=0, le=30)] = 2
    period: tuple[datetime.date, datetime.date] | None = None
    """First and last local day of the traces; rows of other times (phones with a wrong clock) are refused."""
    longest_silence_min: Annotated[int, Field(ge=0, le=1_440)] = 120
    """A phone that is silent at rest for so long, at one place, is a stay; up to 15: only what is seen."""
    map: MapTable
    traces: tuple[TraceTable, ...] = ()
    synthetic: SyntheticTable | None = None
    existing: ExistingTable | None = None
    grids: GridTable | None = None
    siting: SitingTable = SitingTable()
    station_kinds: tuple[StationKindTable, ...] = ()
    matching: MatchTable = MatchTable()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.traces) == (self.synthetic is not None):
            raise InputError(Sentence.of("study_one_input"))
        for key in ("title", "city"):
            text = getattr(self, key)
            lacking = [name for name in self.all_languages if isinstance(text, dict) and name not in text]
            if lacking:
                raise InputError(Sentence.of("study_no_text", key=key, lang=lacking[0]))
        if self.siting.least_grid_share > 0 and self.grids is None:
            raise InputError(Sentence.of("study_least_grid"))
        if self.siting.plan in ("fairest", "balanced") and self.grids is None:
            raise InputError(Sentence.of("study_front_grids", plan=self.siting.plan))
        if self.period is not None and self.period[0] > self.period[1]:
            first, last = map(str, self.period)
            raise InputError(Sentence.of("study_period", first=first, last=last))
        if self.synthetic is not None and self.held_out_days >= self.synthetic.days:
            most = self.synthetic.days - 1
            raise InputError(Sentence.of("study_held_out", most=most, given=self.held_out_days))
        return self

    @property
    def days(self) -> tuple[datetime.date, datetime.date] | None:
        """First and last local day, where the file says so."""
        if self.synthetic is None or self.period is not None:
            return self.period
        return self.synthetic.first_day, self.synthetic.first_day + datetime.timedelta(
            days=self.synthetic.days - 1
        )

    @property
    def all_languages(self) -> tuple[Language, ...]:
        """The main language first, each once."""
        return tuple(dict.fromkeys((self.language, *self.languages)))

    def text(self, key: Literal["title", "city"], language: Language) -> str:
        """Return the title or the city in one language."""
        text: str | dict[Language, str] = getattr(self, key)
        return text if isinstance(text, str) else text[language]

    def file_mark(self, language: Language) -> str:
        """Return what stands before the ending of a file in a language: nothing for the main one."""
        return "" if language == self.language else f".{language}"

    def with_language(self, language: Language | None) -> Self:
        """Return the study with another main language; the former one stays as a further one."""
        if language is None:
            return self
        others = tuple(name for name in self.all_languages if name != language)
        return self.model_copy(update={"language": language, "languages": others})
