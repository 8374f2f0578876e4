"""What the traces taught beside demand, as it may be shown: every figure has k riders behind it or is None.

Hours are local hours of the city, 0-23.
"""

import dataclasses

__all__ = ["BlindGrid", "BlindSpots", "ClassSpeed", "Meeting", "Meetings", "Patrol", "TravelTimes"]

Line = tuple[tuple[float, float], ...]


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
    compounds_learned: int | None = None
    """Compounds at whose gates the study takes what riders waited there."""
    compound_wait_s: float | None = None
    """Median of these waits, each as all day."""
    streets_in_reach_class: float | None = None
    """Share of street kilometres from where a station of the plan is within the limit, by class speeds."""
    streets_in_reach: float | None = None
    """The same by the times that the study used."""


@dataclasses.dataclass(frozen=True, slots=True)
class BlindGrid:
    """What riders see of one unit grid; shares are of the metres of its public streets."""

    code: str
    unseen_share: float | None
    """Share (0-1) that nobody passes in an hour, mean over the hours 6:00 to 22:00 of all days."""
    worst_hour: int | None
    """Hour of these in which most is unseen, or seen by fewer than k riders; the first of several."""
    worst_weekday: int | None
    """Weekday (0: Monday) on which most is unseen, or seen by fewer than k riders."""
    wait_median_min: float | None
    """Minutes until somebody under way can be at a place of the grid: the median over places and hours."""
    wait_p90_min: float | None
    """Nine in ten are no longer; None also where there it takes more than an hour."""


@dataclasses.dataclass(frozen=True, slots=True)
class Patrol:
    """One round through the streets of a grid that nobody passes."""

    grid_code: str
    hour: int
    lonlat: tuple[float, float]
    """Where it begins."""
    minutes: float
    unseen_before: float
    """Share (0-1) of the metres of public streets in the grid that nobody passes in this hour, or fewer than
    k riders in all."""
    unseen_after: float
    """The same with the patrol."""
    line: Line
    """The streets that it adds, by the middle of each, in order."""


@dataclasses.dataclass(frozen=True, slots=True)
class BlindSpots:
    """Where and when riders see nothing."""

    hours: tuple[tuple[float | None, ...], ...]
    """[weekday][hour]: share (0-1) of all metres of public streets that nobody passes; None where fewer than
    k riders stand behind it, or the period has no such day."""
    grids: tuple[BlindGrid, ...]
    """Most unseen first."""
    streets: tuple[Line, ...]
    """Public streets that fewer than k riders passed in the whole period, the longest first."""
    streets_share: float
    """Their share (0-1) of the metres of public streets."""
    patrols: tuple[Patrol, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Meeting:
    """One date on which riders are met: a station, a weekday and a half hour."""

    site_id: str
    weekday: int
    """0: Monday."""
    half_hour: int
    """0-47: 0 begins at 0:00."""
    riders: int | None
    """Different riders who rest long enough and near enough; None for fewer than k."""


@dataclasses.dataclass(frozen=True, slots=True)
class Meetings:
    """Dates chosen together, so that most different riders are met at least once."""

    minutes: int
    """How long one date takes."""
    dates: tuple[Meeting, ...]
    riders: int | None
    """Different riders met by all dates together; None where withheld."""
    gap: float
    """(bound - found) / bound; 0: no choice of dates meets more."""
