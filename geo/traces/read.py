"""GPS points: the columns, and the way of a row from a platform's file to a point of a pseudonym.

A row is parsed (`geo.traces.files.readers`), checked, brought to WGS-84, given the pseudonym of its rider,
and put beside the other points of that rider; then the points of each rider are checked together
(`geo.traces.rows.plausibility`). Accepted + refused = read, for every file. Raw rider ids end here: nothing
that leaves this module holds one.

Memory does not grow with the files: `map_traces` hands over some riders at a time. While rows come rider by
rider it needs one pass. As soon as a rider comes back whose points were handed over already, it starts
anew and spills the rows to scratch files, a hash partition of the riders
each, small enough to be sorted in memory.
"""

import functools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import numpy as np

from geo.datum import in_mainland_china
from geo.earth import DEGREE_M
from geo.errors import InputError
from geo.sentences import Sentence
from geo.traces.ahead import read_ahead
from geo.traces.files.found import TRACK_KINDS, file_kind, find_files
from geo.traces.files.hints import hint, hints_of
from geo.traces.files.look import first_times
from geo.traces.files.readers import is_foreign, refuse_unnamed_riders
from geo.traces.files.tables.shapes import shape_of_name
from geo.traces.formats import TraceFormat
from geo.traces.points import Account, Traces, concat_traces
from geo.traces.rows.accounts import Ledger
from geo.traces.rows.grouping import ComesBackError, rider_by_rider, spilled_partitions
from geo.traces.rows.ingest import Rules, build_traces, checked_blocks, open_files
from geo.traces.rows.rejects import RejectsFile, cut_degrees
from geo.traces.rows.riders import ROTATIONS, Pseudonyms, Riders

if TYPE_CHECKING:
    from geo.streets.network import StreetNetwork

__all__ = [
    "ROTATIONS",
    "Account",
    "Mapped",
    "ReadResult",
    "TraceFormat",
    "Traces",
    "concat_traces",
    "files_with_formats",
    "map_traces",
    "read_traces",
    "refuse_other_city",
    "refuse_unusable",
    "rules_for",
]

_MAP_MARGIN_M: Final = 2_000.0
_HOLD_POINTS: Final = 3_000_000

T = TypeVar("T")


def _with_margin(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    west, south, east, north = bounds
    dy = _MAP_MARGIN_M / DEGREE_M
    dx = dy / max(0.01, float(np.cos(np.radians((south + north) / 2))))
    return west - dx, south - dy, east + dx, north + dy


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Traces and what became of every row."""

    traces: Traces
    accounts: tuple[Account, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    """Files of folders and members of archives that hold no traces, with the reason."""


@dataclass(frozen=True, slots=True)
class Mapped(Generic[T]):
    """What a function made of each part of the traces, and what became of every row."""

    values: tuple[T, ...]
    accounts: tuple[Account, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    """As in `ReadResult`."""


def map_traces(
    paths: str | Path | Sequence[str | Path],
    trace_format: TraceFormat | Sequence[TraceFormat],
    function: Callable[[Traces], T],
    *,
    pseudonyms: Pseudonyms,
    network: "StreetNetwork | None" = None,
    bounds: tuple[float, float, float, float] | None = None,
    rejects: Path | None = None,
    hold_points: int = _HOLD_POINTS,
) -> Mapped[T]:
    """Read traces of any size and apply a function to the traces of some riders at a time.

    Parameters
    ----------
    paths
        Files and folders (a folder is read with all its files).
    trace_format
        What the platform declares about them; or one such for each of `paths`.
    function
        Called with parts of the traces, each with all points of its riders. It must be pure: where rows do
        not come rider by rider the reading starts anew and earlier values are dropped.
    pseudonyms
        How riders are named: key, rotation and study.
    network
        Streets of the city: needed for ``datum="auto"``, and gives `bounds`.
    bounds
        West, south, east, north in WGS-84 degrees; rows more than 2 km outside are refused.
    rejects
        CSV to write refused rows to: file, row, reason, value.
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
    files, formats, skipped = files_with_formats(paths, trace_format)
    rules = rules_for(formats, network, bounds)
    riders = Riders(pseudonyms, formats[0].timezone)
    for scratch in (False, True):
        with RejectsFile(rejects) as refused, tempfile.TemporaryDirectory(prefix="yilu-") as folder:
            ledger = Ledger(refused)
            ledger.skipped.update(skipped)
            open_files(files, rules, ledger)
            blocks = read_ahead(checked_blocks(files, rules, riders, ledger))
            spill = functools.partial(spilled_partitions, folder=Path(folder), riders=riders)
            parts = spill(blocks) if scratch else rider_by_rider(blocks, hold_points, spill)
            try:
                built = read_ahead(build_traces(part, rules, riders, ledger) for part in parts)
                values = tuple(function(traces) for traces in built)
            except ComesBackError:
                continue
        accounts = with_notes(ledger.accounts(), files, formats, ledger.skipped)
        refuse_other_city(accounts, ledger, rules)
        return Mapped(values, accounts, tuple(ledger.skipped.items()))
    raise AssertionError("scratch files take riders in any order")


def files_with_formats(
    paths: str | Path | Sequence[str | Path], trace_format: TraceFormat | Sequence[TraceFormat]
) -> tuple[list[Path], tuple[TraceFormat, ...], dict[str, str]]:
    """Open folders, give each file the format declared for its path, and part off what holds no traces."""
    entries = [paths] if isinstance(paths, str | Path) else list(paths)
    formats = [trace_format] * len(entries) if isinstance(trace_format, TraceFormat) else list(trace_format)
    if len(entries) != len(formats):
        raise InputError(Sentence.of("trace_formats", count=len(entries), count2=len(formats)))
    if len({f.timezone for f in formats}) > 1:
        raise InputError(Sentence.of("trace_one_zone"))
    if not entries:
        raise InputError(Sentence.of("trace_none_named"))
    found: list[tuple[Path, TraceFormat]] = []
    foreign: list[tuple[Path, TraceFormat]] = []
    skipped: dict[str, str] = {}
    for entry, form in zip(entries, formats, strict=True):
        inside = find_files(entry, form)
        skipped |= {shape_of_name(path.name): "skipped_name" for path in inside.skipped}
        for path, searched in zip(inside.files, inside.by_search, strict=True):
            (foreign if searched and is_foreign(path, form) else found).append((path, form))
    if not found:
        # Then the first of them says what is missing.
        found, foreign = foreign, []
    skipped |= {shape_of_name(path.name): "skipped_columns" for path, _ in foreign}
    for kind in TRACK_KINDS:
        tracks = [
            form for path, form in found if kind in (form.kind, file_kind(path)) and form.rider == "auto"
        ]
        if tracks:
            refuse_unnamed_riders(len(tracks), "the traces", tracks[0], kind.upper())
    return [file for file, _ in found], tuple(form for _, form in found), skipped


def rules_for(
    formats: tuple[TraceFormat, ...],
    network: "StreetNetwork | None",
    bounds: tuple[float, float, float, float] | None,
) -> Rules:
    """Settle where points may lie and whether the city's maps are shifted."""
    if bounds is None and network is not None:
        bounds = network.bounds
    shifted = True
    if bounds is not None:
        west, south, east, north = bounds
        shifted = bool(in_mainland_china([[(west + east) / 2, (south + north) / 2]])[0])
    return Rules(formats, None if bounds is None else _with_margin(bounds), network, shifted)


def with_notes(
    accounts: tuple[Account, ...],
    files: Sequence[Path],
    formats: Sequence[TraceFormat],
    skipped: Mapping[str, str],
) -> tuple[Account, ...]:
    """Add to the account of each file that gave few points what it looks like, and list what was skipped."""
    first = replace(accounts[0], skipped=tuple(skipped.items()))
    return tuple(
        replace(account, hints=(*account.hints, *hints_of(path, form, first_times(path, form))))
        if 2 * account.accepted < account.read or account.read == 0
        else account
        for account, path, form in zip((first, *accounts[1:]), files, formats, strict=True)
    )


def refuse_other_city(accounts: tuple[Account, ...], ledger: Ledger, rules: Rules) -> None:
    """Raise InputError when everything that has a position lies outside the map."""
    bounds = rules.bounds
    away = sum(a.rejected.get("outside_map", 0) for a in accounts)
    if bounds is None or away == 0 or any(a.accepted for a in accounts):
        return
    lon, lat = ledger.outside_sum / away
    west, south, east, north = bounds
    raise InputError(
        Sentence.of(
            "trace_outside",
            file=accounts[0].file,
            away=away,
            what=cut_degrees(lon),
            what2=cut_degrees(lat),
            west=west,
            east=east,
            south=south,
            north=north,
        )
    )


def refuse_unusable(accounts: Sequence[Account]) -> None:
    """Raise InputError, with the reasons and what the file looks like, when not a single row can be used."""
    if any(account.accepted for account in accounts):
        return
    reasons: dict[str, int] = {}
    for account in accounts:
        for why, n in account.rejected.items():
            reasons[why] = reasons.get(why, 0) + n
    listed = ", ".join(f"{why} {n}" for why, n in sorted(reasons.items(), key=lambda item: -item[1]))
    sentence = Sentence.of(
        "trace_unusable",
        read=sum(account.read for account in accounts),
        what=listed or Sentence.of("trace_nothing"),
    )
    hints = (hint(code) for code in accounts[0].hints)
    raise InputError(Sentence.of("in_file", file=accounts[0].file, what=(sentence, *hints)))


def read_traces(
    paths: str | Path | Sequence[str | Path],
    trace_format: TraceFormat | Sequence[TraceFormat],
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
    paths, trace_format, network, bounds, rejects
        As in `map_traces`.
    key, rotate, study
        As in `Pseudonyms`.

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
        paths, trace_format, _same, pseudonyms=Pseudonyms(key, rotate, study), network=network,
        bounds=bounds, rejects=rejects,
    )  # fmt: skip
    refuse_unusable(mapped.accounts)
    return ReadResult(concat_traces(mapped.values), mapped.accounts, mapped.skipped)


def _same(traces: Traces) -> Traces:
    return traces
