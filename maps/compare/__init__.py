"""Two plans on one map."""

from maps.compare.swipe import compare_map

__all__ = ["compare_map"]
