"""What looks wrong with the positions of a request: their datum, as the streets say; places off the map."""

from collections.abc import Mapping
from typing import Literal, cast

import numpy as np

from api.forms import Language
from api.matching.forms import SentPart, WarningOut
from api.matching.wording import reason_text
from geo.arrays import FloatArray
from geo.datum import Datum
from geo.streets import StreetNetwork
from geo.traces import FEWEST_PLACES, PlaceEvidence
from geo.travel import Extent
from maps.texts import catalogue
from routing.model import Said

__all__ = ["datum_verdict", "datum_warnings", "place_warnings"]


MOST = 400
"""As many positions of one request are looked at."""


def datum_warnings(
    network: StreetNetwork, sent: Mapping[SentPart, FloatArray], declared: Datum, lang: Language
) -> list[WarningOut]:
    """Warn where the streets speak for another datum than the declared one.

    Positions of different kinds often come from different systems (phones, orders, an office), so each kind
    is asked for itself. Kinds of fewer than 20 places that do not say enough alone, but speak for the same
    datum, are asked together. One or two places say nothing.

    Parameters
    ----------
    network : StreetNetwork
    sent : mapping
        By kind, float64 (n, 2): positions as they were sent; 400 of them at most are looked at.
    declared : str
        Datum of them all, as the request says.
    lang : {"zh", "en"}

    Returns
    -------
    list of WarningOut
        One with the evidence for each datum that kinds of positions seem to be in instead.
    """
    return datum_verdict(network, sent, declared, lang)[0]


def datum_verdict(
    network: StreetNetwork, sent: Mapping[SentPart, FloatArray], declared: Datum, lang: Language
) -> tuple[list[WarningOut], frozenset[SentPart]]:
    """Return the same, and the kinds with places enough to be sure of."""
    kinds = [part for part, lonlat in sent.items() if len(lonlat)]
    asked: dict[SentPart, PlaceEvidence] = {}
    for part in kinds:
        lonlat = sent[part]
        rows = np.linspace(0, len(lonlat) - 1, min(len(lonlat), MOST // len(kinds)))
        asked[part] = PlaceEvidence.of(lonlat[rows.astype(np.int64)], network)
    doubts: dict[str, tuple[list[SentPart], Mapping[str, float]]] = {}
    unsure: dict[str, list[SentPart]] = {}
    for part, evidence in asked.items():
        doubt = evidence.doubt(declared)
        if doubt is not None:
            doubts.setdefault(doubt[0], ([], doubt[1]))[0].append(part)
        elif evidence.few:
            unsure.setdefault(evidence.leaning, []).append(part)
    spoke = {part for part, evidence in asked.items() if len(evidence.lonlat) >= FEWEST_PLACES}
    for parts in unsure.values():
        doubt = PlaceEvidence.joined([asked[part] for part in parts]).doubt(declared)
        if doubt is not None:
            doubts.setdefault(doubt[0], ([], doubt[1]))[0].extend(parts)
            spoke.update(parts)
    warnings = [
        _warning(declared, likely, parts if len(parts) < len(spoke) else [], medians, lang)
        for likely, (parts, medians) in doubts.items()
    ]
    return warnings, frozenset(part for part, evidence in asked.items() if not evidence.few)


def _warning(
    declared: Datum, likely: str, parts: list[SentPart], medians: Mapping[str, float], lang: Language
) -> WarningOut:
    """Return the warning about some kinds of positions, or about all (none named)."""
    facts = {"datum": declared, "likely": likely}
    key = "warning.datum_part" if parts else "warning.datum"
    said = Said.of(key, **facts, declared_m=medians[declared], likely_m=medians[likely])
    named = (
        catalogue(lang).text("warning.and").join(catalogue(lang).text(f"warning.{part}") for part in parts)
    )
    return WarningOut(
        code="datum",
        text=(named + reason_text(said, lang)) if parts else reason_text(said, lang),
        declared=declared,
        likely=cast(Datum, likely),
        median_m={cast(Datum, datum): round(metres, 1) for datum, metres in medians.items()},
        positions=parts or None,
    )


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
