"""Vehicles with freight and given steps: each step stays in order, the rest goes where it is cheapest.

Places and times are judged by the matcher's own rules (`routing.refusal.relaxations`: all places of all
plans); what it does not know is checked here: freight in several dimensions, a last stop, limits on the
number of tasks and on the whole route, and breaks that are taken where the vehicle is.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence

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
MOST_SWAPS = 100
"""So often an order that was left over is tried in the place of another one."""
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
    type: str = ""
    """Some tasks take another time for some types."""
    cost_per_hour: int = 3600
    """Cost of an hour that a task takes."""
    cost_fixed: int = 0
    """Cost of the first task."""
    cost_per_km: int = 0
    cost_per_task_hour: int = 0
    """Cost of an hour on the spot, beside that of the time."""
    most_travel_s: int | None = None
    """The whole route takes no longer on the way; None: no limit."""
    most_m: int | None = None
    """The whole route is no longer, in metres; None: no limit."""

    @property
    def metered(self) -> bool:
        """Whether the whole route counts, not only what a task takes."""
        return bool(self.cost_per_km) or self.most_travel_s is not None or self.most_m is not None

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
    by_type: Mapping[str, Task] = dataclasses.field(default_factory=dict)
    """The same task where it takes another time for some types of vehicle."""

    def task_for(self, vehicle: Vehicle) -> Task:
        """Return the task as it is for a vehicle."""
        return self.by_type.get(vehicle.type, self.task)


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

    @property
    def travel_s(self) -> int:
        """On the way in whole seconds, as it is told: instants are rounded up."""
        left = [-(-ms // 1000) for ms in (self.leave_ms, *self.done_ms)]
        return sum(-(-ms // 1000) - before for before, ms in zip(left, self.arrival_ms, strict=False))


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

    Those that are left over are tried where others stand: such a one goes elsewhere, or stays out where its
    priority is lower.

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
    round_ = _Round(fleet, plans, now_s, _Meter(scratch))
    round_.insert_all(sorted(orders, key=_turn))
    return fleet, plans, round_.unassigned


class _Round:
    """Orders on their way into the plans of a fleet."""

    def __init__(self, fleet: Fleet, plans: dict[str, Vehicle], now_s: float, meter: "_Meter") -> None:
        self._fleet, self._plans, self._now_s, self._meter = fleet, plans, now_s, meter
        self._orders: dict[str, Order] = {}
        self._inside: dict[str, str] = {}
        """Vehicle of each task that was inserted."""
        self.unassigned: dict[str, Binding] = {}

    def insert_all(self, orders: Sequence[Order]) -> None:
        """Insert the orders in turn; then make room for those that were left over."""
        self._orders = {order.task.task_id: order for order in orders}
        left = [order for order in orders if not self._insert(order)]
        swaps = MOST_SWAPS
        while left and swaps > 0:
            order = left.pop(0)
            for other, give_up in self._others(order):
                swaps -= 1
                lost = self._swap(order, other, give_up=give_up)
                if order not in lost:
                    left += lost
                    break
                if swaps <= 0:
                    break
        for order in orders:
            if order.task.task_id not in self._inside:
                found = _cheapest(self._fleet, self._plans, order, self._now_s, self._meter)
                if isinstance(found, Binding):
                    self.unassigned[order.task.task_id] = found
                else:
                    self._put(order, found)

    def _insert(self, order: Order, only: str | None = None) -> bool:
        found = _cheapest(self._fleet, self._plans, order, self._now_s, self._meter, only)
        if isinstance(found, Binding):
            return False
        self._put(order, found)
        return True

    def _put(self, order: Order, found: "_Found") -> None:
        changed = _inserted(self._fleet.network, self._plans[found.vehicle_id], order, found)
        self._plans[found.vehicle_id] = changed
        self._inside[order.task.task_id] = found.vehicle_id
        _put(self._fleet, changed)

    def _others(self, order: Order) -> Iterator[tuple[Order, bool]]:
        """Orders that may make room for one: each for another place first, then the lower ones for none."""
        inside = sorted((self._orders[task_id] for task_id in self._inside), key=_turn, reverse=True)
        yield from [(other, False) for other in inside]
        yield from [(other, True) for other in inside if other.task.priority < order.task.priority]

    def _swap(self, order: Order, other: Order, *, give_up: bool) -> list[Order]:
        """Put an order into the vehicle of another one, and that one elsewhere; returns which has no place.

        The other one may be left without a place where it is to `give_up`; otherwise all is as it was.
        """
        vehicle_id = self._inside.pop(other.task.task_id)
        before = self._plans[vehicle_id]
        self._plans[vehicle_id] = _without(self._fleet.network, before, other)
        _put(self._fleet, self._plans[vehicle_id])
        if self._insert(order, vehicle_id):
            if self._insert(other):
                return []
            if give_up:
                return [other]
            del self._inside[order.task.task_id]
        self._plans[vehicle_id] = before
        self._inside[other.task.task_id] = vehicle_id
        _put(self._fleet, before)
        return [order]


def _turn(order: Order) -> tuple[int, float, str]:
    task = order.task
    return -task.priority, task.place.latest_s, task.task_id


def _put(fleet: Fleet, vehicle: Vehicle) -> None:
    off = fleet.put([vehicle.rider], vehicle.start_s)
    if off:
        raise InputError(f"vehicle {vehicle.rider.rider_id} or one of its steps lies on no street")


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class _Found:
    cost: int
    """Milliseconds at 3,600 an hour."""
    vehicle_id: str
    place: int
    dropoff_place: int


class _Meter:
    """Travel time and metres of whole routes, driven on a fleet that is there for trials only."""

    def __init__(self, scratch: Fleet) -> None:
        self._scratch = scratch
        self._known: dict[tuple[str, int, float, float, int, float, float], float] = {}

    def totals(self, vehicle: Vehicle) -> tuple[int, float]:
        """Return seconds on the way and metres of a route."""
        _put(self._scratch, vehicle)
        driven = drive(self._scratch, vehicle.rider.rider_id)
        at = driven.places
        ends = list(zip(at.edge.tolist(), at.offset_m.tolist(), at.walk_m.tolist(), strict=True))
        metres = 0.0
        for leg, (here, there) in enumerate(itertools.pairwise(ends)):
            key = (vehicle.rider.mode, *here, *there)
            if key not in self._known:
                way = driven.way(self._scratch.network, vehicle.rider.mode, leg)
                self._known[key] = way.metres
            metres += self._known[key]
        return driven.travel_s, metres

    def cheapest(self, vehicle: Vehicle, order: Order, places: Int64Array) -> "_Found | None":
        """Return the cheapest of some places (extra ms, place, drop-off place) within the limits of a route.

        A given route that is beyond them may get no worse.
        """
        travel_s, metres = self.totals(vehicle)
        most_s = np.inf if vehicle.most_travel_s is None else max(vehicle.most_travel_s, travel_s)
        most_m = np.inf if vehicle.most_m is None else max(vehicle.most_m, round(metres))
        best: _Found | None = None
        for extra_ms, place, end in places.tolist():
            one = _Found(0, vehicle.rider.rider_id, place, end)
            new_s, new_m = self.totals(_inserted(self._scratch.network, vehicle, order, one))
            if new_s <= most_s and round(new_m) <= most_m:
                cost = _cost(vehicle, order, extra_ms, new_m - metres)
                one = dataclasses.replace(one, cost=cost)
                best = one if best is None else min(best, one)
        return best


def _cheapest(
    fleet: Fleet,
    plans: dict[str, Vehicle],
    order: Order,
    now_s: float,
    meter: _Meter,
    only: str | None = None,
) -> _Found | Binding:
    """Return the cheapest place of all that hold, or what stands in the way; `only`: in one vehicle."""
    best: _Found | None = None
    # How far the places that are in time got with what is checked here.
    passed = 0
    for misses, task in _judged(fleet, order, now_s, only):
        for row, least, _, _ in misses.allowed:
            vehicle = plans[fleet.id_at(misses.mode_fleet.mode, row)]
            if order.task_for(vehicle) is not task:
                continue
            passed = max(passed, 1)
            # With a price for kilometres, a place that takes longer may be cheaper.
            if best is not None and not vehicle.metered and _cost(vehicle, order, least) > best.cost:
                continue
            places, got = _that_hold(misses, row, vehicle, order)
            one: _Found | None = None
            if len(places) and vehicle.metered:
                one, got = meter.cheapest(vehicle, order, places), 4
            elif len(places):
                extra_ms, place, end = places[0].tolist()
                one = _Found(_cost(vehicle, order, extra_ms), vehicle.rider.rider_id, place, end)
            passed = max(passed, got)
            if one is not None:
                best = one if best is None else min(best, one)
    if best is not None:
        return best
    if passed:
        rule, key = _CHECKED[passed - 1]
        return Binding(rule, "", None, Said.of(key))
    return refusal(fleet, order.task, now_s).binding


def _judged(fleet: Fleet, order: Order, now_s: float, only: str | None) -> Iterator[tuple[NearMisses, Task]]:
    """All places for an order, for each mode and each time that it takes."""
    for mode_fleet in fleet.mode_fleets.values() if only is None else (fleet.row_of(only)[0],):
        for task in {id(task): task for task in (order.task, *order.by_type.values())}.values():
            misses = near_misses(fleet, mode_fleet, task, now_s, only)
            if misses is not None:
                yield misses, task


def _cost(vehicle: Vehicle, order: Order, extra_ms: int, extra_m: float = 0.0) -> int:
    """Cost of so much time and way more, of the time on the spot, and of a vehicle that had nothing to do."""
    fixed = 0 if vehicle.tasks else vehicle.cost_fixed * 1000
    spent_s = sum(stop.service_s for stop in stops_of(order.task_for(vehicle)))
    more = round(spent_s * 1000) * vehicle.cost_per_task_hour // 3600 + round(extra_m * vehicle.cost_per_km)
    return extra_ms * vehicle.cost_per_hour // 3600 + more + fixed


def _without(network: StreetNetwork, vehicle: Vehicle, order: Order) -> Vehicle:
    """Return the vehicle with an order taken out of its plan."""
    kept = [at for at, stop in enumerate(vehicle.rider.stops) if stop.stop_id not in order.stop_ids]
    stops, loads = [vehicle.rider.stops[at] for at in kept], [vehicle.loads[at] for at in kept]
    rider = dataclasses.replace(vehicle.rider, stops=tuple(stops))
    return _settled(network, dataclasses.replace(vehicle, rider=rider, loads=tuple(loads)))


_CHECKED = (
    ("shift", "why.after_end"),
    ("capacity", "why.most_tasks"),
    ("capacity", "why.freight"),
    ("shift", "why.route_limits"),
)


def _that_hold(misses: NearMisses, row: int, vehicle: Vehicle, order: Order) -> tuple[Int64Array, int]:
    """Return (extra ms, place, drop-off place) of what holds, the cheapest first, and how far places got."""
    pair = order.task.dropoff is not None
    k = len(vehicle.rider.stops)
    places = misses.places(row)
    if vehicle.ends:
        places = places[places[:, 2] < k]
    if not len(places):
        return places, 1
    new = 2 if pair else 1
    if k + new > MOST_STOPS or (vehicle.most_tasks is not None and vehicle.tasks + new > vehicle.most_tasks):
        return places[:0], 2
    if vehicle.capacity is not None:
        before, after = _room(vehicle, order.deliver), _room(vehicle, order.take)
        # Without room at m: of no use for any pick-up up to m and drop-off after it.
        blocked = np.concatenate([[0], np.cumsum(~after)])
        i, j = places[:, 1], places[:, 2]
        last = j if pair else np.full(len(j), k)
        fits = (blocked[last + 1] == blocked[i]) & np.logical_and.accumulate(before)[i]
        places = places[fits]
    return places, 3


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
        for stop, stop_id in zip(stops_of(order.task_for(vehicle)), order.stop_ids, strict=True)
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
