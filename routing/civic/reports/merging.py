"""Reports of the same matter: same kind, near to the first report, within a day of it."""

import math
from collections.abc import Iterable

from geo.earth import RADIUS_M
from routing.civic.reports.events import Report
from routing.civic.reports.rules import ReportRules
from routing.civic.reports.state import MatterState

__all__ = ["belongs", "distance_m", "same_matter"]


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return metres between two (lon, lat) in degrees on the sphere (haversine)."""
    lon_a, lat_a, lon_b, lat_b = (math.radians(value) for value in (*a, *b))
    across = math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * RADIUS_M * math.asin(math.sqrt(min(math.sin((lat_b - lat_a) / 2) ** 2 + across, 1.0)))


def belongs(state: MatterState, report: Report, rules: ReportRules) -> bool:
    """Return whether a report is about a matter.

    It is held against the matter's first report, so that a chain of reports does not wander down the street.
    """
    first = state.first
    return (
        report.kind == first.kind
        and abs(report.made_s - first.made_s) <= rules.same_within_s
        and distance_m(report.lonlat, first.lonlat) <= rules.same_within_m
    )


def same_matter(matters: Iterable[MatterState], report: Report, rules: ReportRules) -> MatterState | None:
    """Return the matter that a report is about: the nearest one, of several the oldest; None: a new one."""
    fitting = [state for state in matters if belongs(state, report, rules)]
    return min(
        fitting,
        key=lambda s: (distance_m(report.lonlat, s.first.lonlat), s.first.made_s, s.matter_id),
        default=None,
    )
