"""Parts of traces and of stays, taken apart and joined, for tests and measurements."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.stays import StayPoints
from geo.traces import Traces


def riders_of(traces: Traces, riders: Sequence[int] | NDArray[np.int64]) -> Traces:
    """Return the traces of some riders, by their indices in ascending order."""
    chosen = np.unique(np.asarray(riders, dtype=np.int64))
    parts = [np.arange(traces.rider_ptr[r], traces.rider_ptr[r + 1]) for r in chosen]
    index = np.concatenate(parts) if parts else np.zeros(0, np.int64)
    counts = np.array([len(p) for p in parts], np.int64)
    return Traces(
        rider=np.repeat(np.arange(len(chosen), dtype=np.int32), counts),
        t_s=traces.t_s[index],
        lonlat=traces.lonlat[index],
        rider_ptr=np.r_[0, np.cumsum(counts)].astype(np.int64),
        pseudonyms=tuple(traces.pseudonyms[r] for r in chosen),
        platform=traces.platform[index],
        platforms=traces.platforms,
        event=traces.event[index],
        events=traces.events,
    )


def concat_stays(parts: Sequence[StayPoints]) -> StayPoints:
    """Join stays of different riders, riders in ascending order of pseudonym.

    Raises
    ------
    InputError
        If a rider stands in two parts.
    """
    names = sorted(name for part in parts for name in part.pseudonyms)
    if len(set(names)) != len(names):
        raise InputError("stays to be joined must be of different riders")
    rank = {name: i for i, name in enumerate(names)}
    tables = [np.array([rank[name] for name in part.pseudonyms] or [0], np.int32) for part in parts]
    rider = np.concatenate(
        [table[part.rider] for table, part in zip(tables, parts, strict=True)] or [np.zeros(0, np.int32)]
    )
    order = np.argsort(rider, kind="stable")

    def joined(column: str, empty: NDArray[np.generic]) -> NDArray[np.generic]:
        columns = [getattr(part, column) for part in parts] or [empty]
        whole: NDArray[np.generic] = np.concatenate(columns)[order]
        return whole

    return StayPoints(
        rider=rider[order],
        start_s=joined("start_s", np.zeros(0, np.int64)).astype(np.int64),
        end_s=joined("end_s", np.zeros(0, np.int64)).astype(np.int64),
        lonlat=joined("lonlat", np.zeros((0, 2))).astype(np.float64),
        n_points=joined("n_points", np.zeros(0, np.int32)).astype(np.int32),
        kind=joined("kind", np.zeros(0, np.int8)).astype(np.int8),
        signs=joined("signs", np.zeros(0, np.uint8)).astype(np.uint8),
        pseudonyms=tuple(names),
    )
