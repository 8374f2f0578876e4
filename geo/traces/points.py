"""GPS points in columns, and the account of where the rows of a file went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError

__all__ = ["ENOUGH_RIDERS", "Account", "Traces", "Tracks", "concat_traces"]

ENOUGH_RIDERS = 1_000
"""No study asks for more riders behind a figure."""


class Tracks(NamedTuple):
    """Points by rider, as kernels take them: rider ``r`` has ``ptr[r]`` to ``ptr[r + 1]``."""

    ptr: NDArray[np.int64]
    t: NDArray[np.int64]
    lonlat: NDArray[np.float64]


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
    """(r,) riders; in ascending order after `concat_traces`."""
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
    """Rows by reason, see `geo.traces.formats.REASONS`; only reasons that occurred."""
    skipped: tuple[tuple[str, str], ...] = ()
    """With the first account of a reading: files of folders and members of archives that hold no traces, and
    the code of the reason."""
    hints: tuple[str, ...] = ()
    """Doubts about the datum, and where most rows were refused what the file looks like: codes of
    `geo.traces.files.hints.HINTS`."""
    riders: frozenset[str] = field(default=frozenset(), repr=False)
    """Pseudonyms of those whose rows were accepted, `ENOUGH_RIDERS` or some more where there are more."""


def concat_traces(parts: Sequence[Traces]) -> Traces:
    """Join traces of different riders into one, riders in ascending order of pseudonym.

    Raises
    ------
    InputError
        If a rider stands in two parts.
    """
    if len(parts) == 1 and list(parts[0].pseudonyms) == sorted(parts[0].pseudonyms):
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
