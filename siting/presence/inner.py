"""Waits at gates and proposed edits of the map, as they may be shown."""

from typing import Final

import numpy as np

from geo.arrays import FloatArray
from geo.inner_ways import GatePasses, Trodden, find_cut_throughs, find_shut_gates, gate_waits
from geo.streets import StreetNetwork, mode_bit
from siting.proposed import GateDelay, InnerWays, MapEdit

__all__ = ["inner_ways"]

AT_NODE_M: Final = 12.0
"""A way that ends so near to a junction of the map ends at it."""


def inner_ways(trodden: Trodden, passes: GatePasses, *, k: int) -> InnerWays:
    """Return the waits at gates that k riders passed, and the edits that as many stand behind.

    Parameters
    ----------
    trodden : Trodden
        With the network of the map and its class speeds.
    passes : GatePasses
        Of its gates.
    k : int
        Fewest riders behind a published figure: medians and counts only, of which none tells another.
    """
    return InnerWays(_gates(trodden, passes, k), (*_ways(trodden, k), *_shut(trodden, k)))


def _gates(trodden: Trodden, passes: GatePasses, k: int) -> tuple[GateDelay, ...]:
    network = trodden.network
    found = gate_waits(trodden, passes, k)
    shown = np.flatnonzero(found.riders >= k)
    order = shown[np.lexsort((found.node[shown], -np.round(found.wait_s[shown])))]
    delay = network.compounds.gate_delay_s
    fenced = network.edge_private & mode_bit(trodden.mode) != 0
    private = np.zeros(len(network.node_id), np.bool_)
    private[network.edge_u[fenced]] = private[network.edge_v[fenced]] = True
    out = []
    for number, row in enumerate(order.tolist(), start=1):
        compound = int(found.compound[row])
        own = delay[compound] if compound >= 0 else np.nan
        if compound < 0 and not private[found.node[row]]:
            # A gate across a public street: the study takes no time for it.
            own = 0.0
        out.append(
            GateDelay(
                gate_id=f"G{number:02d}",
                lonlat=_place(network.node_lonlat[found.node[row]]),
                compound=network.compounds.names[compound] if compound >= 0 else "",
                riders=int(found.riders[row]),
                passes=int(found.passes[row]),
                wait_s=float(np.round(found.wait_s[row])),
                default_s=float(network.gate_delay_s if np.isnan(own) else own),
                by_hour=tuple(
                    float(np.round(wait)) if riders >= k else None
                    for wait, riders in zip(found.hour_s[row], found.hour_riders[row], strict=True)
                ),
            )
        )
    return tuple(out)


def _place(lonlat: FloatArray) -> tuple[float, float]:
    return round(float(lonlat[0]), 6), round(float(lonlat[1]), 6)


def _ways(trodden: Trodden, k: int) -> tuple[MapEdit, ...]:
    found = find_cut_throughs(trodden, k)
    out = []
    for number in range(len(found.riders)):
        ends = [_end(trodden.network, end) for end in found.lonlat[number]]
        out.append(
            MapEdit(
                edit_id=f"W{number + 1:02d}",
                kind="cut_through",
                line=tuple(place for place, _ in ends),
                node_ids=tuple(node for _, node in ends),
                compound="",
                riders=int(found.riders[number]),
                days=int(found.days[number]),
                passes=int(found.passes[number]),
                seconds=float(np.round(found.saved_s[number])),
            )
        )
    return tuple(out)


def _end(network: StreetNetwork, lonlat: FloatArray) -> tuple[tuple[float, float], int | None]:
    """Return where a way ends, and which node of the map that is."""
    nodes = np.unique(np.concatenate([network.edge_u, network.edge_v]))
    away = np.hypot(*(network.project(network.node_lonlat[nodes]) - network.project(lonlat)).T)
    nearest = int(np.argmin(away))
    number = int(network.node_id[nodes[nearest]])
    if away[nearest] > AT_NODE_M or number <= 0:
        return _place(lonlat), None
    return _place(network.node_lonlat[nodes[nearest]]), number


def _shut(trodden: Trodden, k: int) -> tuple[MapEdit, ...]:
    network = trodden.network
    found = find_shut_gates(trodden, k)
    out = []
    for number, node in enumerate(found.node.tolist()):
        inside = network.edge_compound[(network.edge_u == node) | (network.edge_v == node)]
        compound = int(inside.max(initial=-1))
        known = int(network.node_id[node])
        out.append(
            MapEdit(
                edit_id=f"B{number + 1:02d}",
                kind="shut_gate",
                line=(_place(network.node_lonlat[node]),),
                node_ids=(known if known > 0 else None,),
                compound=network.compounds.names[compound] if compound >= 0 else "",
                riders=int(found.riders[number]),
                days=int(found.days[number]),
                passes=int(found.missed[number]),
                seconds=float(np.round(found.longer_s[number])),
            )
        )
    return tuple(out)
