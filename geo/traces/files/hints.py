"""Why a file gives no points: the reason that leads to the fix, found in its first rows."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.sentences import Sentence
from geo.traces.files.batches import in_degrees
from geo.traces.files.found import file_kind
from geo.traces.files.readers import read_batches
from geo.traces.formats import REASONS, RawBatch, TraceFormat

__all__ = ["HINTS", "hint", "hints_of", "hints_of_positions"]

#: Codes; `hint` says them.
HINTS: Final = (
    "swapped",
    "e5",
    "e6",
    "e7",
    "ddmm",
    "metres",
    "excel",
    "no_year",
    "day_only",
    "text_time",
    "only_waypoints",
    "scientific",
    "cst",
    "minutes",
    "coarse",
    "datum_doubtful",
    "off_streets",
    "datum_mixed",
)
_SERIALS: Final = (36_526, 73_050)
_MOST: Final = 0.6
_UNITS: Final = ("e5", "e6", "e7", "ddmm")


def hint(code: str) -> Sentence:
    """Return what a code of `HINTS` means, in each language."""
    return Sentence.of(f"hint_{code}")


def hints_of_positions(lonlat: NDArray[np.float64]) -> list[str]:
    """Return what positions look like that are no degrees; several units may fit."""
    lonlat = lonlat[np.isfinite(lonlat).all(axis=1)]
    lonlat = lonlat[(lonlat != 0).any(axis=1)]
    if len(lonlat) == 0:
        return []
    lon, lat = np.abs(lonlat[:, 0]), np.abs(lonlat[:, 1])
    if ((lon <= 90) & (lat > 90) & (lat <= 180)).mean() > _MOST:
        return ["swapped"]
    if ((lon <= 180) & (lat <= 90)).mean() > 1 - _MOST:
        return []
    whole = bool((lonlat == np.round(lonlat)).mean() > _MOST)
    found = []
    for unit in _UNITS:
        if (unit == "ddmm") == whole:
            continue
        degrees = np.abs(in_degrees(lonlat, unit))
        fits = (degrees[:, 0] <= 180) & (degrees[:, 1] <= 90) & (degrees[:, 0] > 1)
        if fits.mean() > _MOST:
            found.append(unit)
    return found or ["metres"]


def _of_times(batch: RawBatch) -> list[str]:
    out = batch.fault == 0
    t_s = batch.t_s[out]
    if len(t_s) and ((t_s >= _SERIALS[0]) & (t_s <= _SERIALS[1])).mean() > _MOST:
        return ["excel"]
    good = t_s[t_s > _SERIALS[1]]
    if len(good) > 20 and (good % 60 == 0).all() and len(np.unique(good)) < len(good):
        return ["minutes"]
    return []


def _of_texts(texts: list[str]) -> list[str]:
    if not texts:
        return []
    for code, pattern in (
        ("no_year", r"\s*\d{1,2}[-/.月]\d{1,2}日?\s+\d{1,2}[:时]"),
        ("scientific", r"\s*\d([.,]\d*)?[eE]\+?\d+\s*$"),
        ("day_only", r"\s*\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?\s*$"),
    ):
        if sum(re.match(pattern, t) is not None for t in texts) > _MOST * len(texts):
            return [code]
    return ["text_time"] if any(t.strip() for t in texts) else []


def _only_waypoints(path: Path) -> bool:
    seen = b""
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            seen = seen[-16:] + piece
            if b"trkpt" in seen:
                return False
            if b"<wpt" in seen or b"<rtept" in seen:
                return True
    return False


def hints_of(path: Path, trace_format: TraceFormat, times: list[str] | None = None) -> tuple[str, ...]:
    """Return the codes of `HINTS` that fit the first rows of a file.

    Parameters
    ----------
    path
        The file.
    trace_format
        What was declared about it.
    times
        Some values of its column of times.
    """
    found: list[str] = []
    try:
        if file_kind(path) == "gpx" and _only_waypoints(path):
            return ("only_waypoints",)
        batches: Iterator[RawBatch] = read_batches(path, trace_format)
        batch = next(batches, None)
        if batch is None or not len(batch.t_s):
            return ()
        found += hints_of_positions(batch.lonlat)
        found += _of_times(batch)
        if any(re.search(r"\bCST\b", text) for text in times or ()):
            found.append("cst")
        if (batch.fault == REASONS.index("poor_accuracy")).mean() > _MOST:
            found.append("coarse")
        if (batch.fault == 1).mean() > _MOST:
            found += _of_texts(times or [])
    except (InputError, OSError):
        return ()
    return tuple(dict.fromkeys(found))
