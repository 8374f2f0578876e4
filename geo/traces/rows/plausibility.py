"""Which points of a rider can be true: the order of points, duplicates, impossible speeds, clocks that jump.

Kernels on columns; `geo.traces.rows.ingest` drives them. Their answer does not depend on the order of rows in
files.
"""

import numpy as np
from numpy.typing import NDArray

from geo.earth import RADIUS_M
from geo.jit import kernel
from geo.traces.formats import REASONS

__all__ = ["flag_rows", "group_points", "judge_points"]

_OUT_OF_RANGE = REASONS.index("out_of_range")
_TIME_OUT_OF_RANGE = REASONS.index("time_out_of_range")
_DUPLICATE = REASONS.index("duplicate")
_SAME_TIME = REASONS.index("same_time")
_SPEED = REASONS.index("impossible_speed")
_CLOCK = REASONS.index("clock_jump")

_TRACKS = 8  # histories of one rider that are followed side by side
_RUN = 5  # points in a row that make a new place believable after an impossible hop
_STALE = 10  # points after which a smaller history is over
_CLOCK_RUN = 3  # points of a second history that make it a wrong clock and not a stray fix


@kernel
def flag_rows(
    t_s: NDArray[np.int64], lonlat: NDArray[np.float64], fault: NDArray[np.uint8], first_s: int, last_s: int
) -> None:
    """Mark rows whose position or time cannot be true; (0, 0) is a phone without a fix."""
    for i in range(len(t_s)):
        if fault[i] != 0:
            continue
        lon, lat = lonlat[i, 0], lonlat[i, 1]
        if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0) or (lon == 0.0 and lat == 0.0):
            fault[i] = _OUT_OF_RANGE
        elif t_s[i] < first_s or t_s[i] > last_s:
            fault[i] = _TIME_OUT_OF_RANGE


@kernel
def _before(
    t: NDArray[np.int64], lonlat: NDArray[np.float64], event: NDArray[np.int16], i: int, j: int
) -> bool:
    """Order of points of one rider: time, lon, lat, then those that carry an event."""
    if t[i] != t[j]:
        return bool(t[i] < t[j])
    if lonlat[i, 0] != lonlat[j, 0]:
        return bool(lonlat[i, 0] < lonlat[j, 0])
    if lonlat[i, 1] != lonlat[j, 1]:
        return bool(lonlat[i, 1] < lonlat[j, 1])
    return bool(event[i] > event[j])


@kernel
def _is_grouped(
    unit: NDArray[np.int32], t: NDArray[np.int64], lonlat: NDArray[np.float64], event: NDArray[np.int16]
) -> bool:
    for i in range(1, len(unit)):
        if unit[i] < unit[i - 1]:
            return False
        if unit[i] == unit[i - 1] and t[i] <= t[i - 1] and _before(t, lonlat, event, i, i - 1):
            return False
    return True


@kernel
def _stable_order(keys: NDArray[np.float64]) -> NDArray[np.int64]:
    """Sort one type of keys only: numba compiles seconds for each. Times of this age are exact as floats."""
    return np.argsort(keys, kind="mergesort")


@kernel
def _group(
    unit: NDArray[np.int32],
    units: int,
    t: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    event: NDArray[np.int16],
    order: NDArray[np.int64],
) -> None:
    ptr = np.zeros(units + 1, np.int64)
    for i in range(len(unit)):
        ptr[unit[i] + 1] += 1
    for u in range(units):
        ptr[u + 1] += ptr[u]
    at = ptr[:-1].copy()
    for i in range(len(unit)):
        order[at[unit[i]]] = i
        at[unit[i]] += 1
    for u in range(units):
        a, b = ptr[u], ptr[u + 1]
        sorted_already = True
        for k in range(a + 1, b):
            if t[order[k]] < t[order[k - 1]]:
                sorted_already = False
                break
        if not sorted_already:
            part = order[a:b].copy()
            order[a:b] = part[_stable_order(t[part].astype(np.float64))]
        k = a
        while k < b:
            e = k + 1
            while e < b and t[order[e]] == t[order[k]]:
                e += 1
            if e - k == 2:
                if _before(t, lonlat, event, order[k + 1], order[k]):
                    order[k], order[k + 1] = order[k + 1], order[k]
            elif e - k > 2:
                # Least important key first; every pass is stable.
                part = order[k:e].copy()
                part = part[_stable_order(-event[part].astype(np.float64))]
                part = part[_stable_order(lonlat[part, 1].copy())]
                part = part[_stable_order(lonlat[part, 0].copy())]
                order[k:e] = part
            k = e


def group_points(
    unit: NDArray[np.int32],
    units: int,
    t_s: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    event: NDArray[np.int16],
) -> NDArray[np.int64] | None:
    """Return the order by rider, time, lon, lat and event, or None where the points stand so already."""
    if _is_grouped(unit, t_s, lonlat, event):
        return None
    order = np.empty(len(unit), np.int64)
    _group(unit, units, t_s, lonlat, event, order)
    return order


@kernel
def _within(i: int, j: int, lonlat: NDArray[np.float64], shrink: float, reach_m: float) -> bool:
    """Whether two points lie at most so far apart; `shrink` is the cosine of their latitude."""
    y = np.radians(lonlat[j, 1] - lonlat[i, 1]) * RADIUS_M
    x = np.radians(lonlat[j, 0] - lonlat[i, 0]) * RADIUS_M * shrink
    return bool(x * x + y * y <= reach_m * reach_m)


@kernel
def _can_follow(
    t: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    i: int,
    j: int,
    shrink: float,
    speed: float,
    slack: float,
) -> bool:
    dt = t[j] - t[i]
    if dt <= 0:
        return False
    return _within(i, j, lonlat, shrink, speed * dt + slack)


@kernel
def _thin(
    a: int,
    b: int,
    t: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    shrink: float,
    speed: float,
    slack: float,
    verdict: NDArray[np.uint8],
) -> None:
    """Keep one of several points of a rider in one second that can belong together.

    Phones that write 2-10 points a second, or times to the minute, have many such; none of them is wrong.
    """
    step = 60
    for i in range(a, b):
        if t[i] % 60 != 0:
            step = 1
            break
    reach = speed * step + slack
    k = a
    while k < b:
        e = k + 1
        while e < b and t[e] == t[k]:
            if verdict[e] == 0:
                asked = 0
                for j in range(k, e):
                    if verdict[j] != 0:
                        continue
                    if _within(j, e, lonlat, shrink, reach):
                        verdict[e] = _SAME_TIME
                        break
                    asked += 1
                    if asked == _TRACKS:
                        break
            e += 1
        k = e


@kernel
def _follow_tracks(
    a: int,
    b: int,
    t: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    shrink: float,
    speed: float,
    slack: float,
    verdict: NDArray[np.uint8],
) -> None:
    """Part the points of one rider into histories that hold together; keep what excludes no larger one.

    One loop: which rows count depends on all rows before them.
    """
    n = b - a
    track = np.full(n, -1, np.int64)
    first, last, size = np.empty(n, np.int64), np.empty(n, np.int64), np.zeros(n, np.int64)
    live = np.empty(_TRACKS, np.int64)
    n_live = tracks = 0
    for i in range(a, b):
        if verdict[i] != 0:
            continue
        best = -1
        for k in range(n_live):
            c = live[k]
            if _can_follow(t, lonlat, last[c], i, shrink, speed, slack) and (
                best < 0 or size[c] > size[best] or (size[c] == size[best] and last[c] > last[best])
            ):
                best = c
        if best < 0:
            best = tracks
            tracks += 1
            first[best] = i
            if n_live < _TRACKS:
                live[n_live] = best
                n_live += 1
            else:
                out = 0
                for k in range(1, n_live):
                    c, d = live[k], live[out]
                    if size[c] < size[d] or (size[c] == size[d] and last[c] < last[d]):
                        out = k
                live[out] = best
        track[i - a], last[best] = best, i
        size[best] += 1
        # A small history that has been silent for a while must not gather later strays.
        k = 0
        while k < n_live:
            c = live[k]
            if c != best and size[c] < size[best] and i - last[c] > _STALE:
                n_live -= 1
                live[k] = live[n_live]
            else:
                k += 1
    taken = np.zeros(n, np.bool_)
    kept = np.zeros(tracks, np.bool_)
    for rank, c in enumerate(_stable_order(-size[:tracks].astype(np.float64))):
        if rank > 0 and size[c] < _RUN:
            break
        free = True
        for i in range(first[c], last[c] + 1):
            if taken[i - a]:
                free = False
                break
        if free:
            kept[c] = True
            for i in range(first[c], last[c] + 1):
                taken[i - a] = True
    before = np.zeros(n + 1, np.int64)
    for i in range(n):
        before[i + 1] = before[i] + (1 if track[i] >= 0 and kept[track[i]] else 0)
    for i in range(a, b):
        c = track[i - a]
        if c < 0 or kept[c]:
            continue
        same = False
        k = i - 1
        while k >= a and t[k] == t[i] and not same:
            same = track[k - a] >= 0 and kept[track[k - a]]
            k -= 1
        k = i + 1
        while k < b and t[k] == t[i] and not same:
            same = track[k - a] >= 0 and kept[track[k - a]]
            k += 1
        if same and size[c] < _CLOCK_RUN:
            verdict[i] = _SAME_TIME
        elif size[c] >= _CLOCK_RUN and before[last[c] - a] > before[first[c] - a]:
            verdict[i] = _CLOCK
        else:
            verdict[i] = _SPEED


@kernel
def judge_points(
    ptr: NDArray[np.int64],
    t: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    speed: float,
    slack: float,
    verdict: NDArray[np.uint8],
) -> None:
    """Write the reason code of each point, 0 where it is accepted.

    A point that cannot be reached from the one before it starts a history of its own. In the end the
    longest history stands, and with it every other of at least 5 points that does not overlap in time with
    one that stands: so a stray fix
    falls and not the good points behind it, while a phone that was carried off by train is believed. What
    runs beside a longer history for 3 points or more comes from a wrong clock.

    Parameters
    ----------
    ptr
        (u + 1,) where the points of each rider start, in the order of `group_points`.
    t, lonlat
        (n,) epoch seconds and (n, 2) WGS-84 degrees.
    speed, slack
        Metres a second, and metres that noise may add.
    verdict
        (n,) zeros, to be filled with positions in `REASONS`.
    """
    for u in range(len(ptr) - 1):
        a, b = ptr[u], ptr[u + 1]
        if a == b:
            continue
        shrink = np.cos(np.radians(lonlat[a, 1]))
        sound = True
        last = a
        for i in range(a + 1, b):
            if t[i] == t[i - 1] and lonlat[i, 0] == lonlat[i - 1, 0] and lonlat[i, 1] == lonlat[i - 1, 1]:
                verdict[i] = _DUPLICATE
                continue
            if sound and not _can_follow(t, lonlat, last, i, shrink, speed, slack):
                sound = False
            last = i
        if not sound:
            _thin(a, b, t, lonlat, shrink, speed, slack, verdict)
            _follow_tracks(a, b, t, lonlat, shrink, speed, slack, verdict)
