"""The street network: one graph of edges for every mode, with gates, compounds and snapping."""

from geo.rawways import ALL_MODES, GATE_DELAY_S, MODES, Compounds, RawWays, mode_bit
from geo.snapping import WALK_MPS, Snapped

__all__ = [
    "ALL_MODES",
    "GATE_DELAY_S",
    "MODES",
    "WALK_MPS",
    "Compounds",
    "RawWays",
    "Snapped",
    "mode_bit",
]
