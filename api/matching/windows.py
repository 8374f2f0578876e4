"""Windows that end before they begin, told by pointer, by name and in the local time of the request."""

import datetime
from collections.abc import Iterator

from api.forms import PointedError
from api.matching.forms import MatchRequest, StopIn, VisitIn

__all__ = ["check_windows"]

Instants = tuple[datetime.datetime | None, datetime.datetime | None]


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
    wrong = {}
    for pointer, name, (first, last) in _windows(request, one_task=one_task):
        if first is not None and last is not None and first > last:
            begins, ends = (one.astimezone(zone).isoformat(timespec="seconds") for one in (first, last))
            wrong[pointer] = f"{name} ends at {ends}, before it begins at {begins}"
    for pointer, name, visit in _visits(request, one_task=one_task):
        if visit.windows is not None and _single(visit) != (None, None):
            wrong[f"{pointer}/windows"] = f"{name} is given twice: as one window and as `windows`"
    if wrong:
        raise PointedError(wrong)


def _visits(request: MatchRequest, *, one_task: bool) -> Iterator[tuple[str, str, StopIn | VisitIn]]:
    for r, rider in enumerate(request.riders):
        for s, stop in enumerate(rider.stops):
            name = f"the window of stop {stop.stop_id} of rider {rider.rider_id}"
            yield f"/riders/{r}/stops/{s}", name, stop
    for t, task in enumerate(request.tasks):
        where = "/task" if one_task else f"/tasks/{t}"
        yield f"{where}/place", f"the window of task {task.task_id}", task.place
        if task.dropoff is not None:
            yield f"{where}/dropoff", f"the drop-off window of task {task.task_id}", task.dropoff


def _single(visit: StopIn | VisitIn) -> Instants:
    return visit.earliest, visit.due if isinstance(visit, StopIn) else visit.latest


def _windows(request: MatchRequest, *, one_task: bool) -> Iterator[tuple[str, str, Instants]]:
    for r, rider in enumerate(request.riders):
        yield f"/riders/{r}", f"the shift of rider {rider.rider_id}", (rider.shift_start, rider.shift_end)
    for pointer, name, visit in _visits(request, one_task=one_task):
        yield pointer, name, _single(visit)
        for at, window in enumerate(visit.windows or ()):
            yield f"{pointer}/windows/{at}", name, window
