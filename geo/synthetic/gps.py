"""What a phone reports of a true movement: sampling, correlated noise, indoor drift, gaps, broken rows.

Noise is half correlated (first-order autoregression, 20 s) and half white, so that neighbouring points
err together as those of real receivers do; under a roof a slow drift comes on top.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.earth import RADIUS_M
from geo.jit import kernel

__all__ = [
    "BROKEN",
    "Movement",
    "Samples",
    "break_rows",
    "degrees_of",
    "gps_within",
    "sample",
    "slow_noise",
]

BROKEN = ("", "duplicate", "jump", "clock", "outside")
"""What was done to a row: nothing, repeated, thrown kilometres away, wrong time, position (0, 0)."""


@dataclass(frozen=True)
class Movement:
    """True position of every rider at every moment, linear between the rows.

    Attributes
    ----------
    rider_ptr : int64 (r + 1,)
        Rows of each rider.
    t_s : float64 (k,)
        Epoch seconds, never decreasing within a rider.
    lonlat : float64 (k, 2)
        WGS-84 degrees.
    indoors : bool (k,)
        Whether the piece from this row to the next one is spent under a roof.
    """

    rider_ptr: NDArray[np.int64]
    t_s: NDArray[np.float64]
    lonlat: NDArray[np.float64]
    indoors: NDArray[np.bool_]

    def at(self, rider: int, t_s: float) -> tuple[float, float]:
        """Return (lon, lat) of one rider at one moment (held at the ends)."""
        rows = slice(self.rider_ptr[rider], self.rider_ptr[rider + 1])
        t = self.t_s[rows]
        lon, lat = self.lonlat[rows, 0], self.lonlat[rows, 1]
        return float(np.interp(t_s, t, lon)), float(np.interp(t_s, t, lat))


@dataclass(frozen=True)
class Samples:
    """Reported points, one row each.

    Attributes
    ----------
    rider : int32 (n,)
    t_s : int64 (n,)
        Epoch seconds.
    lonlat : float64 (n, 2)
        WGS-84 degrees.
    broken : int8 (n,)
        Index into BROKEN.
    """

    rider: NDArray[np.int32]
    t_s: NDArray[np.int64]
    lonlat: NDArray[np.float64]
    broken: NDArray[np.int8]


def gps_within(
    rider: NDArray[np.int32],
    t_s: NDArray[np.float64],
    of_rider: NDArray[np.int32],
    start_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Interval that holds each moment, or -1; those of one rider are closed and do not overlap."""
    if len(of_rider) == 0:
        return np.full(len(rider), -1, np.int64)
    zero = min(float(start_s.min()), float(t_s.min()) if len(t_s) else float(start_s.min()))
    span = max(float(end_s.max()), float(t_s.max()) if len(t_s) else 0.0) - zero + 2.0
    order = np.argsort(of_rider * span + (start_s - zero), kind="stable")
    keys = (of_rider * span + (start_s - zero))[order]
    slot = np.searchsorted(keys, rider * span + (t_s - zero), side="right") - 1
    found = order[np.maximum(slot, 0)]
    inside = (slot >= 0) & (of_rider[found] == rider) & (t_s <= end_s[found])
    return np.where(inside, found, -1)


@kernel
def _walk_noise(
    rider: NDArray[np.int32],
    t_s: NDArray[np.int64],
    sigma_m: NDArray[np.float32],
    drift_m: NDArray[np.float32],
    dice: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Metres east and north: sqrt(1/2) correlated + sqrt(1/2) white, plus the drift of roofs."""
    n = len(t_s)
    out = np.empty((n, 2), np.float32)
    for axis in range(2):
        near = np.float32(0.0)
        slow = np.float32(0.0)
        for i in range(n):
            a = 0.0
            b = 0.0
            if i > 0 and rider[i] == rider[i - 1]:
                step = float(t_s[i] - t_s[i - 1])
                a = np.exp(-step / 20.0)
                b = np.exp(-step / 120.0)
            near = np.float32(a * near + np.sqrt(1.0 - a * a) * dice[i, axis])
            slow = np.float32(b * slow + np.sqrt(1.0 - b * b) * dice[i, 2 + axis])
            white = dice[i, 4 + axis]
            out[i, axis] = sigma_m[i] * np.float32(0.70710678) * (near + white) + drift_m[i] * slow
    return out


def sample(
    movement: Movement,
    interval_s: int,
    sigma_m: NDArray[np.float64],
    silent: tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]],
    rng: np.random.Generator,
    drift_m: float = 14.0,
) -> Samples:
    """Report every rider's position about every `interval_s` seconds, except while silent.

    Parameters
    ----------
    movement : Movement
        The truth.
    interval_s : int
        Seconds between reports, 1 or more; each rider has an own phase and, from 4 s on, a jitter of 0-1 s.
    sigma_m : (r,) float64
        Standard deviation of the noise along each axis, metres, a rider.
    silent : (rider, start_s, end_s)
        Closed intervals without reports.
    rng : numpy.random.Generator
        All chance comes from here.
    drift_m : float
        Standard deviation of the slow drift under a roof, metres.

    Returns
    -------
    Samples
        Riders in order, times strictly increasing within a rider.
    """
    riders = len(movement.rider_ptr) - 1
    used = np.flatnonzero(np.diff(movement.rider_ptr) > 0)
    begin = movement.t_s[movement.rider_ptr[used]]
    end = movement.t_s[movement.rider_ptr[used + 1] - 1]
    phase = rng.integers(0, interval_s, riders)[used]
    first = np.ceil((begin - phase) / interval_s).astype(np.int64)
    count = np.maximum(np.floor((end - phase) / interval_s).astype(np.int64) - first + 1, 0)
    rider = np.repeat(used.astype(np.int32), count)
    ramp = np.arange(len(rider)) - np.repeat(np.cumsum(count) - count, count)
    t_s = np.repeat(phase, count) + interval_s * (np.repeat(first, count) + ramp)
    keep = gps_within(rider, t_s.astype(np.float64), *_merged(*silent)) < 0
    rider, t_s = rider[keep], t_s[keep]
    if interval_s >= 4:
        t_s += rng.integers(0, 2, len(t_s))
    true, roof = _positions(movement, rider, t_s)
    dice = rng.standard_normal((len(t_s), 6), np.float32)
    noise = _walk_noise(
        rider,
        t_s,
        sigma_m.astype(np.float32)[rider],
        np.where(roof, np.float32(drift_m), np.float32(0.0)),
        dice,
    )
    lonlat = true + degrees_of(noise, true[:, 1])
    return Samples(rider, t_s, lonlat, np.zeros(len(t_s), np.int8))


def _merged(
    rider: NDArray[np.int32], start_s: NDArray[np.float64], end_s: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Prolong intervals that overlap an earlier one of the same rider, so that the latest start decides."""
    order = np.lexsort((start_s, rider))
    rider, start_s, end_s = rider[order], start_s[order], end_s[order].copy()
    for k in range(1, len(rider)):
        if rider[k] == rider[k - 1]:
            end_s[k] = max(end_s[k], end_s[k - 1] if end_s[k - 1] >= start_s[k] else end_s[k])
    return rider, start_s, end_s


def _positions(
    movement: Movement, rider: NDArray[np.int32], t_s: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return true positions and roofs; all riders are laid behind one another on one time axis."""
    of_row = np.repeat(np.arange(len(movement.rider_ptr) - 1), np.diff(movement.rider_ptr))
    zero = float(movement.t_s.min())
    span = float(movement.t_s.max()) - zero + 10.0
    axis = of_row * span + (movement.t_s - zero)
    at = rider * span + (t_s - zero)
    lonlat = np.column_stack([np.interp(at, axis, movement.lonlat[:, k]) for k in range(2)])
    row = np.maximum(np.searchsorted(axis, at, side="right") - 1, 0)
    return lonlat, movement.indoors[row]


def degrees_of(
    metres: NDArray[np.float32] | NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (n, 2) metres east and north as degrees."""
    out = np.degrees(metres.astype(np.float64) / RADIUS_M)
    out[:, 0] /= np.cos(np.radians(lat))
    return out


def slow_noise(
    rider: NDArray[np.int32], t_s: NDArray[np.int64], drift_m: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return (n, 2) metres of slow drift (two minutes) of the given standard deviation at each row."""
    dice = rng.standard_normal((len(t_s), 6), np.float32)
    nothing = np.zeros(len(t_s), np.float32)
    return _walk_noise(rider, t_s, nothing, drift_m.astype(np.float32), dice).astype(np.float64)


def break_rows(samples: Samples, share: float, rng: np.random.Generator) -> Samples:
    """Spoil about `share` of the rows; the column `broken` tells which and how.

    Parameters
    ----------
    samples : Samples
        Sound rows.
    share : float
        Part of the rows in [0, 0.5]: 40% are repeated, 30% jump 3-30 km, 15% get a wrong time (1970,
        ten years ahead, or 10-120 min back), 15% the position (0, 0).
    rng : numpy.random.Generator
        All chance comes from here.

    Returns
    -------
    Samples
        Longer by the duplicates, each of which stands right behind its original and only itself is marked.
    """
    n = len(samples.t_s)
    dice = rng.random(n)
    how = np.zeros(n, np.int8)
    for code, (low, high) in enumerate(((0.0, 0.4), (0.4, 0.7), (0.7, 0.85), (0.85, 1.0)), start=1):
        how[(dice >= low * share) & (dice < high * share)] = code
    repeat = 1 + (how == 1)
    source = np.repeat(np.arange(n), repeat)
    second = np.r_[False, source[1:] == source[:-1]] if n else np.zeros(0, bool)
    broken = np.where((how[source] == 1) & ~second, np.int8(0), how[source])
    t_s, lonlat = samples.t_s[source].copy(), samples.lonlat[source].copy()
    jump = np.flatnonzero(broken == 2)
    angle, far = rng.random(len(jump)) * 2 * np.pi, 3000.0 + 27_000.0 * rng.random(len(jump))
    lonlat[jump] += degrees_of(np.column_stack([far * np.cos(angle), far * np.sin(angle)]), lonlat[jump, 1])
    clock = np.flatnonzero(broken == 3)
    kind = rng.integers(0, 4, len(clock))
    back = rng.integers(600, 7200, len(clock))
    ahead = 3650 * 86_400
    t_s[clock] = np.where(kind == 0, back, np.where(kind == 1, t_s[clock] + ahead, t_s[clock] - back))
    lonlat[broken == 4] = 0.0
    return Samples(samples.rider[source], t_s, lonlat, broken)
