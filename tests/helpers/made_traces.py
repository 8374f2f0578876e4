"""Points of made fleets as traces."""

import numpy as np

from geo.synthetic import SyntheticFleet
from geo.traces import Traces

__all__ = ["traces_of"]


def traces_of(fleet: SyntheticFleet) -> Traces:
    """Sound points of the fleet as traces."""
    points, riders = fleet.points, len(fleet.rider_ids)
    order = np.lexsort((points.t_s, points.rider))
    order = order[points.broken[order] == 0]
    rider, t_s = points.rider[order], points.t_s[order]
    kept = np.r_[True, (np.diff(t_s) != 0) | (np.diff(rider) != 0)]
    order, rider, t_s = order[kept], rider[kept], t_s[kept]
    return Traces(
        rider=rider.astype(np.int32),
        t_s=t_s,
        lonlat=points.lonlat[order],
        rider_ptr=np.searchsorted(rider, np.arange(riders + 1)).astype(np.int64),
        pseudonyms=tuple(f"{number:05d}" for number in range(riders)),
        platform=np.zeros(len(t_s), np.int16),
        platforms=("blue",),
        event=np.zeros(len(t_s), np.int16),
    )
