"""What a study starts from: map, traces (of platforms, or of a made fleet), key of the pseudonyms."""

import dataclasses
import datetime
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from api.settings import Settings
from api.study.studyfile.tables import StudyFile, SyntheticTable, TraceTable
from geo.errors import InputError
from geo.localtime import DAY_S, WORK_DAY_STARTS_H, zone
from geo.osm import read_osm, read_place
from geo.places import Places
from geo.privacy import MIN_KEY_BYTES
from geo.sentences import Sentence
from geo.streets import StreetNetwork
from geo.synthetic import FleetOptions, SyntheticFleet, make_fleet, write_fleet_csv, write_fleet_parquet
from geo.traces import Account, ReadResult, TraceFormat, Traces, check_headers, concat_traces, read_traces

__all__ = [
    "Reader",
    "TraceInput",
    "made_fleet",
    "pseudonym_key",
    "read_here",
    "read_map",
    "read_platform_files",
    "refuse_unclear_files",
    "trace_inputs",
]

ANY_TIME_S = TraceFormat("wgs84").period_s
NIGHT_ENDS = datetime.time(WORK_DAY_STARTS_H)
MOST_EMPTY_DAYS = 31
REJECTS_HEAD = "file,row,reason,value"


@dataclasses.dataclass(frozen=True, slots=True)
class TraceInput:
    """Trace files that are read together, each with its form; their local times are of one zone."""

    files: tuple[Path, ...]
    formats: tuple[TraceFormat, ...]


def read_map(study_settings: StudyFile, settings: Settings) -> tuple[StreetNetwork, Places]:
    """Read the map of a study; `InputError` names the file when it cannot be used."""
    if study_settings.map.file is None:
        name = study_settings.map.place or ""
        cache = None if settings.cache_dir is None else settings.cache_dir / "places"
        network = read_place(name, cache_dir=cache)
        places = Places.empty(network.compounds)
    else:
        name = Path(study_settings.map.file).name
        network, places = read_osm(Path(study_settings.map.file), cache_dir=settings.cache_dir)
    if not network.usable(study_settings.mode).any():
        raise InputError(Sentence.of("study_no_street", name=name, mode=study_settings.mode))
    return network, places


def pseudonym_key(study_settings: StudyFile, settings: Settings) -> bytes:
    """Return the secret of the pseudonyms: from the environment; for made riders there is nobody to protect.

    Raises
    ------
    InputError
        When real traces are to be read and there is no secret.
    """
    if settings.pseudonym_key is not None:
        return settings.pseudonym_key.get_secret_value().encode()
    if study_settings.synthetic is not None:
        return hashlib.sha256(f"yilu made fleet {study_settings.seed}".encode()).digest()
    raise InputError(Sentence.of("study_secret", count=MIN_KEY_BYTES))


def made_fleet(
    study_settings: StudyFile, table: SyntheticTable, network: StreetNetwork, places: Places
) -> SyntheticFleet:
    """Make the fleet of a study without trace files."""
    options = FleetOptions(
        riders=table.riders,
        days=table.days,
        first_day=table.first_day,
        timezone=study_settings.timezone,
        seed=study_settings.seed,
        interval_s=table.interval_s,
        noise_m=table.noise_m,
        mode=study_settings.mode,
        datum=table.datum,
        broken_share=table.broken_share,
        traffic=table.traffic,
    )
    return make_fleet(network, places, options)


def fleet_files(study_settings: StudyFile, fleet: SyntheticFleet, folder: Path) -> TraceInput:
    """Write the fleet as its platforms would hand it over: CSV from the first, Parquet from the others."""
    files: list[Path] = []
    for number, platform in enumerate(fleet.options.platforms):
        write, ending = (write_fleet_csv, "csv") if number == 0 else (write_fleet_parquet, "parquet")
        path = folder / f"{platform}.{ending}"
        write(fleet, path, platform=platform)
        files.append(path)
    datums = dict(zip(fleet.options.platforms, fleet.options.datums, strict=True))
    datum = datums if len(set(datums.values())) > 1 else fleet.options.datums[0]
    trace_format = TraceFormat(
        datum=datum, timezone=fleet.options.timezone, period_s=period_s(study_settings)
    )
    return TraceInput(tuple(files), (trace_format,) * len(files))


def period_s(study_settings: StudyFile) -> tuple[int, int]:
    """Return the first and the last epoch second that can be true for a point."""
    days = study_settings.days
    if days is None:
        return ANY_TIME_S
    where = zone(study_settings.timezone)
    start = datetime.datetime.combine(days[0], datetime.time(), where)
    # A night shift belongs to the day on which it began.
    end = datetime.datetime.combine(days[1] + datetime.timedelta(days=1), NIGHT_ENDS, where)
    return int(start.timestamp()), int(end.timestamp())


def trace_inputs(
    study_settings: StudyFile, fleet: SyntheticFleet | None, folder: Path
) -> tuple[TraceInput, ...]:
    """Return the files to read; those of a made fleet are written to `folder` first."""
    if fleet is not None:
        return (fleet_files(study_settings, fleet, folder),)
    # Read together, so that a rider whose points stand in files of two forms is one rider.
    zones: dict[str, list[tuple[Path, TraceFormat]]] = {}
    for table in study_settings.traces:
        form = _platform_format(study_settings, table)
        zones.setdefault(table.timezone or study_settings.timezone, []).extend(
            (Path(name), form) for name in table.files
        )
    return tuple(
        TraceInput(tuple(file for file, _ in found), tuple(form for _, form in found))
        for found in zones.values()
    )


def refuse_unclear_files(study_settings: StudyFile) -> None:
    """Refuse trace files that are not there or whose columns are not clear, before the map is read."""
    for table in study_settings.traces:
        check_headers([Path(name) for name in table.files], _platform_format(study_settings, table))


def _platform_format(study_settings: StudyFile, table: TraceTable) -> TraceFormat:
    return TraceFormat(
        datum=table.datum,
        timezone=table.timezone or study_settings.timezone,
        columns={str(ours): name for ours, name in table.columns.items()},
        platform=table.platform,
        kind=table.kind,
        encoding=table.encoding,
        separator=table.separator,
        time_unit=table.time_unit,
        time_format=table.time_format,
        lonlat_format=table.lonlat_format,
        position_unit=table.position_unit,
        sheet=table.sheet,
        layer=table.layer,
        rider=table.rider,
        interval_s=table.interval_s,
        year=table.year,
        max_speed_mps=table.max_speed_mps,
        max_accuracy_m=table.max_accuracy_m,
        period_s=period_s(study_settings),
    )


Reader = Callable[[TraceInput, StreetNetwork, bytes, Path, str], ReadResult]


def read_here(given: TraceInput, network: StreetNetwork, key: bytes, rejects: Path, study: str) -> ReadResult:
    """Read trace files in this process."""
    return read_traces(given.files, given.formats, key=key, network=network, rejects=rejects, study=study)


def read_platform_files(
    inputs: Sequence[TraceInput],
    network: StreetNetwork,
    key: bytes,
    rejects: Path,
    study: str,
    read: Reader,
) -> tuple[Traces, tuple[Account, ...]]:
    """Read all trace files through the one door that checks, shifts and pseudonymises.

    Parameters
    ----------
    inputs : sequence of TraceInput
        One for each time zone.
    network : StreetNetwork
        Bounds the map, and settles an unknown datum.
    key : bytes
        Secret of the pseudonyms.
    rejects : Path
        CSV of the refused rows of all files.
    study : str
        Part of the pseudonyms, so that two studies cannot be joined.
    read : callable
        `read_here`, or the same on a cluster.

    Returns
    -------
    Traces, tuple of Account
        Accepted + rejected = read, for every file.
    """
    parts: list[Traces] = []
    accounts: list[Account] = []
    lists: list[Path] = []
    for number, given in enumerate(inputs):
        refused = rejects.with_name(f"{rejects.stem}-{number}{rejects.suffix}")
        result = read(given, network, key, refused, study)
        parts.append(result.traces)
        accounts.extend(result.accounts)
        lists.append(refused)
    _join(lists, rejects)
    traces = concat_traces(parts)
    if all(form.period_s == ANY_TIME_S for given in inputs for form in given.formats):
        _refuse_stray_days(traces)
    return traces, tuple(accounts)


def _refuse_stray_days(traces: Traces) -> None:
    """Refuse a period that a phone with a wrong clock has stretched over years."""
    days = np.unique(traces.t_s // DAY_S)
    empty = int(days[-1] - days[0] + 1 - len(days))
    if empty > max(MOST_EMPTY_DAYS, len(days)):
        ends = [
            datetime.datetime.fromtimestamp(int(day) * DAY_S, datetime.UTC).date() for day in days[[0, -1]]
        ]
        first, last = map(str, ends)
        raise InputError(Sentence.of("study_stray_days", first=first, last=last, empty=empty))


def _join(lists: Sequence[Path], path: Path) -> None:
    """Write the lists of refused rows as one, with one head."""
    with path.open("w", encoding="utf-8-sig", newline="") as joined:
        joined.write(REJECTS_HEAD + "\r\n")
        for part in lists:
            with part.open(encoding="utf-8-sig", newline="") as rows:
                next(rows, None)
                joined.writelines(rows)
            part.unlink()
