"""What a platform declares about its trace files, and the columns in which every reader hands them on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from geo.datum import DATUMS
from geo.errors import InputError
from geo.localtime import zone
from geo.sentences import Sentence
from geo.traces.column_names import COLUMN_NAMES
from geo.traces.instants import TIME_FORMATS, TIME_UNITS

__all__ = [
    "KINDS",
    "LONLAT_FORMATS",
    "POSITION_UNITS",
    "REASONS",
    "NumberIds",
    "RawBatch",
    "TraceFormat",
]

#: Why a row was refused; the position in this tuple is the code used in columns, 0 meaning accepted.
REASONS: Final = (
    "accepted",
    "unparsable_time",
    "ambiguous_time",
    "nonexistent_time",
    "unparsable_row",
    "missing_rider",
    "unparsable_position",
    "poor_accuracy",
    "out_of_range",
    "time_out_of_range",
    "outside_map",
    "duplicate",
    "same_time",
    "impossible_speed",
    "clock_jump",
)
KINDS: Final = (
    "auto", "csv", "parquet", "gpx", "plt", "goal", "lade_orders", "xlsx", "json", "geojson", "gpkg",
    "kml", "nmea", "feather",
)  # fmt: skip
POSITION_UNITS: Final = ("auto", "degrees", "e5", "e6", "e7", "ddmm")
LONLAT_FORMATS: Final = ("auto", "lon,lat", "lat,lon")

_EPOCH_2000_S, _EPOCH_2100_S = 946_684_800, 4_102_444_800


@dataclass(frozen=True, slots=True)
class TraceFormat:
    """How a platform writes its traces; no position is guessed unless ``datum`` says ``auto``."""

    datum: str | Mapping[str, str]
    """``wgs84``, ``gcj02``, ``bd09`` or ``auto``; or one of these for each platform. There is no default."""
    timezone: str | None = None
    """IANA zone of the city, for times without a zone and for the rotation of pseudonyms by day."""
    columns: Mapping[str, str | int] = field(default_factory=dict)
    """Canonical name (see `geo.traces.column_names.COLUMN_NAMES`) to the file's own or its position from 1;
    well-known names need none."""
    platform: str = ""
    """Name of the platform where the file has no such column."""
    kind: str = "auto"
    """One of `KINDS`; ``auto`` goes by the ending of the file name."""
    encoding: str = "auto"
    """Of text files; ``auto`` takes UTF-8 where it fits and GB 18030 (which includes GBK) else."""
    separator: str = "auto"
    """Of text files; ``auto`` takes the one of comma, tab, semicolon, bar that the header has most."""
    time_unit: str = "auto"
    """Of plain numbers: s, ms, us, ns; ``auto`` goes by size."""
    time_format: str = "auto"
    """``auto``, ``mdy``, ``dmy``, ``excel`` (serial days), or a pattern such as ``%d.%m.%y %H:%M``."""
    lonlat_format: str = "auto"
    """Order in a column with both: ``lon,lat`` or ``lat,lon``; ``auto`` goes by values beyond 90."""
    position_unit: str = "auto"
    """``degrees``, ``e5`` to ``e7`` (degrees times 10^5 to 10^7), ``ddmm`` (ddmm.mmmm of NMEA); ``auto`` is
    degrees, unless the columns' names say more."""
    sheet: str | None = None
    """Of workbooks with several sheets of traces."""
    layer: str | None = None
    """Of GeoPackages with several layers."""
    rider: str = "auto"
    """Who the rider of a file without such a column is: ``file`` (each file is a rider), ``folder``, or a
    pattern of the path such as ``{rider}_*.gpx``; ``column`` insists on a column."""
    interval_s: float | None = None
    """Seconds between the points of a `polyline` column; known of the Porto taxis."""
    year: int | None = None
    """Of dates without one (LaDe writes 03-02 08:05:30)."""
    period_s: tuple[int, int] = (_EPOCH_2000_S, _EPOCH_2100_S)
    """First and last epoch second that can be true; other times are refused as ``time_out_of_range``."""
    max_speed_mps: float = 40.0
    """Faster than this between two points is no vehicle but an error: 144 km/h."""
    jump_slack_m: float = 60.0
    """Distance that GPS noise may add between two points, about four times a noise of 15 m."""
    max_accuracy_m: float = 100.0
    """Where a column says how exact each position is (a radius in metres, as phones name it), those that are
    less exact are refused: what a mobile network says may stand at one wrong place for many minutes."""
    origin_lonlat: tuple[float, float] | None = None
    """Where the local metres of GOAL files are to be laid, WGS-84 degrees."""

    def __post_init__(self) -> None:
        datums = [self.datum] if isinstance(self.datum, str) else list(self.datum.values())
        allowed = (*DATUMS, "auto")
        for datum in datums:
            if datum not in allowed:
                if datum:
                    raise InputError(Sentence.of("trace_datum", datum=datum, allowed=", ".join(allowed)))
                raise InputError(Sentence.of("trace_datum_missing", allowed=", ".join(allowed)))
        if not datums:
            raise InputError(Sentence.of("trace_datum_missing", allowed=", ".join(allowed)))
        if self.kind not in KINDS:
            raise InputError(Sentence.of("trace_kind", kind=self.kind, allowed=", ".join(KINDS)))
        if self.time_unit not in TIME_UNITS:
            raise InputError(
                Sentence.of("trace_time_unit", time_unit=self.time_unit, allowed=", ".join(TIME_UNITS))
            )
        if self.timezone is not None:
            zone(self.timezone)
        unknown = set(self.columns) - set(COLUMN_NAMES)
        if unknown:
            raise InputError(
                Sentence.of("trace_unknown_column", what=min(unknown), allowed=", ".join(COLUMN_NAMES))
            )
        for said, allowed_words, what in (
            (self.position_unit, POSITION_UNITS, "position_unit"),
            (self.lonlat_format, LONLAT_FORMATS, "lonlat_format"),
        ):
            if said not in allowed_words:
                raise InputError(
                    Sentence.of("trace_word", what=what, said=said, allowed=", ".join(allowed_words))
                )
        if self.time_format not in TIME_FORMATS and "%" not in self.time_format:
            raise InputError(
                Sentence.of(
                    "trace_time_format", time_format=self.time_format, allowed=", ".join(TIME_FORMATS)
                )
            )
        if self.rider not in ("auto", "file", "folder", "column") and "{rider}" not in self.rider:
            raise InputError(Sentence.of("trace_rider", rider=self.rider))
        low = [c for c, at in self.columns.items() if isinstance(at, int) and at < 1]
        if low:
            raise InputError(Sentence.of("trace_position", low_0=low[0]))
        if self.interval_s is not None and not 0 < self.interval_s <= 3600:
            raise InputError(Sentence.of("trace_interval_s", interval_s=self.interval_s))
        if self.separator != "auto" and len(self.separator) != 1:
            raise InputError(Sentence.of("trace_separator", separator=self.separator))
        if not 1.0 <= self.max_speed_mps <= 400.0:
            raise InputError(Sentence.of("trace_speed", max_speed_mps=self.max_speed_mps))
        if not 1.0 <= self.max_accuracy_m <= 100_000.0:
            raise InputError(Sentence.of("trace_accuracy", max_accuracy_m=self.max_accuracy_m))
        if not 0.0 <= self.jump_slack_m <= 5000.0:
            raise InputError(Sentence.of("trace_slack", jump_slack_m=self.jump_slack_m))
        if self.period_s[0] >= self.period_s[1]:
            raise InputError(Sentence.of("trace_period", period_s=str(self.period_s)))
        try:
            if self.encoding != "auto":
                "".encode(self.encoding)
        except LookupError as error:
            raise InputError(Sentence.of("trace_encoding", encoding=self.encoding)) from error

    def datum_of(self, platform: str) -> str:
        """Return the declared datum of a platform, or raise InputError where none was declared."""
        if isinstance(self.datum, str):
            return self.datum
        if platform not in self.datum:
            raise InputError(Sentence.of("trace_platform", platform=platform))
        return self.datum[platform]


class NumberIds(Sequence[str]):
    """Ids that are whole numbers, as texts: none is made before it is asked for.

    Files by time name every rider in every batch, and all but new ones are known by their number.
    """

    __slots__ = ("numbers",)

    def __init__(self, numbers: NDArray[np.int64] | NDArray[np.int32]) -> None:
        self.numbers = numbers
        """(k,) of any type of integers."""

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> "NumberIds": ...

    def __getitem__(self, at: int | slice) -> "str | NumberIds":
        return NumberIds(self.numbers[at]) if isinstance(at, slice) else str(int(self.numbers[at]))

    def __iter__(self) -> Iterator[str]:
        return map(str, self.numbers.tolist())


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Rows of one file as columns of one length; `lost` are rows that are no rows."""

    row: NDArray[np.int64]
    """(n,) number of the row in its file, the first after the header being 1."""
    rider: NDArray[np.int32]
    """(n,) index into `rider_ids`, -1 where missing."""
    rider_ids: Sequence[str]
    """Distinct ids; `NumberIds` where the file has them as whole numbers."""
    t_s: NDArray[np.int64]
    lonlat: NDArray[np.float64]
    """(n, 2) degrees in the datum of the file."""
    event: NDArray[np.int16]
    """(n,) index into `events`; 0 is no event."""
    events: tuple[str, ...]
    platform: NDArray[np.int16]
    platforms: tuple[str, ...]
    fault: NDArray[np.uint8]
    """(n,) index into `REASONS`."""
    lost: tuple[int, ...] = ()
    """Numbers of rows that could not be cut into columns."""
