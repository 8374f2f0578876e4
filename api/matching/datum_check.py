"""Whether the positions of a request are in the datum that it declares: asked of the streets."""

from typing import cast

from api.forms import Language
from api.matching.forms import WarningOut
from api.matching.wording import reason_text
from geo.arrays import FloatArray
from geo.datum import Datum
from geo.streets import StreetNetwork
from geo.traces import doubted_datum
from routing.model import Said

__all__ = ["datum_warnings"]


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
