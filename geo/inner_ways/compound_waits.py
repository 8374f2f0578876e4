"""What riders wait to get into a compound, as a street network takes it: usual, and as it may be promised."""

import dataclasses
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.inner_ways.gate_waits import GatePasses, gate_waits
from geo.inner_ways.trodden import Trodden
from geo.localtime import hour_of_day, local_s
from geo.privacy import riders_in_groups
from geo.streets import StreetNetwork

__all__ = ["CompoundWaits", "compound_waits", "with_waits"]

LEAST_PASSES: Final = 50
"""Fewer passes do not tell how far waits spread."""


@dataclasses.dataclass(frozen=True, eq=False)
class CompoundWaits:
    """Seconds (c,) of each compound, NaN where fewer than k riders entered it or too little tells.

    ``usual_s``: of all day. ``promised_s``: in its slowest hour, times what so large a share of passes
    (``share``) did not exceed.
    """

    usual_s: NDArray[np.float64]
    promised_s: NDArray[np.float64]
    share: float

    @property
    def known(self) -> int:
        """Of how many compounds something is known."""
        return int(np.isfinite(self.usual_s).sum())


def compound_waits(trodden: Trodden, passes: GatePasses, *, k: int, share: float) -> CompoundWaits:
    """Return what to take for the gates of each compound, all of its gates together.

    Parameters
    ----------
    trodden : Trodden
    passes : GatePasses
        Of `gate_passes`.
    k : int
        Fewest riders behind a wait, and behind that of an hour.
    share : float
        Of the passes that shall not wait longer than promised, between 0 and 1.
    """
    none = np.full(len(trodden.network.compounds), np.nan)
    count = len(trodden.network.compounds) + 1
    many = riders_in_groups(passes.compound.astype(np.int64) + 1, passes.rider.astype(np.int64), count) >= k
    # A compound of few riders tells nothing of others either: not by what waits are like in all of them.
    inside = (passes.compound >= 0) & many[passes.compound + 1]
    pooled = GatePasses._make(column[inside] for column in passes)._replace(node=passes.compound[inside])
    found = gate_waits(trodden, pooled, k)
    enough = found.riders >= k
    by_hour = np.where(found.hour_riders >= k, found.hour_s, found.wait_s[:, None])
    row = np.searchsorted(found.node, pooled.node)
    known = enough[row]
    hour = hour_of_day(local_s(pooled.t_s[known].astype(np.int64), trodden.timezone))
    # Below a second all waits are alike.
    ratio = np.sort(pooled.wait_s[known] / np.maximum(by_hour[row[known], hour], 1.0))
    rank = int(np.ceil((len(ratio) + 1) * share))
    if len(ratio) < LEAST_PASSES or rank > len(ratio):
        return CompoundWaits(none, none, share)
    longer = max(float(ratio[rank - 1]), 1.0)
    usual, promised = none.copy(), none.copy()
    usual[found.node[enough]] = found.wait_s[enough]
    promised[found.node[enough]] = longer * np.maximum(by_hour[enough].max(axis=1), found.wait_s[enough])
    return CompoundWaits(usual, promised, share)


def with_waits(network: StreetNetwork, wait_s: NDArray[np.float64]) -> StreetNetwork:
    """Return the network whose compounds take so long at their gates; where NaN, as long as before."""
    if not np.isfinite(wait_s).any():
        return network
    delay_s = np.where(np.isnan(wait_s), network.compounds.gate_delay_s, np.round(wait_s, 3))
    compounds = dataclasses.replace(network.compounds, gate_delay_s=delay_s)
    return dataclasses.replace(network, compounds=compounds)
