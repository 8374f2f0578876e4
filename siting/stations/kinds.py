"""Kinds of stations and the stations that stand today, as data.

Costs and seats are the planner's own figures (study file). The defaults are assumptions without a source,
round figures for comparing kinds with one another: ``assumed`` says so, and reports repeat it. What has a
source (DOMAIN.md) is the list of facilities, the kinds themselves and that stations of today are shut
(8:00-18:00) while riders work (17:00-22:00).
"""

import dataclasses

from geo.errors import InputError
from siting.stations.hours import OpeningHours, parse_hours

__all__ = ["KINDS", "SEVEN_ONES", "ExistingStation", "StationKind"]

SEVEN_ONES = ("room", "seats", "microwave", "water", "air_conditioning", "toilet", "first_aid")
"""Usual facilities of a station, the "seven ones" (DOMAIN.md): room, table and stools, microwave,
hot and cold water, air conditioning, toilet, first-aid box."""


@dataclasses.dataclass(frozen=True, slots=True)
class StationKind:
    """One kind of station.

    Attributes
    ----------
    name : ``micro``, ``standard`` or ``hub24``
    seats : riders who can rest at once, 1-1000; 60 rider-minutes an hour each
    fixed_yuan : yuan a year that do not depend on the hours
    hour_yuan : yuan a year for each hour of the day it is open
    patterns : allowed daily spans of whole local hours (start, end), 0-24
    facilities : names of what it has
    assumed : whether seats and costs are assumptions of this program rather than the planner's figures
    """

    name: str
    seats: int
    fixed_yuan: float
    hour_yuan: float
    patterns: tuple[tuple[int, int], ...]
    facilities: tuple[str, ...]
    assumed: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.seats <= 1000:
            raise InputError(f"station kind {self.name}: seats is {self.seats}, it must lie in 1-1000.")
        if self.fixed_yuan < 0 or self.hour_yuan < 0:
            raise InputError(f"station kind {self.name}: costs must be 0 or more.")
        if not self.patterns:
            raise InputError(f"station kind {self.name}: at least one shift pattern is needed.")
        for start, end in self.patterns:
            if not (0 <= start < 24 and start < end <= start + 24):
                raise InputError(
                    f"station kind {self.name}: pattern {start}-{end} must start in 0-23 and last 1-24 h."
                )

    @property
    def minutes_an_hour(self) -> float:
        """Rider-minutes it can serve in one hour."""
        return 60.0 * self.seats

    def cost_yuan(self, pattern: tuple[int, int]) -> float:
        """Return yuan a year with one shift pattern."""
        return self.fixed_yuan + self.hour_yuan * (pattern[1] - pattern[0])


KINDS = (
    StationKind(
        "micro",
        6,
        20_000.0,
        1_000.0,
        ((8, 20), (9, 22), (10, 22)),
        ("seats", "water", "charging"),
        assumed=True,
    ),
    StationKind(
        "standard",
        20,
        60_000.0,
        4_000.0,
        ((8, 18), (8, 22), (7, 23), (6, 24)),
        (*SEVEN_ONES, "charging", "parking"),
        assumed=True,
    ),
    StationKind(
        "hub24",
        50,
        150_000.0,
        6_000.0,
        ((0, 24),),
        (
            *SEVEN_ONES,
            "charging",
            "battery_swap",
            "smoking",
            "parking",
            "tools",
            "rain_gear",
            "lockers",
            "door_code",
        ),
        assumed=True,
    ),
)
"""Micro station (a corner in a tower, compound or shop), standard station, 24 h hub."""


@dataclasses.dataclass(frozen=True, slots=True)
class ExistingStation:
    """A station that stands today.

    Attributes
    ----------
    name : as its sign says
    lonlat : (lon, lat) WGS-84 degrees
    opening_hours : OSM form, ``8:00-18:00`` or ``24/7``
    kind : ``micro``, ``standard`` or ``hub24``
    facilities : names of what it has; None when nobody listed them
    cost_yuan : what it costs a year, None when unknown
    check_ins_a_day : riders who checked in there, a day, in weeks of at least k riders; None when not known
    check_in_weeks : how many such weeks
    """

    name: str
    lonlat: tuple[float, float]
    opening_hours: str = "Mo-Su 08:00-18:00"
    kind: str = "standard"
    facilities: tuple[str, ...] | None = None
    cost_yuan: float | None = None
    check_ins_a_day: float | None = None
    check_in_weeks: int = 0

    def __post_init__(self) -> None:
        lon, lat = self.lonlat
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise InputError(f"existing station {self.name!r}: ({lon}, {lat}) is no (lon, lat) in degrees.")
        if self.cost_yuan is not None and self.cost_yuan < 0:
            raise InputError(f"existing station {self.name!r}: cost_yuan must be 0 or more.")
        try:
            parse_hours(self.opening_hours)
        except InputError as error:
            raise InputError(f"existing station {self.name!r}: {error}") from error

    @property
    def hours(self) -> OpeningHours:
        """Its opening hours, read."""
        return parse_hours(self.opening_hours)
