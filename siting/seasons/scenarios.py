"""Which days of a study tell of which season and part of the week."""

from datetime import date
from typing import Final

import numpy as np

from geo.arrays import BoolArray

__all__ = ["SEASON_DAYS", "WEEK_PART_DAYS", "scenarios_of"]

SEASONS: Final = (
    ("winter", (12, 1, 2)),
    ("spring", (3, 4, 5)),
    ("summer", (6, 7, 8)),
    ("autumn", (9, 10, 11)),
)
SEASON_DAYS: Final = 14
WEEK_PART_DAYS: Final = 2


def scenarios_of(days: tuple[str, ...], seen: BoolArray) -> dict[str, BoolArray]:
    """Return the days (d,) of each scenario that the days seen tell of.

    Seasons are those of the calendar in the north, of two weeks of days or more, where there are two of them;
    working days (Monday to Friday) and weekends of two days or more, where there are both. Public holidays
    are not told apart.

    Parameters
    ----------
    days : tuple of str
        Local days, ISO.
    seen : (d,)
        Which of them the choice sees.
    """
    found = [date.fromisoformat(day) for day in days]
    month = np.array([day.month for day in found])
    weekend = np.array([day.weekday() >= 5 for day in found], np.bool_)
    seasons = {name: np.isin(month, months) & seen for name, months in SEASONS}
    seasons = {name: mask for name, mask in seasons.items() if mask.sum() >= SEASON_DAYS}
    parts = {"working_days": ~weekend & seen, "weekend": weekend & seen}
    parts = {name: mask for name, mask in parts.items() if mask.sum() >= WEEK_PART_DAYS}
    return (seasons if len(seasons) > 1 else {}) | (parts if len(parts) > 1 else {})
