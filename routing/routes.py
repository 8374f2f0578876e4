"""What the matches of one answer say together: the final plan of every rider who got a task.

A match is made on the plan that earlier matches left, and a later one of the same rider moves its times. So
whoever reads the answer gets the times of the final plans, and each plan once as a whole.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from geo.errors import InputError
from geo.streets import Snapped, StreetNetwork
from geo.travel import Path, find_path, way_metres
from routing.fleet.fleet import Fleet
from routing.model.results import Match, Route, Step, StopSlack
from routing.model.riders import Rider

__all__ = ["metres_between", "settled", "ways_between"]

T = TypeVar("T")


def ways_between(fleet: Fleet, rider: Rider, slots: list[int]) -> list[Path]:
    """Return the ways between slots, one after the other."""
    return _between(fleet, rider, slots, find_path)


def metres_between(fleet: Fleet, rider: Rider, slots: list[int]) -> list[float]:
    """Return the metres of the ways between slots, walks included; their geometry is not made."""
    return _between(fleet, rider, slots, way_metres)


def _between(
    fleet: Fleet,
    rider: Rider,
    slots: list[int],
    find: Callable[[StreetNetwork, str, Snapped, Snapped], T | None],
) -> list[T]:
    places = fleet.mode_fleets[rider.mode].snapped(slots)
    found = []
    for at in range(len(slots) - 1):
        one = find(fleet.network, rider.mode, places.take([at]), places.take([at + 1]))
        if one is None:
            raise InputError(
                "The way of a matched plan was not found: network and fleet do not belong together."
            )
        found.append(one)
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
