"""Whether the positions of a request are in the datum that it declares: asked of the streets."""

from typing import cast

import numpy as np

from api.forms import Language
from api.matching.forms import MatchRequest, WarningOut
from api.matching.wording import reason_text
from geo.datum import Datum
from geo.streets import StreetNetwork
from geo.traces import doubted_datum
from routing.model import Said

__all__ = ["datum_warnings"]


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
    doubt = doubted_datum(np.array(given), request.datum, network)
    if doubt is None:
        return []
    likely, medians = doubt
    said = Said.of(
        "warning.datum",
        datum=request.datum,
        likely=likely,
        declared_m=medians[request.datum],
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
