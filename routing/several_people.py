"""Tasks for several people: all of them begin together, and whoever is there first waits."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geo.travel import reach_to
from routing.best_riders import candidates_for
from routing.fleet.fleet import Candidate, Fleet
from routing.fleet.kernels.tables import FAR_MS
from routing.fleet.mode_fleet import as_ms
from routing.model.results import Binding, Count, Refused, Said, SmallestChange
from routing.model.tasks import Task
from routing.model.windows import open_from
from routing.refusal.explain import refusal
from routing.refusal.relaxations import ridden_ms

__all__ = ["meet"]

SPARE = 12
"""So many riders more than needed are asked when they could begin."""


def meet(
    fleet: Fleet, task: Task, now_s: float, nearest: int | None = None
) -> tuple[Task, tuple[Candidate, ...]] | Refused:
    """Find the riders who begin a task together at the least rank in all.

    The instants tried are those at which one of the riders nearest to the task could begin, or one of several
    windows opens; at each, only
    places in plans count at which a rider can begin just then, their waiting included.

    Parameters
    ----------
    fleet : Fleet
    task : Task
        For two people or more.
    now_s : float
        Epoch seconds.
    nearest : int, optional
        As in `refusal`, where there is nobody.

    Returns
    -------
    Task, tuple of Candidate
        The task with the instant as its window, and the riders: those who do it, then the next best.
    Refused
        Where no instant suits enough riders: by how much they miss each other; or why there is nobody.
    """
    found = candidates_for(fleet, task, task.people + SPARE, now_s)
    if not found:
        return refusal(fleet, task, now_s, nearest)
    begins_s = _begins_s(fleet, task, found, now_s)
    best: tuple[int, Task, tuple[Candidate, ...]] | None = None
    most = 0
    opens_s = [last for _, last in task.place.closed_s if last >= now_s]
    for instant_s in sorted({*begins_s, *opens_s}):
        window = dataclasses.replace(task.place, earliest_s=instant_s, latest_s=instant_s)
        timed = dataclasses.replace(task, place=window)
        able = candidates_for(fleet, timed, task.people + 1, now_s)
        most = max(most, len(able))
        rank_ms = sum(one.rank_ms for one in able[: task.people])
        if len(able) >= task.people and (best is None or rank_ms < best[0]):
            best = rank_ms, timed, able
    if best is not None:
        return best[1], best[2]
    gap_s = begins_s[task.people - 1] - begins_s[0] if len(begins_s) >= task.people else None
    if gap_s is None:
        said = Said.of("why.people", found=most, people=task.people)
    else:
        said = Said.of("why.people_apart", found=most, people=task.people, by_s=gap_s)
    binding = Binding("people", "", gap_s, said)
    missing = task.people - most
    fewer = SmallestChange("people", Count(missing), "", None, Said.of("change.people", missing=missing))
    return Refused(task.task_id, binding, None, fewer)


def _begins_s(fleet: Fleet, task: Task, found: Sequence[Candidate], now_s: float) -> list[float]:
    """When each candidate could begin the task, soonest first; one search for each mode."""
    begins: list[int] = []
    closed = [(as_ms(first), as_ms(last)) for first, last in task.place.closed_s]
    for mode, mode_fleet in fleet.mode_fleets.items():
        mine = [one for one in found if fleet.row_of(one.rider_id)[0] is mode_fleet]
        if not mine:
            continue
        c, width = mode_fleet.c, mode_fleet.width
        rows = np.array([fleet.row_of(one.rider_id)[1] for one in mine])
        slots = rows * width + np.array([one.place for one in mine])
        here, there = mode_fleet.snapped(slots), fleet.place_of(mode, task)
        seconds = reach_to(fleet.network, mode, here, there, FAR_MS / 1000)
        legs = ridden_ms(seconds, here.walk_ms + there.walk_ms[0], c.factor[rows].astype(np.int64))
        leave = np.where(c.stops[rows] == 0, np.maximum(c.leave[slots], as_ms(now_s)), c.leave[slots])
        there = np.maximum(leave + legs, as_ms(max(task.place.earliest_s, now_s)))
        begins += [round(open_from(closed, at)) for at in there.tolist()]
    return sorted(begin / 1000 for begin in begins)
