"""Gates and inner ways as riders find them: waits, gates shut in fact, cut-throughs that no map shows."""

from geo.inner_ways.compound_waits import CompoundWaits, compound_waits, with_waits
from geo.inner_ways.cut_throughs import CutThroughs, find_cut_throughs
from geo.inner_ways.gate_waits import GatePasses, WaitsAtGates, gate_passes, gate_waits
from geo.inner_ways.shut_gates import ShutGates, find_shut_gates
from geo.inner_ways.trodden import Trodden

__all__ = [
    "CompoundWaits",
    "CutThroughs",
    "GatePasses",
    "ShutGates",
    "Trodden",
    "WaitsAtGates",
    "compound_waits",
    "find_cut_throughs",
    "find_shut_gates",
    "gate_passes",
    "gate_waits",
    "with_waits",
]
