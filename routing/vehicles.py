"""Vehicles with freight and given steps: each step stays in order, the rest goes where it is cheapest.

Places and times are judged by the matcher's own rules (`routing.refusal.relaxations`: all places of all
plans); what it does not know is checked here: freight in several dimensions, a last stop, a limit on the
number of tasks, and breaks that are taken where the vehicle is.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geo.arrays import BoolArray, Int64Array
from geo.errors import InputError
from geo.streets import Snapped, StreetNetwork
from geo.travel import Path, find_path
from routing.fleet.fleet import Fleet
from routing.model.policy import Policy
from routing.model.results import Binding, Said
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, stops_of
from routing.refusal.explain import refusal
from routing.refusal.relaxations import NearMisses, near_misses

__all__ = ["Drive", "Load", "Order", "Vehicle", "drive", "insert_orders"]

MOST_STOPS = 200
Amounts = tuple[int, ...]
"""One number for each dimension of freight."""


@dataclasses.dataclass(frozen=True, slots=True)
class Load:
    """What one stop does to the freight on board."""

    from_start: Amounts
    """Loaded where the vehicle starts, handed over here."""
    change: Amounts
    """Taken up here (kept to the end, or to a later stop), or handed over (negative)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """A task and its freight."""

    task: Task
    stop_ids: tuple[str, ...]
    """Names that its one or two stops get."""
    deliver: Amounts
    """Loaded at the start of the route; of a task with one place."""
    take: Amounts
    """Taken up there: to the end of the route, or to the drop-off."""


@dataclasses.dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle with its plan; the plan of the rider and `loads` go together, stop by stop."""

    rider: Rider
    loads: tuple[Load, ...]
    start_s: float
    """When the vehicle is ready at its start."""
    capacity: Amounts | None = None
    """None: no limit."""
    ends: bool = False
    """Whether the last stop is where the vehicle must end."""
    most_tasks: int | None = None
    """Stops that are tasks, at most."""
    breaks: tuple[Stop, ...] = ()
    """Breaks whose place in the plan is not given."""

    @property
    def tasks(self) -> int:
        """How many stops are tasks."""
        return sum(stop.kind in ("task", "pickup", "dropoff") for stop in self.rider.stops)

    def on_board(self) -> Int64Array:
        """Return (stops + 1, dimensions): freight after the start and after each stop."""
        size = len(self.loads[0].from_start) if self.loads else len(self.capacity or ())
        shape = len(self.loads), size
        steps = np.array([load.from_start for load in self.loads], np.int64).reshape(shape)
        change = np.array([load.change for load in self.loads], np.int64).reshape(shape)
        start = steps.sum(axis=0)
        return np.vstack([start, start + np.cumsum(change - steps, axis=0)])


@dataclasses.dataclass(frozen=True, eq=False)
class Drive:
    """A plan as it is driven; milliseconds of the epoch, one of each a stop."""

    leave_ms: int
    """When the start can be left."""
    arrival_ms: tuple[int, ...]
    start_ms: tuple[int, ...]
    done_ms: tuple[int, ...]
    places: Snapped
    """The start and the stops."""

    def way(self, network: StreetNetwork, mode: str, leg: int) -> Path:
        """Return the way to one stop from the place before it."""
        path = find_path(network, mode, self.places.take([leg]), self.places.take([leg + 1]))
        if path is None:
            raise InputError(f"the way to stop {leg + 1} of a plan was not found")
        return path


def drive(fleet: Fleet, vehicle_id: str) -> Drive:
    """Return the times of a vehicle's plan as it stands."""
    mode_fleet, row = fleet.row_of(vehicle_id)
    c, base = mode_fleet.c, row * mode_fleet.width
    k = int(c.stops[row])
    arrive, start, leave = (
        column[base + 1 : base + k + 1].tolist() for column in (c.arrive, c.start, c.leave)
    )
    places = mode_fleet.snapped(list(range(base, base + k + 1)))
    return Drive(int(c.leave[base]), tuple(arrive), tuple(start), tuple(leave), places)


def insert_orders(
    network: StreetNetwork, vehicles: Sequence[Vehicle], orders: Sequence[Order], policy: Policy
) -> tuple[Fleet, dict[str, Vehicle], dict[str, Binding]]:
    """Insert orders into the plans of vehicles, by priority, end of the last window and id.

    Parameters
    ----------
    network : StreetNetwork
    vehicles : sequence of Vehicle
        Ids differ.
    orders : sequence of Order
        Ids of their tasks differ.
    policy : Policy

    Returns
    -------
    fleet : Fleet
        With all plans; `drive` tells their times.
    vehicles : dict
        By id, with what was inserted.
    unassigned : dict
        By task id: what stood in the way.

    Raises
    ------
    InputError
        If two vehicles have one id, or a vehicle or one of its stops lies on no street.
    """
    fleet, plans = Fleet(network, policy), {}
    scratch = Fleet(network, policy)
    for vehicle in vehicles:
        if vehicle.rider.rider_id in plans:
            raise InputError(f"two vehicles have the id {vehicle.rider.rider_id}")
        settled = _with_breaks(scratch, _settled(network, vehicle))
        plans[vehicle.rider.rider_id] = settled
        _put(fleet, settled)
    now_s = min((vehicle.start_s for vehicle in vehicles), default=0.0)
    unassigned = {}
    for order in sorted(orders, key=_turn):
        found = _cheapest(fleet, plans, order, now_s)
        if isinstance(found, Binding):
            unassigned[order.task.task_id] = found
            continue
        changed = _inserted(fleet.network, plans[found.vehicle_id], order, found)
        plans[found.vehicle_id] = changed
        _put(fleet, changed)
    return fleet, plans, unassigned


def _turn(order: Order) -> tuple[int, float, str]:
    task = order.task
    return -task.priority, task.place.latest_s, task.task_id


def _put(fleet: Fleet, vehicle: Vehicle) -> None:
    off = fleet.put([vehicle.rider], vehicle.start_s)
    if off:
        raise InputError(f"vehicle {vehicle.rider.rider_id} or one of its steps lies on no street")


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class _Found:
    extra_ms: int
    vehicle_id: str
    place: int
    dropoff_place: int


def _cheapest(fleet: Fleet, plans: dict[str, Vehicle], order: Order, now_s: float) -> _Found | Binding:
    """Return the cheapest place of all that hold, or what stands in the way."""
    best: _Found | None = None
    # How far the places that are in time got with what is checked here.
    passed = 0
    for mode_fleet in fleet.mode_fleets.values():
        misses = near_misses(fleet, mode_fleet, order.task, now_s)
        if misses is None:
            continue
        for row, least, _, _ in misses.allowed:
            vehicle = plans[fleet.id_at(mode_fleet.mode, row)]
            passed = max(passed, 1)
            if best is not None and least > best.extra_ms:
                continue
            found, got = _first_that_holds(misses, row, vehicle, order)
            passed = max(passed, got)
            if found is not None:
                extra_ms, place, end = found
                one = _Found(extra_ms, vehicle.rider.rider_id, place, end)
                best = one if best is None else min(best, one)
    if best is not None:
        return best
    if passed:
        rule, key = _CHECKED[passed - 1]
        return Binding(rule, "", None, Said.of(key))
    return refusal(fleet, order.task, now_s).binding


_CHECKED = (("shift", "why.after_end"), ("capacity", "why.most_tasks"), ("capacity", "why.freight"))


def _first_that_holds(
    misses: NearMisses, row: int, vehicle: Vehicle, order: Order
) -> tuple[tuple[int, int, int] | None, int]:
    """Return (extra ms, place, drop-off place) of the cheapest place that holds, and how far places got."""
    pair = order.task.dropoff is not None
    k = len(vehicle.rider.stops)
    places = misses.places(row)
    if vehicle.ends:
        places = places[places[:, 2] < k]
    if not len(places):
        return None, 1
    new = 2 if pair else 1
    if k + new > MOST_STOPS or (vehicle.most_tasks is not None and vehicle.tasks + new > vehicle.most_tasks):
        return None, 2
    if vehicle.capacity is not None:
        before, after = _room(vehicle, order.deliver), _room(vehicle, order.take)
        # Without room at m: of no use for any pick-up up to m and drop-off after it.
        blocked = np.concatenate([[0], np.cumsum(~after)])
        i, j = places[:, 1], places[:, 2]
        last = j if pair else np.full(len(j), k)
        fits = (blocked[last + 1] == blocked[i]) & np.logical_and.accumulate(before)[i]
        places = places[fits]
    if not len(places):
        return None, 3
    extra, place, end = places[0].tolist()
    return (extra, place, end), 3


def _room(vehicle: Vehicle, amounts: Amounts) -> BoolArray:
    """Whether so much more fits after the start and after each stop; nothing more always does."""
    more = np.array(amounts, np.int64)
    capacity = np.array(vehicle.capacity, np.int64)
    fits: BoolArray = ((vehicle.on_board() + more <= capacity) | (more == 0)).all(axis=1)
    return fits


def _inserted(network: StreetNetwork, vehicle: Vehicle, order: Order, found: _Found) -> Vehicle:
    """Return the vehicle with an order in its plan, breaks moved along."""
    added = [
        dataclasses.replace(stop, stop_id=stop_id, load_change=0)
        for stop, stop_id in zip(stops_of(order.task), order.stop_ids, strict=True)
    ]
    stops, loads = list(vehicle.rider.stops), list(vehicle.loads)
    if len(added) > 1:
        stops.insert(found.dropoff_place, added[1])
        back = tuple(-amount for amount in order.take)
        loads.insert(found.dropoff_place, Load((0,) * len(order.take), back))
    stops.insert(found.place, added[0])
    loads.insert(found.place, Load(order.deliver, order.take))
    rider = dataclasses.replace(vehicle.rider, stops=tuple(stops))
    return _settled(network, dataclasses.replace(vehicle, rider=rider, loads=tuple(loads)))


def _settled(network: StreetNetwork, vehicle: Vehicle) -> Vehicle:
    """Return the vehicle with every break where the stop before left it: on the street, so without a walk.

    Never later than before: the way by the old place is no shorter.
    """
    here, stops = vehicle.rider.lonlat, []
    for stop in vehicle.rider.stops:
        settled = stop
        if stop.kind == "rest":
            lon, lat = network.snap(np.array([here]), vehicle.rider.mode).lonlat[0].tolist()
            settled = dataclasses.replace(stop, lonlat=(lon, lat))
        stops.append(settled)
        here = settled.lonlat
    return dataclasses.replace(vehicle, rider=dataclasses.replace(vehicle.rider, stops=tuple(stops)))


def _with_breaks(scratch: Fleet, vehicle: Vehicle) -> Vehicle:
    """Put breaks without a place into the plan: where least gets late, then where the plan ends soonest."""
    size = len(vehicle.loads[0].from_start) if vehicle.loads else len(vehicle.capacity or ())
    for stop in vehicle.breaks:
        tried: list[tuple[int, int, int, Vehicle]] = []
        for at in range(len(vehicle.rider.stops) + (not vehicle.ends)):
            stops, loads = list(vehicle.rider.stops), list(vehicle.loads)
            stops.insert(at, stop)
            loads.insert(at, Load((0,) * size, (0,) * size))
            rider = dataclasses.replace(vehicle.rider, stops=tuple(stops))
            trial = _settled(
                scratch.network, dataclasses.replace(vehicle, rider=rider, loads=tuple(loads), breaks=())
            )
            _put(scratch, trial)
            driven = drive(scratch, rider.rider_id)
            late = sum(
                max(start - round(one.latest_s * 1000), 0)
                for one, start in zip(trial.rider.stops, driven.start_ms, strict=True)
                if np.isfinite(one.latest_s)
            )
            tried.append((late, driven.done_ms[-1], len(tried), trial))
        vehicle = dataclasses.replace(min(tried)[3], breaks=vehicle.breaks)
    return vehicle
