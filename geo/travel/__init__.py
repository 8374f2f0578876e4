"""Travel times, paths and isochrones on a street network."""

from geo.travel.isochrones import BESIDE_M, reached_streets
from geo.travel.paths import Path, find_path
from geo.travel.reasons import REASONS, why_unreachable
from geo.travel.search import new_workspace, relax_seed, reset, shortest_times
from geo.travel.times import reach_from, reach_to, travel_times_s

__all__ = [
    "BESIDE_M",
    "REASONS",
    "Path",
    "find_path",
    "new_workspace",
    "reach_from",
    "reach_to",
    "reached_streets",
    "relax_seed",
    "reset",
    "shortest_times",
    "travel_times_s",
    "why_unreachable",
]
