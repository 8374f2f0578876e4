"""Tasks of requests, in the words of the matching room."""

import datetime
import math
from collections.abc import Iterator

import numpy as np

from api.matching.forms import TaskIn, VisitIn, Windows
from api.matching.windows import check_task
from geo.datum import Datum, to_wgs84
from routing.model import Span, Task, Visit, spans_of

__all__ = ["placed_task", "task_alone", "window_between"]


def task_alone(task: TaskIn, datum: Datum, name: str) -> Task:
    """Return a task that is a request of its own, under the service's name for it.

    Raises
    ------
    PointedError
        Where a window ends before it begins.
    """
    check_task(task)
    visits = [task.place] if task.dropoff is None else [task.place, task.dropoff]
    placed = to_wgs84(np.array([(visit.lon, visit.lat) for visit in visits]), datum)
    return placed_task(task, name, iter(placed.tolist()))


def placed_task(task: TaskIn, name: str, placed: Iterator[list[float]]) -> Task:
    """Return a task under a name; `placed` goes on to its places in WGS-84."""

    def visit(asked: VisitIn) -> Visit:
        lon, lat = next(placed)
        return Visit(
            (lon, lat), asked.service_s, *window_between(asked.earliest, asked.latest, asked.windows)
        )

    return Task(
        task_id=name,
        place=visit(task.place),
        dropoff=None if task.dropoff is None else visit(task.dropoff),
        kind=task.kind,
        skills=frozenset(task.skills),
        modes=frozenset(task.modes),
        priority=task.priority,
        people=task.people,
        load=task.load,
        platforms=frozenset(task.platforms),
    )


def window_between(
    first: datetime.datetime | None, last: datetime.datetime | None, several: Windows | None
) -> tuple[float, float, tuple[Span, ...]]:
    """Return when a service may begin at first and at last, and what is closed in between."""
    if several is None:
        return _low(first), _high(last), ()
    return spans_of((one.timestamp(), other.timestamp()) for one, other in several)


def _low(instant: datetime.datetime | None) -> float:
    return -math.inf if instant is None else instant.timestamp()


def _high(instant: datetime.datetime | None) -> float:
    return math.inf if instant is None else instant.timestamp()
