"""Answers on streets that nobody passes and on dates to meet riders, out of a finished study."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from api.forms import Schema
from siting.observed import BlindSpots, Meetings

__all__ = ["BlindSpotsOut", "MeetingsOut", "blind_spots_out", "meetings_out"]

Weekday = Literal["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
_WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


class MeetingOut(Schema):
    """One date on which riders can be met at a station."""

    station_id: str
    weekday: Weekday
    begins: Annotated[str, Field(pattern=r"^\d{2}:\d{2}$")]
    riders: int | None


class MeetingsOut(Schema):
    """Dates chosen together, so that most different riders are met at least once."""

    minutes: int
    riders: int | None
    dates: list[MeetingOut]


class BlindGridOut(Schema):
    """What riders see of one unit grid; figures are null where fewer than k riders stand behind them."""

    code: str
    unseen_share: float | None
    worst_hour: int | None
    worst_weekday: Weekday | None
    wait_median_min: float | None
    wait_most_min: float | None


class PatrolOut(Schema):
    """One round through streets that nobody passes; a task with this place and hour has it done."""

    grid: str
    hour: int
    lon: float
    lat: float
    length_min: float
    unseen_before: float
    unseen_after: float


class BlindSpotsOut(Schema):
    """Where and when no rider passes."""

    seldom_passed_share: float | None
    grids: list[BlindGridOut]
    patrols: list[PatrolOut]


def meetings_out(found: Meetings | None) -> MeetingsOut:
    """Return the dates of a study; none where it has no plan of dates."""
    if found is None:
        return MeetingsOut(minutes=30, riders=None, dates=[])
    return MeetingsOut(
        minutes=found.minutes,
        riders=found.riders,
        dates=[
            MeetingOut(
                station_id=date.site_id,
                weekday=_WEEKDAYS[date.weekday],
                begins=f"{date.half_hour // 2:02}:{30 * (date.half_hour % 2):02}",
                riders=date.riders,
            )
            for date in found.dates
        ],
    )


def blind_spots_out(found: BlindSpots | None) -> BlindSpotsOut:
    """Return what riders do not see; nothing where the traces of the study were not matched to streets."""
    if found is None:
        return BlindSpotsOut(seldom_passed_share=None, grids=[], patrols=[])
    return BlindSpotsOut(
        seldom_passed_share=found.streets_share,
        grids=[
            BlindGridOut(
                code=grid.code,
                unseen_share=grid.unseen_share,
                worst_hour=grid.worst_hour,
                worst_weekday=None if grid.worst_weekday is None else _WEEKDAYS[grid.worst_weekday],
                wait_median_min=grid.wait_median_min,
                wait_most_min=grid.wait_p90_min,
            )
            for grid in found.grids
        ],
        patrols=[
            PatrolOut(
                grid=patrol.grid_code,
                hour=patrol.hour,
                lon=patrol.lonlat[0],
                lat=patrol.lonlat[1],
                length_min=patrol.minutes,
                unseen_before=patrol.unseen_before,
                unseen_after=patrol.unseen_after,
            )
            for patrol in found.patrols
        ],
    )
