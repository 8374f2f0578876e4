"""The VROOM door: a request in VROOM's JSON, answered in VROOM's form, whole seconds throughout."""

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np

from api.forms import Language, PointedError
from api.matching.datum_check import datum_warnings
from api.matching.forms import RuleName, SentPart
from api.matching.wording import reason_text
from api.vroom.forms import (
    MAX_ORDERS,
    StepType,
    VroomReason,
    VroomRequest,
    VroomResponse,
    VroomRoute,
    VroomRouteStep,
    VroomSummary,
    VroomUnassigned,
    VroomVehicle,
    VroomViolation,
)
from api.vroom.polyline import encoded
from api.vroom.read import MODES, Source, VroomProblem, read_request
from geo.arrays import FloatArray
from geo.datum import Datum, from_wgs84, to_wgs84
from geo.streets import StreetNetwork
from routing.model import Binding, Policy
from routing.vehicles import Drive, Vehicle, drive, insert_orders

__all__ = ["vroom"]

RULES = Policy(max_extra_s=86_400.0, max_extra_per_hour_s=86_400.0)
"""The standing rules, without the limits on what a task may take: a vehicle is there for its tasks."""


def vroom(
    network: StreetNetwork, request: VroomRequest, datum: Datum = "wgs84", lang: Language = "en"
) -> VroomResponse:
    """Keep every given step in order, insert the rest, and answer as VROOM does.

    Parameters
    ----------
    network : StreetNetwork
    request : VroomRequest
    datum : Datum
        Of all positions, in the request and in the answer.
    lang : {"zh", "en"}
        Language of reasons and warnings.

    Returns
    -------
    VroomResponse

    Raises
    ------
    PointedError
        Where the request contradicts itself, or a vehicle or one of its steps lies on no street.
    """
    problem = read_request(request, datum, MAX_ORDERS)
    _check_streets(network, request, problem, datum)
    fleet, plans, lost = insert_orders(network, problem.vehicles, problem.orders, RULES)
    routes = []
    for one in request.vehicles:
        plan = plans[str(one.id)]
        if plan.tasks or one.steps:
            route = _Route(fleet.network, one, plan, drive(fleet, str(one.id)), problem)
            routes.append(route.told(datum, geometry=request.options.g))
    unassigned = [
        _unassigned(problem.sources[stop_id], lost[order.task.task_id], lang)
        for order in problem.orders
        if order.task.task_id in lost
        for stop_id in order.stop_ids
    ]
    return VroomResponse(
        summary=_summary(routes, len(unassigned), problem.dimensions),
        unassigned=unassigned,
        routes=routes,
        warnings=datum_warnings(network, _sent(request), datum, lang),
    )


def _sent(request: VroomRequest) -> dict[SentPart, FloatArray]:
    """Return all positions, (n, 2) each, as they were sent."""
    ends = [place for one in request.vehicles for place in (one.start, one.end) if place is not None]
    parts = [one.location for order in request.shipments for one in (order.pickup, order.delivery)]
    kinds: dict[SentPart, list[tuple[float, float]]] = {
        "vehicles": ends, "jobs": [one.location for one in request.jobs], "shipments": parts,
    }  # fmt: skip
    return {kind: np.array(places, np.float64).reshape(-1, 2) for kind, places in kinds.items()}


def _check_streets(
    network: StreetNetwork, request: VroomRequest, problem: VroomProblem, datum: Datum
) -> None:
    """Refuse vehicles that could not keep their steps, by pointer."""
    wrong = {}
    limit_m = RULES.walk_to_street_m
    for at, one in enumerate(request.vehicles):
        named = [(f"/vehicles/{at}/start", one.start)]
        if one.end is not None:
            named.append((f"/vehicles/{at}/end", one.end))
        for step in one.steps:
            source = problem.sources.get(f"{step.type}/{step.id}")
            if source is not None:
                named.append((f"{source.pointer}/location", source.part.location))
        places = to_wgs84(np.array([place for _, place in named]), datum)
        for (pointer, _), ok in zip(
            named, network.snap(places, MODES[one.profile], limit_m).ok.tolist(), strict=True
        ):
            if not ok:
                wrong[pointer] = f"{pointer} lies on no street for {one.profile} within {limit_m:.0f} m"
    if wrong:
        raise PointedError(wrong)


class _Route:
    """One plan in whole seconds. Rounded up, so windows in whole seconds hold and the parts add up."""

    def __init__(
        self, network: StreetNetwork, asked: VroomVehicle, plan: Vehicle, driven: Drive, problem: VroomProblem
    ) -> None:
        self.network, self.asked, self.plan, self.driven, self.problem = network, asked, plan, driven, problem
        self.arrival, self.start, self.done = (
            [-(-ms // 1000) for ms in column]
            for column in (driven.arrival_ms, driven.start_ms, driven.done_ms)
        )
        self.leave = -(-driven.leave_ms // 1000)
        wait = self.start[0] - self.arrival[0] if self.start else 0
        if wait and plan.rider.stops[0].kind != "rest":
            # As VROOM does: a vehicle sets out so late that it need not wait at its first step.
            self.leave, self.arrival[0] = self.leave + wait, self.start[0]

    def told(self, datum: Datum, *, geometry: bool) -> VroomRoute:
        """Return the route as VROOM tells it."""
        ways = [self.driven.way(self.network, self.plan.rider.mode, at) for at in range(len(self.start))]
        metres = [round(m) for m in itertools.accumulate((way.metres for way in ways), initial=0.0)]
        steps = list(self._steps(metres if geometry else [None] * len(metres)))
        lines = [from_wgs84(np.asarray(way.lonlat), datum).tolist() for way in ways]
        sources = [self.problem.sources.get(stop.stop_id) for stop in self.plan.rider.stops]
        handed, taken = self._freight()
        violations = [one for step in steps for one in step.violations]
        most = self.plan.most_tasks
        if most is not None and self.plan.tasks > most:
            violations.append(VroomViolation(cause="max_tasks"))
        duration, limits, costs = steps[-1].duration, self.asked, self.asked.costs
        if limits.max_travel_time is not None and duration > limits.max_travel_time:
            over_s = duration - limits.max_travel_time
            violations.append(VroomViolation(cause="max_travel_time", duration=over_s))
        if limits.max_distance is not None and metres[-1] > limits.max_distance:
            violations.append(VroomViolation(cause="max_distance"))
        on_spot_s = sum(step.setup + step.service for step in steps if step.type != "break")
        return VroomRoute(
            vehicle=self.asked.id,
            description=self.asked.description,
            cost=costs.fixed
            + (duration * costs.per_hour + on_spot_s * costs.per_task_hour) // 3600
            + metres[-1] * costs.per_km // 1000,
            setup=sum(step.setup for step in steps),
            service=sum(step.service for step in steps),
            duration=duration,
            waiting_time=sum(step.waiting_time for step in steps),
            # A shipment counts for both of its parts, as in VROOM.
            priority=sum(source.whole.priority for source in sources if source is not None),
            delivery=handed,
            pickup=taken,
            distance=metres[-1] if geometry else None,
            geometry=encoded(itertools.chain.from_iterable(lines)) if geometry else None,
            steps=steps,
            violations=violations,
        )

    def _freight(self) -> tuple[list[int], list[int]]:
        """Return what is handed over and what is taken up along the route."""
        size = self.problem.dimensions
        handed, taken = [0] * size, [0] * size
        for load in self.plan.loads:
            for at in range(size):
                handed[at] += load.from_start[at] + max(-load.change[at], 0)
                taken[at] += max(load.change[at], 0)
        return handed, taken

    def _steps(self, metres: Sequence[int | None]) -> Iterable[VroomRouteStep]:
        board = self.plan.on_board().tolist()
        over = [self._overloaded(load) for load in board]
        yield VroomRouteStep(
            type="start", location=self.asked.start, arrival=self.leave, duration=0, service=0,
            waiting_time=0, load=board[0], distance=metres[0], violations=over[0],
        )  # fmt: skip
        duration, left = 0, self.leave
        for at, stop in enumerate(self.plan.rider.stops):
            duration += self.arrival[at] - left
            left = self.done[at]
            kind, _, number = stop.stop_id.partition("/")
            source = self.problem.sources.get(stop.stop_id)
            setup = 0 if source is None else source.setup_s(self.asked.type)
            violations = list(over[at + 1])
            late_s = self.start[at] - stop.latest_s
            if late_s > 0:
                violations.append(VroomViolation(cause="delay", duration=int(late_s)))
            if source is not None and not set(source.whole.skills) <= set(self.asked.skills):
                violations.append(VroomViolation(cause="skills"))
            yield VroomRouteStep(
                type=cast(StepType, kind),
                id=int(number) if number else None,
                description=self._description(kind, number, source),
                location=source.part.location if source else self.asked.end if kind == "end" else None,
                arrival=self.arrival[at],
                duration=duration,
                setup=setup,
                service=self.done[at] - self.start[at] - setup,
                waiting_time=self.start[at] - self.arrival[at],
                load=board[at + 1],
                distance=metres[at + 1],
                violations=violations,
            )

    def _description(self, kind: str, number: str, source: Source | None) -> str | None:
        if kind == "break":
            return next(one.description for one in self.asked.breaks if one.id == int(number))
        return None if source is None else source.part.description

    def _overloaded(self, load: list[int]) -> list[VroomViolation]:
        room = self.plan.capacity
        if room is None or all(one <= most for one, most in zip(load, room, strict=True)):
            return []
        return [VroomViolation(cause="load")]


def _unassigned(source: Source, binding: Binding, lang: Language) -> VroomUnassigned:
    by = None if binding.by_s is None or not math.isfinite(binding.by_s) else round(binding.by_s, 3)
    metres = binding.rule == "place"
    return VroomUnassigned(
        id=source.part.id,
        type=source.kind,
        description=source.part.description,
        location=source.part.location,
        reason=VroomReason(
            rule=cast(RuleName, binding.rule),
            subject=binding.subject or None,
            by_s=None if metres else by,
            by_m=by if metres else None,
            text=reason_text(binding.said, lang),
        ),
    )


def _summary(routes: Sequence[VroomRoute], unassigned: int, size: int) -> VroomSummary:
    distances = [route.distance for route in routes if route.distance is not None]
    return VroomSummary(
        cost=sum(route.cost for route in routes),
        setup=sum(route.setup for route in routes),
        routes=len(routes),
        unassigned=unassigned,
        service=sum(route.service for route in routes),
        duration=sum(route.duration for route in routes),
        waiting_time=sum(route.waiting_time for route in routes),
        priority=sum(route.priority for route in routes),
        delivery=[sum(route.delivery[at] for route in routes) for at in range(size)],
        pickup=[sum(route.pickup[at] for route in routes) for at in range(size)],
        distance=sum(distances) if distances else None,
        violations=[one for route in routes for one in route.violations],
    )
