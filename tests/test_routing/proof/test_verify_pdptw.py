"""The checker accepts published pick-up and delivery solutions and rejects every way of spoiling them."""

import dataclasses
import itertools
import math
import random
import re
from pathlib import Path

import pytest
from pdptw import check_routes

from routing.proof.verify import Visited, replay


@dataclasses.dataclass(frozen=True)
class Instance:
    capacity: float
    close: float
    at: dict[str, tuple[float, float]]
    visits: dict[str, Visited]

    def leg(self, a: str, b: str) -> float:
        return math.dist(self.at[a], self.at[b])

    def problems(self, routes: list[list[str]]) -> tuple[str, ...]:
        plan = [[self.visits[name] for name in route] for route in routes]
        return check_routes(
            plan,
            self.leg,
            "0",
            close=self.close,
            capacity=self.capacity,
            expected=self.visits,
            tolerance=1e-4,
        )


def read(path: Path) -> Instance:
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    capacity = float(lines[0][1])
    at = {row[0]: (float(row[1]), float(row[2])) for row in lines[1:]}
    close = float(lines[1][5])
    visits = {
        row[0]: Visited(
            row[0],
            float(row[4]),
            float(row[5]),
            float(row[6]),
            float(row[3]),
            row[7] if row[7] != "0" else None,
        )
        for row in lines[2:]
    }
    return Instance(capacity, close, at, visits)


def solution(path: Path) -> list[list[str]]:
    return [found.split() for found in re.findall(r"^Route\s+\d+\s*:\s*(.+)$", path.read_text(), re.M)]


def cases(shared_data: Path) -> list[tuple[Instance, list[list[str]]]]:
    folder = shared_data / "pdptw"
    answers = sorted(folder.glob("*.*.txt"))
    return [(read(folder / f"{path.name.split('.')[0]}.txt"), solution(path)) for path in answers]


def test_all_best_known_solutions_are_accepted(shared_data: Path) -> None:
    found = cases(shared_data)
    assert len(found) >= 50
    for instance, routes in found:
        assert routes
        assert instance.problems(routes) == ()


def spoiled(
    instance: Instance, routes: list[list[str]], kind: str, rng: random.Random
) -> tuple[Instance, list[list[str]], str]:
    """Spoil a solution in one way; return what the checker must say about it."""
    routes = [list(route) for route in routes]
    route = max(routes, key=len)
    visits = dict(instance.visits)
    if kind == "missing":
        name = route.pop(rng.randrange(len(route)))
        return instance, routes, f"{name} is not visited"
    if kind == "doubled":
        name = route[rng.randrange(len(route))]
        routes.append([name])
        return instance, routes, f"{name} is visited more than once"
    if kind == "precedence":
        end = rng.choice([name for name in route if visits[name].after is not None])
        start = visits[end].after
        assert start is not None
        i, j = route.index(start), route.index(end)
        route[i], route[j] = route[j], route[i]
        return instance, routes, f"{end} comes before {start}"
    if kind == "parted":
        end = rng.choice([name for name in route if visits[name].after is not None])
        route.remove(end)
        routes.append([end])
        return instance, routes, f"{end} comes before {visits[end].after}"
    if kind == "late":
        # The window closes a moment before the visit begins.
        legs = [instance.leg(a, b) for a, b in itertools.pairwise(["0", *route])]
        at = rng.randrange(len(route))
        name = route[at]
        visits[name] = dataclasses.replace(visits[name], earliest=0.0)
        begun = replay([visits[name] for name in route], legs, 0.0).starts[at]
        visits[name] = dataclasses.replace(visits[name], latest=begun - 0.01)
        return dataclasses.replace(instance, visits=visits), routes, f"{name} starts"
    if kind == "back too late":
        legs = [instance.leg(a, b) for a, b in itertools.pairwise(["0", *route])]
        done = replay([visits[name] for name in route], legs, 0.0).leaves[-1] + instance.leg(route[-1], "0")
        return (
            dataclasses.replace(instance, close=done - 0.01),
            routes,
            f"ends with {route[-1]} is back after",
        )
    assert kind == "capacity"
    load, most = 0.0, 0.0
    for name in route:
        load += visits[name].load
        most = max(most, load)
    return dataclasses.replace(instance, capacity=most - 0.5), routes, f"load is {most:g}"


KINDS = ("missing", "doubled", "precedence", "parted", "late", "back too late", "capacity")


@pytest.mark.parametrize("kind", KINDS)
def test_every_solution_spoiled_in_one_way_is_rejected_for_that(shared_data: Path, kind: str) -> None:
    rng = random.Random(kind)
    for instance, routes in cases(shared_data):
        mutant, plan, words = spoiled(instance, routes, kind, rng)
        problems = mutant.problems(plan)
        assert any(words in text.replace(".0 ", " ") for text in problems), (words, problems[:3])


def test_solutions_turned_round_or_joined_are_rejected(shared_data: Path) -> None:
    """Turned round, every window and every order of pairs is against it."""
    for instance, routes in cases(shared_data):
        assert instance.problems([route[::-1] for route in routes])
        assert instance.problems([[name for route in routes for name in route]])


@pytest.mark.parametrize(("latest", "problems"), [(10.0, 0), (9.999, 1)])
def test_windows_are_closed_at_both_ends(latest: float, problems: int) -> None:
    done = replay([Visited("a", 10.0, latest, 5.0)], [10.0], 0.0)
    assert len(done.problems) == problems
    assert done.leaves == (15.0,)
    assert replay([Visited("a", 12.0, 12.0, 5.0)], [10.0], 0.0).starts == (12.0,)
