"""From the ways of a map to the edges of a `StreetNetwork`."""

import numpy as np

from geo.arrays import FloatArray, Int64Array
from geo.errors import InputError
from geo.sentences import Sentence
from geo.streets.contraction import contract, great_circle_m, morton_order
from geo.streets.gates import Barriers, behind_gates
from geo.streets.network import StreetNetwork
from geo.streets.raw import GATE_DELAY_S, RawWays
from geo.streets.turn_bans import flat

__all__ = ["build_network"]


def refuse_antimeridian(lon: FloatArray) -> None:
    """Refuse streets on both sides of the 180th meridian: the plane of a map would go round the Earth."""
    if len(lon) and lon.max() - lon.min() > 180:
        raise InputError(Sentence.of("map_antimeridian", west=f"{lon.min():.2f}", east=f"{lon.max():.2f}"))


def build_network(raw: RawWays, gate_delay_s: float = GATE_DELAY_S) -> StreetNetwork:
    """Join the segments of `raw` between junctions and order the result for the cache.

    Parameters
    ----------
    raw : RawWays
    gate_delay_s : float, 0 or more
        Delay at gates of compounds that have none of their own.

    Raises
    ------
    InputError
        If the delay is out of range, or the map reaches across the 180th meridian.
    """
    if not 0 <= gate_delay_s < 86_400:
        raise InputError(f"the gate delay must be 0 to 86400 s, not {gate_delay_s}")
    refuse_antimeridian(raw.node_lonlat[:, 0])
    chains = contract(raw)
    first, last = chains.geom_ptr[:-1], chains.geom_ptr[1:] - 1
    u, v = chains.geom_node[first], chains.geom_node[last]
    nodes = np.unique(np.concatenate([u, v]))
    nodes = nodes[morton_order(raw.node_lonlat[nodes])]
    number = np.full(len(raw.node_id), -1, np.int32)
    number[nodes] = np.arange(len(nodes), dtype=np.int32)
    u, v = number[u], number[v]
    order = np.lexsort((np.maximum(u, v), np.minimum(u, v)))
    new_number = np.empty(len(order), np.int32)
    new_number[order] = np.arange(len(order), dtype=np.int32)
    points = np.diff(chains.geom_ptr)[order]
    geom_ptr = np.concatenate([[0], np.cumsum(points)])
    pick = np.repeat(first[order] - geom_ptr[:-1], points) + np.arange(geom_ptr[-1])
    geom_lonlat = raw.node_lonlat[chains.geom_node[pick]]
    along_m = _along_m(geom_lonlat, geom_ptr)
    way = chains.way[order]
    turns = 2 * new_number[chains.turns_banned // 2] + chains.turns_banned % 2
    ends = np.stack([u, v], axis=1)[order]
    length_m = along_m[geom_ptr[1:] - 1] if len(order) else np.empty(0)
    usable = raw.way_access[0, way] | raw.way_access[1, way]
    barriers = Barriers(raw.node_private[nodes], raw.node_blocked[nodes])
    private = raw.way_private[way] | behind_gates(ends, usable, raw.way_private[way], length_m, barriers)
    drive_ptr, drives = flat(list(chains.drives_banned))
    return StreetNetwork(
        node_id=raw.node_id[nodes],
        node_lonlat=raw.node_lonlat[nodes],
        node_blocked=raw.node_blocked[nodes],
        node_gate=raw.node_gate[nodes] | (raw.node_private[nodes] != 0),
        edge_u=u[order],
        edge_v=v[order],
        edge_length_m=length_m,
        geom_ptr=geom_ptr,
        geom_lonlat=geom_lonlat,
        geom_along_m=along_m,
        edge_way_id=raw.way_id[way],
        edge_name=raw.way_name[way],
        edge_class=raw.way_class[way],
        edge_access=np.ascontiguousarray(raw.way_access[:, way]),
        edge_private=private,
        edge_speed_mps=np.ascontiguousarray(raw.way_speed_mps[:, way]),
        edge_compound=chains.compound[order],
        edge_off_ground=raw.way_off_ground[way],
        turns_banned=turns.astype(np.int32),
        turn_modes=chains.turn_modes,
        names=raw.names,
        classes=raw.classes,
        compounds=raw.compounds,
        gate_delay_s=gate_delay_s,
        left_out=raw.left_out,
        drive_ptr=drive_ptr,
        drive_edge=(2 * new_number[drives // 2] + drives % 2).astype(np.int32),
        drive_modes=np.array(list(chains.drives_banned.values()), np.uint8),
    )


def _along_m(geom_lonlat: FloatArray, geom_ptr: Int64Array) -> FloatArray:
    """Return metres from the start of each edge to each of its points."""
    if not len(geom_lonlat):
        return np.empty(0)
    step = np.zeros(len(geom_lonlat))
    step[1:] = great_circle_m(geom_lonlat[:-1], geom_lonlat[1:])
    step[geom_ptr[:-1]] = 0.0
    total = np.cumsum(step)
    return np.asarray(total - np.repeat(total[geom_ptr[:-1]], np.diff(geom_ptr)))
