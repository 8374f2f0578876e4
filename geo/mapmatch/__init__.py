"""Map matching: the streets that a trace followed, and who rode on each street when."""

from geo.mapmatch.flows import Passages, Traversals, traversals
from geo.mapmatch.matcher import MatchOptions

__all__ = ["MatchOptions", "Passages", "Traversals", "traversals"]
