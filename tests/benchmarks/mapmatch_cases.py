"""Traces with a known route: Kubicka tracks, and simulated rides on a real map; how far a match is off."""

import dataclasses
import pathlib
import tarfile

import numpy as np
import osmium
import shapely
from numpy.typing import NDArray

from geo.streets.build import build_network
from geo.streets.network import ALL_MODES, MODES, RawWays, StreetNetwork, mode_bit
from geo.travel.many_paths import route_trips

__all__ = ["Track", "TrackMap", "kubicka_maps", "mismatch", "simulated_map"]

Floats = NDArray[np.float64]
COMBINATIONS = ((2, 5), (5, 10), (10, 10), (10, 20), (30, 10), (30, 20))
NEAR_M = 4.0


@dataclasses.dataclass(frozen=True)
class Track:
    """One trace: (lon, lat, t) in rows, and its true route as lines of (lon, lat)."""

    trace: Floats
    truth: list[Floats]


@dataclasses.dataclass(frozen=True)
class TrackMap:
    """A map, its file for the peers, and tracks by case with the noise that is told to every matcher."""

    name: str
    mode: str
    network: StreetNetwork
    pbf: pathlib.Path
    cases: dict[str, tuple[float, list[Track]]]


def _network(
    nodes: Floats, u: NDArray[np.int64], v: NDArray[np.int64], both: NDArray[np.bool_]
) -> StreetNetwork:
    n, w = len(nodes), len(u)
    return build_network(
        RawWays(
            node_id=np.arange(n, dtype=np.int64),
            node_lonlat=nodes,
            way_id=np.arange(w, dtype=np.int64),
            way_ptr=np.arange(0, 2 * w + 1, 2, dtype=np.int64),
            way_ref=np.column_stack([u, v]).ravel().astype(np.int32),
            ref_compound=np.full(2 * w, -1, np.int32),
            way_access=np.array([np.full(w, ALL_MODES), np.where(both, ALL_MODES, 0)], np.uint8),
            way_private=np.zeros(w, np.uint8),
            way_speed_mps=np.full((len(MODES), w), 10, np.float32),
            way_name=np.full(w, -1, np.int32),
            way_class=np.zeros(w, np.uint8),
            names=(),
            classes=("road",),
            node_blocked=np.zeros(n, np.uint8),
            node_gate=np.zeros(n, np.bool_),
        )
    )


def _write_pbf(
    file: pathlib.Path, nodes: Floats, u: NDArray[np.int64], v: NDArray[np.int64], both: NDArray[np.bool_]
) -> None:
    make = osmium.osm.mutable
    with osmium.SimpleWriter(str(file), overwrite=True) as writer:
        for i, (lon, lat) in enumerate(nodes.tolist()):
            writer.add_node(make.Node(id=i + 1, location=(lon, lat), version=1))
        for i in range(len(u)):
            tags = {"highway": "primary", "maxspeed": "60"} | ({} if both[i] else {"oneway": "yes"})
            writer.add_way(make.Way(id=i + 1, nodes=[int(u[i]) + 1, int(v[i]) + 1], tags=tags, version=1))


def kubicka_maps(archive: pathlib.Path, folder: pathlib.Path, most: int) -> list[TrackMap]:
    """Read the tracks of Kubicka et al. (2015), every second one of a hundred, at 1, 10 and 30 s."""
    tables: dict[str, dict[str, Floats]] = {}
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            path = pathlib.PurePath(member.name)
            file = tar.extractfile(member)
            if file is not None and path.suffix in (".nodes", ".arcs", ".track", ".route"):
                tables.setdefault(path.stem, {})[path.suffix] = np.loadtxt(file, ndmin=2)
    maps = []
    for name in sorted(tables)[:most]:
        table = tables[name]
        nodes = np.ascontiguousarray(table[".nodes"][:, :2])
        arcs = table[".arcs"].astype(np.int64)
        route = arcs[table[".route"].astype(np.int64).ravel()]
        apart = arcs[arcs[:, 0] != arcs[:, 1]]
        key = np.unique(apart[:, 0] * len(nodes) + apart[:, 1])
        u, v = key // len(nodes), key % len(nodes)
        both = np.isin(v * len(nodes) + u, key)
        once = (u < v) | ~both
        u, v, both = u[once], v[once], both[once]
        pbf = folder / f"kubicka-{name}.osm.pbf"
        if not pbf.exists():
            _write_pbf(pbf, nodes, u, v, both)
        truth = [nodes[pair] for pair in route]
        track = table[".track"][:, :3]
        cases = {f"kubicka-{step}s": (10.0, [Track(track[::step], truth)]) for step in (1, 10, 30)}
        maps.append(TrackMap(f"kubicka-{name}", "car", _network(nodes, u, v, both), pbf, cases))
    return maps


def _ride(line: Floats, network: StreetNetwork, dt: int, sigma: float, rng: np.random.Generator) -> Track:
    """4.2 m/s along a line; noise half correlated over 20 s and half white."""
    xy = network.project(line)
    along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(xy, axis=0), axis=1))]
    t = np.arange(0.0, along[-1] / 4.2, dt)
    at = 4.2 * t
    true = np.column_stack([np.interp(at, along, xy[:, k]) for k in range(2)])
    white, slow = rng.normal(size=(len(t), 2)), rng.normal(size=(len(t), 2))
    a = np.exp(-dt / 20.0)
    for i in range(1, len(t)):
        slow[i] = a * slow[i - 1] + np.sqrt(1.0 - a * a) * slow[i]
    seen = network.unproject(true + sigma * np.sqrt(0.5) * (white + slow))
    ridden = np.vstack([true[:1], xy[(along > at[0]) & (along < at[-1])], true[-1:]])
    return Track(np.column_stack([seen, 1.7e9 + t]), [network.unproject(ridden)])


def simulated_map(pbf: pathlib.Path, network: StreetNetwork, count: int, mode: str = "bike") -> TrackMap:
    """Ride `count` fastest ways of 1-5 km, at six combinations of interval (s) and noise (m)."""
    rng = np.random.default_rng(7)
    edges = np.flatnonzero((network.components(mode) == 0) & (network.edge_private & mode_bit(mode) == 0))
    points = network.node_lonlat[network.edge_u[rng.choice(edges, 8 * count)]]
    source = np.arange(0, len(points), 2, dtype=np.int32)
    xy = network.project(points)
    away = np.linalg.norm(xy[source] - xy[source + 1], axis=1)
    wanted = (away > 1000) & (away < 3000)
    trips = route_trips(network, mode, network.snap(points, mode), source, source + 1, wanted)
    lines = []
    for i in np.flatnonzero(trips.found):
        inner = trips.edges[trips.ptr[i] + 1 : trips.ptr[i + 1] - 1]
        pieces = [network.edge_lonlat(d >> 1)[:: -1 if d & 1 else 1] for d in inner]
        if len(pieces) > 2:
            lines.append(np.concatenate([pieces[0], *[piece[1:] for piece in pieces[1:]]]))
    cases = {
        f"simulated-{dt}s-{sigma}m": (
            float(sigma),
            [_ride(line, network, dt, sigma, rng) for line in lines[:count]],
        )
        for dt, sigma in COMBINATIONS
    }
    return TrackMap(pbf.name.split(".")[0], mode, network, pbf, cases)


def mismatch(truth: list[Floats], found: list[Floats]) -> float:
    """Route mismatch fraction (Newson and Krumm 2009, section 5.1) from geometry, in plane metres.

    Length of the true route farther than 4 m from the found one, plus length of the found one farther than
    4 m from the true one, over the length of the true route.
    """
    right = shapely.union_all([shapely.LineString(line) for line in truth if len(line) > 1])
    lines = [shapely.LineString(line) for line in found if len(line) > 1]
    if not lines:
        return 1.0
    ridden = shapely.union_all(lines)
    missing = shapely.length(shapely.difference(right, shapely.buffer(ridden, NEAR_M)))
    extra = sum(shapely.length(shapely.difference(line, shapely.buffer(right, NEAR_M))) for line in lines)
    return float((missing + extra) / shapely.length(right))
