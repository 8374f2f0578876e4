"""Independent verification of plans."""

from routing.proof.verify import Checker, Replay

__all__ = ["Checker", "Replay"]
