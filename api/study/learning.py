"""Travel times of a study: learned from its traces where these suffice, and what that changes."""

import dataclasses

import numpy as np

from api.study.studyfile.tables import StudyFile
from geo.arrays import FloatArray
from geo.inner_ways import GatePasses, Trodden, compound_waits, with_waits
from geo.learned import Learned, RiddenStreets, learn, rides_of
from geo.streets import StreetNetwork
from geo.travel import HourlyStreets
from siting.observed import TravelTimes
from siting.presence import class_speeds, streets_in_reach

__all__ = ["StudyTimes", "study_times", "times_with_plan"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class StudyTimes:
    """The streets with expected times, those with times for promises, and what is told of it.

    ``promised`` counts every street as in its slowest hour: whoever is in time by it is so at any hour.
    ``hours`` are times for promises by the hour, None by class speeds.
    """

    expected: StreetNetwork
    promised: StreetNetwork
    outcome: TravelTimes
    hours: HourlyStreets | None = None


def study_times(
    study_settings: StudyFile, network: StreetNetwork, trodden: Trodden | None, passes: GatePasses | None
) -> StudyTimes:
    """Learn travel times and waits at gates from the traces of a study, and take them where to be trusted.

    Parameters
    ----------
    study_settings : StudyFile
    network : StreetNetwork
        With class speeds.
    trodden : Trodden or None
        The matched traces on it; None where the study asks for no paths.
    passes : GatePasses or None
        Of its gates.
    """
    if trodden is None or passes is None or not study_settings.siting.learned_times:
        return StudyTimes(network, network, TravelTimes("class", "off"))
    mode, k = study_settings.mode, study_settings.k
    rides = rides_of(network, mode, trodden.ridden, trodden.stays, study_settings.timezone)
    learned = learn(network, rides, study_settings.timezone, seed=study_settings.seed, k=k)
    outcome = _outcome(network, mode, rides, learned, k)
    if not learned.trusted or learned.held_out is None:
        return StudyTimes(network, network, outcome)
    expected = learned.times.factor()
    share = study_settings.matching.promise_share
    promise = max(learned.held_out.promise_factor(share), 1.0)
    waits = compound_waits(trodden, passes, k=k, share=share)
    outcome = dataclasses.replace(
        outcome,
        promise_share=share,
        promise_factor=promise,
        compounds_learned=waits.known,
        compound_wait_s=float(np.nanmedian(waits.usual_s)) if waits.known else None,
    )
    usual = with_waits(network, waits.usual_s)
    promised = with_waits(network, waits.promised_s).with_times(mode, learned.times.slowest() * promise)
    factor, row = learned.times.by_hour()
    hours = HourlyStreets(promised, mode, factor * np.float32(promise), row, study_settings.timezone)
    return StudyTimes(usual.with_times(mode, expected), promised, outcome, hours)


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
        streets_in_reach_class=streets_in_reach(plain, mode, sites, limit_s),
        streets_in_reach=streets_in_reach(times.expected, mode, sites, limit_s),
    )
