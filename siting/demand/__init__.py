"""Demand by place and hour: rests, due breaks, passing flow, and the hot spots among them."""

from siting.demand.hotspots import HotSpotRules
from siting.demand.weighted import DemandWeights

__all__ = ["DemandWeights", "HotSpotRules"]
