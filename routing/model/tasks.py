"""Civic tasks: a visit, or a pick-up and a drop-off, with a window, skills and an acting time limit."""

import dataclasses
import math
from collections.abc import Mapping
from types import MappingProxyType

from geo.errors import InputError
from geo.streets import MODES
from routing.model.checks import check_between, check_choice, check_lonlat, check_name, check_window
from routing.model.riders import Stop
from routing.model.windows import Span, check_closed

__all__ = ["TASK_KINDS", "Task", "TaskKind", "Visit", "stops_of"]


@dataclasses.dataclass(frozen=True, slots=True)
class TaskKind:
    """A kind of task and how soon after its report somebody must act."""

    name: str
    act_within_s: float
    service_s: float
    """Usual seconds on the spot."""
    emergency: bool = False


TASK_KINDS: Mapping[str, TaskKind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            # City-management event classes have a time limit for acting each; rubbish: 4 working hours
            # (DOMAIN, one city).
            TaskKind("rubbish", 4 * 3600.0, 60.0),
            # Our defaults where the field names the task but no limit (DOMAIN, "Tasks").
            TaskKind("hazard", 2 * 3600.0, 90.0),
            TaskKind("blocked_exit", 2 * 3600.0, 90.0),
            TaskKind("furniture", 8 * 3600.0, 60.0),
            TaskKind("visit", 24 * 3600.0, 300.0),
            TaskKind("notice", 24 * 3600.0, 60.0),
            TaskKind("patrol", 8 * 3600.0, 120.0),
            TaskKind("food_safety", 8 * 3600.0, 120.0),
            TaskKind("errand", 4 * 3600.0, 60.0),
            TaskKind("first_response", 15 * 60.0, 600.0, emergency=True),
        )
    }
)
"""Kinds with defaults; source: field notes on snap-and-report (随手拍) and city-management classes."""


@dataclasses.dataclass(frozen=True, slots=True)
class Visit:
    """One place where something is done within a closed window."""

    lonlat: tuple[float, float]
    """(lon, lat) in WGS-84 degrees."""
    service_s: float = 0.0
    earliest_s: float = -math.inf
    latest_s: float = math.inf
    closed_s: tuple[Span, ...] = ()
    """Spans between several windows, open at both ends: it does not start within them."""

    def __post_init__(self) -> None:
        check_lonlat("Place of a visit", self.lonlat)
        check_between("service_s of a visit", self.service_s, 0.0, 86_400.0)
        check_window("Window of a visit", self.earliest_s, self.latest_s)
        check_closed("a visit", (self.earliest_s, self.latest_s), self.closed_s)


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """One micro-task. With ``dropoff`` it is a pair: taken up at ``place``, handed over at ``dropoff``.

    Raises `InputError` where a value is outside of the range in its description.
    """

    task_id: str
    place: Visit
    dropoff: Visit | None = None
    kind: str = "visit"
    """One of `TASK_KINDS`."""
    skills: frozenset[str] = frozenset()
    """All of them are needed."""
    modes: frozenset[str] = frozenset(MODES)
    """Modes that may do it."""
    priority: int = 0
    """Higher is served first, -1000 to 1000."""
    people: int = 1
    """Different riders needed, 1 to 50."""
    load: int = 0
    """Parcels carried from pick-up to drop-off (a pair only)."""
    platforms: frozenset[str] = frozenset()
    """Only riders of these platforms; empty: all."""

    def __post_init__(self) -> None:
        check_name("task_id", self.task_id)
        check_choice(f"kind of task {self.task_id}", self.kind, tuple(TASK_KINDS))
        if not self.modes:
            raise InputError(f"modes of task {self.task_id} is empty; allowed are {', '.join(MODES)}.")
        for mode in sorted(self.modes):
            check_choice(f"A mode of task {self.task_id}", mode, MODES)
        check_between(f"priority of task {self.task_id}", self.priority, -1000, 1000)
        check_between(f"people of task {self.task_id}", self.people, 1, 50)
        check_between(f"load of task {self.task_id}", self.load, 0, 1000)
        if self.load and self.dropoff is None:
            raise InputError(f"Task {self.task_id} has a load but no dropoff; a load needs both places.")


def stops_of(task: Task) -> tuple[Stop, ...]:
    """Return the stops that a task adds to a plan, in order."""
    first = Stop(
        task.task_id if task.dropoff is None else f"{task.task_id}:pickup",
        task.place.lonlat,
        task.place.service_s,
        task.place.earliest_s,
        task.place.latest_s,
        "task" if task.dropoff is None else "pickup",
        task.load,
        task.place.closed_s,
    )
    if task.dropoff is None:
        return (first,)
    end = task.dropoff
    return first, Stop(
        f"{task.task_id}:dropoff",
        end.lonlat,
        end.service_s,
        end.earliest_s,
        end.latest_s,
        "dropoff",
        -task.load,
        end.closed_s,
    )
