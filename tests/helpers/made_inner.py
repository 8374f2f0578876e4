"""Made cities whose map is wrong: cut-throughs it lacks, gates it has open that are shut."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from geo.places import Places
from geo.privacy import riders_in_groups
from geo.streets import StreetNetwork, mode_bit
from geo.synthetic import FleetOptions, SyntheticFleet, make_fleet
from geo.travel import travel_times_s

__all__ = ["MadeInner", "made_inner", "without_edges"]


class MadeInner(NamedTuple):
    """The map, the fleet that rode in the true city, and what the map has wrong."""

    network: StreetNetwork
    fleet: SyntheticFleet
    hidden: np.ndarray
    """(h, 2, 2) both ends of each hidden cut-through that ten riders rode, degrees."""
    shut: np.ndarray
    """Nodes of the map: gates that are shut in fact."""
    truth: StreetNetwork


def without_edges(network: StreetNetwork, gone: np.ndarray) -> StreetNetwork:
    """Return the network as a map that lacks some streets; bans over them are lost with them."""
    kept = np.setdiff1d(np.arange(len(network)), gone)
    number = np.full(len(network), -1)
    number[kept] = np.arange(len(kept))
    size = np.diff(network.geom_ptr)[kept]
    ptr = np.r_[0, np.cumsum(size)].astype(np.int64)
    points = np.repeat(network.geom_ptr[kept] - ptr[:-1], size) + np.arange(ptr[-1])
    changes: dict[str, Any] = {"geom_ptr": ptr}
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


def _missing(network: StreetNetwork, edge: int) -> bool:
    """Whether a map without the street lacks a link: a long way round, both ways, and no street beside it."""
    less = without_edges(network, np.array([edge]))
    points = network.edge_lonlat(edge)
    ends = less.snap(points[[0, -1]], "ebike", 30.0)
    if not ends.ok.all():
        return False
    way_s = travel_times_s(less, "ebike", ends, ends, 1800.0, threads=1)
    far = min(way_s[0, 1], way_s[1, 0])
    length = float(network.edge_length_m[edge])
    along = np.array(
        [network.edge_part(edge, share * length, length)[0] for share in np.linspace(0.2, 0.8, 9)]
    )
    beside = (
        less.snap(along, "foot", 15.0, fragments=True).ok | less.snap(along, "ebike", 15.0, fragments=True).ok
    )
    chord = float(np.hypot(*np.diff(network.project(points[[0, -1]]), axis=0)[0]))
    straight = chord >= 0.85 * length
    return straight and beside.mean() < 0.3 and 75.0 + length / 4.2 <= far < 1200.0


def made_inner(
    network: StreetNetwork, places: Places | None, options: FleetOptions, cuts: int = 6, gates: int = 4
) -> MadeInner:
    """Make a city and ride in it; the map lacks some streets and has some shut gates open.

    Shut are gates that two in five riders of a first fleet used; hidden are rather straight streets of 40 to
    250 m beside which there is no other, that a dozen riders use and that save more than a minute.
    """
    rng = np.random.default_rng([options.seed, 99])
    first = make_fleet(network, places, options)
    bit = mode_bit(options.mode)
    trip = np.repeat(np.arange(len(first.trips.ptr) - 1), np.diff(first.trips.ptr))
    edges = first.trips.edges.astype(np.int64)
    head = np.where(edges & 1 == 1, network.edge_u[edges >> 1], network.edge_v[edges >> 1])
    used = riders_in_groups(head, first.trip_rider[trip].astype(np.int64), len(network.node_id))
    able = np.flatnonzero(
        network.node_gate & (network.node_blocked & bit == 0) & (used >= 0.4 * options.riders)
    )
    shut = np.sort(rng.permutation(able)[:gates])
    blocked = network.node_blocked.copy()
    blocked[shut] |= bit
    truth = dataclasses.replace(network, node_blocked=blocked)
    fleet = make_fleet(truth, places, options)
    trip = np.repeat(np.arange(len(fleet.trips.ptr) - 1), np.diff(fleet.trips.ptr))
    edges = fleet.trips.edges.astype(np.int64) >> 1
    riders = riders_in_groups(edges, fleet.trip_rider[trip].astype(np.int64), len(network))
    length = network.edge_length_m
    quiet = (length >= 40) & (length <= 250) & (riders >= 12) & (network.edge_compound < 0)
    quiet &= network.edge_private & bit == 0
    hidden: list[int] = []
    for edge in rng.permutation(np.flatnonzero(quiet)).tolist():
        if len(hidden) == cuts:
            break
        nodes = {int(network.edge_u[edge]), int(network.edge_v[edge])}
        beside = {int(n) for e in hidden for n in (network.edge_u[e], network.edge_v[e])}
        if not nodes & beside and _missing(network, edge):
            hidden.append(edge)
    ends = np.array([truth.edge_lonlat(edge)[[0, -1]] for edge in hidden]).reshape(-1, 2, 2)
    return MadeInner(without_edges(network, np.array(hidden, np.int64)), fleet, ends, shut, truth)
