"""Whether the positions of a request are in the datum that it declares: asked of the streets."""

from typing import cast

import numpy as np

from api.forms import Language
from api.matching.forms import MatchRequest, WarningOut
from api.matching.wording import reason_text
from geo.datum import Datum
from geo.streets import StreetNetwork
from geo.traces import detect_datum
from routing.model import Said

__all__ = ["datum_warnings"]

FEWEST = 20
"""With fewer positions nothing is said."""
SAMPLE = 400
TIMES, APART_M = 2.0, 15.0
"""The declared datum is doubted where another one brings positions so much nearer to the streets. Doors lie
beside streets: the median under the right datum is 10-25 m, under a wrong one some 80-500 m, or 22-60 m where
streets are dense."""


def datum_warnings(network: StreetNetwork, request: MatchRequest, lang: Language) -> list[WarningOut]:
    """Warn where the streets speak for another datum than the declared one.

    Parameters
    ----------
    network : StreetNetwork
    request : MatchRequest
        Positions of riders, stops and tasks are looked at, 400 of them at most.
    lang : {"zh", "en"}

    Returns
    -------
    list of WarningOut
        Empty, or one with the evidence.
    """
    given = [(rider.lon, rider.lat) for rider in request.riders]
    given += [(stop.lon, stop.lat) for rider in request.riders for stop in rider.stops]
    for task in request.tasks:
        given += [(visit.lon, visit.lat) for visit in (task.place, task.dropoff) if visit is not None]
    if len(given) < FEWEST:
        return []
    chosen = np.linspace(0, len(given) - 1, min(len(given), SAMPLE)).astype(np.int64)
    medians = detect_datum(np.array(given)[chosen], network).median_m
    declared_m = medians[request.datum]
    likely = min(medians, key=medians.__getitem__)
    if declared_m < max(TIMES * medians[likely], medians[likely] + APART_M):
        return []
    said = Said.of(
        "warning.datum",
        datum=request.datum,
        likely=likely,
        declared_m=declared_m,
        likely_m=medians[likely],
    )
    return [
        WarningOut(
            code="datum",
            text=reason_text(said, lang),
            declared=request.datum,
            likely=cast(Datum, likely),
            median_m={cast(Datum, datum): round(metres, 1) for datum, metres in medians.items()},
        )
    ]
