"""What a reader of maps hands over: ways on nodes with access per mode, in columns.

Positions are (lon, lat) in WGS-84 degrees, speeds metres a second. A set of modes is a byte whose
bit ``1 << MODES.index(mode)`` stands for the mode.
"""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from geo.arrays import BoolArray, Float32Array, FloatArray, Int32Array, Int64Array, UInt8Array
from geo.errors import InputError

__all__ = ["ALL_MODES", "GATE_DELAY_S", "MODES", "Compounds", "RawWays", "mode_bit"]

MODES = ("ebike", "bike", "car", "foot")
ALL_MODES = (1 << len(MODES)) - 1
GATE_DELAY_S = 360.0
"""Loss at a gate where riders are banned or must register: 5-8 min (Wujiang), 6 min an order (Hangzhou)."""


def mode_bit(mode: str) -> int:
    """Return the bit of a mode; raise `InputError` for an unknown one."""
    if mode not in MODES:
        raise InputError(f"the mode must be one of {', '.join(MODES)}, not {mode!r}")
    return 1 << MODES.index(mode)


@dataclasses.dataclass(frozen=True, eq=False)
class Compounds:
    """Fenced areas (residential compounds, campuses), one row each.

    Attributes
    ----------
    names : tuple of str
        Name, or an empty string.
    polygons : tuple of shapely geometries
        Outline, (lon, lat).
    gate_delay_s : float64 (c,)
        Seconds lost at a gate on the way in; NaN stands for the default of the network.
    kind : tuple of str
        What it is, such as ``residential`` or ``campus``.
    """

    names: tuple[str, ...] = ()
    polygons: tuple[BaseGeometry, ...] = ()
    gate_delay_s: FloatArray = dataclasses.field(default_factory=lambda: np.empty(0))
    kind: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.names)
        if not len(self.polygons) == len(self.gate_delay_s) == len(self.kind) == count:
            raise InputError("compounds need as many names as polygons, gate delays and kinds")
        if np.any(self.gate_delay_s < 0) or np.any(np.isinf(self.gate_delay_s)):
            raise InputError("a gate delay must be 0 s or more, or NaN for the default")

    def __len__(self) -> int:
        return len(self.names)


@dataclasses.dataclass(frozen=True, eq=False)
class RawWays:
    """Ways as they stand on the map, the input of `StreetNetwork.build`.

    Way ``w`` runs over the nodes ``way_ref[way_ptr[w]:way_ptr[w + 1]]``. A way whose access or privacy
    changes at a fence is given as two ways; ``ref_compound`` alone makes no street private.

    Attributes
    ----------
    node_id : int64 (n,)
    node_lonlat : float64 (n, 2)
        NaN where the extract lacks the node; its segments are left out.
    way_id : int64 (w,)
    way_ptr : int64 (w + 1,)
    way_ref : int32 (way_ptr[-1],)
        Index into the nodes.
    ref_compound : int32, as long as `way_ref`
        Compound of the segment from this reference to the next, -1 for none.
    way_access : uint8 (2, w)
        Modes that may go along (row 0) and against (row 1) the way.
    way_private : uint8 (w,)
        Modes that may use it only to reach or to leave a place on it.
    way_speed_mps : float32 (4, w)
        Speed of each mode of `MODES`; used where the mode has access.
    way_off_ground : bool (w,), optional
        Tunnels, bridges, ferries and the like: places are snapped to them last.
    way_name, way_class : int32, uint8 (w,)
        Index into `names` (-1 for none) and `classes`.
    node_blocked : uint8 (n,)
        Modes that cannot pass this node.
    node_gate : bool (n,)
    node_private : uint8 (n,), optional
        Modes that may pass this node only to a place behind it.
    compounds : Compounds
    restrictions : int64 (r, 3)
        From way (index), via node (index), to way (index).
    restriction_only : bool (r,)
        True: only this turn is allowed; False: this turn is forbidden.
    restriction_modes : uint8 (r,)
        Modes that it binds.
    drive_ptr, drive_node : int64 (d + 1,), int32 (drive_ptr[-1],)
        Restrictions over ways, as nodes (index) one after the other: the last segment before, the ways
        between, the first segment after.
    drive_only : bool (d,)
        True: after all but the last segment only this one is allowed; False: it is forbidden.
    drive_modes : uint8 (d,)
    left_out : mapping
        What the map holds and these columns do not, counted by reason.
    """

    node_id: Int64Array
    node_lonlat: FloatArray
    way_id: Int64Array
    way_ptr: Int64Array
    way_ref: Int32Array
    ref_compound: Int32Array
    way_access: UInt8Array
    way_private: UInt8Array
    way_speed_mps: Float32Array
    way_name: Int32Array
    way_class: UInt8Array
    names: tuple[str, ...]
    classes: tuple[str, ...]
    node_blocked: UInt8Array
    node_gate: BoolArray
    compounds: Compounds = dataclasses.field(default_factory=Compounds)
    way_off_ground: BoolArray = dataclasses.field(default_factory=lambda: np.empty(0, np.bool_))
    node_private: UInt8Array = dataclasses.field(default_factory=lambda: np.empty(0, np.uint8))
    restrictions: Int64Array = dataclasses.field(default_factory=lambda: np.empty((0, 3), np.int64))
    restriction_only: BoolArray = dataclasses.field(default_factory=lambda: np.empty(0, np.bool_))
    restriction_modes: UInt8Array = dataclasses.field(default_factory=lambda: np.empty(0, np.uint8))
    drive_ptr: Int64Array = dataclasses.field(default_factory=lambda: np.zeros(1, np.int64))
    drive_node: Int32Array = dataclasses.field(default_factory=lambda: np.empty(0, np.int32))
    drive_only: BoolArray = dataclasses.field(default_factory=lambda: np.empty(0, np.bool_))
    drive_modes: UInt8Array = dataclasses.field(default_factory=lambda: np.empty(0, np.uint8))
    left_out: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        nodes, ways, refs = len(self.node_id), len(self.way_id), len(self.way_ref)
        if not len(self.node_private):
            object.__setattr__(self, "node_private", np.zeros(nodes, np.uint8))
        if not len(self.way_off_ground):
            object.__setattr__(self, "way_off_ground", np.zeros(ways, np.bool_))
        shapes: dict[str, tuple[tuple[int, ...], npt.DTypeLike]] = {
            "node_id": ((nodes,), np.int64),
            "node_lonlat": ((nodes, 2), np.float64),
            "way_id": ((ways,), np.int64),
            "way_ptr": ((ways + 1,), np.int64),
            "way_ref": ((refs,), np.int32),
            "ref_compound": ((refs,), np.int32),
            "way_access": ((2, ways), np.uint8),
            "way_private": ((ways,), np.uint8),
            "way_speed_mps": ((len(MODES), ways), np.float32),
            "way_name": ((ways,), np.int32),
            "way_class": ((ways,), np.uint8),
            "way_off_ground": ((ways,), np.bool_),
            "node_blocked": ((nodes,), np.uint8),
            "node_gate": ((nodes,), np.bool_),
            "node_private": ((nodes,), np.uint8),
            "restrictions": ((len(self.restrictions), 3), np.int64),
            "restriction_only": ((len(self.restrictions),), np.bool_),
            "restriction_modes": ((len(self.restrictions),), np.uint8),
            "drive_ptr": ((len(self.drive_only) + 1,), np.int64),
            "drive_node": ((int(self.drive_ptr[-1]),), np.int32),
            "drive_only": ((len(self.drive_only),), np.bool_),
            "drive_modes": ((len(self.drive_only),), np.uint8),
        }
        for name, (shape, dtype) in shapes.items():
            column = getattr(self, name)
            if column.shape != shape or column.dtype != dtype:
                wanted = f"{np.dtype(dtype).name} of shape {shape}"
                raise InputError(f"{name} must be {wanted}, not {column.dtype.name} of {column.shape}")
        self._check_ranges(nodes, ways, refs)

    def _check_ranges(self, nodes: int, ways: int, refs: int) -> None:
        if self.way_ptr[0] != 0 or self.way_ptr[-1] != refs or np.any(np.diff(self.way_ptr) < 0):
            raise InputError(f"way_ptr must rise from 0 to {refs}")
        if self.drive_ptr[0] != 0 or np.any(np.diff(self.drive_ptr) < 4):
            raise InputError("drive_ptr must rise from 0, by 4 nodes or more each")
        _within("node of a restriction over ways", self.drive_node, 0, nodes - 1)
        _within("way_ref", self.way_ref, 0, nodes - 1)
        _within("ref_compound", self.ref_compound, -1, len(self.compounds) - 1)
        _within("way_name", self.way_name, -1, len(self.names) - 1)
        _within("way_class", self.way_class, 0, len(self.classes) - 1)
        _within("way_access", self.way_access, 0, ALL_MODES)
        _within("way_private", self.way_private, 0, ALL_MODES)
        _within("node_blocked", self.node_blocked, 0, ALL_MODES)
        _within("from way of a restriction", self.restrictions[:, 0], 0, ways - 1)
        _within("via node of a restriction", self.restrictions[:, 1], 0, nodes - 1)
        _within("to way of a restriction", self.restrictions[:, 2], 0, ways - 1)
        known = ~np.isnan(self.node_lonlat).any(axis=1)
        _within("longitude of a node", self.node_lonlat[known, 0], -180, 180)
        _within("latitude of a node", self.node_lonlat[known, 1], -90, 90)
        either = self.way_access[0] | self.way_access[1]
        for row, mode in enumerate(MODES):
            used = (either >> row) & 1 == 1
            speed = self.way_speed_mps[row][used]
            if not np.all((speed > 0) & (speed < math.inf)):
                raise InputError(f"the speed of {mode} must be above 0 m/s on every way that it may use")


def _within(name: str, column: npt.NDArray[np.generic], low: int, high: int) -> None:
    if column.size and (column.min() < low or column.max() > high):
        raise InputError(f"{name} must be {low} to {high}, not {column.min()} to {column.max()}")
