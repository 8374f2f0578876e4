"""From VROOM's JSON to vehicles and orders; what contradicts itself is told by JSON pointer."""

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import TypeVar

from api.forms import Mode, PointedError
from api.vroom.forms import (
    PartType,
    VroomBreak,
    VroomJob,
    VroomRequest,
    VroomShipment,
    VroomShipmentPart,
    VroomStep,
    VroomVehicle,
)
from geo.datum import Datum, place_to_wgs84
from routing.model import Rider, Stop, Task, Visit, spans_of
from routing.vehicles import Load, Order, Vehicle

__all__ = ["Source", "VroomProblem", "read_request"]

Amounts = tuple[int, ...]
Window = tuple[float, float]
Part = VroomJob | VroomShipmentPart
_Timed = TypeVar("_Timed", Stop, Visit)
ALWAYS: tuple[Window, ...] = ((-math.inf, math.inf),)
MODES: dict[str, Mode] = {"car": "car", "bike": "bike", "bicycle": "bike", "ebike": "ebike", "foot": "foot"}


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """A job or one part of a shipment as it was sent."""

    kind: PartType
    """``job``, ``pickup`` or ``delivery``."""
    part: Part
    whole: VroomJob | VroomShipment
    pointer: str

    def setup_s(self, vehicle: str) -> int:
        """Seconds before the service, for a type of vehicle."""
        return self.part.setup_per_type.get(vehicle, self.part.setup)

    def spent_s(self, vehicle: str) -> int:
        """Seconds on the spot, for a type of vehicle: set-up and service."""
        return self.setup_s(vehicle) + self.part.service_per_type.get(vehicle, self.part.service)

    @property
    def stop_id(self) -> str:
        """Name of its stop."""
        return f"{self.kind}/{self.part.id}"


@dataclasses.dataclass(frozen=True, slots=True)
class VroomProblem:
    """A request in the words of `routing`, and where each stop comes from."""

    vehicles: tuple[Vehicle, ...]
    orders: tuple[Order, ...]
    sources: dict[str, Source]
    """By stop id."""
    dimensions: int


class _Reader:
    def __init__(self, request: VroomRequest, datum: Datum) -> None:
        self.request, self.datum = request, datum
        self.wrong: dict[str, str] = {}
        self.sources: dict[str, Source] = {}
        self.size = self._dimensions()
        self.given: dict[str, str] = {}
        for source in self._parts():
            if source.stop_id in self.sources:
                self.wrong[f"{source.pointer}/id"] = f"two of type {source.kind} have the id {source.part.id}"
            self.sources[source.stop_id] = source
            self._check_windows(source.part.time_windows or (), f"{source.pointer}/time_windows")

    def _parts(self) -> Iterator[Source]:
        for at, job in enumerate(self.request.jobs):
            yield Source("job", job, job, f"/jobs/{at}")
        for at, shipment in enumerate(self.request.shipments):
            yield Source("pickup", shipment.pickup, shipment, f"/shipments/{at}/pickup")
            yield Source("delivery", shipment.delivery, shipment, f"/shipments/{at}/delivery")

    def _dimensions(self) -> int:
        """All amounts have as many numbers as the first; what differs is told."""
        sizes: dict[str, int] = {}
        for at, vehicle in enumerate(self.request.vehicles):
            sizes |= _size(f"/vehicles/{at}/capacity", vehicle.capacity)
        for at, job in enumerate(self.request.jobs):
            sizes |= _size(f"/jobs/{at}/delivery", job.delivery) | _size(f"/jobs/{at}/pickup", job.pickup)
        for at, shipment in enumerate(self.request.shipments):
            sizes |= _size(f"/shipments/{at}/amount", shipment.amount)
        if not sizes:
            return 0
        first, size = next(iter(sizes.items()))
        for pointer, other in sizes.items():
            if other != size:
                self.wrong[pointer] = f"{pointer} has {other} numbers, but {first} has {size}"
        return size

    def _check_windows(self, windows: tuple[tuple[int, int], ...], pointer: str) -> None:
        for at, (first, last) in enumerate(windows):
            if first > last:
                self.wrong[f"{pointer}/{at}"] = f"a window ends at {last} before it begins at {first}"

    def amounts(self, given: Amounts | None) -> Amounts:
        return given if given is not None and len(given) == self.size else (0,) * self.size

    def lonlat(self, place: tuple[float, float]) -> tuple[float, float]:
        return place_to_wgs84(place, self.datum)

    def ready_s(self) -> float:
        """When a vehicle without a time window is ready: at the first window of the request, or at 0."""
        starts = [one[0] for source in self.sources.values() for one in source.part.time_windows or ()]
        starts += [one.time_window[0] for one in self.request.vehicles if one.time_window is not None]
        for vehicle in self.request.vehicles:
            starts += [one[0] for pause in vehicle.breaks for one in pause.time_windows]
            starts += [one.service_at for one in vehicle.steps if one.service_at is not None]
        return float(min(starts, default=0))

    # -- vehicles

    def vehicle(self, at: int, one: VroomVehicle, ready_s: float) -> Vehicle:
        pointer = f"/vehicles/{at}"
        if one.time_window is not None:
            self._check_windows((one.time_window,), f"{pointer}/time_window")
        pauses = {pause.id: pause for pause in one.breaks}
        if len(pauses) < len(one.breaks):
            self.wrong[f"{pointer}/breaks"] = f"two breaks of vehicle {one.id} have the same id"
        for b, pause in enumerate(one.breaks):
            self._check_windows(pause.time_windows, f"{pointer}/breaks/{b}/time_windows")
        start_s, end_s = (ready_s, math.inf) if one.time_window is None else one.time_window
        stops, loads = [], []
        for s, step in enumerate(one.steps):
            found = self._step(step, f"{pointer}/steps/{s}", one, pauses, s)
            if found is not None:
                stops.append(found[0])
                loads.append(found[1])
        if one.end is not None:
            stops.append(Stop("end", self.lonlat(one.end), latest_s=end_s, kind="other"))
            loads.append(Load((0,) * self.size, (0,) * self.size))
        self._check_pairs(pointer, one)
        rider = Rider(
            rider_id=str(one.id),
            lonlat=self.lonlat(one.start),
            mode=MODES[one.profile],
            stops=() if self.wrong else tuple(stops),
            speed_factor=1 / one.speed_factor,
            skills=frozenset(map(str, one.skills)),
            shift_start_s=min(float(start_s), end_s),
            shift_end_s=end_s,
        )
        free = tuple(
            _opened(_pause(pause), pause.time_windows)
            for pause in sorted(pauses.values(), key=lambda pause: min(pause.time_windows))
        )
        return Vehicle(
            rider=rider,
            loads=() if self.wrong else tuple(loads),
            start_s=float(start_s),
            capacity=None if one.capacity is None else self.amounts(one.capacity),
            ends=one.end is not None,
            most_tasks=one.max_tasks,
            breaks=free,
            type=one.type,
            cost_per_hour=one.costs.per_hour,
            cost_fixed=one.costs.fixed,
            cost_per_km=one.costs.per_km,
            cost_per_task_hour=one.costs.per_task_hour,
            most_travel_s=one.max_travel_time,
            most_m=one.max_distance,
        )

    def _step(
        self, step: VroomStep, pointer: str, vehicle: VroomVehicle, pauses: dict[int, VroomBreak], at: int
    ) -> tuple[Stop, Load] | None:
        """Return the stop of a given step; breaks that are given leave `pauses`."""
        if step.type in ("start", "end"):
            where = 0 if step.type == "start" else len(vehicle.steps) - 1
            if at != where:
                self.wrong[f"{pointer}/type"] = f"{step.type} must be the {'last' if where else 'first'} step"
            if step.type == "end" and vehicle.end is None:
                self.wrong[f"{pointer}/type"] = f"vehicle {vehicle.id} has no end"
            return None
        nothing = (0,) * self.size
        if step.type == "break":
            pause = pauses.pop(step.id, None) if step.id is not None else None
            if pause is None:
                self.wrong[f"{pointer}/id"] = (
                    f"vehicle {vehicle.id} has no break {step.id}, or it is given twice"
                )
                return None
            windows = self._narrowed(step, pause.time_windows, pointer)
            return _opened(_pause(pause), windows), Load(nothing, nothing)
        stop_id = f"{step.type}/{step.id}"
        source = self.sources.get(stop_id)
        if source is None or stop_id in self.given:
            told = "is not in the request" if source is None else f"is given at {self.given[stop_id]} already"
            self.wrong[f"{pointer}/id"] = f"{step.type} {step.id} {told}"
            return None
        self.given[stop_id] = pointer
        windows = self._narrowed(step, source.part.time_windows, pointer)
        kinds = {"job": "task", "pickup": "pickup", "delivery": "dropoff"}
        stop = Stop(
            stop_id, self.lonlat(source.part.location), source.spent_s(vehicle.type), kind=kinds[step.type]
        )
        return _opened(stop, windows), self._load(source)

    def _narrowed(
        self, step: VroomStep, given: tuple[tuple[int, int], ...] | None, pointer: str
    ) -> tuple[Window, ...]:
        """Return the windows of a step, as far as its forced service times leave them open."""
        low = max(step.service_at or 0, step.service_after or 0)
        low_s = float(low) if step.service_at is not None or step.service_after is not None else -math.inf
        highs = [one for one in (step.service_at, step.service_before) if one is not None]
        high_s = float(min(highs)) if highs else math.inf
        windows = tuple(
            (max(first, low_s), min(last, high_s))
            for first, last in given or ALWAYS
            if max(first, low_s) <= min(last, high_s)
        )
        if not windows:
            self.wrong[pointer] = "the forced service time of the step lies in none of its windows"
            return ALWAYS
        return windows

    def _load(self, source: Source) -> Load:
        if isinstance(source.whole, VroomJob):
            return Load(self.amounts(source.whole.delivery), self.amounts(source.whole.pickup))
        amount = self.amounts(source.whole.amount)
        change = amount if source.kind == "pickup" else tuple(-one for one in amount)
        return Load((0,) * self.size, change)

    def _check_pairs(self, pointer: str, vehicle: VroomVehicle) -> None:
        """Both parts of a shipment stand in the steps of one vehicle, the pick-up first, or neither does."""
        mine = {f"{step.type}/{step.id}": at for at, step in enumerate(vehicle.steps)}
        for shipment in self.request.shipments:
            first, last = (
                mine.get(f"pickup/{shipment.pickup.id}"),
                mine.get(f"delivery/{shipment.delivery.id}"),
            )
            if first is None and last is None:
                continue
            at = last if last is not None else first
            if first is None or last is None:
                missing = "pickup" if first is None else "delivery"
                self.wrong[f"{pointer}/steps/{at}"] = f"the {missing} of this shipment is not among the steps"
            elif first > last:
                self.wrong[f"{pointer}/steps/{last}"] = "the delivery of a shipment comes before its pick-up"

    # -- orders

    def orders(self) -> Iterator[Order]:
        for job in self.request.jobs:
            if f"job/{job.id}" in self.given:
                continue
            task = Task(
                f"job/{job.id}", self._visit(job), kind="errand",
                skills=frozenset(map(str, job.skills)), priority=job.priority,
            )  # fmt: skip
            amounts = self.amounts(job.delivery), self.amounts(job.pickup)
            yield self._order(Order(task, (task.task_id,), *amounts))
        for shipment in self.request.shipments:
            first, last = shipment.pickup, shipment.delivery
            names = f"pickup/{first.id}", f"delivery/{last.id}"
            if names[0] in self.given:
                continue
            task = Task(
                f"{names[0]} {names[1]}", self._visit(first), self._visit(last), kind="errand",
                skills=frozenset(map(str, shipment.skills)), priority=shipment.priority,
            )  # fmt: skip
            nothing, amount = (0,) * self.size, self.amounts(shipment.amount)
            yield self._order(Order(task, names, nothing, amount))

    def _order(self, order: Order) -> Order:
        """Return an order with the times that it takes, for each type of vehicle."""
        sources = [self.sources[stop_id] for stop_id in order.stop_ids]
        types = {name for one in sources for name in (*one.part.setup_per_type, *one.part.service_per_type)}

        def taking(vehicle: str) -> Task:
            spent_s = [one.spent_s(vehicle) for one in sources]
            place, end = order.task.place, order.task.dropoff
            if end is not None:
                end = dataclasses.replace(end, service_s=spent_s[1])
            return dataclasses.replace(
                order.task, place=dataclasses.replace(place, service_s=spent_s[0]), dropoff=end
            )

        by_type = {name: taking(name) for name in sorted(types)}
        return dataclasses.replace(order, task=taking(""), by_type=by_type)

    def check_setups(self) -> None:
        """Refuse set-up times where two steps are at one place: they would count once only."""
        here = [source.part.location for source in self.sources.values()]
        here += [
            place for one in self.request.vehicles for place in (one.start, one.end) if place is not None
        ]
        for source in self.sources.values():
            several = here.count(source.part.location) > 1
            if several and (source.part.setup or any(source.part.setup_per_type.values())):
                self.wrong[f"{source.pointer}/setup"] = (
                    "not mapped here: set-up times of a place where another step is; add them to `service`"
                )

    def _visit(self, part: Part) -> Visit:
        visit = Visit(self.lonlat(part.location), part.service)
        return visit if part.time_windows is None else _opened(visit, part.time_windows)


def read_request(request: VroomRequest, datum: Datum, most_orders: int) -> VroomProblem:
    """Return a request in the words of `routing`.

    Parameters
    ----------
    request : VroomRequest
    datum : Datum
        Of all positions.
    most_orders : int
        So many jobs and shipments may be left to insert.

    Raises
    ------
    PointedError
        With one sentence for each place where the request contradicts itself.
    """
    reader = _Reader(request, datum)
    ids = [vehicle.id for vehicle in request.vehicles]
    for at, one in enumerate(ids):
        if one in ids[:at]:
            reader.wrong[f"/vehicles/{at}/id"] = f"two vehicles have the id {one}"
    reader.check_setups()
    ready_s = reader.ready_s()
    vehicles = tuple(reader.vehicle(at, one, ready_s) for at, one in enumerate(request.vehicles))
    orders = () if reader.wrong else tuple(reader.orders())
    if len(orders) > most_orders:
        reader.wrong["/"] = f"{len(orders)} jobs and shipments are to be inserted; allowed are {most_orders}"
    if reader.wrong:
        raise PointedError(reader.wrong)
    return VroomProblem(vehicles, orders, reader.sources, reader.size)


def _size(pointer: str, amounts: Amounts | None) -> dict[str, int]:
    return {} if amounts is None else {pointer: len(amounts)}


def _pause(pause: VroomBreak) -> Stop:
    # Its place is set where the plan is settled.
    return Stop(f"break/{pause.id}", (0.0, 0.0), pause.service, kind="rest")


def _opened(one: _Timed, windows: Iterable[Window]) -> _Timed:
    """Return a stop or a visit with several windows; one that ends before it begins is told elsewhere."""
    fine = [(float(first), float(last)) for first, last in windows if first <= last]
    earliest_s, latest_s, closed_s = spans_of(fine or ALWAYS)
    return dataclasses.replace(one, earliest_s=earliest_s, latest_s=latest_s, closed_s=closed_s)
