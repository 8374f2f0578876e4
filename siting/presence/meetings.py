"""Dates at stations on which most different riders have time: maximal covering of people, not of visits.

A rider can come to a date if a rest of theirs on such a weekday holds it and the way there and back.
"""

from typing import Final, NamedTuple

import numpy as np

from geo.arrays import BoolArray, FloatArray, Int64Array
from geo.localtime import DAY_S, local_s, weekday
from geo.privacy import Figures
from geo.rings import spans
from siting.observed import Meeting, Meetings
from siting.problems.define import MaxCover
from siting.solvers.solve import solve

__all__ = ["FreeTimes", "meetings"]

MINUTES: Final = 30
HALF_HOUR_S: Final = 1800
A_DAY: Final = DAY_S // HALF_HOUR_S
SLOTS: Final = 7 * A_DAY
MOST_OPTIONS: Final = 400
"""Dates that enter the choice: those that meet most by themselves."""


class FreeTimes(NamedTuple):
    """Rests of riders: ``rider`` int64, ``start_s`` and ``end_s`` epoch seconds, (n,) each."""

    rider: Int64Array
    start_s: Int64Array
    end_s: Int64Array


def meetings(
    rests: FreeTimes,
    way_s: FloatArray,
    site_ids: tuple[str, ...],
    timezone: str,
    *,
    dates: int,
    k: int,
    seed: int,
) -> Meetings:
    """Choose dates.

    Parameters
    ----------
    rests : FreeTimes
    way_s : float (n, sites)
        Seconds between each rest and each station, ``inf`` where too far.
    site_ids : tuple of str
    timezone : str
        Of the city.
    dates : int
        How many, 1 or more.
    k : int
        Fewest riders behind a published figure.
    seed : int
        Of the search for the choice.
    """
    site, slot, met = _options(rests, way_s, timezone)
    # A date says that somebody rests there and then: of fewer than k riders there is none.
    enough = met.sum(axis=0) >= k
    site, slot, met = site[enough], slot[enough], met[:, enough]
    if not len(site):
        return Meetings(MINUTES, (), None, 0.0)
    chosen, gap = _chosen(met, dates, seed)
    shown = _shown(met[:, chosen], k)
    return Meetings(
        minutes=MINUTES,
        dates=tuple(
            Meeting(
                site_id=site_ids[int(site[option])],
                weekday=int(slot[option]) // A_DAY,
                half_hour=int(slot[option]) % A_DAY,
                riders=int(met[:, option].sum()) if f"date/{number}" in shown else None,
            )
            for number, option in enumerate(chosen.tolist())
        ),
        riders=int(met[:, chosen].any(axis=1).sum()) if "all" in shown else None,
        gap=gap,
    )


def _options(rests: FreeTimes, way_s: FloatArray, timezone: str) -> tuple[Int64Array, Int64Array, BoolArray]:
    """Return station and slot of the week of each option, and which riders (r, options) it meets."""
    sites = way_s.shape[1]
    start = local_s(rests.start_s, timezone)[:, None] + way_s
    end = local_s(rests.end_s, timezone)[:, None] - way_s
    long = np.isfinite(way_s) & (end - start >= HALF_HOUR_S)
    rest, site = np.nonzero(long)
    first = np.ceil(start[rest, site] / HALF_HOUR_S).astype(np.int64)
    count = np.maximum(np.floor(end[rest, site] / HALF_HOUR_S).astype(np.int64) - first, 0)
    begin = spans(first, count)
    slot = weekday(begin // A_DAY) * A_DAY + begin % A_DAY
    riders, who = np.unique(rests.rider[np.repeat(rest, count)], return_inverse=True)
    option, which = np.unique(np.repeat(site, count) * SLOTS + slot, return_inverse=True)
    pairs = np.unique(which * max(len(riders), 1) + who)
    size = np.bincount(pairs // max(len(riders), 1), minlength=len(option))
    kept = np.sort(np.argsort(-size, kind="stable")[: min(MOST_OPTIONS, sites * SLOTS)])
    met = np.zeros((len(riders), len(option)), np.bool_)
    met[pairs % max(len(riders), 1), pairs // max(len(riders), 1)] = True
    return option[kept] // SLOTS, option[kept] % SLOTS, met[:, kept]


def _chosen(met: BoolArray, dates: int, seed: int) -> tuple[Int64Array, float]:
    """Return the options of a best choice, those that meet most first, and the gap of the proof."""
    cost = np.where(met, 0.0, np.inf)
    problem = MaxCover(weight=np.ones(len(met)), limit_s=1.0, sites=min(dates, met.shape[1]))
    found = solve(problem, cost, np.random.default_rng(seed))
    options = np.array(found.chosen, np.int64)
    return options[np.argsort(-met[:, options].sum(axis=0), kind="stable")], float(found.gap)


def _shown(met: BoolArray, k: int) -> frozenset[str]:
    """Return which numbers may be told: no arithmetic on them may tell of fewer than k riders."""
    gate = Figures(k)
    riders = np.arange(len(met))
    gate.add_riders("all", riders[met.any(axis=1)])
    for number in range(met.shape[1]):
        gate.add_riders(f"date/{number}", riders[met[:, number]], "all")
    shown = gate.shown()
    if met.shape[1] == 2 and 0 < int(met.all(axis=1).sum()) < k:
        # Two dates and their sum would tell how many come to both.
        shown -= {"all"}
    return shown
