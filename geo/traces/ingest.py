"""The way of a row: parsed, checked, brought to WGS-84, given a pseudonym, put beside its rider's others.

The working side of `geo.traces.read`. Raw rider ids live in `Riders` and nowhere after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from geo.datum import to_wgs84
from geo.errors import InputError
from geo.jit import kernel
from geo.privacy import Pseudonymiser
from geo.traces.checks import flag_rows, group_points, judge_points
from geo.traces.datum_evidence import settle_datums
from geo.traces.formats import REASONS, RawBatch, TraceFormat
from geo.traces.points import Account, Traces
from geo.traces.readers import read_batches
from geo.traces.rejects import RejectsFile
from geo.traces.times import local_offset_s, zone

if TYPE_CHECKING:
    from geo.streets.network import StreetNetwork

__all__ = [
    "ROTATIONS",
    "Block",
    "Ledger",
    "RiderTable",
    "Riders",
    "Rules",
    "build_traces",
    "checked_blocks",
    "open_files",
]

ROTATIONS: Final = ("study", "day")
_DAY_TURN_S: Final = 4 * 3600  # a night shift belongs to the day on which it began
_CHECKED_FILES: Final = 20  # of a study; declarations about more are believed
_ROW_BITS: Final = 40
_OUTSIDE: Final = REASONS.index("outside_map")
_LOST: Final = REASONS.index("unparsable_row")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Rows that are good by themselves, in columns of one length."""

    unit: NDArray[np.int32]
    """(n,) code of the rider, see `Riders`."""
    t_s: NDArray[np.int64]
    lonlat: NDArray[np.float64]
    event: NDArray[np.int16]
    source: NDArray[np.int64]
    """(n,) number of the file, and in the lower 40 bits the row."""

    def __len__(self) -> int:
        return len(self.unit)

    def take(self, rows: "slice | NDArray[np.bool_] | NDArray[np.int64]") -> "Block":
        """Return some of the rows."""
        return Block(self.unit[rows], self.t_s[rows], self.lonlat[rows], self.event[rows], self.source[rows])

    @staticmethod
    def join(blocks: "Sequence[Block]") -> "Block":
        """Put blocks one after another."""
        if len(blocks) == 1:
            return blocks[0]
        return Block(
            np.concatenate([b.unit for b in blocks]),
            np.concatenate([b.t_s for b in blocks]),
            np.concatenate([b.lonlat for b in blocks]),
            np.concatenate([b.event for b in blocks]),
            np.concatenate([b.source for b in blocks]),
        )


class RiderTable:
    """Pseudonym and platform of each unit (a rider, or a rider on one day), and the words of both."""

    def __init__(self) -> None:
        self.pseudonym: list[str] = []
        self.platform_of: list[int] = []
        self.platforms: dict[str, int] = {}
        self.events: dict[str, int] = {"": 0}


class Riders(RiderTable):
    """Codes for (platform, raw id[, day]): the one place that knows raw ids."""

    def __init__(self, key: bytes, rotate: str, study: str, timezone: str | None) -> None:
        if rotate not in ROTATIONS:
            raise InputError(f"pseudonyms rotate by {' or '.join(ROTATIONS)}, not by {rotate!r}")
        if rotate == "day" and timezone is None:
            raise InputError("pseudonyms that rotate by day need the time zone of the traces")
        super().__init__()
        self._coder = Pseudonymiser(key)
        self._study = study
        self._where = zone(timezone) if rotate == "day" and timezone else None
        self._people: dict[tuple[str, str], int] = {}
        self._units: dict[tuple[int, int], int] = {}

    def _person_unit(self, platform: str, raw_id: str) -> int:
        person = self._people.setdefault((platform, raw_id), len(self._people))
        return self._unit(platform, raw_id, person, 0)

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
        """Return the code of each kept row; any value for the others."""
        if self._where is None and (batch.platform == batch.platform[0]).all():
            platform = batch.platforms[int(batch.platform[0])]
            table = np.array(
                [self._person_unit(platform, raw_id) for raw_id in batch.rider_ids] or [0], np.int32
            )
            return table[batch.rider]
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
            table = np.zeros(0, np.int32)
        codes = np.empty(len(distinct), np.int32)
        for i, value in enumerate(distinct.tolist()):
            rest, d = divmod(value, days)
            p, r = divmod(rest, len(batch.rider_ids) + 1)
            platform, raw_id = batch.platforms[p], batch.rider_ids[r]
            person = self._people.setdefault((platform, raw_id), len(self._people))
            codes[i] = self._unit(platform, raw_id, person, first_day + d)
        units = np.full(len(mixed), -1, np.int32)
        if len(table):
            table[distinct] = codes
            units[keep] = table[mixed[keep]]
        elif len(distinct):
            units[keep] = codes[np.searchsorted(distinct, mixed[keep])]
        return units

    def event_codes(self, batch: RawBatch) -> NDArray[np.int16]:
        """Return the code of each row's event in one table for all files."""
        table = np.array([self.events.setdefault(e, len(self.events)) for e in batch.events], np.int16)
        if len(self.events) > 30_000:
            raise InputError(
                "the event column holds more than 30,000 different values: it is not a column of events"
            )
        return batch.event if len(table) == 1 else table[batch.event]


class Ledger:
    """Counts by file and reason, and the file of refused rows."""

    def __init__(self, rejects: RejectsFile) -> None:
        self.labels: list[str] = []
        self.datums: list[dict[str, tuple[str, str]]] = []
        self.counts = np.zeros((0, len(REASONS)), np.int64)
        self.read: list[int] = []
        self.outside_sum = np.zeros(2)
        self._rejects = rejects

    def open_file(self, label: str) -> int:
        """Begin the account of a file and return its number."""
        self.labels.append(label)
        self.datums.append({})
        self.read.append(0)
        self.counts = np.vstack([self.counts, np.zeros((1, len(REASONS)), np.int64)])
        return len(self.labels) - 1

    def lose(self, file: int, rows: Sequence[int]) -> None:
        """Book rows that could not be cut into columns."""
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
        """Book and write refused rows."""
        file, row = source >> _ROW_BITS, source & ((1 << _ROW_BITS) - 1)
        np.add.at(self.counts, (file, reason), 1)
        self._rejects.rows(self.labels, file, row, reason, t_s, lonlat)

    def accept(self, source: NDArray[np.int64]) -> None:
        """Book accepted rows."""
        if len(source) == 0:
            return
        low, high = int(source.min()) >> _ROW_BITS, int(source.max()) >> _ROW_BITS
        if low == high:
            self.counts[low, 0] += len(source)
        else:
            self.counts[:, 0] += np.bincount(source >> _ROW_BITS, minlength=len(self.labels))

    def accounts(self) -> tuple[Account, ...]:
        """Return the account of each file."""
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
class Rules:
    """What a reading was asked to do."""

    formats: tuple[TraceFormat, ...]
    """One for each file."""
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


def _wgs84(
    batch: RawBatch,
    trace_format: TraceFormat,
    shifted: bool,
    datums: dict[str, tuple[str, str]],
    ok: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Bring the good rows of a batch to WGS-84, platform by platform."""
    lonlat = batch.lonlat
    for code in np.unique(batch.platform[ok]).tolist():
        platform = batch.platforms[code]
        if platform not in datums:
            declared = trace_format.datum_of(platform)
            plain = shifted or declared == "wgs84"
            evidence = "declared" if plain else "no shift outside mainland China"
            datums[platform] = ("wgs84" if declared == "auto" else declared, evidence)
        datum = datums[platform][0]
        if datum != "wgs84" and shifted:
            rows = np.flatnonzero(ok & (batch.platform == code))
            lonlat[rows] = to_wgs84(lonlat[rows], datum)
    return lonlat


def open_files(files: Sequence[Path], rules: Rules, ledger: Ledger) -> None:
    """Begin an account for each file, and find the datum of those that need it."""
    for number, path in enumerate(files):
        trace_format = rules.formats[number]
        file = ledger.open_file(_label(path, number, trace_format))
        words = [trace_format.datum] if isinstance(trace_format.datum, str) else trace_format.datum.values()
        unsettled = "auto" in words
        if rules.shifted and (unsettled or (rules.network is not None and number < _CHECKED_FILES)):
            batches = read_batches(path, trace_format)
            settled = settle_datums(batches, rules.network, trace_format.datum_of, path.name)
            ledger.datums[file].update(settled)


def checked_blocks(
    files: Sequence[Path],
    rules: Rules,
    riders: Riders,
    ledger: Ledger,
    row_groups: Sequence[int] | None = None,
    only: int | None = None,
) -> Iterator[Block]:
    """Read every file (or one of them, or some row groups of it); yield the rows good by themselves."""
    for number, path in enumerate(files):
        if only is not None and number != only:
            continue
        file, trace_format = number, rules.formats[number]
        for batch in read_batches(path, trace_format, row_groups):
            if path.stem in batch.rider_ids:
                ledger.labels[file] = f"file {number + 1}{path.suffix.lower()}"
            ledger.lose(file, batch.lost)
            n = len(batch.t_s)
            ledger.read[file] += n
            if n == 0:
                continue
            first_s, last_s = trace_format.period_s
            flag_rows(batch.t_s, batch.lonlat, batch.fault, first_s, last_s)
            ok = batch.fault == 0
            lonlat = _wgs84(batch, trace_format, rules.shifted, ledger.datums[file], ok)
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
            block = Block(riders.units(batch, ok), batch.t_s, lonlat, riders.event_codes(batch), source)
            yield block if ok.all() else block.take(ok)


@kernel
def _number_riders(
    unit: NDArray[np.int32], table: NDArray[np.int32], rider: NDArray[np.int32], seen: NDArray[np.int32]
) -> int:
    """Give riders numbers as they come; `table` is -1 for every unit."""
    count = 0
    for i in range(len(unit)):
        u = unit[i]
        if table[u] < 0:
            table[u] = count
            seen[count] = u
            count += 1
        rider[i] = table[u]
    return count


def _limits(source: NDArray[np.int64], rules: Rules) -> tuple[float, float]:
    """Return the speed and slack of the files at hand; where they differ, what the most generous allows."""
    files = range(len(rules.formats))
    if len(source) and len(rules.formats) > 1:
        files = range(int(source.min()) >> _ROW_BITS, (int(source.max()) >> _ROW_BITS) + 1)
    formats = [rules.formats[file] for file in files]
    return max(f.max_speed_mps for f in formats), max(f.jump_slack_m for f in formats)


def build_traces(blocks: Sequence[Block], rules: Rules, riders: RiderTable, ledger: Ledger) -> Traces:
    """Turn all points of some riders into traces, and settle the account of each point."""
    block = Block.join(blocks)
    n = len(block)
    table = np.full(len(riders.pseudonym), -1, np.int32)
    rider, seen = np.empty(n, np.int32), np.empty(min(n, len(table)), np.int32)
    count = _number_riders(block.unit, table, rider, seen)
    units = seen[:count].tolist()
    t_s, lonlat, event, source = block.t_s, block.lonlat, block.event, block.source
    order = group_points(rider, count, t_s, lonlat, event)
    if order is not None:
        rider, t_s, lonlat, event, source = (
            rider[order],
            t_s[order],
            lonlat[order],
            event[order],
            source[order],
        )
    ptr = np.searchsorted(rider, np.arange(count + 1)).astype(np.int64)
    verdict = np.zeros(n, np.uint8)
    speed, slack = _limits(source, rules)
    judge_points(ptr, t_s, lonlat, speed, slack, verdict)
    if verdict.any():
        keep = verdict == 0
        bad = ~keep
        ledger.refuse(source[bad], verdict[bad], t_s[bad], lonlat[bad])
        rider, t_s, lonlat, event, source = rider[keep], t_s[keep], lonlat[keep], event[keep], source[keep]
        ptr = np.searchsorted(rider, np.arange(count + 1)).astype(np.int64)
    ledger.accept(source)
    names = list(riders.platforms)
    codes_of = sorted({riders.platform_of[u] for u in units}, key=names.__getitem__)
    rank = {code: i for i, code in enumerate(codes_of)}
    platform = np.array([rank[riders.platform_of[u]] for u in units], np.int16)
    events, event = _sorted_events(event, list(riders.events))
    return Traces(
        rider=rider,
        t_s=t_s,
        lonlat=lonlat,
        rider_ptr=ptr,
        pseudonyms=tuple(riders.pseudonym[u] for u in units),
        platform=np.repeat(platform, np.diff(ptr)) if count else np.zeros(0, np.int16),
        platforms=tuple(names[c] for c in codes_of),
        event=event,
        events=events,
    )


def _sorted_events(event: NDArray[np.int16], names: list[str]) -> tuple[tuple[str, ...], NDArray[np.int16]]:
    """Leave only events that occur, in ascending order, so that no order of rows shows."""
    if len(names) == 1:
        return ("",), event
    used = np.flatnonzero(np.bincount(event, minlength=1)).tolist()
    ordered = ["", *sorted(names[c] for c in used if names[c])]
    table = np.zeros(len(names), np.int16)
    for code in used:
        table[code] = ordered.index(names[code])
    return tuple(ordered), table[event]
