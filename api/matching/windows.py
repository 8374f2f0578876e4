"""Windows that end before they begin, told by pointer, by name and in the local time of the request."""

import datetime
import itertools
import math
from collections.abc import Iterator

import numpy as np

from api.forms import PointedError
from api.matching.columns import SentRiders
from api.matching.forms import MatchRequest, TaskIn, VisitIn, Windows

__all__ = ["check_task", "check_windows"]


def check_windows(request: MatchRequest, sent: SentRiders, *, one_task: bool = False) -> None:
    """Refuse every window of a request that ends before it begins, and every visit with both kinds of window.

    Parameters
    ----------
    request : MatchRequest
    sent : SentRiders
        Its riders.
    one_task : bool
        The caller sent a single ``task``, not a list.

    Raises
    ------
    PointedError
        With one sentence for each.
    """
    zone = request.now.tzinfo
    wrong: dict[str, str] = {}
    starts_s, ends_s = sent.rider_instants["shift_start"], sent.rider_instants["shift_end"]
    for r in np.flatnonzero(starts_s > ends_s).tolist():
        name = f"the shift of rider {sent.riders['rider_id'][r]}"
        wrong[f"/riders/{r}"] = _backwards(name, float(starts_s[r]), float(ends_s[r]), zone)
    tasks = (_of_task(task, "/task" if one_task else f"/tasks/{t}") for t, task in enumerate(request.tasks))
    for suspect in itertools.chain(_of_stops(sent), *tasks):
        wrong |= _wrong(suspect, zone)
    if wrong:
        raise PointedError(wrong)


def check_task(task: TaskIn) -> None:
    """Refuse the same of a task that is a request of its own; times are told in UTC.

    Raises
    ------
    PointedError
        With one sentence for each.
    """
    wrong: dict[str, str] = {}
    for suspect in _of_task(task, ""):
        wrong |= _wrong(suspect, datetime.UTC)
    if wrong:
        raise PointedError(wrong)


def _backwards(name: str, first_s: float, last_s: float, zone: datetime.tzinfo | None) -> str:
    begins, ends = (
        datetime.datetime.fromtimestamp(one, zone).isoformat(timespec="seconds") for one in (first_s, last_s)
    )
    return f"{name} ends at {ends}, before it begins at {begins}"


Suspect = tuple[float, float, Windows | None, str, str]
"""Both ends of a visit's window in epoch seconds (NaN: none), its windows, its pointer and its name."""


def _wrong(suspect: Suspect, zone: datetime.tzinfo | None) -> dict[str, str]:
    """Return by pointer what is wrong with the windows of a visit."""
    first_s, last_s, windows, pointer, name = suspect
    wrong: dict[str, str] = {}
    if first_s > last_s:
        wrong[pointer] = _backwards(name, first_s, last_s, zone)
    for at, (begins, ends) in enumerate(windows or ()):
        if begins > ends:
            there = f"{pointer}/windows/{at}"
            wrong[there] = _backwards(name, begins.timestamp(), ends.timestamp(), zone)
    if windows is not None and not (math.isnan(first_s) and math.isnan(last_s)):
        wrong[f"{pointer}/windows"] = f"{name} is given twice: as one window and as `windows`"
    return wrong


def _of_stops(sent: SentRiders) -> Iterator[Suspect]:
    """Yield stops with a window that ends too soon or with several: most of thousands are fine."""
    first_s, last_s = sent.stop_instants["earliest"], sent.stop_instants["due"]
    several, owner = sent.stops["windows"], sent.owner
    suspect = set(np.flatnonzero(first_s > last_s).tolist())
    suspect.update(itertools.compress(range(len(several)), several))
    begins = np.cumsum(sent.counts) - sent.counts
    for at in sorted(suspect):
        r = int(owner[at])
        name = f"the window of stop {sent.stops['stop_id'][at]} of rider {sent.riders['rider_id'][r]}"
        pointer = f"/riders/{r}/stops/{at - int(begins[r])}"
        yield float(first_s[at]), float(last_s[at]), several[at], pointer, name


def _of_task(task: TaskIn, where: str) -> Iterator[Suspect]:
    yield *_ends(task.place), f"{where}/place", f"the window of task {task.task_id}"
    if task.dropoff is not None:
        yield *_ends(task.dropoff), f"{where}/dropoff", f"the drop-off window of task {task.task_id}"


def _ends(visit: VisitIn) -> tuple[float, float, Windows | None]:
    first, last = visit.earliest, visit.latest
    return (
        math.nan if first is None else first.timestamp(),
        math.nan if last is None else last.timestamp(),
        visit.windows,
    )
