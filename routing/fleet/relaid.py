"""A fleet carried over to a network on which a few streets are shut, open again or slower.

A plan stays as it is where none of its places lies on such a street or may be snapped to one now, and none of
its legs could lead over one: a leg that is shorter than any way through the middle of the street did not use
it, and will not. All others are written anew.
"""

import numpy as np
import shapely

from geo.arrays import BoolArray, Int32Array, Int64Array
from geo.rings import spans
from geo.streets import Snapped, StreetNetwork
from geo.travel import travel_times_s
from routing.fleet.fleet import Fleet
from routing.fleet.kernels.legs import graph_of
from routing.fleet.kernels.row_updates import relink, relist
from routing.fleet.kernels.tables import Graph
from routing.fleet.mode_fleet import ModeFleet, as_ms
from routing.fleet.promises import promised

__all__ = ["MOST_STREETS", "lay_on"]

MOST_STREETS = 24
"""Where more streets than this are shut or slower, all plans are written anew: each costs two searches."""
MOST_CUT_OFF = 2_000
"""... and where more than this can no longer be come to, or can again: each costs a look at who is near."""
STATE_COLUMN = 1
"""Of the states by which one comes to a street."""
ROUNDED_MS = 10
"""What times that are rounded in the middle of a street may differ."""


def lay_on(fleet: Fleet, network: StreetNetwork, now_s: float) -> None:
    """Lay a fleet on streets of which some are shut, open again or slower.

    The plans that the change may concern are written anew, as of the instants of their positions; all others
    stay. The fleet is the one that `Fleet.put` would make of all its riders.

    Parameters
    ----------
    fleet : Fleet
    network : StreetNetwork
        The same streets as before, but for `StreetNetwork.with_overrides`.
    now_s : float
        Epoch seconds.
    """
    streets = promised(network, fleet.policy)
    anew: dict[str, int] = {}
    made: dict[str, ModeFleet] = {}
    whole: list[str] = []
    for mode, old in fleet.mode_fleets.items():
        found = _carried(old, streets)
        rows = np.flatnonzero(old.c.stops >= 0) if found is None else found[1]
        made[mode] = ModeFleet(streets, mode, fleet.policy) if found is None else found[0]
        anew |= {fleet.id_at(mode, row): int(old.c.at[row]) for row in rows.tolist()}
        if found is None:
            whole.append(mode)
    riders = [fleet.rider(rider_id) for rider_id in anew]
    # Whose columns are given up leaves them first: `put` would look for the rider's row in the new ones.
    fleet.remove([rider_id for rider_id in anew if fleet.row_of(rider_id)[0].mode in whole])
    fleet.take_streets(streets, made)
    fleet.put(riders, now_s)
    for rider_id, at_ms in anew.items():
        if rider_id in fleet and at_ms != as_ms(now_s):
            mode_fleet, row = fleet.row_of(rider_id)
            mode_fleet.c.at[row] = at_ms
            mode_fleet.renew(row)


def _carried(mode_fleet: ModeFleet, network: StreetNetwork) -> tuple[ModeFleet, Int64Array] | None:
    """Return the same riders in columns on another network, and the rows whose plans must be written anew.

    Parameters
    ----------
    mode_fleet : ModeFleet
    network : StreetNetwork
        The same streets as before, some of them shut, open again or slower.

    Returns
    -------
    tuple of ModeFleet and int64 (rows,), or None
        None: too much differs; all plans must be written anew.
    """
    mode, before = mode_fleet.mode, mode_fleet.network
    old, new = graph_of(before, mode), graph_of(network, mode)
    if old is not new and len(old.directed) != len(new.directed):
        return None
    states = _states(before, mode), _states(network, mode)
    if len(old.indptr) != len(new.indptr) and any(len(np.unique(one)) < len(one) for one in states):
        return None
    differs = (before.usable(mode) != network.usable(mode)) | (
        (old.directed != new.directed).reshape(-1, 2).any(axis=1)
    )
    streets = np.flatnonzero(differs)
    # What hangs by a street that is shut: no leg leads over it otherwise, but places are snapped elsewhere.
    cut_off = np.flatnonzero((before.connected(mode) != network.connected(mode)) & ~differs)
    blocked = not np.array_equal(before.node_blocked, network.node_blocked)
    if len(streets) > MOST_STREETS or len(cut_off) > MOST_CUT_OFF or (blocked and old is not new):
        return None
    touched = _touched(mode_fleet, network, (streets, cut_off), (old, new), states)
    return _copied(mode_fleet, network, states), np.flatnonzero(touched)


def _copied(
    mode_fleet: ModeFleet, network: StreetNetwork, states: tuple[Int64Array, Int64Array]
) -> ModeFleet:
    old, width = mode_fleet.c, mode_fleet.width
    made = ModeFleet(network, mode_fleet.mode, mode_fleet.policy, len(old.stops), width)
    columns = old._replace(following=made.c.following, previous=made.c.previous, active=made.c.active,
                           edge_head=made.c.edge_head)  # fmt: skip
    if len(states[0]) != len(states[1]):
        columns = columns._replace(ahead_state=_renumbered(old.ahead_state, *states))
    made.take_over(mode_fleet, columns)
    relink(made.graph, columns, width)
    relist(columns)
    return made


def _touched(
    mode_fleet: ModeFleet,
    network: StreetNetwork,
    changed: tuple[Int64Array, Int64Array],
    graphs: tuple[Graph, Graph],
    states: tuple[Int64Array, Int64Array],
) -> BoolArray:
    """Return (rows,) whose plans the streets may concern: those that differ, and those cut off by them."""
    streets = changed[0]
    all_streets = np.concatenate(changed)
    c, width = mode_fleet.c, mode_fleet.width
    rows = np.flatnonzero(c.stops >= 0)
    out = np.zeros(len(c.stops), np.bool_)
    if len(all_streets) == 0 or len(rows) == 0:
        return out
    counts = c.stops[rows].astype(np.int64) + 1
    row_of = np.repeat(rows, counts)
    within = spans(np.zeros_like(counts), counts)
    slots = row_of * width + within
    edge = c.edge[slots]
    hit = np.isin(edge, all_streets) | _arrives_otherwise(edge, *graphs, states)
    # Whoever stands within a walk of one of these may be snapped otherwise now.
    lines = [shapely.LineString(network.project(network.edge_lonlat(int(one)))) for one in all_streets]
    x, y = c.x[slots], c.y[slots]
    reach_m = mode_fleet.policy.walk_to_street_m
    for line in lines:
        west, south, east, north = line.buffer(2 * reach_m + 1.0).bounds
        near = np.flatnonzero((x > west) & (x < east) & (y > south) & (y < north))
        away_m = shapely.distance(line, shapely.points(x[near], y[near]))
        hit[near] |= away_m <= reach_m + c.walk_m[slots[near]] + 1.0
    out[row_of[hit]] = True
    legs = np.flatnonzero(within < counts[np.searchsorted(rows, row_of)] - 1)
    places = _places(mode_fleet, slots)
    leg_ms = c.leg[slots[legs]].astype(np.float64)
    out[row_of[legs[leg_ms < 0]]] = True  # no way before: there may be one now
    # Legs are told at the rider's own pace.
    base_ms = 1000.0 * leg_ms / c.factor[row_of[legs]]
    for streets_of in (mode_fleet.network, network):
        for one in streets.tolist():
            if not streets_of.usable(mode_fleet.mode)[one]:
                continue
            middle = _middle(streets_of, one)
            to_s = travel_times_s(streets_of, mode_fleet.mode, places, middle)[:, 0]
            from_s = travel_times_s(streets_of, mode_fleet.mode, middle, places)[0]
            through_ms = 1000.0 * (to_s[legs] + from_s[legs + 1])
            out[row_of[legs[through_ms <= base_ms + ROUNDED_MS]]] = True
    return out


def _states(network: StreetNetwork, mode: str) -> Int64Array:
    """Return (n_states,) names of states for both networks: numbers shift where a dead end is shut.

    Where states stand for directed edges several have one name; then their number alone tells them apart,
    the same as long as there are as many.
    """
    graph = network.graph(mode)
    return graph.state_node.astype(np.int64) * 8 + graph.state_layer


def _renumbered(found: Int32Array, before: Int64Array, after: Int64Array) -> Int32Array:
    """Return states by their numbers on the other network; -1 for none, and for those that are no more."""
    order = np.argsort(after)
    at = np.minimum(np.searchsorted(after[order], before), len(after) - 1)
    number = np.where(after[order][at] == before, order[at], -1)
    return np.append(number, -1)[found].astype(np.int32)


def _arrives_otherwise(
    edge: Int64Array, old: Graph, new: Graph, states: tuple[Int64Array, Int64Array]
) -> BoolArray:
    """Return (n,) whether one comes to, or leaves, a place on a street by other states than before."""
    shifted = len(old.indptr) != len(new.indptr)
    found = np.zeros(len(edge), np.bool_)
    if old is new:
        return found
    for side in (0, 1):
        d = 2 * edge + side
        for pairs in ((old.arrivals, new.arrivals), (old.departures, new.departures)):
            first, count = zip(*((ptr[d], ptr[d + 1] - ptr[d]) for ptr, _, _ in pairs), strict=True)
            found |= count[0] != count[1]
            for step in range(int(count[0].max(initial=0))):
                has = (step < count[0]) & ~found
                for column in (1, 2):
                    values = [pairs[k][column][first[k][has] + step] for k in (0, 1)]
                    if shifted and column == STATE_COLUMN:
                        values = [states[k][values[k]] for k in (0, 1)]
                    found[has] |= values[0] != values[1]
    return found


def _places(mode_fleet: ModeFleet, slots: Int64Array) -> Snapped:
    """Return the places of slots, without the walks to them: times through a street are never too long."""
    c = mode_fleet.c
    nothing = np.zeros(len(slots))
    return Snapped(c.edge[slots], c.offset_m[slots], c.lonlat[slots], nothing, nothing.astype(np.int64))


def _middle(network: StreetNetwork, edge: int) -> Snapped:
    at = np.array([edge], np.int32)
    nothing = np.zeros(1)
    return Snapped(at, network.edge_length_m[at] / 2, np.zeros((1, 2)), nothing, nothing.astype(np.int64))
