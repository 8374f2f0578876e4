"""Travel times of a study: learned from its traces where these suffice, and what that changes."""

import dataclasses
from typing import Final

import numpy as np

from api.study.studyfile.tables import StudyFile
from geo.arrays import FloatArray, Int64Array
from geo.learned import Learned, RiddenStreets, learn, rides_of
from geo.mapmatch import Traversals
from geo.stays import StayPoints
from geo.streets import EBIKE_PROMISE_MPS, MODES, StreetNetwork
from geo.travel import travel_times_s
from siting.observed import ClassSpeed, TravelTimes

__all__ = ["PROMISE_SHARE", "StudyTimes", "study_times", "times_with_plan"]

PROMISE_SHARE: Final = 0.8
"""The matching counts with times that so large a share of trips does not exceed."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class StudyTimes:
    """The streets with expected times, those with times for promises, and what is told of it."""

    expected: StreetNetwork
    promised: StreetNetwork
    outcome: TravelTimes


def study_times(
    study_settings: StudyFile, network: StreetNetwork, ridden: Traversals | None, stays: StayPoints
) -> StudyTimes:
    """Learn travel times from the traces of a study, and take them where they are to be trusted."""
    if ridden is None or not study_settings.siting.learned_times:
        return StudyTimes(network, network, TravelTimes("class", "off"))
    mode, k = study_settings.mode, study_settings.k
    rides = rides_of(network, mode, ridden, stays, study_settings.timezone)
    learned = learn(network, rides, study_settings.timezone, seed=study_settings.seed, k=k)
    outcome = _outcome(network, mode, rides, learned, k)
    if not learned.trusted or learned.held_out is None:
        return StudyTimes(network, network, outcome)
    expected = learned.times.factor()
    promise = max(learned.held_out.promise_factor(PROMISE_SHARE), 1.0)
    outcome = dataclasses.replace(outcome, promise_share=PROMISE_SHARE, promise_factor=promise)
    promised = network.with_times(mode, expected * promise)
    return StudyTimes(network.with_times(mode, expected), promised, outcome)


def _outcome(
    network: StreetNetwork, mode: str, rides: RiddenStreets, learned: Learned, k: int
) -> TravelTimes:
    used = "learned" if learned.trusted else "class"
    classes = class_speeds(network, mode, rides, k)
    held = learned.held_out
    if held is None:
        return TravelTimes(used, learned.why, classes=classes)
    return TravelTimes(
        used,
        learned.why,
        held_out_trips=held.trips,
        held_out_days=held.days,
        error_class=held.by_class,
        error_one_factor=held.by_one_factor,
        error_learned=held.by_learned,
        classes=classes,
    )


def class_speeds(network: StreetNetwork, mode: str, rides: RiddenStreets, k: int) -> tuple[ClassSpeed, ...]:
    """Return the speeds of each class that k riders rode on: means only, of which none tells another."""
    edge = rides.directed >> 1
    length_m = network.edge_length_m[edge]
    speed = network.edge_speed_mps[MODES.index(mode)].astype(np.float64)
    if mode == "ebike":
        speed = np.minimum(speed, EBIKE_PROMISE_MPS)
    count, of_class = len(network.classes), network.edge_class[edge].astype(np.int64)
    # The hours of the working days, and a last column for what is not one of them.
    slot = of_class * 25 + np.where(rides.hour < 5 * 24, rides.hour % 24, 24)
    metres = np.bincount(slot, length_m, 25 * count).reshape(count, 25)
    took_s = np.bincount(slot, rides.took_s, 25 * count).reshape(count, 25)
    plain_s = np.bincount(of_class, length_m / speed[edge], count)
    in_class, in_slot = _riders(of_class, rides.rider, count), _riders(slot, rides.rider, 25 * count)
    out = []
    for number, name in enumerate(network.classes):
        if in_class[number] < k:
            continue
        kept = np.flatnonzero(in_slot[25 * number : 25 * number + 24] >= k)
        hours = [(float(metres[number, h] / took_s[number, h]), h) for h in kept.tolist()]
        slowest, at = min(hours) if hours else (None, None)
        total_m = metres[number].sum()
        out.append(
            ClassSpeed(
                name=name,
                class_kmh=3.6 * float(total_m / plain_s[number]),
                kmh=3.6 * float(total_m / took_s[number].sum()),
                slowest_hour=at,
                slowest_kmh=None if slowest is None else 3.6 * slowest,
            )
        )
    return tuple(out)


def _riders(group: Int64Array, rider: Int64Array, groups: int) -> Int64Array:
    """Return (groups,) how many different riders stand in each group."""
    span = int(rider.max(initial=0)) + 1
    return np.bincount(np.unique(group * span + rider) // span, minlength=groups)


def times_with_plan(
    times: StudyTimes, plain: StreetNetwork, mode: str, sites: FloatArray, limit_s: float
) -> TravelTimes:
    """Return what is told, with the streets in reach of the plan's stations by both kinds of times.

    Parameters
    ----------
    times : StudyTimes
    plain : StreetNetwork
        With class speeds.
    mode : str
    sites : (s, 2)
        Stations that are open under the plan, WGS-84 degrees.
    limit_s : float
    """
    if times.outcome.used != "learned" or not len(sites):
        return times.outcome
    return dataclasses.replace(
        times.outcome,
        streets_in_reach_class=_streets_in_reach(plain, mode, sites, limit_s),
        streets_in_reach=_streets_in_reach(times.expected, mode, sites, limit_s),
    )


def _streets_in_reach(network: StreetNetwork, mode: str, sites: FloatArray, limit_s: float) -> float:
    """Return the share (0-1) of street kilometres whose middle is within the limit of a station."""
    edges = np.flatnonzero(network.usable(mode))
    places, stations = network.snap(network.middle_lonlat(edges), mode), network.snap(sites, mode)
    best_s = travel_times_s(network, mode, places, stations, limit_s).min(axis=1)
    length_m = network.edge_length_m[edges]
    return float(length_m[best_s <= limit_s].sum() / length_m.sum())
