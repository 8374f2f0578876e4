"""Where synthetic riders go: restaurants, homes and rest places of the map; streets where it is thin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.places import Places
from geo.streets.mode_graph import NO, ModeGraph
from geo.streets.network import StreetNetwork, mode_bit
from geo.streets.snapping import Snapped
from geo.synthetic.rides import RideStreets
from geo.synthetic.shifts import Times, Venues
from geo.synthetic.traffic import GateTraffic, Traffic
from geo.travel.search import adjacency, new_workspace, shortest_times
from geo.travel.times import travel_times_s

__all__ = ["Found", "VenueSource", "find_venues", "riding_streets", "riding_times", "venue_source"]

MOST_SHOPS, MOST_HOMES, MOST_RESTS = 600, 4000, 60
FEWEST_SHOPS, FEWEST_HOMES = 25, 150
NEAR_M = 90.0
#: Classes of streets where traffic lights stand, and where homes are.
BIG = ("trunk", "primary", "secondary", "tertiary")
QUIET = ("residential", "living_street", "service", "unclassified", "road", "footway", "path", "pedestrian")
GATE_MEDIAN_S = 240.0
HIDDEN_SHARE = 0.06


@dataclass(frozen=True)
class VenueSource:
    """Places of the map by use, (n, 2) WGS-84 degrees each; any of them may be empty.

    Attributes
    ----------
    restaurants, homes : float64 (n, 2)
    parks, malls : float64 (n, 2)
        Where riders like to rest, in the open and under a roof.
    """

    restaurants: NDArray[np.float64]
    homes: NDArray[np.float64]
    parks: NDArray[np.float64]
    malls: NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """Venues, and where each of them touches the streets; `invented` counts those that no map shows."""

    venues: Venues
    snapped: Snapped
    invented: int


def venue_source(places: Places | None) -> VenueSource:
    """Sort the places of a map by what riders do there; no map of places: four empty lists.

    Where few buildings are marked as homes, every building may be one: most of them are ``building=yes``.
    """
    none = np.empty((0, 2))
    if places is None:
        return VenueSource(none, none, none, none)

    def of_kinds(*kinds: str) -> NDArray[np.float64]:
        wanted = [k for k, name in enumerate(places.kinds) if name in kinds]
        return places.poi_lonlat[np.isin(places.poi_kind, wanted)]

    buildings = places.buildings
    size = np.diff(buildings.ptr)
    centre = none
    if len(size):
        total = (
            np.add.reduceat(buildings.lonlat, buildings.ptr[:-1]) - buildings.lonlat[buildings.ptr[1:] - 1]
        )
        centre = (total / np.maximum(size - 1, 1)[:, None])[
            np.unique(buildings.polygon, return_index=True)[1]
        ]
    homes = centre[places.building_home] if len(centre) else none
    if len(homes) < FEWEST_HOMES:
        homes = centre
    green = places.green
    edge_of_park = green.lonlat[green.ptr[:-1]] if len(green) else none
    return VenueSource(
        restaurants=of_kinds("restaurant", "fast_food", "cafe", "food_court", "marketplace", "bakery"),
        homes=np.concatenate([homes, of_kinds("home")]),
        parks=np.concatenate([of_kinds("park"), edge_of_park]),
        malls=of_kinds("mall", "supermarket", "cinema"),
    )


def find_venues(
    network: StreetNetwork, source: VenueSource, mode: str, radius_m: float, rng: np.random.Generator
) -> Found:
    """Choose restaurants, homes and rest places that a rider can reach and leave again.

    Parameters
    ----------
    network : StreetNetwork
    source : VenueSource
        Where it has fewer than 25 restaurants or 150 homes, points beside streets stand in: restaurants in
        bunches where streets are dense, homes along quiet streets.
    mode : str
    radius_m : float
        A fleet works in a circle about the densest quarter: of restaurants, if enough, else of streets.
    rng : numpy.random.Generator

    Returns
    -------
    Found

    Raises
    ------
    InputError
        When the largest connected part of the network is too short (500 m) for the mode to ride on.
    """
    part = network.components(mode)
    open_edges = np.flatnonzero((part == 0) & (network.edge_private & mode_bit(mode) == 0))
    length = float(network.edge_length_m[open_edges].sum())
    if length < 500.0:
        raise InputError(
            f"a synthetic fleet needs 500 m of connected streets for {mode}, the map has {length:.0f} m"
        )
    middles = network.middle_lonlat(np.arange(len(network)))
    crowd = source.restaurants if len(source.restaurants) >= FEWEST_SHOPS else middles[open_edges]
    inside = _Circle(network, crowd, radius_m, rng)
    open_edges = open_edges[inside.holds(middles[open_edges])]
    reach = _Reach(network, mode, part, inside)
    shops = reach.keep(_some(source.restaurants, MOST_SHOPS, rng))
    invented = 0
    if len(shops) < FEWEST_SHOPS:
        more = reach.keep(_bunches(network, open_edges, FEWEST_SHOPS * 2, rng))
        invented += len(more)
        shops = np.concatenate([shops, more])
    homes = reach.keep(_some(source.homes, MOST_HOMES, rng))
    if len(homes) < FEWEST_HOMES:
        quiet = open_edges[np.isin(network.edge_class[open_edges], _classes(network, QUIET))]
        more = reach.keep(_beside(network, quiet if len(quiet) else open_edges, FEWEST_HOMES * 3, rng))
        invented += len(more)
        homes = np.concatenate([homes, more])
    if len(shops) < 1 or len(homes) < 2:
        raise InputError(
            f"a synthetic fleet needs streets that {mode} may ride both out and back; the map has none"
        )
    corners = reach.keep(_corners(network, open_edges, shops, rng))
    parks = reach.keep(_some(source.parks, MOST_RESTS // 3, rng))
    malls = reach.keep(_some(source.malls, MOST_RESTS // 4, rng))
    rests = np.concatenate([corners[: max(8, min(MOST_RESTS, len(shops) // 8)) // 2 + 4], parks, malls])
    if len(rests) == 0:
        rests = shops[:1]
    lonlat = np.concatenate([shops, homes, rests])
    sizes = np.cumsum([0, len(shops), len(homes), len(rests)])
    indoors = np.ones(len(lonlat), np.bool_)
    indoors[sizes[2] : sizes[3] - len(malls)] = False
    venues = Venues(
        lonlat=lonlat,
        xy_m=network.project(lonlat),
        restaurants=np.arange(sizes[0], sizes[1]),
        homes=np.arange(sizes[1], sizes[2]),
        rests=np.arange(sizes[2], sizes[3]),
        indoors=indoors,
    )
    return Found(venues, network.snap(lonlat, mode, NEAR_M), invented)


def riding_times(network: StreetNetwork, mode: str, found: Found, limit_s: float = 2100.0) -> Times:
    """Compute how long riders need between the venues, up to `limit_s`."""
    venues, snapped = found.venues, found.snapped
    shops, homes, rests = (snapped.take(k) for k in (venues.restaurants, venues.homes, venues.rests))
    return Times(
        shop_home=travel_times_s(network, mode, shops, homes, limit_s),
        shop_shop=travel_times_s(network, mode, shops, shops, limit_s),
        place_rest=travel_times_s(network, mode, snapped, rests, limit_s),
    )


def _classes(network: StreetNetwork, wanted: tuple[str, ...]) -> NDArray[np.int64]:
    names = [name.removesuffix("_link") for name in network.classes]
    return np.array([k for k, name in enumerate(names) if name in wanted], np.int64)


def _some(lonlat: NDArray[np.float64], most: int, rng: np.random.Generator) -> NDArray[np.float64]:
    if len(lonlat) <= most:
        return lonlat.reshape(-1, 2)
    return lonlat[np.sort(rng.choice(len(lonlat), most, replace=False))]


def _on_edges(
    network: StreetNetwork, edges: NDArray[np.int64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Points at a share of the length of each edge."""
    out = np.empty((len(edges), 2))
    for i, (edge, part) in enumerate(zip(edges.tolist(), share.tolist(), strict=True)):
        rows = slice(network.geom_ptr[edge], network.geom_ptr[edge + 1])
        at = part * network.edge_length_m[edge]
        for k in range(2):
            out[i, k] = np.interp(at, network.geom_along_m[rows], network.geom_lonlat[rows, k])
    return out


def _beside(
    network: StreetNetwork, edges: NDArray[np.int64], count: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Doors 8-25 m beside streets, each metre of street as likely as any other."""
    weight = np.cumsum(network.edge_length_m[edges])
    chosen = edges[np.minimum(np.searchsorted(weight, rng.random(count) * weight[-1]), len(edges) - 1)]
    xy = network.project(_on_edges(network, chosen, rng.uniform(0.1, 0.9, count)))
    angle = rng.uniform(0, 2 * np.pi, count)
    xy += rng.uniform(8.0, 25.0, count)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return network.unproject(xy)


def _bunches(
    network: StreetNetwork, edges: NDArray[np.int64], count: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Places in bunches of about six; edges weigh the same at any length, so dense quarters get more."""
    centres = network.project(
        _on_edges(network, rng.choice(edges, max(3, count // 6)), rng.random(max(3, count // 6)))
    )
    xy = centres[rng.integers(0, len(centres), count)] + rng.normal(0.0, 60.0, (count, 2))
    return network.unproject(xy)


def _corners(
    network: StreetNetwork, edges: NDArray[np.int64], shops: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Junctions 30-200 m from a restaurant, at least 250 m from one another: where riders wait."""
    nodes = np.unique(np.concatenate([network.edge_u[edges], network.edge_v[edges]]))
    xy = network.project(network.node_lonlat[nodes])
    shop_xy = network.project(shops)
    chosen: list[int] = []
    taken = np.empty((0, 2))
    for k in rng.permutation(len(nodes)).tolist():
        near = np.hypot(*(shop_xy - xy[k]).T).min()
        if 30.0 <= near <= 200.0 and (not chosen or np.hypot(*(taken - xy[k]).T).min() >= 250.0):
            chosen.append(k)
            taken = np.vstack([taken, xy[k]])
            if len(chosen) >= MOST_RESTS:
                break
    # A few metres off the junction itself, on the pavement.
    away = rng.uniform(6.0, 14.0, len(chosen))[:, None] * _unit(rng.uniform(0, 2 * np.pi, len(chosen)))
    return network.unproject(xy[chosen] + away) if chosen else np.empty((0, 2))


def _unit(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([np.cos(angle), np.sin(angle)])


class _Circle:
    """Where the fleet works: about the place with the most others within 1 km."""

    def __init__(
        self, network: StreetNetwork, crowd: NDArray[np.float64], radius_m: float, rng: np.random.Generator
    ) -> None:
        self.network, self.radius_m = network, radius_m
        xy = network.project(_some(crowd, 1500, rng))
        near = (np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) < 1000.0).sum(axis=1)
        self.centre = xy[int(np.argmax(near))]

    def holds(self, lonlat: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.asarray(np.hypot(*(self.network.project(lonlat) - self.centre).T) <= self.radius_m)


class _Reach:
    """Which places can be reached from, and left for, one hub in the largest part of the network."""

    def __init__(self, network: StreetNetwork, mode: str, part: NDArray[np.int32], inside: "_Circle") -> None:
        self.network, self.mode, self.inside = network, mode, inside
        graph = network.graph(mode)
        both = (graph.directed_cost_ms.reshape(-1, 2) != NO).all(axis=1)
        open_edges = network.edge_private & mode_bit(mode) == 0
        hubs = np.flatnonzero((part == 0) & both & open_edges)
        if len(hubs) == 0:
            hubs = np.flatnonzero((part == 0) & open_edges)
        best = -1
        for hub in hubs[np.linspace(0, len(hubs) - 1, min(5, len(hubs))).astype(int)].tolist():
            edges = _round_trip(graph, hub)
            if int(edges.sum()) > best:
                best, self.edges = int(edges.sum()), edges

    def keep(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the places that lie on such a street."""
        if len(lonlat) == 0:
            return lonlat.reshape(-1, 2)
        lonlat = lonlat[self.inside.holds(lonlat)]
        snapped = self.network.snap(lonlat, self.mode, NEAR_M)
        return lonlat[snapped.ok & self.edges[np.maximum(snapped.edge, 0)]]


def _round_trip(graph: ModeGraph, hub: int) -> NDArray[np.bool_]:
    """Edges (E,) on which a trip from the hub can end and a trip to the hub can begin."""
    ok = np.ones(len(graph.directed_cost_ms) // 2, np.bool_)
    depart, arrive = (graph.depart_ptr, graph.depart_state), (graph.arrive_ptr, graph.arrive_state)
    forward, backward = (adjacency(graph, towards=towards) for towards in (False, True))
    for arcs, near, far in ((forward, depart, arrive), (backward, arrive, depart)):
        space = new_workspace(graph)
        seeds = near[1][near[0][2 * hub] : near[0][2 * hub + 2]].astype(np.int32)
        shortest_times(arcs, seeds, np.zeros(len(seeds), np.uint32), int(NO) - 1, space)
        directed = np.repeat(np.arange(len(graph.directed_cost_ms)), np.diff(far[0]))
        reached = np.zeros(len(graph.directed_cost_ms), np.bool_)
        reached[directed[space.dist[far[1]] != NO]] = True
        ok &= reached.reshape(-1, 2).any(axis=1)
    return ok


def riding_streets(
    network: StreetNetwork,
    mode: str,
    rng: np.random.Generator,
    traffic: Traffic,
    gates: GateTraffic,
    ahead_s: int,
) -> RideStreets:
    """Lay traffic, lights and gates on the network, mapped gates and (6% of quiet streets) unmapped ones.

    `ahead_s` is how many seconds local time is ahead of UTC.
    """
    edges, nodes = len(network.edge_u), len(network.node_id)
    big = np.isin(network.edge_class, _classes(network, BIG))
    ends = np.concatenate([network.edge_u, network.edge_v])
    degree = np.bincount(ends, minlength=nodes)
    on_big = np.bincount(ends, np.tile(big, 2), minlength=nodes)
    chance = np.where((degree >= 3) & (on_big >= 2), 0.4, np.where(degree >= 4, 0.06, 0.0))
    signal = rng.random(nodes) < chance
    quiet = np.isin(network.edge_class, _classes(network, QUIET))
    inside = network.edge_compound >= 0
    hidden = quiet & ~inside & (network.edge_length_m > 40.0) & (rng.random(edges) < HIDDEN_SHARE)
    delay = network.compounds.gate_delay_s
    of_edge = delay[np.maximum(network.edge_compound, 0)] if len(delay) else np.full(edges, np.nan)
    return RideStreets(
        edge_u=network.edge_u,
        edge_v=network.edge_v,
        length_m=network.edge_length_m,
        cost_ms=_slowed(network.graph(mode).directed_cost_ms, traffic.lasting),
        geom_ptr=network.geom_ptr,
        geom_lonlat=network.geom_lonlat,
        geom_m=network.geom_along_m,
        gate_s=gates.lasting
        * np.where(inside, np.where(np.isnan(of_edge), GATE_MEDIAN_S, of_edge), 0.0).astype(np.float32),
        compound=network.edge_compound,
        signal=signal,
        hidden_s=np.where(hidden, rng.uniform(80.0, 280.0, edges), 0.0).astype(np.float32),
        slow=traffic.slow,
        group=traffic.group,
        ahead_s=ahead_s,
        gate_slow=gates.slow,
    )


def _slowed(cost_ms: NDArray[np.uint32], factor: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return the cost of each directed edge times a factor; what may not be used stays so."""
    return np.where(cost_ms == NO, cost_ms, np.round(cost_ms * factor.astype(np.float64))).astype(np.uint32)
