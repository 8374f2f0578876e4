"""Map matching: the streets that a trace followed, and who entered each street when."""

from geo.mapmatch.flows import Passages, passages
from geo.mapmatch.matcher import MatchOptions

__all__ = ["MatchOptions", "Passages", "passages"]
