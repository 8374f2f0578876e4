"""Made cities whose map is wrong: cut-throughs it lacks, gates it has open that are shut."""

import dataclasses
from typing import NamedTuple

import numpy as np

from geo.places import Places
from geo.streets import StreetNetwork, mode_bit
from geo.synthetic import FleetOptions, SyntheticFleet, make_fleet
from geo.traces import Traces
from geo.travel import travel_times_s

__all__ = ["MadeInner", "made_inner", "traces_of", "without_edges"]


class MadeInner(NamedTuple):
    """The map, the fleet that rode in the true city, and what the map has wrong."""

    network: StreetNetwork
    fleet: SyntheticFleet
    hidden: np.ndarray
    """(h, 2, 2) both ends of each hidden cut-through that ten riders rode, degrees."""
    shut: np.ndarray
    """Nodes of the map: gates that are shut in fact."""
    truth: StreetNetwork


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


def without_edges(network: StreetNetwork, gone: np.ndarray) -> StreetNetwork:
    """Return the network as a map that lacks some streets; bans over them are lost with them."""
    kept = np.setdiff1d(np.arange(len(network)), gone)
    number = np.full(len(network), -1)
    number[kept] = np.arange(len(kept))
    size = np.diff(network.geom_ptr)[kept]
    ptr = np.r_[0, np.cumsum(size)].astype(np.int64)
    points = np.repeat(network.geom_ptr[kept] - ptr[:-1], size) + np.arange(ptr[-1])
    changes: dict[str, object] = {"geom_ptr": ptr}
    for field in dataclasses.fields(network):
        column = getattr(network, field.name)
        if field.name.startswith("edge_"):
            changes[field.name] = column[..., kept]
        elif field.name in ("geom_lonlat", "geom_along_m"):
            changes[field.name] = column[points]
    pairs = network.turns_banned
    if len(pairs):
        stays = (number[pairs >> 1] >= 0).all(axis=1)
        changes["turns_banned"] = (2 * number[pairs[stays] >> 1] + (pairs[stays] & 1)).astype(np.int32)
        changes["turn_modes"] = network.turn_modes[stays]
    changes |= {
        "drive_ptr": np.zeros(1, np.int64),
        "drive_edge": np.empty(0, np.int32),
        "drive_modes": np.empty(0, np.uint8),
    }
    return dataclasses.replace(network, **changes)


def _detour_s(network: StreetNetwork, edge: int) -> float:
    """Seconds from one end of a street to the other without it."""
    less = without_edges(network, np.array([edge]))
    ends = network.edge_lonlat(edge)[[0, -1]]
    snapped = less.snap(ends, "ebike", 30.0)
    return float(travel_times_s(less, "ebike", snapped.take([0]), snapped.take([1]), 1800.0, threads=1)[0, 0])


def made_inner(
    network: StreetNetwork, places: Places | None, options: FleetOptions, cuts: int = 6, gates: int = 4
) -> MadeInner:
    """Make a city and ride in it; the map lacks some streets and has some shut gates open.

    Shut are gates that riders of a first fleet used often; hidden are quiet streets of 40 to 250 m that many
    riders use and without which the way is at least a minute longer.
    """
    rng = np.random.default_rng([options.seed, 99])
    first = make_fleet(network, places, options)
    bit = mode_bit(options.mode)
    trip = np.repeat(np.arange(len(first.trips.ptr) - 1), np.diff(first.trips.ptr))
    edges = first.trips.edges.astype(np.int64)
    head = np.where(edges & 1 == 1, network.edge_u[edges >> 1], network.edge_v[edges >> 1])
    used = _riders(head, first.trip_rider[trip], len(network.node_id))
    able = np.flatnonzero(network.node_gate & (network.node_blocked & bit == 0) & (used >= 15))
    shut = np.sort(rng.permutation(able)[:gates])
    blocked = network.node_blocked.copy()
    blocked[shut] |= bit
    truth = dataclasses.replace(network, node_blocked=blocked)
    fleet = make_fleet(truth, places, options)
    trip = np.repeat(np.arange(len(fleet.trips.ptr) - 1), np.diff(fleet.trips.ptr))
    edges = fleet.trips.edges.astype(np.int64) >> 1
    riders = _riders(edges, fleet.trip_rider[trip], len(network))
    length = network.edge_length_m
    quiet = (length >= 40) & (length <= 250) & (riders >= 12) & (network.edge_compound < 0)
    quiet &= network.edge_private & bit == 0
    hidden: list[int] = []
    for edge in rng.permutation(np.flatnonzero(quiet)).tolist():
        if len(hidden) == cuts:
            break
        nodes = {int(network.edge_u[edge]), int(network.edge_v[edge])}
        beside = {int(n) for e in hidden for n in (network.edge_u[e], network.edge_v[e])}
        far = _detour_s(network, edge)
        if not nodes & beside and 90.0 + length[edge] / 4.2 <= far < 1200.0:
            hidden.append(edge)
    ends = np.array([truth.edge_lonlat(edge)[[0, -1]] for edge in hidden]).reshape(-1, 2, 2)
    return MadeInner(without_edges(network, np.array(hidden, np.int64)), fleet, ends, shut, truth)


def _riders(group: np.ndarray, rider: np.ndarray, groups: int) -> np.ndarray:
    pairs = np.unique(group.astype(np.int64) * (int(rider.max()) + 1) + rider)
    return np.bincount(pairs // (int(rider.max()) + 1), minlength=groups)
