"""Riders and tasks at random places of a small town, for tests of matching."""

import dataclasses
from typing import TypeVar

import numpy as np

from geo.streets.network import StreetNetwork
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit

__all__ = ["NOW", "in_windows", "place_in", "some_riders", "some_tasks"]

NOW = 1_760_000_000.0
_Timed = TypeVar("_Timed", Stop, Visit)


def place_in(network: StreetNetwork, rng: np.random.Generator) -> tuple[float, float]:
    """A place anywhere in the bounds of the streets."""
    west, south, east, north = network.bounds
    return float(rng.uniform(west, east)), float(rng.uniform(south, north))


def in_windows(
    rng: np.random.Generator, riders: list[Rider], tasks: list[Task]
) -> tuple[list[Rider], list[Task]]:
    """The same riders and tasks, most of their visits with several windows."""

    def cut(one: _Timed) -> _Timed:
        earliest_s, latest_s = max(one.earliest_s, NOW - 300.0), min(one.latest_s, NOW + 2500.0)
        if rng.random() < 0.3 or earliest_s >= latest_s:
            return one
        ends = np.sort(rng.uniform(earliest_s, latest_s, 2 * int(rng.integers(1, 4)))).round(3)
        closed_s = tuple((float(a), float(b)) for a, b in ends.reshape(-1, 2))
        return dataclasses.replace(one, earliest_s=earliest_s, closed_s=closed_s)

    riders = [dataclasses.replace(one, stops=tuple(cut(stop) for stop in one.stops)) for one in riders]
    return riders, [
        dataclasses.replace(
            task, place=cut(task.place), dropoff=None if task.dropoff is None else cut(task.dropoff)
        )
        for task in tasks
    ]


def some_riders(
    network: StreetNetwork, rng: np.random.Generator, count: int, *, everything: bool
) -> list[Rider]:
    """Riders with 0-5 stops; `everything`: with all rules in play, late stops, waits and several modes."""
    riders = []
    for number in range(count):
        at_s = NOW
        stops = []
        for place in range(int(rng.integers(0, 6))):
            at_s += float(rng.uniform(60, 400))
            earliest_s = at_s - float(rng.uniform(0, 200)) if everything and rng.random() < 0.3 else -np.inf
            latest_s = at_s + float(rng.uniform(0, 300)) if rng.random() < 0.8 else np.inf
            kind, service_s = ("rest", 1200.0) if everything and rng.random() < 0.1 else ("dropoff", 30.0)
            stops.append(Stop(f"s{place}", place_in(network, rng), service_s, earliest_s, latest_s, kind))
        facts: dict[str, object] = {}
        if everything:
            facts = {
                "mode": str(rng.choice(["ebike", "ebike", "car", "foot"])),
                "speed_factor": float(rng.choice([1.0, 1.0, 1.25, 1.333])),
                "skills": frozenset(
                    rng.choice(["aid", "fire"], int(rng.integers(0, 3)), replace=False).tolist()
                ),
                "status": str(rng.choice(["busy", "busy", "busy", "public_benefit", "on_break", "off"])),
                "shift_end_s": NOW + float(rng.choice([600.0, 3000.0, np.inf])),
                "worked_since_break_s": float(rng.choice([0.0, 13_500.0, 14_400.0, 15_000.0])),
                "worked_today_s": float(rng.choice([0.0, 42_000.0])),
                "available_s": NOW + float(rng.choice([0.0, 100.0])),
                "platform": str(rng.choice(["x", "y"])),
                "contribution": float(rng.integers(0, 5)),
                "extra_last_hour_s": float(rng.choice([0.0, 200.0])),
            }
        riders.append(Rider(f"r{number}", place_in(network, rng), stops=tuple(stops), **facts))  # type: ignore[arg-type]
    return riders


def some_tasks(
    network: StreetNetwork, rng: np.random.Generator, count: int, *, everything: bool
) -> list[Task]:
    """Visits; `everything`: with windows, skills, modes and platforms."""
    tasks = []
    for number in range(count):
        earliest_s, latest_s = -np.inf, np.inf
        facts: dict[str, object] = {}
        if everything:
            if rng.random() < 0.5:
                earliest_s = NOW + float(rng.uniform(-100, 600))
                latest_s = earliest_s + float(rng.uniform(0, 900))
            facts = {
                "skills": frozenset(
                    rng.choice(["aid", "fire"], int(rng.integers(0, 2)), replace=False).tolist()
                ),
                "modes": frozenset(
                    {"ebike", "foot"} if rng.random() < 0.3 else {"ebike", "bike", "car", "foot"}
                ),
                "platforms": frozenset({"x"} if rng.random() < 0.2 else set()),
                "priority": int(rng.integers(0, 3)),
            }
        visit = Visit(place_in(network, rng), float(rng.choice([0.0, 30.0])), earliest_s, latest_s)
        tasks.append(Task(f"t{number}", visit, **facts))  # type: ignore[arg-type]
    return tasks
