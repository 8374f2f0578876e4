"""Many tasks at once: the cheapest assignment of tasks to riders, then more tasks a rider, then improvement.

A round gives every rider at most one task: a minimum-cost matching in the sparse table of each task's best
riders, with a dummy for each task that stays without. Lists are cut short and made longer until it is proven
that nobody beyond them matters, so the optimum of the round is exact. Rounds
repeat on the changed plans until nothing more fits; then each task is taken out and put back where it is
cheapest, as long as that helps.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from geo.errors import InputError
from routing.fleet import Candidate, Fleet
from routing.match import apply, match, task_order
from routing.results import Match, Refused, RunnerUp
from routing.riders import Stop
from routing.squad import as_ms
from routing.tasks import Task, stops_of

__all__ = ["Held", "assign_round", "hold_back", "match_batch"]

LISTED = 16
"""Riders listed for each task at first; lists grow where the optimum asks for it."""
PASSES = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """A task that waits for a better rider who is about to come free."""

    task_id: str
    rider_id: str
    until_s: float
    """Epoch seconds when that rider comes free."""
    gain_s: float
    """Extra seconds saved against the best rider now; inf when there is none now."""


def assign_round(
    fleet: Fleet, tasks: Sequence[Task], now_s: float, threads: int = 1, *, listed: int = LISTED
) -> tuple[list[tuple[Task, Candidate, RunnerUp | None]], list[Task]]:
    """Assign single-place tasks, at most one a rider, at the least total rank; changes nothing.

    Parameters
    ----------
    fleet : Fleet
    tasks : sequence of Task
    now_s : float
        Epoch seconds.
    threads : int
    listed : int
        Length of the lists at first; the answer is the same for every length, ties apart.

    Returns
    -------
    list of (Task, Candidate, RunnerUp), list of Task
        What is assigned, and the tasks left over; as many as possible, higher priority first.
    """
    lists = list(fleet.best(tasks, listed, now_s, threads))
    asked = [listed] * len(tasks)
    while True:
        number: dict[str, int] = {}
        for candidates in lists:
            for one in candidates:
                number.setdefault(one.rider_id, len(number))
        if not tasks or not number:
            return [], list(tasks)
        cut = [len(candidates) == size for candidates, size in zip(lists, asked, strict=True)]
        rows, chosen = _cheapest(tasks, lists, number, cut)
        outside = [
            at for at, column in zip(rows.tolist(), chosen.tolist(), strict=True) if column < len(tasks)
        ]
        if not outside:
            break
        # The optimum with an open end leans on riders beyond these lists: make the lists longer.
        for at in outside:
            asked[at] *= 4
            lists[at] = fleet.best([tasks[at]], asked[at], now_s)[0]
    chosen = chosen - len(tasks)
    ids = list(number)
    assigned, left = [], []
    for at, column in zip(rows.tolist(), chosen.tolist(), strict=True):
        if column >= len(ids):
            left.append(tasks[at])
            continue
        found = next(one for one in lists[at] if one.rider_id == ids[column])
        other = next((one for one in lists[at] if one.rider_id != found.rider_id), None)
        runner = None
        if other is not None:
            runner = RunnerUp(other.rider_id, other.extra_ms / 1000, (other.rank_ms - found.rank_ms) / 1000)
        assigned.append((tasks[at], found, runner))
    return assigned, left


def _cheapest(
    tasks: Sequence[Task], listed: list[tuple[Candidate, ...]], number: dict[str, int], cut: list[bool]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Solve the table; columns: an open end for each task, then the riders, then a dummy for each task.

    The open end of a list that was cut costs as much as its last rider and is nobody else's: no rider beyond
    the list is cheaper, so an optimum that uses no open end is the optimum over all riders.
    """
    dearest = max(one.rank_ms for candidates in listed for one in candidates) + 1
    lowest = min(task.priority for task in tasks)
    ptr, columns, costs = [0], [], []
    for at, (task, candidates) in enumerate(zip(tasks, listed, strict=True)):
        if cut[at]:
            columns.append(at)
            costs.append(candidates[-1].rank_ms + 1)
        columns += [len(tasks) + number[one.rider_id] for one in candidates]
        columns.append(len(tasks) + len(number) + at)
        # A dummy dearer than any change of all the others; the matching needs costs above zero.
        dummy = dearest * (len(tasks) + 1) * (1 + task.priority - lowest)
        costs += [one.rank_ms + 1 for one in candidates] + [dummy]
        ptr.append(len(columns))
    table = csr_array(
        (np.array(costs, np.float64), np.array(columns), np.array(ptr)),
        shape=(len(tasks), 2 * len(tasks) + len(number)),
    )
    rows, chosen = min_weight_full_bipartite_matching(table)
    return np.asarray(rows), np.asarray(chosen)


def match_batch(
    fleet: Fleet, tasks: Sequence[Task], now_s: float, threads: int = 1
) -> tuple[tuple[Match, ...], tuple[Refused, ...]]:
    """Match many tasks together.

    Parameters
    ----------
    fleet : Fleet
        Changed in place.
    tasks : sequence of Task
        Ids differ. Pairs and tasks for several people follow one by one after the others.
    now_s : float
        Epoch seconds.
    threads : int

    Returns
    -------
    tuple of Match, tuple of Refused
        Matches in an order in which each holds on the plan that the earlier ones left.
    """
    if len({task.task_id for task in tasks}) != len(tasks):
        raise InputError("Two tasks have the same task_id; each may stand in the list once.")
    ordered = sorted(tasks, key=task_order)
    single = [task for task in ordered if task.dropoff is None and task.people == 1]
    with fleet.at_hand(tasks):
        draft = _Draft(fleet, now_s)
        left = single
        while left:
            assigned, rest = assign_round(fleet, left, now_s, threads)
            for task, found, runner in assigned:
                draft.put(task, found, runner)
            if not assigned:
                break
            left = rest
        draft.improve()
        matches, again = draft.account()
        waiting = {task.task_id for task in (*left, *again)}
        rest = [
            task for task in ordered if task.task_id in waiting or task.dropoff is not None or task.people > 1
        ]
    more, refused = match(fleet, rest, now_s)
    return (*matches, *more), refused


class _Draft:
    """Tasks put into plans on trial: they can be moved before the account is made."""

    def __init__(self, fleet: Fleet, now_s: float) -> None:
        self._fleet, self._now_s = fleet, now_s
        self._placed: dict[str, tuple[Task, Candidate, RunnerUp | None, str]] = {}

    def put(self, task: Task, found: Candidate, runner: RunnerUp | None) -> None:
        fleet = self._fleet
        squad, row = fleet.row_of(found.rider_id)
        rider = fleet.rider(found.rider_id)
        now = as_ms(self._now_s)
        earliest_s = -np.inf
        if squad.c.leave[row * squad.width + found.place] < now:
            if rider.stops:
                earliest_s = self._now_s
            else:
                squad.c.ready[row] = now
        stop = stops_of(task)[0]
        # A name that no plan has; the account gives the final one.
        name = f"\x00draft {task.task_id}"
        stop = dataclasses.replace(stop, stop_id=name, earliest_s=max(stop.earliest_s, earliest_s))
        fleet.insert(found.rider_id, found.place, stop, fleet.table(rider.mode, [task]).places)
        fleet.spend(found.rider_id, found.extra_ms / 1000)
        self._placed[task.task_id] = task, found, runner, name

    def take(self, task_id: str) -> tuple[Task, Candidate, RunnerUp | None, int, Stop]:
        task, found, runner, name = self._placed.pop(task_id)
        stops = self._fleet.rider(found.rider_id).stops
        place = next(at for at, stop in enumerate(stops) if stop.stop_id == name)
        stop = self._fleet.take_out(found.rider_id, place)
        self._fleet.spend(found.rider_id, -found.extra_ms / 1000)
        return task, found, runner, place, stop

    def improve(self) -> None:
        """Move single tasks to where they are cheaper, until nothing changes or the passes are used up."""
        for _ in range(PASSES):
            moved = False
            for task_id in sorted(self._placed):
                task, found, runner, place, _ = self.take(task_id)
                options = self._fleet.best([task], 2, self._now_s)[0]
                here = dataclasses.replace(found, place=place)
                if options and options[0].rank_ms < found.rank_ms:
                    best = options[0]
                    other = next((one for one in options if one.rider_id != best.rider_id), None)
                    if other is not None:
                        gap = (other.rank_ms - best.rank_ms) / 1000
                        runner = RunnerUp(other.rider_id, other.extra_ms / 1000, gap)
                    self.put(task, best, runner if other is not None else None)
                    moved = True
                else:
                    self.put(task, here, runner)
            if not moved:
                return

    def account(self) -> tuple[list[Match], list[Task]]:
        """Take all drafts out and apply them for good; tasks that no longer fit alone are handed back."""
        fleet = self._fleet
        by_rider: dict[str, list[tuple[int, Task, Candidate, RunnerUp | None]]] = {}
        for task, found, runner, name in self._placed.values():
            stops = fleet.rider(found.rider_id).stops
            at = next(place for place, stop in enumerate(stops) if stop.stop_id == name)
            by_rider.setdefault(found.rider_id, []).append((at, task, found, runner))
        for task_id in list(self._placed):
            self.take(task_id)
        matches: list[Match] = []
        again: list[Task] = []
        for rider_id in sorted(by_rider):
            given = sorted(by_rider[rider_id], key=lambda one: one[0])
            for _, task, _, runner in given:
                # In the order of the plan, each at its best place.
                best = fleet.best_of(task, rider_id, self._now_s)
                if best is None:
                    again.append(task)
                else:
                    matches.append(apply(fleet, task, best, runner, self._now_s))
        return matches, again


def hold_back(
    fleet: Fleet, tasks: Sequence[Task], now_s: float, patience_s: float = 900.0, least_gain_s: float = 60.0
) -> tuple[Held, ...]:
    """Say which single-place tasks had better wait for a rider who is on his break and comes free soon.

    Riders with orders need no holding back: a task may stand at the end of their plans. Riders on a break may
    not be asked until it is over; they are judged as from then on.

    Parameters
    ----------
    fleet : Fleet
    tasks : sequence of Task
    now_s : float
        Epoch seconds.
    patience_s : float
        No task is held longer.
    least_gain_s : float
        Extra seconds that must be saved.

    Returns
    -------
    tuple of Held
        At most one for each task, in the order of the tasks.
    """
    now_best = fleet.best(tasks, 1, now_s)
    soon: list[str] = []
    for rider_id in fleet.rider_ids:
        rider = fleet.rider(rider_id)
        if rider.status == "on_break" and now_s < rider.available_s <= now_s + patience_s:
            soon.append(rider_id)
    opened = [fleet.row_of(rider_id) for rider_id in soon]
    for squad, row in opened:
        squad.c.ok[row] = 1
    try:
        later = fleet.best(tasks, 1, now_s)
    finally:
        for squad, row in opened:
            squad.c.ok[row] = 0
    held = []
    for task, now_one, later_one in zip(tasks, now_best, later, strict=True):
        if not later_one or later_one[0].rider_id not in soon:
            continue
        gain = np.inf if not now_one else (now_one[0].rank_ms - later_one[0].rank_ms) / 1000
        if gain >= least_gain_s:
            rider = fleet.rider(later_one[0].rider_id)
            held.append(Held(task.task_id, rider.rider_id, rider.available_s, float(gain)))
    return tuple(held)
