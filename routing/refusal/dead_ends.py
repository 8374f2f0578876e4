"""Whether a rider can go on from a place: no plan may end in a pocket of streets without a legal way out.

Neither on to more of the city, nor back to where the rider came from.
"""

import weakref

from geo.streets import StreetNetwork
from routing.refusal.ways_out import reaches

__all__ = ["POCKET_M", "STUCK_M", "leads_on"]

POCKET_M = 600.0
"""From where no more than so much of the streets can be reached, no way leads out (our default)."""
STUCK_M = 400.0
"""Where no more than this could be reached before a task, it makes nothing worse. Less than `POCKET_M`, so
that a pocket is never entered deeper by a rider near its mouth."""

_KNOWN: weakref.WeakKeyDictionary[StreetNetwork, dict[tuple[str, int, float], bool]]
_KNOWN = weakref.WeakKeyDictionary()
"""Streets do not change, and the same ones are asked about again and again."""


def leads_on(network: StreetNetwork, mode: str, edge: int, beyond_m: float) -> bool:
    """Whether trips that begin on an edge reach more than some length of public streets.

    Parameters
    ----------
    network : StreetNetwork
    mode : str
    edge : int
    beyond_m : float
        Metres; the edge itself does not count, nor do private streets.

    Returns
    -------
    bool
    """
    known = _KNOWN.setdefault(network, {})
    key = mode, edge, beyond_m
    if key not in known:
        known[key] = _leads_on(network, mode, edge, beyond_m)
    return known[key]


def _leads_on(network: StreetNetwork, mode: str, edge: int, beyond_m: float) -> bool:
    graph = network.graph(mode)
    first, last = int(graph.depart_ptr[2 * edge]), int(graph.depart_ptr[2 * edge + 2])
    begin, length_m = graph.depart_state[first:last], network.edge_length_m
    arcs = graph.indptr, graph.head, graph.arc_edge, graph.state_layer
    return bool(reaches(*arcs, length_m, begin, edge, beyond_m))
