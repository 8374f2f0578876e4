"""The street network: one graph of edges for every mode, with gates, compounds and snapping.

Positions are (lon, lat) in WGS-84 degrees, arrays ``(n, 2)``. Edge ``e`` runs from node ``u`` to node
``v``; directed edge ``2 * e`` runs along it and ``2 * e + 1`` against it.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from geo.arrays import BoolArray, Float32Array, FloatArray, Int32Array, Int64Array, UInt8Array, UInt32Array
from geo.earth import DEGREE_M
from geo.errors import InputError
from geo.streets.components import joined, mutually_reachable
from geo.streets.costs import EBIKE_PROMISE_MPS, directed_cost_ms
from geo.streets.mode_graph import ModeGraph, ModeStreets
from geo.streets.node_graph import node_graph
from geo.streets.overrides import Overridden, StreetOverride, apply_overrides
from geo.streets.raw import ALL_MODES, GATE_DELAY_S, MODES, Compounds, RawWays, mode_bit
from geo.streets.snapping import WALK_MPS, Fences, SegmentGrid, Snapped, StreetIndex, segment_grid
from geo.streets.storage import columns_of_compounds, compounds_of_columns, read_folder, write_folder
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

VERSION = 5
"""Of the saved form."""
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
    turn_modes : uint8 (k,), the modes that each pair binds
    gate_delay_s : float
        Delay at gates that have none of their own.
    drive_ptr, drive_edge : int64 (d + 1,), int32
        Sequences of three directed edges or more that may not be driven, one after the other.
    drive_modes : uint8 (d,)
        Modes that each of them binds.
    time_factor : float32 (2E,) or (0,)
        How many times as long a directed edge takes `factor_mode` as its speed says; empty: none is known.
    factor_mode : str
        One of `MODES`, or empty.
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
    time_factor: Float32Array = dataclasses.field(default_factory=lambda: np.empty(0, np.float32))
    factor_mode: str = ""
    left_out: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def _cache(self) -> dict[str, Any]:
        """Graphs and masks made so far; not a field, so that `dataclasses.replace` starts without them."""
        return {}

    def __len__(self) -> int:
        return len(self.edge_u)

    @functools.cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north of all streets, degrees; NaN without streets."""
        if not len(self.geom_lonlat):
            return (np.nan,) * 4
        (west, south), (east, north) = self.geom_lonlat.min(axis=0), self.geom_lonlat.max(axis=0)
        return float(west), float(south), float(east), float(north)

    @functools.cached_property
    def _scale(self) -> tuple[FloatArray, FloatArray]:
        """Centre (degrees) and metres a degree there."""
        west, south, east, north = self.bounds
        centre = np.array([(west + east) / 2, (south + north) / 2])
        return centre, np.array([DEGREE_M * np.cos(np.radians(centre[1])), DEGREE_M])

    def project(self, lonlat: FloatArray) -> FloatArray:
        """Return metres east and north of the centre (equirectangular, good to 0.5% over a city)."""
        return np.asarray((np.asarray(lonlat, np.float64) - self._scale[0]) * self._scale[1])

    def unproject(self, xy_m: FloatArray) -> FloatArray:
        """Return (lon, lat) degrees of plane metres: the inverse of `project`."""
        return np.asarray(np.asarray(xy_m, np.float64) / self._scale[1] + self._scale[0])

    def edge_lonlat(self, edge: int) -> FloatArray:
        """Return the points (k, 2) of an edge from ``u`` to ``v``."""
        return self.geom_lonlat[self.geom_ptr[edge] : self.geom_ptr[edge + 1]]

    def middle_lonlat(self, edges: Int64Array) -> FloatArray:
        """Return the middle one (n, 2) of the points of each edge."""
        return np.asarray(self.geom_lonlat[(self.geom_ptr[edges] + self.geom_ptr[edges + 1]) // 2])

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
        speed = self.edge_speed_mps[MODES.index(mode)].astype(np.float64)
        allowed = (self.edge_access & mode_bit(mode) != 0).T.ravel()
        factor = self.time_factor.astype(np.float64) if mode == self.factor_mode else None
        most = EBIKE_PROMISE_MPS if mode == "ebike" else np.inf
        return directed_cost_ms(self.edge_length_m, speed, allowed, factor, most)

    def usable(self, mode: str) -> BoolArray:
        """Return which edges (E,) the mode may use in one direction at least."""
        either = self.edge_access[0] | self.edge_access[1]
        return self._mask(f"usable:{mode}", lambda: np.asarray(either & mode_bit(mode) != 0))

    def _mask(self, key: str, make: Callable[[], BoolArray]) -> BoolArray:
        if key not in self._cache:
            self._cache[key] = _frozen(make())
        mask: BoolArray = self._cache[key]
        return mask

    def connected(self, mode: str) -> BoolArray:
        """Return which edges (E,) can be reached from, and lead to, more than a fragment of the streets.

        False for parts below `FRAGMENT_M` and for streets that one can only enter or only leave, such as
        one-way streets cut off by the edge of the map.
        """

        def make() -> BoolArray:
            part = self.components(mode, strong=True)
            length_m = np.bincount(part[part >= 0], self.edge_length_m[part >= 0])
            large = length_m >= min(FRAGMENT_M, length_m.max(initial=0.0) / 5)
            return np.asarray((part >= 0) & np.append(large, False)[part])

        return self._mask(f"connected:{mode}", make)

    def _on_ground(self, mode: str) -> BoolArray:
        """Return which edges (E,) are connected and neither tunnel nor bridge nor ferry."""
        on_ground = f"connected:{mode}:on ground"
        return self._mask(on_ground, lambda: np.asarray(self.connected(mode) & ~self.edge_off_ground))

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
        return self._with_costs(mode, dataclasses.replace(self, edge_speed_mps=table))

    def with_times(self, mode: str, factor: FloatArray) -> "StreetNetwork":
        """Return the network with learned times of one mode; geometry and graphs are shared.

        Parameters
        ----------
        mode : str
            One of `MODES`.
        factor : float (2E,)
            How many times as long each directed edge takes as its speed says. E-bikes stay within the speed
            that may be promised.

        Raises
        ------
        InputError
            If there is not one factor above 0 for each directed edge, or another mode has its own.
        """
        mode_bit(mode)
        times = np.asarray(factor, np.float32)
        if times.shape != (2 * len(self),) or not np.all((times > 0) & (times < np.inf)):
            raise InputError(f"learned times must have one factor above 0 for each of {2 * len(self)} edges")
        if self.factor_mode not in ("", mode):
            raise InputError(f"the network has learned times of {self.factor_mode} already, not of {mode}")
        return self._with_costs(mode, dataclasses.replace(self, time_factor=times, factor_mode=mode))

    def _with_costs(self, mode: str, network: "StreetNetwork") -> "StreetNetwork":
        """Share geometry and graphs with a network that differs in the times of one mode alone."""
        shared = ("graph:", "usable:", "connected:")
        network._cache.update({key: self._cache[key] for key in self._cache if key.startswith(shared)})
        graph = network._cache.pop(f"graph:{mode}", None)
        if graph is not None:
            network._cache[f"graph:{mode}"] = graph.with_costs(network._directed_cost_ms(mode))
        return self._with_geometry(network)

    def _with_geometry(self, network: "StreetNetwork", *also: str) -> "StreetNetwork":
        for name in ("bounds", "_scale", "_index", *also):
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
        columns = {name: value for name, value in now._asdict().items() if name != "touched"}
        network = dataclasses.replace(self, **columns)
        same = [mode for mode in MODES if not now.touched & mode_bit(mode)]
        kept = {key: value for key, value in self._cache.items() if key.split(":")[1] in same}
        network._cache.update(kept)
        return self._with_geometry(network, "_fences")

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
        columns |= columns_of_compounds(self.compounds)
        meta = {
            "version": VERSION,
            "corners": self.bounds if len(self) else [],
            "graphs": states,
            "grid": [grid.cell_m, grid.columns, grid.rows],
            "compounds": {"names": self.compounds.names, "kind": self.compounds.kind},
            "names": self.names,
            "classes": self.classes,
            "gate_delay_s": self.gate_delay_s,
            "factor_mode": self.factor_mode,
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
        network = StreetNetwork(
            **{name: columns[name] for name in names if name in columns},
            names=tuple(meta["names"]),
            classes=tuple(meta["classes"]),
            compounds=compounds_of_columns(columns, meta["compounds"]),
            gate_delay_s=meta["gate_delay_s"],
            factor_mode=meta.get("factor_mode", ""),
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
            network.__dict__["bounds"] = tuple(meta["corners"])
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
        return self._fences.around(np.asarray(lonlat, np.float64).reshape(-1, 2))

    @functools.cached_property
    def _fences(self) -> Fences:
        """The outlines of the compounds."""
        return Fences(np.array(self.compounds.polygons, dtype=object))

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
            choices = [choice & among for choice in choices]
        return self._index.nearest(lonlat, self.project(lonlat), zone, choices, float(max_m))


def _frozen(mask: BoolArray) -> BoolArray:
    """Make a mask read-only, as the kernels were compiled for."""
    mask.setflags(write=False)
    return mask
