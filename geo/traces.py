"""GPS points: the columns, and the way of a row from a platform's file to a point of a pseudonym.

A row is parsed (`geo.tracereaders`), checked by itself, brought to WGS-84, given its rider's pseudonym, and
put beside the other points of that rider; then the points of each rider are checked together
(`geo.tracechecks`).
Accepted + refused = read, for every file. Raw rider ids end here: nothing that leaves this module holds one.

Memory does not grow with the files: `map_traces` hands over some riders at a time. While rows come rider by
rider it needs one pass. As soon as a rider comes back whose points were handed over already, it starts
anew and deals the rows out to scratch files by rider, each small enough to be sorted in memory.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from geo.datum import in_mainland_china, to_wgs84
from geo.datumcheck import detect_datums
from geo.errors import InputError
from geo.privacy import Pseudonymiser
from geo.rejects import RejectsFile
from geo.tracechecks import flag_rows, group_points, judge_points
from geo.traceformats import REASONS, RawBatch, TraceFormat, find_files
from geo.tracereaders import read_batches
from geo.tracetimes import local_offset_s, zone

if TYPE_CHECKING:
    from geo.streets import StreetNetwork

__all__ = [
    "ROTATIONS",
    "Account",
    "Mapped",
    "ReadResult",
    "TraceFormat",
    "Traces",
    "concat_traces",
    "map_traces",
    "read_traces",
]

ROTATIONS: Final = ("study", "day")
_DAY_TURN_S: Final = 4 * 3600  # a night shift belongs to the day on which it began
_MAP_MARGIN_M: Final = 2_000.0
_M_A_DEGREE: Final = 111_194.93
_HOLD_POINTS: Final = 6_000_000
_SCRATCH_FILES: Final = 128
_ROW_BITS: Final = 40
_OUTSIDE: Final = REASONS.index("outside_map")
_LOST: Final = REASONS.index("unparsable_row")

T = TypeVar("T")

_POINT: Final = np.dtype(
    [("unit", "<i4"), ("t", "<i8"), ("lon", "<f8"), ("lat", "<f8"), ("event", "<i2"), ("source", "<i8")]
)


@dataclass(frozen=True, slots=True, eq=False)
class Traces:
    """GPS points in columns, by rider and then by time; within a rider no two points share a second."""

    rider: NDArray[np.int32]
    """(n,) index into `pseudonyms`."""
    t_s: NDArray[np.int64]
    """(n,) epoch seconds."""
    lonlat: NDArray[np.float64]
    """(n, 2) WGS-84 degrees."""
    rider_ptr: NDArray[np.int64]
    """(r + 1,) where the points of each rider start."""
    pseudonyms: tuple[str, ...]
    """(r,) in ascending order."""
    platform: NDArray[np.int16]
    """(n,) index into `platforms`."""
    platforms: tuple[str, ...]
    event: NDArray[np.int16]
    """(n,) index into `events`; 0 is none."""
    events: tuple[str, ...] = ("",)
    """As the platforms wrote them; ``""`` first, the others in ascending order."""

    def __post_init__(self) -> None:
        n = len(self.t_s)
        if not len(self.rider) == len(self.lonlat) == len(self.platform) == len(self.event) == n:
            raise InputError("the columns of traces must have one length")
        if len(self.rider_ptr) != len(self.pseudonyms) + 1 or self.rider_ptr[-1] != n:
            raise InputError("rider_ptr must have one entry a rider and end at the number of points")

    def __len__(self) -> int:
        return len(self.t_s)

    def take_riders(self, riders: Sequence[int] | NDArray[np.int64]) -> "Traces":
        """Return the traces of some riders, by their indices in ascending order."""
        chosen = np.unique(np.asarray(riders, dtype=np.int64))
        parts = [np.arange(self.rider_ptr[r], self.rider_ptr[r + 1]) for r in chosen]
        index = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        counts = np.array([len(p) for p in parts], np.int64)
        return Traces(
            rider=np.repeat(np.arange(len(chosen), dtype=np.int32), counts),
            t_s=self.t_s[index],
            lonlat=self.lonlat[index],
            rider_ptr=np.r_[0, np.cumsum(counts)].astype(np.int64),
            pseudonyms=tuple(self.pseudonyms[r] for r in chosen),
            platform=self.platform[index],
            platforms=self.platforms,
            event=self.event[index],
            events=self.events,
        )


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the rows of one file: ``accepted + sum(rejected.values()) == read``."""

    file: str
    """Name of the file, or a number in its place where the name is a rider's id."""
    datum: str
    """Datum of the file, or ``platform: datum`` for each of a mixed one."""
    datum_evidence: str
    read: int
    accepted: int
    rejected: Mapping[str, int]
    """Rows by reason, see `geo.traceformats.REASONS`; only reasons that occurred."""


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Traces and what became of every row."""

    traces: Traces
    accounts: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class Mapped(Generic[T]):
    """What a function made of each part of the traces, and what became of every row."""

    values: tuple[T, ...]
    accounts: tuple[Account, ...]


class _ComesBackError(Exception):
    """A rider came back whose points were handed over already."""


class _Riders:
    """Codes for (platform, raw id[, day]) and their pseudonyms. Never leaves this module."""

    def __init__(self, key: bytes, rotate: str, study: str, timezone: str | None) -> None:
        if rotate not in ROTATIONS:
            raise InputError(f"pseudonyms rotate by {' or '.join(ROTATIONS)}, not by {rotate!r}")
        if rotate == "day" and timezone is None:
            raise InputError("pseudonyms that rotate by day need the time zone of the traces")
        self._coder = Pseudonymiser(key)
        self._study = study
        self._where = zone(timezone) if rotate == "day" and timezone else None
        self._people: dict[tuple[str, str], int] = {}
        self._units: dict[tuple[int, int], int] = {}
        self.pseudonym: list[str] = []
        self.platform_of: list[int] = []
        self.platforms: dict[str, int] = {}
        self.events: dict[str, int] = {"": 0}

    def _unit(self, platform: str, raw_id: str, person: int, day: int) -> int:
        unit = self._units.get((person, day))
        if unit is None:
            unit = self._units[person, day] = len(self._units)
            period = self._study if self._where is None else str(np.datetime64(day, "D"))
            # The length keeps platform and id apart whatever they contain.
            self.pseudonym.append(self._coder.code(f"{len(platform)}:{platform}{raw_id}", period))
            self.platform_of.append(self.platforms.setdefault(platform, len(self.platforms)))
        return unit

    def units(self, batch: RawBatch, keep: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Return the code of each kept row; -1 for the others."""
        day = np.zeros(len(batch.t_s), np.int64)
        if self._where is not None:
            t_s = np.where(keep, batch.t_s, 0)
            day = (t_s + local_offset_s(t_s, self._where) - _DAY_TURN_S) // 86_400
        first_day = int(day[keep].min()) if keep.any() else 0
        days = int(day[keep].max()) - first_day + 1 if keep.any() else 1
        mixed = (batch.platform.astype(np.int64) * (len(batch.rider_ids) + 1) + batch.rider) * days
        mixed += day - first_day
        if len(batch.rider_ids) * len(batch.platforms) * days <= 4 * len(mixed) + 1024:
            found = np.zeros(len(batch.platforms) * (len(batch.rider_ids) + 1) * days + 1, np.bool_)
            found[mixed[keep]] = True
            distinct = np.flatnonzero(found)
            table = np.full(len(found), -1, np.int32)
        else:
            distinct = np.unique(mixed[keep])
            table = None
        codes = np.empty(len(distinct), np.int32)
        for i, value in enumerate(distinct.tolist()):
            rest, d = divmod(value, days)
            p, r = divmod(rest, len(batch.rider_ids) + 1)
            platform, raw_id = batch.platforms[p], batch.rider_ids[r]
            person = self._people.setdefault((platform, raw_id), len(self._people))
            codes[i] = self._unit(platform, raw_id, person, first_day + d)
        units = np.full(len(mixed), -1, np.int32)
        if table is not None:
            table[distinct] = codes
            units[keep] = table[mixed[keep]]
        elif len(distinct):
            units[keep] = codes[np.searchsorted(distinct, mixed[keep])]
        return units

    def event_codes(self, batch: RawBatch) -> NDArray[np.int16]:
        table = np.array([self.events.setdefault(e, len(self.events)) for e in batch.events], np.int16)
        if len(self.events) > 30_000:
            raise InputError(
                "the event column holds more than 30,000 different values: it is not a column of events"
            )
        return table[batch.event]


class _Ledger:
    """Counts by file and reason, and the file of refused rows."""

    def __init__(self, rejects: RejectsFile) -> None:
        self.labels: list[str] = []
        self.datums: list[dict[str, tuple[str, str]]] = []
        self.counts = np.zeros((0, len(REASONS)), np.int64)
        self.read: list[int] = []
        self.outside_sum = np.zeros(2)
        self._rejects = rejects

    def open_file(self, label: str) -> int:
        self.labels.append(label)
        self.datums.append({})
        self.read.append(0)
        self.counts = np.vstack([self.counts, np.zeros((1, len(REASONS)), np.int64)])
        return len(self.labels) - 1

    def lose(self, file: int, rows: Sequence[int]) -> None:
        self.read[file] += len(rows)
        self.counts[file, _LOST] += len(rows)
        self._rejects.lost(self.labels[file], rows)

    def refuse(
        self,
        source: NDArray[np.int64],
        reason: NDArray[np.uint8],
        t_s: NDArray[np.int64],
        lonlat: NDArray[np.float64],
    ) -> None:
        file, row = source >> _ROW_BITS, source & ((1 << _ROW_BITS) - 1)
        np.add.at(self.counts, (file, reason), 1)
        self._rejects.rows(self.labels, file, row, reason, t_s, lonlat)

    def accept(self, source: NDArray[np.int64]) -> None:
        self.counts[:, 0] += np.bincount(source >> _ROW_BITS, minlength=len(self.labels))

    def accounts(self) -> tuple[Account, ...]:
        accounts = []
        for file, label in enumerate(self.labels):
            datums = self.datums[file]
            names = {datum for datum, _ in datums.values()}
            datum = (
                names.pop()
                if len(names) == 1
                else ", ".join(f"{p}: {d}" for p, (d, _) in sorted(datums.items()))
            )
            evidence = "; ".join(dict.fromkeys(text for _, (_, text) in sorted(datums.items())))
            rejected = {
                why: int(n) for why, n in zip(REASONS[1:], self.counts[file, 1:], strict=True) if n > 0
            }
            accounts.append(
                Account(label, datum, evidence, self.read[file], int(self.counts[file, 0]), rejected)
            )
        return tuple(accounts)


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a reading was asked to do."""

    trace_format: TraceFormat
    bounds: tuple[float, float, float, float] | None
    network: "StreetNetwork | None"
    shifted: bool
    """False where the city lies outside mainland China: GCJ-02 and BD-09 are WGS-84 there."""


def _label(path: Path, number: int, trace_format: TraceFormat) -> str:
    ending = path.suffix.lower()
    by_name = ending == ".gpx" or (trace_format.kind == "goal" and ending != ".zip")
    return f"file {number + 1}{ending}" if by_name else path.name


def _outside(lonlat: NDArray[np.float64], bounds: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    west, south, east, north = bounds
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    inside: NDArray[np.bool_] = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return ~inside


def _with_margin(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    west, south, east, north = bounds
    dy = _MAP_MARGIN_M / _M_A_DEGREE
    dx = dy / max(0.01, float(np.cos(np.radians((south + north) / 2))))
    return west - dx, south - dy, east + dx, north + dy


def _wgs84(
    batch: RawBatch, rules: _Rules, datums: dict[str, tuple[str, str]], ok: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Bring the good rows of a batch to WGS-84, platform by platform."""
    lonlat = batch.lonlat
    for code in np.unique(batch.platform[ok]).tolist():
        platform = batch.platforms[code]
        if platform not in datums:
            declared = rules.trace_format.datum_of(platform)
            evidence = (
                "declared"
                if rules.shifted or declared == "wgs84"
                else "declared; no shift outside mainland China"
            )
            datums[platform] = (declared, evidence)
        datum = datums[platform][0]
        if datum != "wgs84" and rules.shifted:
            rows = np.flatnonzero(ok & (batch.platform == code))
            lonlat[rows] = to_wgs84(lonlat[rows], datum)
    return lonlat


def _checked_blocks(
    files: Sequence[Path], rules: _Rules, riders: _Riders, ledger: _Ledger
) -> Iterator[NDArray[np.void]]:
    """Read every file and yield the rows that are good by themselves, as records of `_POINT`."""
    for number, path in enumerate(files):
        file = ledger.open_file(_label(path, number, rules.trace_format))
        if rules.trace_format.datum == "auto":
            ledger.datums[file].update(
                detect_datums(read_batches(path, rules.trace_format), rules.network, path.name)
            )
        for batch in read_batches(path, rules.trace_format):
            if path.stem in batch.rider_ids:
                ledger.labels[file] = f"file {number + 1}{path.suffix.lower()}"
            ledger.lose(file, batch.lost)
            n = len(batch.t_s)
            ledger.read[file] += n
            if n == 0:
                continue
            first_s, last_s = rules.trace_format.period_s
            flag_rows(batch.t_s, batch.lonlat, batch.fault, first_s, last_s)
            ok = batch.fault == 0
            lonlat = _wgs84(batch, rules, ledger.datums[file], ok)
            if rules.bounds is not None:
                away = ok & _outside(lonlat, rules.bounds)
                if away.any():
                    batch.fault[away] = _OUTSIDE
                    ledger.outside_sum += lonlat[away].sum(axis=0)
                    ok &= ~away
            source = batch.row + (file << _ROW_BITS)
            if not ok.all():
                bad = ~ok
                ledger.refuse(source[bad], batch.fault[bad], batch.t_s[bad], lonlat[bad])
            units = riders.units(batch, ok)
            events = riders.event_codes(batch)
            block = np.empty(int(ok.sum()), _POINT)
            for name, column in (
                ("unit", units), ("t", batch.t_s), ("lon", lonlat[:, 0]), ("lat", lonlat[:, 1]),
                ("event", events), ("source", source),
            ):  # fmt: skip
                block[name] = column if len(block) == n else column[ok]
            yield block


def _build(records: NDArray[np.void], rules: _Rules, riders: _Riders, ledger: _Ledger) -> Traces:
    """Turn all points of some riders into traces, and settle the account of each point."""
    unit = np.ascontiguousarray(records["unit"])
    present = np.flatnonzero(np.bincount(unit)) if len(unit) else np.zeros(0, np.int64)
    by_code = sorted(present.tolist(), key=riders.pseudonym.__getitem__)
    rank_of = np.zeros(int(present[-1]) + 1 if len(present) else 1, np.int32)
    rank_of[by_code] = np.arange(len(by_code), dtype=np.int32)
    rider = rank_of[unit]
    t_s = np.ascontiguousarray(records["t"])
    lonlat = np.empty((len(records), 2))
    lonlat[:, 0], lonlat[:, 1] = records["lon"], records["lat"]
    event = np.ascontiguousarray(records["event"])
    source = np.ascontiguousarray(records["source"])
    order = group_points(rider, len(by_code), t_s, lonlat, event)
    if order is not None:
        rider, t_s, lonlat, event, source = (
            rider[order],
            t_s[order],
            lonlat[order],
            event[order],
            source[order],
        )
    ptr = np.r_[0, np.cumsum(np.bincount(rider, minlength=len(by_code)))].astype(np.int64)
    verdict = np.zeros(len(rider), np.uint8)
    judge_points(ptr, t_s, lonlat, rules.trace_format.max_speed_mps, rules.trace_format.jump_slack_m, verdict)
    keep = verdict == 0
    if not keep.all():
        bad = ~keep
        ledger.refuse(source[bad], verdict[bad], t_s[bad], lonlat[bad])
        rider, t_s, lonlat, event, source = rider[keep], t_s[keep], lonlat[keep], event[keep], source[keep]
        ptr = np.r_[0, np.cumsum(np.bincount(rider, minlength=len(by_code)))].astype(np.int64)
    ledger.accept(source)
    codes_of = sorted({riders.platform_of[u] for u in by_code}, key=list(riders.platforms).__getitem__)
    platform_rank = {code: i for i, code in enumerate(codes_of)}
    platform = np.array([platform_rank[riders.platform_of[u]] for u in by_code], np.int16)
    names = list(riders.platforms)
    events, event = _sorted_events(event, list(riders.events))
    return Traces(
        rider=rider,
        t_s=t_s,
        lonlat=lonlat,
        rider_ptr=ptr,
        pseudonyms=tuple(riders.pseudonym[u] for u in by_code),
        platform=platform[rider] if len(by_code) else np.zeros(0, np.int16),
        platforms=tuple(names[c] for c in codes_of),
        event=event,
        events=events,
    )


def _sorted_events(event: NDArray[np.int16], names: list[str]) -> tuple[tuple[str, ...], NDArray[np.int16]]:
    """Leave only events that occur, in ascending order, so that no order of rows shows."""
    used = np.flatnonzero(np.bincount(event, minlength=1)).tolist()
    ordered = ["", *sorted(names[c] for c in used if names[c])]
    table = np.zeros(len(names), np.int16)
    for code in used:
        table[code] = ordered.index(names[code])
    return tuple(ordered), table[event]


def concat_traces(parts: Sequence[Traces]) -> Traces:
    """Join traces of different riders into one, riders in ascending order of pseudonym.

    Raises
    ------
    InputError
        If a rider stands in two parts.
    """
    if len(parts) == 1:
        return parts[0]
    where = [(name, p, r) for p, part in enumerate(parts) for r, name in enumerate(part.pseudonyms)]
    where.sort()
    names = [name for name, _, _ in where]
    if len(set(names)) != len(names):
        raise InputError("traces to be joined must hold different riders")
    platforms = sorted({p for part in parts for p in part.platforms})
    events = ["", *sorted({e for part in parts for e in part.events if e})]
    platform_tables = [
        np.array([platforms.index(p) for p in part.platforms] or [0], np.int16) for part in parts
    ]
    event_tables = [np.array([events.index(e) for e in part.events], np.int16) for part in parts]
    counts = np.array([parts[p].rider_ptr[r + 1] - parts[p].rider_ptr[r] for _, p, r in where], np.int64)
    ptr = np.r_[0, np.cumsum(counts)].astype(np.int64)
    n = int(ptr[-1])
    t_s, lonlat = np.empty(n, np.int64), np.empty((n, 2))
    platform, event = np.empty(n, np.int16), np.empty(n, np.int16)
    for i, (_, p, r) in enumerate(where):
        part, here = parts[p], slice(int(ptr[i]), int(ptr[i + 1]))
        there = slice(int(part.rider_ptr[r]), int(part.rider_ptr[r + 1]))
        t_s[here], lonlat[here] = part.t_s[there], part.lonlat[there]
        platform[here] = platform_tables[p][part.platform[there]]
        event[here] = event_tables[p][part.event[there]]
    return Traces(
        rider=np.repeat(np.arange(len(where), dtype=np.int32), counts),
        t_s=t_s,
        lonlat=lonlat,
        rider_ptr=ptr,
        pseudonyms=tuple(names),
        platform=platform,
        platforms=tuple(platforms),
        event=event,
        events=tuple(events),
    )


def _ahead(blocks: Iterator[NDArray[np.void]]) -> Iterator[NDArray[np.void]]:
    """Read the next block in a thread while this one is worked on."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = thread.submit(next, blocks, None)
            yield block


def _rider_by_rider(blocks: Iterator[NDArray[np.void]], hold_points: int) -> Iterator[NDArray[np.void]]:
    """Hand over the points of riders as soon as the next rider begins; refuse riders that come back."""
    held: list[NDArray[np.void]] = []
    count = 0
    closed = np.zeros(0, np.bool_)
    for block in blocks:
        if len(block) == 0:
            continue
        top = int(block["unit"].max())
        if len(closed):
            known = block["unit"] < len(closed)
            if closed[block["unit"][known]].any():
                raise _ComesBackError
        held.append(block)
        count += len(block)
        if count <= hold_points:
            continue
        records = np.concatenate(held)
        open_unit = records["unit"][-1]
        stays = records["unit"] == open_unit
        if stays.all():
            held = [records]
            continue
        ready = records[~stays]
        held, count = [records[stays]], int(stays.sum())
        closed = np.concatenate([closed, np.zeros(max(0, top + 1 - len(closed)), np.bool_)])
        closed[ready["unit"]] = True
        del records
        yield ready
    if held:
        yield np.concatenate(held)


def _by_scratch_files(blocks: Iterator[NDArray[np.void]], folder: Path) -> Iterator[NDArray[np.void]]:
    """Deal the points out to files by rider, then hand over one file at a time."""
    names = [folder / f"{i:03d}.points" for i in range(_SCRATCH_FILES)]
    with ExitStack() as stack:
        files = [stack.enter_context(name.open("wb")) for name in names]
        for block in blocks:
            share = (block["unit"] % _SCRATCH_FILES).astype(np.int16)
            order = np.argsort(share, kind="stable")
            ends = np.cumsum(np.bincount(share, minlength=_SCRATCH_FILES))
            dealt = block[order]
            for i, file in enumerate(files):
                piece = dealt[ends[i - 1] if i else 0 : ends[i]]
                if len(piece):
                    file.write(piece.tobytes())
    for name in names:
        records = np.fromfile(name, _POINT)
        name.unlink()
        if len(records):
            yield records


def map_traces(
    paths: str | Path | Sequence[str | Path],
    trace_format: TraceFormat,
    function: Callable[[Traces], T],
    *,
    key: bytes,
    network: "StreetNetwork | None" = None,
    bounds: tuple[float, float, float, float] | None = None,
    rejects: Path | None = None,
    rotate: str = "study",
    study: str = "study",
    hold_points: int = _HOLD_POINTS,
) -> Mapped[T]:
    """Read traces of any size and apply a function to the traces of some riders at a time.

    Parameters
    ----------
    paths
        Files and folders (a folder is read with all its files).
    trace_format
        What the platform declares about them.
    function
        Called with parts of the traces, each with all points of its riders. It must be pure: where rows do
        not come rider by rider the reading starts anew and earlier values are dropped.
    key
        Secret of at least 16 bytes for the pseudonyms.
    network
        Streets of the city: needed for ``datum="auto"``, and gives `bounds`.
    bounds
        West, south, east, north in WGS-84 degrees; rows more than 2 km outside are refused.
    rejects
        CSV to write refused rows to: file, row, reason, value.
    rotate
        ``study``: one pseudonym a rider; ``day``: a new one each working day (local time, from 4 a.m.).
    study
        Name of the study, part of the pseudonym.
    hold_points
        Points kept in memory before riders are handed over.

    Returns
    -------
    Mapped
        The values, in an order that may depend on the order of rows, and one account a file.

    Raises
    ------
    InputError
        If a file cannot be read, columns are missing, the datum is not clear, or every point lies outside
        the map.
    """
    files = find_files(paths)
    if bounds is None and network is not None:
        bounds = network.bounds
    shifted = True
    if bounds is not None:
        west, south, east, north = bounds
        shifted = bool(in_mainland_china([[(west + east) / 2, (south + north) / 2]])[0])
    rules = _Rules(trace_format, None if bounds is None else _with_margin(bounds), network, shifted)
    riders = _Riders(key, rotate, study, trace_format.timezone)
    for scratch in (False, True):
        with RejectsFile(rejects) as refused, tempfile.TemporaryDirectory(prefix="yilu-") as folder:
            ledger = _Ledger(refused)
            blocks = _ahead(_checked_blocks(files, rules, riders, ledger))
            parts = (
                _by_scratch_files(blocks, Path(folder)) if scratch else _rider_by_rider(blocks, hold_points)
            )
            try:
                values = tuple(function(_build(records, rules, riders, ledger)) for records in parts)
            except _ComesBackError:
                continue
        accounts = ledger.accounts()
        _refuse_other_city(accounts, ledger, bounds)
        return Mapped(values, accounts)
    raise AssertionError("scratch files take riders in any order")


def _refuse_other_city(
    accounts: tuple[Account, ...], ledger: _Ledger, bounds: tuple[float, float, float, float] | None
) -> None:
    away = sum(a.rejected.get("outside_map", 0) for a in accounts)
    if bounds is None or away == 0 or any(a.accepted for a in accounts):
        return
    lon, lat = ledger.outside_sum / away
    west, south, east, north = bounds
    raise InputError(
        f"{accounts[0].file}: all {away:,} points with a position lie outside the map; they are around lon {lon:.2f}, "
        f"lat {lat:.2f}, and the map covers lon {west:.2f} to {east:.2f}, lat {south:.2f} to {north:.2f}"
    )


def read_traces(
    paths: str | Path | Sequence[str | Path],
    trace_format: TraceFormat,
    *,
    key: bytes,
    network: "StreetNetwork | None" = None,
    bounds: tuple[float, float, float, float] | None = None,
    rejects: Path | None = None,
    rotate: str = "study",
    study: str = "study",
) -> ReadResult:
    """Read traces into memory (about 40 bytes a point); for more than memory holds see `map_traces`.

    Parameters
    ----------
    paths, trace_format, key, network, bounds, rejects, rotate, study
        As in `map_traces`.

    Returns
    -------
    ReadResult
        The traces, and one account a file with ``accepted + rejected = read``.

    Raises
    ------
    InputError
        As `map_traces`, and if not a single row can be used.
    """
    mapped = map_traces(
        paths, trace_format, _same, key=key, network=network, bounds=bounds, rejects=rejects, rotate=rotate,
        study=study,
    )  # fmt: skip
    accepted = sum(a.accepted for a in mapped.accounts)
    if accepted == 0:
        read = sum(a.read for a in mapped.accounts)
        reasons: dict[str, int] = {}
        for account in mapped.accounts:
            for why, n in account.rejected.items():
                reasons[why] = reasons.get(why, 0) + n
        said = ", ".join(f"{why} {n}" for why, n in sorted(reasons.items(), key=lambda item: -item[1]))
        raise InputError(
            f"{mapped.accounts[0].file}: none of the {read:,} rows can be used ({said or 'no rows'})"
        )
    return ReadResult(concat_traces(mapped.values), mapped.accounts)


def _same(traces: Traces) -> Traces:
    return traces
