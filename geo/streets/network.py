"""The street network: one graph of edges for every mode, with gates, compounds and snapping.

Positions are (lon, lat) in WGS-84 degrees, arrays ``(n, 2)``. Edge ``e`` runs from node ``u`` to node
``v``; directed edge ``2 * e`` runs along it and ``2 * e + 1`` against it.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import shapely

from geo.arrays import BoolArray, Float32Array, FloatArray, Int32Array, Int64Array, UInt8Array, UInt32Array
from geo.earth import DEGREE_M
from geo.errors import InputError
from geo.streets.components import joined, mutually_reachable
from geo.streets.mode_graph import NO, ModeGraph, ModeStreets
from geo.streets.node_graph import node_graph
from geo.streets.overrides import Overridden, StreetOverride, apply_overrides
from geo.streets.raw import ALL_MODES, GATE_DELAY_S, MODES, Compounds, RawWays, mode_bit
from geo.streets.snapping import WALK_MPS, SegmentGrid, Snapped, StreetIndex, segment_grid
from geo.streets.storage import read_folder, write_folder
from geo.streets.turn_bans import Drive, unflat
from geo.streets.turn_graph import turn_graph

__all__ = [
    "ALL_MODES",
    "EBIKE_PROMISE_MPS",
    "GATE_DELAY_S",
    "MODES",
    "WALK_MPS",
    "Compounds",
    "ModeGraph",
    "RawWays",
    "Snapped",
    "StreetNetwork",
    "mode_bit",
]

EBIKE_PROMISE_MPS = 15 / 3.6
"""Delivery times of e-bikes are computed at no more than 15 km/h (national standard, December 2025)."""
VERSION = 5
"""Of the saved form."""
LONGEST_MS = float(1 << 30)
"""No street takes longer than 12 days, so that sums of a few fit into 32 bits."""
FRAGMENT_M = 1_000.0
"""Streets that hang together over less than this (and over less than a fifth of the largest part)
are a fragment."""


@dataclasses.dataclass(frozen=True, eq=False)
class StreetNetwork:
    """Edges between junctions, in the order of a Z-curve.

    Attributes
    ----------
    node_id : int64 (n,)
    node_lonlat : float64 (n, 2)
    node_blocked : uint8 (n,)
        Modes that cannot pass the node.
    node_gate : bool (n,)
    edge_u, edge_v : int32 (E,)
    edge_length_m : float64 (E,)
    geom_ptr : int64 (E + 1,)
    geom_lonlat : float64 (G, 2)
        Points of edge ``e`` in rows ``geom_ptr[e]`` to ``geom_ptr[e + 1]``, both ends included.
    geom_along_m : float64 (G,)
        Metres from ``u`` to each point.
    edge_way_id : int64 (E,)
        Way of the edge; the first one where several alike were joined.
    edge_name, edge_class : int32, uint8 (E,)
        Index into `names` (-1 for none) and `classes`.
    edge_access : uint8 (2, E)
        Modes that may go along (row 0) and against (row 1) the edge.
    edge_private : uint8 (E,)
        Modes that may use it only to reach or leave a place on it.
    edge_speed_mps : float32 (4, E)
    edge_compound : int32 (E,)
        Compound the edge lies in, -1 for none.
    edge_off_ground : bool (E,)
        Tunnels, bridges, ferries and the like: places are snapped to them last.
    turns_banned : int32 (k, 2)
        Pairs of directed edges that may not be taken one after the other.
    turn_modes : uint8 (k,)
        Modes that each pair binds.
    gate_delay_s : float
        Delay at gates that have none of their own.
    drive_ptr, drive_edge : int64 (d + 1,), int32
        Sequences of three directed edges or more that may not be driven, one after the other.
    drive_modes : uint8 (d,)
        Modes that each of them binds.
    left_out : mapping
        What the map holds and the network does not, counted by reason.
    """

    node_id: Int64Array
    node_lonlat: FloatArray
    node_blocked: UInt8Array
    node_gate: BoolArray
    edge_u: Int32Array
    edge_v: Int32Array
    edge_length_m: FloatArray
    geom_ptr: Int64Array
    geom_lonlat: FloatArray
    geom_along_m: FloatArray
    edge_way_id: Int64Array
    edge_name: Int32Array
    edge_class: UInt8Array
    edge_access: UInt8Array
    edge_private: UInt8Array
    edge_speed_mps: Float32Array
    edge_compound: Int32Array
    edge_off_ground: BoolArray
    turns_banned: Int32Array
    turn_modes: UInt8Array
    names: tuple[str, ...]
    classes: tuple[str, ...]
    compounds: Compounds
    gate_delay_s: float = GATE_DELAY_S
    drive_ptr: Int64Array = dataclasses.field(default_factory=lambda: np.zeros(1, np.int64))
    drive_edge: Int32Array = dataclasses.field(default_factory=lambda: np.empty(0, np.int32))
    drive_modes: UInt8Array = dataclasses.field(default_factory=lambda: np.empty(0, np.uint8))
    left_out: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def _cache(self) -> dict[str, Any]:
        """Graphs and masks made so far; not a field, so that `dataclasses.replace` starts without them."""
        return {}

    def __len__(self) -> int:
        return len(self.edge_u)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north of all streets, degrees; NaN without streets."""
        return self._corners

    @functools.cached_property
    def _corners(self) -> tuple[float, float, float, float]:
        if not len(self.geom_lonlat):
            return (np.nan,) * 4
        (west, south), (east, north) = self.geom_lonlat.min(axis=0), self.geom_lonlat.max(axis=0)
        return float(west), float(south), float(east), float(north)

    @functools.cached_property
    def _scale(self) -> tuple[FloatArray, FloatArray]:
        """Centre (degrees) and metres a degree there."""
        west, south, east, north = self.bounds
        degree_m = DEGREE_M
        centre = np.array([(west + east) / 2, (south + north) / 2])
        return centre, np.array([degree_m * np.cos(np.radians(centre[1])), degree_m])

    def project(self, lonlat: FloatArray) -> FloatArray:
        """Return metres east and north of the centre (equirectangular, good to 0.5% over a city)."""
        centre, metres = self._scale
        return np.asarray((np.asarray(lonlat, np.float64) - centre) * metres)

    def unproject(self, xy_m: FloatArray) -> FloatArray:
        """Return (lon, lat) degrees of plane metres: the inverse of `project`."""
        centre, metres = self._scale
        return np.asarray(np.asarray(xy_m, np.float64) / metres + centre)

    def edge_lonlat(self, edge: int) -> FloatArray:
        """Return the points (k, 2) of an edge from ``u`` to ``v``."""
        return self.geom_lonlat[self.geom_ptr[edge] : self.geom_ptr[edge + 1]]

    def edge_part(self, edge: int, low_m: float, high_m: float) -> FloatArray:
        """Return the points (k, 2) of an edge between two offsets from ``u``, `low_m` first."""
        rows = slice(self.geom_ptr[edge], self.geom_ptr[edge + 1])
        along, lonlat = self.geom_along_m[rows], self.geom_lonlat[rows]
        inner = lonlat[(along > low_m) & (along < high_m)]
        ends = np.stack([np.interp([low_m, high_m], along, lonlat[:, axis]) for axis in (0, 1)], axis=1)
        return np.concatenate([ends[:1], inner, ends[1:]])

    def graph(self, mode: str) -> ModeGraph:
        """Return the graph of a mode, built at the first call."""
        key = f"graph:{mode}"
        if key not in self._cache:
            build = turn_graph if mode == "car" else node_graph
            self._cache[key] = build(mode, self._streets(mode))
        graph: ModeGraph = self._cache[key]
        return graph

    def _streets(self, mode: str) -> ModeStreets:
        bit = mode_bit(mode)
        delay = self.compounds.gate_delay_s
        delay_s = np.where(np.isnan(delay), self.gate_delay_s, delay)
        return ModeStreets(
            ends=np.stack([self.edge_u, self.edge_v], axis=1),
            directed_cost_ms=self._directed_cost_ms(mode),
            private=self.edge_private & bit != 0,
            compound=self.edge_compound,
            blocked=self.node_blocked & bit != 0,
            gate=self.node_gate,
            compound_delay_ms=np.round(delay_s * 1000).astype(np.int64),
            gate_delay_ms=round(self.gate_delay_s * 1000),
            turns_banned=self.turns_banned[self.turn_modes & bit != 0],
            drives_banned=self.drives_banned(mode),
        )

    def drives_banned(self, mode: str) -> tuple[Drive, ...]:
        """Sequences of three directed edges or more that the mode may not drive."""
        drives, bit = unflat(self.drive_ptr, self.drive_edge), mode_bit(mode)
        return tuple(d for d, modes in zip(drives, self.drive_modes.tolist(), strict=True) if modes & bit)

    def turns_banned_for(self, mode: str) -> set[tuple[int, int]]:
        """Pairs of directed edges that the mode may not take one after the other."""
        pairs = self.turns_banned[self.turn_modes & mode_bit(mode) != 0].tolist()
        return {(before, after) for before, after in pairs}

    def _directed_cost_ms(self, mode: str) -> UInt32Array:
        bit = mode_bit(mode)
        speed = self.edge_speed_mps[MODES.index(mode)].astype(np.float64)
        if mode == "ebike":
            speed = np.minimum(speed, EBIKE_PROMISE_MPS)
        with np.errstate(divide="ignore"):
            cost = np.clip(np.round(self.edge_length_m / speed * 1000), 1, LONGEST_MS)
        allowed = (self.edge_access & bit != 0).T
        return np.where(allowed, cost[:, None], NO).astype(np.uint32).ravel()

    def usable(self, mode: str) -> BoolArray:
        """Return which edges (E,) the mode may use in one direction at least."""
        key = f"usable:{mode}"
        if key not in self._cache:
            either = self.edge_access[0] | self.edge_access[1]
            self._cache[key] = _frozen(np.asarray(either & mode_bit(mode) != 0))
        usable: BoolArray = self._cache[key]
        return usable

    def connected(self, mode: str) -> BoolArray:
        """Return which edges (E,) can be reached from, and lead to, more than a fragment of the streets.

        False for parts below `FRAGMENT_M` and for streets that one can only enter or only leave, such as
        one-way streets cut off by the edge of the map.
        """
        key = f"connected:{mode}"
        if key not in self._cache:
            part = self.components(mode, strong=True)
            length_m = np.bincount(part[part >= 0], self.edge_length_m[part >= 0])
            large = length_m >= min(FRAGMENT_M, length_m.max(initial=0.0) / 5)
            self._cache[key] = _frozen((part >= 0) & np.append(large, False)[part])
        connected: BoolArray = self._cache[key]
        return connected

    def _on_ground(self, mode: str) -> BoolArray:
        """Return which edges (E,) are connected and neither tunnel nor bridge nor ferry."""
        key = f"connected:{mode}:on ground"
        if key not in self._cache:
            self._cache[key] = _frozen(self.connected(mode) & ~self.edge_off_ground)
        found: BoolArray = self._cache[key]
        return found

    def with_speeds(self, mode: str, speed_mps: FloatArray) -> "StreetNetwork":
        """Return the network with other speeds (E,) of one mode; geometry and graphs are shared.

        Raises
        ------
        InputError
            If a speed is not above 0 m/s on an edge that the mode may use.
        """
        usable = self.usable(mode)
        speed = np.asarray(speed_mps, np.float32)
        if speed.shape != (len(self),):
            raise InputError(
                f"speeds must have one value for each of the {len(self)} edges, not {speed.shape}"
            )
        if not np.all((speed[usable] > 0) & (speed[usable] < np.inf)):
            raise InputError(f"the speed of {mode} must be above 0 m/s on every edge that it may use")
        table = self.edge_speed_mps.copy()
        table[MODES.index(mode)] = speed
        network = dataclasses.replace(self, edge_speed_mps=table)
        shared = ("graph:", "usable:", "connected:")
        network._cache.update({key: self._cache[key] for key in self._cache if key.startswith(shared)})
        graph = network._cache.pop(f"graph:{mode}", None)
        if graph is not None:
            network._cache[f"graph:{mode}"] = graph.with_costs(network._directed_cost_ms(mode))
        for name in ("_corners", "_scale", "_index"):
            if name in self.__dict__:
                network.__dict__[name] = self.__dict__[name]
        return network

    def with_overrides(self, overrides: Iterable[StreetOverride], at_s: float) -> "StreetNetwork":
        """Return the network as it is at an instant: streets and gates shut or slower.

        Only geometry is shared, and the graphs of modes for which nothing differs. Apply it to the network
        of the map, never to one with overrides, or those that are over stay.

        Parameters
        ----------
        overrides : iterable of StreetOverride
            Those that do not hold at the instant change nothing.
        at_s : float
            Epoch seconds.

        Raises
        ------
        InputError
            If an edge or a node is not of this network.
        """
        now = Overridden(self.edge_access, self.node_blocked, self.edge_speed_mps, 0)
        now = apply_overrides(now, [one for one in overrides if one.holds_at(at_s)], EBIKE_PROMISE_MPS)
        if not now.touched:
            return self
        network = dataclasses.replace(
            self,
            edge_access=now.edge_access,
            node_blocked=now.node_blocked,
            edge_speed_mps=now.edge_speed_mps,
        )
        same = [mode for mode in MODES if not now.touched & mode_bit(mode)]
        kept = {key: value for key, value in self._cache.items() if key.split(":")[1] in same}
        network._cache.update(kept)
        for name in ("_corners", "_scale", "_index", "_fences"):
            if name in self.__dict__:
                network.__dict__[name] = self.__dict__[name]
        return network

    def components(self, mode: str, *, strong: bool = False) -> Int32Array:
        """Return for each edge (E,) the part of the network it lies in, -1 where the mode may not go.

        Parts are numbered by falling length of their streets; a barrier separates. One-way streets count
        as connected both ways, unless `strong`: then only edges that can be reached from each other
        share a number (private ones as if they were public), and -1 stands as well for edges which one
        can only enter or only leave.
        """
        streets = self._streets(mode)
        if not strong:
            return joined(streets.ends, self.usable(mode), ~streets.blocked, self.edge_length_m)
        build = turn_graph if mode == "car" else node_graph
        public = dataclasses.replace(streets, private=np.zeros_like(streets.private))
        return mutually_reachable(build(mode, public), self.edge_length_m)

    def save(self, folder: pathlib.Path) -> None:
        """Write the network, the graphs of all modes and the snapping index; see `load`."""
        columns: dict[str, Any] = {}
        states: dict[str, int] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                columns[field.name] = value
        for mode in MODES:
            packed, states[mode] = self.graph(mode).pack()
            columns.update({f"{mode}.{name}": column for name, column in packed.items()})
            columns[f"connected.{mode}"] = self.connected(mode)
        index, grid = self._index, self._index.grid
        columns |= {"grid.low_m": grid.low_m, "grid.ptr": grid.ptr, "grid.segment": grid.segment}
        columns |= {"index.xy_m": index.xy_m, "index.segment_edge": index.segment_edge}
        outlines = shapely.to_wkb(np.array(self.compounds.polygons, dtype=object))
        columns["compounds.wkb"] = np.frombuffer(b"".join(outlines), np.uint8)
        columns["compounds.size"] = np.array([len(outline) for outline in outlines], np.int64)
        columns["compounds.gate_delay_s"] = self.compounds.gate_delay_s
        meta = {
            "version": VERSION,
            "corners": self.bounds if len(self) else [],
            "graphs": states,
            "grid": [grid.cell_m, grid.columns, grid.rows],
            "compounds": {"names": self.compounds.names, "kind": self.compounds.kind},
            "names": self.names,
            "classes": self.classes,
            "gate_delay_s": self.gate_delay_s,
            "left_out": dict(self.left_out),
        }
        write_folder(pathlib.Path(folder), columns, meta)

    @staticmethod
    def load(folder: pathlib.Path) -> "StreetNetwork":
        """Read what `save` wrote; columns are mapped, so that only what is used is read from disk.

        Raises
        ------
        InputError
            If the folder holds no saved network, or one of another version of the format.
        """
        columns, meta = read_folder(pathlib.Path(folder))
        if meta.get("version") != VERSION:
            raise InputError(
                f"{folder} was saved in format {meta.get('version')}, not {VERSION}: read the map again"
            )
        names = [field.name for field in dataclasses.fields(StreetNetwork)]
        ends = np.cumsum(columns["compounds.size"])
        blob = columns["compounds.wkb"].tobytes()
        outlines = [blob[end - size : end] for end, size in zip(ends, columns["compounds.size"], strict=True)]
        network = StreetNetwork(
            **{name: columns[name] for name in names if name in columns},
            names=tuple(meta["names"]),
            classes=tuple(meta["classes"]),
            compounds=Compounds(
                names=tuple(meta["compounds"]["names"]),
                polygons=tuple(shapely.from_wkb(outlines)),
                gate_delay_s=columns["compounds.gate_delay_s"],
                kind=tuple(meta["compounds"]["kind"]),
            ),
            gate_delay_s=meta["gate_delay_s"],
            left_out=meta["left_out"],
        )
        for mode, states in meta["graphs"].items():
            prefix = f"{mode}."
            packed = {name.removeprefix(prefix): c for name, c in columns.items() if name.startswith(prefix)}
            network._cache[f"graph:{mode}"] = ModeGraph.unpack(mode, states, packed)
            network._cache[f"connected:{mode}"] = columns[f"connected.{mode}"]
        cell_m, width, height = meta["grid"]
        low_m, ptr, segment = (columns[f"grid.{name}"] for name in ("low_m", "ptr", "segment"))
        grid = SegmentGrid(low_m, cell_m, width, height, ptr, segment)
        index = (columns["index.xy_m"], columns["index.segment_edge"], grid)
        network.__dict__["_index"] = network._index_of(*index)
        if len(network):
            network.__dict__["_corners"] = tuple(meta["corners"])
        return network

    @functools.cached_property
    def _index(self) -> StreetIndex:
        plane_m = self.project(self.geom_lonlat)
        segment_edge = np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.geom_ptr))
        return self._index_of(plane_m, segment_edge, segment_grid(plane_m, self.geom_ptr))

    def _index_of(self, xy_m: FloatArray, segment_edge: Int32Array, grid: SegmentGrid) -> StreetIndex:
        return StreetIndex(xy_m, self.geom_lonlat, self.geom_along_m, segment_edge, self.edge_compound, grid)

    def compound_of(self, lonlat: FloatArray) -> Int32Array:
        """Return the compound (n,) around each point, -1 outside of all; the smallest one where nested."""
        lonlat = np.asarray(lonlat, np.float64).reshape(-1, 2)
        found = np.full(len(lonlat), -1, np.int32)
        if len(self.compounds):
            tree, area = self._fences
            point, inside = tree.query(shapely.points(lonlat), predicate="intersects")
            order = np.argsort(-area[inside], kind="stable")
            found[point[order]] = inside[order]
        return found

    @functools.cached_property
    def _fences(self) -> tuple[shapely.STRtree, FloatArray]:
        """Tree over the outlines of the compounds, and their areas in square degrees."""
        polygons = np.array(self.compounds.polygons, dtype=object)
        return shapely.STRtree(polygons), shapely.area(polygons)

    def snap(
        self,
        lonlat: FloatArray,
        mode: str,
        max_m: float = 100.0,
        among: BoolArray | None = None,
        *,
        fragments: bool = False,
    ) -> Snapped:
        """Find for each point the nearest point of a street that the mode may use and leave again.

        A point inside a compound goes to a street of that compound, a point outside to a street
        outside; only where there is none within `max_m` does it cross the fence. Streets that hang
        together with no others (see `connected`) are taken only where no other is within `max_m`:
        beside a fragment of street one walks to the next real one. Before these come tunnels, bridges and the
        like, where no street on the ground is in reach: nobody gets into a tunnel through its roof.

        Parameters
        ----------
        lonlat : float64 (n, 2)
            WGS-84 degrees.
        mode : str
            One of `MODES`.
        max_m : float
            Points farther from any street are refused: edge -1, and `walk_m` says how far it would be.
        among : bool (E,), optional
            Only these edges, for instance those of one part of the network.
        fragments : bool
            Take the nearest street even if it leads nowhere: to measure how far a point is from any street.

        Raises
        ------
        InputError
            If a position is not finite or `max_m` is not above 0.
        """
        lonlat = np.asarray(lonlat, np.float64).reshape(-1, 2)
        if not np.isfinite(lonlat).all():
            raise InputError("a position to snap must be finite, (lon, lat) in degrees")
        if not 0 < max_m < np.inf:
            raise InputError(f"the longest walk to a street must be above 0 m, not {max_m}")
        zone = self.compound_of(lonlat)
        choices = [self.usable(mode)]
        if not fragments:
            choices = [self._on_ground(mode), self.connected(mode), *choices]
        if among is not None:
            choices = [_frozen(choice & among) for choice in choices]
        return self._index.nearest(lonlat, self.project(lonlat), zone, choices, float(max_m))


def _frozen(mask: BoolArray) -> BoolArray:
    """Make a mask read-only, as the kernels were compiled for."""
    mask.setflags(write=False)
    return mask
