"""The street network: one graph of edges for every mode of travel."""

from geo.streets.contraction import morton_order
from geo.streets.gates import compound_delay_at, lone_gates
from geo.streets.mode_graph import OUT, PUBLIC, ModeGraph, ModeStreets
from geo.streets.network import EBIKE_PROMISE_MPS, StreetNetwork
from geo.streets.overrides import StreetOverride
from geo.streets.raw import MODES, mode_bit
from geo.streets.snapping import Snapped, after_each_other

__all__ = [
    "EBIKE_PROMISE_MPS",
    "MODES",
    "OUT",
    "PUBLIC",
    "ModeGraph",
    "ModeStreets",
    "Snapped",
    "StreetNetwork",
    "StreetOverride",
    "after_each_other",
    "compound_delay_at",
    "lone_gates",
    "mode_bit",
    "morton_order",
]
