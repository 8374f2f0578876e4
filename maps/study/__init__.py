"""Layers of the study map."""
