"""Travel times, paths and isochrones on a street network."""

from geo.travel.by_hour import HourlyStreets, travel_times_by_hour_s
from geo.travel.ends import Touch, part_ms
from geo.travel.extent import Extent, snap_far
from geo.travel.isochrones import BESIDE_M, isochrone, part_lines, reached_parts
from geo.travel.nearest_source import nearest_source_s
from geo.travel.paths import Path, find_path, find_paths, ways_metres
from geo.travel.reasons import REASONS, why_unreachable
from geo.travel.search import (
    Adjacency,
    Goal,
    Targets,
    Workspace,
    new_workspace,
    reset,
    shortest_times,
    time_towards,
)
from geo.travel.times import reach_from, reach_to, travel_times_s

__all__ = [
    "BESIDE_M",
    "REASONS",
    "Adjacency",
    "Extent",
    "Goal",
    "HourlyStreets",
    "Path",
    "Targets",
    "Touch",
    "Workspace",
    "find_path",
    "find_paths",
    "isochrone",
    "nearest_source_s",
    "new_workspace",
    "part_lines",
    "part_ms",
    "reach_from",
    "reach_to",
    "reached_parts",
    "reset",
    "shortest_times",
    "snap_far",
    "time_towards",
    "travel_times_by_hour_s",
    "travel_times_s",
    "ways_metres",
    "why_unreachable",
]
