"""When offices work: time limits in working hours become instants."""

import dataclasses
import datetime
import math
from zoneinfo import ZoneInfo

from geo.errors import InputError
from geo.localtime import zone
from routing.model.checks import check_between

__all__ = ["OfficeHours"]

_LONGEST_DAYS = 1_000
"""Days looked at for the end of a limit: more holidays than that are a mistake."""


@dataclasses.dataclass(frozen=True, slots=True)
class OfficeHours:
    """The working time of a city's offices.

    Raises `InputError` for an unknown zone, hours out of range, or a week without a working day.
    """

    timezone: str
    opens_h: float = 9.0
    closes_h: float = 17.0
    """Local hours; 8 a day, as our limits in working days count them. Breaks at noon count as work."""
    weekdays: frozenset[int] = frozenset(range(5))
    """Days of the week with work, Monday 0 to Sunday 6."""
    holidays: frozenset[datetime.date] = frozenset()
    extra_days: frozenset[datetime.date] = frozenset()
    """Days that are worked although the week says otherwise (调休)."""

    def __post_init__(self) -> None:
        zone(self.timezone)
        check_between("opens_h", self.opens_h, 0.0, 24.0)
        check_between("closes_h", self.closes_h, 0.0, 24.0)
        if not self.opens_h < self.closes_h:
            raise InputError(f"Offices open at {self.opens_h} h and close at {self.closes_h} h: not after.")
        if not self.weekdays or not self.weekdays <= set(range(7)):
            raise InputError("weekdays must hold at least one of 0 (Monday) to 6 (Sunday), and nothing else.")

    def worked(self, day: datetime.date) -> bool:
        """Return whether offices work on a day."""
        return day in self.extra_days or (day.weekday() in self.weekdays and day not in self.holidays)

    def end_of(self, start_s: float, working_s: float) -> float:
        """Return the instant at which so much working time has passed.

        Parameters
        ----------
        start_s : float
            Epoch seconds.
        working_s : float
            Seconds of working time, above 0.

        Returns
        -------
        float
            Epoch seconds.

        Raises
        ------
        InputError
            If there is no such instant within 1,000 days.
        """
        where = zone(self.timezone)
        left_s = working_s
        first = datetime.datetime.fromtimestamp(start_s, where).date()
        for number in range(_LONGEST_DAYS):
            day = first + datetime.timedelta(days=number)
            if not self.worked(day):
                continue
            opens_s, closes_s = (_instant_s(day, hour, where) for hour in (self.opens_h, self.closes_h))
            begins_s = max(opens_s, start_s)
            if begins_s + left_s <= closes_s:
                return begins_s + left_s
            left_s -= max(closes_s - begins_s, 0.0)
        raise InputError(f"{working_s} s of working time do not end within {_LONGEST_DAYS} days.")


def _instant_s(day: datetime.date, hour: float, where: ZoneInfo) -> float:
    """Return the instant of an hour on the wall, epoch seconds."""
    whole = math.floor(hour)
    day, whole = (day, whole) if whole < 24 else (day + datetime.timedelta(days=1), 0)
    wall = datetime.datetime.combine(day, datetime.time(whole), where)
    return wall.timestamp() + (hour - math.floor(hour)) * 3_600.0
