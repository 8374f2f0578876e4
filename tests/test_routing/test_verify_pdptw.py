"""The checker accepts published pick-up and delivery solutions and rejects every way of spoiling them."""

import dataclasses
import math
import random
import re
from pathlib import Path

import pytest

from routing.verify import Visited, check_routes, replay


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


def test_spoiled_solutions_are_rejected(shared_data: Path) -> None:
    rng = random.Random(0)
    for instance, routes in cases(shared_data):
        long = max(range(len(routes)), key=lambda at: len(routes[at]))
        spoiled: dict[str, list[list[str]]] = {}
        copy = [list(route) for route in routes]
        drop = copy[long].pop(rng.randrange(len(copy[long])))
        spoiled["dropped"] = copy
        copy = [list(route) for route in routes]
        copy[long].append(drop)
        spoiled["twice"] = copy
        copy = [list(route) for route in routes]
        end = next(name for name in copy[long] if instance.visits[name].after is not None)
        start = instance.visits[end].after
        assert start is not None
        i, j = copy[long].index(start), copy[long].index(end)
        copy[long][i], copy[long][j] = copy[long][j], copy[long][i]
        spoiled["hand-over before pick-up"] = copy
        copy = [list(route) for route in routes]
        moved = copy[long].pop(copy[long].index(end))
        copy.append([moved])
        spoiled["pair on two routes"] = copy
        spoiled["all on one route"] = [[name for route in routes for name in route]]
        for what, mutant in spoiled.items():
            assert instance.problems(mutant), what
    # Turned round, every window and every order of pairs is against it.
    for instance, routes in cases(shared_data):
        assert instance.problems([route[::-1] for route in routes])


@pytest.mark.parametrize(("latest", "problems"), [(10.0, 0), (9.999, 1)])
def test_windows_are_closed_at_both_ends(latest: float, problems: int) -> None:
    done = replay([Visited("a", 10.0, latest, 5.0)], [10.0], 0.0)
    assert len(done.problems) == problems
    assert done.leaves == (15.0,)
    assert replay([Visited("a", 12.0, 12.0, 5.0)], [10.0], 0.0).starts == (12.0,)
