"""Passing flow: riders along streets become demand (a short while each) and published street figures."""

import numpy as np
import numpy.typing as npt

from geo.privacy import suppress
from geo.streets import StreetNetwork
from siting.demand import Events, local_seconds
from siting.inputs import PassingFlows
from siting.results import Flow

__all__ = ["PASSING_S", "passing_events", "published_flows"]

FloatArray = npt.NDArray[np.float64]

PASSING_S = 60
"""One passage counts as so many seconds of demand (before the weight of the layer)."""


def passing_events(flows: PassingFlows | None, network: StreetNetwork) -> Events:
    """Return one event a passage, at the middle of the street edge."""
    none = np.empty(0, dtype=np.int64)
    if flows is None or len(flows.edge) == 0:
        return Events(np.empty((0, 2)), none, none, none)
    edges, where = np.unique(flows.edge, return_inverse=True)
    middle = np.array([_middle(network.edge_lonlat(int(e))) for e in edges])
    start = flows.t_s.astype(np.int64)
    return Events(middle[where], flows.rider.astype(np.int64), start, start + PASSING_S)


def _middle(line: FloatArray) -> FloatArray:
    return np.asarray(line[len(line) // 2] if len(line) > 2 else line.mean(axis=0))


def published_flows(
    flows: PassingFlows | None, network: StreetNetwork, timezone: str, k: int, most: int = 4000
) -> tuple[Flow, ...]:
    """Return riders a day by street edge, only streets with at least k riders, busiest first."""
    if flows is None or len(flows.edge) == 0:
        return ()
    local = local_seconds(flows.t_s, timezone)
    days = int(local.max() // 86400 - local.min() // 86400) + 1
    span = int(flows.rider.max()) + 1
    day = local // 86400 - local.min() // 86400
    edges, where = np.unique(flows.edge, return_inverse=True)
    riders = np.bincount(np.unique(where * span + flows.rider) // span, minlength=len(edges))
    rider_days = np.bincount(
        np.unique((where * span + flows.rider) * days + day) // (span * days), minlength=len(edges)
    )
    slot = where * 24 + (local // 3600) % 24
    passes = np.unique((slot * span + flows.rider) * days + day)
    by_hour = np.bincount(passes // (span * days), minlength=24 * len(edges)) / days
    in_hour = np.bincount(np.unique(slot * span + flows.rider) // span, minlength=24 * len(edges))
    shown = np.nonzero(riders >= k)[0]
    order = shown[np.lexsort((edges[shown], -rider_days[shown]))][:most]
    out = []
    for e in order.tolist():
        edge = int(edges[e])
        name = int(network.edge_name[edge])
        rows = slice(24 * e, 24 * e + 24)
        out.append(
            Flow(
                line=tuple((round(float(x), 6), round(float(y), 6)) for x, y in network.edge_lonlat(edge)),
                name=network.names[name] if name >= 0 else "",
                riders_a_day=float(rider_days[e]) / days,
                by_hour=tuple(suppress(by_hour[rows], in_hour[rows], k)),
            )
        )
    return tuple(out)
