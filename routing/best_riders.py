"""The best riders for a task of either form; places that no legal way leads out of are looked at apart."""

import dataclasses

from routing.fleet.fleet import Candidate, Fleet
from routing.fleet.pairs import best_pairs
from routing.model.tasks import Task
from routing.refusal.dead_ends import POCKET_M, leads_on
from routing.refusal.relaxations import near_misses

__all__ = ["candidates_for", "without_way_out"]


def candidates_for(fleet: Fleet, task: Task, k: int, now_s: float) -> tuple[Candidate, ...]:
    """Return the k best riders for a task of either form.

    A plan may not end where no legal way leads on or back, unless it did before: there the rider could not go
    to their next order. For a mode that cannot leave the last place of the task, every place is judged.
    """
    modes = without_way_out(fleet, task)
    if not modes:
        return _best(fleet, task, k, now_s)
    found: list[Candidate] = []
    if task.modes > modes:
        found += _best(fleet, dataclasses.replace(task, modes=task.modes - modes), k, now_s)
    for mode in sorted(modes):
        misses = near_misses(fleet, fleet.mode_fleets[mode], task, now_s)
        if misses is not None:
            found += misses.candidates(fleet)
    return tuple(sorted(found, key=lambda one: (one.rank_ms, one.rider_id, one.place))[:k])


def _best(fleet: Fleet, task: Task, k: int, now_s: float) -> tuple[Candidate, ...]:
    return best_pairs(fleet, task, k, now_s) if task.dropoff is not None else fleet.best([task], k, now_s)[0]


def without_way_out(fleet: Fleet, task: Task) -> frozenset[str]:
    """Modes that may do the task and cannot leave its last place."""
    lost = set()
    for mode in task.modes & fleet.mode_fleets.keys():
        place = fleet.table(mode, [task], dropoff=True).places
        if place.ok[0] and not leads_on(fleet.network, mode, place.edge, POCKET_M)[0]:
            lost.add(mode)
    return frozenset(lost)
