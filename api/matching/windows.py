"""Windows that end before they begin, told by pointer, by name and in the local time of the request."""

import datetime
from collections.abc import Iterator

from api.forms import PointedError
from api.matching.forms import MatchRequest

__all__ = ["check_windows"]

Instants = tuple[datetime.datetime | None, datetime.datetime | None]


def check_windows(request: MatchRequest, *, one_task: bool = False) -> None:
    """Refuse every window of a request that ends before it begins.

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
    for pointer, name, (first, last) in _windows(request, "/task" if one_task else "/tasks/{}"):
        if first is not None and last is not None and first > last:
            begins, ends = (one.astimezone(zone).isoformat(timespec="seconds") for one in (first, last))
            wrong[pointer] = f"{name} ends at {ends}, before it begins at {begins}"
    if wrong:
        raise PointedError(wrong)


def _windows(request: MatchRequest, tasks: str) -> Iterator[tuple[str, str, Instants]]:
    for r, rider in enumerate(request.riders):
        yield f"/riders/{r}", f"the shift of rider {rider.rider_id}", (rider.shift_start, rider.shift_end)
        for s, stop in enumerate(rider.stops):
            name = f"the window of stop {stop.stop_id} of rider {rider.rider_id}"
            yield f"/riders/{r}/stops/{s}", name, (stop.earliest, stop.due)
    for t, task in enumerate(request.tasks):
        name = f"the window of task {task.task_id}"
        yield f"{tasks.format(t)}/place", name, (task.place.earliest, task.place.latest)
        if task.dropoff is not None:
            window = (task.dropoff.earliest, task.dropoff.latest)
            yield f"{tasks.format(t)}/dropoff", f"the drop-off window of task {task.task_id}", window
