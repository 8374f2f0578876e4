"""Independent verification of plans."""

from routing.proof.chances import scenario_problems
from routing.proof.verify import Checker, Replay

__all__ = ["Checker", "Replay", "scenario_problems"]
