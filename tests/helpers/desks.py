"""A desk on a small town, and what its tests say to it."""

import contextlib
import datetime
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from lattice import lattice
from towns import NOW, place_in

from api.dispatch.commands import Published, RidersPut, publish, put_riders
from api.dispatch.desk import Desk, Turn
from api.dispatch.forms import RidersIn, RiderStateIn
from api.dispatch.translate import reports_of, rider_of
from api.matching.forms import StopIn
from api.store import Database, Scope
from routing.dispatch import DispatchRules
from routing.model import Policy, Task, Visit

__all__ = ["BLUE", "OFFICE", "RED", "TOWN", "Clock", "desk_on", "do", "put", "put_up", "rider_in", "task"]

T = TypeVar("T")
TOWN = lattice(10)
RED, BLUE = Scope("red", "platform"), Scope("blue", "platform")
OFFICE = Scope("office", "planner")
POLICY = Policy(max_extra_s=900.0)


class Clock:
    def __init__(self) -> None:
        self.now_s = NOW

    def __call__(self) -> float:
        return self.now_s


def rider_in(rng: np.random.Generator, name: str, at_s: float = NOW) -> RiderStateIn:
    lon, lat = place_in(TOWN, rng)
    stop_lon, stop_lat = place_in(TOWN, rng)
    stops = (StopIn(stop_id="s0", lon=stop_lon, lat=stop_lat, service_s=30.0),)
    at = datetime.datetime.fromtimestamp(at_s, datetime.UTC)
    return RiderStateIn(rider_id=name, at=at, lon=lon, lat=lat, stops=stops)


@contextlib.contextmanager
def desk_on(database: Database, clock: Clock, policy: Policy = POLICY) -> Iterator[Desk]:
    desk = Desk(database, TOWN, policy, DispatchRules(), clock=clock, rider_of=rider_of)
    desk.start()
    try:
        yield desk
    finally:
        desk.stop()


def do(desk: Desk, work: Callable[[Turn], T]) -> T:
    return desk.submit(work).result(20)


def put(desk: Desk, who: Scope, *riders: RiderStateIn) -> RidersPut:
    platform = str(who.tenant_id)

    def work(turn: Turn) -> RidersPut:
        known = {key.rider_id: body for key, body in desk.memory.bodies.items() if key.platform == platform}
        request = RidersIn(datum="wgs84", riders=riders)
        reports = reports_of(request, known, turn.now_s, datetime.UTC, desk.policy)
        return put_riders(turn, who, platform, reports)

    return do(desk, work)


def task(rng: np.random.Generator, name: str = "T1", people: int = 1) -> Task:
    return Task(name, Visit(place_in(TOWN, rng), 30.0, NOW, NOW + 3_600.0), people=people)


def put_up(desk: Desk, one: Task, label: str = "our 1") -> Published:
    return do(desk, lambda turn: publish(turn, OFFICE, one, label=label, grid_code=None, body={}))
