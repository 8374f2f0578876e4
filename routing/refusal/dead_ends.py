"""Whether a rider can go on from a place: no plan may end in a pocket of streets without a legal way out.

Neither on to more of the city, nor back to where the rider came from.
"""

import weakref

import numpy as np

from geo.arrays import BoolArray, Int32Array, UInt8Array
from geo.streets import StreetNetwork
from routing.refusal.ways_out import reaches

__all__ = ["POCKET_M", "STUCK_M", "leads_on"]

POCKET_M = 600.0
"""From where no more than so much of the streets can be reached, no way leads out (our default)."""
STUCK_M = 400.0
"""Where no more than this could be reached before a task, it makes nothing worse. Less than `POCKET_M`, so
that a pocket is never entered deeper by a rider near its mouth."""

_KNOWN: weakref.WeakKeyDictionary[StreetNetwork, dict[tuple[str, float], UInt8Array]]
_KNOWN = weakref.WeakKeyDictionary()
"""Streets do not change, and the same ones are asked about again and again: 1 or 0 of each edge, or this."""
UNKNOWN = 2


def leads_on(network: StreetNetwork, mode: str, edges: Int32Array, beyond_m: float) -> BoolArray:
    """Whether trips that begin on edges reach more than some length of public streets.

    Parameters
    ----------
    network : StreetNetwork
    mode : str
    edges : int32 (n,)
    beyond_m : float
        Metres; the edge itself does not count, nor do private streets.

    Returns
    -------
    bool (n,)
    """
    of_network = _KNOWN.setdefault(network, {})
    known = of_network.get((mode, beyond_m))
    if known is None:
        known = of_network[mode, beyond_m] = np.full(len(network), UNKNOWN, np.uint8)
    for edge in set(edges[known[edges] == UNKNOWN].tolist()):
        known[edge] = _leads_on(network, mode, edge, beyond_m)
    return np.asarray(known[edges] == 1)


def _leads_on(network: StreetNetwork, mode: str, edge: int, beyond_m: float) -> bool:
    graph = network.graph(mode)
    first, last = int(graph.depart_ptr[2 * edge]), int(graph.depart_ptr[2 * edge + 2])
    begin, length_m = graph.depart_state[first:last], network.edge_length_m
    arcs = graph.indptr, graph.head, graph.arc_edge, graph.state_layer
    return bool(reaches(*arcs, length_m, begin, edge, beyond_m))
