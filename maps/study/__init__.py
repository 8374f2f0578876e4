"""Layers of the study map."""

from maps.study.edits import edit_sentence
from maps.study.page import study_map

__all__ = ["edit_sentence", "study_map"]
