"""Match tasks with riders: rider, place, price, proof, way and runner-up, or the reason why not."""

from collections.abc import Sequence

import numpy as np

from geo.errors import InputError
from geo.snapping import Snapped
from geo.streets import StreetNetwork
from geo.travel import Path, find_path
from routing.explain import refusal
from routing.fleet import Candidate, Fleet
from routing.policy import Policy
from routing.results import LateStop, Match, MatchResult, Refused, RunnerUp, StopSlack
from routing.riders import Rider, Stop
from routing.tables import EVER
from routing.tasks import Task

__all__ = ["match", "match_tasks", "task_order"]


def task_order(task: Task) -> tuple[int, float, str]:
    """Order in which tasks are served: priority, then due instant, then id."""
    return -task.priority, task.place.latest_s, task.task_id


def match_tasks(
    network: StreetNetwork, riders: Sequence[Rider], tasks: Sequence[Task], policy: Policy, now_s: float
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

    Returns
    -------
    MatchResult
        Matches in the order in which tasks were served, refusals with reasons, and all plans afterwards.

    Raises
    ------
    InputError
        If two riders or two tasks have the same id.
    """
    fleet = Fleet(network, policy)
    off = fleet.put(riders, now_s)
    late = late_stops(fleet)
    matches, refused = match(fleet, tasks, now_s)
    plans = tuple(fleet.rider(rider.rider_id) if rider.rider_id in fleet else rider for rider in riders)
    return MatchResult(matches, refused, late, off, plans)


def late_stops(fleet: Fleet) -> tuple[LateStop, ...]:
    """Return the stops that are late as the plans stand, by rider and place."""
    late: list[LateStop] = []
    for mode, squad in fleet.squads.items():
        c, width = squad.c, squad.width
        over = (c.start - c.latest).reshape(-1, width)
        for row, j in zip(*np.nonzero(over > 0), strict=True):
            if 1 <= j <= c.stops[row] and c.latest[row * width + j] < EVER:
                rider = fleet.rider(fleet.id_at(mode, int(row)))
                late.append(LateStop(rider.rider_id, rider.stops[j - 1].stop_id, float(over[row, j]) / 1000))
    return tuple(sorted(late, key=lambda stop: (stop.rider_id, stop.stop_id)))


def match(fleet: Fleet, tasks: Sequence[Task], now_s: float) -> tuple[tuple[Match, ...], tuple[Refused, ...]]:
    """Match tasks one by one, by priority; each is in the plans before the next is looked at.

    Parameters
    ----------
    fleet : Fleet
        Changed in place.
    tasks : sequence of Task
    now_s : float
        Epoch seconds.

    Returns
    -------
    tuple of Match, tuple of Refused
        A task that needs several people has one match for each, or is refused as a whole.
    """
    if len({task.task_id for task in tasks}) != len(tasks):
        raise InputError("Two tasks have the same task_id; each may stand in the list once.")
    matches: list[Match] = []
    refused: list[Refused] = []
    for task in sorted(tasks, key=task_order):
        candidates = fleet.best([task], task.people + 1, now_s)[0]
        if len(candidates) < task.people:
            refused.append(refusal(fleet, task, now_s, len(candidates)))
            continue
        chosen, rest = candidates[: task.people], candidates[task.people :]
        for found in chosen:
            runner = None
            if rest:
                runner = RunnerUp(
                    rest[0].rider_id, rest[0].extra_ms / 1000, (rest[0].rank_ms - found.rank_ms) / 1000
                )
            matches.append(apply(fleet, task, found, runner, now_s))
    return tuple(matches), tuple(refused)


def _stop_id(task: Task, rider: Rider) -> str:
    taken = {stop.stop_id for stop in rider.stops}
    name, number = task.task_id, 2
    while name in taken:
        name, number = f"{task.task_id}#{number}", number + 1
    return name


def apply(fleet: Fleet, task: Task, found: Candidate, runner_up: RunnerUp | None, now_s: float) -> Match:
    """Put a found single-place task into its rider's plan and return the whole account of it."""
    squad, row = fleet.row_of(found.rider_id)
    rider = fleet.rider(found.rider_id)
    k, place = len(rider.stops), found.place
    base = row * squad.width
    before = squad.c.start[base + 1 : base + k + 1].copy()
    at = fleet.table(rider.mode, [task]).places
    now = round(now_s * 1000)
    earliest_s = task.place.earliest_s
    if squad.c.leave[base + place] < now:
        if k == 0:
            # He stood idle until now.
            squad.c.ready[row] = now
        else:
            earliest_s = max(earliest_s, now / 1000)
    stop = Stop(
        _stop_id(task, rider),
        task.place.lonlat,
        task.place.service_s,
        earliest_s,
        task.place.latest_s,
        "task",
    )
    fleet.insert(found.rider_id, place, stop, at)
    base = row * squad.width
    c = squad.c
    slot = base + place + 1
    others = [base + m + 1 for m in range(k + 1) if m != place]
    after = c.start[others]
    slacks = tuple(
        StopSlack(
            s.stop_id, int(b) / 1000, int(a) / 1000, s.latest_s - int(b) / 1000, s.latest_s - int(a) / 1000
        )
        for s, b, a in zip(rider.stops, before, after, strict=True)
    )
    to, on, past = _ways(
        fleet, squad.mode, squad.snapped([slot - 1, slot, slot + 1][: 3 if place < k else 2])
    )
    extra_s = found.extra_ms / 1000
    extra_m = (
        to.length_m
        + to.walk_m
        + (on.length_m + on.walk_m - past.length_m - past.walk_m if on and past else 0.0)
    )
    way = to.lonlat if on is None else np.concatenate([to.lonlat, on.lonlat])
    policy = fleet.policy
    points = policy.points_per_minute * extra_s / 60 + policy.points_per_km * max(extra_m, 0.0) / 1000
    account = Match(
        task_id=task.task_id,
        rider_id=rider.rider_id,
        place=place,
        dropoff_place=None,
        arrival_s=int(c.arrive[slot]) / 1000,
        start_s=int(c.start[slot]) / 1000,
        leave_s=int(c.leave[slot]) / 1000,
        extra_s=extra_s,
        extra_m=extra_m,
        yuan=policy.yuan_per_minute * extra_s / 60 + policy.yuan_per_km * max(extra_m, 0.0) / 1000,
        points=points,
        stops=slacks,
        way_lonlat=way,
        before_m=to.length_m + to.walk_m,
        after_m=0.0 if on is None else on.length_m + on.walk_m,
        runner_up=runner_up,
        plan=fleet.rider(rider.rider_id),
    )
    fleet.spend(rider.rider_id, extra_s, points)
    return account


def _ways(fleet: Fleet, mode: str, places: Snapped) -> tuple[Path, Path | None, Path | None]:
    """Return the ways to the task, on from it, and the one they replace."""
    to = find_path(fleet.network, mode, places.take([0]), places.take([1]))
    if to is None:
        raise InputError("The way to a matched task was not found: network and fleet do not belong together.")
    if len(places) == 2:
        return to, None, None
    on = find_path(fleet.network, mode, places.take([1]), places.take([2]))
    return to, on, find_path(fleet.network, mode, places.take([0]), places.take([2]))
