"""Windows that end before they begin, told by pointer, by name and in the local time of the request."""

import datetime
from collections.abc import Iterator

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
    for visit, last, pointer, name in _suspects(request, one_task=one_task):
        first = visit.earliest
        if first is not None and last is not None and first > last:
            backwards(pointer, name, first, last)
        if visit.windows is None:
            continue
        for at, (begins, ends) in enumerate(visit.windows):
            if begins > ends:
                backwards(f"{pointer}/windows/{at}", name, begins, ends)
        if (first, last) != (None, None):
            wrong[f"{pointer}/windows"] = f"{name} is given twice: as one window and as `windows`"
    if wrong:
        raise PointedError(wrong)


Suspect = tuple[StopIn | VisitIn, datetime.datetime | None, str, str]
"""A visit, the end of its window, its pointer and its name."""


def _suspects(request: MatchRequest, *, one_task: bool) -> Iterator[Suspect]:
    """Visits with both ends or with several windows: the others, most of tens of thousands, are fine."""
    for r, rider in enumerate(request.riders):
        for s, stop in enumerate(rider.stops):
            if stop.windows is not None or (stop.earliest is not None and stop.due is not None):
                name = f"the window of stop {stop.stop_id} of rider {rider.rider_id}"
                yield stop, stop.due, f"/riders/{r}/stops/{s}", name
    for t, task in enumerate(request.tasks):
        where = "/task" if one_task else f"/tasks/{t}"
        yield task.place, task.place.latest, f"{where}/place", f"the window of task {task.task_id}"
        if task.dropoff is not None:
            name = f"the drop-off window of task {task.task_id}"
            yield task.dropoff, task.dropoff.latest, f"{where}/dropoff", name
