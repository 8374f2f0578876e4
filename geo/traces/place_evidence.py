"""Which datum are these places in? Asked of the streets: under the right one, doors lie beside them.

Places at one door (within some 100 m) are one voice: twenty orders of one restaurant say no more than one.

From 3 places on the sum of the logarithms of likelihoods counts. Under the right datum the distance of a
door to its street is taken as exponential with a mean of 15 m, under a wrong one all distances as alike;
beyond 60 m the model ends (parks, large yards), so a place counts 4 at most. For two datums the difference
of the sums is the sum of (declared - likely) / 15 m, both capped at 60 m. It speaks against the declared
datum from 8 on, which is 3,000 to 1, where half of the places also lie within 15 m of a street under the
likelier one. Two places can hardly say so much: they say nothing.

From 20 places on the medians speak too, for places farther from streets: that of the declared datum must be
twice the likelier one's and 15 m more, and no more than 30 m under the likelier one. Places that lie beside
no street in any datum, such as corners of a grid, say nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from geo.arrays import FloatArray
from geo.datum import DATUMS, to_wgs84
from geo.traces.datum_evidence import FAR_M, street_distances_m

if TYPE_CHECKING:
    from geo.streets.network import StreetNetwork

__all__ = ["FEWEST_PLACES", "PlaceEvidence"]

#: So many places can speak for a datum, and so many are asked about at most.
FEWEST_PLACES: Final = 3
_MOST: Final = 400
_MANY: Final = 20
_TIMES, _APART_M, _NEAR_M = 2.0, 15.0, 30.0
_DOOR_M, _CAP_M, _SURE = 15.0, 60.0, 8.0
#: Places that agree to so many decimals of a degree are one.
_DECIMALS: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class PlaceEvidence:
    """Places held against the streets."""

    lonlat: FloatArray
    """(n, 2) as sent; places at one door once, places beside the map left out."""
    away_m: FloatArray
    """(n, 3) to the nearest street under each of `DATUMS`."""

    @classmethod
    def of(cls, lonlat: FloatArray, network: "StreetNetwork", mode: str = "ebike") -> Self:
        """Ask the streets about places that lie beside them, such as doors.

        Parameters
        ----------
        lonlat
            (n, 2) degrees in the datum that is in question; 400 of them at most are asked about.
        network, mode
            Streets of the city, WGS-84, and the mode whose streets count.
        """
        lonlat = _apart(lonlat)
        lonlat = lonlat[np.linspace(0, len(lonlat) - 1, min(len(lonlat), _MOST)).astype(np.int64)]
        ways = [street_distances_m(to_wgs84(lonlat, datum), network, mode) for datum in DATUMS]
        away_m = np.column_stack(ways)
        near = (away_m < FAR_M).any(axis=1)
        return cls(lonlat[near], away_m[near])

    @classmethod
    def joined(cls, parts: "Sequence[PlaceEvidence]") -> Self:
        """Take the places of several together."""
        lonlat = np.concatenate([part.lonlat for part in parts])
        rows = _rows_apart(lonlat)
        return cls(lonlat[rows], np.concatenate([part.away_m for part in parts])[rows])

    @property
    def few(self) -> bool:
        """Whether there are too few for their medians."""
        return len(self.lonlat) < _MANY

    @property
    def leaning(self) -> str:
        """The datum that the places speak for, be it ever so little."""
        return DATUMS[int(np.argmin(np.minimum(self.away_m, _CAP_M).sum(axis=0)))]

    def doubt(self, declared: str) -> tuple[str, Mapping[str, float]] | None:
        """Return what speaks against the datum that the places are said to be in.

        Returns
        -------
        str and mapping, or None
            The likelier datum, and the median metres to the nearest street under each; None where nothing
            speaks against the declared one, or there are fewer than 3 places.
        """
        if len(self.lonlat) < FEWEST_PLACES:
            return None
        medians = dict(zip(DATUMS, np.median(self.away_m, axis=0).tolist(), strict=True))
        sums_m = dict(zip(DATUMS, np.minimum(self.away_m, _CAP_M).sum(axis=0).tolist(), strict=True))
        likely = self.leaning
        if (sums_m[declared] - sums_m[likely]) / _DOOR_M >= _SURE and medians[likely] <= _DOOR_M:
            return likely, medians
        likely = min(medians, key=medians.__getitem__)
        apart_m = max(_TIMES * medians[likely], medians[likely] + _APART_M)
        clear = medians[declared] >= apart_m and medians[likely] <= _NEAR_M
        return (likely, medians) if clear and not self.few else None


def _rows_apart(lonlat: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the first of the places at each door, in their order."""
    _, rows = np.unique(np.round(lonlat, _DECIMALS), axis=0, return_index=True)
    return np.sort(rows)


def _apart(lonlat: FloatArray) -> FloatArray:
    return lonlat[_rows_apart(lonlat)]
