"""The reading of `geo.traces.read` on more than one machine: same functions, same result.

First every worker reads some of the files (of a Parquet file some of the row groups), checks rows, gives
riders their pseudonyms, and writes the points into hash partitions (shares) by pseudonym.
That partitions by rider, and by day and rider where pseudonyms rotate by day. Then every worker takes
shares, judges the points of each rider and applies the function.

Only pseudonyms are written to the shared folder. The caller brings the client (of dask.distributed, or
anything with its `map` and `gather`), so this module needs no scheduler.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geo.errors import InputError
from geo.sentences import Sentence
from geo.traces.files.found import file_kind
from geo.traces.formats import TraceFormat
from geo.traces.points import ENOUGH_RIDERS, Traces
from geo.traces.read import Mapped, files_with_formats, refuse_other_city, rules_for, with_notes
from geo.traces.rows.accounts import Ledger
from geo.traces.rows.grouping import read_partition, write_partitions
from geo.traces.rows.ingest import Block, Rules, build_traces, checked_blocks, open_files
from geo.traces.rows.rejects import RejectsFile
from geo.traces.rows.riders import Pseudonyms, Riders, RiderTable

if TYPE_CHECKING:
    from geo.streets.network import StreetNetwork

__all__ = ["Cluster", "Scheduler", "map_traces_on"]

_SHARES: Final = 64
_ROWS_A_TASK: Final = 4_000_000

T = TypeVar("T")


class Scheduler(Protocol):
    """What is asked of a cluster: ``dask.distributed.Client`` is one."""

    def map(self, func: Callable[..., Any], *iterables: Iterable[Any], **kwargs: Any) -> list[Any]:  # noqa: ANN401
        """Start a call for each item and return handles."""
        ...

    def gather(self, futures: list[Any]) -> list[Any]:
        """Wait for the results of handles."""
        ...


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the work is done, and what its workers share."""

    scheduler: Scheduler
    folder: Path
    """Empty folder that all workers see, for the points between the two steps; the caller removes it."""
    shares: int = _SHARES
    """Parts of the riders, 1-4,096; several times the number of workers."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What every worker needs to know."""

    files: tuple[Path, ...]
    rules: Rules
    labels: tuple[str, ...]
    datums: tuple[dict[str, tuple[str, str]], ...]
    pseudonyms: Pseudonyms
    folder: Path
    shares: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """One task of reading."""

    number: int
    file: int
    row_groups: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class _Booked:
    """The part of the accounts that one task settled."""

    labels: tuple[str, ...]
    datums: tuple[dict[str, tuple[str, str]], ...]
    counts: NDArray[np.int64]
    read: tuple[int, ...]
    riders: tuple[set[str], ...]
    outside_sum: NDArray[np.float64]
    skipped: dict[str, str]

    @staticmethod
    def of(ledger: Ledger) -> "_Booked":
        return _Booked(
            tuple(ledger.labels),
            tuple(ledger.datums),
            ledger.counts,
            tuple(ledger.read),
            tuple(ledger.riders),
            ledger.outside_sum,
            ledger.skipped,
        )


def _pieces(files: Sequence[Path]) -> list[_Piece]:
    pieces: list[_Piece] = []
    for number, path in enumerate(files):
        groups: list[tuple[int, ...] | None] = [None]
        if file_kind(path) == "parquet":
            try:
                metadata = pq.read_metadata(path)
            except (pa.ArrowException, OSError) as error:
                raise InputError(Sentence.of("trace_parquet_file", name=path.name)) from error
            groups, at, rows = [], [], 0
            for group in range(metadata.num_row_groups):
                at.append(group)
                rows += metadata.row_group(group).num_rows
                if rows >= _ROWS_A_TASK or group == metadata.num_row_groups - 1:
                    groups.append(tuple(at))
                    at, rows = [], 0
        pieces += [_Piece(len(pieces) + k, number, group) for k, group in enumerate(groups)]
    return pieces


def _ledger(job: _Job, refused: RejectsFile) -> Ledger:
    ledger = Ledger(refused)
    for label in job.labels:
        ledger.open_file(label)
    for mine, known in zip(ledger.datums, job.datums, strict=True):
        mine.update(known)
    return ledger


def _share_path(job: _Job, piece: int, share: int) -> Path:
    return job.folder / f"{piece:05d}-{share:03d}.points"


def _partition(piece: _Piece, job: _Job) -> _Booked:
    """Read one piece and write its points into hash partitions."""
    riders = Riders(job.pseudonyms, job.rules.formats[0].timezone)
    paths = [_share_path(job, piece.number, share) for share in range(job.shares)]
    with RejectsFile(job.folder / f"{piece.number:05d}.rejects") as refused:
        ledger = _ledger(job, refused)
        blocks = checked_blocks(job.files, job.rules, riders, ledger, piece.row_groups, piece.file)
        write_partitions(blocks, paths, riders)
    words = {
        "pseudonym": riders.pseudonym,
        "platform_of": riders.platform_of,
        "platforms": list(riders.platforms),
        "events": list(riders.events),
    }
    (job.folder / f"{piece.number:05d}.riders").write_text(json.dumps(words), encoding="utf-8")
    return _Booked.of(ledger)


def _joined(share: int, pieces: int, job: _Job) -> tuple[list[Block], RiderTable]:
    """Read a share from all pieces, in their order, under one table of riders."""
    table = RiderTable()
    known: dict[str, int] = {}
    blocks = []
    for piece in range(pieces):
        block = read_partition(_share_path(job, piece, share))
        if not len(block):
            continue
        words = json.loads((job.folder / f"{piece:05d}.riders").read_text(encoding="utf-8"))
        units = np.zeros(len(words["pseudonym"]), np.int32)
        for unit in np.unique(block.unit).tolist():
            name = words["pseudonym"][unit]
            if name not in known:
                known[name] = len(known)
                platform = words["platforms"][words["platform_of"][unit]]
                table.pseudonym.append(name)
                table.platform_of.append(table.platforms.setdefault(platform, len(table.platforms)))
            units[unit] = known[name]
        events = [table.events.setdefault(event, len(table.events)) for event in words["events"]]
        blocks.append(replace(block, unit=units[block.unit], event=np.asarray(events, np.int16)[block.event]))
    return blocks, table


def _apply(share: int, pieces: int, job: _Job, function: Callable[[Traces], T]) -> tuple[list[T], _Booked]:
    """Judge the points of one share and apply the function."""
    with RejectsFile(job.folder / f"share-{share:03d}.rejects") as refused:
        ledger = _ledger(job, refused)
        blocks, table = _joined(share, pieces, job)
        values = [function(build_traces(blocks, job.rules, table, ledger))] if blocks else []
    return values, _Booked.of(ledger)


def map_traces_on(
    cluster: Cluster,
    paths: str | Path | Sequence[str | Path],
    trace_format: TraceFormat | Sequence[TraceFormat],
    function: Callable[[Traces], T],
    *,
    pseudonyms: Pseudonyms,
    network: "StreetNetwork | None" = None,
    bounds: tuple[float, float, float, float] | None = None,
    rejects: Path | None = None,
) -> Mapped[T]:
    """Do what `geo.traces.read.map_traces` does, on a cluster.

    Parameters
    ----------
    cluster
        Its client, and the folder that its workers share.
    paths, trace_format, function, pseudonyms, network, bounds, rejects
        As in `geo.traces.read.map_traces`; the function must be one that can be pickled.

    Returns
    -------
    Mapped
        The values, at most one a share, and one account a file: the same rows accepted and refused.

    Raises
    ------
    InputError
        As `map_traces`, or if `shares` is out of its range.
    """
    scheduler, shares = cluster.scheduler, cluster.shares
    if not 1 <= shares <= 4096:
        raise InputError(Sentence.of("trace_shares", shares=shares))
    files, formats, skipped = files_with_formats(paths, trace_format)
    rules = rules_for(formats, network, bounds)
    Riders(pseudonyms, formats[0].timezone)  # refuses a bad key before work starts
    ledger = Ledger(RejectsFile(None))
    open_files(files, rules, ledger)
    job = _Job(
        files=tuple(path.resolve() for path in files),
        rules=replace(rules, network=None),
        labels=tuple(ledger.labels),
        datums=tuple(ledger.datums),
        pseudonyms=pseudonyms,
        folder=cluster.folder.resolve(),
        shares=cluster.shares,
    )
    pieces = _pieces(files)
    partitioned: list[_Booked] = scheduler.gather(scheduler.map(_partition, pieces, job=job))
    results: list[tuple[list[T], _Booked]] = scheduler.gather(
        scheduler.map(_apply, list(range(shares)), pieces=len(pieces), job=job, function=function)
    )
    for booked in (*partitioned, *(booked for _, booked in results)):
        ledger.counts = ledger.counts + booked.counts
        ledger.read = [a + b for a, b in zip(ledger.read, booked.read, strict=True)]
        ledger.outside_sum = ledger.outside_sum + booked.outside_sum
        for known, more in zip(ledger.riders, booked.riders, strict=True):
            if len(known) < ENOUGH_RIDERS:
                known.update(more)
        skipped |= booked.skipped
        for mine, label, found in zip(range(len(files)), booked.labels, booked.datums, strict=True):
            if label != job.labels[mine]:
                # A worker saw that the name of the file is a rider's id.
                ledger.labels[mine] = label
            ledger.datums[mine].update(found)
    if rejects is not None:
        _write_rejects(rejects, job, len(pieces))
    accounts = with_notes(ledger.accounts(), files, formats, skipped)
    refuse_other_city(accounts, ledger, rules)
    values_of_shares = tuple(value for values, _ in results for value in values)
    return Mapped(values_of_shares, accounts, tuple(skipped.items()))


def _write_rejects(rejects: Path, job: _Job, pieces: int) -> None:
    """Put the refused rows of all tasks into one file."""
    parts = [job.folder / f"{piece:05d}.rejects" for piece in range(pieces)]
    parts += [job.folder / f"share-{share:03d}.rejects" for share in range(job.shares)]
    rejects.parent.mkdir(parents=True, exist_ok=True)
    with rejects.open("w", encoding="utf-8-sig", newline="") as out:
        for number, part in enumerate(parts):
            with part.open(encoding="utf-8-sig", newline="") as lines:
                head = next(lines)
                if number == 0:
                    out.write(head)
                out.writelines(lines)
