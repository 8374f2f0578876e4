"""The study file: one TOML file that names the inputs and the wishes of one study.

Every value is checked here, once. A bad one is refused with a sentence that names the file, the key, and
what is allowed. Paths are relative to the study file; ``package:NAME/PATH`` names a file inside an installed
Python package. The meaning, unit and range of each key stand in the classes below.
"""

import datetime
import importlib.util
import tomllib
import zoneinfo
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import annotated_types
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo

from geo.datum import Datum
from geo.errors import InputError

__all__ = [
    "Datum",
    "ExistingTable",
    "GridTable",
    "Language",
    "MapTable",
    "MatchTable",
    "Mode",
    "SitingTable",
    "StudyFile",
    "SyntheticTable",
    "TraceTable",
    "built_in",
    "load_study_file",
]

TraceDatum = Literal["wgs84", "gcj02", "bd09", "auto"]
Mode = Literal["ebike", "bike", "car", "foot"]
Language = Literal["zh", "en"]
PACKAGE = "package:"


def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is not a name of the time zone database, such as Asia/Shanghai") from None
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

    file: Annotated[str, Field(min_length=1)]
    """``.osm.pbf``, ``.osm``, ``.osm.gz`` or ``.osm.bz2``."""
    attribution: str = "© OpenStreetMap contributors, ODbL 1.0"


class TraceTable(_Table):
    """``[[traces]]``: trace files of one form. The datum has no default: it must be known or asked for."""

    files: Files
    datum: TraceDatum | dict[str, TraceDatum]
    """One for all rows, or one for each platform; ``auto`` finds it and reports its evidence."""
    timezone: TimeZone | None = None
    """Zone of local times without an offset; none: that of the city."""
    platform: str = ""
    """Name of the platform where the files have no such column."""
    columns: dict[Literal["rider_id", "time", "lon", "lat", "event", "platform"], str] = Field(
        default_factory=dict
    )
    """From our names to those of the files; well-known names need none."""
    kind: Literal["auto", "csv", "parquet", "gpx", "plt", "goal", "lade_orders"] = "auto"
    encoding: str = "auto"
    separator: Annotated[str, Field(min_length=1, max_length=4)] = "auto"
    time_unit: Literal["auto", "s", "ms", "us", "ns"] = "auto"
    year: Annotated[int | None, Field(ge=2000, le=2100)] = None
    """Of dates that are written without one."""
    max_speed_mps: Annotated[float, Field(ge=1, le=400)] = 40.0
    """Faster than this between two points is an error of the phone."""


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


class ExistingTable(_Table):
    """``[existing]``: the stations that stand today."""

    file: Annotated[str, Field(min_length=1)]
    datum: Datum
    columns: dict[str, str] = Field(default_factory=dict)


class SitingTable(_Table):
    """``[siting]``: what is to be chosen."""

    sites: Annotated[int, Field(ge=1, le=5_000)] = 8
    """How many stations in all, the existing ones that stay included or not as the study says."""
    limit_min: Annotated[float, Field(gt=0, le=60)] = 5.0
    """A rest counts as served within so many minutes on the way."""


class GridTable(_Table):
    """``[grids]``: unit grids from GeoJSON, or hexagons."""

    file: str | None = None
    h3_resolution: Annotated[int, Field(ge=6, le=11)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.file is None) == (self.h3_resolution is None):
            raise ValueError("name either a file or an h3_resolution")
        return self


class MatchTable(_Table):
    """``[matching]``: a sample of civic tasks put to the riders on shift at one moment."""

    tasks: Annotated[int, Field(ge=0, le=2_000)] = 40
    at: datetime.time = datetime.time(12, 0)
    """Local time on the last day."""


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
    map: MapTable
    traces: tuple[TraceTable, ...] = ()
    synthetic: SyntheticTable | None = None
    existing: ExistingTable | None = None
    grids: GridTable | None = None
    siting: SitingTable = SitingTable()
    matching: MatchTable = MatchTable()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.traces) == (self.synthetic is not None):
            raise ValueError(
                "give either [[traces]] with files of a platform or [synthetic] with a made fleet"
            )
        for key in ("title", "city"):
            text = getattr(self, key)
            lacking = [name for name in self.all_languages if isinstance(text, dict) and name not in text]
            if lacking:
                raise ValueError(f"{key} has no text for the language {lacking[0]}")
        if self.synthetic is not None and self.held_out_days >= self.synthetic.days:
            raise ValueError(
                f"held_out_days must be 0 to {self.synthetic.days - 1}, less than synthetic.days;"
                f" it is {self.held_out_days}"
            )
        return self

    @property
    def all_languages(self) -> tuple[Language, ...]:
        """The main language first, each once."""
        return tuple(dict.fromkeys((self.language, *self.languages)))

    def text(self, key: Literal["title", "city"], language: Language) -> str:
        """Return the title or the city in one language."""
        text: str | dict[Language, str] = getattr(self, key)
        return text if isinstance(text, str) else text[language]

    def with_language(self, language: Language | None) -> Self:
        """Return the study with another main language; the former one stays as a further one."""
        if language is None:
            return self
        others = tuple(name for name in self.all_languages if name != language)
        return self.model_copy(update={"language": language, "languages": others})


def built_in(name: str = "helsinki") -> Path:
    """Return the path of a study file that ships with Yilu."""
    return Path(__file__).parent / "studies" / f"{name}.toml"


def load_study_file(path: Path) -> StudyFile:
    """Read and check one study file.

    Parameters
    ----------
    path : Path
        The TOML file, in UTF-8.

    Returns
    -------
    StudyFile
        With every path made absolute.

    Raises
    ------
    InputError
        When the file is not there, is not TOML, or holds a value that is not allowed: the sentence names the
        file, the key and the allowed values.
    """
    try:
        raw = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({(error.strerror or 'input error').lower()})") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: is not a TOML file: {error}") from None
    try:
        study = StudyFile.model_validate(_place_files(raw, path.resolve().parent))
    except ValidationError as error:
        raise InputError(f"{path}: {_sentence(error)}") from None
    return study


def _place_files(raw: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a copy with all paths absolute; odd shapes are left for the check that follows."""
    placed = dict(raw)
    for name in ("map", "existing", "grids"):
        table = placed.get(name)
        if isinstance(table, Mapping) and isinstance(table.get("file"), str):
            placed[name] = {**table, "file": _place(table["file"], folder)}
    traces = placed.get("traces")
    if isinstance(traces, list):
        placed["traces"] = [
            {
                **table,
                "files": [_place(f, folder) if isinstance(f, str) else f for f in _as_list(table["files"])],
            }
            if isinstance(table, Mapping) and "files" in table
            else table
            for table in traces
        ]
    return placed


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else [value]


def _place(name: str, folder: Path) -> str:
    if not name.startswith(PACKAGE):
        return str(folder / name) if name else name
    package, _, inside = name.removeprefix(PACKAGE).partition("/")
    # The package is only located: importing it could cost seconds and side effects.
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or spec.origin is None:
        raise InputError(
            f"{name}: the Python package {package} is not installed; it comes with the extra 'demo' of yilu"
        )
    return str(Path(spec.origin).parent / inside)


def _sentence(error: ValidationError) -> str:
    """Return one sentence for the first bad value, and how many more there are."""
    errors = error.errors()
    first = errors[0]
    location = first["loc"]
    key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in location).lstrip(".")
    kind = first["type"]
    if kind == "missing":
        text = f"{key}: is missing"
    elif kind == "extra_forbidden":
        text = f"{key}: is not a key of a study file"
    elif kind == "value_error":
        reason = str(first["ctx"]["error"])
        text = f"{key}: {reason}" if key else reason
    else:
        text = f"{key}: {first['msg'][:1].lower()}{first['msg'][1:]}, got {first['input']!r}"
    known = _siblings(location) if kind == "extra_forbidden" else _allowed(location)
    if known:
        text += f" (allowed: {known})"
    return text + (f"; and {len(errors) - 1} more" if len(errors) > 1 else "")


def _models(location: tuple[int | str, ...]) -> Iterator[tuple[type[BaseModel], FieldInfo | None]]:
    model: type[BaseModel] | None = StudyFile
    for part in location:
        if isinstance(part, int):
            continue
        if model is None:
            return
        info = model.model_fields.get(part)
        yield model, info
        model = _table_of(info.annotation) if info is not None else None


def _table_of(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _table_of(arg)) is not None), None)


def _siblings(location: tuple[int | str, ...]) -> str:
    steps = list(_models(location))
    return ", ".join(steps[-1][0].model_fields) if steps else ""


def _allowed(location: tuple[int | str, ...]) -> str:
    """Return the allowed values of one key, from its declaration."""
    steps = list(_models(location))
    info = steps[-1][1] if steps else None
    if info is None:
        return ""
    return _range_of(info.annotation, tuple(info.metadata))


def _range_of(annotation: object, metadata: tuple[object, ...]) -> str:
    low = high = ""
    for bound in metadata:
        if isinstance(bound, annotated_types.Ge):
            low = f"{bound.ge}"
        elif isinstance(bound, annotated_types.Gt):
            low = f"more than {bound.gt}"
        elif isinstance(bound, annotated_types.Le):
            high = f"{bound.le}"
    if low and high:
        return f"{low} to {high}"
    arguments = get_args(annotation)
    names = [argument for argument in arguments if isinstance(argument, str)]
    if names:
        return ", ".join(names)
    for argument in arguments:
        meta = getattr(argument, "__metadata__", ())
        inner = _range_of(get_args(argument)[0] if meta else argument, _flat(meta))
        if inner:
            return inner
    return ""


def _flat(metadata: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(
        part for entry in metadata for part in (entry.metadata if isinstance(entry, FieldInfo) else (entry,))
    )
