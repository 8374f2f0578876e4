"""Flows: how often, and by how many riders, each street is ridden in each hour of the day."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.mapmatch.matcher import Matched

__all__ = ["Flows", "street_flows"]


@dataclass(frozen=True)
class Flows:
    """One row for each street, direction and hour that was ridden at all; by directed edge, then hour.

    These are raw counts: before anything is published, suppress rows with few riders (`geo.privacy`).

    Attributes
    ----------
    directed : int32 (f,)
        ``2 * edge + (0 along, 1 against)``.
    hour : int8 (f,)
        Hour of the local day, 0 to 23.
    passages : int32 (f,)
        Times the street was entered.
    riders : int32 (f,)
        Different riders among them.
    wrong_way : int32 (f,)
        Passages against a one-way street.
    """

    directed: NDArray[np.int32]
    hour: NDArray[np.int8]
    passages: NDArray[np.int32]
    riders: NDArray[np.int32]
    wrong_way: NDArray[np.int32]


def street_flows(matched: Matched, timezone: str) -> Flows:
    """Count passages and riders of each directed edge and hour over all days.

    Parameters
    ----------
    matched : Matched
    timezone : str
        Hours are local to it.

    Returns
    -------
    Flows
    """
    rider = np.repeat(matched.piece_rider, np.diff(matched.piece_ptr))
    hour = _local_hour(matched.enter_s, timezone)
    key = matched.path.astype(np.int64) * 24 + hour
    cells, cell = np.unique(key, return_inverse=True)
    riders = int(rider.max()) + 1 if len(rider) else 1
    pairs = np.unique(cell * riders + rider) // riders
    return Flows(
        directed=(cells // 24).astype(np.int32),
        hour=(cells % 24).astype(np.int8),
        passages=np.bincount(cell, minlength=len(cells)).astype(np.int32),
        riders=np.bincount(pairs, minlength=len(cells)).astype(np.int32),
        wrong_way=np.bincount(cell[matched.wrong_way], minlength=len(cells)).astype(np.int32),
    )


def _local_hour(t_s: NDArray[np.float64], timezone: str) -> NDArray[np.int64]:
    """Hour of the local day; the offset of the zone is looked up once for each hour that occurs."""
    seconds = np.floor(t_s).astype(np.int64)
    seen, inverse = np.unique(seconds // 3600, return_inverse=True)
    stamps = pd.to_datetime(seen * 3600, unit="s", utc=True)
    wall = stamps.tz_convert(ZoneInfo(timezone)).tz_localize(None)
    ahead_s = ((wall - stamps.tz_localize(None)) // pd.Timedelta(seconds=1)).to_numpy(np.int64)
    return (seconds + ahead_s[inverse]) // 3600 % 24
