"""Layers of the map of one match."""
