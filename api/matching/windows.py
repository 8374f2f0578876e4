"""Windows that end before they begin, told by pointer, by name and in the local time of the request."""

import datetime
import itertools
import math
from collections.abc import Iterator

import numpy as np

from api.forms import PointedError
from api.matching.columns import SentRiders
from api.matching.forms import MatchRequest, VisitIn, Windows

__all__ = ["check_windows"]


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

    def backwards(pointer: str, name: str, first_s: float, last_s: float) -> None:
        begins, ends = (
            datetime.datetime.fromtimestamp(one, zone).isoformat(timespec="seconds")
            for one in (first_s, last_s)
        )
        wrong[pointer] = f"{name} ends at {ends}, before it begins at {begins}"

    starts_s, ends_s = sent.rider_instants["shift_start"], sent.rider_instants["shift_end"]
    for r in np.flatnonzero(starts_s > ends_s).tolist():
        name = f"the shift of rider {sent.riders['rider_id'][r]}"
        backwards(f"/riders/{r}", name, float(starts_s[r]), float(ends_s[r]))
    for first_s, last_s, windows, pointer, name in itertools.chain(
        _of_stops(sent), _of_tasks(request, one_task=one_task)
    ):
        if first_s > last_s:
            backwards(pointer, name, first_s, last_s)
        if windows is None:
            continue
        for at, (begins, ends) in enumerate(windows):
            if begins > ends:
                backwards(f"{pointer}/windows/{at}", name, begins.timestamp(), ends.timestamp())
        if not math.isnan(first_s) or not math.isnan(last_s):
            wrong[f"{pointer}/windows"] = f"{name} is given twice: as one window and as `windows`"
    if wrong:
        raise PointedError(wrong)


Suspect = tuple[float, float, Windows | None, str, str]
"""Both ends of a visit's window in epoch seconds (NaN: none), its windows, its pointer and its name."""


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


def _of_tasks(request: MatchRequest, *, one_task: bool) -> Iterator[Suspect]:
    for t, task in enumerate(request.tasks):
        where = "/task" if one_task else f"/tasks/{t}"
        yield *_ends(task.place), f"{where}/place", f"the window of task {task.task_id}"
        if task.dropoff is not None:
            name = f"the drop-off window of task {task.task_id}"
            yield *_ends(task.dropoff), f"{where}/dropoff", name


def _ends(visit: VisitIn) -> tuple[float, float, Windows | None]:
    first, last = visit.earliest, visit.latest
    return (
        math.nan if first is None else first.timestamp(),
        math.nan if last is None else last.timestamp(),
        visit.windows,
    )
