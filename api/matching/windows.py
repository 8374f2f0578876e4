"""Windows that end before they begin, told by pointer, by name and in the local time of the request."""

import datetime
import functools
from collections.abc import Callable, Iterator

from api.forms import PointedError
from api.matching.forms import MatchRequest, StopIn, VisitIn

__all__ = ["check_windows"]


def check_windows(request: MatchRequest, *, one_task: bool = False) -> None:
    """Refuse every window of a request that ends before it begins, and every visit with both kinds of window.

    Parameters
    ----------
    request : MatchRequest
    one_task : bool
        The caller sent a single ``task``, not a list.

    Raises
    ------
    PointedError
        With one sentence for each.
    """
    zone = request.now.tzinfo
    wrong: dict[str, str] = {}

    def backwards(pointer: str, name: str, first: datetime.datetime, last: datetime.datetime) -> None:
        begins, ends = (one.astimezone(zone).isoformat(timespec="seconds") for one in (first, last))
        wrong[pointer] = f"{name} ends at {ends}, before it begins at {begins}"

    for r, rider in enumerate(request.riders):
        first, last = rider.shift_start, rider.shift_end
        if first is not None and last is not None and first > last:
            backwards(f"/riders/{r}", f"the shift of rider {rider.rider_id}", first, last)
    for visit, named in _visits(request, one_task=one_task):
        first, last = visit.earliest, visit.due if isinstance(visit, StopIn) else visit.latest
        if first is not None and last is not None and first > last:
            backwards(*named(), first, last)
        if visit.windows is None:
            continue
        pointer, name = named()
        for at, (first, last) in enumerate(visit.windows):
            if first > last:
                backwards(f"{pointer}/windows/{at}", name, first, last)
        if (visit.earliest, visit.due if isinstance(visit, StopIn) else visit.latest) != (None, None):
            wrong[f"{pointer}/windows"] = f"{name} is given twice: as one window and as `windows`"
    if wrong:
        raise PointedError(wrong)


Named = Callable[[], tuple[str, str]]
"""Pointer and name of a visit, put together only where something is wrong with it."""


def _visits(request: MatchRequest, *, one_task: bool) -> Iterator[tuple[StopIn | VisitIn, Named]]:
    for r, rider in enumerate(request.riders):
        for s, stop in enumerate(rider.stops):
            yield stop, functools.partial(_of_stop, r, rider.rider_id, s, stop.stop_id)
    for t, task in enumerate(request.tasks):
        where = "/task" if one_task else f"/tasks/{t}"
        yield task.place, functools.partial(_of_task, f"{where}/place", "window", task.task_id)
        if task.dropoff is not None:
            yield (
                task.dropoff,
                functools.partial(_of_task, f"{where}/dropoff", "drop-off window", task.task_id),
            )


def _of_stop(r: int, rider_id: str, s: int, stop_id: str) -> tuple[str, str]:
    return f"/riders/{r}/stops/{s}", f"the window of stop {stop_id} of rider {rider_id}"


def _of_task(pointer: str, what: str, task_id: str) -> tuple[str, str]:
    return pointer, f"the {what} of task {task_id}"
