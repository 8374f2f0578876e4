"""An independent reading of VROOM's two JSON documents: whether an answer keeps what its request asks.

It knows only the two documents and a function for travel times; nothing of the code that made the answer.
"""

import itertools
from collections.abc import Callable
from typing import Any

__all__ = ["problems_of"]

Json = dict[str, Any]
LonLat = tuple[float, float]
Key = tuple[str, int]


def problems_of(request: Json, answer: Json, travel_s: Callable[[Json, LonLat, LonLat], float]) -> list[str]:
    """Return one sentence for everything that an answer breaks.

    Parameters
    ----------
    request, answer : dict
        JSON documents of VROOM.
    travel_s : callable
        Seconds that a vehicle takes between two of its places, the least possible.
    """
    parts = _parts(request)
    vehicles = {vehicle["id"]: vehicle for vehicle in request["vehicles"]}
    problems: list[str] = []
    served: list[Key] = []
    for route in answer["routes"]:
        vehicle = vehicles[route["vehicle"]]
        served += [_key(step) for step in route["steps"] if _key(step) in parts]
        problems += _order(vehicle, route)
        problems += _times(vehicle, route, parts, travel_s)
        problems += _loads(vehicle, route, parts)
        problems += _pairs(request, route)
        problems += _sums(route)
    lost = [_key(one) for one in answer["unassigned"]]
    if sorted(served + lost) != sorted(parts):
        problems.append(f"served {sorted(served)} and lost {sorted(lost)} are not {sorted(parts)}")
    told = {_key(one): one["reason"]["text"] for one in answer["unassigned"]}
    problems += [f"{key} is lost without a reason" for key, text in told.items() if not text]
    for name in ("service", "duration", "waiting_time", "cost", "priority"):
        if answer["summary"][name] != sum(route[name] for route in answer["routes"]):
            problems.append(f"the {name} of the summary is not the sum of the routes")
    return problems


def _key(step: Json) -> Key:
    return step["type"], step.get("id", -1)


def _parts(request: Json) -> dict[Key, Json]:
    """All jobs, pick-ups and deliveries: place, service, windows, skills, what changes on board."""
    parts: dict[Key, Json] = {}
    for job in request.get("jobs", []):
        parts["job", job["id"]] = job
    for shipment in request.get("shipments", []):
        more = {"skills": shipment.get("skills", []), "amount": shipment.get("amount", [])}
        parts["pickup", shipment["pickup"]["id"]] = shipment["pickup"] | more
        parts["delivery", shipment["delivery"]["id"]] = shipment["delivery"] | more
    return parts


def _order(vehicle: Json, route: Json) -> list[str]:
    given = [_key(step) for step in vehicle.get("steps", []) if step["type"] not in ("start", "end")]
    driven = [_key(step) for step in route["steps"]]
    rest = iter(driven)
    problems = [] if all(key in rest for key in given) else [f"given {given} is not in order in {driven}"]
    if driven[0] != ("start", -1) or ("end" in dict(driven)) != ("end" in vehicle):
        problems.append(f"ends are missing in {driven}")
    if "end" in vehicle and driven[-1][0] != "end":
        problems.append(f"{driven} goes on after the end")
    breaks = {("break", one["id"]) for one in vehicle.get("breaks", [])}
    if {key for key in driven if key[0] == "break"} != breaks or len(set(driven)) != len(driven):
        problems.append(f"{driven} has not every break once")
    tasks = sum(key[0] in ("job", "pickup", "delivery") for key in driven)
    if tasks > vehicle.get("max_tasks", tasks):
        problems.append(f"{tasks} tasks are more than max_tasks")
    return problems


def _times(
    vehicle: Json, route: Json, parts: dict[Key, Json], travel_s: Callable[[Json, LonLat, LonLat], float]
) -> list[str]:
    problems = []
    first = route["steps"][0]
    here, left, driven = tuple(vehicle["start"]), first["arrival"], 0
    if vehicle.get("time_window", [0])[0] > first["arrival"]:
        problems.append("the vehicle starts before its time window")
    pauses = {one["id"]: one for one in vehicle.get("breaks", [])}
    for step in route["steps"][1:]:
        key = _key(step)
        asked = pauses[step["id"]] if key[0] == "break" else parts.get(key, {})
        leg = step["arrival"] - left
        driven += leg
        if step["duration"] != driven:
            problems.append(f"the duration at {key} is {step['duration']}, not {driven}")
        if key[0] != "break":
            there = tuple(step["location"])
            if there != tuple(asked["location"] if "location" in asked else vehicle["end"]):
                problems.append(f"{key} is somewhere else")
            # Each leg is told in whole seconds, rounded up from instants; a break stands on the street.
            if leg < travel_s(vehicle, here, there) - 1.01:
                problems.append(f"{key} is reached in {leg} s, too soon")
            here = there
        start = step["arrival"] + step["waiting_time"]
        late = any(one["cause"] == "delay" for one in step["violations"])
        windows = asked.get("time_windows") or [[0, 10**11]]
        if key[0] == "end":
            windows = [vehicle.get("time_window", [0, 10**11])]
        if not late and not any(low <= start <= high for low, high in windows):
            problems.append(f"{key} starts at {start}, in none of {windows}")
        if step["waiting_time"] and start not in [low for low, _ in windows]:
            given = [one for one in vehicle.get("steps", []) if _key(one) == key]
            if not given or start not in (given[0].get("service_at"), given[0].get("service_after")):
                problems.append(f"{key} waits for nothing")
        if step["service"] != asked.get("service", 0):
            problems.append(f"{key} has another service")
        if not set(asked.get("skills", [])) <= set(vehicle.get("skills", [])) and not step["violations"]:
            problems.append(f"{key} needs skills that the vehicle lacks")
        left = start + step["setup"] + step["service"]
    return problems


def _loads(vehicle: Json, route: Json, parts: dict[Key, Json]) -> list[str]:
    keys = [_key(step) for step in route["steps"]]
    size = len(route["steps"][0]["load"])

    def amounts(key: Key, name: str) -> list[int]:
        return parts.get(key, {}).get(name) or [0] * size

    loaded = [amounts(key, "delivery") for key in keys if key[0] == "job"]
    load = [sum(one[at] for one in loaded) for at in range(size)]
    problems = []
    for key, step in zip(keys, route["steps"], strict=True):
        if key[0] == "job":
            gone, new = amounts(key, "delivery"), amounts(key, "pickup")
            load = [a - b + c for a, b, c in zip(load, gone, new, strict=True)]
        elif key[0] in ("pickup", "delivery"):
            sign = 1 if key[0] == "pickup" else -1
            load = [a + sign * b for a, b in zip(load, amounts(key, "amount"), strict=True)]
        if step["load"] != load:
            problems.append(f"the load at {key} is {step['load']}, not {load}")
        told = any(one["cause"] == "load" for one in step["violations"])
        over = any(a > b for a, b in zip(load, vehicle.get("capacity", load), strict=True))
        if over != told or min(load, default=0) < 0:
            problems.append(f"the load {load} at {key} is too much")
    return problems


def _pairs(request: Json, route: Json) -> list[str]:
    keys = [_key(step) for step in route["steps"]]
    problems = []
    for shipment in request.get("shipments", []):
        first, last = ("pickup", shipment["pickup"]["id"]), ("delivery", shipment["delivery"]["id"])
        if (first in keys) != (last in keys) or (first in keys and keys.index(first) > keys.index(last)):
            problems.append(f"{first} and {last} do not belong together in {keys}")
    return problems


def _sums(route: Json) -> list[str]:
    steps = route["steps"]
    problems = []
    for name in ("service", "waiting_time"):
        if route[name] != sum(step[name] for step in steps):
            problems += [f"the {name} of the route is not the sum of its steps"]
    span = steps[-1]["arrival"] + steps[-1]["waiting_time"] + steps[-1]["service"] - steps[0]["arrival"]
    if route["duration"] + route["service"] + route["waiting_time"] != span:
        problems.append("driving, service and waiting are not the time of the route")
    if any(b["arrival"] < a["arrival"] for a, b in itertools.pairwise(steps)):
        problems.append("the steps go back in time")
    return problems
