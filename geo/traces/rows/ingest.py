"""The way of a block of rows: checked, brought to WGS-84, given pseudonyms, grouped by rider and judged.

The working side of `geo.traces.read`. Raw rider ids live in `Riders` (`geo.traces.rows.riders`) and nowhere
after it.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from geo.datum import to_wgs84
from geo.errors import InputError
from geo.jit import kernel
from geo.sentences import Sentence
from geo.traces.datum_evidence import TraceFile, settle_datums
from geo.traces.files.readers import read_batches, shown_name
from geo.traces.formats import REASONS, NumberIds, RawBatch, TraceFormat
from geo.traces.points import Traces
from geo.traces.rows.accounts import ROW_BITS, Ledger
from geo.traces.rows.plausibility import flag_rows, group_points, judge_points
from geo.traces.rows.riders import Riders, RiderTable

if TYPE_CHECKING:
    from geo.streets.network import StreetNetwork

__all__ = ["Block", "Rules", "build_traces", "checked_blocks", "open_files"]

_OUTSIDE: Final = REASONS.index("outside_map")
_FEW_ROWS: Final = 64


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

    def without(self, rows: NDArray[np.int64]) -> "Block":
        """Return the block without some rows, ascending; to cut a few out is quicker than to look at all."""
        if not len(rows):
            return self
        if len(rows) > _FEW_ROWS:
            kept = np.ones(len(self), np.bool_)
            kept[rows] = False
            return self.take(kept)
        begins, ends = [0, *(rows + 1).tolist()], [*rows.tolist(), len(self)]
        return Block.join([self.take(slice(a, b)) for a, b in zip(begins, ends, strict=True)])

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


@dataclass(frozen=True, slots=True)
class Rules:
    """What a reading was asked to do."""

    formats: tuple[TraceFormat, ...]
    """One for each file."""
    bounds: tuple[float, float, float, float] | None
    network: "StreetNetwork | None"
    shifted: bool
    """False where the city lies outside mainland China: GCJ-02 and BD-09 are WGS-84 there."""


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
    for code in np.flatnonzero(np.bincount(batch.platform[ok])).tolist():
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


def _sides(lon: NDArray[np.float64]) -> int:
    """Return on which sides of the 180th meridian points lie, a bit each, within a degree of it."""
    return 0 if not len(lon) else int(lon.min() < -179.0) | 2 * int(lon.max() > 179.0)


def open_files(files: Sequence[Path], rules: Rules, ledger: Ledger) -> None:
    """Begin an account for each file, and hold the datum of those declared together against the streets."""
    tables: dict[int, list[int]] = {}
    for number, path in enumerate(files):
        trace_format = rules.formats[number]
        ledger.open_file(shown_name(path, number, trace_format))
        # One declaration is one object: two tables that happen to say the same may differ in their datum.
        tables.setdefault(id(trace_format), []).append(number)
    if not rules.shifted:
        return
    for numbers in tables.values():
        trace_format = rules.formats[numbers[0]]
        words = [trace_format.datum] if isinstance(trace_format.datum, str) else trace_format.datum.values()
        if rules.network is None and "auto" not in words:
            continue
        asked = [
            TraceFile(
                ledger.labels[number],
                functools.partial(read_batches, files[number], trace_format, name=ledger.labels[number]),
            )
            for number in numbers
        ]
        for number, settled in zip(
            numbers, settle_datums(asked, rules.network, trace_format.datum_of), strict=True
        ):
            ledger.datums[number].update(settled.datums)
            ledger.doubts[number] = settled.doubts


def checked_blocks(
    files: Sequence[Path],
    rules: Rules,
    riders: Riders,
    ledger: Ledger,
    row_groups: Sequence[int] | None = None,
    only: int | None = None,
) -> Iterator[Block]:
    """Read every file (or one of them, or some row groups of it); yield the rows good by themselves."""
    sides = 0
    for number, path in enumerate(files):
        if only is not None and number != only:
            continue
        file, trace_format = number, rules.formats[number]
        for batch in read_batches(path, trace_format, row_groups, ledger.labels[file], ledger.skip):
            ids = batch.rider_ids
            if (path.stem.isdecimal() or not isinstance(ids, NumberIds)) and path.stem in ids:
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
            if rules.bounds is None:
                sides |= _sides(lonlat[ok, 0])
                if sides == 3:
                    raise InputError(Sentence.of("trace_antimeridian", file=ledger.labels[file]))
            source = batch.row + (file << ROW_BITS)
            bad = np.empty(0, np.int64)
            if not ok.all():
                bad = np.flatnonzero(~ok)
                ledger.refuse(source[bad], batch.fault[bad], batch.t_s[bad], lonlat[bad])
            block = Block(riders.units(batch, ok), batch.t_s, lonlat, riders.event_codes(batch), source)
            yield block.without(bad)


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
        files = range(int(source.min()) >> ROW_BITS, (int(source.max()) >> ROW_BITS) + 1)
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
        ledger.refuse(source[bad], verdict[bad], t_s[bad], lonlat[bad], late=True)
        rider, t_s, lonlat, event, source = rider[keep], t_s[keep], lonlat[keep], event[keep], source[keep]
        ptr = np.searchsorted(rider, np.arange(count + 1)).astype(np.int64)
    pseudonyms = tuple(riders.pseudonym[u] for u in units)
    ledger.accept(source, rider, pseudonyms)
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
        pseudonyms=pseudonyms,
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
