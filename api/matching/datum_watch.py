"""Whose positions were held against the streets a moment ago: to ask again at every report costs too much."""

from collections.abc import Mapping, Sequence

from api.forms import Language
from api.matching.datum_check import datum_verdict
from api.matching.forms import SentPart, WarningOut
from geo.arrays import FloatArray
from geo.datum import Datum
from geo.streets import StreetNetwork

__all__ = ["DatumWatch"]

GOOD_FOR_S = 60.0
"""A rider whose positions were fine is not asked about again for so long."""
MOST_RIDERS = 200_000
"""Beyond it all are forgotten, and asked about again."""


class DatumWatch:
    """Asks the streets about reports; of riders who were fine beyond doubt it asks seldom.

    Only a bulk that was large enough to be sure of clears its riders, only in the datum that it named, and
    only for positions of riders: stops that are sent with a report are asked about each time.
    """

    def __init__(self) -> None:
        self._fine: dict[tuple[str, Datum, str], float] = {}

    def look(
        self,
        network: StreetNetwork,
        sent: Mapping[SentPart, FloatArray],
        declared: Datum,
        lang: Language,
        *,
        of: tuple[str, Sequence[str]],
        now_s: float,
    ) -> list[WarningOut]:
        """Return the warnings about positions, as `datum_warnings`, and remember who was fine.

        Parameters
        ----------
        of : tuple of str and sequence of str
            The platform, and the riders of the report.
        now_s : float
            Seconds of a clock that never runs back.
        """
        warnings, sure = datum_verdict(network, sent, declared, lang)
        platform, riders = of
        if "riders" in sure and not warnings:
            if len(self._fine) + len(riders) > MOST_RIDERS:
                self._fine.clear()
            self._fine.update(
                dict.fromkeys(((platform, declared, one) for one in riders), now_s + GOOD_FOR_S)
            )
        return warnings

    def was_fine(self, declared: Datum, of: tuple[str, Sequence[str]], now_s: float) -> bool:
        """Whether all these riders were beyond doubt a moment ago."""
        platform, riders = of
        fine = self._fine
        return all(fine.get((platform, declared, one), now_s) > now_s for one in riders)
