"""What looks wrong with the positions of a request: their datum, as the streets say; places off the map."""

from typing import Literal, cast

import numpy as np

from api.forms import Language
from api.matching.forms import WarningOut
from api.matching.wording import reason_text
from geo.arrays import FloatArray
from geo.datum import Datum
from geo.streets import StreetNetwork
from geo.traces import doubted_datum
from geo.travel import Extent
from routing.model import Said

__all__ = ["datum_warnings", "place_warnings"]


def datum_warnings(
    network: StreetNetwork, sent_lonlat: FloatArray, declared: Datum, lang: Language
) -> list[WarningOut]:
    """Warn where the streets speak for another datum than the declared one.

    Parameters
    ----------
    network : StreetNetwork
    sent_lonlat : float64 (n, 2)
        Positions of riders, stops and tasks as they were sent; 400 of them at most are looked at.
    declared : str
        Datum of them all, as the request says.
    lang : {"zh", "en"}

    Returns
    -------
    list of WarningOut
        Empty, or one with the evidence.
    """
    doubt = doubted_datum(sent_lonlat, declared, network)
    if doubt is None:
        return []
    likely, medians = doubt
    said = Said.of(
        "warning.datum",
        datum=declared,
        likely=likely,
        declared_m=medians[declared],
        likely_m=medians[likely],
    )
    return [
        WarningOut(
            code="datum",
            text=reason_text(said, lang),
            declared=declared,
            likely=cast(Datum, likely),
            median_m={cast(Datum, datum): round(metres, 1) for datum, metres in medians.items()},
        )
    ]


def place_warnings(network: StreetNetwork, lonlat: tuple[float, float], lang: Language) -> list[WarningOut]:
    """Warn where an emergency lies outside of the map: it is taken as it is, but may be a slip.

    Parameters
    ----------
    network : StreetNetwork
    lonlat : tuple of float
        WGS-84 degrees.
    lang : {"zh", "en"}

    Returns
    -------
    list of WarningOut
        Empty, or one with the distance.
    """
    extent = Extent.of(network)
    if not extent.outside(np.array([lonlat]))[0]:
        return []
    code: Literal["swapped", "far"] = "swapped" if extent.swapped(lonlat) else "far"
    said = Said.of(f"warning.{code}", away_m=1000 * extent.away_km(lonlat))
    return [WarningOut(code=code, text=reason_text(said, lang))]
