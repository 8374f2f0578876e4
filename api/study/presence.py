"""Where the riders of a study are not, and when they can be met: asked of the traces once the plan stands."""

from typing import Final

import numpy as np

from geo.stays import KINDS, StayPoints
from geo.streets import StreetNetwork
from geo.travel import travel_times_s
from siting.observed import Meetings
from siting.presence import FreeTimes, meetings
from siting.results import Study

__all__ = ["study_meetings"]

DATES: Final = 4
"""How many dates are chosen together."""
LONG_S: Final = 1800
"""Shorter rests hold no date."""


def study_meetings(study: Study, network: StreetNetwork, stays: StayPoints) -> Meetings:
    """Return the dates at the stations of the plan on which most different riders can be met."""
    sites = study.standing
    chosen = np.flatnonzero((stays.kind == KINDS.index("rest")) & (stays.end_s - stays.start_s >= LONG_S))
    way_s = np.empty((len(chosen), 0))
    if sites and len(chosen):
        places = network.snap(np.asarray(stays.lonlat)[chosen], study.mode)
        stations = network.snap(np.array([site.lonlat for site in sites]), study.mode)
        way_s = travel_times_s(network, study.mode, places, stations, study.limit_s)
    rests = FreeTimes(
        stays.rider[chosen].astype(np.int64),
        stays.start_s[chosen].astype(np.int64),
        stays.end_s[chosen].astype(np.int64),
    )
    ids = tuple(site.site_id for site in sites)
    return meetings(rests, way_s, ids, study.timezone, dates=DATES, k=study.k, seed=study.seed)
