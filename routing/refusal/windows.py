"""One task at many windows: who could do it, and what keeps everybody from it; one search for all."""

import dataclasses
from collections.abc import Sequence

from routing.fleet.fleet import Candidate, Fleet
from routing.model.results import Refused
from routing.model.tasks import Task
from routing.refusal.explain import nearest_to_allowed, nobody
from routing.refusal.relaxations import Window, near_misses

__all__ = ["at_windows", "with_window"]


def with_window(task: Task, window: Window, *, dropoff: bool = False) -> Task:
    """Return a task with another window, of its drop-off on request."""
    if dropoff and task.dropoff is not None:
        end = dataclasses.replace(task.dropoff, earliest_s=window[0], latest_s=window[1], closed_s=())
        return dataclasses.replace(task, dropoff=end)
    place = dataclasses.replace(task.place, earliest_s=window[0], latest_s=window[1], closed_s=())
    return dataclasses.replace(task, place=place)


def at_windows(
    fleet: Fleet, task: Task, windows: Sequence[Window], now_s: float, *, dropoff: bool = False
) -> list[Candidate | Refused]:
    """Find the best rider for one task at each of many windows, by the plans as they are.

    Parameters
    ----------
    fleet : Fleet
        Not changed.
    task : Task
        For one person.
    windows : sequence of (earliest, latest)
        Epoch seconds, closed.
    now_s : float
        Epoch seconds.
    dropoff : bool
        The windows are those of the drop-off; the pick-up keeps its own.

    Returns
    -------
    list of Candidate or Refused
        For each window, in order. All places of all plans are judged, so the candidate is the least in rank.
    """
    judged = [
        misses
        for mode_fleet in fleet.mode_fleets.values()
        if (misses := near_misses(fleet, mode_fleet, task, now_s)) is not None
    ]
    found: list[Candidate | Refused] = []
    for window in windows:
        asked = with_window(task, window, dropoff=dropoff)
        open_to = [misses.at(asked, allowed_only=True) for misses in judged]
        candidates = [one for misses in open_to for one in misses.candidates(fleet)]
        if candidates:
            found.append(min(candidates, key=lambda one: (one.rank_ms, one.rider_id, one.place)))
            continue
        closed_to = [again for misses in judged if len((again := misses.at(asked)).rows)]
        found.append(nearest_to_allowed(fleet, asked, closed_to) if closed_to else nobody(fleet, asked))
    return found
