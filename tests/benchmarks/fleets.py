"""Seeded fleets on a real network: riders with promised stops a few minutes apart, and tasks anywhere."""

import numpy as np
from scipy.spatial import cKDTree

from geo.streets import StreetNetwork
from routing.fleet import Fleet
from routing.policy import Policy
from routing.riders import Rider, Stop
from routing.tasks import Task, Visit

__all__ = ["NOW", "city_fleet", "city_riders", "city_tasks", "short_legged"]

NOW = 1_760_000_000.0


def _places(
    network: StreetNetwork, rng: np.random.Generator
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Places beside the streets of the largest part for e-bikes, away from junctions."""
    edges = np.flatnonzero(network.components("ebike") == 0)
    middle = (network.geom_ptr[edges] + network.geom_ptr[edges + 1]) // 2
    xy = network.project(network.geom_lonlat[middle])
    return np.asarray(xy + rng.normal(0.0, 12.0, xy.shape))


def city_riders(
    network: StreetNetwork, count: int, seed: int, *, stops: tuple[int, int] = (4, 11), rules: bool = True
) -> list[Rider]:
    """Riders with 4 to 10 stops, up to 1 km apart; `rules`: skills, shifts, breaks and speeds in play."""
    rng = np.random.default_rng(seed)
    xy = _places(network, rng)
    tree = cKDTree(xy)
    lonlat = network.unproject(xy)
    riders = []
    for number in range(count):
        at = int(rng.integers(len(xy)))
        here = at
        plan = []
        due_s = NOW
        for place in range(int(rng.integers(*stops))):
            near = tree.query_ball_point(xy[here], float(rng.uniform(150, 1000)))
            step = int(near[int(rng.integers(len(near)))])
            due_s += float(np.hypot(*(xy[step] - xy[here]))) * 1.5 / 4.17 + 100.0
            here = step
            slack_s = float(rng.uniform(0, 900))
            plan.append(
                Stop(
                    f"s{place}",
                    (float(lonlat[here, 0]), float(lonlat[here, 1])),
                    60.0,
                    latest_s=due_s + slack_s,
                )
            )
        facts: dict[str, object] = {}
        if rules:
            facts = {
                "skills": frozenset(np.array(["aid", "fire"])[rng.random(2) < 0.7].tolist()),
                "status": "busy" if rng.random() < 0.95 else "on_break",
                "shift_end_s": NOW + float(rng.uniform(3600, 6 * 3600)),
                "worked_since_break_s": float(rng.uniform(0, 3.5 * 3600)),
                "speed_factor": float(rng.choice([1.0, 1.0, 1.1, 1.25])),
                "extra_last_hour_s": float(rng.choice([0.0, 300.0])),
            }
        start = (float(lonlat[at, 0]), float(lonlat[at, 1]))
        riders.append(Rider(f"r{number:05d}", start, stops=tuple(plan), **facts))  # type: ignore[arg-type]
    return riders


def city_tasks(network: StreetNetwork, count: int, seed: int, *, rules: bool = True) -> list[Task]:
    """Visits of a minute anywhere; `rules`: with windows, some with a skill."""
    rng = np.random.default_rng(seed)
    xy = _places(network, rng)
    lonlat = network.unproject(xy[rng.integers(len(xy), size=count)])
    tasks = []
    for number, (lon, lat) in enumerate(lonlat.tolist()):
        latest_s = NOW + float(rng.uniform(1800, 7200)) if rules else np.inf
        skills = frozenset({"aid"}) if rules and rng.random() < 0.3 else frozenset()
        tasks.append(Task(f"t{number:04d}", Visit((lon, lat), 60.0, latest_s=latest_s), skills=skills))
    return tasks


def city_fleet(network: StreetNetwork, riders: list[Rider], policy: Policy) -> Fleet:
    """The fleet with all plans in place."""
    fleet = Fleet(network, policy)
    fleet.put(riders, NOW)
    return fleet


def short_legged(network: StreetNetwork, riders: list[Rider], policy: Policy, count: int) -> list[Rider]:
    """The first `count` riders whose stops are at most ten minutes apart on the streets."""
    squad = city_fleet(network, riders, policy).squads["ebike"]
    legs = squad.c.leg.reshape(-1, squad.width)[: len(riders)]
    good = (legs.max(axis=1) <= 600_000) & (legs.min(axis=1) >= 0)
    fleet_rows = [rider for rider, fine in zip(riders, good.tolist(), strict=True) if fine]
    return fleet_rows[:count]
