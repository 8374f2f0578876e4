"""Usable ways of a map file in columns, as they pass from one step of the reading to the next."""

from collections.abc import Mapping
from typing import NamedTuple

from geo.arrays import BoolArray, FloatArray, Int32Array, Int64Array, UInt8Array
from geo.osm.rules.access import WayRule

__all__ = ["StreetColumns"]


class StreetColumns(NamedTuple):
    """Usable ways of a file: rules and nodes, before compounds cut them."""

    way_id: Int64Array
    way_ptr: Int64Array
    way_ref: Int32Array
    ref_compound: Int32Array
    rule: Int32Array
    rules: tuple[WayRule, ...]
    name: Int32Array
    names: tuple[str, ...]
    node_id: Int64Array
    node_lonlat: FloatArray
    node_blocked: UInt8Array
    node_gate: BoolArray
    node_private: UInt8Array
    left_out: Mapping[str, int]
