"""What kinds of phones make of the same ride: silent at rest, drifting, or with fixes of the network.

`plain` is what `geo.synthetic.gps` makes. The others are changed afterwards, with chance of their own, so
that a fleet of plain phones is the same whether or not others are known.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.synthetic.gps import Samples, degrees_of, gps_within, slow_noise

__all__ = ["PHONES", "PLACES_TO_STAY", "report"]

PHONES: Final = ("plain", "motion", "drift", "pacing", "network")
"""`motion`: reports on movement only. `drift`: wanders while its rider stays. `pacing`: its rider walks about
while resting, in circles of 30 to 80 m.
`network`: for minutes on end it repeats one position of the network, far off, with its accuracy."""

PLACES_TO_STAY: Final = (0, 1, 5)
"""Kinds of stays (rest, pick-up, off shift) that are long enough, and under a roof often enough, to drift."""
_STOPPING_S, _STARTING_S = 60.0, 20.0
_DRIFT_M = 25.0
_PACING_S = 600.0
_BLOCK_S = 300
_BLOCKS_OF_NETWORK, _STAYS_OF_NETWORK, _FIXES_OF_NETWORK = 0.06, 0.35, 0.8
_TOWER_M = 200.0


def report(
    samples: Samples,
    stays: tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64], NDArray[np.int8]],
    phone: NDArray[np.int8],
    sigma_m: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[Samples, NDArray[np.float32]]:
    """Let each rider's phone report in its own way.

    Parameters
    ----------
    samples : Samples
        Of plain phones.
    stays : (rider, start_s, end_s, kind)
        True stays, by rider and time.
    phone : (r,) int8
        Of each rider, index into `PHONES`.
    sigma_m : (r,) float64
        Noise of each phone.
    rng : numpy.random.Generator

    Returns
    -------
    Samples, (n,) float32
        The rows that were reported, and the accuracy that the phone names beside each, metres.
    """
    of_rider, start_s, end_s, kind = stays
    rider, t_s = samples.rider, samples.t_s
    stay = gps_within(rider, t_s.astype(np.float64), of_rider, start_s, end_s)
    at = np.maximum(stay, 0)
    asleep = (stay >= 0) & (t_s > start_s[at] + _STOPPING_S) & (t_s < end_s[at] - _STARTING_S)
    keep = ~(asleep & (phone[rider] == PHONES.index("motion")))
    rider, t_s, lonlat, stay = rider[keep], t_s[keep], samples.lonlat[keep], stay[keep]
    long = np.isin(kind[np.maximum(stay, 0)], PLACES_TO_STAY) & (stay >= 0)
    accuracy = np.maximum(3.0, 1.4 * sigma_m[rider] * np.exp(0.25 * rng.standard_normal(len(rider))))
    wandering = long & (phone[rider] == PHONES.index("drift"))
    if wandering.any():
        metres = slow_noise(rider, t_s, np.where(wandering, _DRIFT_M, 0.0), rng)
        lonlat = lonlat + degrees_of(metres, lonlat[:, 1])
    pacing = (phone[rider] == PHONES.index("pacing")) & (stay >= 0)
    if pacing.any():
        lonlat = lonlat + degrees_of(_circles_m(pacing, t_s, stay, stays, rng), lonlat[:, 1])
    if (phone == PHONES.index("network")).any():
        coarse, place, error = _network_fixes(rider, t_s, lonlat, np.where(long, stay, -1), rng)
        coarse &= phone[rider] == PHONES.index("network")
        lonlat = np.where(coarse[:, None], place, lonlat)
        accuracy = np.where(coarse, error, accuracy)
    broken = samples.broken[keep]
    return Samples(rider, t_s, lonlat, broken), np.round(accuracy, 1).astype(np.float32)


def _circles_m(
    pacing: NDArray[np.bool_],
    t_s: NDArray[np.int64],
    stay: NDArray[np.int64],
    stays: tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64], NDArray[np.int8]],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return (n, 2) metres east and north from where a rest began, walking about at up to 1.4 m/s."""
    _, start_s, end_s, kind = stays
    count = len(start_s)
    walked = (kind == 0) & (end_s - start_s >= _PACING_S)
    radius_m, period_s = rng.uniform(15.0, 40.0, count), rng.uniform(180.0, 420.0, count)
    at = np.maximum(stay, 0)
    turn = 2.0 * np.pi * (t_s - start_s[at]) / period_s[at]
    reach_m = (radius_m[at] * (pacing & walked[at]))[:, None]
    return np.asarray(reach_m * np.column_stack([np.cos(turn) - 1.0, np.sin(turn)]), dtype=np.float64)


def _network_fixes(
    rider: NDArray[np.int32],
    t_s: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    stay: NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Return which rows are fixes of the network, (n, 2) where these lie, and how exact they say they are.

    A spell is a long stay, or else five minutes; all of its fixes lie at one wrong place.
    """
    change = np.r_[True, np.diff(rider) != 0] | np.r_[True, np.diff(stay) != 0]
    change |= (stay < 0) & np.r_[True, np.diff(t_s // _BLOCK_S) != 0]
    spell = np.cumsum(change) - 1
    first = np.flatnonzero(change)
    share = np.where(stay[first] >= 0, _STAYS_OF_NETWORK, _BLOCKS_OF_NETWORK)
    chosen = rng.random(len(first)) < share
    place = lonlat[first] + degrees_of(rng.normal(0.0, _TOWER_M, (len(first), 2)), lonlat[first, 1])
    error = np.round(rng.uniform(200.0, 1500.0, len(first)), -1)
    coarse = chosen[spell] & (rng.random(len(t_s)) < _FIXES_OF_NETWORK)
    return coarse, place[spell], error[spell]
