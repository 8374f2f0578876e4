"""The speeds that a policy promises: no faster than the rules allow."""

import numpy as np

from geo.streets import EBIKE_PROMISE_MPS, MODES, StreetNetwork
from routing.model.policy import Policy

__all__ = ["promised"]


def promised(network: StreetNetwork, policy: Policy) -> StreetNetwork:
    """Return the network with e-bike speeds no higher than the policy promises."""
    if policy.ebike_promise_mps >= EBIKE_PROMISE_MPS:
        return network
    speed = np.minimum(network.edge_speed_mps[MODES.index("ebike")], policy.ebike_promise_mps)
    slower = network.with_speeds("ebike", speed.astype(np.float64))
    if slower.factor_mode != "ebike":
        return slower
    # What was learned may not make a promise faster than the policy's.
    return slower.with_times("ebike", np.maximum(slower.time_factor, 1.0))
