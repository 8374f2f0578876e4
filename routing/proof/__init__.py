"""Independent verification of plans."""

from routing.proof.verify import Checker

__all__ = ["Checker"]
