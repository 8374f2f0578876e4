"""Riders who told no plan: where they may stop next, with what probability, and what a task does to them.

The next stop is one of several, or another place of which nothing is known. A task is done before it, at
once. It delays the next stop by what it takes: by streets from the position to the task, its wait and its
service, and on to the stop, less the way that leads there straight. It takes at most what it takes there and
back, for whoever is back is no worse off than before; so much it is for a place that nobody knows.

Harm is a delay of more than the policy's `harm_delay_s`, more extra time than a task may take, or a task
before a stop that is not known, unless there and back stays within both bounds.
"""

import dataclasses
import math

from geo.errors import InputError
from routing.model.checks import check_between, check_lonlat
from routing.model.riders import Rider

__all__ = ["ExpectedMatch", "ExpectedRider", "ExpectedStop", "Scenario"]


@dataclasses.dataclass(frozen=True, slots=True)
class ExpectedStop:
    """A place where a rider may stop next, (lon, lat) in WGS-84 degrees, with its probability (0 to 1)."""

    lonlat: tuple[float, float]
    probability: float

    def __post_init__(self) -> None:
        check_lonlat("Place of an expected stop", self.lonlat)
        check_between("probability of an expected stop", self.probability, 0.0, 1.0)


@dataclasses.dataclass(frozen=True, slots=True)
class ExpectedRider:
    """A rider without stops, and what is expected. Raises `InputError` where it cannot be."""

    rider: Rider
    stops: tuple[ExpectedStop, ...]
    """What their probabilities lack to 1 is that of a place that is not known."""
    holds_until_s: float = math.inf
    """Epoch seconds until which the prediction holds."""

    def __post_init__(self) -> None:
        if self.rider.stops:
            raise InputError(f"Rider {self.rider.rider_id} told a plan; nothing is to be expected of it.")
        total = sum(stop.probability for stop in self.stops)
        if total > 1.0 + 1e-6:
            raise InputError(
                f"The probabilities of the stops of rider {self.rider.rider_id} sum to {total}; at most to 1."
            )


@dataclasses.dataclass(frozen=True, slots=True)
class Scenario:
    """One expected stop with and without the task."""

    lonlat: tuple[float, float]
    probability: float
    arrival_before_s: float
    """Epoch seconds."""
    arrival_after_s: float
    harm: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ExpectedMatch:
    """A task for a rider who told no plan."""

    task_id: str
    rider_id: str
    arrival_s: float
    start_s: float
    leave_s: float
    extra_s: float
    """What is to be expected: each scenario by its probability, an unknown stop as there and back."""
    most_extra_s: float
    """There and back: whatever the rider is about to do, the task takes no more."""
    harm_probability: float
    scenarios: tuple[Scenario, ...]
    elsewhere: float
    """Probability of a next stop that is not known."""
    holds_until_s: float
    yuan: float
    points: float
