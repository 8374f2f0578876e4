"""What the traces taught beside demand, as it may be shown: every figure has k riders behind it or is None.

Hours are local hours of the city, 0-23.
"""

import dataclasses

__all__ = ["ClassSpeed", "TravelTimes"]


@dataclasses.dataclass(frozen=True, slots=True)
class ClassSpeed:
    """How fast riders are on one class of streets; only classes that k riders rode on are listed."""

    name: str
    """As OSM calls it, such as ``residential``."""
    class_kmh: float
    """What the study would take without traces."""
    kmh: float
    """As ridden, waits at lights and in traffic included."""
    slowest_hour: int | None
    """Of the working days, among the hours in which k riders rode there; None where there are none."""
    slowest_kmh: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class TravelTimes:
    """Whether the study went by learned travel times or by class speeds, why, and what that changed."""

    used: str
    """``learned`` or ``class``."""
    why: str
    """``better`` (than class speeds, on riders and days not seen), ``no_better``, ``few_riders``,
    ``few_trips``, or ``off`` where the study file asks for class speeds or for no paths."""
    held_out_trips: int | None = None
    """Behind the errors: trips of riders and days that were not learned from."""
    held_out_days: int | None = None
    error_class: float | None = None
    """Median absolute percentage error (0-1) of their durations by class speeds."""
    error_one_factor: float | None = None
    """By class speeds times one factor for the city."""
    error_learned: float | None = None
    classes: tuple[ClassSpeed, ...] = ()
    promise_share: float | None = None
    """What the matching goes by: so large a share of trips takes no longer than it expects."""
    promise_factor: float | None = None
    """How many times as long as the expected time that is."""
    streets_in_reach_class: float | None = None
    """Share of street kilometres from where a station of the plan is within the limit, by class speeds."""
    streets_in_reach: float | None = None
    """The same by the times that the study used."""
