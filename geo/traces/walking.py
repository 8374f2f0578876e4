"""On foot or driving: which points of a delivery agent were walked.

A hidden Markov model with two states. It sees the speed of the last step and the mean speed over 7, 15 and
30 s to either side, each in eleven bins; how often each bin comes in each state was counted on the
trajectories of GOAL with an even number (Eftelioglu et al., IWCTS 2022): vans of a parcel service, a point
every 5 s. A parked phone in a pocket and a slow van look alike, which `tests/test_geo/traces/test_walking.py`
measures.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.earth import RADIUS_M
from geo.jit import kernel
from geo.traces.points import Traces, Tracks

__all__ = ["on_foot"]

_EDGES_MPS: Final = np.array([0.02, 0.1, 0.3, 0.7, 1.1, 1.6, 2.2, 3.0, 5.0, 8.0])
_WINDOWS_S: Final = np.array([0, 7, 15, 30])
#: What each window counts for: they see much of the same.
_WEIGHTS: Final = np.array([0.5, 0.4, 0.4, 0.4])
#: Parts per thousand by window, state (driving, on foot) and bin.
_PARTS: Final = (
    (
        (26, 21, 42, 49, 41, 36, 45, 58, 140, 188, 354),
        (210, 120, 157, 162, 114, 132, 69, 21, 11, 2, 1),
    ),
    (
        (10, 13, 29, 53, 44, 49, 49, 65, 161, 196, 332),
        (190, 124, 174, 180, 123, 132, 52, 16, 7, 1, 1),
    ),
    (
        (4, 5, 18, 35, 41, 60, 68, 97, 212, 189, 271),
        (161, 123, 187, 261, 156, 74, 24, 9, 3, 1, 1),
    ),
    (
        (1, 3, 12, 47, 54, 84, 107, 125, 194, 141, 233),
        (140, 159, 223, 235, 103, 67, 40, 21, 11, 1, 1),
    ),
)
_CHANGE: Final = 0.15


class _Scores(NamedTuple):
    """Bounds of speeds, windows in seconds, and the log-likelihood (window, state, speed)."""

    edges: NDArray[np.float64]
    windows: NDArray[np.int64]
    score: NDArray[np.float64]


@kernel
def _decode(
    tracks: Tracks,
    scores: _Scores,
    change: float,
    back: NDArray[np.int8],
    walked: NDArray[np.bool_],
) -> None:
    ptr, t, lonlat = tracks
    edges, windows, score = scores
    stay, turn = np.log(1.0 - change), np.log(change)
    seen = np.zeros(2)
    for r in range(len(ptr) - 1):
        a, b = ptr[r], ptr[r + 1]
        if a == b:
            continue
        shrink = np.cos(np.radians(lonlat[a, 1]))
        best0 = best1 = 0.0
        for i in range(a, b):
            seen[0] = seen[1] = 0.0
            for w in range(len(windows)):
                low = high = i
                if w == 0:
                    low = max(a, i - 1)
                else:
                    while low > a and t[i] - t[low - 1] <= windows[w]:
                        low -= 1
                    while high < b - 1 and t[high + 1] - t[i] <= windows[w]:
                        high += 1
                if high > low:
                    y = lonlat[high, 1] - lonlat[low, 1]
                    x = (lonlat[high, 0] - lonlat[low, 0]) * shrink
                    speed = np.radians(np.sqrt(x * x + y * y)) * RADIUS_M / max(1, t[high] - t[low])
                    k = 0
                    while k < len(edges) and speed >= edges[k]:
                        k += 1
                    seen[0] += score[w, 0, k]
                    seen[1] += score[w, 1, k]
            to0, to1 = best0 + stay, best0 + turn
            back[i, 0] = back[i, 1] = 0
            if best1 + turn > to0:
                to0 = best1 + turn
                back[i, 0] = 1
            if best1 + stay > to1:
                to1 = best1 + stay
                back[i, 1] = 1
            best0, best1 = to0 + seen[0], to1 + seen[1]
        state = 1 if best1 > best0 else 0
        for i in range(b - 1, a - 1, -1):
            walked[i] = state == 1
            state = back[i, state]


def on_foot(traces: Traces) -> NDArray[np.bool_]:
    """Tell which points were walked, (n,): sensible for points at most 15 s apart."""
    parts = np.array(_PARTS, np.float64)
    score = np.log(parts / parts.sum(axis=2, keepdims=True)) * _WEIGHTS[:, None, None]
    walked = np.zeros(len(traces), np.bool_)
    back = np.zeros((len(traces), 2), np.int8)
    tracks = Tracks(traces.rider_ptr, traces.t_s, traces.lonlat)
    _decode(tracks, _Scores(_EDGES_MPS, _WINDOWS_S, score), _CHANGE, back, walked)
    return walked
