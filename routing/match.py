"""Match tasks with riders: rider, place, price, proof, way and runner-up, or the reason why not."""

import dataclasses
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Generic, Literal, TypeVar

import numpy as np

from geo.arrays import Int64Array
from geo.errors import InputError
from geo.streets import StreetNetwork
from geo.travel import Path
from routing.best_riders import candidates_for
from routing.fleet.fleet import Candidate, Fleet
from routing.fleet.kernels.tables import EVER
from routing.model.policy import Policy
from routing.model.results import (
    Answer,
    LateStop,
    Match,
    MatchResult,
    Refused,
    RunnerUp,
    StopSlack,
)
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, stops_of
from routing.refusal.explain import left_out, off_street_rider, refusal, why_not
from routing.routes import ChangedLegs, legs_of, metres_of, settled, ways_of
from routing.several_people import meet

__all__ = ["Priced", "apply", "late_stops", "match", "match_tasks", "put_in_plan", "put_priced", "task_order"]

T = TypeVar("T")


def task_order(task: Task) -> tuple[int, float, str]:
    """Order in which tasks are served: priority, then due instant, then id."""
    return -task.priority, task.place.latest_s, task.task_id


Answers = tuple[tuple[Match, ...], tuple[Refused, ...]]


def match_tasks(
    network: StreetNetwork,
    riders: Sequence[Rider],
    tasks: Sequence[Task],
    policy: Policy,
    now_s: float,
    questions: Sequence[tuple[str, str]] = (),
    *,
    by: Callable[[Fleet, Sequence[Task], float], Answers] | None = None,
    late_of: Literal["named", "all"] = "named",
) -> MatchResult:
    """Match tasks with riders, without any state kept.

    Parameters
    ----------
    network : StreetNetwork
    riders : sequence of Rider
        With their positions and plans at `now_s`; ids differ.
    tasks : sequence of Task
        Ids differ. They are served by priority, due instant and id; a later one sees the plans that hold
        earlier ones.
    policy : Policy
    now_s : float
        Epoch seconds.
    questions : sequence of (task id, rider id)
        "Why not this rider for this task?", answered for the plans as they were given.
    by : callable, optional
        How tasks are matched: `match`, one by one, by default; `routing.assign.match_batch` together.
    late_of : {"named", "all"}
        Whose late stops are told: of the riders whom the answer names, or of all, for which the ways of all
        plans must be found.

    Returns
    -------
    MatchResult
        Matches in the order in which tasks were served, refusals with reasons, and all plans afterwards; the
        times of a match are those of the final plan, also where its rider got several tasks.

    Raises
    ------
    InputError
        If two riders or two tasks have the same id, or a question is about a task or rider that is not there.
    """
    fleet = Fleet(network, policy)
    one = tasks[0] if len(tasks) == 1 and tasks[0].people == 1 and tasks[0].dropoff is None else None
    off = fleet.put(riders, now_s, None if late_of == "all" else one)
    answers = _answers(fleet, tasks, questions, dict(off), now_s)
    late = late_stops(fleet)
    insertions, refused = (by or match)(fleet, tasks, now_s)
    if late_of == "named":
        # Of a task that nobody may do all were asked, and nobody's plan has changed.
        late = _of_named(late if insertions else late_stops(fleet), insertions, refused, answers)
    if off:
        known = {task.task_id: task for task in tasks}
        refused = tuple(left_out(one, known[one.task_id], riders, dict(off)) for one in refused)
    matches, routes = settled(fleet, insertions)
    return MatchResult(matches, refused, late, off, routes, insertions, answers)


def _of_named(
    late: tuple[LateStop, ...],
    matches: Sequence[Match],
    refused: Sequence[Refused],
    answers: Sequence[Answer],
) -> tuple[LateStop, ...]:
    """Leave out the late stops of riders whom the rest of an answer does not name."""
    named: set[str | None] = {one.rider_id for one in matches}
    named |= {one.rider_id for one in refused} | {one.rider_id for one in answers}
    named |= {one.runner_up.rider_id for one in matches if one.runner_up is not None}
    named |= {one.refused.rider_id for one in answers if one.refused is not None}
    return tuple(one for one in late if one.rider_id in named)


def _answers(
    fleet: Fleet,
    tasks: Sequence[Task],
    questions: Sequence[tuple[str, str]],
    off: Mapping[str, float],
    now_s: float,
) -> tuple[Answer, ...]:
    known = {task.task_id: task for task in tasks}
    answers = []
    for task_id, rider_id in questions:
        if task_id not in known:
            raise InputError(f"A question is about task {task_id!r}, which is not among the tasks.")
        if rider_id in off:
            lost = off_street_rider(known[task_id], rider_id, off[rider_id])
            answers.append(Answer(task_id, rider_id, lost))
            continue
        answers.append(Answer(task_id, rider_id, why_not(fleet, known[task_id], rider_id, now_s)))
    return tuple(answers)


def late_stops(fleet: Fleet) -> tuple[LateStop, ...]:
    """Return the stops that are late as the plans stand, by rider and place."""
    late: list[LateStop] = []
    for mode, mode_fleet in fleet.mode_fleets.items():
        c, width = mode_fleet.c, mode_fleet.width
        over = (c.start - c.latest).reshape(-1, width)
        for row, j in zip(*np.nonzero(over > 0), strict=True):
            if 1 <= j <= c.stops[row] and c.latest[row * width + j] < EVER:
                rider = fleet.rider(fleet.id_at(mode, int(row)))
                late.append(LateStop(rider.rider_id, rider.stops[j - 1].stop_id, float(over[row, j]) / 1000))
    return tuple(sorted(late, key=lambda stop: (stop.rider_id, stop.stop_id)))


def match(
    fleet: Fleet, tasks: Sequence[Task], now_s: float, first: Collection[str] = ()
) -> tuple[tuple[Match, ...], tuple[Refused, ...]]:
    """Match tasks one by one, by priority; each is in the plans before the next is looked at.

    Parameters
    ----------
    fleet : Fleet
        Changed in place.
    tasks : sequence of Task
    now_s : float
        Epoch seconds.
    first : collection of str
        Tasks that are served before all others, whatever their priority.

    Returns
    -------
    tuple of Match, tuple of Refused
        A task that needs several people has one match for each, all beginning together, or is refused as a
        whole.
    """
    if len({task.task_id for task in tasks}) != len(tasks):
        raise InputError("Two tasks have the same task_id; each may stand in the list once.")
    matches: list[Match] = []
    refused: list[Refused] = []
    with fleet.at_hand(tasks):
        for task in sorted(tasks, key=lambda one: (one.task_id not in first, *task_order(one))):
            found = meet(fleet, task, now_s) if task.people > 1 else _one(fleet, task, now_s)
            if isinstance(found, Refused):
                refused.append(found)
                continue
            timed, candidates = found
            chosen, rest = candidates[: task.people], candidates[task.people :]
            runners = [_runner_up(fleet, timed, chosen, one, rest, now_s) for one in chosen]
            for one, runner in zip(chosen, runners, strict=True):
                matches.append(apply(fleet, timed, one, runner, now_s))
    return tuple(matches), tuple(refused)


def _one(fleet: Fleet, task: Task, now_s: float) -> tuple[Task, tuple[Candidate, ...]] | Refused:
    """Find the best rider for a task and the next best, or why there is none."""
    candidates = candidates_for(fleet, task, 2, now_s)
    return (task, candidates) if candidates else refusal(fleet, task, now_s)


def _runner_up(
    fleet: Fleet,
    task: Task,
    chosen: tuple[Candidate, ...],
    found: Candidate,
    rest: tuple[Candidate, ...],
    now_s: float,
) -> RunnerUp | None:
    """Return the next best rider of the same platform: nobody is told of another platform's riders."""
    platform = fleet.rider(found.rider_id).platform
    if rest and fleet.rider(rest[0].rider_id).platform != platform:
        own = dataclasses.replace(task, platforms=frozenset({platform}))
        taken = {one.rider_id for one in chosen}
        others = candidates_for(fleet, own, task.people + 1, now_s)
        rest = tuple(one for one in others if one.rider_id not in taken)
    if not rest:
        return None
    return RunnerUp(rest[0].rider_id, rest[0].extra_ms / 1000, (rest[0].rank_ms - found.rank_ms) / 1000)


def _added(task: Task, rider: Rider, from_s: float) -> tuple[Stop, ...]:
    """Return the stops that a task adds, under names not yet taken; none begins before `from_s`."""
    taken = {stop.stop_id for stop in rider.stops}
    stops = []
    for stop in stops_of(task):
        name, number = stop.stop_id, 2
        while name in taken:
            name, number = f"{stop.stop_id}#{number}", number + 1
        stops.append(dataclasses.replace(stop, stop_id=name, earliest_s=max(stop.earliest_s, from_s)))
    return tuple(stops)


@dataclasses.dataclass(frozen=True, slots=True)
class Priced:
    """What is told of a match before it is one: when, and what it takes; as in `Match`."""

    arrival_s: float
    start_s: float
    leave_s: float
    extra_s: float
    extra_m: float
    yuan: float
    points: float
    plan: Rider
    own: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class _Put(Generic[T]):
    """A task that stands in a plan."""

    before: Rider
    starts_ms: Int64Array
    """Of the stops that were there before, as it was then."""
    base: int
    """First slot of the row."""
    slots: tuple[int, ...]
    """Of the task's stops."""
    stops: int
    """Of the plan now."""
    extra_s: float
    old: list[T]
    """Ways that the plan no longer has."""
    new: list[T]
    """Ways that it has instead."""

    @property
    def end(self) -> int:
        """The slot where the new ways end."""
        return min(self.slots[-1] + 1, self.base + self.stops)


def _put_in(
    fleet: Fleet,
    task: Task,
    found: Candidate,
    now_s: float,
    ways: tuple[int, list[T]],
) -> _Put[T]:
    """Put a task in; `ways` are those of `legs_of`, the first so many of which go."""
    mode_fleet, row = fleet.row_of(found.rider_id)
    rider = fleet.rider(found.rider_id)
    k, place = len(rider.stops), found.place
    base = row * mode_fleet.width
    before = mode_fleet.c.start[base + 1 : base + k + 1].copy()
    now = round(now_s * 1000)
    from_s = -math.inf
    if mode_fleet.c.leave[base + place] < now:
        if k == 0:
            # The rider stood idle until now.
            mode_fleet.c.ready[row] = now
        else:
            from_s = now / 1000
    added = _added(task, rider, from_s)
    where = [place] if found.dropoff_place is None else [place, found.dropoff_place]
    before_ms = int(mode_fleet.c.arrive[base + place + 1]) if place < k else int(mode_fleet.c.leave[base + k])
    if place == k == 0:
        before_ms = max(before_ms, now)
    for number in reversed(range(len(added))):
        at = fleet.table(rider.mode, [task], dropoff=number == 1).places
        fleet.insert(found.rider_id, where[number], added[number], at)
    base, c = row * mode_fleet.width, mode_fleet.c
    extra_ms = found.extra_ms
    if len(added) == 1:
        # As it stands in the columns now: a batch moves other tasks after a candidate was found.
        end_ms = int(c.arrive[base + place + 2]) if place < k else int(c.leave[base + place + 1])
        extra_ms = max(end_ms - before_ms, 0)
    slots = tuple(base + 1 + at + number for number, at in enumerate(where))
    lost, legs = ways
    return _Put(rider, before, base, slots, k + len(where), extra_ms / 1000, legs[:lost], legs[lost:])


def _price(fleet: Fleet, put: _Put[T], extra_m: float) -> Priced:
    """Price what stands in a plan, and book it on the rider's budgets."""
    rider_id, policy, slot, extra_s = put.before.rider_id, fleet.policy, put.slots[0], put.extra_s
    c = fleet.mode_fleets[put.before.mode].c
    points = policy.points_per_minute * extra_s / 60 + policy.points_per_km * max(extra_m, 0.0) / 1000
    priced = Priced(
        arrival_s=int(c.arrive[slot]) / 1000,
        start_s=int(c.start[slot]) / 1000,
        leave_s=int(c.leave[slot]) / 1000,
        extra_s=extra_s,
        extra_m=extra_m,
        yuan=policy.yuan_per_minute * extra_s / 60 + policy.yuan_per_km * max(extra_m, 0.0) / 1000,
        points=points,
        plan=fleet.rider(rider_id),
        own=tuple(one - put.base - 1 for one in put.slots),
    )
    fleet.spend(rider_id, extra_s, points)
    return priced


def put_priced(fleet: Fleet, task: Task, found: Candidate, now_s: float) -> Priced:
    """Put a found task into its rider's plan as `apply` does, and return no more than an offer tells.

    The geometry of the way, which takes most of the time of `apply`, is not made.
    """
    legs = legs_of(fleet, task, found)
    put = _put_in(fleet, task, found, now_s, (legs.lost, metres_of(fleet.network, legs)))
    return _price(fleet, put, sum(put.new) - sum(put.old))


def put_in_plan(fleet: Fleet, task: Task, found: Candidate, now_s: float, points: float = 0.0) -> None:
    """Put a found task into its rider's plan as `apply` does, and tell nothing; `points` are booked."""
    none: tuple[int, list[float]] = (0, [])
    fleet.spend(found.rider_id, _put_in(fleet, task, found, now_s, none).extra_s, points)


def apply(
    fleet: Fleet,
    task: Task,
    found: Candidate,
    runner_up: RunnerUp | None,
    now_s: float,
    ways: tuple[ChangedLegs, list[Path]] | None = None,
) -> Match:
    """Put a found task into its rider's plan and return the whole account of it.

    Parameters
    ----------
    fleet : Fleet
        Changed in place: plan, hour budget and points of the rider.
    task : Task
    found : Candidate
        From `candidates_for`, with the fleet unchanged since.
    runner_up : RunnerUp, optional
        Left out of the account where the rider rides for another platform.
    now_s : float
        Epoch seconds.
    ways : tuple of ChangedLegs and list of Path, optional
        What `legs_of` and `ways_of` say of it, where they were asked already.
    """
    if ways is None:
        legs = legs_of(fleet, task, found)
        ways = legs, ways_of(fleet.network, [legs])[0]
    put = _put_in(fleet, task, found, now_s, (ways[0].lost, ways[1]))
    rider, new_way, c = put.before, put.new, fleet.mode_fleets[put.before.mode].c
    slots = range(put.base + 1, put.base + 1 + put.stops)
    starts = c.start[slots.start : slots.stop]
    others = c.start[[slot for slot in slots if slot not in put.slots]].tolist()
    priced = _price(fleet, put, sum(way.metres for way in new_way) - sum(way.metres for way in put.old))
    if runner_up is not None and fleet.rider(runner_up.rider_id).platform != rider.platform:
        runner_up = None
    return Match(
        task_id=task.task_id,
        rider_id=rider.rider_id,
        place=found.place,
        dropoff_place=found.dropoff_place,
        arrival_s=priced.arrival_s,
        start_s=priced.start_s,
        leave_s=priced.leave_s,
        extra_s=priced.extra_s,
        extra_m=priced.extra_m,
        yuan=priced.yuan,
        points=priced.points,
        stops=_slacks(rider, put.starts_ms.tolist(), others),
        way_lonlat=np.concatenate([path.lonlat for path in new_way]),
        way_edges=tuple(path.directed_edges for path in new_way),
        before_m=new_way[0].metres,
        after_m=new_way[-1].metres if put.end > put.slots[-1] else 0.0,
        runner_up=runner_up,
        plan=priced.plan,
        own=priced.own,
        starts_s=tuple((starts / 1000).tolist()),
    )


def _slacks(rider: Rider, before_ms: Sequence[int], after_ms: Sequence[int]) -> tuple[StopSlack, ...]:
    return tuple(
        StopSlack(stop.stop_id, b / 1000, a / 1000, stop.latest_s - b / 1000, stop.latest_s - a / 1000)
        for stop, b, a in zip(rider.stops, before_ms, after_ms, strict=True)
    )
