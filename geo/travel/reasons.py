"""Why a place cannot be reached: said for each pair, never a silent far or zero."""

import math

import numpy as np
import numpy.typing as npt

from geo.streets.network import StreetNetwork
from geo.streets.snapping import Snapped
from geo.travel.times import travel_times_s

__all__ = ["REASONS", "why_unreachable"]

REASONS = (
    "reached",
    "source_off_streets",
    "target_off_streets",
    "other_component",
    "no_legal_way",
    "beyond_limit",
)
"""``other_component``: no street joins the two; ``no_legal_way``: only against one-ways, forbidden turns or
through private places."""


def why_unreachable(
    network: StreetNetwork, mode: str, sources: Snapped, targets: Snapped, limit_s: float = math.inf
) -> npt.NDArray[np.int8]:
    """Return for each pair (sources, targets) the index into `REASONS`."""
    times_s = travel_times_s(network, mode, sources, targets, limit_s)
    free_s = times_s if limit_s == math.inf else travel_times_s(network, mode, sources, targets)
    component = network.components(mode)
    apart = component[sources.edge][:, None] != component[targets.edge][None, :]
    code = np.full(times_s.shape, REASONS.index("no_legal_way"), np.int8)
    code[apart] = REASONS.index("other_component")
    code[:, ~targets.ok] = REASONS.index("target_off_streets")
    code[~sources.ok, :] = REASONS.index("source_off_streets")
    code[np.isfinite(free_s)] = REASONS.index("beyond_limit")
    code[np.isfinite(times_s)] = REASONS.index("reached")
    return code
