"""Stay points: where a rider stood, from when to when.

The sliding anchor of Li, Zheng et al. (2008), "Mining user similarity based on location history", with what
real phones need:

- the anchor is the mean of the first points of the stay (up to 8), so that one noisy fix does not decide;
- drift indoors: up to 3 points in a row may lie outside the radius if the next one, within 2 min, is back;
- gaps: points before and after a silence of up to `max_gap_s` belong together if the place is the same
  (phones sleep indoors);
- a longer silence at one place of a phone that is silent at rest is a stay with evidence of its own kind, see
  `geo.stays.silence`; any other ends the stay;
- a stay begins and ends with a point within 0.6 of the radius from its middle, so that coming and going
  do not count;
- pieces that drifting or walking about makes of one stay are joined, see `geo.stays.drift`;
- the last stay of a trace counts like every other.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.earth import RADIUS_M
from geo.errors import InputError
from geo.jit import kernel
from geo.stays.drift import join_pieces
from geo.stays.signs import SILENT, read_signs
from geo.stays.silence import join_silences
from geo.traces.read import Traces

__all__ = ["KINDS", "StayPoints", "find_stay_points"]

KINDS: Final = ("rest", "pickup", "dropoff", "gate", "traffic", "off_shift")

_ANCHOR_POINTS = 8
_CORE = 0.6  # of the radius: where a stay begins and ends
_DRIFT_POINTS = 3
_DRIFT_S = 120


@dataclass(frozen=True, slots=True, eq=False)
class StayPoints:
    """Stays in columns, by rider and then by time."""

    rider: NDArray[np.int32]
    """(n,) index into `pseudonyms`."""
    start_s: NDArray[np.int64]
    """(n,) epoch second of the first point."""
    end_s: NDArray[np.int64]
    """(n,) epoch second of the last point."""
    lonlat: NDArray[np.float64]
    """(n, 2) mean position, WGS-84 degrees."""
    n_points: NDArray[np.int32]
    kind: NDArray[np.int8]
    """(n,) index into `KINDS`; -1 before `geo.stays.classify.classify`."""
    signs: NDArray[np.uint8]
    """(n,) what the trace says about the stay, as bits of `geo.stays.signs`."""
    pseudonyms: tuple[str, ...]
    """(r,) the riders of the traces, those without a stay too."""

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def duration_s(self) -> NDArray[np.int64]:
        """(n,) seconds between first and last point."""
        return self.end_s - self.start_s

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> "StayPoints":
        """Return some of the stays; the riders stay numbered as they are."""
        return replace(
            self,
            rider=self.rider[index],
            start_s=self.start_s[index],
            end_s=self.end_s[index],
            lonlat=self.lonlat[index],
            n_points=self.n_points[index],
            kind=self.kind[index],
            signs=self.signs[index],
        )

    def of_kind(self, kind: str) -> "StayPoints":
        """Return the stays of one of `KINDS`."""
        if kind not in KINDS:
            raise InputError(f"unknown kind of stay {kind!r}: it must be one of {', '.join(KINDS)}")
        return self.take(self.kind == KINDS.index(kind))


@kernel
def _scan(
    ptr: NDArray[np.int64],
    t: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    radius_m: float,
    min_stay_s: int,
    max_gap_s: int,
    first: NDArray[np.int64],
    last: NDArray[np.int64],
) -> int:
    """Write first and last point of each stay; `last` is included. Returns their number."""
    found = 0
    reach2 = radius_m * radius_m
    core2 = (_CORE * radius_m) ** 2
    ky = np.radians(1.0) * RADIUS_M
    for r in range(len(ptr) - 1):
        i, b = ptr[r], ptr[r + 1]
        if i == b:
            continue
        kx = ky * np.cos(np.radians(lonlat[i, 1]))
        while i < b - 1:
            # Positions relative to point i keep the sums small and exact.
            x0, y0 = lonlat[i, 0], lonlat[i, 1]
            ax = ay = sx = sy = 0.0
            # The anchor stays where the first points are; the sums go on for the middle.
            inside = 1
            end = i
            j = i + 1
            while j < b and t[j] - t[j - 1] <= max_gap_s:
                x, y = (lonlat[j, 0] - x0) * kx, (lonlat[j, 1] - y0) * ky
                if (x - ax) * (x - ax) + (y - ay) * (y - ay) <= reach2:
                    end = j
                    inside += 1
                    sx += x
                    sy += y
                    if inside <= _ANCHOR_POINTS:
                        ax, ay = sx / inside, sy / inside
                elif inside < 3 or j - end > _DRIFT_POINTS or t[j] - t[end] > _DRIFT_S:
                    break
                j += 1
            if t[end] - t[i] >= min_stay_s:
                # Points of coming and going lie inside the circle too, but near its edge.
                a, e = i, end
                mx, my = sx / inside, sy / inside
                while (
                    a < e
                    and ((lonlat[a, 0] - x0) * kx - mx) ** 2 + ((lonlat[a, 1] - y0) * ky - my) ** 2 > core2
                ):
                    a += 1
                while (
                    e > a
                    and ((lonlat[e, 0] - x0) * kx - mx) ** 2 + ((lonlat[e, 1] - y0) * ky - my) ** 2 > core2
                ):
                    e -= 1
                if t[e] - t[a] >= min_stay_s:
                    first[found], last[found] = a, e
                    found += 1
                    i = end + 1
                    continue
            i += 1
    return found


@kernel
def _summarise(
    t: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    radius_m: float,
    where: NDArray[np.float64],
    points: NDArray[np.int32],
) -> None:
    """Mean position of the points of each stay without those that drifted off."""
    for k in range(len(first)):
        a, b = first[k], last[k] + 1
        x0, y0 = lonlat[a, 0], lonlat[a, 1]
        shrink = np.cos(np.radians(y0))
        limit = np.degrees(radius_m / RADIUS_M)
        cx = cy = 0.0
        for i in range(a, b):
            cx += lonlat[i, 0] - x0
            cy += lonlat[i, 1] - y0
        cx, cy = cx / (b - a), cy / (b - a)
        drifted = False
        for i in range(a, b):
            x, y = lonlat[i, 0] - x0, lonlat[i, 1] - y0
            drifted = drifted or ((x - cx) * shrink) ** 2 + (y - cy) ** 2 > limit * limit
        if drifted:
            mx, my = np.median(lonlat[a:b, 0] - x0), np.median(lonlat[a:b, 1] - y0)
            sx = sy = 0.0
            n = 0
            for i in range(a, b):
                x, y = lonlat[i, 0] - x0, lonlat[i, 1] - y0
                if ((x - mx) * shrink) ** 2 + (y - my) ** 2 <= limit * limit:
                    sx += x
                    sy += y
                    n += 1
            if n > 0:
                cx, cy = sx / n, sy / n
        where[k, 0], where[k, 1] = x0 + cx, y0 + cy
        points[k] = b - a


def find_stay_points(
    traces: Traces,
    radius_m: float = 50.0,
    min_stay_s: int = 60,
    max_gap_s: int = 900,
    max_silence_s: int = 7_200,
    *,
    joined: bool = True,
) -> StayPoints:
    """Find where riders stood.

    Parameters
    ----------
    traces
        Points by rider and time.
    radius_m
        Distance from the anchor within which a rider stands, 5-1,000 m.
    min_stay_s
        Shortest stay, 1-86,400 s: between the first and the last point that are inside.
    max_gap_s
        Longest silence inside a stay, 1-86,400 s.
    max_silence_s
        Longest silence that is a stay where the rider is at one place before and after it, 0-86,400 s; up to
        `max_gap_s` there are none. A session ends with a silence of 2 h.
    joined
        Whether the pieces that a drifting phone makes of a stay are joined, see `geo.stays.drift`.

    Returns
    -------
    StayPoints
        Of no kind yet; their times do not overlap.

    Raises
    ------
    InputError
        If a parameter is out of its range.
    """
    for name, value, low, high in (
        ("radius_m", radius_m, 5.0, 1000.0),
        ("min_stay_s", min_stay_s, 1, 86_400),
        ("max_gap_s", max_gap_s, 1, 86_400),
        ("max_silence_s", max_silence_s, 0, 86_400),
    ):
        if not low <= value <= high:
            raise InputError(f"{name} is {value}; it must lie within {low} to {high}")
    most = len(traces) // 2 + 1
    first, last = np.empty(most, np.int64), np.empty(most, np.int64)
    found = _scan(traces.rider_ptr, traces.t_s, traces.lonlat, radius_m, min_stay_s, max_gap_s, first, last)
    first, last = first[:found].copy(), last[:found].copy()
    if joined:
        first, last = join_pieces(
            traces.rider, traces.t_s, traces.lonlat, first, last, len(traces.pseudonyms)
        )
    found = len(first)
    where, points = np.empty((found, 2)), np.empty(found, np.int32)
    _summarise(traces.t_s, traces.lonlat, first, last, radius_m, where, points)
    first, last, silent = join_silences(traces, first, last, where, max_gap_s, max_silence_s)
    if silent.any():
        found = len(first)
        where, points = np.empty((found, 2)), np.empty(found, np.int32)
        _summarise(traces.t_s, traces.lonlat, first, last, radius_m, where, points)
    signs = read_signs(traces, first, last)
    signs[silent] |= SILENT
    return StayPoints(
        rider=traces.rider[first],
        start_s=traces.t_s[first],
        end_s=traces.t_s[last],
        lonlat=where,
        n_points=points,
        kind=np.full(found, -1, np.int8),
        signs=signs,
        pseudonyms=traces.pseudonyms,
    )
