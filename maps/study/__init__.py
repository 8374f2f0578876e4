"""Layers of the study map."""

from maps.study.page import study_map
from maps.study.proposals import edit_sentence

__all__ = ["edit_sentence", "study_map"]
