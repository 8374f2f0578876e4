"""Many tasks at once: the cheapest assignment of tasks to riders, then more tasks a rider, then improvement.

A round gives every rider at most one task: a minimum-cost matching in the sparse table of each task's best
riders, with a dummy for each task that stays without. Lists are cut short and made longer until it is proven
that nobody beyond them matters, so the optimum of the round is exact. Rounds
repeat on the changed plans until nothing more fits; then each task is taken out and put back where it is
cheapest, as long as that helps.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from geo.errors import InputError
from routing.best_riders import candidates_for, without_way_out
from routing.fleet.fleet import Candidate, Fleet
from routing.fleet.kernels.tables import TASK_STOP
from routing.fleet.mode_fleet import as_ms
from routing.fleet.snapshots import FleetState
from routing.match import Answers, apply, match, task_order
from routing.model.results import Match, Refused, RunnerUp
from routing.model.tasks import Task, stops_of
from routing.routes import legs_of, ways_of
from routing.several_people import meet

__all__ = ["Assigned", "assign_all", "assign_lists", "assign_round", "match_batch"]

LISTED = 6
"""Riders listed for each task at first; lists grow where the optimum asks for it."""
PASSES = 3
ORDERS = 3
"""Orders that are tried for what went without, after that of priority and due instant."""


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
    chosen = assign_lists(tasks, lists, lambda at, size: fleet.best([tasks[at]], size, now_s)[0], listed)
    assigned, left = [], []
    for at, found in enumerate(chosen):
        if found is None:
            left.append(tasks[at])
            continue
        other = next((one for one in lists[at] if one.rider_id != found.rider_id), None)
        runner = None
        if other is not None:
            runner = RunnerUp(other.rider_id, other.extra_ms / 1000, (other.rank_ms - found.rank_ms) / 1000)
        assigned.append((tasks[at], found, runner))
    return assigned, left


def assign_lists(
    tasks: Sequence[Task],
    lists: list[tuple[Candidate, ...]],
    more: Callable[[int, int], tuple[Candidate, ...]],
    listed: int = LISTED,
) -> list[Candidate | None]:
    """Give each rider of some lists at most one task, at the least total rank.

    Parameters
    ----------
    tasks : sequence of Task
    lists : list of tuple of Candidate
        The best riders of each task, as many as there are up to `listed`; made longer in place where the
        optimum asks for it.
    more : callable
        Returns the best riders of the task at a place in `tasks`, so many at most.
    listed : int
        Length of the lists as they come.

    Returns
    -------
    list of Candidate, optional
        Of each task; None for those left over: as few as possible, those of lower priority first.
    """
    asked = [listed] * len(tasks)
    while True:
        number: dict[str, int] = {}
        for candidates in lists:
            for one in candidates:
                number.setdefault(one.rider_id, len(number))
        if not tasks or not number:
            return [None] * len(tasks)
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
            lists[at] = more(at, asked[at])
    ids = list(number)
    out: list[Candidate | None] = [None] * len(tasks)
    for at, column in zip(rows.tolist(), (chosen - len(tasks)).tolist(), strict=True):
        if column < len(ids):
            out[at] = next(one for one in lists[at] if one.rider_id == ids[column])
    return out


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
        Ids differ. Pairs, tasks for several people and those in dead ends follow one by one after the
        others.
    now_s : float
        Epoch seconds.
    threads : int

    Returns
    -------
    tuple of Match, tuple of Refused
        Matches in an order in which each holds on the plan that the earlier ones left. Never fewer tasks,
        weighted by priority, than one by one.
    """
    if len({task.task_id for task in tasks}) != len(tasks):
        raise InputError("Two tasks have the same task_id; each may stand in the list once.")
    if len(tasks) == 1:
        # There is nothing to weigh against anything else.
        return match(fleet, tasks, now_s)
    ordered = sorted(tasks, key=task_order)
    with fleet.at_hand(tasks):
        assigned, _ = assign_all(fleet, [task for task in ordered if _alone(fleet, task)], now_s, threads)
        before = fleet.snapshot() if len(assigned) < len(ordered) else None
        # The plan of a rider who gets one task is not touched by the others.
        single = [one for one in assigned if not one.shared]
        legs = [legs_of(fleet, one.task, one.found) for one in single]
        found_ways = zip(single, legs, ways_of(fleet.network, legs, threads), strict=True)
        ways = {one.task.task_id: (its, way) for one, its, way in found_ways}
        matches: list[Match] = []
        for one in assigned:
            found: Candidate | None = one.found
            if one.shared:
                found = fleet.best_of(one.task, one.found.rider_id, now_s)
            if found is not None:
                matches.append(
                    apply(fleet, one.task, found, one.runner_up, now_s, ways.get(one.task.task_id))
                )
        done = {account.task_id for account in matches}
        more, refused = match(fleet, [task for task in ordered if task.task_id not in done], now_s)
        together = (*matches, *more), refused
        if not refused or before is None:
            return together
        return _otherwise(fleet, ordered, together, before, now_s)


def _otherwise(
    fleet: Fleet, tasks: Sequence[Task], found: Answers, before: FleetState, now_s: float
) -> Answers:
    """Try other orders where somebody could do a task that is refused only for what the others got.

    Rounds and improvement are no proof over several tasks a rider, and pairs and tasks for several people
    have no part in them. So all are matched in their order, then again with those first that went without:
    what serves most stays.
    """
    best, after, first = found, fleet.snapshot(), set[str]()
    for attempt in range(1 + ORDERS):
        fleet.restore(before)
        before = fleet.snapshot()
        left = {one.task_id for one in best[1]}
        # Plans only get fuller: what nobody can do on the plans as given nobody can do later.
        left = {task.task_id for task in tasks if task.task_id in left and _possible(fleet, task, now_s)}
        if not left or (attempt and left <= first):
            break
        first |= left if attempt else set()
        other = match(fleet, tasks, now_s, first)
        if _served(tasks, other[0]) > _served(tasks, best[0]):
            best, after = other, fleet.snapshot()
    fleet.restore(after)
    return best


def _possible(fleet: Fleet, task: Task, now_s: float) -> bool:
    """Whether a task can be done on the plans as they stand."""
    if task.people > 1:
        return not isinstance(meet(fleet, task, now_s), Refused)
    return bool(candidates_for(fleet, task, 1, now_s))


def _served(tasks: Sequence[Task], matches: Sequence[Match]) -> int:
    """Count the tasks served, each as much as its priority over the lowest one plus 1."""
    lowest = min(task.priority for task in tasks)
    weight = {task.task_id: 1 + task.priority - lowest for task in tasks}
    # One for several people has several matches.
    return sum(weight[task_id] for task_id in {account.task_id for account in matches})


def _alone(fleet: Fleet, task: Task) -> bool:
    """Whether a task has one place that all may leave again, and needs one rider."""
    return task.dropoff is None and task.people == 1 and not without_way_out(fleet, task)


@dataclasses.dataclass(frozen=True, slots=True)
class Assigned:
    """A task and the rider who shall do it."""

    task: Task
    found: Candidate
    runner_up: RunnerUp | None
    shared: bool
    """The rider got other tasks too, if only for a while: place and extra time must be found again."""


def assign_all(
    fleet: Fleet, tasks: Sequence[Task], now_s: float, threads: int = 1
) -> tuple[tuple[Assigned, ...], tuple[Task, ...]]:
    """Assign single-place tasks in rounds, then improve; changes nothing.

    Parameters
    ----------
    fleet : Fleet
    tasks : sequence of Task
        Of one place, for one rider each.
    now_s : float
        Epoch seconds.
    threads : int

    Returns
    -------
    tuple of Assigned, tuple of Task
        By rider, then in the order of their plan; and the tasks that nobody may do.
    """
    draft = _Draft(fleet, now_s, threads)
    with fleet.at_hand(tasks):
        try:
            left = list(tasks)
            while left:
                assigned, rest = assign_round(fleet, left, now_s, threads)
                for task, found, runner in assigned:
                    draft.put(task, found, runner)
                if not assigned:
                    break
                left = rest
            draft.improve()
            return draft.assigned(), tuple(left)
        finally:
            draft.undo()


@dataclasses.dataclass(slots=True)
class _Placed:
    """A task in a plan on trial; `place` moves when others come before it or go."""

    task: Task
    found: Candidate
    runner_up: RunnerUp | None
    place: int
    shared: bool
    """Another task of the same rider came or went since it was put."""


class _Draft:
    """Tasks put into the columns of plans on trial, so that they can be moved; riders stay as they are."""

    def __init__(self, fleet: Fleet, now_s: float, threads: int) -> None:
        self._fleet, self._now_s, self._threads = fleet, now_s, threads
        self._placed: dict[str, _Placed] = {}
        self._of_rider: dict[str, list[_Placed]] = {}
        self._ready: dict[str, int] = {}

    def put(self, task: Task, found: Candidate, runner_up: RunnerUp | None) -> None:
        """Put a task into the plan of the rider found, at the place found."""
        mode_fleet, row = self._fleet.row_of(found.rider_id)
        now, visit = as_ms(self._now_s), task.place
        if mode_fleet.c.leave[row * mode_fleet.width + found.place] < now:
            if mode_fleet.c.stops[row]:
                visit = dataclasses.replace(visit, earliest_s=max(visit.earliest_s, self._now_s))
            else:
                # The rider stood idle until now.
                self._ready.setdefault(found.rider_id, int(mode_fleet.c.ready[row]))
                mode_fleet.c.ready[row] = now
        at = self._fleet.place_of(mode_fleet.mode, task)
        mode_fleet.insert(row, found.place, at, visit, stops_of(task)[0].load_change, TASK_STOP)
        mine = self._of_rider.setdefault(found.rider_id, [])
        for one in mine:
            one.place += one.place >= found.place
            one.shared = True
        self._placed[task.task_id] = _Placed(task, found, runner_up, found.place, bool(mine))
        mine.append(self._placed[task.task_id])
        self._budget(found.rider_id)

    def take(self, task_id: str) -> _Placed:
        """Take a task out again."""
        taken = self._placed.pop(task_id)
        rider_id = taken.found.rider_id
        mode_fleet, row = self._fleet.row_of(rider_id)
        mine = self._of_rider[rider_id]
        mine.remove(taken)
        for one in mine:
            one.place -= one.place > taken.place
            one.shared = True
        if not mine and rider_id in self._ready:
            mode_fleet.c.ready[row] = self._ready.pop(rider_id)
        mode_fleet.take_out(row, taken.place)
        self._budget(rider_id)
        return taken

    def _budget(self, rider_id: str) -> None:
        """Leave to a rider what the hour allows beside the tasks on trial."""
        fleet, policy = self._fleet, self._fleet.policy
        mode_fleet, row = fleet.row_of(rider_id)
        spent_s = fleet.rider(rider_id).extra_last_hour_s
        spent_s += sum(one.found.extra_ms for one in self._of_rider[rider_id]) / 1000
        left_s = max(policy.max_extra_per_hour_s - spent_s, 0.0)
        mode_fleet.c.cap[row] = round(min(policy.max_extra_s, left_s) * 1000)

    def undo(self) -> None:
        """Take all drafts out: the columns are as before."""
        for task_id in list(self._placed):
            self.take(task_id)

    def improve(self) -> None:
        """Move single tasks to where they are cheaper, until nothing changes or the passes are used up."""
        for _ in range(PASSES):
            order = sorted(self._placed)
            placed = [self._placed[task_id] for task_id in order]
            # One search for all of them finds who has a cheaper place elsewhere, as the plans stand.
            tasks, found = [one.task for one in placed], [one.found for one in placed]
            offers = self._fleet.best(tasks, 1, self._now_s, self._threads, better=found)
            moved = False
            for task_id, one, offered in zip(order, placed, offers, strict=True):
                # Of a rider with several tasks, each may have a cheaper place in their own plan.
                if offered or len(self._of_rider[one.found.rider_id]) > 1:
                    moved |= self._move(task_id)
            if not moved:
                return

    def _move(self, task_id: str) -> bool:
        """Take a task out and put it where it is cheapest; returns whether that is elsewhere."""
        taken = self.take(task_id)
        task, found = taken.task, taken.found
        options = self._fleet.best([task], 2, self._now_s)[0]
        if not options or options[0].rank_ms >= found.rank_ms:
            self.put(task, dataclasses.replace(found, place=taken.place), taken.runner_up)
            self._placed[task_id].shared |= taken.shared
            return False
        best, runner_up = options[0], None
        if len(options) > 1:
            other = options[1]
            gap_s = (other.rank_ms - best.rank_ms) / 1000
            runner_up = RunnerUp(other.rider_id, other.extra_ms / 1000, gap_s)
        self.put(task, best, runner_up)
        return True

    def assigned(self) -> tuple[Assigned, ...]:
        """Return the drafts by rider, then by place."""
        found = [
            Assigned(one.task, dataclasses.replace(one.found, place=one.place), one.runner_up, one.shared)
            for mine in self._of_rider.values()
            for one in mine
        ]
        return tuple(sorted(found, key=lambda one: (one.found.rider_id, one.found.place)))
