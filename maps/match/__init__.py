"""Layers of the map of one match."""

from maps.match.layers import MatchPicture
from maps.match.page import match_map
from maps.match.view import match_picture

__all__ = ["MatchPicture", "match_map", "match_picture"]
