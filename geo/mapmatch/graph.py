"""The street network as map matching sees it: metres, both directions of each street, one-ways at a price."""

from dataclasses import dataclass

import numpy as np

from geo.errors import InputError
from geo.mapmatch.transitions import FAR, Graph, Grid, Space
from geo.streets.network import StreetNetwork, mode_bit
from geo.streets.snapping import segment_grid

__all__ = ["MatchGraph", "match_graph"]


@dataclass(frozen=True)
class MatchGraph:
    """Arrays for the kernels.

    Attributes
    ----------
    graph : tuple
        Arcs leaving each node (ptr, head, directed edge, cm at a price), node at the end of each directed
        edge, metres of each edge, price of each directed edge (1 legal, more against a one-way street,
        infinite not at all).
    grid : tuple
        Segments by cells.
    nodes : int
    """

    graph: Graph
    grid: Grid
    nodes: int

    def space(self) -> Space:
        """Return clean memory for the searches of one thread."""
        arcs = len(self.graph[1])
        return (
            np.full(self.nodes, FAR, np.uint32),
            np.empty(self.nodes, np.int32),
            np.empty(self.nodes, np.int32),
            np.empty(self.nodes + 1, np.int32),
            np.empty(arcs + self.nodes + 8, np.uint64),
            np.full(self.nodes, -1, np.int32),
            np.empty(self.nodes, np.float32),
        )


def match_graph(network: StreetNetwork, mode: str, wrong_way_price: float) -> MatchGraph:
    """Build the arrays for one mode.

    Parameters
    ----------
    network : StreetNetwork
    mode : str
    wrong_way_price : float
        A metre against a one-way street counts as so many, 1 or more; infinite forbids it.

    Raises
    ------
    InputError
        If the mode may use no street.
    """
    bit = mode_bit(mode)
    allowed = (network.edge_access & bit != 0).T.ravel()
    usable = allowed.reshape(-1, 2).any(axis=1)
    if not usable.any():
        raise InputError(f"the network has no street for {mode}")
    factor = np.where(allowed, 1.0, np.where(np.repeat(usable, 2), wrong_way_price, np.inf))
    ends = np.stack([network.edge_v, network.edge_u], axis=1).ravel().astype(np.int32)
    starts = np.stack([network.edge_u, network.edge_v], axis=1).ravel()
    directed = np.flatnonzero(np.isfinite(factor)).astype(np.int32)
    directed = directed[np.argsort(starts[directed], kind="stable")]
    nodes = len(network.node_id)
    length = network.edge_length_m.astype(np.float64)
    cost = np.minimum(np.round(100.0 * length[directed >> 1] * factor[directed]), 4e8)
    xy = np.ascontiguousarray(network.project(network.geom_lonlat))
    cells = segment_grid(xy, network.geom_ptr)
    return MatchGraph(
        graph=(
            np.searchsorted(starts[directed], np.arange(nodes + 1)).astype(np.int32),
            ends[directed],
            directed,
            np.maximum(cost, 1).astype(np.uint32),
            ends,
            length,
            factor,
        ),
        grid=(
            xy,
            network.geom_along_m.astype(np.float64),
            np.repeat(np.arange(len(network), dtype=np.int32), np.diff(network.geom_ptr)),
            usable,
            float(cells.low_m[0]),
            float(cells.low_m[1]),
            float(cells.cell_m),
            cells.columns,
            cells.rows,
            cells.ptr,
            cells.segment,
        ),
        nodes=nodes,
    )
