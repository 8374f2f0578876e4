"""The numbers of a map: how much there is, and how well it hangs together."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.places import Places
from geo.streets.network import StreetNetwork
from geo.streets.raw import MODES

__all__ = ["Description", "describe"]


@dataclass(frozen=True)
class Description:
    """Numbers of a network and its places.

    Attributes
    ----------
    nodes, edges : int
        After joining segments between junctions.
    street_km : float
        Length of all streets that anybody may use, each counted once.
    components : int
        Parts of the network that share no node, whatever the mode (weakly connected, barriers not heeded).
        Parts are common where a map is thin or cut out; they are reported, never dropped.
    largest_share : float
        Share of the street length in the largest part, 0 to 1.
    mode_km, mode_components : dict
        The same for each mode of `MODES`, barriers heeded.
    left_out : dict
        What the file holds and the network does not, by reason: how many ways, nodes, relations, areas.
    turns_banned, gates, compounds, compound_km, buildings, homes, pois : int or float
        Gates are tagged gates and entrances; compound_km is the length of streets inside closed compounds.
    """

    nodes: int
    edges: int
    street_km: float
    components: int
    largest_share: float
    mode_km: dict[str, float]
    mode_components: dict[str, int]
    turns_banned: int
    gates: int
    compounds: int
    compound_km: float
    buildings: int
    homes: int
    pois: int
    left_out: dict[str, int]


def describe(network: StreetNetwork, places: Places) -> Description:
    """Count what `network` and `places` hold."""
    nodes = len(network.node_id)
    links = (np.ones(len(network), np.int8), (network.edge_u, network.edge_v))
    count, label = connected_components(coo_array(links, shape=(nodes, nodes)), directed=False)
    length = network.edge_length_m
    part_m = np.bincount(label[network.edge_u], length, minlength=count)
    labels = {mode: network.components(mode) for mode in MODES}
    return Description(
        nodes=nodes,
        edges=len(network),
        street_km=float(length.sum()) / 1e3,
        components=int(count),
        largest_share=float(part_m.max(initial=0.0) / part_m.sum()),
        mode_km={mode: float(length[labels[mode] >= 0].sum()) / 1e3 for mode in MODES},
        mode_components={mode: int(labels[mode].max(initial=-1)) + 1 for mode in MODES},
        turns_banned=len(network.turns_banned_for("car")),
        gates=len(places.gate_lonlat),
        compounds=len(network.compounds),
        compound_km=float(length[network.edge_compound >= 0].sum()) / 1e3,
        buildings=len(places.buildings),
        homes=int(places.building_home.sum()),
        pois=len(places),
        left_out=dict(network.left_out),
    )
