"""Map matching: the streets that a trace followed, and how often each street is ridden."""

from geo.mapmatch.matcher import Matcher, MatchOptions

__all__ = ["MatchOptions", "Matcher"]
