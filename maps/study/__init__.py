"""Layers of the study map."""

from maps.study.page import study_map

__all__ = ["study_map"]
