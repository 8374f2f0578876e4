"""The rules of the civic side as one value: of reports, of closures, of what helping brings."""

import dataclasses
import datetime
import functools

import shapely

from routing.civic import EARNING, ClosureRules, EarningRules, OfficeHours, ReportRules, ScoreRules
from siting.results import GridFigures, Ring
from siting.stations import country_of, free_and_worked_days

__all__ = ["CivicRules", "GridFinder", "civic_rules"]

_YEARS = 3


@dataclasses.dataclass(frozen=True, slots=True)
class CivicRules:
    """What the city has laid down."""

    reports: ReportRules
    closures: ClosureRules = dataclasses.field(default_factory=ClosureRules)
    earning: EarningRules = EARNING
    score: ScoreRules = dataclasses.field(default_factory=ScoreRules)


def civic_rules(timezone: str, day: datetime.date) -> CivicRules:
    """Return the standing rules of a city, with the holidays of the years around a day.

    Parameters
    ----------
    timezone : str
        Of the city, such as ``Asia/Shanghai``.
    day : date
        Today.
    """
    country = country_of(timezone)
    holidays: set[datetime.date] = set()
    worked: set[datetime.date] = set()
    for year in range(day.year - 1, day.year + _YEARS):
        free, extra = (frozenset(), frozenset()) if country is None else free_and_worked_days(country, year)
        holidays |= free
        worked |= extra
    hours = OfficeHours(timezone, holidays=frozenset(holidays), extra_days=frozenset(worked))
    return CivicRules(ReportRules(hours))


def _area(rings: tuple[Ring, ...]) -> shapely.Geometry:
    """Return what lies within an odd number of rings: a hole is a ring inside of another."""
    empty: shapely.Geometry = shapely.Polygon()
    return functools.reduce(shapely.symmetric_difference, map(shapely.Polygon, rings), empty)


class GridFinder:
    """In which unit grid a place lies."""

    def __init__(self, grids: tuple[GridFigures, ...]) -> None:
        self._codes = [grid.code for grid in grids]
        self._tree = shapely.STRtree([_area(grid.rings) for grid in grids])

    def code_at(self, lonlat: tuple[float, float]) -> str | None:
        """Return the code of the unit grid of a place (WGS-84 degrees); None outside of all."""
        found = self._tree.query(shapely.Point(lonlat), predicate="intersects")
        return self._codes[int(found.min())] if len(found) else None
