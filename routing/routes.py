"""What the matches of one answer say together: the final plan of every rider who got a task.

A match is made on the plan that earlier matches left, and a later one of the same rider moves its times. So
whoever reads the answer gets the times of the final plans, and each plan once as a whole.
"""

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from geo.arrays import Int64Array
from geo.errors import InputError
from geo.streets import Snapped, StreetNetwork, after_each_other
from geo.travel import Path, find_paths, ways_metres
from routing.fleet.fleet import Candidate, Fleet
from routing.model.results import Match, Route, Step, StopSlack
from routing.model.riders import Rider
from routing.model.tasks import Task

__all__ = ["ChangedLegs", "legs_of", "metres_of", "settled", "ways_between", "ways_of"]

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, eq=False)
class ChangedLegs:
    """The legs that a plan loses to a task, and those that it gets instead."""

    mode: str
    places: Snapped
    source: Int64Array
    """Rows of `places`."""
    target: Int64Array
    lost: int
    """The first so many are those that go."""


def legs_of(fleet: Fleet, task: Task, found: Candidate) -> ChangedLegs:
    """Return the legs that change when a task is put in where it was found; the task is in no plan yet."""
    mode_fleet, row = fleet.row_of(found.rider_id)
    mode, base, first = mode_fleet.mode, row * mode_fleet.width, found.place
    where = [first] if found.dropoff_place is None else [first, found.dropoff_place]
    last = min(where[-1] + 1, int(mode_fleet.c.stops[row]))
    lost = last - first
    stands = [fleet.table(mode, [task], dropoff=number == 1).places for number in range(len(where))]
    chain = []
    for at in range(first, last + 1):
        chain.append(at - first)
        chain += [lost + 1 + number for number, before in enumerate(where) if before == at]
    old, new = np.arange(lost + 1), np.array(chain)
    return ChangedLegs(
        mode,
        after_each_other([mode_fleet.snapped(list(range(base + first, base + last + 1))), *stands]),
        np.concatenate([old[:-1], new[:-1]]),
        np.concatenate([old[1:], new[1:]]),
        lost,
    )


def ways_of(network: StreetNetwork, legs: Sequence[ChangedLegs], threads: int = 1) -> list[list[Path]]:
    """Return the ways of the legs of many tasks, found together."""
    out: list[list[Path]] = [[] for _ in legs]
    for mode in {one.mode for one in legs}:
        mine = [at for at, one in enumerate(legs) if one.mode == mode]
        first = np.cumsum([0, *(len(legs[at].places) for at in mine)]).tolist()
        source = np.concatenate([legs[at].source + begin for at, begin in zip(mine, first, strict=False)])
        target = np.concatenate([legs[at].target + begin for at, begin in zip(mine, first, strict=False)])
        places = after_each_other([legs[at].places for at in mine])
        found = iter(find_paths(network, mode, places, source, target, threads))
        for at in mine:
            out[at] = [_there(way) for way in itertools.islice(found, len(legs[at].source))]
    return out


def metres_of(network: StreetNetwork, legs: ChangedLegs) -> list[float]:
    """Return the metres of the ways of legs, walks included; their geometry is not made."""
    metres = ways_metres(network, legs.mode, legs.places, legs.source, legs.target)
    return [_there(None if math.isnan(one) else one) for one in metres.tolist()]


def ways_between(fleet: Fleet, rider: Rider, slots: list[int]) -> list[Path]:
    """Return the ways between slots, one after the other."""
    places, at = fleet.mode_fleets[rider.mode].snapped(slots), np.arange(len(slots))
    return [_there(way) for way in find_paths(fleet.network, rider.mode, places, at[:-1], at[1:])]


def _there(found: T | None) -> T:
    if found is None:
        raise InputError("The way of a matched plan was not found: network and fleet do not belong together.")
    return found


def settled(fleet: Fleet, insertions: Sequence[Match]) -> tuple[tuple[Match, ...], tuple[Route, ...]]:
    """Return the matches with the figures of the final plans, and those plans.

    Parameters
    ----------
    fleet : Fleet
        After all matches.
    insertions : sequence of Match
        In the order in which they were made.

    Returns
    -------
    tuple of Match
        In the same order. Price and runner-up are as they were; place, times, slacks and way are final.
    tuple of Route
        One for each rider with a match, in the order of their first ones.
    """
    of_rider: dict[str, list[int]] = {}
    for at, account in enumerate(insertions):
        of_rider.setdefault(account.rider_id, []).append(at)
    out: list[Match] = list(insertions)
    routes = []
    for rider_id, mine in of_rider.items():
        accounts = [insertions[at] for at in mine]
        order = _final_order(accounts)
        routes.append(_route(fleet, rider_id, accounts, order))
        for number, at in enumerate(mine):
            out[at] = _settle(fleet, accounts, number, order)
    return tuple(out), tuple(routes)


Owner = tuple[int, int]
"""Who brought a stop: (-1, number of the promised stop) or (account, number of the task's stop)."""


def _final_order(accounts: Sequence[Match]) -> list[Owner]:
    """Say of each stop of the final plan who brought it."""
    order: list[Owner] = [(-1, number) for number in range(len(accounts[0].stops))]
    for account, match in enumerate(accounts):
        for number, at in enumerate(match.own):
            order.insert(at, (account, number))
    return order


def _settle(fleet: Fleet, accounts: Sequence[Match], number: int, order: list[Owner]) -> Match:
    """Give one match the figures of the final plan."""
    match = accounts[number]
    rider = fleet.rider(match.rider_id)
    mode_fleet, row = fleet.row_of(match.rider_id)
    base, c = row * mode_fleet.width, mode_fleet.c
    own = [at for at, (account, _) in enumerate(order) if account == number]
    promised = [at for at, (account, _) in enumerate(order) if account < 0]
    places = [sum(at < mine for at in promised) for mine in own]
    start = c.start[[base + 1 + at for at in promised]] / 1000
    stops = tuple(
        StopSlack(s.stop_id, s.start_before_s, after, s.slack_before_s, rider.stops[at].latest_s - after)
        for s, at, after in zip(accounts[0].stops, promised, start.tolist(), strict=True)
    )
    slot = base + 1 + own[0]
    final = dataclasses.replace(
        match,
        place=places[0],
        dropoff_place=None if match.dropoff_place is None else places[1],
        arrival_s=int(c.arrive[slot]) / 1000,
        start_s=int(c.start[slot]) / 1000,
        leave_s=int(c.leave[slot]) / 1000,
        stops=stops,
        plan=rider,
        own=tuple(own),
        starts_s=tuple((c.start[base + 1 : base + 1 + len(order)] / 1000).tolist()),
    )
    if len(accounts) == 1:
        return final
    end = min(own[-1] + 1, len(order) - 1)
    ways = ways_between(fleet, rider, list(range(base + own[0], base + 2 + end)))
    return dataclasses.replace(
        final,
        way_lonlat=np.concatenate([path.lonlat for path in ways]),
        way_edges=tuple(path.directed_edges for path in ways),
        before_m=ways[0].metres,
        after_m=ways[-1].metres if end > own[-1] else 0.0,
    )


def _route(fleet: Fleet, rider_id: str, accounts: Sequence[Match], order: list[Owner]) -> Route:
    rider = fleet.rider(rider_id)
    mode_fleet, row = fleet.row_of(rider_id)
    base, c = row * mode_fleet.width, mode_fleet.c
    load = rider.load
    steps = []
    for at, ((account, number), stop) in enumerate(zip(order, rider.stops, strict=True)):
        slot = base + 1 + at
        arrival, start, leave = (int(column[slot]) / 1000 for column in (c.arrive, c.start, c.leave))
        load += stop.load_change
        task_id, part = None, "stop"
        if account >= 0:
            task_id = accounts[account].task_id
            pair = accounts[account].dropoff_place is not None
            part = ("pickup", "dropoff")[number] if pair else "visit"
        steps.append(
            Step(
                stop_id=stop.stop_id,
                task_id=task_id,
                part=part,
                lonlat=stop.lonlat,
                arrival_s=arrival,
                start_s=start,
                leave_s=leave,
                wait_s=start - arrival,
                slack_s=stop.latest_s - start,
                load=load,
            )
        )
    return Route(rider_id, int(c.leave[base]) / 1000, tuple(steps))
